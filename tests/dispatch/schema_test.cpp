// Schema strings: every row's is well formed and agrees with the row.
#include <gtest/gtest.h>

#include <set>

#include "tandem/array_api.h"
#include "tandem/op_alias.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/value.h"

using namespace tandem;

namespace {

TEST(Schema, EveryRowParses) {
  std::set<std::string> names;
  for (const OpRow* row : op_rows()) {
    SCOPED_TRACE(row->name);
    EXPECT_TRUE(names.insert(row->name).second) << "two rows of one name";
    EXPECT_EQ(find_op(row->name), row);
    EXPECT_NE(std::string(row->doc), "");
    const Schema& schema = schema_of(*row);
    EXPECT_EQ(&schema, &schema_of(*row)) << "parsed again";
    ASSERT_FALSE(schema.params.empty());
    std::set<std::string> params;
    bool keyword_only = false;
    bool optional = false;
    for (const Param& p : schema.params) {
      EXPECT_TRUE(params.insert(p.name).second) << p.name << " twice";
      EXPECT_FALSE(p.type.empty()) << p.name;
      EXPECT_TRUE(p.keyword_only || !keyword_only) << p.name << " after the keywords";
      EXPECT_TRUE(!p.required() || !optional || p.keyword_only) << p.name << " after a default";
      keyword_only = p.keyword_only;
      optional = optional || !p.required();
    }
    if (row->family == Family::Elementwise) {
      EXPECT_GE(schema.params.size(), static_cast<std::size_t>(row->arity));
      EXPECT_FALSE(row->dtypes.empty());
      EXPECT_LE(row->lo, row->hi);
    }
  }
}

TEST(Schema, PartsOfOne) {
  const Schema& add = schema_of(op::add);
  ASSERT_EQ(add.params.size(), 3u);
  EXPECT_EQ(add.params[0].name, "x");
  EXPECT_EQ(add.params[0].type, "Arg");
  EXPECT_TRUE(add.params[0].required());
  EXPECT_FALSE(add.params[1].keyword_only);
  EXPECT_EQ(add.params[2].name, "alpha");
  EXPECT_EQ(add.params[2].type, "Scalar");
  EXPECT_EQ(add.params[2].fallback, "1");
  EXPECT_TRUE(add.params[2].keyword_only);
  EXPECT_EQ(add.grad, "g, g * alpha");
  EXPECT_NE(schema_of(op::sub).hint.find("logical_xor"), std::string::npos);
  EXPECT_EQ(schema_of(op::exp).params[0].type, "Tensor");
  const Param& dtype = schema_of(op::linspace).params[3];
  EXPECT_EQ(dtype.type, "dtype?");
  EXPECT_TRUE(dtype.optional());
  EXPECT_TRUE(dtype.keyword_only);
}

TEST(Schema, OtherNamesFindTheirRows) {
  std::set<std::string> names;
  for (const OpRow* row : op_rows()) names.insert(row->name);
  for (const OpAlias& a : op_aliases()) {
    EXPECT_EQ(find_op(a.name), a.row) << a.name;
    EXPECT_TRUE(names.insert(a.name).second) << a.name << " is another op's name";
  }
  EXPECT_EQ(find_op("multiply"), &op::mul);
}

TEST(Schema, FunctionsOfTheArrayApiNameRows) {
  std::set<std::string> names;
  for (const StandardFunction& f : array_api_functions()) {
    const std::string part = f.part;
    const bool extension = part == "linalg" || part == "fft";
    EXPECT_TRUE(names.insert((extension ? part + "." : "") + f.name).second) << f.name;
    if (f.op[0] == 0) continue;
    const OpRow* row = find_op(f.op);
    ASSERT_NE(row, nullptr) << f.op;
    EXPECT_STREQ(row->name, f.op) << "another name of a row";
  }
}

TEST(Schema, NoSuchOp) {
  EXPECT_EQ(find_op("no_such_op"), nullptr);
  EXPECT_EQ(find_op(""), nullptr);
}

TEST(Schema, HashOfTheTableIsSteady) { EXPECT_EQ(op_table_hash(), op_table_hash()); }

}  // namespace
