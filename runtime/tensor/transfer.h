// Copies between devices. Internal.
#pragma once

#include "tandem/stream.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// out[...] = source[...] across devices (same shape); casts on the side where the bytes are fewer.
/// Unless it is non-blocking, waits for a copy to the host, and for one from memory of the host
/// that the device may still read when the driver's call returns.
void transfer(const Tensor& out, const Tensor& source, bool non_blocking);

/// Notes that a stream's work uses the storage. To be called before the work is queued: it may
/// throw.
void record_use(StorageBody* storage, const Stream& stream);
/// The same of work that the stream runs by itself, whether or not it is being captured by now.
void note_use(StorageBody* storage, const Stream& stream);

}  // namespace tandem::detail
