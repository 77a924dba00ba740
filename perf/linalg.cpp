// Factorisations of one matrix, small and larger. Its diagonal dominates and its entries differ, so
// every one of them has a result and no iteration ends early.
#include "perf/cases.h"

namespace tandem::perf {
namespace {

constexpr Domain kUnit{-1, 1};

template <class F>
Case make(const char* op, DType t, std::int64_t n, F f) {
  Case c;
  c.op = op;
  c.form = "fresh";
  c.dtype = t;
  c.shape = {n, n};
  c.domain = kUnit;
  c.run = [t, n, f](benchmark::State& state) {
    const Tensor& x = input({n, n}, t, kUnit);
    const Tensor a = x + diag(arange(n, 2 * n, 1, {.dtype = t, .device = x.device()}));
    timed(state, [&] { return f(a, x); });
  };
  return c;
}

}  // namespace

std::vector<Case> linalg_cases() {
  std::vector<Case> cases;
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {64, 512}) {
      const auto add = [&](const char* op, auto f) { cases.push_back(make(op, t, n, f)); };
      add("linalg_cholesky", [](const Tensor& a, const Tensor&) { return linalg::cholesky(a); });
      add("linalg_eigh", [](const Tensor& a, const Tensor&) { return linalg::eigh(a); });
      add("linalg_inv", [](const Tensor& a, const Tensor&) { return linalg::inv(a); });
      add("linalg_qr", [](const Tensor& a, const Tensor&) { return linalg::qr(a); });
      add("linalg_solve", [](const Tensor& a, const Tensor& x) { return linalg::solve(a, x); });
      add("linalg_svd", [](const Tensor& a, const Tensor&) { return linalg::svd(a); });
    }
  }
  return cases;
}

}  // namespace tandem::perf
