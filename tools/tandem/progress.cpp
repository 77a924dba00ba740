// The progress bar, and sizes in words.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "tools/tandem/commands.h"

namespace tandem::command {

std::string bytes_text(double bytes) {
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (bytes < 999.5) break;
    bytes /= 1000;
    unit = next;
  }
  return fmt::format("{:.3g} {}", bytes, unit);
}

Progress::Progress(int steps) : steps_(steps), shown_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::next(const std::string& what) {
  constexpr int kWidth = 24;
  const int full = kWidth * at_ / std::max(1, steps_);
  ++at_;
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K[{}{}] {}/{} {}", std::string(static_cast<std::size_t>(full), '='),
             std::string(static_cast<std::size_t>(kWidth - full), ' '), at_, steps_, what);
  std::fflush(stderr);
}

void Progress::clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace tandem::command
