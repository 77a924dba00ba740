// tandem::testing::assert_close in C++: what raises, and what the message says. The rest of its
// meaning: tests/python/test_testing.py.
#include "tandem/testing.h"

#include <gtest/gtest.h>

#include "tandem/ops.h"

using namespace tandem;
using tandem::testing::assert_close;
using tandem::testing::AssertionError;
using tandem::testing::Closeness;

namespace {

template <class A>
std::string message(const A& actual, const A& expected, const Closeness& how = {}) {
  try {
    assert_close(actual, expected, how);
  } catch (const AssertionError& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was raised";
  return {};
}

TEST(AssertClose, TensorsWithinTheTolerance) {
  const Tensor x = ones({3, 4});
  assert_close(x, add(x, 5e-6));
  EXPECT_NE(message(x, add(x, 5e-5)).find("Mismatched elements: 12 / 12 (100.0%)"),
            std::string::npos);
  assert_close(x, add(x, 0.5), {.rtol = 0, .atol = 0.5});
  EXPECT_THROW(assert_close(x, x, {.rtol = 1e-3}), ValueError);
}

TEST(AssertClose, TheMessage) {
  Tensor x = zeros({2, 3});
  const Tensor y = ones({2, 3});
  x.select(0, 1).select(0, 2).fill_(-4);
  const std::string text = message(x, y);
  EXPECT_NE(text.find("Greatest absolute difference: 5 at index (1, 2) (up to 1e-05 allowed)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("(1, 2)     -4        1          5        5"), std::string::npos) << text;
  EXPECT_EQ(message(x, y, {.msg = "mine"}), "mine");
}

TEST(AssertClose, Attributes) {
  const Tensor x = ones({2, 3});
  EXPECT_EQ(message(x, ones({3})), "The values for attribute 'shape' do not match: [2, 3] != [3].");
  EXPECT_NE(message(x, x.to(DType::int8)).find("attribute 'dtype'"), std::string::npos);
  assert_close(x, x.to(DType::int8), {.check_dtype = false});
  EXPECT_NE(message(x, ones({3, 2}).t(), {.check_stride = true}).find("attribute 'stride()'"),
            std::string::npos);
}

TEST(AssertClose, Numbers) {
  assert_close(Scalar(1.0), Scalar(1.0 + 1e-9));
  assert_close(Scalar(UINT64_MAX), Scalar(UINT64_MAX));
  EXPECT_NE(message(Scalar(UINT64_MAX), Scalar(UINT64_MAX - 1)).find("Absolute difference: 1"),
            std::string::npos);
  EXPECT_NE(message(Scalar(1), Scalar(1.0)).find("int != float"), std::string::npos);
  EXPECT_NE(message(Scalar(2.0), Scalar(3.0)).find("Expected 3"), std::string::npos);
}

TEST(AssertClose, ListsAndMaps) {
  const Tensor x = ones({2});
  const Tensor y = zeros({2});
  using List = std::vector<Tensor>;
  using Map = std::map<std::string, Tensor>;
  assert_close(List{x, y}, List{x, y});
  EXPECT_NE(message(List{x, x}, List{x, y}).find("The failure occurred for item [1]"),
            std::string::npos);
  EXPECT_EQ(message(List{x}, List{}), "The length of the sequences mismatch: 1 != 0");
  assert_close(Map{{"a", x}}, Map{{"a", x}});
  EXPECT_NE(message(Map{{"a", x}}, Map{{"a", y}}).find("for item ['a']"), std::string::npos);
  EXPECT_NE(message(Map{{"a", x}}, Map{{"b", x}}).find("Missing keys in the actual mapping: 'b'"),
            std::string::npos);
}

}  // namespace
