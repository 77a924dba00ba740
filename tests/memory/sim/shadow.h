// Who used which memory, and whether that happened before: exact, by vector clocks. Shares nothing
// with the code under test.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tandem::test {

/// Streams that may exist at once, with the destroyed ones whose work the host has not seen done.
inline constexpr std::size_t kMaxSlots = 64;

/// For each stream the number of its items that happened before something.
using Clock = std::array<std::uint32_t, kMaxSlots>;

inline void join(Clock& to, const Clock& from) {
  for (std::size_t i = 0; i < kMaxSlots; ++i) to[i] = std::max(to[i], from[i]);
}

/// An item of a stream: a use by the owner of memory.
struct Use {
  std::uint64_t owner = 0;
  std::uint32_t slot = 0, position = 0;
};

struct Bytes {
  std::uint64_t from = 0, to = 0;
};

/// The uses of every address that a later use by another owner must come after.
class Shadow {
 public:
  struct Conflict {
    Use earlier;
    Bytes where;
  };

  /// Enters a use, which happens after everything in `before`. What `seen` covers happened before
  /// all that is still to come and is forgotten. Returns whether uses by all other owners came
  /// before it; if not, one that did not.
  bool use(Bytes where, Use use, const Clock& before, const Clock& seen, Conflict* conflict);
  /// Whether `seen` covers all uses; if not, one that it does not.
  bool finished(Bytes where, const Clock& seen, Conflict* conflict) const;
  /// The memory went: another may come at the address.
  void erase(Bytes where);
  std::size_t size() const { return at_.size(); }

 private:
  struct Entry {
    std::uint64_t to = 0, owner = 0;
    std::vector<Use> uses;
  };
  using Map = std::map<std::uint64_t, Entry>;

  Map::iterator split(std::uint64_t at);
  Map::const_iterator first(std::uint64_t at) const;
  void replace(Bytes where, Use use, const Clock& seen);
  void add(Bytes where, Use use);
  static void note(std::vector<Use>& uses, Use use, std::uint64_t owner);

  Map at_;
};

}  // namespace tandem::test
