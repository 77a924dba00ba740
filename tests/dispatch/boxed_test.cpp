// Boxed calls: defaults, conversions, and an error for every argument of a wrong type, on every
// row.
#include <gtest/gtest.h>

#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/value.h"

using namespace tandem;

namespace {

using Args = std::vector<Value>;

std::string error_of(const OpRow& row, const Args& args) {
  try {
    (void)call_boxed(row, args);
  } catch (const TypeError& e) {
    return e.what();
  } catch (const Error& e) {
    return std::string("not a TypeError: ") + e.what();
  }
  return "no error";
}

Tensor first(const OpRow& row, const Args& args) {
  return call_boxed(row, args).at(0).as<Tensor>();
}

std::vector<Tensor> parts(const OpRow& row, const Args& args) {
  return call_boxed(row, args).at(0).as<std::vector<Tensor>>();
}

TEST(Boxed, MissingArgumentsAreNamed) {
  for (const OpRow* row : op_rows()) {
    const Schema& schema = schema_of(*row);
    if (!schema.params[0].required()) continue;
    const std::string expected =
        "[" + std::string(row->name) + "] missing argument '" + schema.params[0].name + "'";
    EXPECT_EQ(error_of(*row, {}), expected);
  }
}

TEST(Boxed, TooManyArguments) {
  for (const OpRow* row : op_rows()) {
    const Args args(schema_of(*row).params.size() + 1);
    const std::string got = error_of(*row, args);
    EXPECT_TRUE(got.starts_with("[" + std::string(row->name) + "] expected at most")) << got;
  }
}

TEST(Boxed, WrongTypesAreNamed) {
  for (const OpRow* row : op_rows()) {
    const Param& p = schema_of(*row).params[0];
    // A dtype is no first argument of any op.
    const std::string got = error_of(*row, {Value(DType::int8)});
    EXPECT_TRUE(
        got.starts_with("[" + std::string(row->name) + "] argument '" + p.name + "': expected "))
        << got;
    EXPECT_TRUE(got.ends_with(", got dtype")) << got;
  }
}

TEST(Boxed, DefaultsAndKeywords) {
  const Tensor x = arange(3).to(DType::float32);
  EXPECT_TRUE(equal(first(op::add, {x, x}), mul(x, 2)));
  EXPECT_TRUE(equal(first(op::add, {x, x, 3}), mul(x, 4)));
  EXPECT_TRUE(equal(first(op::add, {x, x, Value()}), mul(x, 2)));
  EXPECT_TRUE(equal(first(op::div, {x, 2, "floor"}), floor_divide(x, 2)));
  EXPECT_TRUE(equal(first(op::clamp, {x, Value(), 1}), minimum(x, 1)));
  EXPECT_TRUE(equal(first(op::clamp, {x, 1}), maximum(x, 1)));
  EXPECT_EQ(first(op::fill, {Dims{2}, 7, DType::int16}).dtype(), DType::int16);
  EXPECT_EQ(first(op::eye, {3}).size(1), 3);
}

TEST(Boxed, AxesByNumberAndName) {
  const Tensor x = ones({2, 3, 4}).refine_names({"n", "h", "w"});
  EXPECT_EQ(first(op::select, {x, "h", 0}).dim(), 2);
  EXPECT_EQ(first(op::permute, {x, std::vector<std::string>{"w", "n", "h"}}).size(0), 4);
  EXPECT_EQ(first(op::permute, {x, Dims{2, 0, 1}}).size(0), 4);
  EXPECT_EQ(parts(op::split, {x, Dims{1, 3}, "w"}).size(), 2u);
  EXPECT_EQ(parts(op::unbind, {x, 1}).size(), 3u);
}

TEST(Boxed, ZeroDimensionalTensorsAreNumbers) {
  const Tensor alpha = scalar_tensor(3);
  const Tensor x = ones({2});
  EXPECT_TRUE(equal(first(op::add, {x, x, alpha}), full({2}, 4.0)));
  EXPECT_EQ(error_of(op::add, {x, x, ones({2})}),
            "[add] argument 'alpha': expected a number, got Tensor");
}

}  // namespace
