// Out of memory, in words.
#include "runtime/memory/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/memory/hooks.h"

namespace tandem::memory {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMostNamed = 5;

/// Sums that several sentences need.
struct Sizes {
  const PoolStats* mine = nullptr;  // the part that the request is for
  std::size_t kept = 0;             // free, and kept for graphs other than the request's
  unsigned keepers = 0;
  std::size_t others = 0;  // of the device's memory, neither free nor the pool's
};

Sizes sizes_of(const OutOfMemoryFacts& f) {
  Sizes s;
  for (const PoolStats& p : f.held.pools) {
    if (p.id == f.pool) {
      s.mine = &p;
    } else if (p.kept && p.cached != 0) {
      s.kept += p.cached;
      ++s.keepers;
    }
  }
  if (f.device.has_value()) {
    const std::size_t known = f.device->free + f.held.stats.reserved.current;
    s.others = f.device->total - std::min(f.device->total, known);
  }
  return s;
}

/// "; most of it is of encoder (40.00 MiB)", or nothing.
std::string most_live(const OutOfMemoryFacts& f) {
  const auto live = by_title(f.held.live, f.held.labels);
  if (live.empty()) return "";
  return fmt::format("; most of it is of {} ({})", live[0].first, in_words(live[0].second.bytes));
}

/// Where a limit is in the way that nothing but the limit's owner can change.
std::string limit_advice(const OutOfMemoryFacts& f, const Sizes& sizes) {
  const MemoryStats& s = f.held.stats;
  if (sizes.mine != nullptr && sizes.mine->limit != kNoLimit) {
    const PoolStats& p = *sizes.mine;
    if (f.bytes > p.limit - std::min(p.limit, p.allocated.current)) {
      return fmt::format(
          "The limit of {} of pool {} stops it: raise it (set_pool_memory_limit), or free some of "
          "the {} that are live there.",
          in_words(p.limit), p.id, in_words(p.allocated.current));
    }
  }
  if (s.limit == kNoLimit || f.bytes <= s.limit - std::min(s.limit, s.allocated.current)) return "";
  return fmt::format(
      "The limit of {} stops it: raise it (set_memory_limit), or free live memory{}.",
      in_words(s.limit), most_live(f));
}

/// Where there is enough free memory, but not in one piece.
std::string piece_advice(const OutOfMemoryFacts& f) {
  const std::size_t cached = f.held.stats.cached;
  if (f.held.plain_asked) {
    return fmt::format(
        "TANDEM_POOL=plain is on: the {} that are free lie in segments that cannot be joined; "
        "without it they can.",
        in_words(cached));
  }
  if (f.held.scattered != 0) {
    const auto most =
        std::max_element(f.held.scattered_by.begin(), f.held.scattered_by.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const LabelName name =
        most->first < f.held.labels.size() ? f.held.labels[most->first] : LabelName{};
    return fmt::format(
        "{} of what is free lie in pages with live memory, most often of {}: allocate what lives "
        "long before what does not.",
        in_words(f.held.scattered), title(name));
  }
  return fmt::format(
      "{} are free, in pieces of at most {}: allocate the largest first, and what lives long "
      "before what does not.",
      in_words(cached), in_words(f.held.stats.largest_free));
}

/// "stream 2 8.00 MiB, stream 3 1.00 MiB": the largest, by stream; empty where all are zero.
std::string by_stream(const Snapshot& held, std::size_t StreamSnapshot::*what) {
  std::vector<std::pair<std::size_t, std::uint64_t>> all;
  for (const auto& [id, s] : held.streams) {
    if (s.*what != 0) all.emplace_back(s.*what, stream_number(id));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), kMostNamed); ++i) {
    out += fmt::format("{}stream {} {}", i == 0 ? "" : ", ", all[i].second, in_words(all[i].first));
  }
  if (all.size() > kMostNamed) out += fmt::format(", {} more", all.size() - kMostNamed);
  return out;
}

std::string live_line(const OutOfMemoryFacts& f) {
  const auto live = by_title(f.held.live, f.held.labels);
  std::string out = fmt::format("\n  live {}", in_words(f.held.stats.allocated.current));
  std::size_t rest = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const Usage& u = live[i].second;
    if (i >= kMostNamed) {
      rest += u.bytes;
      continue;
    }
    out += fmt::format("{}{} {} in {} block{}", i == 0 ? ": " : ", ", live[i].first,
                       in_words(u.bytes), u.blocks, u.blocks == 1 ? "" : "s");
  }
  if (rest != 0) out += fmt::format(", {} others {}", live.size() - kMostNamed, in_words(rest));
  return out;
}

std::string device_line(const OutOfMemoryFacts& f, const Sizes& sizes) {
  if (!f.device.has_value()) return "\n  device unknown";
  return fmt::format("\n  device {} free of {}; this pool holds {}, others {}",
                     in_words(f.device->free), in_words(f.device->total),
                     in_words(f.held.stats.reserved.current), in_words(sizes.others));
}

}  // namespace

std::string advice(const OutOfMemoryFacts& f) {
  const MemoryStats& s = f.held.stats;
  const Sizes sizes = sizes_of(f);
  if (f.failed)
    return "The device reported an error: until that is found, less memory may not help.";
  if (std::string limit = limit_advice(f, sizes); !limit.empty()) return limit;
  if (f.held.has_resource)
    return "The resource under the pool has no more (set_memory_resource): give it more, or free "
           "live memory" +
           most_live(f) + ".";
  if (f.device.has_value() && f.bytes > f.device->total)
    return "It is more than the device has: work in parts.";
  if (f.held.captures != 0)
    return "A capture is under way, where nothing is given back and nothing waits: run the work "
           "once before it is captured, or call trim_memory before the capture.";
  if (const std::string streams = by_stream(f.held, &StreamSnapshot::waited);
      s.pending != 0 && s.pending >= f.bytes / 2) {
    return fmt::format(
        "{} wait for other streams ({}): synchronise those, or let this one wait "
        "for an Event of theirs.",
        in_words(s.pending), streams.empty() ? "done by now" : streams);
  }
  if (sizes.kept != 0 && sizes.kept >= f.bytes / 2) {
    return fmt::format(
        "{} of free memory are kept for {} graph{}: drop those that are not "
        "replayed any more.",
        in_words(sizes.kept), sizes.keepers, sizes.keepers == 1 ? "" : "s");
  }
  if (s.cached - std::min(s.cached, sizes.kept) >= f.bytes) return piece_advice(f);
  if (sizes.others >= f.bytes)
    return fmt::format(
        "Others hold {} of the device, other processes or libraries: end them, or "
        "cap what they take.",
        in_words(sizes.others));
  if (s.allocated.current == 0) return "Nothing is live here: work in smaller parts.";
  return "Free live memory, or work in smaller parts" + most_live(f) + ".";
}

std::string report(const OutOfMemoryFacts& f) {
  const MemoryStats& s = f.held.stats;
  const Sizes sizes = sizes_of(f);
  std::string out = fmt::format(
      "[allocate] expected {} of memory on {}, got {}: requested {} bytes", in_words(f.bytes),
      f.held.device.str(), f.failed ? "a device error" : "none", f.bytes);
  if (!f.label.op.empty()) out += " in " + f.label.op;
  if (!f.label.tag.empty()) out += ", tag " + f.label.tag;
  if (f.held.asynchronous) out += fmt::format(", stream {}", stream_number(f.stream.id));
  out += live_line(f);
  out += fmt::format("\n  cached {}, largest free range {}, limit {}", in_words(s.cached),
                     in_words(s.largest_free), in_words(s.limit));
  if (sizes.mine != nullptr && (f.pool != 0 || sizes.mine->limit != kNoLimit)) {
    const PoolStats& p = *sizes.mine;
    out += fmt::format("\n  of these in pool {}, which it is for: live {}, cached {}, limit {}",
                       p.id, in_words(p.allocated.current), in_words(p.cached), in_words(p.limit));
  }
  if (s.pending != 0) {
    out += "\n  waiting for other streams " + in_words(s.pending);
    const std::string streams = by_stream(f.held, &StreamSnapshot::waited);
    if (!streams.empty()) out += ": " + streams;
  }
  if (const std::string free = by_stream(f.held, &StreamSnapshot::free); !free.empty())
    out += "\n  free in the order of one stream alone: " + free;
  if (sizes.kept != 0) {
    out += fmt::format("\n  free but kept for {} graph{}: {}", sizes.keepers,
                       sizes.keepers == 1 ? "" : "s", in_words(sizes.kept));
  }
  out += device_line(f, sizes);
  return out + "\n  " + advice(f);
}

}  // namespace tandem::memory
