"""Streams, events and graphs of CUDA devices, in PyTorch's forms. tandem.cuda has them too.

A tensor remembers the streams that ops used it on, so that its memory goes to no one else before their work is
done: record_stream is only for work that Tandem did not queue.
"""

from tandem import _tandem, errors


class Stream:
    """A queue of work on a device, from Tandem's pool of streams; `owned` streams are destroyed by destroy().

    priority: lower numbers come first; 0 is always one of them.
    """

    def __init__(self, device=None, priority=0, *, owned=False, _stream=None):
        self._stream = _tandem._make_stream(device, priority, owned) if _stream is None else _stream

    @property
    def device(self):
        return self._stream.device

    @property
    def cuda_stream(self):
        """The native handle, an integer; 0 is the default stream."""
        return self._stream.handle

    @property
    def stream_id(self):
        """Never reused, unlike the native handle."""
        return self._stream.id

    def synchronize(self):
        """Waits until all work of the stream is done; raises errors of that work."""
        self._stream.synchronize()

    def query(self):
        """Whether all work is done; does not wait."""
        return self._stream.query()

    def record_event(self, event=None):
        """Marks the present end of the stream's work; the event."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Makes the stream's work from now on wait for an event."""
        event.wait(self)

    def wait_stream(self, stream):
        """Makes the stream's work from now on wait for what another has to do by now."""
        stream.record_event().wait(self)

    def destroy(self):
        """Ends a stream made with owned=True. Does not wait; every later use is an error."""
        self._stream.destroy()

    def retire(self):
        """To be called before the owner of an ExternalStream destroys it."""
        self._stream.retire()

    @staticmethod
    def priority_range(device=None):
        """The least and the greatest priority of the device's streams."""
        return _tandem._stream_priority_range(device)

    def __eq__(self, other):
        return isinstance(other, Stream) and self._stream.id == other._stream.id

    def __hash__(self):
        return hash(self._stream.id)

    def __repr__(self):
        return f"<tandem.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that the caller owns, by its native handle. It must outlive the memory that was used on it, or be
    retired before it is destroyed."""

    def __init__(self, stream_ptr, device=None):
        super().__init__(_stream=_tandem._wrap_stream(device, stream_ptr))


class Event:
    """A point in a stream's work. The flags are PyTorch's: events here carry no time."""

    def __init__(self, enable_timing=False, blocking=False, interprocess=False):
        for name, flag in (("enable_timing", enable_timing), ("interprocess", interprocess)):
            if flag:
                raise errors.NotImplementedError(f"[Event] argument '{name}': expected False, got {flag}")
        self._event = _tandem._Event()

    def record(self, stream=None):
        """Marks the present end of a stream's work; the current one's by default."""
        self._event.record((stream or current_stream())._stream)

    def wait(self, stream=None):
        """Makes a stream's work from now on wait for the point; does not wait itself."""
        self._event.wait((stream or current_stream())._stream)

    def synchronize(self):
        """Waits for the point."""
        self._event.synchronize()

    def query(self):
        """Whether the point has passed; does not wait."""
        return self._event.query()


def current_stream(device=None):
    """The stream that this thread's calls on the device go to."""
    return Stream(_stream=_tandem._current_stream(device))


def default_stream(device=None):
    """The device's default stream."""
    return Stream(_stream=_tandem._wrap_stream(device, 0))


class stream:
    """Makes a stream current on this thread inside `with`; None: changes nothing."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        if self.stream is not None:
            self.stream._stream.push()

    def __exit__(self, *error):
        if self.stream is not None:
            _tandem._pop_stream()


class CUDAGraph:
    """Work of a device recorded once and launched as a whole, many times, on the same memory. See tandem.cuda.graph."""

    def __init__(self):
        self._graph = _tandem._Graph()

    def capture_begin(self, stream=None):
        """Begins to record a stream, by default the current one, which may not be the default stream. A graph that
        has work already takes the new work over when the capture ends."""
        self._graph.begin((stream or current_stream())._stream)

    def capture_end(self):
        """Ends the capture. True where the graph's executable was kept, because the new work has the old one's shape."""
        return self._graph.end()

    def replay(self):
        """Runs the work on the current stream. Does not wait."""
        self._graph.replay()

    def reset(self):
        """Lets the work and its memory go, when the replays are done with it."""
        self._graph.reset()

    @property
    def nodes(self):
        """How many kernels, copies and fills the work has."""
        return self._graph.nodes


class graph:
    """Records the calls inside `with` into a CUDAGraph instead of running them.

    stream: the one to record; by default a stream from Tandem's pool, which is made to wait for the current one's work.
    An exception inside gives the capture up, and the graph is as it was. A call that waits for the device (item(),
    printing, a copy to the host, nonzero, ...) is an error that names it.
    """

    def __init__(self, cuda_graph, pool=None, stream=None, capture_error_mode=None):
        for name, given in (("pool", pool), ("capture_error_mode", capture_error_mode)):
            if given is not None:
                raise errors.NotImplementedError(f"[graph] argument '{name}': expected None, got {given}")
        self.cuda_graph = cuda_graph
        self.stream = stream

    def __enter__(self):
        if self.stream is None:
            self.stream = Stream()
        self._before = current_stream(self.stream.device)
        self.stream.wait_stream(self._before)
        self.cuda_graph.capture_begin(self.stream)

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.cuda_graph.capture_end()
        else:
            self.cuda_graph._graph.abandon()
