"""tandem.array_api against array-api-strict, the reference of the Python Array API standard 2024.12.

Each function of the standard has calls here, as text that is run in both namespaces: on every dtype of the standard, the
two give equal dtypes, shapes and values, or both refuse. A function without a call fails, and so does a name that the
standard has not.
"""

# lint: oracle table
import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

import tandem
from test_array_api_extensions import EXTENSIONS
from test_catalogue import ARRAY_API, CONSTANTS, DTYPES

strict = pytest.importorskip("array_api_strict")
strict.set_array_api_strict_flags(api_version="2024.12")
xp = tandem.array_api
DEVICE = "cuda" if tandem.cuda.is_available() else "cpu"

# name -> the line of the standard, extensions as linalg.inv
LINES = {line.partition("(")[0]: line for line in ARRAY_API.strip().split("\n")}
for part, lines in EXTENSIONS.items():
    LINES |= {f"{part}.{line.partition('(')[0]}": line.partition(" ->")[0] for line in lines.strip().split("\n")}


def function(namespace, name):
    for word in name.split("."):
        namespace = getattr(namespace, word)
    return namespace


# ---- names and signatures


def test_the_namespace_has_the_standards_names_and_no_other():
    names = {n for n in LINES if "." not in n} | set(CONSTANTS) | set(DTYPES) | set(EXTENSIONS)
    names |= {"__array_api_version__", "__array_namespace_info__"}
    assert set(xp.__all__) == names and set(dir(xp)) == names
    for part in EXTENSIONS:
        assert set(function(xp, part).__all__) == {n.partition(".")[2] for n in LINES if n.startswith(part + ".")}


@pytest.mark.parametrize("name", LINES)
def test_signature(name):
    got = f"{name.rpartition('.')[2]}{inspect.signature(function(xp, name))}"
    assert got.replace('"', "'") == LINES[name].replace('"', "'")
    assert function(xp, name).__doc__


@pytest.mark.parametrize("name", sorted(LINES))
def test_docstring(name):
    # Its examples are those of tandem's own functions, which test_docstrings.py runs.
    assert ">>> " in function(xp, name).__doc__


def test_a_keyword_of_pytorch_is_refused():
    x = xp.ones((2, 3))
    for call in ("sum(x, dim=0)", "sum(x, 0)", "add(x, other=x)", "add(x, x, out=x)", "sin(input=x)", "concat([x, x], 0)"):
        with pytest.raises(TypeError):
            eval("xp." + call, {"xp": xp, "x": x})


# ---- the elements of a call


def values(dtype, shape=(3, 4), first=0):
    """Some numbers of a dtype: with a sign, with a fraction, complex ones, where the dtype has them."""
    count = math.prod(shape)
    k = (np.arange(count) * 7 + first) % 11
    kind = np.dtype(dtype).kind
    if kind == "b":
        return (k % 2 == 0).reshape(shape)
    if kind == "u":
        return (k % 6).astype(dtype).reshape(shape)
    if kind == "i":
        return (k - 5).astype(dtype).reshape(shape)
    if kind == "f":
        return ((k - 5) / 4).astype(dtype).reshape(shape)
    return ((k - 5) / 4 + 1j * ((k * 3) % 5 - 2) / 2).astype(dtype).reshape(shape)


def square(dtype):
    """Definite matrices, which are symmetric."""
    return (np.array([[4, 1, 0], [1, 5, 2], [0, 2, 6]]) + np.arange(2).reshape(2, 1, 1)).astype(dtype)


def arrays_of(dtype):
    """The arrays that a call's text may name."""
    return {
        "x": values(dtype),
        "y": values(dtype, first=3),
        "row": values(dtype, (4,), first=1),
        "one": values(dtype, (), first=9),
        "cube": values(dtype, (2, 3, 4), first=2),
        "none": values(dtype, (0, 3)),
        "line": values(dtype, (1, 4, 1)),
        "a": square(dtype),
        "v": values(dtype, (3,), first=4),
        "b": values(dtype, (2, 3, 2), first=5),
        "holds": values("bool"),
        "index": np.array([2, 0, -1], dtype="int64"),
        "small": np.array([1, 0], dtype="uint8"),
        "places": np.array([[0, 1, 2, -1]], dtype="int32"),
        "sorted": np.sort(values(dtype, (6,))) if np.dtype(dtype).kind != "c" else values(dtype, (6,)),
    }


def in_tandem(given):
    return tandem.tensor(given, device=DEVICE)


def run(namespace, make, text, given):
    scope = {k: make(v) for k, v in given.items() if re.search(rf"\b{k}\b", text)}
    try:
        return eval(text, {"__builtins__": {}, "xp": namespace, **scope})
    except tandem.Error as e:
        if "simulated device has not" in str(e):
            pytest.skip(str(e))  # a vendor's library
        raise


def numbers(array):
    return array.cpu().numpy() if isinstance(array, tandem.Tensor) else np.asarray(array)


def assert_same(got, want, text, factor=64, device=DEVICE):
    if isinstance(want, strict._array_object.Array):
        assert isinstance(got, tandem.Tensor), text
        assert got.device.type == device, text
        assert str(got.dtype) == "tandem." + str(want.dtype).rpartition(".")[2], text
        g, w = numbers(got), numbers(want)
        assert g.shape == w.shape, text
        if w.dtype.kind in "biu":
            assert np.array_equal(g, w), (text, g, w)
        else:
            eps = np.finfo(w.dtype).eps
            finite = np.isfinite(w)
            scale = np.abs(w[finite]).max(initial=1.0)
            assert np.allclose(g, w, rtol=factor * eps, atol=factor * eps * scale, equal_nan=True), (text, g, w)
    elif isinstance(want, (tuple, list)):
        assert isinstance(got, type(want).__bases__[0] if hasattr(want, "_fields") else type(want)), text
        assert len(got) == len(want) and getattr(got, "_fields", None) == getattr(want, "_fields", None), text
        for g, w in zip(got, want, strict=True):
            assert_same(g, w, text, factor, device)
    elif hasattr(want, "bits"):  # finfo, iinfo
        for field in vars(want):
            assert_same(getattr(got, field), getattr(want, field), text)
    elif isinstance(want, (bool, int, float)):
        assert got == want and type(got) is type(want), text
    else:
        assert str(got) == "tandem." + str(want).rpartition(".")[2], text


REFUSALS = (TypeError, ValueError, IndexError, OverflowError)


def compare(text, given, factor=64):
    """One call in both namespaces; whether it was a call that the standard has."""
    try:
        with np.errstate(all="ignore"):
            want = run(strict, strict.asarray, text, given)
    except (*REFUSALS, np.linalg.LinAlgError) as e:
        want = e
    if isinstance(want, Exception):
        with pytest.raises((*REFUSALS, tandem.Error)):
            run(xp, in_tandem, text, given)
            pytest.fail(f"{text} of {[v.dtype for v in given.values()][:1]}: strict says {want!r}")
        return False
    device = DEVICE if any(re.search(rf"\b{k}\b", text) for k in given) else "cpu"
    assert_same(run(xp, in_tandem, text, given), want, (text, given["x"].dtype), factor, device)
    return True


# ---- elementwise

ONE = [n for n, line in LINES.items() if line.endswith("(x, /)") and "." not in n]
ONE = [n for n in ONE if n not in ("matrix_transpose", "nonzero") and not n.startswith("unique")]
TWO = [n for n, line in LINES.items() if line.endswith("(x1, x2, /)") and "." not in n and n != "matmul"]
# Where the standard leaves open what a call gives, and the reference and Tandem differ.
OPEN = {
    "bitwise_left_shift": "shifts by a negative number",
    "bitwise_right_shift": "shifts by a negative number",
}


def operand(name, dtype, shape, first):
    out = values(dtype, shape, first)
    if name in OPEN and out.dtype.kind == "i" or name == "pow" and out.dtype.kind == "i":
        return np.abs(out)
    if name in ("floor_divide", "remainder") and out.dtype.kind in "iu":
        return np.where(out == 0, 1, out).astype(dtype)  # x / 0 of integers is left open
    return out


@pytest.mark.parametrize("name", ONE)
def test_elementwise_of_one(name):
    ran = 0
    for dtype in DTYPES:
        for shape in ((3, 4), (), (0, 3)):
            x = values(dtype, shape)
            if name in ("acosh", "atanh", "acos", "asin", "log", "sqrt", "log10", "log2") and x.dtype.kind == "f":
                x = np.abs(x) + (name == "acosh")
            ran += compare(f"xp.{name}(x)", {"x": x})
    assert ran


@pytest.mark.parametrize("name", TWO)
def test_elementwise_of_two(name):
    ran = 0
    for first in DTYPES:
        for second in DTYPES:
            # 0-d arrays promote as all others; sizes broadcast
            for shape1, shape2 in (((3, 4), (4,)), ((), (3,)), ((2, 1), ()), ((), ())):
                given = {"x": operand(name, first, shape1, 0), "y": operand(name, second, shape2, 3)}
                ran += compare(f"xp.{name}(x, y)", given)
    assert ran


@pytest.mark.parametrize("name", TWO)
def test_elementwise_with_numbers(name):
    ran = 0
    for dtype in DTYPES:
        for number in ("True", "2", "1.5", "2j"):
            if name == "pow" and number == "2j" or name in ("maximum", "minimum") and number == "2j":
                continue  # the reference compares complex numbers by parts
            given = {"x": operand(name, dtype, (3, 4), 0)}
            if name in ("less", "less_equal", "greater", "greater_equal") and number == "2j":
                continue
            ran += compare(f"xp.{name}(x, {number})", given)
            ran += compare(f"xp.{name}({number}, x)", given)
    assert ran
    for a, b in ((1, 2), (True, 1.5)):
        with pytest.raises(TypeError):
            function(xp, name)(a, b)


@pytest.mark.parametrize("name", TWO + ONE)
def test_what_is_no_array_is_refused(name):
    for x in ([1.0], np.ones(2), None, "1", tandem.ones(2, dtype=tandem.float16)):
        with pytest.raises(TypeError, match=name):
            function(xp, name)(*((x, xp.ones(2)) if name in TWO else (x,)))
        if name in TWO:
            with pytest.raises(TypeError, match=name):
                function(xp, name)(xp.ones(2), x)


SPECIAL = [float("nan"), 1, -2.5, float("nan"), 1, float("-inf"), float("inf"), -0.0, 0.0]
WITH_NAN = "sign abs round isnan sort argsort max min argmax argmin sum prod mean std any all count_nonzero nonzero".split()
WITH_NAN += "unique_all unique_counts unique_inverse unique_values cumulative_sum equal maximum where clip".split()


@pytest.mark.parametrize("name", WITH_NAN)
def test_special_numbers(name):
    text = {"equal": "xp.equal(x, x)", "maximum": "xp.maximum(x, 1.0)", "where": "xp.where(x != x, 1.0, x)"}
    text["clip"] = "xp.clip(x, -1.0, 1.0)"
    given = np.array(SPECIAL)
    ran = 0
    for dtype in DTYPES[9:]:
        ran += compare(text.get(name, f"xp.{name}(x)"), {"x": given.astype(dtype)})
        # Sums of infinite parts are NumPy's own, and the order of complex NaN is left open.
        if dtype in DTYPES[11:] and name not in ("sum", "prod", "mean", "cumulative_sum", "sign"):
            if not name.startswith("unique"):
                ran += compare(text.get(name, f"xp.{name}(x)"), {"x": all_parts(dtype)})
    assert ran


def all_parts(dtype):
    x = np.empty((len(SPECIAL), len(SPECIAL)), dtype)
    x.real, x.imag = np.array(SPECIAL)[:, None], SPECIAL
    return x


@pytest.mark.parametrize("dtype", DTYPES[11:])
def test_unique_of_complex_numbers_with_nan(dtype):
    x = all_parts(dtype)
    made = xp.unique_all(in_tandem(x))
    values, indices, inverse, counts = [numbers(part) for part in made]
    assert np.array_equal(values[inverse], x, equal_nan=True)
    assert np.array_equal(x.reshape(-1)[indices], values, equal_nan=True)
    assert np.array_equal(counts, np.bincount(inverse.reshape(-1)))
    assert np.array_equal(indices, [np.flatnonzero(inverse == k)[0] for k in range(len(values))])
    assert len(values) == len(np.unique_values(x)) and (counts[np.isnan(values)] == 1).all()
    assert np.array_equal(numbers(xp.unique_values(in_tandem(x))), values, equal_nan=True)
    assert np.array_equal(numbers(xp.unique_counts(in_tandem(x)).counts), counts)
    assert np.array_equal(numbers(xp.unique_inverse(in_tandem(x)).inverse_indices), inverse)


# ---- all the others: the calls of tests/data/array_api_calls.txt on every dtype; those with ! are refused for all

CALLS = (Path(__file__).parents[1] / "data/array_api_calls.txt").read_text().strip().split("\n")


def test_no_function_is_left_out():
    called = set(re.findall(r"xp\.((?:linalg\.|fft\.)?\w+)\(", "\n".join(c for c in CALLS if c[0] != "!")))
    called |= set(ONE) | set(TWO)
    assert called >= set(LINES) - {"from_dlpack"}


@pytest.mark.parametrize("text", CALLS)
def test_call(text):
    dtypes = [t for t in DTYPES if np.dtype(t).kind in "fc"] if "matrix_rank" in text else DTYPES  # the reference takes all
    call = text.removeprefix("! ")
    ran = [compare(call, arrays_of(dtype), 1024 if "linalg" in text else 64) for dtype in dtypes]
    assert any(ran) == (call == text)
