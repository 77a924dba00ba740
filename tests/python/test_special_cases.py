"""The special cases of the Python Array API standard 2024.12, one line each, in every float and complex dtype.

lint: oracle table. One file, beyond the usual length: most of it is the standard's list.

A line of REAL is "functions | x1 | x2 | expected"; the words are explained at VALUES and in `expected_values`. A case
that Tandem decides otherwise is in OTHERWISE, with the reason; the test then holds Tandem to its own rule. COMPLEX is
"functions | re | im | expected re | expected im"; the sign of a part marked `?` is left open by the standard.
"""

import itertools
import math
import re

import pytest

import tandem

inf, nan, pi = math.inf, math.nan, math.pi

FLOATS = [t for t in tandem.dtypes if t.is_floating_point]
COMPLEXES = [t for t in tandem.dtypes if t.is_complex]


def finite(dtype):
    """Positive numbers of every size and kind."""
    limits = tandem.finfo(dtype)
    least = limits.smallest_normal * limits.eps  # the least subnormal
    return [least, limits.smallest_normal, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 7.25, 100.0, limits.max]


def negative(values):
    return [-v for v in values]


# What a word of a case stands for: all of these are tried.
VALUES = {
    "nan": lambda t: [nan],
    "+inf": lambda t: [inf],
    "-inf": lambda t: [-inf],
    "+-inf": lambda t: [inf, -inf],
    "+0": lambda t: [0.0],
    "-0": lambda t: [-0.0],
    "+-0": lambda t: [0.0, -0.0],
    "pos": finite,
    "neg": lambda t: negative(finite(t)),
    "nonzero": lambda t: finite(t) + negative(finite(t)),
    "finite": lambda t: finite(t) + negative(finite(t)) + [0.0, -0.0],
    ">0": lambda t: [*finite(t), inf],
    "<0": lambda t: [*negative(finite(t)), -inf],
    "number": lambda t: finite(t) + negative(finite(t)) + [0.0, -0.0, inf, -inf],
    "any": lambda t: finite(t) + negative(finite(t)) + [0.0, -0.0, inf, -inf, nan],
    "1": lambda t: [1.0],
    "-1": lambda t: [-1.0],
    "+-1": lambda t: [1.0, -1.0],
    "not 1": lambda t: [v for v in VALUES["any"](t) if v != 1],
    "|x|>1": lambda t: [1.5, -1.5, 100.0, -100.0, inf, -inf],
    "|x|<1": lambda t: [0.5, -0.5, 0.0, -0.0, finite(t)[0]],
    ">1": lambda t: [1.5, 100.0, inf],
    "<1": lambda t: [0.5, 0.0, -0.0, -1.0, -100.0, -inf],
    "<-1": lambda t: [-1.5, -100.0, -inf],
    "odd>0": lambda t: [1.0, 3.0, 7.0],
    "odd<0": lambda t: [-1.0, -3.0, -7.0],
    "not odd>0": lambda t: [0.5, 2.0, 2.5, 100.0, inf],
    "not odd<0": lambda t: [-0.5, -2.0, -2.5, -100.0, -inf],
    "no integer": lambda t: [0.5, -0.5, 2.5, -7.25],
    "integer": lambda t: [1.0, -1.0, 3.0, -100.0, tandem.finfo(t).max],
    "half": lambda t: [0.5, 1.5, 2.5, -0.5, -1.5, -2.5],
}

REAL = """
abs | nan | | nan
abs | -0 | | +0
abs | -inf | | +inf
acos | nan | | nan
acos | >1 | | nan
acos | <-1 | | nan
acos | 1 | | +0
acosh | nan | | nan
acosh | <1 | | nan
acosh | 1 | | +0
acosh | +inf | | +inf
add | nan | any | nan
add | any | nan | nan
add | +inf | -inf | nan
add | -inf | +inf | nan
add | +inf | +inf | +inf
add | -inf | -inf | -inf
add | +inf | finite | +inf
add | -inf | finite | -inf
add | finite | +inf | +inf
add | finite | -inf | -inf
add | -0 | -0 | -0
add | -0 | +0 | +0
add | +0 | -0 | +0
add | +0 | +0 | +0
add | +-0 | nonzero | x2
add | nonzero | +-0 | x1
add | nonzero | -x1 | +0
asin | nan | | nan
asin | >1 | | nan
asin | <-1 | | nan
asin | +-0 | | x1
asinh | nan | | nan
asinh | +-0 | | x1
asinh | +-inf | | x1
atan | nan | | nan
atan | +-0 | | x1
atan | +inf | | pi/2
atan | -inf | | -pi/2
atan2 | nan | any | nan
atan2 | any | nan | nan
atan2 | >0 | +-0 | pi/2
atan2 | +0 | >0 | +0
atan2 | +0 | +0 | +0
atan2 | +0 | -0 | pi
atan2 | +0 | <0 | pi
atan2 | -0 | >0 | -0
atan2 | -0 | +0 | -0
atan2 | -0 | -0 | -pi
atan2 | -0 | <0 | -pi
atan2 | <0 | +-0 | -pi/2
atan2 | pos | +inf | +0
atan2 | pos | -inf | pi
atan2 | neg | +inf | -0
atan2 | neg | -inf | -pi
atan2 | +inf | finite | pi/2
atan2 | -inf | finite | -pi/2
atan2 | +inf | +inf | pi/4
atan2 | +inf | -inf | 3pi/4
atan2 | -inf | +inf | -pi/4
atan2 | -inf | -inf | -3pi/4
atanh | nan | | nan
atanh | >1 | | nan
atanh | <-1 | | nan
atanh | 1 | | +inf
atanh | -1 | | -inf
atanh | +-0 | | x1
ceil, floor, round, trunc | integer | | x1
ceil, floor, round, trunc | +-inf | | x1
ceil, floor, round, trunc | +-0 | | x1
ceil, floor, round, trunc | nan | | nan
copysign | any | >0 | |x1|
copysign | any | +0 | |x1|
copysign | any | <0 | -|x1|
copysign | any | -0 | -|x1|
cos | nan | | nan
cos | +-0 | | 1
cos | +-inf | | nan
cosh | nan | | nan
cosh | +-0 | | 1
cosh | +-inf | | +inf
divide, floor_divide | nan | any | nan
divide, floor_divide | any | nan | nan
divide, floor_divide | +-inf | +-inf | nan
divide, floor_divide | +-0 | +-0 | nan
divide, floor_divide | +0 | >0 | +0
divide, floor_divide | -0 | >0 | -0
divide, floor_divide | +0 | <0 | -0
divide, floor_divide | -0 | <0 | +0
divide, floor_divide | >0 | +0 | +inf
divide, floor_divide | >0 | -0 | -inf
divide, floor_divide | <0 | +0 | -inf
divide, floor_divide | <0 | -0 | +inf
divide, floor_divide | +inf | pos | +inf
divide, floor_divide | +inf | neg | -inf
divide, floor_divide | -inf | pos | -inf
divide, floor_divide | -inf | neg | +inf
divide, floor_divide | pos | +inf | +0
divide | pos | -inf | -0
divide | neg | +inf | -0
divide, floor_divide | neg | -inf | +0
divide, floor_divide | nonzero | nonzero | sign
equal | nan | any | False
equal | any | nan | False
equal | +inf | +inf | True
equal | -inf | -inf | True
equal | -0 | +0 | True
equal | +0 | -0 | True
exp | nan | | nan
exp | +-0 | | 1
exp | +inf | | +inf
exp | -inf | | +0
expm1 | nan | | nan
expm1 | +-0 | | x1
expm1 | +inf | | +inf
expm1 | -inf | | -1
floor_divide | pos | -inf | -1
floor_divide | neg | +inf | -1
greater | nan | any | False
greater | any | nan | False
greater | +inf | finite | True
greater | +0 | -0 | False
greater_equal | nan | any | False
greater_equal | any | nan | False
greater_equal | -0 | +0 | True
hypot | +-inf | any | +inf
hypot | any | +-inf | +inf
hypot | nan | finite | nan
hypot | finite | nan | nan
hypot | nan | nan | nan
hypot | +-0 | finite | |x2|
hypot | finite | +-0 | |x1|
isfinite | +-inf | | False
isfinite | nan | | False
isfinite | finite | | True
isinf | +-inf | | True
isinf | nan | | False
isinf | finite | | False
isnan | nan | | True
isnan | number | | False
less | nan | any | False
less | any | nan | False
less | -0 | +0 | False
less | -inf | finite | True
less_equal | nan | any | False
less_equal | any | nan | False
less_equal | +0 | -0 | True
log, log2, log10 | nan | | nan
log, log2, log10 | <0 | | nan
log, log2, log10 | +-0 | | -inf
log, log2, log10 | 1 | | +0
log, log2, log10 | +inf | | +inf
log1p | nan | | nan
log1p | <-1 | | nan
log1p | -1 | | -inf
log1p | +-0 | | x1
log1p | +inf | | +inf
logaddexp | nan | any | nan
logaddexp | any | nan | nan
logaddexp | +inf | number | +inf
logaddexp | number | +inf | +inf
logaddexp | -inf | -inf | -inf
logical_and | nan | nan | True
logical_not | nan | | False
logical_not | +-0 | | True
logical_or | nan | +0 | True
logical_xor | nan | +0 | True
maximum | nan | any | nan
maximum | any | nan | nan
maximum | +0 | -0 | +0
maximum | -0 | +0 | +0
minimum | nan | any | nan
minimum | any | nan | nan
minimum | +0 | -0 | -0
minimum | -0 | +0 | -0
multiply | nan | any | nan
multiply | any | nan | nan
multiply | +-inf | +-0 | nan
multiply | +-0 | +-inf | nan
multiply | nonzero | nonzero | sign
multiply | +-0 | nonzero | sign
multiply | +inf | +inf | +inf
multiply | +inf | -inf | -inf
multiply | -inf | -inf | +inf
multiply | +-inf | nonzero | sign inf
multiply | nonzero | +-inf | sign inf
negative | nan | | nan
negative | +inf | | -inf
negative | -inf | | +inf
negative | +0 | | -0
negative | -0 | | +0
nextafter | nan | any | nan
nextafter | any | nan | nan
nextafter | -0 | +0 | +0
nextafter | +0 | -0 | -0
not_equal | nan | any | True
not_equal | any | nan | True
not_equal | -0 | +0 | False
positive | nan | | nan
positive | number | | x1
pow | not 1 | nan | nan *
pow | any | +-0 | 1
pow | nan | nonzero | nan
pow | |x|>1 | +inf | +inf
pow | |x|>1 | -inf | +0
pow | +-1 | +-inf | 1
pow | 1 | number | 1
pow | |x|<1 | +inf | +0
pow | |x|<1 | -inf | +inf
pow | +inf | >0 | +inf
pow | +inf | <0 | +0
pow | -inf | odd>0 | -inf
pow | -inf | not odd>0 | +inf
pow | -inf | odd<0 | -0
pow | -inf | not odd<0 | +0
pow | +0 | >0 | +0
pow | +0 | <0 | +inf
pow | -0 | odd>0 | -0
pow | -0 | not odd>0 | +0
pow | -0 | odd<0 | -inf
pow | -0 | not odd<0 | +inf
pow | neg | no integer | nan
reciprocal | nan | | nan
reciprocal | +0 | | +inf
reciprocal | -0 | | -inf
reciprocal | +inf | | +0
reciprocal | -inf | | -0
remainder | nan | any | nan
remainder | any | nan | nan
remainder | +-inf | +-inf | nan
remainder | +-0 | +-0 | nan
remainder | +0 | >0 | +0
remainder | -0 | >0 | +0
remainder | +0 | <0 | -0
remainder | -0 | <0 | -0
remainder | >0 | +-0 | nan
remainder | <0 | +-0 | nan
remainder | +inf | pos | nan
remainder | +inf | neg | nan
remainder | -inf | pos | nan
remainder | -inf | neg | nan
remainder | pos | +inf | x1
remainder | pos | -inf | x2
remainder | neg | +inf | x2
remainder | neg | -inf | x1
remainder | nonzero | nonzero | sign of x2
round | half | | even
rsqrt | nan | | nan
rsqrt | +inf | | +0
sign | neg | | -1
sign | +-0 | | 0
sign | pos | | 1
sign | nan | | nan
signbit | +0 | | False
signbit | -0 | | True
signbit | +inf | | False
signbit | -inf | | True
signbit | pos | | False
signbit | neg | | True
sin | nan | | nan
sin | +-0 | | x1
sin | +-inf | | nan
sinh | nan | | nan
sinh | +-0 | | x1
sinh | +-inf | | x1
sqrt | nan | | nan
sqrt | <0 | | nan
sqrt | +-0 | | x1
sqrt | +inf | | +inf
square | nan | | nan
square | +-inf | | +inf
square | +-0 | | +0
subtract | +inf | +inf | nan
subtract | -inf | -inf | nan
subtract | +inf | -inf | +inf
subtract | nan | any | nan
subtract | any | nan | nan
subtract | -0 | +0 | -0
subtract | -0 | -0 | +0
subtract | +0 | +0 | +0
tan | nan | | nan
tan | +-0 | | x1
tan | +-inf | | nan
tanh | nan | | nan
tanh | +-0 | | x1
tanh | +inf | | 1
tanh | -inf | | -1
"""

# The standard's names that mean something else here, as in PyTorch.
NAMES = {"equal": "eq"}

# Where Tandem's own rule is another one: (what it gives instead, why).
OTHERWISE = {
    "sign | nan | | nan": ("+0", "as in PyTorch: (x > 0) - (x < 0)"),
}


def cells(table):
    """Each function's line and its cells."""
    for line in table.strip().splitlines():
        # |x1| and |x|>1 are words, not borders: borders have blanks around them.
        names, *rest = [cell.strip() for cell in re.split(r"\s\|(?=\s)", line)]
        for name in names.split(", "):
            yield name + line[len(names) :], [name, *rest]


def real_cases():
    for line, parts in cells(REAL):
        yield pytest.param(*parts, line, id=line.replace(" ", ""))


ANGLES = {"pi": pi, "pi/2": pi / 2, "pi/4": pi / 4, "3pi/4": 3 * pi / 4}


def expected_value(word, x1, x2):
    """What a word of the last column says of the result of x1 and x2: a number or a test."""
    sign = None if x2 is None else math.copysign(1, x1) * math.copysign(1, x2)
    simple = {"nan": nan, "+inf": inf, "-inf": -inf, "+0": 0.0, "-0": -0.0, "True": True, "False": False}
    if word in simple:
        return simple[word]
    if word in ("x1", "x2"):
        return x1 if word == "x1" else x2
    if word in ("|x1|", "-|x1|", "|x2|"):
        return {"|x1|": abs(x1), "-|x1|": -abs(x1), "|x2|": None if x2 is None else abs(x2)}[word]
    if word.lstrip("-") in ANGLES:
        return ANGLES[word.lstrip("-")] * (-1 if word[0] == "-" else 1)
    if word == "sign":  # of the product
        return lambda y: math.copysign(1, y) == sign and not math.isnan(y)
    if word == "sign inf":
        return sign * inf
    if word == "sign of x2":
        return lambda y: math.copysign(1, y) == math.copysign(1, x2) and abs(y) <= abs(x2)
    if word == "even":
        return math.copysign(2 * round(x1 / 2), x1)
    return float(word)


def agrees(got, expected, dtype):
    if callable(expected):
        return expected(got)
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    if math.isnan(expected):
        return math.isnan(got)
    if expected == 0 or math.isinf(expected):
        return got == expected and math.copysign(1, got) == math.copysign(1, expected)
    return abs(got - expected) <= abs(expected) * tandem.finfo(dtype).eps


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name, first, second, expected, line", list(real_cases()))
def test_real(name, first, second, expected, line, dtype):
    standard = expected.removesuffix(" *")
    expected = OTHERWISE.get(line, (standard,))[0]
    check_real(getattr(tandem, NAMES.get(name, name)), first, second, expected, line, dtype)
    # The strict namespace has no rules of its own; its logical functions take bool alone.
    strict = getattr(tandem.array_api, name, None)
    if strict is not None and dtype in (tandem.float32, tandem.float64) and not name.startswith("logical"):
        check_real(strict, first, second, standard, line, dtype)


def check_real(function, first, second, expected, line, dtype):
    pairs = []
    for x1 in VALUES[first](dtype):
        others = [None] if not second else [-x1] if second == "-x1" else VALUES[second](dtype)
        pairs += [(x1, x2) for x2 in others]
    if line.endswith("*"):  # a power of zero is 1 whatever the base
        pairs = [p for p in pairs if p[1] != 0]
    x1 = tandem.tensor([p[0] for p in pairs], dtype=dtype)
    args = [x1] if not second else [x1, tandem.tensor([p[1] for p in pairs], dtype=dtype)]
    # Long enough for the vectorised loop, and in its remainder.
    results = [function(*(tandem.cat([a] * n) for a in args)).tolist()[-len(pairs) :] for n in (1, 64)]
    for got in results:
        wrong = [
            (pair, value)
            for pair, value in zip(pairs, got, strict=True)
            if not agrees(value, expected_value(expected, *pair), dtype)
        ]
        assert not wrong, f"{line}: {wrong}"


COMPLEX = """
acos | +-0 | +0 | pi/2 | -0
acos | +-0 | nan | pi/2 | nan
acos | finite | +inf | pi/2 | -inf
acos | nonzero | nan | nan | nan
acos | -inf | pos | pi | -inf
acos | +inf | pos | +0 | -inf
acos | -inf | +inf | 3pi/4 | -inf
acos | +inf | +inf | pi/4 | -inf
acos | +-inf | nan | nan | +inf?
acos | nan | finite | nan | nan
acos | nan | +inf | nan | -inf
acos | nan | nan | nan | nan
acosh | +-0 | +0 | +0 | pi/2
acosh | finite | +inf | +inf | pi/2
acosh | nonzero | nan | nan | nan
acosh | +0 | nan | nan | pi/2?
acosh | -inf | pos | +inf | pi
acosh | +inf | pos | +inf | +0
acosh | -inf | +inf | +inf | 3pi/4
acosh | +inf | +inf | +inf | pi/4
acosh | +-inf | nan | +inf | nan
acosh | nan | finite | nan | nan
acosh | nan | +inf | +inf | nan
acosh | nan | nan | nan | nan
asinh | +0 | +0 | +0 | +0
asinh | pos | +inf | +inf | pi/2
asinh | finite | nan | nan | nan
asinh | +inf | pos | +inf | +0
asinh | +inf | +inf | +inf | pi/4
asinh | +inf | nan | +inf | nan
asinh | nan | +0 | nan | +0
asinh | nan | nonzero | nan | nan
asinh | nan | +inf | +inf? | nan
asinh | nan | nan | nan | nan
atanh | +0 | +0 | +0 | +0
atanh | +0 | nan | +0 | nan
atanh | 1 | +0 | +inf | +0
atanh | pos | +inf | +0 | pi/2
atanh | nonzero | nan | nan | nan
atanh | +inf | pos | +0 | pi/2
atanh | +inf | +inf | +0 | pi/2
atanh | +inf | nan | +0 | nan
atanh | nan | finite | nan | nan
atanh | nan | +inf | +0? | pi/2
atanh | nan | nan | nan | nan
cosh | +0 | +0 | 1 | +0
cosh | +0 | +inf | nan | +0?
cosh | +0 | nan | nan | +0?
cosh | nonzero | +inf | nan | nan
cosh | nonzero | nan | nan | nan
cosh | +inf | +0 | +inf | +0
cosh | +inf | nonzero | inf cis | inf cis
cosh | +inf | +inf | +inf? | nan
cosh | +inf | nan | +inf | nan
cosh | nan | +0 | nan | +0?
cosh | nan | nonzero | nan | nan
cosh | nan | nan | nan | nan
exp | +-0 | +0 | 1 | +0
exp, expm1 | finite | +inf | nan | nan
exp, expm1 | finite | nan | nan | nan
exp, expm1 | +inf | +0 | +inf | +0
exp | -inf | finite | 0 cis | 0 cis
exp, expm1 | +inf | nonzero | inf cis | inf cis
exp | -inf | +inf | +0? | +0?
exp, expm1 | +inf | +inf | +inf? | nan
exp | -inf | nan | +0? | +0?
exp, expm1 | +inf | nan | +inf? | nan
exp, expm1 | nan | +0 | nan | +0
exp, expm1 | nan | nonzero | nan | nan
exp, expm1 | nan | nan | nan | nan
expm1 | +-0 | +0 | +0? | +0
expm1 | -inf | finite | -1 | 0 cis
expm1 | -inf | +inf | -1 | +0?
expm1 | -inf | nan | -1 | +0?
log | -0 | +0 | -inf | pi
log | +0 | +0 | -inf | +0
log, log1p | finite | +inf | +inf | pi/2
log, log1p | finite | nan | nan | nan
log, log1p | -inf | pos | +inf | pi
log, log1p | +inf | pos | +inf | +0
log, log1p | -inf | +inf | +inf | 3pi/4
log, log1p | +inf | +inf | +inf | pi/4
log, log1p | +-inf | nan | +inf | nan
log, log1p | nan | finite | nan | nan
log, log1p | nan | +inf | +inf | nan
log, log1p | nan | nan | nan | nan
log1p | -1 | +0 | -inf | +0
sinh | +0 | +0 | +0 | +0
sinh | +0 | +inf | +0? | nan
sinh | +0 | nan | +0? | nan
sinh | pos | +inf | nan | nan
sinh | pos | nan | nan | nan
sinh | +inf | +0 | +inf | +0
sinh | +inf | pos | inf cis | inf cis
sinh | +inf | +inf | +inf? | nan
sinh | +inf | nan | +inf? | nan
sinh | nan | +0 | nan | +0
sinh | nan | nonzero | nan | nan
sinh | nan | nan | nan | nan
sqrt | +-0 | +0 | +0 | +0
sqrt | any | +inf | +inf | +inf
sqrt | finite | nan | nan | nan
sqrt | -inf | pos | +0 | +inf
sqrt | +inf | pos | +inf | +0
sqrt | -inf | nan | nan | +inf?
sqrt | +inf | nan | +inf | nan
sqrt | nan | finite | nan | nan
sqrt | nan | nan | nan | nan
tanh | +0 | +0 | +0 | +0
tanh | nonzero | +inf | nan | nan
tanh | +0 | +inf | +0 | nan
tanh | nonzero | nan | nan | nan
tanh | +0 | nan | +0 | nan
tanh | +inf | pos | 1 | +0?
tanh | +inf | +inf | 1 | +0?
tanh | +inf | nan | 1 | +0?
tanh | nan | +0 | nan | +0
tanh | nan | nonzero | nan | nan
tanh | nan | nan | nan | nan
"""


def complex_cases():
    for line, parts in cells(COMPLEX):
        yield pytest.param(*parts, id=line.replace(" ", ""))


def part_agrees(got, word, other, cosine, dtype):
    """`other`: the imaginary part of the input, for cis(b) = cos b + i sin b."""
    if word in ("inf cis", "0 cis"):
        direction = math.cos(other) if cosine else math.sin(other)
        # 0 times sin(0) keeps its sign; an angle with a vanishing part has that sign.
        return agrees(got, math.copysign(inf if word == "inf cis" else 0.0, direction), dtype)
    expected = expected_value(word.removesuffix("?"), 0.0, None)
    return agrees(got, expected, dtype) or (word.endswith("?") and agrees(got, -expected, dtype))


def make_complex(parts, dtype):
    """Tensors of complex numbers from parts: not by arithmetic, which would lose infinities and signs."""
    part = tandem.float32 if dtype.itemsize == 8 else tandem.float64
    flat = tandem.tensor(list(itertools.chain(*parts)), dtype=part)
    return flat.view(dtype)


@pytest.mark.parametrize("dtype", COMPLEXES, ids=str)
@pytest.mark.parametrize("name, re, im, expected_re, expected_im", list(complex_cases()))
def test_complex(name, re, im, expected_re, expected_im, dtype):
    part = tandem.float32 if dtype.itemsize == 8 else tandem.float64
    inputs = list(itertools.product(VALUES[re](part), VALUES[im](part)))
    # The functions here have f(conj z) = conj f(z).
    inputs += [(a, -b) for a, b in inputs]
    z = make_complex(inputs, dtype)
    got = getattr(tandem, name)(tandem.cat([z] * 16)).view(part).tolist()[-2 * len(inputs) :]
    wrong = []
    for (a, b), u, v in zip(inputs, got[::2], got[1::2], strict=True):
        conjugate = math.copysign(1, b) != math.copysign(1, inputs[0][1]) and (a, b) in inputs[len(inputs) // 2 :]
        v, b = (-v, -b) if conjugate else (v, b)
        if not (part_agrees(u, expected_re, b, True, part) and part_agrees(v, expected_im, b, False, part)):
            wrong.append(((a, b), (u, v)))
    assert not wrong, wrong


def finite_complex():
    values = [0.0, -0.0, 0.5, -2.0, inf, -inf, nan]
    return list(itertools.product(values, values))


@pytest.mark.parametrize("dtype", COMPLEXES, ids=str)
def test_complex_predicates_and_abs(dtype):
    part = tandem.float32 if dtype.itemsize == 8 else tandem.float64
    inputs = finite_complex()
    z = make_complex(inputs, dtype)
    for name, rule in [
        ("isnan", lambda a, b: math.isnan(a) or math.isnan(b)),
        ("isinf", lambda a, b: math.isinf(a) or math.isinf(b)),
        ("isfinite", lambda a, b: math.isfinite(a) and math.isfinite(b)),
    ]:
        assert getattr(tandem, name)(z).tolist() == [rule(a, b) for a, b in inputs], name
    for (a, b), got in zip(inputs, tandem.abs(z).tolist(), strict=True):
        assert agrees(got, math.hypot(a, b), part), (a, b, got)
    for (a, b), got in zip(inputs, tandem.negative(z).view(part).reshape(-1, 2).tolist(), strict=True):
        assert agrees(got[0], -a, part) and agrees(got[1], -b, part)
    for (a, b), got in zip(inputs, tandem.sign(z).view(part).reshape(-1, 2).tolist(), strict=True):
        if a == 0 and b == 0:
            assert got[0] == 0 and got[1] == 0
        elif math.isnan(a) or math.isnan(b):
            assert math.isnan(got[0]) and math.isnan(got[1]), (a, b, got)


# Defined through the hyperbolic ones: f(z) = -i g(iz), or g(iz).
@pytest.mark.parametrize("dtype", COMPLEXES, ids=str)
@pytest.mark.parametrize(
    "name, hyperbolic, back",
    [("asin", "asinh", True), ("atan", "atanh", True), ("sin", "sinh", True), ("tan", "tanh", True), ("cos", "cosh", False)],
)
def test_complex_circular(name, hyperbolic, back, dtype):
    part = tandem.float32 if dtype.itemsize == 8 else tandem.float64
    inputs = finite_complex()
    got = getattr(tandem, name)(make_complex(inputs, dtype)).view(part).reshape(-1, 2).tolist()
    turned = getattr(tandem, hyperbolic)(make_complex([(-b, a) for a, b in inputs], dtype))
    expected = turned.view(part).reshape(-1, 2).tolist()
    if back:
        expected = [[v, -u] for u, v in expected]
    for z, g, e in zip(inputs, got, expected, strict=True):
        assert agrees(g[0], e[0], part) and agrees(g[1], e[1], part), (z, g, e)


@pytest.mark.parametrize("dtype", [t for t in tandem.dtypes if not (t.is_floating_point or t.is_complex or t is tandem.bool)], ids=str)
def test_integers(dtype):
    """Rounding gives integers themselves; powers of 0; halves to even has no meaning."""
    x = tandem.tensor([0, 1, 2, 100], dtype=dtype)
    for name in ("ceil", "floor", "round", "trunc", "positive"):
        if hasattr(tandem, name):
            y = getattr(tandem, name)(x)
            assert y.dtype is dtype and y.tolist() == x.tolist(), name
    assert tandem.pow(x, tandem.zeros_like(x)).tolist() == [1, 1, 1, 1]
    assert tandem.sign(x).tolist() == [0, 1, 1, 1]
