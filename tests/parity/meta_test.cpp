// lint: oracle table. The meta device against real execution: every op infers the shape, dtype and
// names that a real call gives, and the same errors.
#include <gtest/gtest.h>

#include <map>

#include "tandem/ops.h"
#include "tandem/value.h"

using namespace tandem;

namespace {

using Args = std::vector<Value>;
using Strings = std::vector<std::string>;

/// The same tensor without data.
Tensor to_meta(const Tensor& t) {
  Tensor m = empty(t.shape(), {.dtype = t.dtype(), .device = kMeta});
  if (t.has_names()) m.rename_(t.names());
  return m;
}

Value to_meta(const Value& v) {
  if (v.is<Tensor>()) return to_meta(v.as<Tensor>());
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
    any = any || v.is<Tensor>() || v.is<std::vector<Tensor>>();
  }
  ASSERT_TRUE(any);
  EXPECT_EQ(outcome(row, meta), outcome(row, args)) << row.name << ", " << what;
}

Tensor ones_of(IntSpan shape, DType t, const Names& names = {}) {
  return ones(shape, {.dtype = t, .names = names});
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
    const auto& params = schema_of(row).params;
    Args args(params.size());
    std::size_t device = 0;
    for (std::size_t k = 0; k < params.size(); ++k) {
      const std::string& p = params[k].name;
      if (p == "size") args[k] = Dims{2, 3};
      if (p == "fill_value" || p == "start") args[k] = Value(1);
      if (p == "end" || p == "steps" || p == "n") args[k] = Value(5);
      if (p == "dtype") args[k] = static_cast<DType>(i);
      if (p == "device") device = k;
    }
    const std::string real = outcome(row, args);
    args[device] = kMeta;
    EXPECT_EQ(outcome(row, args), real) << row.name << " of " << name(static_cast<DType>(i));
  }
}

/// Calls of the rows with a front-end of their own; x is 2 x 3 x 4 with names, m is 3 x 3.
std::map<std::string, std::vector<Args>> irregular_calls() {
  const Tensor x = ones_of({2, 3, 4}, DType::float32, {"n", "h", "c"});
  const Tensor m = ones_of({3, 3}, DType::float32);
  const Tensor v = ones_of({3}, DType::float64);
  const std::vector<Tensor> three{m, m.to(DType::int32), v.unsqueeze(0)};
  std::map<std::string, std::vector<Args>> c;
  c["copy_"] = {{m, v}, {m, ones_of({4}, DType::int8)}};
  c["select"] = {{x, 1, 2}, {x, "h", -1}, {x, 1, 3}, {x, 7, 0}};
  c["slice"] = {{x, 1, 0, 3, 2}, {x, "c", Value(), Value(), -1}, {x, 0, 1, 9, 0}};
  c["narrow"] = {{x, 1, 1, 2}, {x, 1, 2, 2}};
  c["transpose"] = {{x, 0, -1}, {x, "n", "c"}, {x, 0, 3}};
  c["t"] = {{m}, {v}, {x}};
  c["permute"] = {{x, Dims{2, 0, 1}}, {x, Dims{0, 0, 1}}, {x, Dims{0, 1}}};
  c["movedim"] = {{x, 0, 2}, {x, Dims{0, 1}, Dims{1, 2}}, {x, Dims{0, 1}, Dims{1, 1}}};
  c["reshape"] = {{x, Dims{2, 12}}, {x, Dims{-1, 4}}, {x, Dims{5, -1}}, {m, Dims{9}}};
  c["view"] = {{x, Dims{6, 4}}, {x, Dims{-1}}, {x, Dims{7}}};
  c["flatten"] = {{x, 0, 1}, {x, 1, 2, "f"}, {x, 2, 1}};
  c["unflatten"] = {
      {x, 2, Dims{2, 2}}, {x, "c", Dims{2, -1}, Strings{"a", "b"}}, {x, 2, Dims{3, 3}}};
  c["squeeze"] = {{x.unsqueeze(1)}, {x.unsqueeze(1), 1}, {x, 0}};
  c["unsqueeze"] = {{x, 0}, {x, -1}, {x, 5}};
  c["expand"] = {{v, Dims{2, 3}}, {v, Dims{4}}, {x, Dims{5, -1, -1, -1}}};
  c["broadcast_to"] = {{v, Dims{2, 3}}, {v, Dims{2}}};
  c["diagonal"] = {{m}, {x, 1, 0, 2}, {v}};
  c["unfold"] = {{x, 2, 2, 1}, {x, 2, 5, 1}};
  c["split"] = {{x, 2, 1}, {x, Dims{1, 3}, 2}, {x, Dims{1, 1}, 2}};
  c["chunk"] = {{x, 3, 2}, {x, 0, 2}};
  c["unbind"] = {{x, 1}, {ones_of({}, DType::float32), 0}};
  c["as_strided"] = {{m, Dims{2, 2}, Dims{3, 1}}, {m, Dims{9, 9}, Dims{3, 1}}};
  c["contiguous"] = {{m}, {m.t()}};
  c["clone"] = {{x}, {m.t()}};
  c["cat"] = {{three}, {std::vector<Tensor>{m, m}, 1}, {std::vector<Tensor>{m, x}}};
  c["stack"] = {{std::vector<Tensor>{m, m.to(DType::float64)}, 1}, {std::vector<Tensor>{m, v}}};
  c["matmul"] = {{m, m}, {v.to(DType::float32), m}, {x, ones_of({4, 2}, DType::float32)}, {x, m}};
  c["einsum"] = {{"ij,jk->ik", std::vector<Tensor>{m, m}},
                 {"...c->...", std::vector<Tensor>{x}},
                 {"ij,jk", std::vector<Tensor>{m, x}}};
  return c;
}

TEST(Meta, EveryRowInfersWhatItGives) {
  const auto irregular = irregular_calls();
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
