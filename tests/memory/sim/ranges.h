// What a program's model knows of the addresses: live blocks, and freed ones that lie idle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "runtime/memory/driver.h"
#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

class Ranges {
 public:
  struct Idle {
    std::uint64_t to = 0;
    StreamId stream;
    Point freed;
    std::vector<Point> uses;  // of other streams, before the free
    bool untouched = false;   // its stream did nothing since, and has nothing pending
  };

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

  /// A block was freed that its own stream may have again: at once, but for others' uses.
  void idle(std::uint64_t from, const Idle& idle) { idle_[from] = idle; }
  template <class F>
  bool any_idle(F f) const {
    return std::any_of(idle_.begin(), idle_.end(), f);
  }
  /// The stream allocates or frees: what of its memory lies idle may be joined with newer.
  void touch(StreamId stream) {
    for (auto& [from, i] : idle_) i.untouched = i.untouched && !(i.stream == stream);
  }
  /// The host waited for streams: what those had waited for before is done as well.
  void waited() {
    for (auto& [from, i] : idle_) i.untouched = false;
  }
  /// A graph runs behind its last replay, on whatever stream: an order that pools do not know.
  void replayed() {
    waited();
    forget_idle([](const auto& idle) { return !idle.second.uses.empty(); });
  }
  template <class F>
  void forget_idle(F f) {
    std::erase_if(idle_, f);
  }

 private:
  std::map<std::uint64_t, std::uint64_t> live_;  // from, to
  std::map<std::uint64_t, Idle> idle_;
};

}  // namespace tandem::test
