// Factorisations of one matrix, small and larger, of batches of small ones, and of long ones. The
// diagonals of square ones dominate and their entries differ, so every one of them has a result and
// no iteration ends early.
#include <string_view>

#include "perf/cases.h"
#include "tandem/op_table.h"
#include "tandem/value.h"

namespace tandem::perf {
namespace {

constexpr Domain kUnit{-1, 1};

constexpr std::string_view kPrefix = "linalg_";

/// What is measured, of rows that take a matrix and maybe a right-hand side.
constexpr std::string_view kReal = " cholesky det eigh inv lu qr solve svd ";
constexpr std::string_view kComplex = " cholesky det eigh qr svd ";
constexpr std::string_view kLong = " qr svdvals ";

bool is_one_of(const OpRow& row, std::string_view words) {
  const std::string_view name = row.name;
  if (!name.starts_with(kPrefix)) return false;
  const std::string word = " " + std::string(name.substr(kPrefix.size())) + " ";
  return words.find(word) != std::string_view::npos;
}

Case make(const OpRow& row, DType t, const Dims& shape) {
  Case c;
  c.op = row.name;
  c.form = "fresh";
  c.dtype = t;
  c.shape = shape;
  c.domain = kUnit;
  const std::vector<Param>& params = schema_of(row).params;
  const bool two = params.size() > 1 && params[1].type == "Tensor";
  c.run = [&row, t, shape, two, count = params.size()](benchmark::State& state) {
    const Tensor& x = input(shape, t, kUnit);
    const std::int64_t n = shape.back();
    std::vector<Value> args(count);
    args[0] = x;
    if (shape[shape.size() - 2] == n)
      args[0] = x + diag(arange(n, 2 * n, 1, {.dtype = real_part(t), .device = x.device()}));
    if (two) args[1] = x;
    timed(state, [&] { return call_boxed(row, args); });
  };
  return c;
}

}  // namespace

std::vector<Case> factorisation_cases() {
  std::vector<Case> cases;
  const auto add = [&](DType t, const Dims& shape, std::string_view words) {
    for (const OpRow* row : op_rows()) {
      if (is_one_of(*row, words)) cases.push_back(make(*row, t, shape));
    }
  };
  for (const DType t : {DType::float32, DType::float64}) {
    for (const Dims& shape : {Dims{64, 64}, Dims{512, 512}, Dims{10000, 3, 3}, Dims{10000, 4, 4},
                              Dims{2000, 8, 8}, Dims{1000, 16, 16}, Dims{500, 32, 32}}) {
      add(t, shape, kReal);
    }
  }
  for (const DType t : {DType::complex64, DType::complex128}) {
    for (const Dims& shape : {Dims{64, 64}, Dims{512, 512}, Dims{2000, 8, 8}, Dims{200, 64, 64}})
      add(t, shape, kComplex);
  }
  for (const DType t : {DType::float32, DType::float64, DType::complex64, DType::complex128}) {
    for (const Dims& shape : {Dims{10000, 64}, Dims{100000, 8}}) add(t, shape, kLong);
  }
  return cases;
}

}  // namespace tandem::perf
