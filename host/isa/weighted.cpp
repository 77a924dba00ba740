// Weighted sums of planes (host/weighted.h) at one SIMD level, in the order and with the functor of
// the reductions.
#include "host/weighted.h"

#include "host/registry.h"
#include "kernels/functors/reduction.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

inline constexpr std::int64_t kLineBytes = 64;
inline constexpr std::int64_t kPageBytes = 4096;

/// A whole line past the caches.
TANDEM_FN void stream_line(void* out, const void* line) {
#if defined(__AVX512F__)
  _mm512_stream_si512(static_cast<__m512i*>(out), _mm512_load_si512(line));
#elif defined(__AVX__)
  for (int i = 0; i < 2; ++i) {
    const __m256i v = _mm256_load_si256(static_cast<const __m256i*>(line) + i);
    _mm256_stream_si256(static_cast<__m256i*>(out) + i, v);
  }
#elif defined(__SSE2__)
  for (int i = 0; i < 4; ++i) {
    const __m128i v = _mm_load_si128(static_cast<const __m128i*>(line) + i);
    _mm_stream_si128(static_cast<__m128i*>(out) + i, v);
  }
#else
  __builtin_memcpy(out, line, kLineBytes);
#endif
}

template <class T, int N>
struct WeightedSum {
  const T* a[N];
  T w[N];

  WeightedSum(const void* const* planes, const void* const* weights) {
    for (int k = 0; k < N; ++k) {
      a[k] = static_cast<const T*>(planes[k]);
      w[k] = *static_cast<const T*>(weights[k]);
    }
  }

  /// The tree of docs/numerics.md over N elements: halves of the next power of two, joined.
  TANDEM_FN T operator()(std::int64_t c) const {
    using Op = fn::Dot<T>;
    const T even =
        N > 2 ? Op::combine(Op::map(a[0][c], w[0]), Op::map(a[N > 2 ? 2 : 0][c], w[N > 2 ? 2 : 0]))
              : Op::map(a[0][c], w[0]);
    const T odd =
        N > 3 ? Op::combine(Op::map(a[1][c], w[1]), Op::map(a[N > 3 ? 3 : 0][c], w[N > 3 ? 3 : 0]))
              : Op::map(a[1][c], w[1]);
    return Op::finish(Op::combine(even, odd), N);
  }
};

template <class T, int N>
void weighted(T* out, const void* const* planes, const void* const* weights, std::int64_t columns) {
  constexpr auto kPerLine = kLineBytes / static_cast<std::int64_t>(sizeof(T));
  const WeightedSum<T, N> sum(planes, weights);
  std::int64_t c = 0;
  for (; c < columns && reinterpret_cast<std::uintptr_t>(out + c) % kLineBytes != 0; ++c) {
    out[c] = sum(c);
  }
  constexpr auto kPerPage = kPageBytes / static_cast<std::int64_t>(sizeof(T));
  std::int64_t fetched = 0;
  for (; c + kPerLine <= columns; c += kPerLine) {
    // The processor's prefetcher follows the planes, but only to the end of a page: one line of the
    // next is enough. Fetching every line costs more than it brings (perf/NOTES.md).
    if (c >= fetched) {
      for (int k = 0; k < N; ++k) __builtin_prefetch(sum.a[k] + c + kPerPage);
      fetched = c + kPerPage;
    }
    alignas(kLineBytes) T line[kPerLine];
    for (std::int64_t j = 0; j < kPerLine; ++j) line[j] = sum(c + j);
    stream_line(out + c, line);
  }
  for (; c < columns; ++c) out[c] = sum(c);
}

template <class T>
void weighted_any(void* out, const void* const* planes, const void* const* weights, int n,
                  std::int64_t columns) {
  auto* to = static_cast<T*>(out);
  if (n == 2) return weighted<T, 2>(to, planes, weights, columns);
  if (n == 3) return weighted<T, 3>(to, planes, weights, columns);
  return weighted<T, 4>(to, planes, weights, columns);
}

void register_weighted(HostRegistry&) {
  bind_weighted_planes(dtype_of<float>, &weighted_any<float>);
  bind_weighted_planes(dtype_of<double>, &weighted_any<double>);
}

}  // namespace TANDEM_ISA_NAMESPACE
