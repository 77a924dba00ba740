// Splits interleaved elements (the channels of pixels) into planes, at one SIMD level: with the
// number of channels known, the loops are shuffles.
#include <cstdint>

#include "host/isa/reduce_level.h"

namespace tandem::host::TANDEM_ISA {

template <class T, int N>
void split(void* out, const void* in, std::int64_t count) {
  auto* __restrict__ to = static_cast<T*>(out);
  const auto* __restrict__ from = static_cast<const T*>(in);
  for (std::int64_t i = 0; i < count; ++i) {
    for (int c = 0; c < N; ++c) to[c * count + i] = from[i * N + c];
  }
}

template <class T>
void split_by(void* out, const void* in, std::int64_t count, int n) {
  if (n == 2) return split<T, 2>(out, in, count);
  if (n == 3) return split<T, 3>(out, in, count);
  return split<T, 4>(out, in, count);
}

void split_planes(void* out, const void* in, std::int64_t count, int n, int width) {
  switch (width) {
    case 1:
      return split_by<std::uint8_t>(out, in, count, n);
    case 2:
      return split_by<std::uint16_t>(out, in, count, n);
    case 4:
      return split_by<std::uint32_t>(out, in, count, n);
    case 8:
      return split_by<std::uint64_t>(out, in, count, n);
    default:
      return split_by<Complex128>(out, in, count, n);
  }
}

}  // namespace tandem::host::TANDEM_ISA
