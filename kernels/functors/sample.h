// Functors of the random rows whose parameters are tensors: block b of kBlock elements from the
// parameters of its elements. The words an element takes: docs/numerics.md, "Random numbers".
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/philox.h"

namespace tandem::fn {

/// The numbers of a launch; see SampleLaunch in tandem/backend/random.h.
struct SampleArgs {
  std::uint64_t seed, offset;
};

/// The words of element i where each takes two.
struct WordPair {
  std::uint32_t first, second;
};
TANDEM_FN WordPair word_pair(std::uint64_t i, const SampleArgs& a) {
  const PhiloxWords r = philox(i / 2, a.offset, a.seed);
  return i % 2 == 0 ? WordPair{r.w[0], r.w[1]} : WordPair{r.w[2], r.w[3]};
}

/// Two open uniform numbers of 53 bits: a whole block.
struct OpenPair {
  double u, v;
};
TANDEM_FN OpenPair open_pair(std::uint64_t block, std::uint32_t draw, const SampleArgs& a) {
  const PhiloxWords r = philox(counter_of(block, draw), a.offset, a.seed);
  return {unit_open(r.w[0], r.w[1]), unit_open(r.w[2], r.w[3])};
}

/// 1 with probability p, exactly; see BernoulliUnit. A p below 0 or NaN counts as 0, one above 1
/// as 1.
struct BernoulliOf {
  static constexpr int kBlock = 4;

  /// The first 32 bits of p, as a double; 2^32 for what is always true.
  template <class T>
  TANDEM_FN static double whole_of(T p) {
    const double scaled = static_cast<double>(p) * 0x1p32;
    const double some = scaled > 0.0 ? scaled : 0.0;
    return floor_(some < 0x1p32 ? some : 0x1p32);
  }
  template <class T>
  TANDEM_FN static T first(std::uint32_t w, T p) {
    return static_cast<double>(w) < whole_of(p) ? T(1) : T(0);
  }
  /// Whether the word does not settle it.
  template <class T>
  TANDEM_FN static bool ties(std::uint32_t w, T p) {
    return static_cast<double>(w) == whole_of(p);
  }

  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const SampleArgs& a, const T* p, const T*,
                            T* out) const {
    const PhiloxWords r = philox(b, a.offset, a.seed);
    for (int k = 0; k < kBlock; ++k) {
      out[k] = first(r.w[k], p[k]);
      if (ties(r.w[k], p[k]) && p[k] > T(0)) {
        const PhiloxWords next = philox(counter_of(b, 1), a.offset, a.seed);
        const double rest = (static_cast<double>(p[k]) * 0x1p32 - whole_of(p[k])) * 0x1p32;
        out[k] = next.w[k] < static_cast<std::uint32_t>(rest) ? T(1) : T(0);
      }
    }
  }
};

// ---- probabilities of counts, by their distance from the mean (Loader, "Fast and accurate
// computation of binomial probabilities", 2000): no large terms that cancel, however large the
// count

/// log(k!) - log(sqrt(2 pi k) (k / e)^k), for integers k >= 1: Stirling's series from 16 on, the
/// factorial itself below.
TANDEM_FN double stirling_rest(double k) {
  if (k < 16.0) {
    double factorial = 1.0;
    for (double i = 2.0; i <= k; i += 1.0) factorial *= i;
    return log(factorial) - ((k + 0.5) * log(k) - k + 0.91893853320467274178);
  }
  const double s = 1.0 / (k * k);
  return (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0)))) / k;
}

/// x log(x / mean) + mean - x, for x > 0.
TANDEM_FN double deviance(double x, double mean) {
  const double d = (mean - x) / x;
  return x * (d - log1p(d));
}

TANDEM_FN double log_poisson(double k, double mean) {
  if (k == 0.0) return -mean;
  return -stirling_rest(k) - deviance(k, mean) - 0.5 * log(6.28318530717958647693 * k);
}

/// The most steps of a search that adds up probabilities: from 10 on average, 110 is beyond any
/// that a double could tell from 0.
inline constexpr double kMostSteps = 110.0;

/// Counts of mean 10 and more are rejected by what the distribution's hat is above it (Hörmann,
/// "The transformed rejection method for generating Poisson random variables", 1993, algorithm
/// PTRS; "The generation of binomial random variates", 1993, algorithm BTRS). Smaller ones are the
/// first whose added probabilities are above u.
inline constexpr double kManyFrom = 10.0;

TANDEM_FN double small_poisson(double mean, double u) {
  double p = exp(-mean);
  double sum = p;
  double k = 0.0;
  while (u >= sum && k < kMostSteps) {
    k += 1.0;
    p = p * mean / k;
    sum += p;
  }
  return k;
}

TANDEM_FN double large_poisson(double mean, std::uint64_t block, const SampleArgs& args) {
  const double root = sqrt_rn(mean);
  const double b = 0.931 + 2.53 * root;
  const double a = -0.059 + 0.02483 * b;
  const double inverse = 1.1239 + 1.1328 / (b - 3.4);
  const double squeeze = 0.9277 - 3.6224 / (b - 2.0);
  double k = floor_(mean);
  for (std::uint32_t draw = 0; draw < 0x10000u; ++draw) {
    const OpenPair r = open_pair(block, draw, args);
    const double u = r.u - 0.5;
    const double us = 0.5 - abs_bits(u);
    k = floor_((2.0 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && r.v <= squeeze) break;
    if (k < 0.0 || (us < 0.013 && r.v > us)) continue;
    if (log(r.v * inverse / (a / (us * us) + b)) <= log_poisson(k, mean)) break;
  }
  return k;
}

/// Poisson numbers of a mean; NaN for a mean below 0 or NaN.
struct Poisson {
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const SampleArgs& args, const T* rate, const T*,
                            T* out) const {
    const double mean = static_cast<double>(rate[0]);
    double k = mean;
    if (!(mean >= 0.0)) {
      k = from_bits(std::uint64_t(0x7ff8000000000000));
    } else if (mean < kManyFrom) {
      k = small_poisson(mean, open_pair(b, 0, args).u);
    } else if (mean < 0x1p1000) {
      k = large_poisson(mean, b, args);
    }
    out[0] = static_cast<T>(k);
  }
};

TANDEM_FN double log_binomial(double k, double n, double p, double q) {
  if (k == 0.0) return n * log1p(-p);
  if (k == n) return n * log(p);
  const double rest = n - k;
  return stirling_rest(n) - stirling_rest(k) - stirling_rest(rest) - deviance(k, n * p) -
         deviance(rest, n * q) - 0.5 * log(6.28318530717958647693 * k * (rest / n));
}

TANDEM_FN double small_binomial(double n, double p, double q, double u) {
  double f = exp(n * log1p(-p));
  double sum = f;
  double k = 0.0;
  const double odds = p / q;
  while (u >= sum && k < n && k < kMostSteps) {
    f = f * odds * ((n - k) / (k + 1.0));
    k += 1.0;
    sum += f;
  }
  return k;
}

TANDEM_FN double large_binomial(double n, double p, double q, std::uint64_t block,
                                const SampleArgs& args) {
  const double deviation = sqrt_rn(n * p * q);
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double squeeze = 0.92 - 4.2 / b;
  const double mode = floor_((n + 1.0) * p);
  const double highest = log_binomial(mode, n, p, q);
  double k = mode;
  for (std::uint32_t draw = 0; draw < 0x10000u; ++draw) {
    const OpenPair r = open_pair(block, draw, args);
    const double u = r.u - 0.5;
    const double us = 0.5 - abs_bits(u);
    k = floor_((2.0 * a / us + b) * u + n * p + 0.5);
    if (us >= 0.07 && r.v <= squeeze) break;
    if (k < 0.0 || k > n) continue;
    if (log(r.v * alpha / (a / (us * us) + b)) <= log_binomial(k, n, p, q) - highest) break;
  }
  return k;
}

/// Successes among n trials of probability p; NaN for n below 0 and p outside [0, 1].
struct Binomial {
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const SampleArgs& args, const T* count, const T* prob,
                            T* out) const {
    const double n = floor_(static_cast<double>(count[0]));
    const double p = static_cast<double>(prob[0]);
    const bool valid = n >= 0.0 && n < 0x1p1000 && p >= 0.0 && p <= 1.0;
    const bool turned = p > 0.5;
    const double less = turned ? 1.0 - p : p;
    const double more = turned ? p : 1.0 - p;
    double k = 0.0;
    if (valid && less > 0.0) {
      k = n * less < kManyFrom ? small_binomial(n, less, more, open_pair(b, 0, args).u)
                               : large_binomial(n, less, more, b, args);
    }
    k = turned ? n - k : k;
    out[0] = static_cast<T>(valid ? k : from_bits(std::uint64_t(0x7ff8000000000000)));
  }
};

// ---- multinomial

/// Elements whose weights are added up one after the other; the sums of such chunks likewise.
inline constexpr std::int64_t kWeightChunk = 128;

TANDEM_FN double weight_of(double w) { return w > 0.0 ? w : 0.0; }

/// What u in [0, 1) asks for of a total weight: below the total.
TANDEM_FN double share_of(double total, std::uint32_t high, std::uint32_t low) {
  const double share = bits53(high, low) * 0x1p-53 * total;
  const double most = total > 0.0 ? from_bits(to_bits(total) - 1) : 0.0;
  return share < most ? share : most;
}

/// The first category whose cumulative weight is above `share`. Category i's is starts[i / chunk] +
/// sums[i].
TANDEM_FN std::int64_t category_of(double share, const double* sums, const double* starts,
                                   std::int64_t n) {
  std::int64_t low = 0;
  std::int64_t high = n - 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (starts[middle / kWeightChunk] + sums[middle] > share)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// An element's place in the race for a draw without replacement: exponential over weight, the
/// first ones win. Never NaN; infinite without weight.
TANDEM_FN double race_time(std::uint64_t i, double weight, const SampleArgs& a) {
  const WordPair r = word_pair(i, a);
  return -log(unit_open(r.first, r.second)) / weight_of(weight);
}

/// The 64-bit number that element i of a permutation draws.
TANDEM_FN std::uint64_t permutation_key(std::uint64_t i, const SampleArgs& a) {
  const WordPair r = word_pair(i, a);
  return std::uint64_t(r.first) << 32 | r.second;
}

}  // namespace tandem::fn
