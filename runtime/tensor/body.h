// Making tensors: the only code that allocates and fills a TensorBody. Internal.
#pragma once

#include "tandem/tensor.h"

namespace tandem::detail {

/// A fresh body with one count, dtype and offset 0; the caller fills shape, strides and storage.
TensorBody* new_body() noexcept(false);

/// Product of the sizes. Raises ValueError on a negative size and where the bytes overflow int64.
std::int64_t checked_numel(IntSpan shape, std::size_t element_size, const char* op);

/// Launches and masks of dimensions have room for so many. Raises ValueError.
void check_rank(std::size_t rank, const char* op);

/// Strides of a dense row-major tensor.
void contiguous_strides(IntSpan shape, Dims& strides);

/// A tensor over a storage.
Tensor make_tensor(const Storage& storage, DType dtype, std::int64_t offset, Dims shape,
                   Dims strides, Names names = {});

/// A dense row-major tensor of uninitialised memory on a device with memory or on meta.
Tensor make_empty(IntSpan shape, DType dtype, Device device);

/// Uninitialised and dense on the CPU, with the dtype and shape of another tensor; unnamed.
Tensor make_dense_like(const TensorBody& like);

/// A view of `base` (or of the tensor it views). The inner part of every view op.
Tensor make_view(const Tensor& base, std::int64_t offset, Dims shape, Dims strides, Names names);

/// Like make_view, with the sizes still to fill in: the body is new and ours alone.
TensorBody* begin_view(const TensorBody* of);

/// Whether the elements do not overlap and fill their memory, in whatever order of dimensions.
bool is_dense(IntSpan shape, IntSpan strides);

/// Whether two elements may share memory (a stride of 0, or strides that do not nest).
bool may_overlap_itself(IntSpan shape, IntSpan strides);

inline void bump_version(const Tensor& t) {
  t.body_ptr()->storage->version.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tandem::detail
