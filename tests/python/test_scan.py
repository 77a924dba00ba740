# Scans: values against NumPy, bits against the written order of docs/numerics.md. lint: oracle table
import numpy as np
import pytest

import tandem as td
from conftest import short

SEGMENT = 16
LENGTHS = [1, 2, 15, 16, 17, 33, 255, 256, 257, 4095, 4096, 4097, 8193, 70001]


def in_order(x, join):
    """Scan order 1, as it is written: local prefixes of segments, what comes before them by the same rule."""
    local = list(x)
    for i in range(1, len(local)):
        if i % SEGMENT:
            local[i] = join(local[i - 1], local[i])
    if len(local) <= SEGMENT:
        return local
    before = before_each(local[SEGMENT - 1 :: SEGMENT], join)
    return [a if i < SEGMENT else join(before[i // SEGMENT], a) for i, a in enumerate(local)]


def before_each(totals, join):
    """What comes before each total, and after the last one."""
    before = [None] * (len(totals) + 1)
    local = None
    segments = []
    for j, t in enumerate(totals):
        local = t if j % SEGMENT == 0 else join(local, t)
        if j % SEGMENT == SEGMENT - 1:
            segments.append(local)
    outer = before_each(segments, join) if segments else [None]
    local = None
    for j in range(len(totals) + 1):
        base = outer[j // SEGMENT]
        if j % SEGMENT == 0:
            before[j] = base
        else:
            local = totals[j - 1] if j % SEGMENT == 1 else join(local, totals[j - 1])
            before[j] = local if base is None else join(base, local)
    return before


def data(n, dtype=np.float32):
    return (((np.arange(n, dtype=np.int64) * 7919 % 10007).astype(np.float64) / 10007 - 0.5).astype(dtype)).astype(dtype)


def bits(a):
    return np.ascontiguousarray(a).view({2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.uint64}[a.dtype.itemsize])


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_have_the_bits_of_the_written_order(n, dtype):
    x = data(n, dtype)
    expected = np.array(in_order(list(x), lambda a, b: a + b), dtype)
    got = td.cumsum(td.from_numpy(x), 0).numpy()
    assert (bits(got) == bits(expected)).all()
    # The same column by column, row by row, and backwards.
    for lay_out in (lambda m: m, lambda m: m.T.copy().T, lambda m: np.repeat(m, 2, 1)[:, ::2]):
        m = lay_out(np.stack([x] * 19 + [x[::-1]], 1))
        got = td.cumsum(td.from_numpy(m), 0).numpy()
        assert (bits(got[:, 0]) == bits(expected)).all() and (bits(got[:, 18]) == bits(expected)).all()


def test_against_numpy(rng):
    array = rng.normal(size=(3, 40, 5))
    t = td.from_numpy(array)
    for dim in (0, 1, 2, -1):
        np.testing.assert_allclose(t.cumsum(dim).numpy(), array.cumsum(dim), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(td.cumprod(t, dim).numpy(), array.cumprod(dim), rtol=1e-12)
        np.testing.assert_allclose(
            t.logcumsumexp(dim).numpy(), np.logaddexp.accumulate(array, dim), rtol=1e-12, atol=1e-13
        )
        for name, best in (("cummax", np.maximum), ("cummin", np.minimum)):
            values, indices = getattr(t, name)(dim)
            np.testing.assert_array_equal(values.numpy(), best.accumulate(array, dim))
            np.testing.assert_array_equal(np.take_along_axis(array, indices.numpy(), dim), values.numpy())
    z = array[0] + 1j * array[1]
    np.testing.assert_allclose(td.from_numpy(z).cumprod(0).numpy(), z.cumprod(0), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 17, 300, 9000])
@pytest.mark.parametrize("dtype,rtol", [(np.complex64, 1e-4), (np.complex128, 1e-12)])
def test_complex_logcumsumexp(n, dtype, rtol, rng):
    z = (rng.normal(size=(n, 3)) * 2 + 1j * rng.normal(size=(n, 3)) * 5).astype(dtype)
    exact = np.cumsum(np.exp(z.astype(np.clongdouble)), 0)
    got = td.from_numpy(z).logcumsumexp(0).numpy()
    assert got.dtype == dtype
    # exp takes the multiples of 2 pi i away. Where terms cancel, the error is that of the largest.
    scale = np.cumsum(np.exp(z.real.astype(np.longdouble)), 0)
    assert (np.abs(np.exp(got.astype(np.clongdouble)) - exact) <= rtol * scale).all()
    rows = td.from_numpy(np.ascontiguousarray(z.T)).logcumsumexp(1).numpy()
    assert (bits(rows.T.real.copy()) == bits(got.real.copy())).all()
    assert (bits(rows.T.imag.copy()) == bits(got.imag.copy())).all()


def test_complex_logcumsumexp_edges():
    """What PyTorch 2 gives, element after element; whether the row is short, long, or one of many columns."""
    inf, nan = np.inf, np.nan

    def scan(*z):
        short, n = td.tensor(list(z), dtype=td.complex128), len(z)
        long = td.cat([short, td.zeros(2000, dtype=td.complex128)])
        forms = [short.logcumsumexp(0), long.logcumsumexp(0)[:n], td.stack([long] * 40, 1).logcumsumexp(0)[:n, 7]]
        texts = {str(form.tolist()) for form in forms}
        assert len(texts) == 1, texts
        return forms[0].tolist()

    assert scan(1 + 10j) == [1 + 10j]
    # The first element is itself; PyTorch's -inf has no imaginary part.
    assert scan(complex(-inf, 1), complex(-inf, 2)) == [complex(-inf, 1)] * 2
    assert scan(complex(-inf, 5), 3 + 1j)[1] == 3 + 1j and scan(3 + 1j, complex(-inf, 5))[1] == 3 + 1j
    up = scan(complex(inf, 0.5), complex(inf, 0.5), 2j)
    assert up[1].real == inf and up[1].imag == pytest.approx(np.pi / 4) and up[2].real == inf
    assert scan(complex(inf, 0), complex(3, inf))[1] == complex(inf, 0)
    for lost in (scan(0j, complex(0, nan), 1)[1:], scan(complex(nan, 3), 1)[1:], scan(complex(2, inf), 3 + 1j)[1:]):
        assert all(np.isnan([z.real, z.imag]).all() for z in lost)
    assert scan(1000 + 1j, 1000 - 1j)[1] == pytest.approx(1000 + np.log(2 * np.cos(1)))


def test_extremes_name_their_results():
    result = td.tensor([1.0, 3.0, 3.0, float("nan"), 5.0]).cummax(0)
    assert result.indices.tolist() == [0, 1, 2, 3, 3] and result.values.tolist()[:3] == [1, 3, 3]
    assert td.tensor([0.0, -0.0, 0.0]).cummin(dim=0).indices.tolist() == [0, 1, 2]


def test_result_dtypes():
    for dtype in td.dtypes:
        t = td.ones(3, dtype=dtype)
        wide = t.cumsum(0)
        float_like = dtype.is_floating_point or dtype.is_complex
        assert wide.dtype is (dtype if float_like else td.int64), short(dtype)
        assert wide.tolist() == [1, 2, 3]
        assert t.cumsum(0, dtype=td.float64).dtype is td.float64
    # float16 is carried in float32: 4097 has no float16, but the sums before it are exact.
    assert td.ones(4100, dtype=td.float16).cumsum(0)[-1].item() == 4100
    assert td.full((3,), 100, dtype=td.int8).cumsum(0, dtype=td.int8).tolist() == [100, -56, 44]


def test_in_place_and_out():
    t = td.tensor([[1, 2], [3, 4]])
    assert t.cumsum_(0) is t and t.tolist() == [[1, 2], [4, 6]]
    assert t.cumprod_(dim=1).tolist() == [[1, 2], [4, 24]]
    out = td.empty(2, 2)
    assert td.cumsum(t.to(td.float32), 1, out=out) is out and out.tolist() == [[1, 3], [4, 28]]
    with pytest.raises(TypeError, match="cumsum_"):
        t.cumsum_(0, dtype=td.float32)


def test_array_api():
    x = td.tensor([1.0, 2.0, 3.0])
    assert td.cumulative_sum(x).tolist() == [1, 3, 6]
    assert td.cumulative_sum(x, axis=0, include_initial=True).tolist() == [0, 1, 3, 6]
    assert td.cumulative_prod(x, include_initial=True, dtype=td.int32).tolist() == [1, 1, 2, 6]
    with pytest.raises(ValueError, match="cumulative_sum"):
        td.cumulative_sum(td.ones(2, 2))


def test_names():
    t = td.ones(2, 3, names=("n", "c"))
    assert t.cumsum("c").names == ("n", "c") and t.cummax("n").indices.names == ("n", "c")
