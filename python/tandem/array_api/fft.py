"""The fft extension of the Array API standard."""

from tandem.array_api import _made

__all__ = _made.fill(globals(), lambda part: part == "fft", None)
