"""Signals: the window functions of PyTorch's torch.signal.windows."""

import sys

from tandem._tandem import _signal_windows as windows

sys.modules["tandem.signal.windows"] = windows
