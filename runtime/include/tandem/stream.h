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

/// Priorities of a device's streams. Lower numbers come first; work of one priority is in no order.
struct StreamPriorities {
  int least = 0;
  int greatest = 0;
};
/// The priorities that Stream::create takes; 0 is always one of them. Raises DeviceError.
TANDEM_API StreamPriorities stream_priority_range(Device device);

/// A queue of work on a device. Cheap to copy; owns nothing: a stream made by `Stream::create`
/// lives until the process ends and is handed out again from a pool, one of `create_owned` until
/// `destroy`.
class TANDEM_API Stream {
 public:
  Stream() = default;
  /// A stream of the device and priority from Tandem's pool of streams. Raises ValueError outside
  /// of stream_priority_range, DeviceError.
  static Stream create(Device device, int priority = 0);
  /// A stream of the caller's alone, which destroy() ends. Raises as create does.
  static Stream create_owned(Device device, int priority = 0);
  /// Wraps a stream that the caller owns, such as a cudaStream_t. It must outlive all its use, the
  /// memory that work on it used included, or be retired first. Raises DeviceError, as for a stream
  /// of another device.
  /// cudaStreamLegacy is the default stream; cudaStreamPerThread is the stream of the thread that
  /// wraps it, and on another thread every use of the Stream raises DeviceError.
  static Stream wrap(Device device, void* native);

  Device device() const { return device_; }
  /// The backend's own handle (cudaStream_t); null is the device's default stream.
  void* native() const { return native_; }
  /// Never reused, unlike the native handle, and another one on every device, the default streams'
  /// too; 0 is the host's.
  std::uint64_t id() const { return id_; }
  /// Waits on the calling thread until all work of the stream is done; raises errors of that work.
  void synchronize() const;
  /// Whether all work is done; does not wait.
  bool query() const;
  /// Ends a stream of create_owned. Does not wait: its work goes on, and memory that it used is
  /// given to others when that is done. Every later use of the stream raises DeviceError. Raises
  /// ValueError for any other stream, or where it is current on this thread or being captured.
  void destroy() const;
  /// To be called before the owner of a wrapped stream destroys it: from here on Tandem does not
  /// touch its handle. As destroy() otherwise; raises ValueError for streams that are not wrapped.
  void retire() const;
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
