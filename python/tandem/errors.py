"""Tandem's errors. Each is also the builtin error it stands for, and all are an Error."""

import builtins
import sys


def _restore(key, args):
    return globals()[key](*args)


class Error(builtins.RuntimeError):
    """Base of all errors of Tandem."""

    def __reduce__(self):
        return _restore, (self._key, self.args)


class IndexError(Error, builtins.IndexError):
    """An index or axis out of range."""


class ValueError(Error, builtins.ValueError):
    """A value that is not allowed."""


class TypeError(Error, builtins.TypeError):
    """A dtype or argument type that is not allowed."""


class NotImplementedError(Error, builtins.NotImplementedError):
    """The op exists, but not for these arguments."""


class BufferError(Error, builtins.BufferError):
    """Memory that can't be handed to another library in the way it asks for."""


class ShapeError(Error):
    """Shapes, names or layouts that do not fit."""


class DeviceError(Error):
    """A device is missing, unusable or reported an error."""


class OutOfMemory(Error, builtins.MemoryError):
    """Memory could not be had; the message carries the pool's report."""


class FileError(Error, builtins.OSError):
    """A file is missing, malformed or could not be written."""


class LinAlgError(ValueError):
    """A matrix has no result: it is singular, not positive definite, not finite, or did not converge."""


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
