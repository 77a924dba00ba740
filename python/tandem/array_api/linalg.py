"""The linalg extension of the Array API standard."""

from types import SimpleNamespace

from tandem import _tandem, errors
from tandem.array_api import _kinds, _made, _written
from tandem.array_api._kinds import FLOATING, KINDS, check


def cross(x1, x2, /, *, axis=-1):
    """Vector products along an axis of size 3, counted from the end."""
    x1, x2 = _kinds.same_dtype("cross", x1, x2, KINDS["Numeric"])
    return _tandem._linalg.cross(x1, x2, dim=_kinds.from_the_end("cross", axis))


def qr(x, /, *, mode="reduced"):
    """Orthonormal columns Q and an upper triangle R of x = Q R. mode: 'reduced', or 'complete' for a square Q."""
    if mode not in ("reduced", "complete"):
        raise errors.ValueError(f"[qr] expected mode 'reduced' or 'complete', got {mode!r}")
    return _tandem._linalg.qr(check("qr", x, FLOATING), mode)


def solve(x1, x2, /):
    """X of x1 X = x2; x2 is a vector where it has one dimension, else matrices. Waits for the device."""
    x1, x2 = _kinds.same_dtype("solve", x1, x2, FLOATING)
    if x2.ndim == 1:
        return _tandem._linalg.solve(x1, x2.unsqueeze(-1).broadcast_to((*x1.shape[:-2], *x2.shape, 1))).squeeze(-1)
    while 1 < x2.ndim < x1.ndim:  # linalg.solve would take some shapes for vectors
        x2 = x2.unsqueeze(0)
    return _tandem._linalg.solve(x1, x2)


def trace(x, /, *, offset=0, dtype=None):
    """Sums of the diagonals of matrices; dtypes as of sum."""
    dtype = _kinds.whole("trace", x, dtype)
    return _tandem._linalg.trace(x, offset=offset, dtype=dtype)


_own = SimpleNamespace(cross=cross, qr=qr, solve=solve, trace=trace, vecdot=_written.vecdot)
__all__ = _made.fill(globals(), lambda part: part == "linalg", _own)
