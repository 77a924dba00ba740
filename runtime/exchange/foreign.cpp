// Tensors over memory that another library owns.
#include "tandem/foreign.h"

#include <memory>

#include "runtime/tensor/foreign_memory.h"
#include "tandem/ops.h"

namespace tandem {

Tensor from_foreign(ForeignMemoryView memory) {
  std::optional<IntSpan> strides;
  if (memory.strides) strides = IntSpan(*memory.strides);
  const bool plain = memory.device.is_cpu() && !memory.read_only;
  if (plain) {
    std::function<void(void*)> release;
    // Shared, so that a failure leaves the caller's function uncalled.
    if (memory.release) release = [give = memory.release](void*) { give(); };
    return from_blob(memory.data, memory.shape, memory.dtype, {.device = memory.device},
                     std::move(release), strides);
  }
  auto foreign = std::make_unique<detail::ForeignMemory>();
  if (!memory.device.is_meta()) foreign->home = Stream::wrap(memory.device, nullptr);
  foreign->read_only = memory.read_only;
  if (memory.release) {
    foreign->deleter = [give = std::move(memory.release)](void*, const Stream&) { give(); };
  }
  Tensor t =
      from_blob(memory.data, memory.shape, memory.dtype, {.device = memory.device}, {}, strides);
  t.storage().body()->foreign = foreign.release();
  return t;
}

bool is_read_only(const Tensor& t) { return detail::is_read_only(*t.storage().body()); }

}  // namespace tandem
