// lint: oracle table. References for the accuracy report beside those of
// tests/host/elementwise_oracle.h and fast_references.h: MPFR's, for doubles.
#pragma once

#include <mpfr.h>

#include <string_view>
#include <vector>

#include "tests/accuracy/samples.h"

namespace tandem::testing {

/// A function of doubles, correctly rounded to the precision of r.
struct Precise {
  const char* name;
  int (*value)(mpfr_t r, const mpfr_t x, const mpfr_t y);
  std::vector<Region> regions;  // where the function is hard, beside the regions of every row
};

/// Null where the row has none: elementwise_oracle.h serves.
const Precise* precise_reference(std::string_view row);

/// What a row may be wrong by where the bounds do not hold, and why.
struct Exception {
  const char* name;
  double ulp;  // of float32 and float64
  // Near a root, an error of this many of the dtype's epsilons, times `scale` of the input, is
  // none.
  double absolute;
  double (*scale)(double x, double exact);  // 0 where the input is not near a root
  const char* why;
};
const Exception* exception(std::string_view row);

}  // namespace tandem::testing
