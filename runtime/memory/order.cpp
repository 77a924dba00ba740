// Fences, vector clocks, and the few events that pools record.
#include "runtime/memory/order.h"

#include <algorithm>
#include <new>
#include <utility>

#include "runtime/memory/check.h"

namespace tandem::memory {
namespace {

/// A clock's entry of a stream; null where it has none.
template <class Clock>
auto* entry(Clock& clock, std::uint64_t stream) {
  const auto at = std::find_if(clock.begin(), clock.end(),
                               [stream](const Point& p) { return p.stream == stream; });
  return at == clock.end() ? nullptr : &*at;
}

}  // namespace

Order& Order::process() {
  static Order& order = *new Order;  // streams may outlive everything else
  return order;
}

void Order::attach(unsigned device, Driver* driver) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (devices_.size() <= device) devices_.resize(device + 1);
  devices_[device].driver = driver;
}

void Order::detach(unsigned device) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (device >= devices_.size() || devices_[device].driver == nullptr) return;
  Device& d = devices_[device];
  std::erase_if(streams_, [&](const auto& entry) {
    const Stream& s = entry.second;
    if (s.id.device() != device) return false;
    for (const Outstanding& o : s.outstanding) d.driver->event_destroy(o.event);
    return true;
  });
  for (const EventHandle e : d.spare) d.driver->event_destroy(e);
  d = {};
}

Driver* Order::driver(StreamId stream) const noexcept {
  return stream.device() < devices_.size() ? devices_[stream.device()].driver : nullptr;
}

Order::Stream& Order::state(StreamId stream) {
  Stream& s = streams_[stream.id];
  s.id = stream;
  return s;
}

Order::Stream* Order::find(std::uint64_t stream) noexcept {
  const auto at = streams_.find(stream);
  return at == streams_.end() ? nullptr : &at->second;
}

void Order::know(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  state(stream);
}

std::uint64_t Order::fence(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  const Stream* s = find(stream.id);
  return s == nullptr ? 1 : s->epoch + 1;
}

bool Order::is_passed(std::uint64_t stream, std::uint64_t number) noexcept {
  const Stream* s = find(stream);
  if (s == nullptr) return false;
  if (s->done >= number) return true;
  return s->finished && std::all_of(s->replays.begin(), s->replays.end(), [this](const Point& p) {
           const Stream* replayed = find(p.stream);
           return replayed != nullptr && replayed->done >= p.number;
         });
}

bool Order::is_ordered(const Stream& by, std::uint64_t stream, std::uint64_t number) noexcept {
  if (by.id.id == stream || is_passed(stream, number)) return true;
  const Point* p = entry(by.known, stream);
  return p != nullptr && p->number >= number;
}

bool Order::passed(StreamId stream, std::uint64_t fence) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return is_passed(stream.id, fence);
}

bool Order::ordered(StreamId by, StreamId stream, std::uint64_t fence) noexcept {
  if (by == stream) return true;
  const std::lock_guard<std::mutex> hold(mutex_);
  const Stream* s = find(by.id);
  return s != nullptr ? is_ordered(*s, stream.id, fence) : is_passed(stream.id, fence);
}

bool Order::told(StreamId by, StreamId stream, std::uint64_t fence) noexcept {
  if (by == stream) return true;
  const std::lock_guard<std::mutex> hold(mutex_);
  const Stream* s = find(stream.id);
  if (s != nullptr && (s->told >= fence || (s->finished && is_passed(stream.id, fence))))
    return true;
  Stream* waits = find(by.id);
  const Point* p = waits == nullptr ? nullptr : entry(waits->known, stream.id);
  return p != nullptr && p->number >= fence;
}

Mark Order::next(Stream& s) {
  // What has passed need not be told on.
  const bool checked = debug::on(debug::kStreams);
  std::erase_if(s.known, [&](const Point& p) {
    const Stream* of = checked ? find(p.stream) : nullptr;
    return is_passed(p.stream, p.number) && (of == nullptr || of->told >= p.number);
  });
  Mark mark{s.id, 0, s.known};  // before the number: this may throw
  mark.number = ++s.epoch;
  return mark;
}

Mark Order::recording(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return next(state(stream));
}

void Order::learn(Stream& by, const Mark& mark) {
  by.known.reserve(by.known.size() + mark.known.size() + 1);
  const auto join = [&](std::uint64_t stream, std::uint64_t number) {
    if (stream == by.id.id) return;
    if (Point* p = entry(by.known, stream)) {
      p->number = std::max(p->number, number);
    } else {
      by.known.push_back({stream, number});
    }
  };
  join(mark.stream.id, mark.number);
  for (const Point& p : mark.known) join(p.stream, p.number);
}

void Order::waited(StreamId by, const Mark& mark) {
  if (by == mark.stream || mark.number == 0) return;
  const std::lock_guard<std::mutex> hold(mutex_);
  learn(state(by), mark);
}

void Order::raise_done(Stream& s, std::uint64_t number) noexcept {
  s.done = std::max(s.done, number);
  std::size_t n = 0;
  while (n < s.outstanding.size() && s.outstanding[n].mark.number <= s.done)
    give_event(s.id.device(), s.outstanding[n++].event);
  s.outstanding.erase(s.outstanding.begin(),
                      s.outstanding.begin() + static_cast<std::ptrdiff_t>(n));
}

void Order::raise_told(const Point& p) noexcept {
  Stream* s = find(p.stream);
  if (s == nullptr) return;
  raise_done(*s, p.number);
  s->told = std::max(s->told, p.number);
}

void Order::seen(const Mark& mark) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  raise_told({mark.stream.id, mark.number});
  for (const Point& p : mark.known) raise_told(p);
}

Point Order::waiting(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  Stream& s = state(stream);
  return {stream.id, ++s.epoch};
}

void Order::waited_for(Point point) noexcept { waited_for(std::span<const Point>(&point, 1)); }

std::vector<Point> Order::waiting_for_device(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::vector<Point> points;
  for (auto& [id, s] : streams_) {
    if (s.id.device() == device) points.push_back({id, s.epoch + 1});
  }
  for (const Point& p : points) ++streams_[p.stream].epoch;
  for (const auto& [id, s] : streams_) {  // and what these waited for, on other devices
    if (s.id.device() == device && s.alive)
      points.insert(points.end(), s.known.begin(), s.known.end());
  }
  return points;
}

void Order::waited_for(std::span<const Point> points) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  for (const Point& p : points) raise_told(p);
}

StreamId Order::captured_stream(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  // The upper half of a device's numbers: drivers count from below.
  const StreamId id{std::uint64_t{device} << StreamId::kDeviceShift |
                    std::uint64_t{1} << (StreamId::kDeviceShift - 1) | (captured_ + 1)};
  state(id).alive = false;
  ++captured_;
  return id;
}

void Order::finish(StreamId captured, std::vector<Point> replays) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  Stream* s = find(captured.id);
  if (s == nullptr) return;
  s->replays = std::move(replays);
  s->finished = true;
}

void Order::give_event(unsigned device, EventHandle event) noexcept {
  if (device >= devices_.size() || devices_[device].driver == nullptr) return;
  try {
    devices_[device].spare.push_back(event);
  } catch (const std::bad_alloc&) {
    devices_[device].driver->event_destroy(event);
  }
}

Order::Outstanding* Order::mark_locked(Stream& s, std::uint64_t fence) noexcept {
  // The oldest event that covers the fence says least about later work.
  for (Outstanding& o : s.outstanding) {
    if (o.mark.number >= fence) return &o;
  }
  Driver* d = driver(s.id);
  if (d == nullptr || !s.alive || d->capturing(s.id)) return nullptr;
  try {
    s.outstanding.reserve(s.outstanding.size() + 1);
    std::vector<EventHandle>& spare = devices_[s.id.device()].spare;
    spare.reserve(spare.size() + 1);
    Outstanding o;
    if (!spare.empty()) {
      o.event = spare.back();
      spare.pop_back();
    } else if (d->event_create(&o.event) != DriverStatus::Ok) {
      return nullptr;
    }
    try {
      o.mark = next(s);
    } catch (...) {
      spare.push_back(o.event);
      throw;
    }
    if (d->event_record(o.event, s.id) != DriverStatus::Ok) {
      spare.push_back(o.event);
      return nullptr;
    }
    ++counts_.events;
    s.outstanding.push_back(std::move(o));
    return &s.outstanding.back();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

/// Whether a stream has no work: then no event is needed, and one that was just recorded would not
/// have passed yet.
bool Order::idle(Stream& s) noexcept {
  Driver* d = driver(s.id);
  if (d == nullptr || !s.alive || d->capturing(s.id)) return false;
  const std::uint64_t number = ++s.epoch;  // before the question
  if (d->stream_query(s.id) != DriverStatus::Ok) return false;
  raise_done(s, number);
  return true;
}

bool Order::mark(StreamId stream, std::uint64_t fence) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    Stream& s = state(stream);
    if (s.done >= fence || idle(s)) return true;
    return mark_locked(s, fence) != nullptr;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Order::poll_locked(Stream& s) noexcept {
  Driver* d = driver(s.id);
  if (d == nullptr) return;
  std::uint64_t done = s.done;
  for (const Outstanding& o : s.outstanding) {
    if (d->event_query(o.event) != DriverStatus::Ok) break;  // events of a stream pass in order
    done = o.mark.number;
    for (const Point& p : o.mark.known) {
      if (Stream* other = find(p.stream)) raise_done(*other, p.number);
    }
  }
  if (done != s.done) raise_done(s, done);
}

void Order::poll(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (Stream* s = find(stream.id)) poll_locked(*s);
}

bool Order::wait(StreamId by, StreamId stream, std::uint64_t fence) noexcept {
  if (by == stream) return true;
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    Stream& waits = state(by);
    if (is_ordered(waits, stream.id, fence)) return true;
    Driver* d = driver(by);
    if (d == nullptr || !waits.alive || d->capturing(by)) return false;
    // References into an unordered_map stay valid while others are added.
    const Outstanding* o = mark_locked(state(stream), fence);
    if (o == nullptr || d->stream_wait_event(by, o->event) != DriverStatus::Ok) return false;
    ++counts_.waits;
    learn(waits, o->mark);
    return true;
  } catch (const std::bad_alloc&) {
    return false;  // the stream may wait now without that anyone knows: harmless
  }
}

void Order::destroyed(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  Stream* s = find(stream.id);
  if (s == nullptr) return;
  if (!idle(*s)) mark_locked(*s, s->epoch + 1);
  s->alive = false;
}

Order::Counts Order::counts() noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return counts_;
}

}  // namespace tandem::memory
