// Recorded programs on the pool: how much more it takes of the device than they have in use. The
// ratios are the same in every run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tandem/error.h"
#include "tests/memory/sim/replay.h"

namespace tandem::test {
namespace {

constexpr double kMostOverRounded = 1.10, kMostOverAsked = 1.25;

std::vector<std::string> files() {
  std::vector<std::string> paths;
  const char* folder = std::getenv("TANDEM_TRACES");
  if (folder == nullptr) return paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".trace") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void expect_tight(const Trace& t, const char* where, const ReplayOptions& options) {
  const ReplayResult r = replay(t, options);
  EXPECT_EQ(r.wrong, "") << t.name;
  EXPECT_LE(r.over_allocated(), kMostOverRounded) << t.name << ", " << where;
  EXPECT_LE(r.over_requested(), kMostOverAsked) << t.name << ", " << where;
  fmt::print("{}, {}: {:.3f} of what is in use after rounding, {:.3f} before\n", t.name, where,
             r.over_allocated(), r.over_requested());
}

/// What a trace has in use at most, added up here.
std::size_t most_in_use(const Trace& t) {
  std::vector<std::size_t> bytes(t.allocations);
  std::size_t now = 0, most = 0;
  for (const TraceEvent& e : t.events) {
    if (e.kind == TraceEvent::Kind::Allocate) {
      now += bytes[e.block] = e.bytes;
      most = std::max(most, now);
    } else if (e.kind == TraceEvent::Kind::Free) {
      now -= bytes[e.block];
    }
  }
  return most;
}

TEST(Traces, AreThere) {
  EXPECT_EQ(files().size(), 7u) << "TANDEM_TRACES names their folder";
  bool streams = false;
  for (const std::string& path : files()) {
    EXPECT_LT(std::filesystem::file_size(path), 100000u) << path;
    const Trace t = read_trace(path);
    EXPECT_GT(t.allocations, 2000u) << path;
    EXPECT_GT(most_in_use(t), std::size_t{256} << 20) << path;
    streams = streams || t.streams > 2;
  }
  EXPECT_TRUE(streams);
}

TEST(Traces, TakeLittleMoreThanTheyUse) {
  for (const std::string& path : files()) {
    const Trace t = read_trace(path);
    expect_tight(t, "device", {.most_queued = 0});
    expect_tight(t, "host", {.device = false});
    if (t.streams != 1) continue;  // else what is under work of several streams counts
    expect_tight(t, "device that is behind", {.most_queued = 64});
    expect_tight(t, "device far behind", {.most_queued = 1u << 30});
  }
}

/// A device that is behind has memory under the work of each stream: within a limit streams wait
/// for each other, on the device. The host never waits for the device.
TEST(Traces, FitWithinATenthMoreWhereTheDeviceIsBehind) {
  for (const std::string& path : files()) {
    const Trace t = read_trace(path);
    const auto use = static_cast<double>(replay(t, {.most_queued = 0}).allocated);
    for (const std::uint64_t behind : {64u, 1u << 30}) {
      const auto limit = static_cast<std::size_t>(kMostOverRounded * use);
      const ReplayResult r = replay(t, {.most_queued = behind, .limit = limit});
      EXPECT_EQ(r.wrong, "") << path;
      EXPECT_LE(r.over_allocated(), kMostOverRounded) << path;
      EXPECT_EQ(r.synchronizations, 0u) << path;
      if (t.streams == 1) {
        EXPECT_EQ(r.waits, 0u) << path;
      }
      EXPECT_GT(r.moved, 0u) << path;  // pages moved while work was pending on them
    }
  }
}

TEST(Traces, PeaksAreWhatTheEventsAddUpTo) {
  for (const std::string& path : files()) {
    const Trace t = read_trace(path);
    for (const bool is_virtual : {true, false}) {
      const ReplayResult r = replay(t, {.virtual_memory = is_virtual});
      EXPECT_EQ(r.wrong, "") << path;
      EXPECT_EQ(r.requested, most_in_use(t)) << path;
      EXPECT_GE(r.allocated, r.requested);
      EXPECT_GE(r.reserved, r.allocated);
    }
  }
}

TEST(Traces, NothingIsGivenBackOnTheWay) {
  for (const std::string& path : files()) {
    const Trace t = read_trace(path);
    for (const std::uint64_t behind : {0u, 64u, 1u << 30})
      EXPECT_EQ(replay(t, {.most_queued = behind}).returned, 0u) << path;
  }
}

TEST(Traces, AreRefusedWhereALineIsNone) {
  EXPECT_EQ(parse_trace("x", "# a comment\na 5\n\nf 0\n").events.size(), 2u);
  for (const char* text :
       {"a\n", "a x\n", "a 5 6\nf 0\n", "f 0\n", "a 5\nf 0\nf 0\n", "a 5\n", "q\n", "s 16\n",
        "a 5\nf 1\n", "w 0\n", "a 99999999999999999999999\n", "a -1\n", "h 1\n"})
    EXPECT_THROW(parse_trace("x", text), FileError) << text;
  EXPECT_THROW(read_trace("/nowhere/x.trace"), FileError);
}

}  // namespace
}  // namespace tandem::test
