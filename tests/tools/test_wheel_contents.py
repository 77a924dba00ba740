"""What tools/wheel_contents.py finds in a wheel: planted files, and libraries that need or look for others."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("elftools", reason="of tools/requirements-wheel.txt")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import wheel_contents  # noqa: E402

INFO = "tandem-0.1.0.dist-info"
GOOD = {
    "tandem/__init__.py": b"",
    "tandem/libtandem.so": b"",
    "tandem/libtandem_lapack.so": b"",
    "tandem/libtandem_onednn.so": b"",
    "tandem.libs/libgomp-1f2e3d4c.so.1.0.0": b"",
    f"{INFO}/licenses/python/notices/THIRD_PARTY.txt": (ROOT / "python/notices/THIRD_PARTY.txt").read_bytes(),
}


def planted(tmp_path, files):
    wheel = tmp_path / "tandem-0.1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as z:
        for name, data in (GOOD | files).items():
            if data is not None:
                z.writestr(name, data)
    return wheel_contents.check(wheel)[0]


def library(tmp_path, soname, *options):
    out = tmp_path / soname
    command = ["gcc", "-shared", "-o", out, "-x", "c", "/dev/null", "-x", "none", f"-Wl,-soname,{soname}", *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_a_good_wheel_passes(tmp_path):
    assert planted(tmp_path, {}) == []


@pytest.mark.parametrize(
    "name, problem",
    [
        ("tandem/libtandem_fftw.so", "must not be in a wheel"),
        ("tandem.libs/libfftw3-1f2e.so.3", "must not be in a wheel"),
        ("tandem.libs/libcublas-1f2e.so.13", "must not be in a wheel"),
        ("tandem.libs/libcurl-gnutls-1f2e.so.4", "not a library that is known to be bundled"),
        ("tandem/photo.jpg", "not a known file of the package"),
    ],
)
def test_other_files_are_found(tmp_path, name, problem):
    assert planted(tmp_path, {name: b"x"}) == [f"{name}: {problem}"]


def test_the_backend_may_be_there(tmp_path):
    assert planted(tmp_path, {"tandem/libtandem_cuda.so": b"x"}) == []


def test_missing_parts_are_found(tmp_path):
    assert planted(tmp_path, {"tandem/libtandem_lapack.so": None}) == ["tandem/libtandem_lapack.so: missing"]
    found = planted(tmp_path, {f"{INFO}/licenses/python/notices/THIRD_PARTY.txt": None})
    assert [p for p in found if "notices" in p][-1].endswith("THIRD_PARTY.txt: missing")


def test_libraries_of_the_system_are_found(tmp_path):
    other = library(tmp_path, "libother.so.1")
    mine = library(tmp_path, "libtandem.so", "-Wl,--no-as-needed", other).read_bytes()
    assert planted(tmp_path, {"tandem/libtandem.so": mine}) == [
        "tandem/libtandem.so: needs libother.so.1, which no system must have"
    ]
    found = planted(tmp_path, {"tandem/libtandem.so": mine, "tandem.libs/libother.so.1": other.read_bytes()})
    assert found == ["tandem.libs/libother.so.1: not a library that is known to be bundled"]


def test_paths_of_this_machine_are_found(tmp_path):
    mine = library(tmp_path, "libtandem.so", "-Wl,-rpath,$ORIGIN:/usr/lib/hdf5").read_bytes()
    assert planted(tmp_path, {"tandem/libtandem.so": mine}) == ["tandem/libtandem.so: looks for libraries in /usr/lib/hdf5"]


def test_a_large_wheel_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(wheel_contents, "MOST_BYTES", 100)
    assert "expected at most 100 without the CUDA backend" in planted(tmp_path, {})[0]
    assert planted(tmp_path, {"tandem/libtandem_cuda.so": b"x"}) == []
