# Python's protocols on tensors: numbers, lengths, iteration, truth, formatting, sizes.
import copy
import gc
import math
import pickle
import weakref

import pytest

import tandem as td


def test_one_element_is_a_number():
    assert float(td.tensor(1.9)) == pytest.approx(1.9)
    assert int(td.tensor(1.9)) == 1 and int(td.tensor([[-1.9]])) == -1
    assert complex(td.tensor(1 + 2j)) == 1 + 2j
    assert bool(td.tensor(0.0)) is False and bool(td.tensor([[3]])) is True
    assert td.tensor(7).item() == 7 and isinstance(td.tensor(7).item(), int)
    assert isinstance(td.tensor(7.0).item(), float) and td.tensor(True).item() is True
    assert td.tensor(2**64 - 1, dtype=td.uint64).item() == 2**64 - 1
    assert [10, 20, 30][td.tensor(1)] == 20
    assert round(float(td.tensor(1.25)), 1) == 1.2


@pytest.mark.parametrize("convert", [float, int, complex])
def test_many_elements_are_no_number(convert):
    with pytest.raises(ValueError, match="only one element tensors can be converted to Python scalars"):
        convert(td.ones(2))


def test_truth_of_many_elements_is_ambiguous():
    with pytest.raises(RuntimeError, match="more than one value is ambiguous"):
        bool(td.ones(2))
    with pytest.raises(RuntimeError, match="no values is ambiguous"):
        bool(td.ones(0))


def test_index_is_for_integers():
    for bad in (td.tensor(1.0), td.tensor([1])):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            [1, 2][bad]


def test_int_of_odd_floats_raises_as_python_does():
    with pytest.raises(OverflowError):
        int(td.tensor(math.inf))
    with pytest.raises(ValueError):
        int(td.tensor(math.nan))


def test_length_and_iteration():
    t = td.tensor([[1, 2], [3, 4], [5, 6]])
    assert len(t) == 3
    rows = list(t)
    assert [r.tolist() for r in rows] == [[1, 2], [3, 4], [5, 6]]
    rows[0][0] = 9
    assert t[0, 0].item() == 9
    a, b, c = t
    assert b.tolist() == [3, 4]
    with pytest.raises(TypeError, match="len\\(\\) of a 0-d tensor"):
        len(td.tensor(1))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(td.tensor(1))


def test_contains():
    t = td.tensor([1.0, 5.0])
    assert 5.0 in t and 5 in t and 4 not in t
    assert td.tensor(1.0) in t
    with pytest.raises(TypeError):
        "a" in t


def test_hash_and_equality():
    a, b = td.ones(2), td.ones(2)
    assert hash(a) == hash(a) and len({a, b}) == 2
    assert (a == b).tolist() == [True, True]
    assert (a == None) is False  # noqa: E711
    assert (a != None) is True  # noqa: E711
    assert (a == "x") is False
    with pytest.raises(TypeError):
        a + "x"
    with pytest.raises(TypeError):
        a < "x"


def test_format():
    assert f"{td.tensor(3.14159):.3f}" == "3.142"
    assert f"{td.tensor(5)}" == "5"
    assert f"{td.ones(2)}" == "tensor([1., 1.])"
    with pytest.raises(TypeError, match="unsupported format string passed to Tensor.__format__"):
        f"{td.ones(2):.3f}"


def test_operators():
    x = td.tensor([7, -7], dtype=td.int32)
    assert (x + 1).tolist() == [8, -6] and (1 + x).tolist() == [8, -6]
    assert (x - 1).tolist() == [6, -8] and (1 - x).tolist() == [-6, 8]
    assert (x * 2).tolist() == [14, -14] and (2 * x).tolist() == [14, -14]
    assert (x / 2).tolist() == [3.5, -3.5] and (14 / x).tolist() == [2.0, -2.0]
    assert (x // 2).tolist() == [3, -4] and (15 // x).tolist() == [2, -3]
    assert (x % 4).tolist() == [3, 1] and (15 % x).tolist() == [1, -6]
    assert (x**2).tolist() == [49, 49] and (2 ** td.tensor([1, 3])).tolist() == [2, 8]
    assert (x << 1).tolist() == [14, -14] and (x >> 1).tolist() == [3, -4]
    assert (1 << td.tensor([0, 3])).tolist() == [1, 8]
    assert (x & 3).tolist() == [3, 1] and (3 | x).tolist() == [7, -5] and (x ^ 1).tolist() == [6, -8]
    assert (~x).tolist() == [-8, 6] and (-x).tolist() == [-7, 7] and abs(x).tolist() == [7, 7]
    assert (+x) is x
    assert (x > 0).tolist() == [True, False] and (0 > x).tolist() == [False, True]
    assert (x >= 7).tolist() == [True, False] and (x <= -7).tolist() == [False, True]
    assert (x < 0).tolist() == [False, True] and (x != 7).tolist() == [False, True]


def test_in_place_operators_keep_the_object():
    x = y = td.tensor([1.0, 2.0])
    x += 1
    x *= 3
    x -= td.tensor([1.0, 1.0])
    x /= 2
    x **= 2
    assert x is y and y.tolist() == [6.25, 16.0]
    n = m = td.tensor([7, 9])
    n //= 2
    n %= 3
    n <<= 2
    n |= 1
    n &= 5
    n ^= 2
    n >>= 1
    assert n is m and m.dtype is td.int64 and m.tolist() == [((((7 // 2 % 3) << 2 | 1) & 5) ^ 2) >> 1] * 1 + [
        ((((9 // 2 % 3) << 2 | 1) & 5) ^ 2) >> 1
    ]
    with pytest.raises(TypeError, match="result type Float can't be cast"):
        n += 1.5


def test_size():
    s = td.zeros(3, 2).shape
    assert repr(s) == "tandem.Size([3, 2])" and repr(td.tensor(1).shape) == "tandem.Size([])"
    assert s == (3, 2) and isinstance(s, tuple) and s.numel() == 6
    assert isinstance(s[1:], td.Size) and s[0] == 3 and s + (1,) == (3, 2, 1)
    assert isinstance(s + (1,), td.Size) and s * 2 == (3, 2, 3, 2)
    rows, cols = s
    assert (rows, cols) == (3, 2)
    assert td.zeros(3, 2).size() == s and td.zeros(3, 2).size(-1) == 2
    assert pickle.loads(pickle.dumps(s)) == s and isinstance(pickle.loads(pickle.dumps(s)), td.Size)
    t = td.zeros(3, 2, names=["r", "c"])
    assert t.size("c") == 2 and t.stride("r") == 2 and t.stride() == (2, 1) and t.stride(-1) == 1


def test_queries():
    t = td.zeros(3, 2, dtype=td.int16)
    assert (t.dim(), t.ndim, t.numel(), td.numel(t), t.element_size(), t.itemsize, t.nbytes) == (2, 2, 6, 6, 2, 2, 12)
    assert not t.is_floating_point() and td.is_tensor(t) and not td.is_tensor(3)
    assert t.device == td.device("cpu") and not t.is_cuda and t.is_cpu
    assert t.T.shape == (2, 3) and t.mT.shape == (2, 3)
    assert repr(td.float32) == "tandem.float32" and repr(t.device) == "device(type='cpu')"


def test_copy_module():
    t = td.ones(2)
    shallow, deep = copy.copy(t), copy.deepcopy(t)
    t[0] = 5
    assert shallow.tolist() == [5, 1] and deep.tolist() == [1, 1]


def test_weak_references_and_attributes():
    t = td.ones(2)
    t.note = "kept"
    seen = weakref.ref(t)
    assert seen() is t and t.note == "kept"
    del t
    gc.collect()
    assert seen() is None


def test_functions_describe_themselves():
    assert td.add.__name__ == "add" and "alpha" in td.add.__doc__ and td.add.__module__ == "tandem"
    assert pickle.loads(pickle.dumps(td.exp)) is td.exp
    assert pickle.loads(pickle.dumps(td.float32)) is td.float32
    assert pickle.loads(pickle.dumps(td.device("cuda", 1))) == td.device("cuda:1")


def test_errors_are_builtin_and_tandems():
    for kind, builtin in [
        (td.errors.IndexError, IndexError),
        (td.errors.ValueError, ValueError),
        (td.errors.TypeError, TypeError),
        (td.errors.NotImplementedError, NotImplementedError),
        (td.errors.ZeroDivisionError, ZeroDivisionError),
        (td.ShapeError, RuntimeError),
        (td.DeviceError, RuntimeError),
        (td.OutOfMemory, MemoryError),
        (td.FileError, OSError),
    ]:
        assert issubclass(kind, builtin) and issubclass(kind, td.Error) and issubclass(kind, RuntimeError)
        assert kind.__name__ == builtin.__name__
        e = pickle.loads(pickle.dumps(kind("what")))
        assert type(e) is kind and str(e) == "what"
