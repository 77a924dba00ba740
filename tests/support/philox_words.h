// Philox4x32-10 (Salmon et al. 2011), from the paper's description: the words that the tests expect
// random numbers to be made of.
#pragma once

#include <array>
#include <cstdint>

namespace tandem::test {

using Words = std::array<std::uint32_t, 4>;

inline Words philox(std::uint64_t low, std::uint64_t high, std::uint64_t seed) {
  const auto lo = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto hi = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  Words c = {lo(low), hi(low), lo(high), hi(high)};
  std::array<std::uint32_t, 2> key = {lo(seed), hi(seed)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * c[0];
    const std::uint64_t b = 0xCD9E8D57ull * c[2];
    c = {hi(b) ^ c[1] ^ key[0], lo(b), hi(a) ^ c[3] ^ key[1], lo(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return c;
}

constexpr std::uint64_t kSeed = 0x123456789abcdef0;

/// The words of a block in a call of a generator of kSeed.
inline Words words(std::uint64_t block, std::uint64_t draw = 0, std::uint64_t call = 0,
                   std::uint64_t stream = 0) {
  return philox(block | draw << 48, call | stream << 40, kSeed);
}

}  // namespace tandem::test
