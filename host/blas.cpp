// Matrix products by libraries: float32, and bfloat16 where the processor multiplies it, through
// oneDNN, float64 and complex through OpenBLAS. Both are plug-ins, opened at the first product.
#include "host/blas.h"

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "host/lapack.h"
#include "host/onednn.h"
#include "host/parallel.h"
#include "host/reduce_plan.h"
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

/// Whether it has those for sums of four products of 8 bits, without which oneDNN's sums of int8
/// may saturate at 16 bits.
bool multiplies_int8() {
#if defined(__x86_64__)
  static const bool has = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512vnni") != 0;
  }();
  return has;
#else
  return false;
#endif
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

/// The call's scratch memory, kept in the optional.
void* scratch_of(void* context, std::size_t bytes) {
  return static_cast<std::optional<CallMemory>*>(context)->emplace(bytes).data();
}

bool product_onednn(const ProductLaunch& g, const Matrix& a, const Matrix& b, int threads) {
  if (!in_order(g.batch, g.a_batch, a) || !in_order(g.batch, g.b_batch, b)) return false;
  if (!in_order(g.batch, g.c_batch, {g.c, g.m, g.n, g.c_row, g.c_col})) return false;
  if (g.batch > 1 && (g.c_batch == 0 || (g.a_batch == 0 && g.b_batch == 0))) return false;
  const OnednnTable* library = onednn();
  if (library == nullptr) return false;
  // A batch stride of 0 is a batch of one, which oneDNN broadcasts.
  const auto operand = [&](std::int64_t step, std::int64_t rows, std::int64_t columns,
                           std::int64_t row, std::int64_t column) {
    const std::int64_t n = step == 0 ? 1 : g.batch;
    return OnednnOperand{{n, rows, columns}, {n == 1 ? rows * columns : step, row, column}};
  };
  OnednnProduct p{};
  p.rank = g.batch == 1 ? 2 : 3;
  p.type = g.wide                       ? OnednnProduct::Int8ToInt32
           : g.dtype == DType::bfloat16 ? OnednnProduct::BFloat16
                                        : OnednnProduct::Float32;
  p.threads = threads;
  p.a = operand(g.a_batch, a.rows, a.columns, a.row, a.column);
  p.b = operand(g.b_batch, b.rows, b.columns, b.row, b.column);
  p.c = operand(g.c_batch, g.m, g.n, g.c_row, g.c_col);
  const Team team(threads);
  std::optional<CallMemory> scratch;
  const OnednnStatus status = library->multiply(p, a.data, b.data, g.c, {&scratch_of, &scratch});
  if (status == OnednnStatus::OutOfMemory) throw std::bad_alloc();
  return status == OnednnStatus::Done;
}

/// oneDNN rounds sums of int8 to float32 on some ways to int32: so many terms are exact there.
constexpr std::int64_t kExactTerms = 1024;

/// Integer sums of any length: block by block of k, which are added here.
bool product_int8(const ProductLaunch& g, const Matrix& a, const Matrix& b, int threads) {
  if (g.k <= kExactTerms) return product_onednn(g, a, b, threads);
  const Buffer memory = make_buffer(g.batch * g.m * g.n * 4);
  for (std::int64_t k = 0; k < g.k; k += kExactTerms) {
    ProductLaunch part = g;
    Matrix left = a;
    Matrix right = b;
    part.k = left.columns = right.rows = std::min(kExactTerms, g.k - k);
    left.data = static_cast<const char*>(a.data) + k * a.column;
    right.data = static_cast<const char*>(b.data) + k * b.row;
    if (k > 0) {
      part.c = memory.get();
      part.c_row = g.n;
      part.c_batch = g.m * g.n;
    }
    if (!product_onednn(part, left, right, threads)) return false;
    if (k == 0) continue;
    parallel_for(g.batch * g.m, (1 << 16) / g.n + 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        auto* to = static_cast<std::uint32_t*>(g.c) + i / g.m * g.c_batch + i % g.m * g.c_row;
        const auto* from = reinterpret_cast<const std::uint32_t*>(memory.get()) + i * g.n;
        for (std::int64_t j = 0; j < g.n; ++j) to[j] += from[j];
      }
    });
  }
  return true;
}

CBLAS_TRANSPOSE transposed(const Matrix& m) { return m.column == 1 ? CblasNoTrans : CblasTrans; }
blasint leading(const Matrix& m) { return static_cast<blasint>(m.column == 1 ? m.row : m.column); }

template <class T>
void product_blas(const LapackTable& blas, const GemmLaunch& g, const Matrix& a, const Matrix& b,
                  T* c) {
  const auto m = static_cast<blasint>(g.m);
  const auto n = static_cast<blasint>(g.n);
  const auto k = static_cast<blasint>(g.k);
  const auto ldc = static_cast<blasint>(g.c_row);
  if constexpr (fn::same_v<T, double>) {
    blas.cblas_dgemm(CblasRowMajor, transposed(a), transposed(b), m, n, k, 1.0,
                     static_cast<const double*>(a.data), leading(a),
                     static_cast<const double*>(b.data), leading(b), 0.0, c, ldc);
  } else {
    const T one{1, 0};
    const T zero{0, 0};
    const auto f = fn::same_v<T, Complex64> ? blas.cblas_cgemm : blas.cblas_zgemm;
    f(CblasRowMajor, transposed(a), transposed(b), m, n, k, &one, a.data, leading(a), b.data,
      leading(b), &zero, c, ldc);
  }
}

template <class T>
bool batch_blas(const GemmLaunch& g, Matrix a, Matrix b, int threads) {
  const LapackTable* blas = lapack_or_null();
  if (blas == nullptr) return false;
  const auto* pa = static_cast<const T*>(g.a);
  const auto* pb = static_cast<const T*>(g.b);
  const Team team(threads);
  for (std::int64_t i = 0; i < g.batch; ++i) {
    a.data = pa + i * g.a_batch;
    b.data = pb + i * g.b_batch;
    product_blas(*blas, g, a, b, static_cast<T*>(g.c) + i * g.c_batch);
  }
  return true;
}

}  // namespace

bool library_product(const ProductLaunch& g, int threads) {
  constexpr std::int64_t most = INT32_MAX;  // of the 32-bit interface
  Matrix a{g.a, g.m, g.k, g.a_row, g.a_col};
  Matrix b{g.b, g.k, g.n, g.b_row, g.b_col};
  if (g.m > most || g.n > most || g.k > most || g.c_row > most || g.c_col != 1) return false;
  if (!library_layout(a) || !library_layout(b)) return false;
  if (std::max({a.row, a.column, b.row, b.column}) > most) return false;
  switch (g.dtype) {
    case DType::int8:
      return g.wide && multiplies_int8() && product_int8(g, a, b, threads);
    case DType::bfloat16:
      return multiplies_bfloat16() && product_onednn(g, a, b, threads);
    case DType::float32:
      return product_onednn(g, a, b, threads);
    case DType::float64:
      return batch_blas<double>(g, a, b, threads);
    case DType::complex64:
      return batch_blas<Complex64>(g, a, b, threads);
    case DType::complex128:
      return batch_blas<Complex128>(g, a, b, threads);
    default:
      return false;
  }
}

}  // namespace tandem::host
