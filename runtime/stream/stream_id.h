// A stream's identity: what the memory pools order by.
#pragma once

#include "runtime/memory/driver.h"
#include "tandem/device.h"
#include "tandem/stream.h"

namespace tandem {

/// The identity of a backend's stream by its native handle. The default stream (null) has id 0; the
/// ids of others are never reused, though their handles may be. Raises DeviceError.
StreamId stream_id(Device device, void* native);

/// The same of a Stream, without asking the backend.
inline StreamId stream_id(const Stream& s) {
  return StreamId{s.id(), reinterpret_cast<std::uint64_t>(s.native())};
}

}  // namespace tandem
