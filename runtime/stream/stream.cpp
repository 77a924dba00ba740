// Streams, events and synchronisation over a backend's driver calls; trivial on the host.
//
// Note [Current streams]
// A thread's current streams are a table on the heap, made by its first StreamGuard: a thread that
// makes none has the default streams, and libtandem needs one pointer of static thread-local
// storage (programs that open it at run time have little of that).
//
// Note [A stream that each thread has]
// cudaStreamPerThread is one handle for as many streams as there are threads. A Stream keeps the
// identity of the wrapping thread's; another thread cannot name that stream, so its use there is
// refused. The pools, which may free on any thread, wait on the host instead (backend_driver.cpp).
#include "tandem/stream.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/fork.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "tandem/interrupt.h"

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
constexpr std::size_t kStreamsPerDevice = 32;  // and priority

bool is_host(Device device) { return device.is_cpu() || device.is_meta(); }

const BackendTable& backend_of(Device device, const char* op) {
  const BackendTable* backend = backend_for(device.kind);
  TANDEM_EXPECTS(backend != nullptr, DeviceError,
                 "[" + std::string(op) + "] expected a usable device, got " + device.str() + ": " +
                     device_status(device.kind));
  return *backend;
}

/// The identity of a device's default stream. The first call for a device opens its backend.
std::uint64_t default_id(Device device, const char* op) {
  unsigned number = device_number(device);
  if (number == 0) [[unlikely]] {
    resolve_device(device, op);
    number = device_number(device);
    TANDEM_EXPECTS(number != 0, DeviceError,
                   "[" + std::string(op) + "] expected a device with streams, got " + device.str());
  }
  return std::uint64_t{number} << StreamId::kDeviceShift;
}

/// A current stream of a thread. Null and 0: the default stream.
struct Current {
  void* native = nullptr;
  std::uint64_t id = 0;
};
using CurrentStreams = std::array<Current, kMaxDevices>;
// In the static block: an access is one load.
thread_local CurrentStreams* t_current __attribute__((tls_model("initial-exec"))) = nullptr;

/// Frees the table when the thread ends. A guard made later than that leaves a table behind.
struct CurrentOwner {
  bool armed = false;
  ~CurrentOwner() {
    delete t_current;
    t_current = nullptr;
  }
};
thread_local CurrentOwner t_owner;

/// The slot to write to.
Current& current_slot(Device device) {
  if (t_current == nullptr) {
    t_current = new CurrentStreams();
    t_owner.armed = true;
  }
  return (*t_current)[static_cast<std::size_t>(device.index)];
}

/// The streams of create_owned, and all that were destroyed or retired.
struct Lives {
  ForkMutex mutex;
  std::set<std::uint64_t> owned, ended;
  std::atomic<bool> any_ended{false};
};
Lives& lives() {
  static constinit std::atomic<Lives*> l{nullptr};
  return made_once(l);
}

bool has_ended(std::uint64_t stream) {
  if (!lives().any_ended.load(std::memory_order_relaxed)) [[likely]]
    return false;
  const std::lock_guard lock(lives().mutex);
  return lives().ended.contains(stream);
}

void log_wait(Device device, const char* what) {
  if (trace::on(trace::kSync)) {
    trace::write(trace::kSync, device.str() + ": waits for " + what);
  }
}

/// After a wait: what the device found wrong in the work of a stream, or (all) of the device.
void raise_flagged(const BackendTable& backend, Device device, void* native, bool all) {
  if (backend.driver.take_error == nullptr) return;
  char text[256];
  text[0] = '\0';
  if (backend.driver.take_error(device.index, native, all ? 1 : 0, text, sizeof text) == 0) return;
  throw IndexError(text);
}

/// The same, of graphs that were replayed on the stream too.
void raise_found(const BackendTable& backend, const Stream& stream) {
  raise_flagged(backend, stream.device(), stream.native(), false);
  for (const Stream& s : detail::flags_behind(stream))
    raise_flagged(backend, s.device(), s.native(), false);
}

/// The streams of Stream::create: made one by one, then handed out in turn.
struct Made {
  std::vector<void*> streams;
  std::size_t next = 0;
};
struct AllMade {
  ForkMutex mutex;
  std::map<std::pair<int, int>, Made> of;  // device, priority
};
AllMade& all_made() {
  static constinit std::atomic<AllMade*> m{nullptr};
  return made_once(m, [] {
    (void)lives();  // whose lock may be taken with this one held
    return std::make_unique<AllMade>();
  });
}

}  // namespace

// ---- what the pools learn of the order of streams

namespace {

/// What is kept of an event that was recorded.
struct Recorded {
  Stream stream;
  memory::Mark mark;  // its place in the order of streams; none in a capture of the user's own
  std::shared_ptr<detail::Recording> capture;  // that it is a part of; null: of none
};

/// Before the driver records an event on the stream. Kept only if the driver does.
Recorded before_record(const Stream& stream) {
  memory::Order& order = memory::Order::process();
  if (auto capture = detail::recording_of(stream)) {
    return {stream, order.recording(detail::join_capture(*capture, stream)), capture};
  }
  // What a capture orders is not the order of the streams' own work.
  if (pool_for(stream.device()).driver().capturing(stream_id(stream))) return {stream, {}, {}};
  return {stream, order.recording(stream_id(stream)), {}};
}

/// Before a wait: an event of a capture is waited for in that capture alone, and there no other.
void check_capture(const Stream& by, const Recorded& event) {
  if (event.capture == nullptr && !detail::may_capture()) [[likely]]
    return;
  const auto capture = detail::recording_of(by);
  TANDEM_EXPECTS(event.capture == nullptr || event.capture->device == by.device(), DeviceError,
                 "[wait] expected a stream of " + event.capture->device.str() +
                     ", whose work is being captured, got one of " + by.device().str());
  TANDEM_EXPECTS(event.capture == nullptr || !event.capture->over, DeviceError,
                 "[wait] expected an event of work that runs, got one of a capture that is over");
  TANDEM_EXPECTS(capture == nullptr || capture == event.capture, DeviceError,
                 "[wait] expected an event that was recorded in the capture of the stream, got one "
                 "from outside of it");
}

/// The driver made `by` wait for the event: what `by` gets from now on is behind it.
void after_wait(const Stream& by, const Recorded& event) {
  const StreamId id =
      event.capture == nullptr ? stream_id(by) : detail::join_capture(*event.capture, by);
  memory::Order::process().waited(id, event.mark);
}
/// Before the host waits for an event or asks whether it has passed.
void check_runs(const Recorded& event, const char* op) {
  TANDEM_EXPECTS(
      event.capture == nullptr, DeviceError,
      "[" + std::string(op) +
          "] expected an event of work that runs, got one that was recorded into a graph");
}
/// The host saw that the event has passed.
void after_seen(const Recorded& event) { memory::Order::process().seen(event.mark); }

}  // namespace

struct Event::State {
  Device device;
  void* event = nullptr;
  Recorded recorded;
  ~State() {
    const BackendTable* backend = event == nullptr ? nullptr : backend_for(device.kind);
    if (backend != nullptr) backend->driver.event_destroy(event);
  }
};

namespace {

/// Around a wait of the host for a stream, or a question whether its work is done: made before,
/// told after that all work queued before is done, and what that work waited for.
class HostWait {
 public:
  explicit HostWait(const Stream& stream)
      : mark_(memory::Order::process().recording(stream_id(stream))) {}
  void done() const { memory::Order::process().seen(mark_); }

 private:
  memory::Mark mark_;
};

/// Around a wait of the host for all streams of a device.
class DeviceWait {
 public:
  explicit DeviceWait(Device device)
      : points_(memory::Order::process().waiting_for_device(device_number(device))) {}
  void done() const { memory::Order::process().waited_for(points_); }

 private:
  std::vector<memory::Point> points_;
};

}  // namespace

// ---- streams

void check_usable(const Stream& stream, const char* op) {
  TANDEM_EXPECTS(!has_ended(stream.id()), DeviceError,
                 "[" + std::string(op) +
                     "] expected a stream that lives, got one that was destroyed or retired");
  if (stream.native() == nullptr) [[likely]]
    return;
  const BackendTable& backend = backend_of(stream.device(), op);
  if (stream.native() != backend.driver.per_thread_stream) [[likely]]
    return;
  TANDEM_EXPECTS(stream_id(stream.device(), stream.native()) == stream_id(stream), DeviceError,
                 "[" + std::string(op) +
                     "] expected a stream of this thread, got the per-thread stream of another: "
                     "it can only be used on the thread that wrapped it");
}

StreamId stream_id(Device device, void* native) {
  if (is_host(device)) return StreamId{};
  const std::uint64_t own = default_id(device, "stream");
  if (native == nullptr) return StreamId{own};
  const BackendTable& backend = backend_of(device, "stream");
  std::uint64_t id = 0;
  check_driver(backend, backend.driver.stream_id(device.index, native, &id), "stream");
  TANDEM_EXPECTS(id + 1 < std::uint64_t{1} << StreamId::kDeviceShift, DeviceError,
                 "[stream] expected a stream's number below 2^48, got " + std::to_string(id));
  return StreamId{own | (id + 1), reinterpret_cast<std::uint64_t>(native)};
}

Stream Stream::wrap(Device device, void* native) {
  device = resolve_device(device, "stream");
  if (is_host(device)) return detail::StreamAccess::make(device, native, 0);
  const BackendDriver& driver = backend_of(device, "stream").driver;
  if (native == driver.default_stream_alias) native = nullptr;
  if (native != nullptr && native != driver.per_thread_stream && driver.stream_device != nullptr) {
    int made_on = -1;
    check_driver(backend_of(device, "stream"), driver.stream_device(native, &made_on), "stream");
    TANDEM_EXPECTS(made_on < 0 || made_on == device.index, DeviceError,
                   "[stream] expected a stream of " + device.str() + ", got one of " +
                       Device(device.kind, made_on).str());
  }
  return detail::StreamAccess::make(device, native, stream_id(device, native).id);
}

namespace {

void check_priority(Device device, int priority) {
  const StreamPriorities range = priority == 0 ? StreamPriorities{} : stream_priority_range(device);
  TANDEM_EXPECTS(priority <= range.least && priority >= range.greatest, ValueError,
                 "[stream] expected a priority from " + std::to_string(range.greatest) + " to " +
                     std::to_string(range.least) + ", got " + std::to_string(priority));
}

void* create_native(const BackendTable& backend, Device device, int priority) {
  void* native = nullptr;
  const int code =
      priority == 0 ? backend.driver.stream_create(device.index, &native)
                    : backend.driver.stream_create_with_priority(device.index, priority, &native);
  check_driver(backend, code, "stream");
  return native;
}

/// Whether a stream is one of Tandem's own.
bool is_made(const Stream& stream) {
  {
    const std::lock_guard lock(lives().mutex);
    if (lives().owned.contains(stream.id())) return true;
  }
  AllMade& all = all_made();
  const std::lock_guard lock(all.mutex);
  for (const auto& [key, made] : all.of) {
    if (key.first == stream.device().index &&
        std::find(made.streams.begin(), made.streams.end(), stream.native()) != made.streams.end())
      return true;
  }
  return false;
}

}  // namespace

Stream Stream::create(Device device, int priority) {
  device = resolve_device(device, "stream");
  check_priority(device, priority);
  if (is_host(device)) return wrap(device, nullptr);
  const BackendTable& backend = backend_of(device, "stream");
  AllMade& all = all_made();
  const std::lock_guard lock(all.mutex);
  Made& m = all.of[{device.index, priority}];
  if (m.streams.size() >= kStreamsPerDevice) {
    return wrap(device, m.streams[m.next++ % kStreamsPerDevice]);
  }
  m.streams.reserve(kStreamsPerDevice);
  void* native = create_native(backend, device, priority);
  m.streams.push_back(native);
  return wrap(device, native);
}

Stream Stream::create_owned(Device device, int priority) {
  device = resolve_device(device, "stream");
  check_priority(device, priority);
  if (is_host(device)) return wrap(device, nullptr);
  const BackendTable& backend = backend_of(device, "stream");
  TANDEM_EXPECTS(backend.driver.stream_destroy != nullptr, DeviceError,
                 "[stream] expected a device whose streams can be destroyed, got " + device.str());
  void* native = create_native(backend, device, priority);
  try {
    const Stream made = wrap(device, native);
    const std::lock_guard lock(lives().mutex);
    lives().owned.insert(made.id());
    return made;
  } catch (...) {
    backend.driver.stream_destroy(device.index, native);
    throw;
  }
}

namespace {
/// What destroy and retire share: nothing of Tandem touches the handle from here on.
void end_stream(const Stream& stream, const char* op) {
  check_usable(stream, op);
  TANDEM_EXPECTS(!(current_stream(stream.device()) == stream), ValueError,
                 "[" + std::string(op) +
                     "] expected a stream that is not current, got the current one of this thread");
  TANDEM_EXPECTS(
      detail::recording_of(stream) == nullptr, ValueError,
      "[" + std::string(op) + "] expected a stream that is not being captured, got one that is");
  {
    const std::lock_guard lock(lives().mutex);
    TANDEM_EXPECTS(lives().ended.insert(stream.id()).second, DeviceError,
                   "[" + std::string(op) +
                       "] expected a stream that lives, got one that another "
                       "thread has ended");
    lives().any_ended.store(true);
  }
  pool_for(stream.device()).stream_destroyed(stream_id(stream));
}
}  // namespace

void Stream::destroy() const {
  if (is_host(device_)) return;
  const BackendTable& backend = backend_of(device_, "destroy");
  {
    const std::lock_guard lock(lives().mutex);
    TANDEM_EXPECTS(lives().owned.contains(id_), ValueError,
                   "[destroy] expected a stream of Stream::create_owned, got another one");
  }
  end_stream(*this, "destroy");
  check_driver(backend, backend.driver.stream_destroy(device_.index, native_), "destroy");
}

void Stream::retire() const {
  if (is_host(device_)) return;
  TANDEM_EXPECTS(native_ != nullptr && !is_made(*this), ValueError,
                 "[retire] expected a stream that was wrapped, got one of Tandem's");
  end_stream(*this, "retire");
}

StreamPriorities stream_priority_range(Device device) {
  device = resolve_device(device, "stream_priority_range");
  StreamPriorities range;
  if (is_host(device)) return range;
  const BackendTable& backend = backend_of(device, "stream_priority_range");
  if (backend.driver.stream_priority_range == nullptr ||
      backend.driver.stream_create_with_priority == nullptr) {
    return range;
  }
  check_driver(backend,
               backend.driver.stream_priority_range(device.index, &range.least, &range.greatest),
               "stream_priority_range");
  return range;
}

namespace {

/// Where the caller may end long waits (tandem/interrupt.h), waits while `query` says 1: busy. The
/// driver's own wait, which follows, is done at once then.
template <class Query>
void wait_interruptibly(Query&& query) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  if (!detail::interruptible()) return;
  const Clock::time_point began = Clock::now();
  Clock::time_point checked = began;
  while (query() == 1) {
    const Clock::time_point now = Clock::now();
    if (now - checked >= milliseconds(50)) {
      check_interrupt();
      checked = now;
    }
    // A part of the time that it has taken: long waits need no more of a processor than that.
    if (now - began >= milliseconds(1))
      std::this_thread::sleep_for(std::min<Clock::duration>((now - began) / 50, milliseconds(1)));
  }
}

}  // namespace

void Stream::synchronize() const {
  if (is_host(device_)) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(device_, "synchronize");
  check_usable(*this, "synchronize");
  detail::refuse_wait(*this);
  log_wait(device_, "a stream");
  HostWait wait(*this);
  wait_interruptibly([&] { return backend.driver.stream_query(device_.index, native_); });
  check_driver(backend, backend.driver.stream_synchronize(device_.index, native_), "synchronize");
  wait.done();
  raise_found(backend, *this);
}

bool Stream::query() const {
  if (is_host(device_)) return true;
  const trace::OpScope scope("query");
  const BackendTable& backend = backend_of(device_, "query");
  check_usable(*this, "query");
  detail::refuse_wait(*this);
  HostWait wait(*this);
  const int answer = backend.driver.stream_query(device_.index, native_);
  if (answer == 1) return false;
  check_driver(backend, answer, "query");
  wait.done();
  return true;
}

// ---- events

void Event::record(const Stream& stream) {
  const Device device = stream.device();
  if (is_host(device)) {
    state_.reset();  // the host's work is done
    return;
  }
  const BackendTable& backend = backend_of(device, "record");
  check_usable(stream, "record");
  // A copy of this event keeps the point it has: a shared state is replaced, not recorded again.
  if (state_ == nullptr || state_->device != device || state_.use_count() > 1) {
    auto fresh = std::make_shared<State>();
    fresh->device = device;
    check_driver(backend, backend.driver.event_create(device.index, &fresh->event), "record");
    state_ = std::move(fresh);
  }
  Recorded recorded = before_record(stream);
  check_driver(backend, backend.driver.event_record(device.index, state_->event, stream.native()),
               "record");
  state_->recorded = std::move(recorded);
}

void Event::wait(const Stream& stream) const {
  if (state_ == nullptr) return;
  if (is_host(stream.device())) return synchronize();  // host work runs at once, on this thread
  const BackendTable& backend = backend_of(stream.device(), "wait");
  check_usable(stream, "wait");
  check_capture(stream, state_->recorded);
  const Device device = stream.device();
  check_driver(backend,
               backend.driver.stream_wait_event(device.index, stream.native(), state_->event),
               "wait");
  after_wait(stream, state_->recorded);
}

void Event::synchronize() const {
  if (state_ == nullptr) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(state_->device, "synchronize");
  check_runs(state_->recorded, "synchronize");
  log_wait(state_->device, "an event");
  wait_interruptibly([&] { return backend.driver.event_query(state_->event); });
  check_driver(backend, backend.driver.event_synchronize(state_->event), "synchronize");
  after_seen(state_->recorded);
  raise_found(backend, state_->recorded.stream);
}

bool Event::query() const {
  if (state_ == nullptr) return true;
  const BackendTable& backend = backend_of(state_->device, "query");
  check_runs(state_->recorded, "query");
  const int answer = backend.driver.event_query(state_->event);
  if (answer == 1) return false;
  check_driver(backend, answer, "query");
  after_seen(state_->recorded);
  return true;
}

// ---- the current stream

Stream current_stream(Device device) {
  if (is_host(device)) {
    return detail::StreamAccess::make(device.is_cpu() ? kCPU : kMeta, nullptr, 0);
  }
  if (device.index < 0) device = resolve_device(device, "current_stream");
  const std::uint64_t own = default_id(device, "current_stream");  // checks the index
  if (const CurrentStreams* all = t_current; all != nullptr) {
    const Current& c = (*all)[static_cast<std::size_t>(device.index)];
    if (c.id != 0) return detail::StreamAccess::make(device, c.native, c.id);
  }
  return detail::StreamAccess::make(device, nullptr, own);
}

StreamGuard::StreamGuard(const Stream& stream) : previous_(current_stream(stream.device())) {
  const Device device = stream.device();
  if (is_host(device)) return;
  check_usable(stream, "stream");
  current_slot(device) = {stream.native(), stream.id()};
}

StreamGuard::~StreamGuard() {
  const Device device = previous_.device();
  if (is_host(device) || t_current == nullptr) return;
  // A stream that has ended meanwhile does not come back: the default one is current then.
  (*t_current)[static_cast<std::size_t>(device.index)] =
      has_ended(previous_.id()) ? Current() : Current{previous_.native(), previous_.id()};
}

void synchronize(Device device) {
  device = resolve_device(device, "synchronize");
  if (is_host(device)) return;
  const trace::OpScope scope("synchronize");
  const BackendTable& backend = backend_of(device, "synchronize");
  detail::refuse_wait(device);
  log_wait(device, "all its streams");
  DeviceWait wait(device);
  // Most of the work is this thread's.
  const Stream stream = current_stream(device);
  wait_interruptibly([&] { return backend.driver.stream_query(device.index, stream.native()); });
  check_driver(backend, backend.driver.device_synchronize(device.index), "synchronize");
  wait.done();
  raise_flagged(backend, device, nullptr, true);
}

}  // namespace tandem
