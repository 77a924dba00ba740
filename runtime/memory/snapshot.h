// All that a pool holds at one moment, as plain data. Taken with the pool's locks, put into words
// without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/memory/blocks.h"
#include "runtime/memory/tags.h"
#include "tandem/export.h"

namespace tandem::memory {

/// Live blocks of one label.
struct Usage {
  std::uint64_t blocks = 0;
  std::size_t requested = 0, bytes = 0;  // asked for; rounded as the pool rounds
  void add(const Block& b) {
    ++blocks;
    requested += b.requested;
    bytes += b.size;
  }
};
using UsageByLabel = std::map<Label, Usage>;

struct SlabSnapshot {
  int size_class = 0;
  std::size_t block_bytes = 0;
  std::uint32_t blocks = 0, free = 0;   // cut, and not given out
  std::uint32_t live = 0, pending = 0;  // the others are in front caches
  UsageByLabel tags;
};

struct RangeSnapshot {
  std::size_t offset = 0, bytes = 0;
  Range::State state = Range::State::Free;
  std::uint64_t stream = kNoStream;  // in whose order; none: free for all
  bool live = false;                 // of a taken one that is no slab
  bool front = false;                // it is in a front cache; else, and not live, it is pending
  std::size_t requested = 0;
  Label label = 0;
  int slab = -1;  // its number in Snapshot::slabs
};

struct SegmentSnapshot {
  std::uintptr_t address = 0;
  std::size_t bytes = 0;
  std::uint32_t pool = 0;
  bool is_virtual = false, large = false, from_resource = false;
  std::vector<RangeSnapshot> ranges;
};

struct FrontSnapshot {
  std::uint64_t stream = 0;
  std::vector<std::pair<int, unsigned>> blocks;  // size class, how many
  unsigned kept = 0;                             // large blocks, each of a size of its own
  std::size_t bytes = 0;
};

/// What a stream keeps from others.
struct StreamSnapshot {
  std::uint64_t handle = 0;
  std::size_t free = 0;  // in its order alone; others may have it when its work is done
  std::size_t slabs = 0;
  std::size_t front = 0;    // in threads' front caches
  std::size_t waited = 0;   // freed blocks of other streams that its work still uses
  std::size_t waiting = 0;  // of its own blocks, freed, that others' work uses
};

struct Snapshot {
  Device device;
  std::string driver;
  bool asynchronous = false, is_virtual = false, direct = false, has_resource = false;
  bool plain_asked = false;  // TANDEM_POOL=plain
  std::size_t granularity = 0, block_alignment = 0;
  int captures = 0;  // under way
  MemoryStats stats;
  std::vector<PoolStats> pools;
  std::vector<SegmentSnapshot> segments;  // by address
  std::vector<SlabSnapshot> slabs;
  std::vector<FrontSnapshot> fronts;
  std::map<std::uint64_t, StreamSnapshot> streams;
  UsageByLabel live;
  std::vector<LabelName> labels;
  /// Of the ranges that are free, bytes in pages that live memory holds: they cannot serve
  /// elsewhere. By what is in these pages; zero without virtual memory.
  std::size_t scattered = 0;
  std::map<Label, std::size_t> scattered_by;
};

/// Its number on its device, as in messages: 0 is the default stream.
constexpr std::uint64_t stream_number(std::uint64_t id) {
  return id & ((std::uint64_t{1} << StreamId::kDeviceShift) - 1);
}

/// What messages call a label: its tag; "op add" where there is no tag, "untagged" where there is
/// neither.
std::string title(const LabelName& name);

/// Usage by title, the most bytes first.
std::vector<std::pair<std::string, Usage>> by_title(const UsageByLabel& usage,
                                                    const std::vector<LabelName>& labels);

/// docs/memory.md has the format.
TANDEM_API std::string to_json(const Snapshot& snapshot);

}  // namespace tandem::memory
