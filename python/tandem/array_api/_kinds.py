"""Which dtypes a function takes, and what two of them promote to: the rules of the Array API standard."""

from tandem import _tandem, errors
from tandem._tandem import Tensor
from tandem.numpy_forms import isdtype

# The standard has no floats of 16 bits.
STANDARD = [t for t in _tandem.dtypes if isdtype(t, ("bool", "integral", "complex floating")) or t._precision >= 24]
_WORDS = {
    "Any": ("bool", "numeric"),
    "Numeric": "numeric",
    "Real": ("integral", "real floating"),
    "Integer": "integral",
    "IntegerOrBool": ("integral", "bool"),
    "Bool": "bool",
    "Floating": ("real floating", "complex floating"),
    "RealFloating": "real floating",
    "Complex": "complex floating",
}
# What a function accepts, by the word of the table kernels/include/tandem/ops/array_api.def.
KINDS = {kind: frozenset(t for t in STANDARD if isdtype(t, words)) for kind, words in _WORDS.items()}
ANY, INTEGER, FLOATING = KINDS["Any"], KINDS["Integer"], KINDS["Floating"]


def _promoted(a, b):
    """The dtype of a pair, or None where the standard has none: kinds do not mix, nor uint64 and signed integers."""
    for kind in ("bool", "integral", ("real floating", "complex floating")):
        if isdtype(a, kind) and isdtype(b, kind):
            try:
                return _tandem.promote_types(a, b)
            except errors.TypeError:
                return None
    return None


PROMOTED = {(a, b): out for a in STANDARD for b in STANDARD if (out := _promoted(a, b)) is not None}


def words_of(dtypes):
    return ", ".join(str(t).removeprefix("tandem.") for t in STANDARD if t in dtypes)


def refuse(name, x, dtypes):
    """Raises the error of an argument that is no tensor, or of a dtype that the function does not take."""
    if isinstance(x, Tensor):
        raise errors.TypeError(f"[{name}] expected a dtype of {words_of(dtypes)}, got {x.dtype}")
    raise errors.TypeError(f"[{name}] expected a tensor, got {type(x).__module__}.{type(x).__qualname__}")


def check(name, x, dtypes=ANY):
    if not isinstance(x, Tensor) or x.dtype not in dtypes:
        refuse(name, x, dtypes)
    return x


def check_dtype(name, dtype, dtypes=ANY):
    """A dtype keyword: None or one of them."""
    if dtype is not None and dtype not in dtypes:
        raise errors.TypeError(f"[{name}] expected a dtype of {words_of(dtypes)}, got {dtype!r}")
    return dtype


def promote(name, a, b):
    """The dtype of two dtypes."""
    out = PROMOTED.get((a, b))
    if out is None:
        text = f"expected dtypes of one kind, got {a} and {b}, which the Array API does not promote"
        raise errors.TypeError(f"[{name}] {text}")
    return out


def with_number(name, dtype, number):
    """The dtype of a tensor's dtype and a Python number, which is of a kind that the dtype has."""
    if isinstance(number, bool):
        fits = dtype is _tandem.bool
    elif isinstance(number, int):
        fits = dtype is not _tandem.bool
    elif isinstance(number, (float, complex)):
        fits = dtype in FLOATING
    else:
        refuse(name, number, ANY)
    if not fits:
        raise errors.TypeError(f"[{name}] expected numbers of the dtype's kind, got {number!r} with {dtype}")
    if isinstance(number, complex) and dtype.is_floating_point:
        return _tandem.promote_types(dtype, _tandem.complex64)
    return dtype


def pair_dtype(name, x1, x2, dtypes):
    """The promoted dtype of two tensors, or of a tensor and a number."""
    if isinstance(x1, Tensor):
        check(name, x1, dtypes)
        if isinstance(x2, Tensor):
            return promote(name, x1.dtype, check(name, x2, dtypes).dtype)
        out = with_number(name, x1.dtype, x2)
    elif isinstance(x2, Tensor):
        out = with_number(name, check(name, x2, dtypes).dtype, x1)
    else:
        refuse(name, x1, dtypes)
    if out not in dtypes:
        raise errors.TypeError(f"[{name}] expected a dtype of {words_of(dtypes)}, got {out}")
    return out


def cast(x, dtype):
    return x if x.dtype is dtype else x.to(dtype)


def same_dtype(name, x1, x2, dtypes):
    """Two tensors of the promoted dtype."""
    dtype = promote(name, check(name, x1, dtypes).dtype, check(name, x2, dtypes).dtype)
    return cast(x1, dtype), cast(x2, dtype)


# The dtypes of sums: integers become the default ones, of their sign.
_SUMS = {t: t if t not in INTEGER else _tandem.int64 if t.is_signed else _tandem.uint64 for t in KINDS["Numeric"]}


def whole(name, x, asked):
    """The dtype of a sum over a tensor, by default or as asked for."""
    dtype = _SUMS.get(x.dtype) if isinstance(x, Tensor) else None
    if dtype is None:
        refuse(name, x, KINDS["Numeric"])
    return dtype if asked is None else check_dtype(name, asked, KINDS["Numeric"])


def over_none(x):
    """(tensor, axis, keepdims) of a reduction over no axis, axis=(), which the ops take for all."""
    return x.unsqueeze(0), 0, False


def from_the_end(name, axis):
    if axis >= 0:
        raise errors.ValueError(f"[{name}] expected an axis below 0, got {axis}")
    return axis
