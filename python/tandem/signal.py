"""Signals: convolution and correlation, as in scipy.signal, and PyTorch's torch.signal.windows."""

from __future__ import annotations

import sys

from tandem import _tandem
from tandem._tandem import _signal_windows as windows
from tandem._tandem._signal import *

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from tandem import Tensor

sys.modules["tandem.signal.windows"] = windows


def choose_conv_method(
    in1: Tensor, in2: Tensor, mode: Literal["full", "same", "valid"] = "full"
) -> Literal["direct", "fft"]:
    """'fft' or 'direct': what convolve and correlate do for method 'auto', by an estimate of the time, and for integers
    by what is exact. TypeError for what is no tensor, else the errors of convolve.

    >>> x = tandem.ones(1000)
    >>> tandem.signal.choose_conv_method(x, tandem.ones(3)), tandem.signal.choose_conv_method(x, x)
    ('direct', 'fft')
    """
    return _tandem._choose_conv_method(in1, in2, mode)
