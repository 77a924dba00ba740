"""Functions and methods of PyTorch that are a few others in a row."""

from __future__ import annotations

import math

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tandem import Tensor
    from tandem._types import DeviceLike, DTypeLike, Ints, Number
    from tandem.cuda import Stream


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero; waits for the device.

    ShapeError unless there is one element.

    >>> tandem.is_nonzero(tandem.tensor([0.5]))
    True
    """
    if input.numel() != 1:
        raise errors.ShapeError(f"[is_nonzero] expected one element, got {input.numel()}")
    return input.item() != 0


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The index along each dimension of a shape for indices into its flattened elements; -1 counts from the end.

    A tuple with a tensor of the indices' shape for each dimension. TypeError for indices that are no integers.

    >>> tandem.unravel_index(tandem.tensor([5, -1]), (2, 3))
    (tensor([1, 1]), tensor([2, 2]))
    """
    if indices.dtype.is_floating_point or indices.dtype.is_complex or indices.dtype is _tandem.bool:
        raise errors.TypeError(f"[unravel_index] argument 'indices': expected integers, got {indices.dtype}")
    shape = [shape] if isinstance(shape, int) else list(shape)
    indices = indices.to(_tandem.int64)
    rest = indices.remainder(max(math.prod(shape), 1))
    found = []
    for size in reversed(shape):
        found.append(rest.remainder(size))
        rest = rest.floor_divide(size)
    return tuple(reversed(found))


def fill(input: Tensor, value: Number | Tensor) -> Tensor:
    """A tensor like the input, every element of it the value: a number, or a tensor of one element.

    >>> tandem.fill(tandem.tensor([1.5, 2.5]), 7)
    tensor([7., 7.])
    """
    return _tandem.empty_like(input).fill_(value)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """PyTorch's older form of linalg.lu_factor: (LU, pivots), and with get_infos also info instead of an error.

    Shapes and errors are those of linalg.lu_factor.

    >>> LU, pivots = tandem.lu(tandem.tensor([[1.0, 2.0], [4.0, 4.0]]))
    >>> LU
    tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]])
    """
    if get_infos:
        return tuple(_tandem._linalg.lu_factor_ex(A, pivot=pivot))
    return tuple(_tandem._linalg.lu_factor(A, pivot=pivot))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
) -> Tensor:
    """A dense copy of the input with src written to the elements that as_strided would give.

    src has the shape `size`; ShapeError where an element would lie outside.

    >>> tandem.as_strided_scatter(tandem.zeros(3), tandem.ones(2), (2,), (2,))
    tensor([1., 0., 1.])
    """
    out = input.clone() if input.is_contiguous() else input.contiguous()
    out.as_strided(size, stride, storage_offset).copy_(src)
    return out


def type_as(x: Tensor, other: Tensor) -> Tensor:
    """The tensor in the other's dtype and on its device; itself where nothing changes.

    DeviceError for a device that is not there.

    >>> tandem.tensor([1.5]).type_as(tandem.tensor([1]))
    tensor([1])
    """
    return x.to(other.device, other.dtype)


def sum_to_size(x: Tensor, *sizes: Ints, size: Ints | None = None) -> Tensor:
    """Summed over the dimensions in which a broadcast from `size` would have repeated elements; integers as sum does.

    ShapeError for a size that does not broadcast to the tensor's shape.

    >>> tandem.ones(2, 3).sum_to_size(2, 1)
    tensor([[3.],
            [3.]])
    """
    if sizes and size is not None:
        raise errors.TypeError("[sum_to_size] expected one value of size, got several")
    sizes = sizes if size is None else (size,)
    size = list(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else list(sizes)
    extra = x.ndim - len(size)
    if extra < 0 or any([want not in (1, got) for want, got in zip(size, x.shape[extra:], strict=True)]):
        raise errors.ShapeError(f"[sum_to_size] expected a size that broadcasts to {list(x.shape)}, got {size}")
    dims = list(range(extra)) + [extra + d for d, n in enumerate(size) if n == 1 and x.shape[extra + d] != 1]
    out = x.sum(dims, keepdim=True) if dims else x
    return out.reshape(size) if extra else out


def new_empty_strided(
    x: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    **idle: Any,
) -> Tensor:
    """Elements of any value, with given strides and the dtype and device of x.

    ShapeError where size and stride differ in length.

    >>> tandem.tensor([1, 2]).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    return _tandem.empty_strided(size, stride, dtype=dtype or x.dtype, device=device or x.device, **idle)


def fill_diagonal_(x: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Sets x[i, i, ...] to the value; with `wrap` the diagonal of a tall matrix goes on after a row.

    ShapeError for fewer than two dimensions, or more than two of different sizes.

    >>> tandem.zeros(2, 3).fill_diagonal_(5)
    tensor([[5., 0., 0.],
            [0., 5., 0.]])
    """
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) != 1):
        raise errors.ShapeError(
            f"[fill_diagonal_] expected a matrix, or dimensions of equal size, got {list(x.shape)}"
        )
    step = sum(x.stride())
    size = min(x.shape)
    x.as_strided((size,), (step,), x.storage_offset()).fill_(fill_value)
    if wrap and x.ndim == 2 and x.shape[0] > x.shape[1] + 1:
        fill_diagonal_(x[x.shape[1] + 1 :], fill_value, True)
    return x


def polygamma(x: Tensor, n: int) -> Tensor:
    """n-th derivative of digamma, n >= 0.

    The shape is that of the tensor; ValueError for n below 0.

    >>> tandem.tensor([1.0]).polygamma(1)
    tensor([1.6449])
    """
    return _tandem.polygamma(n, x)


def polygamma_(x: Tensor, n: int) -> Tensor:
    """polygamma of the tensor itself.

    >>> tandem.tensor([1.0]).polygamma_(1)
    tensor([1.6449])
    """
    return _tandem.polygamma(n, x, out=x)


def record_stream(x: Tensor, s: Stream) -> None:
    """Notes that work of a stream which Tandem did not queue uses the tensor: its memory goes to no one else before.

    TypeError for what is no stream.

    >>> if tandem.cuda.is_available():
    ...     x = tandem.ones(3, device="cuda")
    ...     x.record_stream(tandem.cuda.Stream())
    """
    if not hasattr(s, "_stream"):
        raise errors.TypeError(f"[record_stream] expected a tandem.cuda.Stream, got {type(s).__name__}")
    _tandem._record_stream(x, s._stream)


for _method in [
    record_stream,
    is_nonzero,
    as_strided_scatter,
    lu,
    type_as,
    sum_to_size,
    new_empty_strided,
    fill_diagonal_,
    polygamma,
    polygamma_,
]:
    if not hasattr(_tandem.Tensor, _method.__name__):
        setattr(_tandem.Tensor, _method.__name__, _method)
del _method
