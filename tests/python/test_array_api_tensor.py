"""A tensor as an array of the Python Array API 2024.12: indexing, operators, methods, devices, what creation gives.

Calls are text that is run on a tensor and on an array of array-api-strict, as in test_array_api.py.
"""

# lint: oracle table

import numpy as np
import pytest

import tandem
from test_array_api import DEVICE, arrays_of, assert_same, compare, in_tandem, values
from test_catalogue import ATTRIBUTES, DTYPES, METHODS

strict = pytest.importorskip("array_api_strict")
xp = tandem.array_api

INDEXED = """
cube[0]
cube[-1, 2]
cube[1, -1, 3]
cube[...]
cube[()]
x[()]
one[()]
one[...]
one[None]
cube[1:, :2, ::3]
x[::-1]
x[:, ::-1]
x[::-1, ::-1]
x[::-2, 3:0:-1]
x[2:0:-1]
x[-1::-2, -1:-4:-2]
x[10:0:-3]
x[0:2:-1]
x[1:1:-1]
cube[..., ::-1]
cube[0, ..., ::-2]
cube[::-1, 1, 3::-1]
row[::-1][1:3]
row[::-1][::-1]
xp.sum(x[::-1, ::-2], axis=0, dtype=xp.float64)
xp.reshape(x[:, ::-1], (2, 6))
xp.concat([x[::-1], x])
xp.matmul(x[::-1, :], xp.matrix_transpose(y[:, ::-1]))[:, ::-1]
cube[None, ..., None]
x[None, 1, None]
x[0:0]
x[5:]
x[holds]
cube[:, mask]
x[xp.asarray(holds)]
x[index[0]]
row[index[1]]
x[index, index]
x[1, index]
x[places[0, :2], index[1:]]
"""
REFUSED = """
x[3]
x[0, 0, 0]
x[0.5]
x['a']
x[::0]
"""


@pytest.mark.parametrize("text", INDEXED.strip().split("\n"))
def test_indexing(text):
    for dtype in DTYPES[1:] if "xp.sum" in text or "xp.matmul" in text else DTYPES:
        given = arrays_of(dtype) | {"mask": values("bool", (3, 4))}
        want = eval(text, {"xp": np, **given})  # NumPy, since the reference wants an index for every axis
        scope = {k: in_tandem(v) for k, v in given.items()}
        assert_same(eval(text, {"xp": xp, **scope}), strict.asarray(want), (text, dtype))


@pytest.mark.parametrize("text", REFUSED.strip().split("\n"))
def test_indexing_that_is_refused(text):
    for dtype in DTYPES:
        with pytest.raises((IndexError, TypeError, ValueError)):
            eval(text, {"x": in_tandem(values(dtype))})


ASSIGNED = """
x[::-1] = y
x[:, ::-1] = row
x[1, ::-2] = row[:2]
x[::-1, ::-1] = x.copy() if hasattr(x, 'copy') else x.clone()
x[0] = one
x[holds] = one
x[holds] = row[0]
x[...] = y
x[()] = y
x[1:1] = one
cube[..., 0] = x[:2, :3]
cube[::-1, 1, 3::-1] = x[:2, :]
"""


@pytest.mark.parametrize("text", ASSIGNED.strip().split("\n"))
def test_assignment(text):
    written = text.partition("[")[0]
    for dtype in DTYPES:
        theirs, ours = arrays_of(dtype), {k: in_tandem(v) for k, v in arrays_of(dtype).items()}
        exec(text, theirs)
        exec(text, ours)
        assert_same(ours[written], strict.asarray(theirs[written]), (text, dtype))


def test_assignment_of_numbers():
    for number, dtypes in ((True, ["bool"]), (3, DTYPES[1:]), (1.5, DTYPES[9:]), (2j, DTYPES[11:])):
        for dtype in dtypes:
            ours, theirs = in_tandem(values(dtype)), strict.asarray(values(dtype))
            for x in (ours, theirs):
                x[::-1, 1] = number
            assert_same(ours, theirs, (number, dtype))


# ---- operators: those of the standard, where it says what they give

OPERATORS = {
    "+": DTYPES[1:],
    "-": DTYPES[1:],
    "*": DTYPES[1:],
    "/": DTYPES[9:],
    "//": DTYPES[1:11],
    "%": DTYPES[1:11],
    "**": DTYPES[1:],
    "&": DTYPES[:9],
    "|": DTYPES[:9],
    "^": DTYPES[:9],
    "<<": DTYPES[1:9],
    ">>": DTYPES[1:9],
    "==": DTYPES,
    "!=": DTYPES,
    "<": DTYPES[1:11],
    "<=": DTYPES[1:11],
    ">": DTYPES[1:11],
    ">=": DTYPES[1:11],
}


def pairs(operator):
    """Dtypes of which the standard has the operator's result."""
    for first in OPERATORS[operator]:
        for second in OPERATORS[operator]:
            try:
                strict.result_type(getattr(strict, first), getattr(strict, second))
            except TypeError:
                continue
            yield first, second


def small(dtype, first):
    """Operands of all operators: neither zeros nor negative ones."""
    return values(dtype, first=first) if dtype == "bool" else (np.abs(values(dtype, first=first)) + 1).astype(dtype)


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator(operator):
    for first, second in pairs(operator):
        assert compare(f"x {operator} y", {"x": small(first, 0), "y": small(second, 3)}), (first, second)
    for dtype in OPERATORS[operator]:
        number = "True" if dtype == "bool" else "2"
        assert compare(f"x {operator} {number}", {"x": small(dtype, 0)})
        assert compare(f"{number} {operator} x", {"x": small(dtype, 0)})


@pytest.mark.parametrize("operator", [o for o in OPERATORS if o not in ("==", "!=", "<", "<=", ">", ">=")])
def test_operator_in_place(operator):
    for first, second in pairs(operator):
        if strict.result_type(getattr(strict, first), getattr(strict, second)) != getattr(strict, first):
            continue
        results = []
        for make in (strict.asarray, in_tandem):
            x, y = make(small(first, 0)), make(small(second, 3))
            before = x
            scope = {"x": x, "y": y}
            exec(f"x {operator}= y", scope)
            assert scope["x"] is before
            results.append(before)
        assert_same(results[1], results[0], (operator, first, second))


def test_product_in_place():
    for dtype in DTYPES[1:]:
        given = arrays_of(dtype)["a"]
        ours, theirs = in_tandem(given), strict.asarray(given, copy=True)
        before = ours
        ours @= in_tandem(given[0])
        theirs @= strict.asarray(given[0])
        assert ours is before
        assert_same(ours, theirs, dtype)
    x = xp.ones((2, 3))
    for other in (xp.ones((3, 2)), xp.ones((3, 1)), xp.ones((4, 3, 3))):
        with pytest.raises(tandem.ShapeError, match="imatmul"):
            x @= other
    with pytest.raises(TypeError):
        x @= 2
    assert (x == 1).all()


def test_unary_operators_and_numbers():
    for dtype in DTYPES:
        for text in ("-x", "+x", "abs(x)"):
            if dtype != "bool":
                theirs = eval(text, {"x": strict.asarray(values(dtype))})
                assert_same(eval(text, {"x": in_tandem(values(dtype))}), theirs, (text, dtype))
        if dtype in DTYPES[:9]:
            assert_same(~in_tandem(values(dtype)), ~strict.asarray(values(dtype)), ("~x", dtype))
        one = values(dtype, (), first=9)
        ours = in_tandem(one)
        assert bool(ours) == bool(one) and complex(ours) == complex(one)
        if dtype not in DTYPES[11:]:
            assert float(ours) == float(one) and int(ours) == int(one)
        if dtype in DTYPES[1:9]:
            assert range(20)[in_tandem(np.asarray(3, dtype))] == 3
        elif dtype != "bool":
            with pytest.raises(TypeError):
                ours.__index__()


def test_a_0d_tensor_beside_one_with_dimensions():
    """The operators keep PyTorch's rule, by which dimensions come first; the namespace has the standard's."""
    x, zero_d = xp.ones(2, dtype=xp.float32), xp.asarray(2.0, dtype=xp.float64)
    assert (x + zero_d).dtype is xp.float32
    assert xp.add(x, zero_d).dtype is xp.add(zero_d, x).dtype is xp.float64


# ---- attributes and methods


def test_the_package_says_that_it_has_the_namespace():
    assert dir(tandem).count("array_api") == 1
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        tandem.nonesuch


def test_attributes():
    x = xp.zeros((2, 3, 4), dtype=xp.int16, device=DEVICE)
    for name in ATTRIBUTES + [m for m in METHODS if not m.startswith("__dlpack")]:
        assert hasattr(x, name), name
    assert x.dtype is xp.int16 and x.ndim == 3 and x.shape == (2, 3, 4) and isinstance(x.shape, tuple)
    assert x.mT.shape == (2, 4, 3) and x[0, ...].T.shape == (4, 3)
    assert x.device == tandem.device(DEVICE, 0) if DEVICE == "cuda" else x.device == tandem.device("cpu")
    assert x.to_device("cpu").device == tandem.device("cpu")
    assert x.__array_namespace__() is xp is x.__array_namespace__(api_version=None)
    # PyTorch's method; array_api_compat.size(x) is the number that the standard has for it.
    assert x.size() == (2, 3, 4) and x.numel() == 24


def test_creation_on_a_device():
    device = tandem.device(DEVICE)
    x = xp.ones((2, 2))
    made = [
        xp.arange(3, device=device),
        xp.asarray([1, 2], device=device),
        xp.empty(2, device=device),
        xp.empty_like(x, device=device),
        xp.eye(2, device=device),
        xp.full(2, 1, device=device),
        xp.full_like(x, 1, device=device),
        xp.linspace(0, 1, 3, device=device),
        xp.ones(2, device=device),
        xp.ones_like(x, device=device),
        xp.zeros(2, device=device),
        xp.zeros_like(x, device=device),
        xp.astype(x, xp.int8, device=device),
        xp.fft.fftfreq(3, device=device),
        xp.fft.rfftfreq(3, device=device),
    ]
    assert {t.device.type for t in made} == {DEVICE}
    assert {t.dtype for t in made} == {xp.int64, xp.float32, xp.int8}
    assert xp.asarray(1j).dtype is xp.complex64 and xp.asarray(True).dtype is xp.bool


def test_default_dtypes_follow_the_setting(default_dtype):
    info = xp.__array_namespace_info__()
    for real, both in ((xp.float32, xp.complex64), (xp.float64, xp.complex128)):
        tandem.set_default_dtype(real)
        made = [xp.ones(2), xp.zeros(2), xp.empty(2), xp.eye(2), xp.linspace(0, 1, 3), xp.asarray(1.5), xp.full(2, 1.5)]
        made += [xp.arange(1.5), xp.fft.fftfreq(3), xp.fft.rfftfreq(3)]
        assert {t.dtype for t in made} == {real} == {info.default_dtypes()["real floating"]}
        assert xp.full(2, 1j).dtype is both is info.default_dtypes(device="cpu")["complex floating"]
        assert xp.sum(xp.ones(2, dtype=xp.float32)).dtype is xp.float32


def test_inspection():
    info = xp.__array_namespace_info__()
    assert tandem.device("cpu") in info.devices() and info.default_device() == tandem.device("cpu")
    dimensions = info.capabilities()["max dimensions"]
    assert xp.ones((1,) * dimensions).ndim == dimensions
    with pytest.raises(ValueError):
        xp.ones((1,) * (dimensions + 1))
    assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
    assert info.dtypes(kind=()) == {} and set(info.dtypes(device="cpu")) == set(DTYPES)
    with pytest.raises(ValueError):
        info.dtypes(kind="no kind")


def test_asarray_shares_or_copies():
    a = np.arange(6.0).reshape(2, 3)
    shared = xp.asarray(a)
    a[0, 0] = 7
    assert shared[0, 0] == 7 and xp.asarray(a, copy=False)[0, 0] == 7
    copied = xp.asarray(a, copy=True)
    a[0, 0] = 8
    assert copied[0, 0] == 7 and xp.asarray(shared) is shared
    assert xp.asarray(a[::-1, ::-1]).shape == (2, 3) and xp.asarray(a[::-1])[0, 0] == a[1, 0]
    with pytest.raises(ValueError):
        xp.asarray([1, 2], copy=False)
    for bad in (np.ones(2, dtype=np.float16), "text", None):
        with pytest.raises((TypeError, ValueError)):
            xp.asarray(bad)
    with pytest.raises(TypeError):
        xp.asarray([1], dtype=tandem.bfloat16)


def test_asarray_of_a_tensor_stays_where_it_is():
    x = tandem.arange(3.0)
    away = tandem.empty(3, device="meta")
    with tandem.device("meta"):
        assert xp.asarray(x) is x and xp.asarray(x, copy=False) is x
        copied = xp.asarray(x, copy=True)
        assert copied.is_cpu and copied.tolist() == [0, 1, 2] and copied.data_ptr() != x.data_ptr()
        assert xp.asarray(x, dtype=xp.float64).is_cpu and xp.asarray(x, device="meta").is_meta
        assert xp.asarray([1, 2]).is_meta and xp.asarray(np.ones(2)).is_meta
        with pytest.raises(ValueError, match="copy=False"):
            xp.asarray(x, device="meta", copy=False)
    with tandem.device("cpu"):
        assert xp.asarray(away) is away


def test_reshape_copy():
    x = xp.reshape(xp.arange(6), (2, 3))
    view, copied = xp.reshape(x, (6,), copy=False), xp.reshape(x, (6,), copy=True)
    x[0, 0] = 9
    assert view[0] == 9 and copied[0] == 0
    with pytest.raises(ValueError):
        xp.reshape(x.mT, (6,), copy=False)


def test_values_that_only_the_namespace_refuses():
    x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    for call in (
        "xp.linalg.qr(x, mode='r')",
        "xp.linalg.cross(x, x, axis=1)",
        "xp.vecdot(x, x, axis=0)",
        "xp.sum(x > 1)",
        "xp.mean(xp.asarray([1, 2]))",
        "xp.add(x, xp.asarray([1, 2]))",
        "xp.add(xp.asarray([1, 2]), 1.5)",
        "xp.asarray([1, 2]).dtype.itemsize and xp.divide(xp.asarray([1, 2]), 2)",
        "xp.ones(2, dtype=tandem.float16)",
        "xp.astype(x, tandem.bfloat16)",
        "xp.concat([x, xp.asarray([[1, 2]])])",
        "xp.where(x, x, x)",
        "xp.fft.fft(x)",
        "xp.ones(2, x)",
        "xp.squeeze(x, 0)",
    ):
        with pytest.raises((TypeError, ValueError)):
            eval(call, {"xp": xp, "x": x, "tandem": tandem})


def test_meta_tensors_pass():
    x = xp.ones((2, 3), device="meta")
    y = xp.sum(xp.multiply(xp.exp(x), 2.0), axis=0)
    assert y.shape == (3,) and y.device.type == "meta"


def test_from_dlpack():
    a = np.arange(6.0).reshape(2, 3)
    shared, copied = xp.from_dlpack(a), xp.from_dlpack(a, copy=True)
    a[0, 0] = 7
    assert shared[0, 0] == 7 and copied[0, 0] == 0
    assert xp.from_dlpack(a, device=DEVICE).device.type == DEVICE
    with pytest.raises(TypeError):
        xp.from_dlpack(np.ones(2, dtype=np.float16))
