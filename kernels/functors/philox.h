// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and words
// of it as numbers. The counter is (block | draw << 48, offset | stream << 40): see
// docs/numerics.md, "Random numbers".
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

struct PhiloxWords {
  std::uint32_t w[4];
};

TANDEM_FN PhiloxWords philox(std::uint64_t counter_low, std::uint64_t counter_high,
                             std::uint64_t key) {
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low);
  std::uint32_t c1 = static_cast<std::uint32_t>(counter_low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(counter_high);
  std::uint32_t c3 = static_cast<std::uint32_t>(counter_high >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(key);
  std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c0;
    const std::uint64_t p1 = std::uint64_t(0xCD9E8D57u) * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return PhiloxWords{{c0, c1, c2, c3}};
}

/// The low half of the counter of a block's draw: 0 the first one, 1, 2, ... where a number was
/// rejected.
TANDEM_FN std::uint64_t counter_of(std::uint64_t block, std::uint32_t draw) {
  return block | std::uint64_t(draw) << 48;
}

/// 53 random bits in a double below 2^53 without a 64-bit integer conversion: both parts are exact.
TANDEM_FN double bits53(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>(high >> 5) * 67108864.0 + static_cast<double>(low >> 6);
}

/// The upper 24 bits of a word; the conversion of a signed number is the one that every processor
/// has.
TANDEM_FN float bits24(std::uint32_t w) {
  return static_cast<float>(static_cast<std::int32_t>(w >> 8));
}

/// Inside (0, 1), the ends excluded: all 32 bits, so that it goes down to 2^-33.
TANDEM_FN float unit_open(std::uint32_t w) {
  const float low = static_cast<float>(static_cast<std::int32_t>(w & 0xffu)) + 0.5f;
  const float u = bits24(w) * 0x1p-24f + low * 0x1p-32f;
  return u < 1.0f - 0x1p-24f ? u : 1.0f - 0x1p-24f;
}

/// The same of two words: 53 bits, down to 2^-54.
TANDEM_FN double unit_open(std::uint32_t high, std::uint32_t low) {
  const double u = bits53(high, low) * 0x1p-53 + 0x1p-54;
  return u < 1.0 - 0x1p-53 ? u : 1.0 - 0x1p-53;
}

/// unit_open of the words that a number of type T takes: one for float, two for double.
template <class T>
TANDEM_FN T open_of(const std::uint32_t* w) {
  if constexpr (same_v<T, double>)
    return unit_open(w[0], w[1]);
  else
    return unit_open(w[0]);
}

}  // namespace tandem::fn
