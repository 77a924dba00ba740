// Replays recorded allocations on a pool and reports what it took: trace_replay FILE...
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "tests/memory/sim/replay.h"

namespace tandem::test {
namespace {

constexpr std::size_t kMostOnTheHost = std::size_t{1} << 30;

void print(const char* where, const ReplayResult& r) {
  const auto mib = [](std::size_t n) { return static_cast<double>(n) / (1 << 20); };
  fmt::print(
      "  {:<26} {:9.1f} {:9.1f} {:9.1f}   {:5.3f} {:5.3f}   {:6} {:6} {:6} {:6} {:6} {:6}{}{}\n",
      where, mib(r.requested), mib(r.allocated), mib(r.reserved), r.over_allocated(),
      r.over_requested(), r.growths, r.moved, r.returned, r.events, r.waits, r.synchronizations,
      r.wrong.empty() ? "" : "  wrong: ", r.wrong);
}

void report(const Trace& t) {
  fmt::print("{}: {} allocations, {} streams\n", t.name, t.allocations, t.streams);
  const ReplayResult usual = replay(t, {});
  print("device", usual);
  print("device that keeps up", replay(t, {.most_queued = 0}));
  print("device far behind", replay(t, {.most_queued = 1u << 30}));
  const auto limit = static_cast<std::size_t>(1.1 * static_cast<double>(usual.allocated));
  print("device, limited to 1.1", replay(t, {.limit = limit}));
  print("device far behind, limited", replay(t, {.most_queued = 1u << 30, .limit = limit}));
  print("device, plain segments", replay(t, {.virtual_memory = false}));
  print("host", replay(t, {.device = false}));
  print("host, plain segments", replay(t, {.device = false, .virtual_memory = false}));
  const std::size_t divisor = usual.requested / kMostOnTheHost + 1;
  fmt::print("  host's memory, sizes / {}: {:.0f} ns an allocation or free\n", divisor,
             replay_time(t, divisor));
}

}  // namespace
}  // namespace tandem::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: trace_replay FILE...\n");
    return 2;
  }
  try {
    fmt::print("{:28} {:>9} {:>9} {:>9}   {:>11}   {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}\n",
               "peaks in MiB", "asked", "rounded", "reserved", "over r. a.", "grown", "moved",
               "back", "events", "waits", "syncs");
    for (int i = 1; i < argc; ++i) tandem::test::report(tandem::test::read_trace(argv[i]));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trace_replay: %s\n", e.what());
    return 1;
  }
  return 0;
}
