// The reductions' front-ends: axes, names, dtypes, empties, special values, errors, out=, meta; and
// argmax, max with indices, var, std and softmax against plain loops.
// lint: oracle table (the hand-written reductions)
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/host/layouts.h"

namespace tandem {
namespace {

using testing::Block;
using testing::bytes_of;
using testing::elements;
using testing::layouts;
using testing::wide_elements;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
Tensor tensor_of(const std::vector<T>& v, const Dims& shape) {
  const Tensor t = empty(shape, {dtype_of<T>});
  if (!v.empty()) std::memcpy(t.data_ptr(), v.data(), v.size() * sizeof(T));
  return t;
}
Tensor floats(const std::vector<float>& v) {
  return tensor_of(v, {static_cast<std::int64_t>(v.size())});
}

std::vector<std::int64_t> shape_of(const Tensor& t) { return {t.shape().begin(), t.shape().end()}; }
using Shape = std::vector<std::int64_t>;

/// The message of the error that f raises; empty where it raises none of this type.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    return std::string("another type of error: ") + e.what();
  }
  return "";
}

// ---- axes, names, dtypes

TEST(ReduceAxes, TuplesNegativeAndKeepdim) {
  const Tensor x = arange(24).reshape({2, 3, 4});
  EXPECT_EQ(shape_of(sum(x)), Shape{});
  EXPECT_EQ(sum(x).item<std::int64_t>(), 276);
  EXPECT_EQ(shape_of(sum(x, {-1})), (Shape{2, 3}));
  EXPECT_EQ(shape_of(sum(x, {0, -1})), Shape{3});
  EXPECT_EQ(elements<std::int64_t>(sum(x, {0, -1})), (std::vector<std::int64_t>{60, 92, 124}));
  EXPECT_EQ(elements<std::int64_t>(sum(x, {2, 0})), elements<std::int64_t>(sum(x, {0, 2})));
  EXPECT_EQ(shape_of(sum(x, {0, 2}, true)), (Shape{1, 3, 1}));
  EXPECT_EQ(shape_of(sum(x, {}, true)), (Shape{1, 1, 1}));
  EXPECT_EQ(shape_of(amax(x, 1)), (Shape{2, 4}));
}

TEST(ReduceAxes, ZeroDimensional) {
  const Tensor x = scalar_tensor(2.5);
  EXPECT_EQ(sum(x).item<double>(), 2.5);
  EXPECT_EQ(sum(x, 0).item<double>(), 2.5);
  EXPECT_EQ(sum(x, -1, true).dim(), 0);
  EXPECT_EQ(std::get<1>(max(x, 0)).item<std::int64_t>(), 0);
  EXPECT_EQ(softmax(x, 0).item<double>(), 1.0);
}

TEST(ReduceAxes, Errors) {
  const Tensor x = zeros({2, 3});
  EXPECT_NE(message_of<IndexError>([&] { sum(x, 2); }).find("range of [-2, 1], but got 2"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] {
              sum(x, {0, -2});
            }).find("dim 0 appears multiple times"),
            std::string::npos);
  EXPECT_NE(message_of<Error>([&] { sum(x, "rows"); }), "");
  EXPECT_NE(message_of<IndexError>([&] { softmax(x, 5); }).find("[softmax]"), std::string::npos);
}

TEST(ReduceNames, ChooseAxesAndPropagate) {
  const Tensor x = ones({2, 3, 4}).rename(std::vector<std::string>{"channels", "rows", "columns"});
  const Tensor y = sum(x, "channels");
  EXPECT_EQ(str(y.names()), "['rows', 'columns']");
  EXPECT_EQ(str(sum(x, {"rows", "channels"}, true).names()), "['channels', 'rows', 'columns']");
  EXPECT_FALSE(sum(x).has_names());
  EXPECT_EQ(str(argmax(x, "rows").names()), "['channels', 'columns']");
  const auto [values, indices] = max(x, "columns");
  EXPECT_EQ(str(values.names()), "['channels', 'rows']");
  EXPECT_EQ(str(indices.names()), "['channels', 'rows']");
  EXPECT_EQ(str(softmax(x, "rows").names()), str(x.names()));
  EXPECT_EQ(str(var(x, "rows").names()), "['channels', 'columns']");
  EXPECT_NE(message_of<TypeError>([&] { sum(x, {Axis("rows"), Axis(0)}); }), "");
}

TEST(ReduceDTypes, IntegersWidenAndFloatsStay) {
  for (const DType t :
       {DType::bool_, DType::uint8, DType::int8, DType::int32, DType::uint32, DType::uint64}) {
    EXPECT_EQ(sum(ones({3}, {t})).dtype(), DType::int64) << name(t);
    EXPECT_EQ(prod(ones({3}, {t})).dtype(), DType::int64) << name(t);
    EXPECT_EQ(amax(ones({3}, {t})).dtype(), t);
    EXPECT_EQ(any(ones({3}, {t})).dtype(), DType::bool_);
  }
  EXPECT_EQ(sum(ones({3}, {DType::float16})).dtype(), DType::float16);
  EXPECT_EQ(sum(full({1000}, 200, {DType::uint8})).item<std::int64_t>(), 200000);
  EXPECT_EQ(sum(full({300}, 1, {DType::int32}), {}, false, DType::int8).item<std::int64_t>(), 44);
  EXPECT_EQ(sum(ones({3}, {DType::int32}), {}, false, DType::float32).dtype(), DType::float32);
  EXPECT_EQ(mean(arange(4), {}, false, DType::float64).item<double>(), 1.5);
  // Cast first, then summed.
  EXPECT_EQ(sum(full({4}, 0.5), {}, false, DType::int32).item<std::int64_t>(), 0);
}

TEST(ReduceDTypes, HalfAccumulatesInFloatAndRoundsOnce) {
  EXPECT_EQ(sum(ones({70000}, {DType::float16})).item<double>(), kInf);
  EXPECT_EQ(mean(ones({70000}, {DType::float16})).item<double>(), 1.0);
  EXPECT_EQ(sum(ones({3000}, {DType::bfloat16})).item<double>(), 3008.0);  // nearest to 3000
  EXPECT_EQ(sum(ones({70000}, {DType::float16}), {}, false, DType::float32).item<double>(),
            70000.0);
}

TEST(ReduceDTypes, Errors) {
  EXPECT_EQ(message_of<TypeError>([] { mean(arange(3)); }),
            "[mean] could not infer output dtype. Input dtype must be either a floating point or "
            "complex dtype. Got: Long");
  const Tensor z = zeros({2}, {DType::complex64});
  for (const auto& f : std::vector<std::function<void()>>{
           [&] { amax(z); }, [&] { argmin(z); }, [&] { max(z); }, [&] { softmax(z, 0); },
           [] { var(arange(3)); }, [] { tandem::std(ones({2}, {DType::bool_})); },
           [] { softmax(arange(3), 0); }, [] { nansum(ones({2}), {}, false, DType::bool_); },
           [] { amax(ones({2}), {}, false, DType::float64); }}) {
    EXPECT_NE(message_of<TypeError>(f), "");
  }
}

// ---- empties

TEST(ReduceEmpty, Values) {
  const Tensor none = zeros({0});
  EXPECT_EQ(fn::to_bits(sum(none).item<float>()), 0u);  // +0
  EXPECT_EQ(prod(none).item<double>(), 1.0);
  EXPECT_TRUE(std::isnan(mean(none).item<double>()));
  EXPECT_TRUE(std::isnan(var(none).item<double>()));
  EXPECT_FALSE(any(none).item<bool>());
  EXPECT_TRUE(all(none).item<bool>());
  EXPECT_EQ(elements<float>(sum(zeros({3, 0}), 1)), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(shape_of(sum(zeros({3, 0}), 0)), Shape{0});
  EXPECT_EQ(shape_of(amax(zeros({0, 3}), 1)), Shape{0});
  EXPECT_EQ(shape_of(softmax(zeros({0, 3}), 0)), (Shape{0, 3}));
  EXPECT_EQ(sum(zeros({0}, {DType::bool_})).item<std::int64_t>(), 0);
}

TEST(ReduceEmpty, GreatestHasNone) {
  const Tensor none = zeros({0, 3});
  const std::string all = "Expected reduction dim to be specified for input.numel() == 0.";
  EXPECT_NE(message_of<IndexError>([&] { max(none); }).find("[max] " + all), std::string::npos);
  EXPECT_NE(message_of<IndexError>([&] { amin(none); }).find("[amin] " + all), std::string::npos);
  EXPECT_NE(message_of<IndexError>([&] { argmax(none); }).find("[argmax] " + all),
            std::string::npos);
  EXPECT_NE(message_of<IndexError>([&] {
              max(none, 0);
            }).find("Expected reduction dim 0 to have non-zero size."),
            std::string::npos);
}

// ---- special values

TEST(ReduceSpecial, Sums) {
  EXPECT_EQ(fn::to_bits(sum(floats({-0.0f, -0.0f, -0.0f})).item<float>()), 0x80000000u);
  EXPECT_EQ(fn::to_bits(sum(floats({-0.0f, 0.0f})).item<float>()), 0u);
  EXPECT_TRUE(std::isnan(sum(floats({1, kInf, -kInf})).item<float>()));
  EXPECT_EQ(sum(floats({1, kInf, 2})).item<float>(), kInf);
  EXPECT_TRUE(std::isnan(prod(floats({0, kInf})).item<float>()));
  // No product with an identity: infinity stays what it is.
  const auto z = elements<Complex64>(prod(tensor_of<Complex64>({{kInf, 0}}, {1, 1}), 1));
  EXPECT_EQ(z[0].re, kInf);
  EXPECT_EQ(z[0].im, 0.0f);
}

TEST(ReduceSpecial, GreatestAndLeast) {
  for (const std::int64_t n : {3, 200, 5000}) {
    std::vector<float> v(static_cast<std::size_t>(n), -1.0f);
    v[1] = -0.0f;
    v[static_cast<std::size_t>(n) - 1] = 0.0f;
    EXPECT_EQ(fn::to_bits(amax(floats(v)).item<float>()), 0u) << n;
    v[0] = 0.0f;
    for (float& x : v) x = x == -1.0f ? 1.0f : x;
    EXPECT_EQ(fn::to_bits(amin(floats(v)).item<float>()), 0x80000000u) << n;
    v[2] = kNan;
    EXPECT_TRUE(std::isnan(amax(floats(v)).item<float>())) << n;
    EXPECT_TRUE(std::isnan(amin(floats(v)).item<float>())) << n;
    v[2] = -kNan;
    EXPECT_TRUE(std::isnan(amax(floats(v)).item<float>())) << n;
    EXPECT_TRUE(std::isnan(amin(floats(v)).item<float>())) << n;
  }
  EXPECT_EQ(amax(floats({-kInf, -kInf})).item<float>(), -kInf);
  EXPECT_EQ(amin(floats({kInf, kInf})).item<float>(), kInf);
  EXPECT_EQ(max(tensor_of<std::uint64_t>({1, ~0ull, 5}, {3})).item<std::uint64_t>(), ~0ull);
  EXPECT_EQ(min(tensor_of<std::int64_t>({1, INT64_MIN, 5}, {3})).item<std::int64_t>(), INT64_MIN);
}

TEST(ReduceSpecial, AnyAndAll) {
  EXPECT_TRUE(any(floats({0, -0.0f, kNan})).item<bool>());
  EXPECT_FALSE(any(floats({0, -0.0f})).item<bool>());
  EXPECT_FALSE(all(floats({1, kNan, 0})).item<bool>());
  EXPECT_TRUE(all(floats({1, kNan, 1e-45f})).item<bool>());
  EXPECT_TRUE(any(tensor_of<Complex64>({{0, 0}, {0, 1}}, {2})).item<bool>());
}

// ---- where the greatest is

/// By a plain loop: NaN first, then the value, then the first index.
template <class T>
std::int64_t first_best(const std::vector<T>& v, bool greatest) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < v.size(); ++i) {
    const long double a = static_cast<long double>(fn::load(v[best]));
    const long double b = static_cast<long double>(fn::load(v[i]));
    if (std::isnan(a)) break;
    if (std::isnan(b) || (greatest ? b > a : b < a)) best = i;
  }
  return static_cast<std::int64_t>(best);
}

template <class T>
void expect_arg(const Dims& shape) {
  for (const auto& layout : layouts()) {
    Block in(shape, dtype_of<T>, layout);
    // Few different values: many ties.
    std::uint64_t i = 0;
    for (const std::int64_t o : in.offsets()) {
      const T v =
          fn::cast<T>(static_cast<float>(testing::hashed(i++) % 5) - (fn::is_int_v<T> ? 0 : 2));
      std::memcpy(in.at(o), &v, sizeof v);
    }
    const Tensor x = in.tensor();
    const std::vector<T> flat = elements<T>(x);
    EXPECT_EQ(argmax(x).item<std::int64_t>(), first_best(flat, true));
    EXPECT_EQ(argmin(x).item<std::int64_t>(), first_best(flat, false));
    const auto rows = static_cast<std::size_t>(shape[0]),
               columns = static_cast<std::size_t>(shape[1]);
    for (const bool greatest : {true, false}) {
      for (const int axis : {0, 1}) {
        const auto [values, indices] = greatest ? max(x, axis) : min(x, axis);
        const auto got = elements<std::int64_t>(indices);
        const auto chosen = elements<T>(values);
        EXPECT_EQ(got, elements<std::int64_t>(greatest ? argmax(x, axis) : argmin(x, axis)));
        for (std::size_t o = 0; o < (axis == 0 ? columns : rows); ++o) {
          std::vector<T> v;
          for (std::size_t k = 0; k < (axis == 0 ? rows : columns); ++k) {
            v.push_back(axis == 0 ? flat[k * columns + o] : flat[o * columns + k]);
          }
          const std::int64_t expected = first_best(v, greatest);
          ASSERT_EQ(got[o], expected) << layout.name << " axis " << axis << " at " << o;
          ASSERT_EQ(std::memcmp(&chosen[o], &v[static_cast<std::size_t>(expected)], sizeof(T)), 0);
        }
      }
    }
    EXPECT_TRUE(in.untouched());
  }
}

TEST(Arg, FirstOfEqualsInEveryLayout) {
  for (const Dims& shape :
       {Dims{1, 1}, Dims{5, 3}, Dims{33, 200}, Dims{200, 33}, Dims{3, 4500}, Dims{4500, 9}}) {
    expect_arg<float>(shape);
    expect_arg<double>(shape);
    expect_arg<Half>(shape);
    expect_arg<std::uint8_t>(shape);
    expect_arg<std::int64_t>(shape);
  }
}

TEST(Arg, Bool) {
  const Tensor x = gt(floats({0, 1, 0, 1}), 0.5);
  EXPECT_EQ(argmax(x).item<std::int64_t>(), 1);
  EXPECT_EQ(argmin(x).item<std::int64_t>(), 0);
  EXPECT_TRUE(max(x).item<bool>());
  EXPECT_FALSE(std::get<0>(min(x, 0)).item<bool>());
}

TEST(Arg, NanWinsAndZerosAreEqual) {
  EXPECT_EQ(argmax(floats({1, kNan, 3, kNan})).item<std::int64_t>(), 1);
  EXPECT_EQ(argmin(floats({1, kNan, -3, kNan})).item<std::int64_t>(), 1);
  EXPECT_EQ(argmax(floats({-0.0f, 0.0f})).item<std::int64_t>(), 0);
  EXPECT_EQ(argmin(floats({0.0f, -0.0f})).item<std::int64_t>(), 0);
  EXPECT_EQ(argmin(tensor_of<std::int32_t>({5, INT32_MIN, INT32_MIN}, {3})).item<std::int64_t>(),
            1);
  EXPECT_EQ(
      argmax(tensor_of<std::uint32_t>({5, 0x80000000u, 0x7fffffffu}, {3})).item<std::int64_t>(), 1);
}

// ---- var, std

TEST(Variance, AgainstTwoPassesInLongDouble) {
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::complex128}) {
    for (const auto& layout : layouts()) {
      Block in({40, 700}, dtype, layout);
      testing::fill(in, dtype, 10, 11);
      const Tensor x = in.tensor();
      const auto flat = wide_elements(x);
      const auto got = wide_elements(var(x, 1, 0.5));
      const auto roots = wide_elements(tandem::std(x, 1, 0.5));
      const long double unit = std::ldexp(1.0L, -info(dtype).bits);
      for (std::size_t r = 0; r < 40; ++r) {
        testing::Wide total = 0;
        for (std::size_t c = 0; c < 700; ++c) total += flat[r * 700 + c];
        long double squares = 0;
        for (std::size_t c = 0; c < 700; ++c)
          squares += std::norm(flat[r * 700 + c] - total / 700.0L);
        const long double v = squares / 699.5L;
        ASSERT_NEAR(got[r].real(), v, v * unit * 200) << name(dtype) << " " << layout.name;
        ASSERT_NEAR(roots[r].real(), std::sqrt(v), std::sqrt(v) * unit * 200);
      }
    }
  }
  EXPECT_EQ(var(zeros({2}, {DType::complex64})).dtype(), DType::float32);
}

TEST(Variance, Corrections) {
  const Tensor x = floats({1, 2, 3, 4});
  EXPECT_EQ(var(x, {}, 0).item<double>(), 1.25);
  EXPECT_EQ(var(x, {}, 2).item<double>(), 2.5);
  EXPECT_EQ(var(x, {}, 4).item<double>(), kInf);
  EXPECT_EQ(var(x, {}, 9).item<double>(), kInf);  // a negative divisor counts as 0
  EXPECT_TRUE(std::isnan(var(floats({1})).item<double>()));
  EXPECT_TRUE(std::isnan(var(floats({1, kInf})).item<double>()));
}

// ---- softmax

void expect_softmax(DType dtype, const Dims& shape, int axis) {
  for (const auto& layout : layouts()) {
    Block in(shape, dtype, layout);
    testing::fill(in, dtype, -8, 8);
    const Tensor x = in.tensor();
    const Tensor y = softmax(x, axis), z = log_softmax(x, axis);
    const auto flat = wide_elements(x), got = wide_elements(y), logs = wide_elements(z);
    const auto rows = static_cast<std::size_t>(shape[0]),
               columns = static_cast<std::size_t>(shape[1]);
    const std::size_t n = axis == 0 ? rows : columns, step = axis == 0 ? columns : 1;
    const long double unit = std::ldexp(1.0L, -info(dtype).bits);
    for (std::size_t o = 0; o < (axis == 0 ? columns : rows); ++o) {
      const std::size_t first = axis == 0 ? o : o * columns;
      long double top = -1e9L, total = 0;
      for (std::size_t i = 0; i < n; ++i) top = std::max(top, flat[first + i * step].real());
      for (std::size_t i = 0; i < n; ++i) total += std::exp(flat[first + i * step].real() - top);
      for (std::size_t i = 0; i < n; ++i) {
        const long double d = flat[first + i * step].real() - top;
        const long double p = std::exp(d) / total, l = d - std::log(total);
        ASSERT_NEAR(got[first + i * step].real(), p, p * unit * 40 + (is_half(dtype) ? 6e-8L : 0))
            << name(dtype) << " " << layout.name;
        ASSERT_NEAR(logs[first + i * step].real(), l, (std::abs(l) + std::abs(d) + 1) * unit * 8);
      }
    }
    EXPECT_TRUE(in.untouched());
    EXPECT_EQ(bytes_of(softmax(x.contiguous(), axis)), bytes_of(y)) << layout.name;
    EXPECT_EQ(bytes_of(log_softmax(x.contiguous(), axis)), bytes_of(z)) << layout.name;
  }
}

TEST(Softmax, AgainstLongDoubleInEveryLayout) {
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
    for (const int axis : {0, 1}) {
      expect_softmax(dtype, {1, 1}, axis);
      expect_softmax(dtype, {7, 30}, axis);
      expect_softmax(dtype, {130, 70}, axis);
      expect_softmax(dtype, {2, 9000}, axis);
      expect_softmax(dtype, {5000, 20}, axis);
    }
  }
}

TEST(Softmax, LongRowsOfOneTensorAreSharedByThreads) {
  Block in({1, 70000}, DType::float32, layouts()[0]);
  testing::fill(in, DType::float32, -8, 8);
  const Tensor x = in.tensor();
  // A row among many is computed by one thread and keeps no exponentials: the same bits.
  const Tensor many = x.expand({64, 70000}).contiguous();
  EXPECT_EQ(bytes_of(softmax(x, 1)), bytes_of(softmax(many, 1).narrow(0, 5, 1)));
  EXPECT_EQ(bytes_of(log_softmax(x, 1)), bytes_of(log_softmax(many, 1).narrow(0, 5, 1)));
}

TEST(Softmax, SpecialValuesAndDTypes) {
  const auto v = elements<float>(softmax(floats({-kInf, 0, 0}), 0));
  EXPECT_EQ(v, (std::vector<float>{0, 0.5f, 0.5f}));
  EXPECT_TRUE(std::isnan(elements<float>(softmax(floats({-kInf, -kInf}), 0))[0]));
  EXPECT_TRUE(std::isnan(elements<float>(softmax(floats({1, kNan}), 0))[0]));
  EXPECT_EQ(elements<float>(softmax(floats({1000, 1000}), 0))[0], 0.5f);
  EXPECT_EQ(softmax(arange(3), 0, DType::float64).dtype(), DType::float64);
}

// ---- out=, meta, boxed

TEST(ReduceOut, WritesStridedOutputsAndNothingBeside) {
  const Tensor x = arange(12).reshape({3, 4});
  for (const auto& layout : layouts()) {
    for (const DType dtype : {DType::int64, DType::float32, DType::complex64}) {
      Block out({4}, dtype, layout);
      Tensor y = out.tensor();
      sum_out(y, x, 0);
      EXPECT_EQ(wide_elements(y), (std::vector<testing::Wide>{12, 15, 18, 21})) << layout.name;
      EXPECT_TRUE(out.untouched());
    }
  }
  Tensor empty_out = empty({0}, {DType::int64});
  sum_out(empty_out, x, 1);
  EXPECT_EQ(elements<std::int64_t>(empty_out), (std::vector<std::int64_t>{6, 22, 38}));
}

TEST(ReduceOut, RefusalsChangeNothing) {
  const Tensor x = ones({3, 4});
  Tensor wrong = full({7}, 9.0f);
  EXPECT_NE(message_of<ShapeError>([&] { sum_out(wrong, x, 0); }).find("[sum]"), std::string::npos);
  Tensor integers = full({4}, 9, {DType::int64});
  EXPECT_NE(message_of<TypeError>([&] { sum_out(integers, x, 0); }).find("can't be cast"),
            std::string::npos);
  EXPECT_EQ(elements<float>(wrong), std::vector<float>(7, 9.0f));
  EXPECT_EQ(elements<std::int64_t>(integers), std::vector<std::int64_t>(4, 9));
}

TEST(ReduceMeta, InfersWhatTheRealCallGives) {
  for (const OpRow* row : op_rows()) {
    const bool irregular = row == &op::argmax || row == &op::argmin || row == &op::var ||
                           row == &op::std || row == &op::softmax || row == &op::log_softmax ||
                           row == &op::max || row == &op::min;
    if (row->family != Family::Reduction && !irregular) continue;
    const Tensor x = ones({2, 3, 4}).rename(std::vector<std::string>{"a", "b", "c"});
    const Tensor m = empty({2, 3, 4}, {DType::float32, Device("meta"), x.names()});
    const Value real[] = {Value(x), Value("b")}, meta[] = {Value(m), Value("b")};
    const auto a = call_boxed(*row, real), b = call_boxed(*row, meta);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const Tensor &p = a[i].as<Tensor>(), &q = b[i].as<Tensor>();
      EXPECT_TRUE(q.is_meta()) << row->name;
      EXPECT_EQ(shape_of(p), shape_of(q)) << row->name;
      EXPECT_EQ(p.dtype(), q.dtype()) << row->name;
      EXPECT_EQ(str(p.names()), str(q.names())) << row->name;
    }
  }
}

TEST(Methods, AreTheFunctions) {
  const Tensor x = rand({3, 4}).rename(std::vector<std::string>{"a", "b"});
  const auto same = [](const Tensor& p, const Tensor& q) {
    return p.dtype() == q.dtype() && p.names() == q.names() && equal(p, q);
  };
  EXPECT_TRUE(same(x.max(), max(x)));
  EXPECT_TRUE(same(x.min(), min(x)));
  EXPECT_TRUE(same(std::get<1>(x.max("b")), std::get<1>(max(x, "b"))));
  EXPECT_TRUE(same(std::get<0>(x.min(0, true)), std::get<0>(min(x, 0, true))));
  EXPECT_TRUE(same(x.argmax(), argmax(x)));
  EXPECT_TRUE(same(x.argmin("a", true), argmin(x, "a", true)));
  EXPECT_TRUE(same(x.var("a", 0), var(x, "a", 0)));
  EXPECT_TRUE(same(x.std(1, 1, true), std(x, 1, 1, true)));
  EXPECT_TRUE(same(x.softmax("b"), softmax(x, "b")));
  EXPECT_TRUE(same(x.log_softmax(0, DType::float64), log_softmax(x, 0, DType::float64)));
  const Tensor y = rand({4, 2});
  EXPECT_TRUE(same(x.matmul(y), matmul(x, y)));
}

}  // namespace
}  // namespace tandem
