"""Tensors to and from other libraries without a copy: DLPack and __cuda_array_interface__. See docs/exchange.md."""

from __future__ import annotations

import builtins
import operator

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tandem import Tensor
    from tandem._types import DeviceLike

_CPU, _CUDA, _CUDA_HOST, _CUDA_MANAGED = 1, 2, 3, 13
_VERSION = (1, 3)


def _number(name, value, words, got):
    """The int that an argument is, or holds."""
    if not isinstance(value, builtins.bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise errors.TypeError(f"[__dlpack__] argument '{name}': expected {words}, got {got}")


def _pair(name, value, words):
    """The two ints that a tuple or list holds."""
    if not isinstance(value, (tuple, list)):
        raise errors.TypeError(f"[__dlpack__] argument '{name}': expected {words} or None, got {type(value).__name__}")
    if len(value) != 2:
        raise errors.ValueError(f"[__dlpack__] argument '{name}': expected {words}, got {len(value)} items")
    return tuple(_number(name, i, words, repr(value)) for i in value)


def _check_copy(op, copy):
    if copy is not None and not isinstance(copy, builtins.bool):
        raise errors.TypeError(f"[{op}] argument 'copy': expected a bool or None, got {type(copy).__name__}")


def _stream_handle(stream, here):
    """The stream that a consumer names: None is the default stream, -1 asks for no order."""
    if stream is None:
        return 1
    number = _number("stream", stream, "an int or None", type(stream).__name__)
    if number == 0 or not -1 <= number < 1 << 64:
        raise errors.ValueError(
            f"[__dlpack__] argument 'stream': expected 1 (the default stream), 2 (the thread's), a handle or -1, got {number}"
        )
    if here[0] == _CPU and number != -1:
        raise errors.ValueError(f"[__dlpack__] argument 'stream': expected None for a tensor on the CPU, got {number}")
    return number


def _is_versioned(max_version):
    """Whether the consumer knows capsules of version 1."""
    if max_version is None:
        return False
    major, minor = _pair("max_version", max_version, "(major, minor), two ints")
    if major < 0 or minor < 0:
        raise errors.ValueError(f"[__dlpack__] argument 'max_version': expected ints of 0 or more, got {(major, minor)}")
    return major >= 1


def _target(dl_device, here):
    """Where the consumer wants the tensor."""
    if dl_device is None:
        return here
    kind, number = target = _pair("dl_device", dl_device, "(type, number), two ints")
    if target != here and (kind not in (_CPU, _CUDA) or not 0 <= number < (1 if kind == _CPU else 128)):
        raise errors.BufferError(f"[__dlpack__] argument 'dl_device': expected (1, 0) or (2, number), got {target}")
    return target


def _placed(x, here, target, copy):
    """The tensor where the consumer wants it, and whether that is a copy."""
    if target == here:
        return (x.clone(), True) if copy else (x, False)
    if copy is False:
        raise errors.BufferError(
            f"[__dlpack__] expected no copy to be needed with copy=False, got a tensor on {x.device} for device {target}"
        )
    return x.to("cpu" if target[0] == _CPU else f"cuda:{target[1]}"), True


def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """DLPack's device type and number: (1, 0) on the CPU, (2, number) on a CUDA device."""
    if not (self.is_cpu or self.is_cuda):
        raise errors.BufferError(f"[__dlpack_device__] expected a tensor with data that others can use, got one on {self.device}")
    return _tandem._dlpack_device(self)


def __dlpack__(
    self: Tensor,
    *,
    stream: int | None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> object:
    """The tensor's memory as a DLPack capsule, as the Python Array API standard 2024.12 says.

    stream: of a CUDA tensor, the consumer's stream: 1 or None the default stream, 2 the thread's, else a handle. It is
      made to wait for the current stream; the host does not wait. -1: no order.
    max_version: without it the capsule is of the form before version 1, which has no flags.
    dl_device: (1, 0) copies to the CPU, (2, n) to a CUDA device.
    copy: True always copies; False never does.
    Raises BufferError where the tensor can't be handed out so, TypeError for an argument of another type, ValueError for
    a stream or a version that there can't be.
    """
    here = __dlpack_device__(self)
    target = _target(dl_device, here)
    handle = _stream_handle(stream, here)
    versioned = _is_versioned(max_version)
    _check_copy("__dlpack__", copy)
    out, copied = _placed(self, here, target, copy)
    if not versioned and _tandem._is_read_only(out):
        raise errors.BufferError(
            "[__dlpack__] expected max_version of (1, 0) or more for a tensor over read-only memory: older versions can't say so"
        )
    capsule = _tandem._dlpack_capsule(out, versioned, copied)
    if out.is_cuda and handle != -1:
        # A copy to another device was made in the order of that device's current stream.
        _tandem._hand_over(out, handle)
    return capsule


def _capsule_of(x, kind, keywords):
    """The producer's capsule, and whether it knew the keywords of version 1."""
    stream = {}
    # A copy on the host is whole when the producer returns it.
    if kind[0] in (_CUDA, _CUDA_MANAGED) and "dl_device" not in keywords:
        stream["stream"] = _tandem._stream_number(_tandem.device("cuda", kind[1]))
    try:
        return x.__dlpack__(max_version=_VERSION, **keywords, **stream), True
    except TypeError:
        return x.__dlpack__(**stream), False


def from_dlpack(x: Any, /, *, device: DeviceLike | None = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of an object with __dlpack__ (an array of NumPy, PyTorch, CuPy, JAX, ...), or of a capsule.

    device: where it is to be; copies where it is elsewhere.
    copy: None copies only where that is needed, True always, False never.
    The producer makes the current stream wait for its work; the host does not wait. Memory that the producer says is
    read-only makes a tensor that refuses writes. Raises AttributeError for other objects, ValueError where copy=False and
    a copy is needed, BufferError as the producer does, TypeError for a dtype that Tandem has not or a copy that is no bool.

    >>> import numpy, tandem
    >>> a = numpy.zeros(3)
    >>> t = tandem.from_dlpack(a)
    >>> t[1] = 5
    >>> a
    array([0., 5., 0.])
    """
    _check_copy("from_dlpack", copy)
    target = None if device is None else _tandem.device(device)
    if type(x).__name__ == "PyCapsule":
        out, copied = _tandem._dlpack_take(x), False
    else:
        kind = tuple(int(i) for i in x.__dlpack_device__())
        keywords = {} if copy is None else {"copy": copy}
        if target is not None and target.type == "cpu" and kind[0] not in (_CPU, _CUDA_HOST):
            if copy is False:
                raise errors.ValueError(f"[from_dlpack] expected no copy to be needed with copy=False, got memory of device {kind}")
            keywords["dl_device"] = (_CPU, 0)
        capsule, known = _capsule_of(x, kind, keywords)
        out, copied = _tandem._dlpack_take(capsule), known and copy is True
    if target is not None and not _is_on(out, target):
        if copy is False:
            raise errors.ValueError(f"[from_dlpack] expected memory on {target} with copy=False, got {out.device}")
        return out.to(target)
    return out.clone() if copy and not copied else out


def _is_on(x, device):
    return x.device == device or (x.device.type == device.type and device.index is None)


def _elements(strides, size):
    for s in strides:
        if operator.index(s) % size:
            raise errors.ValueError(
                f"[as_tensor] expected strides that are multiples of the element's {size} bytes, got {s}"
            )
    return tuple(operator.index(s) // size for s in strides)


def _from_cuda_interface(x):
    """A tensor over the memory of an object with __cuda_array_interface__, version 2 or 3."""
    face = x.__cuda_array_interface__
    if face.get("mask") is not None:
        raise errors.ValueError("[as_tensor] expected a __cuda_array_interface__ without a mask")
    dtype = _tandem._dtype_of_code(face["typestr"])
    if dtype is None:
        raise errors.TypeError(f"[as_tensor] expected a dtype that Tandem has, got typestr {face['typestr']!r}")
    stream = face.get("stream")
    if stream == 0:
        raise errors.ValueError("[as_tensor] expected a __cuda_array_interface__ whose stream is not 0, which says nothing")
    known = getattr(x, "__dlpack_device__", None)
    device = _tandem.device("cuda", _tandem._current_device() if known is None else int(known()[1]))
    shape = tuple(operator.index(n) for n in face["shape"])
    strides = face.get("strides")
    address, read_only = face["data"]
    return _tandem._from_cuda_interface(
        x,
        operator.index(address),
        builtins.bool(read_only),
        shape,
        None if strides is None else _elements(strides, dtype.itemsize),
        dtype,
        device,
        stream,
    )


_tandem.Tensor.__dlpack__ = __dlpack__
_tandem.Tensor.__dlpack_device__ = __dlpack_device__
