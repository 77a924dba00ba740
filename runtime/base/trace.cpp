// The log of hidden costs, and the ranges of ops.
#include "runtime/base/trace.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tandem::trace {

namespace {
struct TopicName {
  Topic topic;
  std::string_view name;
};
constexpr TopicName kTopics[] = {{kSync, "sync"}, {kCopy, "copy"}, {kAlloc, "alloc"}, {kOp, "op"}};

std::uint32_t topics_from_environment() {
  const char* text = std::getenv("TANDEM_LOG");
  if (text == nullptr) return 0;
  std::uint32_t topics = 0;
  std::string_view rest(text);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    bool known = word.empty();
    for (const TopicName& t : kTopics) {
      if (t.name != word) continue;
      topics |= t.topic;
      known = true;
    }
    if (!known) {
      fmt::print(stderr,
                 "[tandem] TANDEM_LOG: expected a list of sync, copy, alloc, op, got '{}'\n", word);
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return topics;
}
}  // namespace

const std::uint32_t g_topics = topics_from_environment();
constinit thread_local const char* t_current_op = nullptr;

namespace {

Ranges g_backend;  // written once, before g_ranges points to what reads it

void log_op(const char* op) {
  // Its own line's subject is the op, not the one around it.
  fmt::print(stderr, "[tandem] op {}\n", op);
}
void nothing() {}
void log_and_push(const char* op) {
  log_op(op);
  g_backend.push(op);
}
void pop_backend() { g_backend.pop(); }

constexpr Ranges kLog{&log_op, &nothing};
constexpr Ranges kLogAndBackend{&log_and_push, &pop_backend};

}  // namespace

std::atomic<const Ranges*> g_ranges{on(kOp) ? &kLog : nullptr};

void set_backend_ranges(Ranges ranges) {
  if (ranges.push == nullptr || ranges.pop == nullptr) return;
  g_backend = ranges;
  g_ranges.store(on(kOp) ? &kLogAndBackend : &g_backend, std::memory_order_release);
}

void write(Topic topic, std::string_view text) {
  std::string_view label;
  for (const TopicName& t : kTopics) {
    if (t.topic == topic) label = t.name;
  }
  fmt::print(stderr, "[tandem] {} {}: {}\n", label, t_current_op == nullptr ? "-" : t_current_op,
             text);
}

}  // namespace tandem::trace
