// Memory of the caller that is given back in the order of a stream (from_blob with a stream), or
// that is not to be written (from_foreign). Internal.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "tandem/error.h"
#include "tandem/small_vector.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"

namespace tandem::detail {

struct ForeignMemory {
  Stream home;  // where it is given back
  std::function<void(void*, Stream)> deleter;
  std::mutex mutex;
  SmallVector<Stream, 4> used;  // other streams whose work uses it
  bool read_only = false;       // set before anyone knows the storage

  /// Notes that a stream's work uses the memory. Any thread.
  void record_use(const Stream& stream);
  /// Orders the deleter behind all uses, calls it and ends the object; the host waits only where a
  /// device refuses to order its streams. While a stream of one of the devices is being captured
  /// neither is possible: then it is done when the capture is over.
  static void give_back(ForeignMemory* memory, void* data) noexcept;
};

inline bool is_read_only(const StorageBody& s) noexcept {
  return s.foreign != nullptr && s.foreign->read_only;
}

/// Before a tensor of the caller's is written.
inline void check_writable(const Tensor& t, const char* op) {
  TANDEM_EXPECTS(!is_read_only(*t.body_ptr()->storage), ValueError,
                 std::string("[") + op +
                     "] expected a tensor that can be written, got one over read-only memory; "
                     "clone() makes a copy");
}

}  // namespace tandem::detail
