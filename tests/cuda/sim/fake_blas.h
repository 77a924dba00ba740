// What the fake cuBLASLt (fake_blas.cpp) was asked; a test opens the same library and reads it.
#pragma once

#include <cstddef>
#include <cstdint>

struct FakeBlas {
  int products, heuristics, alive;  // `alive`: descriptions that were not destroyed
  int misaligned;                   // matrices that break the alignment that was promised
  bool biased, pointers, transposed_a, transposed_b;  // of the last product, as what follows
  int compute;
  std::int64_t m, n, k, lda, ldb, ldc, batch, stride_a, stride_b, stride_c;
  std::size_t workspace;
};

/// The name that the library exports it by, and its type.
inline constexpr const char* kFakeBlas = "fake_blas";
using FakeBlasFn = FakeBlas* (*)();
