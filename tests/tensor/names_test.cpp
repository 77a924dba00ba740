// Names of dimensions: giving, taking, aligning, choosing axes, and what every kind of op makes of
// them.
#include <gtest/gtest.h>

#include "tandem/ops.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::testing::expect_error;

namespace {

Tensor named(IntSpan shape, const Names& names) { return ones(shape, {.names = names}); }
std::string of(const Tensor& t) { return str(t.names()); }

TEST(Names, AreIdentifiersAndUnique) {
  EXPECT_EQ(of(ones({2, 3})), "[None, None]");
  EXPECT_FALSE(ones({2, 3}).has_names());
  EXPECT_EQ(of(named({2, 3}, {"n", {}})), "['n', None]");
  EXPECT_TRUE(Name("rows") == Name(std::string_view("rows")));
  expect_error<ValueError>([] { Name n("2x"); }, "Invalid name: a valid identifier");
  expect_error<ValueError>([] { Name n(""); }, "got: ''");
  expect_error<ValueError>([] { Name n("a-b"); }, "got: 'a-b'");
  expect_error<ShapeError>(
      [] {
        named({2, 3}, {"n", "n"});
      },
      "duplicate names. Got names: ['n', 'n']");
  expect_error<ShapeError>(
      [] {
        named({2, 3}, {"n"});
      },
      "Number of names (1) and number of dimensions in tensor (2) do not match");
  EXPECT_FALSE(named({2, 3}, {Name(), Name()}).has_names());
}

TEST(Refine, GivesNamesOnly) {
  const Tensor x = ones({2, 3, 4});
  const Tensor y = x.refine_names({"...", "h", "w"});
  EXPECT_EQ(of(y), "[None, 'h', 'w']");
  EXPECT_TRUE(y.shares_storage(x));
  EXPECT_EQ(of(x), "[None, None, None]");
  EXPECT_EQ(of(y.refine_names({"n", "..."})), "['n', 'h', 'w']");
  EXPECT_EQ(of(y.refine_names({"n", "h", "w"})), "['n', 'h', 'w']");
  expect_error<ShapeError>(
      [&] {
        y.refine_names({"n", "w", "..."});
      },
      "refine_names: cannot coerce Tensor[None, 'h', 'w'] to Tensor['n', 'w', "
      "'w'] because 'h' is different from 'w' at index 1");
  expect_error<ShapeError>(
      [&] {
        y.refine_names({"n", "None", "w"});
      },
      "because dim 1 has name 'h', which cannot be refined to None");
  expect_error<ShapeError>([&] { y.refine_names({"n"}); }, "[refine_names] Number of names (1)");
  expect_error<ValueError>([&] { y.refine_names({"...", "..."}); }, "[refine_names]");
}

TEST(Rename, ReplacesOrDrops) {
  const Tensor x = named({2, 3}, {"n", "c"});
  using Strings = std::vector<std::string>;
  EXPECT_EQ(of(x.rename(Strings{"a", "b"})), "['a', 'b']");
  EXPECT_EQ(of(x.rename(Strings{"...", "b"})), "['n', 'b']");
  EXPECT_EQ(of(x.rename(Strings{"None", "b"})), "[None, 'b']");
  EXPECT_FALSE(x.rename(std::nullopt).has_names());
  EXPECT_EQ(of(x.rename_map({{"n", "batch"}})), "['batch', 'c']");
  EXPECT_EQ(of(x.rename_map({{"n", "c"}, {"c", "n"}})), "['c', 'n']");
  EXPECT_EQ(of(x), "['n', 'c']");
  expect_error<ShapeError>(
      [&] {
        x.rename_map({{"z", "a"}});
      },
      "[rename] Name 'z' not found in tensor dims ['n', 'c'].");
  expect_error<ShapeError>([&] { x.rename(Strings{"c", "c"}); }, "duplicate names");
  Tensor y = x.alias();
  y.rename_({"p", "q"});
  EXPECT_EQ(of(y), "['p', 'q']");
  expect_error<ShapeError>([&] { y.rename_({"p"}); }, "[rename_]");
  EXPECT_EQ(of(y), "['p', 'q']");
}

TEST(Align, MovesAndAddsDimensions) {
  const Tensor image = named({5, 6, 3}, {"rows", "columns", "channels"});
  const Tensor weights = named({3}, {"channels"});
  const Tensor a = weights.align_as(image);
  EXPECT_EQ(Dims(a.shape()), (Dims{1, 1, 3}));
  EXPECT_EQ(of(a), of(image));
  EXPECT_TRUE(a.shares_storage(weights));
  const Tensor planes = named({3, 5, 6}, {"channels", "rows", "columns"});
  EXPECT_EQ(Dims(weights.align_as(planes).shape()), (Dims{3, 1, 1}));
  EXPECT_EQ(of(mul(planes, weights.align_as(planes))), "['channels', 'rows', 'columns']");
  const Tensor t = image.align_to({"channels", "..."});
  EXPECT_EQ(Dims(t.shape()), (Dims{3, 5, 6}));
  EXPECT_EQ(Dims(t.strides()), (Dims{1, 18, 3}));
  EXPECT_EQ(of(image.align_to({"n", "columns", "rows", "channels"})),
            "['n', 'columns', 'rows', 'channels']");
  expect_error<ShapeError>([&] { image.align_to({"rows", "columns"}); }, "'channels' is not");
  expect_error<ShapeError>([&] { image.align_as(weights); }, "[align_to]");
  expect_error<ShapeError>([&] { weights.align_as(ones({2, 3})); }, "[align_as]");
}

TEST(Axes, ByName) {
  const Tensor x = named({2, 3, 4}, {"n", "h", "w"});
  EXPECT_EQ(x.size("w"), 4);
  EXPECT_EQ(x.stride("n"), 12);
  EXPECT_EQ(of(x.select("h", 0)), "['n', 'w']");
  EXPECT_EQ(of(x.transpose("n", "w")), "['w', 'h', 'n']");
  EXPECT_EQ(of(x.permute({"w", "n", "h"})), "['w', 'n', 'h']");
  EXPECT_EQ(Dims(x.slice("w", 1).shape()), (Dims{2, 3, 3}));
  EXPECT_EQ(x.unbind("h").size(), 3u);
  expect_error<ShapeError>([&] { x.select("z", 0); },
                           "[select] Name 'z' not found in tensor dims ['n', 'h', 'w'].");
  expect_error<TypeError>([&] { x.permute({Axis("w"), Axis(0), Axis(1)}); }, "[permute]");
}

TEST(Views, KeepNamesOfWholeDimensions) {
  const Tensor x = named({2, 3, 4}, {"n", "h", "w"});
  EXPECT_EQ(of(x[0]), "['h', 'w']");
  EXPECT_EQ(of(x(kEllipsis, Slice{{}, {}, -1})), "['n', 'h', 'w']");
  EXPECT_EQ(of(x(kNone)), "[None, 'n', 'h', 'w']");
  EXPECT_EQ(of(x.unsqueeze(-1).squeeze()), "['n', 'h', 'w']");
  EXPECT_EQ(of(x.view({2, 12})), "['n', None]");
  EXPECT_EQ(of(x.view({6, 4})), "[None, 'w']");
  EXPECT_EQ(of(x.reshape({2, 3, 2, 2})), "['n', 'h', None, None]");
  EXPECT_EQ(of(x.reshape({2, 1, 3, 4})), "['n', None, 'h', 'w']");
  EXPECT_EQ(of(x.flatten(1)), "['n', None]");
  EXPECT_EQ(of(x.flatten("h", "w", Name("hw"))), "['n', 'hw']");
  EXPECT_EQ(of(ones({}).flatten(0, -1, Name("f"))), "['f']");
  EXPECT_EQ(of(x.unflatten("w", {2, 2}, {"a", "b"})), "['n', 'h', 'a', 'b']");
  EXPECT_EQ(of(x.unflatten("w", {2, 2})), "['n', 'h', None, None]");
  EXPECT_EQ(of(x.expand({5, 2, 3, 4})), "[None, 'n', 'h', 'w']");
  EXPECT_EQ(of(x.diagonal(0, "n", "h")), "['w', None]");
  EXPECT_EQ(of(x.unfold("w", 2, 2)), "['n', 'h', 'w', None]");
  EXPECT_EQ(of(x.split(2, "w")[1]), "['n', 'h', 'w']");
  EXPECT_EQ(of(x.movedim("w", 0)), "['w', 'n', 'h']");
  EXPECT_EQ(of(x.clone()), "['n', 'h', 'w']");
  EXPECT_EQ(of(x.transpose(0, 2).contiguous()), "['w', 'h', 'n']");
  EXPECT_EQ(of(x.to(DType::float64)), "['n', 'h', 'w']");
  expect_error<ShapeError>([&] { x.unflatten("w", {2, 2}, {"n", "b"}); }, "duplicate names");
  expect_error<ShapeError>([&] { x.flatten(1, 2, Name("n")); }, "duplicate names");
}

TEST(Unify, FromTheRight) {
  const Tensor x = named({2, 3}, {"n", "c"});
  EXPECT_EQ(of(add(x, ones({3}))), "['n', 'c']");
  EXPECT_EQ(of(add(named({3}, {"c"}), ones({2, 3}))), "[None, 'c']");
  EXPECT_EQ(of(add(named({2, 1}, {"n", {}}), named({3}, {"c"}))), "['n', 'c']");
  EXPECT_EQ(of(add(x, 1)), "['n', 'c']");
  EXPECT_EQ(of(lt(x, x)), "['n', 'c']");
  EXPECT_EQ(of(exp(x)), "['n', 'c']");
  EXPECT_EQ(of(where(gt(x, 0), ones({2, 3}), 0.0)), "['n', 'c']");
  expect_error<ShapeError>(
      [&] {
        add(x, named({2, 3}, {"n", "d"}));
      },
      "Error when attempting to broadcast dims ['n', 'c'] and dims ['n', 'd']: "
      "dim 'c' and dim 'd' are at the same position from the right but do not "
      "match.");
  expect_error<ShapeError>([&] { add(x, named({1, 3}, {"c", {}})); }, "do not match");
  expect_error<ShapeError>([&] { add(named({2, 2}, {"n", {}}), named({2}, {"n"})); }, "duplicate");
}

TEST(Writes, GiveNames) {
  const Tensor x = named({2, 3}, {"n", "c"});
  Tensor out = empty({2, 3});
  add_out(out, x, 1);
  EXPECT_EQ(of(out), "['n', 'c']");
  Tensor fresh = empty({0});
  exp_out(fresh, x);
  EXPECT_EQ(of(fresh), "['n', 'c']");
  Tensor y = ones({2, 3});
  y.add_(x);
  EXPECT_EQ(of(y), "['n', 'c']");
  Tensor z = ones({2, 3});
  z.copy_(x);
  EXPECT_EQ(of(z), "['n', 'c']");
  Tensor w = named({2, 3}, {"a", "b"});
  expect_error<ShapeError>([&] { w.copy_(x); }, "do not match");
  expect_error<ShapeError>([&] { add_out(w, x, 1); }, "do not match");
  EXPECT_EQ(of(w), "['a', 'b']");
  EXPECT_EQ(w[0][0].item<double>(), 1);
}

TEST(Reduce, ByName) {
  const Tensor x = named({2, 3, 4}, {"n", "h", "w"});
  EXPECT_EQ(of(x.sum("h")), "['n', 'w']");
  EXPECT_EQ(of(x.sum({"h", "w"})), "['n']");
  EXPECT_EQ(of(x.sum("h", true)), "['n', 'h', 'w']");
  EXPECT_EQ(of(x.mean(-1)), "['n', 'h']");
  EXPECT_EQ(of(argmax(x, "w")), "['n', 'h']");
  EXPECT_EQ(of(softmax(x, "w")), "['n', 'h', 'w']");
  EXPECT_EQ(x.sum().dim(), 0);
  expect_error<ShapeError>([&] { x.sum("z"); }, "[sum] Name 'z' not found");
  expect_error<TypeError>([&] { x.sum({Axis("h"), Axis(0)}); }, "[sum]");
  expect_error<ShapeError>([&] { x.sum({0, -3}); }, "dim 0 appears multiple times");
}

TEST(Joins, UnifyNames) {
  const Tensor x = named({2, 3}, {"n", "c"});
  EXPECT_EQ(of(cat({x, ones({2, 3})}, "n")), "['n', 'c']");
  EXPECT_EQ(of(stack({x, x}, 1)), "['n', None, 'c']");
  EXPECT_EQ(of(matmul(x, named({3, 4}, {"c", "k"}))), "['n', 'k']");
  expect_error<ShapeError>([&] { cat({x, named({2, 3}, {"n", "d"})}); }, "do not match");
  EXPECT_THROW(matmul(x, named({3, 4}, {"d", "k"})), ShapeError) << "contracted names must agree";
}

}  // namespace
