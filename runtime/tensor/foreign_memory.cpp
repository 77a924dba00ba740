// Memory of the caller that is given back in the order of a stream.
#include "runtime/tensor/foreign_memory.h"

#include <algorithm>

#include "runtime/dispatch/backend_loader.h"

namespace tandem::detail {

void ForeignMemory::record_use(const Stream& stream) {
  if (stream == home) return;
  const std::lock_guard lock(mutex);
  if (std::find(used.begin(), used.end(), stream) == used.end()) used.push_back(stream);
}

void ForeignMemory::give_back(void* data) noexcept {
  for (const Stream& stream : used) {
    try {
      Event event;
      event.record(stream);
      event.wait(home);
    } catch (...) {  // such as a lost device, or the stream of another thread
      const BackendTable* backend = backend_for(stream.device().kind);
      if (backend != nullptr) backend->driver.device_synchronize(stream.device().index);
    }
  }
  if (deleter) deleter(data, home);
}

}  // namespace tandem::detail
