// Tags, statistics and limits of a pool's parts, and the snapshot, against what the test itself
// keeps of its blocks.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/memory/pool.h"
#include "runtime/memory/pools.h"
#include "runtime/memory/snapshot.h"
#include "tandem/error.h"
#include "tandem/indexing.h"
#include "tandem/ops.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

class SnapshotTest : public PoolTest {
 protected:
  json taken() { return json::parse(memory::to_json(pool().snapshot())); }
};

/// Bytes of live blocks by "tag|op", as a snapshot says.
std::map<std::string, std::size_t> live_of(const json& s) {
  std::map<std::string, std::size_t> out;
  for (const json& u : s.at("live"))
    out[u.at("tag").get<std::string>() + "|" + u.at("op").get<std::string>()] = u.at("bytes");
  return out;
}

/// Every sum of a snapshot, added up again from its parts; empty if they agree.
std::string adds_up(const json& s) {
  std::size_t reserved = 0, free = 0, live = 0, pending = 0, blocks = 0, cached = 0;
  for (const json& segment : s.at("segments")) {
    std::size_t at = 0;
    for (const json& r : segment.at("ranges")) {
      if (r.at("offset") != at) return "a gap between ranges";
      const std::size_t bytes = r.at("bytes");
      const std::string state = r.at("state");
      at += bytes;
      if (state != "hole") reserved += bytes;
      if (state == "free") free += bytes;
      if (state == "pending") pending += bytes;
      if (state == "cached") cached += bytes;
      if (state == "live") {
        live += bytes;
        ++blocks;
      }
      if (state != "slab") continue;
      const json& slab = r.at("slab");
      const std::size_t each = slab.at("block_bytes");
      const std::size_t n = slab.at("live");
      live += n * each;
      blocks += n;
      pending += slab.at("pending").get<std::size_t>() * each;
      cached += slab.at("cached").get<std::size_t>() * each;
      if (n + slab.at("pending").get<std::size_t>() + slab.at("cached").get<std::size_t>() +
              slab.at("free").get<std::size_t>() !=
          slab.at("blocks"))
        return "a slab's blocks do not add up";
      std::size_t tagged = 0;
      for (const json& u : slab.at("tags")) tagged += u.at("blocks").get<std::size_t>();
      if (tagged != n) return "a slab's tags do not add up";
    }
    if (at != segment.at("bytes")) return "ranges do not fill their segment";
  }
  const json& stats = s.at("statistics");
  if (stats.at("reserved").at("current") != reserved) return "reserved";
  if (stats.at("free_ranges") != free) return "free";
  if (stats.at("allocated").at("current") != live) return "live";
  if (stats.at("pending") != pending) return "pending";
  std::size_t tagged = 0, tagged_blocks = 0, front = 0, parts = 0;
  for (const json& u : s.at("live")) {
    tagged += u.at("bytes").get<std::size_t>();
    tagged_blocks += u.at("blocks").get<std::size_t>();
  }
  for (const json& f : s.at("front_caches")) front += f.at("bytes").get<std::size_t>();
  for (const json& p : s.at("pools")) parts += p.at("allocated").at("current").get<std::size_t>();
  if (tagged != live || tagged_blocks != blocks) return "live by tag";
  if (front != cached) return "front caches";
  return parts == live ? "" : "parts of the pool";
}

// ---- tags

TEST_F(SnapshotTest, TagsNestAndEnd) {
  std::vector<Block*> blocks;
  const auto take = [&](std::size_t bytes) { blocks.push_back(pool().allocate(bytes)); };
  take(2 * kMiB);
  {
    const MemoryTag outer("encoder");
    take(4 * kMiB);
    {
      const MemoryTag inner("attention");
      take(8 * kMiB);
      take(100);
    }
    take(16 * kMiB);
  }
  take(32 * kMiB);
  take(200);
  const std::map<std::string, std::size_t> expected{
      {"|", 34 * kMiB + 256}, {"encoder|", 20 * kMiB}, {"encoder/attention|", 8 * kMiB + 128}};
  const json s = taken();
  EXPECT_EQ(live_of(s), expected);
  EXPECT_EQ(adds_up(s), "");
  for (Block* b : blocks) pool().free(b);
  EXPECT_TRUE(taken().at("live").empty());
}

TEST_F(SnapshotTest, ATagIsOfItsThread) {
  const MemoryTag mine("mine");
  Block* other = nullptr;
  std::thread([&] {
    other = pool().allocate(2 * kMiB);
    const MemoryTag theirs("theirs");
    pool().free(pool().allocate(2 * kMiB));
  }).join();
  EXPECT_EQ(live_of(taken()), (std::map<std::string, std::size_t>{{"|", 2 * kMiB}}));
  pool().free(other);
}

/// A block that is given out again has the newer tag, also from a front cache.
TEST_F(SnapshotTest, ReuseTakesTheNewTag) {
  for (const std::size_t bytes : {std::size_t{64}, 4 * kMiB}) {
    Block* a = nullptr;
    {
      const MemoryTag tag("first");
      a = pool().allocate(bytes);
    }
    pool().free(a);
    const MemoryTag tag("second");
    Block* b = pool().allocate(bytes);
    EXPECT_EQ(a, b);
    EXPECT_EQ(live_of(taken()), (std::map<std::string, std::size_t>{{"second|", bytes}}));
    pool().free(b);
  }
}

TEST(MemoryTags, RefusesNames) {
  EXPECT_THROW(MemoryTag(""), ValueError);
  EXPECT_THROW(MemoryTag("a\nb"), ValueError);
  EXPECT_THROW(MemoryTag(std::string(201, 'x')), ValueError);
  const std::string longest(200, 'x');
  const MemoryTag a(longest), b(longest), c(longest), d(longest);
  EXPECT_THROW(MemoryTag{longest}, ValueError);
  EXPECT_THROW(MemoryTag(std::string_view("a\0b", 3)), ValueError);
}

TEST(MemoryTags, OpsOfTensorsAreNamed) {
  const Tensor t = zeros({1 << 20}, {.dtype = DType::float32});
  const Tensor u = t.add(t);
  EXPECT_EQ(live_of(json::parse(memory_snapshot(kCPU)))["|add"], 4 * kMiB);
  const MemoryTag tag("tensors of the test");
  const Tensor v = t.sub(t);
  EXPECT_EQ(live_of(json::parse(memory_snapshot(kCPU)))["tensors of the test|sub"], 4 * kMiB);
}

/// GCC 12 leaves out the store that ends the scope of an op that raised from within another.
TEST(MemoryTags, AnOpThatRaisedIsOver) {
  const Tensor t = zeros({4}, {.dtype = DType::float32});
  const Tensor far = full({2}, 9, {.dtype = DType::int64});
  EXPECT_THROW(index_put_(t, {far}, ones({}, {.dtype = DType::float32}), false), IndexError);
  const MemoryTag tag("after an error");
  const Tensor u = zeros({1 << 20}, {.dtype = DType::float32}).add(1);
  EXPECT_EQ(live_of(json::parse(memory_snapshot(kCPU)))["after an error|add"], 4 * kMiB);
}

// ---- parts of a pool

TEST_F(SnapshotTest, PartsHaveStatisticsOfTheirOwn) {
  const PoolId graph = pool().open_private();
  Block* shared = pool().allocate(8 * kMiB);
  Block* small = pool().allocate(100);
  Block* a = pool().allocate(4 * kMiB, kHostStream, graph);
  Block* b = pool().allocate(70 * kKiB, kHostStream, graph);
  Block* c = pool().allocate(4 * kMiB, kHostStream, graph);
  pool().free(c);
  std::vector<PoolStats> p = pool().pools();
  ASSERT_EQ(p.size(), 2u);
  EXPECT_EQ(p[0].id, 0u);
  EXPECT_FALSE(p[0].kept);
  EXPECT_EQ(p[0].requested.current, 8 * kMiB + 100);
  EXPECT_EQ(p[0].allocated.current, 8 * kMiB + 128);
  EXPECT_EQ(p[0].allocations, 2u);
  EXPECT_EQ(p[1].id, static_cast<std::uint32_t>(graph));
  EXPECT_TRUE(p[1].kept);
  EXPECT_EQ(p[1].requested.current, 4 * kMiB + 70 * kKiB);
  EXPECT_EQ(p[1].allocated.current, 4 * kMiB + 80 * kKiB);
  EXPECT_EQ(p[1].allocated.peak, 8 * kMiB + 80 * kKiB);
  EXPECT_EQ(p[1].allocated.total, 8 * kMiB + 80 * kKiB);
  EXPECT_EQ(p[1].allocations, 3u);
  EXPECT_EQ(p[1].frees, 1u);
  EXPECT_EQ(p[0].reserved.current + p[1].reserved.current, device_.used);
  EXPECT_EQ(p[1].cached, p[1].reserved.current - p[1].allocated.current);
  EXPECT_EQ(adds_up(taken()), "");
  pool().reset_peak();
  EXPECT_EQ(pool().pools()[1].allocated.peak, 4 * kMiB + 80 * kKiB);
  for (Block* x : {shared, small, a, b}) pool().free(x);
  pool().end_private(graph);
  pool().close_private(graph);
  p = pool().pools();
  ASSERT_EQ(p.size(), 1u);
  EXPECT_EQ(p[0].allocated.current, 0u);
  EXPECT_EQ(p[0].reserved.current, pool().stats().reserved.current);
}

TEST_F(SnapshotTest, PartsHaveLimitsOfTheirOwn) {
  const PoolId graph = pool().open_private();
  EXPECT_THROW(pool().set_limit(static_cast<PoolId>(77), 1), ValueError);
  pool().set_limit(graph, 8 * kMiB);
  Block* shared = pool().allocate(40 * kMiB);
  Block* a = pool().allocate(6 * kMiB, kHostStream, graph);
  try {
    pool().allocate(4 * kMiB, kHostStream, graph);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& e) {
    EXPECT_NE(std::string(e.what()).find("The limit of 8.00 MiB of pool 1 stops it"),
              std::string::npos)
        << e.what();
  }
  Block* b = pool().allocate(40 * kMiB);  // the others go on
  EXPECT_LE(pool().pools()[1].reserved.peak, 8 * kMiB);
  pool().set_limit(graph, kMax);
  Block* c = pool().allocate(4 * kMiB, kHostStream, graph);
  for (Block* x : {shared, a, b, c}) pool().free(x);
  pool().end_private(graph);
  pool().close_private(graph);
  pool().set_limit(PoolId::Shared, 2 * kMiB);
  pool().empty_cache();
  EXPECT_THROW(pool().allocate(4 * kMiB), OutOfMemory);
  pool().free(pool().allocate(kMiB));
}

// ---- the snapshot

TEST_F(SnapshotTest, SaysWhoHasWhat) {
  device_.asynchronous = true;
  device_.queued[1] = device_.queued[2] = 1;
  Block* small = pool().allocate(1000, stream(1));
  // Each of the two has a segment of its own.
  Block* used = pool().allocate(20 * kMiB, stream(1));
  Block* own = pool().allocate(24 * kMiB, stream(2));
  pool().free(own);
  pool().free(used, stream(2));  // whose work is not done
  const json s = taken();
  EXPECT_EQ(adds_up(s), "");
  EXPECT_EQ(s.at("format"), "tandem memory snapshot");
  EXPECT_EQ(s.at("version"), 1);
  EXPECT_EQ(s.at("driver"), "fake");
  EXPECT_EQ(s.at("mode"), "plain");
  EXPECT_TRUE(s.at("statistics").at("limit").is_null());
  std::map<int, json> streams;
  for (const json& one : s.at("streams")) streams[one.at("stream").get<int>()] = one;
  EXPECT_EQ(streams.at(1).at("waiting"), 20 * kMiB);
  EXPECT_EQ(streams.at(2).at("waited"), 20 * kMiB);
  EXPECT_EQ(streams.at(2).at("free"), 24 * kMiB);
  EXPECT_EQ(streams.at(2).at("handle"), "0x3ea");
  EXPECT_EQ(s.at("statistics").at("pending"), 20 * kMiB);
  pool().free(small);
  synchronize(2);
  pool().empty_cache();
  EXPECT_TRUE(taken().at("segments").empty());
}

/// Front caches hold ranges too.
TEST_F(SnapshotTest, ARangeOfAThread) {
  pool().free(pool().allocate(512 * kKiB));
  const json s = taken();
  EXPECT_EQ(adds_up(s), "");
  std::size_t cached = 0;
  for (const json& segment : s.at("segments")) {
    for (const json& r : segment.at("ranges"))
      cached += r.at("state") == "cached" ? r.at("bytes").get<std::size_t>() : 0;
  }
  EXPECT_EQ(cached, 512 * kKiB);
  EXPECT_EQ(s.at("statistics").at("pending"), 0);
}

TEST_F(SnapshotTest, EqualStatesGiveEqualTexts) {
  std::vector<Block*> blocks;
  for (const std::size_t bytes : {100u, 5000u, 300000u, 3000000u})
    blocks.push_back(pool().allocate(bytes));
  const std::string before = memory::to_json(pool().snapshot());
  EXPECT_EQ(before, memory::to_json(pool().snapshot()));  // and taking one changes nothing
  pool().free(blocks[2]);
  EXPECT_NE(before, memory::to_json(pool().snapshot()));
  blocks.erase(blocks.begin() + 2);
  for (Block* b : blocks) pool().free(b);
}

/// Taken again and again while threads allocate and free, everything adds up each time.
TEST_F(SnapshotTest, AddsUpWhileOthersWork) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  (void)pool();
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 rng(t);
      std::vector<Block*> mine;
      const MemoryTag tag("thread " + std::to_string(t));
      while (!stop) {
        if (mine.size() < 40) mine.push_back(pool().allocate(random_size(rng)));
        if (rng() % 2 == 0) {
          std::swap(mine[rng() % mine.size()], mine.back());
          pool().free(mine.back());
          mine.pop_back();
        }
      }
      for (Block* b : mine) pool().free(b);
    });
  }
  for (int i = 0; i < 60; ++i) {
    const std::string wrong = adds_up(taken());
    EXPECT_EQ(wrong, "");
    if (!wrong.empty()) break;
  }
  stop = true;
  for (std::thread& t : threads) t.join();
}

TEST(MemorySnapshot, IsWrittenAsAWhole) {
  const std::string path = ::testing::TempDir() + "/tandem_snapshot.json";
  write_memory_snapshot(path);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const json s = json::parse(text.str());
  EXPECT_EQ(s.at("device"), "cpu");
  EXPECT_EQ(adds_up(s), "");
  std::filesystem::remove(path);
  EXPECT_THROW(write_memory_snapshot("/no such folder/s.json"), FileError);
  EXPECT_THROW(memory_snapshot(kMeta), DeviceError);
}

TEST(MemoryPools, AreThoseOfTheDevice) {
  const std::vector<PoolStats> p = memory_pools(kCPU);
  ASSERT_FALSE(p.empty());
  EXPECT_EQ(p[0].id, 0u);
  EXPECT_TRUE(memory_pools(kMeta).empty());
  EXPECT_THROW(set_pool_memory_limit(kCPU, 123456, 1), ValueError);
}

/// The table has an end; what comes after it has a name that says so. Last, as it stays full.
TEST(MemoryTagsZ, TooManyAreOne) {
  for (int i = 0; i < (1 << 16); ++i) {
    const MemoryTag tag("step " + std::to_string(i));
  }
  const MemoryTag tag("one more");
  const Tensor t = zeros({1 << 20}, {.dtype = DType::float32});
  std::size_t found = 0;
  for (const auto& [name, bytes] : live_of(json::parse(memory_snapshot(kCPU))))
    found += name.starts_with("(too many tags)|") ? bytes : 0;
  EXPECT_EQ(found, 4 * kMiB);
}

}  // namespace
}  // namespace tandem
