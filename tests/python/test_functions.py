# Call forms that are PyTorch's own: keywords, overloads, out=, results.
import numpy as np
import pytest

import tandem as td
from conftest import same


def test_words_for_operands():
    a, b = td.tensor([1.0, 2.0]), td.tensor([3.0, 5.0])
    assert td.add(input=a, other=b).tolist() == [4, 7]
    assert a.add(other=b).tolist() == [4, 7]
    assert td.add(a, b, alpha=2).tolist() == [7, 12]
    assert a.sub(b, alpha=2).tolist() == [-5, -8]
    assert a.clone().add_(b, alpha=10).tolist() == [31, 52]
    assert a.clone().add_(2).mul_(3).tolist() == [9, 12]
    assert td.sub(b, a).tolist() == [2, 3]
    with pytest.raises(TypeError, match="\\[add\\].*several"):
        td.add(a, b, other=b)
    with pytest.raises(TypeError, match="\\[add\\].*y.*none"):
        td.add(a)


def test_rounding_modes():
    a, b = td.tensor([7, -7]), td.tensor([2, 2])
    assert td.div(a, b).tolist() == [3.5, -3.5]
    assert td.div(a, b, rounding_mode="floor").tolist() == [3, -4]
    assert a.div(b, rounding_mode="trunc").tolist() == [3, -3]
    with pytest.raises(ValueError, match="rounding_mode"):
        td.div(a, b, rounding_mode="up")


def test_clamp_forms():
    t = td.tensor([-2.0, 0.5, 3.0])
    assert t.clamp(0, 1).tolist() == [0, 0.5, 1]
    assert t.clamp(min=0).tolist() == [0, 0.5, 3] and td.clamp(t, max=1).tolist() == [-2, 0.5, 1]
    assert t.clone().clamp_(min=0).tolist() == [0, 0.5, 3]
    assert t.clamp(td.tensor([0.0, 1.0, 0.0]), 2).tolist() == [0, 1, 2]
    with pytest.raises(ValueError):
        t.clamp()


def test_where_forms():
    t = td.tensor([1.0, -1.0])
    assert td.where(t > 0, t, 0).tolist() == [1, 0]
    assert td.where(t > 0, 1.5, 2.5).tolist() == [1.5, 2.5]
    assert t.where(t > 0, td.tensor(9.0)).tolist() == [1, 9]
    with pytest.raises(TypeError, match="condition"):
        td.where(t, t, t)


def test_out():
    a, b = td.ones(3), td.ones(3)
    out = td.zeros(3, dtype=td.float64)
    assert td.add(a, b, out=out) is out and out.tolist() == [2, 2, 2]
    empty = td.empty(0)
    assert td.mul(a, 5, out=empty) is empty and empty.shape == (3,)
    with pytest.raises(TypeError, match="can't be cast"):
        td.add(a, b, out=td.zeros(3, dtype=td.int64))
    with pytest.raises(RuntimeError, match="shape"):
        td.add(a, b, out=td.zeros(2))
    with pytest.raises(TypeError, match="out to be a tensor"):
        td.add(a, b, out=3)
    # Forms that go through a temporary keep the same rules.
    assert td.add(a, b, alpha=3, out=out) is out and out.tolist() == [4, 4, 4]
    with pytest.raises(TypeError, match="can't be cast"):
        td.add(a, b, alpha=3, out=td.zeros(3, dtype=td.int64))
    with pytest.raises(RuntimeError, match="shape"):
        td.add(a, b, alpha=3, out=td.zeros(2))
    assert td.add(a, b, out=None).tolist() == [2, 2, 2]


def test_in_place_rules():
    small = td.ones(1)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        small.add_(td.ones(3))
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        small.add_(td.ones(3), alpha=2)
    wide = td.ones(1).expand(3)
    with pytest.raises(RuntimeError, match="single memory location"):
        wide.add_(1)
    assert wide.tolist() == [1, 1, 1]
    t = td.arange(4)
    with pytest.raises(RuntimeError, match="single memory location"):
        t[1:].add_(t[:-1])
    assert t.tolist() == [0, 1, 2, 3]
    t.add_(t)
    assert t.tolist() == [0, 2, 4, 6]
    assert t.zero_() is t and t.fill_(3) is t and t.tolist() == [3] * 4
    assert td.zeros(2).copy_(td.tensor([1, 2])).tolist() == [1, 2]
    target = td.zeros(2)
    assert target.copy_(td.ones(2)) is target


def test_meta_infers_without_memory():
    m = td.empty(1_000_000, 1_000_000, device="meta")
    assert (m + 1).shape == (1_000_000, 1_000_000) and (m + 1).is_meta
    assert m.t()[0].shape == (1_000_000,) and m.device.type == "meta"
    with pytest.raises((RuntimeError, NotImplementedError)):
        m[0, 0].item()


def test_devices():
    assert td.device("cuda", 1) == td.device("cuda:1") != td.device("cuda")
    assert td.device("cuda:1").index == 1 and td.device("cuda").index is None
    assert repr(td.device("cuda:0")) == "device(type='cuda', index=0)" and str(td.device("cuda:0")) == "cuda:0"
    assert td.device(type="cpu") == td.device("cpu") and len({td.device("cpu"), td.device("cpu")}) == 1
    with pytest.raises(ValueError, match="nowhere"):
        td.device("nowhere")
    with pytest.raises(ValueError):
        td.device("cuda:0", 1)
    assert isinstance(td.cuda.is_available(), bool) and td.cuda.device_count() >= 0
    if not td.cuda.is_available():
        assert td.cuda.status()
        with pytest.raises(RuntimeError):
            td.zeros(2, device="cuda")
        with pytest.raises(RuntimeError):
            td.zeros(2).cuda()


def test_the_luma_example():
    td.manual_seed(7)
    image, batch = td.randn(3, 5, 5), td.randn(2, 3, 5, 5)
    weights = td.tensor([0.2126, 0.7152, 0.0722])
    column = weights.unsqueeze(-1).unsqueeze(-1)
    assert (image * column).sum(-3).shape == (5, 5) and (batch * column).sum(-3).shape == (2, 5, 5)
    named = image.refine_names(..., "channels", "rows", "columns")
    aligned = td.tensor([0.2126, 0.7152, 0.0722], names=["channels"]).align_as(named)
    grey = (named * aligned).sum("channels")
    assert grey.names == ("rows", "columns") and same(grey.rename(None), (image * column).sum(-3))
    expected = np.einsum("chw,c->hw", image.numpy().astype(np.float64), weights.numpy().astype(np.float64))
    np.testing.assert_allclose(grey.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_arrays_stand_for_tensors():
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    t = td.from_numpy(array)
    assert td.equal(array, t) and td.allclose(t, array)
    assert td.exp(array).dtype is td.float64 and td.reshape(array, (4,)).shape == (4,)
    assert td.max(array, t).tolist() == array.tolist()
    for method in (td.Tensor.zero_, td.Tensor.add_):
        with pytest.raises(TypeError, match="tensor to write to"):
            method(array, *([1] if method is td.Tensor.add_ else []))
    assert array[0, 0] == 1


def test_products_and_joins():
    a = td.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert (a @ a).tolist() == [[7, 10], [15, 22]] and td.matmul(a, td.ones(2)).tolist() == [3, 7]
    assert td.cat([a, a], dim=0).shape == (4, 2) and td.cat((a, a), 1).shape == (2, 4)
    assert td.stack([a, a]).shape == (2, 2, 2)
    out = td.empty(0)
    assert td.cat([a, a], out=out) is out and out.shape == (4, 2)
    assert td.einsum("ij,jk->ik", a, a).tolist() == td.einsum("ij,jk->ik", [a, a]).tolist() == [[7, 10], [15, 22]]
    assert td.einsum(a, [0, 1], a, [1, 2], [0, 2]).tolist() == [[7, 10], [15, 22]]
    assert td.einsum(a, [..., 0], [...]).tolist() == [3, 7]
    assert td.einsum("ii", a).item() == 5
    for bad in [(a, a), (a, [0, 60]), (3,)]:
        with pytest.raises((TypeError, ValueError)):
            td.einsum(*bad)
