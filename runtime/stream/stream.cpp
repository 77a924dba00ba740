// Streams, events and synchronisation over a backend's driver calls; trivial on the host.
#include "tandem/stream.h"

#include <array>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"

namespace tandem {

/// Makes a Stream whose identity is known.
struct detail::StreamAccess {
  static Stream make(Device device, void* native, std::uint64_t id) {
    Stream s;
    s.device_ = device;
    s.native_ = native;
    s.id_ = id;
    return s;
  }
};

namespace {

constexpr int kMaxDevices = 64;
constexpr std::size_t kStreamsPerDevice = 32;

bool is_host(Device device) { return device.is_cpu() || device.is_meta(); }

const BackendTable& backend_of(Device device, const char* op) {
  const BackendTable* backend = backend_for(device.kind);
  TANDEM_EXPECTS(backend != nullptr, DeviceError,
                 "[" + std::string(op) + "] expected a usable device, got " + device.str() + ": " +
                     device_status(device.kind));
  return *backend;
}

/// The current streams of a thread, by device. Null and 0: the default stream.
struct Current {
  void* native;
  std::uint64_t id;
};
thread_local std::array<Current, kMaxDevices> current{};

Current& current_slot(Device device) {
  TANDEM_EXPECTS(device.index >= 0 && device.index < kMaxDevices, DeviceError,
                 "[current_stream] expected a device below " + std::to_string(kMaxDevices) +
                     ", got " + device.str());
  return current[static_cast<std::size_t>(device.index)];
}

void log_wait(Device device, const char* what) {
  if (trace::on(trace::kSync)) {
    trace::write(trace::kSync, device.str() + ": waits for " + what);
  }
}

/// After a wait: what the device found wrong in the work.
void raise_found(const BackendTable& backend, Device device, void* native, bool all) {
  if (backend.driver.take_error == nullptr) return;
  char text[256];
  text[0] = '\0';
  if (backend.driver.take_error(device.index, native, all ? 1 : 0, text, sizeof text) == 0) return;
  throw IndexError(text);
}

/// The streams of Stream::create: made one by one, then handed out in turn.
struct Made {
  std::mutex mutex;
  std::array<std::vector<void*>, kMaxDevices> streams;
  std::array<std::size_t, kMaxDevices> next{};
};
Made& made() {
  static Made& m = *new Made();
  return m;
}

}  // namespace

StreamId stream_id(Device device, void* native) {
  if (is_host(device) || native == nullptr) return StreamId{};
  const BackendTable& backend = backend_of(device, "stream");
  std::uint64_t id = 0;
  check_driver(backend, backend.driver.stream_id(device.index, native, &id), "stream");
  return StreamId{id + 1, reinterpret_cast<std::uint64_t>(native)};
}

Stream Stream::wrap(Device device, void* native) {
  device = resolve_device(device, "stream");
  return detail::StreamAccess::make(device, native, stream_id(device, native).id);
}

Stream Stream::create(Device device) {
  device = resolve_device(device, "stream");
  if (is_host(device)) return wrap(device, nullptr);
  const BackendTable& backend = backend_of(device, "stream");
  current_slot(device);  // checks the index
  const auto d = static_cast<std::size_t>(device.index);
  Made& m = made();
  const std::lock_guard lock(m.mutex);
  auto& streams = m.streams[d];
  if (streams.size() < kStreamsPerDevice) {
    void* native = nullptr;
    check_driver(backend, backend.driver.stream_create(device.index, &native), "stream");
    streams.push_back(native);
    return wrap(device, native);
  }
  return wrap(device, streams[m.next[d]++ % kStreamsPerDevice]);
}

void Stream::synchronize() const {
  if (is_host(device_)) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(device_, "synchronize");
  log_wait(device_, "a stream");
  Pool& pool = pool_for(device_);
  const std::uint64_t mark = pool.freed_mark();
  check_driver(backend, backend.driver.stream_synchronize(device_.index, native_), "synchronize");
  pool.stream_synchronized(stream_id(*this), mark);
  raise_found(backend, device_, native_, false);
}

bool Stream::query() const {
  if (is_host(device_)) return true;
  const BackendTable& backend = backend_of(device_, "query");
  const int answer = backend.driver.stream_query(device_.index, native_);
  if (answer == 1) return false;
  check_driver(backend, answer, "query");
  return true;
}

struct Event::State {
  Device device;
  void* event = nullptr;
  void* stream = nullptr;  // where it was recorded
  ~State() {
    const BackendTable* backend = event == nullptr ? nullptr : backend_for(device.kind);
    if (backend != nullptr) backend->driver.event_destroy(event);
  }
};

void Event::record(const Stream& stream) {
  const Device device = stream.device();
  if (is_host(device)) {
    state_.reset();  // the host's work is done
    return;
  }
  const BackendTable& backend = backend_of(device, "record");
  // A copy of this event keeps the point it has: a shared state is replaced, not recorded again.
  if (state_ == nullptr || state_->device != device || state_.use_count() > 1) {
    auto fresh = std::make_shared<State>();
    fresh->device = device;
    check_driver(backend, backend.driver.event_create(device.index, &fresh->event), "record");
    state_ = std::move(fresh);
  }
  check_driver(backend, backend.driver.event_record(device.index, state_->event, stream.native()),
               "record");
  state_->stream = stream.native();
}

void Event::wait(const Stream& stream) const {
  if (state_ == nullptr) return;
  if (is_host(stream.device())) return synchronize();  // host work runs at once, on this thread
  const BackendTable& backend = backend_of(stream.device(), "wait");
  const Device device = stream.device();
  check_driver(backend,
               backend.driver.stream_wait_event(device.index, stream.native(), state_->event),
               "wait");
}

void Event::synchronize() const {
  if (state_ == nullptr) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(state_->device, "synchronize");
  log_wait(state_->device, "an event");
  check_driver(backend, backend.driver.event_synchronize(state_->event), "synchronize");
  raise_found(backend, state_->device, state_->stream, false);
}

bool Event::query() const {
  if (state_ == nullptr) return true;
  const BackendTable& backend = backend_of(state_->device, "query");
  const int answer = backend.driver.event_query(state_->event);
  if (answer == 1) return false;
  check_driver(backend, answer, "query");
  return true;
}

Stream current_stream(Device device) {
  if (is_host(device)) return detail::StreamAccess::make(device, nullptr, 0);
  if (device.index < 0) device = resolve_device(device, "current_stream");
  const Current& c = current_slot(device);
  return detail::StreamAccess::make(device, c.native, c.id);
}

StreamGuard::StreamGuard(const Stream& stream) : previous_(current_stream(stream.device())) {
  if (!is_host(stream.device())) current_slot(stream.device()) = {stream.native(), stream.id()};
}

StreamGuard::~StreamGuard() {
  const Device device = previous_.device();
  if (is_host(device)) return;
  current[static_cast<std::size_t>(device.index)] = {previous_.native(), previous_.id()};
}

void synchronize(Device device) {
  device = resolve_device(device, "synchronize");
  if (is_host(device)) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(device, "synchronize");
  log_wait(device, "all its streams");
  Pool& pool = pool_for(device);
  const std::uint64_t mark = pool.freed_mark();
  check_driver(backend, backend.driver.device_synchronize(device.index), "synchronize");
  pool.device_synchronized(mark);
  raise_found(backend, device, nullptr, true);
}

}  // namespace tandem
