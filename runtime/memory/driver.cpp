// What a driver answers where it has neither virtual memory nor pending work.
#include "runtime/memory/driver.h"

namespace tandem {

Driver::~Driver() = default;

DriverStatus Driver::reserve(std::size_t, DriverAddress*) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::release(DriverAddress, std::size_t) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::create(std::size_t, PhysicalHandle*) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::destroy(PhysicalHandle, std::size_t) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::map(DriverAddress, std::size_t, PhysicalHandle) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::unmap(DriverAddress, std::size_t) noexcept {
  return DriverStatus::Unsupported;
}

DriverStatus Driver::event_create(EventHandle* out) noexcept {
  *out = 0;
  return DriverStatus::Ok;
}
DriverStatus Driver::event_destroy(EventHandle) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::event_record(EventHandle, StreamId) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::event_query(EventHandle) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::event_wait(EventHandle) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::stream_wait_event(StreamId, EventHandle) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::stream_synchronize(StreamId) noexcept { return DriverStatus::Ok; }
DriverStatus Driver::stream_query(StreamId) noexcept { return DriverStatus::NotReady; }
bool Driver::capturing(StreamId) noexcept { return false; }
DriverStatus Driver::synchronize() noexcept { return DriverStatus::Ok; }

DriverStatus Driver::fill(void*, int, std::size_t, StreamId) noexcept {
  return DriverStatus::Unsupported;
}
DriverStatus Driver::read(const void*, std::size_t, void*) noexcept {
  return DriverStatus::Unsupported;
}

}  // namespace tandem
