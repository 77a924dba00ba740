# Pickles of tensors and storages.
import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, random_array, same

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def again(x, protocol=pickle.DEFAULT_PROTOCOL):
    return pickle.loads(pickle.dumps(x, protocol))


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_dtype_and_layout(rng, protocol):
    for dtype in NUMPY_DTYPES:
        for _, array in layouts(random_array(rng, dtype, (4, 5))):
            x = td.from_numpy(array)
            y = again(x, protocol)
            assert same(x, y) and y.dtype is dtype and y.stride() == x.stride() and y.storage_offset() == x.storage_offset()
    halves = td.tensor([1.5, -0.0, float("inf")], dtype=td.bfloat16)
    assert td.equal(again(halves, protocol), halves) and again(halves, protocol).dtype is td.bfloat16


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_views_share_their_storage_again(protocol):
    x = td.arange(12.0).reshape(3, 4)
    kept = {"x": x, "last": x[-1], "turned": x.t(), "back": x[:, ::-2], "storage": x.storage()}
    kept = again(kept, protocol)
    kept["last"][0] = -1
    kept["storage"][0] = 100
    assert kept["x"].tolist() == [[100, 1, 2, 3], [4, 5, 6, 7], [-1, 9, 10, 11]]
    assert kept["turned"].tolist() == [[100, 4, -1], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    assert kept["back"].tolist() == [[3, 1], [7, 5], [11, 9]] and kept["back"].stride() == (4, -2)
    assert kept["x"].storage() is kept["back"].storage() is kept["storage"]
    assert x[0, 0] == 0 and x[2, 0] == 8


def test_names_empty_ones_and_numbers():
    x = td.zeros(2, 3, names=("row", None))
    assert again(x).names == ("row", None) and again(x.t()).names == (None, "row")
    assert again(td.zeros(0, 3)).shape == (0, 3) and again(td.zeros(3, 4)[3:]).shape == (0, 4)
    assert again(td.tensor(7)).item() == 7 and again(td.tensor(True)).item() is True


def test_meta():
    x = td.empty(10**6, 10**6, device="meta", names=("a", "b")).t()[5:]
    y = again(x)
    assert y.is_meta and y.shape == x.shape and y.stride() == x.stride() and y.names == x.names and len(pickle.dumps(x)) < 500


def test_storages_are_written_whole_and_once():
    x = td.zeros(100_000)
    assert len(pickle.dumps(x[5:10])) > 400_000
    assert len(pickle.dumps(x[5:10].clone())) < 500
    assert len(pickle.dumps([x[i:] for i in range(50)])) < 410_000
    wide = again(td.ones(1).expand(10**9))
    assert wide.stride() == (0,) and wide.storage().nbytes() == 4


def test_buffers_are_handed_over():
    x = td.arange(1000)
    buffers = []
    text = pickle.dumps(x, 5, buffer_callback=buffers.append)
    assert len(text) < 500 and len(buffers) == 1
    memory = np.frombuffer(buffers[0], np.int64)
    assert memory.ctypes.data == x.data_ptr()  # not copied
    y = pickle.loads(text, buffers=buffers)
    assert td.equal(x, y) and y.data_ptr() != x.data_ptr()
    frozen = pickle.loads(text, buffers=[bytes(buffers[0])])
    frozen[0] = 5
    assert frozen[0] == 5 and x[0] == 0
    with pytest.raises(ValueError):
        pickle.loads(text, buffers=[b"12345678"])  # too short


def test_deep_copies_of_storages_stand_alone():
    x = td.arange(3)
    other = copy.deepcopy(x.storage())
    other[0] = 9
    assert x[0] == 0 and other.tolist() == [9, 1, 2] and other.dtype is td.int64


def double(x):
    return x * 2


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_between_processes(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        results = pool.map(double, [td.arange(4), td.ones(2, names=["n"])], chunksize=2)
    assert results[0].tolist() == [0, 2, 4, 6] and results[1].names == ("n",)


@pytest.mark.skipif(not td.cuda.is_available(), reason="no GPU")
def test_device():
    x = td.arange(6, device="cuda").reshape(2, 3).t()
    y = again(x)
    assert y.device == x.device and y.stride() == x.stride() and td.equal(x, y)


def test_storages_of_another_size_are_refused():
    for data in (b"x", None, b"x" * 9):
        with pytest.raises(ValueError, match="expected 8 bytes of a storage"):
            td.pickling._rebuild_storage(td.float32, "cpu", 8, data)


@pytest.mark.parametrize("name", ["add", "linalg.inv", "fft.fft", "signal.windows.hann", "Tensor.sum", "abs"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_functions(name, protocol):
    f = td
    for word in name.split("."):
        f = getattr(f, word)
    again = pickle.loads(pickle.dumps(f, protocol))
    assert again is f or again.__name__ == f.__name__
