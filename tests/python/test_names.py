# Dimension names in Python's call forms.
import pytest

import tandem as td
from conftest import same


def image():
    return td.arange(2 * 3 * 4).reshape(2, 3, 4).refine_names("c", "h", "w")


def test_names_at_creation():
    for make in (
        lambda **k: td.zeros(2, 3, **k),
        lambda **k: td.full((2, 3), 1.0, **k),
        lambda **k: td.rand(2, 3, **k),
        lambda **k: td.tensor([[1, 2, 3], [4, 5, 6]], **k),
        lambda **k: td.empty(2, 3, **k),
        lambda **k: td.eye(2, 3, **k),
    ):
        assert make(names=["a", None]).names == ("a", None)
        assert make(names=("a", "b")).names == ("a", "b")
        assert make().names == (None, None) and not make().has_names()
        with pytest.raises(RuntimeError, match="duplicate"):
            make(names=["a", "a"])
        with pytest.raises(RuntimeError):
            make(names=["a"])
        with pytest.raises(TypeError):
            make(names="ab")
        with pytest.raises(ValueError, match="identifier"):
            make(names=["a b", "c"])


def test_names_can_be_assigned():
    t = td.zeros(2, 3)
    t.names = ["a", "b"]
    assert t.names == ("a", "b")
    t.names = None
    assert t.names == (None, None)
    with pytest.raises(TypeError):
        t.names = "ab"
    with pytest.raises(RuntimeError):
        t.names = ["a"]


def test_refine():
    t = td.zeros(2, 3, 4)
    assert t.refine_names("a", "b", "c").names == ("a", "b", "c")
    assert t.refine_names(["a", "b", "c"]).names == ("a", "b", "c")
    assert t.refine_names(..., "c").names == (None, None, "c")
    assert t.refine_names("...", "b", "c").names == (None, "b", "c")
    assert t.refine_names("a", ...).names == ("a", None, None)
    assert t.names == (None, None, None)
    named = t.refine_names("a", "b", "c")
    with pytest.raises(RuntimeError, match="refine_names"):
        named.refine_names("x", ...)
    with pytest.raises(RuntimeError, match="refine_names"):
        named.refine_names(None, "b", "c")


def test_rename():
    t = image()
    assert t.rename(None).names == (None, None, None)
    assert t.rename("x", "y", "z").names == ("x", "y", "z")
    assert t.rename(..., "z").names == ("c", "h", "z")
    assert t.rename(h="rows", w="columns").names == ("c", "rows", "columns")
    assert t.names == ("c", "h", "w")
    assert t.rename_(c="k") is t and t.names == ("k", "h", "w")
    assert t.rename_(None) is t and t.names == (None, None, None)
    with pytest.raises(RuntimeError):
        image().rename(q="r")
    with pytest.raises(TypeError):
        image().rename("x", h="y")


def test_align():
    t = image()
    turned = t.align_to("w", "c", "h")
    assert turned.shape == (4, 2, 3) and turned.names == ("w", "c", "h")
    assert turned[1, 0, 2].item() == t[0, 2, 1].item()
    assert t.align_to("n", ...).names == ("n", "c", "h", "w")
    assert t.align_to(..., "c").names == ("h", "w", "c")
    weights = td.tensor([1.0, 2.0], names=["c"])
    aligned = weights.align_as(t)
    assert aligned.shape == (2, 1, 1) and aligned.names == t.names
    assert aligned.storage() is weights.storage()
    with pytest.raises(RuntimeError):
        t.align_to("c", "h")


def test_broadcasting_unifies():
    t = image()
    assert (t + 1).names == t.names and (t + td.ones(4)).names == t.names
    assert (t + td.ones(3, 4, names=["h", "w"])).names == t.names
    message = (
        "Error when attempting to broadcast dims \\['c', 'h', 'w'\\] and dims \\['c'\\]: dim 'w' and dim 'c' are "
        "at the same position from the right but do not match."
    )
    with pytest.raises(RuntimeError, match=message):
        t[..., :2] * td.tensor([1.0, 2.0], names=["c"])


def test_an_axis_by_name():
    t = image()
    assert t.sum("c").names == ("h", "w") and t.sum("c").tolist() == t.rename(None).sum(0).tolist()
    assert t.sum(("c", "w")).names == ("h",)
    assert t.sum("c", keepdim=True).names == t.names
    assert t.select("h", 1).names == ("c", "w")
    assert t.transpose("c", "w").names == ("w", "h", "c")
    assert t.unbind("h")[0].names == ("c", "w")
    assert t.split(1, "h")[0].names == t.names
    with pytest.raises(RuntimeError, match="'q' not found"):
        t.sum("q")


def test_views_keep_and_lose_names():
    t = image()
    assert t[0].names == ("h", "w") and t[:, 1:].names == t.names and t[None].names == (None, "c", "h", "w")
    assert t.permute(2, 0, 1).names == ("w", "c", "h")
    assert t.flatten(["h", "w"], "hw").names == ("c", "hw")
    assert t.flatten("h", "w", "hw").shape == (2, 12)
    assert t.flatten(1, 2).shape == (2, 12)
    assert t.flatten().shape == (24,)
    assert t.flatten(start_dim=1).shape == (2, 12)
    split = t.flatten(["h", "w"], "hw").unflatten("hw", [("h", 3), ("w", 4)])
    assert split.names == t.names and same(split, t)
    assert t.rename(None).unflatten(2, (2, 2)).shape == (2, 3, 2, 2)
    assert t.unflatten("w", (2, 2), names=["a", "b"]).names == ("c", "h", "a", "b")
    with pytest.raises(RuntimeError, match="follow one another"):
        t.flatten(["c", "w"], "x")


def test_names_survive_copies_and_casts():
    t = image()
    for copy in (t.clone(), t.float(), t.contiguous(), t.to(td.int16), t.cpu(), td.zeros_like(t)):
        assert copy.names == t.names
    assert t.numpy().shape == t.shape
    u = td.zeros(2, 3, 4, dtype=td.int64)
    u.add_(t)
    assert u.names == t.names
