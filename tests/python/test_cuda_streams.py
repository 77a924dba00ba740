# Streams, events and graphs from Python, against NumPy. Without a GPU on the simulated device (CTest cuda.sim.python).
import numpy as np
import pytest

import tandem

needs_gpu = pytest.mark.skipif(not tandem.cuda.is_available(), reason=tandem.cuda.status())


def numbers(n, first=0):
    return np.arange(first, first + n, dtype=np.float32)


def on_device(array):
    return tandem.tensor(array).to("cuda")


def test_without_a_device_every_call_says_why():
    if tandem.cuda.is_available():
        pytest.skip("there is a device")
    for call in (tandem.cuda.Stream, tandem.cuda.current_stream, tandem.cuda.default_stream):
        with pytest.raises(tandem.errors.DeviceError):
            call()
    with pytest.raises(tandem.errors.DeviceError):
        with tandem.cuda.graph(tandem.cuda.CUDAGraph()):
            pass


@needs_gpu
def test_a_stream_is_current_inside_with():
    before = tandem.cuda.current_stream()
    assert before == tandem.cuda.default_stream()
    s = tandem.cuda.Stream()
    assert s != before and s.cuda_stream != 0 and s.device.type == "cuda"
    with tandem.cuda.stream(s):
        assert tandem.cuda.current_stream() == s
        with tandem.cuda.stream(None):
            assert tandem.cuda.current_stream() == s
        x = on_device(numbers(100)) * 2
    assert tandem.cuda.current_stream() == before
    before.wait_stream(s)
    x.record_stream(before)
    assert np.array_equal((x + 1).cpu().numpy(), numbers(100) * 2 + 1)
    again = tandem.cuda.ExternalStream(s.cuda_stream)
    assert again == s and hash(again) == hash(s)
    assert hex(s.cuda_stream) in repr(s)


@needs_gpu
def test_the_guard_is_undone_by_an_exception():
    before = tandem.cuda.current_stream()
    with pytest.raises(RuntimeError, match="the user's"):
        with tandem.cuda.stream(tandem.cuda.Stream()):
            raise RuntimeError("the user's")
    assert tandem.cuda.current_stream() == before


@needs_gpu
def test_events_order_streams():
    a, b = tandem.cuda.Stream(), tandem.cuda.Stream(priority=tandem.cuda.Stream.priority_range()[1])
    with tandem.cuda.stream(a):
        x = on_device(numbers(1000)) + 1
        event = a.record_event()
    b.wait_event(event)
    with tandem.cuda.stream(b):
        y = x * 3
    event.synchronize()
    assert event.query()
    b.synchronize()
    assert b.query()
    assert np.array_equal(y.cpu().numpy(), (numbers(1000) + 1) * 3)
    with pytest.raises(NotImplementedError, match="enable_timing"):
        tandem.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match="priority"):
        tandem.cuda.Stream(priority=1000)


@needs_gpu
def test_owned_streams_end():
    s = tandem.cuda.Stream(owned=True)
    with tandem.cuda.stream(s):
        x = on_device(numbers(10))
    s.synchronize()
    s.destroy()
    with pytest.raises(tandem.errors.DeviceError, match="that lives"):
        s.query()
    with pytest.raises(ValueError, match="create_owned"):
        tandem.cuda.Stream().destroy()
    assert np.array_equal(x.cpu().numpy(), numbers(10))


@needs_gpu
def test_a_graph_is_replayed_on_new_inputs():
    x = on_device(numbers(1000))
    g = tandem.cuda.CUDAGraph()
    with tandem.cuda.graph(g):
        y = (x * 2 + 1).sqrt()
        total = y.sum()
    assert g.nodes >= 3
    for first in (0, 5, 100):
        x.copy_(tandem.tensor(numbers(1000, first)))
        g.replay()
        want = np.sqrt(numbers(1000, first) * 2 + 1)
        assert np.array_equal(y.cpu().numpy(), want)
        assert np.isclose(total.item(), want.astype(np.float64).sum(), rtol=1e-6)
    with tandem.cuda.graph(g):  # again, with other work
        y = x - 1
    g.replay()
    assert np.array_equal(y.cpu().numpy(), numbers(1000, 100) - 1)
    g.reset()
    with pytest.raises(ValueError, match="an empty graph"):
        g.replay()
    assert np.array_equal(y.cpu().numpy(), numbers(1000, 100) - 1)


@needs_gpu
@pytest.mark.parametrize(
    ("op", "call"),
    [
        ("item", lambda x: x[0].item()),
        ("nonzero", lambda x: x.nonzero()),
        ("index", lambda x: x[x > 3]),
        ("to", lambda x: x.cpu()),
        ("synchronize", lambda x: tandem.cuda.synchronize()),
        ("print", lambda x: repr(x)),
    ],
)
def test_a_wait_inside_names_itself_and_leaves_the_graph_as_it_was(op, call):
    x = on_device(numbers(10))
    g = tandem.cuda.CUDAGraph()
    with tandem.cuda.graph(g):
        y = x + 1
    with pytest.raises(tandem.errors.DeviceError, match=r"captured into a graph") as error:
        with tandem.cuda.graph(g):
            call(x)
    assert str(error.value).startswith(f"[{op}]"), str(error.value)
    assert tandem.cuda.current_stream() == tandem.cuda.default_stream()
    g.replay()
    assert np.array_equal(y.cpu().numpy(), numbers(10) + 1)


@needs_gpu
def test_a_wait_that_is_caught_inside_still_spoils_the_capture():
    x = on_device(numbers(10))
    g = tandem.cuda.CUDAGraph()
    with pytest.raises(tandem.errors.DeviceError, match=r"^\[item\]"):
        with tandem.cuda.graph(g):
            try:
                x[0].item()
            except tandem.errors.DeviceError:
                pass
    with pytest.raises(ValueError, match=r"^\[capture_end\]"):
        g.capture_end()


@needs_gpu
def test_the_default_stream_cannot_be_captured():
    with pytest.raises(ValueError, match="other than the default one"):
        tandem.cuda.CUDAGraph().capture_begin()
