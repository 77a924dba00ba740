"""In-place forms of rows with a front-end of their own: products added to the tensor, triangles."""

# lint: oracle table
import numpy as np
import pytest

import tandem as td
from conftest import same

PRODUCTS = {"addmm": ((4, 3), (3, 5)), "addbmm": ((2, 4, 3), (2, 3, 5)), "addr": ((4,), (5,)), "addmv": ((4, 3), (3,))}
PRODUCTS["baddbmm"] = PRODUCTS["addbmm"]


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_in_place(name, rng):
    a, b = (td.tensor(rng.integers(-5, 5, shape)) for shape in PRODUCTS[name])
    start = td.tensor(rng.integers(-5, 5, {"addmv": (4,), "baddbmm": (2, 4, 5)}.get(name, (4, 5))))
    expected = getattr(td, name)(start, a, b, beta=3, alpha=-2)
    x = start.clone()
    assert getattr(x, name + "_")(a, b, beta=3, alpha=-2) is x and same(x, expected)
    strided = td.zeros(*start.shape, 2, dtype=td.int64)[..., 1]
    strided.copy_(start)
    getattr(strided, name + "_")(a, b, beta=3, alpha=-2)
    assert same(strided.contiguous(), expected)
    one = td.ones(1, dtype=td.int64)  # broadcasts in the plain form alone
    with pytest.raises(td.ShapeError, match=f"\\[{name}\\] output with shape \\[1\\]"):
        getattr(one, name + "_")(a, b)
    with pytest.raises(TypeError, match=f"\\[{name}\\]"):
        getattr(x, name + "_")(a.double(), b.double())
    assert one.tolist() == [1] and same(x, expected)
    if name == "addmm":
        square = td.tensor(rng.integers(-5, 5, (4, 4)))
        expected = td.addmm(square, square, square.t())
        assert same(square.addmm_(square, square.t()), expected)


def test_triangles_in_place(rng):
    array = rng.integers(-9, 9, (2, 4, 3))
    x = td.tensor(array).refine_names("n", "r", "c")
    assert x.tril_(-1) is x and np.array_equal(x.numpy(), np.tril(array, -1)) and x.names == ("n", "r", "c")
    assert np.array_equal(td.tensor(array).triu_(diagonal=1).numpy(), np.triu(array, 1))
    turned = td.tensor(array).transpose(1, 2)
    turned.triu_()
    assert np.array_equal(turned.numpy(), np.triu(array.transpose(0, 2, 1)))
    with pytest.raises(td.ShapeError, match="tril"):
        td.ones(3).tril_()
