// Views: sizes, strides and offsets over the same storage; errors that change nothing; and no
// allocation.
#include <gtest/gtest.h>

#include "tandem/memory.h"
#include "tandem/ops.h"
#include "tandem/value.h"
#include "tests/support/elements.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::testing::expect_error;
using namespace tandem::test;

namespace {

using Ints = std::vector<std::int64_t>;

Ints ints(const Tensor& t) {
  Ints list;
  for (const Element& e : elements(t)) list.push_back(static_cast<std::int64_t>(e.i));
  return list;
}

/// 0, 1, 2, ... in the given shape.
Tensor counted(IntSpan shape) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  return arange(n).reshape(shape);
}

void expect_view(const Tensor& v, const Tensor& of, const Dims& shape, const Dims& strides,
                 std::int64_t offset) {
  EXPECT_EQ(Dims(v.shape()), shape);
  EXPECT_EQ(Dims(v.strides()), strides);
  EXPECT_EQ(v.storage_offset(), offset);
  EXPECT_TRUE(v.shares_storage(of));
  EXPECT_TRUE(v.is_view());
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  EXPECT_EQ(v.numel(), n);
}

TEST(Select, TakesOneAndDropsTheDimension) {
  const Tensor x = counted({3, 4});
  expect_view(x.select(0, 1), x, {4}, {1}, 4);
  expect_view(x.select(-1, -1), x, {3}, {4}, 3);
  expect_view(x[2][1], x, {}, {}, 9);
  EXPECT_EQ(x(2, 1).item<int>(), 9);
  expect_error<IndexError>([&] { x.select(0, 3); },
                           "index 3 is out of bounds for dimension 0 with size 3");
  expect_error<IndexError>([&] { x.select(0, -4); }, "index -4 is out of bounds");
  expect_error<IndexError>(
      [&] { x.select(2, 0); },
      "[select] Dimension out of range (expected to be in range of [-2, 1], but "
      "got 2)");
  expect_error<IndexError>([&] { x[0][0].select(0, 0); }, "0-dim");
}

/// What Python's slice gives, element by element.
Ints python_slice(std::int64_t n, std::optional<std::int64_t> start,
                  std::optional<std::int64_t> stop, std::int64_t step) {
  Ints list;
  const auto place = [&](std::int64_t v) { return v < 0 ? v + n : v; };
  const std::int64_t first = start ? place(*start) : (step > 0 ? 0 : n - 1);
  for (std::int64_t i = -3 * n; i < 3 * n; ++i) {  // every index that could be meant, in order
    const std::int64_t k = step > 0 ? i : -i;
    if (k < 0 || k >= n) continue;
    if (step > 0 ? k < first : k > first) continue;
    if (stop && (step > 0 ? k >= place(*stop) : k <= place(*stop))) continue;
    // Counted from the first element that exists.
    const std::int64_t origin =
        step > 0 ? std::max<std::int64_t>(first, 0) : std::min(first, n - 1);
    if ((k - origin) % step == 0) list.push_back(k);
  }
  return list;
}

TEST(Slice, FollowsPython) {
  const Tensor x = counted({7});
  std::vector<std::optional<std::int64_t>> bounds{std::nullopt};
  for (std::int64_t b = -9; b <= 9; ++b) bounds.emplace_back(b);
  for (const std::int64_t step : {1, 2, 3, 7, 8, -1, -2, -3, -8}) {
    for (const auto& start : bounds) {
      for (const auto& stop : bounds) {
        const Tensor v = x.slice(0, start, stop, step);
        EXPECT_TRUE(v.shares_storage(x));
        ASSERT_EQ(ints(v), python_slice(7, start, stop, step))
            << start.value_or(99) << ":" << stop.value_or(99) << ":" << step;
      }
    }
  }
}

TEST(Slice, StridesAndOffsets) {
  const Tensor x = counted({4, 6});
  expect_view(x.slice(1, 1, {}, 2), x, {4, 3}, {6, 2}, 1);
  expect_view(x.slice(0, {}, {}, -1), x, {4, 6}, {-6, 1}, 18);
  expect_view(x.slice(1, {}, {}, -4), x, {4, 2}, {6, -4}, 5);
  EXPECT_EQ(ints(x.slice(0, {}, {}, -1).slice(0, {}, {}, -1)), ints(x));
  EXPECT_EQ(x.slice(0, 5, 9).numel(), 0);
  EXPECT_EQ(ints(x.slice(1, INT64_MIN, INT64_MAX, INT64_MAX)), (Ints{0, 6, 12, 18}));
  EXPECT_EQ(ints(x.slice(1, INT64_MAX, INT64_MIN, INT64_MIN)), (Ints{5, 11, 17, 23}));
  expect_error<ValueError>([&] { x.slice(0, {}, {}, 0); }, "slice step cannot be zero");
  expect_error<IndexError>([&] { x[0][0].slice(0); }, "[slice]");
}

TEST(Narrow, IsASliceThatMustFit) {
  const Tensor x = counted({3, 4});
  expect_view(x.narrow(1, 1, 2), x, {3, 2}, {4, 1}, 1);
  expect_view(x.narrow(0, -1, 1), x, {1, 4}, {4, 1}, 8);
  EXPECT_EQ(x.narrow(0, 3, 0).numel(), 0);
  expect_error<ShapeError>([&] { x.narrow(1, 3, 2); },
                           "[narrow] start (3) + length (2) exceeds dimension size (4).");
  expect_error<IndexError>([&] { x.narrow(1, 5, 0); }, "[narrow] start out of range");
  expect_error<ValueError>([&] { x.narrow(1, 0, -1); }, "[narrow]");
}

TEST(Order, TransposePermuteMove) {
  const Tensor x = counted({3, 4, 5});
  expect_view(x.transpose(0, 2), x, {5, 4, 3}, {1, 5, 20}, 0);
  expect_view(x.permute({2, 0, 1}), x, {5, 3, 4}, {1, 20, 5}, 0);
  expect_view(x.permute({-1, 0, -2}), x, {5, 3, 4}, {1, 20, 5}, 0);
  expect_view(x.movedim(0, 2), x, {4, 5, 3}, {5, 1, 20}, 0);
  expect_view(x.movedim({0, 1}, {2, 0}), x, {4, 5, 3}, {5, 1, 20}, 0);
  expect_view(x[0].t(), x, {5, 4}, {1, 5}, 0);
  EXPECT_EQ(Dims(x[0][0].t().shape()), (Dims{5}));
  EXPECT_EQ(x[0][0][0].transpose(0, -1).dim(), 0);
  expect_error<ShapeError>([&] { x.t(); },
                           "t() expects a tensor with <= 2 dimensions, but self is 3D");
  expect_error<ShapeError>([&] { x.permute({0, 1}); }, "[permute] expected 3 axes");
  expect_error<ShapeError>(
      [&] {
        x.permute({0, 1, -2});
      },
      "dim 1 appears multiple times in the list of dims");
  expect_error<ShapeError>([&] { x.movedim({0, 1}, {1}); }, "[movedim]");
  expect_error<IndexError>([&] { x.transpose(0, 3); }, "[transpose] Dimension out of range");
}

TEST(Reshape, IsAViewWhereTheStridesAllow) {
  const Tensor x = counted({4, 6});
  expect_view(x.view({2, -1, 3}), x, {2, 4, 3}, {12, 3, 1}, 0);
  expect_view(x.reshape({24}), x, {24}, {1}, 0);
  expect_view(x.slice(1, {}, {}, 2).view({2, 2, 3, 1}), x, {2, 2, 3, 1}, {12, 6, 2, 2}, 0);
  expect_view(x.slice(0, {}, {}, -1).view({4, 2, 3}), x, {4, 2, 3}, {-6, 3, 1}, 18);
  const Tensor flipped = x.reshape({24}).slice(0, {}, {}, -1);
  expect_view(flipped.view({4, 6}), x, {4, 6}, {-6, -1}, 23);
  const Tensor copy = x.t().reshape({24});
  EXPECT_FALSE(copy.shares_storage(x));
  EXPECT_EQ(ints(copy), ints(x.t()));
  EXPECT_EQ(ints(x.t().reshape({2, 12})), ints(x.t()));
  EXPECT_EQ(x.view({24, 1, 1}).view({1, 4, 1, 6}).numel(), 24);
  EXPECT_EQ(counted({1}).view({}).dim(), 0);
  EXPECT_EQ(counted({1})[0].reshape({1, 1}).dim(), 2);
  EXPECT_EQ(Dims(empty({0, 3}).view({3, -1}).shape()), (Dims{3, 0}));
  expect_error<ShapeError>([&] { x.t().view({24}); }, "Use .reshape(...) instead.");
  expect_error<ShapeError>(
      [&] {
        x.view({5, -1});
      },
      "shape '[5, -1]' is invalid for input of size 24");
  expect_error<ValueError>([&] { x.view({-1, -1}); }, "only one dimension can be inferred");
  expect_error<ValueError>([&] { x.view({-2, 12}); }, "invalid shape dimension -2");
  expect_error<ValueError>([&] { empty({0}).view({0, -1}); }, "ambiguous");
  expect_error<ShapeError>([&] { x.view({std::int64_t(1) << 62, 4}); }, "[view]");
}

/// Against a copy: every way to regroup a tensor of a few layouts.
TEST(Reshape, KeepsTheOrderInAnyLayout) {
  const Tensor base = counted({2, 6, 4});
  const Tensor layouts[] = {base,
                            base.transpose(0, 2).contiguous().transpose(0, 2),
                            base.slice(1, {}, {}, -1),
                            base.slice(2, {}, {}, 2),
                            base.narrow(0, 1, 1),
                            base.narrow(2, 1, 1).expand({2, 6, 4}),
                            base.unsqueeze(1).unsqueeze(-1)};
  for (const Tensor& x : layouts) {
    const std::int64_t n = x.numel();
    for (std::int64_t a = 1; a <= n; ++a) {
      for (std::int64_t b = 1; n % a == 0 && b <= n / a; ++b) {
        if (n / a % b != 0) continue;
        const Dims shape{a, b, n / a / b};
        ASSERT_EQ(ints(x.reshape(shape)), ints(x));
        try {
          const Tensor v = x.view(shape);
          ASSERT_EQ(ints(v), ints(x));
          ASSERT_TRUE(v.shares_storage(x));
        } catch (const ShapeError&) {
          ASSERT_FALSE(x.reshape(shape).shares_storage(x));
        }
      }
    }
  }
}

TEST(Flatten, AndBack) {
  const Tensor x = counted({2, 3, 4});
  expect_view(x.flatten(), x, {24}, {1}, 0);
  expect_view(x.flatten(1), x, {2, 12}, {12, 1}, 0);
  expect_view(x.flatten(0, 1).unflatten(0, {2, -1}), x, {2, 3, 4}, {12, 4, 1}, 0);
  EXPECT_EQ(Dims(x[0][0][0].flatten().shape()), (Dims{1}));
  expect_error<ShapeError>([&] { x.flatten(2, 1); }, "[flatten]");
  expect_error<ShapeError>([&] { x.unflatten(1, {2, 2}); }, "[unflatten]");
}

TEST(Ones, SqueezeUnsqueezeExpand) {
  const Tensor x = counted({3}).reshape({1, 3, 1});
  EXPECT_EQ(Dims(x.squeeze().shape()), (Dims{3}));
  EXPECT_EQ(Dims(x.squeeze(0).shape()), (Dims{3, 1}));
  EXPECT_EQ(Dims(x.squeeze(1).shape()), (Dims{1, 3, 1}));
  EXPECT_EQ(Dims(x.squeeze({0, -1}).shape()), (Dims{3}));
  EXPECT_EQ(Dims(x.unsqueeze(-1).shape()), (Dims{1, 3, 1, 1}));
  EXPECT_EQ(Dims(x.unsqueeze(0).shape()), (Dims{1, 1, 3, 1}));
  expect_error<IndexError>([&] { x.unsqueeze(4); },
                           "(expected to be in range of [-4, 3], but got 4)");
  expect_view(x.expand({2, 3, 4}), x, {2, 3, 4}, {0, 1, 0}, 0);
  expect_view(x.expand({5, -1, -1, 2}), x, {5, 1, 3, 2}, {0, 3, 1, 0}, 0);
  EXPECT_EQ(ints(x.expand({1, 3, 2})), (Ints{0, 0, 1, 1, 2, 2}));
  expect_error<ShapeError>(
      [&] {
        x.expand({1, 4, 1});
      },
      "The expanded size of the tensor (4) must match the existing size (3)");
  expect_error<ValueError>([&] { x.expand({-1, 1, 3, 1}); }, "[expand]");
  expect_error<ShapeError>([&] { x.expand({3}); }, "[expand]");
}

TEST(Diagonal, OfAnyTwoDimensions) {
  const Tensor x = counted({3, 4});
  expect_view(x.diagonal(), x, {3}, {5}, 0);
  expect_view(x.diagonal(1), x, {3}, {5}, 1);
  expect_view(x.diagonal(-1), x, {2}, {5}, 4);
  EXPECT_EQ(x.diagonal(9).numel(), 0);
  EXPECT_EQ(x.diagonal(-9).numel(), 0);
  EXPECT_EQ(ints(counted({2, 2, 2}).diagonal(0, 0, 2)), (Ints{0, 5, 2, 7}));
  expect_error<ShapeError>([&] { x.diagonal(0, 1, -1); }, "cannot be identical");
  expect_error<ShapeError>([&] { x[0].diagonal(); }, "[diagonal]");
}

TEST(Windows, Unfold) {
  const Tensor x = counted({5});
  EXPECT_EQ(ints(x.unfold(0, 3, 1)), (Ints{0, 1, 2, 1, 2, 3, 2, 3, 4}));
  expect_view(x.unfold(0, 2, 3), x, {2, 2}, {3, 1}, 0);
  EXPECT_EQ(Dims(x.unfold(0, 0, 1).shape()), (Dims{6, 0}));
  expect_error<ShapeError>([&] { x.unfold(0, 6, 1); },
                           "maximum size for tensor at dimension 0 is 5");
  expect_error<ValueError>([&] { x.unfold(0, 2, 0); }, "[unfold] expected step > 0");
}

TEST(Parts, SplitChunkUnbind) {
  const Tensor x = counted({5, 2});
  const auto sizes = [](const std::vector<Tensor>& parts, std::int64_t axis) {
    Ints list;
    for (const Tensor& p : parts) list.push_back(p.size(axis));
    return list;
  };
  EXPECT_EQ(sizes(x.split(2), 0), (Ints{2, 2, 1}));
  EXPECT_EQ(sizes(x.chunk(4), 0), (Ints{2, 2, 1})) << "may return fewer";
  EXPECT_EQ(sizes(x.chunk(9), 0), (Ints{1, 1, 1, 1, 1}));
  EXPECT_EQ(sizes(x.split_sizes({1, 0, 4}), 0), (Ints{1, 0, 4}));
  EXPECT_EQ(sizes(empty({0}).chunk(3), 0), (Ints{0, 0, 0}));
  EXPECT_EQ(sizes(empty({0}).split(3), 0), (Ints{0}));
  expect_view(x.split(2)[1], x, {2, 2}, {2, 1}, 4);
  ASSERT_EQ(x.unbind(1).size(), 2u);
  expect_view(x.unbind(1)[1], x, {5}, {2}, 1);
  expect_error<ShapeError>([&] { x.split_sizes({2, 2}); }, "sum exactly to 5");
  expect_error<ValueError>([&] { x.split_sizes({7, -2}); }, "[split]");
  expect_error<ValueError>([&] { x.split(0); }, "[split]");
  expect_error<ValueError>([&] { x.chunk(0); }, "[chunk]");
}

TEST(AsStrided, StaysInTheStorage) {
  const Tensor x = counted({6});
  expect_view(x.as_strided({2, 3}, {1, 2}), x, {2, 3}, {1, 2}, 0);
  expect_view(x.as_strided({3}, {-2}, 5), x, {3}, {-2}, 5);
  EXPECT_EQ(ints(x.as_strided({3, 2}, {0, 5})), (Ints{0, 5, 0, 5, 0, 5}));
  expect_error<ShapeError>([&] { x.as_strided({3}, {3}); },
                           "[as_strided] expected elements within");
  expect_error<ShapeError>([&] { x.as_strided({3}, {-1}, 1); }, "[as_strided]");
  expect_error<ShapeError>([&] { x.as_strided({2}, {INT64_MAX}); }, "[as_strided]");
  expect_error<ShapeError>([&] { x.as_strided({2}, {1, 1}); }, "[as_strided]");
}

TEST(ViewAs, ScalesTheLastDimension) {
  const Tensor x = counted({2, 4}).to(DType::int32);
  EXPECT_EQ(Dims(x.view_as(DType::uint8).shape()), (Dims{2, 16}));
  EXPECT_EQ(Dims(x.view_as(DType::int64).shape()), (Dims{2, 2}));
  EXPECT_EQ(x.view_as(DType::float32).dtype(), DType::float32);
  EXPECT_TRUE(equal(x.view_as(DType::uint8).view_as(DType::int32), x));
  expect_error<ShapeError>([&] { x.narrow(1, 0, 3).view_as(DType::int64); }, "divisible by 2");
  expect_error<ShapeError>([&] { x.t().view_as(DType::uint8); }, "stride 1 of the last dimension");
}

TEST(Brackets, EveryForm) {
  const Tensor x = counted({2, 3, 4});
  expect_view(x(1), x, {3, 4}, {4, 1}, 12);
  expect_view(x(kEllipsis, -1), x, {2, 3}, {12, 4}, 3);
  expect_view(x(kNone, 0, kEllipsis), x, {1, 3, 4}, {24, 4, 1}, 0);
  expect_view(x(Slice{}, Slice{{}, {}, -1}, 0), x, {2, 3}, {12, -4}, 8);
  EXPECT_EQ(Dims(x(true).shape()), (Dims{1, 2, 3, 4}));
  EXPECT_EQ(Dims(x(0, false).shape()), (Dims{0, 3, 4}));
  EXPECT_TRUE(x(kEllipsis).shares_storage(x));
  EXPECT_EQ(x(0, 0, 0)(kEllipsis).dim(), 0);
  EXPECT_EQ(x(0, 0, 0)(kNone).dim(), 1);
  expect_error<IndexError>([&] { x(0, 0, 0, 0); }, "too many indices for tensor of dimension 3");
  expect_error<IndexError>([&] { x(0, 3); }, "index 3 is out of bounds for dimension");
  expect_error<IndexError>([&] { x(0, 0, 0)(0); }, "invalid index of a 0-dim tensor");
}

/// PyTorch's reading: each '...' skips as many dimensions as one would.
TEST(Indexing, SeveralEllipses) {
  const Tensor x = counted({2, 3});
  expect_view(x(kEllipsis, kEllipsis), x, {2, 3}, {3, 1}, 0);
  expect_view(x(kEllipsis, 0, kEllipsis), x, {2}, {3}, 0);
  expect_view(x(kEllipsis, kEllipsis, kNone), x, {2, 3, 1}, {3, 1, 1}, 0);
  expect_error<IndexError>([&] { counted({2, 3, 4})(kEllipsis, 0, kEllipsis, 0); }, "ellipsis");
  expect_error<IndexError>([&] { x(kEllipsis, kEllipsis, Slice{}); }, "ellipsis");
}

TEST(Limits, NoViewHasMoreDimensionsThanALaunch) {
  Tensor x = counted({2});
  for (int i = 0; i < 31; ++i) x = x.unsqueeze(0);
  EXPECT_EQ(x.dim(), 32);
  EXPECT_EQ(ints(x + x), (Ints{0, 2}));
  EXPECT_EQ(x.sum().item<int>(), 1);
  const char* what = "at most 32 dimensions";
  expect_error<ValueError>([&] { x.unsqueeze(0); }, what);
  expect_error<ValueError>([&] { x(kNone); }, what);
  expect_error<ValueError>([&] { x.unfold(-1, 1, 1); }, what);
  expect_error<ValueError>([&] { x.unflatten(-1, {1, 2}); }, what);
  const Dims many(33, 1);
  expect_error<ValueError>([&] { counted({1}).view(many); }, what);
  expect_error<ValueError>([&] { counted({1}).reshape(many); }, what);
  expect_error<ValueError>([&] { counted({1}).expand(many); }, what);
  expect_error<ValueError>([&] { counted({1}).as_strided(many, many); }, what);
  std::vector<std::string> names;
  for (int i = 0; i < 33; ++i) names.push_back("d" + std::to_string(i));
  expect_error<ValueError>([&] { counted({2}).rename({{"d0"}}).align_to(names); }, what);
}

TEST(Limits, SizesBeyondWhatAnAddressCounts) {
  constexpr std::int64_t kHuge = std::int64_t(1) << 40;
  const Tensor x = empty({1}, {.dtype = DType::uint8}).expand({kHuge});
  expect_error<ValueError>([&] { x.unfold(0, kHuge / 2, 1); }, "more bytes than an address");
  expect_error<ShapeError>(
      [&] {
        const Tensor y = empty({1}, {.dtype = DType::uint8}).expand({INT64_MAX / 2});
        cat({y, y, y});
      },
      "more elements");
  expect_error<ValueError>([&] { arange(INT64_MIN, INT64_MAX); }, "fewer elements");
  EXPECT_EQ(counted({5}).chunk(INT64_MAX).size(), 5u);
  expect_error<ValueError>([&] { x.as_strided({0}, {1}, -5); }, "storage_offset");
}

TEST(ViewAs, NeedsAlignedMemory) {
  alignas(8) static unsigned char memory[24] = {};
  const Tensor bytes = from_blob(memory, {24}, DType::uint8);
  EXPECT_EQ(bytes.slice(0, 8).view_as(DType::float64).numel(), 2);
  const Tensor odd = from_blob(memory + 4, {16}, DType::uint8);
  EXPECT_EQ(odd.view_as(DType::float32).numel(), 4);
  expect_error<ShapeError>([&] { odd.view_as(DType::float64); }, "aligned");
}

TEST(Storage, IsSharedAndKeptAlive) {
  Tensor x = counted({3, 2});
  Tensor row = x[1];
  EXPECT_EQ(row.storage_offset(), 2);
  EXPECT_EQ(row.storage().bytes(), 48u);
  row.fill_(9);
  EXPECT_EQ(ints(x), (Ints{0, 1, 9, 9, 4, 5}));
  EXPECT_EQ(row.storage().id(), x.storage().id());
  Tensor copy = row.clone();
  copy.fill_(1);
  EXPECT_EQ(ints(row), (Ints{9, 9}));
  x = Tensor();
  EXPECT_EQ(ints(row), (Ints{9, 9}));
  EXPECT_EQ(row.base().numel(), 6);
}

TEST(Contiguous, IgnoresSizesOfOneAndEmptiness) {
  const Tensor x = counted({3, 1, 4});
  EXPECT_TRUE(x.transpose(0, 1).is_contiguous());
  EXPECT_FALSE(x.transpose(0, 2).is_contiguous());
  EXPECT_TRUE(empty({0, 3}).t().is_contiguous());
  EXPECT_TRUE(x.contiguous().shares_storage(x));
  EXPECT_EQ(Dims(x.transpose(0, 2).contiguous().strides()), (Dims{3, 3, 1}));
}

/// A view costs nothing but itself: no memory of any pool.
TEST(Views, AllocateNothing) {
  const Tensor x = counted({4, 6}).refine_names({"a", "b"});
  const auto before = memory_stats(kCPU).allocations;
  const Tensor views[] = {x[0],
                          x.slice(1, {}, {}, -2),
                          x.t(),
                          x.view({24}),
                          x.unsqueeze(1),
                          x.expand({2, 4, 6}),
                          x.diagonal(),
                          x.unfold(1, 2, 2),
                          x.align_to({"b", "c", "a"}),
                          x.rename(std::nullopt),
                          x(kNone, kEllipsis, 2)};
  EXPECT_EQ(memory_stats(kCPU).allocations, before);
  for (const Tensor& v : views) EXPECT_TRUE(v.shares_storage(x));
}

TEST(Bodies, ARecycledOneKeepsNothing) {
  for (int round = 0; round < 3; ++round) {
    const Tensor big =
        zeros({1, 2, 1, 2, 1, 2, 1, 2}, {.names = {"a", "b", "c", "d", "e", "f", "g", "h"}});
    EXPECT_EQ(big.select(1, 1).names().size(), 7u);
    EXPECT_EQ(big.rename(std::nullopt).numel(), 16);
    const Tensor small = counted({2, 3});
    expect_view(small.alias(), small, {2, 3}, {3, 1}, 0);
    expect_view(small.select(0, 1), small, {3}, {1}, 3);
    expect_view(small.unsqueeze(1), small, {2, 1, 3}, {3, 3, 1}, 0);
    EXPECT_FALSE(small.t().has_names());
    EXPECT_EQ(small.storage().version(), counted({2, 3}).storage().version());
  }
}

}  // namespace
