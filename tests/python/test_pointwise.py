# Pointwise functions against NumPy and Python's math: what test_table.py cannot know of them. lint: oracle table
import cmath
import decimal
import math

import numpy as np
import pytest

import tandem as td
from conftest import same

FLOATS = (td.float16, td.bfloat16, td.float32, td.float64)
SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]


def complexes(n=24, dtype=td.complex64):
    rng = np.random.default_rng(5)
    values = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    return td.tensor([complex(v) for v in values], dtype=dtype)


def bits(value):
    return (math.copysign(1, value), value) if value == value else (0, None)


def alike(got, expected):
    """Equal with signs of zeros; NaN equals NaN."""
    return [bits(g) for g in got] == [bits(e) for e in expected]


def same_bits(a, b):
    """Of 16-bit floats, which NumPy may not have."""
    return a.dtype is b.dtype and a.view(td.int16).tolist() == b.view(td.int16).tolist()


# ---- complex tensors


@pytest.mark.parametrize("dtype, part", [(td.complex64, td.float32), (td.complex128, td.float64)])
def test_parts_are_views(dtype, part):
    z = complexes(24, dtype).reshape(2, 3, 4)
    array = z.numpy()
    for t in (z, z.transpose(0, 2), z[:, 1:, ::-2], z[1, 2, 3]):
        a = t.numpy()
        assert t.real.dtype is part and t.imag.dtype is part
        np.testing.assert_array_equal(t.real.numpy(), a.real)
        np.testing.assert_array_equal(t.imag.numpy(), a.imag)
        pairs = td.view_as_real(t)
        assert pairs.shape == (*t.shape, 2)
        np.testing.assert_array_equal(pairs.numpy(), np.stack([a.real, a.imag], -1))
        assert same(td.view_as_complex(pairs), t)
        assert pairs.is_shared_storage(z) and t.real.is_shared_storage(z) and t.imag.is_shared_storage(z)
    td.real(z)[0, 0, 0] = 7.0
    td.imag(z)[0, 0, 1] = -3.0
    td.view_as_real(z)[0, 0, 2, 1] = 9.0
    assert array[0, 0, 0].real == 7 and array[0, 0, 1].imag == -3 and array[0, 0, 2].imag == 9
    z.imag = 2.0
    z.real = td.ones(4)
    assert (array == 1 + 2j).all()


def test_parts_of_real_tensors():
    x = td.tensor([1.0, 2.0])
    assert same(td.real(x), x) and same(x.real, x) and same(td.conj(x), x)
    for f in (td.imag, td.view_as_real):
        with pytest.raises(TypeError, match="complex"):
            f(x)
    with pytest.raises(RuntimeError, match="last dimension of size 2"):
        td.view_as_complex(td.ones(2, 3))
    with pytest.raises(RuntimeError, match="stride 1"):
        td.view_as_complex(td.ones(2, 3).t())
    with pytest.raises(RuntimeError, match="storage_offset"):
        td.view_as_complex(td.ones(5)[1:3])
    with pytest.raises(RuntimeError, match="divisible"):
        td.view_as_complex(td.ones(9).as_strided((2, 2), (3, 1)))
    with pytest.raises(TypeError, match="float32 or float64"):
        td.view_as_complex(td.ones(2, dtype=td.float16))


def test_names_of_parts():
    z = complexes(6).reshape(2, 3).refine_names("a", "b")
    assert z.real.names == ("a", "b") and td.imag(z).names == ("a", "b") and td.angle(z).names == ("a", "b")
    assert td.view_as_real(z).names == ("a", "b", None)
    assert td.view_as_complex(td.view_as_real(z)).names == ("a", "b")
    m = z.to("meta")
    assert m.real.is_meta and td.view_as_real(m).shape == (2, 3, 2) and td.angle(m).dtype is td.float32


def test_conj():
    z = complexes()
    np.testing.assert_array_equal(td.conj(z).numpy(), np.conj(z.numpy()))
    assert td.conj_physical is td.conj
    w = z.clone()
    assert w.conj_physical_() is w and same(w, z.conj())
    i = td.tensor([1, 2])
    assert same(i.conj(), i)
    out = td.empty(0, dtype=td.int64)
    assert td.conj(i, out=out) is out and out.tolist() == [1, 2]


def test_angle():
    z = td.tensor([1 + 1j, -1 + 0j, -1 - 0j, complex(0.0, -2.0), complex(math.nan, 1)], dtype=td.complex128)
    expected = [cmath.phase(v) for v in z.tolist()]
    assert alike(td.angle(z).tolist(), expected)
    for dtype in FLOATS:
        got = td.angle(td.tensor([*SPECIAL, -0.5], dtype=dtype))
        assert got.dtype is dtype
        pi = td.tensor(math.pi, dtype=dtype).item()
        assert alike(got.tolist(), [0.0, 0.0, 0.0, pi, 0.0, pi, math.nan, pi])
    got = td.angle(td.tensor([-3, 0, 5]))
    assert got.dtype is td.float32 and got.tolist() == [np.float32(math.pi), 0, 0]
    assert td.angle(td.tensor([200], dtype=td.uint8)).tolist() == [0]
    assert td.angle(td.tensor([True])).tolist() == [0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_complex_and_polar(dtype):
    re, im = td.tensor(SPECIAL, dtype=dtype), td.tensor(SPECIAL[::-1], dtype=dtype)
    z = td.complex(re, im)
    assert z.dtype is (td.complex128 if dtype is td.float64 else td.complex64)
    assert alike([v.real for v in z.tolist()], SPECIAL) and alike([v.imag for v in z.tolist()], SPECIAL[::-1])
    assert td.complex(re.reshape(7, 1), im).shape == (7, 7)
    assert td.complex(real=re, imag=im).dtype is z.dtype
    p = td.polar(td.tensor([2.0, 0.5], dtype=dtype), td.tensor([1.0, -2.0], dtype=dtype))
    angle = td.tensor([1.0, -2.0], dtype=dtype).double().numpy()
    expected = np.array([2, 0.5]) * np.exp(1j * angle)
    np.testing.assert_allclose(p.numpy(), expected, rtol=1e-6 if dtype is not td.float64 else 1e-15)
    with pytest.raises(TypeError, match=r"\[complex\]"):
        td.complex(td.tensor([1]), td.tensor([2]))
    assert not hasattr(td.Tensor, "complex_")


# ---- questions


def test_infinities_signs_and_reality():
    for dtype in FLOATS:
        x = td.tensor(SPECIAL, dtype=dtype)
        assert td.isposinf(x).tolist() == [v == math.inf for v in SPECIAL]
        assert td.isneginf(x).tolist() == [v == -math.inf for v in SPECIAL]
        assert td.isreal(x).tolist() == [True] * 7
        assert td.signbit(x).tolist() == [math.copysign(1, v) < 0 for v in SPECIAL]
        assert td.signbit(-x).tolist()[-1] is True  # of NaN, too
    z = td.tensor([1 + 0j, 1j, complex(0, math.nan), complex(math.nan, -0.0)])
    assert td.isreal(z).tolist() == [True, False, False, True]
    for dtype in (td.int8, td.uint64, td.bool):
        x = td.tensor([0, 1], dtype=dtype)
        assert td.isposinf(x).tolist() == td.isneginf(x).tolist() == td.signbit(x).tolist() == [False, False]
        assert td.isreal(x).tolist() == [True, True]
    assert td.signbit(td.tensor([-1, 0, 3])).tolist() == [True, False, False]
    out = td.empty(3, dtype=td.bool)
    td.signbit(td.tensor([-1, 0, 3]), out=out)
    assert out.tolist() == [True, False, False]
    for f in (td.isposinf, td.isneginf, td.signbit):
        with pytest.raises(TypeError):
            f(z)


def test_isclose_and_allclose():
    nan, inf = math.nan, math.inf
    x = td.tensor([1.0, 1.0, nan, inf, inf, -inf, 0.0, 1.0, nan])
    y = td.tensor([1.0 + 1e-6, 1.1, nan, inf, -inf, -inf, -0.0, inf, 1.0])
    for kwargs in ({}, {"equal_nan": True}, {"rtol": 0.2}, {"atol": 0.2, "rtol": 0}, {"rtol": 0, "atol": 0}):
        expected = np.isclose(x.numpy(), y.numpy(), **kwargs)
        assert td.isclose(x, y, **kwargs).tolist() == expected.tolist(), kwargs
        assert td.allclose(x, y, **kwargs) == bool(expected.all())
    assert td.allclose(x, x, equal_nan=True) and not td.allclose(x, x)
    assert td.isclose(td.tensor([100, 101]), td.tensor([101, 103]), rtol=0.01).tolist() == [True, False]
    big = td.tensor([2**60, 2**60])
    assert td.isclose(big, big + 1, rtol=0, atol=0).tolist() == [False, False]
    assert td.isclose(td.tensor([True, False]), td.tensor([True, True])).tolist() == [True, False]
    z = td.tensor([1 + 1j, complex(inf, 1), complex(1, nan)], dtype=td.complex128)
    w = td.tensor([1 + 1.000001j, complex(inf, 1), complex(1, nan)], dtype=td.complex128)
    assert td.isclose(z, w).tolist() == [True, True, False]
    assert td.isclose(z, w, equal_nan=True).tolist() == [True, True, True]
    assert td.isclose(x.reshape(9, 1), y).shape == (9, 9)
    a = td.ones(2, 3, names=("n", "c"))
    assert td.isclose(a, a).names == ("n", "c") and td.isclose(a.to("meta"), a.to("meta")).dtype is td.bool
    with pytest.raises(TypeError, match="one dtype"):
        td.isclose(x, y.double())
    for bad in ({"rtol": -1.0}, {"atol": -1.0}, {"rtol": nan}):
        with pytest.raises(ValueError, match="not negative"):
            td.isclose(x, y, **bad)
    assert td.equal(x[:2], x[:2]) and not td.equal(x, x) and not td.equal(x[:2], x[:3])


# ---- arithmetic


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nextafter_visits_every_number(dtype):
    if dtype in (td.float16, td.bfloat16):
        every = td.arange(0, 0x7C01 if dtype is td.float16 else 0x7F81, dtype=td.int16).view(dtype)  # 0 ... inf
        up = td.nextafter(every[:-1], td.tensor(math.inf, dtype=dtype))
        assert same_bits(up, every[1:])
        down = td.nextafter(every[1:], td.tensor(-1.0, dtype=dtype))
        assert same_bits(down, every[:-1])
        assert same_bits(td.nextafter(-every[:-1], td.tensor(-math.inf, dtype=dtype)), -every[1:])
        assert same_bits(td.nextafter(-every[1:], td.tensor(1.0, dtype=dtype)).abs(), every[:-1])
        least = every[1].item()
    else:
        values = np.array([0, 1, 2, 0.5, 1e-38, 5e-324, 1e308, 3, math.inf], numpy_type(dtype))
        for towards in (-math.inf, 0.0, 1.0, math.inf):
            for x in (values, -values):
                got = td.nextafter(td.from_numpy(x), towards).numpy()
                assert alike(got.tolist(), np.nextafter(x, x.dtype.type(towards)).tolist())
        least = float(np.finfo(numpy_type(dtype)).smallest_subnormal)
    zero = td.tensor([0.0, -0.0, 0.0, math.nan, 1.0], dtype=dtype)
    other = td.tensor([-1.0, 1.0, -0.0, 1.0, math.nan], dtype=dtype)
    assert alike(td.nextafter(zero, other).tolist(), [-least, least, -0.0, math.nan, math.nan])


def numpy_type(dtype):
    return np.float64 if dtype is td.float64 else np.float32


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_frexp_and_ldexp_are_inverse(dtype):
    x = td.tensor([0.0, -0.0, 1.0, -3.5, 1e-5, 6e-8, 100.0, math.inf, -math.inf], dtype=dtype)
    mantissa, exponent = td.frexp(x)
    assert mantissa.dtype is dtype and exponent.dtype is td.int32
    finite = [math.frexp(v) for v in x.tolist()[:7]]
    assert alike(mantissa.tolist(), [m for m, _ in finite] + [math.inf, -math.inf])
    assert exponent.tolist() == [e for _, e in finite] + [0, 0]
    assert alike(td.ldexp(mantissa, exponent).tolist(), x.tolist())
    pair = x.frexp()
    assert pair.mantissa.shape == (9,) and same(pair.exponent, exponent)
    with pytest.raises(TypeError, match=r"\[frexp\]"):
        td.frexp(td.tensor([1]))


def test_ldexp_rounds_once_and_keeps_what_is_no_number():
    x = np.array([1.5, -3, 5e-324, 1e308, 0, math.inf])
    for n in (-1080, -1074, -3, 0, 7, 1074, 2098):
        with np.errstate(all="ignore"):
            assert alike(td.ldexp(td.from_numpy(x), n).tolist(), np.ldexp(x, n).tolist()), n
    assert td.ldexp(td.tensor([1, 2]), td.tensor([3, -1])).tolist() == [8.0, 1.0]
    assert td.ldexp(td.tensor([2.0]), 0.5).item() == pytest.approx(2 * math.sqrt(2))


def test_integers():
    rng = np.random.default_rng(1)
    for dtype in (td.int8, td.uint8, td.int16, td.uint16, td.int32, td.uint32, td.int64, td.uint64):
        kind = str(dtype).removeprefix("tandem.")
        info = np.iinfo(kind)
        a = rng.integers(info.min, info.max, 300, dtype=kind, endpoint=True)
        b = rng.integers(0, 100, 300).astype(kind)
        a[:4], b[:4] = [0, 0, info.min, info.max], [0, 7, info.max, 1]
        got = td.gcd(td.from_numpy(a), td.from_numpy(b))
        assert got.dtype is dtype
        expected = [math.gcd(int(x), int(y)) for x, y in zip(a, b)]
        assert got.tolist() == expected
        bits = info.bits
        wrapped = [math.lcm(int(x), int(y)) % (1 << bits) for x, y in zip(a, b)]
        wrapped = [w - (1 << bits) if info.min < 0 and w >> (bits - 1) else w for w in wrapped]
        assert td.lcm(td.from_numpy(a), td.from_numpy(b)).tolist() == wrapped
    x = td.tensor([12, 18])
    assert td.gcd(x, 8).tolist() == [4, 2] and x.clone().lcm_(5).tolist() == [60, 90]
    with pytest.raises(TypeError):
        td.gcd(td.tensor([1.0]), td.tensor([2.0]))


def test_bits_with_numbers_on_either_side():
    t = td.tensor([1, 2, 12], dtype=td.int32)
    a = t.numpy()
    assert (5 & t).tolist() == (5 & a).tolist() and (t | 8).tolist() == (a | 8).tolist()
    assert (5 ^ t).tolist() == (t ^ 5).tolist() == (a ^ 5).tolist()
    assert (1 << t).tolist() == (1 << a).tolist() and (t << 2).tolist() == (a << 2).tolist()
    assert (100 >> t).tolist() == (100 >> a).tolist() and (t >> 1).tolist() == (a >> 1).tolist()
    assert td.bitwise_and(5, t).tolist() == (5 & a).tolist() and td.bitwise_left_shift(1, t).dtype is td.int32
    assert (~t).tolist() == td.bitwise_invert(t).tolist() == (~a).tolist()
    assert (True ^ td.tensor([True, False])).tolist() == [False, True]
    u = t.clone()
    u <<= 1
    u |= 1
    assert u.tolist() == [3, 5, 25]
    assert (7 % t).tolist() == [0, 1, 7] and (7 // t).tolist() == [7, 3, 0] and (2**t).tolist() == [2, 4, 4096]


def test_heaviside_and_frac():
    nan, inf = math.nan, math.inf
    x = td.tensor([-1.5, 0.0, -0.0, 2.0, nan, inf, -inf])
    assert td.heaviside(x, 0.25).tolist() == [0, 0.25, 0.25, 1, 0, 1, 0]
    assert td.heaviside(td.tensor([-2, 0, 3]), td.tensor(7)).tolist() == [0, 7, 1]
    assert td.heaviside(td.tensor([True, False]), td.tensor([True, True])).tolist() == [True, True]
    assert alike(td.frac(x).tolist(), [-0.5, 0.0, 0.0, 0.0, nan, nan, nan])
    with pytest.raises(TypeError):
        td.frac(td.tensor([1]))


def test_nan_to_num():
    nan, inf = math.nan, math.inf
    for dtype in FLOATS:
        limits = td.finfo(dtype)
        x = td.tensor([nan, inf, -inf, 1.5, -0.0], dtype=dtype)
        assert alike(x.nan_to_num().tolist(), [0.0, limits.max, limits.min, 1.5, -0.0])
        assert alike(td.nan_to_num(x, 2.0, posinf=3.0, neginf=-4.0).tolist(), [2, 3, -4, 1.5, -0.0])
        y = x.clone()
        assert y.nan_to_num_(nan=1) is y and y.tolist()[0] == 1
    z = td.tensor([complex(nan, inf), complex(1, -inf)], dtype=td.complex128).refine_names("k")
    big = td.finfo(td.float64).max
    assert td.nan_to_num(z).tolist() == [complex(0, big), complex(1, -big)] and td.nan_to_num(z).names == ("k",)
    grid = complexes(6).reshape(2, 3).t()
    assert same(td.nan_to_num(grid), grid)
    i = td.tensor([1, 2])
    copy = td.nan_to_num(i)
    assert same(copy, i) and not copy.is_shared_storage(i)


def test_addcdiv():
    x, a, b = (td.tensor(v) for v in ([1.0, 2.0], [3.0, 4.0], [2.0, 8.0]))
    assert td.addcdiv(x, a, b).tolist() == [2.5, 2.5]
    assert x.addcdiv(a, b, value=-2).tolist() == [-2.0, 1.0]
    assert x.clone().addcdiv_(a, b, value=2).tolist() == [4.0, 3.0]
    with pytest.raises(TypeError, match="addcdiv"):
        td.addcdiv(*(td.tensor([1]),) * 3)


def test_clamp_bounds():
    x = td.tensor([[-2, 0, 5], [7, 1, -9]], dtype=td.int32)
    a = x.numpy()
    low, high = td.tensor([-1, 0, 1], dtype=td.int32), td.tensor([[3], [2]], dtype=td.int32)
    np.testing.assert_array_equal(td.clip(x, low, high).numpy(), np.clip(a, low.numpy(), high.numpy()))
    np.testing.assert_array_equal(td.clamp(x, min=low).numpy(), np.maximum(a, low.numpy()))
    np.testing.assert_array_equal(td.clamp(x, max=high).numpy(), np.minimum(a, high.numpy()))
    assert td.clamp(x, 0.5, 2).dtype is td.float32 and td.clamp(x, min=td.tensor([0.5])).dtype is td.float32
    assert td.clamp(x, min=td.tensor(1, dtype=td.int64)).dtype is td.int32
    assert td.clamp(x.to(td.int8), low.to(td.int64), 3).dtype is td.int64
    np.testing.assert_array_equal(td.clamp_min(x, low).numpy(), np.maximum(a, low.numpy()))
    np.testing.assert_array_equal(x.clamp_max(2).numpy(), np.minimum(a, 2))
    assert x.clone().clamp_min_(0).tolist() == np.maximum(a, 0).tolist()
    nan = td.tensor([math.nan, 1.0])
    assert alike(td.clamp(nan, 0, 2).tolist(), [math.nan, 1.0])
    assert alike(td.clamp_min(td.tensor([1.0, 2.0]), nan).tolist(), [math.nan, 2.0])
    with pytest.raises(ValueError, match="None"):
        td.clamp(x)


def test_round_to_decimals():
    x = td.tensor([1.25, -2.345, 0.5, 1234.5678, math.inf, -0.004], dtype=td.float64)
    for d in (1, 2, 3, 0, -1, -2):
        np.testing.assert_array_equal(td.round(x, decimals=d).numpy(), np.round(x.numpy(), d))
    y = x.clone()
    assert y.round_(decimals=2) is y and same(y, x.round(decimals=2))
    with pytest.raises(TypeError, match="decimals"):
        td.round(td.tensor([1]), decimals=1)
    assert td.round(td.tensor([17]), decimals=0).tolist() == [17]


def test_logit_eps_and_xlogy():
    x = td.tensor([0.0, 0.1, 0.5, 1.0, -1.0], dtype=td.float64)
    got = td.logit(x, eps=0.25).tolist()
    assert got == [math.log(0.25 / 0.75)] * 2 + [0.0, math.log(3.0), math.log(0.25 / 0.75)]
    assert td.logit(x).tolist()[0] == -math.inf and x.logit(0.25).tolist() == got
    y = x.clone()
    assert y.logit_(eps=0.25) is y and y.tolist() == got
    assert td.xlogy(td.tensor([0, 2]), 0.0).tolist() == [0.0, -math.inf]
    assert td.xlogy(0, td.tensor([math.nan])).isnan().item()


def test_degrees_float_power_rsub_positive():
    x = td.tensor([0.0, 90.0, -180.0], dtype=td.float64)
    np.testing.assert_allclose(td.deg2rad(x).numpy(), np.deg2rad(x.numpy()), rtol=3e-16)
    np.testing.assert_allclose(td.rad2deg(x).numpy(), np.rad2deg(x.numpy()), rtol=3e-16)
    assert td.deg2rad(td.tensor([180])).dtype is td.float32 and x.clone().deg2rad_().tolist() == td.deg2rad(x).tolist()
    i = td.tensor([2, 3], dtype=td.int8)
    assert td.float_power(i, -1).tolist() == [0.5, 1 / 3] and td.float_power(i, i).dtype is td.float64
    assert td.float_power(2, i).tolist() == [4.0, 8.0]
    assert td.float_power(i, 1j).dtype is td.complex128
    h = td.ones(2, dtype=td.float64)
    assert h.float_power_(2) is h
    with pytest.raises(TypeError, match="can't be cast"):
        i.clone().float_power_(2)
    assert td.rsub(i, 10).tolist() == [8, 7] and td.rsub(td.tensor([1.0]), 10, alpha=2).tolist() == [8.0]
    assert td.positive(i).tolist() == [2, 3]
    with pytest.raises(TypeError, match="bool"):
        td.positive(td.tensor([True]))


def test_mvlgamma():
    x = td.tensor([3.0, 7.5], dtype=td.float64)
    for p in (1, 2, 4):
        expected = [
            p * (p - 1) / 4 * math.log(math.pi) + sum(math.lgamma(v - j / 2) for j in range(p)) for v in x.tolist()
        ]
        np.testing.assert_allclose(td.mvlgamma(x, p).numpy(), expected, rtol=1e-14)
    with pytest.raises(ValueError, match="1 or more"):
        td.mvlgamma(x, 0)


def test_polygamma():
    x = td.tensor([0.5, 1.0, 3.0], dtype=td.float64)
    zeta3 = 1.2020569031595942
    first = [math.pi**2 / 2, math.pi**2 / 6, math.pi**2 / 6 - 1.25]
    np.testing.assert_allclose(td.polygamma(1, x).numpy(), first, rtol=1e-15)
    np.testing.assert_allclose(x.polygamma(2).numpy(), [-14 * zeta3, -2 * zeta3, -2 * zeta3 + 2.25], rtol=1e-15)
    assert td.polygamma(0, x).tolist() == td.digamma(x).tolist()
    assert td.polygamma(3, td.tensor([2])).dtype is td.float32
    orders = td.tensor([1, 1, 2])
    assert td.digamma_derivative(x, orders).tolist()[:2] == td.polygamma(1, x).tolist()[:2]
    y = x.clone()
    assert y.polygamma_(1) is y and y.tolist() == td.polygamma(1, x).tolist()
    with pytest.raises(ValueError, match="0 or more"):
        td.polygamma(-1, x)


def test_incomplete_gamma():
    x = td.tensor([0.5, 1.0, 30.0], dtype=td.float64)
    one = td.ones(3, dtype=td.float64)
    np.testing.assert_allclose(td.igammac(one, x).numpy(), np.exp(-x.numpy()), rtol=3e-16)
    np.testing.assert_allclose(td.gammainc(one, x).numpy(), -np.expm1(-x.numpy()), rtol=3e-16)
    half = [math.erfc(math.sqrt(v)) for v in x.tolist()]
    np.testing.assert_allclose(td.gammaincc(one / 2, x).numpy(), half, rtol=1e-15)
    assert one.clone().igamma_(x).tolist() == td.igamma(one, x).tolist()
    inf, nan = math.inf, math.nan
    for a, v, p in [
        (0, 0, nan), (0, 1, 1), (1, 0, 0), (1, -0.0, 0), (inf, 1, 0), (inf, inf, nan), (1, inf, 1), (0, inf, 1),
        (inf, 0, 0), (-1, 1, nan), (1, -1, nan), (nan, 1, nan), (1, nan, nan), (1e308, 1e308, 0.5),
    ]:  # fmt: skip
        for dtype in (td.float32, td.float64):
            args = [td.tensor([min(w, 1e38) if dtype is td.float32 and w != inf else w], dtype=dtype) for w in (a, v)]
            np.testing.assert_array_equal(td.igamma(*args).numpy(), [p])
            np.testing.assert_array_equal(td.igammac(*args).numpy(), [1 - p])


def test_zeta():
    q = td.tensor([1.0, 2.0, 0.5], dtype=td.float64)
    np.testing.assert_allclose(
        td.zeta(2, q).numpy(), [math.pi**2 / 6, math.pi**2 / 6 - 1, math.pi**2 / 2], rtol=3e-16
    )
    inf, nan = math.inf, math.nan
    for s, v, expected in [
        (1, 1, inf), (0.5, 1, nan), (2, 0, inf), (2, -0.0, inf), (2, -1, inf), (2.5, -0.5, nan), (2, -inf, inf),
        (2, inf, 0), (inf, 1, 1), (inf, 0.5, inf), (inf, 2, 0), (nan, 1, nan), (2, nan, nan), (-inf, 1, nan),
    ]:  # fmt: skip
        for dtype in (td.float32, td.float64):
            got = td.zeta(td.tensor([s], dtype=dtype), td.tensor([v], dtype=dtype))
            np.testing.assert_array_equal(got.numpy(), [expected])


# ---- the pointwise functions of neural networks


def test_relu_and_its_kin_at_special_values():
    x = td.tensor([-0.0, 0.0, -1.5, 2.5, math.inf, -math.inf, math.nan], dtype=td.float64)
    assert alike(td.relu(x).tolist(), [-0.0, 0, 0, 2.5, math.inf, 0, math.nan])
    assert alike(td.threshold(x, 0, 7).tolist(), [7, 7, 7, 2.5, math.inf, 7, math.nan])
    assert alike(td.threshold(x, math.nan, 7).tolist(), x.tolist())
    assert alike(td.hardshrink(x, 1.5).tolist(), [0, 0, 0, 2.5, math.inf, -math.inf, math.nan])
    assert alike(td.hardshrink(x, -1).tolist(), x.tolist())
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    low = scale * alpha * math.expm1(-1.5)
    expected = [-0.0, 0, low, scale * 2.5, math.inf, -scale * alpha, math.nan]
    for got, want in zip(td.selu(x).tolist(), expected, strict=True):
        assert alike([got], [want]) or got == pytest.approx(want, rel=4e-16)
    for a in (1, 2.5, 1e-3, 1e300, -2.0):
        got = td.celu(x, a).tolist()
        assert alike(got[:2] + got[3:5] + got[6:], [-0.0, 0, 2.5, math.inf, math.nan])
        assert got[2] == pytest.approx(a * math.expm1(-1.5 / a), rel=4e-16)
        assert got[5] == (-a if a > 0 else -math.inf)
    for dtype in (td.float32, td.float64):  # the exponential overflows, whatever x / alpha leaves
        far = td.tensor([-3.6565523e37, -1e20, -3e4], dtype=dtype)
        assert td.celu(far, -1.00000084).tolist() == [-math.inf] * 3
    # alpha e^(x / alpha) is in range here, e^(x / alpha) is not.
    x = [-18.5532335, -701.1402230, -709.5, -7.2e-298, -5e-324 * 1450]
    alpha = [-0.0261387943, -1.00000084, -0.999, -1e-300, -5e-324]
    for a, b in zip(x, alpha, strict=True):
        with decimal.localcontext(prec=50, Emax=999999, Emin=-999999):
            want = float(decimal.Decimal(b) * (decimal.Decimal(a) / decimal.Decimal(b)).exp())
        assert td.celu(td.tensor([a], dtype=td.float64), b).item() == pytest.approx(want, rel=4e-16), (a, b)
    assert td.celu(td.tensor([-2.0, -1e-30]), math.inf).tolist() == [-2.0, td.tensor(-1e-30).item()]


def test_activations_keep_the_dtype():
    for dtype in FLOATS:
        x = td.tensor([-1.0, 2.0], dtype=dtype)
        for y in (x.relu(), td.selu(x), td.celu(x, 2), td.hardshrink(x), td.threshold(x, 1, td.tensor(3))):
            assert y.dtype is dtype
        assert x.relu_() is x and x.tolist() == [0, 2]
    for dtype in (td.uint8, td.int8, td.int64, td.uint16):
        x = td.tensor([0, 1, 2, 3], dtype=dtype)
        assert td.relu(x).dtype is dtype and same(td.relu(x), x)
        assert td.threshold(x, 1.9, 7.9).tolist() == [7, 7, 2, 3]
        for name in ("selu", "celu", "hardshrink"):
            with pytest.raises(TypeError, match=f"\\[{name}\\] not implemented"):
                getattr(td, name)(x)
    assert td.relu(td.tensor([-3, 4])).tolist() == [0, 4]
    y = td.ones(3).refine_names("n")
    assert y.threshold_(1, -2) is y and y.tolist() == [-2, -2, -2] and y.names == ("n",)
    assert y.celu_(0.5) is y and y.selu_() is y
    for bad in (td.ones(2, dtype=td.bool), td.ones(2, dtype=td.complex64)):
        for f in (td.relu, td.selu, td.celu, td.hardshrink, lambda t: td.threshold(t, 1, 1)):
            with pytest.raises(TypeError, match="not implemented for"):
                f(bad)
    with pytest.raises(td.Error, match="alpha"):
        td.celu(td.ones(2), 0)
    with pytest.raises(ValueError, match="1000"):
        td.threshold(td.ones(2, dtype=td.int8), 1, 1000)
    with pytest.raises(ValueError, match="float32"):
        td.threshold(td.ones(2), 1, 1j)


def test_prelu(rng):
    array = rng.standard_normal((2, 3, 4)).astype(np.float32)
    weight = rng.standard_normal(3).astype(np.float32)
    expected = np.where(array > 0, array, array * weight[:, None])
    x = td.tensor(array)
    assert np.array_equal(td.prelu(x, td.tensor(weight)).numpy(), expected)
    assert np.array_equal(x.prelu(weight=td.tensor(0.25)).numpy(), np.where(array > 0, array, array / 4))
    with pytest.raises(td.ShapeError, match="expected 1 or 3"):
        td.prelu(x, td.ones(2))
