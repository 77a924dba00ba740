// Batches of small matrix products: when they are taken, and by how many threads.
#include "host/small_product.h"

#include <algorithm>
#include <cstdlib>

#include "host/lanes.h"
#include "tandem/backend.h"

namespace tandem::host {

namespace {

/// Multiplications of one product up to which lanes are faster than a product's own rows.
std::int64_t most_multiplications(DType t) {
  switch (t) {
    case DType::bfloat16:
    case DType::float16:
      return 512;  // converted one by one
    case DType::float64:
    case DType::complex128:
      return 2048;
    default:
      return 4096;
  }
}

bool is_small(const GemmLaunch& g, const LaneLoops<SmallProducts>& loops) {
  constexpr std::int64_t most = SmallProducts::kMostElements;
  return loops.run != nullptr && 2 * g.batch >= loops.lanes && g.k > 0 &&
         std::max({g.m, g.n, g.k}) <= most && g.k <= SmallProducts::kMostTerms &&
         std::max({g.m * g.k, g.k * g.n, g.m * g.n}) <= most &&
         g.m * g.n * g.k <= most_multiplications(g.dtype);
}

}  // namespace

bool small_products(const GemmLaunch& g, SmallOrder order) {
  const LaneLoops<SmallProducts>& loops = lane_loops<SmallProducts>(g.dtype);
  if (!is_small(g, loops)) return false;
  // A group's elements go to lanes and from them, one by one at worst.
  const std::int64_t moved = g.m * g.k + g.k * g.n + g.m * g.n;
  const std::int64_t work = g.m * g.n * g.k + loops.lanes * moved / 2 + 1;
  over_lanes(SmallProducts{g, order}, g.dtype, g.batch,
             static_cast<double>(work) / 2);  // two at a time
  return true;
}

namespace {

/// Strides of a sum's operand in elements.
struct Strides {
  std::int64_t batch, rows, terms;
};

/// The sums as products of a batch along outer dimension `batch` (rows along the other one) of the
/// matrix in operand `matrix`; false where they are none, or not compact.
bool as_product(const ReduceLaunch& l, int batch, int matrix, GemmLaunch& g) {
  const auto size = static_cast<std::int64_t>(element_size(l.dtype));
  const int rows = l.rank_outer == 2 ? 1 - batch : -1;
  const auto strides = [&](const OperandDesc& x, bool summed) {
    const auto at = [&](int d) { return d < 0 ? 0 : x.strides[d] / size; };
    return Strides{at(batch), at(rows), summed ? at(l.rank_outer) : 0};
  };
  const OperandDesc &x = l.operands[matrix], &y = l.operands[3 - matrix];
  const Strides a = strides(x, true), b = strides(y, true), c = strides(l.operands[0], false);
  if (b.rows != 0 && rows >= 0) return false;
  const auto compact = [](const Strides& s) {
    return s.batch == 0 || std::abs(s.batch) >= std::max(std::abs(s.rows), std::abs(s.terms));
  };
  if (!compact(a) || !compact(b) || c.batch == 0) return false;
  g.batch = l.shape[batch];
  g.m = rows < 0 ? 1 : l.shape[rows];
  g.n = 1;
  g.k = l.n;
  g.a = x.data;
  g.b = y.data;
  g.c = l.operands[0].data;
  g.a_batch = a.batch;
  g.a_row = a.rows;
  g.a_col = a.terms;
  g.b_batch = b.batch;
  g.b_row = b.terms;
  g.b_col = 0;
  g.c_batch = c.batch;
  g.c_row = c.rows;
  g.c_col = 0;
  g.dtype = l.dtype;
  g.device = l.device;
  return true;
}

}  // namespace

bool small_sums(const ReduceLaunch& l) {
  const bool shaped = l.n_out == 1 && l.n_in == 2 && l.rank_reduced == 1 && l.rank_outer >= 1 &&
                      l.rank_outer <= 2 && l.n <= SmallProducts::kMostTerms;
  if (!shaped || category(l.dtype) < Category::Float) return false;
  for (int i = 0; i < 3; ++i) {
    const OperandDesc& x = l.operands[i];
    if (x.data == nullptr || x.dtype != l.dtype || x.kernel != l.dtype) return false;
  }
  GemmLaunch g{};
  for (int batch = 0; batch < l.rank_outer; ++batch) {
    for (const int matrix : {1, 2}) {
      if (as_product(l, batch, matrix, g) && small_products(g, SmallOrder::Tree)) return true;
    }
  }
  return false;
}

}  // namespace tandem::host
