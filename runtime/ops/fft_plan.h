// Plans of the built-in Fourier transform: how a length is cut, and the tables of factors.
// Internal.
#pragma once

#include <memory>
#include <vector>

#include "tandem/backend/fft.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"

namespace tandem::detail {

struct FftPass {
  std::int64_t m, p, s;
  std::vector<int> radices;
  Tensor stages, twiddles;
};

/// A forward transform of length n. With a prime factor beyond 31 it is a convolution by `inner`
/// (Bluestein), whose length is smooth.
struct FftPlan {
  std::int64_t n;
  std::vector<FftPass> passes;            // of n, or those of `inner`
  std::shared_ptr<const FftPlan> inner;   // null without a convolution
  Tensor chirp, chirp_conjugate, kernel;  // kernel: transform of the chirp's conjugate, over length
  Tensor half;                            // fft_half_table alone has it

  std::int64_t length() const { return inner ? inner->n : n; }
};

/// The plan of a length >= 1 in complex64 or complex128, for use on the current stream of the
/// device. Kept, least recently used, up to kFftPlans and kFftPlanBytes.
std::shared_ptr<const FftPlan> fft_plan(std::int64_t n, DType dtype, Device device);

/// exp(-2 pi i k / 2 h), k in [0, h]: what rows of 2 h real elements need; kept as plans are.
Tensor fft_half_table(std::int64_t h, DType dtype, Device device);

/// A length of a convolution: the 2^a 3^b 5^c >= least, b and c at most 2, with the least work, odd
/// factors counted by what their stages cost beside those of 8.
std::int64_t fft_good_length(std::int64_t least);

inline constexpr std::size_t kFftPlans = 128;
inline constexpr std::size_t kFftPlanBytes = std::size_t(256) << 20;

/// Plans that are kept, for tests.
TANDEM_API std::size_t fft_plans_kept();

}  // namespace tandem::detail
