// Memory of bool may hold any byte, and every byte but 0 is true: each row that takes bool gives
// the same for such memory as for bytes 0 and 1, at every SIMD level.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <string>

#include "runtime/dispatch/host_backend.h"
#include "tests/support/bool_bytes.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// Run by the test below in a process of its own at each level.
TEST(BoolBytes, DISABLED_Walk) {
  std::printf("level %s\n", std::string(detail::simd_level()).c_str());
  const BoolWalk walk = walk_bool_bytes(
      kCPU, true, [](const std::string& found) { std::printf("differs %s\n", found.c_str()); });
  std::printf("compared %d of %d rows\n", walk.compared, static_cast<int>(walk.rows.size()));
}

struct Walked {
  std::string level;
  int compared = 0, rows = 0, differ = 0;
  std::string found;
};

Walked walk_at(const std::string& level) {
  const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_also_run_disabled_tests "
                              "--gtest_filter=BoolBytes.DISABLED_Walk 2>&1";
  Walked walked;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return walked;
  char line[1024];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    const std::string s(line);
    if (s.starts_with("level ")) walked.level = s.substr(6, s.size() - 7);
    if (s.starts_with("compared "))
      std::sscanf(line, "compared %d of %d", &walked.compared, &walked.rows);
    if (!s.starts_with("differs ")) continue;
    ++walked.differ;
    if (walked.differ <= 40) walked.found += s.substr(8);
  }
  EXPECT_EQ(pclose(pipe), 0) << "at level " << level;
  return walked;
}

TEST(BoolBytes, EveryByteButZeroIsTrueAtEveryLevel) {
  for (const std::string level : {"baseline", "v3", "v4"}) {
    const Walked walked = walk_at(level);
    if (walked.level != level) {
      std::printf("this machine has no level %s: it ran %s\n", level.c_str(), walked.level.c_str());
      continue;
    }
    EXPECT_EQ(walked.differ, 0) << "at " << level << ":\n" << walked.found;
    EXPECT_GE(walked.rows, 270) << "rows that take bool";
    EXPECT_GE(walked.compared, 3500);
    std::printf("%s: %d calls of %d rows\n", level.c_str(), walked.compared, walked.rows);
  }
}

/// Casts are the work of copy_.
TEST(BoolBytes, CastsReadAnyByte) {
  for (const Layout layout : kLayouts) {
    const Tensor like = varied({19, 67}, DType::int32);
    const Tensor odd = bools_like(like, true, layout);
    const Tensor plain = bools_like(like, false, layout);
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto to = static_cast<DType>(d);
      if (to == DType::bool_) continue;
      EXPECT_TRUE(same_bits(odd.to(to), plain.to(to))) << name(to) << " " << text(layout);
    }
  }
}

/// What reads elements without an op.
TEST(BoolBytes, ElementsReadAnyByte) {
  const Tensor like = varied({3, 5}, DType::int32);
  const Tensor odd = bools_like(like, true);
  const Tensor plain = bools_like(like, false);
  EXPECT_EQ(odd.str(), plain.str());
  EXPECT_EQ(tandem::testing::mismatch(odd, plain, {}), "");
  for (std::int64_t i = 0; i < 15; ++i) {
    const Tensor a = odd.flatten().select(0, i);
    const Tensor b = plain.flatten().select(0, i);
    EXPECT_EQ(a.item().str(), b.item().str());
    EXPECT_EQ(a.item().to<std::int64_t>(), b.item().to<std::int64_t>());
  }
}

}  // namespace
