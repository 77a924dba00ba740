// The narrow interface between the caching pool and the memory of one device. Not a place for
// policy: what to cache, split or reuse is the pool's business (pool.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "tandem/export.h"

namespace tandem {

/// A stream as the memory layer sees it. `id` is never reused while the process lives, `handle`
/// (the driver's own value) may be: two streams are the same if and only if their ids are. The
/// upper 16 bits of an id are the number of the stream's device, which every pool has one of
/// (Order::attach), so that the default streams of two devices are two streams; 0 is the host's.
struct StreamId {
  std::uint64_t id = 0;
  std::uint64_t handle = 0;
  friend constexpr bool operator==(StreamId a, StreamId b) { return a.id == b.id; }
  constexpr unsigned device() const { return static_cast<unsigned>(id >> kDeviceShift); }
  static constexpr int kDeviceShift = 48;
};

/// The order of host code: work is done when the call returns, so every thread shares this one
/// stream.
inline constexpr StreamId kHostStream{};

enum class DriverStatus : int {
  Ok = 0,
  OutOfMemory,  // nothing happened; freeing memory may help
  NotReady,     // the answer of event_query while work is pending
  Unsupported,  // the driver has no such call (see DriverFeatures)
  Failed,       // the device reported an error; nothing happened
};

struct DriverFeatures {
  bool asynchronous =
      false;  // work may be pending when a call returns: events and synchronize mean something
  bool virtual_memory = false;  // reserve, create, map, ... work
  bool any_size = false;        // allocate takes any number of bytes
};

struct MemoryInfo {
  std::size_t free = 0;   // what could be had now
  std::size_t total = 0;  // what the device (or the process's limit) has at all
};

using DriverAddress = std::uintptr_t;
using PhysicalHandle = std::uint64_t;
using EventHandle = std::uint64_t;

/// One device's memory and the order of its work. Calls may come from several threads at once; they
/// must not call back into a pool, throw, or change the caller's current device or stream. A call
/// that does not return Ok changed nothing.
class TANDEM_API Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver();

  virtual const char* name() const noexcept = 0;
  virtual DriverFeatures features() const noexcept = 0;
  /// Segments are multiples of this and aligned to it at least: a power of two, 64 KiB or more.
  virtual std::size_t granularity() const noexcept = 0;
  /// Alignment of every block and unit of the small size classes: a power of two from 16 to 4096.
  virtual std::size_t block_alignment() const noexcept = 0;

  /// Whole segments. `bytes` is the same in both calls, and a multiple of granularity() unless the
  /// driver takes any size.
  virtual DriverStatus allocate(std::size_t bytes, void** out) noexcept = 0;
  virtual DriverStatus free(void* p, std::size_t bytes) noexcept = 0;
  virtual DriverStatus memory_info(MemoryInfo* out) noexcept = 0;

  /// Address space without memory, and memory without address, joined by map: for drivers with
  /// features().virtual_memory. All sizes and offsets are multiples of granularity(). Memory may be
  /// mapped at several addresses, if the driver can do that, and is unmapped at all of them before
  /// it is destroyed.
  virtual DriverStatus reserve(std::size_t bytes, DriverAddress* out) noexcept;
  virtual DriverStatus release(DriverAddress address, std::size_t bytes) noexcept;
  virtual DriverStatus create(std::size_t bytes, PhysicalHandle* out) noexcept;
  virtual DriverStatus destroy(PhysicalHandle handle, std::size_t bytes) noexcept;
  virtual DriverStatus map(DriverAddress at, std::size_t bytes, PhysicalHandle handle) noexcept;
  virtual DriverStatus unmap(DriverAddress at, std::size_t bytes) noexcept;

  /// Points in a stream's work. A driver that is not asynchronous is always done: the defaults say
  /// so.
  virtual DriverStatus event_create(EventHandle* out) noexcept;
  virtual DriverStatus event_destroy(EventHandle event) noexcept;
  virtual DriverStatus event_record(EventHandle event, StreamId stream) noexcept;
  virtual DriverStatus event_query(EventHandle event) noexcept;
  virtual DriverStatus event_wait(EventHandle event) noexcept;  // on the calling thread
  virtual DriverStatus stream_wait_event(StreamId stream, EventHandle event) noexcept;
  virtual DriverStatus stream_synchronize(StreamId stream) noexcept;
  /// Ok where all work of the stream is done; NotReady while it is not, or where none can tell.
  virtual DriverStatus stream_query(StreamId stream) noexcept;
  /// Whether work queued on the stream is being recorded into a graph instead of run. Events must
  /// neither be recorded nor waited for there, but by who builds the graph.
  virtual bool capturing(StreamId stream) noexcept;
  /// Waits for all work of the device.
  virtual DriverStatus synchronize() noexcept;

  /// Sets every byte, in the order of the stream; reads bytes that no work is pending on. Asked for
  /// in debug mode alone; by default Unsupported.
  virtual DriverStatus fill(void* p, int byte, std::size_t bytes, StreamId stream) noexcept;
  virtual DriverStatus read(const void* p, std::size_t bytes, void* to) noexcept;
};

}  // namespace tandem
