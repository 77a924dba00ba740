// Exact mode: the same bits on every backend from what else goes to a vendor's library.
#pragma once

#include "tandem/export.h"

namespace tandem {

/// Whether the calling thread asked for exact mode. In it matrix products (matmul, einsum and what
/// is made of them) and Fourier transforms use Tandem's own kernels in a fixed order: equal bits on
/// the CPU and the GPU, at any number of threads and any SIMD level, in exchange for speed. What is
/// on a fixed tree anyway (sums, matrix times vector) is the same with it and without it.
/// Factorisations are the same in either mode. Off at a thread's start.
TANDEM_API bool is_exact() noexcept;
TANDEM_API void set_exact(bool on) noexcept;

/// Exact mode of the calling thread as long as the object lives.
class ExactGuard {
 public:
  explicit ExactGuard(bool on = true) noexcept : before_(is_exact()) { set_exact(on); }
  ~ExactGuard() { set_exact(before_); }
  ExactGuard(const ExactGuard&) = delete;
  ExactGuard& operator=(const ExactGuard&) = delete;

 private:
  bool before_;
};

}  // namespace tandem
