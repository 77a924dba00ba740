"""The `tandem` command: what it prints and writes, its exit status, and that it leaves nothing half done."""

import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/data"))
from record_files import png  # noqa: E402

WEIGHTS = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def find_command():
    """$TANDEM_COMMAND, or the one of the build folder that PYTHONPATH points into, or the newest build."""
    if "TANDEM_COMMAND" in os.environ:
        return Path(os.environ["TANDEM_COMMAND"])
    for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        if (Path(folder).parent / "bin/tandem").exists():
            return Path(folder).parent / "bin/tandem"
    built = sorted(ROOT.glob("build/*/bin/tandem"), key=lambda p: p.stat().st_mtime)
    assert built, "build the target tandem_command first"
    return built[-1]


COMMAND = find_command()


def run(*arguments, status=0, **options):
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def refused(*arguments, **options):
    """Runs what must be refused; returns the one line on standard error."""
    done = run(*arguments, status=2, **options)
    assert re.fullmatch(r"tandem: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def photo_samples(rows=30, columns=40, channels=3, depth=8):
    return np.random.default_rng(3).integers(0, 2**depth, (rows, columns, channels))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(photo_samples(), 2, 8, False))
    return path


def decode_grey_png(data):
    """A PNG reader of its own, for 8-bit grey without interlacing."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        if kind == b"IHDR":
            columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            assert (depth, colour, interlaced) == (8, 0, 0)
        body += content if kind == b"IDAT" else b""
        at += 12 + size
    raw, out = zlib.decompress(body), []
    above = bytes(columns)
    for r in range(rows):
        kind, line = raw[r * (columns + 1)], bytearray(raw[r * (columns + 1) + 1 : (r + 1) * (columns + 1)])
        for i in range(columns):
            a, b, c = (line[i - 1] if i else 0), above[i], (above[i - 1] if i else 0)
            paeth = min((a, b, c), key=lambda v: abs(a + b - c - v))
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        above = bytes(line)
        out.append(list(above))
    return np.array(out)


# ---- luma


def test_luma_files(photo, tmp_path):
    out = run("luma", photo, "-o", tmp_path / "l.png", "-o", tmp_path / "l.h5", "--stack", 3).stdout
    samples = photo_samples().astype(np.float64) / 255
    luma = samples @ WEIGHTS.astype(np.float64)
    with h5py.File(tmp_path / "l.h5") as f:
        assert sorted(k for k in f if not f[k].is_scale) == ["luma", "mean", "weights"]
        np.testing.assert_allclose(f["luma"][:], luma, atol=2e-7)
        np.testing.assert_allclose(f["mean"][:], samples.mean(-1), atol=2e-7)
        np.testing.assert_array_equal(f["weights"][:], WEIGHTS)
        assert f["luma"].dtype == np.float32
        for name in ("luma", "mean"):
            assert [d.label for d in f[name].dims] == ["rows", "columns"]
            assert [d[0].name for d in f[name].dims] == ["/rows", "/columns"]
        assert f["weights"].dims[0].label == "channels"
        assert f["rows"].shape == (30,) and f["columns"].shape == (40,)
    grey = decode_grey_png((tmp_path / "l.png").read_bytes())
    assert np.abs(grey - luma * 255).max() <= 0.5 + 1e-3
    stages = [line.split("  ")[0] for line in out.splitlines()]
    for stage in ("read the photograph", "mean of the channels", "weights aligned by name",
                  "einsum ...chw,c->...hw", "write l.png", "write l.h5", "stack"):
        assert stage in stages, out
    assert stages.count("einsum ...chw,c->...hw") == 2
    assert "every picture of the stack has the bits of the single one" in out
    assert re.search(r"weights to einsum (0|[\d.]+e-0[789]),", out), out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["l.h5", "l.png", "photo.png"]


def test_luma_repeats_its_bytes(photo, tmp_path):
    files = [tmp_path / "a.h5", tmp_path / "b.h5"]
    run("luma", photo, "-o", files[0], "--stack", 0, "--device", "cpu")
    run("luma", photo, "-o", files[1], "--stack", 0, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert files[0].read_bytes() == files[1].read_bytes()


def test_luma_of_other_pictures(tmp_path):
    for colour, depth in ((2, 16), (6, 8), (6, 16)):
        samples = photo_samples(6, 5, 4 if colour == 6 else 3, depth)
        (tmp_path / "p.png").write_bytes(png(samples, colour, depth, True))
        run("luma", tmp_path / "p.png", "-o", tmp_path / "l.hdf5", "--stack", 1)
        with h5py.File(tmp_path / "l.hdf5") as f:
            expected = samples[..., :3] / (2.0**depth - 1) @ WEIGHTS.astype(np.float64)
            np.testing.assert_allclose(f["luma"][:], expected, atol=2e-7)


def test_luma_refuses(photo, tmp_path):
    grey = tmp_path / "grey.png"
    grey.write_bytes(png(photo_samples(4, 4, 1), 0, 8, False))
    cut = tmp_path / "cut.png"
    cut.write_bytes(photo.read_bytes()[:900])
    text = tmp_path / "text.png"
    text.write_text("hello")
    kept = tmp_path / "out.h5"
    kept.write_text("older")
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    for arguments, words in (
        (["luma"], "PHOTO"),
        (["luma", photo], "--output"),
        (["luma", photo, "-o", tmp_path / "x.gif"], "x.gif"),
        (["luma", photo, "-o", tmp_path / "no/x.png"], "no/x.png"),
        (["luma", photo, "-o", photo], "another file"),
        (["luma", photo, "-o", kept, "-o", kept], "twice"),
        (["luma", tmp_path / "none.png", "-o", kept], "none.png"),
        (["luma", tmp_path, "-o", kept], str(tmp_path)),
        (["luma", text, "-o", kept], "text.png"),
        (["luma", cut, "-o", kept], "cut.png"),
        (["luma", grey, "-o", kept], "colour"),
        (["luma", photo, "-o", kept, "--device", "tpu"], "tpu"),
        (["luma", photo, "-o", kept, "--device", "meta"], "meta"),
        (["luma", photo, "-o", kept, "--device", "cuda:99"], "cuda:99"),
        (["luma", photo, "-o", kept, "--stack", "-2"], "-2"),
        (["luma", photo, "-o", kept, "--stack", "2000000000"], "2000000000"),
        (["luma", photo, "-o", kept, "-o", f"{kept.parent}/./{kept.name}"], "twice"),
        (["luma", photo, "-o", kept, "--device", "cpu:7"], "cpu:7"),
        (["luma", photo, "-o", kept, "--stack", "many"], "--stack"),
        (["luma", photo, "-o", kept, "--fast"], "--fast"),
        (["luma", photo, "-o", "/proc/x.h5", "--stack", 0], "/proc/x.h5"),
        (["luma", photo, "-o", "/dev/x.png/y.h5"], "y.h5"),
    ):
        assert words in refused(*arguments)
        assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before, arguments


def test_a_full_disk_leaves_nothing(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(photo_samples(200, 200), 2, 8, False))
    kept = tmp_path / "out.h5"
    kept.write_text("older")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    assert "too large" in refused("luma", path, "-o", kept, "--stack", 0, preexec_fn=limit)
    assert "too large" in refused("luma", path, "-o", tmp_path / "out.png", "--stack", 0, preexec_fn=limit)
    assert kept.read_text() == "older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.h5", "photo.png"]


def test_stopping_leaves_nothing(tmp_path):
    photo = ROOT / "docs/photo/dandelions.jpg"
    child = subprocess.Popen([COMMAND, "luma", photo, "-o", tmp_path / "o.h5"], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if line.startswith("read the photograph"):
            break
    child.send_signal(signal.SIGTERM)
    child.wait(60)
    child.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_progress_only_on_a_terminal(photo, tmp_path):
    assert run("luma", photo, "-o", tmp_path / "l.h5", "--stack", 1).stderr == ""
    ours, theirs = pty.openpty()
    subprocess.run([COMMAND, "luma", photo, "-o", tmp_path / "l.h5", "--stack", "1"], stdout=subprocess.DEVNULL,
                   stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    assert b"write l.h5" in shown and b"[====" in shown and shown.endswith(b"\r\x1b[K")


def test_devices_give_the_same_file(photo, tmp_path):
    if not json.loads(run("info", "--json").stdout)["cuda"]:
        pytest.skip("no GPU")
    for device in ("cpu", "cuda"):
        run("luma", photo, "-o", tmp_path / f"{device}.h5", "--device", device, "--stack", 2)
    assert (tmp_path / "cpu.h5").read_bytes() == (tmp_path / "cuda.h5").read_bytes()


# ---- show


def numbers(text):
    text = text[text.index("tensor(") + 7 :]
    text = re.sub(r"dtype=\w+|size=\([^)]*\)|names=\([^)]*\)", "", text)
    return np.array([float(w) for w in re.findall(r"-?inf|nan|-?\d[\d.]*(?:e[-+]\d+)?", text)])


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "i1", ">u2", "<i4", ">i8", "<u8"])
@pytest.mark.parametrize("layout", [{}, {"chunks": (3, 2)}, {"chunks": (4, 4), "compression": "gzip", "shuffle": True}])
def test_show_reads_what_h5py_writes(tmp_path, dtype, layout):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 100, (7, 5)).astype(dtype)
    with h5py.File(tmp_path / "f.h5", "w") as f:
        f.create_dataset("g/x", data=values, **layout)
    shown = run("show", f"{tmp_path}/f.h5:/g/x", "--full").stdout
    assert str(np.dtype(dtype).name) in shown and "(7, 5)" in shown
    np.testing.assert_array_equal(numbers(shown).reshape(7, 5), values.astype(float))
    shown = run("show", f"{tmp_path}/f.h5:g/x", "--full", "--index", "::-2, 1:4").stdout
    np.testing.assert_array_equal(numbers(shown).reshape(4, 3), values[::-2, 1:4].astype(float))
    assert f"min {values.min():g}  max {values.max():g}" in run("show", f"{tmp_path}/f.h5").stdout


def test_show_tells_of_names_and_kinds():
    shown = run("show", ROOT / "tests/data/foreign.h5").stdout
    for line in (r"labelled +int16  \(2, 3\)  names \['rows', None\]", r"text +strings", r"lists +lists of variable",
                 r"scaled +float32  \(2, 3\)  names \['y', 'x'\]", r"packed .*chunks \(5, 50\)"):
        assert re.search(line, shown), shown
    assert "not finite: 1 of 3" in run("show", f"{ROOT}/tests/data/foreign.h5:big_half").stdout
    assert "true: 2 of 3" in run("show", f"{ROOT}/tests/data/foreign.h5:bool").stdout
    assert "1.+2.0000j" in run("show", f"{ROOT}/tests/data/foreign.h5:complex64").stdout


def test_show_a_picture(photo):
    shown = run("show", photo).stdout
    assert "RGB, uint8  (30, 40, 3)  names ['rows', 'columns', 'channels']" in shown
    samples = photo_samples()
    assert f"min {samples.min()}  max {samples.max()}  mean {samples.mean():.6g}" in shown
    shown = run("show", photo, "--full", "--index", "2, :3").stdout
    np.testing.assert_array_equal(numbers(shown).reshape(3, 3), samples[2, :3])


def test_show_refuses(photo, tmp_path):
    foreign = ROOT / "tests/data/foreign.h5"
    (tmp_path / "text").write_text("hello")
    os.mkfifo(tmp_path / "pipe")
    for arguments, words in (
        (["show"], "FILE"),
        (["show", tmp_path / "none.h5"], "none.h5"),
        (["show", tmp_path], "regular file"),
        (["show", tmp_path / "pipe"], "regular file"),
        (["show", tmp_path / "text"], "HDF5"),
        (["show", f"{foreign}:absent"], "absent"),
        (["show", f"{foreign}:text"], "strings"),
        (["show", f"{foreign}:outside"], "outside"),
        (["show", f"{photo}:x"], "picture"),
        (["show", foreign, "--full"], "DATASET"),
        (["show", f"{foreign}:plain", "--index", "9"], "out of bounds"),
        (["show", f"{foreign}:plain", "--index", "a"], "--index"),
        (["show", f"{foreign}:plain", "--index", "1:2:3:4"], "--index"),
        (["show", f"{foreign}:plain", "--index", "::0"], "zero"),
        (["show", f"{foreign}:plain", "--precision", "-1"], "--precision"),
    ):
        assert words in refused(*arguments), arguments


# ---- the rest


def test_info():
    shown = run("info").stdout
    for word in ("tandem", "cpu", "cuda", "SIMD level", "threads", "HDF5", "libpng", "libjpeg"):
        assert word in shown
    info = json.loads(run("info", "--json").stdout)
    assert info["simd"] in info["simd_levels"] and info["threads"] >= 1 and info["cuda_status"]
    assert (info["cuda_devices"] > 0) == info["cuda"]


def test_levels_of_simd():
    def level(name):
        done = run("info", "--json", env=os.environ | {"TANDEM_SIMD": name})
        return json.loads(done.stdout)["simd"], done.stderr

    best, said = level("")
    assert said == ""
    assert level("baseline") == ("baseline", "")
    unknown, said = level("avx2")
    assert unknown == best and "expected v4, v3 or baseline, got 'avx2'" in said


def test_ops():
    rows = json.loads(run("ops", "--json").stdout)
    assert len(rows) > 100 and len({r["name"] for r in rows}) == len(rows)
    shown = run("ops").stdout
    assert shown.rstrip().endswith(f"{len(rows)} ops")
    assert len(shown.splitlines()) == len(rows) + 2
    assert len(run("ops", "reduction").stdout.splitlines()) < 40
    assert "nonesuch" in refused("ops", "nonesuch")
    one = dict(line.split(maxsplit=1) for line in run("ops", "true_divide").stdout.splitlines())
    assert one["op"] == "div" and "true_divide" in one["also"] and one["call"].startswith("div(x, y, *,")
    assert one["dtypes"] == "bool int float complex" and one["backends"].startswith("cpu")
    page = run("ops", "--markdown").stdout.split("## Array API")[0]
    assert len(re.findall(r"^\| `", page, re.MULTILINE)) == len(rows) and f"{len(rows)} ops." in page


def test_help_and_version():
    for arguments in (["--help"], ["luma", "--help"], ["show", "-h"], ["info", "--help"], ["ops", "--help"],
                      ["bench", "--help"]):
        done = run(*arguments)
        assert "--help" in done.stdout and done.stderr == ""
    assert re.fullmatch(r"tandem \d+\.\d+\.\d+\n", run("--version").stdout)
    assert "subcommand" in refused().lower()
    assert "'foo'" in refused("foo", "--bar")
    refused("frobnicate")


BENCH = COMMAND.parent / "tandem_bench"


@pytest.mark.skipif(not BENCH.exists(), reason="the benchmark is not built")
def test_bench_hands_on_its_arguments():
    done = run("bench", "--alone", "nothing", "--device", "meta", status=2)
    assert re.fullmatch(r"tandem_bench: --device: [^\n]*'meta'\n", done.stderr), done.stderr
    done = run("bench", "--alone", "--device", "cpu", "no such row", "nor this", status=2)
    assert "'no such row', 'nor this'" in done.stderr
    rows = run("bench", "--alone", "--list", "^matmul/float32/4x4", "--dtypes", "float64", "luma$").stdout
    assert [line.split("/")[0] for line in rows.split()] == ["matmul", "einsum"]


@pytest.mark.skipif(not BENCH.exists(), reason="the benchmark is not built")
def test_bench_beside_pytorch(tmp_path):
    """What it hands to the Python that is named, or that it finds; here one that prints its arguments."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && exit "${FOUND:-0}"\nprintf "%s|" "$@"\n')
    python.chmod(0o755)
    named = run("bench", "--peers", str(python), "matmul", "fft", "--threads", "2").stdout.split("|")
    assert named[0].endswith("perf/peers.py") and Path(named[0]).exists()
    assert named[1:] == ["--bench", str(BENCH.resolve()), "matmul", "fft", "--threads", "2", ""]
    assert run("bench", "x", env=os.environ | {"TANDEM_PEERS": str(python)}).stdout == "|".join([*named[:3], "x", ""])
    path = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert run("bench", "x", env=path).stdout == "|".join([*named[:3], "x", ""])
    without = run("bench", "--list", "^matmul/float32/4x4", env=path | {"FOUND": "9"}).stdout
    assert "--peers" in without and without.endswith("matmul/float32/4x4/fresh\n")
    for arguments in (["--peers", "/nonesuch"], ["--peers", "/bin/false"]):
        assert arguments[1] in refused("bench", *arguments, "x")


def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run([COMMAND, "ops"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
