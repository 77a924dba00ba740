"""What the Python Array API standard 2024.12 asks for beside the functions of the op table."""

import math
import operator

from tandem import _tandem, errors

__array_api_version__ = "2024.12"
e = math.e
inf = math.inf
nan = math.nan
pi = math.pi
newaxis = None


def astype(x, dtype, /, *, copy=True, device=None):
    """The tensor in another dtype: a copy, unless copy is False and nothing changes."""
    return x.to(dtype=dtype, device=x.device if device is None else device, copy=copy)


def asarray(obj, dtype=None, device=None, *, copy=None, names=None):
    """As tensor(), but shares the memory of arrays and tensors where it can: always with copy=False, else a
    ValueError; never with copy=True."""
    if copy:
        out = _tandem.as_tensor(obj, dtype=dtype, device=device, names=names)
        return out.clone()
    if copy is False:
        whole = _tandem.as_tensor(obj)
        shared = isinstance(obj, _tandem.Tensor) or _tandem._shares_memory(obj)
        same = (dtype is None or whole.dtype is dtype) and (device is None or whole.device == _tandem.device(device))
        if not shared or not same:
            raise errors.ValueError("[asarray] expected data that need no copy with copy=False")
    return _tandem.as_tensor(obj, dtype=dtype, device=device, names=names)


def _is_kind(dtype, kind):
    whole, signed = not (dtype.is_floating_point or dtype.is_complex or dtype is _tandem.bool), dtype.is_signed
    kinds = {
        "bool": dtype is _tandem.bool,
        "signed integer": whole and signed,
        "unsigned integer": whole and not signed,
        "integral": whole,
        "real floating": dtype.is_floating_point,
        "complex floating": dtype.is_complex,
        "numeric": dtype is not _tandem.bool,
    }
    if kind not in kinds:
        raise errors.ValueError(f"[isdtype] expected a dtype or one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind]


def isdtype(dtype, kind):
    """Whether the dtype is of the kind: a dtype, a word of the Array API ("integral", ...), or a tuple of them."""
    if isinstance(kind, tuple):
        return any([isdtype(dtype, k) for k in kind])
    return _is_kind(dtype, kind) if isinstance(kind, str) else dtype is kind


def eye(n, m=None, *, k=0, dtype=None, device=None, names=None, **idle):
    """1 on the k-th diagonal, 0 elsewhere."""
    if k == 0:
        return _tandem.eye(n, m, dtype=dtype, device=device, names=names, **idle)
    out = _tandem.zeros((n, n if m is None else m), dtype=dtype, device=device, names=names, **idle)
    if -out.shape[0] < k < out.shape[1]:
        out.diagonal(k).fill_(1)
    return out


def linspace(
    start, end=None, steps=None, *, stop=None, num=None, dtype=None, device=None, names=None, endpoint=True, **idle
):
    """Evenly spaced from start to end, which is left out with endpoint=False."""
    end, steps = stop if end is None else end, num if steps is None else steps
    if end is None or steps is None:
        raise errors.TypeError("[linspace] expected start, end and steps")
    options = {"dtype": dtype, "device": device, "names": names, **idle}
    if endpoint:
        return _tandem.linspace(start, end, steps, **options)
    return _tandem.linspace(start, end, operator.index(steps) + 1, **options)[:-1]


def arange(start=None, end=None, step=None, *, stop=None, dtype=None, device=None, names=None, **idle):
    """start, start + step, ... below end: arange(end), arange(start, end), arange(start, end, step)."""
    end = stop if end is None else end
    return _tandem.arange(start, end, step, dtype=dtype, device=device, names=names, **idle)


def reshape(x, *shape, copy=None, **keywords):
    """Another shape: a view where the strides allow it, else a copy; copy=True copies, copy=False never does."""
    if copy is None:
        return _tandem.reshape(x, *shape, **keywords)
    if copy:
        return _tandem.reshape(x, *shape, **keywords).clone()
    out = _tandem.reshape(x, *shape, **keywords)
    if out.storage().data_ptr() != x.storage().data_ptr():
        raise errors.ValueError("[reshape] expected strides that allow a view with copy=False")
    return out


class __array_namespace_info__:
    """The inspection functions of the Array API."""

    def capabilities(self):
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 32}

    def default_device(self):
        return _tandem.get_default_device()

    def default_dtypes(self, *, device=None):
        real = _tandem.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": _tandem.result_type(real, 1j),
            "integral": _tandem.int64,
            "indexing": _tandem.int64,
        }

    def devices(self):
        gpus = [_tandem.device(f"cuda:{i}") for i in range(_tandem._cuda_device_count())]
        return [_tandem.device("cpu"), *gpus]

    def dtypes(self, *, device=None, kind=None):
        standard = [t for t in _tandem.dtypes if not t.is_floating_point or t.itemsize > 2]
        names = {str(t).removeprefix("tandem."): t for t in standard}
        return {name: t for name, t in names.items() if kind is None or isdtype(t, kind)}
