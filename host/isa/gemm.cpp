// Matrix products in a fixed order at one SIMD level: blocks of kGemmDepth of k, in a block one
// chain of fused multiply-adds from zero in the order of k, the blocks' sums added in order.
// Vectors lie along a row of C, so that no element's order depends on their width, on the blocking
// of rows and columns or on threads. kernels/gemm.cu has the same order.
//
// A block of B is packed in panels of two vectors, which stay in the first cache, a block of A in
// groups of rows, in the second; kRows x 2 accumulators stay in registers. After K. Goto, R. van de
// Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008.
#include "host/gemm.h"

#include <algorithm>

#include "host/isa/transpose.h"
#include "host/registry.h"
#include "tandem/backend/product.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kRows = 12;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32, kRows = 6;
#else
inline constexpr int kVectorBytes = 16, kRows = 6;
#endif

template <class R>
struct VectorOf {
  using type __attribute__((vector_size(kVectorBytes))) = R;
};
template <class R>
using Vector = typename VectorOf<R>::type;
template <class R>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(R));

template <class R>
TANDEM_FN void load(Vector<R>& v, const R* p) {
  __builtin_memcpy(&v, p, sizeof v);
}

template <class R>
TANDEM_FN void spread(Vector<R>& v, R x) {
  v = x - Vector<R>{};  // x in every lane: nothing else keeps -0, and g++ knows it for a broadcast
}

/// sum = a * b + sum, rounded once.
template <class R>
TANDEM_FN void multiply_add(const Vector<R>& a, const Vector<R>& b, Vector<R>& sum) {
  if constexpr (!fn::is_real_float_v<R>) {
    sum += a * b;
    return;
  }
#if defined(__AVX512F__)
  if constexpr (fn::same_v<R, float>) sum = _mm512_fmadd_ps(a, b, sum);
  if constexpr (fn::same_v<R, double>) sum = _mm512_fmadd_pd(a, b, sum);
#elif defined(__AVX2__)
  if constexpr (fn::same_v<R, float>) sum = _mm256_fmadd_ps(a, b, sum);
  if constexpr (fn::same_v<R, double>) sum = _mm256_fmadd_pd(a, b, sum);
#else
  if constexpr (fn::is_real_float_v<R>) {
    for (int l = 0; l < kLanes<R>; ++l) sum[l] = fn::fma(a[l], b[l], sum[l]);
  }
#endif
}

/// What elements are multiplied in, and what its parts are. Integers wrap: 32 bits without a sign
/// do for those of 32 bits and less.
template <class T>
struct Multiplied {
  using type = std::conditional_t<fn::is_int_v<T>,
                                  std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>,
                                  compute_t<T>>;
  using part = type;
};
template <>
struct Multiplied<Complex64> {
  using type = Complex64;
  using part = float;
};
template <>
struct Multiplied<Complex128> {
  using type = Complex128;
  using part = double;
};
template <class T>
using Compute = typename Multiplied<T>::type;
template <class T>
using Real = typename Multiplied<T>::part;
template <class T>
inline constexpr bool kComplex = fn::is_complex_v<T>;
/// Which dtypes have a product.
template <class T>
inline constexpr bool kMultiplies =
    fn::is_int_v<T> || fn::is_complex_v<T> || fn::is_real_float_v<compute_t<T>>;

template <class T>
inline constexpr int kParts = kComplex<T> ? 2 : 1;
/// Rows of a group: complex sums take two registers.
template <class T>
inline constexpr int kGroup = kComplex<T> ? (kRows == 12 ? 6 : 2) : kRows;
template <class T>
inline constexpr int kWidth = 2 * kLanes<Real<T>>;  // columns of a panel
/// Rows of a packed block of A: 128 KiB, a part of the second cache.
template <class T>
inline constexpr std::int64_t kBlockRows =
    (std::int64_t(128) << 10) /
    (kGemmDepth * static_cast<std::int64_t>(sizeof(Compute<T>))) / kGroup<T>* kGroup<T>;
/// Columns of a packed block of B: 1 MiB.
template <class T>
inline constexpr std::int64_t kBlockColumns = (std::int64_t(1) << 20) /
                                              (kGemmDepth *
                                               static_cast<std::int64_t>(sizeof(Compute<T>)));

// ---- the innermost loop

/// Where a tile of C goes; here and below T is what is multiplied in. `first`: it is the first
/// block of k.
template <class T>
struct Tile {
  T* c;
  std::int64_t row, column;
  int columns;
  bool first;
};

/// One group of rows by one panel over one block of k. Elements of A are `a_row` and `a_k` apart;
/// packed ones of a group Rows apart. Rows of the panel are `b_k` apart.
template <class T, int Rows, int Vectors, bool Packed>
void tile_real(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_k,
               const Real<T>* b, std::int64_t b_k, const Tile<T>& to) {
  using R = Real<T>;
  using V = Vector<R>;
  constexpr int kL = kLanes<R>;
  V sum[Rows][Vectors] = {};
  for (std::int64_t k = 0; k < depth; ++k, b += b_k, a += Packed ? Rows : a_k) {
    V y[Vectors];
    for (int v = 0; v < Vectors; ++v) load<R>(y[v], b + v * kL);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      V x;
      spread<R>(x, a[Packed ? i : i * a_row]);
      for (int v = 0; v < Vectors; ++v) multiply_add<R>(x, y[v], sum[i][v]);
    }
  }
  if (to.column == 1 && to.columns == Vectors * kL) {
    for (int i = 0; i < Rows; ++i) {
      for (int v = 0; v < Vectors; ++v) {
        R* p = to.c + i * to.row + v * kL;
        V old;
        load<R>(old, p);
        const V total = to.first ? sum[i][v] : old + sum[i][v];
        __builtin_memcpy(p, &total, sizeof total);
      }
    }
    return;
  }
  for (int i = 0; i < Rows; ++i) {
    R line[Vectors * kL];
    __builtin_memcpy(line, sum[i], sizeof line);
    for (int j = 0; j < to.columns; ++j) {
      R* p = to.c + i * to.row + j * to.column;
      *p = to.first ? line[j] : *p + line[j];
    }
  }
}

/// The same for complex numbers, whose real and imaginary parts are packed apart.
template <class T, int Rows, int Vectors>
void tile_complex(std::int64_t depth, const Real<T>* a, const Real<T>* b, const Tile<T>& to) {
  using R = Real<T>;
  using V = Vector<R>;
  constexpr int kL = kLanes<R>;
  V re[Rows][Vectors] = {}, im[Rows][Vectors] = {};
  for (std::int64_t k = 0; k < depth; ++k, b += 2 * Vectors * kL, a += 2 * Rows) {
    V y[2][Vectors];
    for (int v = 0; v < 2 * Vectors; ++v) load<R>(y[v / Vectors][v % Vectors], b + v * kL);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      V x, z, minus;
      spread<R>(x, a[2 * i]);
      spread<R>(z, a[2 * i + 1]);
      spread<R>(minus, -a[2 * i + 1]);
      for (int v = 0; v < Vectors; ++v) {
        multiply_add<R>(x, y[0][v], re[i][v]);
        multiply_add<R>(minus, y[1][v], re[i][v]);
        multiply_add<R>(x, y[1][v], im[i][v]);
        multiply_add<R>(z, y[0][v], im[i][v]);
      }
    }
  }
  for (int i = 0; i < Rows; ++i) {
    R line[2][Vectors * kL];
    __builtin_memcpy(line[0], re[i], sizeof line[0]);
    __builtin_memcpy(line[1], im[i], sizeof line[1]);
    for (int j = 0; j < to.columns; ++j) {
      T* p = to.c + i * to.row + j * to.column;
      p->re = to.first ? line[0][j] : p->re + line[0][j];
      p->im = to.first ? line[1][j] : p->im + line[1][j];
    }
  }
}

template <class T>
using TileLoop = void (*)(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_k,
                          const Real<T>* b, std::int64_t b_k, const Tile<T>& to);

template <class T, int Rows, int Vectors, bool Packed>
void tile(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_k, const Real<T>* b,
          std::int64_t b_k, const Tile<T>& to) {
  if constexpr (kComplex<T>)
    tile_complex<T, Rows, Vectors>(depth, reinterpret_cast<const Real<T>*>(a), b, to);
  else
    tile_real<T, Rows, Vectors, Packed>(depth, a, a_row, a_k, b, b_k, to);
}

template <class T>
struct TileLoops {
  TileLoop<T> packed[kGroup<T> + 1][3] = {};
  TileLoop<T> strided[kGroup<T> + 1][3] = {};

  template <int Rows = 1>
  constexpr void fill() {
    packed[Rows][1] = &tile<T, Rows, 1, true>;
    packed[Rows][2] = &tile<T, Rows, 2, true>;
    if constexpr (!kComplex<T>) {
      strided[Rows][1] = &tile<T, Rows, 1, false>;
      strided[Rows][2] = &tile<T, Rows, 2, false>;
    }
    if constexpr (Rows < kGroup<T>) fill<Rows + 1>();
  }
  constexpr TileLoops() { fill(); }
};
template <class T>
constexpr TileLoops<T> kTileLoops;

// ---- packing

template <class T>
TANDEM_FN void put(Real<T>* re, Real<T>* im, const T& x) {
  if constexpr (kComplex<T>) {
    *re = x.re;
    *im = x.im;
  } else if constexpr (fn::is_int_v<T>) {
    *re = static_cast<Real<T>>(x);
  } else {
    *re = fn::cast<Real<T>>(x);
  }
}

/// [k][rows], of complex numbers [k][rows][re, im].
template <class T>
void pack_group(Real<T>* to, const T* a, std::int64_t a_row, std::int64_t a_k, std::int64_t depth,
                int rows) {
  constexpr int kP = kParts<T>;
  const auto one = [&](std::int64_t k, std::int64_t i) {
    Real<T>* p = to + (k * rows + i) * kP;
    put<T>(p, p + (kP - 1), a[i * a_row + k * a_k]);
  };
  if (a_row == 1) {
    for (std::int64_t k = 0; k < depth; ++k) {
      for (int i = 0; i < rows; ++i) one(k, i);
    }
    return;
  }
  for (int i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < depth; ++k) one(k, i);
  }
}

/// A panel whose columns are dense in memory: turned block by block. Returns how many of `depth`.
template <class T>
std::int64_t pack_turned(T* to, const T* b, std::int64_t b_column, std::int64_t depth, int columns,
                         int width) {
  constexpr int kSide = sizeof(T) == 4 ? 8 : 4;
  using Words = std::conditional_t<sizeof(T) == 4, Words8, Words4>;
  const std::int64_t whole = columns % kSide == 0 ? depth / kSide * kSide : 0;
  for (std::int64_t k = 0; k < whole; k += kSide) {
    for (int j = 0; j < columns; j += kSide) {
      transpose_block<Words, kSide>(reinterpret_cast<char*>(to + k * width + j),
                                    width * static_cast<std::int64_t>(sizeof(T)),
                                    reinterpret_cast<const char*>(b + j * b_column + k),
                                    b_column * static_cast<std::int64_t>(sizeof(T)));
    }
  }
  return whole;
}

/// [k][width], of complex numbers [k][re, im][width]; zeros beyond the last column.
template <class T>
void pack_panel(Real<T>* to, const T* b, std::int64_t b_k, std::int64_t b_column,
                std::int64_t depth, int columns, int width) {
  constexpr int kP = kParts<T>;
  using R = Real<T>;
  if (columns < width) std::fill(to, to + depth * width * kP, R(0));
  const auto one = [&](std::int64_t k, std::int64_t j) {
    R* p = to + k * width * kP + j;
    put<T>(p, p + (kP - 1) * width, b[k * b_k + j * b_column]);
  };
  if (b_column == 1) {
    for (std::int64_t k = 0; k < depth; ++k) {
      if constexpr (fn::same_v<T, R>) {
        if (columns == kWidth<T>) {
          __builtin_memcpy(to + k * kWidth<T>, b + k * b_k, sizeof(R) * kWidth<T>);
          continue;
        }
      } else if constexpr (fn::is_half_v<T>) {
        level().cast[static_cast<int>(dtype_of<R>)][static_cast<int>(dtype_of<T>)](
            to + k * width, b + k * b_k, columns);
        continue;
      }
      for (int j = 0; j < columns; ++j) one(k, j);
    }
    return;
  }
  std::int64_t done = 0;
  if constexpr (fn::same_v<T, R>) {
    if (b_k == 1) done = pack_turned(to, b, b_column, depth, columns, width);
  }
  for (int j = 0; j < columns; ++j) {
    for (std::int64_t k = done; k < depth; ++k) one(k, j);
  }
}

// ---- blocks

/// The parts of a rectangle's work memory.
template <class T, class Out>
struct Blocks {
  std::int64_t depth, rows, columns;  // most of one block
  bool packs_a, packs_b;
  bool own_c;  // sums are kept apart and rounded at the end

  explicit Blocks(const GemmPart& p)
      : depth(std::min(p.k, kGemmDepth)),
        rows(std::min(p.m, kBlockRows<T>)),
        columns(std::min(p.n, kBlockColumns<T>)),
        packs_a(!fn::same_v<T, Real<T>> || p.n > 4 * kWidth<T>),
        // A panel that one group of rows alone reads is not worth packing, if it lies in rows.
        packs_b(!fn::same_v<T, Real<T>> || p.b_col != 1 || p.m > kGroup<T>),
        own_c(!fn::same_v<Out, Compute<T>>) {}
  static std::int64_t lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }
  std::int64_t a_bytes() const {
    return packs_a ? lines(depth * rows * static_cast<std::int64_t>(sizeof(Compute<T>))) : 0;
  }
  std::int64_t b_bytes() const {
    const std::int64_t padded = (columns + kWidth<T> - 1) / kWidth<T> * kWidth<T>;
    return lines(depth * padded * static_cast<std::int64_t>(sizeof(Compute<T>)));
  }
  std::int64_t c_bytes(const GemmPart& p) const {
    return own_c ? lines(p.m * columns * static_cast<std::int64_t>(sizeof(Compute<T>))) : 0;
  }
};

template <class T, class Out>
class Rectangle {
 public:
  Rectangle(const GemmPart& p, char* memory) : p_(p), blocks_(p) {
    a_packed_ = reinterpret_cast<Real<T>*>(memory);
    b_packed_ = reinterpret_cast<Real<T>*>(memory + blocks_.a_bytes());
    sums_ = reinterpret_cast<Compute<T>*>(memory + blocks_.a_bytes() + blocks_.b_bytes());
  }

  void run() {
    for (std::int64_t j = 0; j < p_.n; j += blocks_.columns) {
      columns_ = std::min(blocks_.columns, p_.n - j);
      if (!blocks_.own_c) {
        if constexpr (fn::same_v<Out, Compute<T>>) c_ = static_cast<Out*>(p_.c) + j * p_.c_col;
        c_row_ = p_.c_row;
        c_col_ = p_.c_col;
      } else {
        c_ = sums_;
        c_row_ = columns_;
        c_col_ = 1;
      }
      for (std::int64_t k = 0; k < p_.k; k += kGemmDepth) {
        depth_ = std::min(kGemmDepth, p_.k - k);
        b_ = static_cast<const T*>(p_.b) + k * p_.b_row + j * p_.b_col;
        pack_b(b_);
        for (std::int64_t i = 0; i < p_.m; i += kBlockRows<T>) row_block(i, k);
      }
      if (blocks_.own_c) round(j);
    }
  }

 private:
  static int vectors(std::int64_t columns) { return columns > kLanes<Real<T>> ? 2 : 1; }

  /// The last panel always, unless it is a whole one.
  void pack_b(const T* b) {
    std::int64_t j = blocks_.packs_b ? 0 : columns_ / kWidth<T> * kWidth<T>;
    for (; j < columns_; j += kWidth<T>) {
      const auto w = static_cast<int>(std::min<std::int64_t>(kWidth<T>, columns_ - j));
      pack_panel<T>(b_packed_ + j * depth_ * kParts<T>, b + j * p_.b_col, p_.b_row, p_.b_col,
                    depth_, w, vectors(w) * kLanes<Real<T>>);
    }
  }

  /// Rows from i on, over the block of k that begins at k.
  void row_block(std::int64_t i, std::int64_t k) {
    const std::int64_t rows = std::min(kBlockRows<T>, p_.m - i);
    const std::int64_t groups = (rows + kGroup<T> - 1) / kGroup<T>;
    const auto begin = [&](std::int64_t g) { return g * rows / groups; };
    const T* a = static_cast<const T*>(p_.a) + i * p_.a_row + k * p_.a_col;
    for (std::int64_t g = 0; g < groups && blocks_.packs_a; ++g) {
      pack_group<T>(a_packed_ + begin(g) * depth_ * kParts<T>, a + begin(g) * p_.a_row, p_.a_row,
                    p_.a_col, depth_, static_cast<int>(begin(g + 1) - begin(g)));
    }
    for (std::int64_t j = 0; j < columns_; j += kWidth<T>) {
      const auto w = static_cast<int>(std::min<std::int64_t>(kWidth<T>, columns_ - j));
      const Real<T>* b = b_packed_ + j * depth_ * kParts<T>;
      std::int64_t b_k = vectors(w) * kLanes<Real<T>>;
      if constexpr (fn::same_v<T, Real<T>>) {
        if (!blocks_.packs_b && w == kWidth<T>) {
          b = b_ + j;
          b_k = p_.b_row;
        }
      }
      for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t r = begin(g);
        const auto size = static_cast<std::size_t>(begin(g + 1) - r);
        const Tile<Compute<T>> to{c_ + (i + r) * c_row_ + j * c_col_, c_row_, c_col_, w, k == 0};
        if (blocks_.packs_a) {
          const auto* from =
              reinterpret_cast<const Compute<T>*>(a_packed_ + r * depth_ * kParts<T>);
          kTileLoops<Compute<T>>.packed[size][vectors(w)](depth_, from, 0, 0, b, b_k, to);
        } else if constexpr (fn::same_v<T, Real<T>>) {
          kTileLoops<Compute<T>>.strided[size][vectors(w)](depth_, a + r * p_.a_row, p_.a_row,
                                                           p_.a_col, b, b_k, to);
        }
      }
    }
  }

  /// Columns from j on, from the sums to C.
  void round(std::int64_t j) {
    for (std::int64_t i = 0; i < p_.m; ++i) {
      Out* c = static_cast<Out*>(p_.c) + i * p_.c_row + j * p_.c_col;
      const Compute<T>* row = sums_ + i * columns_;
      if constexpr (fn::is_half_v<Out>) {
        if (p_.c_col == 1) {
          level().cast[static_cast<int>(dtype_of<Out>)][static_cast<int>(dtype_of<Compute<T>>)](
              c, row, columns_);
          continue;
        }
      }
      for (std::int64_t x = 0; x < columns_; ++x) {
        if constexpr (fn::is_int_v<Out>)
          c[x * p_.c_col] = static_cast<Out>(row[x]);
        else
          c[x * p_.c_col] = fn::cast<Out>(row[x]);
      }
    }
  }

  const GemmPart& p_;
  Blocks<T, Out> blocks_;
  const T* b_ = nullptr;
  Real<T>* a_packed_;
  Real<T>* b_packed_;
  Compute<T>* sums_;
  Compute<T>* c_ = nullptr;
  std::int64_t c_row_ = 0, c_col_ = 0, columns_ = 0, depth_ = 0;
};

template <class T, class Out>
void gemm_run(const GemmPart& p, char* memory) {
  Rectangle<T, Out>(p, memory).run();
}

template <class T, class Out>
std::int64_t gemm_memory(const GemmPart& p) {
  const Blocks<T, Out> b(p);
  return b.a_bytes() + b.b_bytes() + b.c_bytes(p);
}

template <class T, class Out>
constexpr GemmLoops kGemmLoops = {&gemm_run<T, Out>, &gemm_memory<T, Out>, kVectorBytes >= 32};

void register_gemm(HostRegistry&) {
  for (int d = 0; d < kNumDTypes; ++d) {
    visit(static_cast<DType>(d), [&]<class T>() {
      if constexpr (kMultiplies<T>) bind_gemm_loops(static_cast<DType>(d), false, kGemmLoops<T, T>);
    });
  }
  // Sums wrap in 32 bits, signed or not.
  bind_gemm_loops(DType::int8, true, kGemmLoops<std::int8_t, std::uint32_t>);
  bind_gemm_loops(DType::uint8, true, kGemmLoops<std::uint8_t, std::uint32_t>);
}

}  // namespace TANDEM_ISA_NAMESPACE
