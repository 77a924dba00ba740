// lint: oracle table. Calls of the rows of scan.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

/// The reductions of several passes.
inline void add_pass_calls(Calls& c, const Tensor& x, const Tensor& i, const Tensor& z,
                           const Tensor& v) {
  const Strings two{"n", "c"};
  c["logsumexp"] = {{x, 1},
                    {x, Dims{0, 2}, true},
                    {x, two},
                    {x},
                    {i, 0},
                    {v, 0, true},
                    {z},
                    {varied_complex({40}, DType::complex64, 9, true), 0, true},
                    {varied_complex({8, 5}, DType::complex128, 8).t(), 1},
                    {x, 5},
                    {ones_of({0, 3}, DType::complex64), 0},
                    {ones_of({0, 3}, DType::float32), 0}};
  c["nanmean"] = {{x, 1}, {x, two, true}, {v}, {i, 0}, {i, 0, false, DType::float64}, {z}, {x, 3}};
  c["vector_norm"] = {{x, 2.0, 1},
                      {x, 1.0, two, true},
                      {z, 2.0},
                      {z, 3.0},
                      {v, INFINITY},
                      {v, -INFINITY, 0, true},
                      {x, 0.0, "h"},
                      {x, 2.5, Dims{0, 1}},
                      {i},
                      {x, 2.0, 0, false, DType::float64},
                      {x, 2.0, 0, false, DType::int32},
                      {ones_of({0}, DType::float32), INFINITY}};
  c["norm"] = {{x}, {x, "fro", 0}, {z, 1}, {x, "inf", two, true}, {x, "nuc"}, {i}, {x, 2, 7}};
  c["renorm"] = {{x, 2.0, 1, 20.0},
                 {x, 0.5, "c", 300.0},
                 {varied_complex({5, 8}, DType::complex64, 5), 1.0, 0, 7.0},
                 {x.to(DType::bfloat16), INFINITY, -1, 9.0},
                 {v.reshape({3, 11}), 3.0, 1, 4.0},
                 {z, 2.0, 0, 1.0},
                 {i, 2.0, 0, 1.0},
                 {x, 0.0, 0, 1.0},
                 {x, 2.0, 0, -1.0},
                 {x, 2.0, 3, 1.0}};
  for (const Args& args : c["renorm"]) {
    c["renorm_"].push_back(args);
    c["renorm_"].back()[0] = args[0].as<Tensor>().clone();
  }
  c["trace"] = {{i},
                {i.t()},
                {z.reshape({5, 8})},
                {lt(i, 0)},
                {v.reshape({3, 11})},
                {x},
                {v},
                {ones_of({0, 3}, DType::float16)}};
  c["dist"] = {{x, x}, {v, ones_of({33}, DType::float32), 1.0}, {x, v}};
  c["aminmax"] = {{x}, {x, 1, true}, {x, "c"}, {i, 0}, {z}, {ones_of({0}, DType::float32)}};
  for (const char* name : {"var_mean", "std_mean"}) {
    c[name] = {{x, 1}, {x, two, 0.0, true}, {z}, {v}, {i, 0}, {x, 4}};
  }
  c["softmin"] = {{x, 1}, {x, "c", DType::float64}, {i, 0}, {i, 0, DType::float32}, {x, 3}};
}

inline void add_scan_calls(Calls& c) {
  Tensor x = varied({2, 3, 4}, DType::float32);
  x.rename_({"n", "h", "c"});
  const Tensor i = varied({5, 40}, DType::int16, 2);
  const Tensor z = varied({40}, DType::complex64, 3);
  const Tensor v = varied({33}, DType::float64, 4, true);
  for (const char* name : {"cumsum", "cumprod"}) {
    c[name] = {{x, 1},
               {x, "c", DType::float64},
               {i, -1},
               {i, 0, DType::int8},
               {z, 0},
               {v, 0},
               {lt(x, 0), 2},
               {x, 3},
               {x, "nobody"},
               {x, 0, DType::bool_},
               {ones_of({}, DType::float16), 0},
               {ones_of({0, 3}, DType::float16), 0}};
  }
  for (const char* name : {"cumsum_", "cumprod_"}) {
    c[name] = {{x.clone(), 1},
               {i.clone(), 1},
               {x.clone(), 0, DType::float64},
               {ones_of({3}, DType::bool_), 0},
               {x.clone(), 4}};
  }
  for (const char* name : {"cummax", "cummin"}) {
    c[name] = {{x, 1}, {x, "n"}, {i, -1}, {v, 0}, {lt(x, 0), 2}, {z, 0}, {x, 3}};
  }
  c["logcumsumexp"] = {{x, 1}, {x, "c"}, {v, 0},
                       {i, 0}, {z, 0},   {varied_complex({20, 5}, DType::complex128, 5, true), 0},
                       {x, -4}};
  for (const char* name : {"cumulative_sum", "cumulative_prod"}) {
    c[name] = {{x, 1, Value(), true},
               {x, "c"},
               {z},
               {v, Value(), Value(), true},
               {i, 1, DType::float32, true},
               {x},
               {ones_of({}, DType::float32), 0}};
  }
  add_pass_calls(c, x, i, z, v);
}

inline void add_scan_long_calls(Calls& c) {
  // Products stay finite where elements are near 1.
  const auto near_one = [](IntSpan shape, DType t) {
    return add(mul(varied(shape, t, 5), 1.0 / 4096), 1);
  };
  const Tensor flat = varied({200'003}, DType::float32, 6);
  const Tensor rows = varied({70, 4500}, DType::float64, 7);
  const Tensor columns = varied({9000, 35}, DType::float32, 8, true);
  const Tensor half = varied({300, 700}, DType::float16, 9);
  const Tensor ints = varied({40, 5000}, DType::int32, 10);
  const Tensor z = varied({8200, 20}, DType::complex64, 11);
  const Tensor short_rows = varied({50'000, 5}, DType::float32, 12);
  c["cumsum"] = {{flat, 0}, {rows, 1}, {columns, 0}, {half, 0},      {half, 1},
                 {ints, 1}, {z, 0},    {z, 1},       {short_rows, 1}};
  c["cumprod"] = {{near_one({180'000}, DType::float32), 0},
                  {near_one({9000, 20}, DType::float64), 0},
                  {ints, 1},
                  {z, 1}};
  c["cumsum_"] = {{flat.clone(), 0}, {columns.clone(), 0}};
  c["cumprod_"] = {{near_one({40, 4500}, DType::float32), 1}};
  for (const char* name : {"cummax", "cummin"}) {
    c[name] = {{flat, 0}, {columns, 0}, {columns, 1}, {half, 1}, {ints, 1}, {short_rows, 1}};
  }
  c["logcumsumexp"] = {{flat, 0},
                       {rows, 1},
                       {columns, 0},
                       {half, 1},
                       {varied_complex({8200, 7}, DType::complex64, 14), 0},
                       // The second row begins with -inf in both parts.
                       {varied_complex({7, 8235}, DType::complex128, 15, true), 1}};
  c["cumulative_sum"] = {{flat, Value(), Value(), true}, {columns, 0, Value(), true}};
  c["cumulative_prod"] = {{near_one({9000, 20}, DType::float32), 0, Value(), true}};
  const Tensor many = varied({70, 30, 100}, DType::float32, 13, true);
  c["logsumexp"] = {
      {flat},    {rows, 1},          {columns, 0},
      {half, 1}, {many, Dims{0, 2}}, {varied_complex({8200, 20}, DType::complex64, 14), 0}};
  c["nanmean"] = {{flat}, {columns, 0}, {many, Dims{0, 2}}, {half, 1}};
  c["vector_norm"] = {{flat},
                      {rows, 1.0, 1},
                      {columns, INFINITY, 0},
                      {z, 2.0, 0},
                      {z, -INFINITY, 1},
                      {half, 2.0, 1},
                      {many, 3.0, Dims{0, 2}}};
  c["norm"] = {{flat}, {columns, 1, 0}};
  c["renorm"] = {{rows, 2.0, 1, 10.0}, {many, 1.0, 1, 1e4}, {z, 3.0, 0, 50.0}};
  c["renorm_"] = {{half.clone(), 2.0, 0, 10.0}};
  c["trace"] = {{varied({50'000}, DType::float32, 15).as_strided({4500, 4600}, {7, 4})}};
  c["dist"] = {{flat, varied({200'003}, DType::float32, 14)}};
  c["aminmax"] = {{flat}, {columns, 0}, {ints, 1}};
  for (const char* name : {"var_mean", "std_mean"}) {
    c[name] = {{flat}, {rows, 1}, {half, 0}, {z, 0}, {many, Dims{0, 2}}};
  }
  c["softmin"] = {{rows, 1}, {columns, 0}, {half, 1}};
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_scan_launches(Launches& l) {
  l["cumulative_sum"] = l["cumulative_prod"] = 2;  // the initial value, the others
  l["logsumexp"] = 6;  // greatest, is it finite, else 0, sum, logarithm, the greatest again
  l["nanmean"] = 5;    // sum, x == x, count, its cast, quotient
  l["renorm"] = l["renorm_"] = 6;  // norm, is it above, + 1e-7, quotient, else 1, product
  l["dist"] = 2;                   // difference, norm
  l["aminmax"] = l["var_mean"] = l["std_mean"] = 2;
  l["softmin"] = 4;  // of the negated elements
}

}  // namespace tandem::test
