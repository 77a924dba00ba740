# The buffer protocol both ways, frombuffer, and what as_tensor makes of other libraries' objects.
import hashlib
import array
import ctypes
import gc
import mmap
import struct
import sys

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, numpy_dtype, random_array, short


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_every_dtype_has_a_format(dtype, rng):
    values = random_array(rng, dtype, (3, 4), -100, 100)
    t = td.tensor(values)
    view = memoryview(t)
    assert (view.shape, view.strides, view.itemsize) == (values.shape, values.strides, values.itemsize)
    assert np.asarray(view).dtype == numpy_dtype(dtype) and not view.readonly
    assert view.tobytes() == values.tobytes()
    np.testing.assert_array_equal(np.asarray(view), values)
    back = td.as_tensor(view)
    assert back.dtype is dtype and back.data_ptr() == t.data_ptr()
    if not t.dtype.is_complex:
        assert struct.calcsize(view.format) == t.itemsize
        if dtype is not td.float16:  # memoryview reads it since Python 3.12
            view[1, 2] = values[0, 0].item()
            assert t[1, 2].item() == values[0, 0]


def test_every_layout_is_exported_without_a_copy(rng):
    base = random_array(rng, td.int32, (4, 3, 6), -100, 100)
    for name, values in layouts(base):
        t = td.from_numpy(values)
        view = memoryview(t)
        assert view.strides == values.strides and view.readonly != values.flags.writeable, name
        assert np.shares_memory(np.asarray(view), values), name
        assert view.tobytes() == values.tobytes() and view.contiguous == memoryview(values).contiguous, name
        back = td.as_tensor(view)
        assert back.data_ptr() == t.data_ptr() and back.stride() == t.stride(), name


class PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


SIMPLE, WRITABLE, FORMAT, ND, STRIDES = 0, 1, 4, 8, 0x18
C, F, ANY = 0x38, 0x58, 0x98


def request(t, flags):
    """What the tensor answers to a request: the fields that it fills."""
    view = PyBuffer()
    get = ctypes.pythonapi.PyObject_GetBuffer
    get.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
    get(t, ctypes.byref(view), flags)
    fields = view.len, bool(view.format), bool(view.shape), bool(view.strides)
    ctypes.pythonapi.PyBuffer_Release.argtypes = [ctypes.c_void_p]
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    return fields


def test_requests_are_answered_as_the_protocol_says():
    t = td.zeros(2, 3)
    count = sys.getrefcount(t)
    assert request(t, SIMPLE) == (24, False, False, False)
    assert request(t, FORMAT | ND) == (24, True, True, False)
    assert request(t, STRIDES | WRITABLE) == (24, False, True, True)
    for flags in (C, ANY):
        assert request(t, flags)[0] == 24
    for flags in (F,):
        with pytest.raises(BufferError, match="column-major"):
            request(t, flags)
    turned = t.t()
    assert request(turned, F)[0] == request(turned, ANY)[0] == request(turned, STRIDES)[0] == 24
    for flags in (SIMPLE, ND, C, FORMAT):
        with pytest.raises(BufferError, match="row-major"):
            request(turned, flags)
    gaps = td.zeros(2, 6)[:, ::2]
    for flags in (SIMPLE, C, F, ANY):
        with pytest.raises(BufferError, match="dense"):
            request(gaps, flags)
    del turned
    gc.collect()
    assert sys.getrefcount(t) == count


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)], ids=str)
def test_scalars_and_empty_tensors(shape):
    t = td.ones(shape)
    view = memoryview(t)
    assert view.shape == shape and view.nbytes == t.nbytes
    assert td.as_tensor(view).shape == shape


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: td.zeros(2, dtype=td.bfloat16), "bfloat16"),
        (lambda: td.zeros(2, device="meta"), "meta"),
    ],
)
def test_what_has_no_buffer_says_why(make, message):
    with pytest.raises(BufferError, match=message) as caught:
        memoryview(make())
    assert isinstance(caught.value, td.Error)


def test_a_view_keeps_the_memory():
    before = td.memory_stats("cpu")["allocated"]["current"]
    view = memoryview(td.arange(100_000))
    gc.collect()
    filler = [td.zeros(100_000, dtype=td.int64) for _ in range(4)]
    assert view[-1] == 99_999 and filler
    del view, filler
    gc.collect()
    assert td.memory_stats("cpu")["allocated"]["current"] == before


def test_read_only_tensors_give_read_only_views():
    t = td.frombuffer(b"abcd", dtype=td.uint8)
    assert memoryview(t).readonly
    with pytest.raises(BufferError, match="read-only"):
        request(t, WRITABLE)
    with pytest.raises(TypeError, match="read-only"):
        memoryview(t)[0] = 1


# ---- tensors over buffers


def test_frombuffer_shares_the_bytes():
    data = bytearray(range(16))
    t = td.frombuffer(data, dtype=td.int32)
    assert t.tolist() == list(struct.unpack("<4i", data))
    t[0] = -1
    assert data[:4] == b"\xff" * 4
    with pytest.raises(BufferError):
        data.extend(b"x")  # the memory is held
    assert td.frombuffer(data, dtype=td.uint8, count=3, offset=5).tolist() == [5, 6, 7]
    assert td.frombuffer(data, dtype=td.int16, offset=12).shape == (2,)
    assert td.frombuffer(data, dtype=td.int32, count=2, offset=8).shape == (2,)
    del t
    gc.collect()
    data.extend(b"x")


def test_frombuffer_takes_every_exporter():
    assert td.frombuffer(array.array("d", [1, 2]), dtype=td.float64).tolist() == [1, 2]
    with mmap.mmap(-1, 4096) as memory:
        t = td.frombuffer(memory, dtype=td.float32)
        t.fill_(2)
        assert struct.unpack("<f", memory[4:8]) == (2,)
        del t
        gc.collect()
    assert td.frombuffer((ctypes.c_short * 3)(1, 2, 3), dtype=td.int16).tolist() == [1, 2, 3]
    assert td.frombuffer(np.arange(4.0), dtype=td.complex128).tolist() == [1j, 2 + 3j]
    assert td.frombuffer(b"\0\0\x80\x3f", dtype=td.bfloat16).tolist() == [0, 1]


@pytest.mark.parametrize(
    "data, keywords, error, message",
    [
        (b"", {}, ValueError, "expected bytes"),
        (b"abcd", {"count": 0}, ValueError, "count"),
        (b"abcd", {"offset": 4}, ValueError, "offset"),
        (b"abcd", {"offset": -1}, ValueError, "offset"),
        (b"abcdef", {}, ValueError, "multiple of 4"),
        (b"abcdefgh", {"count": 3}, ValueError, "at most 2"),
        (b"abcdefghi", {"offset": 1}, ValueError, "aligned"),
        ([1, 2], {}, TypeError, "buffer"),
        (np.zeros((4, 4), np.float32)[:, ::2], {}, (BufferError, ValueError), "contiguous"),
    ],
)
def test_frombuffer_refuses(data, keywords, error, message):
    count = sys.getrefcount(data)
    with pytest.raises(error, match=message):
        td.frombuffer(data, dtype=td.float32, **keywords)
    assert sys.getrefcount(data) == count


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_typed_buffers_keep_their_dtype(code):
    values = array.array(code, [1, 2, 3])
    for make in (td.as_tensor, td.asarray):
        t = make(values)
        assert t.tolist() == [1, 2, 3] and t.dtype.itemsize == values.itemsize
        t[0] = 7
        assert values[0] == 7
        values[0] = 1
    t = td.tensor(values)
    t[0] = 7
    assert values[0] == 1
    assert td.as_tensor(values, dtype=td.float32).dtype is td.float32


def test_buffers_of_several_dimensions_and_bytes():
    assert td.as_tensor(b"abc").tolist() == [97, 98, 99]
    assert td.as_tensor(((ctypes.c_float * 3) * 2)((1, 2, 3), (4, 5, 6))).tolist() == [[1, 2, 3], [4, 5, 6]]
    view = memoryview(bytearray(range(24))).cast("i", (2, 3))
    assert td.as_tensor(view).shape == (2, 3) and td.as_tensor(view).dtype is td.int32
    data = bytearray(b"abc")
    assert td.asarray(data, copy=False).data_ptr() == td.asarray(data).data_ptr()
    assert td.asarray(data, copy=True).data_ptr() != td.asarray(data).data_ptr()
    with pytest.raises(ValueError):
        td.asarray(np.float32(1), copy=False)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: (ctypes.c_int32.__ctype_be__ * 2)(), "byte order"),
        (lambda: (ctypes.c_longdouble * 2)(), "numbers or bools"),
        (lambda: (ctypes.c_char * 2)(), "numbers or bools"),
        (lambda: array.array("u", "ab"), "numbers or bools"),
    ],
)
def test_other_formats_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        td.as_tensor(make())


def test_images():
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    t = td.tensor(picture)
    assert t.shape == (2, 4, 3) and t.dtype is td.uint8 and t[1, 3, 2].item() == 23
    assert image.fromarray(t.numpy()).getpixel((3, 1)) == (21, 22, 23)


class WithInterface:
    """As an image of PIL's: an interface over bytes."""

    def __init__(self):
        self.__array_interface__ = {"version": 3, "shape": (2, 2), "typestr": "|u1", "data": b"\1\2\3\4"}


def test_array_interface_and_array():
    assert td.tensor(WithInterface()).tolist() == [[1, 2], [3, 4]]
    shared = td.as_tensor(WithInterface())
    with pytest.raises(ValueError, match="read-only"):
        shared.add_(1)

    class WithArray:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3.0)

    assert td.as_tensor(WithArray()).tolist() == [0, 1, 2]


def test_numpy_takes_tensors_by_its_second_versions_rules():
    t = td.arange(6).reshape(2, 3)
    assert np.shares_memory(np.asarray(t), t.numpy()) and np.shares_memory(np.array(t, copy=False), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy()) and not np.shares_memory(t.__array__(copy=True), t.numpy())
    assert t.__array__(np.float32).dtype == np.float32
    assert np.shares_memory(t.__array__(np.dtype("i8"), copy=False), t.numpy())
    with pytest.raises(ValueError):
        t.__array__(np.float32, copy=False)
    with pytest.raises(TypeError, match="bfloat16"):
        np.asarray(td.zeros(2, dtype=td.bfloat16))
    with pytest.raises(TypeError, match="meta"):
        np.asarray(td.zeros(2, device="meta"))


def test_an_array_under_a_tensor_is_not_resized():
    values = np.arange(4.0)
    t = td.from_numpy(values)
    with pytest.raises(ValueError, match="referenc"):
        values.resize(1000)
    view = memoryview(t)
    with pytest.raises(ValueError):
        values.resize(1000)
    assert view[3] == 3


def test_who_asks_for_bytes_alone_gets_a_row_of_them():
    x = td.arange(6, dtype=td.int32).reshape(2, 3)
    assert hashlib.sha256(x).hexdigest() == hashlib.sha256(x.numpy()).hexdigest()
