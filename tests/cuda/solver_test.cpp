// lint: oracle table. Factorisations on a device by cuSOLVER and cuBLAS: what the backend asks of
// the libraries for single matrices and batches, and that what comes back is right: residuals in
// double precision on the host, info and errors against the host's own. With the stand-ins of
// tests/cuda/sim/fake_cusolver.cpp and fake_cublas.cpp, which check every argument; what they count
// is skipped where they are not there.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "tandem/backend/linalg.h"
#include "tandem/op_table.h"
#include "tandem/tandem.h"
#include "tests/cuda/sim/fake_solver.h"
#include "tests/support/call_data.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"
#include "tests/support/sim_counts.h"

using namespace tandem;
using test::message_of;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);
const DType kTypes[] = {DType::float32, DType::float64, DType::complex64, DType::complex128};

void* library(const char* name) {
  const char* folder = std::getenv("TANDEM_VENDOR_LIBRARIES");
  if (folder == nullptr) return nullptr;
  return dlopen((std::string(folder) + "/" + name).c_str(), RTLD_NOW);
}
void* solver() {
  static void* const l = library("libcusolver.so.12");
  return l;
}
void* blas() {
  static void* const l = library("libcublas.so.13");
  return l;
}
bool fake() { return solver() != nullptr && dlsym(solver(), fake::kCallOf) != nullptr; }

fake::Call call_of(const std::string& name) {
  void* from = name.starts_with("cublas ") ? blas() : solver();
  fake::Call call;
  reinterpret_cast<fake::CallOf>(dlsym(from, fake::kCallOf))(name.c_str(), &call);
  return call;
}
void forget() {
  for (void* l : {solver(), blas()}) reinterpret_cast<fake::Forget>(dlsym(l, fake::kForget))();
}
std::string fault() {
  std::string all;
  for (void* l : {solver(), blas()}) all += reinterpret_cast<fake::Fault>(dlsym(l, fake::kFault))();
  return all;
}

class SolverLibrary : public testing::Test {
 protected:
  void SetUp() override {
    TANDEM_NEEDS_GPU();
    if (!fake()) GTEST_SKIP() << "needs the stand-ins of cuSOLVER and cuBLAS";
    forget();
  }
  void TearDown() override {
    if (!fake()) return;
    EXPECT_EQ(fault(), "");
  }
};

Tensor numbers(const Dims& shape, DType t, std::uint64_t seed) {
  const Tensor x =
      is_complex(t) ? test::varied_complex(shape, t, seed) : test::varied(shape, t, seed);
  return x * 0.0625;
}
/// Hermitian, with eigenvalues above 1.
Tensor definite(Dims batch, std::int64_t n, DType t, std::uint64_t seed = 5) {
  batch.push_back(n);
  batch.push_back(n);
  const Tensor x = numbers(batch, t, seed);
  return matmul(x, adjoint(x)) + eye(n, {}, {.dtype = t});
}
/// Far from singular.
Tensor square(Dims batch, std::int64_t n, DType t, std::uint64_t seed = 3) {
  batch.push_back(n);
  batch.push_back(n);
  return numbers(batch, t, seed) + eye(n, {}, {.dtype = t}) * static_cast<double>(n);
}

double eps_of(DType t) { return t == DType::float32 || t == DType::complex64 ? 0x1p-23 : 0x1p-52; }
Tensor wide(const Tensor& x) { return x.to(kCPU).to(DType::complex128); }
double size_of(const Tensor& x) {
  return x.numel() == 0 ? 0 : wide(x).abs().pow(2).sum().sqrt().item<double>();
}

/// |a b - c| within 20 n eps |a| |b|, norms over the whole batch.
void expect_product(const Tensor& a, const Tensor& b, const Tensor& c, const std::string& what) {
  const double n = static_cast<double>(std::max({a.size(-1), a.size(-2), b.size(-1)}));
  const double far = size_of(matmul(wide(a), wide(b)) - wide(c));
  EXPECT_LE(far, 20 * n * eps_of(c.dtype()) * size_of(a) * size_of(b)) << what;
}
void expect_orthonormal(const Tensor& q, const std::string& what) {
  const Tensor one = eye(q.size(-1), {}, {.dtype = q.dtype()});
  Dims shape(q.shape());
  shape[shape.size() - 2] = q.size(-1);
  expect_product(adjoint(q.to(kCPU)), q, one.expand(shape), what);
}

/// The same elements in other orders of memory.
std::vector<Tensor> layouts(const Tensor& x) {
  Dims twice(x.shape());
  twice.back() *= 2;
  Tensor spread = zeros(twice, {.dtype = x.dtype(), .device = x.device()}).slice(-1, 0, {}, 2);
  spread.copy_(x);
  return {x, matrix_transpose(matrix_transpose(x).contiguous()), spread,
          flip(flip(x, Axes{-1}), Axes{-1})};
}

struct Sizes {
  Dims batch;
  std::int64_t n;
  bool many;  // goes to a batched form
};
// Matrices of up to 32 rows have a kernel of their own.
const Sizes kSizes[] = {{{}, 36, false},    {{1}, 34, false},  {{3}, 35, true},
                        {{2, 2}, 33, true}, {{2}, 257, false}, {{2}, 40, true}};

/// The largest of one dtype alone: their copies are what the simulated device spends its time on.
std::vector<Sizes> sizes_of(DType t) {
  std::vector<Sizes> all;
  for (const Sizes& s : kSizes) {
    if (s.n < 100 || t == DType::float32) all.push_back(s);
  }
  return all;
}

std::string text(const Sizes& s, DType t) {
  return std::string(name(t)) + " " + std::to_string(s.n) + " x" + std::to_string(s.batch.size());
}

void expect_calls(const Sizes& s, const std::string& batched, const std::string& single) {
  std::int64_t count = 1;
  for (const std::int64_t b : s.batch) count *= b;
  EXPECT_EQ(call_of(batched).times, s.many ? 1 : 0) << batched;
  EXPECT_EQ(call_of(single).times, s.many ? 0 : count) << single;
  if (!s.many) return;
  EXPECT_EQ(call_of(batched).batch, count);
}

TEST_F(SolverLibrary, Cholesky) {
  for (const DType t : kTypes) {
    for (const Sizes& s : sizes_of(t)) {
      const Tensor a = definite(s.batch, s.n, t);
      for (const bool upper : {false, true}) {
        for (const Tensor& x : layouts(a.to(kDevice))) {
          forget();
          const Tensor l = linalg::cholesky(x, upper).to(kCPU);
          expect_calls(s, "cusolverDn potrfBatched", "cusolverDnXpotrf");
          const std::string what = text(s, t) + (upper ? " upper" : " lower");
          expect_product(upper ? adjoint(l) : l, upper ? l : adjoint(l), a, what);
          EXPECT_TRUE(equal(l, upper ? triu(l) : tril(l))) << what;
        }
      }
    }
  }
}

TEST_F(SolverLibrary, CholeskyTellsWhichMinorAsOnTheHost) {
  for (const DType t : kTypes) {
    for (const Sizes& s : {Sizes{{6}, 36, true}, Sizes{{}, 37, false}, Sizes{{2}, 257, false}}) {
      for (const double bad : {-1e3, std::nan("")}) {
        for (const std::int64_t at : {std::int64_t(0), std::int64_t(7), s.n - 1}) {
          Tensor a = definite(s.batch, s.n, t).clone();
          Tensor last = s.batch.empty() ? a : a.select(0, s.batch[0] - 1);
          last.diagonal(0, -2, -1).select(0, at).fill_(bad);
          const Tensor info = std::get<1>(linalg::cholesky_ex(a.to(kDevice))).to(kCPU);
          EXPECT_TRUE(equal(info, std::get<1>(linalg::cholesky_ex(a))))
              << text(s, t) << " " << bad << " at " << at;
          const std::string host = message_of([&] { linalg::cholesky(a); });
          EXPECT_NE(host, "");
          EXPECT_EQ(message_of([&] { linalg::cholesky(a.to(kDevice)); }), host);
        }
      }
    }
  }
}

TEST_F(SolverLibrary, LU) {
  for (const DType t : kTypes) {
    for (const Sizes& s : sizes_of(t)) {
      const Tensor a = numbers(Dims(square(s.batch, s.n, t).shape()), t, 9);
      for (const Tensor& x : layouts(a.to(kDevice))) {
        forget();
        const auto [lu, pivots, info] = linalg::lu_factor_ex(x);
        expect_calls(s, "cublas getrfBatched", "cusolverDnXgetrf");
        const auto [hlu, hpivots, hinfo] = linalg::lu_factor_ex(a);
        EXPECT_TRUE(equal(pivots.to(kCPU), hpivots)) << text(s, t);
        EXPECT_TRUE(equal(info.to(kCPU), hinfo)) << text(s, t);
        const auto [p, l, u] = linalg::lu(x);
        expect_product(matmul(p.to(kCPU), l.to(kCPU)), u, a, text(s, t));
      }
      const auto [sign, size] = linalg::slogdet(a.to(kDevice));
      const auto [hsign, hsize] = linalg::slogdet(a);
      const double bound = 20 * static_cast<double>(s.n * s.n) * eps_of(t);
      EXPECT_LE(size_of(size.to(kCPU) - hsize), bound * (size_of(hsize) + 1)) << text(s, t);
      EXPECT_LE(size_of(sign.to(kCPU) - hsign), bound * size_of(hsign)) << text(s, t);
    }
    // Others than square ones have no batched form.
    for (const Dims& shape : {Dims{3, 20, 30}, Dims{3, 30, 20}}) {
      const Tensor a = numbers(shape, t, 4);
      forget();
      const auto [p, l, u] = linalg::lu(a.to(kDevice));
      EXPECT_EQ(call_of("cusolverDnXgetrf").times, 3);
      expect_product(matmul(p.to(kCPU), l.to(kCPU)), u, a, "rectangular");
    }
  }
}

TEST_F(SolverLibrary, SingularMatricesAreNamedAsOnTheHost) {
  for (const DType t : kTypes) {
    for (const Sizes& s : {Sizes{{2, 3}, 36, true}, Sizes{{}, 37, false}, Sizes{{2}, 257, false}}) {
      Tensor a = square(s.batch, s.n, t).clone();
      Tensor bad = a;
      for (std::size_t d = 0; d < s.batch.size(); ++d) bad = bad.select(0, s.batch[d] - 1);
      bad.select(1, 5).fill_(0);  // a column
      const Tensor x = a.to(kDevice);
      const Tensor b = square(s.batch, s.n, t, 8);
      const auto info_of = [](const auto& results) { return std::get<1>(results).to(kCPU); };
      EXPECT_TRUE(equal(info_of(linalg::inv_ex(x)), info_of(linalg::inv_ex(a))));
      EXPECT_TRUE(
          equal(info_of(linalg::solve_ex(x, b.to(kDevice))), info_of(linalg::solve_ex(a, b))));
      const std::string inverse = message_of([&] { linalg::inv(a); });
      EXPECT_NE(inverse, "");
      EXPECT_EQ(message_of([&] { linalg::inv(x); }), inverse);
      EXPECT_EQ(message_of([&] { linalg::solve(x, b.to(kDevice)); }),
                message_of([&] { linalg::solve(a, b); }));
      EXPECT_EQ(message_of([&] { linalg::lu_factor(x); }),
                message_of([&] { linalg::lu_factor(a); }));
    }
  }
}

TEST_F(SolverLibrary, Inverses) {
  for (const DType t : kTypes) {
    for (const Sizes& s : sizes_of(t)) {
      const Tensor a = square(s.batch, s.n, t);
      for (const Tensor& x : layouts(a.to(kDevice))) {
        forget();
        const Tensor y = linalg::inv(x);
        expect_product(a, y, eye(s.n, {}, {.dtype = t}).expand(a.shape()), text(s, t));
        EXPECT_EQ(call_of("cublas getriBatched").times, s.many ? 1 : 0);
        EXPECT_TRUE(equal(x.to(kCPU), a));  // not changed
      }
    }
  }
}

TEST_F(SolverLibrary, Solutions) {
  for (const DType t : kTypes) {
    for (const Sizes& s : sizes_of(t)) {
      const Tensor a = square(s.batch, s.n, t);
      Dims tall = s.batch, flat = s.batch;
      tall.push_back(s.n);
      tall.push_back(3);
      flat.push_back(3);
      flat.push_back(s.n);
      const Tensor b = numbers(tall, t, 6), c = numbers(flat, t, 7);
      for (const Tensor& x : layouts(a.to(kDevice))) {
        forget();
        expect_product(a, linalg::solve(x, b.to(kDevice)), b, text(s, t));
        expect_calls(s, "cublas getrsBatched", "cusolverDnXgetrs");
        expect_product(linalg::solve(x, c.to(kDevice), false), a, c, text(s, t) + " right");
      }
      const auto [lu, pivots] = linalg::lu_factor(a.to(kDevice));
      const Tensor y = linalg::lu_solve(lu, pivots, b.to(kDevice), true, true);
      expect_product(adjoint(a), y, b, text(s, t) + " adjoint");
      const Tensor z = linalg::lu_solve(lu, pivots, c.to(kDevice), false, true);
      expect_product(z, adjoint(a), c, text(s, t) + " adjoint, right");
    }
    // One matrix for a batch of right-hand sides: one problem with the columns of all.
    const Tensor one = square({}, 37, t);
    const Tensor many = numbers({5, 2, 37, 3}, t, 8);
    forget();
    const Tensor y = linalg::solve(one.to(kDevice), many.to(kDevice));
    EXPECT_EQ(call_of("cusolverDnXgetrs").times, 1);
    EXPECT_EQ(call_of("cusolverDnXgetrs").n, 30);
    expect_product(one, y, many, "shared");
    const Tensor right = numbers({5, 2, 3, 37}, t, 8);
    expect_product(linalg::solve(one.to(kDevice), right.to(kDevice), false), one, right, "shared");
    // A batch of vectors, and a batch against one right-hand side.
    const Tensor a = square({4}, 39, t);
    const Tensor v = numbers({4, 39}, t, 2);
    expect_product(a, linalg::solve(a.to(kDevice), v.to(kDevice)).unsqueeze(-1), v.unsqueeze(-1),
                   "");
    const Tensor w = numbers({39, 2}, t, 2);
    expect_product(a, linalg::solve(a.to(kDevice), w.to(kDevice)), w.expand({4, 39, 2}), "");
  }
}

TEST_F(SolverLibrary, PivotsOfAUserStayInTheMatrix) {
  for (const Dims& batch : {Dims{}, Dims{3}}) {
    Dims rows = batch, columns = batch;
    rows.push_back(20);
    columns.push_back(20);
    columns.push_back(2);
    const Tensor pivots = full(rows, Scalar(21), {.dtype = DType::int32, .device = kDevice});
    const Tensor a = square(batch, 20, DType::float32).to(kDevice);
    const Tensor b = numbers(columns, DType::float32, 1).to(kDevice);
    const std::string said = message_of([&] {
      linalg::lu_solve(a, pivots, b);
      synchronize(kDevice);
    });
    EXPECT_NE(said.find("21"), std::string::npos) << said;
  }
}

TEST_F(SolverLibrary, Triangles) {
  for (const DType t : kTypes) {
    for (const Sizes& s : sizes_of(t)) {
      const Tensor a = square(s.batch, s.n, t);
      Dims tall = s.batch;
      tall.push_back(s.n);
      tall.push_back(2);
      const Tensor b = numbers(tall, t, 6);
      for (const Tensor& x : layouts(a.to(kDevice))) {
        for (const bool upper : {false, true}) {
          forget();
          const Tensor y = linalg::solve_triangular(x, b.to(kDevice), upper);
          expect_calls(s, "cublas trsmBatched", "cublas trsm");
          expect_product(upper ? triu(a) : tril(a), y, b, text(s, t));
          const Tensor c = matrix_transpose(b).contiguous().to(kDevice);
          const Tensor z =
              linalg::solve_triangular(x / static_cast<double>(s.n), c, upper, false, true);
          const Tensor scaled = a / static_cast<double>(s.n);
          const Tensor unit =
              (upper ? triu(scaled, 1) : tril(scaled, -1)) + eye(s.n, {}, {.dtype = t});
          expect_product(z, unit, matrix_transpose(b), text(s, t) + " unit, right");
        }
      }
    }
    const Tensor one = square({}, 21, t);
    const Tensor many = numbers({5, 21, 3}, t, 8);
    forget();
    const Tensor y = linalg::solve_triangular(one.to(kDevice), many.to(kDevice), true);
    EXPECT_EQ(call_of("cublas trsm").times, 1);
    EXPECT_EQ(call_of("cublas trsm").n, 15);
    expect_product(triu(one), y, many, "shared");
  }
}

TEST_F(SolverLibrary, QR) {
  for (const DType t : kTypes) {
    for (const Dims& shape : {Dims{40, 12}, Dims{12, 40}, Dims{5, 36, 36}, Dims{2, 2, 50, 7},
                              Dims{4, 7, 50}, Dims{2, 300, 9}, Dims{3, 64, 2}}) {
      const Tensor a = numbers(shape, t, 3);
      const std::int64_t m = a.size(-2);
      std::int64_t count = 1;
      for (std::size_t d = 0; d + 2 < shape.size(); ++d) count *= shape[d];
      const bool many = count > 1 && m <= 256 && count >= m / 16;
      for (const Tensor& x : layouts(a.to(kDevice))) {
        for (const char* mode : {"reduced", "complete"}) {
          forget();
          const auto [q, r] = linalg::qr(x, mode);
          EXPECT_EQ(call_of("cublas geqrfBatched").times, many ? 1 : 0);
          EXPECT_EQ(call_of("cusolverDnXgeqrf").times, many ? 0 : count);
          EXPECT_EQ(call_of("cusolverDn orgqr").times, count > 1 ? 0 : 1);
          expect_product(q, r, a, std::string(name(t)) + mode);
          expect_orthonormal(q, std::string(name(t)) + mode);
          EXPECT_TRUE(equal(r.to(kCPU), triu(r.to(kCPU))));
        }
      }
    }
  }
}

TEST_F(SolverLibrary, ProductsOfReflectors) {
  for (const DType t : kTypes) {
    for (const Dims& shape : {Dims{40, 12}, Dims{3, 36, 7}}) {
      const Tensor a = numbers(shape, t, 3).clone();
      a.select(-1, 4).slice(-1, 4, {}).fill_(0);  // a column that needs no reflector
      const std::vector<Value> w = call_boxed(op::geqrf, std::vector<Value>{a});
      const Tensor reflectors = w[0].as<Tensor>(), factors = w[1].as<Tensor>().clone();
      factors.select(-1, 2).fill_(0);
      const Tensor want = linalg::householder_product(reflectors, factors);
      const Tensor got =
          linalg::householder_product(reflectors.to(kDevice), factors.to(kDevice)).to(kCPU);
      EXPECT_LE(size_of(got - want), 200 * eps_of(t) * size_of(want)) << name(t);
    }
  }
}

/// What is made of these steps, against the host.
TEST_F(SolverLibrary, Compositions) {
  for (const DType t : kTypes) {
    for (const Dims& batch : {Dims{}, Dims{3}}) {
      const Tensor a = definite(batch, 20, t);
      Dims shape = batch;
      shape.push_back(20);
      shape.push_back(2);
      const Tensor b = numbers(shape, t, 2);
      const auto boxed = [](const OpRow& row, const std::vector<Value>& args) {
        return call_boxed(row, args)[0].as<Tensor>();
      };
      const Tensor l = linalg::cholesky(a.to(kDevice));
      expect_product(a, boxed(op::cholesky_solve, {b.to(kDevice), l}), b, "cholesky_solve");
      const Tensor one = eye(20, {}, {.dtype = t}).expand(a.shape());
      expect_product(a, boxed(op::cholesky_inverse, {l}), one, "cholesky_inverse");
      expect_product(a, linalg::pinv(a.to(kDevice)), one, "pinv");
      const Tensor tall = a.narrow(-1, 0, 7);
      const linalg::LeastSquares x = linalg::lstsq(tall.to(kDevice), b.to(kDevice));
      const linalg::LeastSquares y = linalg::lstsq(tall, b);
      EXPECT_LE(size_of(x.solution.to(kCPU) - y.solution), 1e5 * eps_of(t) * size_of(y.solution));
      EXPECT_LE(size_of(x.residuals.to(kCPU) - y.residuals), 1e5 * eps_of(t) * size_of(b));
      const Tensor e = linalg::matrix_exp(a.to(kDevice) * 0.125).to(kCPU);
      const Tensor f = linalg::matrix_exp(a * 0.125);
      EXPECT_LE(size_of(e - f), 1e5 * eps_of(t) * size_of(f));
    }
  }
}

/// Tolerances that are on a device are not waited for: below 0 they count as 0, NaN takes all.
TEST_F(SolverLibrary, TolerancesOnTheDevice) {
  const Tensor a = diag_embed(arange(4).to(DType::float64)).to(kDevice);
  const auto rank = [&](double atol) {
    const Tensor t = full({}, Scalar(atol), {.dtype = DType::float64, .device = kDevice});
    return linalg::matrix_rank(a, t, 0.0).to(kCPU).item<std::int64_t>();
  };
  EXPECT_EQ(rank(1.5), 2);
  EXPECT_EQ(rank(-1), 3);
  EXPECT_EQ(rank(std::nan("")), 0);
}

TEST_F(SolverLibrary, SingularValues) {
  for (const DType t : kTypes) {
    for (const Dims& shape : {Dims{20, 12}, Dims{9, 14}, Dims{5, 3, 3}, Dims{2, 2, 30, 7},
                              Dims{4, 7, 30}, Dims{2, 40, 9}, Dims{3, 32, 32}, Dims{2, 33, 33}}) {
      const Tensor a = numbers(shape, t, 3);
      const std::int64_t most = std::max(a.size(-1), a.size(-2));
      const bool own = !is_complex(t) && most <= SmallSpectralLaunch::kMost;
      const bool many = shape.size() > 2 && most <= 32 && !own;
      for (const Tensor& x : layouts(a.to(kDevice))) {
        for (const bool whole : {false, true}) {
          forget();
          const auto [u, s, v] = linalg::svd(x, whole);
          EXPECT_EQ(call_of("cusolverDn gesvdjBatched").times, many ? 1 : 0);
          EXPECT_EQ(call_of("cusolverDnXgesvd").times > 0, !many && !own);
          const std::int64_t k = s.size(-1);
          const Tensor scaled = u.to(kCPU).narrow(-1, 0, k) * s.to(kCPU).unsqueeze(-2);
          expect_product(scaled, v.to(kCPU).narrow(-2, 0, k), a, std::string(name(t)));
          expect_orthonormal(u, "u");
          expect_orthonormal(adjoint(v.to(kCPU)), "v");
          const Tensor alone = linalg::svdvals(x).to(kCPU);
          EXPECT_LE(size_of(alone - linalg::svdvals(a)), 20 * 32 * eps_of(t) * size_of(a));
        }
      }
    }
  }
  // Batches for which the library's workspace would be too large go in parts.
  const Tensor a = numbers({32770, 2, 2}, DType::complex64, 3);
  forget();
  const auto [u, s, v] = linalg::svd(a.to(kDevice));
  EXPECT_EQ(call_of("cusolverDn gesvdjBatched").times, 2);
  EXPECT_EQ(call_of("cusolverDn gesvdjBatched").batch, 2);
  const Tensor again = matmul(u.to(kCPU) * s.to(kCPU).unsqueeze(-2), v.to(kCPU));
  EXPECT_LE((again - a).abs().max().item<double>(), 40 * 0x1p-23);
}

TEST_F(SolverLibrary, Eigenvalues) {
  for (const DType t : kTypes) {
    for (const Dims& batch : {Dims{}, Dims{3}, Dims{2, 2}}) {
      Dims shape = batch;
      shape.push_back(19);
      shape.push_back(19);
      const Tensor x = numbers(shape, t, 3);
      const Tensor a = x + adjoint(x);
      for (const char* uplo : {"L", "U"}) {
        for (const Tensor& y : layouts((*uplo == 'L' ? tril(a) : triu(a)).to(kDevice))) {
          forget();
          const auto [w, v] = linalg::eigh(y, uplo);
          EXPECT_EQ(call_of("cusolverDnXsyevBatched").times, batch.empty() ? 0 : 1);
          EXPECT_EQ(call_of("cusolverDnXsyevd").times, batch.empty() ? 1 : 0);
          const Tensor scaled = v.to(kCPU) * w.to(kCPU).unsqueeze(-2);
          expect_product(scaled, adjoint(v.to(kCPU)), a, std::string(name(t)));
          expect_orthonormal(v, "eigh");
          EXPECT_LE(size_of(linalg::eigvalsh(y, uplo).to(kCPU) - w.to(kCPU)),
                    200 * eps_of(t) * size_of(a));
        }
      }
      const auto [w, v] = linalg::eig(x.to(kDevice));
      const Tensor scaled = v.to(kCPU) * w.to(kCPU).unsqueeze(-2);
      expect_product(x, v, scaled, "eig");
      EXPECT_LE(size_of(linalg::eigvals(x.to(kDevice)).to(kCPU).sum() - w.to(kCPU).sum()),
                200 * eps_of(t) * size_of(x));
    }
  }
}

TEST_F(SolverLibrary, WhatIsNotFiniteIsNamedAsOnTheHost) {
  for (const DType t : {DType::float32, DType::complex128}) {
    for (const std::int64_t n : {5, 40}) {
      Tensor a = definite({2, 2}, n, t).clone();
      a.select(0, 1).select(0, 0).select(0, n - 1).fill_(std::nan(""));
      const Tensor x = a.to(kDevice);
      EXPECT_EQ(message_of([&] { linalg::svd(x); }), message_of([&] { linalg::svd(a); }));
      EXPECT_EQ(message_of([&] { linalg::eigh(x); }), message_of([&] { linalg::eigh(a); }));
      EXPECT_EQ(message_of([&] { linalg::eig(x); }), message_of([&] { linalg::eig(a); }));
      EXPECT_NE(message_of([&] { linalg::svd(x); }).find("(1, 0)"), std::string::npos);
    }
  }
}

TEST_F(SolverLibrary, NothingIsAskedForWithoutElements) {
  for (const DType t : kTypes) {
    for (const Dims& shape : {Dims{0, 20, 20}, Dims{3, 0, 0}}) {
      const Tensor a = zeros(shape, {.dtype = t, .device = kDevice});
      const Tensor b = zeros({shape[0], shape[1], 2}, {.dtype = t, .device = kDevice});
      EXPECT_EQ(linalg::cholesky(a).numel(), 0);
      EXPECT_EQ(std::get<0>(linalg::lu_factor(a)).numel(), 0);
      EXPECT_EQ(linalg::inv(a).numel(), 0);
      EXPECT_EQ(linalg::solve(a, b).numel(), 0);
      EXPECT_EQ(linalg::solve_triangular(a, b, true).numel(), 0);
      EXPECT_EQ(std::get<0>(linalg::qr(a)).numel(), 0);
      EXPECT_EQ(std::get<1>(linalg::svd(a)).numel(), 0);
      EXPECT_EQ(linalg::eigvalsh(a).numel(), 0);
    }
    const Tensor a = square({3}, 20, t).to(kDevice);
    EXPECT_EQ(linalg::solve(a, zeros({3, 20, 0}, {.dtype = t, .device = kDevice})).numel(), 0);
  }
  for (const char* f : {"cusolverDn potrfBatched", "cublas getriBatched", "cublas getrsBatched",
                        "cublas trsmBatched", "cublas geqrfBatched", "cusolverDn gesvdjBatched",
                        "cusolverDnXsyevBatched"}) {
    EXPECT_EQ(call_of(f).times, 0) << f;
  }
}

/// The forms that tell info wait for nothing: the host only queues.
TEST_F(SolverLibrary, FormsWithInfoDoNotWait) {
  const test::SimCounters counters = test::sim_counters();
  for (const Dims& batch : {Dims{}, Dims{4}}) {
    Dims tall = batch;
    tall.push_back(36);
    tall.push_back(2);
    const Tensor a = definite(batch, 36, DType::float64).to(kDevice);
    const Tensor b = numbers(tall, DType::float64, 2).to(kDevice);
    synchronize(kDevice);
    const test::SimCounts before = test::read(counters);
    const auto l = linalg::cholesky_ex(a);
    const auto lu = linalg::lu_factor_ex(a);
    const auto x = linalg::solve_ex(a, b);
    const auto y = linalg::inv_ex(a);
    const auto q = linalg::qr(a);
    const auto z = linalg::solve_triangular(a, b, true);
    const auto w = linalg::lu_solve(std::get<0>(lu), std::get<1>(lu), b);
    const test::SimCounts after = test::read(counters);
    EXPECT_EQ(after.waits, before.waits);
    EXPECT_EQ(after.copies, before.copies);
  }
}

TEST_F(SolverLibrary, WorkIsQueuedOnTheCurrentStream) {
  const Tensor a = definite({3}, 40, DType::float32).to(kDevice);
  const Tensor one = definite({}, 40, DType::float32).to(kDevice);
  const Tensor larger = definite({3}, 40, DType::float32).to(kDevice);  // than own kernels take
  synchronize(kDevice);
  const Stream stream = Stream::create(kDevice);
  {
    const StreamGuard guard(stream);
    (void)linalg::cholesky_ex(a);
    (void)linalg::cholesky_ex(one);
    (void)linalg::inv_ex(a);
    (void)linalg::qr(larger);
    (void)linalg::solve_triangular(one, one, true);
    synchronize(kDevice);
  }
  for (const char* f : {"cusolverDn potrfBatched", "cusolverDnXpotrf", "cublas getrfBatched",
                        "cublas getriBatched", "cublas geqrfBatched", "cublas trsm"}) {
    EXPECT_EQ(call_of(f).stream, stream.native()) << f;
  }
}

TEST_F(SolverLibrary, Graphs) {
  for (const Dims& batch : {Dims{}, Dims{4}}) {
    for (const DType t : {DType::float32, DType::complex128}) {
      const Stream stream = Stream::create(kDevice);
      const Tensor host = definite(batch, 36, t);
      Dims tall = batch;
      tall.push_back(36);
      tall.push_back(2);
      const Tensor right = numbers(tall, t, 2);
      Tensor x = host.to(kDevice);
      const Tensor b = right.to(kDevice);
      Tensor l, info, y, z, q, r;
      synchronize(kDevice);
      const Graph graph = Graph::capture(stream, [&] {
        std::tie(l, info) = linalg::cholesky_ex(x);
        y = std::get<0>(linalg::inv_ex(x));
        z = std::get<0>(linalg::solve_ex(x, b));
        std::tie(q, r) = linalg::qr(x);
      });
      for (const double factor : {1.0, 4.0, -1.0}) {
        const StreamGuard guard(stream);
        x.copy_((host * factor).to(kDevice));
        graph.replay();
        const Tensor now = host * factor;
        EXPECT_EQ(info.to(kCPU).ne(0).any().item<bool>(), factor < 0);
        if (factor > 0) expect_product(l, adjoint(l.to(kCPU)), now, "cholesky");
        expect_product(now, y, eye(36, {}, {.dtype = t}).expand(now.shape()), "inverse");
        expect_product(now, z, right, "solution");
        expect_product(q, r, now, "qr");
      }
    }
  }
}

TEST_F(SolverLibrary, WhatTheLibraryAnswersIsSaid) {
  const Tensor failing = square({}, 131, DType::float32).to(kDevice);
  EXPECT_EQ(message_of([&] { linalg::lu_factor_ex(failing); }),
            "[linalg_lu_factor_ex] cusolverDnXgetrf answered status 6");
  // Memory of the host, which no graph can keep; outside of one it is there until the call is done.
  const Tensor host = square({}, 97, DType::float32);
  const Tensor x = host.to(kDevice);
  const auto [p, l, u] = linalg::lu(x);
  expect_product(matmul(p.to(kCPU), l.to(kCPU)), u, host, "on the host");
  const Stream stream = Stream::create(kDevice);
  synchronize(kDevice);
  const std::string said =
      message_of([&] { (void)Graph::capture(stream, [&] { (void)linalg::lu_factor_ex(x); }); });
  EXPECT_NE(said.find("which a graph cannot keep"), std::string::npos) << said;
}

}  // namespace
