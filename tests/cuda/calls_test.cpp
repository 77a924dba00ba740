// lint: oracle table. What a call asks of the device: launches, copies, allocations and waits of
// every row, counted by the simulated CUDA runtime (tests/cuda/sim). "Nothing synchronises" is a
// test here.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/device_calls.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"
#include "tests/support/sim_counts.h"

using namespace tandem;
using test::Args;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

using Counts = test::SimCounts;

/// What `f` asked for, the second time: the first one fills the pool.
template <class F>
Counts counts_of(const F& f) {
  const test::SimCounters counts = test::sim_counters();
  f();
  const Counts before = test::read(counts);
  f();
  const Counts after = test::read(counts);
  return {after.launches - before.launches, after.allocations - before.allocations,
          after.frees - before.frees,       after.copies - before.copies,
          after.fills - before.fills,       after.waits - before.waits,
          after.records - before.records,   after.queries - before.queries};
}

/// What is wrong with a call that should launch `launches` kernels and nothing else; one that may
/// wait does so for what it copies to the host.
std::string wrong(const Counts& c, long launches, bool may_wait = false) {
  std::string s;
  const auto expect = [&s](const char* what, long got, long wanted) {
    if (got == wanted) return;
    s += std::string(what) + ": " + std::to_string(got) + " instead of " + std::to_string(wanted) +
         "; ";
  };
  expect("launches", c.launches, launches);
  expect("allocations by the driver", c.allocations, 0);
  expect("frees by the driver", c.frees, 0);
  if (!may_wait) expect("copies", c.copies, 0);  // what a call waits for, it reads
  expect("fills", c.fills, 0);
  if (!may_wait) expect("waits", c.waits, 0);
  expect("events", c.records, 0);
  expect("queries", c.queries, 0);
  return s;
}

/// Kernels that rows with a front-end of their own launch in their first call of row_calls.h; a row
/// that is not here launches none if it is a view and one otherwise.
test::Launches known_launches() {
  test::Launches known = {
      {"reshape", 0},     {"flatten", 0},      // of dense tensors: views
      {"contiguous", 0},                       // the same
      {"cat", 3},         {"stack", 2},        // one an input
      {"einsum_path", 0},                      // nothing is computed
      {"var", 2},         {"std", 2},          // mean, then distances
      {"softmax", 3},     {"log_softmax", 3},  // greatest, sum, result
  };
  test::add_indexing_launches(known);
  test::add_linalg_launches(known);
  test::add_movement_launches(known);
  test::add_scan_launches(known);
  test::add_fft_launches(known);
  test::add_sorting_launches(known);
  test::add_random_launches(known);
  test::add_pointwise_launches(known);
  test::add_window_launches(known);
  test::add_signal_launches(known);
  return known;
}

long launches_of(const OpRow& row) {
  static const test::Launches known = known_launches();
  const auto found = known.find(row.name);
  if (found != known.end()) return found->second;
  return (row.flags & kView) != 0 ? 0 : 1;
}

#define TANDEM_NEEDS_COUNTERS() \
  if (test::sim_counters() == nullptr) GTEST_SKIP() << "the backend is not the simulated one"

TEST(Calls, EveryRowAsksForItsKernelsAndNothingElse) {
  TANDEM_NEEDS_COUNTERS();
  int rows = 0, left_out = 0;
  for (const OpRow* row : op_rows()) {
    const Args args = test::device_call(*row, kDevice);
    ++rows;
    if (test::needs_absent_library(*row, kDevice)) {
      ++left_out;
      continue;
    }
    const Counts c = counts_of([&] { call_boxed(*row, args); });
    EXPECT_EQ(wrong(c, launches_of(*row), (row->flags & kSyncs) != 0), "") << row->name;
  }
  std::printf("%d rows, %d of them left out: they need cuSOLVER\n", rows, left_out);
  EXPECT_EQ(rows, static_cast<int>(op_rows().size()));
}

TEST(Calls, CastsBroadcastsAndOutputsInPlaceTakeOneLaunch) {
  TANDEM_NEEDS_COUNTERS();
  const Tensor x = ones({70, 30}, {.dtype = DType::float32, .device = kDevice});
  const Tensor y = ones({30}, {.dtype = DType::int8, .device = kDevice});
  Tensor out = empty({70, 30}, {.dtype = DType::float64, .device = kDevice});
  EXPECT_EQ(wrong(counts_of([&] { add(x.t(), x.t()); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { add(x, y); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { mul(x, 2.5); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { add_out(out, x, y); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { Tensor(x).add_(y); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { x.to(DType::bfloat16); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { x.t().contiguous(); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { x.slice(0, 0, 0).add(1); }), 0), "");  // no elements
}

/// Batches that no single stride tells, by our own kernel: where the matrices lie is its business.
TEST(Calls, ProductsOfIrregularBatchesTakeOneLaunch) {
  TANDEM_NEEDS_COUNTERS();
  for (const DType t : {DType::float32, DType::int32, DType::complex128}) {
    for (const bool exact : {false, true}) {
      const ExactGuard guard(exact);
      const auto numbers = [&](const Dims& shape) { return test::varied(shape, t, 3); };
      const auto check = [&](const char* what, auto f, const Tensor& a, const Tensor& b) {
        const Tensor x = a.to(kDevice), y = b.to(kDevice);
        Tensor z;
        EXPECT_EQ(wrong(counts_of([&] { z = f(x, y); }), 1), "") << what << " " << name(t);
        const ExactGuard order;  // the host's library may sum otherwise
        EXPECT_TRUE(test::same_bits(z, f(a, b))) << what << " " << name(t);
      };
      check(
          "matmul", [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
          numbers({3, 1, 5, 7}), numbers({4, 7, 6}));
      check(
          "matmul",
          [](const Tensor& a, const Tensor& b) {
            return matmul(a, b.permute({1, 0, 2, 3}));
          },
          numbers({3, 4, 5, 7}), numbers({4, 3, 7, 6}));
      // Heads in the middle, as attention has them; three batch letters in different orders.
      const auto einsum_of = [](const char* e) {
        return [e](const Tensor& a, const Tensor& b) { return einsum(e, {a, b}); };
      };
      check("heads", einsum_of("bihd,bjhd->bhij"), numbers({2, 5, 3, 7}), numbers({2, 6, 3, 7}));
      check("orders", einsum_of("abcij,cabjk->abcik"), numbers({2, 3, 4, 5, 7}),
            numbers({4, 2, 3, 7, 6}));
    }
  }
}

TEST(Calls, WhatReachesTheHostWaitsOnceAndSaysSo) {
  TANDEM_NEEDS_COUNTERS();
  const Tensor x = ones({70, 30}, {.dtype = DType::float32, .device = kDevice});
  const Counts item = counts_of([&] { x.select(0, 1).select(0, 2).item(); });
  EXPECT_EQ(item.copies, 1);
  EXPECT_EQ(item.waits, 1);
  EXPECT_EQ(item.launches, 0);
  const Counts home = counts_of([&] { x.cpu(); });
  EXPECT_EQ(home.copies, 1);
  EXPECT_EQ(home.waits, 1);
  const Tensor host = x.cpu();
  const Counts there = counts_of([&] { host.to(kDevice); });
  EXPECT_EQ(there.copies, 1);
  EXPECT_LE(there.waits, 1);
  EXPECT_EQ(there.allocations, 0);
}

TEST(Calls, IndicesAndFilledMasksNeverWait) {
  TANDEM_NEEDS_COUNTERS();
  const Tensor x = ones({70, 30}, {.dtype = DType::float32, .device = kDevice});
  const Tensor i = zeros({9}, {.dtype = DType::int64, .device = kDevice});
  const Tensor mask = gt(x, 0);
  const Tensor v = ones({9, 30}, {.dtype = DType::float32, .device = kDevice});
  EXPECT_EQ(wrong(counts_of([&] { x(i); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { x(Slice{1, 9}, i); }), 1), "");
  EXPECT_EQ(wrong(counts_of([&] { set_index(x, {i}, v); }), 2), "");
  EXPECT_EQ(wrong(counts_of([&] { set_index(x, {i}, 2); }), 2), "");
  EXPECT_EQ(wrong(counts_of([&] { set_index(x, {mask}, 2); }), 1), "");
  const Counts masked = counts_of([&] { x(mask); });
  EXPECT_EQ(masked.waits, 1);
  EXPECT_EQ(masked.copies, 1);
}

TEST(Calls, AHiddenWaitIsFound) {
  TANDEM_NEEDS_COUNTERS();
  const Tensor x = ones({7, 3}, {.dtype = DType::float32, .device = kDevice});
  const auto hides_a_wait = [&] { add(x, x.select(0, 0).select(0, 0).item()); };
  EXPECT_NE(wrong(counts_of(hides_a_wait), 1).find("waits: 1 instead of 0"), std::string::npos);
  const auto hides_a_launch = [&] { add(x.clone(), x); };
  EXPECT_NE(wrong(counts_of(hides_a_launch), 1).find("launches: 2"), std::string::npos);
}

}  // namespace
