// The funnel's rules: out= and in-place, overlap, ranges of numbers, zero divisors, exact
// comparisons, allocations; and that an error changes nothing.
#include <gtest/gtest.h>

#include <functional>

#include "tandem/memory.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"
#include "tandem/scan.h"
#include "tandem/sorting.h"
#include "tandem/value.h"
#include "tandem/zero_division.h"
#include "tests/support/elements.h"

using namespace tandem;
using namespace tandem::test;

namespace {

Tensor of(const std::vector<std::int64_t>& values, DType t) {
  std::vector<Element> list;
  for (const std::int64_t v : values) list.push_back({.i = v, .re = static_cast<Real>(v)});
  return tensor_of(list, {static_cast<std::int64_t>(values.size())}, t);
}

std::vector<std::int64_t> ints(const Tensor& t) {
  std::vector<std::int64_t> list;
  for (const Element& e : elements(t))
    list.push_back(
        static_cast<std::int64_t>(category(t.dtype()) < Category::Float ? e.i : Int(e.re)));
  return list;
}

using Ints = std::vector<std::int64_t>;

/// Everything about a tensor that a failed call must leave.
struct State {
  explicit State(const Tensor& t)
      : values(ints(t)),
        shape(t.shape()),
        strides(t.strides()),
        names(t.names()),
        dtype(t.dtype()),
        storage(t.storage().id()),
        version(t.storage().version()) {}
  bool operator==(const State&) const = default;
  Ints values;
  Dims shape, strides;
  Names names;
  DType dtype;
  const void* storage;
  std::uint32_t version;
};

/// The call raises E with all the parts in its message and changes none of the tensors.
template <class E, class F>
void expect_error(F&& f, const std::vector<std::string>& parts, const std::vector<Tensor>& kept) {
  std::vector<State> before;
  for (const Tensor& t : kept) before.emplace_back(t);
  try {
    f();
    ADD_FAILURE() << "no error; expected " << parts[0];
  } catch (const E& e) {
    for (const std::string& p : parts)
      EXPECT_NE(std::string(e.what()).find(p), std::string::npos) << e.what() << " lacks " << p;
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    EXPECT_TRUE(State(kept[i]) == before[i]) << "tensor " << i << " changed";
}

TEST(Out, CastsWithinTheCategory) {
  const Tensor x = of({100, -3, 7}, DType::int32);
  Tensor narrow = of({0, 0, 0}, DType::uint8);
  add_out(narrow, x, 200);
  EXPECT_EQ(ints(narrow), (Ints{44, 197, 207}));
  Tensor half = of({0, 0, 0}, DType::float16);
  add_out(half, x, x);
  EXPECT_EQ(ints(half), (Ints{200, -6, 14}));
  Tensor truth = of({0, 1, 0}, DType::bool_);
  expect_error<TypeError>([&] { add_out(truth, x, x); },
                          {"[add]", "result type Int", "output type Bool"}, {truth, x});
  expect_error<TypeError>([&] { div_out(narrow, x, x); }, {"[div]", "Float", "Byte"}, {narrow});
}

TEST(Out, ResizesOnlyAnEmptyOne) {
  const Tensor x = of({1, 2, 3}, DType::float32);
  Tensor out = empty({0});
  add_out(out, x, x);
  EXPECT_EQ(ints(out), (Ints{2, 4, 6}));
  Tensor other = of({9, 9}, DType::float32);
  expect_error<ShapeError>([&] { add_out(other, x, x); },
                           {"[add]", "output with shape [2]", "broadcast shape [3]"}, {other, x});
  Tensor part = out.narrow(0, 0, 0);
  expect_error<ShapeError>([&] { add_out(part, x, x); }, {"[add]"}, {part, out});
}

TEST(Out, AResizedTensorsViewsStayValid) {
  Tensor out = empty({0});
  const Tensor view = out.unsqueeze(0);
  const Tensor x = of({1, 2, 3}, DType::float32);
  add_out(out, x, x);
  EXPECT_EQ(view.device(), kCPU);
  EXPECT_EQ(view.numel(), 0);
  EXPECT_TRUE(view.shares_storage(out));
  EXPECT_EQ(ints(out), (Ints{2, 4, 6}));
}

TEST(InPlace, KeepsTheShapeAndTheCategory) {
  Tensor i = of({1, 2, 3}, DType::int64);
  expect_error<TypeError>([&] { i.add_(1.5); },
                          {"[add]", "result type Float can't be cast", "output type Long"}, {i});
  expect_error<TypeError>([&] { i.sqrt_(); }, {"[sqrt]", "Float", "Long"}, {i});
  expect_error<ShapeError>(
      [&] {
        i.add_(of({1, 2, 3}, DType::int64).unsqueeze(1));
      },
      {"[add]", "output with shape [3]", "broadcast shape [3, 3]"}, {i});
  Tensor u = of({250, 1, 2}, DType::uint8);
  u.add_(of({10, 20, 300}, DType::int64));
  EXPECT_EQ(ints(u), (Ints{4, 21, 46}));
  Tensor none = empty({0});
  expect_error<ShapeError>(
      [&] {
        none.add_(ones({5, 1}));
      },
      {"[add]", "output with shape [0]", "broadcast shape [5, 0]"}, {none});
}

TEST(InPlace, CountsAsAWrite) {
  Tensor x = of({1, 2}, DType::float32);
  const auto before = x.storage().version();
  const Tensor y = add(x, x);
  EXPECT_EQ(x.storage().version(), before);
  x.mul_(y);
  EXPECT_GT(x.storage().version(), before);
  EXPECT_EQ(ints(x), (Ints{2, 8}));
}

TEST(Overlap, IsRefusedOrHandled) {
  Tensor x = of({1, 2, 3, 4, 5}, DType::float32);
  Tensor head = x.narrow(0, 0, 4);
  const Tensor tail = x.narrow(0, 1, 4);
  expect_error<ShapeError>([&] { head.add_(tail); },
                           {"[add]", "some elements of the input tensor and the written-to tensor"},
                           {x});
  Tensor wide = ones({1}).expand({3});
  expect_error<ShapeError>([&] { wide.add_(1); },
                           {"[add]", "more than one element of the written-to tensor"}, {wide});
  expect_error<ShapeError>([&] { wide.copy_(ones({3})); }, {"[copy_]", "more than one element"},
                           {wide});
  x.add_(x);
  EXPECT_EQ(ints(x), (Ints{2, 4, 6, 8, 10}));
  // The same memory in another order is read as it was before the call.
  Tensor reversed = x.slice(0, {}, {}, -1);
  x.sub_(reversed);
  EXPECT_EQ(ints(x), (Ints{-8, -4, 0, 4, 8}));
  Tensor m = arange(9).reshape({3, 3});
  m.add_(m.t());
  EXPECT_EQ(ints(m), (Ints{0, 4, 8, 4, 8, 12, 8, 12, 16}));
  Tensor row = arange(6).reshape({2, 3});
  row.mul_(row.narrow(1, 2, 1));
  EXPECT_EQ(ints(row), (Ints{0, 2, 4, 15, 20, 25}));
  wide.fill_(7);
  EXPECT_EQ(ints(wide), (Ints{7, 7, 7}));
}

TEST(Numbers, MustFitTheDtype) {
  const Tensor u = of({1, 2}, DType::uint8);
  expect_error<ValueError>([&] { add(u, 300); }, {"[add]", "300", "uint8"}, {u});
  expect_error<ValueError>([&] { sub(u, -1); }, {"[sub]", "-1", "uint8"}, {u});
  expect_error<ValueError>([&] { bitwise_and(u, 256); }, {"[bitwise_and]", "256"}, {u});
  expect_error<ValueError>([&] { full({2}, -1, {.dtype = DType::uint8}); },
                           {"[full]", "-1", "uint8"}, {u});
  Tensor x = of({3, 4}, DType::int8);
  expect_error<ValueError>([&] { x.fill_(128); }, {"[fill_]", "128", "int8"}, {x});
  expect_error<ValueError>([&] { full({2}, HUGE_VAL, {.dtype = DType::int32}); }, {"[full]", "inf"},
                           {x});
  // Operands that fit may overflow: the result wraps.
  EXPECT_EQ(ints(add(u, 255)), (Ints{0, 1}));
  EXPECT_EQ(ints(add(x, 127)), (Ints{-126, -125}));
  EXPECT_EQ(ints(sub(1, u)), (Ints{0, 255}));
  const Tensor big = full({1}, std::uint64_t(1) << 63);
  EXPECT_EQ(big.dtype(), DType::uint64);
  EXPECT_EQ(elements(big)[0].i, Int(1) << 63);
}

TEST(Numbers, ZeroDivisorsAreErrorsOnTheHostOnly) {
  const Tensor i = of({7, -7}, DType::int32);
  for (const auto* op : {&op::floor_divide, &op::trunc_divide, &op::remainder, &op::fmod}) {
    const std::vector<Value> args{i, 0};
    expect_error<ZeroDivisionError>([&] { call_boxed(*op, args); },
                                    {"[" + std::string(op->name) + "]", "ZeroDivisionError", "'y'"},
                                    {i});
    const std::vector<Value> tensors{i, of({0, 0}, DType::int32)};
    EXPECT_EQ(ints(call_boxed(*op, tensors)[0].as<Tensor>()), (Ints{0, 0})) << op->name;
  }
  EXPECT_TRUE(std::isinf(div(i, 0)[0].item<double>()));
  EXPECT_TRUE(std::isinf(floor_divide(i.to(DType::float32), 0)[0].item<double>()));
  expect_error<Error>([&] { pow(i, -1); }, {"[pow]", "negative integer powers"}, {i});
  EXPECT_EQ(ints(floor_divide(i, 2)), (Ints{3, -4}));
  EXPECT_EQ(ints(div(i, 2, "trunc")), (Ints{3, -3}));
  expect_error<ValueError>([&] { div(i, 2, "up"); }, {"[div]", "rounding_mode", "up"}, {i});
}

TEST(Compare, IsExactBetweenSigns) {
  const Tensor u8 = of({255, 0, 1}, DType::uint8);
  EXPECT_EQ(ints(eq(u8, -1)), (Ints{0, 0, 0}));
  EXPECT_EQ(ints(ne(u8, -1)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(gt(u8, -1)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(lt(u8, 300)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(ge(u8, 300)), (Ints{0, 0, 0}));
  EXPECT_EQ(ints(lt(-1, u8)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(le(300, u8)), (Ints{0, 0, 0}));
  const Tensor s = of({-1, 0, INT64_MAX}, DType::int64);
  Tensor u = tensor_of({{.i = (Int(1) << 64) - 1}, {.i = 0}, {.i = INT64_MAX}}, {3}, DType::uint64);
  EXPECT_EQ(ints(eq(s, u)), (Ints{0, 1, 1}));
  EXPECT_EQ(ints(ne(u, s)), (Ints{1, 0, 0}));
  EXPECT_EQ(ints(lt(s, u)), (Ints{1, 0, 0}));
  EXPECT_EQ(ints(le(s, u)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(gt(s, u)), (Ints{0, 0, 0}));
  EXPECT_EQ(ints(ge(u, s)), (Ints{1, 1, 1}));
  EXPECT_EQ(ints(lt(u, s)), (Ints{0, 0, 0}));
  EXPECT_EQ(ints(gt(u, INT64_MAX)), (Ints{1, 0, 0}));
  EXPECT_EQ(ints(lt(s, std::uint64_t(1) << 63)), (Ints{1, 1, 1}));
  Tensor out = of({0, 0, 0}, DType::bool_);
  lt_out(out, s, u);
  EXPECT_EQ(ints(out), (Ints{1, 0, 0}));
  eq_out(out, u8, -1);
  EXPECT_EQ(ints(out), (Ints{0, 0, 0}));
}

TEST(Errors, NameTheOpAndChangeNothing) {
  Tensor a = of({1, 2, 3}, DType::float32);
  Tensor b = of({1, 2}, DType::float32);
  expect_error<ShapeError>([&] { a.add_(b); }, {"[add]", "(3)", "(2)", "dimension 0"}, {a, b});
  Tensor named = a.rename(std::vector<std::string>{"n"});
  const Tensor other = a.rename(std::vector<std::string>{"m"});
  expect_error<ShapeError>([&] { named.mul_(other); }, {"'n'", "'m'", "do not match", "mul"},
                           {named, other, a});
  const Tensor truth = of({1, 0, 1}, DType::bool_);
  expect_error<TypeError>([&] { sub(truth, truth); }, {"[sub]", "Bool", "logical_xor"}, {truth});
  expect_error<TypeError>([&] { neg(truth); }, {"[neg]", "Bool", "logical_not"}, {truth});
  expect_error<TypeError>([&] { bitwise_and(a, a); }, {"[bitwise_and]", "'Float'"}, {a});
  expect_error<TypeError>([&] { where(a, a, a); }, {"[where]", "condition", "float32"}, {a});
  expect_error<TypeError>([&] { add(of({1}, DType::int32), 1, 2.5); }, {"[add]", "alpha", "2.5"},
                          {});
  expect_error<ValueError>([&] { add(Tensor(), a); }, {"[add]", "'x'", "undefined"}, {a});
  Tensor undefined;
  expect_error<ValueError>([&] { add_out(undefined, a, a); }, {"[add]", "'out'"}, {a});
  expect_error<DeviceError>([&] { add(a, empty({3}, {.device = kMeta})); },
                            {"[add]", "cpu", "meta"}, {a});
}

/// Tensor arguments of a row, the first of them a condition where the row has one.
std::vector<Value> arguments_of(const OpRow& row, const Tensor& x) {
  std::vector<Value> args;
  for (std::size_t a = 0; a < static_cast<std::size_t>(row.arity); ++a) {
    const bool condition = a == 0 && (row.flags & kFirstIsBool) != 0;
    if (schema_of(row).params[a].type == "Scalar") {
      args.emplace_back(true);  // of the lowest category: it decides no dtype
    } else {
      args.emplace_back(condition ? x.to(DType::bool_) : x);
    }
  }
  return args;
}

/// Rows whose front-end also takes dtypes that have no kernel.
bool takes_more(const OpRow& row, DType t) {
  const bool real = !is_complex(t);
  const bool exact = category(t) < Category::Float;
  if (&row == &op::conj) return real;
  if (&row == &op::signbit || &row == &op::isclose) return exact;
  return &row == &op::nan_to_num;
}

TEST(Errors, OfEveryRowNameItAndItsDtype) {
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Elementwise) continue;
    const std::string op = "[" + std::string(row->name) + "]";
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto t = static_cast<DType>(i);
      const bool becomes_other = (row->result == Result::Float && category(t) < Category::Float) ||
                                 (row->result == Result::Number && t == DType::bool_);
      if (row->dtypes.has(t) || becomes_other || takes_more(*row, t)) continue;
      const Tensor x = of({1, 0, 3}, t);
      expect_error<TypeError>([&] { call_boxed(*row, arguments_of(*row, x)); },
                              {op, "not implemented for '" + std::string(info(t).title) + "'"},
                              {x});
    }
    if (row->arity < 2 || schema_of(*row).params[1].type == "Scalar") continue;
    const Tensor x =
        ones({3}, {.dtype = row->dtypes.has(DType::float32) ? DType::float32 : DType::int32});
    auto args = arguments_of(*row, x);
    args[1] = cat({x, x});
    expect_error<ShapeError>([&] { call_boxed(*row, args); }, {op, "(3)", "(6)"}, {x});
  }
}

/// A fill may write an element twice, whatever the layout.
TEST(Fill, ViewsThatOverlapThemselves) {
  Tensor x = arange(6);
  x.slice(0, 1).unfold(0, 3, 1).fill_(7);
  EXPECT_EQ(ints(x), (Ints{0, 7, 7, 7, 7, 7}));
  Tensor y = arange(6);
  y.as_strided({2, 2, 2}, {1, 1, 1}).zero_();
  EXPECT_EQ(ints(y), (Ints{0, 0, 0, 0, 4, 5}));
  Tensor z = arange(4).slice(0, 0, 1).expand({3, 5});
  EXPECT_EQ(ints(z.fill_(2).slice(0, 0, 1).slice(1, 0, 2)), (Ints{2, 2}));
}

TEST(Sub, AlphaOfEveryIntegerThatTheDtypeHolds) {
  const Tensor x = of({1, 2}, DType::int8);
  EXPECT_EQ(ints(sub(x, x, -128)), (Ints{-127, 2}));  // wraps
  EXPECT_EQ(ints(sub(x, x, 3)), (Ints{-2, -4}));
  EXPECT_EQ(ints(sub(of({1}, DType::uint8), of({2}, DType::uint8), 3)), (Ints{251}));
  EXPECT_EQ(ints(sub(of({1}, DType::uint32), of({1}, DType::uint8), 1000)), (Ints{4294966297}));
  expect_error<ValueError>([&] { sub(x, x, 128); }, {"[sub]", "alpha", "128", "int8"}, {x});
}

TEST(Devices, TheCpuHasOneNumber) {
  EXPECT_EQ(zeros({2}, {.device = Device("cpu:0")}).device(), kCPU);
  EXPECT_EQ(zeros({2}, {.device = Device("meta:0")}).device(), kMeta);
  expect_error<DeviceError>([] { zeros({2}, {.device = Device("cpu:1")}); }, {"cpu:1"}, {});
}

TEST(Out, OfTwoResults) {
  const Tensor x = of({3, 1, 2, 2}, DType::int32).refine_names({"n"});
  Tensor first = empty({0}, {.dtype = DType::int64});
  Tensor second = empty({4, 2}, {.dtype = DType::int64}).select(1, 1);
  const auto [values, indices] = sort_out(first, second, x, 0, true);
  EXPECT_EQ(&values, &first);
  EXPECT_EQ(&indices, &second);
  EXPECT_EQ(ints(first), (Ints{3, 2, 2, 1}));
  EXPECT_EQ(ints(second), (Ints{0, 2, 3, 1}));
  EXPECT_EQ(first.names(), x.names());
  EXPECT_EQ(first.dtype(), DType::int64);
  Tensor a = empty({}, {.dtype = DType::int32});
  Tensor b = empty({}, {.dtype = DType::int64});
  const auto both = [&] { return Ints{a.item<std::int64_t>(), b.item<std::int64_t>()}; };
  max_out(a, b, x, "n");
  EXPECT_EQ(both(), (Ints{3, 0}));
  kthvalue_out(a, b, x, 1);
  EXPECT_EQ(both(), (Ints{1, 1}));
  mode_out(a, b, x);
  EXPECT_EQ(both(), (Ints{2, 3}));
  aminmax_out(a, b, x, std::nullopt, false);
  EXPECT_EQ(both(), (Ints{1, 3}));
  // What is wrong with the second leaves the first.
  expect_error<ShapeError>([&] { topk_out(first, second, x, 3); }, {"[topk]", "[4]", "[3]"},
                           {first, second});
  Tensor whole = empty({3}, {.dtype = DType::int64});
  expect_error<ShapeError>([&] { median_out(whole, whole, x.slice(0, 0, 3), 0, true); },
                           {"[median]", "[3]", "[1]"}, {whole});
  Tensor part = whole.slice(0, 1);
  Tensor rest = whole.slice(0, 0, 2);
  expect_error<ShapeError>([&] { topk_out(part, rest, x, 2); }, {"[topk]", "memory of their own"},
                           {whole});
  Tensor small = empty({4}, {.dtype = DType::bool_});
  expect_error<TypeError>([&] { cummax_out(first, small, x, 0); }, {"[cummax]", "result type Long"},
                          {small});
  expect_error<ValueError>(
      [&] {
        Tensor none;
        min_out(a, none, x, 0);
      },
      {"[min]", "'out'"}, {a});
}

TEST(Layout, ResultsKeepTheInputs) {
  const Tensor x = arange(12).reshape({3, 4});
  EXPECT_EQ(Dims(neg(x.t()).strides()), (Dims{1, 4}));
  EXPECT_EQ(Dims(add(x.t(), x.t()).strides()), (Dims{1, 4}));
  EXPECT_EQ(Dims(neg(x.slice(1, {}, {}, 2)).strides()), (Dims{2, 1}));
  EXPECT_EQ(Dims(neg(arange(3).expand({2, 3})).strides()), (Dims{3, 1}));
  EXPECT_EQ(Dims(x.t().clone().strides()), (Dims{1, 4}));
  EXPECT_EQ(ints(add(x.t(), x.t())), ints(add(x.t().contiguous(), x.t().contiguous())));
}

TEST(Allocations, NoneIntoExistingOutputs) {
  Tensor x = of({1, 2, 3}, DType::float32).expand({64, 3});
  const Tensor y = ones({64, 3});
  Tensor out = empty({64, 3});
  Tensor truth = empty({64, 3}, {.dtype = DType::bool_});
  const auto before = memory_stats(kCPU).allocations;
  add_out(out, x, y);
  add_out(out, x, 2.5);
  exp_out(out, x);
  where_out(out, truth, x, y);
  lt_out(truth, x, y);
  out.mul_(y).add_(1);
  out.copy_(x);
  out.zero_();
  EXPECT_EQ(memory_stats(kCPU).allocations, before);
  const Tensor fresh = add(x, y);
  EXPECT_EQ(memory_stats(kCPU).allocations, before + 1) << "one for a fresh output";
}

}  // namespace
