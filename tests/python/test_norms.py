# Norms, logsumexp and the other reductions of several passes, against NumPy. lint: oracle table
import math

import numpy as np
import pytest

import tandem as td

AXES = [None, 0, 1, -1, (0, 2), (0, 1, 2)]


def logsumexp(array, **k):
    return np.log(np.exp(array.astype(np.longdouble)).sum(**k)).astype(np.float64)


@pytest.mark.parametrize("dim", AXES, ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_against_numpy(dim, keepdim, rng):
    array = rng.normal(size=(6, 40, 5))
    t = td.from_numpy(array)
    k = {"axis": dim, "keepdims": keepdim}
    close = {"rtol": 1e-13, "atol": 1e-14}
    np.testing.assert_allclose(t.logsumexp(dim, keepdim).numpy(), logsumexp(array, **k), **close)
    np.testing.assert_allclose(td.vector_norm(t, 2, dim, keepdim).numpy(), np.sqrt((array**2).sum(**k)), **close)
    np.testing.assert_allclose(t.norm(1, dim, keepdim).numpy(), np.abs(array).sum(**k), **close)
    np.testing.assert_allclose(
        td.vector_norm(t, 3, axis=dim, keepdims=keepdim).numpy(), (np.abs(array) ** 3).sum(**k) ** (1 / 3), **close
    )
    np.testing.assert_array_equal(t.norm(math.inf, dim, keepdim).numpy(), np.abs(array).max(**k))
    np.testing.assert_array_equal(t.norm(-math.inf, dim, keepdim).numpy(), np.abs(array).min(**k))
    few = np.where(array > 0, array, 0)
    np.testing.assert_array_equal(td.from_numpy(few).count_nonzero(dim, keepdim).numpy(), (few != 0).sum(**k))
    np.testing.assert_array_equal(td.vector_norm(td.from_numpy(few), 0, dim, keepdim).numpy(), (few != 0).sum(**k))
    gaps = np.where(array > 1, np.nan, array)
    np.testing.assert_allclose(td.from_numpy(gaps).nansum(dim, keepdim).numpy(), np.nansum(gaps, **k), **close)
    np.testing.assert_allclose(td.nanmean(td.from_numpy(gaps), dim, keepdim).numpy(), np.nanmean(gaps, **k), **close)
    for correction in (0, 1):
        for name in ("var", "std"):
            spread, mean = getattr(td, name + "_mean")(t, dim, correction=correction, keepdim=keepdim)
            np.testing.assert_allclose(spread.numpy(), getattr(np, name)(array, ddof=correction, **k), rtol=1e-12)
            assert (mean.numpy() == t.mean(dim, keepdim).numpy()).all()
            assert (spread.numpy() == getattr(t, name)(dim, correction=correction, keepdim=keepdim).numpy()).all()


def test_complex_norms(rng):
    z = rng.normal(size=(30, 7)) + 1j * rng.normal(size=(30, 7))
    for dtype, rtol in ((np.complex64, 1e-6), (np.complex128, 1e-13)):
        array = z.astype(dtype)
        t = td.from_numpy(array)
        for p in (0, 1, 2, 3, math.inf, -math.inf):
            got = t.norm(p, 0)
            assert got.dtype is (td.float32 if dtype is np.complex64 else td.float64)
            np.testing.assert_allclose(got.numpy(), np.linalg.norm(array, p, 0), rtol=rtol)


def test_norm_forms():
    t = td.tensor([[3.0, 4.0], [0.0, -12.0]])
    assert t.norm().item() == 13 == td.norm(t, "fro").item() == td.norm(t, p=2).item()
    assert t.norm(dim=1).tolist() == [5, 12] and t.norm("inf").item() == 12
    assert td.norm(t.to(td.float16), dtype=td.float32).dtype is td.float32
    assert td.dist(t, td.zeros(2, 2), 1).item() == 19
    assert td.vector_norm(td.full((2,), 1e30)).item() == math.inf  # squares are not scaled
    with pytest.raises(ValueError, match="norm"):
        td.norm(t, "nuc")
    with pytest.raises(TypeError, match="norm"):
        td.ones(3, dtype=td.int64).norm()
    with pytest.raises(IndexError, match="vector_norm"):
        td.vector_norm(td.zeros(0), math.inf)
    assert td.vector_norm(td.zeros(0)).item() == 0


def test_logsumexp_edges():
    inf = math.inf
    assert td.tensor([-inf, -inf]).logsumexp(0).item() == -inf
    assert td.tensor([inf, 1.0]).logsumexp(0).item() == inf
    assert td.tensor([1000.0, 1000.0]).logsumexp(0).item() == pytest.approx(1000 + math.log(2))
    assert math.isnan(td.tensor([1.0, math.nan]).logsumexp(0).item())
    assert td.zeros(0, 3).logsumexp(0).tolist() == [-inf] * 3
    assert td.tensor([0, 0]).logsumexp(0).item() == pytest.approx(math.log(2))
    assert td.ones(2, 3, names=("n", "c")).logsumexp("c").names == ("n",)
    assert td.ones(4, dtype=td.float16).logsumexp(0).dtype is td.float16


@pytest.mark.parametrize("dtype,rtol", [(np.complex64, 3e-6), (np.complex128, 1e-13)])
@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)], ids=str)
def test_complex_logsumexp(dtype, rtol, dim, rng):
    z = (rng.normal(size=(30, 7)) * 3 + 1j * rng.normal(size=(30, 7)) * 4).astype(dtype)
    exact = np.exp(z.astype(np.clongdouble)).sum(axis=dim)
    got = td.from_numpy(z).logsumexp(dim).numpy()
    assert got.dtype == dtype
    # Where terms cancel, the error of the sum is that of its largest term.
    scale = np.exp(z.real.astype(np.longdouble)).sum(axis=dim)
    assert (np.abs(np.exp(got.astype(np.clongdouble)) - exact) <= rtol * scale).all()
    assert (np.abs(got.imag) <= np.pi * (1 + rtol)).all()


def test_complex_logsumexp_edges():
    inf, nan = math.inf, math.nan
    far = td.tensor([1000 + 1j, 1000 - 1j]).logsumexp(0).item()
    assert far == pytest.approx(1000 + math.log(2 * math.cos(1)))
    assert td.tensor([complex(-inf, 3), 2 + 1j]).logsumexp(0).item() == pytest.approx(2 + 1j)
    assert td.tensor([complex(-inf, 0)] * 2).logsumexp(0).item().real == -inf
    assert td.tensor([complex(inf, 0), 1j]).logsumexp(0).item().real == inf
    assert math.isnan(td.tensor([complex(nan, 0), 1j]).logsumexp(0).item().real)
    assert td.zeros(0, 2, dtype=td.complex64).logsumexp(0).tolist() == [complex(-inf, 0)] * 2


@pytest.mark.parametrize("p", [0.5, 1, 2, 3, math.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128], ids=str)
def test_renorm(p, dim, dtype, rng):
    x = rng.normal(size=(4, 3, 5)).astype(dtype)
    if x.dtype.kind == "c":
        x += 1j * rng.normal(size=x.shape)
    others = tuple(d for d in range(3) if d != dim % 3)
    size = np.abs(x).astype(np.float64)
    norms = size.max(others, keepdims=True) if p == math.inf else (size**p).sum(others, keepdims=True) ** (1 / p)
    limit = float(np.sort(norms, axis=None)[:2].mean())  # one slice is left as it is
    want = x * np.where(norms > limit, limit / (norms + 1e-7), 1)
    t = td.from_numpy(x.copy())
    np.testing.assert_allclose(td.renorm(t, p, dim, limit).numpy(), want, rtol=2e-5 if dtype is np.float32 else 1e-12)
    assert t.renorm_(p, dim, limit) is t
    np.testing.assert_array_equal(t.numpy(), td.renorm(td.from_numpy(x), p, dim, limit).numpy())


def test_renorm_forms():
    x = td.tensor([[3.0, 4.0], [0.3, 0.4]], names=("n", "c"))
    out = x.renorm(p=2, dim="n", maxnorm=1)
    assert out.names == ("n", "c") and out.tolist()[1] == x.tolist()[1]
    np.testing.assert_allclose(out[0].numpy(), [0.6, 0.8], rtol=1e-6)
    half = td.full((2, 300), 30.0, dtype=td.float16)  # whose norm float16 holds, but not its square
    np.testing.assert_allclose(half.renorm(2, 0, 1).numpy(), np.full((2, 300), 300**-0.5), rtol=1e-3)
    for wrong in [(0, 0, 1), (-1, 0, 1), (math.nan, 0, 1), (2, 0, -1)]:
        with pytest.raises(ValueError, match=r"\[renorm\] argument '(p|maxnorm)': expected a number >=? 0, got"):
            x.renorm(*wrong)
    with pytest.raises(td.ShapeError, match=r"\[renorm\] argument 'x': expected two dimensions or more, got 1"):
        td.ones(3).renorm(2, 0, 1)
    with pytest.raises(TypeError, match="floating point or complex dtype, got int64"):
        td.ones(3, 3, dtype=td.int64).renorm(2, 0, 1)


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (1, 4), (0, 3)], ids=str)
def test_trace(shape, rng):
    for dtype in (np.int8, np.int64, np.float32, np.float64, np.complex128, np.bool_):
        x = (rng.normal(size=shape) * 100).astype(dtype)
        got = td.trace(td.from_numpy(x))
        assert got.dtype is (td.int64 if x.dtype.kind in "ib" else td.from_numpy(x).dtype) and got.shape == ()
        wide = x.astype({"b": np.int64, "i": np.int64, "f": np.float64, "c": np.complex128}[x.dtype.kind])
        np.testing.assert_allclose(got.item(), np.trace(wide), rtol=1e-5)
        assert td.from_numpy(x).T.trace().item() == got.item()
    for wrong in (td.ones(3), td.ones(2, 2, 2)):
        with pytest.raises(td.ShapeError, match=r"\[trace\] argument 'x': expected a matrix, got"):
            wrong.trace()


def test_nan_sums():
    nan = math.nan
    assert td.tensor([1.0, nan, 2.0]).nansum().item() == 3
    assert td.tensor([nan]).nansum().item() == 0 and math.isnan(td.tensor([nan]).nanmean().item())
    assert td.tensor([1, 2]).nansum().dtype is td.int64 and td.tensor([True, True]).nansum().item() == 2
    assert td.tensor([nan, 1.0]).count_nonzero().item() == 2
    assert td.count_nonzero(td.tensor([[0, 1], [2, 3]]), dim=0).tolist() == [1, 2]
    assert td.tensor([1.0, 2.0]).nansum(dtype=td.float64).dtype is td.float64


def test_aminmax_and_softmin():
    t = td.tensor([[3.0, 1.0], [math.nan, 2.0]])
    least, greatest = td.aminmax(t, dim=0)
    assert math.isnan(least[0].item()) and least[1].item() == 1 and greatest[1].item() == 2
    both = td.tensor([4, -1, 7]).aminmax()
    assert (both.min.item(), both.max.item()) == (-1, 7)
    x = td.tensor([1.0, 2.0, 4.0])
    np.testing.assert_allclose(td.softmin(x, 0).numpy(), td.softmax(-x, 0).numpy())


def test_unbiased():
    t = td.tensor([1.0, 2.0, 4.0])
    assert t.var(unbiased=False).item() == t.var(correction=0).item()
    assert t.std(unbiased=True).item() == t.std().item()
    assert td.var_mean(t, unbiased=False)[0].item() == t.var(correction=0).item()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, np.complex128], ids=str)
def test_short_rows(dtype, rng):
    """Rows of a few elements are split into columns where they are dense; strided ones are not."""
    for n in (1, 2, 3, 4, 5, 8, 9, 16, 31, 33, 63, 64, 65):
        for rows in (7, 16, 37, 700):
            array = rng.integers(-40, 40, size=(rows, n)).astype(dtype)
            t = td.from_numpy(array)
            spread = td.from_numpy(np.repeat(array, 3, axis=1))[:, ::3]
            wide = np.complex128 if array.dtype.kind == "c" else np.float64
            assert (t.sum(1).numpy().astype(wide) == array.astype(wide).sum(1)).all()
            assert (t.count_nonzero(1).numpy() == (array != 0).sum(1)).all()
            if array.dtype.kind == "c":
                assert (t.norm(2, 1).numpy() == spread.norm(2, 1).numpy()).all()
                continue
            assert (t.argmax(1).numpy() == array.argmax(1)).all() and (t.argmin(1).numpy() == array.argmin(1)).all()
            values, indices = t.max(1)
            assert (values.numpy() == array.max(1)).all() and (indices.numpy() == array.argmax(1)).all()
            assert (t.cummax(1).values.numpy() == np.maximum.accumulate(array, 1)).all()
            if array.dtype.kind != "f":
                continue
            close = {"rtol": 2e-3 if dtype is np.float16 else 1e-5}
            exact = np.exp(array.astype(np.float64) - array.max(1, keepdims=True))
            np.testing.assert_allclose(t.softmax(1).numpy(), exact / exact.sum(1, keepdims=True), atol=1e-7, **close)
            for op in (td.sum, td.mean, td.var, td.logsumexp, td.softmax, td.log_softmax, td.cumsum):
                assert np.array_equal(op(t, 1).numpy(), op(spread, 1).numpy(), equal_nan=True), (op, n, rows)
