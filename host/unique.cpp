// Runs of equal items on the host: the steps of unique and unique_consecutive.
#include <cstring>

#include "host/sorting.h"

namespace tandem::host {

namespace {

template <class U>
struct Items {
  const UniqueLaunch& l;
  fn::KeyRule rule;

  const U* at(std::int64_t item) const { return static_cast<const U*>(l.in) + item * l.width; }
  /// Item i of the sequence.
  std::int64_t item(std::int64_t i) const {
    return l.sorted_in || l.order == nullptr ? i : l.order[i];
  }
  bool less(std::int64_t a, std::int64_t b) const {
    const U* x = at(a);
    const U* y = at(b);
    for (std::int64_t k = 0; k < l.width; ++k) {
      const std::uint64_t p = fn::sort_key(x[k], rule);
      const std::uint64_t q = fn::sort_key(y[k], rule);
      if (p != q) return p < q;
    }
    return false;
  }
  bool same(std::int64_t a, std::int64_t b) const {
    const U* x = at(a);
    const U* y = at(b);
    for (std::int64_t k = 0; k < l.width; ++k) {
      const std::uint64_t p = fn::sort_key(x[k], rule);
      if (p != fn::sort_key(y[k], rule) || fn::is_nan_key(p, rule)) return false;
    }
    return true;
  }
  bool is_head(std::int64_t i) const { return i > 0 && !same(item(i), item(i - 1)); }
};

/// Two passes over parts: how many runs begin in each, then the numbers.
template <class U>
void number_runs(const UniqueLaunch& l, const Items<U>& items) {
  constexpr std::int64_t kMostParts = 64;
  const std::int64_t parts = std::clamp<std::int64_t>(
      l.items / kSortGrain, 1, std::min<std::int64_t>(get_num_threads(), kMostParts));
  const std::int64_t part = (l.items + parts - 1) / parts;
  std::int64_t before[kMostParts] = {};
  const auto each_part = [&](auto&& f) {
    parallel_for(parts, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t) {
        f(t, std::min(t * part, l.items), std::min((t + 1) * part, l.items));
      }
    });
  };
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    std::int64_t heads = 0;
    for (std::int64_t i = first; i < last; ++i) {
      const bool head = items.is_head(i);
      l.ranks[i] = head ? 1 : 0;
      heads += head ? 1 : 0;
    }
    before[t] = heads;
  });
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < parts; ++t) {
    const std::int64_t heads = before[t];
    before[t] = sum;
    sum += heads;
  }
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    std::int64_t rank = before[t];
    for (std::int64_t i = first; i < last; ++i) l.ranks[i] = rank += l.ranks[i];
  });
}

void fill(const UniqueLaunch& l) {
  parallel_for(l.items, kSortGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t rank = l.ranks[i];
      if (i == 0 || l.ranks[i - 1] != rank) l.starts[rank] = i;
      if (l.inverse != nullptr) l.inverse[l.order != nullptr ? l.order[i] : i] = rank;
    }
  });
}

template <class U>
void take(const UniqueLaunch& l, const Items<U>& items) {
  const auto bytes = static_cast<std::size_t>(l.width) * sizeof(U);
  parallel_for(l.runs, kSortGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      const std::int64_t start = l.starts[j];
      if (bytes > 0) {
        std::memcpy(static_cast<U*>(l.out) + j * l.width, items.at(items.item(start)), bytes);
      }
      if (l.counts != nullptr) {
        l.counts[j] = (j + 1 < l.runs ? l.starts[j + 1] : l.items) - start;
      }
      if (l.first != nullptr) l.first[j] = l.order != nullptr ? l.order[start] : start;
    }
  });
}

}  // namespace

void launch_unique(const void* desc, const void*) {
  const auto& l = *static_cast<const UniqueLaunch*>(desc);
  if (l.items == 0) return;
  by_width(l.dtype, [&]<class U>() {
    const Items<U> items{l, key_rule_of(l.dtype)};
    switch (l.step) {
      case UniqueLaunch::Step::Order:
        std::stable_sort(l.order, l.order + l.items,
                         [&](std::int64_t a, std::int64_t b) { return items.less(a, b); });
        return;
      case UniqueLaunch::Step::Runs:
        return number_runs(l, items);
      case UniqueLaunch::Step::Fill:
        return fill(l);
      case UniqueLaunch::Step::Take:
        return take(l, items);
    }
  });
}

}  // namespace tandem::host
