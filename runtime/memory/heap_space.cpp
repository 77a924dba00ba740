// Where a heap's ranges lie: segments that come and go, address space whose pages do.
#include <algorithm>

#include "runtime/memory/heap.h"

namespace tandem::memory {

using State = Range::State;

// Streams grow apart where there is at least twice as much address space.
static constexpr std::size_t kFar = std::size_t{1} << 30;

void Heap::attach(Segment* segment) noexcept {
  segment->heap = this;
  segment->previous = nullptr;
  segment->next = segments_;
  if (segments_ != nullptr) segments_->previous = segment;
  segments_ = segment;
}

void Heap::detach(Segment* segment) noexcept {
  (segment->previous != nullptr ? segment->previous->next : segments_) = segment->next;
  if (segment->next != nullptr) segment->next->previous = segment->previous;
  segment->previous = nullptr;
  ++detached_;
}

/// The one range of a new segment, in no list.
static Range* whole_of(Segment* segment, Descriptors& descriptors, Pool* pool) {
  Range* r = descriptors.ranges.take();
  r->data = segment->base;
  r->size = segment->bytes;
  r->pool = pool;
  r->slab = nullptr;
  r->fence = 0;
  r->segment = segment;
  r->before = r->after = nullptr;
  segment->first = r;
  return r;
}

void Heap::add(Segment* segment, const StreamId* ordered) noexcept {
  Range* r = whole_of(segment, descriptors_, pool_);
  attach(segment);
  place(r, ordered);
}

/// New memory: free for all, or in the order of a stream.
void Heap::place(Range* r, const StreamId* ordered) noexcept {
  Lane* of = ordered == nullptr ? nullptr : find_lane(*ordered);
  if (of != nullptr && order_ != nullptr) {
    put_free(r, *of, order_->fence(*ordered));
  } else {
    put_free(r, clean_, 0);
  }
}

void Heap::add_space(Segment* segment) noexcept {
  Range* r = whole_of(segment, descriptors_, pool_);
  attach(segment);
  put_hole(r);
}

void Heap::reattach(Segment* segment) noexcept {
  --detached_;
  attach(segment);
  if (segment->is_virtual) {
    put_hole(segment->first);
  } else {
    put_free(segment->first, clean_, 0);
  }
}

void Heap::forget(Segment* segment) noexcept {
  --detached_;
  descriptors_.ranges.give(segment->first);
  segment->pages.clear();
  descriptors_.segments.give(segment);
}

Segment* Heap::detach_idle(Segment* rest) noexcept {
  for (Segment *s = segments_, *following; s != nullptr; s = following) {
    following = s->next;
    const Range* r = s->first;
    if (s->is_virtual || r->after != nullptr || r->state != State::Free || r->lane != &clean_)
      continue;
    erase(s->first);
    detach(s);
    s->next = rest;
    rest = s;
  }
  return rest;
}

Segment* Heap::detach_space(Segment* rest) noexcept {
  for (Segment *s = segments_, *following; s != nullptr; s = following) {
    following = s->next;
    if (!s->is_virtual || s->first->after != nullptr || s->first->state != State::Hole) continue;
    erase(s->first);
    detach(s);
    s->next = rest;
    rest = s;
  }
  return rest;
}

Range* Heap::open_hole(StreamId stream, std::size_t bytes, bool large) noexcept {
  const Lane* mine = find_lane(stream);
  const auto usable = [&](const Range* n) -> std::size_t {
    const bool open =
        large && n != nullptr && n->state == State::Free && (n->lane == mine || n->lane == &clean_);
    return open ? n->size : 0;
  };
  Range* best = nullptr;
  std::size_t least = 0;
  for (Range* h = holes_.oldest; h != nullptr; h = h->newer) {
    if (h->segment->large != large) continue;
    const std::size_t below = std::min(usable(h->before), bytes);
    std::size_t need = round_up(bytes - below, page_);
    if (need > h->size) {  // filled to its end, it may join what lies above
      if (below + h->size + usable(h->after) < bytes) continue;
      need = h->size;
    }
    if (best == nullptr || need < least || (need == least && h->data < best->data)) {
      best = h;
      least = need;
    }
  }
  if (best == nullptr || least == 0) return nullptr;
  erase(best);
  // Behind another stream's memory it would keep that from growing: far from it, as addresses are
  // free.
  const Range* b = best->before;
  const bool foreign = b != nullptr && b->lane != nullptr && b->lane != mine &&
                       b->lane != &clean_ && b->lane != &left_;
  if (large && foreign && usable(b) == 0 && best->size / 4 > bytes && best->size / 2 >= kFar) {
    Range* upper = split(best, round_down(best->size / 2, page_));
    upper->state = State::Busy;
    put_hole(best);
    best = upper;
  }
  const std::size_t below = std::min(usable(best->before), bytes);
  best->requested = bytes - std::min(bytes, below + least);  // of what lies above
  best->state = State::Growing;
  if (best->size != least) put_hole(split(best, least));
  return best;
}

void Heap::fill(Range* hole, std::size_t filled, const StreamId* ordered) noexcept {
  if (filled == 0) return put_hole(hole);
  if (filled != hole->size) put_hole(split(hole, filled));
  place(hole, ordered);
}

/// The pages of a free range that may go elsewhere, as places in its segment: not what a growing
/// hole counts on beside itself.
Heap::Places Heap::loose(const Range& r) const noexcept {
  const auto grows = [](const Range* n) { return n != nullptr && n->state == State::Growing; };
  if (!r.segment->is_virtual || r.size < page_ || grows(r.after)) return {};
  const std::size_t at = static_cast<std::size_t>(r.data - r.segment->base);
  const std::size_t kept = grows(r.before) ? r.before->requested : 0;
  const Places p{round_up(at + kept, page_), round_down(at + r.size, page_)};
  return p.first < p.last ? p : Places{};
}

Range* Heap::open_pages(Lane& lane, std::size_t most) noexcept {
  for (Range* r = lane.oldest; r != nullptr; r = r->newer) {
    auto [first, last] = loose(*r);
    if (first == last) continue;
    const std::size_t at = static_cast<std::size_t>(r->data - r->segment->base);
    first = std::max(first, last - std::min(last, most));
    Range* newer = r->newer;
    erase(r);
    Range* run = r;
    if (first != at) {
      run = split(r, first - at);
      insert(r, lane, newer);
    }
    if (run->size != last - first) insert(split(run, last - first), lane, newer);
    run->state = State::Busy;
    return run;
  }
  return nullptr;
}

void Heap::empty(Range* run, std::size_t emptied) noexcept {
  if (emptied == 0) return put_free(run, clean_, 0);
  if (emptied != run->size) put_free(split(run, emptied), clean_, 0);
  put_hole(run);
}

std::size_t Heap::pages_of(const Lane& lane) const noexcept {
  std::size_t bytes = 0;
  for (const Range* r = lane.oldest; r != nullptr; r = r->newer) {
    const auto [first, last] = loose(*r);
    bytes += last - first;
  }
  return bytes;
}

// ---- pages that move

std::size_t Heap::own_pages(StreamId stream) noexcept {
  const Lane* mine = find_lane(stream);
  return mine == nullptr || mine == &clean_ ? 0 : pages_of(*mine);
}

Range* Heap::open_own_pages(StreamId stream, std::size_t most) noexcept {
  Lane* mine = find_lane(stream);
  Range* run = mine == nullptr || mine == &clean_ ? nullptr : open_pages(*mine, most);
  if (run == nullptr) return nullptr;
  run->stream = stream;
  ++mine->taken;  // the lane stays
  return run;
}

void Heap::leave(Range* run, std::size_t moved) noexcept {
  Lane& mine = *find_lane(run->stream);
  --mine.taken;
  if (moved != run->size) {
    Range* rest = moved == 0 ? run : split(run, moved);
    put_free(rest, mine, rest->fence);
  }
  if (moved == 0) return;
  run->state = State::Left;
  insert(run, left_);
}

void Heap::poll_left(bool mark) noexcept {
  std::uint64_t asked = kNoStream;
  for (const Range* r = left_.newest; r != nullptr; r = r->older) {
    if (r->stream.id == asked || order_->passed(r->stream, r->fence)) continue;
    order_->poll(r->stream);
    if (mark && !order_->passed(r->stream, r->fence) && order_->mark(r->stream, r->fence))
      order_->poll(r->stream);
    asked = r->stream.id;
  }
}

std::size_t Heap::left_passed() const noexcept {
  std::size_t n = 0;
  for (const Range* r = left_.oldest; r != nullptr; r = r->newer)
    n += order_->passed(r->stream, r->fence) ? 1 : 0;
  return n;
}

Range* Heap::open_left(std::size_t n) noexcept {
  Range* list = nullptr;
  for (Range *r = left_.oldest, *newer; r != nullptr && n != 0; r = newer) {
    newer = r->newer;
    if (!order_->passed(r->stream, r->fence)) continue;
    erase(r);
    r->state = State::Busy;
    r->next = list;
    list = r;
    --n;
  }
  return list;
}

void Heap::close_left(Range* run, std::size_t unmapped) noexcept {
  if (unmapped != run->size) {
    Range* rest = unmapped == 0 ? run : split(run, unmapped);
    rest->state = State::Left;
    insert(rest, left_);
  }
  if (unmapped != 0) put_hole(run);
}

}  // namespace tandem::memory
