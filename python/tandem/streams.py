"""Streams, events and graphs of CUDA devices, in PyTorch's forms. tandem.cuda has them too.

A tensor remembers the streams that ops used it on, so that its memory goes to no one else before their work is
done: record_stream is only for work that Tandem did not queue.
"""

from __future__ import annotations

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tandem import device as _device
    from tandem._types import DeviceLike


class Stream:
    """A queue of work on a device, from Tandem's pool of streams; `owned` streams are destroyed by destroy().

    priority: lower numbers come first; 0 is always one of them.

    DeviceError where there is no CUDA device.

    >>> if tandem.cuda.is_available():
    ...     s = tandem.cuda.Stream()
    ...     with tandem.cuda.stream(s):
    ...         x = tandem.ones(3, device="cuda") * 2
    ...     s.synchronize()
    ...     assert x.cpu().tolist() == [2.0, 2.0, 2.0]
    """

    def __init__(
        self, device: DeviceLike | None = None, priority: int = 0, *, owned: bool = False, _stream: object = None
    ) -> None:
        self._stream = _tandem._make_stream(device, priority, owned) if _stream is None else _stream

    @property
    def device(self) -> _device:
        """The stream's device.

        >>> if tandem.cuda.is_available():
        ...     assert tandem.cuda.Stream().device.type == "cuda"
        """
        return self._stream.device

    @property
    def cuda_stream(self) -> int:
        """The native handle, an integer; 0 is the default stream.

        >>> if tandem.cuda.is_available():
        ...     assert tandem.cuda.default_stream().cuda_stream == 0
        """
        return self._stream.handle

    @property
    def stream_id(self) -> int:
        """Never reused, unlike the native handle.

        >>> if tandem.cuda.is_available():
        ...     s = tandem.cuda.Stream()
        ...     assert s.stream_id == s.stream_id
        """
        return self._stream.id

    def synchronize(self) -> None:
        """Waits until all work of the stream is done; raises errors of that work.

        >>> if tandem.cuda.is_available():
        ...     tandem.cuda.Stream().synchronize()
        """
        self._stream.synchronize()

    def query(self) -> bool:
        """Whether all work is done; does not wait.

        >>> if tandem.cuda.is_available():
        ...     s = tandem.cuda.Stream()
        ...     s.synchronize()
        ...     assert s.query()
        """
        return self._stream.query()

    def record_event(self, event: Event | None = None) -> Event:
        """Marks the present end of the stream's work; the event.

        >>> if tandem.cuda.is_available():
        ...     tandem.cuda.Stream().record_event().synchronize()
        """
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Makes the stream's work from now on wait for an event.

        >>> if tandem.cuda.is_available():
        ...     first, second = tandem.cuda.Stream(), tandem.cuda.Stream()
        ...     second.wait_event(first.record_event())
        """
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Makes the stream's work from now on wait for what another has to do by now.

        >>> if tandem.cuda.is_available():
        ...     first, second = tandem.cuda.Stream(), tandem.cuda.Stream()
        ...     second.wait_stream(first)
        """
        stream.record_event().wait(self)

    def destroy(self) -> None:
        """Ends a stream made with owned=True. Does not wait; every later use is an error.

        >>> if tandem.cuda.is_available():
        ...     tandem.cuda.Stream(owned=True).destroy()
        """
        self._stream.destroy()

    def retire(self) -> None:
        """To be called before the owner of an ExternalStream destroys it. ValueError for a stream of Tandem's own.

        >>> if tandem.cuda.is_available():
        ...     try:
        ...         tandem.cuda.Stream().retire()
        ...     except ValueError:
        ...         pass
        """
        self._stream.retire()

    @staticmethod
    def priority_range(device: DeviceLike | None = None) -> tuple[int, int]:
        """The least and the greatest priority of the device's streams.

        >>> if tandem.cuda.is_available():
        ...     least, greatest = tandem.cuda.Stream.priority_range()
        ...     assert greatest <= 0 <= least
        """
        return _tandem._stream_priority_range(device)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._stream.id == other._stream.id

    def __hash__(self) -> int:
        return hash(self._stream.id)

    def __repr__(self) -> str:
        return f"<tandem.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that the caller owns, by its native handle. It must outlive the memory that was used on it, or be
    retired before it is destroyed.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.ExternalStream(0) == tandem.cuda.default_stream()
    """

    def __init__(self, stream_ptr: int, device: DeviceLike | None = None) -> None:
        super().__init__(_stream=_tandem._wrap_stream(device, stream_ptr))


class Event:
    """A point in a stream's work. The flags are PyTorch's: events here carry no time.

    NotImplementedError for enable_timing and interprocess.

    >>> if tandem.cuda.is_available():
    ...     e = tandem.cuda.Event()
    ...     e.record()
    ...     e.synchronize()
    ...     assert e.query()
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        for name, flag in (("enable_timing", enable_timing), ("interprocess", interprocess)):
            if flag:
                raise errors.NotImplementedError(f"[Event] argument '{name}': expected False, got {flag}")
        self._event = _tandem._Event()

    def record(self, stream: Stream | None = None) -> None:
        """Marks the present end of a stream's work; the current one's by default.

        >>> if tandem.cuda.is_available():
        ...     tandem.cuda.Event().record(tandem.cuda.Stream())
        """
        self._event.record((stream or current_stream())._stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Makes a stream's work from now on wait for the point; does not wait itself.

        >>> if tandem.cuda.is_available():
        ...     e = tandem.cuda.Event()
        ...     e.record()
        ...     e.wait(tandem.cuda.Stream())
        """
        self._event.wait((stream or current_stream())._stream)

    def synchronize(self) -> None:
        """Waits for the point.

        >>> if tandem.cuda.is_available():
        ...     e = tandem.cuda.Event()
        ...     e.record()
        ...     e.synchronize()
        """
        self._event.synchronize()

    def query(self) -> bool:
        """Whether the point has passed; does not wait.

        >>> if tandem.cuda.is_available():
        ...     assert tandem.cuda.Event().query()
        """
        return self._event.query()


def current_stream(device: DeviceLike | None = None) -> Stream:
    """The stream that this thread's calls on the device go to.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.current_stream() == tandem.cuda.default_stream()
    """
    return Stream(_stream=_tandem._current_stream(device))


def default_stream(device: DeviceLike | None = None) -> Stream:
    """The device's default stream.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.default_stream().cuda_stream == 0
    """
    return Stream(_stream=_tandem._wrap_stream(device, 0))


class stream:
    """Makes a stream current on this thread inside `with`; None: changes nothing.

    >>> with tandem.cuda.stream(None):
    ...     x = tandem.ones(3)
    >>> if tandem.cuda.is_available():
    ...     s = tandem.cuda.Stream()
    ...     with tandem.cuda.stream(s):
    ...         assert tandem.cuda.current_stream() == s
    """

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self.stream._stream.push()

    def __exit__(self, *error: object) -> None:
        if self.stream is not None:
            _tandem._pop_stream()


class CUDAGraph:
    """Work of a device recorded once and launched as a whole, many times, on the same memory. See tandem.cuda.graph.

    >>> if tandem.cuda.is_available():
    ...     x, g = tandem.ones(3, device="cuda"), tandem.cuda.CUDAGraph()
    ...     with tandem.cuda.graph(g):
    ...         y = x * 2
    ...     x = x.fill_(5)
    ...     g.replay()
    ...     assert y.cpu().tolist() == [10.0, 10.0, 10.0]
    """

    def __init__(self) -> None:
        self._graph = _tandem._Graph()

    def capture_begin(self, stream: Stream | None = None) -> None:
        """Begins to record a stream, by default the current one, which may not be the default stream. A graph that
        has work already takes the new work over when the capture ends.

        DeviceError for the default stream.

        >>> if tandem.cuda.is_available():
        ...     g = tandem.cuda.CUDAGraph()
        ...     with tandem.cuda.stream(tandem.cuda.Stream()):
        ...         g.capture_begin()
        ...         kept = g.capture_end()
        """
        self._graph.begin((stream or current_stream())._stream)

    def capture_end(self) -> bool:
        """Ends the capture. True where the graph's executable was kept, because the new work has the old one's shape.

        >>> if tandem.cuda.is_available():
        ...     g = tandem.cuda.CUDAGraph()
        ...     with tandem.cuda.stream(tandem.cuda.Stream()):
        ...         g.capture_begin()
        ...         x = tandem.ones(3, device="cuda")
        ...         kept = g.capture_end()
        """
        return self._graph.end()

    def replay(self) -> None:
        """Runs the work on the current stream. Does not wait.

        DeviceError where nothing was captured.

        >>> if tandem.cuda.is_available():
        ...     g = tandem.cuda.CUDAGraph()
        ...     with tandem.cuda.graph(g):
        ...         x = tandem.ones(3, device="cuda")
        ...     g.replay()
        """
        self._graph.replay()

    def reset(self) -> None:
        """Lets the work and its memory go, when the replays are done with it.

        >>> if tandem.cuda.is_available():
        ...     tandem.cuda.CUDAGraph().reset()
        """
        self._graph.reset()

    @property
    def nodes(self) -> int:
        """How many kernels, copies and fills the work has.

        >>> if tandem.cuda.is_available():
        ...     g = tandem.cuda.CUDAGraph()
        ...     with tandem.cuda.graph(g):
        ...         x = tandem.ones(3, device="cuda")
        ...     assert g.nodes == 1
        """
        return self._graph.nodes


class graph:
    """Records the calls inside `with` into a CUDAGraph instead of running them.

    stream: the one to record; by default a stream from Tandem's pool, which is made to wait for the current one's work.
    An exception inside gives the capture up, and the graph is as it was. A call that waits for the device (item(),
    printing, a copy to the host, nonzero, ...) is an error that names it.

    NotImplementedError for pool and capture_error_mode.

    >>> if tandem.cuda.is_available():
    ...     x, g = tandem.ones(3, device="cuda"), tandem.cuda.CUDAGraph()
    ...     with tandem.cuda.graph(g):
    ...         y = x * 2
    ...     g.replay()
    ...     assert y.cpu().tolist() == [2.0, 2.0, 2.0]
    """

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: None = None,
        stream: Stream | None = None,
        capture_error_mode: None = None,
    ) -> None:
        for name, given in (("pool", pool), ("capture_error_mode", capture_error_mode)):
            if given is not None:
                raise errors.NotImplementedError(f"[graph] argument '{name}': expected None, got {given}")
        self.cuda_graph = cuda_graph
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is None:
            self.stream = Stream()
        self._before = current_stream(self.stream.device)
        self.stream.wait_stream(self._before)
        self.cuda_graph.capture_begin(self.stream)

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self.cuda_graph.capture_end()
        else:
            self.cuda_graph._graph.abandon()


def current_device() -> int:
    """The index of the device that "cuda" stands for on this thread.

    >>> if tandem.cuda.is_available():
    ...     assert tandem.cuda.current_device() == 0
    """
    return _tandem._current_device()


def set_device(device: DeviceLike) -> None:
    """Makes a device ("cuda:1", or its index) the one that "cuda" stands for on this thread.

    DeviceError for a device that is not there.

    >>> if tandem.cuda.is_available():
    ...     tandem.cuda.set_device(0)
    """
    _tandem._set_device(device)


class device:
    """Makes a device the current one of this thread inside `with`; None, or a negative index: changes nothing.

    DeviceError for a device that is not there.

    >>> with tandem.cuda.device(None):
    ...     x = tandem.ones(3)
    """

    def __init__(self, device: DeviceLike | None) -> None:
        self.device = None if isinstance(device, int) and device < 0 else device

    def __enter__(self) -> None:
        if self.device is not None:
            self._before = current_device()
            set_device(self.device)

    def __exit__(self, *error: object) -> None:
        if self.device is not None:
            set_device(self._before)
