# Differences and forms of products against NumPy. lint: oracle table
import functools

import numpy as np
import pytest

import tandem as td
from conftest import layouts, random_array


def close(got, expected, rtol=1e-12):
    assert got.shape == np.shape(expected), (got.shape, np.shape(expected))
    np.testing.assert_allclose(got.numpy(), expected, rtol=rtol, atol=1e-9)


def arrays(rng, shape, dtype=td.float64):
    return random_array(rng, dtype, shape, -4, 4)


@pytest.mark.parametrize("dtype", [td.float64, td.int32, td.uint8, td.bool, td.complex128])
def test_diff(rng, dtype):
    for shape in [(1,), (6,), (3, 5), (2, 3, 4), (0, 3)]:
        for _, a in layouts(arrays(rng, shape, dtype)):
            t = td.from_numpy(a.copy())
            for axis in range(-len(shape), len(shape)):
                for n in range(7):
                    expected = np.diff(a, n, axis)
                    got = td.diff(t, n, axis)
                    assert got.shape == expected.shape and got.numpy().dtype == expected.dtype
                    np.testing.assert_array_equal(got.numpy(), expected)
                got = td.diff(t, dim=axis, prepend=t, append=t)
                np.testing.assert_array_equal(got.numpy(), np.diff(a, axis=axis, prepend=a, append=a))
    with pytest.raises(ValueError, match="non-negative"):
        td.diff(td.zeros(3), -1)
    with pytest.raises(td.ShapeError, match="same dimension"):
        td.diff(td.zeros(3), prepend=td.zeros(1, 1))
    with pytest.raises(td.ShapeError, match="one-dimensional"):
        td.diff(td.tensor(1.0))
    assert td.diff(td.zeros(2, 3, names=["a", "b"]), dim="a").names == ("a", "b")


def test_gradient(rng):
    for shape in [(5,), (3, 4), (4, 3, 6), (2, 2)]:
        a = arrays(rng, shape)
        t = td.tensor(a)
        for edge_order in (1, 2):
            if min(shape) <= edge_order:
                continue
            options = {"edge_order": edge_order}

            def check(got, expected):
                expected = expected if isinstance(expected, (list, tuple)) else [expected]
                assert len(got) == len(expected)
                for g, e in zip(got, expected):
                    close(g, e)

            check(td.gradient(t, **options), np.gradient(a, **options))
            check(td.gradient(t, spacing=0.3, **options), np.gradient(a, 0.3, **options))
            steps = [0.5 + k for k in range(len(shape))]
            check(td.gradient(t, spacing=steps, **options), np.gradient(a, *steps, **options))
            check(t.gradient(spacing=list(range(1, len(shape) + 1)), **options), np.gradient(a, *range(1, len(shape) + 1), **options))
            places = [np.cumsum(rng.uniform(0.5, 2, n)) for n in shape]
            check(td.gradient(t, spacing=[td.tensor(p) for p in places], **options), np.gradient(a, *places, **options))
            axis = len(shape) - 1
            check(td.gradient(t, spacing=(td.tensor(places[axis]),), dim=axis, **options), np.gradient(a, places[axis], axis=axis, **options))
            check(td.gradient(t, dim=-1, **options), np.gradient(a, axis=-1, **options))
    close(td.gradient(td.tensor([1, 4, 9, 16]))[0], np.gradient(np.array([1, 4, 9, 16])), 1e-6)
    close(td.gradient(td.tensor(np.array([5, 1, 200], np.uint8)))[0], [-4, 97.5, 199], 1e-6)
    z = arrays(rng, (6,), td.complex128)
    close(td.gradient(td.tensor(z), spacing=2.0)[0], np.gradient(z, 2.0))
    for bad, message in [({"edge_order": 3}, "edge_order"), ({"spacing": [1.0, 2.0]}, "one for each"), ({"spacing": [td.zeros(4)]}, "coordinates")]:
        with pytest.raises(Exception, match=message):
            td.gradient(td.zeros(3), **bad)
    with pytest.raises(td.ShapeError, match="edge_order"):
        td.gradient(td.zeros(2), edge_order=2)


def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = np.moveaxis(np.asarray(y, np.result_type(y, np.float64)), axis, -1)
    d = dx if x is None else np.diff(x if x.ndim == 1 else np.moveaxis(x, axis, -1))
    return ((y[..., 1:] + y[..., :-1]) / 2 * d).sum(-1)


def test_trapezoid(rng):
    y = arrays(rng, (3, 4, 5))
    t = td.tensor(y)
    for axis in (-1, 0, 1):
        close(td.trapezoid(t, dim=axis), trapezoid(y, axis=axis))
        close(td.trapezoid(t, dx=0.5, dim=axis), trapezoid(y, dx=0.5, axis=axis))
        x = np.sort(arrays(rng, (y.shape[axis],)))
        close(td.trapezoid(t, td.tensor(x), dim=axis), trapezoid(y, x, axis=axis))
        close(td.trapezoid(t, t, dim=axis), trapezoid(y, y, axis=axis))
        whole = td.cumulative_trapezoid(t, td.tensor(x), dim=axis)
        parts = [td.trapezoid(t.narrow(axis, 0, n), td.tensor(x[:n]), dim=axis) for n in range(2, y.shape[axis] + 1)]
        close(whole, np.stack([p.numpy() for p in parts], axis))
    close(td.cumulative_trapezoid(td.tensor([1, 2, 4]), dx=2), [3, 9])
    assert td.cumulative_trapezoid(td.zeros(1)).shape == (0,)
    close(td.trapz(td.tensor([1, 2, 4])), 4.5)
    assert td.trapezoid(td.zeros(1)).item() == 0 and td.trapezoid(td.zeros(0)).item() == 0
    with pytest.raises(ValueError, match="x or dx"):
        td.trapezoid(t, t, dx=1)
    with pytest.raises(td.ShapeError, match="sample point"):
        td.trapezoid(t, td.zeros(4))
    with pytest.raises(TypeError, match="bool"):
        td.trapezoid(td.tensor([True]))


def test_covariances(rng):
    for a in (arrays(rng, (3, 8)), arrays(rng, (7,)), arrays(rng, (2, 5), td.complex128), arrays(rng, (3, 6), td.int32)):
        t = td.tensor(a)
        n = a.shape[-1]
        rtol = 1e-5 if a.dtype == np.int32 else 1e-12
        f = rng.integers(1, 4, n)
        w = rng.uniform(0.5, 2, n)
        for correction in (0, 1):
            close(td.cov(t, correction=correction), np.cov(a, ddof=correction), rtol)
            close(td.cov(t, correction=correction, fweights=td.tensor(f)), np.cov(a, ddof=correction, fweights=f), rtol)
            close(td.cov(t, correction=correction, aweights=td.tensor(w)), np.cov(a, ddof=correction, aweights=w), rtol)
            close(td.cov(t, correction=correction, fweights=td.tensor(f), aweights=td.tensor(w)), np.cov(a, ddof=correction, fweights=f, aweights=w), rtol)
        close(td.corrcoef(t), np.corrcoef(a), rtol)
    with pytest.raises(td.ShapeError, match="two or fewer"):
        td.cov(td.zeros(1, 1, 1))
    with pytest.raises(TypeError, match="integral"):
        td.cov(td.zeros(2, 3), fweights=td.zeros(3))


def test_cross(rng):
    for a, b, axis in [((3,), (3,), -1), ((4, 3), (4, 3), -1), ((3, 5), (3, 1), 0), ((2, 3, 4), (1, 3, 4), 1)]:
        x, y = arrays(rng, a), arrays(rng, b)
        full = np.broadcast_shapes(a, b)
        expected = np.cross(np.broadcast_to(x, full), np.broadcast_to(y, full), axis=axis)
        close(td.cross(td.tensor(x), td.tensor(y), dim=axis), expected)
    close(td.cross(td.tensor([1, 0, 0]), td.tensor([0, 1, 0])), [0, 0, 1])
    x, y = arrays(rng, (2, 3, 3)), arrays(rng, (2, 3, 3))
    close(td.cross(td.tensor(x), td.tensor(y)), np.cross(x, y, axis=1))
    with pytest.raises(td.ShapeError, match="length 3"):
        td.cross(td.zeros(2, 3), td.zeros(2, 3), 0)
    with pytest.raises(td.ShapeError, match="no dimension of size 3"):
        td.cross(td.zeros(2), td.zeros(2))


def test_vectors(rng):
    for dtype in (td.float64, td.int64, td.complex128):
        u, v = arrays(rng, (7,), dtype), arrays(rng, (7,), dtype)
        s, t = td.tensor(u), td.tensor(v)
        close(td.dot(s, t), np.dot(u, v))
        close(td.vdot(s, t), np.vdot(u, v))
        close(td.inner(s, t), np.inner(u, v))
        close(td.outer(s, t), np.outer(u, v))
        close(td.ger(s, t[:3]), np.outer(u, v[:3]))
        m = arrays(rng, (4, 7), dtype)
        close(td.mv(td.tensor(m), s), m @ u)
        close(td.inner(td.tensor(m), s), np.inner(m, u))
        close(td.inner(td.tensor(m), td.tensor(m)), np.inner(m, m))
        close(td.vecdot(td.tensor(m), s), (m.conj() * u).sum(-1))
        close(td.vecdot(td.tensor(m), td.tensor(m), axis=0), (m.conj() * m).sum(0))
    close(td.inner(td.tensor(2.0), td.tensor([1.0, 2.0])), [2, 4])
    x = td.zeros(2, 3, names=["a", "b"])
    assert td.vecdot(x, x, dim="a").names == ("b",)
    assert td.outer(x[0], x[:, 0]).names == ("b", "a")
    for call, message in [
        (lambda: td.dot(td.zeros(2), td.zeros(3)), "same number of elements"),
        (lambda: td.dot(td.zeros(2, 2), td.zeros(2)), "1D tensors expected"),
        (lambda: td.outer(td.zeros(2, 2), td.zeros(2)), "1 dimension"),
        (lambda: td.inner(td.zeros(2), td.zeros(3)), "last dimension must match"),
        (lambda: td.vecdot(td.zeros(2, 1), td.zeros(3)), "same size"),
        (lambda: td.mv(td.zeros(3), td.zeros(3)), "2 dimensions"),
    ]:
        with pytest.raises(td.ShapeError, match=message):
            call()


def test_kron_and_tensordot(rng):
    for a, b in [((2, 3), (4, 5)), ((3,), (2, 2)), ((), (3,)), ((2, 1, 3), (2, 2))]:
        x, y = np.asarray(arrays(rng, a)), np.asarray(arrays(rng, b))
        close(td.kron(td.tensor(x), td.tensor(y)), np.kron(x, y))
    x, y = arrays(rng, (3, 4, 5)), arrays(rng, (4, 3, 2))
    s, t = td.tensor(x), td.tensor(y)
    close(td.tensordot(s, t, dims=([1, 0], [0, 1])), np.tensordot(x, y, ([1, 0], [0, 1])))
    close(td.tensordot(s, t, ((-2,), (0,))), np.tensordot(x, y, ((-2,), (0,))))
    close(td.tensordot(s, t, axes=(1, 0)), np.tensordot(x, y, (1, 0)))
    close(td.tensordot(s, t, 0), np.tensordot(x, y, 0))
    w = arrays(rng, (4, 5, 2))
    close(td.tensordot(s, td.tensor(w)), np.tensordot(x, w, 2))
    close(td.tensordot(s, td.tensor(w.astype(np.int32)), 2), np.tensordot(x, w.astype(np.int32), 2))
    named = td.zeros(2, 3, names=["a", "b"])
    other = td.zeros(3, 4, names=["b", "c"])
    assert td.tensordot(named, other, (["b"], ["b"])).names == ("a", "c")
    for dims, message in [(4, "dims"), (([0], [0, 1]), "same length"), (([0, 0], [1, 1]), "multiple times"), (([0], [0]), "need to match")]:
        with pytest.raises(Exception, match=message):
            td.tensordot(s, t, dims)


def test_sums_with_products(rng):
    a, b = arrays(rng, (3, 4)), arrays(rng, (4, 5))
    c, u, v = arrays(rng, (3, 5)), arrays(rng, (3,)), arrays(rng, (4,))
    p, q = arrays(rng, (2, 3, 4)), arrays(rng, (2, 4, 5))
    own = functools.partial(map, td.tensor)
    ta, tb, tc, tu, tv, tp, tq = own((a, b, c, u, v, p, q))
    close(td.mm(ta, tb), a @ b)
    close(td.bmm(tp, tq), p @ q)
    close(td.addmm(tc, ta, tb), c + a @ b)
    close(tc.addmm(ta, tb, beta=0.5, alpha=-2), 0.5 * c - 2 * (a @ b))
    close(td.addmm(tc[0], ta, tb), c[0] + a @ b)
    close(td.addmv(tu, ta, tv, beta=2, alpha=3), 2 * u + 3 * (a @ v))
    close(td.addbmm(tc, tp, tq, beta=2, alpha=3), 2 * c + 3 * (p @ q).sum(0))
    close(td.baddbmm(tc, tp, tq, beta=2, alpha=3), 2 * c + 3 * (p @ q))
    close(td.addr(td.tensor(a), tu, tv, beta=2, alpha=3), 2 * a + 3 * np.outer(u, v))
    close(td.chain_matmul(ta, tb, tb.t(), tb), a @ b @ b.T @ b)
    close(td.chain_matmul(ta), a)
    broken = td.full((3, 5), float("nan"), dtype=td.float64)
    close(td.addmm(broken, ta, tb, beta=0), a @ b)
    i = td.tensor([[1, 2], [3, 4]])
    close(td.addmm(i, i, i, beta=2, alpha=3), 2 * i.numpy() + 3 * (i.numpy() @ i.numpy()))
    for call, message in [
        (lambda: td.addmm(i, i, i, alpha=2.5), "integral"),
        (lambda: td.addmm(td.zeros(2, 2, 2, dtype=td.int64), i, i), "expanded size"),
        (lambda: td.mm(i, td.zeros(2, dtype=td.int64)), "2 dimensions"),
        (lambda: td.bmm(tp, tq[:1]), "batch2"),
        (lambda: td.addmm(ta, ta, tb), "match"),
        (lambda: td.mm(ta, i), "expected scalar type"),
    ]:
        with pytest.raises(Exception, match=message):
            call()
    x = td.zeros(3, 4, names=["r", "k"])
    assert td.addmm(td.zeros(3, names=[None]), x, x.t().rename("k", "c")).names == ("r", "c")
