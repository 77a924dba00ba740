"""Call forms of PyTorch that the op table alone does not show (found with tests/tools/against_torch.py)."""

# lint: oracle numpy
import numpy as np
import pytest

import tandem as td


def test_an_empty_list_of_dims_is_none_of_them():
    n = np.arange(6.0).reshape(1, 2, 3)
    x = td.from_numpy(n)
    for dims in ([], ()):
        np.testing.assert_array_equal(x.flip(dims).numpy(), np.flip(n, ()))
        assert td.flip(x, dims).shape == (1, 2, 3)
        assert x.squeeze(dims).shape == td.squeeze(x, dims).shape == (1, 2, 3)
    np.testing.assert_array_equal(td.flip(x).numpy(), np.flip(n))
    assert x.squeeze().shape == (2, 3)


def test_diff_of_no_order_is_the_input():
    n = np.arange(5)
    x = td.from_numpy(n)
    got = td.diff(x, n=0, prepend=td.tensor([7]), append=td.tensor([8, 9]))
    np.testing.assert_array_equal(got.numpy(), np.diff(n, 0, prepend=[7], append=[8, 9]))
    got.fill_(0)
    assert x.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_linspace_and_logspace_of_complex_numbers(dtype):
    for start, end, n in [(1 - 2j, -3 + 4j, 7), (0.5, 2j, 4), (1j, 1j, 3), (2 + 1j, 3, 1), (1j, 2, 0)]:
        want = np.linspace(start, end, n).astype(dtype)
        got = td.linspace(start, end, n, dtype=getattr(td, dtype))
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-15 if dtype == "complex128" else 1e-7)
        if n > 1:
            assert got[0].item() == np.dtype(dtype).type(start) and got[-1].item() == np.dtype(dtype).type(end)
        for base in (10.0, 2.0):
            got = td.logspace(start, end, n, base, dtype=getattr(td, dtype))
            want = np.asarray(base + 0j) ** np.linspace(start, end, n)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-13 if dtype == "complex128" else 1e-6)
    assert td.linspace(1j, 2, 3).dtype is td.complex64
    assert td.linspace(0, 2, 3, dtype=getattr(td, dtype)).tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match=r"\[linspace\].*dtype"):
        td.linspace(1j, 2, 3, dtype=td.float32)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_ldexp_of_complex_numbers(rng, dtype):
    z = (rng.normal(size=50) + 1j * rng.normal(size=50)).astype(dtype)
    w = (rng.normal(size=50) + 1j * rng.normal(size=50)).astype(dtype)
    want = z.astype(np.complex128) * 2 ** w.astype(np.complex128)
    got = td.ldexp(td.from_numpy(z), td.from_numpy(w)).numpy()
    np.testing.assert_allclose(got, want.astype(dtype), rtol=1e-14 if dtype == "complex128" else 1e-6)
    # A real exponent scales both parts exactly, infinities included.
    z = np.array([complex(np.inf, 1.5), complex(-0.0, 2.0)], dtype)
    got = td.ldexp(td.from_numpy(z), 3).numpy()
    assert [(x.real, x.imag) for x in got] == [(np.inf, 12), (0, 16)] and np.signbit(got[1].real)


def test_square_of_bool_is_an_integer():
    got = td.tensor([True, False]).square()
    assert got.dtype is td.int64 and got.tolist() == [1, 0]
    with pytest.raises(RuntimeError, match="square"):
        td.tensor([True]).square_()
    assert td.tensor([3], dtype=td.int8).square().dtype is td.int8


def test_sums_and_products_as_bool():
    n = np.array([[0, 2], [0, 0], [3, -1]])
    x = td.from_numpy(n)
    for dim in (None, 0, 1):
        np.testing.assert_array_equal(x.sum(dim, dtype=td.bool).numpy(), n.sum(dim, dtype=bool))
        np.testing.assert_array_equal(x.prod(dim, dtype=td.bool).numpy(), n.prod(dim, dtype=bool))
    assert td.tensor([True, True]).sum_to_size(1).tolist() == [2]
    assert td.empty(0, 3).prod(0, dtype=td.bool).tolist() == [True] * 3


def test_fill_makes_a_filled_copy():
    x = td.tensor([[1, 2], [3, 4]], dtype=td.int16)
    for value in (7, td.tensor(7)):
        got = td.fill(x, value)
        assert got.dtype is td.int16 and got.tolist() == [[7, 7], [7, 7]]
    assert td.fill(x, value=-1).tolist() == [[-1, -1], [-1, -1]] and x.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="fill"):
        td.fill(x, 1 << 20)


def test_alpha_of_bool_and_what_does_not_fit():
    x, y = td.tensor([True, False, False]), td.tensor([True, True, False])
    assert td.add(x, y, alpha=False).tolist() == [True, False, False]
    assert td.add(x, y, alpha=True).tolist() == [True, True, False]
    small = td.tensor([1], dtype=td.uint8)
    with pytest.raises(ValueError, match=r"\[add\] argument 'alpha': value -3"):
        td.add(small, small, alpha=-3)


def test_gather_nothing():
    x = td.tensor([1.0, 2.0])
    got = td.gather(x, 0, td.empty((2, 0), dtype=td.int64))
    assert got.shape == (2, 0) and got.dtype is td.float32
    with pytest.raises(RuntimeError, match="gather"):
        td.gather(x, 0, td.zeros((2, 1), dtype=td.int64))
    with pytest.raises((TypeError, RuntimeError), match="gather"):
        td.gather(x, 0, td.empty((2, 0)))


def test_unravel_index_in_every_integer_dtype():
    for dtype in (td.uint8, td.int8, td.int16, td.int32, td.int64):
        got = td.unravel_index(td.tensor([1, 5], dtype=dtype), (4, 1 << 30))
        assert [t.tolist() for t in got] == [[0, 0], [1, 5]] and got[0].dtype is td.int64
    with pytest.raises(TypeError, match=r"\[unravel_index\] argument 'indices'"):
        td.unravel_index(td.tensor([1.0]), (2, 2))


def test_repeat_interleave_of_counts_keeps_their_dtype():
    for dtype in (td.int32, td.int64):
        got = td.repeat_interleave(td.tensor([1, 2], dtype=dtype))
        assert got.dtype is dtype and got.tolist() == [0, 1, 1]


def test_histogram_has_a_hundred_bins():
    n = np.random.default_rng(3).normal(size=1000)
    hist, edges = td.histogram(td.from_numpy(n))
    want, places = np.histogram(n, 100)
    assert hist.shape == (100,) and edges.shape == (101,)
    np.testing.assert_array_equal(hist.numpy(), want)
    np.testing.assert_allclose(edges.numpy(), places)


def test_weights_of_cov():
    rng = np.random.default_rng(5)
    n = rng.normal(size=(3, 40)).astype(np.float32)
    a, f = rng.uniform(size=40).astype(np.float32), rng.integers(0, 4, 40)
    want = np.cov(n.astype(np.float64), fweights=f, aweights=a.astype(np.float64))
    got = td.cov(td.from_numpy(n), fweights=td.from_numpy(f), aweights=td.from_numpy(a))
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-5, atol=1e-6)
    # Half types are computed in float32: the result is the promoted dtype, rounded once.
    half = td.from_numpy(n).to(td.bfloat16)
    exact = np.cov(half.to(td.float64).numpy(), fweights=f, aweights=a.astype(np.float64))
    got = td.cov(half, fweights=td.from_numpy(f), aweights=td.from_numpy(a))
    assert got.dtype is td.float32
    np.testing.assert_allclose(got.numpy(), exact, rtol=2e-5, atol=1e-6)
    got = td.cov(half, fweights=td.from_numpy(f))
    assert got.dtype is td.bfloat16
    np.testing.assert_allclose(got.to(td.float64).numpy(), np.cov(half.to(td.float64).numpy(), fweights=f), rtol=2**-8)
    for name, w in [("fweights", td.tensor([1] * 39 + [-1])), ("aweights", td.tensor([1.0] * 39 + [-0.5]))]:
        with pytest.raises(ValueError, match=rf"\[cov\] argument '{name}': expected no negative weights"):
            td.cov(td.from_numpy(n), **{name: w})


def test_gradient_wants_one_spacing_or_one_for_each_dim():
    x = td.from_numpy(np.arange(9.0).reshape(3, 3))
    with pytest.raises(ValueError, match=r"\[gradient\]"):
        td.gradient(x, spacing=[0.1], dim=[1, 0])
    assert len(td.gradient(x, spacing=0.1, dim=[1, 0])) == 2
    assert len(td.gradient(x, spacing=[0.1], dim=[1])) == 1


def test_logit_of_an_eps_beyond_a_half():
    got = td.logit(td.tensor([0.2, 0.7, 0.45, float("nan")], dtype=td.float64), 0.6).numpy()
    np.testing.assert_allclose(got, np.array([1, -1, 1, np.nan]) * np.log(1.5), rtol=1e-15)
