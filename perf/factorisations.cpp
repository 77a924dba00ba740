// Factorisations of batches of small matrices, and determinants. As in linalg.cpp the diagonal
// dominates, so that every one has a result.
#include "perf/cases.h"

namespace tandem::perf {
namespace {

constexpr Domain kUnit{-1, 1};

template <class F>
Case make(const char* op, DType t, const Dims& shape, F f) {
  Case c;
  c.op = op;
  c.form = "fresh";
  c.dtype = t;
  c.shape = shape;
  c.domain = kUnit;
  c.run = [t, shape, f](benchmark::State& state) {
    const Tensor& x = input(shape, t, kUnit);
    const std::int64_t n = shape.back();
    const Tensor a = x + diag(arange(n, 2 * n, 1, {.dtype = t, .device = x.device()}));
    timed(state, [&] { return f(a, x); });
  };
  return c;
}

}  // namespace

std::vector<Case> factorisation_cases() {
  std::vector<Case> cases;
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {64, 512}) {
      cases.push_back(make("linalg_det", t, {n, n},
                           [](const Tensor& a, const Tensor&) { return linalg::det(a); }));
    }
    for (const Dims& shape :
         {Dims{10000, 3, 3}, Dims{10000, 4, 4}, Dims{2000, 8, 8}, Dims{500, 32, 32}}) {
      const auto add = [&](const char* op, auto f) { cases.push_back(make(op, t, shape, f)); };
      add("linalg_cholesky", [](const Tensor& a, const Tensor&) { return linalg::cholesky(a); });
      add("linalg_det", [](const Tensor& a, const Tensor&) { return linalg::det(a); });
      add("linalg_eigh", [](const Tensor& a, const Tensor&) { return linalg::eigh(a); });
      add("linalg_inv", [](const Tensor& a, const Tensor&) { return linalg::inv(a); });
      add("linalg_solve", [](const Tensor& a, const Tensor& x) { return linalg::solve(a, x); });
      add("linalg_lu", [](const Tensor& a, const Tensor&) { return linalg::lu(a); });
      add("linalg_qr", [](const Tensor& a, const Tensor&) { return linalg::qr(a); });
      add("linalg_svd", [](const Tensor& a, const Tensor&) { return linalg::svd(a); });
    }
  }
  return cases;
}

}  // namespace tandem::perf
