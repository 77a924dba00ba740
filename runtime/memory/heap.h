// The memory of one pool id: what is free in which stream's order, cutting it up and joining it
// again. No locks and no driver's memory calls: the pool holds its mutex around every call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/memory/bins.h"
#include "runtime/memory/blocks.h"
#include "runtime/memory/order.h"
#include "runtime/memory/sums.h"

namespace tandem::memory {

/// What is free in the order of one stream; or what is free in any order, with stream kNoStream.
struct Lane {
  StreamId stream;
  Bins bins[2];                                // small kind, large kind
  Range *oldest = nullptr, *newest = nullptr;  // its free ranges by fence
  Slab* partial[kMaxClasses] = {};             // slabs with free blocks, by class
  std::size_t slabs = 0;                       // of all classes, full ones too
  std::size_t taken = 0;                       // ranges that are blocks or slabs
  std::size_t bytes = 0;                       // in its free ranges
  bool clean() const { return stream.id == kNoStream; }
  bool empty() const { return oldest == nullptr && slabs == 0 && taken == 0; }
};

class Heap {
 public:
  /// `order` is null where work is done when its call returns: then all that is free is free for
  /// all.
  /// `page` is the size of the pages of address space.
  Heap(Pool* pool, PoolId id, const SizeClasses& classes, Descriptors& descriptors, Order* order,
       std::size_t page)
      : pool_(pool),
        id_(id),
        classes_(classes),
        descriptors_(descriptors),
        order_(order),
        page_(page),
        pinned_(id != PoolId::Shared) {
    clean_.stream.id = kNoStream;
  }
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Sums sums;
  std::size_t limit = std::numeric_limits<std::size_t>::max();  // the most that may be reserved

  PoolId id() const { return id_; }
  /// Whether a graph may use what is free here: then it stays where it is.
  bool pinned() const { return pinned_; }
  void unpin() { pinned_ = false; }

  /// A block of a class for work of a stream: from a slab in its order, or from a new slab. Null:
  /// nothing fits. This and the next two raise std::bad_alloc, having changed nothing, where
  /// descriptors cannot be had.
  Block* take_small(StreamId stream, int size_class);
  /// A range of at least `bytes` of one kind. Null: nothing fits.
  Range* take_range(StreamId stream, std::size_t bytes, bool large, bool whole = false);
  /// Whatever fits, of any kind, in the stream's own memory and all that it has waited for: the
  /// last resort before memory is out. `size_class` is -1 for a large request.
  Block* take_any(StreamId stream, std::size_t bytes, int size_class);

  /// The stream in whose order a freed block becomes free: its own, or that of the stream that took
  /// its slab over.
  static StreamId owner(const Block& b) {
    return b.slab != nullptr ? b.slab->lane->stream : b.stream;
  }
  /// The heap of a block.
  static Heap& of(const Block& b) {
    const Range& r = b.slab != nullptr ? *b.slab->range : static_cast<const Range&>(b);
    return *r.segment->heap;
  }
  /// Takes back a block, its fence set, whose uses are in the order of its owner. Never fails.
  void give(Block* b) noexcept;

  /// Makes free for all what the host knows other streams to be done with, and joins it with what
  /// is the stream's own.
  void settle(StreamId stream);
  /// Makes free for all what the host knows to be done.
  void reclaim() noexcept;
  /// Brings `bytes` to `stream` of what it has waited for of the other streams' free memory: of one
  /// range, or of neighbours. What is not needed stays theirs. Where there are none such, nothing.
  void adopt(StreamId stream, std::size_t bytes, bool large);
  /// Brings to `stream` all that it has waited for.
  void adopt_all(StreamId stream);
  /// Joins what is free in a stream's order with neighbours that are free for all.
  void gather(StreamId stream) noexcept;
  /// Takes over a slab of a class whose free blocks the stream may have.
  bool adopt_slab(StreamId stream, int size_class);
  /// Makes `stream` wait for the other streams that hold free memory, where one of them has a range
  /// of `bytes` for that one alone, else for all. False where no stream could be waited for.
  bool wait_for_others(StreamId stream, std::size_t bytes, bool large);

  // ---- segments: allocations ...
  /// Makes sure that there is a lane for the stream. Raises std::bad_alloc.
  void expect(StreamId stream) { (void)lane(stream); }
  /// Adds memory; `segment` has base, bytes, source and kind. Ready for all, or in the order of a
  /// stream alone, which is expected. Needs a spare range.
  void add(Segment* segment, const StreamId* ordered = nullptr) noexcept;
  /// Takes out the plain segments that hold nothing and are done with, linked by `next`, in front
  /// of `rest`.
  Segment* detach_idle(Segment* rest) noexcept;
  /// Ends a detachment: the segment is put back as it was, or its memory is gone.
  void reattach(Segment* segment) noexcept;
  void forget(Segment* segment) noexcept;

  // ---- ... and address space, in pages. Ranges of the small kind do not cross a page's end, so
  // that a page without live blocks is free as a whole.
  /// Adds reserved address space without memory. Needs a spare range.
  void add_space(Segment* segment) noexcept;
  /// A busy hole that, with memory, makes a range of `bytes` usable by `stream`: next to free
  /// memory where that needs less. Null: no address space. Needs three spare ranges.
  Range* open_hole(StreamId stream, std::size_t bytes, bool large) noexcept;
  /// The hole's first `filled` bytes have memory now, free for all, or in the order of a stream
  /// alone; the rest has still none. Needs a spare range.
  void fill(Range* hole, std::size_t filled, const StreamId* ordered = nullptr) noexcept;
  /// A busy run of whole pages that are free for all and that no busy hole counts on, `most` bytes
  /// at most. Null: none. Needs two spare ranges.
  Range* open_pages(std::size_t most) noexcept { return open_pages(clean_, most); }
  /// The run's first `emptied` bytes are gone, the rest stays. Needs a spare range.
  void empty(Range* run, std::size_t emptied) noexcept;
  /// Bytes of such pages.
  std::size_t clean_pages() const noexcept { return pages_of(clean_); }
  /// Address space all of which is a hole, taken out like idle segments.
  Segment* detach_space(Segment* rest) noexcept;

  // ---- pages that move in the order of a stream: Note [Moved pages] in moves.cpp.
  /// Like clean_pages and open_pages, of what is free in a stream's own order.
  std::size_t own_pages(StreamId stream) noexcept;
  Range* open_own_pages(StreamId stream, std::size_t most) noexcept;
  /// The pages of the run's first `moved` bytes are somewhere else as well; the others stay. Needs
  /// a spare range.
  void leave(Range* run, std::size_t moved) noexcept;
  /// Asks about the work that keeps the addresses that pages have left.
  /// With `mark`, so that it will be known without another question when that work is done.
  void poll_left(bool mark) noexcept;
  /// How many runs of such addresses no work uses any more, and so many of them, busy, linked by
  /// `next`.
  std::size_t left_passed() const noexcept;
  Range* open_left(std::size_t n) noexcept;
  /// The run's first `unmapped` bytes have no memory now. Needs a spare range.
  void close_left(Range* run, std::size_t unmapped) noexcept;

  bool empty() const { return segments_ == nullptr && detached_ == 0; }
  std::size_t free_bytes() const noexcept;
  std::size_t largest_free() const noexcept;
  const std::unordered_map<std::uint64_t, std::unique_ptr<Lane>>& lanes() const { return lanes_; }
  const Lane& clean() const { return clean_; }
  const Segment* segments() const { return segments_; }
  /// Checks every invariant of the structures; the first violation in words, empty if none. Adds up
  /// the bytes with memory and those of the blocks that are not free here.
  std::string verify(std::size_t* reserved, std::size_t* taken) const;

 private:
  Lane& lane(StreamId stream);
  Lane* find_lane(StreamId stream) noexcept;
  void drop_empty_lanes(StreamId but) noexcept;
  bool open_to(StreamId stream, const Lane& from, std::uint64_t fence) noexcept;
  void insert(Range* r, Lane& lane, Range* newer = nullptr) noexcept;
  void erase(Range* r) noexcept;
  bool apart(const Range& lower, const Range& upper) const noexcept;
  Range* cut(Range* r, std::size_t bytes, Lane& lane) noexcept;
  Range* split(Range* r, std::size_t bytes) noexcept;
  void absorb_after(Range* r) noexcept;
  void put_free(Range* r, Lane& lane, std::uint64_t fence) noexcept;
  void put_hole(Range* r) noexcept;
  void place(Range* r, const StreamId* ordered) noexcept;
  Range* open_pages(Lane& lane, std::size_t most) noexcept;
  std::size_t pages_of(const Lane& lane) const noexcept;
  struct Places {
    std::size_t first = 0, last = 0;
  };
  Places loose(const Range& r) const noexcept;
  std::uint8_t range_class(const Range& r) const noexcept;
  void hand_over(Range* r, Lane& to, std::size_t bytes) noexcept;
  std::vector<Range*> run_around(Range* r, StreamId stream, std::size_t bytes);
  void sweep(Lane& from) noexcept;
  Block* take_from(Slab* slab, StreamId stream) noexcept;
  void link(Slab* slab) noexcept;
  void unlink(Slab* slab) noexcept;
  void attach(Segment* segment) noexcept;
  void detach(Segment* segment) noexcept;
  std::string verify(const Slab& slab, std::size_t* taken) const;
  std::string verify(const Range& r, std::size_t* taken) const;

  Pool* pool_;
  PoolId id_;
  const SizeClasses& classes_;
  Descriptors& descriptors_;
  Order* order_;
  std::size_t page_;
  bool pinned_;
  Lane clean_, holes_, left_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Lane>> lanes_;
  Segment* segments_ = nullptr;
  std::size_t detached_ = 0;  // segments that a trim holds
};

}  // namespace tandem::memory
