"""The Python Array API standard 2024.12, strictly: its names and signatures, its dtypes and their promotion.

What Tensor.__array_namespace__() gives. The arrays are tensors; docs/array_api.md says what a user gets.
"""

from tandem.array_api import _kinds, _made, _written, fft, linalg
from tandem.numpy_forms import __array_api_version__, __array_namespace_info__, e, inf, nan, newaxis, pi

_dtypes = {str(t).removeprefix("tandem."): t for t in _kinds.STANDARD}
globals().update(_dtypes)

__all__ = ["__array_api_version__", "__array_namespace_info__", "e", "fft", "inf", "linalg", "nan", "newaxis", "pi"]
__all__ += _dtypes
__all__ += _made.fill(globals(), lambda part: part not in _made.EXTENSIONS, _written)


def __dir__():
    return __all__
