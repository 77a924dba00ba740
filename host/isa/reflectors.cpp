// Passes of Householder reflectors at one SIMD level: see ReflectorPass.
#include "host/reflectors.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>

#include "host/registry.h"

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kPassBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kPassBytes = 32;
#else
inline constexpr int kPassBytes = 16;
#endif

template <class R>
struct PassVector {
  using type __attribute__((vector_size(kPassBytes))) = R;
};
template <class R>
using Packed = typename PassVector<R>::type;
template <class R>
inline constexpr int kPassLanes = kPassBytes / static_cast<int>(sizeof(R));

template <class R>
Packed<R> load(const R* x) {
  Packed<R> v;
  __builtin_memcpy(&v, x, sizeof v);
  return v;
}

template <class R>
void store(R* x, Packed<R> v) {
  __builtin_memcpy(x, &v, sizeof v);
}

/// a * b + c: one rounding where the level has it, which nothing here depends on.
template <class R>
Packed<R> multiply_add(Packed<R> a, Packed<R> b, Packed<R> c) {
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 4)
    return _mm512_fmadd_ps(a, b, c);
  else
    return _mm512_fmadd_pd(a, b, c);
#elif defined(__AVX2__)
  if constexpr (sizeof(R) == 4)
    return _mm256_fmadd_ps(a, b, c);
  else
    return _mm256_fmadd_pd(a, b, c);
#else
  return a * b + c;
#endif
}

template <class R>
R sum_of(Packed<R> v) {
  R sum = 0;
  for (int l = 0; l < kPassLanes<R>; ++l) sum += v[l];
  return sum;
}

/// a[:, j .. j + C) less the pending terms; their products with u.
template <class R, int C, bool kSecond>
void update_and_dot(const ReflectorPass<R>& p, std::int64_t j, std::int64_t from, R* y) {
  Packed<R> sum[C] = {};
  Packed<R> cp[C], cq[C];
  for (int c = 0; c < C; ++c) {
    cp[c] = Packed<R>{} - p.cp[j + c];
    if constexpr (kSecond) cq[c] = Packed<R>{} - p.cq[j + c];
  }
  R* a = p.a + j * p.leading;
  for (std::int64_t i = from; i < p.rows; i += kPassLanes<R>) {
    const Packed<R> first = load(p.p + i), u = load(p.u + i);
    Packed<R> second{};
    if constexpr (kSecond) second = load(p.q + i);
    for (int c = 0; c < C; ++c) {
      Packed<R> x = multiply_add<R>(first, cp[c], load(a + c * p.leading + i));
      if constexpr (kSecond) x = multiply_add<R>(second, cq[c], x);
      store<R>(a + c * p.leading + i, x);
      sum[c] = multiply_add<R>(x, u, sum[c]);
    }
  }
  for (int c = 0; c < C; ++c) y[c] = sum_of<R>(sum[c]);
}

template <class R, int C>
void add_columns(const ReflectorPass<R>& p, std::int64_t j, std::int64_t from, const R* factors) {
  Packed<R> f[C];
  for (int c = 0; c < C; ++c) f[c] = Packed<R>{} + factors[c];
  const R* a = p.a + j * p.leading;
  for (std::int64_t i = from; i < p.rows; i += kPassLanes<R>) {
    Packed<R> w = load(p.w + i);
    for (int c = 0; c < C; ++c) w = multiply_add<R>(load(a + c * p.leading + i), f[c], w);
    store<R>(p.w + i, w);
  }
}

template <class R, int C>
void pass_columns(const ReflectorPass<R>& p, std::int64_t j) {
  const std::int64_t from = block_of(p.symmetric ? std::max(j, p.row) : p.row);
  R y[C];
  if (p.q != nullptr)
    update_and_dot<R, C, true>(p, j, from, y);
  else
    update_and_dot<R, C, false>(p, j, from, y);
  if (p.symmetric) {
    for (int c = 0; c < C; ++c) p.w[j + c] += y[c];
    add_columns<R, C>(p, j, block_of(j) + kRowBlock, p.u + j);
    return;
  }
  for (int c = 0; c < C; ++c) p.y[j + c] = y[c];
  if (p.r == nullptr) return;
  for (int c = 0; c < C; ++c) p.r[j + c] = p.a[(j + c) * p.leading + p.row] - p.tau * y[c];
  if (p.w != nullptr) add_columns<R, C>(p, j, from, p.r + j);
}

template <class R>
void pass(const ReflectorPass<R>& p) {
  constexpr std::int64_t kGroup = 4;
  for (std::int64_t g = p.first / kGroup; g * kGroup < p.last; ++g) {
    if (g % p.team != p.me) continue;
    std::int64_t j = std::max(p.first, g * kGroup);
    const std::int64_t last = std::min(p.last, (g + 1) * kGroup);
    if (last - j == kGroup) {
      pass_columns<R, 4>(p, j);
      continue;
    }
    if (last - j >= 2) {
      pass_columns<R, 2>(p, j);
      j += 2;
    }
    if (j < last) pass_columns<R, 1>(p, j);
  }
}

template <class R>
R dot(std::int64_t first, std::int64_t last, const R* x, const R* y) {
  Packed<R> sums[2] = {};
  std::int64_t i = first;
  for (; i + 2 * kPassLanes<R> <= last; i += 2 * kPassLanes<R>) {
    sums[0] = multiply_add<R>(load(x + i), load(y + i), sums[0]);
    sums[1] = multiply_add<R>(load(x + i + kPassLanes<R>), load(y + i + kPassLanes<R>), sums[1]);
  }
  R sum = sum_of<R>(sums[0] + sums[1]);
  for (; i < last; ++i) sum += x[i] * y[i];
  return sum;
}

template <class R>
void combine(std::int64_t first, std::int64_t last, R* out, R s, const R* x, R cp, const R* p, R cq,
             const R* q) {
#pragma GCC ivdep
  for (std::int64_t i = first; i < last; ++i) out[i] = s * x[i] - p[i] * cp - q[i] * cq;
}

template <class R>
R largest(std::int64_t first, std::int64_t last, const R* x) {
  constexpr int kParts = 4;  // a comparison waits for the one before it
  Packed<R> most[kParts] = {};
  std::int64_t i = first;
  for (; i + kParts * kPassLanes<R> <= last; i += kParts * kPassLanes<R>) {
    for (int k = 0; k < kParts; ++k) {
      const Packed<R> v = load(x + i + k * kPassLanes<R>);
      const Packed<R> size = v < 0 ? -v : v;
      most[k] = most[k] < size ? size : most[k];
    }
  }
  R all = 0;
  for (const Packed<R>& part : most) {
    for (int l = 0; l < kPassLanes<R>; ++l) all = std::max(all, part[l]);
  }
  for (; i < last; ++i) all = std::max(all, std::abs(x[i]));
  return all;
}

void register_reflectors(HostRegistry&) {
  reflector_loops(0.0F) = {&pass<float>, &dot<float>, &combine<float>, &largest<float>};
  reflector_loops(0.0) = {&pass<double>, &dot<double>, &combine<double>, &largest<double>};
}

}  // namespace TANDEM_ISA_NAMESPACE
