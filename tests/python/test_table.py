# Every elementwise row against NumPy: dtypes, layouts, in-place and out forms. lint: oracle table
#
# The oracle computes floats in a wider type and integers in their own (NumPy wraps as Tandem does).
import math
import operator

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, numpy_dtype, random_array, same, short

ROWS = {row["name"]: row for row in td.op_rows()}
ELEMENTWISE = [name for name, row in ROWS.items() if row["family"] == "elementwise"]


def trunc_divide(x, y):
    if x.dtype.kind == "f":
        return np.trunc(x / y)
    quotient = np.where(y == 0, 0, np.abs(x.astype(object)) // np.where(y == 0, 1, np.abs(y.astype(object))))
    return np.where((x < 0) != (y < 0), -quotient, quotient).astype(x.dtype)


def shift(x, y, left):
    width = 8 * x.dtype.itemsize
    fill = np.where(x < 0, -1, 0).astype(x.dtype) if not left else np.zeros_like(x)
    inside = (y >= 0) & (y < width)
    by = np.where(inside, y, 0).astype(x.dtype)
    return np.where(inside, x << by if left else x >> by, fill)


def minmax(x, y, greater, nan_wins):
    """Ordered zeros: -0 < +0."""
    if x.dtype.kind != "f":
        return np.maximum(x, y) if greater else np.minimum(x, y)
    first = (x > y) | ((x == y) & ~np.signbit(x)) if greater else (x < y) | ((x == y) & np.signbit(x))
    chosen = np.where(first, x, y)
    if nan_wins:
        return np.where(np.isnan(x) | np.isnan(y), np.nan, chosen)
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, chosen))


def sign(x):
    if x.dtype.kind == "b":
        return x
    if x.dtype.kind == "c":
        return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x)))
    return np.where(np.isnan(x), 0, np.sign(x)) if x.dtype.kind == "f" else np.sign(x)


def lerp(x, end, weight):
    return np.where(np.abs(weight) < 0.5, x + weight * (end - x), end - (end - x) * (1 - weight))


def halley_erfinv(x):
    """Scalar Halley iterations on math.erf and math.erfc."""

    def one(v):
        a = abs(v)
        if a >= 1:
            return math.copysign(math.inf, v) if a == 1 else math.nan
        log = math.log1p(-a * a)
        half = 2 / (math.pi * 0.147) + log / 2
        y = math.sqrt(math.sqrt(half * half - log / 0.147) - half)
        for _ in range(5):
            error = math.erf(y) - a if a < 0.5 else (1 - a) - math.erfc(y)
            step = error * math.sqrt(math.pi) / 2 * math.exp(y * y)
            y -= step / (1 + step * y)
        return math.copysign(y, v)

    return np.vectorize(one, otypes=[np.float64])(x.astype(np.float64))


def digamma(x):
    """Recurrence to 30, asymptotic series there; for positive x."""
    a, total = x.astype(np.longdouble), np.zeros_like(x, np.longdouble)
    for _ in range(30):
        total, a = total - 1 / a, a + 1
    u = 1 / (a * a)
    terms = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760]
    tail = np.zeros_like(u)
    for c in reversed(terms):
        tail = (tail + np.longdouble(c)) * u
    return total + (np.log(a) - 1 / (2 * a) - tail)


def bessel_i0(x):
    z, term, total = (x.astype(np.longdouble) / 2) ** 2, np.ones_like(x, np.longdouble), np.ones_like(x, np.longdouble)
    for k in range(1, 120):
        term = term * z / (k * k)
        total = total + term
    return total


def sinc(x):
    angle = np.asarray(np.pi, np.longdouble) + np.longdouble(1.2246467991473531772e-16)
    safe = np.where(x == 0, 1, x)
    turn = safe - 2 * np.rint(safe.real / 2)
    zero = (turn == np.rint(turn.real)) & (turn != 0)
    return np.where(x == 0, 1, np.where(zero, 0, np.sin(angle * turn) / (angle * safe)))


def lgamma(x):
    """Recurrence to 30, Stirling's series there; for positive x."""
    a, product = x.astype(np.longdouble), np.ones_like(x, np.longdouble)
    for _ in range(30):
        product, a = product * a, a + 1
    u = 1 / (a * a)
    terms = [(1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360)]
    tail = sum(np.longdouble(p) / q * u**k for k, (p, q) in enumerate(terms)) / a
    pi = np.longdouble(np.pi) + np.longdouble(1.2246467991473531772e-16)
    y = (a - 0.5) * np.log(a) - a + np.log(2 * pi) / 2 + tail - np.log(product)
    return np.where((x == 1) | (x == 2), 0, y)


def igamma(a, x):
    """P(a, x) by its power series up to x = a + 1, beyond as 1 - Q; positive arguments."""
    a, x = np.longdouble(a), np.longdouble(x)
    term = total = np.ones_like(a)
    for n in range(1, 200):
        term = term * x / (a + n)
        total = total + term
    series = np.exp(a * np.log(x) - x - lgamma(a + 1)) * total
    return np.where(x < a + 1, series, 1 - legendre(a, x))


def igammac(a, x):
    """Q(a, x): Legendre's fraction from x = a + 1 on, 1 - P below."""
    a, x = np.longdouble(a), np.longdouble(x)
    return np.where(x < a + 1, 1 - igamma(a, np.minimum(x, a + 1)), legendre(a, x))


def legendre(a, x):
    """Legendre's continued fraction for Q(a, x), from the end (DLMF 8.9.2); for x above a."""
    x = np.maximum(x, a + 1)
    value = np.zeros_like(a)
    for n in range(400, 0, -1):
        value = n * (n - a) / (x + 2 * n + 1 - a - value)
    return np.exp(a * np.log(x) - x - lgamma(a)) / (x + 1 - a - value)


def zeta(s, q):
    """Hurwitz's zeta function by Euler and Maclaurin's sum (DLMF 25.11.5 and below); s > 1, q > 0."""
    s, q = np.longdouble(s), np.longdouble(q)
    total = sum((q + k) ** -s for k in range(40))
    w = q + 40
    total = total + w ** (1 - s) / (s - 1) + w**-s / 2
    bernoulli = [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6)]
    factor = s / 2
    for j, (p, r) in enumerate(bernoulli, 1):
        total = total + np.longdouble(p) / r * factor * w ** (-s - (2 * j - 1))
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2))
    return total


def digamma_derivative(x, order):
    n = np.trunc(np.longdouble(order))
    higher = np.where(n % 2 == 0, -1, 1) * np.exp(lgamma(n + 1)) * zeta(np.maximum(n, 1) + 1, x)
    return np.where(n == 0, digamma(x), higher)


def logaddexp(x, y):
    if x.dtype.kind != "c":
        return np.logaddexp(x, y)
    first = x.real >= y.real  # the branch goes out from the greater real part
    greater, other = np.where(first, x, y), np.where(first, y, x)
    return greater + np.log(1 + np.exp(other - greater))


def next_after(x, y):
    kind = x.dtype
    return np.nextafter(x, y).astype(kind)


def heaviside(x, values):
    return np.where(x == 0, values, (x > 0).astype(x.dtype))


ORACLE = {
    "erfc": lambda x: np.vectorize(math.erfc, otypes=[np.float64])(x.astype(np.float64)),
    "erfinv": halley_erfinv,
    "lgamma": lgamma,
    "igamma": igamma,
    "igammac": igammac,
    "zeta": zeta,
    "digamma_derivative": digamma_derivative,
    "digamma": digamma,
    "i0": bessel_i0,
    "logit": lambda x: np.log(x / (1 - x)),
    "sinc": sinc,
    "frac": lambda x: x - np.trunc(x),
    "conj": np.conj,
    "frexp_mantissa": lambda x: np.frexp(x)[0],
    "frexp_exponent": lambda x: np.frexp(x)[1],
    "signbit": np.signbit,
    "ldexp": lambda x, y: x * np.exp2(y if y.dtype.kind == "c" else y.astype(np.longdouble)),
    "logaddexp": logaddexp,
    "logaddexp2": np.logaddexp2,
    "xlogy": lambda x, y: np.where(x == 0, 0, x * np.log(y)),
    "xlog1py": lambda x, y: np.where(x == 0, 0, x * np.log1p(y)),
    "nextafter": next_after,
    "heaviside": heaviside,
    "gcd": np.gcd,
    "lcm": np.lcm,
    "complex": lambda x, y: x + 1j * y,
    "polar": lambda x, y: x * np.exp(1j * y),
    "addcdiv": lambda x, a, b: x + a / b,
    "nan_to_num": np.nan_to_num,
    "isclose": np.isclose,
    "relu": lambda x: np.where(x < 0, 0, x),
    "selu": lambda x: np.longdouble("1.0507009873554804934193349852946")
    * np.where(x > 0, x, np.longdouble("1.6732632423543772848170429916717") * np.expm1(np.minimum(x, 0))),
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "hardshrink": lambda x: np.where(np.abs(x) <= 0.5, 0, x),
    "threshold": lambda x: np.where(x <= PARAMETERS["threshold"][0], PARAMETERS["threshold"][1], x),
    "neg": np.negative,
    "abs": np.abs,
    "sign": sign,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": lambda x: np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round": np.rint,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "logical_not": np.logical_not,
    "bitwise_not": np.invert,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floor_divide": np.floor_divide,
    "trunc_divide": trunc_divide,
    "remainder": np.remainder,
    "fmod": np.fmod,
    "pow": np.power,
    "atan2": np.arctan2,
    "maximum": lambda x, y: minmax(x, y, True, True),
    "minimum": lambda x, y: minmax(x, y, False, True),
    "fmax": lambda x, y: minmax(x, y, True, False),
    "fmin": lambda x, y: minmax(x, y, False, False),
    "hypot": np.hypot,
    "copysign": np.copysign,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_left_shift": lambda x, y: shift(x, y, True),
    "bitwise_right_shift": lambda x, y: shift(x, y, False),
    "where": np.where,
    "clamp": lambda x, low, high: np.where(np.isnan(x), x, np.minimum(np.maximum(x, low), high)),
    "lerp": lerp,
    "add_scaled": lambda x, y, alpha: x + alpha * y,
    "addcmul": lambda x, a, b: x + a * b,
}
# Numbers that a call must have.
PARAMETERS = {"threshold": (5, 3)}
# With cancellation the error is relative to the terms, not to their sum.
TERMS = {
    "lerp": lambda x, end, weight: abs(x) + (1 + abs(weight)) * (abs(end) + abs(x)),
    "add_scaled": lambda x, y, alpha: abs(x) + abs(alpha * y),
    "addcmul": lambda x, a, b: abs(x) + abs(a * b),
    "addcdiv": lambda x, a, b: abs(x) + abs(a / b),
    # 1 + exp may cancel: the error is one of the greater argument.
    "logaddexp": lambda x, y: abs(x) + abs(y) + 1,
    "logaddexp2": lambda x, y: abs(x) + abs(y) + 1,
}
# Rows that tell apart what the wider arithmetic of this oracle does not: their tests are in test_pointwise.py.
IN_FORMAT = {"nextafter"}


def test_every_row_has_an_oracle():
    assert set(ELEMENTWISE) == set(ORACLE)


def wide(array, name=""):
    if name in IN_FORMAT:
        return array
    return {"f": lambda: array.astype(np.longdouble), "c": lambda: array.astype(np.clongdouble)}.get(
        array.dtype.kind, lambda: array
    )()


def domain(row, dtype, position):
    if dtype.is_complex:
        return -2.0, 2.0
    low, high = row["domain"]
    if not dtype.is_floating_point and dtype is not td.bool:
        if row["result"] == "float":  # computed as floats
            return min(math.ceil(low), math.floor(high)), math.floor(high)
        if row["name"] == "pow":
            return (-4, 4) if position == 0 else (0, 6)
        if "shift" in row["name"] and position == 1:
            return (-3, 70)
        return (-20, 20) if position == 1 else (-130, 130)
    if dtype is td.float16:
        return max(low, -10.0), min(high, 10.0)
    return low, high


def operands(row):
    """Tensor arguments; addcmul's fourth operand and the like are numbers."""
    few = {"addcmul": 3, "addcdiv": 3, "nan_to_num": 1, "isclose": 2, "celu": 1, "hardshrink": 1, "threshold": 1}
    return few.get(row["name"], row["arity"])


def inputs(row, dtype, rng, shape=(3, 5, 8)):
    arrays = []
    for i in range(operands(row)):
        kind = td.bool if row["name"] == "where" and i == 0 else dtype
        arrays.append(random_array(rng, kind, shape, *domain(row, kind, i)))
    return arrays


def check(row, dtype, got, arrays):
    with np.errstate(all="ignore"):
        expected = ORACLE[row["name"]](*(wide(a, row["name"]) for a in arrays))
        scale = TERMS[row["name"]](*map(wide, arrays)) if row["name"] in TERMS else np.abs(expected)
    if row["result"] == "bool":
        assert got.dtype is td.bool
        np.testing.assert_array_equal(got.numpy(), expected)
        return
    if not (got.dtype.is_floating_point or got.dtype.is_complex):
        assert got.dtype is (td.int32 if row["result"] == "int32" else dtype)
        np.testing.assert_array_equal(got.numpy(), expected)
        return
    target = numpy_dtype(got.dtype)
    real = np.zeros(0, target).real.dtype
    limit = np.finfo(real)
    # Half an ulp for the rounding of the exact value itself, and the row's bound; complex ones by modulus.
    ulps = row["max_ulp"] + (6 if got.dtype.is_complex else 1)
    with np.errstate(invalid="ignore"):  # inf - inf
        error = np.abs(wide(got.numpy()) - expected)
    allowed = ulps * np.maximum(scale * limit.eps, limit.smallest_subnormal)
    overflow = np.abs(expected) > limit.max
    odd = (np.isnan(expected) & np.isnan(got.numpy())) | (expected == got.numpy())
    bad = ~((error <= allowed) | overflow | odd)
    assert not bad.any(), (row["name"], short(dtype), [a[bad][:3] for a in arrays], got.numpy()[bad][:3], expected[bad][:3])


def supported(row):
    """The dtypes that an op takes: those it computes in, and those that promote to them."""
    for dtype in NUMPY_DTYPES:
        integral = not (dtype.is_floating_point or dtype.is_complex)
        as_int = row["result"] == "number" and dtype is td.bool
        if dtype in row["dtypes"] or as_int or (row["result"] == "float" and integral):
            yield dtype


def call(name, tensors):
    return getattr(td, name)(*tensors, *PARAMETERS.get(name, ()))


CASES = [(name, dtype) for name in ELEMENTWISE for dtype in supported(ROWS[name])]


@pytest.mark.parametrize("name, dtype", CASES, ids=[f"{n}-{short(d)}" for n, d in CASES])
def test_row_against_numpy(name, dtype, rng):
    row = ROWS[name]
    if dtype is td.bool and row["result"] == "float":
        arrays = [random_array(rng, td.bool, (3, 5, 8)) for _ in range(row["arity"])]
        low, high = row["domain"]
        if not low <= 0 or not high >= 1:
            arrays = [np.ones_like(a) for a in arrays]
        if name in ("atanh", "erfinv", "logit"):
            arrays = [np.zeros_like(a) for a in arrays]
        got = call(name, [td.from_numpy(a) for a in arrays])
        assert got.dtype is td.float32
        check(row, dtype, got, [a.astype(np.float64) for a in arrays])
        return
    arrays = inputs(row, dtype, rng)
    tensors = [td.from_numpy(a) for a in arrays]
    got = call(name, tensors)
    if dtype is td.bool and row["result"] == "number":
        assert got.dtype is td.int64
        check(row, td.int64, got, [a.astype(np.int64) for a in arrays])
    elif row["result"] == "float" and not (dtype.is_floating_point or dtype.is_complex):
        assert got.dtype is td.float32
        check(row, dtype, got, [a.astype(np.float64) for a in arrays])
    else:
        check(row, dtype, got, arrays)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_layout_gives_the_same_bits(name, rng):
    row = ROWS[name]
    dtype = next(d for d in (td.float32, td.float16, td.int32, td.bool, td.complex64) if d in row["dtypes"])
    arrays = inputs(row, dtype, rng)
    for layout, first in layouts(arrays[0]):
        views = [first] + [dict(layouts(a)).get(layout, a) for a in arrays[1:]]
        got = call(name, [td.from_numpy(v) for v in views])
        plain = call(name, [td.from_numpy(np.ascontiguousarray(v)) for v in views])
        assert np.array_equal(got.numpy(), plain.numpy(), equal_nan=got.dtype.is_floating_point), layout


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_methods_in_place_and_out(name, rng):
    row = ROWS[name]
    dtype = next(d for d in (td.float32, td.int32, td.bool, td.complex64) if d in row["dtypes"])
    tensors = [td.from_numpy(a) for a in inputs(row, dtype, rng)]
    expected = call(name, tensors)
    further = [*tensors[1:], *PARAMETERS.get(name, ())]
    if name != "where":
        assert same(getattr(tensors[0], name)(*further), expected)
    out = td.empty(expected.shape, dtype=expected.dtype)
    assert getattr(td, name)(tensors[0], *further, out=out) is out and same(out, expected)
    grown = td.empty(0, dtype=expected.dtype)
    assert getattr(td, name)(tensors[0], *further, out=grown) is grown and same(grown, expected)
    strided = td.zeros(*expected.shape, 2, dtype=expected.dtype)[..., 0]
    getattr(td, name)(tensors[0], *further, out=strided)
    assert same(strided, expected)
    if not row["in_place"]:
        assert not hasattr(td.Tensor, name + "_")
        return
    x = tensors[0].clone()
    if not td.can_cast(expected.dtype, x.dtype):
        with pytest.raises(TypeError, match="can't be cast"):
            getattr(x, name + "_")(*further)
        assert same(x, tensors[0])
        return
    assert getattr(x, name + "_")(*further) is x
    assert same(x, expected.to(x.dtype))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_meta_infers_what_real_execution_gives(name, rng):
    row = ROWS[name]
    for dtype in supported(row):
        arrays = inputs(row, dtype if dtype is not td.bool else td.bool, rng, (2, 3)) if dtype is not td.bool else [
            np.ones((2, 3), bool)
        ] * operands(row)
        real = call(name, [td.from_numpy(a) for a in arrays])
        meta = call(name, [td.from_numpy(a).to("meta") for a in arrays])
        assert meta.is_meta and meta.shape == real.shape and meta.dtype is real.dtype


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_empty_and_zero_dimensional(name):
    row = ROWS[name]
    dtype = next(d for d in (td.float32, td.int32, td.bool, td.complex64) if d in row["dtypes"])
    for shape in [(0,), (2, 0, 3), ()]:
        tensors = [td.ones(shape, dtype=td.bool if name == "where" and i == 0 else dtype) for i in range(operands(row))]
        assert call(name, tensors).shape == shape


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_wrong_calls_name_the_op(name):
    row = ROWS[name]
    with pytest.raises(TypeError, match=f"\\[{name}\\]"):
        getattr(td, name)()
    with pytest.raises(TypeError, match=f"\\[{name}\\].*str"):
        getattr(td, name)(*["x"] * operands(row))
    with pytest.raises(TypeError, match=f"\\[{name}\\]"):
        getattr(td, name)(*[td.ones(2)] * 9)
    with pytest.raises(TypeError, match=f"\\[{name}\\].*nonsense"):
        getattr(td, name)(*[td.ones(2)] * operands(row), nonsense=1)


def test_every_row_is_a_function_and_most_are_methods():
    for name, row in ROWS.items():
        if name.endswith("_"):
            assert not hasattr(td, name) and callable(getattr(td.Tensor, name))
            continue
        function = td
        for part in row["python"].split("."):
            function = getattr(function, part)
        assert callable(function) and function.__doc__, name
        if "." in row["python"]:  # of a module: no method
            assert not hasattr(td.Tensor, name)
            continue
        assert hasattr(td.Tensor, name) == row["method"] or name in ("sum", "polygamma"), name


def test_other_names_are_the_same_functions():
    aliases = [(alias, row["name"]) for row in ROWS.values() for alias in row["aliases"]]
    assert ("multiply", "mul") in aliases and ("true_divide", "div") in aliases
    for alias, name in aliases:
        module, _, short_name = alias.partition("_")
        if module in ("linalg", "fft"):
            assert getattr(getattr(td, module), short_name) is getattr(td, name), alias
            continue
        row_module, _, row_name = name.partition("_")
        if row_module == "linalg":  # det of linalg_det: a method too
            assert getattr(td, alias) is getattr(td.linalg, row_name), alias
            assert vars(td.Tensor).get(alias) in (getattr(td, alias), None), alias
            continue
        assert getattr(td, alias) is getattr(td, name), alias
        assert vars(td.Tensor).get(alias) is vars(td.Tensor).get(name) or name == "flatten", alias
        in_place = ROWS[name]["in_place"] or name == "transpose"  # transpose_ changes the view itself
        assert hasattr(td.Tensor, alias + "_") == in_place, alias
    t = td.tensor([[1.0, -2.0], [3.0, 4.0]])
    assert t.clone().multiply_(2).tolist() == [[2, -4], [6, 8]]
    assert td.clip(t, 0, 2).tolist() == [[1, 0], [2, 2]]
    assert t.swapaxes(0, 1).tolist() == td.moveaxis(t, 0, 1).tolist() == [[1, 3], [-2, 4]]
    assert td.concat([t, t], dim=1).shape == (2, 4)
    assert t.ravel().shape == (4,)


def test_sign_of_nan_is_zero():
    for dtype in (td.float16, td.bfloat16, td.float32, td.float64):
        t = td.tensor([math.nan, -0.0, -2.0, math.inf], dtype=dtype)
        assert t.sign().tolist() == [0, 0, -1, 1]
