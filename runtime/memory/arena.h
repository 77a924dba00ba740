// How the memory of one stream is cut up: segments into ranges, ranges into slabs of small blocks.
// No locks, no driver calls: the pool holds its mutex around every call.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/memory/driver.h"
#include "tandem/memory.h"

namespace tandem {

class Pool;

/// Which memory an allocation may come from: the one all share, or (later, for graphs) a private
/// one.
enum class PoolId : std::uint32_t { Shared = 0 };

namespace memory {
class Arena;
struct Segment;
struct Slab;

/// Another stream that a block was used on.
struct Use {
  StreamId stream;
  EventHandle event = 0;  // after the use, where `recorded`: the block was freed
  bool recorded = false;
};

inline constexpr std::uint64_t kNoStream = ~std::uint64_t{0};

}  // namespace memory

/// One allocation. `data` to `pool` are the owner's to read; the rest is the pool's.
struct Block {
  std::byte* data = nullptr;
  std::size_t size = 0;  // usable bytes: `requested`, rounded up
  std::size_t requested = 0;
  StreamId stream;  // whose order it was allocated in
  Pool* pool = nullptr;

  memory::Slab* slab = nullptr;                    // null: the block is a Range
  Block* next = nullptr;                           // in a front cache, or pending
  std::uint64_t freed = 0;                         // when it became pending (Pool::freed_mark)
  std::unique_ptr<std::vector<memory::Use>> uses;  // null: none
  std::atomic<std::uint64_t> last_use{
      memory::kNoStream};         // the newest use's stream, to skip the lock
  std::uint8_t size_class = 255;  // 255: not for the front caches
  bool live = false;              // given out and not freed
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
inline constexpr int kMaxClasses = 64;

constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// The sizes of small blocks: multiples of the granule up to eight, then four steps an octave.
class SizeClasses {
 public:
  explicit SizeClasses(std::size_t granule) : shift_(std::countr_zero(granule)) {}
  /// For 1 <= bytes <= kSlabLimit.
  int of(std::size_t bytes) const {
    const std::size_t last = (bytes - 1) >> shift_;  // granules, less one
    const int octave = last < 8 ? 0 : std::bit_width(last) - 3;
    return 4 * octave + static_cast<int>(last >> octave);
  }
  std::size_t bytes(int size_class) const {
    const int octave = size_class < 8 ? 0 : size_class / 4 - 1;
    return static_cast<std::size_t>(size_class - 4 * octave + 1) << octave << shift_;
  }
  int count() const { return of(kSlabLimit) + 1; }

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

/// A run of a segment: free, a block of its own, or a slab.
struct Range : Block {
  Segment* segment = nullptr;
  Range *before = nullptr, *after = nullptr;  // neighbours in the segment
  Range *left = nullptr, *right = nullptr;    // in the tree of free ranges
  bool is_free = false;
};

struct Segment {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
  Arena* arena = nullptr;
  MemoryResource* source = nullptr;  // null: the driver
  Range* first = nullptr;
  Segment *previous = nullptr, *next = nullptr;
  bool large = false;
  bool touched =
      false;  // by the pool: something in it was freed since the trim now under way began
  bool idle() const { return first->is_free && first->after == nullptr; }
};

/// A range cut into blocks of one size class.
struct Slab {
  Range* range = nullptr;
  Arena* arena = nullptr;
  std::size_t block_bytes = 0;
  std::uint32_t blocks = 0, free = 0;
  int size_class = 0;
  Slab *previous = nullptr, *next = nullptr;  // among the slabs of the class that have free blocks
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

/// Free ranges by (size, address): a treap (Seidel and Aragon 1996), whose priorities are hashes of
/// the addresses, so that one history always gives one layout relative to the segments. Best fit
/// with the lowest address is the policy that fragments least in practice (Wilson, Johnstone,
/// Neely, Boles 1995).
class FreeTree {
 public:
  void insert(Range* r) noexcept;
  void erase(Range* r) noexcept;
  Range* best_fit(std::size_t bytes) const noexcept;
  std::size_t largest() const noexcept;
  bool contains(const Range* r) const noexcept;

 private:
  Range* root_ = nullptr;
};

/// The memory of one stream (and one pool id).
class Arena {
 public:
  Arena(Pool* pool, StreamId stream, PoolId id, const SizeClasses& classes,
        Descriptors& descriptors)
      : pool_(pool), stream_(stream), id_(id), classes_(classes), descriptors_(descriptors) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  StreamId stream() const { return stream_; }
  PoolId id() const { return id_; }

  /// A block of a class from a slab, or from a new slab in a free range of the small kind. Null:
  /// nothing fits. This and the next two raise std::bad_alloc, having changed nothing, where
  /// descriptors cannot be had.
  Block* take_small(int size_class);
  /// A range of at least `bytes` (a multiple of kUnit) of one kind. Null: nothing fits.
  Range* take_range(std::size_t bytes, bool large);
  /// Whatever fits, of any kind: the last resort before memory is out. `size_class` is -1 for a
  /// large request.
  Block* take_any(std::size_t bytes, int size_class);
  /// Takes back a block of this arena. Never fails.
  void give(Block* b) noexcept;

  /// Adds memory; `segment` has base, bytes, source and kind. Needs a spare range
  /// (Descriptors::ranges).
  void add(Segment* segment) noexcept;
  /// Takes out the segments that hold nothing (with `untouched_only`, and did so since mark()) and
  /// puts them, linked by `next`, in front of `rest`.
  Segment* detach_idle(bool untouched_only, Segment* rest) noexcept;
  /// Ends a detachment: the segment is put back as it was, or its memory is gone.
  void reattach(Segment* segment) noexcept;
  void forget(Segment* segment) noexcept;
  /// Marks every segment untouched.
  void mark() noexcept;

  bool empty() const { return segments_ == nullptr && detached_ == 0; }
  std::size_t largest_free() const noexcept;
  /// Checks every invariant of the structures; the first violation in words, empty if none. Adds up
  /// the bytes of the segments and of the blocks that are not free here.
  std::string verify(std::size_t* reserved, std::size_t* taken) const;

 private:
  FreeTree& tree(bool large) { return free_[large ? 1 : 0]; }
  void attach(Segment* segment) noexcept;
  Range* cut(Range* r, std::size_t bytes) noexcept;
  Block* take_from(Slab* slab) noexcept;
  void give_range(Range* r) noexcept;
  void link(Slab* slab) noexcept;
  void unlink(Slab* slab) noexcept;
  std::string verify(const Slab& slab, std::size_t* taken) const;

  Pool* pool_;
  StreamId stream_;
  PoolId id_;
  const SizeClasses& classes_;
  Descriptors& descriptors_;
  FreeTree free_[2];                 // small kind, large kind
  Slab* partial_[kMaxClasses] = {};  // slabs with free blocks, by class
  Segment* segments_ = nullptr;
  std::size_t detached_ = 0;  // segments that a trim holds
};

}  // namespace memory
}  // namespace tandem
