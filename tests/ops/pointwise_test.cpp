// The C++ forms of pointwise.h: operators, views of complex parts, further arguments, errors that
// come before any work. What the functions compute is in tests/host and tests/python.
#include "tandem/pointwise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tandem/zero_division.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::testing::expect_error;

namespace {

Tensor ints(const std::vector<std::int32_t>& values) {
  Tensor x = empty({static_cast<std::int64_t>(values.size())}, {.dtype = DType::int32});
  std::copy(values.begin(), values.end(), x.data<std::int32_t>());
  return x;
}
Tensor doubles(const std::vector<double>& values) {
  Tensor x = empty({static_cast<std::int64_t>(values.size())}, {.dtype = DType::float64});
  std::copy(values.begin(), values.end(), x.data<double>());
  return x;
}
std::vector<std::int32_t> ints_of(const Tensor& x) {
  const auto* p = x.data<std::int32_t>();
  return {p, p + x.numel()};
}

TEST(Pointwise, OperatorsTakeNumbersOnEitherSide) {
  const std::vector<std::int32_t> v{1, 2, 12, -7};
  const Tensor x = ints(v);
  const auto expect = [&](const Tensor& got, auto f) {
    std::vector<std::int32_t> want;
    for (const std::int32_t a : v) want.push_back(f(a));
    EXPECT_EQ(ints_of(got), want);
  };
  expect(x & 6, [](int a) { return a & 6; });
  expect(6 & x, [](int a) { return 6 & a; });
  expect(x | 8, [](int a) { return a | 8; });
  expect(8 | x, [](int a) { return 8 | a; });
  expect(x ^ x, [](int) { return 0; });
  expect(5 ^ x, [](int a) { return 5 ^ a; });
  expect(x << 2, [](int a) { return a * 4; });
  expect(x >> 1, [](int a) { return a >> 1; });
  expect(3 << x, [](int a) { return a < 0 || a > 31 ? 0 : 3 << a; });
  expect(96 >> x, [](int a) { return a < 0 || a > 31 ? 0 : 96 >> a; });
  expect(~x, [](int a) { return ~a; });
  expect(x % 5, [](int a) { return ((a % 5) + 5) % 5; });
  expect(rsub(x, 3), [](int a) { return 3 - a; });
}

TEST(Pointwise, PartsShareTheStorage) {
  const Tensor z =
      complex(doubles({1, 2, 3, 4, 5, 6}), doubles({-1, -2, -3, -4, -5, -6})).view({2, 3});
  EXPECT_EQ(z.dtype(), DType::complex128);
  const Tensor t = z.t().slice(0, {}, {}, -1);
  for (const Tensor& part : {real(t), imag(t)}) {
    EXPECT_TRUE(part.shares_storage(z));
    EXPECT_EQ(part.dtype(), DType::float64);
    EXPECT_EQ(Dims(part.shape()), (Dims{3, 2}));
  }
  EXPECT_EQ(imag(t).select(0, 0).select(0, 1).item<double>(), -6);
  imag(z).fill_(0);
  EXPECT_TRUE(all(isreal(z)).item<bool>());
  EXPECT_TRUE(view_as_complex(view_as_real(t)).shares_storage(z));
  EXPECT_EQ(Dims(view_as_complex(view_as_real(t)).strides()), Dims(t.strides()));
}

TEST(Pointwise, FurtherArguments) {
  const Tensor x = doubles({1.25, -0.5, 1234.5, NAN});
  const auto* p = x.data<double>();
  const Tensor r = round(x, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(r.data<double>()[i], std::nearbyint(p[i] * 10) / 10);
  EXPECT_EQ(round(x, -2).data<double>()[2], 1200);
  const Tensor n = nan_to_num(x, -1);
  EXPECT_EQ(n.data<double>()[3], -1);
  const auto [m, e] = frexp(doubles({12, 0, -0.75}));
  EXPECT_EQ(m.data<double>()[0], 0.75);
  EXPECT_EQ(ints_of(e), (std::vector<std::int32_t>{4, 0, 0}));
  EXPECT_TRUE(allclose(x, x + 1e-9, 1e-5, 1e-8, true));
  EXPECT_FALSE(allclose(x, x));
  EXPECT_EQ(isclose(2.0, doubles({2, 3}), 0.0, 0.5).data<bool>()[1], false);
  EXPECT_EQ(float_power(ints({2}), 10).item<double>(), 1024);
  EXPECT_EQ(addcdiv(x, doubles({6}), doubles({3}), 0.5).data<double>()[0], 2.25);
}

TEST(Pointwise, ErrorsNameTheOpAndChangeNothing) {
  const Tensor x = doubles({1, 2});
  expect_error<TypeError>([&] { (void)imag(x); }, "[imag] argument 'x'");
  expect_error<TypeError>([&] { (void)view_as_real(ints({1})); }, "[view_as_real]");
  expect_error<ShapeError>([&] { (void)view_as_complex(doubles({1, 2, 3})); }, "size 2");
  expect_error<TypeError>([&] { (void)frexp(ints({1})); }, "[frexp] argument 'x'");
  expect_error<TypeError>([&] { (void)round(ints({1}), 2); }, "[round] argument 'decimals'");
  expect_error<ValueError>([&] { (void)isclose(x, x, -1); }, "[isclose] argument 'rtol'");
  expect_error<ValueError>([&] { (void)mvlgamma(x, 0); }, "[mvlgamma] argument 'p'");
  expect_error<ValueError>([&] { (void)polygamma(-1, x); }, "[polygamma] argument 'n'");
  expect_error<TypeError>([&] { (void)positive(lt(x, 0)); }, "[positive]");
  Tensor out = ints({5, 6});
  expect_error<TypeError>([&] { erfc_out(out, x); }, "can't be cast");
  EXPECT_EQ(ints_of(out), (std::vector<std::int32_t>{5, 6}));
}

TEST(Pointwise, ParametersHaveNoSayInTheDtype) {
  const Tensor i = ints({1, 2, 3});
  EXPECT_EQ(ints_of(threshold(i, 1.9, -7.9)), (std::vector<std::int32_t>{-7, 2, 3}));
  EXPECT_EQ(ints_of(threshold(i, 2, 5)), (std::vector<std::int32_t>{5, 5, 3}));
  expect_error<ValueError>([&] { (void)threshold(i, 1, 1e10); }, "[threshold] value 10000000000");
  expect_error<ValueError>([&] { (void)threshold(i, NAN, 1); }, "[threshold] value nan");
  expect_error<ValueError>([&] { (void)celu(doubles({1}), std::complex<double>(0, 1)); },
                           "[celu] value");
  expect_error<TypeError>([&] { (void)celu(i); }, "[celu] not implemented for 'Int'");
  expect_error<TypeError>([&] { (void)hardshrink(i); }, "[hardshrink] not implemented for 'Int'");
  expect_error<TypeError>([&] { (void)relu(lt(i, 2)); }, "[relu] not implemented for 'Bool'");
  expect_error<TypeError>([&] { (void)threshold(lt(i, 2), 1, 1); }, "[threshold] not implemented");
  Tensor x = doubles({-1, 2});
  expect_error<ZeroDivisionError>([&] { (void)x.celu_(0); },
                                  "[celu] ZeroDivisionError: argument 'alpha'");
  expect_error<ZeroDivisionError>([&] { (void)celu(x, 0.0); },
                                  "[celu] ZeroDivisionError: argument 'alpha'");
  EXPECT_EQ(x.data<double>()[0], -1);
  EXPECT_TRUE(equal(celu(x), celu(x, 1)) && equal(hardshrink(x), hardshrink(x, 0.5)));
  // A tensor as alpha is an operand: one each.
  const Tensor alpha = doubles({0.5, 3});
  EXPECT_TRUE(equal(celu(x, alpha).slice(0, 0, 1), celu(x, 0.5).slice(0, 0, 1)));
}

TEST(Pointwise, PreluTakesAWeightForEachChannel) {
  const Tensor x = doubles({-1, 2, -3, -4, 5, -6}).view({2, 3}).refine_names({"n", "c"});
  const Tensor y = prelu(x, doubles({10, 20, 30}).refine_names({"w"}));
  EXPECT_EQ(y.names(), x.names());
  EXPECT_TRUE(equal(y, doubles({-10, 2, -90, -40, 5, -180}).view({2, 3})));
  EXPECT_TRUE(equal(prelu(x.select(1, 0), doubles({0.5})), doubles({-0.5, -2})));
  expect_error<ShapeError>([&] { (void)prelu(x, doubles({1, 2})); }, "expected 1 or 3 elements");
  expect_error<ShapeError>([&] { (void)prelu(x, doubles({1}).view({1, 1})); }, "0 or 1 dimensions");
  expect_error<TypeError>([&] { (void)prelu(x, ints({1})); }, "float64 and int32");
}

TEST(Pointwise, RealTensorsAreTheirOwnConjugates) {
  const Tensor x = doubles({1, 2});
  EXPECT_EQ(conj(x).body_ptr(), x.body_ptr());
  EXPECT_EQ(real(x).body_ptr(), x.body_ptr());
  Tensor out = empty({0}, {.dtype = DType::float64});
  conj_out(out, x);
  EXPECT_TRUE(equal(out, x));
  EXPECT_FALSE(out.shares_storage(x));
  Tensor same = x;
  same.conj_();
  EXPECT_TRUE(equal(same, x));
}

}  // namespace
