"""CUDA devices: whether there are any, waiting for them, their streams and graphs.

Random numbers are the same on every device, so the functions for them here are those of tandem.random.
"""

from tandem import _tandem
from tandem.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from tandem.streams import (
    CUDAGraph,
    Event,
    ExternalStream,
    Stream,
    current_stream,
    default_stream,
    graph,
    stream,
)

manual_seed_all = manual_seed
seed_all = seed


def is_available():
    """Whether a CUDA device can be used."""
    return _tandem._cuda_is_available()


def device_count():
    """Number of CUDA devices that can be used."""
    return _tandem._cuda_device_count()


def status():
    """Why CUDA is or is not in use, in words."""
    return _tandem._cuda_status()


def synchronize(device=None):
    """Waits for all work on a device."""
    _tandem._cuda_synchronize(device)
