"""Questions about objects and dtypes."""

from __future__ import annotations

import math

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from tandem import Storage, Tensor, dtype


def is_tensor(obj: Any) -> TypeGuard[Tensor]:
    """Whether obj is a Tensor.

    >>> tandem.is_tensor(tandem.zeros(2)), tandem.is_tensor([0, 0])
    (True, False)
    """
    return isinstance(obj, _tandem.Tensor)


def is_storage(obj: Any) -> TypeGuard[Storage]:
    """Whether obj is what Tensor.storage() gives.

    >>> tandem.is_storage(tandem.zeros(2).storage())
    True
    """
    return isinstance(obj, _tandem.Storage)


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor's dtype is a real float.

    >>> tandem.is_floating_point(tandem.tensor([1.0])), tandem.is_floating_point(tandem.tensor([1]))
    (True, False)
    """
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the tensor's dtype is complex.

    >>> tandem.is_complex(tandem.tensor([1j]))
    True
    """
    return input.dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Whether the tensor's dtype has negative numbers.

    >>> tandem.is_signed(tandem.tensor([1], dtype=tandem.uint8))
    False
    """
    return input.dtype.is_signed


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the tensors have one shape.

    >>> tandem.is_same_size(tandem.zeros(2, 3), tandem.zeros(3, 2))
    False
    """
    return input.shape == other.shape


class iinfo:
    """Limits of an integer dtype: bits, min, max. TypeError for another dtype.

    >>> tandem.iinfo(tandem.int16)
    iinfo(min=-32768, max=32767, dtype=int16)
    """

    def __init__(self, dtype: dtype) -> None:
        if dtype.is_floating_point or dtype.is_complex or dtype is _tandem.bool:
            raise errors.TypeError(f"[iinfo] expected an integer dtype, got {dtype!r}")
        self.dtype = str(dtype).removeprefix("tandem.")
        self.bits = 8 * dtype.itemsize
        self.min = -(1 << (self.bits - 1)) if dtype.is_signed else 0
        self.max = (1 << (self.bits - dtype.is_signed)) - 1

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


class finfo:
    """Limits of a float dtype, by default the default one, or of the parts of a complex dtype: bits, eps, tiny,
    smallest_normal, min, max, resolution. TypeError for another dtype.

    >>> tandem.finfo(tandem.float16).max, tandem.finfo(tandem.float16).eps
    (65504.0, 0.0009765625)
    """

    def __init__(self, dtype: dtype | None = None) -> None:
        dtype = _tandem.get_default_dtype() if dtype is None else dtype
        if not (dtype.is_floating_point or dtype.is_complex):
            raise errors.TypeError(f"[finfo] expected a float dtype, got {dtype!r}")
        self.dtype = str(dtype).removeprefix("tandem.")
        self.bits = 8 * dtype.itemsize // (2 if dtype.is_complex else 1)
        digits = dtype._precision
        exponent = 1 << (self.bits - digits - 1)
        self.eps = math.ldexp(1.0, 1 - digits)
        self.max = dtype._max
        self.min = -self.max
        self.tiny = self.smallest_normal = math.ldexp(1.0, 2 - exponent)
        self.resolution = 10.0 ** -math.floor((digits - 1) * math.log10(2))

    def __repr__(self):
        fields = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        shown = ", ".join(f"{field}={getattr(self, field):g}" for field in fields)
        return f"finfo({shown}, dtype={self.dtype})"
