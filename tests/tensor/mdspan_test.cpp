// span and mdspan views of tensors.
#include "tandem/mdspan.h"

#include <gtest/gtest.h>

#include "tandem/tandem.h"

namespace tandem {
namespace {

TEST(Mdspan, ReadsAndWritesThroughAnyStrides) {
  Tensor t = arange(24).view({2, 3, 4});
  const auto m = as_mdspan<std::int64_t, 3>(t.permute({2, 0, 1}).slice(0, {}, {}, -1));
  EXPECT_EQ(m.extent(0), 4);
  EXPECT_EQ(m.stride(0), -1);
  EXPECT_EQ(m.size(), 24u);
  EXPECT_EQ(m(0, 1, 2), 23);  // element [1, 2, 3]
  m(3, 0, 1) = -7;            // element [0, 1, 0]
  EXPECT_EQ(t(0, 1, 0).item<std::int64_t>(), -7);
}

TEST(Mdspan, SpanOfContiguousElements) {
  Tensor t = ones({2, 3});
  const auto s = as_span<float>(t);
  EXPECT_EQ(s.size(), 6u);
  s[5] = 2;
  EXPECT_EQ(t(1, 2).item<float>(), 2);
  EXPECT_EQ(as_span<const float>(t).data(), t.data<float>());
}

TEST(Mdspan, SaysWhatIsWrong) {
  const Tensor t = ones({2, 3});
  EXPECT_THROW(as_span<double>(t), TypeError);
  EXPECT_THROW(as_span<float>(t.t()), ShapeError);
  EXPECT_THROW((as_mdspan<float, 3>(t)), ShapeError);
  EXPECT_THROW((as_mdspan<float, 2>(empty({2, 3}, {.device = kMeta}))), DeviceError);
}

}  // namespace
}  // namespace tandem
