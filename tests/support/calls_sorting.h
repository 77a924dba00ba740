// lint: oracle table. Calls of the rows of sorting.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_sorting_calls(Calls& c) {
  const DType f32 = DType::float32;
  const Tensor x = varied({2, 3, 4}, f32, 1, true).rename(Strings{"n", "h", "c"});
  const Tensor i = varied({5, 6}, DType::int16, 2);
  const Tensor z = ones_of({3}, DType::complex64);
  const Tensor none = ones_of({3, 0}, f32);
  const Value no;
  c["sort"] = {{x, 1}, {x, "h", true}, {i, 0}, {none, 1},
               {x, 3}, {x, "q"},       {z},    {ones_of({}, f32)}};
  c["argsort"] = {{x, 1}, {x, "c", true}, {i}, {z}};
  c["msort"] = {{x}, {i.t()}, {z}};
  c["topk"] = {{x, 2, 1}, {x, 2, "h", false}, {i, 0}, {x, 5}, {x, -1}, {z, 1}};
  c["kthvalue"] = {{x, 2, 1}, {i, 6, 1, true}, {x, 0}, {x, 5}, {none, 1}, {z, 1}};
  for (const char* name : {"median", "nanmedian"}) {
    c[name] = {{x, 1}, {x}, {x, "c", true}, {i, 0}, {none, 1}, {none}, {ones_of({0}, DType::int8)},
               {z}};
  }
  for (const char* name : {"quantile", "nanquantile"}) {
    const Tensor q = (varied({3}, DType::float64, 3) + 16) / 32;
    c[name] = {{x, 0.3, 1},
               {x, q, "c", true},
               {x, 0.5, no, true},
               {x, q, 0, false, "nearest"},
               {x, 1.5},
               {i, 0.5},
               {none, 0.5, 1},
               {x, 0.5, 0, false, "odd"},
               {x, ones_of({2, 2}, f32)}};
  }
  c["mode"] = {{x, 1}, {i, 0, true}, {x, "n"}, {none, 1}, {z}};
  c["unique"] = {{x, true, true, true},
                 {i},
                 {i, true, true, true, 1},
                 {x, true, true, false, "h"},
                 {none},
                 {z},
                 {ones_of({}, f32), true, false, false, 0}};
  c["unique_consecutive"] = {{x, true, true}, {i, true, true, 0}, {none}, {z}};
  for (const char* name : {"unique_all", "unique_counts", "unique_inverse", "unique_values"}) {
    c[name] = {{x}, {i}, {none}, {z}};
  }
  const Tensor steps = arange(-16, 17, 4, {.dtype = f32});
  const Tensor rows = ones_of({2, 3, 5}, f32);
  c["searchsorted"] = {{steps, x},
                       {steps, 2.5, true},
                       {rows, x, false, true},
                       {steps, i},
                       {rows, i},
                       {steps, x, false, true, "left"},
                       {steps, z},
                       {ones_of({}, f32), x},
                       {steps, x, false, false, "up"},
                       {rows, x, false, false, no, varied_indices({2, 3, 5}, 0, 5)},
                       {steps, x, false, false, no, steps}};
  c["bucketize"] = {{x, steps}, {2, steps, true, true}, {i, steps}, {x, rows}, {x, z}};
  c["isin"] = {{x, steps}, {i, 3}, {x, x, false, true}, {3, i}, {x, z}};
  const Tensor counts = varied_indices({50}, 0, 9);
  c["bincount"] = {{counts},         {counts, varied({50}, f32)}, {counts, no, 20}, {i},
                   {counts, no, -1}, {varied({5}, f32)},          {counts, steps},  {counts - 5}};
  c["histc"] = {{x, 5, -8, 8}, {x, 4}, {i, 7, 0, 3}, {x, 0}, {x, 3, 2, 1}, {z}};
  const Tensor w = ones_of({2, 3, 4}, f32);
  c["histogram"] = {{x, 5}, {x, steps},  {x, 4, no, w, true}, {x, steps, no, w}, {i, 5},
                    {x, 0}, {x, counts}, {x, 4, no, steps},   {x, steps, w},     {x, w}};
  using Edges = std::vector<Tensor>;
  const Tensor points = varied({2, 7, 2}, DType::float64, 4);
  const Tensor far = arange(-9, 12, 5, {.dtype = DType::float64});
  const Tensor masses = varied({2, 7}, DType::float64, 5);
  c["histogramdd"] = {{points, Dims{3, 5}},
                      {points, Edges{far, far.slice(0, 1)}, no, masses, true},
                      {points, 4, no, masses},
                      {x, Dims{2, 3, 1, 2}, no, no, true},
                      {ones_of({0, 3}, f32), 2},
                      {points, Dims{3}},
                      {points, Dims{3, 0}},
                      {points, Edges{far, steps}},
                      {points, Edges{far, masses}},
                      {points, 3, no, points},
                      {points, 3, no, masses.to(f32)},
                      {points, "auto"},
                      {steps, 3},
                      {counts.unsqueeze(0), 3}};
}

inline void add_sorting_long_calls(Calls& c) {
  const std::int64_t n = 150'003;
  const Tensor x = varied({n}, DType::float32, 5, true);
  const Tensor m = varied({389, 401}, DType::float32, 6, true);
  const Tensor wide = varied({n}, DType::float64, 7, true);
  const Tensor i = varied_indices({n}, 0, 700);
  const Tensor half = varied({401, 389}, DType::float16, 8, true).t();
  const Value no;
  c["sort"] = {{x, 0, true}, {m, 0}, {m, 1}, {wide, 0}, {i}, {half, 1}, {half, 0, true}};
  c["argsort"] = {{x}, {m, 0}, {varied({n}, DType::int8)}};
  c["msort"] = {{m}};
  c["topk"] = {{x, 900}, {m, 7, 0}, {m, 100, 1, false}, {wide, n / 2}};
  c["kthvalue"] = {{x, n / 3}, {m, 200, 0}, {i, 5}};
  c["median"] = {{x}, {m, 0}, {i}};
  c["nanmedian"] = {{x}, {m, 1}, {wide}};
  const Tensor q = (varied({9}, DType::float64, 3) + 16) / 32;
  c["quantile"] = {{varied({389, 401}, DType::float32, 9), q, 0}, {m, 0.25, 1}};
  c["nanquantile"] = {{m, q, 1}, {wide, 0.3, no, false, "midpoint"}, {half, q, 0}};
  c["mode"] = {{x}, {m, 0}, {i}};
  c["unique"] = {{x, true, true, true}, {m.to(DType::int8), true, true, true, 1}, {i}};
  c["unique_consecutive"] = {{floor_divide(i, 300), true, true}, {m}};
  c["unique_all"] = {{x}};
  c["unique_counts"] = {{i}};
  c["unique_inverse"] = {{wide}};
  c["unique_values"] = {{m}};
  const Tensor sequence = arange(-16, 16, 0.1, {.dtype = DType::float32});
  c["searchsorted"] = {{sequence, x}, {sequence, m, true, true}};
  c["bucketize"] = {{m, sequence}};
  c["isin"] = {{i, i.slice(0, 0, 50)}, {x, sequence}};
  c["bincount"] = {{i}, {i, wide}, {floor_divide(i, 650), varied({n}, DType::float32, 11)}};
  c["histc"] = {{x, 77, -10, 10}, {i, 100}};
  c["histogram"] = {{varied({n}, DType::float32, 12), 50},
                    {x, sequence, no, varied({n}, DType::float32, 13)}};
  const Tensor cloud = varied({n / 3, 3}, DType::float32, 14);
  c["histogramdd"] = {{cloud, Dims{7, 90, 11}},
                      {varied({700, 300, 2}, DType::float64, 15),
                       std::vector<Tensor>{arange(-10, 10, 0.5, {.dtype = DType::float64}),
                                           arange(-17, 17, 3, {.dtype = DType::float64})},
                       no, varied({700, 300}, DType::float64, 16), true}};
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view). A
/// sort is one that makes keys and one that gathers, besides CUB's.
inline void add_sorting_launches(Launches& known) {
  for (const char* name : {"sort", "argsort", "msort", "topk", "kthvalue", "median", "nanmedian"}) {
    known[name] = 2;
  }
  known["quantile"] = known["nanquantile"] = 4;  // q, sort, result
  known["mode"] = 5;                             // sort, lengths, the longest, result
  // sort, heads, places, values
  for (const char* name :
       {"unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"}) {
    known[name] = 5;
  }
  known["unique_consecutive"] = 3;
  known["isin"] = 3;       // sort, search
  known["bincount"] = 6;   // least and greatest into one tensor, zeros, counts
  known["histc"] = 3;      // zeros, counts, cast
  known["histogram"] = 9;  // the elements' range, edges, zeros, counts, cast
  // Along two dimensions a row of coordinates, their range, edges and bins; cells; counts as above.
  known["histogramdd"] = 19;
}

}  // namespace tandem::test
