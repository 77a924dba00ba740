"""What tandem/methods.py, tandem/numpy_forms.py and the views in place give, against NumPy."""

import numpy as np
import pytest

import tandem


def arange(*shape):
    return tandem.arange(int(np.prod(shape)), dtype=tandem.float32).reshape(*shape)


def test_views_in_place():
    x = arange(2, 3)
    base = x.data_ptr()
    y = x
    assert x.t_() is y and x.shape == (3, 2) and x.data_ptr() == base
    assert x.transpose_(0, 1) is y and x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.unsqueeze_(0).shape == (1, 2, 3) and x.squeeze_(0).shape == (2, 3) and x.shape == (2, 3)
    assert x.swapaxes_(0, 1).shape == (3, 2) and x.swapdims_(0, 1).shape == (2, 3)
    assert x.as_strided_((2,), (3,)).tolist() == [0, 3]
    with pytest.raises(IndexError):
        x.unsqueeze_(5)
    assert x.shape == (2,)


def test_is_nonzero():
    assert tandem.is_nonzero(tandem.tensor([2.0])) and not tandem.tensor(0).is_nonzero()
    with pytest.raises(RuntimeError, match="is_nonzero"):
        tandem.is_nonzero(tandem.ones(2))


def test_unravel_index():
    flat = np.array([[0, 5], [23, 11]])
    for got, want in zip(tandem.unravel_index(tandem.tensor(flat), (2, 3, 4)), np.unravel_index(flat, (2, 3, 4)), strict=True):
        assert got.tolist() == want.tolist()
    assert [t.tolist() for t in tandem.unravel_index(tandem.tensor([-1]), (2, 3))] == [[1], [2]]
    assert tandem.unravel_index(tandem.tensor([4]), 5)[0].tolist() == [4]


def test_as_strided_scatter():
    x = tandem.zeros(3, 3)
    y = tandem.as_strided_scatter(x, tandem.ones(2, 2), (2, 2), (3, 1), 1)
    assert y.tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 0]] and x.sum().item() == 0
    # Of a transposed tensor: by the rows of its dense copy.
    z = arange(2, 2).t().as_strided_scatter(tandem.tensor([9.0]), (1,), (1,), 1)
    assert z.tolist() == [[0, 9], [1, 3]]


def test_type_as_and_new_empty_strided():
    x = tandem.ones(2, dtype=tandem.int8)
    assert tandem.ones(2).type_as(x).dtype is tandem.int8 and x.type_as(x) is x
    y = x.new_empty_strided((2, 3), (1, 2))
    assert y.dtype is tandem.int8 and y.stride() == (1, 2)


def test_sum_to_size():
    x = arange(2, 3, 4)
    n = x.numpy()
    assert x.sum_to_size(3, 1).tolist() == n.sum(axis=(0, 2)).reshape(3, 1).tolist()
    assert x.sum_to_size((2, 1, 4)).tolist() == n.sum(axis=1, keepdims=True).tolist()
    assert x.sum_to_size(2, 3, 4) is x
    assert tandem.ones(2, 2, dtype=tandem.int8).sum_to_size(1, 1).dtype is tandem.int64
    with pytest.raises(RuntimeError, match="sum_to_size"):
        x.sum_to_size(5, 4)


@pytest.mark.parametrize("shape", [(3, 3), (7, 3), (3, 7), (3, 3, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape, wrap):
    expected = np.zeros(shape, np.float32)
    np.fill_diagonal(expected, 5, wrap=wrap)
    x = tandem.zeros(*shape)
    assert x.fill_diagonal_(5, wrap) is x and x.tolist() == expected.tolist()
    y = tandem.zeros(*shape[::-1]).permute(*range(len(shape))[::-1])  # of a transposed tensor
    assert y.fill_diagonal_(5, wrap).tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match="fill_diagonal_"):
        tandem.zeros(3).fill_diagonal_(1)


def test_triangles_in_place():
    if not hasattr(tandem, "tril"):
        pytest.fail("tril is missing")
    x = tandem.ones(3, 4)
    assert x.tril_(1) is x and x.tolist() == np.tril(np.ones((3, 4)), 1).tolist()
    assert x.triu_().tolist() == np.triu(np.tril(np.ones((3, 4)), 1)).tolist()


@pytest.mark.parametrize("k", [-5, -2, -1, 0, 1, 3, 4, 9])
def test_eye(k):
    assert tandem.eye(3, 4, k=k).tolist() == np.eye(3, 4, k=k).tolist()
    assert tandem.eye(3, k=k, dtype=tandem.int8).tolist() == np.eye(3, k=k).tolist()


def test_linspace_and_arange():
    for num in (1, 2, 5):
        got = tandem.linspace(0.0, 1.0, num=num, endpoint=False, dtype=tandem.float64)
        np.testing.assert_allclose(got.numpy(), np.linspace(0, 1, num, endpoint=False), rtol=1e-15)
    assert tandem.linspace(0, 1, 3).tolist() == [0, 0.5, 1] and tandem.linspace(0, stop=1, num=3).tolist() == [0, 0.5, 1]
    assert tandem.arange(3).tolist() == [0, 1, 2] and tandem.arange(1, stop=4).tolist() == [1, 2, 3]
    with pytest.raises(TypeError, match="linspace"):
        tandem.linspace(0)


def test_reshape_copy():
    x = arange(2, 3)
    assert tandem.reshape(x, (6,)).data_ptr() == x.data_ptr() == tandem.reshape(x, 6, copy=False).data_ptr()
    assert tandem.reshape(x, (6,), copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(ValueError, match="copy"):
        tandem.reshape(x.t(), (6,), copy=False)
    assert tandem.reshape(x, shape=(3, 2)).shape == (3, 2)


@pytest.mark.parametrize("dtype", [tandem.int32, tandem.float64, tandem.complex128], ids=str)
def test_tensordot(dtype, rng):
    a, b = rng.integers(-9, 9, (2, 3, 4)), rng.integers(-9, 9, (4, 3, 5))
    x, y = tandem.tensor(a).to(dtype), tandem.tensor(b).to(dtype)
    for dims in (1, ([1, 2], [1, 0]), ([-1], [0]), 0):
        got = tandem.tensordot(x, y, dims) if dims != 0 else tandem.tensordot(x, y, axes=0)
        assert got.dtype is dtype and got.tolist() == np.tensordot(a, b, dims).tolist()
    assert tandem.tensordot(x, x, 3).item() == np.tensordot(a, a, 3)
    with pytest.raises(RuntimeError, match="tensordot"):
        tandem.tensordot(x, y, ([0], [0]))
    with pytest.raises(ValueError, match="tensordot"):
        tandem.tensordot(x, y, 4)


def test_vecdot(rng):
    a = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
    b = rng.normal(size=(2, 3, 4)) + 1j * rng.normal(size=(2, 3, 4))
    np.testing.assert_allclose(
        tandem.vecdot(tandem.tensor(a), tandem.tensor(b)).numpy(), (a.conj() * b).sum(-1), rtol=1e-13
    )
    x = tandem.ones(3, 2, dtype=tandem.int8) * 50
    assert tandem.vecdot(x, x, axis=0).dtype is tandem.int8  # wraps: 3 * 2500
    with pytest.raises(IndexError):
        tandem.vecdot(x, x, axis=2)
