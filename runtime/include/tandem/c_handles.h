// Handles of tandem/c.h and tensors of C++ in one program: both are the same object.
#pragma once

#include "tandem/c.h"
#include "tandem/tensor.h"

namespace tandem {

/// A handle with a holder of its own: give it to tandem_tensor_release. Null for an undefined
/// tensor.
inline tandem_tensor* to_c(const Tensor& t) {
  detail::TensorBody* body = t.body_ptr();
  if (body != nullptr) body->refs.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<tandem_tensor*>(body);
}

/// The tensor of a handle, which stays the caller's. Undefined for null.
inline Tensor from_c(const tandem_tensor* handle) {
  auto* body = reinterpret_cast<detail::TensorBody*>(const_cast<tandem_tensor*>(handle));
  if (body != nullptr) body->refs.fetch_add(1, std::memory_order_relaxed);
  return Tensor::adopt(body);
}

}  // namespace tandem
