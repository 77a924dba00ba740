// Sources of elementwise kernels for the tests of the host and of a device.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tandem/op_table.h"
#include "tandem/tandem.h"

namespace tandem::test {

/// The folder of this program's kernels, made before the first and removed at the end.
class KernelFolder : public ::testing::Environment {
 public:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tandem-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    path = name;
    setenv("TANDEM_CACHE_DIR", name.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(path); }
  static inline std::filesystem::path path;
};

/// The rows of the table that a kernel of float32 can call by their names, with 1 or 2 arguments.
inline std::vector<const OpRow*> callable_rows() {
  std::vector<const OpRow*> rows;
  for (const OpRow* row : op_rows()) {
    const bool plain =
        row->result == Result::Same || row->result == Result::Float || row->result == Result::Bool;
    if (row->family == Family::Elementwise && row->arity <= 2 && plain &&
        row->dtypes.has(DType::float32))
      rows.push_back(row);
  }
  return rows;
}

/// template f(x, y, which): row number `which` of those above, at x and y.
inline std::string source_of_all_rows() {
  std::string source = "template <class T> T f(T x, T y, T which) {\n  switch (int(which)) {\n";
  int i = 0;
  for (const OpRow* row : callable_rows()) {
    source += "    case " + std::to_string(i++) + ": return cast<T>(" + row->name +
              (row->arity == 1 ? "(x)" : "(x, y)") + ");\n";
  }
  return source + "  }\n  return T(-1);\n}\n";
}

struct SourceCase {
  const char* source;
  std::vector<SourceKernel::Number> numbers;
  std::vector<DType> dtypes;  // of the inputs
  std::optional<DType> result;
};

/// Numbers, casts, branches, helpers, bool and complex elements, results of another dtype.
inline std::vector<SourceCase> source_cases() {
  constexpr auto f16 = DType::float16, bf16 = DType::bfloat16, f32 = DType::float32,
                 f64 = DType::float64, i32 = DType::int32, i64 = DType::int64, u8 = DType::uint8,
                 c64 = DType::complex64, c128 = DType::complex128;
  const char* const damped =
      "template <class T> T damped(T x, T t, T rate) { return x * exp(-rate * t) + x / 3; }";
  const char* const mixed = "template <class T> T mixed(T a, T b) { return a * b + a; }";
  const char* const horner =
      "// a helper, and a loop\n"
      "template <class T> T step(T sum, T x) { return sum * x + T(1); }\n"
      "template <class T> T horner(T x, T terms) {\n"
      "  T sum = 0;\n"
      "  for (int i = 0; i < int(terms); ++i) sum = step(sum, x);\n"
      "  return x > 0 ? sum : min(sum, T(0));\n"
      "}";
  return {{damped, {{"rate", 0.75}}, {f32, f32}, {}},
          {damped, {{"rate", 0.75}}, {f64, f64}, {}},
          {damped, {{"rate", 0.75}}, {f16, f16}, {}},
          {damped, {{"rate", 0.75}}, {bf16, f32}, {}},
          {damped, {{"rate", 2}}, {c64, f32}, {}},
          {mixed, {}, {c128, c64}, {}},
          {mixed, {}, {i32, u8}, {}},
          {mixed, {}, {i64, i64}, f32},
          {mixed, {}, {u8, u8}, {}},
          {horner, {{"terms", 5}}, {f32}, {}},
          {horner, {{"terms", 5}}, {i32}, f16},
          {"template <class T> bool between(T a, T x, T b) { return a <= x && x < b; }",
           {},
           {f32, f64, i32},
           DType::bool_},
          {"float five(float a, float b, float c, float d, float e) {"
           " return fma(a, b, c) - where(d > e, d, e); }",
           {},
           {f32, f32, f32, f32, f32},
           {}}};
}

/// Inputs of a case: about +-4, in all layouts that the launch tells apart.
inline std::vector<std::vector<Tensor>> source_inputs(const SourceCase& c) {
  manual_seed(7);
  const auto values = [](const Dims& shape, DType t) {
    const Tensor x = (rand(shape) - 0.4) * 10;
    return is_complex(t) ? complex(x, (rand(shape) - 0.5) * 4).to(t) : x.to(t);
  };
  std::vector<std::vector<Tensor>> all(5);
  std::size_t k = 0;
  for (const DType t : c.dtypes) {
    all[0].push_back(values({1000}, t));
    all[1].push_back(k % 2 == 0 ? values({6, 1, 7}, t) : values({5, 1}, t));
    all[2].push_back(values({7, 6, 5}, t).permute({2, 0, 1}));
    all[3].push_back(values({20, 9}, t).slice(0, {}, {}, 3).slice(1, 1, {}, 2));
    all[4].push_back(k == 0 ? values({1}, t) : values({0, 3}, t));
    ++k;
  }
  return all;
}

}  // namespace tandem::test
