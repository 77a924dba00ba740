// Memory of the caller: from_blob with deleters, strides of either sign, names; and its errors.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tandem/memory.h"
#include "tandem/ops.h"

using namespace tandem;

namespace {

TEST(Blob, IsTheCallersMemory) {
  std::vector<float> memory{0, 1, 2, 3, 4, 5};
  const auto before = memory_stats(kCPU).allocations;
  Tensor t = from_blob(memory.data(), {2, 3}, DType::float32, {.names = {"rows", "columns"}});
  EXPECT_EQ(memory_stats(kCPU).allocations, before);
  EXPECT_EQ(t.data<float>(), memory.data());
  EXPECT_EQ(t.size("columns"), 3);
  EXPECT_FALSE(t.is_view());
  memory[4] = 40;
  EXPECT_EQ(t[1][1].item<float>(), 40);
  t.mul_(2);
  EXPECT_EQ(memory, (std::vector<float>{0, 2, 4, 6, 80, 10}));
  EXPECT_THROW(t.data<double>(), TypeError);
}

TEST(Blob, DeleterRunsOnceWithTheCallersPointer) {
  std::vector<double> memory(6);
  std::vector<void*> deleted;
  {
    Tensor part;
    {
      const Tensor t = from_blob(
          memory.data() + 5, {6}, DType::float64, {}, [&](void* p) { deleted.push_back(p); },
          IntSpan{-1});
      part = t.slice(0, 2);
    }
    EXPECT_TRUE(deleted.empty()) << "a view keeps the memory";
    EXPECT_EQ(part.numel(), 4);
  }
  EXPECT_EQ(deleted, (std::vector<void*>{memory.data() + 5}));
}

TEST(Blob, StridesOfEitherSign) {
  std::vector<std::int32_t> memory{0, 1, 2, 3, 4, 5};
  const Tensor flipped = from_blob(memory.data() + 3, {2, 3}, DType::int32, {}, {}, IntSpan{-3, 1});
  EXPECT_EQ(flipped[0][0].item<int>(), 3);
  EXPECT_EQ(flipped[1][2].item<int>(), 2);
  EXPECT_EQ(flipped.storage().data(), memory.data());
  EXPECT_EQ(flipped.storage().bytes(), 24u);
  EXPECT_EQ(flipped.storage_offset(), 3);
  EXPECT_TRUE(equal(flipped.slice(0, {}, {}, -1).contiguous(), arange(6).reshape({2, 3})));
  const Tensor columns = from_blob(memory.data(), {3, 2}, DType::int32, {}, {}, IntSpan{1, 3});
  EXPECT_EQ(columns[2][1].item<int>(), 5);
  const Tensor repeated = from_blob(memory.data(), {4}, DType::int32, {}, {}, IntSpan{0});
  EXPECT_EQ(repeated.storage().bytes(), 4u);
  EXPECT_EQ(repeated.to(DType::int64).sum().item<int>(), 0);
}

TEST(Blob, Empty) {
  const Tensor none = from_blob(nullptr, {0, 4}, DType::float32);
  EXPECT_EQ(none.numel(), 0);
  EXPECT_EQ(none.data_ptr(), nullptr);
  EXPECT_EQ(add(none, 1).numel(), 0);
}

TEST(Blob, Errors) {
  double memory[4] = {};
  int deletions = 0;
  const auto wrap = [&](void* p, IntSpan shape, std::optional<IntSpan> strides,
                        const Names& names) {
    return from_blob(
        p, shape, DType::float64, {.names = names}, [&](void*) { ++deletions; }, strides);
  };
  EXPECT_THROW(wrap(nullptr, {4}, {}, {}), ValueError);
  EXPECT_THROW(wrap(reinterpret_cast<char*>(memory) + 1, {2}, {}, {}), ValueError);
  EXPECT_THROW(wrap(memory, {2}, IntSpan{1, 1}, {}), ShapeError);
  EXPECT_THROW(wrap(memory, {3, 3}, IntSpan{INT64_MAX, 1}, {}), ValueError);
  EXPECT_THROW(wrap(memory, {2, 2}, IntSpan{INT64_MAX, INT64_MAX}, {}), ValueError);
  EXPECT_THROW(wrap(memory, {2, 2}, IntSpan{INT64_MAX / 8, -INT64_MAX / 8}, {}), ValueError);
  EXPECT_THROW(wrap(memory, {-1}, {}, {}), Error);
  EXPECT_THROW(wrap(memory, {2}, {}, {"a", "b"}), ShapeError);
  EXPECT_EQ(deletions, 0) << "a failed call does not own the memory";
}

}  // namespace
