// Matrix times vector at one SIMD level (host/vector_product.h), in the order and with the functor
// of the reductions' pairs (host/isa/reduce_pair.cpp). A lane without an element holds -0, which
// gives the same bits as leaving it out.
//
// Elements are read in chunks of a vector's bytes. One of bfloat16 becomes a vector of its even
// elements and one of its odd ones, by a shift and a mask; sums are put in order at the end.
#include "host/vector_product.h"

#include <utility>

#include "host/reduce.h"
#include "host/registry.h"
#include "kernels/functors/reduction.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kTogether = 16;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32, kTogether = 8;
#else
inline constexpr int kVectorBytes = 16, kTogether = 8;
#endif
#if defined(__F16C__)
inline constexpr bool kWidensFloat16 = true;
#else
inline constexpr bool kWidensFloat16 = false;
#endif

/// How far ahead of the reading memory is fetched: bytes of a row; rows of columns.
inline constexpr int kAhead = 12288, kRowsAhead = 4;
/// Larger matrices do not stay in a core's own caches.
inline constexpr std::int64_t kFar = std::int64_t(1) << 20;
/// Rows of so many bytes are read in the memory's order.
inline constexpr std::int64_t kNarrow = 4 * kVectorBytes;

template <class C>
struct VectorOf {
  using type __attribute__((vector_size(kVectorBytes))) = C;
};
template <class C>
using Vector = typename VectorOf<C>::type;
using Raw __attribute__((vector_size(kVectorBytes))) = std::uint32_t;
template <class C>
inline constexpr int kL = kVectorBytes / static_cast<int>(sizeof(C));  // elements of a vector
template <class T>
inline constexpr int kPer = static_cast<int>(sizeof(compute_t<T>)) /
                            static_cast<int>(sizeof(T));  // vectors a chunk
template <class T>
inline constexpr int kChunk = kVectorBytes / static_cast<int>(sizeof(T));  // elements of a chunk
template <class T>
inline constexpr bool kSplit = fn::same_v<T, BFloat16>;  // even and odd elements apart

// ---- reading

TANDEM_FN void read(Raw& raw, const void* p) { __builtin_memcpy(&raw, p, sizeof raw); }

/// The first `bytes` of a chunk, then zeros.
TANDEM_FN void read_part(Raw& raw, const void* p, int bytes) {
#if defined(__AVX512BW__)
  raw = reinterpret_cast<Raw>(_mm512_maskz_loadu_epi8((std::uint64_t(1) << bytes) - 1, p));
#else
  raw = Raw{};
  __builtin_memcpy(&raw, p, static_cast<std::size_t>(bytes));
#endif
}

/// Elements of storage type T, widened as fn::load does.
template <class T>
TANDEM_FN void widen(Vector<compute_t<T>> (&v)[kPer<T>], const Raw& raw) {
  using C = compute_t<T>;
  if constexpr (fn::same_v<T, C>) {
    v[0] = reinterpret_cast<Vector<C>>(raw);
  } else if constexpr (kSplit<T>) {
    v[0] = reinterpret_cast<Vector<C>>(raw << 16);
    v[1] = reinterpret_cast<Vector<C>>(raw & 0xffff0000u);
  } else {
#if defined(__AVX512F__)
    // g++ 12 warns of the unmasked forms of intrinsics.
    const auto low = __builtin_shufflevector(raw, raw, 0, 1, 2, 3, 4, 5, 6, 7);
    const auto high = __builtin_shufflevector(raw, raw, 8, 9, 10, 11, 12, 13, 14, 15);
    v[0] = _mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(low));
    v[1] = _mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(high));
#elif defined(__F16C__) && defined(__AVX2__)
    const auto x = reinterpret_cast<__m256i>(raw);
    v[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(x));
    v[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1));
#else
    T each[kChunk<T>];
    __builtin_memcpy(each, &raw, sizeof raw);
    for (int i = 0; i < kChunk<T>; ++i) v[i / kL<C>][i % kL<C>] = fn::load(each[i]);
#endif
  }
}

// ---- joining lanes

/// Groups of `Group` lanes in a and b: their halves joined, those of a before those of b.
template <class C, int Group, int... L>
TANDEM_FN void join_groups(Vector<C>& out, const Vector<C>& a, const Vector<C>& b,
                           std::integer_sequence<int, L...>) {
  constexpr int half = Group / 2;
  out = __builtin_shufflevector(a, b, (L / half * Group + L % half)...) +
        __builtin_shufflevector(a, b, (L / half * Group + L % half + half)...);
}
template <class C, int Group>
TANDEM_FN void join_groups(Vector<C>& out, const Vector<C>& a, const Vector<C>& b) {
  join_groups<C, Group>(out, a, b, std::make_integer_sequence<int, kL<C>>{});
}

/// `Count` vectors of groups: the groups' sums, one after the other in v[0]. Even and odd elements
/// that were apart are neighbours in the end.
template <class T, int Group, int Count>
TANDEM_FN void join_rows(Vector<compute_t<T>>* v) {
  using C = compute_t<T>;
  constexpr int group = Group < 2 ? 2 : Group;
  for (int i = 0; i < Count / 2; ++i) join_groups<C, group>(v[i], v[2 * i], v[2 * i + 1]);
  if constexpr (Count > 2) join_rows<T, Group / 2, Count / 2>(v);
}

/// The lanes of one row in `Count` vectors, a power of two and no less than kPer, to one vector.
template <class T, int Count>
TANDEM_FN void join_sets(Vector<compute_t<T>>& out, Vector<compute_t<T>>* v) {
  using C = compute_t<T>;
  constexpr int last = kSplit<T> ? 2 : 1;
#pragma GCC unroll 8
  for (int half = Count / 2; half >= last; half /= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < half; ++i) v[i] += v[i + half];
  }
  if constexpr (kSplit<T>)
    join_groups<C, kL<C>>(out, v[0], v[1]);
  else
    out = v[0];
}

// ---- rows

/// The vector as rows want it: in the order of widened chunks, -0 to the end of the last chunk, so
/// that zeros times it are -0.
template <class T>
const compute_t<T>* arranged(const compute_t<T>* y, std::int64_t m, void* memory) {
  using C = compute_t<T>;
  if (!kSplit<T> && m % kChunk<T> == 0) return y;
  auto* to = static_cast<C*>(memory);
  for (std::int64_t k = 0; k < m; k += kChunk<T>, to += kChunk<T>) {
    if (kSplit<T> && k + kChunk<T> <= m) {
      for (int i = 0; i < kChunk<T> / 2; ++i) {
        to[i] = y[k + 2 * i];
        to[kChunk<T> / 2 + i] = y[k + 2 * i + 1];
      }
      continue;
    }
    for (int i = 0; i < kChunk<T>; ++i) {
      const int at = kSplit<T> ? i / 2 + i % 2 * (kChunk<T> / 2) : i;
      to[at] = k + i < m ? y[k + i] : -C(0);
    }
  }
  return static_cast<const C*>(memory);
}

/// products[p] = the chunk's elements times y, rounded.
template <class T>
TANDEM_FN void multiply(Vector<compute_t<T>> (&products)[kPer<T>], const Raw& raw,
                        const compute_t<T>* y) {
  widen<T>(products, raw);
  for (int p = 0; p < kPer<T>; ++p) {
    Vector<compute_t<T>> z;
    __builtin_memcpy(&z, y + p * kL<compute_t<T>>, sizeof z);
    products[p] *= z;
  }
}

/// The products of up to a chunk of m elements.
template <class T>
TANDEM_FN void multiply_part(Vector<compute_t<T>> (&products)[kPer<T>], const T* a,
                             const compute_t<T>* y, std::int64_t m) {
  Raw raw;
  if (m >= kChunk<T>)
    read(raw, a);
  else
    read_part(raw, a, static_cast<int>(m * static_cast<std::int64_t>(sizeof(T))));
  multiply<T>(products, raw, y);
}

/// One row of kLanes elements or more, to a vector of groups.
template <class T>
TANDEM_FN void long_row(Vector<compute_t<T>>& out, const T* a, const compute_t<T>* y,
                        std::int64_t m) {
  using C = compute_t<T>;
  constexpr int kSets = static_cast<int>(kLanes) / kL<C>;
  constexpr int kGroup = (kSets < kTogether ? kSets : kTogether) / kPer<T>;  // chunks
  const std::int64_t full = m / kLanes * kLanes;
  Vector<C> lanes[kSets];
  for (int g = 0; g < kSets / kPer<T>; g += kGroup) {
    Vector<C> sum[kGroup][kPer<T>];
    for (int c = 0; c < kGroup; ++c) {
      Raw raw;
      read(raw, a + (g + c) * kChunk<T>);
      multiply<T>(sum[c], raw, y + (g + c) * kChunk<T>);
    }
    for (std::int64_t k = kLanes; k < full; k += kLanes) {
      for (int c = 0; c < kGroup; ++c) {
        const T* at = a + k + (g + c) * kChunk<T>;
        if (c * kVectorBytes % 64 == 0) {
          __builtin_prefetch(reinterpret_cast<const char*>(at) + kAhead);
        }
        Raw raw;
        read(raw, at);
        Vector<C> products[kPer<T>];
        multiply<T>(products, raw, y + k + (g + c) * kChunk<T>);
        for (int p = 0; p < kPer<T>; ++p) sum[c][p] += products[p];
      }
    }
    for (int c = 0; c < kGroup; ++c) {
      for (int p = 0; p < kPer<T>; ++p) lanes[(g + c) * kPer<T> + p] = sum[c][p];
    }
  }
  if (m == full) return join_sets<T, kSets>(out, lanes);
  Vector<C> all[kSets];  // indexed at run time: not in registers
  for (int v = 0; v < kSets; ++v) all[v] = lanes[v];
  Vector<C>* v = all;
  for (std::int64_t k = full; k < m; k += kChunk<T>) {
    Vector<C> products[kPer<T>];
    multiply_part<T>(products, a + k, y + k, m - k);
    for (int p = 0; p < kPer<T>; ++p, ++v) *v += products[p];
  }
  join_sets<T, kSets>(out, all);
}

/// One row of fewer than kLanes, whose lanes fill `Sets` vectors.
template <class T, int Sets>
TANDEM_FN void short_row(Vector<compute_t<T>>& out, const T* a, const compute_t<T>* y,
                         std::int64_t m) {
  using C = compute_t<T>;
  Vector<C> lanes[Sets];
#pragma GCC unroll 32
  for (int c = 0; c < Sets / kPer<T>; ++c) {
    Vector<C> products[kPer<T>];
    if (m > c * kChunk<T>) {
      multiply_part<T>(products, a + c * kChunk<T>, y + c * kChunk<T>, m - c * kChunk<T>);
    } else {
      for (Vector<C>& p : products) p = -Vector<C>{};
    }
    for (int p = 0; p < kPer<T>; ++p) lanes[c * kPer<T> + p] = products[p];
  }
  join_sets<T, Sets>(out, lanes);
}

/// A vector's lanes of rows at a time. Sets: as of short_row; 0: rows of kLanes or more.
template <class T, int Sets>
void rows_of(compute_t<T>* acc, const char* a, std::int64_t stride, const compute_t<T>* y,
             std::int64_t rows, std::int64_t m) {
  using C = compute_t<T>;
  constexpr int kRows = kL<C>;
  const auto one = [&](Vector<C>& out, std::int64_t r) {
    const T* row = reinterpret_cast<const T*>(a + r * stride);
    if constexpr (Sets == 0)
      long_row<T>(out, row, y, m);
    else
      short_row<T, Sets>(out, row, y, m);
  };
  constexpr int kGroup = kSplit<T> ? kRows / 2 : kRows;
  std::int64_t i = 0;
  for (; i + kRows <= rows; i += kRows) {
    Vector<C> groups[kRows];
    for (int r = 0; r < kRows; ++r) one(groups[r], i + r);
    join_rows<T, kGroup, kRows>(groups);
    __builtin_memcpy(acc + i, groups, sizeof groups[0]);
  }
  if (i == rows) return;
  Vector<C> groups[kRows] = {};
  for (std::int64_t r = i; r < rows; ++r) one(groups[r - i], r);
  join_rows<T, kGroup, kRows>(groups);
  __builtin_memcpy(acc + i, groups, static_cast<std::size_t>(rows - i) * sizeof(C));
}

/// rows_of with the fewest vectors that hold m lanes.
template <class T, int Sets>
void short_rows(compute_t<T>* acc, const char* a, std::int64_t stride, const compute_t<T>* y,
                std::int64_t rows, std::int64_t m) {
  if constexpr (Sets * kL<compute_t<T>> < kLanes) {
    if (m > Sets * kL<compute_t<T>>) return short_rows<T, 2 * Sets>(acc, a, stride, y, rows, m);
  }
  rows_of<T, Sets>(acc, a, stride, y, rows, m);
}

template <class T>
void vector_rows(void* acc, const char* a, std::int64_t stride, const void* y, std::int64_t rows,
                 std::int64_t m, void* memory) {
  using C = compute_t<T>;
  const C* z = arranged<T>(static_cast<const C*>(y), m, memory);
  auto* to = static_cast<C*>(acc);
  if (m >= kLanes) return rows_of<T, 0>(to, a, stride, z, rows, m);
  short_rows<T, kPer<T>>(to, a, stride, z, rows, m);
}

// ---- columns

/// Sums of `Chunks` chunks, in the order of columns.
template <class T, int Chunks>
TANDEM_FN void put(compute_t<T>* acc, const Vector<compute_t<T>>* sums) {
  using C = compute_t<T>;
  for (int c = 0; c < Chunks; ++c, acc += kChunk<T>, sums += kPer<T>) {
    if constexpr (kSplit<T>) {
      for (int l = 0; l < kL<C>; ++l) {
        acc[2 * l] = sums[0][l];
        acc[2 * l + 1] = sums[1][l];
      }
    } else {
      __builtin_memcpy(acc, sums, sizeof(Vector<C>) * kPer<T>);
    }
  }
}

/// `Chunks` chunks of columns, lane after lane: a lane's sums stay in registers, and lanes come in
/// bit-reversed order, so that a lane's partner in the tree is always on a stack of a few.
template <class T, int Chunks>
void chunks_of_columns(compute_t<T>* acc, const char* a, std::int64_t stride, const compute_t<T>* y,
                       std::int64_t m, bool far) {
  using C = compute_t<T>;
  constexpr int kBits = 7, kSums = Chunks * kPer<T>;
  static_assert(1 << kBits == kLanes);
  int bits = 0;
  while (bits < kBits && (std::int64_t(1) << bits) < m) ++bits;
  const auto lane_at = [bits](unsigned i) {
    unsigned lane = 0;
    for (int b = 0; b < bits; ++b) lane |= (i >> b & 1u) << (bits - 1 - b);
    return static_cast<std::int64_t>(lane);
  };
  Vector<C> stack[kBits + 1][kSums];
  int top = 0;
  std::int64_t following = 0;
  for (unsigned i = 0; i < 1u << bits; ++i) {
    const std::int64_t lane = following;
    following = lane_at(i + 1);
    Vector<C> sum[kSums];
    for (Vector<C>& s : sum) s = -Vector<C>{};
    for (std::int64_t r = lane; r < m; r += kLanes) {
      const char* row = a + r * stride;
      if (far) {
        const std::int64_t ahead = r + kRowsAhead * kLanes;
        const char* next =
            a + (ahead < m ? ahead : following + (ahead - m) / kLanes * kLanes) * stride;
        for (int c = 0; c < Chunks * kVectorBytes; c += 64) __builtin_prefetch(next + c);
      }
      const C scale = y[r];
#pragma GCC unroll 16
      for (int c = 0; c < Chunks; ++c) {
        Raw raw;
        read(raw, row + c * kVectorBytes);
        Vector<C> x[kPer<T>];
        widen<T>(x, raw);
        for (int p = 0; p < kPer<T>; ++p) sum[c * kPer<T> + p] += x[p] * scale;
      }
    }
    for (unsigned t = i; t % 2 != 0; t /= 2) {
      --top;
      for (int s = 0; s < kSums; ++s) sum[s] += stack[top][s];
    }
    for (int s = 0; s < kSums; ++s) stack[top][s] = sum[s];
    ++top;
  }
  put<T, Chunks>(acc, stack[0]);
}

/// The same with all lanes' sums in `memory` and rows in the memory's order: for narrow ones, of
/// which every 128th fall to the same few sets of a cache. Part: of one chunk the first `bytes`.
template <class T, int Chunks, bool Part>
void narrow_chunks(compute_t<T>* acc, const char* a, std::int64_t stride, const compute_t<T>* y,
                   std::int64_t m, int bytes, void* memory) {
  using C = compute_t<T>;
  constexpr int kSums = Chunks * kPer<T>;
  auto* sums = static_cast<Vector<C>*>(memory);
  const auto add = [&]<bool First>(std::int64_t r, std::bool_constant<First>) {
    Vector<C>* to = sums + r % kLanes * kSums;
    for (int c = 0; c < Chunks; ++c) {
      Raw raw;
      if constexpr (Part)
        read_part(raw, a + r * stride, bytes);
      else
        read(raw, a + r * stride + c * kVectorBytes);
      Vector<C> x[kPer<T>];
      widen<T>(x, raw);
      for (int p = 0; p < kPer<T>; ++p) {
        const Vector<C> product = x[p] * y[r];
        to[c * kPer<T> + p] = First ? product : to[c * kPer<T> + p] + product;
      }
    }
  };
  std::int64_t r = 0;
  for (; r < m && r < kLanes; ++r) add(r, std::true_type{});
  for (; r < m; ++r) add(r, std::false_type{});
  std::int64_t lanes = m < kLanes ? m : kLanes, half = 1;
  while (half * 2 < lanes) half *= 2;
  for (; lanes > 1; lanes = half, half /= 2) {
    for (std::int64_t i = 0; i < (lanes - half) * kSums; ++i) sums[i] += sums[half * kSums + i];
  }
  put<T, Chunks>(acc, sums);
}

template <class T>
void vector_columns(void* acc, const char* a, std::int64_t stride, const void* y, std::int64_t m,
                    std::int64_t w, void* memory) {
  using C = compute_t<T>;
  constexpr int kMost = kTogether / kPer<T>;
  auto* to = static_cast<C*>(acc);
  const auto* z = static_cast<const C*>(y);
  if (w < kChunk<T>) {
    C chunk[kChunk<T>];
    narrow_chunks<T, 1, true>(chunk, a, stride, z, m, static_cast<int>(w * sizeof(T)), memory);
    __builtin_memcpy(to, chunk, static_cast<std::size_t>(w) * sizeof(C));
    return;
  }
  const std::int64_t step = stride < 0 ? -stride : stride;
  const bool far = m * step > kFar, narrow = m > 2 * kLanes && step <= kNarrow;
  std::int64_t c = 0;
  const auto some = [&]<int Chunks>(std::integral_constant<int, Chunks>) {
    for (; c + Chunks * kChunk<T> <= w; c += Chunks * kChunk<T>) {
      const char* at = a + c * static_cast<std::int64_t>(sizeof(T));
      if (narrow && Chunks <= 4)
        narrow_chunks<T, Chunks, false>(to + c, at, stride, z, m, 0, memory);
      else
        chunks_of_columns<T, Chunks>(to + c, at, stride, z, m, far);
    }
  };
  some(std::integral_constant<int, kMost>{});
  some(std::integral_constant<int, kMost / 2>{});
  some(std::integral_constant < int, kMost / 4 == 0 ? 1 : kMost / 4 > {});
  some(std::integral_constant<int, 1>{});
  if (c == w) return;
  c = w - kChunk<T>;  // the last ones with some again
  some(std::integral_constant<int, 1>{});
}

template <class T>
void bind_one() {
  bind_vector_loops(dtype_of<T>, {&vector_rows<T>, &vector_columns<T>});
}

void register_vector_product(HostRegistry&) {
  bind_one<float>();
  bind_one<double>();
  bind_one<BFloat16>();
  if constexpr (kWidensFloat16) bind_one<Half>();
}

}  // namespace TANDEM_ISA_NAMESPACE
