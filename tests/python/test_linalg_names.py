# Names of the table that go into modules of their own.
import sys

import tandem


def test_linalg_has_the_ops_that_the_main_module_has_too():
    others = [(a, row["name"]) for row in tandem.op_rows() for a in row["aliases"] if a.startswith("linalg_")]
    assert ("linalg_matmul", "matmul") in others and len(others) > 5
    for alias, name in others:
        assert getattr(tandem.linalg, alias.removeprefix("linalg_")) is getattr(tandem, name)
    assert sys.modules["tandem.linalg"] is tandem.linalg


def test_no_name_of_a_module_is_a_name_of_the_main_one():
    assert not [name for name in dir(tandem) if name.startswith(("linalg_", "fft_"))]
    assert not [name for name in dir(tandem.Tensor) if name.startswith(("linalg_", "fft_"))]


def test_every_row_is_where_it_says():
    for row in tandem.op_rows():
        place = tandem
        *modules, name = row["python"].split(".")
        for module in modules:
            place = getattr(place, module)
        assert hasattr(place, name) or hasattr(tandem.Tensor, name), row["name"]
