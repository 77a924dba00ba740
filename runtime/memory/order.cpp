// Fences, vector clocks, and the few events that pools record.
#include "runtime/memory/order.h"

#include <algorithm>
#include <new>
#include <utility>

#include "runtime/memory/check.h"

namespace tandem::memory {
namespace {

constexpr std::size_t kMostAwaited = 8;

// The upper half of a device's numbers: drivers count from below.
constexpr std::uint64_t kCaptured = std::uint64_t{1} << (StreamId::kDeviceShift - 1);
bool is_captured(std::uint64_t stream) { return (stream & kCaptured) != 0; }

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
  std::erase_if(released_, [device](const Ids& ids) {
    return StreamId{ids.first, 0}.device() == device;
  });
  for (const EventHandle e : d.spare) d.driver->event_destroy(e);
  d = {};
}

Driver* Order::driver(StreamId stream) const noexcept {
  return stream.device() < devices_.size() ? devices_[stream.device()].driver : nullptr;
}

/// Of a stream that is not forgotten.
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
  if (!released(stream.id)) state(stream);
}

// ---- streams that are gone

bool Order::released(std::uint64_t stream) const noexcept {
  const auto after =
      std::upper_bound(released_.begin(), released_.end(), stream,
                       [](std::uint64_t id, const Ids& ids) { return id < ids.first; });
  return after != released_.begin() && stream <= std::prev(after)->last;
}

/// Raises std::bad_alloc and changes nothing.
void Order::release(std::uint64_t stream) {
  const auto after =
      std::upper_bound(released_.begin(), released_.end(), stream,
                       [](std::uint64_t id, const Ids& ids) { return id < ids.first; });
  const bool joins_before = after != released_.begin() && std::prev(after)->last + 1 == stream;
  const bool joins_after = after != released_.end() && stream + 1 == after->first;
  if (joins_before && joins_after) {
    std::prev(after)->last = after->last;
    released_.erase(after);
  } else if (joins_before) {
    std::prev(after)->last = stream;
  } else if (joins_after) {
    after->first = stream;
  } else {
    released_.insert(after, {stream, stream});
  }
  streams_.erase(stream);
}

/// Forgets the dead streams whose work is done. No reference to one may be in use.
void Order::release_dead() noexcept {
  std::erase_if(dead_, [this](std::uint64_t id) {
    const Stream* s = find(id);
    // The last number of a destroyed one is that of all its work.
    const bool done =
        s == nullptr || (s->finished ? is_passed(id, s->epoch + 1) : s->done >= s->epoch);
    if (!done || (s != nullptr && !s->outstanding.empty())) return false;
    try {
      if (s != nullptr) release(id);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  });
}

// ---- what has passed, and what is ordered

bool Order::knows_device(unsigned device) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return std::any_of(streams_.begin(), streams_.end(),
                     [device](const auto& entry) { return entry.second.id.device() == device; });
}

std::uint64_t Order::fence(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  const Stream* s = find(stream.id);
  return s == nullptr ? 1 : s->epoch + 1;
}

bool Order::is_passed(std::uint64_t stream, std::uint64_t number) noexcept {
  const Stream* s = find(stream);
  if (s == nullptr) return released(stream);
  if (s->done >= number) return true;
  const std::span<const Point> replays = replays_of(stream);
  return s->finished && std::all_of(replays.begin(), replays.end(), [this](const Point& p) {
           return is_passed(p.stream, p.number);
         });
}

/// Where the work of a captured stream whose graph is gone was replayed; nothing for any other.
std::span<const Point> Order::replays_of(std::uint64_t stream) noexcept {
  const Stream* s = find(stream);
  if (s == nullptr || !s->finished || s->replays == nullptr) return {};
  return *s->replays;
}

bool Order::is_ordered(const Stream& by, std::uint64_t stream, std::uint64_t number) noexcept {
  if (by.id.id == stream || is_passed(stream, number)) return true;
  const Point* p = entry(by.known, stream);
  if (p != nullptr && p->number >= number) return true;
  const std::span<const Point> replays = replays_of(stream);
  return !replays.empty() && std::all_of(replays.begin(), replays.end(), [&](const Point& r) {
    return is_ordered(by, r.stream, r.number);
  });
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
  if (s == nullptr || s->finished ? is_passed(stream.id, fence) : s->told >= fence) return true;
  Stream* waits = find(by.id);
  const Point* p = waits == nullptr ? nullptr : entry(waits->known, stream.id);
  return p != nullptr && p->number >= fence;
}

/// Forgets waits for what has passed: it need not be told on. Debug mode wants to know of those
/// that the program made.
void Order::prune(Stream& s) {
  const bool checked = debug::on(debug::kStreams);
  std::erase_if(s.known, [&](const Point& p) {
    const Stream* of = checked ? find(p.stream) : nullptr;
    return is_passed(p.stream, p.number) && (of == nullptr || of->told >= p.number);
  });
}

Mark Order::next(Stream& s) {
  prune(s);
  Mark mark{s.id, 0, s.known};  // before the number: this may throw
  mark.number = ++s.epoch;
  return mark;
}

Mark Order::recording(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (released(stream.id)) return {stream, 0, {}};
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
  if (!released(by.id)) learn(state(by), mark);
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
  release_dead();
}

/// The point that the host waits for, with what the stream had waited for kept beside it.
Point Order::await(Stream& s) {
  prune(s);
  if (s.known.empty()) return {s.id.id, ++s.epoch};
  // Waits that failed left theirs; that of an older one that goes on is missed, and less is known.
  if (s.awaited.size() >= kMostAwaited) s.awaited.erase(s.awaited.begin());
  s.awaited.push_back({s.id, s.epoch + 1, s.known});
  return {s.id.id, ++s.epoch};
}

Point Order::waiting(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return released(stream.id) ? Point{stream.id, 0} : await(state(stream));
}

void Order::waited_for(Point point) noexcept { waited_for(std::span<const Point>(&point, 1)); }

std::vector<Point> Order::waiting_for_device(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::vector<Point> points;
  points.reserve(streams_.size());
  for (auto& [id, s] : streams_) {
    // What is captured runs in replays, and may again after the wait.
    if (s.id.device() == device && !is_captured(id)) points.push_back(await(s));
  }
  return points;
}

void Order::waited_for(std::span<const Point> points) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  for (const Point& p : points) {
    Stream* s = find(p.stream);
    if (s == nullptr) continue;
    const auto at = std::find_if(s->awaited.begin(), s->awaited.end(),
                                 [&p](const Mark& m) { return m.number == p.number; });
    if (at != s->awaited.end()) {
      for (const Point& before : at->known) {
        Stream* other = find(before.stream);
        if (other != nullptr && !is_captured(before.stream)) raise_told(before);
      }
      s->awaited.erase(at);
    }
    raise_told(p);
  }
  release_dead();
}

StreamId Order::captured_stream(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const StreamId id{std::uint64_t{device} << StreamId::kDeviceShift | kCaptured | (captured_ + 1)};
  state(id).alive = false;
  ++captured_;
  return id;
}

void Order::finish(StreamId captured, Replays replays) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  Stream* s = find(captured.id);
  if (s == nullptr) return;
  s->replays = std::move(replays);
  s->finished = true;
  bury(captured.id);
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
    ++devices_[s.id.device()].counts.events;
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
  for (const Point& p : s.known) {  // so are the waits it had queued
    Stream* other = find(p.stream);
    if (other != nullptr && !is_captured(p.stream)) raise_done(*other, p.number);
  }
  return true;
}

bool Order::mark_or_pass(Stream& s, std::uint64_t fence) noexcept {
  return s.done >= fence || idle(s) || mark_locked(s, fence) != nullptr;
}

bool Order::mark(StreamId stream, std::uint64_t fence) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    if (released(stream.id)) return true;
    Stream& s = state(stream);
    if (!s.finished) return mark_or_pass(s, fence);
    const std::span<const Point> replays = replays_of(stream.id);
    return std::all_of(replays.begin(), replays.end(), [this](const Point& p) {
      if (is_passed(p.stream, p.number)) return true;
      Stream* replayed = find(p.stream);
      return replayed != nullptr && mark_or_pass(*replayed, p.number);
    });
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Order::poll_locked(Stream& s) noexcept {
  Driver* d = driver(s.id);
  if (d == nullptr) return;
  std::uint64_t done = s.done;
  for (std::size_t i = 0; i < s.outstanding.size();) {
    const Outstanding& o = s.outstanding[i];
    const DriverStatus status = d->event_query(o.event);
    if (status == DriverStatus::NotReady) break;  // events of a stream pass in order
    if (status != DriverStatus::Ok) {  // it became a part of a graph, say, and never passes
      d->event_destroy(o.event);
      s.outstanding.erase(s.outstanding.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    done = o.mark.number;
    for (const Point& p : o.mark.known) {
      if (Stream* other = find(p.stream)) raise_done(*other, p.number);
    }
    ++i;
  }
  if (done != s.done) raise_done(s, done);
}

void Order::poll(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (Stream* s = find(stream.id)) poll_locked(*s);
  for (const Point& p : replays_of(stream.id)) {
    if (Stream* s = find(p.stream)) poll_locked(*s);
  }
  if (dead_.empty()) return;
  for (const std::uint64_t id : dead_) {
    if (Stream* s = find(id)) poll_locked(*s);
  }
  release_dead();
}

bool Order::wait(StreamId by, StreamId stream, std::uint64_t fence) noexcept {
  if (by == stream) return true;
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    if (released(by.id)) return false;
    Stream& waits = state(by);
    if (is_ordered(waits, stream.id, fence)) return true;
    const std::span<const Point> replays = replays_of(stream.id);
    if (replays.empty()) return wait_locked(waits, state(stream).id.id, fence);
    return std::all_of(replays.begin(), replays.end(),
                       [&](const Point& p) { return wait_locked(waits, p.stream, p.number); });
  } catch (const std::bad_alloc&) {
    return false;  // the stream may wait now without that anyone knows: harmless
  }
}

bool Order::wait_locked(Stream& by, std::uint64_t stream, std::uint64_t fence) {
  if (is_ordered(by, stream, fence)) return true;
  Stream* before = find(stream);
  Driver* d = driver(by.id);
  if (before == nullptr || d == nullptr || !by.alive || d->capturing(by.id)) return false;
  const Outstanding* o = mark_locked(*before, fence);
  if (o == nullptr || d->stream_wait_event(by.id, o->event) != DriverStatus::Ok) return false;
  ++devices_[by.id.device()].counts.waits;
  learn(by, o->mark);
  return true;
}

void Order::destroyed(StreamId stream) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  Stream* s = find(stream.id);
  if (s == nullptr || !s->alive) return;
  ++s->epoch;  // the fence of its work by now, should there be no event for it
  if (!idle(*s)) mark_locked(*s, s->epoch + 1);
  s->alive = false;
  bury(stream.id);
}

/// The stream will have no more work.
void Order::bury(std::uint64_t stream) noexcept {
  try {
    dead_.push_back(stream);
  } catch (const std::bad_alloc&) {  // it stays
  }
  release_dead();
}

std::size_t Order::streams() noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return streams_.size();
}

Order::Counts Order::counts(unsigned device) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return device < devices_.size() ? devices_[device].counts : Counts{};
}

}  // namespace tandem::memory
