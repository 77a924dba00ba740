// The simulated streams and events: queues, what the host has seen, and the order of uses.
#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

namespace {
constexpr std::uint32_t kNone = ~std::uint32_t{0};
}

SimMachine::SimMachine(const SimOptions& options)
    : options_(options), devices_(options.devices + 1) {
  streams_.reserve(16);
  for (unsigned d = 1; d <= options.devices; ++d) {
    slots_[default_stream(d).id] = static_cast<std::uint32_t>(streams_.size());
    streams_.emplace_back();
    streams_.back().id = default_stream(d);
    streams_.back().alive = true;
  }
}

void SimMachine::fault(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

std::string SimMachine::broken() {
  const std::lock_guard<std::mutex> hold(mutex_);
  return broken_;
}

void SimMachine::set_faults(FaultPlan plan) {
  const std::lock_guard<std::mutex> hold(mutex_);
  plan_ = plan;
}

/// Counts a driver's call and says whether it fails.
bool SimMachine::fails(Call call, DriverStatus* status) {
  ++calls_[static_cast<std::size_t>(call)];
  if (call >= Call::kFallible) return false;
  ++fallible_;
  *status = plan_.status;
  if (plan_.only != Call::kCount && plan_.only != call) return false;
  bool failing = plan_.one_in != 0 && fault_rng_() % plan_.one_in == 0;
  if (plan_.at >= 0) failing |= plan_.at-- == 0;
  faults_ += failing;
  faults_of_[static_cast<std::size_t>(call)] += failing;
  return failing;
}

// ---- Streams. ----

bool SimMachine::create_stream(unsigned device, StreamId* out) {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::uint32_t slot = 0;
  // The place of a destroyed stream is free when nothing can come before its work any more: its
  // positions go on, so that clocks stay right.
  const auto reusable = [&](const Stream& s, std::uint32_t i) {
    return !s.alive && host_[i] >= s.count;
  };
  while (slot < streams_.size() && !reusable(streams_[slot], slot)) ++slot;
  if (slot == kMaxSlots) return false;
  if (slot == streams_.size()) streams_.emplace_back();
  Stream& s = streams_[slot];
  std::uint64_t handle = last_stream_handle_ + 8;
  if (spare_stream_handles_.empty()) {
    last_stream_handle_ = handle;
  } else {
    handle = spare_stream_handles_.back();
    spare_stream_handles_.pop_back();
  }
  s.id = {default_stream(device).id + ++last_stream_, handle};
  s.alive = true;
  s.clock = host_;
  slots_[s.id.id] = slot;
  *out = s.id;
  return true;
}

void SimMachine::destroy_stream(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "destroy_stream", true);
  if (slot == kNone) return;
  if (streams_[slot].capture != 0) return fault("destroy_stream: the stream is being captured");
  if (stream.handle == 0) return fault("destroy_stream: of a default stream");
  streams_[slot].alive = false;
  slots_.erase(stream.id);
  spare_stream_handles_.push_back(stream.handle);
}

std::uint32_t SimMachine::find(StreamId stream, const char* call, bool user) {
  const auto at = slots_.find(stream.id);
  if (at != slots_.end() && streams_[at->second].id.handle == stream.handle) return at->second;
  fault(fmt::format("{}: stream {:#x} does not exist, or was destroyed{}", call, stream.id,
                    user ? " (by the user)" : ""));
  return kNone;
}

/// The next item of a stream; what the host has seen came before it.
void SimMachine::enqueue(std::uint32_t slot) {
  Stream& s = streams_[slot];
  join(s.clock, host_);
  s.clock[slot] = ++s.count;
}

bool SimMachine::runnable(const Stream& s) const {
  if (s.done == s.count) return false;
  if (s.waits.empty() || s.waits.front().position != s.done + 1) return true;
  const Wait& w = s.waits.front();
  return streams_[w.slot].done >= w.target;
}

void SimMachine::advance(Stream& s) {
  ++s.done;
  if (!s.waits.empty() && s.waits.front().position == s.done) s.waits.pop_front();
}

bool SimMachine::step(std::mt19937_64& rng) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::size_t n = streams_.size(), start = rng() % n;
  for (std::size_t i = 0; i < n; ++i) {
    Stream& s = streams_[(start + i) % n];
    if (!runnable(s)) continue;
    advance(s);
    return true;
  }
  return false;
}

/// Runs a stream up to an item, and what its waits need. A wait is for work that was queued before
/// it, so this ends. Without recursion: chains of waits can be long.
void SimMachine::finish(std::uint32_t slot, std::uint32_t position) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> goals{{slot, position}};
  while (!goals.empty()) {
    Stream& s = streams_[goals.back().first];
    if (s.done >= goals.back().second) {
      goals.pop_back();
    } else if (runnable(s)) {
      advance(s);
    } else {
      goals.emplace_back(s.waits.front().slot, s.waits.front().target);
    }
  }
}

void SimMachine::run_until(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "run_until", true);
  if (slot != kNone) finish(slot, streams_[slot].count);
}

void SimMachine::run_until(EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const Event* e = find(event, "run_until");
  if (e != nullptr && e->point.capture == 0) finish(e->point.slot, e->point.position);
}

Point SimMachine::now(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "now", true);
  if (slot == kNone) return {};
  const std::uint32_t capture = streams_[slot].capture;
  if (capture == 0) return {slot, streams_[slot].count, 0};
  return {slot, local(captures_.at(capture), slot).count, capture};
}

bool SimMachine::after(StreamId stream, Point p) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "after", true);
  if (slot == kNone) return false;
  const Stream& s = streams_[slot];
  if (p.capture != s.capture) return false;
  if (p.capture != 0) return local(captures_.at(p.capture), slot).clock[p.slot] >= p.position;
  return s.clock[p.slot] >= p.position || host_[p.slot] >= p.position;
}

// ---- Kernels. ----

bool SimMachine::is_there(std::uint64_t from, std::uint64_t to) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (!present(from, to)) return false;
  auto it = std::prev(memory_.upper_bound(from));
  while (it != memory_.end() && it->first < to && is_newest(it->first, it->second)) ++it;
  return it == memory_.end() || it->first >= to;
}

bool SimMachine::is_newest(std::uint64_t at, const Memory& m) const {
  return m.handle == 0 || physical_.at(m.handle).mapped == at;
}

bool SimMachine::present(std::uint64_t from, std::uint64_t to) const {
  auto it = memory_.upper_bound(from);
  if (it == memory_.begin()) return false;
  --it;
  for (std::uint64_t at = from; at < to; ++it) {
    if (it == memory_.end() || it->first > at || it->second.to <= at) return false;
    at = it->second.to;
  }
  return true;
}

std::string SimMachine::describe(const Use& u) const {
  return fmt::format("owner {} on stream {:#x} (item {})", u.owner, streams_[u.slot].id.id,
                     u.position);
}

void SimMachine::use(std::uint32_t slot, const Access& a) {
  const auto from = reinterpret_cast<std::uint64_t>(a.at);
  const Stream& s = streams_[slot];
  const Use now{a.owner, slot, s.count};
  if (!present(from, from + a.bytes)) {
    return fault(fmt::format("use of memory that is not there: {} {} [{:#x}, +{})", describe(now),
                             a.write ? "writes" : "reads", from, a.bytes));
  }
  const Bytes where{from, from + a.bytes};
  if (!check_use(shadow_, where, now, s, a.write)) return;
  for (const Bytes& place : places(where)) {
    if (!check_use(physical_shadow_, place, now, s, a.write)) return;
  }
}

bool SimMachine::check_use(Shadow& shadow, Bytes where, const Use& now, const Stream& s,
                           bool write) {
  Shadow::Conflict c;
  if (shadow.use(where, now, s.clock, host_, &c)) return true;
  fault(fmt::format("use before ordered: {} {} [{:#x}, +{}), where [{:#x}, {:#x}) is used by {}",
                    describe(now), write ? "writes" : "reads", where.from, where.to - where.from,
                    c.where.from, c.where.to, describe(c.earlier)));
  return false;
}

/// Where in physical memory mapped addresses are; neighbours are joined.
std::vector<Bytes> SimMachine::places(Bytes where) const {
  std::vector<Bytes> all;
  auto it = memory_.upper_bound(where.from);
  for (--it; it != memory_.end() && it->first < where.to; ++it) {
    if (it->second.handle == 0) continue;
    const std::uint64_t place = physical_.at(it->second.handle).place;
    const Bytes part{place + std::max(where.from, it->first) - it->first,
                     place + std::min(where.to, it->second.to) - it->first};
    if (!all.empty() && all.back().to == part.from) {
      all.back().to = part.to;
    } else {
      all.push_back(part);
    }
  }
  return all;
}

void SimMachine::kernel(StreamId stream, std::span<const Access> uses) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "kernel", true);
  if (slot == kNone) return;
  ++kernels_;
  if (streams_[slot].capture != 0) return capture_uses(slot, uses);
  enqueue(slot);
  for (const Access& a : uses) use(slot, a);
  if (!options_.asynchronous) {
    finish(slot, streams_[slot].count);
    join(host_, streams_[slot].clock);
  }
}

// ---- Events: the same for the user and the drivers, but for captures. ----

EventHandle SimMachine::create(unsigned device, bool user) {
  std::uint32_t i = 0;
  if (spare_events_.empty()) {
    i = static_cast<std::uint32_t>(events_.size());
    events_.emplace_back();
  } else {
    i = spare_events_.back();
    spare_events_.pop_back();
  }
  Event& e = events_[i];
  e.alive = true;
  e.user = user;
  e.device = device;
  e.point = {};
  e.clock.fill(0);
  return std::uint64_t{++e.generation} << 32 | i;
}

SimMachine::Event* SimMachine::find(EventHandle event, const char* call) {
  const std::uint64_t i = event & 0xffffffff;
  if (i < events_.size() && events_[i].alive && events_[i].generation == event >> 32)
    return &events_[i];
  fault(fmt::format("{}: the event does not exist, or was destroyed", call));
  return nullptr;
}

void SimMachine::destroy(EventHandle event, bool user) {
  Event* e = find(event, "event_destroy");
  if (e == nullptr) return;
  if (e->user != user) return fault("event_destroy: the event is someone else's");
  e->alive = false;
  spare_events_.push_back(static_cast<std::uint32_t>(event & 0xffffffff));
}

bool SimMachine::record(EventHandle event, StreamId stream, unsigned device, bool user) {
  Event* e = find(event, "event_record");
  const std::uint32_t slot = find(stream, "event_record", user);
  if (e == nullptr || slot == kNone) return false;
  if (e->device != stream.device() || (!user && device != e->device)) {
    fault(fmt::format("event_record: device {} records an event of device {} on a stream of {}",
                      device, e->device, stream.device()));
    return false;
  }
  const std::uint32_t capture = streams_[slot].capture;
  if (capture != 0) {
    if (!user) {
      fault("event_record: call illegal during capture");
      return false;
    }
    Local& l = local(captures_.at(capture), slot);
    l.clock[slot] = ++l.count;
    e->point = {slot, l.count, capture};
    e->clock = l.clock;
    return true;
  }
  enqueue(slot);
  e->point = {slot, streams_[slot].count, 0};
  e->clock = streams_[slot].clock;
  return true;
}

void SimMachine::enqueue_wait(std::uint32_t slot, Point p, const Clock& clock) {
  enqueue(slot);
  join(streams_[slot].clock, clock);
  if (p.slot != slot && streams_[p.slot].done < p.position)
    streams_[slot].waits.push_back({streams_[slot].count, p.slot, p.position});
}

bool SimMachine::wait(StreamId stream, EventHandle event, bool user) {
  Event* e = find(event, "stream_wait_event");
  const std::uint32_t slot = find(stream, "stream_wait_event", user);
  if (e == nullptr || slot == kNone) return false;
  if (streams_[slot].capture == 0 && e->point.capture == 0) {
    enqueue_wait(slot, e->point, e->clock);
    return true;
  }
  if (!user) {
    fault("stream_wait_event: call illegal during capture");
    return false;
  }
  capture_wait(slot, *e);
  return true;
}

bool SimMachine::query(EventHandle event, bool user) {
  const Event* e = find(event, "event_query");
  if (e == nullptr) return false;
  if (e->point.capture != 0) {
    fault(fmt::format("event_query: call illegal during capture{}", user ? " (by the user)" : ""));
    return false;
  }
  if (streams_[e->point.slot].done < e->point.position) return false;
  join(host_, e->clock);
  return true;
}

bool SimMachine::idle(StreamId stream) {
  const std::uint32_t slot = find(stream, "stream_query", false);
  if (slot == kNone) return false;
  if (streams_[slot].capture != 0) {
    fault("stream_query: call illegal during capture");
    return false;
  }
  if (streams_[slot].done < streams_[slot].count) return false;
  join(host_, streams_[slot].clock);
  return true;
}

void SimMachine::host_wait(EventHandle event, bool user) {
  const Event* e = find(event, "event_wait");
  if (e == nullptr) return;
  if (e->point.capture != 0)
    return fault(
        fmt::format("event_wait: call illegal during capture{}", user ? " (by the user)" : ""));
  finish(e->point.slot, e->point.position);
  join(host_, e->clock);
}

void SimMachine::synchronize(StreamId stream, bool user) {
  const std::uint32_t slot = find(stream, "stream_synchronize", user);
  if (slot == kNone) return;
  if (streams_[slot].capture != 0) return fault("stream_synchronize: call illegal during capture");
  finish(slot, streams_[slot].count);
  join(host_, streams_[slot].clock);
}

/// Of destroyed streams as well: their work is the device's.
void SimMachine::synchronize(unsigned device, bool) {
  if (illegal_in_capture(device, "synchronize")) return;
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].id.device() != device) continue;
    finish(i, streams_[i].count);
    join(host_, streams_[i].clock);
  }
}

bool SimMachine::illegal_in_capture(unsigned device, const char* call) {
  for (const auto& [id, c] : captures_) {
    for (const Local& l : c.streams) {
      if (streams_[l.slot].id.device() != device) continue;
      fault(fmt::format("{}: call illegal during capture", call));
      return true;
    }
  }
  return false;
}

// ---- The user's calls. ----

EventHandle SimMachine::user_event_create(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return create(device, true);
}
void SimMachine::user_event_destroy(EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  destroy(event, true);
}
void SimMachine::user_event_record(EventHandle event, StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  record(event, stream, stream.device(), true);
}
void SimMachine::user_stream_wait_event(StreamId stream, EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  wait(stream, event, true);
}
bool SimMachine::user_event_query(EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return query(event, true);
}
void SimMachine::user_event_wait(EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  host_wait(event, true);
}
void SimMachine::user_stream_synchronize(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  synchronize(stream, true);
}
void SimMachine::user_synchronize(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  synchronize(device, true);
}

}  // namespace tandem::test
