// A snapshot in words: the format is in docs/memory.md.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runtime/memory/snapshot.h"

namespace tandem::memory {
namespace {

using Json = nlohmann::ordered_json;

Json limit(std::size_t bytes) {
  return bytes == std::numeric_limits<std::size_t>::max() ? Json(nullptr) : Json(bytes);
}

/// A label's number of none stands for a block of which nothing is known.
LabelName label_name(const Snapshot& s, Label label) {
  return label < s.labels.size() ? s.labels[label] : LabelName{};
}

Json counter(const MemoryCounter& c) {
  return {{"current", c.current}, {"peak", c.peak}, {"total", c.total}};
}

Json statistics(const MemoryStats& s) {
  return {{"requested", counter(s.requested)},
          {"allocated", counter(s.allocated)},
          {"reserved", counter(s.reserved)},
          {"cached", s.cached},
          {"free_ranges", s.free_ranges},
          {"pending", s.pending},
          {"largest_free", s.largest_free},
          {"fragmentation", s.fragmentation()},
          {"limit", limit(s.limit)},
          {"allocations", s.allocations},
          {"frees", s.frees},
          {"cache_hits", s.cache_hits},
          {"driver_allocations", s.driver_allocations},
          {"driver_frees", s.driver_frees},
          {"events", s.events},
          {"waits", s.waits},
          {"out_of_memory", s.out_of_memory},
          {"retries", s.retries}};
}

Json pool(const PoolStats& p) {
  return {{"id", p.id},
          {"kept", p.kept},
          {"requested", counter(p.requested)},
          {"allocated", counter(p.allocated)},
          {"reserved", counter(p.reserved)},
          {"cached", p.cached},
          {"free_ranges", p.free_ranges},
          {"pending", p.pending},
          {"largest_free", p.largest_free},
          {"fragmentation", p.fragmentation()},
          {"limit", limit(p.limit)},
          {"allocations", p.allocations},
          {"frees", p.frees}};
}

/// A list of {tag, op, blocks, requested, bytes}, by name.
Json usage(const Snapshot& s, const UsageByLabel& by_label) {
  std::vector<std::pair<LabelName, Usage>> all;
  for (const auto& [label, u] : by_label) all.emplace_back(label_name(s, label), u);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.tag, a.first.op) < std::tie(b.first.tag, b.first.op);
  });
  Json list = Json::array();
  for (const auto& [name, u] : all) {
    list.push_back({{"tag", name.tag},
                    {"op", name.op},
                    {"blocks", u.blocks},
                    {"requested", u.requested},
                    {"bytes", u.bytes}});
  }
  return list;
}

Json slab(const Snapshot& s, const SlabSnapshot& slab) {
  const std::uint32_t elsewhere = slab.free + slab.live + slab.pending;
  return {{"class", slab.size_class},
          {"block_bytes", slab.block_bytes},
          {"blocks", slab.blocks},
          {"free", slab.free},
          {"live", slab.live},
          {"pending", slab.pending},
          {"cached", slab.blocks - std::min(slab.blocks, elsewhere)},
          {"tags", usage(s, slab.tags)}};
}

const char* state_name(const RangeSnapshot& r) {
  switch (r.state) {
    case Range::State::Free:
      return "free";
    case Range::State::Hole:
    case Range::State::Left:
      return "hole";
    case Range::State::Busy:
    case Range::State::Growing:
      return "moving";
    default:
      return r.slab >= 0 ? "slab" : r.live ? "live" : r.front ? "cached" : "pending";
  }
}

Json range(const Snapshot& s, const RangeSnapshot& r) {
  Json to = {{"offset", r.offset}, {"bytes", r.bytes}, {"state", state_name(r)}};
  if (r.stream != kNoStream) to["stream"] = stream_number(r.stream);
  if (r.live) {
    const LabelName name = label_name(s, r.label);
    to["requested"] = r.requested;
    to["tag"] = name.tag;
    to["op"] = name.op;
  }
  if (r.slab >= 0) to["slab"] = slab(s, s.slabs[static_cast<std::size_t>(r.slab)]);
  return to;
}

Json segment(const Snapshot& s, const SegmentSnapshot& from) {
  Json ranges = Json::array();
  for (const RangeSnapshot& r : from.ranges) ranges.push_back(range(s, r));
  return {{"address", fmt::format("{:#x}", from.address)},
          {"bytes", from.bytes},
          {"pool", from.pool},
          {"virtual", from.is_virtual},
          {"large", from.large},
          {"source", from.from_resource ? "resource" : "driver"},
          {"ranges", std::move(ranges)}};
}

Json stream(std::uint64_t id, const StreamSnapshot& s) {
  return {{"stream", stream_number(id)},
          {"handle", fmt::format("{:#x}", s.handle)},
          {"free", s.free},
          {"slabs", s.slabs},
          {"front", s.front},
          {"waited", s.waited},
          {"waiting", s.waiting}};
}

Json front(const FrontSnapshot& f) {
  Json blocks = Json::array();
  for (const auto& [size_class, n] : f.blocks)
    blocks.push_back({{"class", size_class}, {"blocks", n}});
  return {{"stream", stream_number(f.stream)},
          {"bytes", f.bytes},
          {"blocks", std::move(blocks)},
          {"large_blocks", f.kept}};
}

}  // namespace

std::string to_json(const Snapshot& s) {
  Json out = {{"format", "tandem memory snapshot"},
              {"version", 1},
              {"device", s.device.str()},
              {"driver", s.driver},
              {"mode", s.direct       ? "direct"
                       : s.is_virtual ? "virtual"
                                      : "plain"},
              {"plain_asked", s.plain_asked},
              {"asynchronous", s.asynchronous},
              {"resource", s.has_resource},
              {"page", s.granularity},
              {"alignment", s.block_alignment},
              {"captures", s.captures},
              {"statistics", statistics(s.stats)}};
  Json& pools = out["pools"] = Json::array();
  for (const PoolStats& p : s.pools) pools.push_back(pool(p));
  Json& streams = out["streams"] = Json::array();
  for (const auto& [id, one] : s.streams) streams.push_back(stream(id, one));
  out["live"] = usage(s, s.live);
  Json& fronts = out["front_caches"] = Json::array();
  for (const FrontSnapshot& f : s.fronts) fronts.push_back(front(f));
  Json& segments = out["segments"] = Json::array();
  for (const SegmentSnapshot& one : s.segments) segments.push_back(segment(s, one));
  // A tag need not be UTF-8.
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::memory
