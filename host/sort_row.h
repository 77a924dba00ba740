// Sorting and selecting within one dense row: keys with their indices in, elements and indices out.
// Internal to host/.
#pragma once

#include <cstring>

#include "host/radix.h"
#include "host/sorting.h"

namespace tandem::host {

/// What a thread sorts rows with; `pairs` are two arrays of the row's length.
template <class E>
struct RowMemory {
  E* pairs[2];
  RadixCounts* counts;
};

/// Keys of a dtype in one order.
struct Order {
  fn::KeyRule rule;
  std::uint64_t flip;  // rule.mask where the order is descending

  std::uint64_t key(std::uint64_t bits) const { return fn::sort_key(bits, rule) ^ flip; }
  std::uint64_t nan() const { return rule.mask ^ flip; }
  int bits() const { return 64 - __builtin_clzll(rule.mask); }
};

/// keys[i] = key of x[i]. The rule's kind is decided outside the loop, which can then be
/// vectorised.
template <class U, class K>
void keys_of(const U* x, std::int64_t n, const Order& o, K* keys) {
  const auto mask = static_cast<U>(o.rule.mask);
  const auto sign = static_cast<U>(o.rule.sign);
  const auto inf = static_cast<U>(o.rule.inf);
  const auto flip = static_cast<U>(o.flip);
  const auto magnitude_bits = static_cast<U>(~sign);
  if (o.rule.truth) {
    for (std::int64_t i = 0; i < n; ++i) keys[i] = static_cast<U>(U(x[i] != 0 ? 1 : 0) ^ flip);
    return;
  }
  if (inf == 0) {
    const auto change = static_cast<U>(sign ^ flip);
    for (std::int64_t i = 0; i < n; ++i) keys[i] = static_cast<U>(x[i] ^ change);
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const U bits = x[i];
    const U magnitude = bits & magnitude_bits;
    const U turned = static_cast<U>((bits & sign) != 0 ? ~bits : bits | sign);
    const U number = magnitude == 0 ? sign : turned;
    keys[i] = static_cast<U>((magnitude > inf ? mask : number) ^ flip);
  }
}

/// pairs[i] = key and index of x[i], for i in [first, last).
template <class U, class E>
void load_pairs(const U* x, std::int64_t first, std::int64_t last, const Order& o, E* pairs) {
  constexpr std::int64_t kBlock = 512;
  U keys[kBlock];
  for (std::int64_t i = first; i < last; i += kBlock) {
    const std::int64_t m = std::min(kBlock, last - i);
    keys_of(x + i, m, o, keys);
    for (std::int64_t k = 0; k < m; ++k) pairs[i + k] = E::make(keys[k], i + k);
  }
}

/// Dense outputs of a row; null where one is not wanted.
template <class U>
struct RowOut {
  U* values;
  std::int64_t* indices;
};

template <class U, class E>
void store_pairs(const U* x, const E* sorted, std::int64_t first, std::int64_t last, const Order& o,
                 const RowOut<U>& out) {
  if (out.indices != nullptr) {
    for (std::int64_t i = first; i < last; ++i) out.indices[i] = sorted[i].index();
  }
  if (out.values == nullptr) return;
  const std::uint64_t zero = o.rule.inf != 0 ? o.rule.sign : 0;
  const bool exact = o.rule.inf == 0;
  for (std::int64_t i = first; i < last; ++i) {
    // An element comes from its key: what lies at the index is far away in memory.
    const std::uint64_t key = sorted[i].key() ^ o.flip;
    const bool several = !exact && (key == zero || key == o.rule.mask);
    out.values[i] = several ? x[sorted[i].index()] : static_cast<U>(fn::key_bits(key, o.rule));
  }
}

/// The whole row, sorted; on `threads` threads.
template <class U, class E>
const E* sort_row(const U* x, std::int64_t n, const Order& o, int threads,
                  const RowMemory<E>& memory) {
  E* pairs = memory.pairs[0];
  parallel_for(n, threads > 1 ? kSortGrain : n, [&](std::int64_t first, std::int64_t last) {
    load_pairs(x, first, last, o, pairs);
  });
  return radix_sort(pairs, memory.pairs[1], n, o.bits(), threads, memory.counts);
}

/// The first `count` of the sorted order among x[first, last), ascending, at `into`, which has room
/// for `room` > count pairs. Few elements of a long row come near: a block whose least key is not
/// below the worst one kept is passed over. Equal keys of later elements never come in. Returns how
/// many there are.
template <class U, class E>
std::int64_t take_first(const U* x, std::int64_t first, std::int64_t last, const Order& o,
                        std::int64_t count, E* into, std::int64_t room) {
  constexpr std::int64_t kBlock = 256;
  U keys[kBlock];
  std::int64_t kept = 0;
  std::uint64_t bound = ~std::uint64_t(0);
  bool bounded = false;
  for (std::int64_t i = first; i < last; i += kBlock) {
    const std::int64_t m = std::min(kBlock, last - i);
    keys_of(x + i, m, o, keys);
    if (bounded) {
      U least = keys[0];
      for (std::int64_t k = 1; k < m; ++k) least = keys[k] < least ? keys[k] : least;
      if (least >= bound) continue;
    }
    for (std::int64_t k = 0; k < m; ++k) {
      if (bounded && keys[k] >= bound) continue;
      into[kept++] = E::make(keys[k], i + k);
      if (kept < room) continue;
      std::nth_element(into, into + count - 1, into + kept);
      kept = count;
      bound = into[count - 1].key();
      bounded = true;
    }
  }
  const std::int64_t found = std::min(kept, count);
  if (kept > count) std::nth_element(into, into + count - 1, into + kept);
  std::sort(into, into + found);
  return found;
}

/// Which position of the sorted row a launch asks for, knowing the NaNs of the row.
inline std::int64_t picked(const SortLaunch& l, std::int64_t nans) {
  const std::int64_t numbers = l.n - nans;
  if (l.pick == SortLaunch::Pick::Range) return l.first;
  if (l.pick == SortLaunch::Pick::Median) return nans > 0 ? numbers : (l.n - 1) / 2;
  return numbers > 0 ? (numbers - 1) / 2 : 0;
}

/// The pair at position `rank` of `found` pairs that differ below bit `shift` of their keys alone
/// and come with ascending indices.
template <class E>
E narrow_down(E* left, std::int64_t found, std::int64_t rank, int shift, int digit,
              std::int64_t* counts) {
  while (found > 64 && shift > 0) {
    const int bits = std::min(digit, shift);
    shift -= bits;
    const unsigned mask = (1u << bits) - 1;
    std::fill_n(counts, mask + 1, 0);
    for (std::int64_t i = 0; i < found; ++i) ++counts[left[i].digit(shift, mask)];
    unsigned d = 0;
    for (; rank >= counts[d]; ++d) rank -= counts[d];
    std::int64_t to = 0;
    for (std::int64_t i = 0; i < found; ++i) {
      if (left[i].digit(shift, mask) == d) left[to++] = left[i];
    }
    found = to;
  }
  if (shift > 0) std::nth_element(left, left + rank, left + found);
  return left[rank];
}

/// The pair at one position of the sorted row, by digits from the top: each leaves the elements of
/// one digit.
template <class U, class E>
E select_one(const U* x, const SortLaunch& l, const Order& o, int threads,
             const RowMemory<E>& memory) {
  const int key_bits = o.bits();
  const int digit = std::min(kRadixBits, key_bits);
  const std::int64_t n = l.n;
  const std::int64_t part = (n + threads - 1) / threads;
  std::int64_t nans[kMaxRadixThreads] = {};
  const auto each_part = [&](auto&& f) {
    parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t)
        f(t, std::min(t * part, n), std::min((t + 1) * part, n));
    });
  };
  E* pairs = memory.pairs[0];
  const int shift = key_bits - digit;
  const unsigned mask = (1u << digit) - 1;
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    load_pairs(x, first, last, o, pairs);
    std::int64_t* c = memory.counts[t].data();
    std::fill_n(c, mask + 1, 0);
    for (std::int64_t i = first; i < last; ++i) {
      ++c[pairs[i].digit(shift, mask)];
      nans[t] += pairs[i].key() == o.nan();
    }
  });
  std::int64_t all_nans = 0;
  for (int t = 0; t < threads; ++t) all_nans += o.rule.inf != 0 ? nans[t] : 0;
  std::int64_t rank = picked(l, all_nans);
  unsigned d = 0;
  std::int64_t offset[kMaxRadixThreads];
  std::int64_t found = 0;
  for (;; ++d) {
    found = 0;
    for (int t = 0; t < threads; ++t) {
      offset[t] = found;
      found += memory.counts[t][d];
    }
    if (rank < found) break;
    rank -= found;
  }
  E* left = memory.pairs[1];
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    std::int64_t to = offset[t];
    for (std::int64_t i = first; i < last; ++i) {
      if (pairs[i].digit(shift, mask) == d) left[to++] = pairs[i];
    }
  });
  return narrow_down(left, found, rank, shift, digit, memory.counts[0].data());
}

}  // namespace tandem::host
