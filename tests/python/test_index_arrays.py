# lint: oracle table. t[...] and t[...] = value with masks and arrays of indices, against NumPy over random expressions.
import numpy as np
import pytest

import tandem as td

INDEX_DTYPES = ["int64", "int32", "int16", "int8", "uint16", "uint32", "uint64"]


class Expression:
    """A random index expression for a shape: the key, and the two keys that NumPy takes instead.

    In PyTorch's rules an integer is a select that comes first and does not count among the arrays, so NumPy applies
    `basic` (integers, slices, None) first and then `advanced` (arrays, masks and whole slices) to what that gives."""

    def __init__(self, rng, shape):
        self.rng = rng
        self.key, self.basic, self.advanced = [], [], []
        self.block = [int(n) for n in rng.integers(1, 4, rng.integers(0, 3))]  # what the arrays broadcast to
        if rng.random() < 0.05:
            self.block = [0]
        rest = list(shape)
        ellipsis = rng.random() < 0.25
        while rest:
            if ellipsis and rng.random() < 0.3:
                ellipsis = False
                skip = int(rng.integers(0, len(rest) + 1))
                self.add(Ellipsis, [slice(None)] * skip, [slice(None)] * skip)
                del rest[:skip]
                while rest:  # what follows an ellipsis takes all that is left
                    self.add_one(rest)
                return
            self.add_one(rest)
            if rng.random() < 0.2:
                return

    def add(self, key, basic, advanced):
        self.key.append(key)
        self.basic += basic
        self.advanced += advanced

    def array(self, size):
        """Indices that broadcast to the block, with negative ones among them."""
        shape = list(self.block)
        while shape and self.rng.random() < 0.2:
            shape.pop(0)
        shape = [1 if n > 1 and self.rng.random() < 0.15 else n for n in shape]
        if size == 0:
            shape = [0]
        a = self.rng.integers(-size, size, shape) if size else np.zeros(shape, np.int64)
        t = self.rng.choice(INDEX_DTYPES)
        return a % max(size, 1) if t.startswith("u") else a, t

    def add_one(self, rest):
        size, kind = rest[0], self.rng.random()
        if kind < 0.1:
            self.add(None, [None], [slice(None)])
            return
        if kind < 0.25 and size:
            rest.pop(0)
            i = int(self.rng.integers(-size, size))
            self.add(i, [i], [])
        elif kind < 0.5:
            rest.pop(0)
            s = slice(*(int(self.rng.integers(-size - 1, size + 2)) for _ in range(2)), int(self.rng.choice([1, 1, 2, -1])))
            s = slice(None) if self.rng.random() < 0.5 else s
            self.add(s, [s], [slice(None)])
        elif kind < 0.62:
            depth = int(self.rng.integers(1, min(len(rest), 2) + 1))
            mask = self.rng.random(rest[:depth]) < 0.5
            # Beside other arrays the mask had better give as many as their last dimension has.
            if self.block and self.rng.random() < 0.8:
                mask = self.rng.permutation(np.arange(mask.size) < self.block[-1]).reshape(mask.shape)
            del rest[:depth]
            self.add(self.form(mask, "bool"), [slice(None)] * depth, [mask])
        else:
            rest.pop(0)
            a, t = self.array(size)
            a = a.reshape(1) if a.ndim == 0 else a  # a 0-d one is an integer
            self.add(self.form(a, t), [slice(None)], [a])

    def form(self, a, dtype):
        """The array as a tensor, an array, lists, or a tensor with other strides."""
        kind = self.rng.integers(0, 4)
        a = a.astype(dtype)
        if kind == 0:
            return a
        if kind == 1 and a.size:
            return a.tolist()
        if kind == 2:
            wide = np.repeat(a, 2, axis=-1) if a.ndim else a
            return td.from_numpy(np.ascontiguousarray(wide))[..., ::2]
        return td.from_numpy(np.ascontiguousarray(a))

    def of(self, array):
        return array[(*self.basic, ...)], tuple(self.advanced)


def shapes(rng):
    return [int(n) for n in rng.choice([1, 2, 3, 4, 5], rng.integers(1, 5))]


def layout(rng, array):
    """The array and a tensor of the same elements, in one of several layouts."""
    kind = rng.integers(0, 3)
    if kind == 0:
        return array, td.from_numpy(array)
    if kind == 1:
        order = rng.permutation(array.ndim)
        turned = np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
        return turned, td.from_numpy(turned)
    back = np.ascontiguousarray(array[::-1])[::-1]
    return back, td.from_numpy(back)


DTYPES = ["float32", "int64", "uint8", "float64", "complex128", "bool", "int16", "float16"]


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_read(seed):
    rng = np.random.default_rng(seed)
    done = errors = 0
    for _ in range(100):
        shape = shapes(rng)
        array = (np.arange(np.prod(shape)) % 251).reshape(shape).astype(rng.choice(DTYPES))
        array, t = layout(rng, array)
        e = Expression(rng, shape)
        basic, advanced = e.of(array)
        try:
            expected = basic[advanced]
        except IndexError:  # shapes that do not broadcast
            with pytest.raises(IndexError):
                t[tuple(e.key)]
            errors += 1
            continue
        got = t[tuple(e.key)]
        assert got.shape == expected.shape, (shape, e.key)
        assert np.array_equal(got.numpy(), expected), (shape, e.key)
        done += 1
    assert done > 60


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_write(seed):
    rng = np.random.default_rng(1000 + seed)
    for _ in range(100):
        shape = shapes(rng)
        array = np.arange(np.prod(shape), dtype=rng.choice(["float32", "int64", "uint8", "int16"])).reshape(shape)
        array, _ = layout(rng, array)
        mine = array.copy(order="K")
        t = td.from_numpy(mine)
        e = Expression(rng, shape)
        basic, advanced = e.of(array)
        try:
            result = basic[advanced]
        except IndexError:
            with pytest.raises(IndexError):
                t[tuple(e.key)] = 1
            continue
        values = [n if rng.random() < 0.8 else 1 for n in result.shape]
        values = values[int(rng.integers(0, len(values) + 1)) :] if rng.random() < 0.3 else values
        values = [1] * int(rng.integers(0, 2)) + values
        v = rng.integers(0, 100, values).astype(array.dtype)
        if rng.random() < 0.2:
            v = np.asarray(rng.integers(0, 100), array.dtype)
            t[tuple(e.key)] = v.item()
        else:
            t[tuple(e.key)] = td.from_numpy(v) if rng.random() < 0.7 else v
        while v.ndim > result.ndim:
            v = v[0]
        basic[advanced] = v  # NumPy too: the last of several
        assert np.array_equal(mine, array), (shape, e.key)


@pytest.mark.parametrize("seed", range(10))
def test_random_accumulation(seed):
    """np.add.at joins in the order of the indices, as Tandem does: the same bits."""
    rng = np.random.default_rng(2000 + seed)
    for _ in range(50):
        shape = shapes(rng)
        array = rng.standard_normal(shape).astype(rng.choice(["float32", "float64"]))
        mine = array.copy()
        count = int(rng.integers(0, 30))
        dims = int(rng.integers(1, len(shape) + 1))
        key = tuple(rng.integers(-n, n, count) for n in shape[:dims])
        v = rng.standard_normal([count] + shape[dims:]).astype(array.dtype)
        td.from_numpy(mine).index_put_([td.from_numpy(k) for k in key], td.from_numpy(v), accumulate=True)
        np.add.at(array, key, v)
        assert np.array_equal(mine, array)


def test_masks():
    a = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    t = td.from_numpy(a.copy())
    mask = a % 3 == 0
    assert np.array_equal(t[td.from_numpy(mask)].numpy(), a[mask])
    assert np.array_equal(t[t % 3 == 0].numpy(), a[mask])
    # uint8 is a mask too, whatever its values; int8 is an array of indices.
    assert np.array_equal(t[td.from_numpy(mask.astype(np.uint8) * 7)].numpy(), a[mask])
    assert t[td.tensor([0, 1, 0], dtype=td.int8)].shape == (3, 3, 4)
    assert np.array_equal(t[[True, False]].numpy(), a[[True, False]])
    assert np.array_equal(t[:, [True, False, True], 1:].numpy(), a[:, [True, False, True], 1:])
    assert np.array_equal(t[mask[0, :, 0][None].repeat(2, 0)].numpy(), a[mask[0, :, 0][None].repeat(2, 0)])
    with pytest.raises(IndexError, match=r"The shape of the mask \[2\] at index 0 does not match the shape of the"):
        td.zeros(3, 2)[td.tensor([True, False])]
    with pytest.raises(IndexError, match="too many indices"):
        td.zeros(3)[td.ones(3, 2, dtype=td.bool)]
    assert t[td.zeros(2, 3, 4, dtype=td.bool)].shape == (0,)
    assert td.tensor(3.0)[td.tensor(True)].tolist() == [3.0]
    assert td.tensor(3.0)[td.tensor(False)].shape == (0,)
    assert t[True, td.tensor([0, 1])].shape == (2, 3, 4) and t[False].shape == (0, 2, 3, 4)
    assert t[td.tensor(1, dtype=td.uint8)].shape == (1, 2, 3, 4)  # a 0-d mask


def test_results_are_copies_and_integers_are_views():
    t = td.zeros(3, 2)
    t[[0]][0] = 1
    t[td.tensor([True, False, True])] += 0
    assert t.tolist() == [[0, 0]] * 3
    t[td.tensor(1)][0] = 5
    assert t[1].tolist() == [5, 0]
    assert t[td.tensor(2)].storage() is t.storage()
    assert t[[2]].storage() is not t.storage()


def test_lists():
    t = td.arange(9).reshape(3, 3)
    assert t[[0, 2]].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert t[[0, 2], [1, 0]].tolist() == [1, 6]
    assert t[[[0, 1], [1, 0]]].shape == (2, 2, 3)  # one array, as NumPy and PyTorch 2
    assert t[(0, 1), ].shape == (2, 3)
    assert t[[]].shape == (0, 3) and t[:, []].shape == (3, 0)
    assert t[range(2)].tolist() == [[0, 1, 2], [3, 4, 5]]
    for bad in ([1.5], ["a"], [[0], [1, 2]], td.tensor([1.0]), np.array([1.0]), {1}, [None]):
        with pytest.raises((IndexError, ValueError)):
            t[bad]


def test_placement():
    t = td.zeros(2, 3, 4, 5)
    a, b = td.tensor([0, 1]), td.tensor([1, 0])
    assert t[a, :, b].shape == (2, 3, 5)
    assert t[:, a, b].shape == (2, 2, 5)
    assert t[:, 0, :, a].shape == (2, 4, 2)
    assert t[a, :, 1, b].shape == (2, 3)
    assert t[:, a, None, b].shape == (2, 2, 1, 5)
    assert t[:, :, a[:, None], b].shape == (2, 3, 2, 2)
    with pytest.raises(IndexError, match=r"shape mismatch: indexing tensors could not be broadcast together with shapes \[2\], \[3\]"):
        t[a, td.tensor([0, 1, 2])]


@pytest.mark.parametrize("write", [False, True])
def test_out_of_range_changes_nothing(write):
    for key in ([0, 3], [-4], ([0, 1], [0, 2])):
        t = td.zeros(3, 2)
        with pytest.raises(IndexError, match=r"index (3|-4|2) is out of bounds for dimension [01] with size [23]"):
            if write:
                t[key] = 1.0
            else:
                t[key]
        assert t.sum() == 0
    with pytest.raises(IndexError):
        td.zeros(0, 3)[[0]]
    assert td.zeros(0, 3)[[]].shape == (0, 3)
    with pytest.raises(IndexError):
        td.zeros(2, 0)[[5]]


def test_set():
    t = td.zeros(4, dtype=td.int64)
    t[[0, 2]] = 1.7  # a number is cast
    assert t.tolist() == [1, 0, 1, 0]
    t[td.tensor([True, False, False, True])] = td.tensor([5, 6])
    assert t.tolist() == [5, 0, 1, 6]
    t[[1, 1, 1]] = td.tensor([7, 8, 9])
    assert t[1] == 9
    t[t > 6] = 0
    assert t.tolist() == [5, 0, 1, 6]
    t[[0, 1]] = [3, 4]
    t[[2]] = np.array([2.0])
    assert t.tolist() == [3, 4, 2, 6]
    with pytest.raises(TypeError, match="Index put requires the source and destination dtypes match"):
        t[[0]] = td.tensor([1.0])
    with pytest.raises(RuntimeError, match=r"shape mismatch: value tensor of shape \[2\] cannot be broadcast to indexing result of shape \[3\]"):
        t[[0, 1, 2]] = td.tensor([1, 2])
    with pytest.raises(RuntimeError, match=r"shape mismatch: value tensor of shape \[2\]"):
        t[td.tensor([True, True, True, False])] = td.tensor([1, 2])
    with pytest.raises(ValueError, match="overflow"):
        td.zeros(3, dtype=td.uint8)[[0]] = 300
    with pytest.raises(RuntimeError, match="single memory location"):
        td.zeros(1).expand(3)[[0, 1]] = td.tensor([1.0, 2.0])


def test_what_is_read_while_it_is_written():
    for n in (5, 5000):
        a = np.arange(n)
        t = td.from_numpy(a.copy())
        t[t.flip(0) if hasattr(t, "flip") else td.from_numpy(a[::-1].copy())] = t
        assert np.array_equal(t.numpy(), a[::-1])
        t = td.from_numpy(a.copy())
        t[1:][td.arange(n - 1)] = t[:-1]
        assert np.array_equal(t.numpy(), np.concatenate([[0], a[:-1]]))
        t = td.from_numpy(a.copy())
        t.scatter_(0, t, t)  # index, source and target are one
        assert np.array_equal(t.numpy(), a)


def test_large_and_broadcast():
    rng = np.random.default_rng(5)
    a = rng.standard_normal((300, 70)).astype(np.float32)
    rows, columns = rng.integers(-300, 300, (500, 1)), rng.integers(-70, 70, (1, 400))
    t = td.from_numpy(a)
    assert np.array_equal(t[td.from_numpy(rows), td.from_numpy(columns)].numpy(), a[rows, columns])
    b = a.copy()
    v = rng.standard_normal((500, 400)).astype(np.float32)
    td.from_numpy(b)[td.from_numpy(rows), td.from_numpy(columns)] = td.from_numpy(v)
    a[rows, columns] = v
    assert np.array_equal(a, b)


def test_names():
    t = td.zeros(2, 3, 4, names=("n", "h", "c"))
    assert t[[0, 1]].names == (None, "h", "c")
    assert t[:, :, [0]].names == ("n", "h", None)
    assert t[:, [0], [1]].names == ("n", None)
    assert t[[0], :, [1]].names == (None, "h")
    assert t[td.ones(2, 3, dtype=td.bool)].names == (None, "c")
    mask = td.ones(2, 3, dtype=td.bool, names=("n", "w"))
    with pytest.raises(RuntimeError, match="do not match"):
        t[mask]
    assert t[mask.rename("n", "h")].names == (None, "c")
    assert t.index_select("h", td.tensor([0])).names == ("n", None, "c")
    assert t.gather("c", td.zeros(2, 3, 1, dtype=td.int64)).names == ("n", "h", "c")
    assert td.masked_fill(t, t == 0, 1).names == ("n", "h", "c")
    t[[0]] = 1
    assert t.names == ("n", "h", "c")
