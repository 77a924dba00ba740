// Graphs: capture, update, replay, and what becomes of both when they end or fail.
#include "tandem/graph.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "tandem/error.h"

namespace tandem {

using detail::Recording;

namespace {

/// The backend of a device that can record; raises where it cannot.
const BackendTable& recording_backend(const Stream& stream) {
  const Device device = stream.device();
  TANDEM_EXPECTS(
      !device.is_cpu() && !device.is_meta(), DeviceError,
      "[graph] expected a stream of a device that can record its work, got one of " + device.str());
  const BackendTable* backend = backend_for(device.kind);
  TANDEM_EXPECTS(
      backend != nullptr, DeviceError,
      "[graph] expected a usable device, got " + device.str() + ": " + device_status(device.kind));
  TANDEM_EXPECTS(backend->driver.capture_begin != nullptr, DeviceError,
                 "[graph] expected a device that can record its work, got " + device.str());
  return *backend;
}

/// Makes one stream wait for another within a capture, without any bookkeeping.
int join_native(const BackendDriver& driver, const Stream& by, const Stream& after) {
  const int device = by.device().index;
  void* event = nullptr;
  int code = driver.event_create(device, &event);
  if (code != 0) return code;
  code = driver.event_record(device, event, after.native());
  if (code == 0) code = driver.stream_wait_event(device, by.native(), event);
  driver.event_destroy(event);
  return code;
}

/// A backend's object, destroyed where nobody takes it.
struct Owned {
  int (*destroy)(void*);
  void* handle = nullptr;
  ~Owned() {
    if (handle != nullptr) destroy(handle);
  }
  void* take() { return std::exchange(handle, nullptr); }
};

}  // namespace

struct Graph::State {
  const BackendTable* backend = nullptr;
  void* executable = nullptr;
  std::size_t nodes = 0;
  std::shared_ptr<Recording> recording;
  std::mutex mutex;  // guards the replays' order and their list
  std::vector<Stream> replays;

  ~State() {
    // In the child of a fork the device is gone.
    const bool usable = backend != nullptr && backend_for(backend->kind) != nullptr;
    if (executable != nullptr && usable) backend->driver.executable_destroy(executable);
    if (recording != nullptr && usable) recording->close(replays);
  }
};

struct GraphCapture::State {
  const BackendTable* backend = nullptr;
  std::shared_ptr<Recording> recording;
  bool recording_now = false;  // the stream is being captured

  Stream origin() const { return recording->members.front().stream; }
  void* finish();
  ~State();
};

// ---- captures

GraphCapture::GraphCapture(const Stream& stream, const GraphOptions& options) {
  const BackendTable& backend = recording_backend(stream);
  TANDEM_EXPECTS(stream.native() != nullptr, ValueError,
                 "[graph] expected a stream other than the default one (Stream::create), got the "
                 "default stream of " +
                     stream.device().str());
  guard_.emplace(stream);  // asks whether the stream is usable
  Pool& pool = pool_for(stream.device());
  TANDEM_EXPECTS(
      detail::recording_of(stream) == nullptr && !pool.driver().capturing(stream_id(stream)),
      DeviceError, "[graph] expected a stream that is not being captured, got one that is");
  auto state = std::make_unique<State>();
  state->backend = &backend;
  state->recording = Recording::open(stream);
  state_ = std::move(state);
  try {
    if (options.memory_limit != GraphOptions().memory_limit)
      pool.set_limit(state_->recording->pool, options.memory_limit);
    detail::enter_capture(state_->recording);
    // Or an event that a pool is about to record on the stream could become a part of the graph.
    const std::lock_guard<memory::Order> hold(pool.order());
    check_driver(backend, backend.driver.capture_begin(stream.device().index, stream.native()),
                 "graph");
  } catch (...) {
    state_.reset();  // by its destructor
    throw;
  }
  state_->recording_now = true;
}

GraphCapture::~GraphCapture() = default;

/// Given up, or ended without success.
GraphCapture::State::~State() {
  if (recording == nullptr) return;                   // a graph has it
  if (backend_for(backend->kind) == nullptr) return;  // in the child of a fork the device is gone
  if (recording_now) {
    void* graph = nullptr;
    const Stream stream = origin();
    backend->driver.capture_end(stream.device().index, stream.native(), &graph);
    if (graph != nullptr) backend->driver.graph_destroy(graph);
  }
  detail::leave_capture(recording);
  pool_for(recording->device).end_private(recording->pool);
  recording->close({});
}

/// Ends the recording; the graph is the caller's. Raises what keeps it from being one.
void* GraphCapture::State::finish() {
  const BackendDriver& driver = backend->driver;
  const Stream stream = origin();
  if (!recording->spoilt.empty()) throw DeviceError(recording->spoilt);
  for (const Recording::Member& m : recording->members) {
    if (m.stream == stream) continue;
    check_driver(*backend, join_native(driver, stream, m.stream), "graph");
  }
  Owned graph{driver.graph_destroy};
  recording_now = false;
  const int code = driver.capture_end(stream.device().index, stream.native(), &graph.handle);
  check_driver(*backend, code, "graph");
  TANDEM_EXPECTS(graph.handle != nullptr, DeviceError,
                 "[graph] expected work that can be recorded, got a call that the device does not "
                 "allow in a capture");
  return graph.take();
}

Graph GraphCapture::end() {
  Graph graph;
  end_into(graph);
  return graph;
}

bool GraphCapture::end_into(Graph& graph) {
  TANDEM_EXPECTS(state_ != nullptr, ValueError,
                 "[graph] expected a capture, got one that has ended");
  const auto ended = std::move(state_);  // from here on its destructor undoes what is left
  guard_.reset();
  const BackendDriver& driver = ended->backend->driver;
  Graph::State* old = graph.state_.get();
  TANDEM_EXPECTS(old == nullptr || old->recording->device == ended->recording->device, DeviceError,
                 "[graph] expected a capture on " +
                     (old == nullptr ? "" : old->recording->device.str()) +
                     ", as the graph's, got one on " + ended->recording->device.str());
  Owned recorded{driver.graph_destroy, ended->finish()};
  const int device = ended->recording->device.index;
  auto fresh = std::make_unique<Graph::State>();
  fresh->backend = ended->backend;
  check_driver(*ended->backend, driver.graph_nodes(recorded.handle, &fresh->nodes), "graph");
  int updated = 0;
  if (old != nullptr) {
    const std::lock_guard lock(old->mutex);
    check_driver(*ended->backend,
                 driver.graph_update(device, old->executable, recorded.handle, &updated), "graph");
    if (updated != 0) fresh->executable = std::exchange(old->executable, nullptr);
  }
  if (updated == 0) {
    check_driver(*ended->backend,
                 driver.graph_instantiate(device, recorded.handle, &fresh->executable), "graph");
  }
  detail::leave_capture(ended->recording);
  pool_for(ended->recording->device).end_private(ended->recording->pool);
  fresh->recording = std::move(ended->recording);
  graph.state_ = std::move(fresh);  // the old state goes, behind its replays
  return updated != 0;
}

// ---- graphs

Graph::Graph() noexcept = default;
Graph::Graph(Graph&& o) noexcept = default;
Graph& Graph::operator=(Graph&& o) noexcept = default;
Graph::~Graph() = default;

Device Graph::device() const {
  TANDEM_EXPECTS(state_ != nullptr, ValueError,
                 "[graph] expected recorded work, got an empty graph");
  return state_->recording->device;
}

std::size_t Graph::nodes() const {
  static_cast<void>(device());
  return state_->nodes;
}

void Graph::replay() const { replay(current_stream(device())); }

void Graph::replay(const Stream& stream) const {
  const trace::OpScope scope("replay");
  const Device of = device();
  TANDEM_EXPECTS(stream.device() == of, DeviceError,
                 "[replay] expected a stream of " + of.str() + ", as the graph's, got one of " +
                     stream.device().str());
  check_usable(stream, "replay");
  TANDEM_EXPECTS(detail::recording_of(stream) == nullptr, DeviceError,
                 "[replay] expected a stream that runs its work, got one that is being captured");
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  if (std::find(s.replays.begin(), s.replays.end(), stream) == s.replays.end()) {
    pool_for(of).order().know(stream_id(stream));
    s.replays.push_back(stream);
    detail::note_replay(*s.recording, stream);
  }
  check_driver(*s.backend, s.backend->driver.graph_launch(of.index, s.executable, stream.native()),
               "replay");
}

}  // namespace tandem
