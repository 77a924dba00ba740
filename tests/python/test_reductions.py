# Reductions in PyTorch's call forms, against NumPy. lint: oracle table
import numpy as np
import pytest

import tandem as td
from conftest import short

AXES = [None, 0, 1, -1, (0, 2), (0, 1, 2), [1]]


@pytest.mark.parametrize("dim", AXES, ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_against_numpy(dim, keepdim, rng):
    array = rng.normal(size=(3, 4, 5))
    t = td.from_numpy(array)
    axis = tuple(dim) if isinstance(dim, list) else dim
    k = {"axis": axis, "keepdims": keepdim}
    np.testing.assert_allclose(t.sum(dim, keepdim).numpy(), array.sum(**k), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(td.mean(t, dim, keepdim=keepdim).numpy(), array.mean(**k), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(t.prod(dim, keepdim).numpy(), array.prod(**k), rtol=1e-12)
    np.testing.assert_array_equal(t.amax(dim=dim, keepdim=keepdim).numpy(), array.max(**k))
    np.testing.assert_array_equal(t.amin(dim, keepdim).numpy(), array.min(**k))
    np.testing.assert_array_equal((t > 1).any(dim, keepdim).numpy(), (array > 1).any(**k))
    np.testing.assert_array_equal((t > -1).all(dim, keepdim).numpy(), (array > -1).all(**k))


def test_keyword_spellings():
    t = td.ones(2, 3)
    assert t.sum(dim=0).tolist() == t.sum(axis=0).tolist() == td.sum(input=t, dim=0).tolist() == [2, 2, 2]
    assert t.sum(0, keepdims=True).shape == (1, 3)
    assert t.sum(dim=()).item() == 6
    assert t.sum(0, dtype=td.float64).dtype is td.float64
    out = td.empty(3)
    assert td.sum(t, 0, out=out) is out and out.tolist() == [2, 2, 2]


def test_result_dtypes():
    for dtype in td.dtypes:
        t = td.ones(3, dtype=dtype)
        wide = t.sum()
        if dtype.is_floating_point or dtype.is_complex:
            assert wide.dtype is dtype
        else:
            assert wide.dtype is td.int64, short(dtype)
        assert wide.item() == 3 and t.any().dtype is td.bool
    with pytest.raises(TypeError, match="mean"):
        td.ones(3, dtype=td.int64).mean()
    assert td.ones(3, dtype=td.int64).mean(dtype=td.float32).item() == 1


def test_empty():
    e = td.zeros(0)
    assert e.sum().item() == 0 and e.prod().item() == 1 and np.isnan(e.mean().item())
    assert e.any().item() is False and e.all().item() is True
    with pytest.raises(RuntimeError):
        e.amax()


def test_bad_axes():
    t = td.ones(2, 3)
    with pytest.raises(IndexError, match="Dimension out of range"):
        t.sum(2)
    with pytest.raises(RuntimeError, match="appears multiple times"):
        t.sum((0, 0))
    with pytest.raises(TypeError):
        t.sum(0.5)


def test_max_and_min():
    t = td.tensor([[1.0, 5.0, 5.0], [7.0, 2.0, 3.0]])
    values, indices = t.max(1)
    assert values.tolist() == [5, 7] and indices.tolist() == [1, 0]
    result = td.max(t, 1)
    assert result.values.tolist() == [5, 7] and result.indices.tolist() == [1, 0]
    assert repr(result) == "tandem.return_types.max(\nvalues=tensor([5., 7.]),\nindices=tensor([1, 0]))"
    assert repr(td.min(t, dim=0)).startswith("tandem.return_types.min(\nvalues=")
    assert td.max(t).item() == 7 and t.min().item() == 1
    assert t.max(dim=1, keepdim=True).values.shape == (2, 1)
    assert td.max(t, td.tensor(3.0)).tolist() == [[3, 5, 5], [7, 3, 3]]
    assert t.min(other=td.tensor(3.0)).tolist() == [[1, 3, 3], [3, 2, 3]]
    assert t.argmax().item() == 3 and t.argmax(1).tolist() == [1, 0] and td.argmin(t, dim=0).tolist() == [0, 1, 1]
    assert t.argmax(1, keepdim=True).shape == (2, 1)


def test_var_and_std(rng):
    array = rng.normal(size=(4, 50))
    t = td.from_numpy(array)
    np.testing.assert_allclose(t.var().numpy(), array.var(ddof=1), rtol=1e-12)
    np.testing.assert_allclose(t.std(1).numpy(), array.std(1, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(td.std(t, dim=0, correction=0).numpy(), array.std(0), rtol=1e-12)
    np.testing.assert_allclose(t.var(0, unbiased=False).numpy(), array.var(0), rtol=1e-12)
    np.testing.assert_allclose(t.var(unbiased=True).numpy(), array.var(ddof=1), rtol=1e-12)
    np.testing.assert_allclose(t.std(0, False).numpy(), array.std(0), rtol=1e-12)
    assert t.std(1, keepdim=True).shape == (4, 1)


def test_softmax():
    t = td.tensor([[0.0, 1.0], [2.0, 2.0]])
    np.testing.assert_allclose(t.softmax(1).numpy(), [[0.26894143, 0.7310586], [0.5, 0.5]], rtol=1e-6)
    assert td.softmax(t, dim=-1).sum(1).tolist() == [1, 1]
    np.testing.assert_allclose(t.log_softmax(dim=1).numpy()[1], [-0.6931472, -0.6931472], rtol=1e-6)
