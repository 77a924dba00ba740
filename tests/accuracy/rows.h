// What the parts of the accuracy report share: the row under test, errors in units of the last
// place, what is found.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/value.h"
#include "tests/accuracy/fast_references.h"
#include "tests/accuracy/references.h"
#include "tests/host/elementwise_oracle.h"

namespace tandem::testing {

using test::Oracle;
using test::Real;

struct Effort {
  std::uint64_t stride = 1;         // of the floats that are taken
  std::uint64_t samples = 1 << 24;  // where not all are
  std::vector<float> near{};        // float32: the floats about these are taken too
};

/// The worst of a part of a row.
struct Finding {
  std::string reference{}, note{};
  double worst = 0, budget = 0;  // in ulp of the result's dtype unless the part says otherwise
  std::uint64_t count = 0;
  std::string at{}, got{}, expected{};
  bool ok() const { return worst <= budget; }
};

inline const Oracle* oracle_of(const OpRow& row) {
  static const auto all = test::oracles();
  const auto found = all.find(row.name);
  return found == all.end() ? nullptr : &found->second;
}

/// Whether the row computes in the dtype's floats, or takes them.
inline bool takes(const OpRow& row, DType t) {
  // Complex results are measured by sampled_complex.cpp; a tolerance is no float to draw.
  const bool measured = row.result != Result::Complex && &row != &op::isclose;
  return measured && row.family == Family::Elementwise && row.dtypes.has(t);
}

inline bool is_exact(const Oracle& o) {
  return (bool(o.exact32) && bool(o.exact64)) || bool(o.in_format);
}

/// The value that the row stands for, before it is rounded. Half types are computed in float.
inline Real reference(const Oracle& o, DType t, const Real* args, int arity) {
  if (o.in_format) return o.in_format(args, t);
  if (!is_exact(o)) return o.real(args);
  double d[4] = {};
  float f[4] = {};
  for (int i = 0; i < arity; ++i) f[i] = static_cast<float>(d[i] = static_cast<double>(args[i]));
  return t == DType::float64 ? Real(o.exact64(d)) : Real(o.exact32(f));
}

/// |got - exact| in units of `unit`'s last place in the dtype; infinite for a wrong kind of value
/// or a wrong sign. `unit` is the exact value, or the greatest term of a sum that may cancel.
inline double error_in(DType t, Real got, Real exact, Real unit, bool cancels) {
  const double wrong = HUGE_VAL;
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : wrong;
  if (!cancels && std::signbit(got) != std::signbit(exact)) return wrong;
  if (std::isinf(exact)) return got == exact ? 0 : wrong;
  const test::FloatFormat f = test::format_of(t);
  const Real limit = f.max + test::ulp(f.max, t);
  const Real e = std::min(std::max(exact, -limit), limit);
  const Real g = std::isinf(got) ? std::copysign(limit, got) : got;
  return static_cast<double>(std::fabs(g - e) / test::ulp(std::min(std::fabs(unit), f.max), t));
}

/// The bounds of the issue: 1 ulp for float32 and the half types, 2 for float64; none where the
/// result is exact or correctly rounded.
inline double budget_of(const OpRow& row, const Oracle* o, DType t) {
  if (o != nullptr && is_exact(*o) && !o->scale) return 0;
  if (const Exception* e = exception(row.name)) return is_half(t) ? 1 : e->ulp;
  if (o != nullptr && o->scale) return row.max_ulp;
  return t == DType::float64 ? 2 : 1;
}

/// An error that the exception of the row forgives: an absolute one, near a root. x: the first
/// input.
inline bool forgiven(const OpRow& row, DType t, Real x, Real got, Real exact) {
  const Exception* e = exception(row.name);
  if (e == nullptr || !std::isfinite(exact) || !std::isfinite(got)) return false;
  const double scale = e->scale(static_cast<double>(x), static_cast<double>(exact));
  return std::fabs(got - exact) <= e->absolute * scale * std::ldexp(Real(1), 1 - info(t).bits);
}

/// The inputs that a function must not lose, by name.
struct Named {
  const char* name;
  Real value;
};
inline std::vector<Named> named_values(DType t) {
  const test::FloatFormat f = test::format_of(t);
  const Real normal = std::ldexp(Real(1), f.min_exponent);
  const Real least = std::ldexp(Real(1), f.min_exponent - f.digits + 1);
  std::vector<Named> list = {{"0", 0},           {"1", 1},
                             {"2", 2},           {"3", 3},
                             {"1/2", 0.5L},      {"3/2", 1.5L},
                             {"least", least},   {"greatest subnormal", normal - least},
                             {"normal", normal}, {"max", f.max},
                             {"inf", HUGE_VALL}, {"nan", NAN}};
  const std::size_t n = list.size();
  static const char* kNegative[] = {"-0",      "-1",   "-2",     "-3",
                                    "-1/2",    "-3/2", "-least", "-greatest subnormal",
                                    "-normal", "-max", "-inf"};
  for (std::size_t i = 0; i + 1 < n; ++i) list.push_back({kNegative[i], -list[i].value});
  return list;
}

/// The row's first result for inputs of one dtype.
inline Tensor call_row(const OpRow& row, const std::vector<Tensor>& inputs) {
  const auto& params = schema_of(row).params;
  std::vector<Value> args;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (params[k].type == "Scalar")
      args.emplace_back(inputs[k].flatten().select(0, 0).item());
    else
      args.emplace_back(inputs[k]);
  }
  return call_boxed(row, args)[0].as<Tensor>();
}

std::string text_of(Real x);

// The parts.
Finding check_float32(const OpRow& row, const Effort& o);           // one input: all of them
Finding check_half(const OpRow& row, DType t);                      // one input: all of them
Finding check_samples(const OpRow& row, DType t, const Effort& o);  // several inputs
Finding check_float64(const OpRow& row, const Effort& o);           // one or two, against MPFR
Finding check_specials(const OpRow& row, DType t);                  // named values, crossed
Finding check_sums(const OpRow& row, DType t, const Effort& o);

/// The reductions that have an exact reference.
bool is_summed(const OpRow& row);

}  // namespace tandem::testing
