"""The verdicts of perf/peers.py, on made-up measurements."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "perf/peers.py"
spec = importlib.util.spec_from_file_location("peers", PATH)
peers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peers)


def made_up(**changes):
    """A round in which every target is met, but for the changes: row name -> its fields."""
    rows = {name: {"ns": 1000.0, "torch": 1500.0, "gbps": 30.0} for name in peers.TARGET_ROWS}
    rows["add/float32/16/fresh"]["ns"] = 150.0
    rows["select/float32/16x16/view"]["ns"] = 25.0
    for name, fields in changes.items():
        rows[name] = rows[name] | fields
    return {"rates": {"streaming": 33.0, "read": 33.0}, "rows": rows}


def missed(*rounds):
    return [v["target"] for v in peers.targets(list(rounds)) if not v["met"]]


def test_all_met():
    verdicts = peers.targets([made_up()])
    assert len(verdicts) == 16
    assert all(v["met"] for v in verdicts)


@pytest.mark.parametrize(
    "row, fields, target",
    [
        ("add/float32/16M/fresh", {"gbps": 29.6}, "streaming rate"),
        ("sum/float32/4096x4096/full", {"gbps": 29.6}, "read rate"),
        ("sum/float32/4096x4096/dim0", {"ns": 1501.0}, "axis 0"),
        ("sum/float32/4096x4096/dim1", {"ns": 1501.0}, "axis 1"),
        ("einsum/float32/2x3x2160x3840/luma", {"ns": 1301.0}, "luma"),
        ("add/float32/16/fresh", {"ns": 150.5}, "16 elements"),
        ("select/float32/16x16/view", {"ns": 25.5}, "a view"),
        ("tanh/float32/1M/out", {"ns": 1501.0}, "tanh/float32/1M/out"),
    ],
)
def test_one_missed(row, fields, target):
    names = missed(made_up(**{row: fields}))
    assert len(names) == 1
    assert target in names[0]


def test_functions_together():
    slower = {name: {"ns": 1250.0} for name in peers.TARGET_ROWS if name.endswith("/out")}
    assert missed(made_up(**slower)) == ["these together, geometric mean: times PyTorch"]


def test_median_of_rounds():
    slow = {"add/float32/16/fresh": {"ns": 1e6}}
    assert missed(made_up(), made_up(**slow), made_up()) == []
    assert len(missed(made_up(**slow), made_up(**slow), made_up())) == 1


def test_without_pytorch():
    alone = made_up()
    for row in alone["rows"].values():
        row["torch"] = None
    assert len(peers.targets([alone])) == 5


def test_geometric_mean():
    assert peers.geometric_mean([1, 4, 16]) == pytest.approx(4)
