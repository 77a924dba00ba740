// A driver of real host memory for the pool's tests: it has a capacity, checks every call, and
// fails when told to.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/memory/driver.h"

namespace tandem::test {

/// What the test sees and steers; outlives the pool that owns the driver.
struct FakeDevice {
  std::size_t capacity = std::size_t{1} << 30;
  bool asynchronous = false;
  bool any_size = false;
  std::size_t block_alignment = 64;
  std::size_t granularity = std::size_t{2} << 20;

  std::mutex mutex;
  std::map<void*, std::size_t> segments;
  std::size_t used = 0;
  int allocations = 0, frees = 0, synchronizations = 0;
  int calls = 0;     // all calls that may fail
  int fail_at = -1;  // the call (by `calls`) that fails; -1: none
  DriverStatus fail_with = DriverStatus::OutOfMemory;
  std::string misuse;  // the first broken rule
  std::function<void()> during_synchronize;

  // Each stream's work is counted, by the stream's number on its device; what is done is a prefix
  // of it. An event is a count, with the counts of other streams that its stream has waited for.
  using Clock = std::map<std::uint64_t, std::uint64_t>;
  struct Event {
    std::uint64_t stream = 0, count = 0;
    Clock waited;
  };
  Clock queued, done;
  std::map<std::uint64_t, Clock> waited;
  std::map<EventHandle, Event> events;
  EventHandle last_event = 0;
  int queries = 0;
  int waits = 0;
  static std::uint64_t number(StreamId s) {
    return s.id & ((std::uint64_t{1} << StreamId::kDeviceShift) - 1);
  }
  void advance(std::uint64_t stream, std::uint64_t count) {
    done[stream] = std::max(done[stream], count);
    for (const auto& [other, n] : waited[stream]) done[other] = std::max(done[other], n);
  }
  void finish(std::uint64_t stream) { advance(stream, queued[stream]); }
  bool passed(std::uint64_t stream, std::uint64_t count) { return done[stream] >= count; }
  /// Whether what `by` does next comes after the first `count` pieces of work of a stream.
  bool ordered(std::uint64_t by, std::uint64_t stream, std::uint64_t count) {
    return by == stream || passed(stream, count) || waited[by][stream] >= count;
  }

  bool fails() { return calls++ == fail_at; }
};

class FakeDriver final : public Driver {
 public:
  explicit FakeDriver(FakeDevice& d) : d_(d) {}
  const char* name() const noexcept override { return "fake"; }
  DriverFeatures features() const noexcept override {
    return {d_.asynchronous, false, d_.any_size};
  }
  std::size_t granularity() const noexcept override { return d_.granularity; }
  std::size_t block_alignment() const noexcept override { return d_.block_alignment; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (bytes == 0 || (!d_.any_size && bytes % d_.granularity != 0))
      d_.misuse = "allocate: not a multiple of the granularity";
    if (d_.fails()) return d_.fail_with;
    if (bytes > d_.capacity - d_.used) return DriverStatus::OutOfMemory;
    void* p = nullptr;
    if (posix_memalign(&p, d_.granularity, bytes) != 0) return DriverStatus::OutOfMemory;
    d_.segments[p] = bytes;
    d_.used += bytes;
    ++d_.allocations;
    *out = p;
    return DriverStatus::Ok;
  }
  DriverStatus free(void* p, std::size_t bytes) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    const auto at = d_.segments.find(p);
    if (at == d_.segments.end() || at->second != bytes) {
      d_.misuse = "free: not a live segment of this size";
      return DriverStatus::Failed;
    }
    if (d_.fails()) return DriverStatus::Failed;
    d_.segments.erase(at);
    d_.used -= bytes;
    ++d_.frees;
    std::free(p);
    return DriverStatus::Ok;
  }
  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.fails()) return DriverStatus::Failed;
    *out = {d_.capacity - d_.used, d_.capacity};
    return DriverStatus::Ok;
  }
  DriverStatus synchronize() noexcept override {
    const FakeDevice::Clock before = d_.queued;  // work that comes while it waits is not waited for
    if (d_.during_synchronize) d_.during_synchronize();
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.fails()) return DriverStatus::Failed;
    ++d_.synchronizations;
    for (const auto& [stream, count] : before) d_.advance(stream, count);
    return DriverStatus::Ok;
  }
  DriverStatus stream_synchronize(StreamId stream) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.fails()) return DriverStatus::Failed;
    d_.finish(FakeDevice::number(stream));
    return DriverStatus::Ok;
  }
  DriverStatus stream_query(StreamId stream) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    ++d_.queries;
    if (d_.fails()) return DriverStatus::Failed;
    const std::uint64_t s = FakeDevice::number(stream);
    return d_.passed(s, d_.queued[s]) ? DriverStatus::Ok : DriverStatus::NotReady;
  }
  DriverStatus event_create(EventHandle* out) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.fails()) return DriverStatus::Failed;
    *out = ++d_.last_event;
    d_.events[*out] = {};
    return DriverStatus::Ok;
  }
  DriverStatus event_destroy(EventHandle event) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.events.erase(event) != 1) d_.misuse = "event_destroy: no such event";
    return DriverStatus::Ok;
  }
  DriverStatus event_record(EventHandle event, StreamId stream) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.events.count(event) == 0) d_.misuse = "event_record: no such event";
    if (d_.fails()) return DriverStatus::Failed;
    const std::uint64_t s = FakeDevice::number(stream);
    d_.events[event] = {s, d_.queued[s], d_.waited[s]};
    return DriverStatus::Ok;
  }
  DriverStatus stream_wait_event(StreamId stream, EventHandle event) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.events.count(event) == 0) d_.misuse = "stream_wait_event: no such event";
    if (d_.fails()) return DriverStatus::Failed;
    ++d_.waits;
    const FakeDevice::Event e = d_.events[event];
    FakeDevice::Clock& mine = d_.waited[FakeDevice::number(stream)];
    mine[e.stream] = std::max(mine[e.stream], e.count);
    for (const auto& [other, n] : e.waited) mine[other] = std::max(mine[other], n);
    return DriverStatus::Ok;
  }
  DriverStatus event_query(EventHandle event) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    ++d_.queries;
    if (d_.events.count(event) == 0) d_.misuse = "event_query: no such event";
    if (d_.fails()) return DriverStatus::Failed;
    const FakeDevice::Event& e = d_.events[event];
    return d_.passed(e.stream, e.count) ? DriverStatus::Ok : DriverStatus::NotReady;
  }

 private:
  FakeDevice& d_;
};

}  // namespace tandem::test
