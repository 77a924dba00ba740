// Many blocks of Philox side by side, for one SIMD level: the same words as fn::philox, in order.
#pragma once

#include "host/registry.h"
#include "kernels/functors/philox.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

/// The keys of the ten rounds.
struct PhiloxKeys {
  std::uint32_t k0[10], k1[10];

  explicit PhiloxKeys(std::uint64_t key) {
    for (std::uint32_t r = 0; r < 10; ++r) {
      k0[r] = static_cast<std::uint32_t>(key) + r * 0x9E3779B9u;
      k1[r] = static_cast<std::uint32_t>(key >> 32) + r * 0xBB67AE85u;
    }
  }
};

// A lane of 64 bits holds one word in its low half; what is above it is of no account, for the
// multiplication reads the low halves alone and xor keeps the halves apart.
#if defined(__AVX512F__)
struct Lanes {
  static constexpr int kCount = 8;
  using V = std::uint64_t __attribute__((vector_size(64)));
  V v;
  static Lanes all(std::uint64_t x) { return {V{} + x}; }
  static Lanes from(std::uint64_t x) { return {V{0, 1, 2, 3, 4, 5, 6, 7} + x}; }
  Lanes times(Lanes m) const {
    // The masked form: the plain one's header has g++ 12 warn of a value it does not use.
    return {reinterpret_cast<V>(_mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(v),
                                                       reinterpret_cast<__m512i>(m.v)))};
  }
  Lanes high() const { return {v >> 32}; }
  static Lanes mix(Lanes a, Lanes b, Lanes c) { return {a.v ^ b.v ^ c.v}; }
  /// Words a, b, c, d of block after block.
  static void store(std::uint32_t* out, Lanes a, Lanes b, Lanes c, Lanes d) {
    const V ab = (a.v & 0xffffffffu) | b.v << 32;
    const V cd = (c.v & 0xffffffffu) | d.v << 32;
    const V lines[] = {__builtin_shufflevector(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11),
                       __builtin_shufflevector(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15)};
    __builtin_memcpy(out, lines, sizeof lines);
  }
};
#elif defined(__AVX2__)
struct Lanes {
  static constexpr int kCount = 4;
  __m256i v;
  static Lanes all(std::uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
  static Lanes from(std::uint64_t x) {
    return {_mm256_add_epi64(all(x).v, _mm256_set_epi64x(3, 2, 1, 0))};
  }
  Lanes times(Lanes m) const { return {_mm256_mul_epu32(v, m.v)}; }
  Lanes high() const { return {_mm256_srli_epi64(v, 32)}; }
  static Lanes mix(Lanes a, Lanes b, Lanes c) {
    return {_mm256_xor_si256(_mm256_xor_si256(a.v, b.v), c.v)};
  }
  static void store(std::uint32_t* out, Lanes a, Lanes b, Lanes c, Lanes d) {
    const __m256i ab = _mm256_blend_epi32(a.v, _mm256_slli_epi64(b.v, 32), 0xaa);
    const __m256i cd = _mm256_blend_epi32(c.v, _mm256_slli_epi64(d.v, 32), 0xaa);
    const __m256i even = _mm256_unpacklo_epi64(ab, cd);  // blocks 0 and 2
    const __m256i odd = _mm256_unpackhi_epi64(ab, cd);   // blocks 1 and 3
    auto* o = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(o, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(o + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
};
#endif

#if defined(__AVX2__)
/// Two vectors of blocks at once: their chains of multiplications overlap.
inline void philox_vectors(std::uint64_t first, std::uint64_t high, const PhiloxKeys& keys,
                           std::uint32_t* out) {
  const Lanes m0 = Lanes::all(0xD2511F53u);
  const Lanes m1 = Lanes::all(0xCD9E8D57u);
  Lanes c0[2], c1[2], c2[2], c3[2];
  for (int i = 0; i < 2; ++i) {
    c0[i] = Lanes::from(first + static_cast<std::uint64_t>(i * Lanes::kCount));
    c1[i] = c0[i].high();
    c2[i] = Lanes::all(high);
    c3[i] = Lanes::all(high >> 32);
  }
#pragma GCC unroll 10
  for (int r = 0; r < 10; ++r) {
    const Lanes k0 = Lanes::all(keys.k0[r]);
    const Lanes k1 = Lanes::all(keys.k1[r]);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const Lanes p0 = c0[i].times(m0);
      const Lanes p1 = c2[i].times(m1);
      c0[i] = Lanes::mix(p1.high(), c1[i], k0);
      c2[i] = Lanes::mix(p0.high(), c3[i], k1);
      c1[i] = p1;
      c3[i] = p0;
    }
  }
  for (int i = 0; i < 2; ++i) {
    Lanes::store(out + 4 * i * Lanes::kCount, c0[i], c1[i], c2[i], c3[i]);
  }
}
#endif

/// The words of `n` blocks from `first` on (a counter's low half), 4 a block.
inline void philox_blocks(std::uint64_t first, std::int64_t n, std::uint64_t high,
                          std::uint64_t key, std::uint32_t* out) {
  std::int64_t b = 0;
#if defined(__AVX2__)
  const PhiloxKeys keys(key);
  for (; b + 2 * Lanes::kCount <= n; b += 2 * Lanes::kCount) {
    philox_vectors(first + static_cast<std::uint64_t>(b), high, keys, out + 4 * b);
  }
#endif
  for (; b < n; ++b) {
    const fn::PhiloxWords r = fn::philox(first + static_cast<std::uint64_t>(b), high, key);
    __builtin_memcpy(out + 4 * b, r.w, sizeof r.w);
  }
}

}  // namespace TANDEM_ISA_NAMESPACE
