# eigh, svd and qr of matrices large enough for own reflectors (33 rows), against NumPy in
# float64: residuals and orthogonality within n * eps, at every SIMD level.
import os
import subprocess
import sys

import numpy as np
import pytest

import tandem
from tandem import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]
# Beside blocks of 16 rows and 32 or 64 reflectors, and beside 220 rows, from where threads share.
SQUARE = [1, 2, 7, 16, 31, 32, 33, 34, 40, 47, 48, 49, 63, 64, 65, 96, 129, 193, 219, 225]
OBLONG = [(33, 34), (34, 33), (49, 33), (33, 49), (64, 80), (97, 64), (120, 150), (230, 229), (300, 40), (40, 300), (34, 1), (900, 35)]
LEVELS = ["baseline", "v3", "v4"]


def wide(*tensors):
    return [t.numpy().astype(np.result_type(t.numpy(), "float64")) for t in tensors]


def of_dtype(a, dtype):
    """Real numbers as they are; complex ones turned each by another angle."""
    if np.dtype(dtype).kind == "c":
        a = a * np.exp(1j * np.arange(a.size).reshape(a.shape))
    return a.astype(dtype)


def orthonormal(q, n, eps):
    assert np.abs(q.conj().T @ q - np.eye(q.shape[1])).max(initial=0) <= 10 * n * eps


def scaled(a):
    """a in float64 with elements near 1, and what it was divided by."""
    scale = np.abs(a).max().astype("float64") or 1.0
    return quotient(a, scale), scale


def quotient(a, scale):
    """NumPy's own of complex numbers goes beyond the range."""
    a = np.ascontiguousarray(a.astype(np.result_type(a, "float64")))
    return (a.view("float64") / scale).view(a.dtype)


def terms(a):
    """Of the longest sum of real products."""
    return max(a.shape) * (2 if a.dtype.kind == "c" else 1)


def check_svd(a, forms=(False, True)):
    b, scale = scaled(a)
    n, eps, norm, k = terms(a), np.finfo(a.dtype).eps, max(np.linalg.norm(b), 1), min(a.shape)
    want = np.linalg.svd(b, compute_uv=False)
    for full in forms:
        u, s, v = wide(*linalg.svd(tandem.tensor(a), full_matrices=full))
        s = s / scale
        assert np.all(s >= 0) and np.all(np.diff(s) <= 0)
        orthonormal(u, n, eps)
        orthonormal(v.conj().T, n, eps)
        assert np.abs((u[:, :k] * s) @ v[:k] - b).max() <= n * eps * norm
        assert np.abs(s - want).max() <= n * eps * norm
    s = wide(linalg.svdvals(tandem.tensor(a)))[0] / scale
    assert np.all(s >= 0) and np.all(np.diff(s) <= 0)
    assert np.abs(s - want).max() <= n * eps * norm


def tall_matrices(rows, columns, dtype):
    rng = np.random.default_rng(rows)
    a, info = rng.standard_normal((rows, columns)), np.finfo(dtype)
    down = np.logspace(0, -35, rows)[:, None]
    yield "plain", a
    yield "huge", a * (float(info.max) / 1e5)
    yield "denormal", a * float(info.tiny) / 100
    yield "rows down", a * down
    yield "rows up", a * down[::-1]
    yield "columns down", a * np.logspace(0, -30, columns)
    yield "low rank", a[:, :1] @ a[:1]
    yield "one row", np.where(np.arange(rows)[:, None] == rows // 2, a, 0)
    yield "zeros", np.zeros((rows, columns))
    yield "ones", np.ones((rows, columns))


# Of one block of rows, several, and so many that their triangles have blocks again.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(900, 35), (2100, 34), (10007, 64), (8200, 8), (65600, 1), (66000, 3), (2049, 120)])
def test_svd_of_tall_matrices(dtype, shape):
    for name, a in tall_matrices(*shape, dtype):
        a = of_dtype(a, dtype)
        for x in (a, np.ascontiguousarray(a.T)) if name in ("plain", "low rank") else (a,):
            try:
                check_svd(x, (False,))
            except AssertionError as e:
                raise AssertionError(name) from e


def test_svd_of_tall_matrices_in_any_form():
    a = np.random.default_rng(5).standard_normal((3, 2100, 40))
    x = tandem.tensor(a)
    want = [t.numpy() for t in linalg.svd(x, full_matrices=False)]
    before = tandem.get_num_threads()
    try:
        for threads in (1, 2, 3):
            tandem.set_num_threads(threads)
            for b in range(3):
                alone = x[b] if b == 0 else x[b].t().contiguous().t()
                for got, all_of_them in zip(linalg.svd(alone, full_matrices=False), want):
                    assert np.array_equal(got.numpy(), all_of_them[b])
                assert np.array_equal(linalg.svdvals(alone).numpy(), linalg.svdvals(x)[b].numpy())
    finally:
        tandem.set_num_threads(before)
    tandem.linalg.svd(x[0, :, :0], full_matrices=False), linalg.svd(x[:0], full_matrices=False)
    bad = a[0].copy()
    bad[2000, 3] = np.nan
    for f in (linalg.svd, linalg.svdvals, linalg.pinv):
        with pytest.raises(ValueError, match="expected finite"):
            f(tandem.tensor(bad))


def check_qr(a):
    """Column by column: none is measured by a larger one."""
    b, scale = scaled(a)
    n, eps = terms(a), np.finfo(a.dtype).eps
    for mode in ("reduced", "complete"):
        q, r = wide(*linalg.qr(tandem.tensor(a), mode))
        orthonormal(q, n, eps)
        assert np.all(np.tril(r, -1) == 0)
        least = max(np.finfo(a.dtype).tiny / scale, np.finfo(float).tiny)  # what underflows, here or there
        assert np.all(np.abs(q @ quotient(r, scale) - b) <= n * eps * np.linalg.norm(b, axis=0) + n * least)


def check_eigh(a):
    b, scale = scaled(a)
    n, eps = terms(a), np.finfo(a.dtype).eps
    for uplo, low in (("L", np.tril(b)), ("U", np.triu(b).conj().T)):
        full = low + np.tril(low, -1).conj().T
        np.fill_diagonal(full, low.diagonal().real)
        norm = max(np.linalg.norm(full), 1)
        w, v = wide(*linalg.eigh(tandem.tensor(a), uplo))
        w = w / scale
        assert np.all(np.diff(w) >= 0)
        orthonormal(v, n, eps)
        assert np.abs((v * w) @ v.conj().T - full).max() <= n * eps * norm
        want = np.linalg.eigvalsh(full)
        assert np.abs(w - want).max() <= n * eps * norm
        w = wide(linalg.eigvalsh(tandem.tensor(a), uplo))[0] / scale
        assert np.all(np.diff(w) >= 0)
        assert np.abs(w - want).max() <= n * eps * norm


def check(a):
    check_svd(a)
    check_qr(a)
    if a.shape[0] == a.shape[1]:
        check_eigh(a)


def hard_matrices(n, dtype):
    """Ranges, zeros and gradings at which reflectors and their sums lose digits."""
    rng = np.random.default_rng(n)
    a, info = rng.standard_normal((n, n)), np.finfo(dtype)
    down, up = np.logspace(0, -35, n), np.logspace(-35, 0, n)
    q = np.linalg.qr(a)[0]
    holes = a.copy()
    holes[:, ::3] = 0
    holes[5] = 0
    yield "huge", a * (float(info.max) / 1e5)
    yield "tiny", a * float(info.tiny) * 100
    yield "denormal", a * float(info.tiny) / 100
    yield "one large", np.where(np.arange(n * n).reshape(n, n) == n + 3, float(info.max) / 1e5, a)
    yield "rows down", a * down[:, None]
    yield "rows up", a * up[:, None]
    yield "columns down", a * down
    yield "columns up", a * up
    yield "both down", a * down * down[:, None]
    yield "spectrum", (q * np.logspace(0, -30, n)) @ q.T
    yield "low rank", a[:, :3] @ a[:3]
    yield "holes", holes
    yield "zeros", np.zeros((n, n))
    yield "ones", np.ones((n, n))
    yield "identity", np.eye(n)
    yield "diagonal", np.diag(down)
    yield "bidiagonal", np.diag(up) + np.diag(down[1:], 1)
    yield "exchange", np.eye(n)[::-1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(n, n) for n in SQUARE] + OBLONG)
def test_shapes(dtype, shape):
    check(of_dtype(np.random.default_rng(1).uniform(-1, 1, shape), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [40, 97])
def test_hard_matrices(dtype, n):
    for name, a in hard_matrices(n, dtype):
        try:
            check(of_dtype(a, dtype))
        except AssertionError as e:
            raise AssertionError(name) from e


@pytest.mark.parametrize("n, dtype", [(n, t) for n in (512, 700) for t in DTYPES[:2]] + [(400, t) for t in DTYPES[2:]])
def test_large(n, dtype):
    check(of_dtype(np.random.default_rng(2).standard_normal((n, n)), dtype))


@pytest.mark.parametrize("dtype, small, large", [("complex64", 1e-8, 1e36), ("complex128", 1e-10, 1e305)])
@pytest.mark.parametrize("n", [20, 40])
def test_eigh_ignores_imaginary_parts_of_the_diagonal(n, dtype, small, large):
    a = of_dtype(np.random.default_rng(6).standard_normal((n, n)) * small, dtype)
    b = a.copy()
    np.fill_diagonal(a, a.diagonal().real)
    np.fill_diagonal(b, a.diagonal() + 1j * np.where(np.arange(n) == 5, large, 0))
    for uplo in "LU":
        want = linalg.eigh(tandem.tensor(a), uplo)
        assert all(np.array_equal(p.numpy(), q.numpy()) for p, q in zip(linalg.eigh(tandem.tensor(b), uplo), want))
        assert np.array_equal(linalg.eigvalsh(tandem.tensor(b), uplo).numpy(), linalg.eigvalsh(tandem.tensor(a), uplo).numpy())


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_and_batches(dtype):
    """A matrix on several threads, and threads with a matrix each."""
    a = of_dtype(np.random.default_rng(3).standard_normal((3, 222, 222)), dtype)
    before = tandem.get_num_threads()
    try:
        for threads in (1, 2, 3):
            tandem.set_num_threads(threads)
            for x in (a[0], a):
                u, s, v = wide(*linalg.svd(tandem.tensor(x)))
                norm = np.linalg.norm(x, axis=(-2, -1), keepdims=True)
                assert np.all(np.abs((u * s[..., None, :]) @ v - x) <= 222 * np.finfo(dtype).eps * norm)
            check_eigh(a[1])
    finally:
        tandem.set_num_threads(before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_qr_passes_on_what_is_not_finite(dtype, bad):
    a = of_dtype(np.random.default_rng(4).standard_normal((50, 50)), dtype)
    a[20, 10] = bad
    q, r = wide(*linalg.qr(tandem.tensor(a)))
    assert np.all(np.isfinite(r[:10, :10])) and not np.any(np.isfinite(q[:, 10:]))
    with pytest.raises(ValueError, match="expected finite"):
        linalg.svd(tandem.tensor(a))
    with pytest.raises(ValueError, match="expected finite"):
        linalg.eigh(tandem.tensor(a))
    with pytest.raises(ValueError, match="expected finite"):
        linalg.svdvals(tandem.tensor(a))
    with pytest.raises(ValueError, match="expected finite"):
        linalg.eigvalsh(tandem.tensor(a))


@pytest.mark.parametrize("dtype", DTYPES)
def test_householder_product_of_few_reflectors(dtype):
    a = of_dtype(np.random.default_rng(5).standard_normal((90, 70)), dtype)
    for k in (0, 20, 33, 40, 70):
        factors, tau = tandem.geqrf(tandem.tensor(a))
        (q,) = wide(linalg.householder_product(factors, tau[:k]))
        want = np.eye(90)
        below, taus = wide(factors, tau)
        below = np.tril(below, -1)
        for j in range(k):
            v = below[:, j] + np.eye(90)[j]
            want = want @ (np.eye(90) - taus[j] * np.outer(v, v.conj()))
        assert np.abs(q - want[:, :70]).max() <= 90 * np.finfo(dtype).eps


@pytest.mark.parametrize("level", LEVELS)
def test_levels(level):
    if os.environ.get("TANDEM_SIMD"):
        pytest.skip("is run at a level")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", "(shapes or hard) and not complex"],
        env={**os.environ, "TANDEM_SIMD": level},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
