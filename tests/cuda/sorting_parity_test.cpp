// lint: oracle table. Sorting, sets and counting on the device against the host, bit for bit: every
// call of row_calls.h that succeeds, and every dtype at the boundaries of digits and blocks, of one
// row and of many. Where there is no GPU the backend is the simulated one (tests/cuda/sim), whose
// CUB is the standard library.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/calls_sorting.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"

using namespace tandem;
using test::Args;
using test::varied;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// Both backends' results; false where the host refuses the arguments.
bool compare(const std::string& op, const Args& args) {
  const OpRow* row = find_op(op);
  const test::Outcome host = test::outcome(*row, args);
  if (host.raised) return false;
  const test::Outcome device = test::outcome(*row, args, kDevice);
  for (const Tensor& t : device.tensors) EXPECT_TRUE(t.device() == kDevice) << op;
  EXPECT_EQ(test::difference(*row, args, device, host), "") << op;
  return true;
}

TEST(SortingParity, EveryCall) {
  TANDEM_NEEDS_GPU();
  test::Calls calls;
  test::add_sorting_calls(calls);
  int compared = 0;
  for (const auto& [op, list] : calls) {
    for (const Args& args : list) compared += compare(op, args) ? 1 : 0;
  }
  EXPECT_GT(compared, 60);
}

TEST(SortingParity, LongCalls) {
  TANDEM_NEEDS_GPU();
  test::Calls calls;
  test::add_sorting_long_calls(calls);
  for (const auto& [op, list] : calls) {
    for (const Args& args : list) EXPECT_TRUE(compare(op, args)) << op;
  }
}

TEST(SortingParity, EveryDTypeOfOneRowAndOfMany) {
  TANDEM_NEEDS_GPU();
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (!dtypes::BoolReals.has(t)) continue;
    SCOPED_TRACE(std::string(name(t)));
    const std::vector<Dims> shapes{{1}, {255}, {257}, {2049}, {300, 3}, {3, 300}, {2, 5, 41}};
    for (const Dims& shape : shapes) {
      const Tensor x = varied(shape, t, 1, true);
      for (std::int64_t d = 0; d < x.dim(); ++d) {
        EXPECT_TRUE(compare("sort", {x, d}));
        EXPECT_TRUE(compare("sort", {x, d, true}));
        EXPECT_TRUE(compare("topk", {x, x.size(d) / 2, d}));
        EXPECT_TRUE(compare("median", {x, d}));
        EXPECT_TRUE(compare("nanmedian", {x, d, true}));
        EXPECT_TRUE(compare("mode", {x, d}));
        EXPECT_TRUE(compare("unique", {x, true, true, true, d}));
      }
      EXPECT_TRUE(compare("unique_all", {x}));
      EXPECT_TRUE(compare("unique_consecutive", {x, true, true}));
      const Tensor sequence = std::get<0>(sort(varied({77}, t, 2, true), 0));
      EXPECT_TRUE(compare("searchsorted", {sequence, x, false, true}));
      EXPECT_TRUE(compare("isin", {x, varied({9}, t, 3, true)}));
    }
    if (is_float(t)) {
      const Tensor x = varied({5000}, t, 4, true);
      EXPECT_TRUE(compare("quantile", {varied({400, 7}, t, 5), 0.37, 0}));
      EXPECT_TRUE(compare("nanquantile", {x, 0.37}));
      EXPECT_TRUE(compare("histogram", {varied({5000}, t, 6), 31}));
      EXPECT_TRUE(compare("histc", {x, 31, -9, 9}));
    } else if (is_integer(t)) {
      EXPECT_TRUE(compare("bincount", {test::varied_indices({5000}, 0, 100).to(t)}));
      EXPECT_TRUE(compare("histc", {varied({5000}, t, 7), 31}));
    }
  }
}

TEST(SortingParity, SumsOfLongBinsTakeSeveralLevels) {
  TANDEM_NEEDS_GPU();
  // A bin of more than a tile, bins of one element, empty bins; more tiles than a tile holds is too
  // much for a simulated device.
  Tensor x = test::varied_indices({60'000}, 0, 3);
  x.select(0, 17).fill_(11);
  for (const DType t : {DType::float32, DType::float64}) {
    EXPECT_TRUE(compare("bincount", {x, varied({60'000}, t, 8)}));
  }
  EXPECT_TRUE(compare("bincount", {test::varied_indices({9000}, 0, 9000)}));  // no shared counters
}

}  // namespace
