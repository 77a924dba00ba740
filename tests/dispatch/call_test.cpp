// Arguments by name: matched to the schema, converted, refused with the op and the argument named;
// results into given tensors and in place.
#include "tandem/call.h"

#include <gtest/gtest.h>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

using Named = std::vector<NamedValue>;

Tensor call_one(std::string_view op, const Named& args) {
  return call_named(op, args).at(0).as<Tensor>();
}

/// "TypeError: text", or "no error".
std::string error_of(std::string_view op, const Named& args) {
  try {
    (void)call_named(op, args);
  } catch (const TypeError& e) {
    return std::string("TypeError: ") + e.what();
  } catch (const ValueError& e) {
    return std::string("ValueError: ") + e.what();
  } catch (const NotImplemented& e) {
    return std::string("NotImplemented: ") + e.what();
  } catch (const Error& e) {
    return std::string("Error: ") + e.what();
  }
  return "no error";
}

Tensor counted(IntSpan shape) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  return arange(n).to(DType::float32).reshape(shape);
}

TEST(Call, ByNameAndByPosition) {
  const Tensor x = counted({2, 3});
  const Tensor expected = x.softmax(1);
  EXPECT_TRUE(equal(call_one("softmax", {{"", x}, {"", 1}}), expected));
  EXPECT_TRUE(equal(call_one("softmax", {{"dim", 1}, {"x", x}}), expected));
  EXPECT_TRUE(equal(call_one("softmax", {{"dim", 1}, {"", x}}), expected));
  EXPECT_TRUE(equal(call_one("softmax", {{"", x}, {"dim", -1}, {"dtype", Value()}}), expected));
  EXPECT_TRUE(equal(call_one("add", {{"", x}, {"", x}, {"alpha", 2}}), x * 3));
}

TEST(Call, TextsNameDtypesDevicesAndAxes) {
  const Tensor x = counted({2, 3}).refine_names({"n", "c"});
  EXPECT_EQ(call_one("sum", {{"", x}, {"dim", "c"}, {"dtype", "float64"}}).dtype(), DType::float64);
  EXPECT_EQ(call_one("sum", {{"", x}, {"dim", std::vector<std::string>{"n", "c"}}}).dim(), 0);
  EXPECT_EQ(call_one("sum", {{"", x}, {"dim", Dims{0, 1}}, {"keepdim", true}}).dim(), 2);
  EXPECT_TRUE(call_one("eye", {{"n", 3}, {"device", "meta"}}).is_meta());
  EXPECT_EQ(call_one("tensordot", {{"", x}, {"", x}, {"dims", Dims{0, 1, 0, 1}}}).dim(), 0);
}

TEST(Call, ErrorsNameOpAndArgument) {
  const Tensor x = counted({2, 3});
  EXPECT_EQ(error_of("no_such_op", {}),
            "ValueError: [no_such_op] expected the name of an op (`tandem ops` lists them), got "
            "'no_such_op'");
  EXPECT_EQ(error_of("softmax", {{"x", x}, {"axle", 1}}),
            "TypeError: [softmax] expected arguments of (x, dim, dtype), got 'axle'");
  EXPECT_EQ(error_of("softmax", {{"", x}, {"x", x}}),
            "TypeError: [softmax] argument 'x': given twice");
  EXPECT_EQ(error_of("softmax", {{"x", x}}), "TypeError: [softmax] missing argument 'dim'");
  EXPECT_EQ(error_of("softmax", {{"x", x}, {"dim", Value()}}),
            "TypeError: [softmax] missing argument 'dim'");
  EXPECT_EQ(error_of("softmax", {{"x", x}, {"dim", 0.5}}),
            "TypeError: [softmax] argument 'dim': expected an axis (int or name), got number");
  EXPECT_EQ(error_of("softmax", {{"x", x}, {"dim", 0}, {"dtype", "float31"}}),
            "ValueError: [softmax] argument 'dtype': expected a dtype such as float32, got "
            "'float31'");
  EXPECT_EQ(error_of("exp", {{"", x}, {"", x}}),
            "TypeError: [exp] expected at most 1 argument without a name, got more");
  EXPECT_EQ(error_of("add", {{"", x}, {"", x}, {"", 2}}),
            "TypeError: [add] expected at most 2 arguments without a name, got more");
  EXPECT_EQ(error_of("cat", {{"", std::vector<Tensor>{x, Tensor()}}}),
            "TypeError: [cat] argument 'tensors': expected a list of Tensors, got None in it");
}

TEST(Call, IntoGivenTensors) {
  const Tensor x = counted({2, 3});
  Tensor out = empty({2, 3});
  const void* memory = out.data_ptr();
  EXPECT_EQ(call_one("exp", {{"", x}, {"out", out}}).body_ptr(), out.body_ptr());
  EXPECT_EQ(out.data_ptr(), memory);
  EXPECT_TRUE(equal(out, exp(x)));
  (void)call_one("softmax", {{"", x}, {"", 1}, {"out", out}});  // has no form of its own for it
  EXPECT_TRUE(equal(out, x.softmax(1)));
  Tensor values = empty({2, 3});
  Tensor indices = empty({2, 3}, {.dtype = DType::int64});
  (void)call_named(
      "sort", Named{{"", x}, {"descending", true}, {"out", std::vector<Tensor>{values, indices}}});
  EXPECT_EQ(values[0][0].item<float>(), 2.0F);
  EXPECT_EQ(indices[0][0].item<std::int64_t>(), 2);
  EXPECT_TRUE(equal(call_one("exp", {{"", x}, {"out", Value()}}), exp(x)));
}

TEST(Call, RefusedOutputs) {
  const Tensor x = counted({2, 3});
  EXPECT_EQ(error_of("exp", {{"", x}, {"out", 1}}),
            "TypeError: [exp] argument 'out': expected a tensor or a list of them");
  EXPECT_EQ(error_of("t", {{"", x}, {"out", x}}),
            "NotImplemented: [t] argument 'out': expected none, the op gives a view");
  EXPECT_EQ(error_of("exp_", {{"", x}, {"out", x}}),
            "TypeError: [exp_] argument 'out': expected none in place");
  Tensor narrow = zeros({2, 2});
  EXPECT_NE(error_of("exp", {{"", x}, {"out", narrow}}), "no error");
  EXPECT_TRUE(equal(narrow, zeros({2, 2}))) << "a failed call wrote";
}

TEST(Call, InPlace) {
  Tensor x = counted({2, 3});
  const Tensor before = x.clone();
  EXPECT_EQ(call_one("exp_", {{"", x}}).body_ptr(), x.body_ptr());
  EXPECT_TRUE(equal(x, exp(before)));
  (void)call_one("add_", {{"", x}, {"", 1}, {"alpha", 2}});
  EXPECT_TRUE(equal(x, exp(before) + 2));
  EXPECT_EQ(error_of("softmax_", {{"", x}, {"", 1}}),
            "NotImplemented: [softmax] the op has no form in place");
  EXPECT_EQ(error_of("add_", {{"", 1}, {"", x}}),
            "TypeError: [add_] argument 'x': expected a tensor to write to");
}

/// Every row: what is given in the schema's order comes back in it, whatever the order of the call.
TEST(Call, EveryRowMissesAndKnowsItsParameters) {
  for (const OpRow* row : op_rows()) {
    SCOPED_TRACE(row->name);
    const Schema& schema = schema_of(*row);
    Named nones;
    bool required = false;
    for (auto p = schema.params.rbegin(); p != schema.params.rend(); ++p) {
      nones.push_back({p->name, Value()});
      required = required || p->required();
    }
    if (required) {
      EXPECT_THROW((void)arguments_by_name(*row, nones), TypeError);
    } else {
      EXPECT_EQ(arguments_by_name(*row, nones).size(), schema.params.size());
    }
    nones.push_back(nones.front());
    EXPECT_THROW((void)arguments_by_name(*row, nones), TypeError) << "given twice";
  }
}

}  // namespace
