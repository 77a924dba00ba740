// Memory of the caller that is given back in the order of a stream (from_blob with a stream).
// Internal.
#pragma once

#include <functional>
#include <mutex>

#include "tandem/small_vector.h"
#include "tandem/stream.h"

namespace tandem::detail {

struct ForeignMemory {
  Stream home;  // where it is given back
  std::function<void(void*, Stream)> deleter;
  std::mutex mutex;
  SmallVector<Stream, 4> used;  // other streams whose work uses it

  /// Notes that a stream's work uses the memory. Any thread.
  void record_use(const Stream& stream);
  /// Orders the deleter behind all uses, calls it and ends the object; the host waits only where a
  /// device refuses to order its streams. While a stream of one of the devices is being captured
  /// neither is possible: then it is done when the capture is over.
  static void give_back(ForeignMemory* memory, void* data) noexcept;
};

}  // namespace tandem::detail
