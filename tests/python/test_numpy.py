# NumPy arrays and tensors that share memory, both ways.
import gc
import sys
import threading

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, numpy_dtype, random_array, short


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_every_dtype_goes_both_ways_without_a_copy(dtype, rng):
    array = random_array(rng, dtype, (3, 4), -100, 100)
    t = td.from_numpy(array)
    assert t.dtype is dtype and t.tolist() == array.tolist()
    back = t.numpy()
    assert back.dtype == array.dtype and np.shares_memory(back, array)
    back[0, 0] = 1
    assert array[0, 0] == 1 and t[0, 0].item() == array[0, 0].item()


@pytest.mark.parametrize("dtype", [td.uint8, td.float16, td.float64, td.complex64], ids=short)
def test_every_layout_goes_both_ways_without_a_copy(dtype, rng):
    base = random_array(rng, dtype, (4, 3, 6), -100, 100)
    for name, array in layouts(base):
        t = td.from_numpy(array)
        assert t.shape == array.shape, name
        assert t.stride() == tuple(s // array.itemsize for s in array.strides), name
        back = t.numpy()
        assert back.strides == array.strides and np.shares_memory(back, array), name
        assert back.flags.writeable == array.flags.writeable, name
        np.testing.assert_array_equal(back, array)


def test_scalars_and_empty_arrays():
    zero = np.array(3.5)
    assert td.from_numpy(zero).shape == () and td.tensor(3.5).numpy().shape == ()
    for shape in [(0,), (0, 3), (3, 0)]:
        array = np.empty(shape, np.float32)
        assert td.from_numpy(array).shape == shape
        assert td.zeros(shape).numpy().shape == shape


def test_memory_lives_as_long_as_somebody_uses_it():
    array = np.arange(1000.0)
    count = sys.getrefcount(array)
    t = td.from_numpy(array)
    view = t[10:20]
    assert sys.getrefcount(array) == count + 1
    del t
    gc.collect()
    assert sys.getrefcount(array) == count + 1
    assert view.tolist() == list(range(10, 20))
    del view
    gc.collect()
    assert sys.getrefcount(array) == count

    t = td.arange(100_000)
    back = t.numpy()
    del t
    gc.collect()
    filler = [td.zeros(100_000) for _ in range(4)]
    assert back[-1] == 99_999 and len(filler) == 4


def test_an_array_may_be_let_go_on_another_thread():
    array = np.arange(10.0)
    count = sys.getrefcount(array)
    box = [td.from_numpy(array)]
    thread = threading.Thread(target=box.clear)
    thread.start()
    thread.join()
    assert sys.getrefcount(array) == count


def test_tensors_over_read_only_arrays_refuse_writes():
    array = np.arange(3.0)
    array.flags.writeable = False
    t = td.from_numpy(array)
    for write in (
        lambda: t.add_(1),
        lambda: t[1:].mul_(2),
        lambda: t.fill_(1),
        lambda: t.copy_(td.zeros(3)),
        lambda: t.__setitem__(0, 1),
        lambda: t.__setitem__(td.tensor([0]), 1),
        lambda: t.__setitem__(t > 0, 1),
        lambda: t.storage().__setitem__(0, 1),
        lambda: td.exp(t, out=t),
    ):
        with pytest.raises(ValueError, match="read-only"):
            write()
    assert array.tolist() == [0, 1, 2]
    back = t.numpy()
    assert np.shares_memory(back, array) and not back.flags.writeable
    own = t.clone().add_(1)
    assert own.tolist() == [1, 2, 3] and (t + t).tolist() == [0, 2, 4]
    assert td.tensor(array).add_(1).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: np.arange(3, dtype=">i4"), TypeError, "byte order"),
        (lambda: np.array(["a"]), TypeError, "expected an array of"),
        (lambda: np.array([object()]), TypeError, "object"),
        (lambda: np.zeros(2, np.longdouble), TypeError, "longdouble|float128"),
        (lambda: np.zeros(2, "datetime64[s]"), TypeError, "datetime64"),
        (lambda: np.zeros(2, [("a", "f4")]), TypeError, "expected an array of"),
        (lambda: np.float64(1), TypeError, "numpy.ndarray"),
        (lambda: [1, 2], TypeError, "numpy.ndarray"),
        (lambda: np.zeros(2, [("a", "i1"), ("b", "<i4")])["b"], ValueError, "aligned|strides"),
        (lambda: np.zeros(3, [("a", "<f4"), ("b", "i1", 1)])["a"], ValueError, "strides"),
    ],
)
def test_what_cannot_be_shared_is_refused(make, error, message):
    with pytest.raises(error, match=message) as caught:
        td.from_numpy(make())
    assert isinstance(caught.value, td.Error)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: td.zeros(2, dtype=td.bfloat16), "bfloat16"),
        (lambda: td.zeros(2, device="meta"), "meta"),
    ],
)
def test_numpy_refuses_with_its_own_message(make, message):
    with pytest.raises(TypeError, match=message):
        make().numpy()


def test_force():
    t = td.tensor([1.5, 2.5], dtype=td.bfloat16)
    assert t.numpy(force=True).tolist() == [1.5, 2.5]


def test_array_protocol():
    t = td.ones(2, 3)
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert np.array(t).shape == (2, 3) and not np.shares_memory(np.array(t), t.numpy())
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.sum(t.numpy()) == 6
    with pytest.raises(ValueError):
        np.array(t, dtype=np.float64, copy=False)


def test_arithmetic_with_arrays_and_numpy_scalars():
    t = td.ones(2)
    total = t + np.array([1.0, 2.0])
    assert isinstance(total, td.Tensor) and total.dtype is td.float64 and total.tolist() == [2, 3]
    with pytest.raises(TypeError):
        np.array([1.0, 2.0]) + t
    assert (t * np.float64(2)).dtype is td.float32
    assert (np.float64(2) * t).tolist() == [2, 2]
    assert (td.tensor([1]) + np.int32(3)).dtype is td.int64
    t[0] = np.float32(4)
    assert t.tolist() == [4, 1]
    assert t[np.int64(0)].item() == 4


def test_numpy_exchange_of_numpy_dtype_names():
    for dtype in NUMPY_DTYPES:
        assert td.zeros(1, dtype=dtype).numpy().dtype == numpy_dtype(dtype)


@pytest.mark.parametrize(
    "changed",
    [{"shape": [2, 2]}, {"shape": 5}, {"shape": "abc"}, {"strides": (4,) * 5000}, {"strides": (4,)}, {"typestr": 5}, {"shape": (2, "x")}],
)
def test_an_interface_that_is_none(changed):
    class Hostile(np.ndarray):
        @property
        def __array_interface__(self):
            return {**np.ndarray.__array_interface__.__get__(self), **changed}

    # Unaligned, so that the interface is looked at.
    array = np.frombuffer(bytearray(17), np.uint8)[1:].view(np.float32).reshape(2, 2).view(Hostile)
    with pytest.raises((TypeError, ValueError)):
        td.from_numpy(array)
