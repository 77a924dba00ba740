// What a program's model knows of the addresses: live blocks, and freed ones that lie idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

#include "runtime/memory/driver.h"

namespace tandem::test {

class Ranges {
 public:
  /// False where another live block has some of it. Idle memory that it takes is forgotten.
  bool add(std::uint64_t from, std::uint64_t to) {
    if (live_in(from, to)) return false;
    live_.emplace(from, to);
    for (auto it = idle_.lower_bound(from); it != idle_.end() && it->first < to;)
      it = idle_.erase(it);
    const auto after = idle_.lower_bound(from);
    if (after != idle_.begin() && std::prev(after)->second.to > from) idle_.erase(std::prev(after));
    return true;
  }
  void remove(std::uint64_t from) { live_.erase(from); }
  bool live_in(std::uint64_t from, std::uint64_t to) const {
    const auto after = live_.lower_bound(from);
    return (after != live_.end() && after->first < to) ||
           (after != live_.begin() && std::prev(after)->second > from);
  }

  /// A block was freed that its own stream may have again at once.
  void idle(std::uint64_t from, std::uint64_t to, StreamId stream) { idle_[from] = {to, stream}; }
  bool idle_fits(StreamId stream, std::size_t bytes) const {
    for (const auto& [from, i] : idle_) {
      if (i.stream == stream && i.to - from >= bytes) return true;
    }
    return false;
  }
  /// It may have been given back.
  void forget_idle() { idle_.clear(); }

 private:
  struct Idle {
    std::uint64_t to = 0;
    StreamId stream;
  };
  std::map<std::uint64_t, std::uint64_t> live_;  // from, to
  std::map<std::uint64_t, Idle> idle_;
};

}  // namespace tandem::test
