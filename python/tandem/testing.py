"""For tests of programs that use Tandem: assert_close."""

from __future__ import annotations

import builtins
import collections.abc
import numbers

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["assert_close"]


def _is_array(x):
    return hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__")


def _unsupported(actual, expected):
    message = f"[assert_close] expected tensors, numbers, None, or sequences and mappings of them, got {type(actual)!r} and {type(expected)!r}"
    return errors.TypeError(message)


def _numbers(actual, expected, options):
    """What differs between two Python numbers."""
    if options["check_dtype"] and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    exact = isinstance(actual, numbers.Integral) and isinstance(expected, numbers.Integral)
    if exact and options["rtol"] is None and options["atol"] is None:
        # Of any size.
        if actual == expected:
            return ""
        relative = abs(actual - expected) / abs(expected) if expected else float("inf")
        return (
            f"Scalars are not equal!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {abs(actual - expected)}\nRelative difference: {relative}"
        )
    return _tandem._mismatch(actual, expected, **options)


def _path(keys):
    return "".join(f"[{key!r}]" for key in keys)


def _compare(actual, expected, options, keys):
    """What differs, and where; None if nothing does."""
    here = f"\n\nThe failure occurred for item {_path(keys)}" if keys else ""
    if isinstance(actual, _tandem.Tensor) and isinstance(expected, _tandem.Tensor):
        found = _tandem._mismatch(actual, expected, **options)
    elif _is_array(actual) and _is_array(expected) and (type(actual) is type(expected)):
        found = _tandem._mismatch(_tandem.as_tensor(actual), _tandem.as_tensor(expected), **options)
    elif actual is None or expected is None:
        found = "" if actual is expected else f"None mismatch: {actual} is not {expected}"
    elif isinstance(actual, numbers.Number) and isinstance(expected, numbers.Number):
        found = _numbers(actual, expected, options)
    elif isinstance(actual, collections.abc.Mapping) and isinstance(expected, collections.abc.Mapping):
        return _compare_mappings(actual, expected, options, keys, here)
    elif _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{here}"
        pairs = enumerate(zip(actual, expected, strict=True))
        return next(filter(None, (_compare(a, b, options, (*keys, i)) for i, (a, b) in pairs)), None)
    else:
        raise _unsupported(actual, expected)
    return found + here if found else None


def _is_sequence(x):
    return isinstance(x, collections.abc.Sequence) and not isinstance(x, (builtins.str, builtins.bytes))


def _compare_mappings(actual, expected, options, keys, here):
    missing = [k for k in expected if k not in actual]
    additional = [k for k in actual if k not in expected]
    if missing or additional:
        return (
            "The keys of the mappings do not match:"
            + (f"\nMissing keys in the actual mapping: {missing}" if missing else "")
            + (f"\nAdditional keys in the actual mapping: {additional}" if additional else "")
            + here
        )
    return next(filter(None, (_compare(actual[k], expected[k], options, (*keys, k)) for k in actual)), None)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Takes tensors, arrays, numbers, None, and sequences and mappings of them, nested as one likes; both of one
    structure. rtol and atol are given both or neither: by default they are those of the dtype, the greater ones
    of two dtypes (float16 1e-3 and 1e-5, bfloat16 1.6e-2 and 1e-5, float32 and complex64 1.3e-6 and 1e-5, float64
    and complex128 1e-7 and 1e-7, others 0). Infinities are close to themselves alone, NaN to NaN with equal_nan.
    Shapes are never broadcast. msg stands in place of the message, or is called with it. Waits for the device.

    >>> tandem.testing.assert_close(tandem.tensor([1.0]), tandem.tensor([1.0 + 1e-7]))
    >>> try:
    ...     tandem.testing.assert_close(tandem.tensor([1.0]), tandem.tensor([1.1]))
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[0])
    Tensors are not close!
    """
    if not allow_subclasses and type(actual) is not type(expected):
        raise _unsupported(actual, expected)
    options = {
        "rtol": rtol,
        "atol": atol,
        "equal_nan": equal_nan,
        "check_device": check_device,
        "check_dtype": check_dtype,
        "check_layout": check_layout,
        "check_stride": check_stride,
    }
    found = _compare(actual, expected, options, ())
    if found is not None:
        raise AssertionError(msg(found) if callable(msg) else msg or found)
