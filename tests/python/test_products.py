"""cat, stack, matmul and einsum against NumPy: shapes, dtypes, strides, names, errors.

lint: oracle table (the dtypes that products take)
"""

import itertools
import re

import numpy as np
import pytest
import tandem as torch

rng = np.random.default_rng(11)


def integers(*shape, dtype=np.float32):
    """Small integers: every product and sum is exact, in every dtype and any order."""
    return rng.integers(-4, 5, shape).astype(dtype)


EQUATIONS = [
    ("i->i", [(5,)]),
    ("i->", [(5,)]),
    ("ij->ji", [(3, 4)]),
    ("ij", [(3, 4)]),
    ("ba", [(3, 4)]),
    ("ii", [(4, 4)]),
    ("ii->i", [(4, 4)]),
    ("iij->j", [(4, 4, 3)]),
    ("iji->ij", [(4, 3, 4)]),
    ("i,i", [(5,), (5,)]),
    ("i,j->ij", [(3,), (4,)]),
    ("i,j->ji", [(3,), (4,)]),
    ("ij,j->i", [(3, 4), (4,)]),
    ("ij,jk", [(3, 4), (4, 5)]),
    ("ij,kj->ik", [(3, 4), (5, 4)]),
    ("ji,jk->ki", [(4, 3), (4, 5)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bij,bjk->ikb", [(2, 3, 4), (2, 4, 5)]),
    ("bij,jk->bik", [(2, 3, 4), (4, 5)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (4, 5)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (6, 4, 5)]),
    ("...chw,c->...hw", [(3, 5, 6), (3,)]),
    ("...chw,c->...hw", [(2, 7, 3, 5, 6), (3,)]),
    ("...i->...", [(2, 3, 4)]),
    ("i...->...", [(2, 3, 4)]),
    ("...", [(2, 3)]),
    ("...,...->...", [(2, 3), (3,)]),
    ("ijkl,ijkl->ijkl", [(2, 3, 2, 2), (2, 3, 2, 2)]),
    ("ijk,ijk->k", [(2, 3, 4), (2, 3, 4)]),
    ("ab,bc,cd->ad", [(2, 3), (3, 4), (4, 5)]),
    ("ab,ab,ab->a", [(2, 3), (2, 3), (2, 3)]),
    ("a,b,c->abc", [(2,), (3,), (4,)]),
    ("ab,c->b", [(2, 3), (4,)]),
    ("xYz,zY->x", [(2, 3, 4), (4, 3)]),
    (" i j , j k -> i k ", [(3, 4), (4, 5)]),
    ("ij,jk->ik", [(3, 0), (0, 5)]),
    ("ij,jk->ik", [(0, 4), (4, 5)]),
]


@pytest.mark.parametrize("equation,shapes", EQUATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.complex64])
def test_einsum_equals_numpy(equation, shapes, dtype):
    arrays = [np.abs(integers(*s)).astype(dtype) for s in shapes]
    expected = np.einsum(equation.replace(" ", ""), *arrays)
    got = torch.einsum(equation, *[torch.from_numpy(a) for a in arrays])
    assert tuple(got.shape) == expected.shape
    assert got.numpy().dtype == dtype
    np.testing.assert_array_equal(got.numpy(), expected.astype(dtype))


@pytest.mark.parametrize("equation,shapes", EQUATIONS)
def test_einsum_on_meta(equation, shapes):
    arrays = [integers(*s) for s in shapes]
    real = torch.einsum(equation, *[torch.from_numpy(a) for a in arrays])
    meta = torch.einsum(equation, *[torch.from_numpy(a).to("meta") for a in arrays])
    assert meta.shape == real.shape and meta.dtype is real.dtype and meta.device.type == "meta"


@pytest.mark.parametrize(
    "equation,shapes,words",
    [
        ("ij,jk->ik", [(3, 4)], "subscript"),
        ("ij->ij", [(3, 4, 5)], "letters"),
        ("ij,jk->ik", [(3, 4), (5, 6)], "size"),
        ("ij->ijk", [(3, 4)], "output letter 'k'"),
        ("ij->ii", [(3, 4)], "more than once"),
        ("i.j->ij", [(3, 4)], "..."),
        ("i$->i", [(3, 4)], "'$'"),
        ("......->", [(3, 4)], "one '...'"),
    ],
)
def test_einsum_says_what_is_wrong(equation, shapes, words):
    with pytest.raises((ValueError, RuntimeError)) as error:
        torch.einsum(equation, *[torch.ones(*s) for s in shapes])
    assert "einsum" in str(error.value) and words in str(error.value)


def test_einsum_refuses_mixed_dtypes():
    with pytest.raises(TypeError, match="expected scalar type"):
        torch.einsum("i,i->i", torch.ones(3), torch.ones(3, dtype=torch.float64))


def test_einsum_names():
    image = torch.ones(2, 3, 4, 5, names=["N", "C", "H", "W"])
    weights = torch.ones(3, names=["C"])
    assert torch.einsum("...chw,c->...hw", image, weights).names == ("N", "H", "W")
    with pytest.raises(RuntimeError, match="named"):
        torch.einsum("...chw,h->...cw", image, torch.ones(4, names=["Z"]))


def test_luma_has_the_bits_of_the_weighted_sum():
    image = torch.from_numpy(rng.random((3, 37, 41), dtype=np.float32))
    weights = torch.tensor([0.2126, 0.7152, 0.0722])
    by_hand = (image * weights.unsqueeze(-1).unsqueeze(-1)).sum(-3)
    fused = torch.einsum("...chw,c->...hw", image, weights)
    np.testing.assert_array_equal(by_hand.numpy(), fused.numpy())


SHAPES = [
    ((5,), (5,)),
    ((3, 5), (5,)),
    ((5,), (5, 4)),
    ((3, 5), (5, 4)),
    ((2, 3, 5), (5, 4)),
    ((2, 3, 5), (5,)),
    ((5,), (2, 5, 4)),
    ((2, 3, 5), (2, 5, 4)),
    ((7, 1, 3, 5), (2, 5, 4)),
    ((3, 0), (0, 4)),
    ((0, 3, 5), (5, 4)),
    ((1, 1), (1, 1)),
    ((65, 33), (33, 70)),
]


@pytest.mark.parametrize("a_shape,b_shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex64, np.complex128, np.int32, np.uint8])
def test_matmul_equals_numpy(a_shape, b_shape, dtype):
    a = np.abs(integers(*a_shape)).astype(dtype)
    b = np.abs(integers(*b_shape)).astype(dtype)
    got = torch.matmul(torch.from_numpy(a), torch.from_numpy(b))
    expected = np.matmul(a.astype(np.complex128), b.astype(np.complex128))
    expected = expected.real.astype(np.int64).astype(dtype) if np.dtype(dtype).kind in "iu" else expected.astype(dtype)
    assert got.numpy().dtype == dtype
    np.testing.assert_array_equal(got.numpy(), expected)
    meta = torch.matmul(torch.from_numpy(a).to("meta"), torch.from_numpy(b).to("meta"))
    assert meta.shape == got.shape


@pytest.mark.parametrize("view", ["t", "step", "reverse", "broadcast"])
def test_matmul_of_views(view):
    base = integers(12, 12)
    a = torch.from_numpy(base)
    views = {
        "t": (a.t(), base.T),
        "step": (a[::2, ::3], base[::2, ::3]),
        "reverse": (a[::-1, ::-2], base[::-1, ::-2]),
        "broadcast": (a[:1].expand(12, 12), np.broadcast_to(base[:1], (12, 12))),
    }
    t, n = views[view]
    other = integers(n.shape[1], 5)
    np.testing.assert_array_equal((t @ torch.from_numpy(other)).numpy(), n @ other)


def test_matmul_errors_and_names():
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        torch.ones(2, 3) @ torch.ones(2, 3)
    with pytest.raises(TypeError, match="expected scalar type Float but found Double"):
        torch.ones(2, 3) @ torch.ones(3, 2, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="at least 1D"):
        torch.matmul(torch.tensor(1.0), torch.ones(2))
    product = torch.ones(2, 3, names=["N", "K"]) @ torch.ones(3, 4, names=["K", "M"])
    assert product.names == ("N", "M")
    with pytest.raises(RuntimeError, match="contracted"):
        torch.ones(2, 3, names=["N", "K"]) @ torch.ones(3, 4, names=["Q", "M"])


@pytest.mark.parametrize(
    "a, b",
    [
        ((2, 0, 3), (2, 3, 4)),
        ((2, 3, 0), (2, 0, 4)),
        ((2, 3, 4), (2, 4, 0)),
        ((0, 3, 4), (4, 5)),
        ((5, 1, 0, 2), (1, 3, 2, 2)),
        ((2, 0, 4), (4,)),
    ],
)
def test_matmul_of_empty_batches(a, b):
    x, y = np.zeros(a, np.float32), np.zeros(b, np.float32)
    got = torch.matmul(torch.from_numpy(x), torch.from_numpy(y)).numpy()
    np.testing.assert_array_equal(got, np.matmul(x, y))


def test_einsum_refuses_repeated_letters_of_different_sizes():
    for equation in ["ii", "ii->i", "iji->j"]:
        with pytest.raises(RuntimeError, match="'i' is repeated with the sizes 1 and 3"):
            torch.einsum(equation, torch.ones(*([1, 3] if len(equation.split("->")[0]) == 2 else [1, 2, 3])))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cat_and_stack_equal_numpy(dim):
    arrays = [integers(2, 3), integers(2, 3), integers(2, 3)]
    tensors = [torch.from_numpy(a) for a in arrays]
    np.testing.assert_array_equal(torch.cat(tensors, dim).numpy(), np.concatenate(arrays, dim))
    np.testing.assert_array_equal(torch.stack(tensors, dim).numpy(), np.stack(arrays, dim))


def test_cat_promotes_skips_legacy_empties_and_keeps_names():
    mixed = torch.cat([torch.tensor([1, 2]), torch.tensor([0.5])])
    assert mixed.dtype is torch.float32 and mixed.tolist() == [1.0, 2.0, 0.5]
    assert torch.cat([torch.ones(2, 3), torch.empty(0)]).shape == (2, 3)
    named = torch.cat([torch.ones(2, 3, names=["N", "C"]), torch.ones(2, 3, names=["N", None])], dim="C")
    assert named.shape == (2, 6) and named.names == ("N", "C")
    with pytest.raises(RuntimeError, match="must match except in dimension 0"):
        torch.cat([torch.ones(2, 3), torch.ones(2, 4)])
    with pytest.raises(RuntimeError, match="zero-dimensional"):
        torch.cat([torch.tensor(1.0)])


def test_every_pair_of_equation_letters_is_order_free():
    a, b = integers(2, 3, 4), integers(4, 3, 5)
    for out in itertools.permutations("ail"):
        equation = "aki,ikl->" + "".join(out)
        x = a.transpose(0, 1, 2)
        np.testing.assert_array_equal(
            torch.einsum(equation, torch.from_numpy(x), torch.from_numpy(b)).numpy(), np.einsum(equation, x, b)
        )


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_sums_of_products_of_bool_are_refused(device):
    b = torch.ones(2, 2, dtype=torch.bool, device=device)
    for equation in ("ij,jk->ik", "ij,ij->"):
        with pytest.raises(NotImplementedError, match="Bool"):
            torch.einsum(equation, b, b)
    assert torch.einsum("ij,ij->ij", b, b).dtype is torch.bool  # nothing is summed


def random(shape, dtype=np.float64, seed=3):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def close(got, want, terms):
    """Within what `terms` rounded multiplications and additions may give."""
    eps = np.finfo(got.numpy().dtype).eps
    scale = max(np.max(np.abs(want), initial=0), 1)
    np.testing.assert_allclose(got.numpy(), want, rtol=0, atol=terms * eps * scale * 4)


@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 3, 7), (0, 7)])
@pytest.mark.parametrize("bias", [None, (5,), (1,)])
def test_linear(shape, bias):
    x, w = integers(*shape).astype(np.float32), integers(5, 7).astype(np.float32)
    b = None if bias is None else integers(*bias).astype(np.float32)
    got = torch.linear(torch.tensor(x), torch.tensor(w), None if b is None else torch.tensor(b))
    np.testing.assert_array_equal(got.numpy(), x @ w.T + (0 if b is None else b))


def test_linear_takes_one_row_of_weights_and_checks_first():
    x, w = torch.tensor(integers(3, 7)), torch.tensor(integers(7))
    np.testing.assert_array_equal(torch.linear(x, w).numpy(), x.numpy() @ w.numpy())
    with pytest.raises(torch.ShapeError, match=r"\[linear\] argument 'bias'"):
        torch.linear(x, torch.tensor(integers(5, 7)), torch.tensor(integers(4)))
    with pytest.raises(torch.ShapeError, match=r"argument 'weight'"):
        torch.linear(x, torch.tensor(integers(1, 5, 7)))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_int_mm_sums_in_32_bits(dtype):
    info = np.iinfo(dtype)
    rng = np.random.default_rng(5)
    a = rng.integers(info.min, info.max, (33, 300), dtype, endpoint=True)
    b = rng.integers(info.min, info.max, (300, 17), dtype, endpoint=True)
    got = torch._int_mm(torch.tensor(a), torch.tensor(b.T.copy()).t())
    assert got.dtype == torch.int32
    np.testing.assert_array_equal(got.numpy(), a.astype(np.int64) @ b.astype(np.int64))
    with pytest.raises(TypeError, match="int_mm"):
        torch.int_mm(torch.tensor(a), torch.tensor(b.astype(np.int32)))


@pytest.mark.parametrize("shapes", [
    [(3, 4), (4, 5)], [(3, 40), (40, 2), (2, 9)], [(6,), (6, 4), (4, 5)], [(3, 4), (4, 5), (5,)], [(4,), (4, 5), (5,)],
    [(2, 3), (3, 4), (4, 5), (5, 6), (6, 1)], [(3, 0), (0, 4), (4, 2)], [(4,), (4,)],
])
def test_multi_dot_equals_numpy(shapes):
    arrays = [random(s, seed=i) for i, s in enumerate(shapes)]
    got = torch.linalg.multi_dot([torch.tensor(a) for a in arrays])
    want = arrays[0]
    for a in arrays[1:]:
        want = want @ a
    assert got.shape == want.shape
    close(got, want, sum(s[0] for s in shapes))


def test_multi_dot_refuses_what_does_not_fit():
    a, v = torch.tensor(random((3, 4))), torch.tensor(random((4,)))
    with pytest.raises(ValueError, match="two or more"):
        torch.linalg.multi_dot([a])
    with pytest.raises(torch.ShapeError, match="of tensor 1"):
        torch.linalg.multi_dot([a, v, a])
    with pytest.raises(torch.ShapeError, match="cannot be multiplied"):
        torch.linalg.multi_dot([a, a])
    with pytest.raises(TypeError, match="dtype"):
        torch.linalg.multi_dot([a, torch.tensor(random((4, 3), np.float32))])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 13])
def test_matrix_power(n):
    a = integers(2, 3, 3) % 3
    got = torch.linalg.matrix_power(torch.tensor(a.astype(np.float64)), n)
    np.testing.assert_array_equal(got.numpy(), np.linalg.matrix_power(a.astype(np.float64), n))
    whole = torch.linalg.matrix_power(torch.tensor(a.astype(np.int64)), n)
    np.testing.assert_array_equal(whole.numpy(), np.linalg.matrix_power(a.astype(np.int64), n))


def test_matrix_power_is_a_tensor_of_its_own_and_needs_squares():
    a = torch.eye(3)
    torch.linalg.matrix_power(a, 1).fill_(7)
    assert a[0, 1].item() == 0
    with pytest.raises(torch.ShapeError, match="square"):
        torch.linalg.matrix_power(torch.ones(2, 3), 2)


def test_matrix_power_below_zero():
    a = torch.tensor(np.array([[2.0, 1.0], [1.0, 1.0]]))
    if hasattr(torch.linalg, "inv"):
        close(torch.linalg.matrix_power(a, -2), np.array([[2.0, -3.0], [-3.0, 5.0]]), 16)
    else:
        with pytest.raises(NotImplementedError, match="matrix_power"):
            torch.linalg.matrix_power(a, -2)


@pytest.mark.parametrize("equation, shown", [("é,é", "é"), ("i\u20ac->i", "\u20ac"), ("i\x7f", "\x7f"), ("i1", "1")])
def test_einsum_shows_the_character_it_does_not_know(equation, shown):
    with pytest.raises(ValueError, match=re.escape(f"got '{shown}'")):
        torch.einsum(equation, *[torch.ones(3)] * (equation.count(",") + 1))


@pytest.mark.parametrize("op", ["matmul", "outer", "kron", "add"])
def test_results_that_no_address_counts_are_refused_by_name(op):
    long = torch.ones(1).expand(5_000_000_000)
    a, b = (long, long) if op == "outer" else (long.unsqueeze(1), long.unsqueeze(0))
    with pytest.raises(ValueError, match=rf"\[{op}\] a tensor of shape .* has more bytes than an address can count"):
        getattr(torch, op)(a, b)
