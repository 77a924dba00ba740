// Matrix products on the host: float32 through oneDNN, float64 and complex through OpenBLAS, the
// half types through float32, integers (wrapping) and small products through our own loops. The
// only file that knows these libraries; oneDNN's interface changed between versions 2 and 3, and
// only calls common to both are used.
#include <cblas.h>
#include <fmt/format.h>

#include <array>
#include <list>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "kernels/functors/complex_math.h"
#include "kernels/functors/integer.h"
#include "tandem/error.h"

namespace tandem::host {

namespace {

/// One operand of one product of the batch.
struct Matrix {
  const void* data;
  std::int64_t rows, columns, row, column;  // strides in elements
};

bool library_layout(const Matrix& m) {
  const bool by_rows = m.column == 1 && m.row >= std::max<std::int64_t>(m.columns, 1);
  const bool by_columns = m.row == 1 && m.column >= std::max<std::int64_t>(m.rows, 1);
  return by_rows || by_columns;
}

/// Whether strides of size-1 dimensions may be rewritten so that a library takes the matrix.
void tidy(Matrix& m) {
  if (m.columns == 1) m.column = m.row == 1 ? std::max<std::int64_t>(m.rows, 1) : 1;
  if (m.rows == 1) m.row = m.column == 1 ? std::max<std::int64_t>(m.columns, 1) : 1;
}

// ---- threads
// -----------------------------------------------------------------------------------------

/// Multiplications that are worth a thread: waking one may cost 50 us, this many take 20.
constexpr std::int64_t kPerThread = 1 << 20;
/// Products up to this many multiplications cost a library more to begin than to compute.
constexpr std::int64_t kSmall = 4096;
/// Up to this many, what a primitive of oneDNN costs beside its plain call shows: 2 us.
constexpr std::int64_t kPlain = 1 << 21;

/// Without overflow: beyond 2^31 extents do not matter here.
std::int64_t multiplications(const GemmLaunch& g) {
  constexpr std::int64_t most = std::int64_t(1) << 20;
  return std::min(g.m, most) * std::min(g.n, most) * std::min(g.k, most);
}

int threads_for(const GemmLaunch& g) {
  const std::int64_t most = std::max<std::int64_t>(multiplications(g) / kPerThread, 1);
  return static_cast<int>(std::min<std::int64_t>(get_num_threads(), most));
}

/// The libraries ask OpenMP how many threads they may use: the calling thread's setting, given
/// back.
class Team {
 public:
  explicit Team(int threads) : before_(omp_get_max_threads()) {
    if (threads > 1) team_made();
    if (threads != before_) omp_set_num_threads(threads);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
  }

 private:
  int before_;
};

CBLAS_TRANSPOSE transposed(const Matrix& m) { return m.column == 1 ? CblasNoTrans : CblasTrans; }
std::int64_t leading(const Matrix& m) { return m.column == 1 ? m.row : m.column; }

// ---- oneDNN
// ------------------------------------------------------------------------------------------

/// Creating a primitive costs microseconds: the last ones are kept, by shape and strides.
class MatmulCache {
 public:
  using Key = std::array<std::int64_t, 11>;

  dnnl::matmul get(const Key& key, const dnnl::memory::desc& a, const dnnl::memory::desc& b,
                   const dnnl::memory::desc& c) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != key) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return entries_.front().second;
    }
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc pd(engine(), a, b, c);
#else
    const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(a, b, c), engine());
#endif
    entries_.emplace_front(key, dnnl::matmul(pd));
    if (entries_.size() > kCapacity) entries_.pop_back();
    return entries_.front().second;
  }

  static const dnnl::engine& engine() {
    static const auto* e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return *e;
  }

 private:
  static constexpr std::size_t kCapacity = 64;
  std::mutex mutex_;
  std::list<std::pair<Key, dnnl::matmul>> entries_;
};

/// False where the library declines.
bool plain_product_f32(const GemmLaunch& g, const Matrix& a, const Matrix& b, void* c) {
  const auto letter = [](const Matrix& m) { return transposed(m) == CblasTrans ? 'T' : 'N'; };
  const Team team(threads_for(g));
  return dnnl::sgemm(letter(a), letter(b), g.m, g.n, g.k, 1.0F, static_cast<const float*>(a.data),
                     leading(a), static_cast<const float*>(b.data), leading(b), 0.0F,
                     static_cast<float*>(c), g.c_row) == dnnl::status::success;
}

void product_f32(const GemmLaunch& g, const Matrix& a, const Matrix& b, void* c) {
  if (multiplications(g) <= kPlain && plain_product_f32(g, a, b, c)) return;
  static auto* cache = new MatmulCache;
  using Desc = dnnl::memory::desc;
  constexpr auto f32 = dnnl::memory::data_type::f32;
  const Desc da({a.rows, a.columns}, f32, {a.row, a.column});
  const Desc db({b.rows, b.columns}, f32, {b.row, b.column});
  const Desc dc({g.m, g.n}, f32, {g.c_row, g.c_col});
  const MatmulCache::Key key{g.m,      g.n,     g.k,     a.row,          a.column, b.row,
                             b.column, g.c_row, g.c_col, threads_for(g), 0};
  const Team team(threads_for(g));
  dnnl::matmul primitive = cache->get(key, da, db, dc);
  const dnnl::engine& engine = MatmulCache::engine();
  thread_local dnnl::stream stream(engine);
  primitive.execute(stream,
                    {{DNNL_ARG_SRC, dnnl::memory(da, engine, const_cast<void*>(a.data))},
                     {DNNL_ARG_WEIGHTS, dnnl::memory(db, engine, const_cast<void*>(b.data))},
                     {DNNL_ARG_DST, dnnl::memory(dc, engine, c)}});
  stream.wait();
}

// ---- OpenBLAS
// ----------------------------------------------------------------------------------------

template <class T>
void product_blas(const GemmLaunch& g, const Matrix& a, const Matrix& b, void* c) {
  const auto m = static_cast<blasint>(g.m);
  const auto n = static_cast<blasint>(g.n);
  const auto k = static_cast<blasint>(g.k);
  const auto lda = static_cast<blasint>(leading(a));
  const auto ldb = static_cast<blasint>(leading(b));
  const auto ldc = static_cast<blasint>(g.c_row);
  const Team team(threads_for(g));
  if constexpr (fn::same_v<T, double>) {
    cblas_dgemm(CblasRowMajor, transposed(a), transposed(b), m, n, k, 1.0,
                static_cast<const double*>(a.data), lda, static_cast<const double*>(b.data), ldb,
                0.0, static_cast<double*>(c), ldc);
  } else {
    const T one{1, 0};
    const T zero{0, 0};
    const auto f = fn::same_v<T, Complex64> ? cblas_cgemm : cblas_zgemm;
    f(CblasRowMajor, transposed(a), transposed(b), m, n, k, &one, a.data, lda, b.data, ldb, &zero,
      c, ldc);
  }
}

// ---- our own
// -----------------------------------------------------------------------------------------

/// Rows spread over threads; the inner loop runs along a row of the result. Wraps like every
/// integer op.
template <class T>
void product_integers(const GemmLaunch& g, const Matrix& a, const Matrix& b, void* c) {
  using W = fn::wrap_t<T>;
  const auto* pa = static_cast<const T*>(a.data);
  const auto* pb = static_cast<const T*>(b.data);
  auto* pc = static_cast<T*>(c);
  const std::int64_t per_row = std::max<std::int64_t>(g.n * g.k, 1);
  parallel_for(g.m, 65536 / per_row + 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<W> row(static_cast<std::size_t>(g.n));
    for (std::int64_t i = first; i < last; ++i) {
      std::fill(row.begin(), row.end(), W(0));
      for (std::int64_t k = 0; k < g.k; ++k) {
        const W x = static_cast<W>(pa[i * a.row + k * a.column]);
        const T* y = pb + k * b.row;
        for (std::int64_t j = 0; j < g.n; ++j)
          row[static_cast<std::size_t>(j)] += x * static_cast<W>(y[j * b.column]);
      }
      for (std::int64_t j = 0; j < g.n; ++j) {
        pc[i * g.c_row + j * g.c_col] = static_cast<T>(row[static_cast<std::size_t>(j)]);
      }
    }
  });
}

/// Elements [column, column + w) of a row of the result, w <= kStrip: sums in the order of k.
constexpr std::int64_t kStrip = 16;
template <class T>
void small_strip(const GemmLaunch& g, const T* x, std::int64_t x_step, const Matrix& b,
                 std::int64_t column, std::int64_t w, T* sums) {
  const T* y = static_cast<const T*>(b.data) + column * b.column;
  for (std::int64_t j = 0; j < kStrip; ++j) sums[j] = T{};
  if (w == kStrip && b.column == 1) {  // lengths and strides that the compiler knows
    for (std::int64_t k = 0; k < g.k; ++k, y += b.row) {
      const T factor = x[k * x_step];
      for (std::int64_t j = 0; j < kStrip; ++j) sums[j] = sums[j] + factor * y[j];
    }
    return;
  }
  for (std::int64_t k = 0; k < g.k; ++k, y += b.row) {
    const T factor = x[k * x_step];
    for (std::int64_t j = 0; j < w; ++j) sums[j] = sums[j] + factor * y[j * b.column];
  }
}

/// Any strides, one thread.
template <class T>
void product_small(const GemmLaunch& g, const Matrix& a, const Matrix& b, void* c) {
  for (std::int64_t i = 0; i < g.m; ++i) {
    const T* x = static_cast<const T*>(a.data) + i * a.row;
    T* out = static_cast<T*>(c) + i * g.c_row;
    for (std::int64_t column = 0; column < g.n; column += kStrip) {
      const std::int64_t w = std::min(kStrip, g.n - column);
      T sums[kStrip];
      small_strip(g, x, a.column, b, column, w, sums);
      for (std::int64_t j = 0; j < w; ++j) out[(column + j) * g.c_col] = sums[j];
    }
  }
}

// ---- preparation
// -------------------------------------------------------------------------------------

/// A dense row-major copy in another element type, or of an awkward layout.
Matrix packed(const Matrix& m, DType from, DType to, std::vector<char>& memory) {
  const auto from_size = static_cast<std::int64_t>(element_size(from));
  const auto to_size = static_cast<std::int64_t>(element_size(to));
  memory.resize(static_cast<std::size_t>(m.rows * m.columns * to_size));
  std::vector<char> row(static_cast<std::size_t>(m.columns * from_size));
  const MoveLoop gather = level().gather[width_index(static_cast<std::size_t>(from_size))];
  const CastLoop cast = level().cast[static_cast<int>(to)][static_cast<int>(from)];
  for (std::int64_t i = 0; i < m.rows; ++i) {
    auto* source = const_cast<char*>(static_cast<const char*>(m.data)) + i * m.row * from_size;
    gather(row.data(), source, 1, m.columns, 0, m.column * from_size);
    cast(memory.data() + i * m.columns * to_size, row.data(), m.columns);
  }
  return {memory.data(), m.rows, m.columns, m.columns, 1};
}

/// Whether every extent fits the 32-bit interface of the library.
bool fits_blas(const GemmLaunch& g) {
  constexpr std::int64_t most = INT32_MAX;
  return g.m <= most && g.n <= most && g.k <= most && g.c_row <= most;
}

using Product = void (*)(const GemmLaunch&, const Matrix&, const Matrix&, void*);

/// The loop of a small product; null for integers, whose own loop does.
Product small_product_of(DType t) {
  return visit(t, []<class T>() -> Product {
    if constexpr (fn::same_v<T, float> || fn::same_v<T, double> || fn::is_complex_v<T>)
      return &product_small<T>;
    return nullptr;
  });
}

Product product_of(DType t) {
  switch (category(t)) {
    case Category::Float:
      return t == DType::float64 ? &product_blas<double> : &product_f32;
    case Category::Complex:
      return t == DType::complex64 ? &product_blas<Complex64> : &product_blas<Complex128>;
    default:
      return visit(t, []<class T>() -> Product {
        if constexpr (fn::is_int_v<T>) return &product_integers<T>;
        return nullptr;
      });
  }
}

void fill_zero(const GemmLaunch& g, char* c, std::size_t size) {
  for (std::int64_t i = 0; i < g.m; ++i) {
    for (std::int64_t j = 0; j < g.n; ++j) {
      __builtin_memset(c + (i * g.c_row + j * g.c_col) * static_cast<std::int64_t>(size), 0, size);
    }
  }
}

/// One product of the batch: converted and packed where the library asks for it.
void one_product(const GemmLaunch& g, Matrix a, Matrix b, char* c) {
  const DType computed = info(g.dtype).compute;
  const Product small = multiplications(g) <= kSmall ? small_product_of(computed) : nullptr;
  const Product product = small != nullptr ? small : product_of(computed);
  if (g.k == 0) {
    fill_zero(g, c, element_size(g.dtype));
    return;
  }
  tidy(a);
  tidy(b);
  std::vector<char> pa, pb, pc;
  const bool vendor = !is_integer(computed) && small == nullptr;
  if (computed != g.dtype || (vendor && !library_layout(a))) a = packed(a, g.dtype, computed, pa);
  if (computed != g.dtype || (vendor && !library_layout(b))) b = packed(b, g.dtype, computed, pb);
  if (computed == g.dtype) {
    product(g, a, b, c);
    return;
  }
  GemmLaunch wide = g;
  wide.c_row = g.n;
  wide.c_col = 1;
  pc.resize(static_cast<std::size_t>(g.m * g.n) * element_size(computed));
  product(wide, a, b, pc.data());
  const CastLoop round = level().cast[static_cast<int>(g.dtype)][static_cast<int>(computed)];
  const auto size = static_cast<std::int64_t>(element_size(g.dtype));
  for (std::int64_t i = 0; i < g.m;
       ++i) {  // the result of a half-typed product is dense: the funnel made it
    round(c + i * g.c_row * size,
          pc.data() + i * g.n * static_cast<std::int64_t>(element_size(computed)), g.n);
  }
}

}  // namespace

void launch_gemm(const void* desc, const void*) {
  const auto& g = *static_cast<const GemmLaunch*>(desc);
  TANDEM_EXPECTS(
      is_integer(g.dtype) || fits_blas(g), ValueError,
      fmt::format("[matmul] expected extents below 2^31, got {} x {} x {}", g.m, g.k, g.n));
  const auto size = static_cast<std::int64_t>(element_size(g.dtype));
  const auto at = [size](const void* p, std::int64_t offset) {
    return static_cast<const char*>(p) + offset * size;
  };
  for (std::int64_t i = 0; i < g.batch; ++i) {
    one_product(g, Matrix{at(g.a, i * g.a_batch), g.m, g.k, g.a_row, g.a_col},
                Matrix{at(g.b, i * g.b_batch), g.k, g.n, g.b_row, g.b_col},
                const_cast<char*>(at(g.c, i * g.c_batch)));
  }
}

}  // namespace tandem::host
