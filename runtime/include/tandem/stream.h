// Streams and events: the order in which a device works. On the CPU ops run on the calling thread,
// so a CPU stream is always idle.
#pragma once

#include <cstdint>
#include <memory>

#include "tandem/device.h"
#include "tandem/export.h"

namespace tandem {

namespace detail {
struct StreamAccess;
}

/// A queue of work on a device. Cheap to copy; owns nothing: a stream made by `Stream::create`
/// lives until the process ends and is handed out again from a pool.
class TANDEM_API Stream {
 public:
  Stream() = default;
  /// A stream of the device from Tandem's pool of streams.
  static Stream create(Device device);
  /// Wraps a stream that the caller owns, such as a cudaStream_t; it must outlive all its use.
  static Stream wrap(Device device, void* native);

  Device device() const { return device_; }
  /// The backend's own handle (cudaStream_t); null is the device's default stream.
  void* native() const { return native_; }
  /// Never reused, unlike the native handle.
  std::uint64_t id() const { return id_; }
  /// Waits on the calling thread until all work of the stream is done; raises errors of that work.
  void synchronize() const;
  /// Whether all work is done; does not wait.
  bool query() const;
  bool operator==(const Stream& o) const { return device_ == o.device_ && id_ == o.id_; }

 private:
  friend struct detail::StreamAccess;
  Device device_;
  void* native_ = nullptr;
  std::uint64_t id_ = 0;
};

/// A point in a stream's work.
class TANDEM_API Event {
 public:
  Event() = default;
  /// Marks the present end of the stream's work.
  void record(const Stream& stream);
  /// Makes the work that the stream gets from now on wait for the point; does not wait itself.
  void wait(const Stream& stream) const;
  /// Waits on the calling thread.
  void synchronize() const;
  bool query() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// The stream that this thread's calls on the device go to.
TANDEM_API Stream current_stream(Device device);

/// Makes a stream current on this thread for the life of the guard.
class TANDEM_API StreamGuard {
 public:
  explicit StreamGuard(const Stream& stream);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

 private:
  Stream previous_;
};

/// Waits for all work of all streams of a device; raises its errors.
TANDEM_API void synchronize(Device device);

}  // namespace tandem
