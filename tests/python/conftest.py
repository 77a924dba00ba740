# What the Python tests share: the dtypes that NumPy knows, and arrays of every layout.
import numpy as np
import pytest

import tandem


def short(dtype):
    """float32 for tandem.float32."""
    return str(dtype).removeprefix("tandem.")


def numpy_dtype(dtype):
    return np.dtype(short(dtype))


NUMPY_DTYPES = [t for t in tandem.dtypes if short(t) in np.sctypeDict]


def same(a, b):
    """Whether two tensors are equal in shape, dtype and every value; NaN equals NaN."""
    x, y = a.numpy(), b.numpy()
    return x.dtype == y.dtype and x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")


@pytest.fixture
def rng():
    return np.random.default_rng(20240817)


@pytest.fixture
def default_dtype():
    """Puts the default dtype back."""
    before = tandem.get_default_dtype()
    yield
    tandem.set_default_dtype(before)


@pytest.fixture
def threads():
    """Puts the number of threads back."""
    before = tandem.get_num_threads()
    yield
    tandem.set_num_threads(before)


def random_array(rng, dtype, shape, low=-1000.0, high=1000.0):
    """Values in [low, high] that the dtype holds."""
    target = numpy_dtype(dtype)
    if target.kind == "b":
        return rng.random(shape) < 0.5
    if target.kind in "ui":
        limits = np.iinfo(target)
        first, last = max(int(np.ceil(low)), limits.min), min(int(np.floor(high)), limits.max)
        return rng.integers(first, last, size=shape, endpoint=True, dtype=target)
    values = rng.uniform(low, high, size=shape)
    if target.kind == "c":
        values = values + 1j * rng.uniform(low, high, size=shape)
    return values.astype(target)


def layouts(array):
    """The same values as views of every kind: (name, array)."""
    yield "contiguous", np.ascontiguousarray(array)
    if array.ndim >= 2:
        yield "transposed", np.asfortranarray(array)
    if array.ndim >= 1:
        wide = np.repeat(array, 2, axis=-1)
        yield "strided", wide[..., ::2]
        yield "reversed", np.ascontiguousarray(array[..., ::-1])[..., ::-1]
        padded = np.concatenate([array, array])
        yield "offset", padded[array.shape[0] :]
        row = np.broadcast_to(array[:1], array.shape)
        yield "broadcast", row
