"""Tandem's errors. Each is also the builtin error it stands for, and all are an Error."""

import builtins
import sys


def _restore(key, args):
    return globals()[key](*args)


class Error(builtins.RuntimeError):
    """Base of all errors of Tandem.

    >>> issubclass(tandem.ShapeError, tandem.Error), issubclass(tandem.Error, RuntimeError)
    (True, True)
    """

    def __reduce__(self):
        return _restore, (self._key, self.args)


class IndexError(Error, builtins.IndexError):
    """An index or axis out of range.

    >>> try:
    ...     tandem.zeros(2)[5]
    ... except IndexError as error:
    ...     print(isinstance(error, tandem.Error))
    True
    """


class ValueError(Error, builtins.ValueError):
    """A value that is not allowed.

    >>> try:
    ...     tandem.zeros(-1)
    ... except ValueError as error:
    ...     print(isinstance(error, tandem.Error))
    True
    """


class TypeError(Error, builtins.TypeError):
    """A dtype or argument type that is not allowed.

    >>> try:
    ...     tandem.sqrt("a")
    ... except TypeError as error:
    ...     print(error)
    [sqrt] expected x to be a tensor, got str
    """


class NotImplementedError(Error, builtins.NotImplementedError):
    """The op exists, but not for these arguments.

    >>> try:
    ...     tandem.zeros(2).is_contiguous(memory_format=1)
    ... except NotImplementedError as error:
    ...     print(isinstance(error, tandem.Error))
    True
    """


class ZeroDivisionError(Error, builtins.ZeroDivisionError):
    """An integer divided by a 0 that is a number; the quotient by an element of a tensor that is 0 is 0.

    >>> try:
    ...     tandem.tensor([7, 8]) // 0
    ... except ZeroDivisionError as error:
    ...     print(isinstance(error, tandem.Error))
    True
    """


class BufferError(Error, builtins.BufferError):
    """Memory that can't be handed to another library in the way it asks for.

    >>> try:
    ...     tandem.zeros(2, device="meta").__dlpack__()
    ... except BufferError as error:
    ...     print(isinstance(error, tandem.Error))
    True
    """


class ShapeError(Error):
    """Shapes, names or layouts that do not fit.

    >>> try:
    ...     tandem.zeros(2, 3).view(4)
    ... except tandem.ShapeError as error:
    ...     print(error)
    [view] shape '[4]' is invalid for input of size 6
    """


class DeviceError(Error):
    """A device is missing, unusable or reported an error.

    >>> try:
    ...     tandem.zeros(2, device="cuda:99")
    ... except tandem.DeviceError:
    ...     print("no such device")
    no such device
    """


class OutOfMemory(Error, builtins.MemoryError):
    """Memory could not be had; the message carries the pool's report.

    >>> tandem.set_memory_limit(tandem.memory_stats()["reserved"]["current"] + (1 << 20))
    >>> try:
    ...     tandem.empty(1 << 32, dtype=tandem.uint8)
    ... except tandem.OutOfMemory as error:
    ...     print(isinstance(error, MemoryError))
    True
    >>> tandem.set_memory_limit(None)
    """


class FileError(Error, builtins.OSError):
    """A file is missing, malformed or could not be written.

    >>> try:
    ...     tandem.io.load_hdf5("missing.h5")
    ... except tandem.FileError as error:
    ...     print(isinstance(error, OSError))
    True
    """


class LinAlgError(ValueError):
    """A matrix has no result: it is singular, not positive definite, not finite, or did not converge.

    >>> try:
    ...     tandem.linalg.inv(tandem.zeros(2, 2))
    ... except tandem.linalg.LinAlgError as error:
    ...     print(isinstance(error, ValueError))
    True
    """


_both = None


def _linalg_error():
    """What is raised: LinAlgError, which is also NumPy's class of this name where NumPy is loaded."""
    global _both
    numpy = sys.modules.get("numpy.linalg")
    if numpy is None:
        return LinAlgError
    if _both is None:
        body = {"__module__": "tandem.linalg", "__doc__": LinAlgError.__doc__}
        _both = type("LinAlgError", (LinAlgError, numpy.LinAlgError), body)
    return _both


for _error in [Error, *Error.__subclasses__(), LinAlgError]:
    _error._key = _error.__name__
    _error.__module__ = "tandem"
LinAlgError.__module__ = "tandem.linalg"
# Tracebacks read as PyTorch's: the name of the builtin error, with the module's own in front.
for _error, _builtin in [
    (ShapeError, "RuntimeError"),
    (DeviceError, "RuntimeError"),
    (OutOfMemory, "MemoryError"),
    (FileError, "OSError"),
]:
    _error.__name__ = _error.__qualname__ = _builtin
del _error, _builtin
