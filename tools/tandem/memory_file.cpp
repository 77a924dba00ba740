// Reads a memory snapshot, which may have been cut off or made to do harm.
#include "tools/tandem/memory_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

using Json = nlohmann::json;

// A value of two bytes takes 16 and more in memory: so much is read at most.
constexpr std::uint64_t kMostBytes = 64u << 20;
constexpr int kDeepest = 12;
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 60;

[[noreturn]] void refuse(const std::string& why) {
  throw BadInput("expected FILE to be a memory snapshot, got " + why);
}

const Json& member(const Json& o, const char* key) {
  if (!o.is_object() || !o.contains(key)) refuse(fmt::format("one without '{}'", key));
  return o.at(key);
}

std::uint64_t number(const Json& o, const char* key, std::uint64_t most = kMostMemory) {
  const Json& v = member(o, key);
  if (!v.is_number_unsigned() || v.get<std::uint64_t>() > most)
    refuse(fmt::format("one whose '{}' is no whole number from 0 to {}", key, most));
  return v.get<std::uint64_t>();
}

std::uint64_t count(const Json& o, const char* key) { return number(o, key, ~std::uint64_t{0}); }

std::optional<std::uint64_t> limit(const Json& o) {
  if (member(o, "limit").is_null()) return std::nullopt;
  return count(o, "limit");
}

bool flag(const Json& o, const char* key) {
  const Json& v = member(o, key);
  if (!v.is_boolean()) refuse(fmt::format("one whose '{}' is not true or false", key));
  return v.get<bool>();
}

/// Names reach a terminal: no control characters, and not without end.
std::string text(const Json& o, const char* key) {
  constexpr std::size_t kLongest = 1000;
  const Json& v = member(o, key);
  if (!v.is_string()) refuse(fmt::format("one whose '{}' is no text", key));
  std::string s = v.get<std::string>().substr(0, kLongest);
  for (char& c : s) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return s;
}

const Json& list(const Json& o, const char* key) {
  const Json& v = member(o, key);
  if (!v.is_array()) refuse(fmt::format("one whose '{}' is no list", key));
  return v;
}

/// Adds without going over.
void add(std::uint64_t& sum, std::uint64_t n) {
  if (__builtin_add_overflow(sum, n, &sum)) refuse("one with sums beyond 64 bits");
}

std::string title(const Json& o) {
  std::string tag = text(o, "tag");
  if (!tag.empty()) return tag;
  const std::string op = text(o, "op");
  return op.empty() ? "untagged" : "op " + op;
}

MemoryByTitle usage(const Json& all) {
  MemoryByTitle out;
  for (const Json& o : all) {
    MemoryUsage& u = out[title(o)];
    add(u.blocks, number(o, "blocks"));
    add(u.requested, number(o, "requested"));
    add(u.bytes, number(o, "bytes"));
  }
  return out;
}

MemorySlab slab(const Json& o, std::uint64_t range_bytes) {
  MemorySlab s;
  s.block_bytes = number(o, "block_bytes");
  s.blocks = number(o, "blocks");
  s.free = number(o, "free");
  s.live = number(o, "live");
  s.pending = number(o, "pending");
  s.cached = number(o, "cached");
  s.titles = usage(list(o, "tags"));
  std::uint64_t sum = s.free, bytes = 0, live = 0;
  for (const std::uint64_t n : {s.live, s.pending, s.cached}) add(sum, n);
  for (const auto& [name, u] : s.titles) add(live, u.bytes);
  if (sum != s.blocks || s.block_bytes == 0 ||
      __builtin_mul_overflow(s.blocks, s.block_bytes, &bytes) || bytes > range_bytes ||
      live > range_bytes)
    refuse("one with a slab whose blocks do not fit it");
  return s;
}

MemoryRange::State state(const std::string& name) {
  using State = MemoryRange::State;
  if (name == "live") return State::Live;
  if (name == "slab") return State::Slab;
  if (name == "free") return State::Free;
  if (name == "cached") return State::Cached;
  if (name == "hole") return State::Hole;
  if (name == "pending") return State::Pending;
  if (name == "moving") return State::Moving;
  refuse("one with a range in state '" + name + "'");
}

MemoryRange range(const Json& o) {
  MemoryRange r;
  r.offset = number(o, "offset");
  r.bytes = number(o, "bytes");
  r.state = state(text(o, "state"));
  if (o.contains("stream")) r.stream = count(o, "stream");
  if (r.state == MemoryRange::State::Live) r.title = title(o);
  if (r.state == MemoryRange::State::Slab) r.slab = slab(member(o, "slab"), r.bytes);
  return r;
}

MemorySegment segment(const Json& o) {
  MemorySegment s;
  s.address = text(o, "address");
  s.bytes = number(o, "bytes");
  s.pool = count(o, "pool");
  s.is_virtual = flag(o, "virtual");
  s.large = flag(o, "large");
  s.from_resource = text(o, "source") == "resource";
  std::uint64_t at = 0;
  for (const Json& one : list(o, "ranges")) {
    s.ranges.push_back(range(one));
    const MemoryRange& r = s.ranges.back();
    if (r.offset != at || r.bytes == 0) refuse("one with ranges that have gaps or overlap");
    add(at, r.bytes);
  }
  if (at != s.bytes || at == 0) refuse("one with ranges that do not fill their segment");
  return s;
}

void read_statistics(const Json& o, MemoryFile& to) {
  to.requested = number(member(o, "requested"), "current");
  to.allocated = number(member(o, "allocated"), "current");
  to.allocated_peak = number(member(o, "allocated"), "peak");
  to.reserved = number(member(o, "reserved"), "current");
  to.reserved_peak = number(member(o, "reserved"), "peak");
  to.cached = number(o, "cached");
  to.pending = number(o, "pending");
  to.largest_free = number(o, "largest_free");
  to.free_ranges = number(o, "free_ranges");
  to.events = count(o, "events");
  to.waits = count(o, "waits");
  to.out_of_memory = count(o, "out_of_memory");
  to.retries = count(o, "retries");
  to.limit = limit(o);
  const Json& f = member(o, "fragmentation");
  to.fragmentation = f.is_number() ? f.get<double>() : -1;
  if (!(to.fragmentation >= 0 && to.fragmentation <= 1))
    refuse("one whose 'fragmentation' is no number from 0 to 1");
}

MemoryPart part(const Json& o) {
  return {count(o, "id"),
          number(member(o, "reserved"), "current"),
          number(member(o, "allocated"), "current"),
          number(o, "cached"),
          limit(o),
          flag(o, "kept")};
}

MemoryStream stream(const Json& o) {
  return {count(o, "stream"), number(o, "free"), number(o, "front"), number(o, "waited"),
          number(o, "waiting")};
}

Json parsed(const std::string& path) {
  const auto unreadable = [&] {
    throw BadInput("expected FILE to be a file that can be read, got '" + path + "'");
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) unreadable();
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto end = static_cast<std::int64_t>(file.tellg());
  if (!file || end < 0) unreadable();
  if (static_cast<std::uint64_t>(end) > kMostBytes)
    refuse(fmt::format("a file of {}, where {} are the most",
                       memory_text(static_cast<std::uint64_t>(end)), memory_text(kMostBytes)));
  std::string bytes(static_cast<std::size_t>(end), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), end)) unreadable();
  try {
    return Json::parse(bytes, [](int depth, Json::parse_event_t, const Json&) {
      if (depth > kDeepest) refuse("one that is nested too deep");
      return true;
    });
  } catch (const Json::parse_error& e) {  // its text has bytes of the file
    refuse(fmt::format("what is no JSON at byte {}", e.byte));
  } catch (const Json::exception&) {
    refuse("what is no JSON: a number beyond all bounds");
  }
}

}  // namespace

MemoryFile read_memory_file(const std::string& path) {
  const Json o = parsed(path);
  if (!o.is_object() || !o.contains("format") || o["format"] != "tandem memory snapshot")
    refuse("JSON of another format");
  if (number(o, "version") != 1)
    refuse(fmt::format("version {} of the format, where 1 is known", number(o, "version")));
  MemoryFile to;
  to.device = text(o, "device");
  to.driver = text(o, "driver");
  to.mode = text(o, "mode");
  to.plain_asked = flag(o, "plain_asked");
  to.resource = flag(o, "resource");
  to.page = number(o, "page");
  if (to.page == 0) refuse("one whose 'page' is 0");
  to.captures = count(o, "captures");
  read_statistics(member(o, "statistics"), to);
  to.live = usage(list(o, "live"));
  for (const Json& one : list(o, "pools")) to.parts.push_back(part(one));
  for (const Json& one : list(o, "streams")) to.streams.push_back(stream(one));
  std::uint64_t all = 0;
  for (const Json& one : list(o, "segments")) {
    to.segments.push_back(segment(one));
    add(all, to.segments.back().bytes);
  }
  if (all > kMostMemory) refuse("one with more memory than there can be");
  return to;
}

std::string memory_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (bytes >= std::uint64_t{1} << 30) return fmt::format("{:.2f} GiB", b / (1 << 30));
  if (bytes >= std::uint64_t{1} << 20) return fmt::format("{:.2f} MiB", b / (1 << 20));
  if (bytes >= std::uint64_t{1} << 10) return fmt::format("{:.2f} KiB", b / (1 << 10));
  return fmt::format("{} bytes", bytes);
}

}  // namespace tandem::command
