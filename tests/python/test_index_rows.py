# lint: oracle table. The indexing rows against NumPy and plain loops: reads, writes, masks; orders, dtypes, errors.
import itertools

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, numpy_dtype, same

DTYPES = ["float32", "float64", "float16", "int64", "uint8", "int16", "bool", "complex64"]


def values(rng, shape, dtype):
    a = rng.integers(-20, 20, shape) / 4
    return (a + 1j * a[..., ::-1]).astype(dtype) if np.dtype(dtype).kind == "c" else a.astype(dtype)


def tensor(a):
    return td.from_numpy(np.array(a))


def layouts(a):
    """Tensors of the same elements: dense, turned, spread, backwards."""
    yield td.from_numpy(np.ascontiguousarray(a))
    yield td.from_numpy(np.asfortranarray(a))
    yield td.from_numpy(np.repeat(a, 2, axis=-1))[..., ::2]
    yield td.from_numpy(np.ascontiguousarray(a[::-1]))[::-1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_reads(rng, dtype):
    a = values(rng, (5, 6, 7), dtype)
    for t in layouts(a):
        for dim, n in enumerate(a.shape):
            i = rng.integers(-n, n, 11)
            expected = np.take(a, i, axis=dim)
            assert np.array_equal(td.index_select(t, dim, tensor(i)).numpy(), expected)
            assert np.array_equal(t.take(tensor(i), dim).numpy(), expected)
            shape = [int(rng.integers(1, m + 1)) for m in a.shape]
            shape[dim] = 9
            along = rng.integers(-n, n, shape)
            part = a[tuple(slice(None) if k == dim else slice(0, m) for k, m in enumerate(shape))]
            assert np.array_equal(t.gather(dim, tensor(along)).numpy(), np.take_along_axis(part, along % n, dim))
            wide = rng.integers(-n, n, [1 if k != dim else 4 for k in range(3)])
            full = np.broadcast_to(wide, [4 if k == dim else m for k, m in enumerate(a.shape)])
            assert np.array_equal(td.take_along_dim(t, tensor(wide), dim).numpy(), np.take_along_axis(a, full % n, dim))
        i = rng.integers(-210, 210, (3, 5))
        assert np.array_equal(t.take(tensor(i)).numpy(), np.take(a, i))
        assert np.array_equal(td.take_along_axis(t, tensor(i)).numpy(), np.take(a, i.ravel()))


def looped(a, dim, index, source, join, include_self=True, mean=False):
    """x[index[i][j]][j] joined with source[i][j], one after the other in the dtype `join` works in."""
    out = a.copy()
    seen = {}
    for at in itertools.product(*map(range, index.shape)):
        place = list(at)
        place[dim] = int(index[at]) % a.shape[dim]
        seen.setdefault(tuple(place), []).append(source[at])
    for place, found in seen.items():
        acc = a[place] if include_self else found.pop(0)
        count = len(found) + 1
        for v in found:
            acc = join(acc, v)
        out[place] = acc if not mean else (acc // count if a.dtype.kind in "iu" else acc / a.dtype.type(count))
    return out


JOINS = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum, "mean": np.add}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int16", "uint8"])
@pytest.mark.parametrize("reduce", JOINS)
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(rng, dtype, reduce, include_self):
    mean = reduce == "mean"
    a = values(rng, (4, 5), dtype) if not mean or dtype != "uint8" else rng.integers(0, 9, (4, 5)).astype(dtype)
    if mean and dtype == "int16":
        a = a % np.int16(50)
    for dim in (0, 1):
        shape = [7 if k == dim else n for k, n in enumerate(a.shape)]
        index = rng.integers(-a.shape[dim], a.shape[dim], shape)
        source = np.abs(values(rng, shape, dtype)) if mean and dtype == "uint8" else values(rng, shape, dtype)
        if mean and dtype == "uint8":
            source = source % np.uint8(9)
        with np.errstate(over="ignore"):
            expected = looped(a, dim, index, source, JOINS[reduce], include_self, mean)
        for t in layouts(a):
            got = td.scatter_reduce(t, dim, tensor(index), tensor(source), reduce, include_self=include_self)
            assert np.array_equal(got.numpy(), expected)
        self = tensor(a)
        assert self.scatter_reduce_(dim, tensor(index), tensor(source), reduce, include_self=include_self) is self
        assert np.array_equal(self.numpy(), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_half_types_round_once(rng, dtype):
    """Half types are joined in float32 and rounded at the end."""
    n = 3000
    a = rng.standard_normal(5).astype(dtype)
    index, source = rng.integers(0, 5, n), rng.standard_normal(n).astype(dtype)
    wide = a.astype(np.float32 if dtype == "float16" else dtype)
    np.add.at(wide, index, source.astype(wide.dtype))
    got = tensor(a).scatter_add_(0, tensor(index), tensor(source))
    assert np.array_equal(got.numpy(), wide.astype(dtype))
    assert same(td.index_add(tensor(a), 0, tensor(index), tensor(source)), got)
    assert same(tensor(a).put_(tensor(index), tensor(source), accumulate=True), got)


@pytest.mark.parametrize("dtype", DTYPES)
def test_index_add_copy_fill(rng, dtype):
    a = values(rng, (4, 5, 6), dtype)
    for dim, n in enumerate(a.shape):
        index = rng.integers(-n, n, 9)
        shape = [9 if k == dim else m for k, m in enumerate(a.shape)]
        source = values(rng, shape, dtype)
        key = (slice(None),) * dim + (index,)
        added, copied, filled = a.copy(), a.copy(), a.copy()
        np.add.at(added, key, source)
        copied[key] = source
        filled[key] = 3
        for t in layouts(a):
            i, s = tensor(index), tensor(source)
            assert np.array_equal(t.index_add(dim, i, s).numpy(), added)
            assert np.array_equal(t.index_copy(dim, i, s).numpy(), copied)
            assert np.array_equal(t.index_fill(dim, i, 3).numpy(), filled)
            assert np.array_equal(t.index_fill(dim, i, td.tensor(3, dtype=t.dtype)).numpy(), filled)
            assert np.array_equal(t.numpy(), a)
        if np.dtype(dtype).kind in "fi" and dtype != "float16":
            scaled = a.copy()
            np.add.at(scaled, key, source * np.dtype(dtype).type(3))
            assert np.array_equal(tensor(a).index_add_(dim, tensor(index), tensor(source), alpha=3).numpy(), scaled)


def test_scatter_of_values_and_words(rng):
    a = values(rng, (4, 5), "float32")
    index = rng.integers(-4, 4, (6, 5))
    source = values(rng, (8, 5), "float32")  # larger than the index
    last = a.copy()
    for i, j in itertools.product(range(6), range(5)):
        last[index[i, j], j] = source[i, j]
    assert np.array_equal(tensor(a).scatter(0, tensor(index), tensor(source)).numpy(), last)
    for i, j in itertools.product(range(6), range(5)):
        last[index[i, j], j] = 2.5
    got = tensor(a).scatter(0, tensor(index), tensor(source)).scatter_(0, tensor(index), value=2.5)
    assert np.array_equal(got.numpy(), last)
    cut = source[:6]
    for word, join in (("add", np.add), ("multiply", np.multiply)):
        expected = looped(a, 0, index, cut, join)
        assert np.array_equal(tensor(a).scatter(0, tensor(index), tensor(source), reduce=word).numpy(), expected)
        expected = looped(a, 0, index, np.full_like(cut, 3), join)
        assert np.array_equal(tensor(a).scatter(0, tensor(index), 3, reduce=word).numpy(), expected)


@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce(rng, reduce):
    a = values(rng, (4, 5), "float32")
    index = rng.integers(-4, 4, 9)
    source = values(rng, (9, 5), "float32")
    along = np.broadcast_to(index[:, None], (9, 5))
    for include_self in (True, False):
        expected = looped(a, 0, along, source, JOINS[reduce], include_self, reduce == "mean")
        got = td.index_reduce(tensor(a), 0, tensor(index), tensor(source), reduce, include_self=include_self)
        assert np.array_equal(got.numpy(), expected)


def test_nan_and_zeros_in_amax(rng):
    a = np.array([0.0, -0.0, 1.0, np.nan], np.float32)
    i = td.tensor([0, 1, 2, 3])
    got = tensor(a).scatter_reduce(0, i, td.tensor([-0.0, 0.0, np.nan, 1.0]), "amax").numpy()
    assert np.array_equal(got, [0, 0, np.nan, np.nan], equal_nan=True) and not np.signbit(got[:2]).any()
    got = tensor(a).scatter_reduce(0, i, td.tensor([-0.0, 0.0, np.nan, 1.0]), "amin").numpy()
    assert np.signbit(got[:2]).all()


@pytest.mark.parametrize("threads_used", [1, 2, 3, 4])
def test_order_does_not_depend_on_threads(rng, threads, threads_used):
    td.set_num_threads(threads_used)
    n = 200000
    a = rng.standard_normal(1000).astype(np.float32)
    index, source = rng.integers(0, 1000, n), rng.standard_normal(n).astype(np.float32)
    expected = a.copy()
    np.add.at(expected, index, source)
    assert np.array_equal(tensor(a).index_add(0, tensor(index), tensor(source)).numpy(), expected)
    last = a.copy()
    last[index] = source
    assert np.array_equal(tensor(a).index_copy(0, tensor(index), tensor(source)).numpy(), last)
    rows = rng.integers(0, 400, (500, 600))
    b, v = rng.standard_normal((400, 600)).astype(np.float32), rng.standard_normal((500, 600)).astype(np.float32)
    expected = b.copy()
    np.add.at(expected, (rows, np.arange(600)), v)
    assert np.array_equal(tensor(b).scatter_add(0, tensor(rows), tensor(v)).numpy(), expected)
    expected = b.T.copy()
    np.add.at(expected, (np.arange(600)[:, None], rows.T), v.T)
    assert np.array_equal(tensor(b.T).scatter_add(1, tensor(rows.T), tensor(v.T)).numpy(), expected)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_masks(rng, dtype):
    a = rng.integers(0, 3, (13, 700)).astype(numpy_dtype(dtype))
    mask, row = rng.random((13, 700)) < 0.4, rng.random(700) < 0.5
    for t in layouts(a):
        assert np.array_equal(t.masked_select(tensor(mask)).numpy(), a[mask])
        assert np.array_equal(t.masked_select(tensor(row)).numpy(), a[np.broadcast_to(row, a.shape)])
        assert np.array_equal(t.nonzero().numpy(), np.argwhere(a))
        assert np.array_equal(td.argwhere(t).numpy(), np.argwhere(a))
        for mine, theirs in zip(t.nonzero(as_tuple=True), a.nonzero()):
            assert np.array_equal(mine.numpy(), theirs)
        filled = np.where(row, np.ones((), a.dtype), a)
        assert np.array_equal(t.masked_fill(tensor(row), 1).numpy(), filled)
        source = rng.integers(0, 3, 9200).astype(a.dtype)
        scattered = a.copy()
        scattered[mask] = source[: mask.sum()]
        assert np.array_equal(t.masked_scatter(tensor(mask), tensor(source)).numpy(), scattered)
        t.masked_fill_(tensor(row), 1)
        assert np.array_equal(t.numpy(), filled)


def test_nonzero_forms():
    t = td.tensor([[0, 1], [2, 0]])
    assert td.where(t > 0)[0].tolist() == [0, 1] and td.where(t > 0)[1].tolist() == [1, 0]
    assert td.where(t > 0, t, -1).tolist() == [[-1, 1], [2, -1]]
    out = td.empty(2, 2, dtype=td.int64)
    assert td.where(t > 0, t, 7, out=out) is out and out.tolist() == [[7, 1], [2, 7]]
    assert td.tensor(5).nonzero().shape == (1, 0) and td.tensor(0).nonzero().shape == (0, 0)
    assert td.tensor(5).nonzero(as_tuple=True)[0].tolist() == [0]
    assert td.nonzero_static(t, size=3).tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert td.nonzero_static(t, size=1, fill_value=9).tolist() == [[0, 1]]
    assert td.zeros(0, 3).nonzero().shape == (0, 2) and td.zeros(2, 0).masked_select(td.zeros(2, 0) > 0).shape == (0,)
    nan = td.tensor([0.0, -0.0, float("nan")])
    assert nan.nonzero().tolist() == [[2]]


def test_zero_dimensions():
    x, i = td.tensor(3.0), td.tensor(0)
    assert x.gather(0, i).shape == () and x.gather(0, td.tensor([0, 0])).tolist() == [3, 3]
    assert x.index_select(0, td.tensor([0])).shape == ()
    assert td.tensor([1.0, 2.0]).index_select(0, td.tensor(1)).tolist() == [2]
    assert x.scatter_add(0, i, td.tensor(4.0)).item() == 7
    assert x.index_add(0, i, td.tensor(4.0)).item() == 7
    assert x.index_fill(0, i, 5).item() == 5 and x.index_copy(0, i, td.tensor(6.0)).item() == 6
    assert x.take(td.tensor([0, -1])).tolist() == [3, 3] and x.put(i, td.tensor(1.0)).item() == 1


INT = td.tensor([0, 1])


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: x.index_select(0, td.tensor([3])), IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        (lambda x: x.index_select(1, td.tensor([0, -5])), IndexError, "index -5 .* at position 1"),
        (lambda x: x.index_select(2, INT), IndexError, "Dimension out of range"),
        (lambda x: x.index_select(0, INT.unsqueeze(0)), IndexError, "supposed to be a vector"),
        (lambda x: x.index_select(0, td.tensor([0.0])), TypeError, "'index': expected integers, got float32"),
        (lambda x: x.gather(0, INT), RuntimeError, "same number of dimensions"),
        (lambda x: x.gather(0, td.zeros(1, 9, dtype=td.int64)), RuntimeError, "Size does not match at dimension 1"),
        (lambda x: x.take(td.tensor([12])), IndexError, "index 12 is out of bounds"),
        (lambda x: x.index_add(0, INT, td.zeros(3, 4)), IndexError, r"Number of indices \(2\) should be equal to source"),
        (lambda x: x.index_add(0, INT, td.zeros(2, 5)), RuntimeError, "expected slices of shape"),
        (lambda x: x.index_add_(0, INT, td.zeros(2, 4, dtype=td.float64)), TypeError, "dtype"),
        (lambda x: x.index_copy_(0, td.tensor([0, 3]), td.ones(2, 4)), IndexError, "index 3"),
        (lambda x: x.index_fill_(0, INT, td.ones(2)), RuntimeError, "0-dimensional value tensor"),
        (lambda x: x.scatter_(0, td.zeros(5, 5, dtype=td.int64), td.ones(5, 5)), RuntimeError, "Size does not match"),
        (lambda x: x.scatter_(0, td.zeros(5, 4, dtype=td.int64), td.ones(4, 4)), RuntimeError, "no larger size than src"),
        (lambda x: x.scatter_(0, td.full((1, 4), 3), td.ones(1, 4)), IndexError, "index 3"),
        (lambda x: x.scatter_(0, td.zeros(1, 4, dtype=td.int64), 1, reduce="sum"), ValueError, "add or multiply"),
        (lambda x: x.scatter_reduce_(0, td.zeros(1, 4, dtype=td.int64), td.ones(1, 4), "max"), ValueError, "sum, prod, mean, amax or amin"),
        (lambda x: x.index_reduce_(0, INT, td.ones(2, 4), "sum"), ValueError, "prod, mean, amax or amin"),
        (lambda x: x.put_(INT, td.ones(3)), IndexError, "same number of elements"),
        (lambda x: x.masked_select(x), TypeError, "expected a bool tensor"),
        (lambda x: x.masked_fill_(td.ones(2, 3, 4, dtype=td.bool), 1), RuntimeError, "doesn't match the broadcast shape"),
        (lambda x: x.masked_scatter_(x == 0, td.ones(3)), RuntimeError, "Number of elements of source < number of ones in mask"),
        (lambda x: x.index_put_([INT, INT, INT], td.tensor(1.0)), IndexError, "too many indices"),
        (lambda x: td.nonzero_static(x, size=-1), ValueError, "size"),
    ],
)
def test_errors_change_nothing(call, error, message):
    x = td.zeros(3, 4)
    with pytest.raises(error, match=message):
        call(x)
    assert x.shape == (3, 4) and not x.any()


def test_meta():
    x = td.zeros(3, 4, device="meta")
    i = td.zeros(2, device="meta", dtype=td.int64)
    assert x.index_select(0, i).shape == (2, 4) and x[i].shape == (2, 4) and x[:, i].shape == (3, 2)
    assert x.index_add(1, i, td.zeros(3, 2, device="meta")).shape == (3, 4)
    assert td.nonzero_static(x, size=5).shape == (5, 2)
    for call in (x.nonzero, lambda: x[x > 0], lambda: x.masked_select(x > 0)):
        with pytest.raises(NotImplementedError, match="depends on the elements"):
            call()
