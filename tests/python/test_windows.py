"""Windows against their formulas in extended precision, their symmetry, options and errors."""

import math

import numpy as np
import pytest

import tandem as torch

W = torch.signal.windows
LENGTHS = [0, 1, 2, 3, 4, 7, 8, 31, 64, 501, 1000]
EXT = np.longdouble
PI = EXT("3.14159265358979323846264338327950288")


def bessel_i0(x):
    """By its series, all of whose terms are positive."""
    term = total = np.ones_like(x)
    for k in range(1, 1200):
        term = term * (x / 2) ** 2 / EXT(k) ** 2
        total = total + term
    return total


def cosines(*weights):
    def formula(i, last, _):
        return sum((-1) ** k * EXT(w) * np.cos(2 * PI * k * i / last) for k, w in enumerate(weights))

    return formula


def kaiser(beta):
    return lambda i, last, _: bessel_i0(beta * np.sqrt(1 - (2 * i / last - 1) ** 2)) / bessel_i0(EXT(beta) * np.ones(1))


def gaussian(std):
    return lambda i, last, _: np.exp(-(((i - last / 2) / EXT(std)) ** 2) / 2)


def exponential(tau, center=None):
    return lambda i, last, _: np.exp(-np.abs(i - (last / 2 if center is None else center)) / EXT(tau))


FORMULAS = {
    "bartlett": ((), {}, lambda i, last, _: 1 - np.abs(2 * i / last - 1)),
    "blackman": ((), {}, cosines(0.42, 0.5, 0.08)),
    "hamming": ((), {}, cosines(0.54, 0.46)),
    "hann": ((), {}, cosines(0.5, 0.5)),
    "nuttall": ((), {}, cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411)),
    "cosine": ((), {}, lambda i, _, points: np.sin(PI * (i + EXT(0.5)) / points)),
    "kaiser": ((), {"beta": 8.6}, kaiser(8.6)),
    "gaussian": ((), {"std": 7.5}, gaussian(7.5)),
    "exponential": ((), {"tau": 3.25}, exponential(3.25)),
    "general_cosine": ((), {"a": [0.1, 0.25, 0.5, 0.15]}, cosines(0.1, 0.25, 0.5, 0.15)),
    "general_hamming": ((), {"alpha": 0.62}, cosines(0.62, 1 - 0.62)),
}


def expected(name, n, sym):
    if n <= 1:
        return np.ones(n, EXT)
    points = n if sym else n + 1
    return FORMULAS[name][2](np.arange(n, dtype=EXT), EXT(points - 1), EXT(points))


@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("name", FORMULAS)
def test_signal_windows_are_their_formulas(name, sym):
    for n in LENGTHS:
        got = getattr(W, name)(n, sym=sym, dtype=torch.float64, **FORMULAS[name][1])
        # Arguments of a cosine are up to 3 pi with an error of half an ulp each; the exponents up to n * n.
        bound = 64 * np.finfo(np.float64).eps
        np.testing.assert_allclose(got.numpy(), expected(name, n, sym).astype(np.float64), rtol=bound, atol=bound)
        if sym and n:
            np.testing.assert_array_equal(got.numpy(), got.numpy()[::-1])
        if not sym and n > 1:
            longer = getattr(W, name)(n + 1, dtype=torch.float64, **FORMULAS[name][1])
            np.testing.assert_array_equal(got.numpy(), longer.numpy()[:-1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("name", FORMULAS)
def test_narrow_dtypes_are_float64_rounded(name, dtype):
    wide = getattr(W, name)(321, dtype=torch.float64, **FORMULAS[name][1])
    narrow = getattr(W, name)(321, dtype=dtype, **FORMULAS[name][1])
    assert narrow.dtype is dtype and torch.equal(narrow, wide.to(dtype))


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hann", "kaiser"])
def test_main_names_are_periodic(name):
    for n in LENGTHS:
        for periodic in (True, False):
            got = getattr(torch, name + "_window")(n, periodic)
            extra = {"beta": 12.0} if name == "kaiser" else {}
            assert torch.equal(got, getattr(W, name)(n, sym=not periodic, **extra)), (name, n)
        assert torch.equal(getattr(torch, name + "_window")(n), getattr(torch, name + "_window")(n, periodic=True))


def test_numpys_windows():
    for n in (1, 2, 5, 51, 64):
        for name in ("bartlett", "blackman", "hamming", "hanning"):
            mine = getattr(torch, name.replace("hanning", "hann") + "_window")
            got = mine(window_length=n, periodic=False, dtype=torch.float64).numpy()
            np.testing.assert_allclose(got, getattr(np, name)(n), rtol=1e-14, atol=1e-15)
        for beta in (0.0, 3.0, 14.0, 200.0, 700.0):
            got = torch.kaiser_window(n, False, beta, dtype=torch.float64).numpy()
            # The exponent of i0 is beta, so that it has an error of beta ulp.
            np.testing.assert_allclose(got, np.kaiser(n, beta), rtol=(8 + beta) * 2.0**-52)


def test_hamming_of_other_weights():
    got = torch.hamming_window(10, True, 0.25, 0.75, dtype=torch.float64)
    np.testing.assert_allclose(got.numpy(), 0.25 - 0.75 * np.cos(2 * np.pi * np.arange(10) / 10), atol=1e-15)


def test_exponential_with_a_center():
    got = W.exponential(9, center=2.5, tau=1.5, sym=False, dtype=torch.float64)
    np.testing.assert_allclose(got.numpy(), np.exp(-np.abs(np.arange(9) - 2.5) / 1.5), rtol=1e-15)


def test_options():
    w = torch.hann_window(4, dtype=torch.float16, names=["t"])
    assert w.dtype is torch.float16 and w.names == ("t",)
    assert torch.hann_window(4, device="meta").shape == (4,)
    assert torch.hann_window(0).shape == (0,) and torch.hann_window(1).tolist() == [1.0]
    assert W.general_cosine(5, a=[1.0]).tolist() == [1.0] * 5
    import tandem.signal.windows as windows

    assert windows is W


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: torch.hann_window(-1), ValueError, "window_length"),
        (lambda: W.hann(-1), ValueError, "'M'"),
        (lambda: torch.hann_window(4, dtype=torch.int32), TypeError, "dtype"),
        (lambda: torch.hann_window(4, dtype=torch.complex64), TypeError, "dtype"),
        (lambda: torch.hamming_window(4, True, math.nan), ValueError, "alpha"),
        (lambda: torch.kaiser_window(4, True, 701.0), ValueError, "beta"),
        (lambda: W.gaussian(4, std=0.0), ValueError, "std"),
        (lambda: W.exponential(4, tau=-1.0), ValueError, "tau"),
        (lambda: W.exponential(4, center=1.0), ValueError, "center"),
        (lambda: W.general_cosine(4, a=[]), ValueError, "'a'"),
        (lambda: W.general_cosine(4, a="x"), TypeError, "a"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
