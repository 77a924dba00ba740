# Movement against NumPy and naive loops. lint: oracle table
import itertools

import numpy as np
import pytest

import tandem as td
from conftest import NUMPY_DTYPES, layouts, random_array, short

pytestmark = pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")

SHAPES = [(), (1,), (7,), (0,), (3, 4), (4, 0, 2), (2, 3, 5), (2, 1, 3, 4)]


def arrays(rng, shape, dtype=td.float32):
    yield from layouts(random_array(rng, dtype, shape))


def check(got, expected):
    assert got.shape == expected.shape, (got.shape, expected.shape)
    assert got.numpy().dtype == expected.dtype
    np.testing.assert_array_equal(got.numpy(), expected)


def check_all(got, expected):
    assert len(got) == len(expected)
    for g, e in zip(got, expected):
        check(g, e)


def tensors(rng, shape, dtype=td.float32):
    """(array, tensor) in every layout; the tensor shares the array's memory."""
    if 0 in shape or shape == ():
        a = random_array(rng, dtype, shape)
        yield np.asarray(a), td.from_numpy(np.asarray(a))
        return
    for _, a in arrays(rng, shape, dtype):
        yield a, td.as_tensor(a)


# ---- views


@pytest.mark.parametrize("shape", SHAPES)
def test_flip(rng, shape):
    for a, t in tensors(rng, shape):
        check(td.flip(t), np.flip(a))
        check(td.flip(t, axis=None), np.flip(a))
        for n in range(1, len(shape) + 1):
            for axes in itertools.permutations(range(-len(shape), 0), n):
                check(t.flip(axes), np.flip(a, axes))
                check(t.flip(*axes), np.flip(a, axes))
        if len(shape) >= 1:
            check(td.flipud(t), np.flipud(a))
        if len(shape) >= 2:
            check(td.fliplr(t), np.fliplr(a))
            for k in range(-5, 6):
                check(td.rot90(t, k), np.rot90(a, k))
                check(t.rot90(k, [1, 0]), np.rot90(a, k, (1, 0)))
                check(t.rot90(k, (-1, 0)), np.rot90(a, k, (-1, 0)))


def test_flip_is_a_view():
    t = td.arange(6).reshape(2, 3)
    u = t.flip(1)
    u[0, 0] = 100
    assert t[0, 2] == 100 and u._base is not None
    assert td.flip(td.zeros(2, 3, names=["a", "b"]), "b").names == ("a", "b")
    assert td.rot90(td.zeros(2, 3, names=["a", "b"])).names == ("b", "a")
    np.testing.assert_array_equal((u + t).numpy(), t.numpy() + t.numpy()[:, ::-1])
    np.testing.assert_array_equal(u.flip(0).clone().numpy(), t.numpy()[::-1, ::-1])


@pytest.mark.parametrize("shape", [(7,), (3, 4), (5, 6, 4), (0, 3)])
def test_splits(rng, shape):
    for a, t in tensors(rng, shape):
        for axis in range(len(shape)):
            for where in (1, 2, 3, 9, [1, 2], [-2, 3], [2, 1], [0, 100], []):
                expected = np.array_split(a, where, axis)
                check_all(td.tensor_split(t, where, axis), expected)
                check_all(t.tensor_split(where, dim=axis), expected)
            check_all(td.tensor_split(t, td.tensor([1, 3]), axis), np.array_split(a, [1, 3], axis))
            check_all(td.tensor_split(t, td.tensor(3), axis), np.array_split(a, 3, axis))
        if len(shape) == 3:
            check_all(td.hsplit(t, 3), np.hsplit(a, 3))
            check_all(td.vsplit(t, 5), np.vsplit(a, 5))
            check_all(td.dsplit(t, [1, 3]), np.dsplit(a, [1, 3]))
            check_all(t.split_with_sizes([1, 3, 2], 1), np.split(a, [1, 4], 1))
            check_all(td.unstack(t, axis=1), [a[:, i] for i in range(6)])
    with pytest.raises(ValueError, match="not divisible"):
        td.hsplit(td.zeros(2, 4), 3)
    with pytest.raises(ValueError, match="larger than 0"):
        td.zeros(3).tensor_split(0)
    with pytest.raises(Exception, match="int64"):
        td.zeros(3).tensor_split(td.tensor([1.0]))
    with pytest.raises(td.ShapeError, match="at least 3 dimensions"):
        td.zeros(2, 2).dsplit(1)


def test_grids(rng):
    lines = [random_array(rng, td.float64, n) for n in (3, 4, 2)]
    own = [td.tensor(a) for a in lines]
    for indexing in ("ij", "xy"):
        for n in (1, 2, 3):
            check_all(td.meshgrid(*own[:n], indexing=indexing), np.meshgrid(*lines[:n], indexing=indexing))
            check_all(td.meshgrid(own[:n], indexing=indexing), np.meshgrid(*lines[:n], indexing=indexing))
    check_all(td.meshgrid(own[0], td.tensor(2.0, dtype=td.float64)), np.meshgrid(lines[0], 2.0, indexing="ij"))
    assert td.meshgrid(own)[0].data_ptr() == own[0].data_ptr()
    check(td.cartesian_prod(*own), np.array(list(itertools.product(*lines))))
    check(td.cartesian_prod(own[0]), lines[0])
    check_all(td.broadcast_tensors(own[0], own[1][:, None]), np.broadcast_arrays(lines[0], lines[1][:, None]))
    check_all(td.broadcast_arrays(own[2]), [lines[2]])
    x = td.zeros(3, 1, names=["a", None])
    assert [t.names for t in td.broadcast_tensors(x, td.zeros(4, names=["b"]))] == [("a", "b")] * 2
    with pytest.raises(td.ShapeError, match="match"):
        td.broadcast_tensors(td.zeros(2), td.zeros(3))
    with pytest.raises(ValueError, match="'ij' or 'xy'"):
        td.meshgrid(own, indexing="ji")


def test_dimensions_of_one(rng):
    for shape in [(), (3,), (2, 3), (2, 3, 4), (2, 1, 3, 4)]:
        a = random_array(rng, td.float32, shape)
        a = np.asarray(a, np.float32)
        t = td.tensor(a)
        check(td.atleast_1d(t), np.atleast_1d(a))
        check(td.atleast_2d(t), np.atleast_2d(a))
        check(td.atleast_3d(t), np.atleast_3d(a))
        check_all(td.atleast_2d(t, t), np.atleast_2d(a, a))
        check(td.expand_dims(t, axis=0), np.expand_dims(a, 0))
        check(td.expand_dims(t, axis=-1), np.expand_dims(a, -1))
        if len(shape) >= 2:
            check(td.matrix_transpose(t), np.swapaxes(a, -1, -2))
            check(td.permute_dims(t, tuple(range(len(shape)))[::-1]), a.T)
            check(t.mT, np.swapaxes(a, -1, -2))
            check(t.mH, np.swapaxes(a, -1, -2))
    z = random_array(rng, td.complex64, (2, 3, 4))
    check(td.tensor(z).mH, z.conj().swapaxes(-1, -2))
    check(td.tensor(z).adjoint(), z.conj().swapaxes(-1, -2))
    check(td.tensor(z[0]).H, z[0].conj().T)
    assert td.tensor(np.zeros((2, 3))).adjoint().storage_offset() == 0


# ---- copies


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_roll_of_every_dtype(rng, dtype):
    for shape in SHAPES:
        for a, t in tensors(rng, shape, dtype):
            for shift in (0, 1, -1, 5, -13):
                check(td.roll(t, shift), np.roll(a, shift))
                for axis in range(-len(shape), len(shape)):
                    check(td.roll(t, shift, axis), np.roll(a, shift, axis))
            if len(shape) >= 2:
                check(t.roll((1, -2), (0, 1)), np.roll(a, (1, -2), (0, 1)))
                check(t.roll((1, 3, 2), (0, -1, 0)), np.roll(a, (1, 3, 2), (0, -1, 0)))


def test_roll_words_and_errors():
    t = td.arange(6.0).reshape(2, 3).rename("a", "b")
    assert td.roll(t, shift=1, axis="b").names == ("a", "b")
    assert td.roll(t, 1).names == ("a", "b")
    with pytest.raises(ValueError, match="must align"):
        td.roll(t, (1, 2), 0)
    with pytest.raises(ValueError, match="must align"):
        td.roll(t, (1, 2))
    with pytest.raises(IndexError):
        td.roll(t, 1, 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_repeats(rng, shape):
    for a, t in tensors(rng, shape, td.int16):
        for repeats in itertools.product((0, 1, 2, 3), repeat=min(len(shape), 2)):
            check(td.tile(t, repeats), np.tile(a, repeats))
            full = (1,) * (len(shape) - len(repeats)) + repeats
            check(t.repeat(full), np.tile(a, full))
            check(t.repeat(2, 3, *full), np.tile(a, (2, 3) + full))
        check(td.tile(t, (2, 1, 2, 1, 2)), np.tile(a, (2, 1, 2, 1, 2)))
        for n in (0, 1, 2, 3):
            check(td.repeat_interleave(t, n), np.repeat(a, n))
            for axis in range(-len(shape), len(shape)):
                check(t.repeat_interleave(n, axis), np.repeat(a, n, axis))


def test_repeat_names_and_errors():
    t = td.zeros(2, 3, names=["a", "b"])
    assert t.repeat(2, 1, 3).names == (None, "a", "b")
    assert td.tile(t, (2,)).names == ("a", "b")
    assert t.repeat_interleave(2, "b").names == ("a", "b")
    assert td.repeat(t, 2, axis=0).shape == (4, 3)  # the Array API's
    with pytest.raises(td.ShapeError, match="can not be smaller"):
        t.repeat(2)
    with pytest.raises(ValueError, match=">= 0"):
        t.repeat(-1, 2)
    with pytest.raises(ValueError, match="negative"):
        t.repeat_interleave(-1)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_repeat_interleave_by_tensor(rng, dtype):
    for shape in [(7,), (3, 4), (2, 3, 5), (6, 1), (2, 0)]:
        for a, t in tensors(rng, shape, dtype):
            for axis in range(len(shape)):
                counts = rng.integers(0, 4, shape[axis])
                expected = np.repeat(a, counts, axis)
                check(td.repeat_interleave(t, td.tensor(counts), axis), expected)
                check(t.repeat_interleave(td.tensor(counts.astype(np.int32)), dim=axis, output_size=int(counts.sum())), expected)
            counts = rng.integers(0, 3, a.size)
            check(td.repeat_interleave(t, td.tensor(counts)), np.repeat(a, counts))
            check(td.repeat_interleave(t, td.tensor(2)), np.repeat(a, 2))
    check(td.repeat_interleave(td.tensor([1, 0, 3])), np.array([0, 2, 2, 2]))
    t = td.zeros(3)
    for counts, message in [([1, 2], "same size"), ([[1, 2, 3]], "1-dim"), ([1.0, 2.0, 3.0], "Long or Int"), ([1, -1, 2], "negative")]:
        with pytest.raises(Exception, match=message):
            t.repeat_interleave(td.tensor(counts))
    with pytest.raises(ValueError, match="output_size"):
        t.repeat_interleave(td.tensor([1, 2, 3]), output_size=7)


def test_repeat_interleave_is_long(rng, threads):
    a = random_array(rng, td.float32, (40, 1000, 3))
    for n_threads in (1, 2, 3):
        td.set_num_threads(n_threads)
        for axis in (0, 1, 2):
            counts = rng.integers(0, 5, a.shape[axis])
            check(td.repeat_interleave(td.tensor(a), td.tensor(counts), axis), np.repeat(a, counts, axis))


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
def test_triangles(rng, dtype):
    for shape in [(1, 1), (3, 4), (5, 2), (0, 3), (3, 0), (2, 3, 3), (2, 2, 1, 5)]:
        for a, t in tensors(rng, shape, dtype):
            for k in (-100, -2, -1, 0, 1, 3, 100):
                check(td.tril(t, k), np.tril(a, k))
                check(td.triu(t, k), np.triu(a, k))
            check(t.tril(), np.tril(a))
            check(td.triu(t, k=1), np.triu(a, 1))
            check(td.triu(t, diagonal=-(2**63)), np.triu(a, -100))
    with pytest.raises(td.ShapeError, match="at least 2"):
        td.tril(td.zeros(3))
    assert td.tril(td.zeros(2, 3, names=["a", None])).names == ("a", None)


def test_triangles_of_large_matrices(rng, threads):
    a = random_array(rng, td.float32, (2100, 2203))
    t = td.tensor(a)
    for n_threads in (1, 2, 3):
        td.set_num_threads(n_threads)
        check(td.tril(t, -7), np.tril(a, -7))
        check(td.triu(t, 9), np.triu(a, 9))


def test_triangle_indices():
    for rows in range(7):
        for columns in range(7):
            for offset in range(-9, 10):
                check(td.tril_indices(rows, columns, offset), np.array(np.tril_indices(rows, offset, columns)))
                check(td.triu_indices(rows, columns, offset), np.array(np.triu_indices(rows, offset, columns)))
    for rows, columns, offset in [(1000, 700, -13), (700, 1000, 120), (3000, 3000, 0), (2, 100000, 5000)]:
        check(td.tril_indices(rows, columns, offset), np.array(np.tril_indices(rows, offset, columns)))
        check(td.triu_indices(rows, columns, offset), np.array(np.triu_indices(rows, offset, columns)))
    assert td.tril_indices(3, 3, dtype=td.int32).dtype is td.int32
    assert td.tril_indices(2**27, 2**27, 0, device="meta").shape == (2, 2**26 * (2**27 + 1))
    with pytest.raises(ValueError, match="smaller matrix"):
        td.tril_indices(2**40, 2**40)
    with pytest.raises(TypeError, match="not implemented"):
        td.tril_indices(3, 3, dtype=td.float32)
    with pytest.raises(ValueError):
        td.triu_indices(-1, 3)


@pytest.mark.parametrize("shape", [(1,), (5,), (0,), (3, 4), (2, 3, 5)])
def test_diagonals(rng, shape):
    for a, t in tensors(rng, shape, td.int32):
        for k in (-3, -1, 0, 2):
            check(td.diagflat(t, k), np.diagflat(a, k))
            if len(shape) <= 2:
                check(td.diag(t, k), np.diag(a, k))
            got = td.diag_embed(t, k)
            side = shape[-1] + abs(k)
            expected = np.zeros((*shape[:-1], side, side), a.dtype)
            for i in range(shape[-1]):
                expected[..., i + max(-k, 0), i + max(k, 0)] = a[..., i]
            check(got, expected)
            check(td.diag_embed(t, k, -1, 0), np.moveaxis(expected, (-2, -1), (-1, 0)))
    t = td.zeros(2, 3, names=["a", "b"])
    assert td.diag_embed(t, 0, 0, 2).names == (None, "a", None)
    with pytest.raises(td.ShapeError, match="1D or 2D"):
        td.diag(td.zeros(1, 1, 1))
    with pytest.raises(td.ShapeError, match="identical"):
        td.diag_embed(td.zeros(3), 0, 1, -1)


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("dtype", NUMPY_DTYPES, ids=short)
@pytest.mark.parametrize("mode", MODES)
def test_pad(rng, mode, dtype):
    for shape in [(4,), (3, 4), (2, 3, 5), (2, 2, 3, 2), (1, 1)]:
        for a, t in tensors(rng, shape, dtype):
            most = [n - (mode == "reflect") for n in shape]
            for trial in range(4):
                widths = [tuple(int(rng.integers(0, m + 1)) for _ in range(2)) for m in most]
                named = [w if d >= trial % 2 * (len(shape) - 1) else (0, 0) for d, w in enumerate(widths)]
                flat = [n for w in reversed(named) for n in w]
                check(td.pad(t, flat, mode=mode), np.pad(a, named, mode=MODES[mode]))
            check(td.pad(t, [], mode), a)


def test_pad_constant_and_crop(rng):
    for a, t in tensors(rng, (4, 5)):
        expected = np.pad(a, ((1, 2), (3, 0)), constant_values=2.5)
        check(td.pad(t, (3, 0, 1, 2), value=2.5), expected)
        check(td.pad(t, (-1, 2, -2, 0), value=7), np.pad(a[2:, 1:], ((0, 0), (0, 2)), constant_values=7))
        check(td.pad(t, (-1, 2), "replicate"), np.pad(a, ((0, 0), (0, 2)), "edge")[:, 1:])
        check(td.pad(t, (-1, 4), "reflect"), np.pad(a, ((0, 0), (0, 4)), "reflect")[:, 1:])
        check(td.pad(t, (2, -1, -1, -1), "circular"), np.pad(a[1:-1, :-1], ((0, 0), (2, 0)), "wrap"))
        check(td.pad(t, (0, -5)), a[:, :0])
        check(td.pad(t, (-4, 3, 1, 1), "constant", 1), np.pad(a[:, 4:], ((1, 1), (0, 3)), constant_values=1))
    empty = td.zeros(0, 3)
    assert td.pad(empty, (1, 1, 2, 0), value=3).numpy().tolist() == [[3] * 5] * 2
    assert td.pad(empty, (1, 1), "reflect").shape == (0, 5)
    assert td.pad(td.zeros(2, 3, names=["a", "b"]), (1, 1)).names == ("a", "b")
    check(td.pad(td.tensor([True]), (1, 1), value=True), np.array([True] * 3))


def test_pad_errors():
    t = td.zeros(2, 3)
    for pad, mode, value, message in [
        ((1,), "constant", None, "divisible by 2"),
        ((1, 1) * 3, "constant", None, "two times the input dimension"),
        ((3, 0), "reflect", None, "less than the corresponding"),
        ((4, 0), "circular", None, "more than once"),
        ((-2, -2), "constant", None, "negative output size"),
        ((1, 1), "wrap", None, "expected 'constant'"),
        ((1, 1), "reflect", 1.0, "takes no value"),
    ]:
        with pytest.raises(Exception, match=message):
            td.pad(t, pad, mode, value)
    with pytest.raises(Exception, match="size 0"):
        td.pad(td.zeros(0), (1, 0), "replicate")
    with pytest.raises(ValueError, match="cannot be converted"):
        td.pad(td.zeros(3, dtype=td.uint8), (1, 0), value=300)


@pytest.mark.parametrize("mode", MODES)
def test_pad_is_long(rng, threads, mode):
    a = random_array(rng, td.float32, (37, 300, 401))
    widths = ((0, 0), (20, 3), (7, 11))
    for n_threads in (1, 2, 3):
        td.set_num_threads(n_threads)
        check(td.pad(td.tensor(a), (7, 11, 20, 3), mode), np.pad(a, widths, MODES[mode]))
        check(td.roll(td.tensor(a), (5, -3), (1, 2)), np.roll(a, (5, -3), (1, 2)))


def test_stacks(rng):
    for shape in [(), (3,), (2, 3), (2, 3, 4)]:
        a, b = (np.asarray(random_array(rng, td.float32, shape), np.float32) for _ in range(2))
        t, u = td.tensor(a), td.tensor(b)
        check(td.hstack([t, u]), np.hstack([a, b]))
        check(td.hstack((t, u)), np.hstack([a, b]))
        check(td.vstack([t, u]), np.vstack([a, b]))
        check(td.row_stack([t, u]), np.vstack([a, b]))
        check(td.dstack([t, u]), np.dstack([a, b]))
        check(td.column_stack([t, u]), np.column_stack([a, b]))
    check(td.hstack([td.tensor([1]), td.tensor([2.5])]), np.float32([1, 2.5]))
    m, v = np.arange(6).reshape(2, 3), np.arange(4.0)
    expected = np.zeros((4, 8))
    expected[:2, :3], expected[2, 3:7], expected[3, 7] = m, v, 5
    check(td.block_diag(td.tensor(m), td.tensor(v), td.tensor(5)), expected)
    assert td.hstack([td.zeros(2, 3, names=["a", None])] * 2).names == ("a", None)


def test_combinations(rng):
    a = random_array(rng, td.float64, 6)
    for n in range(7):
        for r in range(1, 8):
            t = td.tensor(a[:n])
            for with_replacement, oracle in [(False, itertools.combinations), (True, itertools.combinations_with_replacement)]:
                expected = np.array(list(oracle(a[:n], r))).reshape(-1, r)
                check(td.combinations(t, r, with_replacement), expected)
    check(td.combinations(td.arange(60)[::-1], 59), np.array(list(itertools.combinations(range(59, -1, -1), 59))))
    check(td.combinations(td.arange(70), 3), np.array(list(itertools.combinations(range(70), 3))))
    assert td.combinations(td.zeros(3), 0).shape == (0,)
    with pytest.raises(ValueError, match="non-negative"):
        td.combinations(td.zeros(3), -1)
    with pytest.raises(ValueError, match="fewer choices"):
        td.combinations(td.zeros(200), 100)


def test_scatters(rng):
    for a, t in tensors(rng, (3, 4, 5)):
        before = a.copy()
        for axis in range(3):
            part = random_array(rng, td.float32, a.take(1, axis).shape)
            expected = a.copy()
            np.moveaxis(expected, axis, 0)[-2] = part
            check(td.select_scatter(t, td.tensor(part), axis, -2), expected)
            expected = a.copy()
            moved = np.moveaxis(expected, axis, 0)
            moved[::2] = np.moveaxis(a, axis, 0)[::-1][: len(moved[::2])]
            source = td.tensor(np.ascontiguousarray(np.moveaxis(np.moveaxis(a, axis, 0)[::-1][: len(moved[::2])], 0, axis)))
            check(td.slice_scatter(t, source, axis, step=2), expected)
        part = random_array(rng, td.float32, (4, 3))
        expected = a.copy()
        for i in range(3):
            expected[i, :, i + 1] = part[:, i]
        check(td.diagonal_scatter(t, td.tensor(part), 1, 0, 2), expected)
        check(td.narrow_copy(t, 1, 1, 2), a[:, 1:3])
        np.testing.assert_array_equal(a, before)
    with pytest.raises(td.ShapeError, match="src size"):
        td.select_scatter(td.zeros(2, 3), td.zeros(2), 0, 0)


def test_powers():
    v = np.array([1.0, 2.0, -3.0, 0.5])
    for n in (None, 0, 1, 3, 6):
        for increasing in (False, True):
            check(td.vander(td.tensor(v), n, increasing), np.vander(v, n, increasing))
    check(td.vander(td.tensor([1, 2, 3], dtype=td.int8)), np.vander(np.array([1, 2, 3])))
    for base in (2.0, 10.0, 0.5):
        got = td.logspace(-2, 3, 11, base, dtype=td.float64).numpy()
        np.testing.assert_allclose(got, np.logspace(-2, 3, 11, base=base), rtol=4e-16)
    check(td.logspace(0, 4, 5), np.float32([1, 10, 100, 1000, 10000]))
    check(td.logspace(0, 4, 5, base=2, dtype=td.int32), np.int32([1, 2, 4, 8, 16]))
    assert td.logspace(0, 1, 0).shape == (0,) and td.logspace(3, 9, 1).item() == 1000


def test_numpy_out_and_meta():
    out = td.empty(2, 2)
    assert td.tril(td.ones(2, 2), out=out) is out and out.numpy().tolist() == [[1, 0], [1, 1]]
    x = td.zeros(1 << 20, 1 << 20, device="meta")
    assert td.tril(x).shape == x.shape and td.pad(x, (1, 2)).shape == (1 << 20, (1 << 20) + 3)
    assert td.roll(x, 1, 0).shape == x.shape and td.tile(x, (2,)).shape == (1 << 20, 2 << 20)
    with pytest.raises(Exception, match="output_size"):
        td.zeros(3, device="meta").repeat_interleave(td.zeros(3, dtype=td.int64, device="meta"))


def test_joins_into_given_tensors(rng):
    a, b = random_array(rng, td.float32, (3, 4)), random_array(rng, td.float32, (3, 4))
    t, u = td.tensor(a), td.tensor(b)
    for axis in (0, 1, -1):
        expected = np.concatenate([a, b], axis)
        out = td.empty(expected.shape)
        assert td.cat([t, u], axis, out=out) is out
        check(out, expected)
        wide = td.zeros(expected.shape, dtype=td.float64).t().contiguous().t()
        td.cat([t, u], dim=axis, out=wide)
        check(wide, expected.astype(np.float64))
    for axis in (0, 1, 2, -1):
        expected = np.stack([a, b], axis)
        out = td.empty(0)
        assert td.stack([t, u], axis, out=out) is out
        check(out, expected)
    memory = td.tensor(np.concatenate([a, b]))
    td.cat([memory[3:], memory[:3]], out=memory)  # out holds the inputs
    check(memory, np.concatenate([b, a]))
    named = td.empty(6, 4, names=["n", None])
    td.cat([t.rename("n", "c"), u], "n", out=named)
    assert named.names == ("n", "c")
    with pytest.raises(td.ShapeError, match="doesn't match"):
        td.cat([t, u], out=td.empty(5, 4))
    with pytest.raises(TypeError, match="can't be cast"):
        td.cat([t, u], out=td.empty(6, 4, dtype=td.int32))
