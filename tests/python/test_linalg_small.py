# Eigenvalues and singular values of matrices of up to 16 rows and columns, which have kernels of their own: what is made
# of them, against NumPy in float64; layouts, names and the border to the libraries.
import numpy as np
import pytest

import tandem
from tandem import linalg

DTYPES = ["float32", "float64"]
SHAPES = [(1, 1), (1, 5), (5, 1), (2, 2), (3, 2), (4, 7), (9, 9), (16, 3), (3, 16), (16, 16), (17, 16), (40, 6, 4), (2, 3, 5, 5)]


def drawn(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def eps(dtype):
    return float(np.finfo(dtype).eps)


def of_rank(shape, rank, dtype, seed=0):
    left = drawn(shape[:-1] + (rank,), dtype, seed)
    right = drawn(shape[:-2] + (rank, shape[-1]), dtype, seed + 1)
    return (left.astype("float64") @ right).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_ranks_norms_and_conditions(dtype, shape):
    n = max(shape[-2:])
    for rank in {1, min(shape[-2:]) // 2 + 1, min(shape[-2:])}:
        a = of_rank(shape, rank, dtype, rank)
        x = tandem.tensor(a)
        exact = np.linalg.svd(a.astype("float64"), compute_uv=False)
        bound = 4 * n * eps(dtype) * exact[..., :1]
        assert np.all(np.abs(np.array(linalg.svdvals(x)) - exact) <= bound)
        assert np.all(np.array(linalg.matrix_rank(x)) == rank)
        assert np.all(np.abs(np.array(linalg.matrix_norm(x, 2)) - exact[..., 0]) <= bound[..., 0])
        assert np.all(np.abs(np.array(linalg.matrix_norm(x, -2)) - exact[..., -1]) <= bound[..., 0])
        total = exact.sum(-1)
        assert np.all(np.abs(np.array(linalg.matrix_norm(x, "nuc")) - total) <= exact.shape[-1] * bound[..., 0])
        if rank == min(shape[-2:]):
            condition = exact[..., 0] / exact[..., -1]
            error = np.abs(np.array(linalg.cond(x)) - condition)
            assert np.all(error <= 8 * n * eps(dtype) * condition**2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_pseudoinverses(dtype, shape):
    a = of_rank(shape, min(2, *shape[-2:]), dtype, 3)
    p = np.array(linalg.pinv(tandem.tensor(a))).astype("float64")
    wide = a.astype("float64")
    sizes = np.linalg.svd(wide, compute_uv=False)
    kept = sizes[..., min(2, *shape[-2:]) - 1][..., None, None]
    slack = 20 * max(shape[-2:]) * eps(dtype) * (sizes[..., :1, None] / kept) ** 2
    assert np.all(np.abs(wide @ p @ wide - wide) <= slack * sizes[..., :1, None])
    assert np.all(np.abs(p @ wide @ p - p) <= slack / kept)
    assert np.all(np.abs(wide @ p - np.swapaxes(wide @ p, -1, -2)) <= slack)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 5, 16])
def test_roots_and_polar_factors(dtype, n):
    a = drawn((3, n + 1, n), dtype, 5)
    definite = np.swapaxes(a, -1, -2) @ a + np.eye(n, dtype=dtype)
    root = np.array(linalg.matrix_sqrth(tandem.tensor(definite))).astype("float64")
    size = np.abs(definite).max()
    assert np.abs(root @ root - definite).max() <= 10 * n * n * eps(dtype) * size
    if n < 16:
        u, h = (np.array(t).astype("float64") for t in linalg.polar(tandem.tensor(a)))
        assert np.abs(np.swapaxes(u, -1, -2) @ u - np.eye(n)).max() <= 10 * (n + 1) * eps(dtype)
        assert np.abs(u @ h - a).max() <= 10 * n * n * eps(dtype) * np.abs(a).max()


def strided(a):
    """The same elements as tensors of other layouts, of which the batch is a view too."""
    yield tandem.tensor(np.ascontiguousarray(np.swapaxes(a, -1, -2))).transpose(-1, -2)
    yield tandem.tensor(np.ascontiguousarray(a[::-1, ..., ::-1, ::-1])).flip([0, -2, -1])
    yield tandem.tensor(np.ascontiguousarray(np.swapaxes(a, 0, 1))).transpose(0, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_of_batches_give_the_same_bits(dtype):
    a = drawn((3, 4, 5, 5), dtype, 2)
    first = linalg.svd(tandem.tensor(a))
    values = linalg.eigh(tandem.tensor(a))
    for x in strided(a):
        assert all(tandem.equal(p, q) for p, q in zip(linalg.svd(x), first))
        assert all(tandem.equal(p, q) for p, q in zip(linalg.eigh(x), values))
    one = tandem.tensor(a[0, 0]).expand(3, 2, 5, 5)
    alone = linalg.svd(tandem.tensor(a[0, 0]))
    for many, single in zip(linalg.svd(one), alone):
        assert tandem.equal(many[2, 1], single)


@pytest.mark.parametrize("n", [15, 16, 17])
def test_results_look_the_same_on_both_sides_of_the_border(n):
    a = tandem.tensor(drawn((2, n, n), "float64", 1))
    named = a.rename("batch", "row", "column")
    for x in (a, tandem.empty(2, n, n, dtype=tandem.float64, device="meta")):
        for f in (linalg.eigh, linalg.svd):
            for t in f(x):
                assert t.stride()[-2:] == (1, t.shape[-2]) if t.dim() == 3 else t.stride() == (n, 1)
    w, v = linalg.eigh(named)
    assert w.names == ("batch", None) and v.names == ("batch", "row", None)
    u, s, vh = linalg.svd(named[:, : n - 1])
    assert u.names == ("batch", "row", None) and vh.names == ("batch", None, "column")


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_beside_much_larger_ones_keep_their_digits(dtype):
    # D (1 + 1/4 off the diagonal) D: pivots of the elimination are between D^2 / 2 and D^2.
    n = 6
    d = np.array([2.0 ** (-6 * (5 * i % n)) for i in range(n)])
    a = (d[:, None] * (np.full((n, n), 0.25) + 0.75 * np.eye(n)) * d).astype(dtype)
    w = np.array(linalg.eigvalsh(tandem.tensor(a))).astype("float64")
    determinant = np.prod(d**2) * 0.75 ** (n - 1) * (0.75 + 0.25 * n)
    assert abs(np.prod(w) / determinant - 1) <= 16 * n * n * eps(dtype)
    s = np.array(linalg.svdvals(tandem.tensor((a / d[:, None]).astype(dtype)))).astype("float64")
    assert abs(np.prod(s) / (determinant / np.prod(d)) - 1) <= 16 * n * n * eps(dtype)


def test_errors_are_those_of_larger_matrices():
    for n in (3, 20):
        a = np.zeros((2, n, n), "float32")
        a[1, 2, 0] = np.nan
        for f in (linalg.eigvalsh, linalg.svdvals, linalg.pinv, linalg.matrix_rank):
            with pytest.raises(linalg.LinAlgError, match=r"finite.*infinite or NaN element at batch index \(1\)"):
                f(tandem.tensor(a))
        with pytest.raises(ValueError, match="UPLO"):
            linalg.eigh(tandem.tensor(a), "X")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_negative_zeros_do_not_depend_on_the_batch(dtype):
    rng = np.random.default_rng(3)
    for n in (2, 3, 5, 20):
        a = rng.integers(-1, 2, (n, n)).astype(dtype) * -1.0  # many zeros, all of them negative
        b = np.full((n, 2), -0.0, dtype)
        ops = [tandem.linalg.det, lambda x: tandem.linalg.inv_ex(x)[0], tandem.linalg.lu_factor_ex,
               lambda x: tandem.linalg.solve_ex(x, tandem.tensor(np.stack([b] * x.shape[0])))[0]]
        if dtype[0] == "f":
            ops.append(lambda x: tandem.linalg.qr(x, mode="complete"))
        for op in ops:
            want = None
            for batch in (1, 2, 9, 37):
                got = op(tandem.tensor(np.stack([a] * batch)))
                for t in got if isinstance(got, tuple) else [got]:
                    rows = t.numpy()
                    assert all(np.array_equal(rows[0], row, equal_nan=True) for row in rows)
                    parts = np.ascontiguousarray(rows.reshape(batch, -1))
                    parts = parts.view(rows.real.dtype) if rows.dtype.kind == "c" else parts
                    signs = np.signbit(parts) & ~np.isnan(parts)
                    assert (signs == signs[0]).all()
                first = [t.numpy()[0] for t in (got if isinstance(got, tuple) else [got])]
                if want is not None:
                    for x, y in zip(first, want):
                        assert np.array_equal(x, y, equal_nan=True)
                want = first
