// What debug mode looks for, how it reports, and the lives of blocks.
#include "runtime/memory/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "runtime/base/trace.h"
#include "runtime/memory/front_cache.h"
#include "runtime/memory/hooks.h"

namespace tandem {
namespace debug {

constinit std::atomic<std::uint32_t> g_parts{0};

namespace {

constinit std::atomic<std::size_t> g_quarantine{Checks{}.quarantine};
constinit std::atomic<std::uint64_t> g_found{0};
thread_local const char* t_last_op = nullptr;

struct PartName {
  std::uint32_t parts;
  std::string_view name;
};
constexpr PartName kParts[] = {
    {kStreams | kMemory, "streams"}, {kStreams, "order"}, {kMemory, "memory"}, {kReport, "report"}};

std::uint32_t parts_from_environment() {
  const char* text = std::getenv("TANDEM_CHECK");
  std::uint32_t parts = 0;
  std::string_view rest(text == nullptr ? "" : text);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    bool known = word.empty();
    for (const PartName& p : kParts) {
      if (p.name != word) continue;
      parts |= p.parts;
      known = true;
    }
    if (!known) {
      fmt::print(
          stderr,
          "[tandem] TANDEM_CHECK: expected a list of streams, order, memory, report, got '{}'\n",
          word);
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return parts;
}

/// As the library is loaded, before there is a pool.
[[maybe_unused]] const bool g_asked = [] {
  g_parts.store(parts_from_environment());
  return true;
}();

/// What is known of a block, and of its memory after it was freed.
struct Life {
  std::size_t bytes = 0;
  std::uint64_t number = 0;
  Device device;
  std::string made_in, last_used_in, freed_in;
  bool poisoned = false;
};

using Lives = std::map<std::uintptr_t, Life>;
struct Known {
  Lives live, freed;
  std::uint64_t made = 0;
  std::deque<std::uintptr_t> order;  // of `freed`, oldest first; some may be gone
};
constexpr std::size_t kMostFreed = std::size_t{1} << 16;

/// Never destroyed: memory is freed after everything else.
Known& known() {
  static Known& k = *new Known;
  return k;
}

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

/// The first range that ends behind `at`: the one around it, or the next one.
Lives::iterator first_behind(Lives& lives, std::uintptr_t at) {
  auto i = lives.upper_bound(at);
  if (i != lives.begin() && std::prev(i)->first + std::prev(i)->second.bytes > at) --i;
  return i;
}

std::string in_words(const Life& life) {
  return fmt::format("{} on {}, allocated {}, {}freed {}", memory::in_words(life.bytes),
                     life.device.str(), life.made_in,
                     life.last_used_in.empty() ? "" : "last used " + life.last_used_in + ", ",
                     life.freed_in);
}

/// The first byte that is not poison; `bytes` where all are.
std::size_t first_written(const unsigned char* p, std::size_t bytes) {
  if (bytes == 0) return 0;
  if (p[0] == kPoison && std::memcmp(p, p + 1, bytes - 1) == 0) return bytes;
  return static_cast<std::size_t>(
      std::find_if(p, p + bytes, [](unsigned char b) { return b != kPoison; }) - p);
}

/// Takes [from, to) out of the freed ranges: what lies beyond it on either side stays.
void cut(Known& k, std::uintptr_t from, std::uintptr_t to) {
  for (auto i = first_behind(k.freed, from); i != k.freed.end() && i->first < to;) {
    const std::uintptr_t base = i->first;
    Life life = std::move(i->second);
    const std::uintptr_t end = base + life.bytes;
    i = k.freed.erase(i);
    if (end > to) {
      Life right = life;
      right.bytes = end - to;
      i = k.freed.emplace(to, std::move(right)).first;
      k.order.push_back(to);
      ++i;
    }
    if (base < from) {
      life.bytes = from - base;
      k.freed.emplace(base, std::move(life));
    }
  }
}

void bound(Known& k) {
  while (k.freed.size() > kMostFreed && !k.order.empty()) {
    k.freed.erase(k.order.front());
    k.order.pop_front();
  }
  if (k.order.size() > 4 * kMostFreed) {  // mostly of ranges that are gone
    std::erase_if(k.order, [&](std::uintptr_t at) { return !k.freed.contains(at); });
  }
}

}  // namespace

std::mutex& mutex() {
  static std::mutex& m = *new std::mutex;
  return m;
}

void print_mistake(const std::string& message) noexcept {
  g_found.fetch_add(1, std::memory_order_relaxed);
  std::fprintf(stderr, "[tandem] check: %s\n", message.c_str());
}

void mistake(const std::string& message) {
  if (on(kReport)) return print_mistake(message);
  g_found.fetch_add(1, std::memory_order_relaxed);
  throw CheckError(message);
}

std::string current_op() {
  if (trace::t_current_op != nullptr) return fmt::format("in '{}'", trace::t_current_op);
  if (t_last_op != nullptr) return fmt::format("after '{}'", t_last_op);
  return "outside of ops";
}

const char* op_name(const char* otherwise) {
  return trace::t_current_op != nullptr ? trace::t_current_op : otherwise;
}

void note_op() noexcept {
  if (trace::t_current_op != nullptr) t_last_op = trace::t_current_op;
}

std::string given_out(Device device, const Block& block) {
  const std::lock_guard<std::mutex> hold(mutex());
  Known& k = known();
  const std::uintptr_t from = address(block.data), to = from + block.size;
  std::string wrong;
  for (auto i = first_behind(k.freed, from); i != k.freed.end() && i->first < to; ++i) {
    if (!device.is_cpu() || !i->second.poisoned || !wrong.empty()) continue;
    const std::uintptr_t low = std::max(from, i->first);
    const std::size_t n = std::min(to, i->first + i->second.bytes) - low;
    const std::size_t at = first_written(reinterpret_cast<const unsigned char*>(low), n);
    if (at == n) continue;
    wrong = fmt::format(
        "[{}] expected freed memory as it was left, got byte {} of it written after it was freed: "
        "{}; it is given out again {}",
        op_name("allocate"), low + at - i->first, in_words(i->second), current_op());
  }
  cut(k, from, to);
  k.live[from] = {.bytes = block.size,
                  .number = ++k.made,
                  .device = device,
                  .made_in = current_op(),
                  .last_used_in = {},
                  .freed_in = {}};
  return wrong;
}

void taken_back(const Block& block) noexcept try {
  const std::lock_guard<std::mutex> hold(mutex());
  Known& k = known();
  auto node = k.live.extract(address(block.data));
  if (node.empty()) return;
  node.mapped().freed_in = current_op();
  k.order.push_back(node.key());
  k.freed.insert(std::move(node));
  bound(k);
} catch (const std::bad_alloc&) {  // less is known
}

void poisoned(const Block& block) noexcept {
  const std::lock_guard<std::mutex> hold(mutex());
  const auto i = known().freed.find(address(block.data));
  if (i != known().freed.end()) i->second.poisoned = true;
}

void forget(const void* data, std::size_t bytes) noexcept try {
  const std::lock_guard<std::mutex> hold(mutex());
  cut(known(), address(data), address(data) + bytes);
} catch (const std::bad_alloc&) {
  known().freed.clear();
}

void used(const void* data) {
  const std::lock_guard<std::mutex> hold(mutex());
  Known& k = known();
  const auto i = first_behind(k.live, address(data));
  if (i != k.live.end() && i->first <= address(data)) i->second.last_used_in = current_op();
}

std::uint64_t life_of(const void* data) {
  const std::lock_guard<std::mutex> hold(mutex());
  Known& k = known();
  const auto i = first_behind(k.live, address(data));
  return i != k.live.end() && i->first <= address(data) ? i->second.number : 0;
}

std::string freed_by(const void* data, std::size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex());
  Known& k = known();
  const auto i = first_behind(k.freed, address(data));
  if (i == k.freed.end() || i->first >= address(data) + bytes) return "";
  return in_words(i->second);
}

std::string written_to(const Block& block, std::size_t offset, const unsigned char* copy,
                       std::size_t bytes) {
  const std::size_t at = first_written(copy, bytes);
  if (at == bytes) return "";
  const std::lock_guard<std::mutex> hold(mutex());
  const auto i = known().freed.find(address(block.data));
  if (i == known().freed.end() || !i->second.poisoned) return "";
  return fmt::format(
      "[{}] expected freed memory as it was left, got byte {} of it written after it was freed: {}",
      op_name("empty_cache"), offset + at, in_words(i->second));
}

}  // namespace debug

void set_checks(const Checks& c) {
  const Checks now = checks();
  if (c.memory != now.memory || c.quarantine != now.quarantine) {
    memory::Registry& all = memory::Registry::get();
    const std::lock_guard<std::mutex> hold(all.mutex);
    TANDEM_EXPECTS(all.pools.empty(), ValueError,
                   "[set_checks] argument 'memory': expected to be set before memory is allocated, "
                   "got a change while there are pools");
  }
  debug::g_quarantine.store(c.quarantine);
  debug::g_parts.fetch_and(~(debug::kChecks | debug::kReport));
  debug::g_parts.fetch_or((c.streams ? debug::kStreams : 0u) | (c.memory ? debug::kMemory : 0u) |
                          (c.report ? debug::kReport : 0u));
}

Checks checks() {
  return {.streams = debug::on(debug::kStreams),
          .memory = debug::on(debug::kMemory),
          .report = debug::on(debug::kReport),
          .quarantine = debug::g_quarantine.load()};
}

std::uint64_t mistakes_found() { return debug::g_found.load(); }

}  // namespace tandem
