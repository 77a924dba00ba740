// Eigenvalues and singular values of small matrices on the device: the host's bits, which
// tests/host/small_spectral_test.cpp holds against the matrices. Where there is no GPU the backend
// is the simulated one.
#include <gtest/gtest.h>

#include <cmath>

#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tests/support/call_data.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::message_of;
using test::varied;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

void expect_same(const Tensor& there, const Tensor& here, const std::string& what) {
  EXPECT_EQ(tandem::testing::mismatch(there.cpu(), here, {.rtol = 0, .atol = 0}), "") << what;
  EXPECT_EQ(tandem::testing::mismatch(signbit(there.cpu()), signbit(here)), "") << what;
}

/// Equal ones, some without rank, a triangle and one of 0 among them.
Tensor matrices(std::int64_t batch, std::int64_t m, std::int64_t n, DType t) {
  const Tensor x = varied({batch, m, n}, t, 7).clone();
  x.select(0, 0).fill_(2);
  if (batch > 1) x.select(0, 1).fill_(0);
  if (batch > 2) x.select(0, 2).select(0, m - 1).fill_(0);
  if (batch > 3) x.select(0, 3).select(1, 0).copy_(x.select(0, 3).select(1, n - 1));
  if (batch > 4) x.select(0, 4).mul_(1e-30);
  return x;
}

TEST(SmallSpectral, TheDeviceGivesTheHostsEigenvectors) {
  TANDEM_NEEDS_GPU();
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {1, 2, 3, 4, 5, 8, 11, 16}) {
      const Tensor a = matrices(n % 5 == 0 ? 1 : 37, n, n, t);
      for (const Tensor& x : {a.to(kDevice), matrix_transpose(a.to(kDevice))}) {
        for (const char* uplo : {"L", "U"}) {
          const std::string what = std::to_string(n) + uplo;
          const auto here = linalg::eigh(x.cpu(), uplo);
          const auto there = linalg::eigh(x, uplo);
          expect_same(std::get<0>(there), std::get<0>(here), "values of " + what);
          expect_same(std::get<1>(there), std::get<1>(here), "vectors of " + what);
          expect_same(linalg::eigvalsh(x, uplo), std::get<0>(here), "eigvalsh of " + what);
        }
      }
    }
  }
}

TEST(SmallSpectral, TheDeviceGivesTheHostsSingularVectors) {
  TANDEM_NEEDS_GPU();
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t m : {1, 2, 3, 5, 8, 11, 16}) {
      for (const std::int64_t n : {1, 2, 4, 7, 13, 16}) {
        const Tensor a = matrices(35, m, n, t);
        const Tensor x = a.to(kDevice);
        const std::string what = std::to_string(m) + " x " + std::to_string(n);
        for (const bool full : {false, true}) {
          const auto here = linalg::svd(a, full);
          const auto there = linalg::svd(x, full);
          expect_same(std::get<0>(there), std::get<0>(here), "u of " + what);
          expect_same(std::get<1>(there), std::get<1>(here), "values of " + what);
          expect_same(std::get<2>(there), std::get<2>(here), "v of " + what);
        }
        expect_same(linalg::svdvals(x), linalg::svdvals(a), "svdvals of " + what);
      }
    }
  }
}

TEST(SmallSpectral, ElementsThatAreNotFiniteAreNamedOnTheDevice) {
  TANDEM_NEEDS_GPU();
  Tensor x = eye(4).expand({70, 4, 4}).clone();
  x.select(0, 65).select(0, 2).select(0, 1).fill_(INFINITY);
  const Tensor there = x.to(kDevice);
  const auto told = [](auto&& f) { return message_of<linalg::LinAlgError>(f); };
  EXPECT_EQ(told([&] { (void)linalg::eigh(there); }), told([&] { (void)linalg::eigh(x); }));
  EXPECT_EQ(told([&] { (void)linalg::svdvals(there); }), told([&] { (void)linalg::svdvals(x); }));
  EXPECT_NE(told([&] { (void)linalg::svdvals(there); }), "");
  expect_same(linalg::eigvalsh(there, "U"), linalg::eigvalsh(x, "U"), "the other triangle");
}

}  // namespace
