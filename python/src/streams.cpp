// Streams, events and graphs of CUDA devices; tandem/streams.py has their PyTorch faces.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <string>
#include <vector>

#include "convert.h"
#include "tandem/graph.h"
#include "tandem/stream.h"

namespace tandem::python {
namespace {

/// The streams that this thread made current, in order.
thread_local std::vector<std::unique_ptr<StreamGuard>> pushed;

Device stream_device(nb::handle o, const char* op) {
  if (o.is_none()) return kCUDA;
  std::optional<Device> d = to_device(o.ptr());
  if (const auto i = to_int(o.ptr())) d = Device(DeviceKind::CUDA, static_cast<int>(*i));
  TANDEM_EXPECTS(d.has_value(), TypeError,
                 std::string("[") + op + "] expected a device, got " + type_name(o.ptr()));
  return *d;
}

void init_streams(nb::module_& m) {
  nb::class_<Stream>(m, "_Stream")
      .def_prop_ro("device", [](const Stream& s) { return nb::steal(wrap(s.device())); })
      .def_prop_ro("handle",
                   [](const Stream& s) { return reinterpret_cast<std::uintptr_t>(s.native()); })
      .def_prop_ro("id", &Stream::id)
      .def("synchronize", &Stream::synchronize, nb::call_guard<nb::gil_scoped_release>())
      .def("query", &Stream::query)
      .def("destroy", &Stream::destroy)
      .def("retire", &Stream::retire)
      .def("push", [](const Stream& s) {
        pushed.reserve(pushed.size() + 1);
        pushed.push_back(std::make_unique<StreamGuard>(s));
      });
  m.def("_pop_stream", [] {
    TANDEM_EXPECTS(!pushed.empty(), ValueError,
                   "[stream] expected a stream that this thread made current, got none");
    pushed.pop_back();
  });
  m.def(
      "_make_stream",
      [](nb::handle device, int priority, bool owned) {
        const Device d = stream_device(device, "Stream");
        return owned ? Stream::create_owned(d, priority) : Stream::create(d, priority);
      },
      nb::arg("device").none(), nb::arg("priority"), nb::arg("owned"));
  m.def(
      "_wrap_stream",
      [](nb::handle device, std::uintptr_t handle) {
        return Stream::wrap(stream_device(device, "ExternalStream"),
                            reinterpret_cast<void*>(handle));
      },
      nb::arg("device").none(), nb::arg("handle"));
  m.def(
      "_current_stream",
      [](nb::handle device) { return current_stream(stream_device(device, "current_stream")); },
      nb::arg("device").none());
  m.def(
      "_stream_priority_range",
      [](nb::handle device) {
        const StreamPriorities r = stream_priority_range(stream_device(device, "Stream"));
        return nb::make_tuple(r.least, r.greatest);
      },
      nb::arg("device").none());
  m.def("_record_stream", [](nb::handle tensor, const Stream& s) {
    TANDEM_EXPECTS(is_tensor(tensor.ptr()), TypeError,
                   "[record_stream] expected a tensor, got " + type_name(tensor.ptr()));
    static_cast<void>(as_tensor(tensor.ptr()).data(s));
  });
}

void init_events(nb::module_& m) {
  nb::class_<Event>(m, "_Event")
      .def(nb::init<>())
      .def("record", &Event::record)
      .def("wait", &Event::wait, nb::call_guard<nb::gil_scoped_release>())
      .def("synchronize", &Event::synchronize, nb::call_guard<nb::gil_scoped_release>())
      .def("query", &Event::query);
}

/// A capture that is under way, or the graph that it became.
struct PyGraph {
  std::unique_ptr<GraphCapture> capture;
  Graph graph;
};

void init_graphs(nb::module_& m) {
  nb::class_<PyGraph>(m, "_Graph")
      .def(nb::init<>())
      .def("begin",
           [](PyGraph& g, const Stream& s) {
             TANDEM_EXPECTS(g.capture == nullptr, ValueError,
                            "[capture_begin] expected a graph that is not being captured, got one "
                            "that is");
             g.capture = std::make_unique<GraphCapture>(s);
           })
      .def("end",
           [](PyGraph& g) {
             TANDEM_EXPECTS(g.capture != nullptr, ValueError,
                            "[capture_end] expected a graph that is being captured, got one that "
                            "is not");
             const std::unique_ptr<GraphCapture> ended = std::move(g.capture);
             return ended->end_into(g.graph);
           })
      .def("abandon", [](PyGraph& g) { g.capture.reset(); })
      .def("replay", [](const PyGraph& g) { g.graph.replay(); })
      .def("reset",
           [](PyGraph& g) {
             g.capture.reset();
             g.graph = Graph();
           })
      .def_prop_ro("nodes", [](const PyGraph& g) { return g.graph.nodes(); });
}

}  // namespace

void init_cuda_streams(nb::module_& m) {
  m.def("_current_device", [] { return static_cast<int>(current_device(DeviceKind::CUDA).index); });
  m.def("_set_device", [](nb::handle device) {
    const Device d = stream_device(device, "set_device");
    TANDEM_EXPECTS(d.is_cuda(), ValueError, "[set_device] expected a CUDA device, got " + d.str());
    set_current_device(d);
  });
  init_streams(m);
  init_events(m);
  init_graphs(m);
}

}  // namespace tandem::python
