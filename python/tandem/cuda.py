"""CUDA devices: whether there are any, waiting for them, their streams and graphs.

Random numbers are the same on every device, so the functions for them here are those of tandem.random.
"""

from __future__ import annotations

from tandem import _tandem, memory
from tandem.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from tandem.streams import (
    CUDAGraph,
    Event,
    ExternalStream,
    Stream,
    current_device,
    current_stream,
    default_stream,
    device,
    graph,
    set_device,
    stream,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tandem._types import DeviceLike

manual_seed_all = manual_seed
seed_all = seed


def memory_stats(device: DeviceLike = "cuda") -> dict[str, Any]:
    """tandem.memory_stats of a CUDA device.

    DeviceError where there is no CUDA device.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.memory_stats()["allocated"]["current"] >= 0
    """
    return memory.memory_stats(device)


def memory_snapshot(device: DeviceLike = "cuda") -> dict[str, Any]:
    """tandem.memory_snapshot of a CUDA device.

    DeviceError where there is no CUDA device.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.memory_snapshot()["device"].startswith("cuda")
    """
    return memory.memory_snapshot(device)


def memory_allocated(device: DeviceLike = "cuda") -> int:
    """Bytes of live tensors on a device, as the pool rounds them.

    >>> if tandem.cuda.is_available():
    ...     before = tandem.cuda.memory_allocated()
    ...     x = tandem.zeros(1000, device="cuda")
    ...     assert tandem.cuda.memory_allocated() - before >= 4000
    """
    return memory_stats(device)["allocated"]["current"]


def max_memory_allocated(device: DeviceLike = "cuda") -> int:
    """The largest memory_allocated since the start or reset_peak_memory_stats.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.max_memory_allocated() >= tandem.cuda.memory_allocated()
    """
    return memory_stats(device)["allocated"]["peak"]


def memory_reserved(device: DeviceLike = "cuda") -> int:
    """Bytes that the pool has taken from a device: live and cached.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.memory_reserved() >= tandem.cuda.memory_allocated()
    """
    return memory_stats(device)["reserved"]["current"]


def max_memory_reserved(device: DeviceLike = "cuda") -> int:
    """The largest memory_reserved since the start or reset_peak_memory_stats.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.max_memory_reserved() >= tandem.cuda.memory_reserved()
    """
    return memory_stats(device)["reserved"]["peak"]


def reset_peak_memory_stats(device: DeviceLike = "cuda") -> None:
    """Sets the peaks of the statistics to the present values.

    >>> if tandem.cuda.is_available():
    ...     tandem.cuda.reset_peak_memory_stats()
    ...     assert tandem.cuda.max_memory_allocated() == tandem.cuda.memory_allocated()
    """
    memory.reset_peak_memory(device)


def empty_cache(device: DeviceLike = "cuda") -> int:
    """Gives memory that no tensor uses back, after waiting for the device. Returns the number of bytes.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.empty_cache() >= 0
    """
    return memory.empty_cache(device)


def is_available() -> bool:
    """Whether a CUDA device can be used.

    Without a toolkit, a driver or a device it is False, and nothing is raised.

    >>> tandem.cuda.is_available() == (tandem.cuda.device_count() > 0)
    True
    """
    return _tandem._cuda_is_available()


def device_count() -> int:
    """Number of CUDA devices that can be used.

    >>> tandem.cuda.device_count() >= 0
    True
    """
    return _tandem._cuda_device_count()


def status() -> str:
    """Why CUDA is or is not in use, in words.

    >>> isinstance(tandem.cuda.status(), str)
    True
    """
    return _tandem._cuda_status()


def synchronize(device: DeviceLike | None = None) -> None:
    """Waits for all work on a device.

    ValueError for another device, DeviceError where there is none. Errors of the work are raised here.

    >>> if tandem.cuda.is_available():
    ...     x = tandem.ones(3, device="cuda") * 2
    ...     tandem.cuda.synchronize()
    """
    _tandem._cuda_synchronize(device)
