// Memory of the caller that is given back in the order of a stream.
#include "runtime/tensor/foreign_memory.h"

#include <algorithm>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/stream/capture.h"

namespace tandem::detail {

void ForeignMemory::record_use(const Stream& stream) {
  if (stream == home) return;
  const std::lock_guard lock(mutex);
  if (std::find(used.begin(), used.end(), stream) == used.end()) used.push_back(stream);
}

void ForeignMemory::give_back(ForeignMemory* memory, void* data) noexcept {
  const auto later = [=] { give_back(memory, data); };
  if (run_after_capture(memory->home.device(), later)) return;
  for (const Stream& stream : memory->used) {
    if (run_after_capture(stream.device(), later)) return;
  }
  for (const Stream& stream : memory->used) {
    try {
      Event event;
      event.record(stream);
      event.wait(memory->home);
    } catch (...) {  // such as a lost device, or the stream of another thread
      const BackendTable* backend = backend_for(stream.device().kind);
      if (backend != nullptr) backend->driver.device_synchronize(stream.device().index);
    }
  }
  if (memory->deleter) memory->deleter(data, memory->home);
  delete memory;
}

}  // namespace tandem::detail
