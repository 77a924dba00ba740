// factorise N: on N threads at once, factorisations and products with two threads of OpenMP each; 0
// where all are right. For thread_limits.py.
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

bool right(std::uint64_t seed) {
  set_num_threads(2);
  const Generator generator(seed);
  const Tensor x = rand({300, 300}, generator, {.dtype = DType::float64});
  const Tensor a = matmul(x, x.t()) + eye(300, {}, {.dtype = DType::float64});
  const auto near = [](const Tensor& p, const Tensor& q) { return allclose(p, q, 1e-8, 1e-6); };
  const auto [q, r] = linalg::qr(x);
  const auto [w, v] = linalg::eigh(a);
  const auto [u, s, vh] = linalg::svd(x, false);
  const Tensor b = linalg::solve(a, x);
  const Tensor l = linalg::cholesky(a);
  return near(matmul(q, r), x) && near(matmul(v * w, v.t()), a) && near(matmul(u * s, vh), x) &&
         near(matmul(a, b), x) && near(matmul(l, l.t()), a) &&
         near(matmul(linalg::inv(a), a), eye(300, {}, {.dtype = DType::float64}));
}

}  // namespace

int main(int, char** arguments) {
  const auto n = static_cast<std::size_t>(std::atoi(arguments[1]));
  std::vector<char> ok(n, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back([&ok, i] { ok[i] = right(i) ? 1 : 0; });
  for (auto& t : threads) t.join();
  for (const char yes : ok) {
    if (yes == 0) return 1;
  }
  return 0;
}
