// Recorded allocations of whole programs (perf/traces), read and replayed on a pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tandem::test {

struct TraceEvent {
  enum class Kind : std::uint8_t { Allocate, Free, Stream, Use, Wait, HostWaits };
  Kind kind;
  std::uint32_t stream = 0;  // that the rest of the events is on; the later one of a wait
  std::uint32_t other = 0;   // the earlier one of a wait
  std::size_t block = 0;     // the number of an allocation
  std::size_t bytes = 0;     // of an allocation
};

struct Trace {
  std::string name;
  std::vector<TraceEvent> events;
  std::size_t allocations = 0;
  std::uint32_t streams = 1;
};

/// Reads what perf/traces/record.cpp describes. Raises FileError where the file is not there, or a
/// line is none of a trace.
Trace read_trace(const std::string& path);
Trace parse_trace(const std::string& name, const std::string& text);

struct ReplayOptions {
  bool device = true;              // streams whose work is done later; else as on the host
  bool virtual_memory = true;      // false: whole segments, as with TANDEM_POOL=plain
  std::uint64_t most_queued = 64;  // items that the device is behind at most
  std::size_t limit = 0;           // of the pool; 0: none
};

/// Peaks in bytes; the rest counted over the whole trace.
struct ReplayResult {
  std::string wrong;          // a broken rule, or empty
  std::size_t requested = 0;  // as asked for
  std::size_t allocated = 0;  // rounded to classes
  std::size_t reserved = 0;   // that the device had given
  std::uint64_t growths = 0, returned = 0, events = 0, waits = 0;
  std::uint64_t synchronizations = 0;  // of the pool
  std::uint64_t moved = 0;             // pages that got a second address

  double over_requested() const { return ratio(requested); }
  double over_allocated() const { return ratio(allocated); }

 private:
  double ratio(std::size_t to) const {
    return to == 0 ? 1 : static_cast<double>(reserved) / static_cast<double>(to);
  }
};

/// On a simulated device, whose rules are checked: deterministic.
ReplayResult replay(const Trace& trace, const ReplayOptions& options);

/// On the host's memory, which is not touched; sizes are divided by `divisor`. The time of an
/// allocation or a free, in nanoseconds.
double replay_time(const Trace& trace, std::size_t divisor);

}  // namespace tandem::test
