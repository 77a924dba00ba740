# DLPack both ways: with NumPy, PyTorch and JAX where they are, and with producers and consumers of the test's own.
import ctypes
import gc
import sys

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, random_array, short

ML_DTYPES = [td.bfloat16]


class Old:
    """A producer of before version 1: it knows no keyword but the stream."""

    def __init__(self, t):
        self.t = t

    def __dlpack_device__(self):
        return self.t.__dlpack_device__()

    def __dlpack__(self, stream=None):
        return self.t.__dlpack__(stream=stream)


class Recorder:
    """A producer that remembers what it was asked for."""

    def __init__(self, t):
        self.t, self.asked = t, []

    def __dlpack_device__(self):
        return self.t.__dlpack_device__()

    def __dlpack__(self, **keywords):
        self.asked.append(keywords)
        return self.t.__dlpack__(**keywords)


def name_of(capsule):
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return get(capsule).decode()


def allocated():
    gc.collect()
    return td.memory_stats("cpu")["allocated"]["current"]


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_every_dtype_goes_to_numpy_and_back(dtype, rng):
    array = random_array(rng, dtype, (3, 4), -100, 100)
    t = td.from_dlpack(array)
    assert t.dtype is dtype and t.tolist() == array.tolist()
    back = np.from_dlpack(t)
    assert back.dtype == array.dtype and np.shares_memory(back, array)
    t[0, 0] = 1
    assert array[0, 0] == 1


@pytest.mark.parametrize("dtype", [*NUMPY_DTYPES, *ML_DTYPES], ids=short)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (5,), (2, 3, 4)], ids=str)
def test_every_dtype_and_shape_goes_round(dtype, shape):
    t = td.ones(shape, dtype=dtype)
    for source in (t, Old(t), t.__dlpack__(), t.__dlpack__(max_version=(1, 0))):
        back = td.from_dlpack(source)
        assert back.dtype is dtype and back.shape == shape and td.equal(back, t)
        if t.numel():
            assert back.data_ptr() == t.data_ptr()


def test_every_layout_goes_without_a_copy(rng):
    base = random_array(rng, td.float32, (4, 3, 6), -100, 100)
    for name, array in layouts(base):
        t = td.from_dlpack(array)
        assert t.stride() == tuple(s // 4 for s in array.strides), name
        back = np.from_dlpack(t)
        assert back.strides == array.strides and np.shares_memory(back, array), name
        assert back.flags.writeable == array.flags.writeable, name
        np.testing.assert_array_equal(back, array)


def test_the_capsules_are_of_the_version_that_was_asked_for():
    t = td.ones(3)
    assert name_of(t.__dlpack__()) == "dltensor"
    assert name_of(t.__dlpack__(max_version=(0, 8))) == "dltensor"
    assert name_of(td.utils.dlpack.to_dlpack(t)) == "dltensor"
    for version in ((1, 0), (1, 1), (7, 2)):
        capsule = t.__dlpack__(max_version=version)
        assert name_of(capsule) == "dltensor_versioned"
        td.from_dlpack(capsule)
        assert name_of(capsule) == "used_dltensor_versioned"
    asked = Recorder(t)
    td.from_dlpack(asked)
    assert asked.asked == [{"max_version": (1, 3)}]
    td.from_dlpack(asked, copy=False, device="cpu")
    assert asked.asked[1] == {"max_version": (1, 3), "copy": False}


WRONG = {
    "stream": [("1", TypeError), (1.0, TypeError), (True, TypeError), ((), TypeError), (0, ValueError), (-2, ValueError), (2**64, ValueError), (5, ValueError)],
    "max_version": [(1, TypeError), ("10", TypeError), ((1.0, 0), TypeError), ((1, None), TypeError), ({1, 0}, TypeError), ((1,), ValueError), ((1, 0, 0), ValueError), ((-1, 0), ValueError)],
    "dl_device": [(1, TypeError), ("cpu", TypeError), (("cpu", 0), TypeError), ((1, None), TypeError), ((1,), ValueError), ((1, 0, 0), ValueError), ((1, 1), BufferError), ((2, -1), BufferError), ((2, 128), BufferError), ((7, 0), BufferError)],
    "copy": [(1, TypeError), ("yes", TypeError), ([], TypeError)],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    t = td.ones(3)
    for value, error in WRONG[name]:
        with pytest.raises(error, match=rf"^\[__dlpack__\] argument '{name}': expected .*, got ") as caught:
            t.__dlpack__(**{name: value})
        assert isinstance(caught.value, td.Error), value


def test_integers_of_other_types_are_taken():
    t = td.ones(3)
    assert name_of(t.__dlpack__(max_version=[np.int64(1), np.int8(0)], dl_device=[np.int32(1), 0])) == "dltensor_versioned"
    assert name_of(t.__dlpack__(stream=np.int64(-1))) == "dltensor"


def test_from_dlpack_refuses_what_is_no_bool():
    for source in (td.ones(3), np.ones(3), td.ones(3).__dlpack__()):
        with pytest.raises(TypeError, match=r"^\[from_dlpack\] argument 'copy': expected a bool or None, got str"):
            td.from_dlpack(source, copy="no")


def test_copies_are_made_where_they_are_asked_for():
    t = td.arange(6)[::-1]
    for source in (t, Old(t), np.arange(6)[::-1]):
        other = td.from_dlpack(source, copy=True)
        other[0] = -1
        assert (t[0] if isinstance(source, Old) else source[0]) == 5
        assert other.tolist() == [-1, 4, 3, 2, 1, 0]
    assert td.from_dlpack(t, copy=False).data_ptr() == t.data_ptr()
    assert td.from_dlpack(t, device="cpu", copy=False).data_ptr() == t.data_ptr()
    copied = np.from_dlpack(t, copy=True)
    assert not np.shares_memory(copied, t.numpy()) and copied.flags.writeable
    assert td.from_dlpack(t.__dlpack__(), copy=True).data_ptr() != t.data_ptr()


def test_read_only_stays_read_only():
    array = np.arange(3.0)
    array.flags.writeable = False
    t = td.from_dlpack(array)
    with pytest.raises(ValueError, match="read-only"):
        t += 1
    assert not np.from_dlpack(t).flags.writeable and not td.from_dlpack(t).numpy().flags.writeable
    with pytest.raises(BufferError, match="read-only") as caught:
        t.__dlpack__()
    assert isinstance(caught.value, td.Error)
    with pytest.raises(BufferError):
        td.from_dlpack(Old(t))
    writable = td.from_dlpack(t, copy=True)
    writable += 1
    assert writable.tolist() == [1, 2, 3] and array.tolist() == [0, 1, 2]
    assert td.from_dlpack(t.__dlpack__(copy=True)).add_(1).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda t: t.__dlpack__(stream=1), ValueError, "on the CPU"),
        (lambda t: t.__dlpack__(stream="1"), TypeError, "stream"),
        (lambda t: t.__dlpack__(stream=True), TypeError, "stream"),
        (lambda t: t.__dlpack__(dl_device=(8, 0)), BufferError, "dl_device"),
        (lambda t: t.__dlpack__(dl_device=(1, 3)), BufferError, "dl_device"),
        (lambda t: t.__dlpack__(dl_device=(2, 0), copy=False), BufferError, "copy=False"),
        (lambda t: t.to("meta").__dlpack__(), BufferError, "meta"),
        (lambda t: t.to("meta").__dlpack_device__(), BufferError, "meta"),
        (lambda t: td.from_dlpack([1, 2]), AttributeError, "__dlpack_device__"),
        (lambda t: td.from_dlpack(t, device="meta", copy=False), ValueError, "copy=False"),
        (lambda t: td.utils.dlpack.from_dlpack(3), AttributeError, "__dlpack_device__"),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    t = td.ones(3)
    with pytest.raises(error, match=message):
        call(t)


@pytest.mark.parametrize("kind", [(7, 0), (10, 0), (13, 99)])
def test_memory_of_other_devices_is_refused(kind):
    class Elsewhere:
        def __dlpack_device__(self):
            return kind

        def __dlpack__(self, **keywords):
            capsule = td.ones(2).__dlpack__(max_version=(1, 0))
            struct_of(capsule).t.device_type, struct_of(capsule).t.device_id = kind
            return capsule

    with pytest.raises(td.DeviceError):
        td.from_dlpack(Elsewhere())


def test_a_copy_to_the_cpu_needs_no_device_of_tandems():
    class OnDevice:
        def __dlpack_device__(self):
            return (2, 0)

        def __dlpack__(self, *, max_version, dl_device, copy=None):
            assert dl_device == (1, 0)
            return td.arange(3).__dlpack__(max_version=max_version)

    assert td.from_dlpack(OnDevice(), device="cpu").tolist() == [0, 1, 2]


def test_a_producers_own_error_comes_through():
    class Failing:
        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **keywords):
            raise BufferError("the producer's")

    with pytest.raises(BufferError, match="the producer's"):
        td.from_dlpack(Failing())

    class Wrong(Failing):
        def __dlpack__(self, **keywords):
            return 3

    with pytest.raises(TypeError, match="capsule"):
        td.from_dlpack(Wrong())


def test_a_capsule_is_taken_once():
    for version in (None, (1, 0)):
        capsule = td.arange(3).__dlpack__(max_version=version)
        t = td.from_dlpack(capsule)
        with pytest.raises(ValueError, match="used already"):
            td.from_dlpack(capsule)
        del capsule
        gc.collect()
        assert t.tolist() == [0, 1, 2]


def test_capsules_that_nobody_takes_free_their_memory():
    before = allocated()
    for version in (None, (1, 0)):
        for copy in (None, True):
            capsule = td.ones(1000).__dlpack__(max_version=version, copy=copy)
            assert allocated() > before
            del capsule
            assert allocated() == before


def test_failures_leak_nothing():
    array = np.arange(3, dtype=np.float32)
    t = td.from_dlpack(array)
    objects, memory = sys.getrefcount(array), allocated()
    tensors = sys.getrefcount(t)
    for call in (
        lambda: t.__dlpack__(stream=5),
        lambda: t.__dlpack__(dl_device=(8, 0)),
        lambda: t.__dlpack__(max_version="x"),
        lambda: td.from_dlpack(t, device="cuda:77"),
        lambda: td.from_dlpack(np.array(["a"])),
        lambda: td.from_dlpack(np.zeros(2, np.longdouble)),
        lambda: td.from_dlpack(np.zeros(3, [("a", "<f4"), ("b", "i1", 1)])["a"]),
    ):
        for _ in range(3):
            with pytest.raises(Exception):
                call()
    assert (sys.getrefcount(array), sys.getrefcount(t), allocated()) == (objects, tensors, memory)


# ---- structs that lie; the layout is DLPack's, version 1


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Managed(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("t", DLTensor),
    ]


def struct_of(capsule):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return Managed.from_address(get(capsule, b"dltensor_versioned"))


def spoil(field, value):
    def change(m):
        setattr(m if hasattr(m, field) else m.t, field, value)

    return change


def spoil_shape(*sizes):
    def change(m):
        for i, n in enumerate(sizes):
            m.t.shape[i] = n

    return change


@pytest.mark.parametrize(
    "change, error",
    [
        (spoil("major", 2), ValueError),
        (spoil("lanes", 2), TypeError),
        (spoil("code", 12), TypeError),  # float8_e5m2
        (spoil("bits", 7), TypeError),
        (spoil("device_type", 10), td.DeviceError),  # ROCm
        (spoil("ndim", -1), ValueError),
        (spoil("ndim", 1000), ValueError),
        (spoil("data", 0), ValueError),
        (spoil("byte_offset", 2), ValueError),
        (spoil("byte_offset", 2**64 - 4), ValueError),
        (spoil_shape(-1), ValueError),
        (spoil_shape(2**32, 2**32), ValueError),
        (spoil_shape(2**62, 1), ValueError),
        (spoil_shape(0, -1), ValueError),
    ],
)
def test_hostile_structs_are_refused_and_still_freed(change, error):
    before = allocated()
    capsule = td.ones(2, 3).__dlpack__(max_version=(1, 0))
    change(struct_of(capsule))
    with pytest.raises(error):
        td.from_dlpack(capsule)
    assert allocated() > before
    del capsule
    assert allocated() == before


def test_the_struct_says_what_the_tensor_is():
    m = struct_of(capsule := td.zeros(4, 6, dtype=td.bfloat16)[1:, ::2].__dlpack__(max_version=(1, 0)))
    assert (m.major, m.flags, m.t.code, m.t.bits, m.t.lanes) == (1, 0, 4, 16, 1)
    assert (m.t.shape[0], m.t.shape[1], m.t.strides[0], m.t.strides[1]) == (3, 3, 6, 2)
    assert struct_of(capsule).t.device_type == 1
    copied = td.ones(2).__dlpack__(max_version=(1, 0), copy=True)
    assert struct_of(copied).flags == 2
    assert struct_of(empty := td.zeros(0).__dlpack__(max_version=(1, 0))).t.data is None and empty


# ---- other libraries


@pytest.mark.parametrize("dtype", [*NUMPY_DTYPES, *ML_DTYPES], ids=short)
def test_pytorch(dtype):
    torch = pytest.importorskip("torch")
    t = td.ones(3, 4, dtype=dtype).t()
    theirs = torch.from_dlpack(t)
    assert theirs.dtype is getattr(torch, str(dtype).split(".")[1]) and theirs.stride() == (1, 4)
    theirs[1, 0] = 0
    assert t[1, 0].item() == 0
    back = td.from_dlpack(theirs)
    assert back.dtype is dtype and back.data_ptr() == t.data_ptr()
    assert td.as_tensor(theirs).data_ptr() == t.data_ptr()
    assert td.tensor(theirs).data_ptr() != t.data_ptr()
    assert torch.utils.dlpack.from_dlpack(td.utils.dlpack.to_dlpack(t)).data_ptr() == t.data_ptr()
    assert td.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(theirs)).data_ptr() == t.data_ptr()


def test_pytorch_either_side_may_die_first():
    torch = pytest.importorskip("torch")
    theirs = torch.from_dlpack(td.arange(1000))
    ours = td.from_dlpack(torch.arange(1000))
    gc.collect()
    fillers = [td.zeros(1000, dtype=td.int64) for _ in range(8)], [torch.zeros(1000) for _ in range(8)]
    assert theirs.tolist() == ours.tolist() == list(range(1000)) and fillers


def test_jax():
    jax = pytest.importorskip("jax")
    theirs = jax.numpy.arange(12.0).reshape(3, 4)
    t = td.from_dlpack(theirs)
    assert t.tolist() == theirs.tolist()
    back = jax.dlpack.from_dlpack(td.arange(6, dtype=td.float32))
    assert back.tolist() == [0, 1, 2, 3, 4, 5]


def test_arrow():
    arrow = pytest.importorskip("pyarrow")
    array = arrow.array([1.5, 2.5, 3.5])
    assert td.from_dlpack(array).tolist() == [1.5, 2.5, 3.5]
    tensor = arrow.Tensor.from_numpy(np.arange(6.0).reshape(2, 3))
    t = td.as_tensor(tensor)
    assert t.tolist() == [[0, 1, 2], [3, 4, 5]] and t.dtype is td.float64
    assert arrow.Tensor.from_numpy(td.ones(2).numpy()).to_numpy().tolist() == [1, 1]
