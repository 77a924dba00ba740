// lint: oracle table. Factorisations from C++: residuals against the matrices they came from in
// long double loops, the same results at any number of threads and in batches, names of the batch's
// bad matrices. tests/python/test_linalg.py has the rest, against NumPy.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <complex>

#include "host/linalg.h"
#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/calls_linalg.h"
#include "tests/support/message_of.h"

using namespace tandem;
using test::message_of;
using test::varied;

namespace {

using Wide = std::complex<long double>;

Wide at(const Tensor& t, std::int64_t i, std::int64_t j) {
  const auto z = t.select(0, i).select(0, j).item().to<Complex128>();
  return {z.re, z.im};
}

double precision(DType t) { return std::ldexp(1.0, 1 - info(real_part(t)).bits); }

long double norm_of(const Tensor& t) {
  long double sum = 0;
  for (std::int64_t i = 0; i < t.shape()[0]; ++i) {
    for (std::int64_t j = 0; j < t.shape()[1]; ++j) sum += std::norm(at(t, i, j));
  }
  return std::sqrt(sum);
}

/// Whether |a b - c| is within 10 n eps |a| |b| in each element.
void expect_product(const Tensor& a, const Tensor& b, const Tensor& c, const std::string& what) {
  const std::int64_t n = std::max({a.shape()[0], a.shape()[1], b.shape()[1]});
  const long double most =
      10 * static_cast<long double>(n) * precision(a.dtype()) * norm_of(a) * norm_of(b);
  for (std::int64_t i = 0; i < a.shape()[0]; ++i) {
    for (std::int64_t j = 0; j < b.shape()[1]; ++j) {
      Wide sum = 0;
      for (std::int64_t k = 0; k < a.shape()[1]; ++k) sum += at(a, i, k) * at(b, k, j);
      ASSERT_LE(std::abs(sum - at(c, i, j)), most) << what << " at " << i << ", " << j;
    }
  }
}

const DType kTypes[] = {DType::float32, DType::float64, DType::complex64, DType::complex128};

TEST(Linalg, FactorsGiveTheMatrixBack) {
  for (const DType t : kTypes) {
    const std::string what(name(t));
    const Tensor d = test::definite(9, t);
    const Tensor m = varied({9, 6}, t, 3);
    const Tensor l = linalg::cholesky(d);
    expect_product(l, adjoint(l), d, what + " cholesky");
    const auto [p, low, up] = linalg::lu(m);
    expect_product(matmul(p, low), up, m, what + " lu");
    for (const char* mode : {"reduced", "complete"}) {
      const auto [q, r] = linalg::qr(m, mode);
      expect_product(q, r, m, what + " qr");
      expect_product(adjoint(q), q, eye(q.shape()[1], {}, {.dtype = t}), what + " qr");
    }
    const auto [u, s, v] = linalg::svd(m, false);
    expect_product(mul(u, s).to(t), v, m, what + " svd");
    const auto [w, e] = linalg::eigh(d);
    expect_product(mul(e, w).to(t), adjoint(e), d, what + " eigh");
    expect_product(linalg::inv(d), d, eye(9, {}, {.dtype = t}), what + " inv");
    expect_product(d, linalg::solve(d, m), m, what + " solve");
    expect_product(tril(d), linalg::solve_triangular(d, m, false), m, what + " triangular");
    const auto [values, vectors] = linalg::eig(m.slice(0, 0, 6));
    expect_product(m.slice(0, 0, 6).to(values.dtype()), vectors, mul(vectors, values),
                   what + " eig");
  }
}

/// A matrix of a batch gets what it gets alone, whoever computes it.
TEST(Linalg, ABatchIsItsMatrices) {
  const int before = get_num_threads();
  for (const DType t : kTypes) {
    for (const int i : {0, 1, 2, 3}) {
      const int threads = i % 2 == 0 ? 1 : 3;
      const Tensor batch = test::definite(i < 2 ? 5 : 34, t, 7);  // own kernels, LAPACK
      set_num_threads(threads);
      const Tensor inverse = linalg::inv(batch);
      const Tensor values = linalg::svdvals(batch);
      const auto [factors, pivots] = linalg::lu_factor(batch);
      for (std::int64_t b = 0; b < 7; ++b) {
        const Tensor one = batch.select(0, b);
        EXPECT_TRUE(equal(inverse.select(0, b), linalg::inv(one))) << name(t);
        EXPECT_TRUE(equal(values.select(0, b), linalg::svdvals(one))) << name(t);
        EXPECT_TRUE(equal(factors.select(0, b), std::get<0>(linalg::lu_factor(one)))) << name(t);
      }
    }
  }
  set_num_threads(before);
}

TEST(Linalg, AnErrorSaysWhichMatrix) {
  const Tensor x = stack({eye(3), eye(3), zeros({3, 3})}).unsqueeze(0);
  EXPECT_EQ(message_of([&] { linalg::inv(x); }),
            "[linalg_inv] argument 'A': expected invertible matrices, got a singular one at batch "
            "index (0, 2)");
  EXPECT_EQ(message_of([&] {
              linalg::cholesky(zeros({2, 2}));
            }),
            "[linalg_cholesky] argument 'A': expected positive definite matrices, got one that is "
            "not");
  EXPECT_EQ(message_of([&] {
              linalg::eigh(full({2, 1, 1}, INFINITY));
            }),
            "[linalg_eigh] argument 'A': expected finite matrices, got one with an infinite or NaN "
            "element at batch index (0)");
  const auto [inverse, info] = linalg::inv_ex(x);
  EXPECT_EQ(info.dtype(), DType::int32);
  EXPECT_EQ(info.select(0, 0).select(0, 2).item<int>(), 1);
  EXPECT_TRUE(equal(inverse.select(0, 0).select(0, 1), eye(3)));
}

TEST(Linalg, NothingIsInferredFromElements) {
  const Tensor x = empty({2, 5, 3}, {.dtype = DType::complex64, .device = kMeta});
  const auto [u, s, v] = linalg::svd(x);
  EXPECT_EQ(u.shape()[2], 5);
  EXPECT_EQ(s.dtype(), DType::float32);
  EXPECT_EQ(v.shape()[1], 3);
  EXPECT_EQ(linalg::pinv(x).shape()[1], 3);
  EXPECT_TRUE(linalg::matrix_norm(x, "nuc").device().is_meta());
}

// ssyevd wants 1 + 6 n + 2 n^2 numbers, and tells it in a float.
TEST(Linalg, AWorkspaceIsNoSmallerThanItsRoundedSize) {
  using host::told;
  EXPECT_EQ(told(4096.0f), 4096);
  EXPECT_EQ(told(16777215.0f), 16777215);
  for (const std::int64_t n : {2897, 2900, 5000, 30000}) {
    const std::int64_t wanted = 1 + 6 * n + 2 * n * n;
    EXPECT_GE(told(static_cast<float>(wanted)), wanted) << n;
    EXPECT_GE(told(std::complex<float>(static_cast<float>(wanted), 0)), wanted) << n;
    EXPECT_EQ(told(static_cast<double>(wanted)), wanted) << n;
  }
  EXPECT_THROW((void)told(-2147287040.0f), ValueError);  // it ran over in LAPACK
  EXPECT_THROW((void)told(2147483648.0), ValueError);
}

/// Memory whose next page cannot be read.
class Guarded : public MemoryResource {
 public:
  Guarded() {
    empty_cache(kCPU);
    set_memory_resource(kCPU, this);
  }
  ~Guarded() {
    set_memory_resource(kCPU, nullptr);
    empty_cache(kCPU);
  }
  void* allocate(std::size_t bytes, std::size_t align, void*) override {
    bytes = whole(bytes);
    const std::size_t all = bytes + align + kPage;
    void* p = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return nullptr;
    const auto at = (reinterpret_cast<std::uintptr_t>(p) + align - 1) / align * align;
    mprotect(reinterpret_cast<void*>(at + bytes), kPage, PROT_NONE);
    ++parts;
    return reinterpret_cast<void*>(at);
  }
  void deallocate(void* p, std::size_t bytes, std::size_t, void*) override {
    munmap(p, whole(bytes));
  }
  /// Tensors that leave room for one more like x in the pool's part, at its end.
  std::vector<Tensor> fillers(const Tensor& x) {
    std::vector<Tensor> list{empty_like(x), empty_like(x)};
    for (const int before = parts; parts == before;) list.push_back(empty_like(x));
    list.resize(list.size() - 2);
    return list;
  }

 private:
  int parts = 0;
  static constexpr std::size_t kPage = 4096;
  static std::size_t whole(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }
};

/// OpenBLAS 0.3.21 reads a column beyond a complex matrix.
TEST(Linalg, NothingBeyondAMatrixIsRead) {
  constexpr std::int64_t n = 512;
  for (const DType t : kTypes) {
    manual_seed(3);
    Guarded guarded;
    const Options options{.dtype = t};
    const Tensor a = randn({n, n}, options), right = randn({n, 1}, options);
    const Tensor h = matmul(a, adjoint(a));
    const std::vector<Tensor> fillers = guarded.fillers(a);
    for (const Tensor& x : {a, a.transpose(0, 1)}) {
      (void)linalg::svdvals(x);
      (void)linalg::svd(x, false);
      (void)linalg::inv(x);
      (void)linalg::solve(x, right);
      for (const char* triangle : {"L", "U"}) (void)linalg::eigvalsh(h, triangle);
      (void)linalg::qr(x, "complete");
      for (const bool upper : {false, true}) (void)linalg::solve_triangular(x, right, upper);
    }
    (void)linalg::eigvals(a);
    (void)linalg::eigh(h);
    (void)linalg::cholesky(h);
    (void)linalg::lstsq(a, right);
  }
}

}  // namespace
