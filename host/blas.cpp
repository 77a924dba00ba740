// Matrix products by libraries: float32, and bfloat16 where the processor multiplies it, through
// oneDNN, float64 and complex through OpenBLAS. The only file that knows these libraries' products;
// oneDNN's interface changed between versions 2 and 3, and only calls common to both are used.
#include "host/blas.h"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>

#include "host/parallel.h"
#include "host/team.h"
#include "runtime/memory/blocks.h"
#include "runtime/memory/pool.h"
#include "runtime/memory/pools.h"
#include "tandem/fn.h"

namespace tandem::host {

namespace {

/// One operand of one product of the batch; strides in elements.
struct Matrix {
  const void* data;
  std::int64_t rows, columns, row, column;
};

/// One stride of 1 and the other no less than the extent; strides of dimensions of size 1 are
/// rewritten so.
bool library_layout(Matrix& m) {
  if (m.columns == 1) m.column = m.row == 1 ? std::max<std::int64_t>(m.rows, 1) : 1;
  if (m.rows == 1) m.row = m.column == 1 ? std::max<std::int64_t>(m.columns, 1) : 1;
  const bool by_rows = m.column == 1 && m.row >= std::max<std::int64_t>(m.columns, 1);
  const bool by_columns = m.row == 1 && m.column >= std::max<std::int64_t>(m.rows, 1);
  return by_rows || by_columns;
}

// ---- oneDNN
// ------------------------------------------------------------------------------------------

/// Creating a primitive costs microseconds: the last ones are kept, by shape and strides.
class MatmulCache {
 public:
  using Key = std::array<std::int64_t, 15>;

  /// A primitive and the memory that each of its calls needs: left to the library, calls of several
  /// threads at once would write to the same.
  struct Kept {
    dnnl::matmul primitive;
    dnnl::memory::desc scratch;
  };

  /// None where the library has no such product.
  std::optional<Kept> get(const Key& key, const dnnl::memory::desc& a, const dnnl::memory::desc& b,
                          const dnnl::memory::desc& c) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != key) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return entries_.front().second;
    }
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    try {
#if DNNL_VERSION_MAJOR >= 3
      const dnnl::matmul::primitive_desc pd(engine(), a, b, c, attributes);
#else
      const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(a, b, c), attributes, engine());
#endif
      entries_.emplace_front(key, Kept{dnnl::matmul(pd), pd.scratchpad_desc()});
    } catch (const dnnl::error& e) {
      if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
      return std::nullopt;
    }
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
  std::list<std::pair<Key, Kept>> entries_;
};

/// Memory of one call, from the pool.
class CallMemory {
 public:
  explicit CallMemory(std::size_t bytes)
      : block_(bytes == 0 ? nullptr : host_pool().allocate(bytes)) {}
  ~CallMemory() {
    if (block_ != nullptr) host_pool().free(block_);
  }
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;
  void* data() const { return block_ == nullptr ? nullptr : block_->data; }

 private:
  Block* block_;
};

/// Whether the matrices of a batch lie one after the other, or row between row, in the order of
/// their numbers: the library takes no others. A step of 0 is one matrix for all of them.
bool in_order(std::int64_t batch, std::int64_t step, const Matrix& m) {
  if (batch == 1 || step == 0) return true;
  std::array<std::pair<std::int64_t, std::int64_t>, 3> steps{
      {{step, batch}, {m.row, m.rows}, {m.column, m.columns}}};
  std::sort(steps.begin(), steps.end());
  std::int64_t least = 1;
  for (const auto& [stride, extent] : steps) {
    if (extent == 1) continue;
    if (stride < least) return false;
    least = stride * extent;
  }
  return true;
}

/// Whether the processor has instructions for products of bfloat16: without, oneDNN is no faster
/// than widening to float32.
bool multiplies_bfloat16() {
#if defined(__x86_64__)
  static const bool has = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
  }();
  return has;
#else
  return false;
#endif
}

bool product_onednn(const GemmLaunch& g, const Matrix& a, const Matrix& b, int threads) {
  static auto* cache = new MatmulCache;
  using Desc = dnnl::memory::desc;
  const auto type =
      g.dtype == DType::bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  if (!in_order(g.batch, g.a_batch, a) || !in_order(g.batch, g.b_batch, b)) return false;
  if (!in_order(g.batch, g.c_batch, {g.c, g.m, g.n, g.c_row, g.c_col})) return false;
  if (g.batch > 1 && (g.c_batch == 0 || (g.a_batch == 0 && g.b_batch == 0))) return false;
  // A batch stride of 0 is a batch of one, which oneDNN broadcasts.
  const std::int64_t na = g.a_batch == 0 ? 1 : g.batch;
  const std::int64_t nb = g.b_batch == 0 ? 1 : g.batch;
  const bool flat = g.batch == 1;
  const auto desc = [&](std::int64_t n, std::int64_t rows, std::int64_t columns, std::int64_t step,
                        std::int64_t row, std::int64_t column) {
    if (flat) return Desc({rows, columns}, type, {row, column});
    return Desc({n, rows, columns}, type, {n == 1 ? rows * columns : step, row, column});
  };
  const Desc da = desc(na, a.rows, a.columns, g.a_batch, a.row, a.column);
  const Desc db = desc(nb, b.rows, b.columns, g.b_batch, b.row, b.column);
  const Desc dc = desc(g.batch, g.m, g.n, g.c_batch, g.c_row, g.c_col);
  const MatmulCache::Key key{
      g.m,     g.n,       g.k,       a.row,     a.column,
      b.row,   b.column,  g.c_row,   g.c_col,   threads,
      g.batch, g.a_batch, g.b_batch, g.c_batch, static_cast<std::int64_t>(g.dtype)};
  const Team team(threads);
  const auto kept = cache->get(key, da, db, dc);
  if (!kept) return false;
  const CallMemory scratch(kept->scratch.get_size());
  const dnnl::engine& engine = MatmulCache::engine();
  thread_local dnnl::stream stream(engine);
  dnnl::matmul primitive = kept->primitive;
  primitive.execute(stream,
                    {{DNNL_ARG_SRC, dnnl::memory(da, engine, const_cast<void*>(a.data))},
                     {DNNL_ARG_WEIGHTS, dnnl::memory(db, engine, const_cast<void*>(b.data))},
                     {DNNL_ARG_DST, dnnl::memory(dc, engine, g.c)},
                     {DNNL_ARG_SCRATCHPAD, dnnl::memory(kept->scratch, engine, scratch.data())}});
  stream.wait();
  return true;
}

// ---- OpenBLAS
// ----------------------------------------------------------------------------------------

CBLAS_TRANSPOSE transposed(const Matrix& m) { return m.column == 1 ? CblasNoTrans : CblasTrans; }
blasint leading(const Matrix& m) { return static_cast<blasint>(m.column == 1 ? m.row : m.column); }

template <class T>
void product_blas(const GemmLaunch& g, const Matrix& a, const Matrix& b, T* c) {
  const auto m = static_cast<blasint>(g.m);
  const auto n = static_cast<blasint>(g.n);
  const auto k = static_cast<blasint>(g.k);
  const auto ldc = static_cast<blasint>(g.c_row);
  if constexpr (fn::same_v<T, double>) {
    cblas_dgemm(CblasRowMajor, transposed(a), transposed(b), m, n, k, 1.0,
                static_cast<const double*>(a.data), leading(a), static_cast<const double*>(b.data),
                leading(b), 0.0, c, ldc);
  } else {
    const T one{1, 0};
    const T zero{0, 0};
    const auto f = fn::same_v<T, Complex64> ? cblas_cgemm : cblas_zgemm;
    f(CblasRowMajor, transposed(a), transposed(b), m, n, k, &one, a.data, leading(a), b.data,
      leading(b), &zero, c, ldc);
  }
}

template <class T>
void batch_blas(const GemmLaunch& g, Matrix a, Matrix b, int threads) {
  const auto* pa = static_cast<const T*>(g.a);
  const auto* pb = static_cast<const T*>(g.b);
  const Team team(threads);
  for (std::int64_t i = 0; i < g.batch; ++i) {
    a.data = pa + i * g.a_batch;
    b.data = pb + i * g.b_batch;
    product_blas(g, a, b, static_cast<T*>(g.c) + i * g.c_batch);
  }
}

}  // namespace

bool library_product(const GemmLaunch& g, int threads) {
  constexpr std::int64_t most = INT32_MAX;  // of the 32-bit interface
  Matrix a{g.a, g.m, g.k, g.a_row, g.a_col};
  Matrix b{g.b, g.k, g.n, g.b_row, g.b_col};
  if (g.m > most || g.n > most || g.k > most || g.c_row > most || g.c_col != 1) return false;
  if (!library_layout(a) || !library_layout(b)) return false;
  if (std::max({a.row, a.column, b.row, b.column}) > most) return false;
  switch (g.dtype) {
    case DType::bfloat16:
      return multiplies_bfloat16() && product_onednn(g, a, b, threads);
    case DType::float32:
      return product_onednn(g, a, b, threads);
    case DType::float64:
      batch_blas<double>(g, a, b, threads);
      return true;
    case DType::complex64:
      batch_blas<Complex64>(g, a, b, threads);
      return true;
    case DType::complex128:
      batch_blas<Complex128>(g, a, b, threads);
      return true;
    default:
      return false;
  }
}

}  // namespace tandem::host
