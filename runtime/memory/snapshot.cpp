// Walks a pool: who has what, in the order of which stream.
#include "runtime/memory/snapshot.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "runtime/memory/pool.h"

namespace tandem {

namespace memory {

/// Reads a pool whose locks, and those of all front caches, are held.
class Collector {
 public:
  Collector(Pool& pool, Snapshot& out, bool details) : pool_(pool), out_(out), details_(details) {}

  void run(const std::vector<FrontCache*>& caches) {
    for (FrontCache* c : caches) {
      if (c->pool == &pool_) front(*c);
    }
    for (const auto& [id, h] : pool_.heaps_) heap(*h);
    pool_.descriptors_.blocks.for_each([this](const Block& b) {
      if (!b.live || b.slab == nullptr) return;
      out_.live[b.label].add(b);
      SlabSnapshot& s = slab(*b.slab);
      ++s.live;
      s.tags[b.label].add(b);
    });
    for (const Block* b = pool_.pending_.first(); b != nullptr; b = b->next) pending(*b);
    if (pool_.quarantine_ != nullptr) {
      for (const Block* b : pool_.quarantine_->blocks()) {
        if (b->slab != nullptr) ++slab(*b->slab).pending;
      }
    }
    if (out_.is_virtual) find_scattered();
    pools();
    std::sort(out_.fronts.begin(), out_.fronts.end(),
              [](const FrontSnapshot& a, const FrontSnapshot& b) {
                return std::tie(a.stream, a.blocks) < std::tie(b.stream, b.blocks);
              });
    if (!details_) out_.segments.clear();
  }

 private:
  StreamSnapshot& stream(StreamId id) {
    StreamSnapshot& s = out_.streams[id.id];
    s.handle = id.handle;
    return s;
  }
  SlabSnapshot& slab(const Slab& s) { return out_.slabs[slabs_.at(&s)]; }

  void front(const FrontCache& c) {
    FrontSnapshot f;
    f.stream = c.stream.id;
    for (int i = 0; i < pool_.classes_.count(); ++i) {
      if (c.count[i] == 0) continue;
      f.blocks.emplace_back(i, c.count[i]);
      f.bytes += c.count[i] * pool_.classes_.bytes(i);
      for (const Block* b = c.head[i]; b != nullptr && b->slab == nullptr; b = b->next)
        in_fronts_.insert(b);
    }
    for (const Block* b : c.kept) {
      if (b == nullptr) continue;
      ++f.kept;
      f.bytes += b->size;
      in_fronts_.insert(b);
    }
    if (f.bytes == 0) return;
    stream(c.stream).front += f.bytes;
    out_.fronts.push_back(std::move(f));
  }

  void heap(const Heap& h) {
    for (const auto& [id, l] : h.lanes()) {
      if (l == nullptr || l->empty()) continue;
      StreamSnapshot& s = stream(l->stream);
      s.free += l->bytes;
      s.slabs += l->slabs;
    }
    std::vector<const Segment*> segments;
    for (const Segment* s = h.segments(); s != nullptr; s = s->next) segments.push_back(s);
    std::sort(segments.begin(), segments.end(),
              [](const Segment* a, const Segment* b) { return a->base < b->base; });
    for (const Segment* s : segments) {
      SegmentSnapshot to;
      to.address = reinterpret_cast<std::uintptr_t>(s->base);
      to.bytes = s->bytes;
      to.pool = static_cast<std::uint32_t>(h.id());
      to.is_virtual = s->is_virtual;
      to.large = s->large;
      to.from_resource = s->source != nullptr;
      for (const Range* r = s->first; r != nullptr; r = r->after) to.ranges.push_back(range(*r));
      out_.segments.push_back(std::move(to));
    }
    std::sort(
        out_.segments.begin(), out_.segments.end(),
        [](const SegmentSnapshot& a, const SegmentSnapshot& b) { return a.address < b.address; });
  }

  RangeSnapshot range(const Range& r) {
    RangeSnapshot to;
    to.offset = static_cast<std::size_t>(r.data - r.segment->base);
    to.bytes = r.size;
    to.state = r.state;
    if (r.state == Range::State::Free && !r.lane->clean()) to.stream = r.lane->stream.id;
    if (r.state != Range::State::Taken) return to;
    if (r.slab == nullptr) {
      to.stream = r.stream.id;
      to.live = r.live;
      to.front = in_fronts_.contains(&r);
      to.requested = r.requested;
      to.label = r.label;
      if (r.live) out_.live[r.label].add(r);
      return to;
    }
    to.stream = r.slab->lane->stream.id;
    to.slab = static_cast<int>(out_.slabs.size());
    slabs_[r.slab] = out_.slabs.size();
    SlabSnapshot s;
    s.size_class = r.slab->size_class;
    s.block_bytes = r.slab->block_bytes;
    s.blocks = r.slab->blocks;
    s.free = r.slab->free;
    out_.slabs.push_back(std::move(s));
    return to;
  }

  void pending(const Block& b) {
    if (b.slab != nullptr) ++slab(*b.slab).pending;
    const StreamId owner = Heap::owner(b);
    const auto count = [&](StreamId used, std::uint64_t fence) {
      if (used == owner || pool_.order_.ordered(owner, used, fence)) return false;
      stream(used).waited += b.size;
      return true;
    };
    bool behind = count(b.stream, b.fence);
    if (b.uses != nullptr) {
      for (const Use& use : *b.uses) behind = count(use.stream, use.fence) || behind;
    }
    if (behind) stream(owner).waiting += b.size;
  }

  void pools() {
    std::map<PoolId, std::size_t> waiting = pool_.pending_by_part();
    for (const auto& [id, h] : pool_.heaps_) out_.pools.push_back(pool_.stats_of(*h, waiting[id]));
  }

  /// Free ranges of which no whole page is free, and what live memory is in their pages.
  void find_scattered() {
    const std::size_t page = out_.granularity;
    for (const SegmentSnapshot& s : out_.segments) {
      if (!s.is_virtual || s.large) continue;  // large ranges are whole pages but for their ends
      for (std::size_t i = 0; i < s.ranges.size();) {
        const std::size_t at = s.ranges[i].offset / page;
        std::size_t end = i, free = 0, live = 0;
        Label most = 0;
        for (; end < s.ranges.size() && s.ranges[end].offset / page == at; ++end) {
          const RangeSnapshot& r = s.ranges[end];
          if (r.state == Range::State::Free) free += r.bytes;
          const auto [label, bytes] = largest(r);
          if (bytes > live) {
            live = bytes;
            most = label;
          }
        }
        if (live != 0 && free != 0) {
          out_.scattered += free;
          out_.scattered_by[most] += free;
        }
        i = end;
      }
    }
  }

  std::pair<Label, std::size_t> largest(const RangeSnapshot& r) const {
    if (r.live) return {r.label, r.bytes};
    std::pair<Label, std::size_t> most{0, 0};
    if (r.slab < 0) return most;
    for (const auto& [label, usage] : out_.slabs[static_cast<std::size_t>(r.slab)].tags) {
      if (usage.bytes > most.second) most = {label, usage.bytes};
    }
    return most;
  }

  Pool& pool_;
  Snapshot& out_;
  bool details_;
  std::unordered_map<const Slab*, std::size_t> slabs_;
  std::unordered_set<const Block*> in_fronts_;  // that are ranges
};

}  // namespace memory

memory::Snapshot Pool::snapshot(bool details) {
  memory::Snapshot out;
  out.device = device_;
  out.driver = driver_->name();
  out.asynchronous = asynchronous_;
  out.direct = direct_;
  out.plain_asked = plain_;
  out.is_virtual = virtual_;
  out.granularity = driver_->granularity();
  out.block_alignment = driver_->block_alignment();
  {
    memory::Registry& all = memory::Registry::get();
    const std::lock_guard<std::mutex> hold_registry(all.mutex);
    // All at once: a block that goes from a cache to another is counted where it is.
    std::vector<std::unique_lock<memory::SpinLock>> hold_caches;
    hold_caches.reserve(all.caches.size());
    for (memory::FrontCache* c : all.caches) hold_caches.emplace_back(c->lock);
    const std::lock_guard<std::mutex> hold(mutex_);
    (void)heap(PoolId::Shared);  // is always listed
    for (memory::FrontCache* c : all.caches) {
      if (c->pool == this) fold_front(*c);
    }
    out.stats = stats_locked();
    out.captures = captures_;
    out.has_resource = resource_ != nullptr;
    memory::Collector(*this, out, details).run(all.caches);
  }
  out.labels = memory::label_names();
  return out;
}

namespace memory {

std::string title(const LabelName& name) {
  if (!name.tag.empty()) return name.tag;
  return name.op.empty() ? "untagged" : "op " + name.op;
}

std::vector<std::pair<std::string, Usage>> by_title(const UsageByLabel& usage,
                                                    const std::vector<LabelName>& labels) {
  std::map<std::string, Usage> sums;
  for (const auto& [label, u] : usage) {
    Usage& sum = sums[title(label < labels.size() ? labels[label] : LabelName{})];
    sum.blocks += u.blocks;
    sum.requested += u.requested;
    sum.bytes += u.bytes;
  }
  std::vector<std::pair<std::string, Usage>> sorted(sums.begin(), sums.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  return sorted;
}

}  // namespace memory
}  // namespace tandem
