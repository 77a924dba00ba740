// The map of uses by address: entries are split where a use ends inside of them, and joined when
// the memory gets another owner.
#include "tests/memory/sim/shadow.h"

#include <iterator>

namespace tandem::test {

/// The first entry that ends behind `at`.
Shadow::Map::const_iterator Shadow::first(std::uint64_t at) const {
  auto it = at_.upper_bound(at);
  if (it != at_.begin() && std::prev(it)->second.to > at) --it;
  return it;
}

/// The first entry at or behind `at`, after none straddles it.
Shadow::Map::iterator Shadow::split(std::uint64_t at) {
  auto it = at_.lower_bound(at);
  if (it == at_.begin()) return it;
  const auto before = std::prev(it);
  if (before->second.to <= at) return it;
  Entry rest = before->second;
  before->second.to = at;
  return at_.emplace_hint(it, at, std::move(rest));
}

/// Of one stream only the last use by the owner and the last by anyone else are of interest.
void Shadow::note(std::vector<Use>& uses, Use use, std::uint64_t owner) {
  for (Use& known : uses) {
    if (known.slot != use.slot || (known.owner == owner) != (use.owner == owner)) continue;
    if (use.position > known.position) known = use;
    return;
  }
  uses.push_back(use);
}

bool Shadow::use(Bytes where, Use use, const Clock& before, const Clock& seen, Conflict* conflict) {
  bool ordered = true, own = true;
  auto it = first(where.from);
  const bool same = it != at_.end() && it->first == where.from && it->second.to == where.to;
  for (auto at = it; at != at_.end() && at->first < where.to; ++at) {
    own = own && at->second.owner == use.owner;
    for (const Use& u : at->second.uses) {
      if (!ordered || u.owner == use.owner || before[u.slot] >= u.position) continue;
      ordered = false;
      *conflict = {u, {std::max(where.from, at->first), std::min(where.to, at->second.to)}};
    }
  }
  if (own && same) {
    note(at_.find(where.from)->second.uses, use, use.owner);
  } else if (own) {
    add(where, use);
  } else {
    replace(where, use, seen);
  }
  return ordered;
}

/// All of the range is this owner's from now on. One entry with everybody's uses is as exact as
/// many: whatever comes later must come after this use, and all of them came before it.
void Shadow::replace(Bytes where, Use use, const Clock& seen) {
  std::vector<Use> uses;
  const auto end = split(where.to);
  const auto begin = split(where.from);
  for (auto it = begin; it != end; ++it) {
    for (const Use& u : it->second.uses) {
      if (seen[u.slot] < u.position) note(uses, u, use.owner);
    }
  }
  at_.erase(begin, end);
  note(uses, use, use.owner);
  at_.emplace(where.from, Entry{where.to, use.owner, std::move(uses)});
}

/// A part of what the owner used, or several, or more.
void Shadow::add(Bytes where, Use use) {
  split(where.to);
  std::uint64_t at = where.from;
  for (auto it = split(where.from); at < where.to; ++it) {
    if (it == at_.end() || it->first > at) {
      const std::uint64_t to = it == at_.end() ? where.to : std::min(where.to, it->first);
      it = at_.emplace_hint(it, at, Entry{to, use.owner, {}});
    }
    note(it->second.uses, use, use.owner);
    at = it->second.to;
  }
}

bool Shadow::finished(Bytes where, const Clock& seen, Conflict* conflict) const {
  for (auto it = first(where.from); it != at_.end() && it->first < where.to; ++it) {
    for (const Use& u : it->second.uses) {
      if (seen[u.slot] >= u.position) continue;
      *conflict = {u, {it->first, it->second.to}};
      return false;
    }
  }
  return true;
}

void Shadow::erase(Bytes where) {
  const auto end = split(where.to);
  at_.erase(split(where.from), end);
}

}  // namespace tandem::test
