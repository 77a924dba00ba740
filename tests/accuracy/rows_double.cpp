// Accuracy of elementwise rows in float64: stratified samples against MPFR.
#include <algorithm>

#include "tests/accuracy/rows.h"

namespace tandem::testing {
namespace {

constexpr std::int64_t kChunk = 1 << 16;

/// Those of every row: by magnitude, by bits, in the test domain, about 0 and 1, subnormal.
std::vector<Region> regions_of(const OpRow& row, const Precise& p) {
  std::vector<Region> list = {{Region::kMagnitude, 5e-324, 1.7e308},
                              {Region::kMagnitude, 5e-324, 1e-307},
                              {Region::kMagnitude, 1e-20, 1},
                              {Region::kAllBits, 0, 0},
                              {Region::kLinear, row.lo, row.hi},
                              {Region::kLinear, -1, 1},
                              {Region::kNear, 0, 0},
                              {Region::kNear, 1, 0},
                              {Region::kNear, -1, 0}};
  list.insert(list.end(), p.regions.begin(), p.regions.end());
  return list;
}

struct Worst {
  double ulp = 0, x = 0, y = 0, got = 0, exact = 0;
};

/// Precision of the references; enough for errors of a thousandth of a place.
constexpr mpfr_prec_t kBits = 112;

void check_chunk(const OpRow& row, const Precise& p, const Tensor& x, const Tensor& y,
                 const Tensor& out, Worst& worst) {
#pragma omp parallel
  {
    mpfr_t a, b, r;
    mpfr_init2(a, 53), mpfr_init2(b, 53), mpfr_init2(r, kBits);
    Worst mine;
#pragma omp for schedule(dynamic, 256)
    for (std::int64_t i = 0; i < kChunk; ++i) {
      const double u = x.data<double>()[i];
      const double v = y.data<double>()[i];
      const double got = out.data<double>()[i];
      mpfr_set_d(a, u, MPFR_RNDN);
      mpfr_set_d(b, v, MPFR_RNDN);
      p.value(r, a, b);
      const double error = ulp_error(got, r);
      if (!(error > mine.ulp)) continue;
      const double exact = mpfr_get_d(r, MPFR_RNDN);
      if (const Exception* e = exception(row.name)) {
        mpfr_sub_d(a, r, got, MPFR_RNDN);
        const double distance = std::fabs(mpfr_get_d(a, MPFR_RNDN));
        if (distance <= e->absolute * e->scale(u, exact) * 0x1p-52) continue;
      }
      mine = {error, u, v, got, exact};
    }
#pragma omp critical
    if (mine.ulp > worst.ulp) worst = mine;
    mpfr_clear(a), mpfr_clear(b), mpfr_clear(r);
    mpfr_free_cache();
  }
}

}  // namespace

Finding check_float64(const OpRow& row, const Effort& o) {
  const Precise* p = precise_reference(row.name);
  if (p == nullptr) return check_samples(row, DType::float64, o);
  Finding f{.reference = "MPFR", .budget = budget_of(row, oracle_of(row), DType::float64)};
  const std::vector<Region> regions = regions_of(row, *p);
  const std::uint64_t each = o.samples / regions.size() + 1;
  Worst worst;
  Rng rng(11);
  Tensor x = empty({kChunk}, {.dtype = DType::float64});
  Tensor y = empty({kChunk}, {.dtype = DType::float64});
  for (const Region& region : regions) {
    for (std::uint64_t done = 0; done < each; done += std::uint64_t(kChunk)) {
      for (std::int64_t i = 0; i < kChunk; ++i)
        draw(region, rng, std::size_t(i), row.arity == 2, x.data<double>()[i], y.data<double>()[i]);
      const Tensor out = row.arity == 2 ? call_row(row, {x, y}) : call_row(row, {x});
      check_chunk(row, *p, x, y, out, worst);
      f.count += std::uint64_t(kChunk);
    }
  }
  f.worst = worst.ulp;
  f.at = text_of(worst.x) + (row.arity == 2 ? ", " + text_of(worst.y) : "");
  f.got = text_of(worst.got);
  f.expected = text_of(worst.exact);
  return f;
}

}  // namespace tandem::testing
