"""Pickles of tensors. Names, strides and devices are kept, and tensors of one pickle that share a storage share it when
they are read again, unless they have different dtypes. Storages are written whole, as in PyTorch: clone() a small part of
a large tensor first. From protocol 5 on the memory is a buffer, which pickle may hand over without copying.
"""

from __future__ import annotations

from tandem import _tandem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex


def _rebuild_storage(dtype, device, size, data):
    """A storage of so many bytes on the device; no data on meta."""
    if data is None:
        return _elements(_tandem.empty(size, dtype=_tandem.uint8, device=device), dtype).storage()
    import numpy

    memory = _tandem.empty(size, dtype=_tandem.uint8, device="cpu")
    memory.numpy()[...] = numpy.frombuffer(data, numpy.uint8) if size else 0
    return _elements(memory, dtype).to(device).storage()


def _rebuild_tensor(storage, dtype, shape, stride, offset, names):
    """A view of the storage."""
    x = _elements(storage._bytes(), dtype).as_strided(shape, stride, offset)
    return x if names is None else x.rename(*names)


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
