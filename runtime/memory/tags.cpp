// The table of labels: each tag, and each op under a tag, once.
#include "runtime/memory/tags.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "runtime/base/trace.h"
#include "runtime/memory/front_cache.h"
#include "tandem/error.h"
#include "tandem/memory.h"

namespace tandem::memory {

constinit thread_local Label t_tag = 0;

namespace {

constexpr std::size_t kMostLabels = std::size_t{1} << 16;
constexpr std::size_t kLongestName = 200, kLongestTag = 1000;
constexpr Label kFull = 1;  // for tags that the table has no room for

struct Labels {
  std::mutex mutex;
  std::deque<LabelName> names{{"", ""}, {"(too many tags)", ""}};
  std::unordered_map<std::string, Label> numbers;
  /// Never destroyed: memory is allocated after main too.
  static Labels& get() {
    static auto* it = new Labels;
    return *it;
  }

  /// `full` where the table is.
  Label number(const std::string& tag, std::string_view op, Label full) {
    std::string key = tag;
    key += '\n';  // which no name has
    key += op;
    const std::lock_guard<std::mutex> hold(mutex);
    const auto at = numbers.find(key);
    if (at != numbers.end()) return at->second;
    if (names.size() >= kMostLabels) return full;
    const auto label = static_cast<Label>(names.size());
    names.push_back({tag, std::string(op)});
    try {
      numbers.emplace(std::move(key), label);
    } catch (...) {
      names.pop_back();
      throw;
    }
    return label;
  }
  std::string tag(Label label) {
    const std::lock_guard<std::mutex> hold(mutex);
    return names[label].tag;
  }
};

}  // namespace

Label push_tag(std::string_view name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  TANDEM_EXPECTS(plain && !name.empty() && name.size() <= kLongestName, ValueError,
                 "[memory_tag] expected a name of 1 to 200 bytes without control characters, got " +
                     (plain ? std::to_string(name.size()) + " bytes" : "one with some"));
  Labels& all = Labels::get();
  std::string tag = all.tag(t_tag);
  if (!tag.empty()) tag += '/';
  tag += name;
  TANDEM_EXPECTS(tag.size() <= kLongestTag, ValueError,
                 "[memory_tag] expected nested names of at most 1000 bytes together, got " +
                     std::to_string(tag.size()));
  const Label label = all.number(tag, {}, kFull);
  return std::exchange(t_tag, label);
}

Label label_of_op() noexcept {
  const char* op = trace::t_current_op;
  const Label tag = t_tag;
  if (op == nullptr) return tag;
  RecentLabels::One* recent = t_caches == nullptr ? nullptr : &t_caches->labels.of(op, tag);
  if (recent != nullptr && recent->op == op && recent->tag == tag) [[likely]]
    return recent->label;
  try {
    Labels& all = Labels::get();
    const Label label = all.number(all.tag(tag), op, tag);
    if (recent != nullptr) *recent = {op, tag, label};
    return label;
  } catch (const std::bad_alloc&) {
    return tag;
  }
}

std::vector<LabelName> label_names() {
  Labels& all = Labels::get();
  const std::lock_guard<std::mutex> hold(all.mutex);
  return {all.names.begin(), all.names.end()};
}

void lock_labels() { Labels::get().mutex.lock(); }
void unlock_labels() { Labels::get().mutex.unlock(); }

}  // namespace tandem::memory

namespace tandem {

MemoryTag::MemoryTag(std::string_view name) : before_(memory::push_tag(name)) {}
MemoryTag::~MemoryTag() { memory::restore_tag(before_); }

}  // namespace tandem
