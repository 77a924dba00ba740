// Where indices point, and which of the places a thread keeps, at one SIMD level.
#include "host/registry.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

/// place[j] += step * index[j], an index below 0 counted from the end of `size`.
void add_places(std::int64_t* __restrict__ place, const std::int64_t* __restrict__ index,
                std::int64_t n, std::int64_t size, std::int64_t step) {
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t i = index[j];
    place[j] += (i + ((i >> 63) & size)) * step;
  }
}

/// The j in [0, n) with place[j] in [low, high), in order; how many. Without branches: in a random
/// order each would be guessed wrong half of the time. `kept` has room for n.
std::int64_t keep_places(const std::int64_t* place, std::int64_t n, std::int64_t low,
                         std::int64_t high, std::int64_t* kept) {
  std::int64_t found = 0;
  std::int64_t j = 0;
#if defined(__AVX512F__)
  const __m512i least = _mm512_set1_epi64(low);
  const __m512i end = _mm512_set1_epi64(high);
  __m512i at = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (; j + 8 <= n; j += 8) {
    const __m512i p = _mm512_loadu_si512(place + j);
    const __mmask8 in = _mm512_mask_cmplt_epi64_mask(_mm512_cmple_epi64_mask(least, p), p, end);
    // found <= j: eight words from `found` on are within the room.
    _mm512_storeu_si512(kept + found, _mm512_maskz_compress_epi64(in, at));
    found += __builtin_popcount(in);
    at = _mm512_add_epi64(at, _mm512_set1_epi64(8));
  }
#endif
  for (; j < n; ++j) {
    kept[found] = j;
    found +=
        static_cast<std::int64_t>(place[j] >= low) & static_cast<std::int64_t>(place[j] < high);
  }
  return found;
}

void register_places(HostRegistry& r) {
  r.level().add_places = &add_places;
  r.level().keep_places = &keep_places;
}

}  // namespace TANDEM_ISA_NAMESPACE
