"""CUDA devices: whether there are any, waiting for them, their streams and graphs.

Random numbers are the same on every device, so the functions for them here are those of tandem.random.
"""

from tandem import _tandem, memory
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


def memory_stats(device="cuda"):
    """tandem.memory_stats of a CUDA device."""
    return memory.memory_stats(device)


def memory_snapshot(device="cuda"):
    """tandem.memory_snapshot of a CUDA device."""
    return memory.memory_snapshot(device)


def memory_allocated(device="cuda"):
    """Bytes of live tensors on a device, as the pool rounds them."""
    return memory_stats(device)["allocated"]["current"]


def max_memory_allocated(device="cuda"):
    """The largest memory_allocated since the start or reset_peak_memory_stats."""
    return memory_stats(device)["allocated"]["peak"]


def memory_reserved(device="cuda"):
    """Bytes that the pool has taken from a device: live and cached."""
    return memory_stats(device)["reserved"]["current"]


def max_memory_reserved(device="cuda"):
    """The largest memory_reserved since the start or reset_peak_memory_stats."""
    return memory_stats(device)["reserved"]["peak"]


def reset_peak_memory_stats(device="cuda"):
    """Sets the peaks of the statistics to the present values."""
    memory.reset_peak_memory(device)


def empty_cache(device="cuda"):
    """Gives memory that no tensor uses back, after waiting for the device. Returns the number of bytes."""
    return memory.empty_cache(device)


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
