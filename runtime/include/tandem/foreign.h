// Memory of other libraries as tensors: shared, given back when the last tensor lets go of it, and
// read-only where its owner says so. tandem/dlpack.h and the Python package are built on this.
#pragma once

#include <functional>
#include <optional>

#include "tandem/tensor.h"

namespace tandem {

/// Memory that another library owns.
struct ForeignMemoryView {
  void* data = nullptr;  // element [0, 0, ...]; null only where there are no elements
  DType dtype = DType::float32;
  Dims shape;
  std::optional<Dims> strides;  // elements, of either sign; without: dense and row-major
  Device device;
  bool read_only = false;  // a write through Tandem raises ValueError, and nothing has changed
  /// Called once, on any thread, when the last tensor lets go. Must not throw. On a device the host
  /// does not wait: the device's default stream is made to wait for the work of all streams on
  /// which Tandem used the memory, and then it is called. So memory that its owner gives out again
  /// in the order of the default stream, or of a stream that waits for it, is never written too
  /// early.
  std::function<void()> release;
};

/// A tensor over it, without a copy and without waiting: whoever calls orders the device's current
/// stream behind the work that fills the memory. Where it raises (ValueError, ShapeError,
/// DeviceError), `release` was not called and the memory is still the caller's.
TANDEM_API Tensor from_foreign(ForeignMemoryView memory);

/// Whether writes to the tensor's memory are refused.
TANDEM_API bool is_read_only(const Tensor& t);

}  // namespace tandem
