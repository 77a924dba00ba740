# Written by tools/stubs.py; do not edit.
from typing import Literal, overload


from tandem import Tensor
from tandem import dtype as _dtype
from tandem._types import Axes, Axis, TensorLike

@overload
def fftconvolve(in1: TensorLike, in2: TensorLike, mode: Literal['full', 'same', 'valid'] = 'full', axes: Axes | None = None, *, out: Tensor | None = None) -> Tensor: ...
@overload
def fftconvolve(in1: TensorLike, in2: TensorLike, mode: Literal['full', 'same', 'valid'] = 'full', *axes: Axis, out: Tensor | None = None) -> Tensor: ...
@overload
def oaconvolve(in1: TensorLike, in2: TensorLike, mode: Literal['full', 'same', 'valid'] = 'full', axes: Axes | None = None, *, out: Tensor | None = None) -> Tensor: ...
@overload
def oaconvolve(in1: TensorLike, in2: TensorLike, mode: Literal['full', 'same', 'valid'] = 'full', *axes: Axis, out: Tensor | None = None) -> Tensor: ...

from tandem import _windows as windows

__all__ = ['fftconvolve', 'oaconvolve', 'windows']
