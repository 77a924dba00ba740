"""The tour: transcripts of the prompt, from the first tensor to the errors, held to every byte that is printed.

The same lines run on a GPU where there is one, as the default device. Not there: what hands memory to NumPy, and
factorisations, whose signs and last bits are the vendor's.
"""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import tandem as td

FOLDER = Path(__file__).parent / "tour"
PARTS = sorted(file.stem for file in FOLDER.glob("*.txt"))
OF_THE_HOST = ("07_products", "10_exchange", "12_files")
RUNS = [(part, "cpu") for part in PARTS]
if td.cuda.is_available():
    RUNS += [(part, "cuda") for part in PARTS if part not in OF_THE_HOST]


class Elsewhere(doctest.OutputChecker):
    """A tensor on a GPU prints where it is, also where that is the default device."""

    def check_output(self, want, got, flags):
        return super().check_output(want, re.sub(r",\s+device='cuda:0'", "", got), flags)


@pytest.fixture
def device(request):
    threads = td.get_num_threads()
    if request.param != "cpu":
        td.set_default_device(request.param)
    yield request.param
    if request.param != "cpu":
        td.set_default_device(None)
    td.set_num_threads(threads)
    td.set_printoptions(profile="default")


@pytest.mark.parametrize("part, device", RUNS, indirect=["device"])
def test_part_of_the_tour(part, device, tmp_path):
    names = {"td": td, "np": np, "path": lambda name: str(tmp_path / name), "DEVICE": device}
    if part == "12_files":
        names["h5py"] = pytest.importorskip("h5py")
    file = FOLDER / f"{part}.txt"
    test = doctest.DocTestParser().get_doctest(file.read_text(), names, part, str(file), 0)
    report = []
    # No option that forgives: spaces, line ends and whole messages count.
    checker = doctest.OutputChecker() if device == "cpu" else Elsewhere()
    result = doctest.DocTestRunner(checker, verbose=False).run(test, out=report.append)
    assert not result.failed, "".join(report)
    assert result.attempted >= 15


def test_the_tour_has_all_its_parts():
    grounds = "creation scalars indexing views dtypes arithmetic products names devices exchange random files printing errors"
    assert [part.split("_")[1] for part in PARTS] == grounds.split()


def test_a_wrong_byte_is_found():
    test = doctest.DocTestParser().get_doctest(">>> td.ones(2)\ntensor([1., 1. ])\n", {"td": td}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None).failed == 1
