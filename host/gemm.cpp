// Matrix products on the host: by the libraries (host/blas.cpp) where they are fastest, else by our
// own kernel in a fixed order (host/isa/gemm.cpp), which wraps integers.
#include "host/gemm.h"

#include <algorithm>
#include <cstring>

#include "host/blas.h"
#include "host/launchers.h"
#include "host/parallel.h"
#include "host/reduce_plan.h"
#include "host/registry.h"
#include "host/small_product.h"
#include "host/vector_product.h"
#include "runtime/dispatch/registry.h"
#include "tandem/backend/product.h"
#include "tandem/interrupt.h"
#include "tandem/op_table.h"

namespace tandem::host {

namespace {

GemmLoops g_loops[2][kNumDTypes] = {};

/// Multiplications that are worth a thread: waking one may cost 50 us, this many take 20.
constexpr std::int64_t kPerThread = 1 << 20;

/// Without overflow: beyond 2^20 extents do not matter here.
std::int64_t multiplications(const GemmLaunch& g) {
  constexpr std::int64_t most = std::int64_t(1) << 20;
  const std::int64_t one = std::min(g.m, most) * std::min(g.n, most) * std::min(g.k, most);
  std::int64_t all = 0;
  return __builtin_mul_overflow(one, g.batch, &all) ? INT64_MAX : all;
}

int threads_for(const GemmLaunch& g) {
  if (omp_in_parallel() != 0) return 1;
  const std::int64_t most = std::max<std::int64_t>(multiplications(g) / kPerThread, 1);
  return static_cast<int>(std::min<std::int64_t>(get_num_threads(), most));
}

std::size_t size_of(const GemmLaunch& g) { return element_size(g.dtype); }
std::size_t result_size(const ProductLaunch& g) {
  return g.wide ? sizeof(std::int32_t) : size_of(g);
}

// ---- the fixed order

/// How the rectangles of a launch are cut: each product into rows x columns of them.
struct Cut {
  std::int64_t rows = 1, columns = 1;
};

/// `pieces` rectangles, as square as their number allows: the packing of each is least then.
Cut cut_of(const GemmLaunch& g, std::int64_t pieces) {
  Cut best;
  double least = 1e300;
  for (std::int64_t rows = 1; rows <= pieces; ++rows) {
    if (pieces % rows != 0) continue;
    const std::int64_t columns = pieces / rows;
    if (rows > g.m || columns > g.n) continue;
    const double edge = static_cast<double>(g.m) / static_cast<double>(rows) +
                        static_cast<double>(g.n) / static_cast<double>(columns);
    if (edge >= least) continue;
    least = edge;
    best = {rows, columns};
  }
  return best;
}

/// Rectangle i of the launch.
GemmPart part_of(const ProductLaunch& g, const Cut& cut, std::int64_t i) {
  const auto size = static_cast<std::int64_t>(size_of(g));
  const std::int64_t batch = i / (cut.rows * cut.columns);
  const std::int64_t r = i / cut.columns % cut.rows, c = i % cut.columns;
  const std::int64_t row = r * g.m / cut.rows, end = (r + 1) * g.m / cut.rows;
  const std::int64_t column = c * g.n / cut.columns, stop = (c + 1) * g.n / cut.columns;
  const auto at = [&](const void* x, std::int64_t offset) {
    return static_cast<const char*>(x) + offset * size;
  };
  const auto bytes = static_cast<std::int64_t>(result_size(g));
  GemmPart p{};
  p.a = at(g.a, batch * g.a_batch + row * g.a_row);
  p.b = at(g.b, batch * g.b_batch + column * g.b_col);
  p.c = static_cast<char*>(g.c) + (batch * g.c_batch + row * g.c_row + column * g.c_col) * bytes;
  p.m = end - row;
  p.n = stop - column;
  p.k = g.k;
  p.a_row = g.a_row;
  p.a_col = g.a_col;
  p.b_row = g.b_row;
  p.b_col = g.b_col;
  p.c_row = g.c_row;
  p.c_col = g.c_col;
  return p;
}

void in_fixed_order(const ProductLaunch& g, int threads) {
  const GemmLoops& loops = gemm_loops(g.dtype, g.wide);
  const std::int64_t pieces = (threads + g.batch - 1) / g.batch;
  const Cut cut = cut_of(g, pieces);
  const std::int64_t items = g.batch * cut.rows * cut.columns;
  GemmPart largest = part_of(g, cut, 0);
  largest.m = (g.m + cut.rows - 1) / cut.rows;
  largest.n = (g.n + cut.columns - 1) / cut.columns;
  const PerThread memory(loops.memory(largest));
  parallel_for(items, (items + threads - 1) / threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) loops.run(part_of(g, cut, i), memory.mine());
  });
}

void fill_zero(const ProductLaunch& g) {
  const auto size = static_cast<std::int64_t>(result_size(g));
  for (std::int64_t i = 0; i < g.batch * g.m; ++i) {
    char* row = static_cast<char*>(g.c) + (i / g.m * g.c_batch + i % g.m * g.c_row) * size;
    for (std::int64_t j = 0; j < g.n; ++j) std::memset(row + j * g.c_col * size, 0, result_size(g));
  }
}

/// Up to this many multiplications a library costs more to call than it saves: 40 cubed.
constexpr std::int64_t kSmall = 1 << 16;

/// Measured with vectors of 64 and 32 bytes (perf/NOTES.md): OpenBLAS is slower than our own kernel
/// in float64 and complex at every size, oneDNN faster in float32 and bfloat16 but for small ones.
bool prefers_library(const ProductLaunch& g) {
  if (!g.wide && !gemm_loops(g.dtype, false).fast) return true;
  const bool faster = g.wide || g.dtype == DType::float32 || g.dtype == DType::bfloat16;
  return faster && multiplications(g) > kSmall;
}

/// A matrix of one row or one column is a vector: the product is the sum that matmul of a vector
/// is.
void by_vector(const GemmLaunch& g) {
  const auto size = static_cast<std::int64_t>(size_of(g));
  const bool column = g.n == 1;
  const std::int64_t shape[3] = {g.batch, column ? g.m : g.n, g.k};
  const std::int64_t matrix[3] = {(column ? g.a_batch : g.b_batch) * size,
                                  (column ? g.a_row : g.b_col) * size,
                                  (column ? g.a_col : g.b_row) * size};
  const std::int64_t vector[3] = {(column ? g.b_batch : g.a_batch) * size, 0,
                                  (column ? g.b_row : g.a_col) * size};
  const std::int64_t out[2] = {g.c_batch * size, (column ? g.c_row : g.c_col) * size};
  ReduceLaunch l{};
  l.row = &op::sum;
  l.numel = g.batch * shape[1];
  l.n = g.k;
  l.shape = shape;
  l.rank_outer = 2;
  l.rank_reduced = 1;
  l.n_out = 1;
  l.n_in = 2;
  l.dtype = g.dtype;
  l.device = g.device;
  const auto in = [&](const void* p, const std::int64_t* strides) {
    return OperandDesc{const_cast<void*>(p), strides, {}, g.dtype, g.dtype};
  };
  l.operands[0] = in(g.c, out);
  l.operands[1] = in(column ? g.a : g.b, matrix);
  l.operands[2] = in(column ? g.b : g.a, vector);
  const Kernel& sum = tandem::detail::kernel_of(op::sum, DeviceKind::CPU);
  sum.launch(&l, sum.self);
}

}  // namespace

const GemmLoops& gemm_loops(DType t, bool wide) {
  return g_loops[wide ? 1 : 0][static_cast<int>(t)];
}
void bind_gemm_loops(DType t, bool wide, GemmLoops loops) {
  g_loops[wide ? 1 : 0][static_cast<int>(t)] = loops;
}

/// More multiplications take half a second on a few cores.
constexpr std::int64_t kLongest = std::int64_t(1) << 35;
constexpr std::int64_t kPanelRows = 256;

/// A product that takes long, as two between which the caller may end it: of half the batch or half
/// the rows each.
void by_halves(const ProductLaunch& g) {
  const auto size = static_cast<std::int64_t>(size_of(g));
  ProductLaunch first = g, second = g;
  if (g.batch > 1) {
    first.batch = g.batch / 2;
    second.batch = g.batch - first.batch;
    second.a = static_cast<const char*>(g.a) + first.batch * g.a_batch * size;
    second.b = static_cast<const char*>(g.b) + first.batch * g.b_batch * size;
    second.c = static_cast<char*>(g.c) +
               first.batch * g.c_batch * static_cast<std::int64_t>(result_size(g));
  } else {
    first.m = g.m / 2 / kPanelRows * kPanelRows;
    second.m = g.m - first.m;
    second.a = static_cast<const char*>(g.a) + first.m * g.a_row * size;
    second.c =
        static_cast<char*>(g.c) + first.m * g.c_row * static_cast<std::int64_t>(result_size(g));
  }
  launch_gemm(&first, nullptr);
  check_interrupt();
  launch_gemm(&second, nullptr);
}

void launch_gemm(const void* desc, const void*) {
  const auto& g = *static_cast<const ProductLaunch*>(desc);
  if (g.batch == 0 || g.m == 0 || g.n == 0) return;
  if (g.outer > 0) {
    for (std::int64_t i = 0; i < outer_places(g); ++i) {
      const ProductLaunch one = outer_place(g, i, static_cast<std::int64_t>(size_of(g)),
                                            static_cast<std::int64_t>(result_size(g)));
      launch_gemm(&one, nullptr);
    }
    return;
  }
  if (g.k == 0) return fill_zero(g);
  if (multiplications(g) > kLongest && (g.batch > 1 || g.m >= 2 * kPanelRows)) return by_halves(g);
  const bool vector = !g.exact && (g.m == 1 || g.n == 1) && vector_loops(g.dtype).rows != nullptr;
  if (!g.wide && small_products(g, vector ? SmallOrder::Tree : SmallOrder::Chain)) return;
  if (vector) return by_vector(g);
  const int threads = threads_for(g);
  // Sums of integers are the same in any order.
  if ((!g.exact || g.wide) && prefers_library(g) && library_product(g, threads)) return;
  in_fixed_order(g, threads);
}

}  // namespace tandem::host
