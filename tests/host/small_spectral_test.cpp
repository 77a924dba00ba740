// Eigenvalues and singular values of small matrices: residuals and orthogonality in long double for
// every size, layout and triangle; values of graded matrices against rotations in long double; what
// has no rank, no size or too much of it; the same bits alone and in any batch, at any number of
// threads and at every SIMD level.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>

#include "runtime/dispatch/host_backend.h"
#include "tandem/tandem.h"
#include "tests/support/message_of.h"

using namespace tandem;
using test::message_of;

namespace {

constexpr std::int64_t kMost = 16;

using Wide = std::vector<std::vector<long double>>;

std::string shape_of(std::int64_t m, std::int64_t n) {
  return std::to_string(m) + " x " + std::to_string(n);
}

double eps_of(DType t) { return t == DType::float32 ? 0x1p-23 : 0x1p-52; }

Tensor random(const Dims& shape, DType t, std::uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> normal;
  Tensor x = empty(shape, {.dtype = DType::float64});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<double>()[i] = normal(rng);
  return x.to(t);
}

Wide wide(const Tensor& any) {
  const Tensor t = any.to(DType::float64).contiguous();
  const auto rows = static_cast<std::size_t>(t.size(0)), columns = t.numel() / rows;
  Wide w(rows, std::vector<long double>(columns));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) w[i][j] = t.data<double>()[i * columns + j];
  }
  return w;
}

long double greatest(const Wide& a) {
  long double most = 0;
  for (const auto& row : a) {
    for (const long double x : row) most = std::max(most, std::abs(x));
  }
  return most;
}

/// The greatest element of a^T a - 1.
long double from_orthogonal(const Wide& a) {
  long double most = 0;
  for (std::size_t i = 0; i < a[0].size(); ++i) {
    for (std::size_t j = 0; j < a[0].size(); ++j) {
      long double sum = i == j ? -1 : 0;
      for (const auto& row : a) sum += row[i] * row[j];
      most = std::max(most, std::isnan(sum) ? INFINITY : std::abs(sum));
    }
  }
  return most;
}

/// The greatest element of u diag(s) v - a.
long double residual(const Wide& u, const Wide& s, const Wide& v, const Wide& a) {
  long double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[0].size(); ++j) {
      long double sum = -a[i][j];
      for (std::size_t k = 0; k < s.size(); ++k) sum += u[i][k] * s[k][0] * v[k][j];
      most = std::max(most, std::isnan(sum) ? INFINITY : std::abs(sum));
    }
  }
  return most;
}

void expect_eigh(const Tensor& a, const Tensor& w, const Tensor& v, const std::string& what) {
  const Wide exact = wide(a), vectors = wide(v);
  const auto n = static_cast<long double>(a.size(0));
  const long double eps = eps_of(a.dtype());
  EXPECT_LE(from_orthogonal(vectors), 4 * n * eps) << what;
  EXPECT_LE(residual(vectors, wide(w), wide(matrix_transpose(v)), exact),
            4 * n * eps * greatest(exact) * n)
      << what;
  for (std::int64_t i = 1; i < a.size(0); ++i)
    EXPECT_LE(w[i - 1].item<double>(), w[i].item<double>()) << what;
}

void expect_svd(const Tensor& a, const Tensor& u, const Tensor& s, const Tensor& v,
                const std::string& what) {
  const Wide exact = wide(a);
  const auto n = static_cast<long double>(std::max(a.size(0), a.size(1)));
  const long double eps = eps_of(a.dtype());
  EXPECT_LE(from_orthogonal(wide(u)), 4 * n * eps) << what << " u";
  EXPECT_LE(from_orthogonal(wide(matrix_transpose(v))), 4 * n * eps) << what << " v";
  EXPECT_LE(residual(wide(u), wide(s), wide(v), exact), 4 * n * eps * greatest(exact) * n) << what;
  for (std::int64_t i = 0; i < s.size(0); ++i) {
    EXPECT_FALSE(std::signbit(s[i].item<double>())) << what;
    EXPECT_GE(s[std::max<std::int64_t>(i - 1, 0)].item<double>(), s[i].item<double>()) << what;
  }
}

/// The same elements by columns, in a wider room, and as they are.
std::vector<Tensor> layouts(const Tensor& x) {
  const Tensor columns = matrix_transpose(matrix_transpose(x).contiguous());
  Dims roomy(x.shape());
  roomy.back() *= 2;
  Tensor every_other = zeros(roomy, {.dtype = x.dtype()}).slice(-1, 0, {}, 2);
  every_other.copy_(x);
  return {x, columns, every_other};
}

bool same_bits(const Tensor& x, const Tensor& y) {
  const Tensor a = x.contiguous(), b = y.contiguous();
  return std::ranges::equal(a.shape(), b.shape()) && a.dtype() == b.dtype() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.numel() * element_size(a.dtype())) == 0;
}

TEST(SmallSpectral, EigenvectorsOfEverySizeTriangleAndLayout) {
  for (const DType t : {DType::float32, DType::float64}) {
    for (std::int64_t n = 1; n <= kMost; ++n) {
      const Tensor x = random({5, n, n}, t, static_cast<std::uint64_t>(n));
      const Tensor a = x + matrix_transpose(x);
      const Tensor strange = full({n, n}, std::nan(""), {.dtype = t});  // what is not read
      const auto [first, vectors] = linalg::eigh(a);
      for (const bool upper : {false, true}) {
        const char* uplo = upper ? "U" : "L";
        const Tensor half = upper ? where(triu(ones({n, n})).to(DType::bool_), a, strange)
                                  : where(tril(ones({n, n})).to(DType::bool_), a, strange);
        for (const Tensor& y : layouts(half)) {
          const auto [w, v] = linalg::eigh(y, uplo);
          EXPECT_TRUE(same_bits(w, first) && same_bits(v, vectors)) << n << uplo;
          EXPECT_TRUE(same_bits(linalg::eigvalsh(y, uplo), w)) << n << uplo;
        }
      }
      for (std::int64_t b = 0; b < 5; ++b)
        expect_eigh(a[b], first[b], vectors[b], std::string(name(t)) + " " + std::to_string(n));
    }
  }
}

TEST(SmallSpectral, SingularVectorsOfEveryShape) {
  for (const DType t : {DType::float32, DType::float64}) {
    for (std::int64_t m = 1; m <= kMost; ++m) {
      for (std::int64_t n = 1; n <= kMost; ++n) {
        const std::string what = std::string(name(t)) + " " + shape_of(m, n);
        const auto layout = static_cast<std::size_t>((m + n) % 3);
        const Tensor a = layouts(random({2, m, n}, t, static_cast<std::uint64_t>(m * n)))[layout];
        const auto [u, s, v] = linalg::svd(a, true);
        const auto [uk, sk, vk] = linalg::svd(a, false);
        const std::int64_t k = std::min(m, n);
        EXPECT_TRUE(std::ranges::equal(u.shape(), Dims{2, m, m})) << what;
        EXPECT_TRUE(std::ranges::equal(vk.shape(), Dims{2, k, n})) << what;
        EXPECT_TRUE(same_bits(sk, s) && same_bits(linalg::svdvals(a), s)) << what;
        EXPECT_TRUE(same_bits(uk, u.narrow(-1, 0, k)) && same_bits(vk, v.narrow(-2, 0, k))) << what;
        for (std::int64_t b = 0; b < 2; ++b) expect_svd(a[b], u[b], s[b], v[b], what);
      }
    }
  }
}

/// Of lower rank by one and by all, of equal values, of 0 and 1 alone.
TEST(SmallSpectral, WithoutFullRankOrWithEqualValues) {
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {1, 2, 3, 5, 8, 13, 16}) {
      for (const std::int64_t m : {1, 2, 7, 16}) {
        const Tensor thin = round(random({m, 1}, t, 3) * 2), flat = round(random({1, n}, t, 4) * 2);
        const Tensor low = matmul(random({m, 2}, t, 5), random({2, n}, t, 6));
        for (const Tensor& a : {thin * flat, low, zeros({m, n}, {.dtype = t}),
                                ones({m, n}, {.dtype = t}), eye(m, n, {.dtype = t})}) {
          const auto [u, s, v] = linalg::svd(a);
          expect_svd(a, u, s, v, shape_of(m, n));
          const auto rank = linalg::matrix_rank(a).item<std::int64_t>();
          EXPECT_LE(rank, std::min<std::int64_t>(m, n));
        }
      }
      const Tensor one = eye(n, {}, {.dtype = t});
      for (const Tensor& a :
           {one, -one, one * 0.0, ones({n, n}, {.dtype = t}), ones({n, n}, {.dtype = t}) - one}) {
        const auto [w, v] = linalg::eigh(a);
        expect_eigh(a, w, v, "equal values of " + std::to_string(n));
      }
    }
  }
  EXPECT_TRUE(same_bits(linalg::svdvals(zeros({3, 2})), zeros({2})));
  EXPECT_TRUE(same_bits(linalg::eigvalsh(eye(3) * -0.0), zeros({3})));
}

/// Eigenvalues by plain rotations row after row until nothing changes.
std::vector<long double> rotated(Wide a) {
  const std::size_t n = a.size();
  for (int sweep = 0; sweep < 60; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p][q] == 0) continue;
        const long double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const long double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::hypot(theta, 1.0L));
        const long double c = 1 / std::hypot(t, 1.0L), s = t * c;
        for (std::size_t i = 0; i < n; ++i) {
          const long double x = a[i][p], y = a[i][q];
          a[i][p] = c * x - s * y;
          a[i][q] = s * x + c * y;
        }
        for (std::size_t i = 0; i < n; ++i) {
          const long double x = a[p][i], y = a[q][i];
          a[p][i] = c * x - s * y;
          a[q][i] = s * x + c * y;
        }
        a[p][q] = a[q][p] = 0;
      }
    }
  }
  std::vector<long double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = a[i][i];
  std::sort(values.begin(), values.end());
  return values;
}

/// D B D with a D of powers of two and a well conditioned B: each value has all its digits, the
/// least ones too, where LAPACK's are lost beside the greatest.
TEST(SmallSpectral, GradedMatricesKeepSmallValues) {
  for (const DType t : {DType::float32, DType::float64}) {
    const double step = t == DType::float32 ? 1.0 / 16 : 1.0 / 4096;
    for (const std::int64_t n : {2, 3, 6, 10}) {
      Tensor b = random({n, n}, t, 7) / static_cast<double>(8 * n);
      b = (b + matrix_transpose(b) + eye(n, {}, {.dtype = t}));
      Tensor d = zeros({n}, {.dtype = t});
      for (std::int64_t i = 0; i < n; ++i) d[i].fill_(std::pow(step, double(i * 5 % n)));
      const Tensor a = d.unsqueeze(-1) * b * d;
      const std::vector<long double> exact = rotated(wide(a));
      const Tensor w = linalg::eigvalsh(a);
      const Tensor s = linalg::svdvals(b * d);  // whose squares are those of D B B D
      const std::vector<long double> squares =
          rotated(wide(d.unsqueeze(-1).to(DType::float64) *
                       matmul(b.to(DType::float64), b.to(DType::float64)) * d.to(DType::float64)));
      for (std::int64_t i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const long double bound = 16 * static_cast<long double>(n) * eps_of(t);
        EXPECT_NEAR(w[i].item<double>() / static_cast<double>(exact[k]), 1, bound) << n << " " << i;
        EXPECT_NEAR(s[n - 1 - i].item<double>() / static_cast<double>(std::sqrt(squares[k])), 1,
                    bound)
            << n << " " << i;
      }
    }
  }
}

/// From the least subnormal number to the greatest number.
TEST(SmallSpectral, AnySizeOfElements) {
  for (const DType t : {DType::float32, DType::float64}) {
    const int low = t == DType::float32 ? -120 : -1010, high = t == DType::float32 ? 120 : 1016;
    for (const std::int64_t n : {1, 2, 5, 16}) {
      const Tensor x = random({n, n}, t, 11);
      const Tensor a = x + matrix_transpose(x);
      const Tensor w = linalg::eigvalsh(a), s = linalg::svdvals(x);
      for (const int power : {low, high}) {
        const double scale = std::ldexp(1.0, power);
        EXPECT_TRUE(same_bits(linalg::eigvalsh(a * scale), w * scale)) << power;
        EXPECT_TRUE(same_bits(linalg::svdvals(x * scale), s * scale)) << power;
      }
    }
    const double least = t == DType::float32 ? 0x1p-149 : 0x1p-1074;
    const Tensor tiny = full({3, 3}, 2 * least, {.dtype = t});
    EXPECT_EQ(linalg::svdvals(tiny)[0].item<double>(), 6 * least);
    EXPECT_EQ(linalg::eigvalsh(tiny)[2].item<double>(), 6 * least);
    const double most = t == DType::float32 ? 0x1p127 : 0x1p1023;
    EXPECT_EQ(linalg::svdvals(eye(4, 3, {.dtype = t}) * most)[2].item<double>(), most);
    EXPECT_EQ(linalg::eigvalsh(eye(3, {}, {.dtype = t}) * -most)[2].item<double>(), -most);
    EXPECT_TRUE(std::isinf(linalg::svdvals(full({2, 2}, most, {.dtype = t}))[0].item<double>()));
  }
}

TEST(SmallSpectral, ElementsThatAreNotFiniteAreNamed) {
  for (const double bad : {std::nan(""), double(INFINITY), -double(INFINITY)}) {
    Tensor x = eye(3).expand({5, 3, 3}).clone();
    x[3][2][1].fill_(bad);
    const std::string rest =
        "argument 'A': expected finite matrices, got one with an infinite or NaN element at batch "
        "index (3)";
    EXPECT_EQ(message_of<linalg::LinAlgError>([&] { (void)linalg::eigh(x); }),
              "[linalg_eigh] " + rest);
    EXPECT_EQ(message_of<linalg::LinAlgError>([&] { (void)linalg::svd(x); }),
              "[linalg_svd] " + rest);
    EXPECT_NO_THROW((void)linalg::eigh(x, "U"));  // the element is not read
  }
}

/// Matrices that need many rotations, few and none, side by side.
Tensor mixed(std::int64_t batch, std::int64_t m, std::int64_t n, DType t) {
  Tensor x = random({batch, m, n}, t, static_cast<std::uint64_t>(batch + 31 * m + n));
  for (std::int64_t b = 0; b < batch; ++b) {
    if (b % 4 == 1) x[b].copy_(eye(m, n, {.dtype = t}) * -1.0);
    if (b % 4 == 2) x[b].mul_(tril(ones({m, n}, {.dtype = t})));
    if (b % 4 == 3) x[b].select(1, 0).fill_(0);
  }
  return x;
}

TEST(SmallSpectral, AMatrixHasTheSameBitsInAnyBatch) {
  const int before = get_num_threads();
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {2, 3, 4, 7, 16}) {
      const Tensor x = mixed(39, std::min<std::int64_t>(n + 2, kMost), n, t);
      const Tensor square = x.narrow(1, 0, n);
      set_num_threads(2);
      const auto [w, z] = linalg::eigh(square);
      const auto [u, s, v] = linalg::svd(x);
      for (std::int64_t b = 0; b < 39; ++b) {
        for (const std::int64_t count : {1, 2, 5}) {
          if (b + count > 39) continue;
          set_num_threads(1);
          const auto [w1, z1] = linalg::eigh(square.narrow(0, b, count));
          const auto [u1, s1, v1] = linalg::svd(x.narrow(0, b, count));
          ASSERT_TRUE(same_bits(w1[0], w[b]) && same_bits(z1[0], z[b])) << n << " at " << b;
          ASSERT_TRUE(same_bits(u1[0], u[b]) && same_bits(s1[0], s[b]) && same_bits(v1[0], v[b]))
              << n << " at " << b;
        }
      }
    }
  }
  set_num_threads(before);
}

std::uint64_t hash_of(const Tensor& any, std::uint64_t h) {
  const Tensor t = any.contiguous();
  const auto* p = static_cast<const unsigned char*>(t.data_ptr());
  for (std::size_t i = 0; i < t.numel() * element_size(t.dtype()); ++i)
    h = (h ^ p[i]) * 1099511628211ull;
  return h;
}

/// Run by the test below in a process of its own at each level.
TEST(SmallSpectral, DISABLED_Print) {
  std::uint64_t h = 14695981039346656037ull;
  for (const DType t : {DType::float32, DType::float64}) {
    for (std::int64_t n = 1; n <= kMost; ++n) {
      const Tensor x = mixed(21, 1 + n * 7 % kMost, n, t);
      const auto [w, z] = linalg::eigh(mixed(21, n, n, t));
      const auto [u, s, v] = linalg::svd(x);
      for (const Tensor& y : {w, z, u, s, v}) h = hash_of(y, h);
    }
  }
  std::printf("level %s %016llx\n", std::string(detail::simd_level()).c_str(),
              static_cast<unsigned long long>(h));
}

std::string printed_at(const std::string& level) {
  const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_also_run_disabled_tests "
                              "--gtest_filter=SmallSpectral.DISABLED_Print 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string found;
  char line[512];
  while (pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr) {
    if (std::strncmp(line, "level ", 6) == 0) found = line;
  }
  EXPECT_EQ(pipe == nullptr ? -1 : pclose(pipe), 0) << "at level " << level;
  return found;
}

TEST(SmallSpectral, TheSameBitsAtEveryLevel) {
  const std::string base = printed_at("baseline");
  ASSERT_TRUE(base.starts_with("level baseline ")) << base;
  for (const std::string level : {"v3", "v4"}) {
    const std::string run = printed_at(level);
    if (!run.starts_with("level " + level + " ")) {
      std::printf("this machine has no level %s\n", level.c_str());
      continue;
    }
    EXPECT_EQ(run.substr(run.size() - 17), base.substr(base.size() - 17)) << level;
  }
}

}  // namespace
