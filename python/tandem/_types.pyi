# The types of arguments; for annotations alone, there is no such module when a program runs.
from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from tandem import Tensor as Tensor
from tandem import device as _device
from tandem import dtype as _dtype

Number: TypeAlias = complex | np.number[Any] | np.bool_  # bool, int, float and complex
TensorLike: TypeAlias = Tensor | npt.NDArray[Any]
Arg: TypeAlias = TensorLike | Number
Ints: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Axis: TypeAlias = SupportsIndex | str
Axes: TypeAlias = Axis | Sequence[Axis]
DTypeLike: TypeAlias = _dtype | type[bool] | type[int] | type[float] | type[complex]
DeviceLike: TypeAlias = _device | str | int
Names: TypeAlias = Sequence[str | None]
