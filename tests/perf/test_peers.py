"""The verdicts of perf/targets.py, on made-up measurements."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "perf"))
import peer_calls  # noqa: E402
from targets import ALLOCATE, FAMILIES, MULTIPLES, TARGET_PATTERN, TARGET_ROWS, geometric_mean, overall, targets  # noqa: E402


def made_up(**changes):
    """A round in which every target is met, but for the changes: row name -> its fields."""
    rows = {
        name: {"ns": 1000.0, "torch": 1500.0 * MULTIPLES.get(name, 1), "gbps": 30.0} for name in TARGET_ROWS
    }
    rows["einsum/float32/2x3x2160x3840/luma"]["torch"] = 3000.0
    rows["add/float32/16/fresh"]["ns"] = 150.0
    rows["select/float32/16x16/view"]["ns"] = 25.0
    for name in ALLOCATE.values():
        rows[name + "pair"]["ns"] = rows[name + "pair_2_threads"]["ns"] = 25.0
    rows[ALLOCATE["small"] + "1000_at_once"]["ns"] = 120.0
    for name, fields in changes.items():
        rows[name] = rows[name] | fields
    return {"rates": {"streaming": 33.0, "read": 33.0, "pool_overhead": 0.03}, "rows": rows}


def missed(*rounds):
    return [v["target"] for v in targets(list(rounds)) if not v["met"]]


def test_all_met():
    verdicts = targets([made_up()])
    assert len(verdicts) == 23 + len(MULTIPLES)  # luma is of a family too
    assert all(v["met"] for v in verdicts)


@pytest.mark.parametrize(
    "row, fields, target",
    [
        ("add/float32/16M/fresh", {"gbps": 29.6}, "streaming rate"),
        ("sum/float32/4096x4096/full", {"gbps": 29.6}, "read rate"),
        ("einsum/float32/2x3x2160x3840/luma", {"ns": 1301.0}, "luma"),
        ("add/float32/16/fresh", {"ns": 150.5}, "16 elements"),
        ("select/float32/16x16/view", {"ns": 25.5}, "a view"),
        (ALLOCATE["small"] + "pair", {"ns": 25.5}, "thread's cache"),
        (ALLOCATE["small"] + "1000_at_once", {"ns": 121.0}, "small blocks"),
        (ALLOCATE["huge"] + "pair", {"ns": 121.0}, "large blocks"),
        (ALLOCATE["small"] + "pair_2_threads", {"ns": 31.5}, "64 bytes and back, two threads"),
        (ALLOCATE["middle"] + "pair_2_threads", {"ns": 31.5}, "300 KiB and back, two threads"),
        (ALLOCATE["large"] + "pair_2_threads", {"ns": 31.5}, "3 MiB and back, two threads"),
        ("add/float32/16M/out", {"ns": 905.0}, "fresh output: of the time"),
        ("tanh/float32/1M/out", {"ns": 1501.0}, "tanh/float32/1M/out"),
    ],
)
def test_one_missed(row, fields, target):
    names = missed(made_up(**{row: fields}))
    assert len(names) == 1
    assert target in names[0]


@pytest.mark.parametrize("row, times", MULTIPLES.items())
def test_less_than_the_multiple(row, times):
    assert len(missed(made_up(**{row: {"ns": 1501.0}}))) == 1


def test_functions_together():
    slower = {name: {"ns": 1250.0} for name in TARGET_ROWS if name.endswith("/out")}
    assert missed(made_up(**slower)) == ["these together, geometric mean: times PyTorch"]


def test_least_of_a_family():
    rows = {
        f"{name}/fresh": {"ns": 100.0, "torch": 100.0 * times}
        for name, times in (
            ("matmul/float32/64x64", 1.5), ("matmul/float64/64x64", 1.2), ("matmul/int32/64x64", 0.1),
            ("fft_fft/complex64/1M", 0.6), ("fft_fft/complex64/1000003", 1.9), ("linalg_svd/float32/64x64", 0.9),
        )
    }  # fmt: skip
    verdicts = {v["target"].split(",")[0]: v for v in targets([{"rates": {}, "rows": rows}])}
    assert {name: (v["value"], v["met"]) for name, v in verdicts.items() if v["limit"]} == {
        "products": (pytest.approx(1.2), True), "transforms": (0.6, True), "factorisations": (0.9, False),
        "a transform of 1": (pytest.approx(1.9), False),
    }  # fmt: skip
    with_fftw = targets([{"rates": {}, "rows": rows, "transforms": "fftw"}])
    assert [v["limit"] for v in with_fftw if v["target"].startswith("transforms,")] == [1]
    assert "2, matmul/float64/64x64/fresh" in verdicts["products"]["target"]
    assert {family for family in FAMILIES if "einsum" in family} and re.search(TARGET_PATTERN, "fft_fft/complex64/1M/fresh")
    assert not re.search(TARGET_PATTERN, "matmul/int32/64x64/fresh")


def test_median_of_rounds():
    slow = {"add/float32/16/fresh": {"ns": 1e6}}
    assert missed(made_up(), made_up(**slow), made_up()) == []
    assert len(missed(made_up(**slow), made_up(**slow), made_up())) == 1


def test_without_pytorch():
    alone = made_up()
    for row in alone["rows"].values():
        row["torch"] = None
    assert len(targets([alone])) == 13


def made_up_device(**changes):
    """The same for a device."""
    names = TARGET_ROWS
    rows = {name: {"ns": 1000.0, "torch": 1500.0, "gbps": 97.0, "queued_ns": 25.0} for name in names}
    rows["add/float32/16/fresh"]["queued_ns"] = 2300.0
    for name, fields in changes.items():
        rows[name] = rows[name] | fields
    return {"rates": {"copy": 100.0, "launch_ns": 2000.0}, "rows": rows}


def missed_on_device(*rounds):
    return [v["target"] for v in targets(list(rounds), on_device=True) if not v["met"]]


def test_device_all_met():
    verdicts = targets([made_up_device()], on_device=True)
    assert len(verdicts) == 21
    assert all(v["met"] for v in verdicts)


@pytest.mark.parametrize(
    "row, fields, target",
    [
        ("add/float32/16M/fresh", {"gbps": 96.9}, "add/float32/16M/fresh: share"),
        ("sum/float32/4096x4096/dim0", {"gbps": 96.9}, "dim0: share"),
        ("sum/float32/4096x4096/dim0", {"torch": 999.0}, "dim0: times PyTorch"),
        ("copy_/float32/4096x4096/out_transposed", {"gbps": 84.9}, "copy of a transpose"),
        ("einsum/float32/2x3x2160x3840/luma", {"ns": 1301.0}, "luma"),
        ("add/float32/16/fresh", {"queued_ns": 2301.0}, "add of 16"),
        ("select/float32/16x16/view", {"queued_ns": 25.5}, "a view"),
    ],
)
def test_device_one_missed(row, fields, target):
    names = missed_on_device(made_up_device(**{row: fields}))
    assert len(names) == 1
    assert target in names[0]


def test_overall():
    rows = [{"ns": 10.0, "peers": {"P": 10.0 * times}} for times in (1, 1.5, 2.25)] + [{"ns": 1.0}, {"error": "none"}]
    assert [v["value"] for v in overall(rows, "P")] == [pytest.approx(1.5), 1]
    assert all(v["met"] for v in overall(rows, "P"))
    rows[0]["peers"]["P"] = 9.9
    assert not any(v["met"] for v in overall(rows, "P"))
    assert overall(rows, "Q") == []


def test_batches():
    done = []
    peer_calls.batches(lambda: done.append("call"), lambda: done.append("wait"), 3)()
    assert done == ["call"] * 3 + ["wait"]


def test_geometric_mean():
    assert geometric_mean([1, 4, 16]) == pytest.approx(4)
