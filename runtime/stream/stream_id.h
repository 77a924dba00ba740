// A stream's identity: what the memory pools order by.
#pragma once

#include "runtime/memory/driver.h"
#include "tandem/device.h"
#include "tandem/stream.h"

namespace tandem {

/// The identity of a backend's stream by its native handle, on a device with an index: the device's
/// number (device_number) in the upper bits; below it 0 for the default stream (null), else one
/// more than the driver's number of the stream. Never reused, though handles may be. Raises
/// DeviceError.
StreamId stream_id(Device device, void* native);

/// Raises DeviceError, naming the op, where the stream has ended, or is another one on this thread
/// (Note [A stream that each thread has]).
void check_usable(const Stream& stream, const char* op);

/// The same of a Stream, without asking the backend.
inline StreamId stream_id(const Stream& s) {
  return StreamId{s.id(), reinterpret_cast<std::uint64_t>(s.native())};
}

}  // namespace tandem
