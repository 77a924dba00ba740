// The simulated memory of the devices, and the driver that a pool sees.
#include "tests/memory/sim/sim_driver.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <utility>

namespace tandem::test {

// ---- Addresses: numbers, or pages that the system has reserved. ----

std::uint64_t SimMachine::take_addresses(std::size_t bytes) {
  if (options_.backed) {
    const std::size_t align = options_.granularity;
    void* p =
        mmap(nullptr, bytes + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return 0;
    const auto from = reinterpret_cast<std::uint64_t>(p);
    const std::uint64_t at = (from + align - 1) / align * align;
    if (at != from) munmap(p, at - from);
    if (from + align != at) munmap(reinterpret_cast<void*>(at + bytes), from + align - at);
    return at;
  }
  // Like a real one, give out the address that was given back last: what refers to memory that is
  // gone meets someone else's.
  std::vector<std::uint64_t>& spare = spare_addresses_[bytes];
  if (!spare.empty()) {
    const std::uint64_t at = spare.back();
    spare.pop_back();
    return at;
  }
  const std::uint64_t at = next_address_;
  const std::size_t unit = std::max(options_.granularity, options_.block_alignment);
  next_address_ += (bytes + unit - 1) / unit * unit + unit;  // never neighbours by chance
  return at;
}

void SimMachine::give_addresses(std::uint64_t at, std::size_t bytes) {
  if (options_.backed) {
    munmap(reinterpret_cast<void*>(at), bytes);
  } else {
    spare_addresses_[bytes].push_back(at);
  }
}

namespace {

/// Makes reserved addresses memory, or addresses only.
void back(const SimOptions& options, std::uint64_t at, std::size_t bytes, bool memory) {
  if (!options.backed) return;
  void* p = reinterpret_cast<void*>(at);
  if (memory) {
    mprotect(p, bytes, PROT_READ | PROT_WRITE);
  } else {
    mmap(p, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  }
}

}  // namespace

SimMachine::~SimMachine() {
  if (!options_.backed) return;
  for (const auto& [at, r] : reserved_) munmap(reinterpret_cast<void*>(at), r.to - at);
  for (const auto& [at, m] : memory_) {
    if (m.handle == 0) munmap(reinterpret_cast<void*>(at), m.to - at);
  }
}

bool SimMachine::overlaps(std::uint64_t from, std::uint64_t to) const {
  auto it = memory_.upper_bound(from);
  if (it != memory_.end() && it->first < to) return true;
  return it != memory_.begin() && std::prev(it)->second.to > from;
}

/// Before memory goes: nothing is captured, and the host has seen all work on it done.
bool SimMachine::quiet(unsigned device, Bytes where, const char* call) {
  if (illegal_in_capture(device, call)) return false;
  Shadow::Conflict c;
  if (shadow_.finished(where, host_, &c)) return true;
  fault(fmt::format("{}: nobody has waited for the work of {} on [{:#x}, {:#x})", call,
                    describe(c.earlier), c.where.from, c.where.to));
  return false;
}

std::string SimMachine::leaks() {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::size_t bytes = 0, mapped = 0, events = 0;
  for (const auto& [at, m] : memory_) (m.handle == 0 ? bytes : mapped) += m.to - at;
  for (const Event& e : events_) events += e.alive && !e.user;
  if (bytes + mapped + events + reserved_.size() + physical_.size() == 0) return "";
  return fmt::format(
      "not given back: {} bytes allocated, {} mapped, {} physical handles, {} reservations, {} "
      "events",
      bytes, mapped, physical_.size(), reserved_.size(), events);
}

std::size_t SimMachine::held(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return devices_[device].held;
}

std::size_t SimMachine::held_elsewhere(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  return devices_[device].unmapped;
}

std::vector<Bytes> SimMachine::pieces(unsigned device) {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::vector<Bytes> all;
  for (const auto& [at, m] : memory_) {
    if (m.device == device && is_newest(at, m)) all.push_back({at, m.to});
  }
  return all;
}

// ---- The driver. Every call counts, may be made to fail, and is checked. ----

class SimDriver final : public Driver {
 public:
  SimDriver(SimMachine& machine, unsigned device) : m_(machine), device_(device) {}
  const char* name() const noexcept override { return "simulated"; }
  DriverFeatures features() const noexcept override {
    return {m_.options_.asynchronous, m_.options_.virtual_memory, m_.options_.any_size};
  }
  std::size_t granularity() const noexcept override { return m_.options_.granularity; }
  std::size_t block_alignment() const noexcept override { return m_.options_.block_alignment; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override;
  DriverStatus free(void* p, std::size_t bytes) noexcept override;
  DriverStatus memory_info(MemoryInfo* out) noexcept override;
  DriverStatus reserve(std::size_t bytes, DriverAddress* out) noexcept override;
  DriverStatus release(DriverAddress address, std::size_t bytes) noexcept override;
  DriverStatus create(std::size_t bytes, PhysicalHandle* out) noexcept override;
  DriverStatus destroy(PhysicalHandle handle, std::size_t bytes) noexcept override;
  DriverStatus map(DriverAddress at, std::size_t bytes, PhysicalHandle handle) noexcept override;
  DriverStatus unmap(DriverAddress at, std::size_t bytes) noexcept override;

  DriverStatus event_create(EventHandle* out) noexcept override {
    return call(Call::EventCreate, [&] {
      *out = m_.create(device_, false);
      return DriverStatus::Ok;
    });
  }
  DriverStatus event_destroy(EventHandle event) noexcept override {
    return call(Call::EventDestroy, [&] {
      m_.destroy(event, false);
      return DriverStatus::Ok;
    });
  }
  DriverStatus event_record(EventHandle event, StreamId stream) noexcept override {
    return call(Call::EventRecord, [&] { return ok(m_.record(event, stream, device_, false)); });
  }
  DriverStatus event_query(EventHandle event) noexcept override {
    return call(Call::EventQuery,
                [&] { return m_.query(event, false) ? DriverStatus::Ok : DriverStatus::NotReady; });
  }
  DriverStatus stream_query(StreamId stream) noexcept override {
    return call(Call::StreamQuery,
                [&] { return m_.idle(stream) ? DriverStatus::Ok : DriverStatus::NotReady; });
  }
  DriverStatus event_wait(EventHandle event) noexcept override {
    return call(Call::EventWait, [&] {
      m_.host_wait(event, false);
      return DriverStatus::Ok;
    });
  }
  DriverStatus stream_wait_event(StreamId stream, EventHandle event) noexcept override {
    return call(Call::StreamWaitEvent, [&] { return ok(m_.wait(stream, event, false)); });
  }
  DriverStatus stream_synchronize(StreamId stream) noexcept override {
    return call(Call::StreamSynchronize, [&] {
      m_.synchronize(stream, false);
      return DriverStatus::Ok;
    });
  }
  bool capturing(StreamId stream) noexcept override {
    const std::lock_guard<std::mutex> hold(m_.mutex_);
    DriverStatus unused;
    m_.fails(Call::Capturing, &unused);
    const std::uint32_t slot = m_.find(stream, "capturing", false);
    return slot < m_.streams_.size() && m_.streams_[slot].capture != 0;
  }
  DriverStatus synchronize() noexcept override {
    return call(Call::Synchronize, [&] {
      m_.synchronize(device_, false);
      return DriverStatus::Ok;
    });
  }

 private:
  static DriverStatus ok(bool done) { return done ? DriverStatus::Ok : DriverStatus::Failed; }

  template <class F>
  DriverStatus call(Call which, F&& f) noexcept {
    const std::lock_guard<std::mutex> hold(m_.mutex_);
    DriverStatus status = DriverStatus::Ok;
    if (!m_.fails(which, &status)) status = f();
    if (which == Call::Allocate || which == Call::Create)
      ++(status == DriverStatus::Ok ? m_.growths_ : m_.refusals_);
    return status;
  }
  DriverStatus broken(std::string what) {
    m_.fault(std::move(what));
    return DriverStatus::Failed;
  }
  bool aligned(std::uint64_t n) const { return n % m_.options_.granularity == 0; }
  bool unfit(std::size_t bytes) const {
    return bytes == 0 || (!m_.options_.any_size && !aligned(bytes));
  }
  bool fits(std::size_t bytes) const {
    const SimMachine::DeviceState& d = m_.devices_[device_];
    return bytes <= m_.options_.capacity - d.held - d.unmapped;
  }

  SimMachine& m_;
  const unsigned device_;
};

DriverStatus SimDriver::allocate(std::size_t bytes, void** out) noexcept {
  return call(Call::Allocate, [&] {
    if (unfit(bytes)) return broken("allocate: not a multiple of the granularity");
    if (!fits(bytes)) return DriverStatus::OutOfMemory;
    const std::uint64_t at = m_.take_addresses(bytes);
    if (at == 0) return DriverStatus::OutOfMemory;
    back(m_.options_, at, bytes, true);
    m_.memory_[at] = {at + bytes, device_, 0};
    m_.devices_[device_].held += bytes;
    *out = reinterpret_cast<void*>(at);
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::free(void* p, std::size_t bytes) noexcept {
  return call(Call::Free, [&] {
    const auto at = reinterpret_cast<std::uint64_t>(p);
    const auto it = m_.memory_.find(at);
    if (it == m_.memory_.end() || it->second.to != at + bytes || it->second.handle != 0 ||
        it->second.device != device_) {
      return broken(fmt::format("free: of unknown memory [{:#x}, +{})", at, bytes));
    }
    if (!m_.quiet(device_, {at, at + bytes}, "free")) return DriverStatus::Failed;
    m_.shadow_.erase({at, at + bytes});
    m_.memory_.erase(it);
    m_.devices_[device_].held -= bytes;
    m_.give_addresses(at, bytes);
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::memory_info(MemoryInfo* out) noexcept {
  return call(Call::MemoryInfo, [&] {
    const SimMachine::DeviceState& d = m_.devices_[device_];
    *out = {m_.options_.capacity - d.held - d.unmapped, m_.options_.capacity};
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::reserve(std::size_t bytes, DriverAddress* out) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Reserve, [&] {
    if (bytes == 0 || !aligned(bytes)) return broken("reserve: not a multiple of the granularity");
    const std::uint64_t at = m_.take_addresses(bytes);
    if (at == 0) return DriverStatus::OutOfMemory;
    m_.reserved_[at] = {at + bytes, device_, 0};
    *out = at;
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::release(DriverAddress at, std::size_t bytes) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Release, [&] {
    const auto it = m_.reserved_.find(at);
    if (it == m_.reserved_.end() || it->second.to != at + bytes || it->second.device != device_)
      return broken(fmt::format("release: of what was not reserved [{:#x}, +{})", at, bytes));
    if (m_.overlaps(at, at + bytes)) return broken("release: something is mapped there");
    m_.reserved_.erase(it);
    m_.give_addresses(at, bytes);
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::create(std::size_t bytes, PhysicalHandle* out) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Create, [&] {
    if (bytes == 0 || !aligned(bytes)) return broken("create: not a multiple of the granularity");
    if (!fits(bytes)) return DriverStatus::OutOfMemory;
    *out = ++m_.last_physical_;
    m_.physical_[*out] = {bytes, device_, m_.next_place_, 0, 0};
    m_.next_place_ += bytes;
    m_.devices_[device_].unmapped += bytes;
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::destroy(PhysicalHandle handle, std::size_t bytes) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Destroy, [&] {
    const auto it = m_.physical_.find(handle);
    if (it == m_.physical_.end() || it->second.bytes != bytes || it->second.device != device_)
      return broken("destroy: of an unknown handle, or another size");
    if (it->second.mappings != 0) return broken("destroy: the handle is mapped");
    m_.physical_shadow_.erase({it->second.place, it->second.place + bytes});
    m_.physical_.erase(it);
    m_.devices_[device_].unmapped -= bytes;
    return DriverStatus::Ok;
  });
}

DriverStatus SimDriver::map(DriverAddress at, std::size_t bytes, PhysicalHandle handle) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Map, [&] {
    const auto it = m_.physical_.find(handle);
    if (it == m_.physical_.end() || it->second.bytes != bytes || it->second.device != device_)
      return broken("map: of an unknown handle, or another size");
    if (!aligned(at)) return broken("map: the address is not aligned");
    const auto r = m_.reserved_.upper_bound(at);
    if (r == m_.reserved_.begin() || std::prev(r)->second.to < at + bytes)
      return broken(fmt::format("map: nothing is reserved at [{:#x}, +{})", at, bytes));
    if (m_.overlaps(at, at + bytes))
      return broken(fmt::format("map: something is mapped in [{:#x}, +{})", at, bytes));
    back(m_.options_, at, bytes, true);
    it->second.mapped = at;
    m_.memory_[at] = {at + bytes, device_, handle};
    if (it->second.mappings++ != 0) {
      ++m_.aliases_;
      return DriverStatus::Ok;
    }
    m_.devices_[device_].held += bytes;
    m_.devices_[device_].unmapped -= bytes;
    return DriverStatus::Ok;
  });
}

/// One mapping or several without a gap, each of them whole.
DriverStatus SimDriver::unmap(DriverAddress at, std::size_t bytes) noexcept {
  if (!m_.options_.virtual_memory) return DriverStatus::Unsupported;
  return call(Call::Unmap, [&] {
    const auto begin = m_.memory_.find(at);
    auto it = begin;
    std::uint64_t end = at;
    while (end < at + bytes && it != m_.memory_.end() && it->first == end &&
           it->second.handle != 0 && it->second.device == device_) {
      end = it->second.to;
      ++it;
    }
    if (bytes == 0 || end != at + bytes)
      return broken(fmt::format("unmap: [{:#x}, +{}) is not what was mapped", at, bytes));
    if (!m_.quiet(device_, {at, end}, "unmap")) return DriverStatus::Failed;
    for (auto each = begin; each != it; ++each) {
      SimMachine::Physical& p = m_.physical_.at(each->second.handle);
      if (--p.mappings != 0) continue;
      m_.devices_[device_].held -= p.bytes;
      m_.devices_[device_].unmapped += p.bytes;
    }
    m_.memory_.erase(begin, it);
    m_.shadow_.erase({at, end});
    back(m_.options_, at, bytes, false);
    return DriverStatus::Ok;
  });
}

std::unique_ptr<Driver> SimMachine::driver(unsigned device) {
  return std::make_unique<SimDriver>(*this, device);
}

}  // namespace tandem::test
