// Type promotion against the answers recorded from PyTorch in tests/data/promotion.txt, and by rule
// where it has none.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "tandem/ops.h"
#include "tests/support/needs.h"

using namespace tandem;

namespace {

struct Recorded {
  std::string kind, left, right, result;
};

std::vector<Recorded> recorded(const std::string& kind) {
  std::ifstream file(tandem::test::source_file("tests/data/promotion.txt"));
  std::vector<Recorded> list;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Recorded r;
    words >> r.kind >> r.left >> r.right >> r.result;
    if (r.kind == kind) list.push_back(r);
  }
  return list;
}

/// What a call gives, as the file writes it.
template <class F>
std::string answer(F&& f) {
  try {
    return std::string(name(f()));
  } catch (const TypeError&) {
    return "error";
  }
}

Tensor of(const std::string& dtype, IntSpan shape) {
  return zeros(shape, {.dtype = dtype_by_name(dtype)});
}

/// Whether t, of the same category, has every value of the other.
bool holds(DType t, DType other) {
  const DTypeInfo& a = info(t);
  const DTypeInfo& b = info(other);
  if (a.category != b.category) return false;
  if (!is_integer(t)) return a.bits >= b.bits && exponent_bits(t) >= exponent_bits(other);
  const int sign = a.is_signed ? 1 : 0;
  return a.bits - sign >= b.bits - (b.is_signed ? 1 : 0) && (a.is_signed || !b.is_signed);
}

/// Pairs with a dtype that PyTorch lacked when the file was recorded, as what it refuses.
std::vector<Recorded> unrecorded(const std::string& kind, const std::vector<Recorded>& all) {
  std::set<std::string> known;
  for (const Recorded& r : all) known.insert(r.left);
  std::vector<Recorded> list;
  for (int i = 0; i < kNumDTypes; ++i) {
    for (int j = 0; j < kNumDTypes; ++j) {
      const std::string a(name(static_cast<DType>(i)));
      const std::string b(name(static_cast<DType>(j)));
      if (!known.contains(a) || !known.contains(b)) list.push_back({kind, a, b, "error"});
    }
  }
  return list;
}

/// Where Tandem decides for itself. There is no complex32: a half with a complex number is
/// complex64. PyTorch refuses uint16, uint32 and uint64 beside most others, and every float of 8
/// bits: the higher category serves, and in one category the dtype of the fewest bits that holds
/// both. There is none for uint64 with a signed integer.
std::string expected(const Recorded& r, DType a, DType b) {
  if (r.result.ends_with("complex32")) return "complex64";
  if (r.result != "error" || b == DType::kCount) return r.result;
  if (r.kind == "zero" && category(a) >= category(b)) return r.left;
  if (r.kind == "zero" && is_float(a)) return a == DType::float64 ? "complex128" : "complex64";
  if (category(a) != category(b)) return category(a) > category(b) ? r.left : r.right;
  DType best = DType::kCount;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (!holds(t, a) || !holds(t, b)) continue;
    if (best == DType::kCount || info(t).bits < info(best).bits) best = t;
  }
  return best == DType::kCount ? "error" : std::string(name(best));
}

/// How many dtypes the file was recorded for: every kind has all of them.
std::size_t recorded_dtypes() {
  std::set<std::string> known;
  for (const Recorded& r : recorded("types")) known.insert(r.left);
  return known.size();
}

class Promotion : public ::testing::TestWithParam<const char*> {};

TEST_P(Promotion, AsRecorded) {
  const std::string kind = GetParam();
  auto all = recorded(kind);
  const std::size_t known = recorded_dtypes();
  ASSERT_GE(known, 15u);
  ASSERT_EQ(all.size(), known * (kind == "number" ? 4 : known)) << "record again";
  if (kind != "number") {
    const auto more = unrecorded(kind, all);
    all.insert(all.end(), more.begin(), more.end());
    ASSERT_EQ(all.size(), std::size_t(kNumDTypes) * kNumDTypes) << "record again";
  }
  for (const Recorded& r : all) {
    const Tensor a = of(r.left, {2});
    std::string got;
    if (kind == "number") {
      const Scalar s = r.right == "True"  ? Scalar(true)
                       : r.right == "2"   ? Scalar(2)
                       : r.right == "2.5" ? Scalar(2.5)
                                          : Scalar(std::complex<double>(0, 2));
      got = answer([&] { return result_type(a, s); });
      EXPECT_EQ(answer([&] { return result_type(s, a); }), got) << "the order must not matter";
    } else {
      const Tensor b = kind == "zero" ? of(r.right, {}) : of(r.right, {3, 1});
      got = answer([&] { return result_type(a, b); });
      EXPECT_EQ(answer([&] { return result_type(b, a); }), got) << "the order must not matter";
    }
    const DType right = dtype_by_name(r.right);
    EXPECT_EQ(got, expected(r, dtype_by_name(r.left), right))
        << kind << ": " << r.left << " with " << r.right;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Promotion, ::testing::Values("types", "zero", "number"),
                         [](const auto& p) { return std::string(p.param); });

TEST(Promotion, CanCastAsRecorded) {
  const auto all = recorded("cast");
  ASSERT_EQ(all.size(), recorded_dtypes() * recorded_dtypes()) << "record again";
  for (const Recorded& r : all) {
    EXPECT_EQ(can_cast(dtype_by_name(r.left), dtype_by_name(r.right)), r.result == "1")
        << r.left << " to " << r.right;
  }
}

TEST(Promotion, DefaultDtypeDecidesForPythonFloats) {
  const Tensor i = of("int64", {2});
  EXPECT_EQ(add(i, 1.5).dtype(), DType::float32);
  set_default_dtype(DType::float64);
  const DType wide = add(i, 1.5).dtype();
  const DType complex = add(i, std::complex<double>(0, 1)).dtype();
  const DType quotient = div(i, i).dtype();
  set_default_dtype(DType::float32);
  EXPECT_EQ(wide, DType::float64);
  EXPECT_EQ(complex, DType::complex128);
  EXPECT_EQ(quotient, DType::float64);
  EXPECT_THROW(set_default_dtype(DType::int32), TypeError);
  EXPECT_EQ(default_dtype(), DType::float32);
}

TEST(Promotion, OrderOfPriority) {
  const Tensor dims = of("float32", {2});
  const Tensor zero = of("float64", {});
  EXPECT_EQ(add(dims, zero).dtype(), DType::float32);
  EXPECT_EQ(add(of("int32", {2}), zero).dtype(), DType::float64);
  EXPECT_EQ(add(of("int32", {2}), of("int64", {})).dtype(), DType::int32);
  EXPECT_EQ(add(zero, 1.5f).dtype(), DType::float64);
  EXPECT_EQ(add(of("float16", {2}), of("bfloat16", {2})).dtype(), DType::float32);
  EXPECT_EQ(add(of("bool", {2}), of("bool", {2})).dtype(), DType::bool_);
  EXPECT_EQ(add(of("bool", {2}), 1).dtype(), DType::int64);
}

}  // namespace
