# signal.convolve and correlate against sums over shifted products in exact or double arithmetic, cut as SciPy cuts;
# recorded answers of SciPy; lags. lint: oracle table
import json
from pathlib import Path

import numpy as np
import pytest

import tandem as td

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "convolve.json").read_text())


def full_sum(a, b):
    """The whole convolution in b's and a's dtype: objects for exact integers."""
    out = np.zeros([n + m - 1 for n, m in zip(a.shape, b.shape)], np.result_type(a, b))
    for place in np.ndindex(*b.shape):
        out[tuple(slice(p, p + n) for p, n in zip(place, a.shape))] += a * b[place]
    return out


def cropped(full, n1, n2, mode):
    size = {"full": full.shape, "same": n1, "valid": [abs(i - j) + 1 for i, j in zip(n1, n2)]}[mode]
    return full[tuple(slice((f - s) // 2, (f - s) // 2 + s) for f, s in zip(full.shape, size))]


def wrapped(x, dtype):
    """Python integers modulo the dtype's range."""
    bits = 8 * np.dtype(dtype).itemsize
    masked = np.array([int(v) & ((1 << bits) - 1) for v in x.ravel()], f"u{bits // 8}")
    return masked.view(dtype).reshape(x.shape)


def shapes(rng):
    rank = rng.integers(1, 4)
    most = {1: 60, 2: 12, 3: 6}[rank]
    one, two = rng.integers(1, most, rank), rng.integers(1, most, rank)
    if rng.random() < 0.4:
        two = np.minimum(one, two)
    return tuple(one), tuple(two)


def fits(one, two, mode):
    return mode != "valid" or all(np.greater_equal(one, two)) or all(np.greater_equal(two, one))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_are_exact_and_wrap_around(dtype):
    rng = np.random.default_rng(1)
    limits = np.iinfo(dtype)
    for _ in range(25):
        one, two = shapes(rng)
        a, b = (rng.integers(limits.min, limits.max, s, dtype, endpoint=True) for s in (one, two))
        for f, second in ((td.signal.convolve, b), (td.signal.correlate, np.flip(b))):
            full = full_sum(a.astype(object), second.astype(object))
            for mode in ("full", "same", "valid"):
                if not fits(one, two, mode):
                    continue
                want = wrapped(cropped(full, one, two, mode), dtype)
                for method in ("auto", "direct", "fft"):
                    got = f(td.tensor(a), td.tensor(b), mode, method)
                    assert str(got.dtype) == f"tandem.{dtype}"
                    np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize("dtypes", ["ff", "dd", "FF", "DD", "fD", "Ff", "if", "ee"])
@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_floats_are_within_the_bound_of_the_method(dtypes, function):
    rng = np.random.default_rng(len(dtypes) + ord(dtypes[0]))
    for _ in range(30):
        one, two = shapes(rng)
        a, b = ((rng.standard_normal(s) * 9).astype(t) for s, t in zip((one, two), dtypes))
        a, b = (x + 1j * x[..., ::-1] if x.dtype.kind == "c" else x for x in (a, b))
        a, b = a.astype(dtypes[0]), b.astype(dtypes[1])
        wide = [x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in (a, b)]
        second = wide[1] if function == "convolve" else np.flip(wide[1]).conj()
        full = full_sum(wide[0], second)
        sizes = full_sum(np.abs(wide[0]), np.abs(second))
        norms = np.linalg.norm(wide[0].ravel()) * np.linalg.norm(wide[1].ravel())
        for mode in ("full", "same", "valid"):
            if not fits(one, two, mode):
                continue
            want, scale = cropped(full, one, two, mode), cropped(sizes, one, two, mode)
            for method in ("auto", "direct", "fft"):
                t = getattr(td.signal, function)(td.tensor(a), td.tensor(b), mode, method)
                assert t.dtype == td.promote_types(td.tensor(a).dtype, td.tensor(b).dtype)
                got = t.numpy()
                assert got.shape == want.shape
                eps = np.finfo(np.float32 if dtypes == "ee" else got.dtype).eps
                last = np.abs(want) * np.finfo(got.dtype).eps  # the rounding to half precision
                error = np.abs(got - want)
                if method == "direct":
                    # A product errs by 2 eps where it is complex, and each of n - 1 sums by eps.
                    terms = min(np.prod(one), np.prod(two)) + 2
                    assert np.all(error <= eps * terms * scale + last)
                else:
                    levels = sum(np.log2(2 * n) + 3 for n in full.shape)
                    assert np.all(error <= 9 * eps * levels * norms + last)


@pytest.mark.parametrize("case", RECORDED)
def test_results_are_those_of_scipy(case):
    a, b = (td.tensor(np.array(case[k][0], case[k][1])) for k in ("in1", "in2"))
    if case["complex"]:
        a, b = a + 1j * a.flip(-1), b - 2j * b.flip(-1)
    got = getattr(td.signal, case["function"])(a, b, *case["args"]).numpy()
    want = np.array(case["values"], float)
    want = (want.view(np.complex128) if case["complex"] else want).reshape(case["shape"])
    assert got.shape == want.shape
    if case["dtype"] is not None:
        assert str(got.dtype) == case["dtype"]
    np.testing.assert_allclose(got, want, atol=1e-9)


def test_bool_is_whether_any_product_is():
    rng = np.random.default_rng(3)
    for _ in range(20):
        one, two = shapes(rng)
        a, b = rng.random(one) < 0.2, rng.random(two) < 0.3
        want = full_sum(a.astype(int), b.astype(int)) > 0
        for method in ("auto", "direct", "fft"):
            got = td.signal.convolve(td.tensor(a), td.tensor(b), "full", method)
            assert got.dtype == td.bool
            np.testing.assert_array_equal(got.numpy(), want)
    many = td.ones(256, dtype=td.bool)
    assert td.signal.correlate(many, many, "valid", "direct").item() is True


def test_views_names_meta_scalars_and_no_elements():
    x = td.arange(60, dtype=td.int64).reshape(6, 10).t().flip(0)
    y = td.arange(8, dtype=td.int64).reshape(2, 4)[:, ::2]
    want = full_sum(x.numpy(), y.numpy())
    for method in ("direct", "fft"):
        np.testing.assert_array_equal(td.signal.convolve(x, y, method=method).numpy(), want)
        inner = td.signal.convolve(x[1:-1], y, "valid", method).numpy()
        np.testing.assert_array_equal(inner, cropped(full_sum(x.numpy()[1:-1], y.numpy()), (8, 6), (2, 2), "valid"))
    for f in (td.signal.convolve, td.signal.correlate):
        named = f(x.rename("a", "b"), y.rename(None, "b"), "same")
        assert named.names == ("a", "b") and tuple(named.shape) == (10, 6)
        for method in ("direct", "fft", "auto"):
            m = f(td.empty(5, 700, device="meta"), td.empty(2, 3, device="meta"), "full", method)
            assert tuple(m.shape) == (6, 702) and m.device.type == "meta" and m.dtype == td.float32
        i = td.empty(5, dtype=td.int64, device="meta")
        assert f(i, i).dtype == td.int64
        assert tuple(f(td.ones(0), td.ones(4)).shape) == (0,)
        assert tuple(f(td.ones(0, 5), td.ones(1, 4)).shape) == (0, 8)
        assert tuple(f(td.ones(3, 5), td.ones(0, 4), "same").shape) == (0, 5)
        assert f(td.tensor(3.0), td.tensor(2.0)).item() == 6.0
        assert f(td.tensor(3), td.tensor(2), method="fft").item() == 6
    assert td.signal.correlate(td.tensor(1j), td.tensor(1j)).item() == 1
    many = td.ones((1,) * 14 + (2,) * 10)  # with windows 34 dimensions, more than there are
    assert td.signal.convolve(many, many.narrow(-1, 0, 1)).max().item() == 2**9
    z = td.tensor([1 + 2j, 3 - 1j])
    assert td.signal.correlate(td.tensor([1.0]), z).tolist() == [3 + 1j, 1 - 2j]
    assert td.signal.correlate(z, td.tensor([1.0])).tolist() == z.tolist()


@pytest.mark.parametrize(
    "a, b, words, error, text",
    [
        ((4,), (2, 2), {}, td.ShapeError, "as many dimensions"),
        ((4,), (2,), {"mode": "wrap"}, ValueError, "mode"),
        ((4,), (2,), {"method": "wrap"}, ValueError, "method"),
        ((4, 2), (2, 3), {"mode": "valid"}, td.ShapeError, "valid"),
        ((4, 1), (1, 3), {"mode": "valid"}, td.ShapeError, "valid"),
        ((2,) * 17, (2,) * 17, {"method": "direct"}, td.ShapeError, "34"),
    ],
)
def test_refusals(a, b, words, error, text):
    for f in (td.signal.convolve, td.signal.correlate):
        with pytest.raises(error, match=rf"\[{f.__name__}\].*{text}|\[signal_{f.__name__}\].*{text}"):
            f(td.ones(*a), td.ones(*b), **words)


def test_lags_are_those_of_the_elements():
    for n1 in range(1, 8):
        for n2 in range(1, 8):
            for mode in ("full", "same", "valid"):
                lags = td.signal.correlation_lags(n1, n2, mode).tolist()
                for i, j in np.ndindex(n1, n2):
                    one, two = np.eye(n1, dtype=int)[i], np.eye(n2, dtype=int)[j]
                    got = td.signal.correlate(td.tensor(one), td.tensor(two), mode).tolist()
                    assert got == [int(lag == i - j) for lag in lags]
    with pytest.raises(td.ShapeError, match="above 0"):
        td.signal.correlation_lags(0, 3)
    with pytest.raises(ValueError, match="mode"):
        td.signal.correlation_lags(2, 3, "other")


def test_choice_of_the_method():
    choose = td.signal.choose_conv_method
    assert choose(td.ones(1000), td.ones(5)) == "direct"
    assert choose(td.ones(100_000), td.ones(100_000)) == "fft"
    assert choose(td.ones(100_000), td.ones(100_000), "valid") == "direct"
    assert choose(td.ones(100_000, dtype=td.int8), td.ones(100_000, dtype=td.int8)) == "fft"
    # On the CPU the elements say whether roundings can be told; elsewhere their dtype does.
    small = td.ones(100_000, dtype=td.int64)
    assert choose(small, small) == "fft" and choose(small * 2**20, small * 2**20) == "direct"
    meta = td.empty(100_000, dtype=td.int64, device="meta")
    assert choose(meta, meta) == "direct"
    with pytest.raises(td.ShapeError):
        choose(td.ones(3), td.ones(3, 3))
    with pytest.raises(TypeError, match="in2"):
        choose(td.ones(3), [1.0])
    with pytest.raises(TypeError, match="argument 'in1': expected a tensor, got NoneType"):
        choose(None, td.ones(3))
    with pytest.raises(TypeError, match="argument 'mode': expected a str, got int"):
        choose(td.ones(3), td.ones(3), 1)


def test_next_fast_len():
    for n in [*range(1, 300), 1009, 65537, 999_983]:
        for real in (False, True):
            m = td.fft.next_fast_len(n, real)
            assert n <= m <= 1 << n.bit_length() and (not real or n == 1 or m % 2 == 0)
            for prime, most in ((2, 64), (3, 2), (5, 2)):
                for _ in range(most):
                    m = m // prime if m % prime == 0 else m
            assert m == 1
            m = td.fft.next_fast_len(n, real)
            assert td.fft.next_fast_len(m, real) == m
    assert td.fft.next_fast_len(target=97) == 100  # fewer than 128, although its stages cost more
    for n in (0, -3, 2**61):
        with pytest.raises(ValueError, match="next_fast_len] argument 'target'"):
            td.fft.next_fast_len(n)
    for n in (2.0, "8", None):
        with pytest.raises(TypeError, match=f"next_fast_len] argument 'target': expected an int, got {type(n).__name__}"):
            td.fft.next_fast_len(n)
