// Every elementwise row in every dtype it takes and every layout, against the oracle; special
// values included.
#include "tandem/op_table.h"
#include "tandem/ops.h"

#include <gtest/gtest.h>

#include <random>

#include "tandem/op_table.h"
#include "tandem/value.h"
#include "tests/host/elementwise_oracle.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// The C++ forms of a row beside the boxed one.
struct Forms {
  Tensor& (*out)(Tensor&, const Tensor*) = nullptr;
  Tensor& (*in_place)(Tensor&, const Tensor*) = nullptr;
};

std::map<std::string_view, Forms> forms() {
  std::map<std::string_view, Forms> m;
#define TANDEM_UNARY(name, ...)                                                          \
  m[#name] = {[](Tensor& o, const Tensor* a) -> Tensor& { return name##_out(o, a[0]); }, \
              [](Tensor& x, const Tensor*) -> Tensor& { return x.name##_(); }};
#define TANDEM_BINARY(name, ...)                                                               \
  m[#name] = {[](Tensor& o, const Tensor* a) -> Tensor& { return name##_out(o, a[0], a[1]); }, \
              [](Tensor& x, const Tensor* a) -> Tensor& { return x.name##_(a[1]); }};
#define TANDEM_TERNARY(name, ...)                                                            \
  m[#name] = {                                                                               \
      [](Tensor& o, const Tensor* a) -> Tensor& { return name##_out(o, a[0], a[1], a[2]); }, \
      [](Tensor& x, const Tensor* a) -> Tensor& { return x.name##_(a[1], a[2]); }};
#include "tandem/ops/ops.def"
  return m;
}

bool is_condition(const OpRow& row, std::size_t argument) {
  return argument == 0 && (row.flags & kFirstIsBool) != 0;
}

/// An argument that is a number in the boxed form: the same in every call.
bool is_number(const OpRow& row, std::size_t argument) {
  return schema_of(row).params[argument].type == "Scalar";
}

DType computed_in(const OpRow& row, DType t) {
  if (row.dtypes.has(t)) return t;
  return row.result == Result::Number ? DType::int64 : DType::float32;
}

DType result_of(const OpRow& row, DType computed) {
  if (row.result == Result::Bool) return DType::bool_;
  if (row.result == Result::Real && is_complex(computed))
    return computed == DType::complex64 ? DType::float32 : DType::float64;
  if (row.result == Result::Int32) return DType::int32;
  if (row.result == Result::Complex)
    return computed == DType::float64 ? DType::complex128 : DType::complex64;
  return computed;
}

/// dtypes that a call of the row accepts: integers are computed as floats, bool as integers, where
/// the rule says so.
std::vector<DType> accepted(const OpRow& row) {
  std::vector<DType> list;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (row.dtypes.has(t) || (row.result == Result::Float && category(t) < Category::Float) ||
        (row.result == Result::Number && t == DType::bool_))
      list.push_back(t);
  }
  return list;
}

std::vector<Element> specials(DType t) {
  std::vector<Element> v;
  if (t == DType::bool_) return {{.i = 0}, {.i = 1}};
  if (is_integer(t)) {
    const int bits = 8 * static_cast<int>(element_size(t));
    const Int low = info(t).is_signed ? -(Int(1) << (bits - 1)) : 0;
    const Int high = low + (Int(1) << bits) - 1;
    for (const Int i : {Int(0), Int(1), Int(2), Int(3), Int(7), Int(bits - 1), Int(bits), low,
                        low + 1, high, high - 1, high / 2}) {
      v.push_back({.i = i});
      if (info(t).is_signed && i > 0 && i < 60) v.push_back({.i = -i});
    }
    return v;
  }
  if (is_complex(t)) {
    for (const Real x : {0.0L, 1.0L, -1.0L, 0.5L})
      for (const Real y : {0.0L, 1.0L, -0.5L}) v.push_back({.re = x, .im = y});
    return v;
  }
  const FloatFormat f = format_of(t);
  for (const Real x : {Real(0), Real(1), Real(0.5), Real(2), Real(3), Real(100), f.max,
                       std::ldexp(Real(1), f.min_exponent),
                       std::ldexp(Real(1), f.min_exponent - f.digits + 1), Real(HUGE_VALL)}) {
    v.push_back({.re = x});
    v.push_back({.re = -x});
  }
  v.push_back({.re = NAN});
  return v;
}

Element random_element(const OpRow& row, DType t, std::mt19937_64& rng) {
  Element e;
  if (t == DType::bool_) {
    e.i = static_cast<Int>(rng() & 1);
  } else if (is_integer(t)) {
    const int bits = 8 * static_cast<int>(element_size(t));
    const std::uint64_t u = rng() >> (rng() % 2 == 0 ? 64 - bits : 61);
    e.i = info(t).is_signed ? static_cast<std::int64_t>(u << (64 - bits)) >> (64 - bits) : Int(u);
  } else {
    const Real narrow = is_complex(t) ? 3 : format_of(t).max;
    std::uniform_real_distribution<double> d(static_cast<double>(std::max<Real>(row.lo, -narrow)),
                                             static_cast<double>(std::min<Real>(row.hi, narrow)));
    e.re = d(rng);
    if (is_complex(t)) e.im = d(rng);
  }
  return e;
}

constexpr std::int64_t kRows = 25, kColumns = 33, kCount = kRows * kColumns;

/// kCount calls: the special values crossed, then random ones.
std::vector<std::vector<Element>> arguments(const OpRow& row, DType t) {
  std::mt19937_64 rng(static_cast<std::uint64_t>(t) * 1000 + static_cast<std::uint64_t>(row.arity));
  const std::vector<Element> s = specials(t);
  std::vector<std::vector<Element>> args(static_cast<std::size_t>(row.arity));
  for (std::size_t i = 0; i < static_cast<std::size_t>(kCount); ++i) {
    std::size_t rest = i;
    for (std::size_t a = 0; a < args.size(); ++a) {
      const DType own = is_condition(row, a) ? DType::bool_ : t;
      Element e = random_element(row, own, rng);
      if (own == t && i < s.size() * s.size()) {
        e = s[a < 2 ? rest % s.size() : (i * 7 + a) % s.size()];
        rest /= s.size();
      }
      if (is_number(row, a)) e = i > 0 ? args[a][0] : random_element(row, own, rng);
      char stored[16];
      write_element(stored, own, e);
      args[a].push_back(read_element(stored, own));
    }
  }
  return args;
}

Scalar scalar_of(const Element& e, DType t) {
  if (t == DType::bool_) return e.i != 0;
  if (is_integer(t))
    return e.i > INT64_MAX ? Scalar(static_cast<std::uint64_t>(e.i))
                           : Scalar(static_cast<std::int64_t>(e.i));
  if (is_complex(t)) return std::complex<double>(std::complex<Real>(e.re, e.im));
  return static_cast<double>(e.re);
}

/// The oracle's answers, and whether a result agrees with them.
class Judge {
 public:
  Judge(const OpRow& row, const Oracle& oracle, DType given)
      : row_(row),
        oracle_(oracle),
        given_(given),
        computed_(computed_in(row, given)),
        result_(result_of(row, computed_)) {}

  /// Empty where `got` is right for these arguments; else what was expected.
  std::string wrong(const Element& got, const Element* args) const {
    if (category(computed_) < Category::Float) return wrong_integer(got, args);
    if (is_complex(computed_) || is_complex(result_)) return wrong_complex(got, args);
    if (oracle_.in_format) return wrong_in_format(got, args);
    return exact() ? wrong_exact(got, args) : wrong_close(got, args);
  }
  bool covered() const {
    if (category(computed_) < Category::Float) return bool(oracle_.integer);
    if (is_complex(computed_) || is_complex(result_)) return bool(oracle_.complex);
    return exact() || bool(oracle_.in_format) || bool(oracle_.real);
  }
  DType result() const { return result_; }

 private:
  bool exact() const { return oracle_.exact32 && oracle_.exact64; }
  std::size_t arity() const { return static_cast<std::size_t>(row_.arity); }

  /// The float that an argument becomes before it is computed with.
  Real as_real(std::size_t a, const Element* args) const {
    if (category(given_) >= Category::Float && !is_condition(row_, a)) return args[a].re;
    return static_cast<float>(args[a].i);
  }

  std::string expected(bool ok, const Element& e) const { return ok ? "" : text(e, result_); }

  std::string wrong_integer(const Element& got, const Element* args) const {
    Int a[4] = {};
    for (std::size_t i = 0; i < arity(); ++i) a[i] = args[i].i;
    const Width w{8 * static_cast<int>(element_size(computed_)), info(computed_).is_signed,
                  computed_ == DType::bool_};
    char stored[16];
    write_element(stored, result_, {.i = oracle_.integer(a, w)});
    const Element e = read_element(stored, result_);
    return expected(e.i == got.i, e);
  }

  std::string wrong_bool(const Element& got, bool truth) const {
    return expected(got.i == Int(truth), {.i = truth});
  }

  std::string wrong_exact(const Element& got, const Element* args) const {
    float f[4] = {};
    double d[4] = {};
    for (std::size_t i = 0; i < arity(); ++i) {
      d[i] = static_cast<double>(as_real(i, args));
      f[i] = static_cast<float>(d[i]);
    }
    const Real r =
        computed_ == DType::float64 ? Real(oracle_.exact64(d)) : Real(oracle_.exact32(f));
    if (result_ == DType::bool_) return wrong_bool(got, r != 0);
    if (result_ == DType::int32) {
      const Element e{.i = static_cast<Int>(r)};
      return expected(e.i == got.i, e);
    }
    return wrong_number(got, rounded(r, result_));
  }

  std::string wrong_in_format(const Element& got, const Element* args) const {
    Real a[4] = {};
    for (std::size_t i = 0; i < arity(); ++i) a[i] = as_real(i, args);
    return wrong_number(got, oracle_.in_format(a, result_));
  }

  std::string wrong_number(const Element& got, Real e) const {
    const bool same =
        std::isnan(e) ? std::isnan(got.re) : e == got.re && std::signbit(e) == std::signbit(got.re);
    return expected(same, {.re = e});
  }

  /// Where the result's format has no infinity, a NaN for a number: the infinity that it stands
  /// for.
  Real infinite(Real x, Real exact) const {
    const bool stands = std::isnan(x) && !std::isnan(exact) && !format_of(result_).infinity;
    return stands ? std::copysign(HUGE_VALL, exact) : x;
  }

  std::string wrong_close(const Element& got, const Element* args) const {
    Real a[4] = {};
    Cplx c[4] = {};
    for (std::size_t i = 0; i < arity(); ++i) c[i] = a[i] = as_real(i, args);
    const Real e = oracle_.real(a);
    const Real near = infinite(rounded(e, result_), e);
    const Real found = infinite(got.re, e);
    const DType fine = computed_ == DType::float64 ? computed_ : DType::float32;
    // A term of the sum overflows.
    if (oracle_.scale && oracle_.scale(c) > format_of(fine).max) return "";
    if (std::isnan(e) || std::isnan(found))
      return expected(std::isnan(e) && std::isnan(found), {.re = e});
    if (found == near && (e != 0 || std::signbit(e) == std::signbit(found))) return "";
    if (std::isinf(e) || e == 0) return expected(false, {.re = e});
    const Real top = format_of(result_).max;
    const Real value = std::isinf(found) ? std::copysign(top + ulp(top, result_), found) : found;
    const Real unit = ulp(oracle_.scale ? std::max(std::fabs(e), oracle_.scale(c)) : e, fine);
    Real bound = oracle_.ulps != 0 ? oracle_.ulps : row_.max_ulp;
    if (fine == DType::float64 && bound > 0) bound = std::max<Real>(bound, 2);
    // A half is the float rounded once more; the oracle's own error is below 2^-8 of a unit.
    const Real extra = is_half(result_) ? ulp(e, result_) / 2 : 0;
    return expected(std::fabs(value - e) <= (bound + 0x1p-8L) * unit + extra, {.re = e});
  }

  std::string wrong_complex(const Element& got, const Element* args) const {
    Cplx a[4];
    for (std::size_t i = 0; i < arity(); ++i)
      a[i] =
          is_condition(row_, i) ? Cplx(static_cast<Real>(args[i].i)) : Cplx(args[i].re, args[i].im);
    const Cplx e = oracle_.complex(a);
    if (result_ == DType::bool_) return wrong_bool(got, e != Cplx());
    const Element shown{.re = e.real(), .im = e.imag()};
    // Poles and what follows from them: tests/accuracy has the table of special values.
    if (!std::isfinite(e.real()) || !std::isfinite(e.imag()))
      return expected(!std::isfinite(got.re) || !std::isfinite(got.im), shown);
    const bool single = result_ == DType::complex64 || result_ == DType::float32;
    const Real epsilon = single ? 0x1p-23L : 0x1p-52L;
    const Real size = oracle_.scale ? std::max(std::abs(e), oracle_.scale(a)) : std::abs(e);
    const Real least = std::ldexp(Real(1), format_of(result_).min_exponent);
    return expected(std::abs(Cplx(got.re, got.im) - e) <=
                        oracle_.complex_units * epsilon * std::max(size, least),
                    shown);
  }

  const OpRow& row_;
  const Oracle& oracle_;
  DType given_, computed_, result_;
};

class Elementwise : public ::testing::TestWithParam<const OpRow*> {
 protected:
  void SetUp() override {
    table_ = oracles();
    const auto found = table_.find(row().name);
    ASSERT_NE(found, table_.end()) << "no oracle for " << row().name;
    oracle_ = found->second;
    forms_ = forms()[row().name];
  }
  const OpRow& row() const { return *GetParam(); }

  Tensor call(const std::vector<Tensor>& args) const {
    std::vector<Value> values(args.begin(), args.end());
    for (std::size_t a = 0; a < args.size(); ++a) {
      if (!is_number(row(), a)) continue;
      const Element e = read_element(args[a].data_ptr(), args[a].dtype());
      values[a] = scalar_of(e, args[a].dtype());
      if (row().result == Result::Bool) values[a] = static_cast<double>(e.re);  // a tolerance
    }
    return call_boxed(row(), values).at(0).as<Tensor>();
  }

  /// Compares a result of the given shape with the arguments it came from; `at` maps a position of
  /// the result to one of the arguments' lists, by argument.
  template <class At>
  void expect(const Judge& judge, DType t, const Tensor& got,
              const std::vector<std::vector<Element>>& args, const std::string& what, At&& at) {
    ASSERT_EQ(got.dtype(), judge.result()) << row().name << " of " << name(t);
    const std::vector<Element> results = elements(got);
    int shown = 0;
    for (std::size_t i = 0; i < results.size() && shown < 3; ++i) {
      Element a[4];
      for (std::size_t k = 0; k < args.size(); ++k) a[k] = args[k][at(k, i)];
      const std::string wrong = judge.wrong(results[i], a);
      if (wrong.empty()) continue;
      ++shown;
      std::string list;
      for (std::size_t k = 0; k < args.size(); ++k)
        list += (k > 0 ? ", " : "") + text(a[k], is_condition(row(), k) ? DType::bool_ : t);
      ADD_FAILURE() << row().name << "(" << list << ") of " << name(t) << ", " << what
                    << ": expected " << wrong << ", got " << text(results[i], judge.result());
    }
  }
  void expect(const Judge& judge, DType t, const Tensor& got,
              const std::vector<std::vector<Element>>& args, const std::string& what) {
    expect(judge, t, got, args, what, [](std::size_t, std::size_t i) { return i; });
  }

  std::vector<Tensor> tensors(DType t, const std::vector<std::vector<Element>>& args, IntSpan shape,
                              Layout layout) const {
    std::vector<Tensor> list;
    for (std::size_t a = 0; a < args.size(); ++a)
      list.push_back(tensor_of(args[a], shape, is_condition(row(), a) ? DType::bool_ : t, layout));
    return list;
  }

  std::map<std::string_view, Oracle> table_;
  Oracle oracle_;
  Forms forms_;
};

TEST_P(Elementwise, Layouts) {
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    ASSERT_TRUE(judge.covered()) << "the oracle of " << row().name << " lacks " << name(t);
    const auto args = arguments(row(), t);
    for (const Layout layout : kLayouts) {
      const auto list = tensors(t, args, {kRows, kColumns}, layout);
      expect(judge, t, call(list), args, text(layout));
    }
    // Operands that lie differently, so that no order is good for both.
    auto mixed = tensors(t, args, {kRows, kColumns}, Layout::Dense);
    mixed[0] = tensors(t, args, {kRows, kColumns}, Layout::Transposed)[0];
    expect(judge, t, call(mixed), args, "first transposed");
  }
}

TEST_P(Elementwise, Sizes) {
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    const auto args = arguments(row(), t);
    for (const std::int64_t n : {1, 2, 3, 7, 31, 32, 33, 63, 65}) {
      expect(judge, t, call(tensors(t, args, {n}, Layout::Dense)), args, std::to_string(n));
    }
    const Tensor zero_d = call(tensors(t, args, {}, Layout::Dense));
    EXPECT_EQ(zero_d.dim(), 0);
    expect(judge, t, zero_d, args, "0-d");
    if (is_number(row(), args.size() - 1)) continue;  // no element to take the number from
    const Tensor none = call(tensors(t, args, {3, 0, 2}, Layout::Dense));
    EXPECT_EQ(Dims(none.shape()), (Dims{3, 0, 2}));
    EXPECT_EQ(none.dtype(), judge.result());
  }
}

TEST_P(Elementwise, Broadcast) {
  if (row().arity < 2 || is_number(row(), 1)) GTEST_SKIP() << "one input";
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    const auto args = arguments(row(), t);
    // Even arguments are columns, odd ones rows.
    std::vector<Tensor> list;
    for (std::size_t a = 0; a < args.size(); ++a) {
      const DType own = is_condition(row(), a) ? DType::bool_ : t;
      list.push_back(a % 2 == 0 ? tensor_of(args[a], {kRows, 1}, own)
                                : tensor_of(args[a], {kColumns}, own));
    }
    const Tensor got = call(list);
    ASSERT_EQ(Dims(got.shape()), (Dims{kRows, kColumns}));
    expect(judge, t, got, args, "broadcast",
           [](std::size_t a, std::size_t i) { return a % 2 == 0 ? i / kColumns : i % kColumns; });
    // Expanded by hand: strides of 0 in an input of full shape.
    list[0] = list[0].expand({kRows, kColumns});
    expect(judge, t, call(list), args, "expanded",
           [](std::size_t a, std::size_t i) { return a % 2 == 0 ? i / kColumns : i % kColumns; });
  }
}

TEST_P(Elementwise, Out) {
  if (forms_.out == nullptr) GTEST_SKIP() << "no out form";
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    const auto args = arguments(row(), t);
    for (const Layout layout : kLayouts) {
      for (const Layout in : {Layout::Dense, Layout::Transposed}) {
        Tensor out = in_layout({kRows, kColumns}, judge.result(), layout);
        const auto list = tensors(t, args, {kRows, kColumns}, in);
        EXPECT_EQ(&forms_.out(out, list.data()), &out);
        expect(judge, t, out, args, std::string("out ") + text(layout) + " in " + text(in));
        EXPECT_TRUE(untouched(out)) << row().name << " wrote beside its output, " << text(layout);
      }
    }
  }
}

TEST_P(Elementwise, InPlace) {
  if (forms_.in_place == nullptr || (row().flags & kFirstIsBool) != 0) GTEST_SKIP() << "no form";
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    if (judge.result() != t) continue;
    const auto args = arguments(row(), t);
    for (const Layout layout : kLayouts) {
      const auto list = tensors(t, args, {kRows, kColumns}, layout);
      Tensor x = list[0];
      EXPECT_EQ(&forms_.in_place(x, list.data()), &x);
      expect(judge, t, x, args, std::string("in place ") + text(layout));
      EXPECT_TRUE(untouched(x)) << row().name << " wrote beside its output, " << text(layout);
    }
  }
}

/// A number as either operand gives what a tensor full of it gives.
TEST_P(Elementwise, Numbers) {
  if (row().arity != 2) GTEST_SKIP() << "not binary";
  for (const DType t : accepted(row())) {
    const Judge judge(row(), oracle_, t);
    const auto args = arguments(row(), t);
    // Positive, so that no divisor is 0 and no integer exponent negative.
    const auto good = [t](const Element& e) {
      return category(t) < Category::Float ? e.i > 0 : e.re > 0 && std::isfinite(e.re);
    };
    for (std::size_t a = 0; a < 2; ++a) {
      if (is_number(row(), a)) continue;  // in every call
      std::size_t at = static_cast<std::size_t>(kCount) - 1;
      while (!good(args[a][at])) --at;
      auto list = tensors(t, args, {kCount}, Layout::Dense);
      std::vector<Value> values{list[0], list[1]};
      values[a] = Value(scalar_of(args[a][at], t));
      expect(judge, t, call_boxed(row(), values).at(0).as<Tensor>(), args,
             "number as argument " + std::to_string(a),
             [a, at](std::size_t k, std::size_t i) { return k == a ? at : i; });
    }
  }
}

std::vector<const OpRow*> elementwise_rows() {
  std::vector<const OpRow*> rows;
  for (const OpRow* r : op_rows())
    if (r->family == Family::Elementwise) rows.push_back(r);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Rows, Elementwise, ::testing::ValuesIn(elementwise_rows()),
                         [](const auto& p) { return std::string(p.param->name); });

TEST(ElementwiseTable, EveryOracleHasARow) {
  for (const auto& [name, oracle] : oracles()) EXPECT_NE(find_op(name), nullptr) << name;
  EXPECT_EQ(oracles().size(), elementwise_rows().size());
}

}  // namespace
