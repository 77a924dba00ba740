// The boxed forms of window.def. Internal.
#pragma once

#include "runtime/ops/boxed_ops.h"
#include "tandem/window.h"

namespace tandem::ops {

#define TANDEM_CREATES MaybeDType dtype, MaybeDevice device, MaybeNames names
Tensor bartlett_window(std::int64_t n, bool periodic, TANDEM_CREATES);
Tensor blackman_window(std::int64_t n, bool periodic, TANDEM_CREATES);
Tensor hamming_window(std::int64_t n, bool periodic, double alpha, double beta, TANDEM_CREATES);
Tensor hann_window(std::int64_t n, bool periodic, TANDEM_CREATES);
Tensor kaiser_window(std::int64_t n, bool periodic, double beta, TANDEM_CREATES);
Tensor signal_windows_bartlett(std::int64_t n, bool sym, TANDEM_CREATES);
Tensor signal_windows_blackman(std::int64_t n, bool sym, TANDEM_CREATES);
Tensor signal_windows_cosine(std::int64_t n, bool sym, TANDEM_CREATES);
Tensor signal_windows_exponential(std::int64_t n, std::optional<double> center, double tau,
                                  bool sym, TANDEM_CREATES);
Tensor signal_windows_gaussian(std::int64_t n, double std, bool sym, TANDEM_CREATES);
Tensor signal_windows_general_cosine(std::int64_t n, const Value& a, bool sym, TANDEM_CREATES);
Tensor signal_windows_general_hamming(std::int64_t n, double alpha, bool sym, TANDEM_CREATES);
Tensor signal_windows_hamming(std::int64_t n, bool sym, TANDEM_CREATES);
Tensor signal_windows_hann(std::int64_t n, bool sym, TANDEM_CREATES);
Tensor signal_windows_kaiser(std::int64_t n, double beta, bool sym, TANDEM_CREATES);
Tensor signal_windows_nuttall(std::int64_t n, bool sym, TANDEM_CREATES);
#undef TANDEM_CREATES

}  // namespace tandem::ops
