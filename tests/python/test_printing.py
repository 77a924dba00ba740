# Printing from Python: the module's own name, and the options.
import pytest

import tandem as td


@pytest.fixture(autouse=True)
def default_options():
    yield
    td.set_printoptions(profile="default")


def test_texts():
    assert repr(td.tensor([1, 2], dtype=td.int16)) == "tensor([1, 2], dtype=tandem.int16)"
    assert str(td.tensor([1.0, 2.5])) == "tensor([1.0000, 2.5000])"
    assert repr(td.tensor([1.0], names=["c"])) == "tensor([1.], names=('c',))"
    assert repr(td.zeros(2, 3, device="meta")) == "tensor(..., device='meta', size=(2, 3))"


def test_options():
    td.set_printoptions(precision=2)
    assert str(td.tensor([1.0, 2.5])) == "tensor([1.00, 2.50])"
    td.set_printoptions(profile="short")
    assert str(td.tensor([1.0, 2.5])) == "tensor([1.00, 2.50])"
    td.set_printoptions(profile="default", sci_mode=True)
    assert str(td.tensor([1.5])) == "tensor([1.5000e+00])"
    td.set_printoptions(profile="default")
    td.set_printoptions(threshold=2, edgeitems=1)
    assert str(td.arange(5)) == "tensor([0,  ..., 4])"
    for bad, error in [({"precision": -1}, ValueError), ({"precision": 1.5}, TypeError), ({"profile": "x"}, ValueError)]:
        with pytest.raises(error):
            td.set_printoptions(**bad)
