// What a snapshot's state asks for. Each rule has a threshold below which it says nothing.
#include <fmt/format.h>

#include <algorithm>

#include "tools/tandem/memory_file.h"

namespace tandem::command {
namespace {

using State = MemoryRange::State;

constexpr std::uint64_t kWorth = std::uint64_t{1} << 20;  // less is not worth a word

std::string s(std::uint64_t n) { return n == 1 ? "" : "s"; }

/// A tenth of what is held, and a MiB at least.
bool matters(const MemoryFile& f, std::uint64_t bytes) {
  return bytes >= kWorth && bytes >= f.reserved / 10;
}

/// Free memory in pages that live blocks keep: what could go back, or serve elsewhere, without
/// them.
struct Pinned {
  std::uint64_t bytes = 0, pages = 0;
  std::map<std::string, std::uint64_t> by_title;  // free bytes, under what holds most of the page
};

/// One page's worth of ranges.
class Page {
 public:
  void add(const MemoryRange& r) {
    if (r.state == State::Free || r.state == State::Cached) free_ += r.bytes;
    if (r.state == State::Live) live_[r.title] += r.bytes;
    if (r.state == State::Pending || r.state == State::Moving) busy_ = true;
    if (r.state != State::Slab) return;
    for (const auto& [title, u] : r.slab.titles) live_[title] += u.bytes;
    free_ += r.slab.free * r.slab.block_bytes;
  }
  void end(Pinned& to) const {
    if (free_ == 0 || live_.empty() || busy_) return;
    const auto most =
        std::max_element(live_.begin(), live_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    std::uint64_t live = 0;
    for (const auto& [title, bytes] : live_) live += bytes;
    if (live > free_) return;  // well used
    to.bytes += free_;
    ++to.pages;
    to.by_title[most->first] += free_;
  }

 private:
  std::uint64_t free_ = 0;
  bool busy_ = false;
  std::map<std::string, std::uint64_t> live_;
};

Pinned pinned(const MemoryFile& f) {
  Pinned out;
  for (const MemorySegment& segment : f.segments) {
    if (segment.large) continue;  // whole pages, but for the ends of its ranges
    // A plain segment goes back as a whole.
    const std::uint64_t unit = segment.is_virtual ? f.page : segment.bytes;
    for (std::size_t i = 0; i < segment.ranges.size();) {
      const std::uint64_t number = segment.ranges[i].offset / unit;
      Page page;
      for (; i < segment.ranges.size() && segment.ranges[i].offset / unit == number; ++i)
        page.add(segment.ranges[i]);
      page.end(out);
    }
  }
  return out;
}

void about_pieces(const MemoryFile& f, std::vector<std::string>& out) {
  const Pinned p = pinned(f);
  if (matters(f, p.bytes)) {
    const auto most =
        std::max_element(p.by_title.begin(), p.by_title.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out.push_back(fmt::format(
        "{} are free but pinned by {} {}{} that small live blocks keep, most by {} ({}): allocate "
        "these before what lives shorter, or make one tensor of them.",
        memory_text(p.bytes), p.pages, f.mode == "virtual" ? "page" : "segment", s(p.pages),
        most->first, memory_text(most->second)));
  }
  if (f.plain_asked && matters(f, f.free_ranges - std::min(f.free_ranges, f.largest_free))) {
    out.push_back(fmt::format(
        "TANDEM_POOL=plain is on: {} are free, but at most {} in one piece. Without it, pages are "
        "joined wherever they lie.",
        memory_text(f.free_ranges), memory_text(f.largest_free)));
  } else if (f.fragmentation > 0.5 && f.mode != "virtual" && matters(f, f.free_ranges)) {
    out.push_back(fmt::format(
        "{} are free, but at most {} in one piece: call trim_memory when large tensors are gone, "
        "and allocate the largest first.",
        memory_text(f.free_ranges), memory_text(f.largest_free)));
  }
}

void about_streams(const MemoryFile& f, std::vector<std::string>& out) {
  for (const MemoryStream& one : f.streams) {
    if (one.waited >= kWorth)
      out.push_back(fmt::format(
          "{} wait for stream {}: they were freed while its work might use them. Free them after "
          "that work, or synchronise it.",
          memory_text(one.waited), one.stream));
    if (f.streams.size() > 1 && matters(f, one.free))
      out.push_back(fmt::format(
          "{} are free in the order of stream {} alone: others take them without a wait once they "
          "have waited for an Event of it.",
          memory_text(one.free), one.stream));
  }
}

void about_parts(const MemoryFile& f, std::vector<std::string>& out) {
  std::uint64_t kept = 0, graphs = 0;
  for (const MemoryPart& p : f.parts) {
    if (p.kept && p.cached >= kWorth) {
      kept += p.cached;
      ++graphs;
    }
    if (p.limit.has_value() && p.reserved >= *p.limit - *p.limit / 10 && p.id != 0)
      out.push_back(fmt::format("Pool {} is at its limit of {}: raise it (set_pool_memory_limit).",
                                p.id, memory_text(*p.limit)));
  }
  if (matters(f, kept))
    out.push_back(fmt::format(
        "{} are kept for {} graph{}, for their replays: drop graphs that are not replayed any "
        "more.",
        memory_text(kept), graphs, s(graphs)));
  if (f.captures != 0)
    out.push_back(
        fmt::format("{} capture{} under way: nothing goes back and nothing waits until then.",
                    f.captures, f.captures == 1 ? " is" : "s are"));
}

void about_limit(const MemoryFile& f, std::vector<std::string>& out) {
  if (!f.limit.has_value()) {
    if (f.out_of_memory != 0)
      out.push_back(fmt::format(
          "{} allocation{} failed without a limit: the device was full. Work in smaller parts, or "
          "set_memory_limit to fail before others do.",
          f.out_of_memory, s(f.out_of_memory)));
    return;
  }
  if (f.out_of_memory != 0 || f.reserved_peak >= *f.limit - *f.limit / 10) {
    out.push_back(fmt::format(
        "The peak of {} is at the limit of {}, and {} allocation{} failed: raise it with "
        "set_memory_limit where the device has more.",
        memory_text(f.reserved_peak), memory_text(*f.limit), f.out_of_memory, s(f.out_of_memory)));
  } else if (f.reserved_peak < *f.limit / 2) {
    out.push_back(fmt::format("The limit of {} is more than twice the peak of {}: it can be lower.",
                              memory_text(*f.limit), memory_text(f.reserved_peak)));
  }
}

void about_cached(const MemoryFile& f, std::vector<std::string>& out) {
  if (f.cached > f.reserved / 2 && f.cached >= 64 * kWorth)
    out.push_back(fmt::format(
        "{} of {} are cached: if the peak of {} does not come again, trim_memory(device, {}) gives "
        "the rest back.",
        memory_text(f.cached), memory_text(f.reserved), memory_text(f.allocated_peak),
        f.allocated));
  if (f.retries != 0)
    out.push_back(fmt::format(
        "{} allocation{} had memory only after all that was idle had gone back: the memory is "
        "nearly full, and each such step is slow.",
        f.retries, s(f.retries)));
  const auto untagged = f.live.find("untagged");
  if (untagged != f.live.end() && matters(f, untagged->second.bytes))
    out.push_back(fmt::format(
        "{} of live memory have no tag: MemoryTag (memory_tag in Python) tells whose they are.",
        memory_text(untagged->second.bytes)));
}

}  // namespace

std::vector<std::string> memory_advice(const MemoryFile& f) {
  std::vector<std::string> out;
  about_pieces(f, out);
  about_streams(f, out);
  about_parts(f, out);
  about_limit(f, out);
  about_cached(f, out);
  if (out.empty()) out.emplace_back("Nothing to do.");
  return out;
}

}  // namespace tandem::command
