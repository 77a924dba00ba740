// Binary searches on the host, and what is read from sorted rows: quantiles and modes.
#include "host/sorting.h"

namespace tandem::host {

namespace {

template <class U>
struct Search {
  const SearchLaunch& l;
  fn::KeyRule rule;

  void run(std::int64_t first, std::int64_t last) const {
    for (std::int64_t q = first; q < last; ++q) {
      const std::int64_t row = l.rows == 1 ? 0 : q / l.queries;
      const U* sequence = static_cast<const U*>(l.sequence) + row * l.n;
      const std::int64_t* sorter = l.sorter != nullptr ? l.sorter + row * l.n : nullptr;
      const std::uint64_t key = fn::sort_key(static_cast<const U*>(l.values)[q], rule);
      const auto key_at = [&](std::int64_t i) {
        if (sorter == nullptr) return fn::sort_key(sequence[i], rule);
        return fn::sort_key(sequence[std::clamp<std::int64_t>(sorter[i], 0, l.n - 1)], rule);
      };
      const std::int64_t at =
          fn::search_keys(l.n, key, l.find == SearchLaunch::Find::Right, key_at);
      if (l.find == SearchLaunch::Find::Contains) {
        const bool found = at < l.n && key_at(at) == key && !fn::is_nan_key(key, rule);
        static_cast<bool*>(l.out)[q] = found != l.invert;
      } else if (l.out_dtype == DType::int32) {
        static_cast<std::int32_t*>(l.out)[q] = static_cast<std::int32_t>(at);
      } else {
        static_cast<std::int64_t*>(l.out)[q] = at;
      }
    }
  }
};

template <class T>
void quantiles(const QuantileLaunch& l) {
  using C = compute_t<T>;
  using U = fn::unsigned_t<T>;
  const fn::KeyRule rule = fn::key_rule<T>();
  const C nan = fn::cast<C>(__builtin_nan(""));
  parallel_for(l.rows * l.count, 1024, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t e = first; e < last; ++e) {
      const double q = l.q[e / l.rows];
      const T* row = static_cast<const T*>(l.sorted) + e % l.rows * l.n;
      const auto key_at = [&](std::int64_t i) {
        return fn::sort_key(__builtin_bit_cast(U, row[i]), rule);
      };
      const std::int64_t numbers = fn::search_keys(l.n, rule.mask, false, key_at);
      C r = nan;
      if (q >= 0 && q <= 1 && numbers > 0 && (l.ignore_nan || numbers == l.n)) {
        const auto p =
            fn::quantile_place(q, numbers, static_cast<fn::Interpolation>(l.interpolation));
        r = fn::quantile_between(fn::cast<C>(row[p.low]), fn::cast<C>(row[p.high]), p.weight);
      }
      static_cast<T*>(l.out)[e] = fn::cast<T>(r);
    }
  });
}

template <class U>
void run_lengths(const ModeLaunch& l) {
  const fn::KeyRule rule = key_rule_of(l.dtype);
  parallel_for(l.rows, std::max<std::int64_t>(kSortGrain / l.n, 1),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t r = first; r < last; ++r) {
                   const U* row = static_cast<const U*>(l.sorted) + r * l.n;
                   std::int64_t* lengths = l.lengths + r * l.n;
                   std::int64_t length = 0;
                   for (std::int64_t i = 0; i < l.n; ++i) {
                     const std::uint64_t key = fn::sort_key(row[i], rule);
                     ++length;
                     const bool goes_on = i + 1 < l.n && !fn::is_nan_key(key, rule) &&
                                          fn::sort_key(row[i + 1], rule) == key;
                     lengths[i] = goes_on ? 0 : length;
                     if (!goes_on) length = 0;
                   }
                 }
               });
}

template <class U>
void pick(const ModeLaunch& l) {
  for (std::int64_t r = 0; r < l.rows; ++r) {
    const std::int64_t at = r * l.n + l.at[r];
    static_cast<U*>(l.values)[r] = static_cast<const U*>(l.sorted)[at];
    l.indices[r] = l.order[at];
  }
}

}  // namespace

void launch_search(const void* desc, const void*) {
  const auto& l = *static_cast<const SearchLaunch*>(desc);
  by_width(l.dtype, [&]<class U>() {
    const Search<U> s{l, key_rule_of(l.dtype)};
    parallel_for(l.rows * l.queries, 2048,
                 [&](std::int64_t first, std::int64_t last) { s.run(first, last); });
  });
}

void launch_quantile(const void* desc, const void*) {
  const auto& l = *static_cast<const QuantileLaunch*>(desc);
  visit(l.dtype, [&]<class T>() {
    if constexpr (dtypes::Floats.has(dtype_of<T>)) quantiles<T>(l);
  });
}

void launch_mode(const void* desc, const void*) {
  const auto& l = *static_cast<const ModeLaunch*>(desc);
  if (l.rows == 0) return;
  by_width(l.dtype, [&]<class U>() {
    if (l.step == ModeLaunch::Step::Lengths) {
      run_lengths<U>(l);
    } else {
      pick<U>(l);
    }
  });
}

}  // namespace tandem::host
