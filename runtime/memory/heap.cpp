// Cutting up and joining again, in the order of streams.
#include "runtime/memory/heap.h"

#include <algorithm>

namespace tandem::memory {

using State = Range::State;

// ---- lanes

Lane& Heap::lane(StreamId stream) {
  if (order_ == nullptr) return clean_;
  std::unique_ptr<Lane>& slot = lanes_[stream.id];
  if (slot == nullptr) {
    order_->know(stream);
    slot = std::make_unique<Lane>();
    slot->stream = stream;
  }
  return *slot;
}

Lane* Heap::find_lane(StreamId stream) noexcept {
  if (order_ == nullptr) return &clean_;
  const auto at = lanes_.find(stream.id);
  return at == lanes_.end() ? nullptr : at->second.get();
}

void Heap::drop_empty_lanes(StreamId but) noexcept {
  std::erase_if(lanes_, [&](const auto& entry) {
    return entry.first != but.id && (entry.second == nullptr || entry.second->empty());
  });
}

bool Heap::open_to(StreamId stream, const Lane& from, std::uint64_t fence) noexcept {
  return order_->ordered(stream, from.stream, fence);
}

/// Into the lane's bins and list; `newer` is the range whose fence comes next, null for the last.
void Heap::insert(Range* r, Lane& lane, Range* newer) noexcept {
  r->lane = &lane;
  lane.bins[r->segment->large ? 1 : 0].insert(r);
  lane.bytes += r->size;
  r->newer = newer;
  r->older = newer != nullptr ? newer->older : lane.newest;
  (r->older != nullptr ? r->older->newer : lane.oldest) = r;
  (newer != nullptr ? newer->older : lane.newest) = r;
}

void Heap::erase(Range* r) noexcept {
  Lane& lane = *r->lane;
  lane.bins[r->segment->large ? 1 : 0].erase(r);
  lane.bytes -= r->size;
  (r->older != nullptr ? r->older->newer : lane.oldest) = r->newer;
  (r->newer != nullptr ? r->newer->older : lane.newest) = r->older;
  r->older = r->newer = nullptr;
  r->lane = nullptr;
}

// ---- ranges

/// Cuts a range that is in no list; the rest is returned, in no list either.
Range* Heap::split(Range* r, std::size_t bytes) noexcept {
  Range* rest = descriptors_.ranges.take();
  rest->data = r->data + bytes;
  rest->size = r->size - bytes;
  rest->pool = pool_;
  rest->slab = nullptr;
  rest->segment = r->segment;
  rest->state = r->state;
  rest->fence = r->fence;
  rest->stream = r->stream;
  rest->lane = nullptr;
  rest->before = r;
  rest->after = r->after;
  if (rest->after != nullptr) rest->after->before = rest;
  r->after = rest;
  r->size = bytes;
  return rest;
}

/// Joins the neighbour above, which is in no list.
void Heap::absorb_after(Range* r) noexcept {
  Range* a = r->after;
  r->size += a->size;
  r->after = a->after;
  if (r->after != nullptr) r->after->before = r;
  descriptors_.ranges.give(a);
}

Range* Heap::cut(Range* r, std::size_t bytes, Lane& lane) noexcept {
  Lane& from = *r->lane;
  Range* newer = r->newer;
  erase(r);
  if (r->size != bytes) insert(split(r, bytes), from, newer);
  r->state = State::Taken;
  r->lane = &lane;
  r->size_class = range_class(*r);
  ++lane.taken;
  return r;
}

/// What a range counts as in the front caches: Block::size_class.
std::uint8_t Heap::range_class(const Range& r) const noexcept {
  if (id_ != PoolId::Shared || r.size <= kSlabLimit) return 255;
  if (r.size > kLargeLimit)
    return r.segment->large && r.size <= kKeptLimit ? kKeptClass : std::uint8_t{255};
  if (r.segment->large) return 255;
  const int size_class = classes_.of(r.size);
  return classes_.bytes(size_class) == r.size ? static_cast<std::uint8_t>(size_class) : 255;
}

/// Whether neighbours stay two though both are free.
bool Heap::apart(const Range& lower, const Range& upper) const noexcept {
  const Segment& s = *lower.segment;
  return s.is_virtual && !s.large && static_cast<std::size_t>(upper.data - s.base) % page_ == 0;
}

/// Makes a range free that is in no list: joined with the neighbours that are free in the same
/// order, or for all.
void Heap::put_free(Range* r, Lane& lane, std::uint64_t fence) noexcept {
  const auto joins = [&](const Range* n) {
    return n != nullptr && n->state == State::Free && (n->lane == &lane || n->lane == &clean_);
  };
  r->fence = lane.clean() ? 0 : fence;
  // Beyond what is free for all there may be more of the lane's own.
  while (joins(r->after) && !apart(*r, *r->after)) {
    r->fence = std::max(r->fence, r->after->fence);
    erase(r->after);
    absorb_after(r);
  }
  while (joins(r->before) && !apart(*r->before, *r)) {
    Range* b = r->before;
    b->fence = std::max(r->fence, b->fence);
    erase(b);
    absorb_after(b);
    r = b;
  }
  r->state = State::Free;
  Range* newer = nullptr;  // nearly always the last, as fences rise
  for (Range* n = lane.newest; n != nullptr && n->fence > r->fence; n = n->older) newer = n;
  insert(r, lane, newer);
}

void Heap::put_hole(Range* r) noexcept {
  const auto joins = [](const Range* n) { return n != nullptr && n->state == State::Hole; };
  if (joins(r->after)) {
    erase(r->after);
    absorb_after(r);
  }
  if (joins(r->before)) {
    Range* b = r->before;
    erase(b);
    absorb_after(b);
    r = b;
  }
  r->state = State::Hole;
  r->fence = 0;
  insert(r, holes_);
}

Range* Heap::take_range(StreamId stream, std::size_t bytes, bool large, bool whole) {
  descriptors_.ranges.reserve(1);
  Lane& mine = lane(stream);
  Range* r = mine.bins[large ? 1 : 0].find(bytes, whole);
  if (r == nullptr && &mine != &clean_) r = clean_.bins[large ? 1 : 0].find(bytes, whole);
  if (r == nullptr) return nullptr;
  r = cut(r, bytes, mine);
  r->stream = stream;
  return r;
}

// ---- small blocks

Block* Heap::take_small(StreamId stream, int size_class) {
  descriptors_.blocks.reserve(1);
  Lane& mine = lane(stream);
  if (Slab* slab = mine.partial[size_class]) return take_from(slab, stream);
  const std::size_t bytes = classes_.bytes(size_class);
  descriptors_.slabs.reserve(1);
  Range* r = take_range(stream, slab_bytes(bytes), false);
  if (r == nullptr) return nullptr;
  Slab* slab = descriptors_.slabs.take();
  *slab = Slab{};
  slab->range = r;
  slab->lane = &mine;
  slab->block_bytes = bytes;
  slab->fence =
      r->fence;  // what the range was freed with: blocks that are never given out have it too
  slab->blocks = slab->free = static_cast<std::uint32_t>(std::min(r->size / bytes, kSlabBlocks));
  slab->size_class = size_class;
  for (std::uint32_t i = 0; i < slab->blocks; ++i)
    slab->bits[i / 64] |= std::uint64_t{1} << (i % 64);
  r->slab = slab;
  r->size_class = 255;
  ++mine.slabs;
  link(slab);
  return take_from(slab, stream);
}

Block* Heap::take_from(Slab* slab, StreamId stream) noexcept {
  std::size_t word = 0;
  while (slab->bits[word] == 0) ++word;
  const std::size_t index =
      word * 64 + static_cast<std::size_t>(std::countr_zero(slab->bits[word]));
  slab->bits[word] &= slab->bits[word] - 1;
  if (--slab->free == 0) unlink(slab);
  Block* b = descriptors_.blocks.take();
  b->data = slab->range->data + index * slab->block_bytes;
  b->size = slab->block_bytes;
  b->stream = stream;
  b->pool = pool_;
  b->slab = slab;
  b->size_class = static_cast<std::uint8_t>(id_ == PoolId::Shared ? slab->size_class : 255);
  return b;
}

Block* Heap::take_any(StreamId stream, std::size_t bytes, int size_class) {
  adopt_all(stream);
  const std::size_t rounded = size_class >= 0 ? round_up(bytes, kUnit) : range_bytes(bytes);
  // Exact units where the coarse size does not fit.
  for (const std::size_t size : {rounded, round_up(bytes, kUnit)}) {
    if (Range* r = take_range(stream, size, false, true)) return r;
    if (Range* r = take_range(stream, size, true, true)) return r;
  }
  if (size_class < 0) return nullptr;
  descriptors_.blocks.reserve(1);
  Lane& mine = lane(stream);
  for (int c = size_class; c < classes_.count(); ++c) {
    if (mine.partial[c] != nullptr) return take_from(mine.partial[c], stream);
  }
  return nullptr;
}

void Heap::give(Block* b) noexcept {
  Slab* slab = b->slab;
  if (slab == nullptr) {
    auto* r = static_cast<Range*>(b);
    Lane& lane = *r->lane;
    --lane.taken;
    put_free(r, lane, b->fence);
    return;
  }
  const std::size_t index =
      static_cast<std::size_t>(b->data - slab->range->data) / slab->block_bytes;
  slab->fence = std::max(slab->fence, b->fence);
  descriptors_.blocks.give(b);
  slab->bits[index / 64] |= std::uint64_t{1} << (index % 64);
  if (slab->free++ == 0) link(slab);
  if (slab->free < slab->blocks) return;
  unlink(slab);
  Lane& lane = *slab->lane;
  --lane.slabs;
  --slab->range->lane->taken;
  slab->range->slab = nullptr;
  put_free(slab->range, lane, slab->fence);
  descriptors_.slabs.give(slab);
}

void Heap::link(Slab* slab) noexcept {
  Slab*& head = slab->lane->partial[slab->size_class];
  slab->previous = nullptr;
  slab->next = head;
  if (head != nullptr) head->previous = slab;
  head = slab;
}

void Heap::unlink(Slab* slab) noexcept {
  (slab->previous != nullptr ? slab->previous->next : slab->lane->partial[slab->size_class]) =
      slab->next;
  if (slab->next != nullptr) slab->next->previous = slab->previous;
  slab->previous = slab->next = nullptr;
}

// ---- other streams

/// Makes free for all what of a lane the host knows to be done.
void Heap::sweep(Lane& from) noexcept {
  const auto take_passed = [&] {
    while (from.oldest != nullptr && order_->passed(from.stream, from.oldest->fence)) {
      Range* r = from.oldest;
      erase(r);
      put_free(r, clean_, 0);
    }
  };
  if (from.oldest == nullptr) return;
  order_->poll(from.stream);
  take_passed();
  // One event for all that is left; none where the stream has no work.
  if (from.oldest == nullptr || !order_->mark(from.stream, from.newest->fence)) return;
  order_->poll(from.stream);
  take_passed();
}

void Heap::gather(StreamId stream) noexcept {
  Lane* mine = find_lane(stream);
  if (mine == nullptr || mine == &clean_) return;
  const auto joins = [&](const Range* n) {
    return n != nullptr && n->state == State::Free && (n->lane == mine || n->lane == &clean_);
  };
  for (Range *r = mine->oldest, *newer; r != nullptr; r = newer) {
    newer = r->newer;
    Range *first = r, *last = r;
    while (joins(first->before) && !apart(*first->before, *first)) first = first->before;
    while (joins(last->after) && !apart(*last, *last->after)) last = last->after;
    if (first == last) continue;
    while (newer != nullptr && first->data <= newer->data && newer->data <= last->data)
      newer = newer->newer;  // it goes into the joined range
    erase(r);
    put_free(r, *mine, r->fence);
  }
}

void Heap::settle(StreamId stream) {
  if (order_ == nullptr) return;
  Lane& mine = lane(stream);
  for (auto& [id, l] : lanes_) {
    if (l.get() != &mine) sweep(*l);
  }
  gather(stream);
  drop_empty_lanes(stream);
}

void Heap::reclaim() noexcept {
  for (auto& [id, l] : lanes_) sweep(*l);
  drop_empty_lanes({kNoStream, 0});
}

/// Makes a range of another stream's the stream's own; with `bytes` so much of it, and the rest
/// stays the other's.
void Heap::hand_over(Range* r, Lane& to, std::size_t bytes) noexcept {
  Lane& from = *r->lane;
  Range* newer = r->newer;
  erase(r);
  if (r->size != bytes) insert(split(r, bytes), from, newer);
  put_free(r, to, order_->fence(to.stream));
}

/// The ranges of others around `r` that make one of `bytes` with what is free beside them. Empty:
/// they do not.
std::vector<Range*> Heap::run_around(Range* r, StreamId stream, std::size_t bytes) {
  const Lane* mine = find_lane(stream);
  const auto open = [&](const Range* n) {
    return n != nullptr && n->state == State::Free &&
           (n->lane == mine || n->lane == &clean_ || open_to(stream, *n->lane, n->fence));
  };
  while (open(r->before) && !apart(*r->before, *r)) r = r->before;
  std::vector<Range*> run;
  std::size_t sum = 0;
  for (Range* n = r;; n = n->after) {
    sum += n->size;
    if (n->lane != mine && n->lane != &clean_) run.push_back(n);
    if (sum >= bytes) return run;
    if (!open(n->after) || apart(*n, *n->after)) return {};
  }
}

void Heap::adopt(StreamId stream, std::size_t bytes, bool large) {
  if (order_ == nullptr) return;
  descriptors_.ranges.reserve(1);
  Lane& mine = lane(stream);
  for (auto& [id, l] : lanes_) {
    if (l.get() == &mine) continue;
    Range* r = l->bins[large ? 1 : 0].find(bytes);
    if (r != nullptr && open_to(stream, *l, r->fence)) return hand_over(r, mine, bytes);
  }
  for (auto& [id, l] : lanes_) {
    if (l.get() == &mine) continue;
    for (Range* r = l->oldest; r != nullptr && open_to(stream, *l, r->fence); r = r->newer) {
      if (r->segment->large != large) continue;
      const std::vector<Range*> run = run_around(r, stream, bytes);
      for (Range* part : run) hand_over(part, mine, part->size);
      if (!run.empty()) return gather(stream);
    }
  }
}

void Heap::adopt_all(StreamId stream) {
  if (order_ == nullptr) return;
  Lane& mine = lane(stream);
  for (auto& [id, l] : lanes_) {
    if (l.get() == &mine) continue;
    while (l->oldest != nullptr && open_to(stream, *l, l->oldest->fence))
      hand_over(l->oldest, mine, l->oldest->size);
  }
  gather(stream);
  drop_empty_lanes(stream);
}

bool Heap::adopt_slab(StreamId stream, int size_class) {
  if (order_ == nullptr) return false;
  Lane& mine = lane(stream);
  for (auto& [id, l] : lanes_) {
    Slab* slab = l->partial[size_class];
    if (l.get() == &mine || slab == nullptr) continue;
    if (!open_to(stream, *l, slab->fence) && order_->mark(l->stream, slab->fence))
      order_->poll(l->stream);
    for (; slab != nullptr; slab = slab->next) {
      if (!open_to(stream, *l, slab->fence)) continue;
      unlink(slab);
      --l->slabs;
      ++mine.slabs;
      slab->lane = &mine;
      slab->fence = order_->fence(stream);
      link(slab);
      return true;
    }
  }
  return false;
}

bool Heap::wait_for_others(StreamId stream, std::size_t bytes, bool large) {
  if (order_ == nullptr) return false;
  Lane& mine = lane(stream);
  for (auto& [id, l] : lanes_) {
    if (l.get() == &mine) continue;
    const Range* r = l->bins[large ? 1 : 0].find(bytes);
    if (r != nullptr && order_->wait(stream, l->stream, r->fence)) return true;
  }
  bool any = false;
  for (auto& [id, l] : lanes_) {
    if (l.get() == &mine || (l->oldest == nullptr && l->slabs == 0)) continue;
    any = order_->wait(stream, l->stream, order_->fence(l->stream)) || any;
  }
  return any;
}

// ---- what there is

std::size_t Heap::free_bytes() const noexcept {
  std::size_t bytes = clean_.bytes;
  for (const auto& [id, l] : lanes_) bytes += l->bytes;
  return bytes;
}

std::size_t Heap::largest_free() const noexcept {
  std::size_t bytes = std::max(clean_.bins[0].largest(), clean_.bins[1].largest());
  for (const auto& [id, l] : lanes_)
    bytes = std::max({bytes, l->bins[0].largest(), l->bins[1].largest()});
  return bytes;
}

std::string Heap::verify(const Slab& slab, std::size_t* taken) const {
  std::uint32_t free = 0;
  for (const std::uint64_t word : slab.bits)
    free += static_cast<std::uint32_t>(std::popcount(word));
  if (free != slab.free || free == slab.blocks)
    return "a slab's count and its bitmap differ, or it is empty";
  bool linked = false;
  for (const Slab* s = slab.lane->partial[slab.size_class]; s != nullptr; s = s->next)
    linked |= s == &slab;
  if (linked != (free != 0))
    return "a slab is in the list of its class when it should not be, or the reverse";
  *taken += (slab.blocks - free) * slab.block_bytes;
  return "";
}

std::string Heap::verify(const Range& r, std::size_t* taken) const {
  const bool listed = r.state == State::Free || r.state == State::Hole;
  if (r.state == State::Left && r.lane != &left_) return "a range that pages left is not listed";
  if (listed && (r.lane == nullptr || !r.lane->bins[r.segment->large ? 1 : 0].contains(&r)))
    return "a free range is not in its bin";
  if (listed && r.newer != nullptr && r.newer->fence < r.fence) return "fences are out of order";
  if (r.state == State::Hole) return r.lane == &holes_ ? "" : "a hole is among the free ranges";
  if (r.state == State::Free && r.after != nullptr && r.after->state == State::Free &&
      r.after->lane == r.lane && !apart(r, *r.after))
    return "free neighbours are not joined";
  if (r.slab != nullptr) return verify(*r.slab, taken);
  if (r.state == State::Taken) *taken += r.size;
  return "";
}

std::string Heap::verify(std::size_t* reserved, std::size_t* taken) const {
  for (const Segment* s = segments_; s != nullptr; s = s->next) {
    const std::size_t unit = s->bytes % kUnit == 0 ? kUnit : s->bytes;  // one range alone, or units
    if (s->first->before != nullptr) return "a segment does not begin with its first range";
    const std::byte* at = s->base;
    for (const Range* r = s->first; r != nullptr; r = r->after) {
      if (r->data != at || r->segment != s || r->size == 0 || r->size % unit != 0)
        return "ranges have gaps";
      at += r->size;
      if (r->after != nullptr && r->after->before != r) return "neighbours disagree";
      if (r->state != State::Hole && r->state != State::Left) *reserved += r->size;
      if (std::string wrong = verify(*r, taken); !wrong.empty()) return wrong;
    }
    if (at != s->base + s->bytes) return "ranges do not fill their segment";
  }
  return "";
}

}  // namespace tandem::memory
