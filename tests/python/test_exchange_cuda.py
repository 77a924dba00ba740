# DLPack and __cuda_array_interface__ on a device. Without a GPU on the simulated device (CTest cuda.sim.python), once
# with the checker of the order between streams (cuda.sim.python.checked), which reports a missing wait.
import gc
import os
import sys

import numpy as np
import pytest

import tandem as td

needs_gpu = pytest.mark.skipif(not td.cuda.is_available(), reason=td.cuda.status())
CHECKED = "order" in os.environ.get("TANDEM_CHECK", "")
pytestmark = needs_gpu


def on_device(values):
    return td.tensor(np.asarray(values)).to("cuda")


def allocated():
    gc.collect()
    td.cuda.synchronize()
    return td.memory_stats("cuda")["allocated"]["current"]


class Interface:
    """Another library's array: only __cuda_array_interface__."""

    def __init__(self, **face):
        self.__cuda_array_interface__ = {"version": 3, "strides": None, **face}


def interface_of(t, **changes):
    array = Interface(**{**t.__cuda_array_interface__, **changes})
    array.owner = t
    return array


# ---- __cuda_array_interface__


def test_what_the_interface_says():
    t = on_device(np.arange(12, dtype=np.float32).reshape(3, 4))
    face = t.__cuda_array_interface__
    assert face == {
        "version": 3,
        "shape": (3, 4),
        "strides": None,
        "typestr": "<f4",
        "descr": [("", "<f4")],
        "data": (t.data_ptr(), False),
        "stream": 1,
    }
    assert t.t()[::2].__cuda_array_interface__["strides"] == (8, 16)
    assert td.zeros(0, 3, device="cuda").__cuda_array_interface__["data"][0] == 0
    s = td.cuda.Stream()
    with td.cuda.stream(s):
        assert t.__cuda_array_interface__["stream"] == s.cuda_stream
    assert not hasattr(t.cpu(), "__cuda_array_interface__")
    assert not hasattr(td.zeros(2, dtype=td.bfloat16, device="cuda"), "__cuda_array_interface__")
    with pytest.raises(AttributeError, match="bfloat16"):
        td.zeros(2, dtype=td.bfloat16, device="cuda").__cuda_array_interface__


@pytest.mark.parametrize("make", [td.as_tensor, td.asarray])
def test_another_librarys_array_is_shared(make):
    t = on_device(np.arange(12, dtype=np.int32).reshape(3, 4))
    for view in (t, t.t(), t[1:, ::2], t[::-1]):
        ours = make(interface_of(view))
        assert ours.data_ptr() == view.data_ptr() and ours.device == t.device
        assert ours.dtype is td.int32 and ours.tolist() == view.tolist()
    make(interface_of(t))[0, 0] = 50
    assert t[0, 0].item() == 50
    copy = td.tensor(interface_of(t))
    assert copy.data_ptr() != t.data_ptr() and td.equal(copy, t)
    assert make(interface_of(t), dtype=td.float32).dtype is td.float32
    assert make(interface_of(t), device="cpu").device.type == "cpu"
    assert td.as_tensor(Interface(shape=(0, 2), typestr="<f8", data=(0, False))).shape == (0, 2)


def test_read_only_arrays_stay_so():
    t = on_device(np.arange(3.0))
    ours = td.as_tensor(interface_of(t, data=(t.data_ptr(), True)))
    for write in (lambda: ours.add_(1), lambda: ours.copy_(td.zeros(3)), lambda: ours.__setitem__(0, 1)):
        with pytest.raises(ValueError, match="read-only"):
            write()
    assert ours.__cuda_array_interface__["data"] == (t.data_ptr(), True)
    assert (ours + 1).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"mask": object()}, ValueError, "mask"),
        ({"stream": 0}, ValueError, "stream"),
        ({"typestr": ">f4"}, TypeError, ">f4"),
        ({"typestr": "|V8"}, TypeError, "V8"),
        ({"strides": (3,)}, ValueError, "multiples"),
        ({"strides": (4, 4)}, RuntimeError, "strides"),
        ({"shape": (-1,)}, ValueError, "negative"),
        ({"shape": (2**62,)}, ValueError, ""),
        ({"data": (2, False)}, ValueError, "aligned"),
        ({"data": (0, False)}, ValueError, "null"),
    ],
)
def test_wrong_interfaces_are_refused_and_leak_nothing(changes, error, message):
    array = interface_of(on_device(np.arange(3, dtype=np.float32)), **changes)
    count = sys.getrefcount(array)
    with pytest.raises(error) as caught:
        td.as_tensor(array)
    assert message in str(caught.value)
    del caught
    gc.collect()
    assert sys.getrefcount(array) == count


def test_the_current_stream_waits_for_the_arrays():
    s, other = td.cuda.Stream(), td.cuda.Stream()
    with td.cuda.stream(s):
        t = on_device(np.arange(1000.0)) + 1
        array = interface_of(t)
    with td.cuda.stream(other):
        ours = td.as_tensor(array) * 2
        assert ours.tolist() == [2 * (i + 1) for i in range(1000)]
    if CHECKED:  # the same without a wait is a mistake that the checker sees
        with td.cuda.stream(s):
            t = on_device(np.arange(1000.0)) + 1
            array = interface_of(t, stream=None)
        with td.cuda.stream(other), pytest.raises(td.DeviceError, match="stream"):
            td.as_tensor(array) * 2
    td.cuda.synchronize()


# ---- DLPack


class Asked:
    """Passes a tensor on and remembers the stream that was asked for."""

    def __init__(self, t):
        self.t, self.streams = t, []

    def __dlpack_device__(self):
        return self.t.__dlpack_device__()

    def __dlpack__(self, *, stream=None, **keywords):
        self.streams.append(stream)
        return self.t.__dlpack__(stream=stream, **keywords)


def test_tensors_stay_on_their_device():
    t = on_device(np.arange(6).reshape(2, 3))
    assert t.__dlpack_device__() == (2, t.device.index)
    for keywords in ({}, {"copy": False}, {"device": "cuda"}, {"device": t.device}):
        back = td.from_dlpack(t.t(), **keywords)
        assert back.data_ptr() == t.data_ptr() and back.device == t.device and back.stride() == (1, 3)
    copy = td.from_dlpack(t, copy=True)
    assert copy.data_ptr() != t.data_ptr() and td.equal(copy, t)


def test_copies_to_the_host_and_back():
    t = on_device(np.arange(6).reshape(2, 3))
    host = td.from_dlpack(t, device="cpu")
    assert host.is_cpu and host.tolist() == t.tolist()
    assert td.from_dlpack(t.__dlpack__(dl_device=(1, 0), stream=1)).is_cpu
    with pytest.raises(BufferError, match="copy=False"):
        t.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        td.from_dlpack(t, device="cpu", copy=False)
    there = td.from_dlpack(host, device="cuda")
    assert there.device == t.device and td.equal(there, t)
    assert td.from_dlpack(host.__dlpack__(dl_device=(2, 0))).is_cuda
    with pytest.raises(ValueError, match="copy=False"):
        td.from_dlpack(host, device="cuda", copy=False)
    assert np.from_dlpack(t, device="cpu").tolist() == t.tolist()


def test_pinned_memory_is_memory_of_the_cpu():
    t = td.arange(4).pin_memory()
    assert t.__dlpack_device__() == (1, 0) and np.shares_memory(np.from_dlpack(t), t.numpy())


def test_the_producer_is_told_the_current_stream():
    asked = Asked(on_device(np.arange(3.0)))
    td.from_dlpack(asked)
    s = td.cuda.Stream()
    s.wait_stream(td.cuda.current_stream())
    with td.cuda.stream(s):
        td.from_dlpack(asked)
    assert asked.streams == [1, s.cuda_stream]
    td.cuda.synchronize()


@pytest.mark.parametrize("stream", [0, -2])
def test_streams_that_say_nothing_are_refused(stream):
    with pytest.raises(ValueError, match="stream"):
        on_device([1.0]).__dlpack__(stream=stream)


def test_the_consumers_stream_waits_for_the_producers():
    a, b = td.cuda.Stream(), td.cuda.Stream()
    for handle, consumer in ((b.cuda_stream, b), (None, td.cuda.default_stream()), (1, td.cuda.default_stream())):
        with td.cuda.stream(a):
            t = on_device(np.arange(1000.0)) + 1
            capsule = t.__dlpack__(stream=handle, max_version=(1, 0))
        with td.cuda.stream(consumer):
            assert (td.from_dlpack(capsule) * 2).tolist() == [2 * (i + 1) for i in range(1000)]
    with td.cuda.stream(a):
        t = on_device(np.arange(1000.0)) + 1
        capsule = t.__dlpack__(stream=-1)
    if CHECKED:
        with td.cuda.stream(b), pytest.raises(td.DeviceError, match="stream"):
            td.from_dlpack(capsule) * 2
    with td.cuda.stream(a):
        assert td.from_dlpack(t.__dlpack__(stream=2)).shape == (1000,)
    td.cuda.synchronize()


def test_nothing_waits_on_the_host():
    """Inside a capture every wait of the host is an error."""
    x = on_device(np.arange(10.0))
    g = td.cuda.CUDAGraph()
    with td.cuda.graph(g):
        handle = td.cuda.current_stream().cuda_stream
        y = td.from_dlpack(x.__dlpack__(stream=handle, max_version=(1, 0))) * 2
        z = td.as_tensor(interface_of(y)) + 1
    g.replay()
    assert z.tolist() == [2 * i + 1 for i in range(10)]


def test_memory_is_given_back_and_not_before():
    before = allocated()
    for make in (
        lambda t: td.from_dlpack(t),
        lambda t: td.from_dlpack(t.__dlpack__()),
        lambda t: td.as_tensor(interface_of(t)),
        lambda t: td.from_dlpack(t, copy=True),
    ):
        t = on_device(np.arange(1000.0))
        other = make(t)
        del t
        gc.collect()
        filler = [td.zeros(1000, device="cuda", dtype=td.float64) for _ in range(4)]
        assert other.tolist() == list(range(1000)) and filler
        assert allocated() > before
        del other, filler
        assert allocated() == before
    capsule = on_device(np.arange(1000.0)).__dlpack__(stream=1)
    assert allocated() > before
    del capsule
    assert allocated() == before


def test_memory_used_on_another_stream_is_not_given_out_early():
    """What the consumer's stream does with the memory is done before the pool gives it to others."""
    a, b = td.cuda.Stream(), td.cuda.Stream()
    for _ in range(5):
        with td.cuda.stream(a):
            t = on_device(np.arange(5000.0))
            capsule = t.__dlpack__(stream=b.cuda_stream, max_version=(1, 1))
            del t
        with td.cuda.stream(b):
            y = td.from_dlpack(capsule) + 1
        del capsule
        gc.collect()
        with td.cuda.stream(a):
            filler = td.zeros(5000, dtype=td.float64, device="cuda")
            assert filler.sum().item() == 0
        with td.cuda.stream(b):
            assert y.sum().item() == 5000 * 5001 / 2
    td.cuda.synchronize()


def test_pytorch():
    torch = pytest.importorskip("torch")
    if os.environ.get("TANDEM_SIMULATED") or not torch.cuda.is_available():
        pytest.skip("PyTorch has no GPU")
    t = on_device(np.arange(6, dtype=np.float32))
    theirs = torch.from_dlpack(t)
    theirs += 1
    torch.cuda.synchronize()
    assert t.tolist() == [1, 2, 3, 4, 5, 6]
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        big = torch.arange(1_000_000, device="cuda") * 2
        ours = td.from_dlpack(big)  # Tandem's stream waits for PyTorch's
        total = ours.sum()
    assert total.item() == 999_999 * 1_000_000
    assert td.as_tensor(theirs).data_ptr() == theirs.data_ptr()
    assert torch.as_tensor(t, device="cuda").data_ptr() == t.data_ptr()


def test_cupy():
    cupy = pytest.importorskip("cupy")
    t = on_device(np.arange(6, dtype=np.float32))
    theirs = cupy.from_dlpack(t)
    theirs *= 2
    cupy.cuda.Stream.null.synchronize()
    assert t.tolist() == [0, 2, 4, 6, 8, 10]
    assert td.as_tensor(theirs).data_ptr() == theirs.data.ptr
    assert cupy.asarray(t).data.ptr == t.data_ptr()
