"""What the Python Array API standard 2024.12 asks for beside the functions of the op table."""

from __future__ import annotations

import math
import operator

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tandem import Tensor
    from tandem import device as _device
    from tandem import dtype as _dtype
    from tandem._types import DeviceLike, DTypeLike, Ints, Names, Number, TensorLike

__array_api_version__ = "2024.12"
e = math.e
inf = math.inf
nan = math.nan
pi = math.pi
newaxis = None


def astype(
    x: Tensor, dtype: DTypeLike, /, *, copy: bool = True, device: DeviceLike | None = None
) -> Tensor:
    """The tensor in another dtype: a copy, unless copy is False and nothing changes.

    TypeError for what is no dtype.

    >>> tandem.astype(tandem.tensor([1.7, -1.7]), tandem.int32)
    tensor([ 1, -1], dtype=tandem.int32)
    """
    return x.to(dtype=dtype, device=x.device if device is None else device, copy=copy)


def asarray(
    obj: Any,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    *,
    copy: bool | None = None,
    names: Names | None = None,
) -> Tensor:
    """As tensor(), but shares the memory of arrays and tensors where it can: always with copy=False, else a
    ValueError; never with copy=True.

    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> tandem.asarray(a, copy=False)[0] = 5
    >>> a
    array([5., 0.])
    """
    out = _tandem.as_tensor(obj, dtype=dtype, device=device, names=names)
    if copy:
        return out.clone()
    if copy is False:
        shared = isinstance(obj, _tandem.Tensor) or _tandem._shares_memory(obj)
        whole = _tandem._tensor_over(obj) if shared else None
        if not shared or whole.dtype is not out.dtype or whole.device != out.device:
            raise errors.ValueError("[asarray] expected data that need no copy with copy=False")
    return out


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


def isdtype(dtype: _dtype, kind: _dtype | str | tuple[_dtype | str, ...]) -> bool:
    """Whether the dtype is of the kind: a dtype, a word of the Array API ("integral", ...), or a tuple of them.

    ValueError for another word.

    >>> tandem.isdtype(tandem.int8, "integral"), tandem.isdtype(tandem.int8, (tandem.bool, "real floating"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any([isdtype(dtype, k) for k in kind])
    return _is_kind(dtype, kind) if isinstance(kind, str) else dtype is kind


def eye(
    n: int,
    m: int | None = None,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    names: Names | None = None,
    **idle: Any,
) -> Tensor:
    """1 on the k-th diagonal, 0 elsewhere.

    The shape is [n, m], or [n, n] without m; the dtype the default one unless given. ValueError for a size below 0.

    >>> tandem.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    >>> tandem.eye(2, k=1, dtype=tandem.int64)
    tensor([[0, 1],
            [0, 0]])
    """
    if k == 0:
        return _tandem.eye(n, m, dtype=dtype, device=device, names=names, **idle)
    out = _tandem.zeros((n, n if m is None else m), dtype=dtype, device=device, names=names, **idle)
    if -out.shape[0] < k < out.shape[1]:
        out.diagonal(k).fill_(1)
    return out


def linspace(
    start: Number,
    end: Number | None = None,
    steps: int | None = None,
    *,
    stop: Number | None = None,
    num: int | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    names: Names | None = None,
    endpoint: bool = True,
    **idle: Any,
) -> Tensor:
    """Evenly spaced from start to end, which is left out with endpoint=False.

    The shape is [steps]; the dtype the default one unless given. ValueError for steps below 0.

    >>> tandem.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    >>> tandem.linspace(0, 1, 4, endpoint=False)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    end, steps = stop if end is None else end, num if steps is None else steps
    if end is None or steps is None:
        raise errors.TypeError("[linspace] expected start, end and steps")
    options = {"dtype": dtype, "device": device, "names": names, **idle}
    if endpoint:
        return _tandem.linspace(start, end, steps, **options)
    return _tandem.linspace(start, end, operator.index(steps) + 1, **options)[:-1]


def arange(
    start: Number | None = None,
    end: Number | None = None,
    step: Number | None = None,
    *,
    stop: Number | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    names: Names | None = None,
    **idle: Any,
) -> Tensor:
    """start, start + step, ... below end: arange(end), arange(start, end), arange(start, end, step).

    The dtype is int64 of integers, else the default one, unless given. ValueError for a step of 0 or one that leads away
    from end.

    >>> tandem.arange(5)
    tensor([0, 1, 2, 3, 4])
    >>> tandem.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    end = stop if end is None else end
    return _tandem.arange(start, end, step, dtype=dtype, device=device, names=names, **idle)


def reshape(x: TensorLike, *shape: Ints, copy: bool | None = None, **keywords: Any) -> Tensor:
    """Another shape: a view where the strides allow it, else a copy; copy=True copies, copy=False never does.

    One size may be -1: what is left. ShapeError where the number of elements would change, ValueError where copy=False
    would need a copy.

    >>> tandem.reshape(tandem.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if copy is None:
        return _tandem.reshape(x, *shape, **keywords)
    if copy:
        return _tandem.reshape(x, *shape, **keywords).clone()
    out = _tandem.reshape(x, *shape, **keywords)
    if out.storage().data_ptr() != x.storage().data_ptr():
        raise errors.ValueError("[reshape] expected strides that allow a view with copy=False")
    return out


class __array_namespace_info__:
    """The inspection functions of the Array API.

    >>> tandem.__array_namespace_info__().default_dtypes()["integral"]
    tandem.int64
    """

    def capabilities(self) -> dict[str, Any]:
        """What the standard lets a library leave out, as a dict.

        >>> tandem.__array_namespace_info__().capabilities()["boolean indexing"]
        True
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 32}

    def default_device(self) -> _device:
        """The device of new tensors.

        >>> tandem.__array_namespace_info__().default_device()
        device(type='cpu')
        """
        return _tandem.get_default_device()

    def default_dtypes(self, *, device: DeviceLike | None = None) -> dict[str, _dtype]:
        """The dtypes of new tensors by kind, as a dict.

        >>> tandem.__array_namespace_info__().default_dtypes()["real floating"]
        tandem.float32
        """
        real = _tandem.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": _tandem.result_type(real, 1j),
            "integral": _tandem.int64,
            "indexing": _tandem.int64,
        }

    def devices(self) -> list[_device]:
        """The devices that can be used.

        >>> tandem.__array_namespace_info__().devices()[0]
        device(type='cpu')
        """
        gpus = [_tandem.device(f"cuda:{i}") for i in range(_tandem._cuda_device_count())]
        return [_tandem.device("cpu"), *gpus]

    def dtypes(
        self, *, device: DeviceLike | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, _dtype]:
        """The standard's dtypes by name, as a dict; with `kind` those of isdtype.

        >>> tandem.__array_namespace_info__().dtypes(kind="complex floating")
        {'complex64': tandem.complex64, 'complex128': tandem.complex128}
        """
        standard = [t for t in _tandem.dtypes if not t.is_floating_point or t.itemsize > 2]
        names = {str(t).removeprefix("tandem."): t for t in standard}
        return {name: t for name, t in names.items() if kind is None or isdtype(t, kind)}
