"""`tandem memory`: tables, advice and picture of snapshots made here, and files that are none."""

import copy
import json
import os
import re
import resource
import struct
import subprocess
import zlib

import numpy as np
import pytest
from test_command import COMMAND, refused, run

MIB = 2**20
PAGE = 2 * MIB


def counter(current=0, peak=None):
    return {"current": current, "peak": current if peak is None else peak, "total": current}


def free(offset, size, stream=None):
    return {"offset": offset, "bytes": size, "state": "free", **({} if stream is None else {"stream": stream})}


def live(offset, size, tag, op=""):
    return {"offset": offset, "bytes": size, "state": "live", "stream": 0, "requested": size, "tag": tag, "op": op}


def hole(offset, size):
    return {"offset": offset, "bytes": size, "state": "hole"}


def usage(tag, size, blocks=1, op=""):
    return {"tag": tag, "op": op, "blocks": blocks, "requested": size, "bytes": size}


def segment(*ranges, virtual=True, large=True, pool=0):
    size = ranges[-1]["offset"] + ranges[-1]["bytes"]
    return {"address": "0x7f0000000000", "bytes": size, "pool": pool, "virtual": virtual, "large": large,
            "source": "driver", "ranges": list(ranges)}


def snapshot(*segments, **statistics):
    """A snapshot of these segments, its sums added up."""
    by_state, tags = {}, {}
    for s in segments:
        for r in s["ranges"]:
            by_state.setdefault(r["state"], []).append(r["bytes"])
            if r["state"] == "live":
                key = r["tag"], r["op"]
                size, n = tags.get(key, (0, 0))
                tags[key] = size + r["bytes"], n + 1
    sums = {state: sum(sizes) for state, sizes in by_state.items()}
    held = sum(n for state, n in sums.items() if state != "hole")
    there, largest = sums.get("free", 0), max(by_state.get("free", [0]))
    numbers = {
        "requested": counter(sums.get("live", 0)),
        "allocated": counter(sums.get("live", 0)),
        "reserved": counter(held),
        "cached": there,
        "free_ranges": there,
        "pending": sums.get("pending", 0),
        "largest_free": largest,
        "fragmentation": 1 - largest / there if there else 0.0,
        "limit": None,
        **dict.fromkeys(["allocations", "frees", "cache_hits", "driver_allocations", "driver_frees", "events",
                         "waits", "out_of_memory", "retries"], 0),
        **statistics,
    }
    return {
        "format": "tandem memory snapshot", "version": 1, "device": "cuda:0", "driver": "cuda", "mode": "virtual",
        "plain_asked": False, "asynchronous": True, "resource": False, "page": PAGE, "alignment": 256,
        "captures": 0, "statistics": numbers, "pools": [], "streams": [],
        "live": [usage(tag, size, n, op) for (tag, op), (size, n) in tags.items()],
        "front_caches": [], "segments": list(segments),
    }  # fmt: skip


def stream(number, **fields):
    return {"stream": number, "handle": "0x0", "free": 0, "slabs": 0, "front": 0, "waited": 0, "waiting": 0, **fields}


def pool(number, **fields):
    return {"id": number, "kept": False, "requested": counter(), "allocated": counter(), "reserved": counter(),
            "cached": 0, "limit": None, **fields}


@pytest.fixture
def show(tmp_path):
    def shown(s, *arguments):
        path = tmp_path / "s.json"
        path.write_text(json.dumps(s))
        return run("memory", path, *arguments).stdout

    return shown


def decode_rgb_png(data):
    """A PNG reader of its own, for 8-bit RGB without interlacing."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            assert (depth, colour, interlaced) == (8, 2, 0)
        body += content if kind == b"IDAT" else b""
        at += 12 + size
    raw = zlib.decompress(body)
    out = np.zeros((rows, 3 * columns), dtype=np.uint8)
    above = bytes(3 * columns)
    for r in range(rows):
        kind, line = raw[r * (3 * columns + 1)], bytearray(raw[r * (3 * columns + 1) + 1 : (r + 1) * (3 * columns + 1)])
        if kind:
            for i in range(len(line)):
                a, b, c = (line[i - 3] if i >= 3 else 0), above[i], (above[i - 3] if i >= 3 else 0)
                p = a + b - c
                paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        above = bytes(line)
        out[r] = np.frombuffer(above, dtype=np.uint8)
    return out.reshape(rows, columns, 3)


def count(picture, colour):
    return int((picture == np.array(colour, dtype=np.uint8)).all(-1).sum())


# ---- tables and picture


def test_tables(show):
    s = snapshot(segment(live(0, 6 * MIB, "encoder/attention"), live(6 * MIB, 2 * MIB, "", "add"), free(8 * MIB, 4 * MIB)))
    s["pools"] = [pool(0), pool(3, kept=True, limit=5 * MIB)]
    s["streams"] = [stream(7, waited=3 * MIB)]
    out = show(s)
    assert re.search(r"^held +12.00 MiB, at most 12.00 MiB; limit none$", out, re.M)
    assert re.search(r"^live +8.00 MiB, at most 8.00 MiB; asked for 8.00 MiB$", out, re.M)
    assert re.search(r"^cached +4.00 MiB; largest free 4.00 MiB; fragmentation 0.00$", out, re.M)
    assert re.search(r"^encoder/attention +6.00 MiB +6.00 MiB +1$", out, re.M)
    assert re.search(r"^op add +2.00 MiB +2.00 MiB +1$", out, re.M)
    assert re.search(r"^3 +0 bytes +0 bytes +0 bytes +5.00 MiB$", out, re.M)
    assert re.search(r"^7 +0 bytes +0 bytes +3.00 MiB +0 bytes$", out, re.M)


def test_picture_has_areas_of_their_bytes(show, tmp_path):
    """A row is 2 MiB, 1024 pixels wide and 16 high: 2 KiB a column."""
    s = snapshot(segment(live(0, 3 * MIB, "a"), live(3 * MIB, MIB, "b"), free(4 * MIB, 2 * MIB), hole(6 * MIB, 2**36)))
    show(s, "--out", tmp_path / "s.png")
    picture = decode_rgb_png((tmp_path / "s.png").read_bytes())
    assert picture.shape[1] == 1024 + 32
    sign = 12 * 12  # of the legend
    for colour, size in (((0, 114, 178), 3 * MIB), ((230, 159, 0), MIB), ((222, 226, 230), 2 * MIB)):
        drawn = (count(picture, colour) - sign) / 16 * 2048
        assert size - 3 * 2048 <= drawn <= size, (colour, drawn)
    assert count(picture, (20, 20, 20)) > 500  # letters


def test_picture_of_nothing_and_of_much(show, tmp_path):
    show(snapshot(), "--out", tmp_path / "none.png")
    assert decode_rgb_png((tmp_path / "none.png").read_bytes()).shape[0] < 200
    # Address space of a PiB with memory here and there, and a range larger than any device.
    ranges, at = [], 0
    for _ in range(2000):
        ranges += [live(at, MIB, "here and there"), hole(at + MIB, 2**39)]
        at += MIB + 2**39
    show(snapshot(segment(*ranges), segment(free(0, 2**50))), "--out", tmp_path / "much.png")
    assert (tmp_path / "much.png").stat().st_size < 2 * MIB
    assert decode_rgb_png((tmp_path / "much.png").read_bytes()).shape[0] < 12000


def test_real_snapshot(tmp_path):
    tandem = pytest.importorskip("tandem")
    with tandem.memory_tag("of the test"):
        kept = tandem.ones(5 * MIB, dtype=tandem.uint8) + 1
        small = [tandem.ones(n) for n in range(1, 30)]
    tandem.write_memory_snapshot(tmp_path / "s.json")
    out = run("memory", tmp_path / "s.json", "--out", tmp_path / "s.png").stdout
    total = kept.nbytes
    assert re.search(r"^of the test +5\.0\d MiB +5\.00 MiB +30$", out, re.M), (out, total)
    assert len(small) == 29
    assert decode_rgb_png((tmp_path / "s.png").read_bytes()).shape[2] == 3


# ---- advice


def small_pages(n):
    """Pages of the small kind with one live block of 64 KiB each."""
    ranges = []
    for i in range(n):
        ranges += [live(i * PAGE, 2**16, "indices"), free(i * PAGE + 2**16, PAGE - 2**16)]
    return segment(*ranges, large=False)


def advice(out):
    return out.split("what to do\n")[1].splitlines()


def test_advice_on_pinned_pages(show):
    lines = advice(show(snapshot(small_pages(8))))
    assert lines[0].startswith("- 15.50 MiB are free but pinned by 8 pages that small live blocks keep, most by indices")


def test_advice_on_slabs(show):
    slab = {"class": 3, "block_bytes": 4096, "blocks": 512, "free": 510, "live": 2, "pending": 0, "cached": 0,
            "tags": [usage("counters", 8192, 2)]}
    ranges = [{"offset": i * PAGE, "bytes": PAGE, "state": "slab", "stream": 0, "slab": slab} for i in range(4)]
    lines = advice(show(snapshot(segment(*ranges, large=False))))
    assert "pinned by 4 pages" in lines[0] and "most by counters" in lines[0]


def test_advice_on_plain(show):
    s = snapshot(segment(free(0, 8 * MIB), live(8 * MIB, 8 * MIB, "x"), free(16 * MIB, 8 * MIB), virtual=False))
    s["mode"], s["plain_asked"] = "plain", True
    assert any(line.startswith("- TANDEM_POOL=plain is on: 16.00 MiB are free, but at most 8.00 MiB")
               for line in advice(show(s)))
    s["plain_asked"] = False
    assert not any("TANDEM_POOL" in line for line in advice(show(s)))


def test_advice_on_streams(show):
    s = snapshot(segment(free(0, 32 * MIB), {"offset": 32 * MIB, "bytes": 8 * MIB, "state": "pending", "stream": 2}))
    s["streams"] = [stream(2, free=32 * MIB, waiting=8 * MIB), stream(5, waited=8 * MIB)]
    lines = advice(show(s))
    assert any(line.startswith("- 8.00 MiB wait for stream 5:") for line in lines)
    assert any(line.startswith("- 32.00 MiB are free in the order of stream 2 alone") for line in lines)


def test_advice_on_graphs_and_captures(show):
    s = snapshot(segment(free(0, 32 * MIB), pool=4))
    s["pools"] = [pool(0), pool(4, kept=True, cached=32 * MIB, reserved=counter(32 * MIB), limit=32 * MIB)]
    s["captures"] = 1
    text = "\n".join(advice(show(s)))
    assert "32.00 MiB are kept for 1 graph," in text
    assert "Pool 4 is at its limit of 32.00 MiB" in text
    assert "1 capture is under way" in text


def test_advice_on_limits(show):
    one = segment(live(0, 30 * MIB, "x"))
    assert "raise it with set_memory_limit" in "\n".join(advice(show(snapshot(one, limit=32 * MIB, out_of_memory=2))))
    assert "it can be lower" in "\n".join(advice(show(snapshot(one, limit=64 * MIB + 1))))
    assert "failed without a limit" in "\n".join(advice(show(snapshot(one, out_of_memory=1))))
    assert advice(show(snapshot(one, limit=50 * MIB))) == ["- Nothing to do."]


def test_advice_on_cached_memory_and_tags(show):
    s = snapshot(segment(live(0, 32 * MIB, ""), free(32 * MIB, 128 * MIB)), retries=1)
    text = "\n".join(advice(show(s)))
    assert "128.00 MiB of 160.00 MiB are cached" in text and f"trim_memory(device, {32 * MIB})" in text
    assert "32.00 MiB of live memory have no tag" in text
    assert "1 allocation had memory only after" in text


# ---- files that are none


def changed(path, value):
    """A good snapshot with one member changed; `path` of keys and numbers."""
    slab = {"class": 0, "block_bytes": 64, "blocks": 4, "free": 1, "live": 3, "pending": 0, "cached": 0,
            "tags": [usage("t", 192, 3)]}
    s = snapshot(segment(live(0, MIB, "x"), free(MIB, MIB),
                         {"offset": 2 * MIB, "bytes": 65536, "state": "slab", "stream": 0, "slab": slab}))
    s["streams"], s["pools"] = [stream(1)], [pool(0)]
    s = copy.deepcopy(s)
    at = s
    for key in path[:-1]:
        at = at[key]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return s


def members(o, path=()):
    """Paths of all members, at any depth."""
    items = o.items() if isinstance(o, dict) else enumerate(o) if isinstance(o, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from members(value, (*path, key))


@pytest.mark.parametrize("path, value", [
    (("version",), 2), (("version",), "1"), (("format",), "x"), (("page",), 0), (("page",), -1),
    (("statistics", "fragmentation"), 1.5), (("statistics", "fragmentation"), "nan"),
    (("statistics", "cached"), 2**63), (("statistics", "cached"), 1.5),
    (("segments", 0, "bytes"), 2**70), (("segments", 0, "bytes"), 5), (("segments", 0, "ranges"), []),
    (("segments", 0, "ranges", 1, "offset"), 3), (("segments", 0, "ranges", 1, "bytes"), 0),
    (("segments", 0, "ranges", 1, "bytes"), 2**64 - 1), (("segments", 0, "ranges", 1, "state"), "lost"),
    (("segments", 0, "ranges", 2, "slab", "blocks"), 2**59), (("segments", 0, "ranges", 2, "slab", "free"), 2**60),
    (("segments", 0, "ranges", 2, "slab", "block_bytes"), 2**60), (("segments", 0, "ranges", 2, "slab", "tags", 0, "bytes"), 2**50),
    (("live", 0, "tag"), 3), (("streams",), {}), (("pools", 0, "limit"), -1), (("device",), None),
])  # fmt: skip
def test_wrong_members_are_refused(tmp_path, path, value):
    (tmp_path / "s.json").write_text(json.dumps(changed(path, value)))
    assert "expected FILE to be a memory snapshot, got " in refused("memory", tmp_path / "s.json", "--out", tmp_path / "s.png")
    assert not (tmp_path / "s.png").exists()


def test_every_member_is_missed_or_not_needed(tmp_path):
    """Without any one member the command ends in one line or in a table, never in a crash."""
    missed = set()
    for path in members(changed(("version",), 1)):
        if isinstance(path[-1], int):
            continue
        (tmp_path / "s.json").write_text(json.dumps(changed(path, KeyError)))
        done = subprocess.run([COMMAND, "memory", tmp_path / "s.json"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or (done.returncode == 2 and re.fullmatch(r"tandem: [^\n]+\n", done.stderr)), path
        if done.returncode == 2:
            assert f"one without '{path[-1]}'" in done.stderr or path == ("format",)
            missed.add(path[-1])
    assert missed >= {"format", "version", "device", "page", "statistics", "limit", "segments", "ranges", "offset",
                      "bytes", "state", "slab", "blocks", "tags", "tag", "live", "streams", "waited", "pools", "kept"}


def test_cut_off_files_are_refused(tmp_path):
    text = json.dumps(snapshot(small_pages(2)))
    for end in (0, 1, 20, len(text) // 2, len(text) - 1):
        (tmp_path / "s.json").write_text(text[:end])
        assert "no JSON" in refused("memory", tmp_path / "s.json")


@pytest.mark.parametrize("text", [
    "null", "[]", "3", '"x"', "{}", '{"format": "tandem memory snapshot"}', "NaN", '{"format": NaN}',
    "[" * 3_000_000, '{"a":' * 1_000_000, "\x00\x01\x02", '{"version": 1e999}', "\ufeff{}", '{"format": "\udcff"}',
])  # fmt: skip
def test_what_is_no_snapshot_is_refused(tmp_path, text):
    (tmp_path / "s.json").write_text(text, errors="surrogateescape")
    refused("memory", tmp_path / "s.json")


def test_memory_stays_within_bounds(tmp_path):
    """A file that promises much is refused within the 2 GiB of addresses that the command may have here."""
    def little():
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))

    (tmp_path / "s.json").write_bytes(b"[" + b"0," * (40 * MIB))
    refused("memory", tmp_path / "s.json", preexec_fn=little)
    (tmp_path / "s.json").write_text(json.dumps(changed(("segments", 0, "ranges", 0, "bytes"), 2**59)))
    refused("memory", tmp_path / "s.json", preexec_fn=little)


def test_files_and_terminals(tmp_path, show):
    assert "can be read" in refused("memory", tmp_path / "none.json")
    assert "can be read" in refused("memory", tmp_path)
    out = show(snapshot(segment(live(0, MIB, "red\x1b[31m\n" + "x" * 5000))))
    assert "\x1b" not in out and max(map(len, out.splitlines())) < 250
    path = tmp_path / "s.json"
    before = path.read_bytes()
    refused("memory", path, "--out", tmp_path / "no folder" / "s.png")
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["s.json"]
