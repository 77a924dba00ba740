"""Memory of the devices: what holds it, under which tag, and limits.

Sizes are bytes. A device is given as in to(): "cpu", "cuda", "cuda:1".
"""

from __future__ import annotations

import json
import os
from contextlib import ContextDecorator

from tandem import _tandem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from tandem._types import DeviceLike


class memory_tag(ContextDecorator):
    """Names what the calling thread allocates inside `with`, for statistics, snapshots and out-of-memory
    reports. A tag within a tag is "outer/inner". Also a decorator. ValueError for a name that is empty, longer
    than 200 bytes or has control characters.

    >>> with tandem.memory_tag("weights"):
    ...     x = tandem.zeros(1000)
    >>> [live["requested"] for live in tandem.memory_snapshot()["live"] if live["tag"] == "weights"]
    [4000]
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"[memory_tag] expected a str, got {type(name).__name__}")
        self._name = name

    def __enter__(self) -> memory_tag:
        _tandem._memory_tag_push(self._name)
        return self

    def __exit__(self, *error: object) -> None:
        _tandem._memory_tag_pop()


def memory_snapshot(device: DeviceLike = "cpu") -> dict[str, Any]:
    """All that a device's pool holds, as a dict: statistics, segments with their ranges, tags, streams.
    docs/memory.md has the format. Waits for nothing.

    DeviceError for a device that is not there.

    >>> x = tandem.zeros(1000)
    >>> tandem.memory_snapshot()["device"]
    'cpu'
    """
    return json.loads(_tandem._memory_snapshot(device))


def write_memory_snapshot(path: str | PathLike[str], device: DeviceLike = "cpu") -> None:
    """The same as a JSON file, which `tandem memory FILE` shows and draws. The file is there as a whole or not at all.

    FileError where it cannot be written.

    >>> tandem.write_memory_snapshot("snapshot.json")
    >>> import json
    >>> json.load(open("snapshot.json"))["device"]
    'cpu'
    """
    _tandem._write_memory_snapshot(os.fspath(path), device)


def memory_stats(device: DeviceLike = "cpu") -> dict[str, Any]:
    """Statistics of a device's pool as a dict; requested, allocated and reserved have current, peak and total.

    DeviceError for a device that is not there.

    >>> before = tandem.memory_stats()["requested"]["current"]
    >>> x = tandem.zeros(1000)
    >>> tandem.memory_stats()["requested"]["current"] - before
    4000
    """
    return _tandem._memory_stats(device)


def memory_pools(device: DeviceLike = "cpu") -> list[dict[str, Any]]:
    """The same for each part of the pool: the shared one first, then those of graphs.

    >>> len(tandem.memory_pools()) >= 1
    True
    """
    return _tandem._memory_pools(device)


def reset_peak_memory(device: DeviceLike = "cpu") -> None:
    """Sets the peaks of the statistics to the present values.

    >>> tandem.reset_peak_memory()
    >>> stats = tandem.memory_stats()["allocated"]
    >>> stats["peak"] == stats["current"]
    True
    """
    _tandem._reset_peak_memory(device)


def empty_cache(device: DeviceLike = "cpu") -> int:
    """Gives memory that no tensor uses back, after waiting for the device. Returns the number of bytes.

    >>> tandem.empty_cache() >= 0
    True
    """
    return _tandem._empty_cache(device)


def set_memory_limit(bytes: int | None, device: DeviceLike = "cpu") -> None:
    """The most that the pool may take from the device; None: no limit.

    ValueError for a limit below 0. Beyond it OutOfMemory is raised.

    >>> tandem.set_memory_limit(1 << 40)
    >>> tandem.set_memory_limit(None)
    """
    _tandem._set_memory_limit(bytes, device)
