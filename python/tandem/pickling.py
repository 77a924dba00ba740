"""Pickles of tensors, storages, functions and kernels from source. Of tensors names, strides and devices are kept, and
those of one pickle that share a storage share it when they are read again, unless they have different dtypes. Storages are
written whole, as in PyTorch: clone() a small part of a large tensor first. From protocol 5 on the memory is a buffer, which
pickle may hand over without copying.
"""

from __future__ import annotations

import functools
import sys

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex


def _rebuild_storage(dtype, device, size, data):
    """A storage of so many bytes on the device; no data on meta."""
    if data is None and _tandem.device(device).type == "meta":
        return _elements(_tandem.empty(size, dtype=_tandem.uint8, device=device), dtype).storage()
    import numpy

    given = numpy.frombuffer(data, numpy.uint8) if data is not None and size else numpy.empty(0, numpy.uint8)
    if given.size != size:
        raise errors.ValueError(f"[pickle] expected {size} bytes of a storage, got {given.size}")
    memory = _tandem.empty(size, dtype=_tandem.uint8, device="cpu")
    memory.numpy()[...] = given
    return _elements(memory, dtype).to(device).storage()


def _rebuild_tensor(storage, dtype, shape, stride, offset, names):
    """A view of the storage."""
    x = _elements(storage._bytes(), dtype).as_strided(shape, stride, offset)
    return x if names is None else x.rename(*names)


def _function(place):
    """That of a place in the package: linalg.inv."""
    return functools.reduce(getattr, place.split("."), sys.modules["tandem"])


def _rebuild_kernel(source, function, result, numbers):
    return _tandem.elementwise_kernel(source, function=function, result=result, **numbers)


def _elements(memory, dtype):
    return memory[: len(memory) // dtype.itemsize * dtype.itemsize].view(dtype)


def _reduce_tensor(x: _tandem.Tensor, protocol: SupportsIndex) -> tuple[object, ...]:
    names = x.names if x.has_names() else None
    return _rebuild_tensor, (x.storage(), x.dtype, tuple(x.shape), x.stride(), x.storage_offset(), names)


def _reduce_storage(storage: _tandem.Storage, protocol: SupportsIndex) -> tuple[object, ...]:
    data = None
    if storage.device.type != "meta":
        from pickle import PickleBuffer

        data = storage._bytes().cpu().numpy()
        data = PickleBuffer(data) if int(protocol) >= 5 else data.tobytes()
    return _rebuild_storage, (storage.dtype, str(storage.device), storage.nbytes(), data)


_tandem.Tensor.__reduce_ex__ = _reduce_tensor
_tandem.Storage.__reduce_ex__ = _reduce_storage
