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


def strided_integers(rng, shape, dtype):
    """Small integers, so that every sum of products is exact; strides of either sign."""
    # An operand's axes are taken from a longer one's, some backwards, some with a step.
    wide = [2 * n if rng.random() < 0.2 else n for n in shape]
    order = rng.permutation(len(shape))
    a = rng.integers(0 if np.dtype(dtype).kind == "u" else -3, 4, [wide[i] for i in order]).astype(dtype)
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.integers(-3, 4, a.shape)
    a = a.transpose(np.argsort(order))
    steps = [slice(None, None, 2) if w > n else slice(None) for w, n in zip(wide, shape)]
    a = a[tuple(steps)] if shape else a
    flips = tuple(slice(None, None, -1) if rng.random() < 0.25 else slice(None) for _ in shape)
    return a[flips] if shape else a


def tensor_of(a):
    """A tensor with the array's strides, negative ones too."""
    back = tuple(slice(None, None, -1) if s < 0 else slice(None) for s in a.strides)
    t = tandem.from_numpy(np.asarray(a[back] if a.ndim else a))
    dims = [d for d, s in enumerate(a.strides) if s < 0]
    return t.flip(dims) if dims else t
