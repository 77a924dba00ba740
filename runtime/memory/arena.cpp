// Cutting up and joining again: best-fit ranges, slabs with a bitmap.
#include "runtime/memory/arena.h"

#include <algorithm>
#include <functional>

namespace tandem::memory {
namespace {

std::uint64_t priority(const Range* r) {
  std::uint64_t x = reinterpret_cast<std::uintptr_t>(r->data);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;  // the finaliser of SplitMix64
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

bool less(const Range* a, const Range* b) {
  return a->size != b->size ? a->size < b->size : std::less<>()(a->data, b->data);
}

/// Splits a tree into what comes before `key` and the rest.
void split(Range* t, const Range* key, Range** low, Range** high) {
  if (t == nullptr) {
    *low = *high = nullptr;
  } else if (less(t, key)) {
    *low = t;
    split(t->right, key, &t->right, high);
  } else {
    *high = t;
    split(t->left, key, low, &t->left);
  }
}

Range* join(Range* low, Range* high) {
  if (low == nullptr) return high;
  if (high == nullptr) return low;
  if (priority(low) > priority(high)) {
    low->right = join(low->right, high);
    return low;
  }
  high->left = join(low, high->left);
  return high;
}

}  // namespace

void FreeTree::insert(Range* r) noexcept {
  Range** at = &root_;
  while (*at != nullptr && priority(*at) > priority(r))
    at = less(*at, r) ? &(*at)->right : &(*at)->left;
  split(*at, r, &r->left, &r->right);
  *at = r;
}

void FreeTree::erase(Range* r) noexcept {
  Range** at = &root_;
  while (*at != r) at = less(*at, r) ? &(*at)->right : &(*at)->left;
  *at = join(r->left, r->right);
  r->left = r->right = nullptr;
}

Range* FreeTree::best_fit(std::size_t bytes) const noexcept {
  Range* best = nullptr;
  for (Range* t = root_; t != nullptr;) {
    if (t->size >= bytes) {
      best = t;
      t = t->left;
    } else {
      t = t->right;
    }
  }
  return best;
}

std::size_t FreeTree::largest() const noexcept {
  const Range* t = root_;
  while (t != nullptr && t->right != nullptr) t = t->right;
  return t == nullptr ? 0 : t->size;
}

bool FreeTree::contains(const Range* r) const noexcept {
  const Range* t = root_;
  while (t != nullptr && t != r) t = less(t, r) ? t->right : t->left;
  return t != nullptr;
}

Block* Arena::take_small(int size_class) {
  descriptors_.blocks.reserve(1);
  if (Slab* slab = partial_[size_class]) return take_from(slab);
  const std::size_t bytes = classes_.bytes(size_class);
  // About 16 blocks a slab, at least 64 KiB, at most one small segment.
  const std::size_t wanted = std::clamp(round_up(16 * bytes, kUnit), kUnit, kSmallSegment);
  descriptors_.slabs.reserve(1);
  Range* r = take_range(wanted, false);
  if (r == nullptr) return nullptr;
  Slab* slab = descriptors_.slabs.take();
  *slab = Slab{};
  slab->range = r;
  slab->arena = this;
  slab->block_bytes = bytes;
  slab->blocks = slab->free = static_cast<std::uint32_t>(std::min(r->size / bytes, kSlabBlocks));
  slab->size_class = size_class;
  for (std::uint32_t i = 0; i < slab->blocks; ++i)
    slab->bits[i / 64] |= std::uint64_t{1} << (i % 64);
  r->slab = slab;
  link(slab);
  return take_from(slab);
}

Block* Arena::take_from(Slab* slab) noexcept {
  std::size_t word = 0;
  while (slab->bits[word] == 0) ++word;
  const std::size_t index =
      word * 64 + static_cast<std::size_t>(std::countr_zero(slab->bits[word]));
  slab->bits[word] &= slab->bits[word] - 1;
  if (--slab->free == 0) unlink(slab);
  Block* b = descriptors_.blocks.take();
  b->data = slab->range->data + index * slab->block_bytes;
  b->size = slab->block_bytes;
  b->stream = stream_;
  b->pool = pool_;
  b->slab = slab;
  b->size_class = static_cast<std::uint8_t>(id_ == PoolId::Shared ? slab->size_class : 255);
  return b;
}

Range* Arena::take_range(std::size_t bytes, bool large) {
  descriptors_.ranges.reserve(1);
  Range* r = tree(large).best_fit(bytes);
  return r == nullptr ? nullptr : cut(r, bytes);
}

Range* Arena::cut(Range* r, std::size_t bytes) noexcept {
  FreeTree& free = tree(r->segment->large);
  free.erase(r);
  r->is_free = false;
  if (r->size == bytes) return r;
  Range* rest = descriptors_.ranges.take();
  rest->data = r->data + bytes;
  rest->size = r->size - bytes;
  rest->stream = stream_;
  rest->pool = pool_;
  rest->segment = r->segment;
  rest->before = r;
  rest->after = r->after;
  rest->is_free = true;
  if (rest->after != nullptr) rest->after->before = rest;
  r->after = rest;
  r->size = bytes;
  free.insert(rest);
  return r;
}

Block* Arena::take_any(std::size_t bytes, int size_class) {
  const std::size_t rounded = size_class >= 0 ? round_up(bytes, kUnit) : range_bytes(bytes);
  // Exact units where the coarse size does not fit.
  for (const std::size_t size : {rounded, round_up(bytes, kUnit)}) {
    if (Range* r = take_range(size, false)) return r;
    if (Range* r = take_range(size, true)) return r;
  }
  if (size_class < 0) return nullptr;
  descriptors_.blocks.reserve(1);
  for (int c = size_class; c < classes_.count(); ++c) {
    if (partial_[c] != nullptr) return take_from(partial_[c]);
  }
  return nullptr;
}

void Arena::give(Block* b) noexcept {
  Slab* slab = b->slab;
  if (slab == nullptr) {
    give_range(static_cast<Range*>(b));
    return;
  }
  const std::size_t index =
      static_cast<std::size_t>(b->data - slab->range->data) / slab->block_bytes;
  descriptors_.blocks.give(b);
  slab->bits[index / 64] |= std::uint64_t{1} << (index % 64);
  if (slab->free++ == 0) link(slab);
  if (slab->free < slab->blocks) return;
  unlink(slab);
  slab->range->slab = nullptr;
  give_range(slab->range);
  descriptors_.slabs.give(slab);
}

void Arena::give_range(Range* r) noexcept {
  FreeTree& free = tree(r->segment->large);
  if (Range* a = r->after; a != nullptr && a->is_free) {
    free.erase(a);
    r->size += a->size;
    r->after = a->after;
    if (r->after != nullptr) r->after->before = r;
    descriptors_.ranges.give(a);
  }
  if (Range* b = r->before; b != nullptr && b->is_free) {
    free.erase(b);
    b->size += r->size;
    b->after = r->after;
    if (b->after != nullptr) b->after->before = b;
    descriptors_.ranges.give(r);
    r = b;
  }
  r->is_free = true;
  free.insert(r);
}

void Arena::link(Slab* slab) noexcept {
  Slab*& head = partial_[slab->size_class];
  slab->previous = nullptr;
  slab->next = head;
  if (head != nullptr) head->previous = slab;
  head = slab;
}

void Arena::unlink(Slab* slab) noexcept {
  (slab->previous != nullptr ? slab->previous->next : partial_[slab->size_class]) = slab->next;
  if (slab->next != nullptr) slab->next->previous = slab->previous;
  slab->previous = slab->next = nullptr;
}

void Arena::add(Segment* segment) noexcept {
  Range* r = descriptors_.ranges.take();
  r->data = segment->base;
  r->size = segment->bytes;
  r->stream = stream_;
  r->pool = pool_;
  r->slab = nullptr;
  r->segment = segment;
  r->before = r->after = nullptr;
  segment->arena = this;
  segment->first = r;
  attach(segment);
}

void Arena::reattach(Segment* segment) noexcept {
  --detached_;
  attach(segment);
}

void Arena::forget(Segment* segment) noexcept {
  --detached_;
  descriptors_.ranges.give(segment->first);
  descriptors_.segments.give(segment);
}

void Arena::attach(Segment* segment) noexcept {
  segment->previous = nullptr;
  segment->next = segments_;
  if (segments_ != nullptr) segments_->previous = segment;
  segments_ = segment;
  segment->first->is_free = true;
  tree(segment->large).insert(segment->first);
}

Segment* Arena::detach_idle(bool untouched_only, Segment* rest) noexcept {
  for (Segment *s = segments_, *following; s != nullptr; s = following) {
    following = s->next;
    if (!s->idle() || (untouched_only && s->touched)) continue;
    tree(s->large).erase(s->first);
    (s->previous != nullptr ? s->previous->next : segments_) = s->next;
    if (s->next != nullptr) s->next->previous = s->previous;
    s->previous = nullptr;
    s->next = rest;
    rest = s;
    ++detached_;
  }
  return rest;
}

void Arena::mark() noexcept {
  for (Segment* s = segments_; s != nullptr; s = s->next) s->touched = false;
}

std::size_t Arena::largest_free() const noexcept {
  return std::max(free_[0].largest(), free_[1].largest());
}

std::string Arena::verify(const Slab& slab, std::size_t* taken) const {
  std::uint32_t free = 0;
  for (const std::uint64_t word : slab.bits)
    free += static_cast<std::uint32_t>(std::popcount(word));
  if (free != slab.free || free == slab.blocks)
    return "a slab's count and its bitmap differ, or it is empty";
  bool linked = false;
  for (const Slab* s = partial_[slab.size_class]; s != nullptr; s = s->next) linked |= s == &slab;
  if (linked != (free != 0))
    return "a slab is in the list of its class when it should not be, or the reverse";
  *taken += (slab.blocks - free) * slab.block_bytes;
  return "";
}

std::string Arena::verify(std::size_t* reserved, std::size_t* taken) const {
  for (const Segment* s = segments_; s != nullptr; s = s->next) {
    const std::size_t unit = s->bytes % kUnit == 0 ? kUnit : s->bytes;  // one range alone, or units
    *reserved += s->bytes;
    if (s->arena != this || s->first->before != nullptr) return "a segment is not its arena's";
    const std::byte* at = s->base;
    for (const Range* r = s->first; r != nullptr; r = r->after) {
      if (r->data != at || r->segment != s || r->size == 0 || r->size % unit != 0)
        return "ranges have gaps";
      at += r->size;
      if (r->after != nullptr && r->after->before != r) return "neighbours disagree";
      if (r->is_free && r->after != nullptr && r->after->is_free)
        return "free neighbours are not joined";
      if (r->is_free != free_[s->large ? 1 : 0].contains(r))
        return "a range is in the tree and not free, or the reverse";
      if (r->slab != nullptr) {
        if (std::string wrong = verify(*r->slab, taken); !wrong.empty()) return wrong;
      } else if (!r->is_free) {
        *taken += r->size;
      }
    }
    if (at != s->base + s->bytes) return "ranges do not fill their segment";
  }
  return "";
}

}  // namespace tandem::memory
