// A memory snapshot as `tandem memory` reads it: checked, so that what uses it need not.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tandem::command {

struct MemoryUsage {
  std::uint64_t blocks = 0, requested = 0, bytes = 0;
};
/// By title: the tag, or "op add" where there is none, or "untagged".
using MemoryByTitle = std::map<std::string, MemoryUsage>;

struct MemorySlab {
  std::uint64_t block_bytes = 0, blocks = 0, free = 0, live = 0, pending = 0, cached = 0;
  MemoryByTitle titles;
};

struct MemoryRange {
  enum class State : std::uint8_t { Live, Slab, Free, Cached, Hole, Pending, Moving };
  std::uint64_t offset = 0, bytes = 0;
  State state = State::Free;
  std::optional<std::uint64_t> stream;
  std::string title;  // of a live one
  MemorySlab slab;    // of a slab
};

struct MemorySegment {
  std::string address;
  std::uint64_t bytes = 0, pool = 0;
  bool is_virtual = false, large = false, from_resource = false;
  std::vector<MemoryRange> ranges;  // one after the other, from the beginning to the end
};

struct MemoryPart {
  std::uint64_t id = 0, reserved = 0, allocated = 0, cached = 0;
  std::optional<std::uint64_t> limit;
  bool kept = false;
};

struct MemoryStream {
  std::uint64_t stream = 0, free = 0, front = 0, waited = 0, waiting = 0;
};

struct MemoryFile {
  std::string device, driver, mode;
  bool plain_asked = false, resource = false;
  std::uint64_t page = 0, captures = 0;
  std::uint64_t requested = 0, allocated = 0, allocated_peak = 0, reserved = 0, reserved_peak = 0;
  std::uint64_t cached = 0, pending = 0, largest_free = 0, free_ranges = 0;
  std::uint64_t events = 0, waits = 0, out_of_memory = 0, retries = 0;
  std::optional<std::uint64_t> limit;
  double fragmentation = 0;
  MemoryByTitle live;
  std::vector<MemoryPart> parts;
  std::vector<MemoryStream> streams;
  std::vector<MemorySegment> segments;
};

/// Raises BadInput where the file is no snapshot of a version that is known, or says what cannot
/// be.
MemoryFile read_memory_file(const std::string& path);

/// "1.50 MiB": powers of 1024.
std::string memory_text(std::uint64_t bytes);

/// What to do about it: a sentence or two each, what matters most first.
std::vector<std::string> memory_advice(const MemoryFile& file);

/// Draws the segments into a PNG. Raises FileError.
void draw_memory(const MemoryFile& file, const std::string& path);

}  // namespace tandem::command
