"""The minimax polynomials of kernels/functors/*_f64.h and special_f32.h: weighted Remez exchange in 70 digits.

  pip install mpmath; python tools/minimax.py [NAME ...]

Prints each polynomial's coefficients, constant term first, rounded to double, and its weighted error. The weight
makes the error relative to the function that uses the polynomial.

lint: oracle table
"""

import sys

import mpmath as m
from mpmath import mpf

m.mp.dps = 70
EPS = mpf("1e-9")  # keeps a weight away from zero where the function itself vanishes


def solve(f, w, nodes, n):
    """The polynomial of degree n whose weighted error has one size and alternating signs at the nodes."""
    a, y = m.matrix(n + 2, n + 2), m.matrix(n + 2, 1)
    for i, x in enumerate(nodes):
        for k in range(n + 1):
            a[i, k] = x**k
        a[i, n + 1] = (-1) ** i / w(x)
        y[i] = f(x)
    c = m.lu_solve(a, y)
    return [c[k] for k in range(n + 1)]


def extrema(err):
    """The place of the largest error in each run of one sign."""
    found, i = [], 0
    while i < len(err):
        positive, best = err[i] >= 0, i
        while i < len(err) and (err[i] >= 0) == positive:
            best = i if abs(err[i]) > abs(err[best]) else best
            i += 1
        found.append(best)
    return found


def remez(f, w, a, b, n):
    a, b = mpf(a), mpf(b)

    def chebyshev(count):
        return [(a + b) / 2 - (b - a) / 2 * m.cos(m.pi * k / count) for k in range(count + 1)]

    nodes, grid = chebyshev(n + 1), chebyshev(24 * (n + 2))
    values = [(f(x), w(x)) for x in grid]
    for _ in range(12):
        c = solve(f, w, nodes, n)
        err = [(m.polyval(c[::-1], x) - fx) * wx for x, (fx, wx) in zip(grid, values)]
        ext = extrema(err)
        while len(ext) > n + 2:
            ext.pop(0 if abs(err[ext[0]]) < abs(err[ext[-1]]) else -1)
        largest = max(abs(e) for e in err)
        if len(ext) < n + 2 or largest < min(abs(err[i]) for i in ext) * mpf("1.02"):
            break
        nodes = [grid[i] for i in ext]
    return c, largest


def odd(f, sign, third):
    """(f(x) / x - 1) / x^2 as a function of z = x^2."""

    def of(z):
        s = m.sqrt(z)
        return (f(s) / s - 1) / z if z else mpf(sign) / third

    return of


def atanh_tail(z, terms):
    """atanh(s) / s without its first terms, over the power of z = s^2 that is left."""
    s = m.sqrt(z)
    return (m.atanh(s) / s - sum(z**k / (2 * k + 1) for k in range(terms))) / z**terms


def relative(f):
    return lambda x: 1 / abs(f(x))


def scaled_erfc(t):
    """(1 + 2x) exp(x^2) erfc(x) of t = (x - 3.75) / (x + 3.75)."""
    x = mpf("3.75") * (1 + t) / (1 - t)
    return (1 + 2 * x) * m.exp(x * x) * m.erfc(x)


def erfinv_ratio(w):
    """erfinv(x) / x of w = -log(1 - x^2), by Halley's iteration."""
    if w < mpf("1e-30"):
        return m.sqrt(m.pi) / 2
    x = m.sqrt(-m.expm1(-w))
    small, rest = w < 3, m.exp(-w) / (1 + x)  # rest: 1 - x
    y = x if small else m.sqrt(w - m.log(m.sqrt(w) * m.sqrt(m.pi)))
    for _ in range(200):
        d = ((m.erf(y) - x) if small else (rest - m.erfc(y))) * m.sqrt(m.pi) / 2 * m.exp(y * y)
        d /= 1 + d * y
        y -= d
        if abs(d) < abs(y) * mpf(10) ** (8 - m.mp.dps):
            break
    return y / x


def lgamma_ratio(t):
    """lgamma(2 + t) / (t (1 + t))."""
    if abs(t) < mpf("1e-20"):
        return 1 - m.euler
    return m.euler if abs(t + 1) < mpf("1e-20") else m.loggamma(2 + t).real / (t * (1 + t))


def stirling(u):
    """x (lgamma(x) - (x - 1/2) log x + x - log(2 pi) / 2) of u = 1 / x^2."""
    if not u:
        return mpf(1) / 12
    x = 1 / m.sqrt(u)
    return x * (m.loggamma(x).real - ((x - mpf(0.5)) * m.log(x) - x + m.log(2 * m.pi) / 2))


def digamma_tail(u):
    """(log x - 1 / (2x) - digamma(x)) / u of u = 1 / x^2."""
    if not u:
        return mpf(1) / 12
    x = 1 / m.sqrt(u)
    return (m.log(x) - 1 / (2 * x) - m.digamma(x)) / u


DIGAMMA_ROOT = m.findroot(m.digamma, mpf("1.4616321449683623412626595"))


def digamma_ratio(t):
    """digamma(3/2 + t) over the distance to its positive root."""
    d = t + mpf(1.5) - DIGAMMA_ROOT
    return m.digamma(t + mpf(1.5)) / d if abs(d) > mpf("1e-25") else m.polygamma(1, DIGAMMA_ROOT)


def i0_scaled(v):
    """sqrt(x) exp(-x) I0(x) of v = 1 / x."""
    return m.exp(-1 / v) * m.besseli(0, 1 / v) / m.sqrt(v) if v > mpf("1e-40") else 1 / m.sqrt(2 * m.pi)


def erfinv_fit(centre, low, high, degree, root):
    """In the distance from a centre, of w or of its square root."""

    def f(t):
        return erfinv_ratio((t + centre) ** 2 if root else t + centre)

    return f, relative(f), (mpf(low), mpf(high)), degree


# name: function, weight, interval, degree
TABLE = {
    "exp": (
        lambda r: (m.expm1(r) - r) / r**2 if r else mpf(0.5),
        lambda r: max(abs(r), EPS) ** 2 * m.exp(-r),
        (-0.34705, 0.34705),
        10,
    ),
    "log": (lambda z: 2 * atanh_tail(z, 1) if z else mpf(2) / 3, lambda z: (z + EPS) / 2, (0, 0.02945), 6),
    "pow": (lambda z: atanh_tail(z, 3) if z else mpf(1) / 7, lambda z: (z + mpf("1e-4")) ** 3, (0, 0.02945), 7),
    "sin": (odd(m.sin, -1, 6), lambda z: z + EPS, (0, 0.6170), 5),
    "cos": (
        lambda z: (m.cos(m.sqrt(z)) - 1 + z / 2) / z**2 if z else mpf(1) / 24,
        lambda z: (z + EPS) ** 2,
        (0, 0.6170),
        5,
    ),
    "asin": (odd(m.asin, 1, 6), lambda z: z + EPS, (0, 0.25), 12),
    "atan": (odd(m.atan, -1, 3), lambda z: z + EPS, (0, 0.1915), 11),
    "sinh": (odd(m.sinh, 1, 6), lambda z: z + EPS, (0, 1), 6),
    "tanh": (odd(m.tanh, -1, 3), lambda z: z + EPS, (0, 0.3025), 10),
    "erf": (
        lambda z: m.erf(m.sqrt(z)) / m.sqrt(z) - 1 if z else 2 / m.sqrt(m.pi) - 1,
        lambda z: mpf(1),
        (0, 1),
        12,
    ),
    # In t = x - 1: log(exp(x^2) erfc(x)), weighted by what an error of it does to erf.
    "erfc": (
        lambda t: m.log(m.erfc(t + 1)) + (t + 1) ** 2,
        lambda t: m.erfc(t + 1) / m.erf(t + 1),
        (0, 5),
        18,
    ),
    "scaled erfc": (scaled_erfc, relative(scaled_erfc), (-1, mpf("24.25") / mpf("31.75")), 24),
    "erfinv near": erfinv_fit(mpf("3.125"), "-3.125", "3.125", 24, False),
    "erfinv middle": erfinv_fit(mpf("3.25"), "-0.75", "0.75", 20, True),
    "erfinv far": erfinv_fit(mpf(5), "-1", "1.05", 20, True),
    "lgamma": (
        lambda t: lgamma_ratio(t - mpf(0.25)),
        relative(lambda t: lgamma_ratio(t - mpf(0.25))),
        (-0.75, 0.75),
        28,
    ),
    "stirling": (stirling, relative(stirling), (0, mpf(1) / 9), 14),
    "digamma": (digamma_ratio, relative(digamma_ratio), (-0.5, 0.5), 24),
    "digamma tail": (digamma_tail, relative(digamma_tail), (0, mpf(1) / 9), 11),
    "i0 near": (
        lambda z: (m.besseli(0, 2 * m.sqrt(z)) - 1) / z if z > mpf("1e-30") else mpf(1),
        lambda z: (z + EPS) / m.besseli(0, 2 * m.sqrt(z)),
        (0, 36),
        18,
    ),
    "i0 far": (
        lambda t: i0_scaled(t + mpf(1) / 24),
        relative(lambda t: i0_scaled(t + mpf(1) / 24)),
        (-mpf(1) / 24, mpf(1) / 24),
        18,
    ),
    # float32, computed in double.
    "scaled erfc, short": (scaled_erfc, relative(scaled_erfc), (-1, mpf("6.85") / mpf("14.35")), 11),
    "erfinv near, short": erfinv_fit(mpf(0), "0", "6", 10, False),
    "erfinv far, short": erfinv_fit(mpf(0), m.sqrt(6), "4.01", 9, True),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or TABLE:
        function, weight, (low, high), degree = TABLE[name]
        coefficients, error = remez(function, weight, low, high, degree)
        print(f"{name}: degree {degree}, error 2^{float(m.log(error, 2)):.1f}")
        print("  " + ", ".join(float(c).hex() for c in coefficients))
