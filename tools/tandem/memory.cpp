// `tandem memory`: what a memory snapshot says, as tables, advice and a picture.
#include <fmt/format.h>

#include <algorithm>

#include "tools/tandem/commands.h"
#include "tools/tandem/memory_file.h"

namespace tandem::command {
namespace {

struct Options {
  std::string snapshot;
  std::string out;
};

constexpr std::size_t kMostRows = 20, kWidest = 60;

std::string limit_text(const std::optional<std::uint64_t>& limit) {
  return limit.has_value() ? memory_text(*limit) : "none";
}

void print_sums(const MemoryFile& f) {
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("{:<10} {}\n", what, value);
  };
  line("device",
       fmt::format("{} ({}), {}", f.device, f.driver,
                   f.mode == "virtual" ? "pages of " + memory_text(f.page) + " in address space"
                                       : f.mode + " segments"));
  line("held", fmt::format("{}, at most {}; limit {}", memory_text(f.reserved),
                           memory_text(f.reserved_peak), limit_text(f.limit)));
  line("live", fmt::format("{}, at most {}; asked for {}", memory_text(f.allocated),
                           memory_text(f.allocated_peak), memory_text(f.requested)));
  line("cached", fmt::format("{}; largest free {}; fragmentation {:.2f}", memory_text(f.cached),
                             memory_text(f.largest_free), f.fragmentation));
  line("pending", memory_text(f.pending));
  line("recorded", fmt::format("{} events, {} waits; {} allocations failed, {} had memory only "
                               "after giving back",
                               f.events, f.waits, f.out_of_memory, f.retries));
}

void print_live(const MemoryFile& f) {
  std::vector<std::pair<std::string, MemoryUsage>> all(f.live.begin(), f.live.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  if (all.empty()) return;
  std::size_t width = 8;
  const std::size_t shown = std::min(all.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i)
    width = std::max(width, std::min(all[i].first.size(), kWidest));
  fmt::print("\n{:<{}}  {:>10}  {:>10}  {:>10}\n", "live", width, "bytes", "asked for", "blocks");
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [title, u] = all[i];
    fmt::print("{:<{}}  {:>10}  {:>10}  {:>10}\n", title.substr(0, kWidest), width,
               memory_text(u.bytes), memory_text(u.requested), u.blocks);
  }
  if (shown < all.size()) fmt::print("and {} more\n", all.size() - shown);
}

void print_parts(const MemoryFile& f) {
  if (f.parts.size() > 1) {
    fmt::print("\n{:<8}  {:>10}  {:>10}  {:>10}  {:>10}\n", "pool", "held", "live", "cached",
               "limit");
    for (std::size_t i = 0; i < std::min(f.parts.size(), kMostRows); ++i) {
      const MemoryPart& p = f.parts[i];
      fmt::print("{:<8}  {:>10}  {:>10}  {:>10}  {:>10}\n",
                 p.id == 0 ? "shared" : fmt::format("{}", p.id), memory_text(p.reserved),
                 memory_text(p.allocated), memory_text(p.cached), limit_text(p.limit));
    }
    if (f.parts.size() > kMostRows) fmt::print("and {} more\n", f.parts.size() - kMostRows);
  }
  if (f.streams.empty()) return;
  fmt::print("\n{:<8}  {:>12}  {:>13}  {:>12}  {:>12}\n", "stream", "free in its", "in threads'",
             "others' that", "its own that");
  fmt::print("{:<8}  {:>12}  {:>13}  {:>12}  {:>12}\n", "", "order alone", "front caches",
             "wait for it", "wait");
  for (std::size_t i = 0; i < std::min(f.streams.size(), kMostRows); ++i) {
    const MemoryStream& s = f.streams[i];
    fmt::print("{:<8}  {:>12}  {:>13}  {:>12}  {:>12}\n", s.stream, memory_text(s.free),
               memory_text(s.front), memory_text(s.waited), memory_text(s.waiting));
  }
  if (f.streams.size() > kMostRows) fmt::print("and {} more\n", f.streams.size() - kMostRows);
}

void run(const Options& o) {
  const MemoryFile f = read_memory_file(o.snapshot);
  print_sums(f);
  print_live(f);
  print_parts(f);
  fmt::print("\nwhat to do\n");
  for (const std::string& sentence : memory_advice(f)) fmt::print("- {}\n", sentence);
  if (o.out.empty()) return;
  draw_memory(f, o.out);
  fmt::print("\npicture in {}\n", o.out);
}

}  // namespace

void add_memory(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "memory", "Show a memory snapshot: who has what, what to do about it, and a picture");
  sub->add_option("SNAPSHOT", o->snapshot, "A file of write_memory_snapshot")->required();
  sub->add_option("--out", o->out, "A PNG to draw the segments into");
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
