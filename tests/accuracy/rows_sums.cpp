// lint: oracle table. Accuracy of the reductions that sum: against exact sums, in units of the
// bound that the tree's depth gives.
#include <mpfr.h>

#include <algorithm>
#include <cstring>

#include "tests/accuracy/rows.h"

namespace tandem::testing {
namespace {

/// Wide enough that a sum of doubles of any exponents is exact.
constexpr mpfr_prec_t kExact = 2300;

struct Exact {
  mpfr_t v;
  explicit Exact(mpfr_prec_t bits = kExact) { mpfr_init2(v, bits), mpfr_set_zero(v, 1); }
  ~Exact() { mpfr_clear(v); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
};

/// Additions on the longest way from an element to the result: docs/numerics.md, Reductions.
int depth(std::int64_t n) {
  int d = 0;
  while (n > 1) {
    const std::int64_t tile = std::min<std::int64_t>(n, 4096);
    const std::int64_t lanes = std::min<std::int64_t>(tile, 128);
    d += static_cast<int>((tile + lanes - 1) / lanes) - 1;
    for (std::int64_t half = 1; half < lanes; half *= 2) ++d;
    n = (n + 4095) / 4096;
  }
  return d;
}

/// Elements of one kind: all of a sign, of both, of any magnitude, cancelling.
double draw(int kind, std::int64_t i, Rng& rng) {
  const double u = rng.unit();
  switch (kind) {
    case 0:
      return u;
    case 1:
      return 2 * u - 1;
    case 2:
      return std::ldexp(2 * u - 1, int(rng.next() % 24) - 12);
    default:
      return i % 2 == 0 ? 1000 + u : -1000 - rng.unit();
  }
}
constexpr int kKinds = 4;

/// What the row gives for exact elements, and the bound of its error in the same unit.
struct Sum {
  double value = 0, bound = 0;
};

/// u: half a unit in the last place of 1 in the dtype that is accumulated in.
Sum exact_of(const std::string& row, const std::vector<double>& x, double u) {
  Exact s;
  Exact t(300), w(300);
  double sum_of_sizes = 0;
  const auto n = static_cast<std::int64_t>(x.size());
  for (const double v : x) {
    mpfr_add_d(s.v, s.v, v, MPFR_RNDN);
    sum_of_sizes += std::fabs(v);
  }
  const double d = depth(n) * u;
  if (row == "sum" || row == "nansum") return {mpfr_get_d(s.v, MPFR_RNDN), d * sum_of_sizes};
  mpfr_div_ui(s.v, s.v, static_cast<unsigned long>(n), MPFR_RNDN);
  const double mean = mpfr_get_d(s.v, MPFR_RNDN);
  const double each = sum_of_sizes / static_cast<double>(n);
  if (row == "mean" || row == "nanmean") return {mean, (d + u) * each};
  // var: squares of distances from the rounded mean; the mean's own error enters squared.
  double most = 0;
  for (const double v : x) {
    mpfr_d_sub(t.v, v, s.v, MPFR_RNDN);
    most = std::max(most, std::fabs(mpfr_get_d(t.v, MPFR_RNDN)));
    mpfr_sqr(t.v, t.v, MPFR_RNDN);
    mpfr_add(w.v, w.v, t.v, MPFR_RNDN);
  }
  mpfr_div_ui(w.v, w.v, static_cast<unsigned long>(n - 1), MPFR_RNDN);
  const double var = mpfr_get_d(w.v, MPFR_RNDN);
  const double of_mean = (d + u) * each;
  // Each distance is off by u of itself and by the rounding of x - mean.
  const double bound = (d + 4 * u) * var + 2 * of_mean * of_mean + 2 * u * most * most;
  if (row == "var") return {var, bound};
  return {std::sqrt(var), bound / (2 * std::sqrt(var)) + u * std::sqrt(var)};  // std
}

}  // namespace

bool is_summed(const OpRow& row) {
  static const char* kRows[] = {"sum", "nansum", "mean", "nanmean", "var", "std"};
  return std::any_of(std::begin(kRows), std::end(kRows),
                     [&](const char* name) { return std::strcmp(name, row.name) == 0; });
}

Finding check_sums(const OpRow& row, DType t, const Effort& o) {
  Finding f{.reference = "exact sums", .note = "in units of the tree's bound", .budget = 1};
  const DType in = info(t).compute;
  const double u = std::ldexp(1.0, -info(in).bits);
  Rng rng(3);
  for (const std::int64_t n : {2, 10, 127, 1000, 4097, 100'000, 1'000'000}) {
    if (static_cast<std::uint64_t>(n) > o.samples) continue;
    for (int kind = 0; kind < kKinds; ++kind) {
      Tensor wide = empty({n}, {.dtype = DType::float64});
      for (std::int64_t i = 0; i < n; ++i) wide.data<double>()[i] = draw(kind, i, rng);
      const Tensor x = wide.to(t);
      const Tensor held = x.to(DType::float64);  // exact
      const std::vector<double> elements(held.data<double>(), held.data<double>() + n);
      const Sum exact = exact_of(row.name, elements, u);
      const double got = call_boxed(row, std::vector<Value>{x})[0].as<Tensor>().item().to_double();
      // One more rounding, on the store.
      const double store = static_cast<double>(test::ulp(exact.value, t)) / 2;
      const bool beyond = std::isinf(test::rounded(exact.value, t));
      const double error = beyond && std::isinf(got) ? 0
                                                     : std::fabs(got - exact.value) /
                                                           (exact.bound + (t == in ? 0 : store));
      f.count += static_cast<std::uint64_t>(n);
      if (!(error > f.worst)) continue;
      f.worst = error;
      f.at = std::to_string(n) + " elements of kind " + std::to_string(kind);
      f.got = text_of(got);
      f.expected = text_of(exact.value);
    }
  }
  return f;
}

}  // namespace tandem::testing
