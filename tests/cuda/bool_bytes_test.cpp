// Memory of bool with any bytes on a device: each row that takes bool gives what the host gives for
// bytes 0 and 1.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/support/bool_bytes.h"
#include "tests/support/needs.h"

using namespace tandem;
using namespace tandem::test;

TEST(BoolBytes, EveryByteButZeroIsTrueOnADevice) {
  TANDEM_NEEDS_GPU();
  int differ = 0;
  // Long calls differ from the others by what a device alone is fast enough for.
  const bool simulated = std::getenv("TANDEM_SIMULATED") != nullptr;
  const BoolWalk walk = walk_bool_bytes(kCUDA, !simulated, [&](const std::string& found) {
    if (++differ <= 40) ADD_FAILURE() << found;
  });
  EXPECT_EQ(differ, 0);
  EXPECT_GE(walk.rows.size(), 200U);
  std::printf("%d calls of %d rows\n", walk.compared, static_cast<int>(walk.rows.size()));
}

TEST(BoolBytes, CastsOnADevice) {
  TANDEM_NEEDS_GPU();
  Mover move(kCUDA);
  for (const Layout layout : kLayouts) {
    const Tensor like = varied({19, 67}, DType::int32);
    const Tensor odd = move(bools_like(like, true, layout));
    const Tensor plain = bools_like(like, false, layout);
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto to = static_cast<DType>(d);
      if (to == DType::bool_) continue;
      EXPECT_TRUE(same_bits(odd.to(to), plain.to(to))) << name(to) << " " << text(layout);
    }
  }
}
