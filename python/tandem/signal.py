"""Signals: convolution by Fourier transforms, as in scipy.signal, and PyTorch's torch.signal.windows."""

import sys

from tandem._tandem import _signal_windows as windows
from tandem._tandem._signal import *

sys.modules["tandem.signal.windows"] = windows
