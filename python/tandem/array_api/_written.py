"""The functions of the Array API that are more than one op, or whose op has another form."""

import collections

import tandem
from tandem import _tandem, errors, numpy_forms, predicates
from tandem._tandem import Tensor
from tandem.array_api import _kinds
from tandem.array_api._kinds import ANY, INTEGER, KINDS, cast, check, check_dtype

# ---- creation


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """start, start + step, ... below stop; 0, 1, ... below start where it is alone. Integers give int64."""
    check_dtype("arange", dtype, KINDS["Real"])
    if stop is None:
        start, stop = 0, start
    return _tandem.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """A tensor of a number, of nested sequences of them, of an array or a buffer, or of a tensor, which stays where it is
    unless a device is given.

    copy=None shares memory where that can be, copy=False raises ValueError where it cannot, copy=True never shares.
    """
    check_dtype("asarray", dtype)
    if device is None and isinstance(obj, Tensor):
        device = obj.device
    return check("asarray", numpy_forms.asarray(obj, dtype, device, copy=copy))


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """A matrix with ones on its k-th diagonal, zeros elsewhere."""
    return numpy_forms.eye(n_rows, n_cols, k=k, dtype=check_dtype("eye", dtype), device=device)


def from_dlpack(x, /, *, device=None, copy=None):
    """The elements of an object that has __dlpack__, without a copy unless device or copy ask for one."""
    return check("from_dlpack", tandem.from_dlpack(x, device=device, copy=copy))


def full(shape, fill_value, *, dtype=None, device=None):
    """A tensor of one value; by default in the default dtype of the value's kind."""
    shape = (shape,) if isinstance(shape, int) else shape
    return _tandem.full(shape, fill_value, dtype=check_dtype("full", dtype), device=device)


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """num numbers, evenly spaced from start to stop, which is left out with endpoint=False."""
    check_dtype("linspace", dtype, KINDS["Floating"])
    return numpy_forms.linspace(start, stop, num, dtype=dtype, device=device, endpoint=endpoint)


def meshgrid(*arrays, indexing="xy"):
    """Coordinates of a grid: a list of tensors, one an axis. indexing: 'xy', where the first two axes are swapped, or
    'ij'."""
    if indexing not in ("xy", "ij"):
        raise errors.ValueError(f"[meshgrid] expected indexing 'xy' or 'ij', got {indexing!r}")
    if len({check("meshgrid", x).dtype for x in arrays}) > 1:
        raise errors.TypeError(f"[meshgrid] expected arrays of one dtype, got {[x.dtype for x in arrays]}")
    return list(_tandem.meshgrid(arrays, indexing=indexing)) if arrays else []


# ---- dtypes


def astype(x, dtype, /, *, copy=True, device=None):
    """The tensor in another dtype; a copy, unless copy is False and nothing changes. Complex numbers become no real
    ones: real() and imag() do that."""
    check("astype", x)
    if dtype not in ANY:
        check_dtype("astype", dtype if dtype is not None else "None")
    if x.dtype.is_complex and not dtype.is_complex:
        raise errors.TypeError(f"[astype] expected a complex dtype of {x.dtype}, got {dtype}")
    return numpy_forms.astype(x, dtype, copy=copy, device=device)


def _dtype_of(name, x):
    dtype = x.dtype if isinstance(x, Tensor) else x
    if dtype not in ANY:
        raise errors.TypeError(f"[{name}] expected a tensor or a dtype of {_kinds.words_of(ANY)}, got {x!r}")
    return dtype


def can_cast(from_, to, /):
    """Whether the dtype, or a tensor's, becomes the other by promotion."""
    from_ = _dtype_of("can_cast", from_)
    return _kinds.PROMOTED.get((from_, _dtype_of("can_cast", to))) is to


finfo_object = collections.namedtuple("finfo_object", "bits eps max min smallest_normal dtype")
iinfo_object = collections.namedtuple("iinfo_object", "bits max min dtype")


def finfo(type, /):
    """bits, eps, max, min, smallest_normal and dtype of a floating dtype, or a tensor's; of a complex one, its parts'."""
    dtype = _dtype_of("finfo", type)
    own = predicates.finfo(dtype)
    part = {32: _tandem.float32, 64: _tandem.float64}[own.bits]
    return finfo_object(own.bits, own.eps, own.max, own.min, own.smallest_normal, part)


def iinfo(type, /):
    """bits, max, min and dtype of an integer dtype, or a tensor's."""
    dtype = _dtype_of("iinfo", type)
    own = predicates.iinfo(dtype)
    return iinfo_object(own.bits, own.max, own.min, dtype)


def isdtype(dtype, kind):
    """Whether the dtype is of the kind: a dtype, one of the standard's words ("integral", ...), or a tuple of them."""
    for k in kind if isinstance(kind, tuple) else (kind,):
        if not isinstance(k, (str, _tandem.dtype)):
            raise errors.TypeError(f"[isdtype] expected a dtype, a str or a tuple of them, got {k!r}")
    if not isinstance(dtype, _tandem.dtype):
        raise errors.TypeError(f"[isdtype] expected a dtype, got {dtype!r}")
    return numpy_forms.isdtype(dtype, kind)


def result_type(*arrays_and_dtypes):
    """The dtype that tensors, dtypes and numbers promote to; numbers alone have none."""
    numbers = [x for x in arrays_and_dtypes if isinstance(x, (bool, int, float, complex))]
    dtypes = [_dtype_of("result_type", x) for x in arrays_and_dtypes if not isinstance(x, (bool, int, float, complex))]
    if not dtypes:
        raise errors.ValueError("[result_type] expected a tensor or a dtype, got none")
    out = dtypes[0]
    for dtype in dtypes[1:]:
        out = _kinds.promote("result_type", out, dtype)
    for number in numbers:
        out = _kinds.with_number("result_type", out, number)
    return out


# ---- elementwise


def _bound(x, bound):
    """A bound of clip; None where every element is within it. `bound` is a number with the side that it is on."""
    value, limit = bound
    if value is None or isinstance(value, Tensor):
        return value
    _kinds.with_number("clip", x.dtype, value)
    if isinstance(value, int) and x.dtype in INTEGER:
        own = predicates.iinfo(x.dtype)
        return None if (value <= own.min if limit == "min" else value >= own.max) else value
    return value


def clip(x, /, min=None, max=None):
    """The nearest numbers from min to max, each a number, a tensor or None; in x's dtype."""
    dtype = check("clip", x, KINDS["Real"]).dtype
    low, high = _bound(x, (min, "min")), _bound(x, (max, "max"))
    if low is None and high is None:
        shape = _tandem.broadcast_tensors([x, *[b for b in (min, max) if isinstance(b, Tensor)]])[0]
        return shape.clone()
    wide = dtype
    for bound in (low, high):
        if isinstance(bound, Tensor):
            wide = _kinds.promote("clip", wide, check("clip", bound, KINDS["Real"]).dtype)
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        x = cast(x, wide)
        low, high = [
            b if b is None else cast(b, wide) if isinstance(b, Tensor) else _tandem.full((), b, dtype=wide, device=x.device)
            for b in (low, high)
        ]
    return cast(_tandem.clamp(x, low, high), dtype)


def round(x, /):
    """The nearest integers, half to even; of complex numbers, of both parts."""
    if check("round", x, KINDS["Numeric"]).dtype.is_complex:
        return _tandem.complex(_tandem.round(_tandem.real(x)), _tandem.round(_tandem.imag(x)))
    return _tandem.round(x)


def sign(x, /):
    """-1, 0 or 1 by the sign, NaN of NaN; of complex numbers those of modulus 1, or 0."""
    out = _tandem.sign(check("sign", x, KINDS["Numeric"]))
    return _tandem.where(x == x, out, x) if x.dtype.is_floating_point else out


# ---- indexing


def take(x, indices, /, *, axis=None):
    """The elements at a vector of indices along an axis, which may be left out for a vector; -1 is the last one."""
    check("take", x)
    check("take", indices, INTEGER)
    if axis is None:
        if x.ndim != 1:
            raise errors.ValueError(f"[take] expected an axis of a tensor of {x.ndim} dimensions")
        axis = 0
    if indices.ndim != 1:
        raise errors.ValueError(f"[take] expected a vector of indices, got {indices.ndim} dimensions")
    return _tandem.index_select(x, axis, cast(indices, _tandem.int64))


def take_along_axis(x, indices, /, *, axis=-1):
    """The elements at indices along an axis, for each place of the other axes its own; both broadcast."""
    check("take_along_axis", x)
    check("take_along_axis", indices, INTEGER)
    if x.ndim != indices.ndim:
        raise errors.ValueError(f"[take_along_axis] expected indices of {x.ndim} dimensions, got {indices.ndim}")
    return _tandem.take_along_dim(x, cast(indices, _tandem.int64), axis)


# ---- products


def vecdot(x1, x2, /, *, axis=-1):
    """Products of vectors along an axis, counted from the end; the first is conjugated."""
    x1, x2 = _kinds.same_dtype("vecdot", x1, x2, KINDS["Numeric"])
    return _tandem.vecdot(x1, x2, dim=_kinds.from_the_end("vecdot", axis))


# ---- manipulation


def _all_checked(name, arrays):
    arrays = list(arrays)
    if not arrays:
        raise errors.ValueError(f"[{name}] expected an array, got none")
    dtype = check(name, arrays[0]).dtype
    for x in arrays[1:]:
        dtype = _kinds.promote(name, dtype, check(name, x).dtype)
    return [cast(x, dtype) for x in arrays]


def broadcast_arrays(*arrays):
    """The tensors, broadcast against each other: a list of views."""
    return list(_tandem.broadcast_tensors([check("broadcast_arrays", x) for x in arrays])) if arrays else []


def concat(arrays, /, *, axis=0):
    """The tensors, one after another along an axis; axis=None: all their elements in a vector."""
    arrays = _all_checked("concat", arrays)
    if axis is None:
        return _tandem.cat([x.reshape(-1) for x in arrays])
    if {x.ndim for x in arrays} != {arrays[0].ndim}:  # an empty vector has a place with cat, as in PyTorch
        raise errors.ValueError(f"[concat] expected as many dimensions of all, got {[x.ndim for x in arrays]}")
    return _tandem.cat(arrays, axis)


def stack(arrays, /, *, axis=0):
    """The tensors, one after another along a new axis."""
    return _tandem.stack(_all_checked("stack", arrays), axis)


def squeeze(x, /, axis):
    """Without the axis or axes, which have size 1."""
    check("squeeze", x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if x.shape[a] != 1:
            raise errors.ValueError(f"[squeeze] expected an axis of size 1, got axis {a} of size {x.shape[a]}")
    return _tandem.squeeze(x, axes)


def reshape(x, /, shape, *, copy=None):
    """Another shape: a view where the strides allow it, else a copy; copy=True copies, copy=False raises ValueError
    where it would have to."""
    return numpy_forms.reshape(check("reshape", x), shape, copy=copy)


# ---- sets

_Unique = collections.namedtuple("_Unique", "values indices inverse_indices counts")


def _unique(x):
    """All of unique_all for complex numbers, which are sorted by their real part, then the imaginary one."""
    flat = x.reshape(-1)
    order = _tandem.argsort(_tandem.imag(flat), stable=True)
    order = order[_tandem.argsort(_tandem.real(flat)[order], stable=True)]
    ordered = flat[order]
    starts = _tandem.ones(flat.shape, dtype=_tandem.bool, device=x.device)
    starts[1:] = ordered[1:] != ordered[:-1]
    inverse = _tandem.empty_like(order)
    inverse[order] = _tandem.cumsum(starts, 0) - 1
    first = _tandem.nonzero(starts).reshape(-1)
    counts = _tandem.diff(first, append=_tandem.full((1,), len(flat), device=x.device))
    return _Unique(ordered[first], order[first], inverse.reshape(x.shape), counts)


unique_all_result = collections.namedtuple("unique_all_result", _Unique._fields)
unique_counts_result = collections.namedtuple("unique_counts_result", "values counts")
unique_inverse_result = collections.namedtuple("unique_inverse_result", "values inverse_indices")


def unique_all(x, /):
    """The different elements in order (each NaN is one): values, indices of the first of each, inverse_indices (the place
    in values of every element) and counts. Waits for the device."""
    made = _unique(x) if check("unique_all", x).dtype.is_complex else _tandem.unique_all(x)
    return unique_all_result(*made)


def unique_counts(x, /):
    """values and counts of unique_all."""
    made = _unique(x) if check("unique_counts", x).dtype.is_complex else _tandem.unique_counts(x)
    return unique_counts_result(made.values, made.counts)


def unique_inverse(x, /):
    """values and inverse_indices of unique_all."""
    made = _unique(x) if check("unique_inverse", x).dtype.is_complex else _tandem.unique_inverse(x)
    return unique_inverse_result(made.values, made.inverse_indices)


def unique_values(x, /):
    """The different elements in order; each NaN is one. Waits for the device."""
    return _unique(x).values if check("unique_values", x).dtype.is_complex else _tandem.unique_values(x)


# ---- searching, sorting


def nonzero(x, /):
    """The indices of the elements that are not zero: a tuple of vectors, one an axis. Waits for the device."""
    if check("nonzero", x).ndim == 0:
        raise errors.ValueError("[nonzero] expected a dimension or more, got a 0-d tensor")
    return _tandem.nonzero(x, as_tuple=True)


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where each of x2 would go in x1, a sorted vector (or one that `sorter` sorts): before its equals, or after with
    side='right'."""
    x1, x2 = _kinds.same_dtype("searchsorted", x1, x2, KINDS["Real"])
    if sorter is not None:
        sorter = cast(check("searchsorted", sorter, INTEGER), _tandem.int64)
    return _tandem.searchsorted(x1, x2, side=side, sorter=sorter)


def where(condition, x1, x2, /):
    """x1 where the condition holds, x2 elsewhere; one of them may be a number."""
    check("where", condition, KINDS["Bool"])
    dtype = _kinds.pair_dtype("where", x1, x2, ANY)
    device = condition.device
    x1, x2 = [cast(x, dtype) if isinstance(x, Tensor) else _tandem.full((), x, dtype=dtype, device=device) for x in (x1, x2)]
    return _tandem.where(condition, x1, x2)


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """The elements in order along an axis; NaN are the greatest."""
    return _tandem.sort(check("sort", x, KINDS["Real"]), axis, descending, stable=stable)[0]


# ---- statistics


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """Sums over an axis, several, or all. Integers are summed in int64, unsigned ones in uint64, unless dtype says else."""
    dtype = _kinds.whole("sum", x, dtype)
    x, axis, keepdims = _kinds.over_none(x) if axis == () else (x, axis, keepdims)
    return _tandem.sum(x, axis, keepdims, dtype=dtype)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """Products over an axis, several, or all. Integers are multiplied in int64, unsigned ones in uint64, unless dtype
    says else."""
    dtype = _kinds.whole("prod", x, dtype)
    x, axis, keepdims = _kinds.over_none(x) if axis == () else (x, axis, keepdims)
    return _tandem.prod(x, axis, keepdims, dtype=dtype)


def _cumulative(name, op, x, axis, dtype, include_initial):
    dtype = _kinds.whole(name, x, dtype)
    if axis is None and x.ndim != 1:
        raise errors.ValueError(f"[{name}] expected an axis of a tensor of {x.ndim} dimensions")
    return op(x, 0 if axis is None else axis, dtype=dtype, include_initial=include_initial)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The sum up to each element along an axis, which may be left out for a vector; dtypes as of sum. include_initial: one
    element more, 0 at the start."""
    return _cumulative("cumulative_sum", _tandem.cumulative_sum, x, axis, dtype, include_initial)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The product up to each element along an axis, which may be left out for a vector; dtypes as of prod.
    include_initial: one element more, 1 at the start."""
    return _cumulative("cumulative_prod", _tandem.cumulative_prod, x, axis, dtype, include_initial)


# ---- utility


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """Differences of neighbours along an axis, n times over; with values to put before and after."""
    given = [a for a in (x, prepend, append) if a is not None]
    for a in given:
        check("diff", a, KINDS["Numeric"])
    given = iter(_all_checked("diff", given))
    x, prepend, append = [next(given) if a is not None else None for a in (x, prepend, append)]
    return _tandem.diff(x, n, axis, prepend, append)
