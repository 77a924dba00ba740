"""Discrete Fourier transforms of n dimensions, complex and real; frequencies and shifts of their bins; which library
computes them."""

from __future__ import annotations

from tandem import _tandem
from tandem._tandem._fft import *

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, SupportsIndex

    from tandem._types import DeviceLike


def provider(device: DeviceLike = "cpu") -> str:
    """What transforms on a device use, of this thread at this time: 'built-in' (Tandem's own, the same bits everywhere;
    always in exact mode), 'fftw' on the host where its plug-in is found, 'cufft' on a CUDA device where cuFFT is. One
    that was asked for by name is told even where it cannot be used: provider_reason says so, and transforms raise.

    TypeError for what is no device.

    >>> with tandem.exact():
    ...     tandem.fft.provider()
    'built-in'
    """
    return _tandem._fft_provider(_tandem.device(device))


def provider_reason(device: DeviceLike = "cpu") -> str:
    """Why, as a sentence: the library's version, or what keeps it from being used.

    >>> isinstance(tandem.fft.provider_reason(), str)
    True
    """
    return _tandem._fft_provider_reason(_tandem.device(device))


def set_provider(name: Literal["auto", "built-in", "fftw", "cufft"]) -> None:
    """Sets the provider of the process: 'auto', 'built-in', 'fftw' (which concerns the host) or 'cufft' (CUDA devices).
    ValueError for another name, DeviceError where the library cannot be used.

    >>> tandem.fft.set_provider("built-in")
    >>> tandem.fft.provider()
    'built-in'
    >>> tandem.fft.set_provider("auto")
    """
    _tandem._fft_set_provider(name)


class use_provider:
    """The same inside `with`, for this thread: `with tandem.fft.use_provider("built-in"): ...`

    Errors are those of set_provider.

    >>> with tandem.fft.use_provider("built-in"):
    ...     tandem.fft.provider()
    'built-in'
    """

    def __init__(self, name: Literal["auto", "built-in", "fftw", "cufft"]) -> None:
        self.name = name
        self.guards = []

    def __enter__(self) -> None:
        self.guards.append(_tandem._FftProviderGuard(self.name))

    def __exit__(self, *error: object) -> None:
        self.guards.pop()


def set_planning(effort: Literal["estimate", "measure", "patient"]) -> None:
    """How hard FFTW looks for its way: 'estimate' (at the start), 'measure' or 'patient'. Measuring takes up to seconds
    at the first transform of a shape, and last bits then differ from process to process.

    ValueError for another word.

    >>> tandem.fft.set_planning("estimate")
    """
    _tandem._fft_set_planning(effort)


def planning() -> str:
    """The effort that set_planning set.

    >>> tandem.fft.planning()
    'estimate'
    """
    return _tandem._fft_planning()


def next_fast_len(target: SupportsIndex, real: bool = False) -> int:
    """The length with the least work among `target` and those above it, of complex elements or of real ones: inputs are
    filled with zeros to it where a longer transform does as well (convolution). ValueError for a target below 1,
    TypeError for one that is no integer.

    >>> tandem.fft.next_fast_len(511), tandem.fft.next_fast_len(1021, real=True)
    (512, 1024)
    """
    return _tandem._fft_next_fast_len(target, real)
