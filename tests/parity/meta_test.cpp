// The meta device against real execution: every op infers the shape, dtype and
// names that a real call gives, and the same errors.
#include <gtest/gtest.h>

#include "tandem/ops.h"
#include "tandem/value.h"
#include "tests/support/row_calls.h"

using namespace tandem;
using test::Args;
using test::ones_of;
using test::Strings;

namespace {

/// The same tensor without data; none of none.
Tensor to_meta(const Tensor& t) {
  if (!t.defined()) return t;
  Tensor m = empty(t.shape(), {.dtype = t.dtype(), .device = kMeta});
  if (t.has_names()) m.rename_(t.names());
  return m;
}

Value to_meta(const Value& v) {
  if (v.is<Tensor>()) return to_meta(v.as<Tensor>());
  if (v.is<Device>()) return kMeta;
  if (!v.is<std::vector<Tensor>>()) return v;
  std::vector<Tensor> list;
  for (const Tensor& t : v.as<std::vector<Tensor>>()) list.push_back(to_meta(t));
  return list;
}

/// Results as text: "float32[2, 3]['a', None]"; an error as its message.
std::string outcome(const OpRow& row, const Args& args) {
  std::string s;
  try {
    const auto show = [&s](const Tensor& t) {
      s += std::string(name(t.dtype())) + "[";
      for (const std::int64_t n : t.shape()) s += std::to_string(n) + ",";
      s += "]" + str(t.names()) + " ";
    };
    for (const Value& v : call_boxed(row, args)) {
      if (v.is<Tensor>()) show(v.as<Tensor>());
      if (!v.is<std::vector<Tensor>>()) continue;
      for (const Tensor& t : v.as<std::vector<Tensor>>()) show(t);
    }
  } catch (const Error& e) {
    s = e.what();
  }
  return s;
}

void expect_same(const OpRow& row, const Args& args, const std::string& what) {
  Args meta;
  bool any = false;
  for (const Value& v : args) {
    meta.push_back(to_meta(v));
    any = any || v.is<Tensor>() || v.is<std::vector<Tensor>>() || v.is<Device>();
  }
  ASSERT_TRUE(any);
  const std::string inferred = outcome(row, meta);
  // A shape that depends on elements is told by an error that says so, after every other error.
  if ((row.flags & kSyncs) != 0 && inferred.find("depends on the elements") != std::string::npos) {
    return;
  }
  const std::string got = outcome(row, args);
  // Which element is out of range only the elements tell.
  if (got.find("of the indices") != std::string::npos) return;
  EXPECT_EQ(inferred, got) << row.name << ", " << what;
}

void check_elementwise(const OpRow& row) {
  const auto arity = static_cast<std::size_t>(row.arity);
  const auto fill = [&](std::size_t a, const Tensor& t) -> Value {
    if (schema_of(row).params[a].type == "Scalar") return Value(1);
    if (a == 0 && (row.flags & kFirstIsBool) != 0) return t.to(DType::bool_);
    return t;
  };
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    Args same;
    Args broadcast;
    Args zero_d;
    for (std::size_t a = 0; a < arity; ++a) {
      same.push_back(fill(a, ones_of({2, 3}, t)));
      broadcast.push_back(fill(
          a, a % 2 == 0 ? ones_of({4, 1}, t, {"n", {}}) : ones_of({2, 1, 3}, t, {{}, {}, "c"})));
      zero_d.push_back(fill(a, ones_of({}, t)));
    }
    const std::string dtype(name(t));
    expect_same(row, same, dtype);
    expect_same(row, broadcast, dtype + " broadcast");
    expect_same(row, zero_d, dtype + " 0-d");
    if (arity < 2 || schema_of(row).params[1].type == "Scalar") continue;
    for (int j = 0; j < kNumDTypes; ++j) {
      Args mixed = same;
      mixed[arity - 1] = fill(arity - 1, ones_of({3}, static_cast<DType>(j)));
      expect_same(row, mixed, dtype + " with " + std::string(name(static_cast<DType>(j))));
    }
    for (const Value& number :
         {Value(true), Value(2), Value(2.5), Value(std::complex<double>(1, 2))}) {
      Args mixed = same;
      mixed[arity - 1] = number;
      expect_same(row, mixed, dtype + " with a number");
    }
    Args wrong = same;
    wrong[arity - 1] = fill(arity - 1, ones_of({2, 4}, t));
    expect_same(row, wrong, dtype + " of shapes that do not match");
    wrong[0] = fill(0, ones_of({2, 3}, t, {"a", "b"}));
    wrong[arity - 1] = fill(arity - 1, ones_of({2, 3}, t, {"a", "c"}));
    expect_same(row, wrong, dtype + " of names that do not match");
  }
}

void check_reduction(const OpRow& row) {
  const bool one = schema_of(row).params[1].type.starts_with("axis");
  Args axes{Value(0), Value(-1), Value("c"), Value(5), Value("nobody")};
  if (!one) {
    axes.emplace_back();
    axes.emplace_back(Dims{0, 2});
    axes.emplace_back(Dims{1, 1});
    axes.emplace_back(Strings{"n", "c"});
  }
  std::size_t keepdim = 0;
  const auto& params = schema_of(row).params;
  for (std::size_t k = 0; k < params.size(); ++k)
    if (params[k].name == "keepdim") keepdim = k;
  for (int i = 0; i < kNumDTypes; ++i) {
    const Tensor x = ones_of({2, 3, 4}, static_cast<DType>(i), {"n", {}, "c"});
    for (const Value& axis : axes) {
      Args args{x, axis};
      expect_same(row, args, std::string(name(x.dtype())));
      if (keepdim == 0) continue;
      args.resize(keepdim + 1);
      args[keepdim] = Value(true);
      expect_same(row, args, std::string(name(x.dtype())) + " keepdim");
    }
    expect_same(row, {ones_of({}, static_cast<DType>(i)), one ? Value(0) : Value()}, "0-d");
    expect_same(row, {ones_of({0, 3}, static_cast<DType>(i)), Value(0)}, "empty");
  }
}

void check_generator(const OpRow& row) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(outcome(row, test::generator_call(row, dtype, kMeta)),
              outcome(row, test::generator_call(row, dtype, kCPU)))
        << row.name << " of " << name(dtype);
  }
}

TEST(Meta, EveryRowInfersWhatItGives) {
  const auto irregular = test::irregular_calls();
  for (const OpRow* row : op_rows()) {
    SCOPED_TRACE(row->name);
    const auto& params = schema_of(*row).params;
    if (row->family == Family::Elementwise) {
      check_elementwise(*row);
    } else if (row->family == Family::Generator) {
      check_generator(*row);
    } else if (irregular.contains(row->name)) {
      for (const Args& args : irregular.at(row->name)) {
        expect_same(*row, args, "call " + std::to_string(&args - irregular.at(row->name).data()));
      }
    } else {
      // Reductions and what walks along an axis.
      ASSERT_GE(params.size(), 2u);
      ASSERT_EQ(params[0].type, "Tensor") << "no calls for this row";
      ASSERT_TRUE(params[1].type.starts_with("ax")) << "no calls for this row";
      check_reduction(*row);
    }
  }
  for (const auto& [name, calls] : irregular) EXPECT_NE(find_op(name), nullptr) << name;
}

TEST(Meta, NoMemoryAndNoData) {
  const Tensor x = empty({1 << 20, 1 << 20}, {.device = kMeta});
  const Tensor y = add(x.t(), 1.0);
  EXPECT_EQ(y.numel(), std::int64_t(1) << 40);
  EXPECT_EQ(y.data_ptr(), nullptr);
  EXPECT_THROW(y.cpu(), NotImplemented);
  EXPECT_THROW(ones({}, {.device = kMeta}).item(), NotImplemented);
  EXPECT_THROW(add(x, ones({2, 2})), DeviceError);
}

}  // namespace
