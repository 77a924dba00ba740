# set_default_device() and `with device:`: every function that makes tensors, and none that has a tensor to go by.
import inspect
import threading

import numpy as np
import pytest

import tandem as td


@pytest.fixture(autouse=True)
def restored():
    yield
    td.set_default_device(None)


# What stands for a parameter that must be given.
VALUES = {
    "N": 4, "M": 4, "col": 3, "data": [1, 2], "end": 3, "fill_value": 1.0, "n": 4, "obj": [1, 2], "row": 3, "s": 1.5, "shape": (3,),
    "size": (3,), "start": 0, "steps": 3, "stop": 3, "num": 3, "n_rows": 3, "stride": (1,), "value": 1.5, "window_length": 4, "x": 3,
}  # fmt: skip


def parameters_of(f):
    try:
        return inspect.signature(f).parameters
    except (TypeError, ValueError):
        return {}


def arguments_of(name):
    """The least that the function is called with."""
    # Whose first arguments may be left out, in front of the next.
    optional = {"arange": [4], "linspace": [0, 1, 3], "randint": [0, 5, (3,)]}
    if name in optional:
        return optional[name]
    must = [p for p in parameters_of(getattr(td, name)).values() if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [VALUES[p.name] for p in must]


# They have a tensor, or make none.
OTHERS = {"astype", "from_dlpack", "normal", "set_memory_limit", "set_rng_state", "write_memory_snapshot"}


def makers():
    """The public functions with a parameter `device` that make a tensor of none."""
    for name in dir(td):
        given = parameters_of(getattr(td, name)) if callable(getattr(td, name)) else {}
        public = not name.startswith("_") and not name.endswith("_like") and name[0].islower()
        if public and "device" in list(given)[1:] and name not in OTHERS:
            yield name


@pytest.mark.parametrize("name", sorted(makers()))
def test_every_maker(name):
    f, args = getattr(td, name), arguments_of(name)
    assert f(*args).device == td.device("cpu")
    with td.device("meta"):
        assert f(*args).device == td.device("meta")
        assert f(*args, device="cpu").device == td.device("cpu")
    td.set_default_device("meta")
    assert f(*args).device == td.device("meta")


def test_there_are_many_makers():
    assert len(list(makers())) > 20


def test_what_has_a_tensor_goes_by_it():
    x = td.ones(3)
    with td.device("meta"):
        for y in (td.zeros_like(x), td.rand_like(x), x.new_zeros(2), x + 1, x.to(td.float64), x.clone(), td.full_like(x, 2)):
            assert y.device == td.device("cpu")
        assert td.fft.fftfreq(4).device == td.signal.windows.hann(4).device == td.device("meta")


def test_what_would_be_moved_there_is_no_copy_false():
    x, a = td.ones(3), np.ones(3)
    assert td.asarray(x, copy=False) is x and td.asarray(a, copy=False).data_ptr() == a.ctypes.data
    with td.device("meta"):
        assert td.asarray(x).is_meta and td.asarray(x, device="cpu", copy=False) is x
        for data in (x, a):
            with pytest.raises(ValueError, match="copy=False"):
                td.asarray(data, copy=False)


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
