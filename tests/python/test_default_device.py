# set_default_device() and `with device:`: every function that makes tensors, and none that has a tensor to go by.
import threading

import pytest

import tandem as td


@pytest.fixture(autouse=True)
def restored():
    yield
    td.set_default_device(None)


CALLS = {
    "arange": (4,), "as_tensor": ([1, 2],), "bartlett_window": (4,), "blackman_window": (4,), "empty": (3,),
    "empty_strided": ((2,), (1,)), "eye": (3,), "full": ((2,), 1.0), "hamming_window": (4,), "hann_window": (4,),
    "kaiser_window": (4,), "linspace": (0, 1, 3), "logspace": (0, 1, 3), "ones": (3,), "rand": (3,), "randint": (0, 5, (3,)),
    "randn": (3,), "randperm": (4,), "scalar_tensor": (1.5,), "tensor": ([1, 2],), "tril_indices": (3, 3),
    "triu_indices": (3, 3), "zeros": (3,),
}  # fmt: skip


def makers():
    """The public functions with a keyword `device` and no tensor before it; normal's mean may be one, as in PyTorch."""
    for name in dir(td):
        f = getattr(td, name)
        text = getattr(f, "__text_signature__", None) or ""
        if not name.startswith("_") and "device=None" in text and not name.endswith("_like") and name != "normal":
            yield name


@pytest.mark.parametrize("name", sorted(set(makers()) | set(CALLS)))
def test_every_maker(name):
    assert name in CALLS, f"a call of {name} for this test"
    f, args = getattr(td, name), CALLS[name]
    assert f(*args).device == td.device("cpu")
    with td.device("meta"):
        assert f(*args).device == td.device("meta")
        assert f(*args, device="cpu").device == td.device("cpu")
    td.set_default_device("meta")
    assert f(*args).device == td.device("meta")


def test_what_has_a_tensor_goes_by_it():
    x = td.ones(3)
    with td.device("meta"):
        for y in (td.zeros_like(x), td.rand_like(x), x.new_zeros(2), x + 1, x.to(td.float64), x.clone(), td.full_like(x, 2)):
            assert y.device == td.device("cpu")
        assert td.fft.fftfreq(4).device == td.signal.windows.hann(4).device == td.device("meta")


def test_blocks_nest_and_end_with_errors():
    with td.device("meta") as d:
        assert d == td.device("meta") == td.get_default_device()
        with pytest.raises(ZeroDivisionError), td.device("cpu"):
            assert td.ones(1).device == td.device("cpu")
            1 / 0
        assert td.ones(1).device == td.device("meta")
    assert td.get_default_device() == td.device("cpu")


def test_of_one_thread():
    td.set_default_device("meta")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(td.ones(1).device))
    thread.start()
    thread.join()
    assert seen == [td.device("cpu")]


def test_errors_change_nothing():
    for bad, error in [(1.5, TypeError), ("nowhere", ValueError), ([], TypeError)]:
        with pytest.raises(error):
            td.set_default_device(bad)
    if not td.cuda.is_available():
        with pytest.raises(RuntimeError):
            td.set_default_device("cuda")
    assert td.ones(1).device == td.device("cpu")
