# Factorisations against NumPy, and by residuals and orthogonality: bounds are n * eps times the norms involved.
import itertools

import numpy as np
import pytest

import tandem
from tandem import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]
SHAPES = [(1, 1), (3, 3), (5, 3), (3, 5), (40, 40), (2, 4, 4), (3, 2, 6, 4), (2, 1, 4, 6), (300, 3, 3)]
EMPTY = [(0, 0), (0, 3), (3, 0), (2, 0, 0), (0, 3, 3), (2, 0, 3), (2, 3, 0)]
SQUARE = [s for s in SHAPES if s[-1] == s[-2]]


def drawn(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(shape)
    if "complex" in dtype:
        a = a + 1j * rng.standard_normal(shape)
    return a.astype(dtype)


def definite(shape, dtype, seed=0):
    a = drawn(shape, dtype, seed)
    return (a @ adjoint(a) + np.eye(shape[-1])).astype(dtype)


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def eps(a):
    return float(np.finfo(a.dtype).eps)


def layouts(a):
    """The same elements as tensors of several layouts."""
    yield tandem.tensor(a)
    yield tandem.tensor(np.ascontiguousarray(np.swapaxes(a, -1, -2))).transpose(-1, -2)
    yield tandem.tensor(np.ascontiguousarray(a[..., ::-1, ::-1])).flip([-2, -1])
    wide = np.zeros(a.shape[:-1] + (2 * a.shape[-1],), a.dtype)
    wide[..., ::2] = a
    yield tandem.tensor(wide)[..., ::2]


def size(a):
    """Frobenius norms, at least 1."""
    return np.maximum(np.linalg.norm(a, axis=(-2, -1), keepdims=True), 1)


def close(x, y, scale, factor=10):
    """|x - y| within factor * n * eps * scale in each matrix."""
    x, y = np.asarray(x), np.asarray(y)
    assert x.shape == y.shape
    assert np.all(np.isfinite(x))
    n = max(x.shape[-2:] if x.ndim > 1 else x.shape, default=1)
    assert np.all(np.abs(x - y) <= factor * max(n, 1) * eps(x) * scale)


def orthonormal(q):
    one = np.broadcast_to(np.eye(q.shape[-1]), q.shape[:-2] + (q.shape[-1],) * 2)
    close(adjoint(q) @ q, one, 1, 10 * max(q.shape[-2] // max(q.shape[-1], 1), 1))


def arrays(results):
    return [np.asarray(r.numpy()) for r in results]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(dtype, shape, upper):
    a = definite(shape, dtype)
    half = np.triu(a) if upper else np.tril(a)  # the other triangle is not read
    for x in layouts(half):
        f = linalg.cholesky(x, upper=upper).numpy()
        assert np.array_equal(f, np.triu(f) if upper else np.tril(f))
        close(adjoint(f) @ f if upper else f @ adjoint(f), a, size(a))
        f2, info = linalg.cholesky_ex(x, upper=upper)
        assert np.array_equal(f2.numpy(), f) and not info.numpy().any() and info.dtype == tandem.int32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(dtype, shape):
    a = drawn(shape, dtype)
    k = min(shape[-2:])
    for x in layouts(a):
        p, low, up = arrays(linalg.lu(x))
        assert low.shape == shape[:-1] + (k,) and up.shape == shape[:-2] + (k, shape[-1])
        close(p @ low @ up, a, size(low) * size(up))
        assert np.all(np.abs(low) <= 1.5) and np.all(np.diagonal(low, 0, -2, -1) == 1)
        assert np.array_equal(low, np.tril(low)) and np.array_equal(up, np.triu(up))
        assert np.array_equal(np.sort(p, -1)[..., -1], np.ones(shape[:-1]))
        lu, pivots = linalg.lu_factor(x)
        assert pivots.dtype == tandem.int32 and tuple(pivots.shape) == shape[:-2] + (k,)
        assert np.array_equal(np.triu(lu.numpy())[..., :k, :], up)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES + EMPTY)
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_qr(dtype, shape, mode):
    a = drawn(shape, dtype)
    for x in layouts(a):
        q, r = arrays(linalg.qr(x, mode))
        assert np.array_equal(r, np.triu(r))
        if mode == "r":
            assert q.size == 0
            close(adjoint(r) @ r, adjoint(a) @ a, size(a) ** 2)
            continue
        assert q.shape == np.linalg.qr(a, mode)[0].shape and r.shape == np.linalg.qr(a, mode)[1].shape
        orthonormal(q)
        close(q @ r, a, size(a))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES + EMPTY)
def test_svd(dtype, shape):
    a = drawn(shape, dtype)
    k = min(shape[-2:])
    for x, full in itertools.product(layouts(a), [False, True]):
        u, s, v = arrays(linalg.svd(x, full_matrices=full))
        assert u.shape[-1] == (shape[-2] if full else k) and v.shape[-2] == (shape[-1] if full else k)
        orthonormal(u)
        orthonormal(adjoint(v))
        assert np.all(s >= 0) and np.all(np.diff(s) <= 0)
        close((u[..., :k] * s[..., None, :]) @ v[..., :k, :], a, size(a))
        scale = size(a)[..., 0]
        close(s, np.linalg.svd(a, compute_uv=False).astype(s.dtype), scale)
        close(linalg.svdvals(x).numpy(), s, scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE + [(0, 0), (2, 0, 0), (0, 3, 3)])
@pytest.mark.parametrize("uplo", ["L", "U"])
def test_eigh(dtype, shape, uplo):
    a = drawn(shape, dtype)
    a = a + adjoint(a)
    for x in layouts(np.tril(a) if uplo == "L" else np.triu(a)):
        w, v = arrays(linalg.eigh(x, UPLO=uplo))
        orthonormal(v)
        assert np.all(np.diff(w) >= 0) and w.dtype == np.finfo(dtype).dtype
        close((v * w[..., None, :]) @ adjoint(v), a, size(a))
        close(linalg.eigvalsh(x, uplo).numpy(), w, size(a)[..., 0])
        close(w, np.linalg.eigvalsh(a).astype(w.dtype), size(a)[..., 0])


def symmetric_matrices(n):
    """Spectra that divide and conquer deflates in every way, and ranges at the ends of the types."""
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n))
    q = np.linalg.qr(a)[0]
    ones = np.ones(n - 1)
    couple = np.diag(ones, 1) + np.diag(ones, -1)
    block = np.diag(np.abs(np.arange(11) - 5.0)) + np.diag(np.ones(10), 1) + np.diag(np.ones(10), -1)
    yield "random", a + a.T
    yield "identity", np.eye(n)
    yield "zero", np.zeros((n, n))
    yield "rank one", np.ones((n, n))
    yield "clusters", (q * np.repeat([1, 2, 3, 4], n // 4 + 1)[:n]) @ q.T
    yield "graded", (q * 10.0 ** np.linspace(0, -12, n)) @ q.T
    yield "near", (q * (1 + 1e-6 * np.arange(n))) @ q.T
    yield "Wilkinson's", np.diag(np.abs(np.arange(n) - n // 2) * 1.0) + couple
    yield "second difference", 2 * np.eye(n) - couple
    yield "glued", np.kron(np.eye(n // 11 + 1), block)[:n, :n] + 1e-7 * couple
    yield "diagonal", np.diag(rng.standard_normal(n))
    yield "tiny", (a + a.T) * 1e-30
    yield "huge", (a + a.T) * 1e30


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [33, 48, 64, 97, 150])
def test_eigh_of_spectra_that_deflate(dtype, n):
    for name, a in symmetric_matrices(n):
        a = ((a + a.T) / 2).astype(dtype)
        for uplo in "LU":
            w, v = (t.numpy().astype("float64") for t in linalg.eigh(tandem.tensor(a), uplo))
            wide, norm = a.astype("float64"), max(np.linalg.norm(a.astype("float64")), 1e-300)
            assert np.all(np.diff(w) >= 0), name
            assert np.abs(wide @ v - v * w).max() <= n * eps(a) * norm, name
            assert np.abs(v.T @ v - np.eye(n)).max() <= 10 * n * eps(a), name
            assert np.abs(w - np.linalg.eigvalsh(wide)).max() <= n * eps(a) * norm, name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE + [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_eig(dtype, shape):
    a = drawn(shape, dtype)
    for x in layouts(a):
        w, v = arrays(linalg.eig(x))
        assert w.dtype == np.result_type(dtype, "complex64") and v.dtype == w.dtype
        close(a.astype(v.dtype) @ v, v * w[..., None, :], size(a), 20)
        assert np.allclose(np.linalg.norm(v, axis=-2), 1, atol=1e-4)
        # The sum and the product of the eigenvalues are the trace and the determinant.
        assert np.allclose(w.sum(-1), np.trace(a, axis1=-2, axis2=-1), atol=1e3 * eps(a) * max(shape[-1], 1))
        only = linalg.eigvals(x).numpy()
        assert np.allclose(np.sort_complex(only), np.sort_complex(w), atol=2e3 * eps(a) * max(shape[-1], 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
@pytest.mark.parametrize("left", [True, False])
def test_solutions(dtype, shape, left):
    n = shape[-1]
    a = definite(shape, dtype)
    b = drawn(shape[:-2] + ((n, 5) if left else (5, n)), dtype, 3)

    def check(x, a=a, b=b):
        x = np.asarray(x.numpy())
        close(a @ x if left else x @ a, np.broadcast_to(b, np.broadcast_shapes(b.shape, x.shape)),
              size(a) * size(x))

    for x, y in zip(layouts(a), layouts(b)):
        check(linalg.solve(x, y, left=left))
        z, info = linalg.solve_ex(x, y, left=left)
        check(z)
        assert not info.numpy().any()
        lu, pivots = linalg.lu_factor(x)
        check(linalg.lu_solve(lu, pivots, y, left=left))
        check(linalg.lu_solve(lu, pivots, y, left=left, adjoint=True), adjoint(a))
        for upper, unit in itertools.product([True, False], [True, False]):
            t = (np.triu if upper else np.tril)(a)
            if unit:
                t[..., range(n), range(n)] = 1
                t = t / np.maximum(np.abs(t), 1) * (np.eye(n) + 1 / n)  # a tame triangle
                t = t.astype(dtype)
                t[..., range(n), range(n)] = 1
            stored = t + (np.tril if upper else np.triu)(np.full_like(t, 7), -1 if upper else 1)
            if unit:
                stored[..., range(n), range(n)] = 9
            for given in layouts(stored):
                z = linalg.solve_triangular(given, y, upper=upper, left=left, unitriangular=unit)
                check(z, t)
    # One matrix for a batch of right-hand sides, and the other way round.
    one = a.reshape((-1, n, n))[0]
    check(linalg.solve(tandem.tensor(one), tandem.tensor(b), left=left), one)
    first = b.reshape((-1,) + b.shape[-2:])[0]
    check(linalg.solve(tandem.tensor(a), tandem.tensor(first), left=left), b=first)


def test_vectors_are_solved_as_columns():
    a, b = definite((4, 3, 3), "float64"), drawn((4, 3), "float64")
    x = linalg.solve(tandem.tensor(a), tandem.tensor(b)).numpy()
    close(np.einsum("bij,bj->bi", a, x), b, 100)
    x = linalg.solve(tandem.tensor(a), tandem.tensor(b[0])).numpy()
    close(np.einsum("bij,bj->bi", a, x), np.broadcast_to(b[0], (4, 3)), 100)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_inverses_and_determinants(dtype, shape):
    a = definite(shape, dtype)
    n = shape[-1]
    for x in layouts(a):
        y = linalg.inv(x).numpy()
        close(a @ y, np.broadcast_to(np.eye(n), shape), size(a) * size(y))
        z, info = linalg.inv_ex(x)
        assert np.array_equal(z.numpy(), y) and not info.numpy().any()
        sign, log = arrays(linalg.slogdet(x))
        want = np.linalg.slogdet(a.astype(np.result_type(dtype, "float64")))
        assert np.allclose(sign, want[0], atol=100 * eps(a)) and np.allclose(log, want[1], rtol=1e3 * n * eps(a))
        if n < 10:
            det = linalg.det(x).numpy()
            assert np.allclose(det, np.linalg.det(a.astype(want[0].dtype)), rtol=1e4 * eps(a))


def test_signs_of_determinants_follow_the_interchanges():
    for order in itertools.permutations(range(4)):
        p = np.eye(4)[list(order)]
        assert linalg.det(tandem.tensor(p)).item() == round(np.linalg.det(p))
        assert linalg.slogdet(tandem.tensor(p))[0].item() == round(np.linalg.det(p))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
def test_least_squares(dtype, shape, driver):
    a, b = drawn(shape, dtype), drawn(shape[:-1] + (2,), dtype, 1)
    k = min(shape[-2:])
    for x, y in zip(layouts(a), layouts(b)):
        got = linalg.lstsq(x, y, driver=driver)
        z = got.solution.numpy()
        far = a @ z - b
        # The residual is orthogonal to A's columns; the shortest solution lies in A^H's range.
        close(adjoint(a) @ far, np.zeros_like(adjoint(a) @ far), size(a) ** 2 * size(b) * size(z))
        want = np.linalg.pinv(a) @ b
        assert np.allclose(z, want, atol=1e4 * eps(a) * np.max(size(want)) * np.max(size(np.linalg.pinv(a)) * size(a)))
        if shape[-2] > shape[-1]:
            assert np.allclose(got.residuals.numpy(), np.sum(np.abs(far) ** 2, -2), rtol=1e-3)
        else:
            assert got.residuals.numel() == 0
        if driver != "gels":
            assert np.all(got.rank.numpy() == k)
        if driver in ("gelsd", "gelss"):
            s = got.singular_values.numpy()
            close(s, np.linalg.svd(a, compute_uv=False).astype(s.dtype), size(a)[..., 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_ranks_and_pseudoinverses(dtype):
    a = drawn((3, 6, 2), dtype) @ drawn((3, 2, 4), dtype, 1)
    for x in layouts(a):
        assert linalg.matrix_rank(x).numpy().tolist() == [2, 2, 2]
        p = linalg.pinv(x).numpy()
        scale = size(a) ** 2 * size(p) ** 2
        close(a @ p @ a, a, scale)
        close(p @ a @ p, p, scale)
        close(a @ p, adjoint(a @ p), scale)
    square = a @ adjoint(a)
    assert linalg.matrix_rank(tandem.tensor(square), rtol=1e-4, hermitian=True).numpy().tolist() == [2, 2, 2]
    p = linalg.pinv(tandem.tensor(square), rtol=1e-4, hermitian=True).numpy()
    assert np.allclose(square @ p @ square, square, atol=1e3 * eps(p) * np.max(size(square) ** 2 * size(p)))
    assert linalg.matrix_rank(tandem.tensor(np.diag([4.0, 2, 1])), atol=1.5).item() == 2
    assert linalg.matrix_rank(tandem.tensor(np.diag([4.0, 2, 1])), rtol=0.25).item() == 2
    assert linalg.pinv(tandem.zeros(2, 0, 3)).shape == (2, 3, 0)
    assert linalg.matrix_rank(tandem.zeros(2, 0, 3)).numpy().tolist() == [0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms_of_matrices(dtype, order):
    a = drawn((3, 4, 5), dtype)
    n = 20 * eps(a) * 20
    for x in layouts(a):
        want = np.linalg.norm(a, order, (1, 2))
        assert np.allclose(linalg.matrix_norm(x, order).numpy(), want, rtol=n)
        assert np.allclose(linalg.norm(x, order, [1, 2]).numpy(), want, rtol=n)
        other = np.linalg.norm(a, order, (2, 0), keepdims=True)
        assert np.allclose(linalg.matrix_norm(x, order, [2, 0], keepdim=True).numpy(), other, rtol=n)
    c = linalg.cond(tandem.tensor(definite((4, 4), dtype)), order).item()
    assert np.isclose(c, np.linalg.cond(definite((4, 4), dtype), order), rtol=1e-2)


def test_norm_of_any_dimensions():
    a = drawn((3, 4, 5), "float64")
    x = tandem.tensor(a)
    assert np.isclose(linalg.norm(x).item(), np.linalg.norm(a))
    assert np.allclose(linalg.norm(x, dim=1).numpy(), np.linalg.norm(a, axis=1))
    assert np.allclose(linalg.norm(x, 3, 1, True).numpy(), np.linalg.norm(a, 3, 1, True))
    assert np.isclose(linalg.norm(x[0], "nuc").item(), np.linalg.norm(a[0], "nuc"))
    assert np.isclose(linalg.norm(x[0, 0], 1).item(), np.linalg.norm(a[0, 0], 1))
    assert linalg.cond(tandem.tensor([[1.0, 2], [2, 4]]), 1).item() == np.inf
    assert linalg.norm(x.to(tandem.float32), 1, [1, 2], dtype=tandem.float64).dtype == tandem.float64


@pytest.mark.parametrize("dtype", DTYPES)
def test_exponential(dtype):
    """exp(V D V^-1) = V exp(D) V^-1; a batch of very different norms."""
    a = drawn((4, 5, 5), dtype)
    a = a + adjoint(a)
    a = (a * np.array([1e-3, 0.3, 1, 4]).reshape(4, 1, 1)).astype(dtype)
    w, v = np.linalg.eigh(a.astype(np.result_type(dtype, "float64")))
    want = (v * np.exp(w)[..., None, :]) @ adjoint(v)
    for x in layouts(a):
        y = linalg.matrix_exp(x).numpy()
        close(y, want.astype(dtype), size(want) * size(a), 20)
    turn = tandem.tensor([[0.0, -np.pi / 2], [np.pi / 2, 0]], dtype=tandem.float64)
    close(linalg.matrix_exp(turn).numpy(), np.array([[0.0, -1], [1, 0]]), 1)
    assert np.isnan(linalg.matrix_exp(turn * float("nan")).numpy()).all()


def test_exponential_of_diagonal_matrices():
    """Powers of their elements, also where products with an infinity would be NaN; a batch with others beside them."""
    for dtype in DTYPES:
        d = np.array([1e4, 1, -1e4, 0, -2.5]).astype(dtype)
        batch = np.stack([np.diag(d), 1e4 * np.eye(5), np.zeros((5, 5)), np.ones((5, 5))]).astype(dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            want = [np.diag(np.exp(d.real)), np.diag(np.exp(np.full(5, 1e4))), np.eye(5)]
        y = linalg.matrix_exp(tandem.tensor(batch)).numpy()
        assert np.array_equal(np.isinf(y.real[:3]), np.isinf(want)) and not np.isnan(y).any()
        finite = np.isfinite(want)
        assert np.allclose(y[:3][finite], np.array(want)[finite], rtol=4 * eps(batch), atol=0)
        # exp(c J) = I + (e^(5 c) - 1) / 5 J for the matrix J of ones.
        close(y[3], (np.eye(5) + (np.exp(5) - 1) / 5).astype(dtype), 5 * np.exp(5))


def test_residuals_are_those_of_full_rank():
    a, b = drawn((5, 3), "float64"), drawn((5, 2), "float64", 1)
    low = a.copy()
    low[:, 1] = low[:, 0]
    for driver in (None, "gelsd", "gelss"):
        got = linalg.lstsq(tandem.tensor(a), tandem.tensor(b), driver=driver)
        assert np.allclose(got.residuals.numpy(), np.linalg.lstsq(a, b, rcond=None)[1])
        got = linalg.lstsq(tandem.tensor(low), tandem.tensor(b), driver=driver)
        assert got.residuals.shape == np.linalg.lstsq(low, b, rcond=None)[1].shape == (0,) and got.rank.item() == 2
        both = linalg.lstsq(tandem.tensor(np.stack([a, low])), tandem.tensor(np.stack([b, b])), driver=driver)
        assert both.residuals.shape == (0,) and both.rank.tolist() == [3, 2]
        for wide in (a.T, low.T, a[:3]):
            got = linalg.lstsq(tandem.tensor(wide.copy()), tandem.tensor(b[:3]), driver=driver)
            assert got.residuals.shape == np.linalg.lstsq(wide, b[:3], rcond=None)[1].shape == (0,)


def test_tensor_equations():
    a = drawn((2, 3, 6), "float64") + 4 * np.eye(6).reshape(2, 3, 6)
    b = drawn((2, 3), "float64")
    x = linalg.tensorsolve(tandem.tensor(a), tandem.tensor(b)).numpy()
    close(x, np.linalg.tensorsolve(a, b), 100)
    y = linalg.tensorinv(tandem.tensor(a)).numpy()
    assert np.allclose(y, np.linalg.tensorinv(a))
    moved = np.moveaxis(a, 0, -1)
    x = linalg.tensorsolve(tandem.tensor(np.ascontiguousarray(np.moveaxis(moved, 2, 0))), tandem.tensor(b))
    close(x.numpy(), np.linalg.tensorsolve(a, b), 100)
    c, d = drawn((7, 3), "float32"), drawn((7, 3), "float32", 1)
    assert np.allclose(linalg.cross(tandem.tensor(c), tandem.tensor(d)).numpy(), np.cross(c, d), atol=1e-6)


def test_matrices_without_elements():
    for shape in [(0, 0), (2, 0, 0), (0, 3, 3)]:
        x = tandem.zeros(*shape)
        batch = shape[:-2]
        assert np.array_equal(linalg.det(x).numpy(), np.ones(batch))
        assert linalg.inv(x).shape == shape and linalg.cholesky(x).shape == shape
        assert linalg.slogdet(x)[1].numpy().tolist() == np.zeros(batch).tolist()
        assert linalg.solve(x, tandem.zeros(*shape[:-1], 4)).shape == shape[:-1] + (4,)
        assert linalg.solve(x, tandem.zeros(*shape[:-1], 0)).shape == shape[:-1] + (0,)
        assert linalg.matrix_exp(x).shape == shape
    got = linalg.lstsq(tandem.zeros(3, 0), tandem.zeros(3, 2))
    assert got.solution.shape == (0, 2) and got.residuals.shape == (2,)
    got = linalg.lstsq(tandem.zeros(0, 3), tandem.zeros(0, 2))
    assert got.solution.numpy().tolist() == np.zeros((3, 2)).tolist()


def test_singular_matrices_are_named():
    a = np.broadcast_to(np.eye(3), (3, 2, 3, 3)).copy()
    a[2, 1, 1, 1] = 0
    x = tandem.tensor(a)
    for op in (linalg.inv, linalg.lu_factor, lambda t: linalg.solve(t, t)):
        with pytest.raises(ValueError, match=r"expected invertible matrices, got a singular one at batch index \(2, 1\)"):
            op(x)
    with pytest.raises(ValueError, match=r"^\[linalg_inv\] argument 'A': expected invertible matrices, got a singular one$"):
        linalg.inv(x[2, 1])
    with pytest.raises(ValueError, match=r"positive definite matrices, got one that is not at batch index \(2, 1\)"):
        linalg.cholesky(x)
    for info in (linalg.inv_ex(x)[1], linalg.lu_factor_ex(x)[2], linalg.solve_ex(x, x)[1], linalg.cholesky_ex(x)[1]):
        assert info.numpy().tolist() == [[0, 0], [0, 0], [0, 2]]
    with pytest.raises(ValueError, match="singular"):
        linalg.inv_ex(x, check_errors=True)
    assert linalg.det(x).numpy().tolist() == [[1, 1], [1, 1], [1, 0]]
    sign, log = linalg.slogdet(x)
    assert sign[2, 1].item() == 0 and log[2, 1].item() == -np.inf


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_elements_that_are_not_finite(dtype, bad):
    a = definite((4, 5, 5), dtype)
    a[3, 2, 2] = bad
    x = tandem.tensor(a)
    for op in (linalg.svd, linalg.svdvals, linalg.eigh, linalg.eigvalsh, linalg.eig, linalg.eigvals, linalg.pinv,
               linalg.cond, linalg.matrix_rank, lambda t: linalg.lstsq(t, t)):
        with pytest.raises(ValueError, match=r"infinite or NaN element at batch index \(3\)"):
            op(x)


def test_dtypes_that_have_no_factorisation():
    for t in (tandem.float16, tandem.bfloat16):
        with pytest.raises(TypeError, match=r"cast it with to\(float32\)"):
            linalg.inv(tandem.ones(2, 2, dtype=t))
    with pytest.raises(TypeError, match=r"\[linalg_svd\] argument 'A': expected float32, float64, complex64 or complex128, got int64"):
        linalg.svd(tandem.ones(2, 2, dtype=tandem.int64))
    with pytest.raises(TypeError, match="expected float32 as A has, got float64"):
        linalg.solve(tandem.ones(2, 2), tandem.ones(2, 2, dtype=tandem.float64))


def test_arguments_that_do_not_fit():
    x = tandem.ones(2, 3)
    with pytest.raises(RuntimeError, match=r"\[linalg_det\] argument 'A': expected square matrices, got 2 x 3"):
        linalg.det(x)
    with pytest.raises(RuntimeError, match="expected a matrix or a batch of them, got 1 dimensions"):
        linalg.qr(x[0])
    with pytest.raises(ValueError, match="mode"):
        linalg.qr(x, "raw")
    with pytest.raises(ValueError, match="expected 'L' or 'U', got 'X'"):
        linalg.eigh(tandem.eye(2), "X")
    with pytest.raises(RuntimeError, match="expected 2 rows, got 3"):
        linalg.solve(tandem.eye(2), tandem.ones(3, 1))
    with pytest.raises(RuntimeError, match="broadcasts"):
        linalg.solve(tandem.ones(2, 2, 2), tandem.ones(3, 2, 1))
    with pytest.raises(ValueError, match="driver"):
        linalg.lstsq(x, x, driver="best")


def test_names():
    a = tandem.tensor(definite((2, 3, 3), "float32")).rename("n", "r", "c")
    b = tandem.tensor(drawn((2, 3, 4), "float32")).rename("n", None, "k")
    assert linalg.inv(a).names == ("n", "c", "r")
    assert linalg.cholesky(a).names == ("n", "r", "c")
    assert linalg.solve(a, b).names == ("n", "c", "k")
    assert linalg.det(a).names == ("n",)
    u, s, v = linalg.svd(a)
    assert (u.names, s.names, v.names) == (("n", "r", None), ("n", None), ("n", None, "c"))
    q, r = linalg.qr(a)
    assert (q.names, r.names) == (("n", "r", None), ("n", None, "c"))
    assert linalg.eigh(a)[0].names == ("n", None)
    assert linalg.matrix_norm(a, "fro", ["r", "c"]).names == ("n",)
    with pytest.raises(RuntimeError):
        linalg.solve(a, b.rename("m", None, "k"))


def test_results_have_the_names_of_the_array_standard():
    a = tandem.tensor(definite((3, 3), "float64"))
    e = linalg.eigh(a)
    assert np.array_equal(e.eigenvalues.numpy(), e[0].numpy()) and e.eigenvectors.shape == (3, 3)
    assert linalg.svd(a).Vh.shape == (3, 3) and linalg.qr(a).Q.shape == (3, 3)
    assert linalg.slogdet(a).logabsdet.shape == () and linalg.slogdet(a).sign.item() == 1


def test_a_call_leaves_its_arguments_as_they_were():
    a = definite((2, 4, 4), "float64")
    for x in layouts(a):
        for op in (linalg.cholesky, linalg.inv, linalg.lu, linalg.qr, linalg.svd, linalg.eigh, linalg.eig, linalg.det,
                   linalg.matrix_exp, linalg.pinv, lambda t: linalg.solve(t, t), lambda t: linalg.lstsq(t, t),
                   lambda t: linalg.solve_triangular(t, t, upper=True)):
            op(x)
            assert np.array_equal(x.numpy(), a)


def test_only_one_triangle_is_read():
    for dtype in DTYPES:
        a = definite((4, 4), dtype)
        for uplo, bad in (("L", np.triu_indices(4, 1)), ("U", np.tril_indices(4, -1))):
            spoilt = a.copy()
            spoilt[bad] = np.nan
            want = np.linalg.eigvalsh(a)
            close(linalg.eigvalsh(tandem.tensor(spoilt), uplo).numpy(), want, np.abs(want).max())
            values, vectors = arrays(linalg.eigh(tandem.tensor(spoilt), uplo))
            close(a @ vectors, vectors * values, np.abs(want).max())


def test_pivots_are_rows_of_the_matrix():
    lu, _ = linalg.lu_factor(tandem.tensor(definite((3, 3), "float64")))
    for bad in (0, -1, 4, 2**31 - 1):
        pivots = tandem.tensor([1, bad, 3], dtype=tandem.int32)
        with pytest.raises(ValueError, match=rf"linalg_lu_solve.*'pivots': expected rows from 1 to 3, got {bad}"):
            linalg.lu_solve(lu, pivots, tandem.ones(3, 1, dtype=tandem.float64))


def test_a_matrix_that_has_the_shape_of_a_batch_of_vectors():
    """Where A is [3, 3, 3] and B [3, 3], only `solve` reads vectors."""
    a = np.triu(definite((3, 3, 3), "float64"))
    b = drawn((3, 3), "float64", 1)
    x, y = tandem.tensor(a), tandem.tensor(b)
    close(linalg.solve_triangular(x, y, upper=True).numpy(), np.linalg.solve(a, np.broadcast_to(b, a.shape)), 30)
    left = linalg.solve_triangular(x, y, upper=True, left=False).numpy()
    close(left @ a, np.broadcast_to(b, a.shape), 30)
    lu, pivots = linalg.lu_factor(x)
    close(linalg.lu_solve(lu, pivots, y).numpy(), np.linalg.solve(a, np.broadcast_to(b, a.shape)), 30)
    close(linalg.solve(x, y).numpy(), np.linalg.solve(a, b[..., None])[..., 0], 30)


@pytest.mark.parametrize("name", ["solve", "lstsq", "solve_triangular"])
def test_names_that_are_summed_over_agree(name):
    a = tandem.eye(2).rename("a", "b")
    more = {"upper": True} if name == "solve_triangular" else {}
    with pytest.raises(tandem.ShapeError, match=rf"linalg_{name}.*'B': expected rows with the name 'a' of A's, got 'z'"):
        getattr(linalg, name)(a, tandem.ones(2, 1).rename("z", "c"), **more)
    got = getattr(linalg, name)(a, tandem.ones(2, 1).rename("a", "c"), **more)
    assert (got[0] if name == "lstsq" else got).names == ("b", "c")
    assert getattr(linalg, name)(a, tandem.ones(2, 1), **more) is not None


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0, 0), (2, 0, 3), (0, 0, 3)])
def test_norms_and_conditions_of_nothing(shape):
    """The norm of no element is 0, as in PyTorch, where it is a greatest; a least of nothing there is not."""
    x, zero = tandem.empty(shape), np.zeros(shape[:-2], np.float32)
    for order in ("fro", "nuc", 1, 2, np.inf):
        np.testing.assert_array_equal(linalg.matrix_norm(x, order).numpy(), zero)
    for order, of_none in ((-1, shape[-1] == 0), (-2, True), (-np.inf, shape[-2] == 0)):
        if of_none and 0 not in shape[:-2]:
            with pytest.raises(IndexError, match=r"\[linalg_matrix_norm\] argument 'A': expected matrices with elements"):
                linalg.matrix_norm(x, order)
        elif not of_none:
            np.testing.assert_array_equal(linalg.matrix_norm(x, order).numpy(), zero)
    for order in (None, 1, -1, 2, -2, np.inf):
        np.testing.assert_array_equal(linalg.cond(x, order).numpy(), zero)
    if shape[-1] != shape[-2]:
        with pytest.raises(tandem.ShapeError, match="linalg_cond.*expected square matrices"):
            linalg.cond(x, "fro")


@pytest.mark.parametrize("name", ["pinv", "matrix_rank", "cond", "svdvals", "polar", "eigh"])
def test_errors_name_the_op_that_was_called(name):
    with pytest.raises(linalg.LinAlgError, match=rf"^\[linalg_{name}\] argument 'A': expected finite matrices"):
        getattr(linalg, name)(tandem.full((2, 2), float("nan")))


def test_a_power_of_a_singular_matrix():
    with pytest.raises(linalg.LinAlgError, match=r"^\[linalg_matrix_power\] argument 'A': expected invertible matrices"):
        linalg.matrix_power(tandem.zeros(20, 20), -1)


@pytest.mark.parametrize("n", [3, 16, 17])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_batches_of_which_dimensions_are_expanded(n, dtype):
    """Every subset of three dimensions of a batch repeated without a copy, and those that broadcasting repeats."""
    for expanded in itertools.product((False, True), repeat=3):
        kept = tuple(1 if e else s for e, s in zip(expanded, (2, 3, 2)))
        whole = definite(kept + (n, n), dtype, 5)
        wide = np.broadcast_to(whole, (2, 3, 2, n, n))
        x = tandem.tensor(whole).expand(2, 3, 2, n, n)
        b = drawn(kept[::-1] + (n, 2), dtype, 6)
        scale = np.linalg.norm(np.linalg.inv(whole), axis=(-2, -1)).max() * size(whole).max()
        close(linalg.inv(x).numpy(), np.linalg.inv(wide), scale)
        close(linalg.solve(x, tandem.tensor(b)).numpy(), np.linalg.solve(wide, np.broadcast_to(b, (2, 3, 2, n, 2))), scale**2)
        lower = linalg.cholesky(x).numpy()
        close(lower @ adjoint(lower), wide, size(whole).max())
        sign, log = arrays(linalg.slogdet(x))
        np.testing.assert_allclose(log, np.linalg.slogdet(wide)[1], rtol=1e-3 if dtype == "float32" else 1e-10)
        lu, pivots = linalg.lu_factor(x)
        got = linalg.lu_solve(lu, pivots, tandem.tensor(b)).numpy()
        close(got, np.linalg.solve(wide, np.broadcast_to(b, got.shape)), scale**2)


@pytest.mark.parametrize("n", [4, 16, 17, 40])
def test_cholesky_names_the_pivot_that_is_nan(n):
    a = np.eye(n)
    a[n // 2, n // 2] = np.nan
    assert linalg.cholesky_ex(tandem.tensor(a)).info.item() == n // 2 + 1
    with pytest.raises(linalg.LinAlgError):
        linalg.cholesky(tandem.tensor(a))


@pytest.mark.parametrize("name", ["pinv", "matrix_rank"])
def test_tolerances_broadcast_with_the_batch(name):
    x = tandem.ones(3, 5, 4)
    for argument in ("atol", "rtol"):
        with pytest.raises(tandem.ShapeError, match=rf"linalg_{name}\] argument '{argument}': expected a shape that broadcasts"):
            getattr(linalg, name)(x, **{argument: tandem.ones(2)})
        assert getattr(linalg, name)(x, **{argument: tandem.ones(3)}).shape[0] == 3


@pytest.mark.parametrize("name", ["pinv", "matrix_rank"])
def test_tolerances_are_at_least_zero(name):
    x = tandem.ones(2, 5, 4)
    for argument in ("atol", "rtol"):
        for bad in (-1.0, float("nan")):
            for given in (bad, tandem.tensor(bad), tandem.tensor([1.0, bad]), tandem.tensor([1.0, bad]).to(tandem.float64)):
                with pytest.raises(ValueError, match=rf"linalg_{name}\] argument '{argument}': expected (a number|numbers) >= 0"):
                    getattr(linalg, name)(x, **{argument: given})
        getattr(linalg, name)(x, **{argument: tandem.tensor([0.0, float("inf")])})


def test_errors_name_the_op_that_was_called():
    a, b = tandem.ones(3, 3), tandem.ones(2, 1)
    pivots = tandem.ones(3, dtype=tandem.int32)
    for call, op in [(lambda b: tandem.cholesky_solve(b, a), "cholesky_solve"),
                     (lambda b: tandem.triangular_solve(b, a), "triangular_solve"),
                     (lambda b: tandem.lu_solve(b, a, pivots), "lu_solve")]:
        for wrong in (b, tandem.ones(3, 1, dtype=tandem.float64), tandem.ones(3, 1, dtype=tandem.int32)):
            with pytest.raises(tandem.Error, match=rf"^\[{op}\] argument 'B': "):
                call(wrong)
        with pytest.raises(tandem.Error, match=rf"^\[{op}\] argument 'B': expected rows with the name 'r'"):
            named = a.rename("r", "c")
            if op == "cholesky_solve":
                tandem.cholesky_solve(tandem.ones(3, 1).rename("x", None), named)
            elif op == "triangular_solve":
                tandem.triangular_solve(tandem.ones(3, 1).rename("x", None), named)
            else:
                tandem.lu_solve(tandem.ones(3, 1).rename("x", None), named, pivots)
    with pytest.raises(tandem.Error, match=r"^\[lu_solve\] argument 'LU_pivots': "):
        tandem.lu_solve(tandem.ones(3, 1), a, pivots.to(tandem.int64))
    with pytest.raises(tandem.Error, match=r"^\[lu_solve\] argument 'LU_data': "):
        tandem.lu_solve(tandem.ones(3, 1), tandem.ones(3, 2), pivots)
    with pytest.raises(tandem.Error, match=r"^\[cholesky_solve\] argument 'B': expected a batch"):
        tandem.cholesky_solve(tandem.ones(4, 3, 1), tandem.ones(2, 3, 3))
