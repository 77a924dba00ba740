"""tandem.testing.assert_close: PyTorch's meaning, and what its message says."""

import collections
import math

import numpy as np
import pytest

import tandem
from tandem.testing import assert_close

FLOATS = [t for t in tandem.dtypes if t.is_floating_point]
# PyTorch's tolerances, from its documentation.
TOLERANCES = {
    tandem.float16: (1e-3, 1e-5),
    tandem.bfloat16: (1.6e-2, 1e-5),
    tandem.float32: (1.3e-6, 1e-5),
    tandem.float64: (1e-7, 1e-7),
}


def message(*args, **kwargs):
    with pytest.raises(AssertionError) as caught:
        assert_close(*args, **kwargs)
    return str(caught.value)


def test_equal_tensors_of_every_dtype_are_close():
    for dtype in tandem.dtypes:
        x = tandem.tensor([[0, 1], [1, 0]]).to(dtype)
        assert_close(x, x.clone())
        assert "1 / 4 (25.0%)" in message(x, tandem.tensor([[0, 1], [1, 1]]).to(dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_default_tolerances(dtype):
    rtol, atol = TOLERANCES[dtype]
    one = tandem.tensor([1.0], dtype=tandem.float64)
    for scale, shown in [(0.5, None), (2.0, "Mismatched elements: 1 / 1 (100.0%)")]:
        # Around 1, in steps of the dtype; the tolerance belongs to the dtype of the one, the value to float64.
        other = tandem.tensor([1.0 + scale * (rtol + atol)], dtype=tandem.float64)
        if shown is None:
            assert_close(other, one.to(dtype), check_dtype=False)
        else:
            assert shown in message(other, one.to(dtype), check_dtype=False)


def test_complex_distances_are_moduli():
    x = tandem.tensor([3 + 4j], dtype=tandem.complex128)
    assert_close(x, tandem.tensor([0j], dtype=tandem.complex128), rtol=0, atol=5.0000001)
    assert "Greatest absolute difference: 5 at index (0,) (up to 4.9 allowed)" in message(
        x, tandem.tensor([0j], dtype=tandem.complex128), rtol=0, atol=4.9
    )


def test_the_message_shows_counts_and_the_worst_elements():
    expected = tandem.arange(1, 13, dtype=tandem.float32).reshape(3, 4)
    actual = expected.clone()
    actual[0, 1] += 0.5  # relative 0.25: the worst by the tolerance
    actual[2, 3] -= 1.5  # absolute
    text = message(actual, expected, rtol=1e-3, atol=1e-5)
    assert text.startswith("Tensors are not close!\n\nMismatched elements: 2 / 12 (16.7%)\n")
    assert "Greatest absolute difference: 1.5 at index (2, 3) (up to 1e-05 allowed)\n" in text
    assert "Greatest relative difference: 0.25 at index (0, 1) (up to 0.001 allowed)\n" in text
    table = [line.split() for line in text[text.index("Worst elements:") :].splitlines()[1:]]
    assert table[0] == ["index", "actual", "expected", "difference", "relative"]
    assert table[1] == ["(0,", "1)", "2.5", "2", "0.5", "0.25"]
    assert table[2] == ["(2,", "3)", "10.5", "12", "1.5", "0.125"]
    assert len(table) == 3


def test_at_most_five_worst_elements_are_shown():
    text = message(tandem.zeros(100), tandem.arange(100, dtype=tandem.float32))
    assert "Mismatched elements: 99 / 100 (99.0%)" in text
    assert len(text[text.index("Worst elements:") :].splitlines()) == 7


def test_integers_are_compared_exactly():
    big = 2**63 - 1
    assert_close(tandem.tensor([big]), tandem.tensor([big]))
    text = message(tandem.tensor([big]), tandem.tensor([big - 1]))
    assert text.startswith("Tensors are not equal!")
    assert "Greatest absolute difference: 1 at index (0,)" in text
    assert f"{big}" in text and f"{big - 1}" in text


def test_nan_and_infinities():
    nan, inf = math.nan, math.inf
    assert_close(tandem.tensor([nan, inf]), tandem.tensor([nan, inf]), equal_nan=True)
    assert "Greatest absolute difference: nan at index (0,)" in message(
        tandem.tensor([nan, inf]), tandem.tensor([nan, inf])
    )
    for a, b in [(inf, -inf), (inf, 1.0), (1.0, inf), (nan, 1.0), (1.0, nan)]:
        message(tandem.tensor([a]), tandem.tensor([b]), equal_nan=True, rtol=1e3, atol=1e3)
    message(math.nan, math.nan)
    assert_close(math.nan, math.nan, equal_nan=True)


def test_attributes():
    x = tandem.ones(2, 3)
    assert message(x, tandem.ones(3, 2)) == "The values for attribute 'shape' do not match: [2, 3] != [3, 2]."
    assert "attribute 'dtype' do not match: float32 != float64" in message(x, x.double())
    assert_close(x, x.double(), check_dtype=False)
    y = tandem.ones(3, 2).t()
    assert_close(x, y)
    assert message(x, y, check_stride=True) == "The values for attribute 'stride()' do not match: [3, 1] != [1, 2]."
    m = tandem.ones(2, 3, device="meta")
    assert "attribute 'device'" in message(x, m)
    assert_close(m, tandem.zeros(2, 3, device="meta"))  # nothing to compare but the attributes
    assert "attribute 'shape'" in message(m, tandem.zeros(2, 4, device="meta"))
    # Shapes are never broadcast.
    assert "attribute 'shape'" in message(tandem.ones(3), tandem.ones(1))


def test_empty_and_zero_dimensional():
    assert_close(tandem.ones(0, 3), tandem.zeros(0, 3))
    assert "Mismatched elements: 1 / 1 (100.0%)\nGreatest absolute difference: 1 at index ()" in message(
        tandem.tensor(1.0), tandem.tensor(2.0)
    )


def test_numbers():
    assert_close(1, 1)
    assert_close(1.0, 1.0 + 1e-8)
    assert_close(10**400, 10**400)
    assert "Expected 10" in message(10**400 + 1, 10**400)
    text = message(1.0, 2.0)
    assert text.startswith("Scalars are not close!\n\nExpected 2 but got 1.\nAbsolute difference: 1")
    assert "(d)types do not match" in message(1, 1.0)
    assert_close(1, 1.0, check_dtype=False)
    assert_close(1 + 1j, 1 + 1j)
    message(True, False)


def test_tolerances_come_together():
    for only in ({"rtol": 1e-3}, {"atol": 1e-3}):
        with pytest.raises(ValueError, match="both rtol and atol"):
            assert_close(tandem.ones(1), tandem.ones(1), **only)
    with pytest.raises(ValueError, match="not below 0"):
        assert_close(tandem.ones(1), tandem.ones(1), rtol=-1, atol=0)


def test_sequences_and_mappings():
    x, y = tandem.ones(2), tandem.zeros(2)
    assert_close([x, (y, None)], [x, (y, None)])
    assert_close({"a": [x], 3: 2.5}, collections.OrderedDict([(3, 2.5), ("a", [x])]))
    text = message({"a": [x, {"b": x}]}, {"a": [x, {"b": y}]})
    assert text.endswith("The failure occurred for item ['a'][1]['b']")
    assert message([x], [x, x]) == "The length of the sequences mismatch: 1 != 2"
    keys = message({"a": x, "b": x}, {"a": x, "c": x})
    assert "Missing keys in the actual mapping: ['c']" in keys and "Additional keys in the actual mapping: ['b']" in keys
    assert "None mismatch" in message([None], [x])


def test_arrays():
    assert_close(np.ones(3), np.ones(3))
    assert "Mismatched elements: 1 / 3" in message(np.ones(3), np.array([1.0, 1.0, 2.0]))


def test_what_cannot_be_compared():
    for a, b in [(tandem.ones(1), 1.0), (tandem.ones(1), np.ones(1)), ("a", "a"), ({"a": 1}, [1])]:
        with pytest.raises(TypeError, match="expected tensors, numbers"):
            assert_close(a, b)


def test_msg():
    assert message(1, 2, msg="mine") == "mine"
    assert message(1, 2, msg=lambda text: "before " + text).startswith("before Scalars are not equal!")


def test_layouts_and_names_do_not_count():
    x = tandem.arange(12.0).reshape(3, 4)
    assert_close(x.flip(0).flip(0) if hasattr(x, "flip") else x, x)
    assert_close(x.t().contiguous().t(), x)
    assert_close(x.refine_names("a", "b"), x)
    assert_close(x[:, ::2], tandem.tensor([[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]]))
