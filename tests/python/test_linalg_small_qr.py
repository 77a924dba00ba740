# QR of small real matrices (extents up to 32, which have a kernel of their own) against NumPy in
# float64: residuals and orthogonality within n * eps, LAPACK's signs, matrices at the ends of the
# range, the same bits whatever the batch, the layout, the threads and the SIMD level.
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import tandem
from tandem import linalg

DTYPES = ["float32", "float64"]
SHAPES = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (8, 8), (9, 9), (16, 16), (17, 17), (31, 31), (32, 32),
          (8, 3), (3, 8), (32, 8), (8, 32), (32, 1), (1, 32), (32, 31), (31, 32), (33, 8), (8, 33)]  # fmt: skip
TINY = {np.finfo(t).eps: float(np.finfo(t).tiny) for t in DTYPES}
LEVELS = ["baseline", "v3", "v4"]


def draw(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def matrices(m, n, dtype):
    """A batch with what is hard among it: rank deficient, zero, graded, huge, tiny, both in one."""
    info = np.finfo(dtype)
    a = draw((21, m, n), "float64", 10 * m + n)
    a[1] = 0
    a[2] = np.outer(a[2, :, 0], a[2, 0])
    a[3] = np.triu(a[3])
    a[4, :, n // 2] = 0
    a[5] *= np.logspace(0, -30, m)[:, None]
    a[6] *= np.logspace(0, 30, n)
    a[7] *= float(info.max) / 1024
    a[8] *= float(info.tiny)
    a[9] *= float(info.smallest_subnormal) * 64
    a[10, m // 2] *= float(info.max) / 1024
    a[11, m // 2] *= float(info.tiny)
    a[12] = np.eye(m, n)
    a[13] = -1
    a[14, :, 0] = float(info.tiny) * np.arange(m)
    return a.astype(dtype)


def hold(a, q, r):
    """One matrix: Q R = A column by column, Q^T Q = I."""
    n, eps = max(a.shape), np.finfo(a.dtype).eps
    scale = np.abs(a.astype("float64")).max(initial=0) or 1.0
    a, q, r = a.astype("float64") / scale, q.astype("float64"), r.astype("float64") / scale
    assert np.all(np.tril(r, -1) == 0)
    assert np.abs(q.T @ q - np.eye(q.shape[1])).max() <= 4 * n * eps
    least = max(TINY[eps] / scale, np.finfo(float).tiny)  # what underflows, here or there
    assert np.all(np.abs(q @ r - a) <= 3 * n * eps * np.linalg.norm(a, axis=0) + n * least)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_factors_give_the_matrix_back(shape, dtype):
    a = matrices(*shape, dtype)
    m, n = shape
    for mode, columns in (("reduced", min(m, n)), ("complete", m)):
        q, r = (t.numpy() for t in linalg.qr(tandem.tensor(a), mode))
        assert q.shape == (len(a), m, columns) and r.shape == (len(a), columns, n)
        for i in range(len(a)):
            hold(a[i], q[i], r[i])
    none, upper = linalg.qr(tandem.tensor(a), "r")
    assert none.shape == (0,)
    np.testing.assert_array_equal(upper.numpy(), r[:, : min(m, n)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_reflectors_are_lapacks(shape, dtype):
    """NumPy's raw form in float64: R, signs, vectors and factors, column by column."""
    a = draw((7, *shape), dtype, 3)
    n, eps = max(shape), np.finfo(dtype).eps
    w, tau = (t.numpy().astype("float64") for t in tandem.geqrf(tandem.tensor(a)))
    for i in range(len(a)):
        h, want = np.linalg.qr(a[i].astype("float64"), mode="raw")
        # Each is as exact as the columns before it are independent.
        near = n * eps * np.linalg.cond(a[i].astype("float64")) * 4
        np.testing.assert_allclose(w[i], h.T, rtol=0, atol=near * np.linalg.norm(a[i]))
        np.testing.assert_allclose(tau[i], want, rtol=0, atol=near * 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_signs_and_identities_follow_larfg(dtype):
    def raw(rows):
        w, tau = tandem.geqrf(tandem.tensor(np.array(rows, dtype)))
        return w.numpy(), tau.numpy()

    w, tau = raw([[3.0], [4.0]])
    np.testing.assert_array_equal(w, [[-5], [0.5]])
    np.testing.assert_allclose(tau, [1.6], rtol=1e-6)
    w, tau = raw([[-3.0], [4.0]])
    np.testing.assert_array_equal(w, [[5], [-0.5]])
    for rows in ([[-2.0, 7.0], [0.0, -3.0]], [[0.0], [0.0]], [[-5.0]], [[np.nan], [0.0]]):
        w, tau = raw(rows)  # nothing below: the identity, R keeps its signs
        np.testing.assert_array_equal(w, np.array(rows, dtype))
        np.testing.assert_array_equal(tau, np.zeros(len(tau)))
    tiny = np.finfo(dtype).smallest_subnormal
    w, tau = raw([[1.0], [tiny]])  # something, however small, is reflected
    assert w[0, 0] == -1 and tau[0] == 2
    w, tau = raw([[-0.0], [2.0]])
    assert w[0, 0] == 2 and tau[0] == 1
    w, tau = raw([[3 * tiny], [4 * tiny]])
    assert w[0, 0] == -5 * tiny and w[1, 0] == 0.5
    big = np.finfo(dtype).max / 8
    w, tau = raw([[3 * big], [4 * big]])
    assert abs(w[0, 0] / big + 5) < 1e-6 and w[1, 0] == 0.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_goes_on_without_an_error(value, dtype):
    a = draw((20, 4, 3), dtype, 5)
    plain = [t.numpy() for t in linalg.qr(tandem.tensor(a))]
    a[7, 2, 1] = value
    q, r = (t.numpy() for t in linalg.qr(tandem.tensor(a)))
    assert not np.all(np.isfinite(q[7])) and not np.all(np.isfinite(r[7]))
    np.testing.assert_array_equal(r[7][0, 0], plain[1][7][0, 0])  # the column before it
    others = np.arange(20) != 7
    np.testing.assert_array_equal(q[others], plain[0][others])
    np.testing.assert_array_equal(r[others], plain[1][others])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_batch_and_the_layout_change_no_bit(shape, dtype):
    a = matrices(*shape, dtype)
    both = [t.numpy() for t in linalg.qr(tandem.tensor(a), "complete")]
    for i in range(len(a)):
        for got, want in zip(linalg.qr(tandem.tensor(a[i]), "complete"), both):
            np.testing.assert_array_equal(got.numpy(), want[i])
    turned = tandem.tensor(np.ascontiguousarray(np.swapaxes(a, 1, 2))).mT
    folded = tandem.tensor(a[::-1].copy()).flip(0).reshape(3, 7, *shape)
    wide = tandem.tensor(np.repeat(a, 2, axis=2))[:, :, ::2]
    for x in (turned, folded, wide):
        for got, want in zip(linalg.qr(x, "complete"), both):
            np.testing.assert_array_equal(got.numpy().reshape(want.shape), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_reflectors(dtype):
    a = draw((9, 12, 5), dtype, 8)
    eps = np.finfo(dtype).eps
    w, tau = tandem.geqrf(tandem.tensor(a))
    q = linalg.qr(tandem.tensor(a))[0].numpy()
    np.testing.assert_array_equal(linalg.householder_product(w, tau).numpy(), q)
    whole = linalg.qr(tandem.tensor(a), "complete")[0].numpy().astype("float64")
    few = linalg.householder_product(w, tau[:, :2]).numpy()
    v, t = w.numpy().astype("float64"), tau.numpy().astype("float64")
    for i in range(9):
        h = np.eye(12)
        for k in range(2):
            u = np.concatenate([np.zeros(k), [1.0], v[i, k + 1 :, k]])
            h = h @ (np.eye(12) - t[i, k] * np.outer(u, u))
        assert np.abs(few[i] - h[:, :5]).max() <= 12 * eps
    c = draw((9, 12, 4), dtype, 9)
    product = tandem.ormqr(w, tau, tandem.tensor(c), transpose=True).numpy()
    want = np.swapaxes(whole, 1, 2) @ c.astype("float64")
    assert np.abs(product - want).max() <= 12 * eps * np.linalg.norm(c, axis=1).max()


def digest():
    found = hashlib.sha256()
    for dtype in DTYPES:
        for shape in SHAPES[:19]:
            a = tandem.tensor(matrices(*shape, dtype))
            for mode in ("reduced", "complete"):
                for t in linalg.qr(a, mode):
                    found.update(np.ascontiguousarray(t.numpy()).tobytes())
            for t in tandem.geqrf(a):
                found.update(np.ascontiguousarray(t.numpy()).tobytes())
        many = tandem.tensor(draw((3001, 4, 4), dtype, 2))
        for t in linalg.qr(many):
            found.update(t.numpy().tobytes())
    return found.hexdigest()


def test_every_level_and_number_of_threads_gives_the_same_bits():
    want = digest()
    for level in LEVELS:
        for threads in ("1", "3"):
            ran = subprocess.run(
                [sys.executable, __file__], env={**os.environ, "TANDEM_SIMD": level, "OMP_NUM_THREADS": threads},
                capture_output=True, text=True, timeout=300)  # fmt: skip
            assert ran.returncode == 0, ran.stderr
            assert ran.stdout.strip() == want, (level, threads)


if __name__ == "__main__":
    print(digest())
