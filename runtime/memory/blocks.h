// What memory is cut into: segments into ranges, ranges into slabs of small blocks.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/memory/driver.h"
#include "tandem/memory.h"

namespace tandem {

class Pool;

/// Which memory an allocation may come from: the one all share, or a private one
/// (Pool::open_private).
enum class PoolId : std::uint32_t { Shared = 0 };

namespace memory {
class Heap;
struct Lane;
struct Segment;
struct Slab;

/// Another stream that a block was used on, and the fence of that use once the block is freed.
struct Use {
  StreamId stream;
  std::uint64_t fence = 0;
};

inline constexpr std::uint64_t kNoStream = ~std::uint64_t{0};

}  // namespace memory

/// One allocation. `data` to `pool` are the owner's to read; the rest is the pool's. Aligned, so
/// that two threads with a block each share no line of the processor's caches.
struct alignas(64) Block {
  std::byte* data = nullptr;
  std::size_t size = 0;  // usable bytes: `requested`, rounded up
  std::size_t requested = 0;
  StreamId stream;  // whose order it was allocated in
  Pool* pool = nullptr;

  memory::Slab* slab = nullptr;                    // null: the block is a Range
  Block* next = nullptr;                           // in a front cache, or pending
  std::uint64_t fence = 0;                         // of its own stream, once it is freed
  std::unique_ptr<std::vector<memory::Use>> uses;  // null: none
  std::atomic<std::uint64_t> last_use{
      memory::kNoStream};         // the newest use's stream, to skip the lock
  std::uint8_t size_class = 255;  // kKeptClass: a large one that a thread may keep; 255: not for
                                  // the front caches
  bool live = false;              // given out and not freed
  std::uint32_t label = 0;        // what it is for (tags.h)
  bool held_back = false;         // by the quarantine of debug mode, since it was freed
};

namespace memory {

inline constexpr std::size_t kUnit = std::size_t{64} << 10;         // ranges are multiples of this
inline constexpr std::size_t kSmallSegment = std::size_t{2} << 20;  // segments of the small kind
inline constexpr std::size_t kLargeSegment = std::size_t{32}
                                             << 20;  // for large requests below half of it
inline constexpr std::size_t kSlabLimit = std::size_t{256} << 10;  // larger blocks are ranges
inline constexpr std::size_t kLargeLimit = std::size_t{1}
                                           << 20;  // larger ranges are of the large kind
inline constexpr std::size_t kSlabBlocks = 1024;
inline constexpr std::size_t kSlabBytes = std::size_t{512} << 10;
inline constexpr int kMaxClasses = 64;
inline constexpr std::size_t kKeptLimit = std::size_t{32} << 20;  // the largest that threads keep
inline constexpr std::uint8_t kKeptClass = 254;

constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }
constexpr std::size_t round_down(std::size_t n, std::size_t to) { return n / to * to; }

/// The sizes of what front caches hold: multiples of the granule up to eight, then four steps an
/// octave. Blocks of the last two octaves are ranges.
class SizeClasses {
 public:
  explicit SizeClasses(std::size_t granule) : shift_(std::countr_zero(granule)) {}
  /// For 1 <= bytes <= kLargeLimit.
  int of(std::size_t bytes) const {
    const std::size_t last = (bytes - 1) >> shift_;  // granules, less one
    const int octave = last < 8 ? 0 : std::bit_width(last) - 3;
    return 4 * octave + static_cast<int>(last >> octave);
  }
  std::size_t bytes(int size_class) const {
    const int octave = size_class < 8 ? 0 : size_class / 4 - 1;
    return static_cast<std::size_t>(size_class - 4 * octave + 1) << octave << shift_;
  }
  int count() const { return of(kLargeLimit) + 1; }

 private:
  int shift_;
};

/// What a request of more than kSlabLimit bytes takes: at most a quarter more up to 1 MiB, then at
/// most a sixteenth, in steps of at most 2 MiB. Coarse, so that the next request of about the size
/// fits.
constexpr std::size_t range_bytes(std::size_t bytes) {
  const std::size_t octave = std::bit_floor(bytes);
  const std::size_t step = octave < kLargeLimit ? octave / 4 : octave / 16;
  return round_up(bytes, step < kUnit ? kUnit : step > kSmallSegment ? kSmallSegment : step);
}

/// The range that blocks of a class are cut from: about 16 blocks, at least 64 KiB; of large blocks
/// fewer, as what a slab has free is lost to other classes.
constexpr std::size_t slab_bytes(std::size_t block_bytes) {
  const std::size_t wanted = round_up(16 * block_bytes, kUnit);
  return wanted > kSlabBytes ? std::bit_floor(kSlabBytes / block_bytes) * block_bytes : wanted;
}

/// A run of a segment.
struct Range : Block {
  enum class State : std::uint8_t {
    Taken,    // a block of its own, or a slab
    Free,     // in the bins of its lane, `fence` says from when on
    Hole,     // address space without memory
    Growing,  // a hole that gets memory, and counts on what is free beside it
    Left,  // address space whose pages have moved; work before `fence` of `stream` may use it still
    Busy,  // memory comes or goes, without the pool's lock
  };
  Segment* segment = nullptr;
  Range *before = nullptr, *after = nullptr;  // neighbours in the segment
  Range *left = nullptr, *right = nullptr;    // in the list of its bin
  Range *older = nullptr, *newer = nullptr;   // in the lane, by fence
  Lane* lane = nullptr;
  State state = State::Taken;
};

/// Memory of one source, in address order: an allocation, or reserved address space whose pages
/// come and go.
struct Segment {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
  Heap* heap = nullptr;
  MemoryResource* source = nullptr;  // null: the driver
  Range* first = nullptr;
  Segment *previous = nullptr, *next = nullptr;
  bool large = false;
  bool is_virtual = false;
  std::vector<PhysicalHandle> pages;  // of a virtual one; guarded by the pool's growth lock
};

/// A range cut into blocks of one size class.
struct Slab {
  Range* range = nullptr;
  Lane* lane = nullptr;  // in whose order its free blocks are
  std::size_t block_bytes = 0;
  std::uint64_t fence = 0;  // of the block that was freed last
  std::uint32_t blocks = 0, free = 0;
  int size_class = 0;
  Slab *previous = nullptr,
       *next = nullptr;  // among the lane's slabs of the class with free blocks
  std::uint64_t bits[kSlabBlocks / 64] = {};  // 1: free
};

/// Descriptors of one kind, recycled, so that freeing never allocates.
template <class T>
class Spares {
 public:
  /// Makes sure that `n` calls of take() succeed. Raises std::bad_alloc and changes nothing.
  void reserve(std::size_t n) {
    while (spare_.size() < n) {
      chunks_.reserve(chunks_.size() + 1);
      if (spare_.capacity() < (chunks_.size() + 1) * kChunk)
        spare_.reserve(2 * (chunks_.size() + 1) * kChunk);
      chunks_.push_back(std::make_unique<T[]>(kChunk));
      for (std::size_t i = kChunk; i-- > 0;) spare_.push_back(&chunks_.back()[i]);
    }
  }
  T* take() noexcept {
    T* t = spare_.back();
    spare_.pop_back();
    return t;
  }
  void give(T* t) noexcept { spare_.push_back(t); }
  /// All there are, spare ones too.
  template <class F>
  void for_each(F&& f) const {
    for (const std::unique_ptr<T[]>& chunk : chunks_) {
      for (std::size_t i = 0; i < kChunk; ++i) f(chunk[i]);
    }
  }
  std::size_t in_use() const { return chunks_.size() * kChunk - spare_.size(); }

 private:
  static constexpr std::size_t kChunk = 32;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<T*> spare_;
};

struct Descriptors {
  Spares<Block> blocks;
  Spares<Range> ranges;
  Spares<Segment> segments;
  Spares<Slab> slabs;
};

}  // namespace memory
}  // namespace tandem
