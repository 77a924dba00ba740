// Copies between devices. Internal.
#pragma once

#include "tandem/stream.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// out[...] = source[...] across devices (same shape); casts on the side where the bytes are fewer.
/// Waits for the copy unless it is non-blocking; a copy to pageable host memory always waits.
void transfer(const Tensor& out, const Tensor& source, bool non_blocking);

/// Notes that a stream's work uses the storage.
void record_use(StorageBody* storage, const Stream& stream);

}  // namespace tandem::detail
