"""Signals: convolution and correlation, as in scipy.signal, and PyTorch's torch.signal.windows."""

import sys

from tandem import _tandem
from tandem._tandem import _signal_windows as windows
from tandem._tandem._signal import *

sys.modules["tandem.signal.windows"] = windows


def choose_conv_method(in1, in2, mode="full"):
    """'fft' or 'direct': what convolve and correlate do for method 'auto', by an estimate of the time, and for integers
    by what is exact."""
    return _tandem._choose_conv_method(in1, in2, mode)
