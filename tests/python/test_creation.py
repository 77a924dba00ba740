# Making tensors: from numbers, nested lists and arrays, and by the creating functions' call forms.
import math

import numpy as np
import pytest

import tandem as td
from conftest import same


@pytest.mark.parametrize(
    "data, dtype",
    [
        (5, td.int64),
        (1.5, td.float32),
        (True, td.bool),
        (1 + 2j, td.complex64),
        ([1, 2.5], td.float32),
        ([True, 2], td.int64),
        ([True, 1.5, 1j], td.complex64),
        ([], td.float32),
        ([[], []], td.float32),
        ([np.float64(1), 2], td.float64),
        ([np.float16(1), np.float32(2)], td.float32),
        ([np.int8(1), np.uint8(2)], td.int16),
        ([np.bool_(True), 1], td.int64),
        (np.float64(1.5), td.float64),
        (np.uint16(7), td.uint16),
        (np.arange(3, dtype=np.int16), td.int16),
        ([np.arange(3, dtype=np.int16), np.arange(3, dtype=np.int16)], td.int16),
        ((1, 2), td.int64),
        (((1, 2), [3, 4]), td.int64),
    ],
)
def test_dtype_is_inferred_as_in_pytorch(data, dtype):
    t = td.tensor(data)
    assert t.dtype is dtype
    assert t.tolist() == np.asarray(data).tolist()
    assert t.shape == np.shape(data)


def test_default_dtype_decides_floats(default_dtype):
    td.set_default_dtype(td.float64)
    assert td.tensor(1.5).dtype is td.float64
    assert td.tensor([1j]).dtype is td.complex128
    assert td.tensor([1]).dtype is td.int64
    assert td.zeros(2).dtype is td.float64
    assert td.tensor([1]).exp().dtype is td.float64
    with pytest.raises(TypeError, match="float"):
        td.set_default_dtype(td.int32)


@pytest.mark.parametrize("dtype", td.dtypes, ids=str)
def test_lists_of_every_dtype(dtype):
    values = [[0, 1, 2], [3, 4, 5]]
    t = td.tensor(values, dtype=dtype)
    assert t.dtype is dtype and t.shape == (2, 3)
    expected = [[bool(v) for v in row] for row in values] if dtype is td.bool else values
    assert t.tolist() == expected
    assert td.tensor(t.tolist(), dtype=dtype).tolist() == expected


@pytest.mark.parametrize(
    "data, error, message",
    [
        ([[1, 2], [3]], ValueError, r"expected sequence of length 2 at dim 1 \(got 1\)"),
        ([1, [2]], TypeError, "tensor"),
        ([[1], 2], TypeError, "tensor"),
        ([[1, 2], 3.5], TypeError, "tensor"),
        ("abc", TypeError, "str"),
        (["a"], TypeError, "str"),
        ([None], TypeError, "NoneType"),
        (None, TypeError, "None"),
        ({1: 2}, TypeError, "dict"),
        ([[1, 2], "ab"], TypeError, "str"),
        ([2**63], ValueError, "Overflow when unpacking long"),
        ([2**70], ValueError, "Overflow when unpacking long"),
    ],
)
def test_bad_data_is_refused(data, error, message):
    with pytest.raises(error, match=message) as caught:
        td.tensor(data)
    assert isinstance(caught.value, td.Error)


@pytest.mark.parametrize("dtype", [t for t in td.dtypes if not t.is_floating_point and not t.is_complex], ids=str)
def test_integers_are_checked_against_the_dtype(dtype):
    if dtype is td.bool:
        assert td.tensor([2, 0, -1], dtype=dtype).tolist() == [True, False, True]
        return
    limits = td.iinfo(dtype)
    assert td.tensor([limits.min, limits.max], dtype=dtype).tolist() == [limits.min, limits.max]
    for beyond in (limits.min - 1, limits.max + 1):
        with pytest.raises(ValueError, match="overflow|Overflow"):
            td.tensor([beyond], dtype=dtype)
        with pytest.raises(ValueError, match="overflow|Overflow"):
            td.tensor([0.0, float(beyond) * 4], dtype=dtype)
    for odd in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="overflow"):
            td.tensor([odd], dtype=dtype)
    assert td.tensor([1.7], dtype=dtype).tolist() == [1]
    assert td.tensor([-0.7], dtype=dtype).tolist() == [0]


def test_floats_round_and_do_not_raise():
    assert td.tensor([1e40]).tolist() == [math.inf]
    assert td.tensor([65520.0, 65519.0], dtype=td.float16).tolist() == [math.inf, 65504.0]
    assert td.tensor([2**70], dtype=td.float64).tolist() == [float(2**70)]
    with pytest.raises(TypeError, match="complex"):
        td.tensor([1j], dtype=td.float32)


def test_a_list_that_changes_while_it_is_read_is_no_crash():
    victim = [0] * 1000

    class Shrinks:
        def __index__(self):
            victim.clear()
            return 1

    victim[500] = Shrinks()
    with pytest.raises((ValueError, TypeError)):
        td.tensor(victim)


def test_depth_is_limited():
    deep = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ValueError, match="32"):
        td.tensor(deep)


def test_tensors_and_arrays_in_lists():
    a = td.tensor([1.0, 2.0])
    assert td.tensor([a[0], a[1], 3]).tolist() == [1.0, 2.0, 3.0]
    assert td.tensor([a, a]).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert td.tensor([np.ones(2), np.zeros(2)]).dtype is td.float64
    with pytest.raises(ValueError):
        td.tensor([a, td.tensor([1.0])])


def test_tensor_always_copies_and_as_tensor_shares():
    array = np.arange(4.0)
    copied, shared = td.tensor(array), td.as_tensor(array)
    array[0] = 7
    assert copied[0].item() == 0 and shared[0].item() == 7
    t = td.ones(3)
    assert td.as_tensor(t) is t
    again = td.tensor(t)
    t[0] = 5
    assert again.tolist() == [1, 1, 1]
    assert td.as_tensor(t, dtype=td.float64).dtype is td.float64


def test_call_forms_of_the_filling_functions():
    for shape in [(2, 3), ((2, 3),), ([2, 3],), (td.Size([2, 3]),)]:
        assert td.zeros(*shape).shape == (2, 3)
        assert td.ones(*shape, dtype=td.int16).tolist() == [[1, 1, 1]] * 2
        assert td.empty(*shape).shape == (2, 3)
        assert td.rand(*shape).shape == (2, 3)
        assert td.randn(*shape).shape == (2, 3)
    assert td.zeros(size=(2,)).shape == (2,)
    assert td.zeros([]).shape == () and td.zeros(()).shape == ()
    assert td.zeros(0).tolist() == []
    assert td.full((2,), 7).dtype is td.int64
    assert td.full((2,), 7.5).dtype is td.float32
    assert td.full((2,), True).dtype is td.bool
    assert td.full([], 3).item() == 3
    with pytest.raises(RuntimeError, match="Trying to create tensor with negative dimension -1: \\[-1\\]"):
        td.zeros(-1)
    with pytest.raises(TypeError):
        td.zeros(2.5)
    with pytest.raises(TypeError, match="unknown"):
        td.zeros(2, unknown=3)
    assert td.zeros(2, requires_grad=False, pin_memory=False, layout=None).shape == (2,)
    with pytest.raises(TypeError, match="requires_grad"):
        td.zeros(2, requires_grad=True)


def test_python_types_as_dtypes():
    assert td.zeros(1, dtype=float).dtype is td.float64
    assert td.zeros(1, dtype=int).dtype is td.int64
    assert td.zeros(1, dtype=bool).dtype is td.bool
    assert td.zeros(1, dtype=complex).dtype is td.complex128


def test_like_and_new():
    x = td.zeros(2, 3, dtype=td.int16, names=["a", "b"])
    for like in (td.zeros_like(x), td.ones_like(x), td.empty_like(x), td.full_like(x, 4)):
        assert like.shape == (2, 3) and like.dtype is td.int16 and like.names == ("a", "b")
    assert td.ones_like(x, dtype=td.float64).dtype is td.float64
    assert td.rand_like(td.zeros(2, 3, dtype=td.float64)).dtype is td.float64
    assert x.new_zeros(4).dtype is td.int16
    assert x.new_full((2,), 3).tolist() == [3, 3]
    assert x.new_tensor([1, 2]).dtype is td.int16
    assert x.new_ones(2, 2).tolist() == [[1, 1], [1, 1]]


def test_arange_and_its_forms():
    assert td.arange(3).tolist() == [0, 1, 2] and td.arange(3).dtype is td.int64
    assert td.arange(1, 3).tolist() == [1, 2]
    assert td.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert td.arange(end=2).tolist() == [0, 1]
    assert td.arange(1, end=3, step=1).tolist() == [1, 2]
    assert td.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert td.arange(0.0, 3).dtype is td.float32
    assert td.arange(3, dtype=td.float64).dtype is td.float64
    assert td.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert td.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(RuntimeError, match="nonzero"):
        td.arange(0, 3, 0)
    with pytest.raises(RuntimeError, match="inconsistent with step sign"):
        td.arange(3, 1)
    with pytest.raises(TypeError):
        td.arange()


def test_scalar_tensor(default_dtype):
    for number in (3, 2.5, True):
        t = td.scalar_tensor(number)
        assert t.shape == () and t.dtype is td.float32 and t.item() == number
    td.set_default_dtype(td.float64)
    assert td.scalar_tensor(3).dtype is td.float64
    t = td.scalar_tensor(1 + 2j, dtype=td.complex128)
    assert t.dtype is td.complex128 and t.item() == 1 + 2j
    assert td.scalar_tensor(300, dtype=td.int64, device="meta").device == td.device("meta")
    with pytest.raises(RuntimeError, match="cannot be converted to type float64 without overflow"):
        td.scalar_tensor(1j)
    with pytest.raises(TypeError, match=r"\[scalar_tensor\]"):
        td.scalar_tensor([1.0])


def test_random_numbers():
    td.manual_seed(3)
    x = td.rand(1000)
    y = td.randn(1000)
    td.manual_seed(3)
    assert same(td.rand(1000), x) and same(td.randn(1000), y)
    assert not same(td.rand(1000), x)
    assert 0 <= x.amin().item() and x.amax().item() < 1
    assert abs(y.mean().item()) < 0.2
    n = td.normal(mean=10.0, std=0.5, size=(1000,))
    assert abs(n.mean().item() - 10) < 0.2
    assert td.normal(td.zeros(3), td.ones(3)).shape == (3,)
    assert td.normal(0, td.ones(2)).shape == (2,)
    with pytest.raises(RuntimeError, match="normal expects std >= 0.0, but found std -1"):
        td.normal(0, -1, size=(2,))
    with pytest.raises(TypeError):
        td.rand(3, dtype=td.int32)


def test_large_lists_take_linear_time():
    import time

    def seconds(n):
        data = [float(i) for i in range(n)]
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            td.tensor(data)
            best = min(best, time.perf_counter() - start)
        return best

    small, large = seconds(20_000), seconds(400_000)
    assert large < 20 * 8 * small


SIZED = {
    "zeros": td.zeros,
    "ones": td.ones,
    "empty": td.empty,
    "full": lambda size, **options: td.full(size, 1.0, **options),
    "empty_strided": lambda size, **options: td.empty_strided(size, (1,) * len(size), **options),
    "rand": td.rand,
    "randn": td.randn,
    "randint": lambda size, **options: td.randint(0, 5, size, **options),
    "normal": lambda size, **options: td.normal(0.0, 1.0, size, **options),
}


@pytest.mark.parametrize("name", SIZED)
def test_errors_name_the_function_that_was_called(name):
    make, named = SIZED[name], rf"^\[{name}\] "
    for device in ("cpu", "meta"):
        with pytest.raises(ValueError, match=named + r"Trying to create tensor with negative dimension -1: \[2, -1\]"):
            make((2, -1), device=device)
    with pytest.raises(ValueError, match=named + "a tensor of shape .* has more bytes"):
        make((2**40, 2**40))
    with pytest.raises(ValueError, match=named + "expected at most"):
        make((1,) * 70)
    with pytest.raises(td.ShapeError, match=named + "Number of names"):
        make((2,), names=("a", "b"))
    with pytest.raises(td.DeviceError, match=named + "expected a usable device"):
        make((2,), device="cuda:77")


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"])
def test_errors_name_the_like_function_that_was_called(name):
    x, given = td.ones(2), [1] * (name == "full_like")
    with pytest.raises(td.DeviceError, match=rf"^\[{name}\] expected a usable device"):
        getattr(td, name)(x, *given, device="cuda:77")
    wide = td.ones(1, dtype=td.int8).expand(2**60)
    with pytest.raises(ValueError, match=rf"^\[{name}\] a tensor of shape"):
        getattr(td, name)(wide, *given, dtype=td.float64)


def test_numbers_that_do_not_fit_name_the_function():
    x = td.ones(2, dtype=td.uint8)
    calls = {
        "full": lambda: td.full((2,), 300, dtype=td.uint8),
        "full_like": lambda: td.full_like(x, 300),
        "scalar_tensor": lambda: td.scalar_tensor(300, dtype=td.uint8),
        "fill_": lambda: x.fill_(300),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"^\[{name}\] value 300 cannot be converted to type uint8"):
            call()
