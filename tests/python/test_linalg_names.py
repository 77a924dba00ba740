# lint: oracle table. Names of the table that go into modules of their own, and those of linear algebra outside them.
import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tandem


def test_linalg_has_the_ops_that_the_main_module_has_too():
    others = [(a, row["name"]) for row in tandem.op_rows() for a in row["aliases"] if a.startswith("linalg_")]
    assert ("linalg_matmul", "matmul") in others and len(others) > 5
    for alias, name in others:
        assert getattr(tandem.linalg, alias.removeprefix("linalg_")) is getattr(tandem, name)
    assert sys.modules["tandem.linalg"] is tandem.linalg


def test_no_name_of_a_module_is_a_name_of_the_main_one():
    assert not [name for name in dir(tandem) if name.startswith(("linalg_", "fft_"))]
    assert not [name for name in dir(tandem.Tensor) if name.startswith(("linalg_", "fft_"))]


def test_every_row_is_where_it_says():
    for row in tandem.op_rows():
        place = tandem
        *modules, name = row["python"].split(".")
        for module in modules:
            place = getattr(place, module)
        assert hasattr(place, name) or hasattr(tandem.Tensor, name), row["name"]


# PyTorch's other names, against NumPy.


def drawn(*shape, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(shape)
    return (a + 1j * rng.standard_normal(shape) if "complex" in dtype else a).astype(dtype)


def definite(*shape, dtype="float64"):
    a = drawn(*shape, dtype=dtype)
    return a @ adjoint(a) + np.eye(shape[-1])


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def close(x, y, factor=100):
    x, y = np.asarray(x), np.asarray(y)
    assert x.shape == y.shape
    scale = np.max(np.abs(y), initial=1)
    assert np.all(np.abs(x - y) <= factor * max(y.shape, default=1) * np.finfo(y.dtype).eps * scale)


@pytest.mark.parametrize("name", ["det", "inverse", "slogdet", "logdet", "matrix_exp", "cholesky", "pinverse", "qr", "svd"])
def test_functions_are_methods(name):
    x = tandem.tensor(definite(2, 3, 3))
    got, method = getattr(tandem, name)(x), getattr(x, name)()
    for g, m in zip(got, method) if isinstance(got, tuple) else [(got, method)]:
        assert tandem.equal(g, m)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_older_names(dtype):
    a, b = definite(2, 3, 3, dtype=dtype), drawn(2, 3, 4, dtype=dtype, seed=1)
    x, y = tandem.tensor(a), tandem.tensor(b)
    close(tandem.det(x).numpy(), np.linalg.det(a))
    close(x.inverse().numpy(), np.linalg.inv(a))
    close(x.logdet().numpy(), np.linalg.slogdet(a)[1].astype(dtype))
    close(x.matrix_power(3).numpy(), np.linalg.matrix_power(a, 3))
    close(tandem.chain_matmul(x[0], x[1], y[0]).numpy(), a[0] @ a[1] @ b[0])
    for upper in (False, True):
        f = tandem.cholesky(x, upper)
        close(f.numpy(), adjoint(np.linalg.cholesky(a)) if upper else np.linalg.cholesky(a))
        close(y.cholesky_solve(f, upper).numpy(), np.linalg.solve(a, b))
        close(f.cholesky_inverse(upper).numpy(), np.linalg.inv(a))
    close(tandem.pinverse(y).numpy(), np.linalg.pinv(b))
    q, r = y.qr(some=False)
    assert q.shape == (2, 3, 3) and r.shape == (2, 3, 4)
    close((q @ r).numpy(), b)
    u, s, v = tandem.svd(y)
    assert (u.shape, s.shape, v.shape) == ((2, 3, 3), (2, 3), (2, 4, 3))
    close((u.numpy() * s.numpy()[:, None, :]) @ adjoint(v.numpy()), b)
    u, s2, v = y.svd(compute_uv=False)
    close(s2.numpy(), s.numpy())
    assert not u.numpy().any() and v.shape == (2, 4, 4)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_older_forms_of_lu(dtype):
    a, b = drawn(2, 3, 3, dtype=dtype), drawn(2, 3, 2, dtype=dtype, seed=1)
    x, y = tandem.tensor(a), tandem.tensor(b)
    lu, pivots = x.lu()
    close(tandem.lu_solve(y, lu, pivots).numpy(), np.linalg.solve(a, b))
    p, low, up = tandem.lu_unpack(lu, pivots)
    for got, want in zip((p, low, up), tandem.linalg.lu(x)):
        assert tandem.equal(got, want)
    p, low, up = tandem.lu_unpack(lu, pivots, unpack_data=False)
    assert low.numel() == 0 and up.numel() == 0 and p.shape == (2, 3, 3)
    assert tandem.lu_unpack(lu, pivots, unpack_pivots=False).P.numel() == 0
    for bad in (0, 4):
        with pytest.raises(ValueError, match="expected rows from 1 to 3"):
            tandem.lu_unpack(lu, tandem.full_like(pivots, bad))
    assert tandem.lu(tandem.zeros(2, 2), get_infos=True)[2].item() == 1
    for upper, transpose, unit in itertools.product([True, False], repeat=3):
        t = (np.triu if upper else np.tril)(a)
        if unit:
            t[:, range(3), range(3)] = 1
        z, copied = tandem.triangular_solve(y, x, upper, transpose, unit)
        want = np.linalg.solve(np.swapaxes(t, -1, -2) if transpose else t, b)
        close(z.numpy(), want, 1000)
        assert tandem.equal(copied, x) and copied.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_reflectors(dtype):
    a = drawn(2, 5, 3, dtype=dtype)
    x = tandem.tensor(a)
    w, tau = tandem.geqrf(x)
    q = tandem.linalg.householder_product(w, tau)
    close(q.numpy() @ np.triu(w.numpy()[:, :3]), a)
    assert tandem.equal(q, tandem.orgqr(w, tau))
    # Fewer reflectors than columns: the product is made of those alone, by its definition.
    v = np.tril(w.numpy(), -1) + np.eye(5, 3)
    product = np.broadcast_to(np.eye(5), (2, 5, 5)).astype(dtype)
    for i in range(2):
        column = v[:, :, i : i + 1]
        product = product @ (np.eye(5) - tau.numpy()[:, i, None, None] * (column @ adjoint(column)))
    close(tandem.linalg.householder_product(w, tau[:, :2]).numpy(), product[..., :3])
    close(tandem.linalg.householder_product(w, tau[:, :0]).numpy(), np.broadcast_to(np.eye(5, 3), (2, 5, 3)).astype(dtype))
    whole = tandem.linalg.qr(x, "complete").Q.numpy()
    c = drawn(2, 5, 4, dtype=dtype, seed=2)
    for transpose in (False, True):
        turn = adjoint(whole) if transpose else whole
        close(tandem.ormqr(w, tau, tandem.tensor(c), transpose=transpose).numpy(), turn @ c)
        close(w.ormqr(tau, tandem.tensor(adjoint(c)), False, transpose).numpy(), adjoint(c) @ turn)
    with pytest.raises(RuntimeError, match="at most 3 factors"):
        tandem.orgqr(w, tandem.ones(2, 4).to(tau.dtype))


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_square_roots_and_polar_factors(dtype):
    a = definite(2, 4, 4, dtype=dtype)
    r = tandem.linalg.matrix_sqrth(tandem.tensor(np.tril(a))).numpy()
    close(r @ r, a)
    close(r, adjoint(r))
    b = drawn(2, 5, 3, dtype=dtype)
    u, h = tandem.linalg.polar(tandem.tensor(b))
    close((u @ h).numpy(), b)
    close(adjoint(u.numpy()) @ u.numpy(), np.broadcast_to(np.eye(3), (2, 3, 3)).astype(dtype))
    close(h.numpy(), adjoint(h.numpy()))
    assert np.all(np.linalg.eigvalsh(h.numpy()) > 0)


def test_diagonals_traces_and_powers():
    a = drawn(2, 3, 4)
    x = tandem.tensor(a)
    for offset in (-2, 0, 1):
        assert np.array_equal(tandem.linalg.diagonal(x, offset=offset).numpy(), np.diagonal(a, offset, 1, 2))
        close(tandem.linalg.trace(x, offset=offset).numpy(), np.trace(a, offset, 1, 2))
    assert tandem.linalg.diagonal(x).data_ptr() == x.data_ptr()
    whole = tandem.tensor([[1, 2], [3, 4]], dtype=tandem.int8)
    assert tandem.linalg.trace(whole).dtype is tandem.int64 and tandem.linalg.trace(whole).item() == 5
    assert tandem.linalg.trace(whole, dtype=tandem.float32).dtype is tandem.float32
    for n in (None, 0, 1, 6):
        want = np.stack([np.vander(row, n, increasing=True) for row in a[0]])
        close(tandem.linalg.vander(x[0], n).numpy(), want)
    c, d = drawn(7, 3), drawn(2, 7, 3, seed=1)
    close(tandem.linalg.cross(tandem.tensor(c), tandem.tensor(d)).numpy(), np.cross(c, d))


def test_logarithms_of_determinants():
    x = tandem.tensor([[[2.0, 0], [0, 3]], [[0, 1], [1, 0]], [[1, 1], [1, 1]]])
    got = tandem.logdet(x).numpy()
    assert np.isclose(got[0], np.log(6)) and np.isnan(got[1]) and got[2] == -np.inf


def test_tolerances_may_be_tensors():
    a = np.stack([np.diag([4.0, 2, 1]), np.diag([8.0, 1, 1])])
    x = tandem.tensor(a)
    rank = tandem.linalg.matrix_rank
    assert rank(x, atol=tandem.tensor([1.5, 0.5])).tolist() == [2, 3]
    assert rank(x, rtol=tandem.tensor([0.3, 0.2])).tolist() == [2, 1]
    assert rank(x, atol=tandem.tensor([[1.5], [0.5]])).tolist() == [[2, 1], [3, 3]]
    assert rank(x, rtol=tandem.tensor(0.3), hermitian=True).tolist() == [2, 1]
    assert rank(x, 1.5).tolist() == [2, 1] and rank(x, tol=1.5).tolist() == [2, 1]
    # Without rtol: the usual one where atol is 0, none where it is above.
    small = tandem.tensor(np.diag([1.0, 1e-17]))
    assert rank(small).item() == 1 and rank(small, atol=0.0).item() == 1 and rank(small, atol=1e-300).item() == 2
    assert rank(small, atol=tandem.tensor([0.0, 1e-300], dtype=tandem.float64)).tolist() == [1, 2]
    p = tandem.linalg.pinv(x, atol=tandem.tensor([1.5, 0.5])).numpy()
    close(p, np.stack([np.diag([0.25, 0.5, 0]), np.diag([0.125, 1, 1])]))
    close(tandem.linalg.pinv(x, 0.3).numpy(), np.linalg.pinv(a, 0.3))
    assert rank(tandem.zeros(2, 0, 3), atol=tandem.ones(2)).tolist() == [0, 0]
    with pytest.raises(TypeError, match="got both"):
        rank(x, 1.0, atol=1.0)
    with pytest.raises(ValueError, match="expected a number >= 0"):
        rank(x, rtol=-1.0)
    with pytest.raises(TypeError, match="real numbers"):
        rank(x, rtol=tandem.tensor([1j, 1]))


def test_error_of_matrices_without_result():
    error = tandem.linalg.LinAlgError
    assert issubclass(error, RuntimeError) and issubclass(error, ValueError) and issubclass(error, tandem.Error)
    for kind in (error, np.linalg.LinAlgError, RuntimeError, ValueError):
        with pytest.raises(kind, match="singular"):
            tandem.linalg.inv(tandem.zeros(2, 2))
    try:
        tandem.linalg.cholesky(tandem.zeros(2, 2))
    except error as caught:
        again = pickle.loads(pickle.dumps(caught))
        assert isinstance(again, error) and str(again) == str(caught)
    code = """
import sys, tandem
try:
    tandem.linalg.inv(tandem.zeros(2, 2))
except tandem.linalg.LinAlgError as e:
    print(type(e) is tandem.linalg.LinAlgError, "numpy.linalg" in sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "False"]
