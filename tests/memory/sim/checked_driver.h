// A real driver with a capacity, failures on request, and an account of what it has given.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/memory/driver.h"
#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

/// What the driver has given; outlives it. Thread-safe.
class Account {
 public:
  std::size_t capacity = std::numeric_limits<std::size_t>::max();
  bool virtual_memory = true;
  bool discards_neighbour = false;  // a mistake: what a page above an unmapped one holds is lost

  /// The `n`th call from now of a kind (kCount: of any) fails.
  void fail(Call only, std::uint32_t n, DriverStatus status) {
    const std::lock_guard<std::mutex> hold(mutex_);
    plan_ = {static_cast<std::int64_t>(n), 0, status, only};
  }
  void fail_nothing() { fail(Call::kCount, 0, DriverStatus::Ok); }
  std::size_t held() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return held_;
  }
  /// Address space, memory and pages without an address that were not given back.
  std::size_t left() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return pieces_.size() + spaces_ + loose_;
  }
  std::uint64_t growths() const { return growths_; }
  std::uint64_t returns() const { return returns_; }
  std::uint64_t refusals() const { return refusals_; }
  /// Of these, where the capacity would have allowed it.
  std::uint64_t system_refusals() const { return system_refusals_; }
  std::uint64_t faults() const { return faults_; }
  /// Pieces that go back as a whole: address and bytes.
  std::map<std::uint64_t, std::size_t> pieces() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return pieces_;
  }

 private:
  friend class CheckedDriver;

  /// With the lock. What a call that is told to fail answers; else Ok.
  DriverStatus planned(Call call) {
    if (plan_.status == DriverStatus::Ok || plan_.at < 0) return DriverStatus::Ok;
    if (plan_.only != Call::kCount && plan_.only != call) return DriverStatus::Ok;
    if (plan_.at-- != 0) return DriverStatus::Ok;
    ++faults_;
    return plan_.status;
  }

  mutable std::mutex mutex_;
  FaultPlan plan_{-1, 0, DriverStatus::Ok, Call::kCount};
  std::map<std::uint64_t, std::size_t> pieces_;
  std::size_t held_ = 0, spaces_ = 0, loose_ = 0;
  std::uint64_t growths_ = 0, returns_ = 0, refusals_ = 0, system_refusals_ = 0, faults_ = 0;
};

class CheckedDriver final : public Driver {
 public:
  CheckedDriver(std::unique_ptr<Driver> real, Account& account)
      : real_(std::move(real)), account_(account) {}

  const char* name() const noexcept override { return real_->name(); }
  DriverFeatures features() const noexcept override {
    DriverFeatures f = real_->features();
    f.virtual_memory = f.virtual_memory && account_.virtual_memory;
    return f;
  }
  std::size_t granularity() const noexcept override { return real_->granularity(); }
  std::size_t block_alignment() const noexcept override { return real_->block_alignment(); }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    return call(Call::Allocate, bytes, [&] {
      const DriverStatus s = real_->allocate(bytes, out);
      if (s == DriverStatus::Ok) arrived(reinterpret_cast<std::uint64_t>(*out), bytes);
      return s;
    });
  }
  DriverStatus free(void* p, std::size_t bytes) noexcept override {
    return call(Call::Free, 0, [&] {
      const DriverStatus s = real_->free(p, bytes);
      if (s == DriverStatus::Ok) gone(reinterpret_cast<std::uint64_t>(p), bytes);
      return s;
    });
  }
  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    return call(Call::MemoryInfo, 0, [&] {
      const DriverStatus s = real_->memory_info(out);
      const std::size_t c = account_.capacity;
      out->total = out->total < c ? out->total : c;
      const std::size_t rest = c - (account_.held_ < c ? account_.held_ : c);
      out->free = out->free < rest ? out->free : rest;
      return s;
    });
  }
  DriverStatus reserve(std::size_t bytes, DriverAddress* out) noexcept override {
    return call(Call::Reserve, 0, [&] {
      const DriverStatus s = real_->reserve(bytes, out);
      account_.spaces_ += s == DriverStatus::Ok;
      return s;
    });
  }
  DriverStatus release(DriverAddress at, std::size_t bytes) noexcept override {
    return call(Call::Release, 0, [&] {
      const DriverStatus s = real_->release(at, bytes);
      account_.spaces_ -= s == DriverStatus::Ok;
      return s;
    });
  }
  DriverStatus create(std::size_t bytes, PhysicalHandle* out) noexcept override {
    return call(Call::Create, bytes, [&] {
      const DriverStatus s = real_->create(bytes, out);
      account_.loose_ += s == DriverStatus::Ok;
      return s;
    });
  }
  DriverStatus destroy(PhysicalHandle handle, std::size_t bytes) noexcept override {
    return call(Call::Destroy, 0, [&] {
      const DriverStatus s = real_->destroy(handle, bytes);
      account_.loose_ -= s == DriverStatus::Ok;
      return s;
    });
  }
  DriverStatus map(DriverAddress at, std::size_t bytes, PhysicalHandle h) noexcept override {
    return call(Call::Map, 0, [&] {
      const DriverStatus s = real_->map(at, bytes, h);
      if (s == DriverStatus::Ok) {
        --account_.loose_;
        arrived(at, bytes);
      }
      return s;
    });
  }
  DriverStatus unmap(DriverAddress at, std::size_t bytes) noexcept override {
    return call(Call::Unmap, 0, [&] {
      const DriverStatus s = real_->unmap(at, bytes);
      if (s == DriverStatus::Ok) {
        ++account_.loose_;
        gone(at, bytes);
        if (account_.discards_neighbour && account_.pieces_.count(at + bytes) != 0)
          real_->unmap(at + bytes, bytes);
      }
      return s;
    });
  }

 private:
  template <class F>
  DriverStatus call(Call which, std::size_t wanted, F f) noexcept {
    const std::lock_guard<std::mutex> hold(account_.mutex_);
    if (const DriverStatus s = account_.planned(which); s != DriverStatus::Ok) return s;
    const std::size_t page = real_->granularity();
    const std::size_t used = account_.held_ + account_.loose_ * page;
    const bool room =
        wanted == 0 || (used <= account_.capacity && wanted <= account_.capacity - used);
    const DriverStatus s = room ? f() : DriverStatus::OutOfMemory;
    account_.refusals_ += s != DriverStatus::Ok;
    account_.system_refusals_ += room && s != DriverStatus::Ok;
    return s;
  }
  void arrived(std::uint64_t at, std::size_t bytes) {
    account_.pieces_.emplace(at, bytes);
    account_.held_ += bytes;
    ++account_.growths_;
  }
  void gone(std::uint64_t at, std::size_t bytes) {
    account_.pieces_.erase(at);
    account_.held_ -= bytes;
    ++account_.returns_;
  }

  const std::unique_ptr<Driver> real_;
  Account& account_;
};

}  // namespace tandem::test
