# t[...] and t[...] = value, against NumPy where it has the same rules.
import itertools

import numpy as np
import pytest

import tandem as td
from conftest import same

KEYS = [
    0,
    -1,
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(5, None),
    slice(None, None, 2),
    slice(None, None, -1),
    slice(-1, None, -2),
    slice(3, 1, -1),
    slice(2, 1),
    None,
    Ellipsis,
]


def pairs():
    for n in (1, 2, 3):
        for key in itertools.product(KEYS, repeat=n):
            if sum(k is Ellipsis for k in key) <= 1 and sum(k is not None and k is not Ellipsis for k in key) <= 3:
                yield key


def test_every_basic_index_is_numpys_view():
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    t = td.from_numpy(array)
    for key in pairs():
        expected = array[key]
        got = t[key]
        assert got.shape == expected.shape, key
        assert got.tolist() == expected.tolist(), key
        assert got.numel() == 0 or got.storage() is t.storage(), key


def test_indexing_makes_views():
    t = td.zeros(3, 4)
    for key in [0, (slice(1, 3), slice(None, None, 2)), (Ellipsis, 1), (None, 2), (slice(None, None, -1),)]:
        before = t.clone()
        t[key][...] = 1
        assert not same(t, before), key
        t.zero_()


def test_indices_of_other_kinds():
    t = td.tensor([[1, 2], [3, 4], [5, 6]])
    assert t[np.int8(1)].tolist() == [3, 4]
    assert t[td.tensor(1)].tolist() == [3, 4]
    assert t[td.tensor(1) :].tolist() == [[3, 4], [5, 6]]
    assert t[True].shape == (1, 3, 2) and t[False].shape == (0, 3, 2)
    assert td.tensor(5)[True].shape == (1,) and td.tensor(5)[None].shape == (1,)
    assert td.tensor(5)[...].item() == 5
    assert t[td.tensor(1)].storage_offset() == 2


@pytest.mark.parametrize(
    "shape, key, error, message",
    [
        ((3,), 3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        ((3,), -4, IndexError, "index -4 is out of bounds for dimension 0 with size 3"),
        ((3,), (0, 0), IndexError, "too many indices"),
        ((), 0, IndexError, "0-dim"),
        ((3,), slice(None, None, 0), ValueError, "step"),
        ((3,), 1.5, IndexError, "valid indices"),
        ((3,), "a", IndexError, "valid indices"),
        ((3,), slice(1.5, None), TypeError, "slice"),
        ((3,), 2**70, IndexError, "index"),
    ],
)
def test_bad_indices(shape, key, error, message):
    with pytest.raises(error, match=message):
        td.zeros(shape)[key]


def test_assignment():
    t = td.zeros(3, 4)
    t[0] = 1
    t[1, 1:3] = 2.5
    t[..., -1] = td.tensor([7.0, 8.0, 9.0])
    t[2, :2] = [5, 6]
    t[2, 2:3] = np.array([4.0])
    assert t.tolist() == [[1, 1, 1, 7], [0, 2.5, 2.5, 8], [5, 6, 4, 9]]
    t[:, ::-1][0, 0] = -1
    assert t[0, 3].item() == -1
    t[...] = td.tensor(3)
    assert t.tolist() == [[3] * 4] * 3
    t[0] = td.ones(1, 1, 4)
    assert t[0].tolist() == [1] * 4


def test_assignment_casts_to_the_tensor():
    n = td.zeros(2, dtype=td.int64)
    n[0] = 1.7
    n[1] = td.tensor(2.9)
    assert n.tolist() == [1, 2]
    b = td.zeros(2, dtype=td.uint8)
    with pytest.raises(ValueError, match="overflow"):
        b[0] = 300
    assert b.tolist() == [0, 0]


def test_assignment_that_fails_changes_nothing():
    t = td.zeros(2, 3)
    for key, value, error in [
        (0, td.ones(2), RuntimeError),
        (5, 1, IndexError),
        (0, "x", TypeError),
        (0, [1, 2], RuntimeError),
        (0, [1, [2]], TypeError),
        (0, None, TypeError),
    ]:
        with pytest.raises(error):
            t[key] = value
    with pytest.raises(TypeError):
        del t[0]
    assert t.tolist() == [[0] * 3] * 2


def test_assignment_through_overlap_reads_before_it_writes():
    t = td.arange(6)
    t[1:] = t[:-1].clone()
    assert t.tolist() == [0, 0, 1, 2, 3, 4]
    e = td.zeros(1).expand(3)
    e[...] = 4
    assert e.tolist() == [4, 4, 4]


@pytest.mark.parametrize("accumulate", [False, True])
def test_rows_of_dimensions_that_do_not_merge(accumulate, rng):
    array = rng.standard_normal((50, 6, 40)).astype(np.float32)
    values = rng.integers(-8, 8, (30, 3, 40)).astype(np.float32)
    places = rng.permutation(50)[:30]
    whole = td.tensor(array)
    whole = td.tensor(array)
    whole[:, ::2].index_put_((td.tensor(places),), td.tensor(values), accumulate)
    array[places, ::2] = array[places, ::2] + values if accumulate else values
    assert np.array_equal(whole.numpy(), array)
