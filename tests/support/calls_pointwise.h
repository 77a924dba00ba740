// lint: oracle table. Calls of the rows of pointwise.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_pointwise_calls(Calls& c) {
  const Tensor x = varied({2, 3, 4}, DType::float32, 3, true).refine_names({"n", "h", "c"});
  const Tensor z = varied_complex({2, 3}, DType::complex64).refine_names({"a", "b"});
  const Tensor i = varied({2, 3, 4}, DType::int32);
  const Tensor b = ones_of({2}, DType::bool_);
  const Tensor pairs = varied({3, 5, 2}, DType::float64).refine_names({"u", "v", "w"});
  for (const char* name : {"real", "imag", "view_as_real"}) c[name] = {{z}, {z.t()}, {x}, {i}};
  c["view_as_complex"] = {{pairs}, {x}, {i}, {pairs.slice(2, 0, 1)}, {pairs.transpose(0, 2)}};
  for (const char* name :
       {"angle", "isreal", "isposinf", "isneginf", "positive", "deg2rad", "rad2deg"})
    c[name] = {{name == std::string("angle") ? z : x}, {z}, {x}, {i}, {b}};
  for (const char* name : {"clamp_min", "clamp_max"})
    c[name] = {{x, 0.5},
               {x, i},
               {i, 2.5},
               {x, ones_of({3}, DType::float32)},
               {i, varied({4}, DType::int8)}};
  c["rsub"] = {{x, 2.0}, {x, i, 3}, {i, 2, 2.5}, {b, b}};
  c["float_power"] = {{x, 2}, {i, x}, {z, 0.5}, {2, x}, {i, i}, {x, ones_of({5}, DType::int8)}};
  c["frexp"] = {{x}, {i}, {z}};
  const Tensor w = varied({3}, DType::float32, 4);
  c["prelu"] = {{x, w},
                {x, varied({1}, DType::float32, 5)},
                {w, ones_of({}, DType::float32)},
                {x, varied({4}, DType::float32, 5)},
                {x, i},
                {i, i},
                {x, x}};
  c["mvlgamma"] = {{x, 2}, {x, 1}, {i, 3}, {x, 0}, {z, 2}};
  c["polygamma"] = {{2, x}, {0, x}, {1, i}, {-1, x}, {3, z}};
}

inline void add_pointwise_long_calls(Calls& c) {
  const Tensor x = varied({400, 401}, DType::float32, 5, true);
  const Tensor i = varied({160'001}, DType::int16, 6);
  const Tensor z = varied_complex({400, 401}, DType::complex64, 7, true);
  c["angle"] = {{z}, {x.t()}, {i}};
  c["isreal"] = {{z}, {x}};
  for (const char* name : {"isposinf", "isneginf", "deg2rad", "rad2deg"})
    c[name] = {{x}, {x.t()}, {i}};
  c["positive"] = {{x}};
  c["clamp_min"] = {{x, varied({401}, DType::float32, 8)}, {i, 3}};
  c["clamp_max"] = {{x.t(), 1.5}, {i, varied({160'001}, DType::int32, 9)}};
  c["rsub"] = {{x, 2, 0.5}, {i, 7}};
  c["float_power"] = {{x, 2.5}, {i, 3}, {z, z}};
  c["frexp"] = {{x}, {x.t()}};
  c["mvlgamma"] = {{x, 3}, {i, 2}};
  c["polygamma"] = {{1, x}, {3, i}};
  c["prelu"] = {{x, varied({401}, DType::float32, 10)}, {x.t(), varied({1}, DType::float32, 11)}};
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_pointwise_launches(Launches& n) {
  n["positive"] = 0;
  n["frexp"] = 2;
  n["prelu"] = 3;     // a comparison, a product, a choice
  n["mvlgamma"] = 5;  // two of lgamma, a difference, a sum, the constant
  n["float_power"] = 2;
}

}  // namespace tandem::test
