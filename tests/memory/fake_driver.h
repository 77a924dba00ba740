// A driver of real host memory for the pool's tests: it has a capacity, checks every call, and
// fails when told to.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "runtime/memory/driver.h"

namespace tandem::test {

/// What the test sees and steers; outlives the pool that owns the driver.
struct FakeDevice {
  std::size_t capacity = std::size_t{1} << 30;
  bool asynchronous = false;
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

  bool fails() { return calls++ == fail_at; }
};

class FakeDriver final : public Driver {
 public:
  explicit FakeDriver(FakeDevice& d) : d_(d) {}
  const char* name() const noexcept override { return "fake"; }
  DriverFeatures features() const noexcept override { return {d_.asynchronous, false}; }
  std::size_t granularity() const noexcept override { return d_.granularity; }
  std::size_t block_alignment() const noexcept override { return d_.block_alignment; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (bytes == 0 || bytes % d_.granularity != 0)
      d_.misuse = "allocate: not a multiple of the granularity";
    if (d_.fails()) return d_.fail_with;
    if (bytes > d_.capacity - d_.used) return DriverStatus::OutOfMemory;
    void* p = std::aligned_alloc(d_.granularity, bytes);
    if (p == nullptr) return DriverStatus::OutOfMemory;
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
    if (d_.during_synchronize) d_.during_synchronize();
    const std::lock_guard<std::mutex> hold(d_.mutex);
    if (d_.fails()) return DriverStatus::Failed;
    ++d_.synchronizations;
    return DriverStatus::Ok;
  }
  DriverStatus stream_synchronize(StreamId) noexcept override { return synchronize(); }

 private:
  FakeDevice& d_;
};

}  // namespace tandem::test
