// Casts, strided moves and streaming copies at one SIMD level: the parts that every elementwise
// launch shares.
#include "host/isa/element.h"
#include "tandem/dtype.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

template <class To, class From>
void cast_loop(void* out, const void* in, std::int64_t n) {
  auto* o = static_cast<Element<To>*>(out);
  const auto* a = static_cast<const Element<From>*>(in);
  std::int64_t i = 0;
#if defined(__F16C__)
  // The hardware's conversion gives the same bits as fn::widen and fn::narrow<Half> but for NaN
  // payloads, which the functors' rule (quiet, payload dropped) is applied to here too.
  if constexpr (fn::same_v<From, Half> && fn::same_v<To, float>) {
    for (; i + 8 <= n; i += 8) {
      const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i));
      _mm256_storeu_ps(o + i, _mm256_cvtph_ps(h));
    }
  } else if constexpr (fn::same_v<To, Half> && fn::same_v<From, float>) {
    for (; i + 8 <= n; i += 8) {
      const __m256 x = _mm256_loadu_ps(a + i);
      if (_mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0) {
        for (int k = 0; k < 8; ++k) o[i + k] = fn::cast<To>(a[i + k]);
        continue;
      }
      const __m128i h = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(o + i), h);
    }
  }
#endif
#pragma GCC ivdep
  for (; i < n; ++i) o[i] = fn::cast<To>(value_of<From>(a[i]));
}

template <int Bytes>
struct Word {
  alignas(Bytes < 8 ? Bytes : 8) char bytes[Bytes];
};
template <>
struct Word<1> {
  std::uint8_t v;
};
template <>
struct Word<2> {
  std::uint16_t v;
};
template <>
struct Word<4> {
  std::uint32_t v;
};
template <>
struct Word<8> {
  std::uint64_t v;
};

using Four = std::uint32_t __attribute__((vector_size(16)));

/// Four runs of four words, `step` bytes apart, turned into four runs `pitch` words apart.
TANDEM_FN void turn(std::uint32_t* out, std::int64_t pitch, const char* in, std::int64_t step) {
  Four a, b, c, d;
  __builtin_memcpy(&a, in, sizeof a);
  __builtin_memcpy(&b, in + step, sizeof b);
  __builtin_memcpy(&c, in + 2 * step, sizeof c);
  __builtin_memcpy(&d, in + 3 * step, sizeof d);
  const Four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Four ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Four cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Four turned[] = {
      __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5), __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
      __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5), __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7)};
  for (int k = 0; k < 4; ++k) __builtin_memcpy(out + k * pitch, &turned[k], sizeof(Four));
}

/// Dense rows from columns that are dense in memory, which is read along them.
template <class W>
void gather_turned(W* out, const char* columns_at, std::int64_t rows, std::int64_t columns,
                   std::int64_t column_stride) {
  std::int64_t c = 0;
  if constexpr (sizeof(W) == 4) {
    for (; c + 4 <= columns; c += 4) {
      const char* in = columns_at + c * column_stride;
      std::int64_t r = 0;
      for (; r + 4 <= rows; r += 4) {
        turn(reinterpret_cast<std::uint32_t*>(out + r * columns + c), columns, in + 4 * r,
             column_stride);
      }
      for (; r < rows; ++r) {
        for (int k = 0; k < 4; ++k) {
          __builtin_memcpy(out + r * columns + c + k, in + k * column_stride + 4 * r, 4);
        }
      }
    }
  }
  for (; c < columns; ++c) {
    const auto* in = reinterpret_cast<const W*>(columns_at + c * column_stride);
    for (std::int64_t r = 0; r < rows; ++r) out[r * columns + c] = in[r];
  }
}

template <class W>
void gather(char* dense, char* strided, std::int64_t rows, std::int64_t columns,
            std::int64_t row_stride, std::int64_t column_stride) {
  auto* out = reinterpret_cast<W*>(dense);
  if (column_stride == 0) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const W v = *reinterpret_cast<const W*>(strided + r * row_stride);
      for (std::int64_t c = 0; c < columns; ++c) out[r * columns + c] = v;
    }
    return;
  }
  if (column_stride == static_cast<std::int64_t>(sizeof(W))) {
    for (std::int64_t r = 0; r < rows; ++r) {
      __builtin_memcpy(out + r * columns, strided + r * row_stride,
                       static_cast<std::size_t>(columns) * sizeof(W));
    }
    return;
  }
  if (row_stride == static_cast<std::int64_t>(sizeof(W))) {
    gather_turned(out, strided, rows, columns, column_stride);
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const char* in = strided + r * row_stride;
    for (std::int64_t c = 0; c < columns; ++c) {
      out[r * columns + c] = *reinterpret_cast<const W*>(in + c * column_stride);
    }
  }
}

template <class W>
void scatter(char* dense, char* strided, std::int64_t rows, std::int64_t columns,
             std::int64_t row_stride, std::int64_t column_stride) {
  const auto* in = reinterpret_cast<const W*>(dense);
  if (column_stride == static_cast<std::int64_t>(sizeof(W))) {
    for (std::int64_t r = 0; r < rows; ++r) {
      __builtin_memcpy(strided + r * row_stride, in + r * columns,
                       static_cast<std::size_t>(columns) * sizeof(W));
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    char* out = strided + r * row_stride;
    for (std::int64_t c = 0; c < columns; ++c) {
      *reinterpret_cast<W*>(out + c * column_stride) = in[r * columns + c];
    }
  }
}

/// Copies past the caches: for outputs larger than they are. Any alignment. Others see the bytes
/// after stream_fence only: a fence a block would halve the rate.
void stream_copy(void* out, const void* in, std::size_t bytes) {
  auto* o = static_cast<char*>(out);
  const auto* a = static_cast<const char*>(in);
#if defined(__AVX__)
  constexpr std::size_t kWidth = 32;
  const std::size_t head = (kWidth - reinterpret_cast<std::uintptr_t>(o) % kWidth) % kWidth;
  if (bytes >= head + kWidth) {
    __builtin_memcpy(o, a, head);
    std::size_t i = head;
    for (; i + kWidth <= bytes; i += kWidth) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
      _mm256_stream_si256(reinterpret_cast<__m256i*>(o + i), v);
    }
    __builtin_memcpy(o + i, a + i, bytes - i);
    return;
  }
#elif defined(__SSE2__)
  constexpr std::size_t kWidth = 16;
  const std::size_t head = (kWidth - reinterpret_cast<std::uintptr_t>(o) % kWidth) % kWidth;
  if (bytes >= head + kWidth) {
    __builtin_memcpy(o, a, head);
    std::size_t i = head;
    for (; i + kWidth <= bytes; i += kWidth) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i));
      _mm_stream_si128(reinterpret_cast<__m128i*>(o + i), v);
    }
    __builtin_memcpy(o + i, a + i, bytes - i);
    return;
  }
#endif
  __builtin_memcpy(o, a, bytes);
}

template <class From>
void register_casts_from(LevelTable& t) {
  constexpr int from = static_cast<int>(dtype_of<From>);
#define TANDEM_DTYPE(id, ctype, ...) \
  t.cast[static_cast<int>(DType::id)][from] = &cast_loop<ctype, From>;
#include "tandem/dtypes.def"
}

template <int I>
void register_moves(LevelTable& t) {
  t.gather[I] = &gather<Word<1 << I>>;
  t.scatter[I] = &scatter<Word<1 << I>>;
}

void register_cast(HostRegistry& r) {
  LevelTable& t = r.level();
#define TANDEM_DTYPE(id, ctype, ...) register_casts_from<ctype>(t);
#include "tandem/dtypes.def"
  register_moves<0>(t);
  register_moves<1>(t);
  register_moves<2>(t);
  register_moves<3>(t);
  register_moves<4>(t);
  t.stream = &stream_copy;
}

}  // namespace TANDEM_ISA_NAMESPACE
