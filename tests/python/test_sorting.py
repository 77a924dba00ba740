# Sorting, order statistics, sets and counting against NumPy. lint: oracle table

import numpy as np
import pytest

import tandem

INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]
NUMPY_DTYPES = ["bool", *INTEGERS, *FLOATS]
# About the ends of blocks, of digits' thresholds and of the ways to sort.
SIZES = [0, 1, 2, 39, 40, 41, 64, 65, 255, 257, 2047, 2049, 5000]


def data(shape, dtype, seed=0, edges=True, few=False):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in INTEGERS:
        info = np.iinfo(dtype)
        if few:
            return rng.integers(0, 7, shape).astype(dtype)
        x = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        x.reshape(-1)[1::5] = x.reshape(-1)[::5][: x.reshape(-1)[1::5].size]
        return x
    x = (rng.integers(-3, 4, shape) / 2 if few else rng.standard_normal(shape) * 100).astype(dtype)
    if edges:
        flat = x.reshape(-1)
        for k, special in enumerate([np.nan, -0.0, 0.0, np.inf, -np.inf, -np.nan]):
            flat[k::13] = special
    return x


def bits(x):
    """The elements as integers, all NaNs as one; zeros keep their signs."""
    x = np.asarray(x)
    if x.dtype.kind != "f":
        return x
    x = np.where(np.isnan(x), np.asarray(np.nan, x.dtype), x)
    return x.view(f"u{x.dtype.itemsize}")


def same(got, expected):
    got = got.numpy()
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    np.testing.assert_array_equal(bits(got), bits(expected))


def key(x):
    """Ranks in the order of tandem.sort: NaN greatest, -0 as 0."""
    return np.unique(x.astype(np.float64) + 0.0 if x.dtype.kind == "f" else x, return_inverse=True)[1].reshape(x.shape)


def order(x, axis=-1, descending=False):
    k = key(x).astype(np.int64)
    return np.argsort(-k if descending else k, axis=axis, kind="stable")


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
@pytest.mark.parametrize("descending", [False, True])
def test_sort_is_stable_in_every_dtype(dtype, descending):
    for n in SIZES:
        for few in (False, True):
            x = data(n, dtype, n, few=few)
            expected = order(x, descending=descending)
            values, indices = tandem.sort(tandem.from_numpy(x), descending=descending)
            same(indices, expected)
            same(values, x[expected])
            same(tandem.argsort(tandem.from_numpy(x), descending=descending), expected)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "int32", "float32", "float64"])
@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_sort_along_dimensions_of_any_layout(dtype, dim):
    x = data((7, 83, 19), dtype, few=True)
    for perm in [(0, 1, 2), (2, 0, 1), (1, 2, 0)]:
        y = np.transpose(x, perm)
        t = tandem.from_numpy(x).permute(*perm)
        expected = order(y, dim)
        values, indices = t.sort(dim)
        same(indices, expected)
        same(values, np.take_along_axis(y, expected, dim))
    reversed_ = tandem.from_numpy(x)[:, ::-1, ::2]
    same(reversed_.argsort(dim), order(x[:, ::-1, ::2], dim))
    same(tandem.msort(tandem.from_numpy(x)), np.take_along_axis(x, order(x, 0), 0))


def test_sort_bfloat16():
    x = tandem.from_numpy(data(3000, "float32")).to(tandem.bfloat16)
    values, indices = x.sort()
    wide = x.to(tandem.float32).numpy()
    expected = order(wide)
    same(indices, expected)
    same(values.to(tandem.float32), wide[expected])


def test_sort_long_rows_on_several_threads():
    before = tandem.get_num_threads()
    for dtype in ["float32", "int64", "uint8", "int16"]:
        x = data(150_001, dtype, few=dtype == "int64")
        expected = order(x)
        for threads in (1, 2, 3, 4):
            tandem.set_num_threads(threads)
            values, indices = tandem.sort(tandem.from_numpy(x))
            same(indices, expected)
            same(values, x[expected])
            same(tandem.topk(tandem.from_numpy(x), 1000, largest=False).indices, expected[:1000])
            assert tandem.kthvalue(tandem.from_numpy(x), 70_000).indices.item() == expected[69_999]
    tandem.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint16", "float16"])
def test_topk_and_kthvalue_are_parts_of_the_sorted_order(dtype):
    x = data((5, 700), dtype, few=True)
    t = tandem.from_numpy(x)
    down, up = order(x, descending=True), order(x)
    for k in [0, 1, 2, 10, 87, 88, 300, 699, 700]:
        same(t.topk(k).indices, down[:, :k])
        same(t.topk(k).values, np.take_along_axis(x, down, 1)[:, :k])
        same(t.topk(k, largest=False).indices, up[:, :k])
        same(t.t().topk(k, 0).indices, down[:, :k].T)
        if k > 0:
            same(t.kthvalue(k).indices, up[:, k - 1])
            same(t.kthvalue(k, keepdim=True).values, np.take_along_axis(x, up, 1)[:, k - 1 : k])
    for k in (-1, 701):
        with pytest.raises(ValueError, match=r"\[topk\] argument 'k'"):
            t.topk(k)
    with pytest.raises(ValueError, match=r"\[kthvalue\] argument 'k'"):
        t.kthvalue(0)


def middle(row, ignore):
    """The position in the sorted row."""
    nans = int(np.isnan(row).sum()) if row.dtype.kind == "f" else 0
    numbers = row.size - nans
    if ignore:
        return max(numbers - 1, 0) // 2
    return numbers if nans else (row.size - 1) // 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "float16"])
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_medians(dtype, name):
    for n in (1, 2, 3, 63, 66, 1000, 4097):
        x = data((6, n), dtype, n, edges=False, few=True)
        if x.dtype.kind == "f":
            x[1, n // 2] = np.nan
            x[2] = np.nan
        rows = np.arange(6)
        up = order(x)
        at = np.array([middle(row, name == "nanmedian") for row in x])
        values, indices = getattr(tandem, name)(tandem.from_numpy(x), 1)
        same(indices, up[rows, at])
        same(values, x[rows, up[rows, at]])
        flat = x.reshape(-1)
        expected = flat[order(flat)[middle(flat, name == "nanmedian")]]
        same(getattr(tandem.from_numpy(x), name)(), np.asarray(expected))
    assert np.isnan(tandem.median(tandem.zeros(0)).item())
    with pytest.raises(IndexError):
        tandem.median(tandem.zeros((3, 0)), 1)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles(interpolation, dtype):
    x = data((9, 4, 31), dtype, edges=False)
    t = tandem.from_numpy(x)
    qs = np.array([0, 0.1, 0.25, 1 / 3, 0.5, 0.77, 1])
    method = {"midpoint": "midpoint", "nearest": "nearest"}.get(interpolation, interpolation)
    for axis in (0, 1, 2, None):
        expected = np.quantile(x.astype(np.float64), qs, axis=axis, method=method)
        got = tandem.quantile(t, tandem.tensor(qs), axis, interpolation=interpolation).numpy()
        assert got.dtype == x.dtype
        np.testing.assert_allclose(got, expected, rtol=2 * np.finfo(dtype).eps, atol=1e-5 if dtype == "float32" else 1e-13)
        kept = tandem.quantile(t, 0.3, axis, True, interpolation=interpolation).numpy()
        expected = np.quantile(x.astype(np.float64), 0.3, axis=axis, method=method, keepdims=True)
        np.testing.assert_allclose(kept, expected, rtol=2 * np.finfo(dtype).eps, atol=1e-5 if dtype == "float32" else 1e-13)


def test_quantile_of_nan_and_infinity():
    x = np.array([[1, 2, np.nan, 4], [np.nan] * 4, [1, np.inf, np.inf, np.inf]], np.float32)
    t = tandem.from_numpy(x)
    assert np.isnan(t.quantile(0.5, 1).numpy()).tolist() == [True, True, False]
    np.testing.assert_array_equal(t.nanquantile(0.5, 1).numpy(), np.array([2, np.nan, np.inf], np.float32))
    assert t[2].quantile(0).item() == 1
    with pytest.raises(ValueError, match=r"argument 'q'"):
        t.quantile(1.5)
    with pytest.raises(ValueError, match=r"argument 'interpolation'"):
        t.quantile(0.5, interpolation="cubic")
    with pytest.raises(TypeError):
        tandem.arange(3).quantile(0.5)


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool", "float16"])
def test_mode_is_the_least_of_the_most_frequent(dtype):
    x = data((40, 23), dtype, few=True)
    values, indices = tandem.from_numpy(x).mode(1)
    for row, value, index in zip(x, values.numpy(), indices.numpy()):
        k = key(row)
        numbers = row == row
        found, counts = np.unique(k[numbers], return_counts=True)
        best = found[np.argmax(counts)]
        expected = np.flatnonzero(k == best)[-1]
        assert index == expected
        np.testing.assert_array_equal(bits(value), bits(row[expected]))
    same(tandem.from_numpy(x).t().mode(0).indices, indices.numpy())
    nothing = tandem.tensor([float("nan")] * 3).mode()
    assert nothing.indices.item() == 0


def naive_unique(x):
    """Values, first indices, inverse, counts; each NaN apart."""
    k, flat = key(x).reshape(-1), x.reshape(-1)
    at = np.argsort(k, kind="stable")
    heads = np.array([i == 0 or k[at[i]] != k[at[i - 1]] or flat[at[i]] != flat[at[i]] for i in range(at.size)], bool)
    ranks = np.cumsum(heads) - 1
    inverse = np.empty(at.size, np.int64)
    inverse[at] = ranks
    return flat[at][heads], at[heads], inverse.reshape(x.shape), np.bincount(ranks) if at.size else np.zeros(0, np.int64)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_unique(dtype):
    for shape in [(0,), (1,), (17, 3), (50, 101)]:
        x = data(shape, dtype, few=True)
        t = tandem.from_numpy(x)
        expected = naive_unique(x)
        for got, want in zip(tandem.unique_all(t), expected):
            same(got, want)
        values, inverse, counts = tandem.unique(t, return_inverse=True, return_counts=True)
        same(values, expected[0])
        same(inverse, expected[2])
        same(counts, expected[3])
        same(tandem.unique(t), expected[0])
        same(tandem.unique_values(t), expected[0])
        same(tandem.unique_counts(t).counts, expected[3])
        same(tandem.unique_inverse(t).inverse_indices, expected[2])


def test_unique_of_integers_is_numpys():
    x = np.random.default_rng(3).integers(-20, 20, (300, 7))
    values, inverse, counts = tandem.unique(tandem.from_numpy(x), return_inverse=True, return_counts=True)
    want = np.unique(x, return_inverse=True, return_counts=True)
    same(values, want[0])
    same(inverse, want[1].reshape(x.shape))
    same(counts, want[2])


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_unique_slices(dim):
    x = np.random.default_rng(5).integers(0, 2, (9, 8, 3)).astype(np.int32)
    x[3], x[:, 5], x[..., 2] = x[1], x[:, 0], x[..., 0]
    values, inverse, counts = tandem.unique(tandem.from_numpy(x), return_inverse=True, return_counts=True, dim=dim)
    want = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
    same(values, want[0])
    same(inverse, want[1].reshape(-1))
    same(counts, want[2])
    named = tandem.from_numpy(x).refine_names("a", "b", "c")
    assert named.unique(dim="b").names == ("a", "b", "c")


def test_unique_consecutive():
    x = np.array([1, 1, 2, 2, 2, 1, 3, 3, 1], np.int16)
    values, inverse, counts = tandem.unique_consecutive(tandem.from_numpy(x), True, True)
    assert values.tolist() == [1, 2, 1, 3, 1]
    assert inverse.tolist() == [0, 0, 1, 1, 1, 2, 3, 3, 4]
    assert counts.tolist() == [2, 3, 1, 2, 1]
    rows = tandem.tensor([[1, 1], [1, 1], [0, 2], [1, 1]])
    assert tandem.unique_consecutive(rows, dim=0).tolist() == [[1, 1], [0, 2], [1, 1]]
    nans = tandem.tensor([float("nan"), float("nan"), 0.0, -0.0])
    assert tandem.unique_consecutive(nans).numel() == 3


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "int64", "uint64", "float16"])
def test_searchsorted(dtype):
    sequence = np.sort(data(137, dtype, edges=False, few=dtype != "uint64"))
    values = data((11, 13), dtype, 1, edges=False, few=dtype != "uint64")
    s, v = tandem.from_numpy(sequence), tandem.from_numpy(values)
    for side in ("left", "right"):
        expected = np.searchsorted(sequence, values, side)
        same(tandem.searchsorted(s, v, side=side), expected)
        same(tandem.searchsorted(s, v, right=side == "right", out_int32=True), expected.astype(np.int32))
        same(tandem.bucketize(v, s, right=side == "right"), expected)
    shuffled = np.random.default_rng(0).permutation(137)
    mixed = np.empty_like(sequence)
    mixed[shuffled] = sequence
    same(tandem.searchsorted(tandem.from_numpy(mixed), v, sorter=tandem.from_numpy(shuffled)), np.searchsorted(sequence, values))
    assert tandem.searchsorted(s, v.t().contiguous().t()).tolist() == np.searchsorted(sequence, values).tolist()


def test_searchsorted_rows_scalars_nan():
    s = np.sort(data((3, 4, 20), "float32", edges=False), -1)
    v = data((3, 4, 6), "float32", 1, edges=False)
    got = tandem.searchsorted(tandem.from_numpy(s), tandem.from_numpy(v)).numpy()
    for i in range(3):
        for j in range(4):
            np.testing.assert_array_equal(got[i, j], np.searchsorted(s[i, j], v[i, j]))
    row = np.array([-np.inf, -0.0, 0.0, 1, np.inf, np.nan, np.nan], np.float32)
    t = tandem.from_numpy(row)
    for value in (-np.inf, -0.0, 0.0, 0.5, 1.0, np.inf, np.nan):
        for side in ("left", "right"):
            assert tandem.searchsorted(t, value, side=side).item() == np.searchsorted(row, np.float32(value), side)
    assert tandem.bucketize(3, tandem.tensor([1, 3, 5])).item() == 1
    assert tandem.bucketize(2.5, tandem.tensor([1, 3, 5])).item() == 1
    exact = tandem.tensor([2**53 - 1, 2**53])
    assert tandem.searchsorted(exact, tandem.tensor([2**53 - 1])).tolist() == [0]
    with pytest.raises(RuntimeError, match="sorted_sequence"):
        tandem.searchsorted(tandem.zeros((2, 3)), tandem.zeros((3, 3)))
    with pytest.raises(ValueError, match="side"):
        tandem.searchsorted(t, 1.0, side="middle")
    with pytest.raises(TypeError):
        tandem.searchsorted(t, tandem.zeros(2, dtype=tandem.complex64))


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool", "int16"])
def test_isin(dtype):
    x, y = data((30, 20), dtype, few=True), data(5, dtype, 4, edges=False, few=True)
    same(tandem.isin(tandem.from_numpy(x), tandem.from_numpy(y)), np.isin(x, y))
    same(tandem.isin(tandem.from_numpy(x), tandem.from_numpy(y), invert=True), np.isin(x, y, invert=True))
    same(tandem.isin(tandem.from_numpy(x), tandem.from_numpy(y), assume_unique=True), np.isin(x, y))
    one = y.reshape(-1)[0].item()
    same(tandem.isin(tandem.from_numpy(x), one), np.isin(x, one))
    same(tandem.isin(tandem.from_numpy(x), tandem.from_numpy(y[:0])), np.zeros(x.shape, bool))
    assert tandem.isin(one, tandem.from_numpy(y)).item()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bincount(dtype):
    x = np.random.default_rng(1).integers(0, 100, 5000).astype(dtype)
    t = tandem.from_numpy(x)
    same(tandem.bincount(t), np.bincount(x.astype(np.int64)))
    same(t.bincount(minlength=150), np.bincount(x.astype(np.int64), minlength=150))
    same(tandem.bincount(t[:0], minlength=4), np.zeros(4, np.int64))


def tree(x):
    """Order 1 of docs/numerics.md, in x's dtype."""
    if x.size > 4096:
        return tree(np.array([tree(x[i : i + 4096]) for i in range(0, x.size, 4096)], x.dtype))
    if x.size == 0:
        return x.dtype.type(0)
    lanes = [x[j] for j in range(min(x.size, 128))]
    for i in range(128, x.size):
        lanes[i % 128] = lanes[i % 128] + x[i]
    half = 64
    while half:
        for j in range(half):
            if j + half < len(lanes):
                lanes[j] = lanes[j] + lanes[j + half]
        half //= 2
    return lanes[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_are_summed_along_the_fixed_tree(dtype):
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.integers(0, 9, 2000), np.full(9000, 11)])
    rng.shuffle(x)
    w = rng.standard_normal(x.size).astype(dtype)
    expected = np.array([tree(w[x == b]) for b in range(12)], dtype)
    before = tandem.get_num_threads()
    for threads in (1, 2, 4):
        tandem.set_num_threads(threads)
        same(tandem.bincount(tandem.from_numpy(x), tandem.from_numpy(w)), expected)
    tandem.set_num_threads(before)
    np.testing.assert_allclose(expected, np.bincount(x, w), rtol=1e-3, atol=1e-3)


def test_bincount_errors():
    with pytest.raises(ValueError, match="-1"):
        tandem.bincount(tandem.tensor([1, -1]))
    with pytest.raises(RuntimeError, match="one dimension"):
        tandem.bincount(tandem.zeros((2, 2), dtype=tandem.int64))
    with pytest.raises(TypeError):
        tandem.bincount(tandem.zeros(3))
    with pytest.raises(RuntimeError, match="weights"):
        tandem.bincount(tandem.tensor([1, 2]), tandem.zeros(3))


@pytest.mark.parametrize("dtype", FLOATS)
def test_histc(dtype):
    x = data((60, 70), dtype, edges=False)
    t = tandem.from_numpy(x)
    inside = x[(x >= -50) & (x <= 50)].astype(dtype)
    place = ((inside - dtype_of(dtype, -50)) * dtype_of(dtype, 20) / (dtype_of(dtype, 50) - dtype_of(dtype, -50))).astype(np.int64)
    expected = np.bincount(np.minimum(place, 19), minlength=20)
    got = tandem.histc(t, 20, -50, 50).numpy()
    assert got.dtype == x.dtype
    if dtype != "float16":  # computed in float32 there
        np.testing.assert_array_equal(got, expected.astype(dtype))
    assert got.sum(dtype=np.float64) == inside.size
    assert tandem.histc(t, 7).numpy().sum(dtype=np.float64) == x.size
    assert tandem.histc(tandem.tensor([2.0, 2.0, 2.0]), 4).tolist() == [0, 0, 3, 0]
    assert tandem.histc(tandem.tensor([float("nan"), 1.0]), 2, 0, 2).tolist() == [0, 1]
    assert tandem.histc(tandem.tensor([1, 2, 2, 9]), 3, 0, 3).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="bins"):
        tandem.histc(t, 0)


def dtype_of(dtype, x):
    return np.dtype(dtype).type(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("density", [False, True])
def test_histogram(dtype, density):
    x = data((60, 70), dtype, edges=False)
    t = tandem.from_numpy(x)
    tolerance = dict(rtol=1e-5 if dtype == "float32" else 1e-12)
    for kwargs in ({}, {"range": [-40.0, 60.0]}):
        hist, edges = tandem.histogram(t, 13, density=density, **kwargs)
        np.testing.assert_allclose(edges.numpy(), np.histogram_bin_edges(x.astype(np.float64), 13, **kwargs), **tolerance)
        want, _ = np.histogram(x, edges.numpy().astype(np.float64), density=density)
        np.testing.assert_allclose(hist.numpy(), want, **tolerance)
    given = np.array([-80, -3, 0, 0.5, 40], dtype)
    w = data(x.shape, dtype, 8, edges=False)
    hist, edges = t.histogram(tandem.from_numpy(given), weight=tandem.from_numpy(w), density=density)
    same(edges, given)
    want, _ = np.histogram(x, given, weights=w.astype(np.float64), density=density)
    np.testing.assert_allclose(hist.numpy(), want, rtol=1e-3, atol=1e-3)


def test_histogram_edges_belong_to_the_bin_on_their_right():
    x = tandem.tensor([0.0, 1.0, 1.0, 2.0, 3.0, 3.5, float("nan")])
    hist, edges = tandem.histogram(x, tandem.tensor([0.0, 1.0, 2.0, 3.0]))
    assert hist.tolist() == [1, 2, 2]
    hist, edges = tandem.histogram(tandem.tensor([5.0, 5.0]), 2)
    assert edges.tolist() == [4.5, 5.0, 5.5]
    assert hist.tolist() == [0, 2]
    with pytest.raises(ValueError, match="range"):
        tandem.histogram(x, 3, range=[1.0])
    with pytest.raises(TypeError, match="bins"):
        tandem.histogram(x, tandem.tensor([0, 1]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_histogramdd(dtype, density, dims):
    x = data((20, 30, dims), dtype, edges=False)
    w = np.abs(data((20, 30), dtype, 8, edges=False))
    points = x.reshape(-1, dims).astype(np.float64)
    tolerance = dict(rtol=2e-4 if dtype == "float32" else 1e-11)
    bins = [7, 5, 4][:dims]
    for kwargs in ({}, {"range": [-120.0, 150.0, -90.0, 80.0, 0.0, 60.0][: 2 * dims]}):
        for weight in (None, w):
            hist, edges = tandem.histogramdd(
                tandem.from_numpy(x), bins, weight=None if weight is None else tandem.from_numpy(weight),
                density=density, **kwargs,
            )
            own = [e.numpy().astype(np.float64) for e in edges]
            limits = np.reshape(kwargs["range"], (-1, 2)) if kwargs else [(c.min(), c.max()) for c in points.T]
            for e, n, (low, high) in zip(own, bins, limits, strict=True):
                np.testing.assert_allclose(e, np.linspace(low, high, n + 1), rtol=1e-5, atol=1e-4)
            want, _ = np.histogramdd(points, own, weights=None if weight is None else weight.ravel(), density=density)
            np.testing.assert_allclose(hist.numpy(), want, **tolerance)
    given = [np.array(e, dtype) for e in ([-80, -3, 0, 0.5, 40], [-100, 0, 100], [-1, 1000])][:dims]
    hist, edges = tandem.histogramdd(tandem.from_numpy(x), [tandem.from_numpy(e) for e in given], density=density)
    for got, e in zip(edges, given, strict=True):
        same(got, e)
    want, _ = np.histogramdd(points, [e.astype(np.float64) for e in given], density=density)
    np.testing.assert_allclose(hist.numpy(), want, **tolerance)


def test_histogramdd_forms():
    x = tandem.tensor([[0.0, 0.0], [1.0, 2.0], [1.0, float("nan")], [3.0, 2.0], [-1.0, 1.0], [3.5, 1.0]])
    grid = tandem.histogramdd(x, [tandem.tensor([0.0, 1.0, 3.0]), tandem.tensor([0.0, 2.0])])
    assert grid.hist.tolist() == [[1], [2]] and len(grid.bin_edges) == 2
    assert tandem.histogramdd(x[:2], 3).hist.shape == (3, 3)
    assert tandem.histogramdd(x[:0], [2, 3]).bin_edges[1].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert tandem.histogramdd(tandem.ones(4, 1), 2).bin_edges[0].tolist() == [0.5, 1, 1.5]
    for wrong, match in (
        (([2, 3, 4],), "'bins': expected one entry for each of 2 dimensions of the points, got 3"),
        (([2, 0],), "'bins': expected a number > 0, got 0"),
        (([tandem.tensor([0.0, 1.0]), tandem.tensor([0.0])],), "'bins': expected two edges or more"),
        (("auto",), "expected bins to be an integer, or a list or tuple of integers or tensors, got str"),
    ):
        with pytest.raises((ValueError, TypeError, RuntimeError), match=match):
            tandem.histogramdd(x, *wrong)
    with pytest.raises(ValueError, match="'range': expected 4 numbers, got 2"):
        tandem.histogramdd(x, 3, range=[0.0, 1.0])
    with pytest.raises(ValueError, match="'range': expected the lesser number first, got 2 and 1"):
        tandem.histogramdd(x, 3, range=[0.0, 1.0, 2.0, 1.0])
    with pytest.raises(RuntimeError, match=r"'weight': expected the input's shape \[6\], got \[6, 2\]"):
        tandem.histogramdd(x, 3, weight=x)
    with pytest.raises(RuntimeError, match="'input': expected points along the last of two dimensions or more"):
        tandem.histogramdd(x[0], 3)
    assert tandem.histogramdd(x.to("meta"), [3, 4]).bin_edges[1].shape == (5,)


def test_names_and_scalars():
    x = tandem.from_numpy(data((3, 5), "float32", edges=False)).refine_names("a", "b")
    assert x.sort("a").values.names == ("a", "b")
    assert x.argsort("b").names == ("a", "b")
    assert x.topk(2, "b").indices.names == ("a", "b")
    assert x.kthvalue(2, "a").values.names == ("b",)
    assert x.median("b", keepdim=True).values.names == ("a", "b")
    assert x.mode("a").values.names == ("b",)
    assert x.quantile(tandem.tensor([0.1, 0.2]), "a").names == (None, "b")
    assert x.unique(return_inverse=True)[1].names == ("a", "b")
    assert tandem.isin(x, 1.0).names == ("a", "b")
    zero_d = tandem.tensor(3.0)
    assert [r.item() for r in zero_d.sort()] == [3.0, 0]
    assert [r.item() for r in zero_d.topk(1)] == [3.0, 0]
    assert zero_d.unique().tolist() == [3.0]
    assert zero_d.quantile(0.3).item() == 3.0


def test_complex_is_refused():
    z = tandem.zeros(3, dtype=tandem.complex64)
    for name in ("sort", "argsort", "msort", "unique", "mode", "median", "unique_consecutive"):
        with pytest.raises(TypeError, match="not implemented for 'ComplexFloat'"):
            getattr(tandem, name)(z)


def test_meta_shapes():
    m = tandem.empty((4, 6), device="meta")
    assert m.sort(0).values.shape == (4, 6)
    assert m.topk(2).indices.dtype == tandem.int64
    assert m.histogram(5).bin_edges.shape == (6,)
    with pytest.raises(NotImplementedError, match="depends on the elements"):
        m.unique()
