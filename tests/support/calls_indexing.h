// lint: oracle table. Calls of the rows of indexing.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

namespace indexing_calls {

using Tensors = std::vector<Tensor>;

/// Arguments of a row and of its in-place twin.
inline void both(Calls& c, const std::string& name, const std::vector<Args>& calls) {
  c[name] = calls;
  // The twin writes to its first argument.
  for (const Args& args : calls) {
    Args own = args;
    own[0] = args[0].as<Tensor>().clone();
    c[name + "_"].push_back(own);
  }
}

inline void add_reads(Calls& c) {
  const Tensor x = varied({2, 3, 4}, DType::float32);
  Tensor named = x.clone();
  named.rename_({"n", "h", "c"});
  const Tensor i2 = varied_indices({2}, -2, 2);
  const Tensor i3 = varied_indices({5, 2}, -3, 3);
  c["index"] = {{x, Tensors{i2, i3}},
                {named, Tensors{i3.clamp(-2, 1)}},
                {named, Tensors{Tensor(), i3}},
                {x, Tensors{i2, Tensor(), i2}},
                {x, Tensors{i2.to(DType::int32), varied_indices({3}, 0, 3)}},
                {x, Tensors{x}},
                {x, Tensors{i2, i2, i2, i2}}};
  c["index_select"] = {{x, 1, i2},
                       {named, "c", i2},
                       {named, 0, i2.to(DType::uint8)},
                       {x, 1, i3},
                       {x, 5, i2},
                       {x, 1, x},
                       {x.select(0, 0).select(0, 0).select(0, 0), 0, varied_indices({1}, 0, 1)}};
  const Tensor g = varied_indices({2, 5, 4}, -3, 3);
  c["gather"] = {{x, 1, g}, {named, "h", g}, {x, 0, g}, {x, 1, i2}, {x, 1, x}};
  c["take"] = {{x, i3}, {named, i3}, {named, i2, 1}, {x, x}};
  c["take_along_dim"] = {{x, varied_indices({1, 5, 4}, -3, 3), 1}, {named, i3}, {x, i3, 1}};
}

inline void add_masks(Calls& c) {
  const Tensor x = varied({2, 3, 4}, DType::float32);
  Tensor named = x.clone();
  named.rename_({"n", "h", "c"});
  const Tensor mask = gt(x, 0);
  const Tensor row = gt(varied({4}, DType::float32, 5), 0);
  c["masked_select"] = {{x, mask}, {named, row}, {x, x}, {x, ones_of({7}, DType::bool_)}};
  c["nonzero"] = {{x}, {mask}, {ones_of({}, DType::float32)}};
  c["argwhere"] = {{x}, {mask}};
  c["nonzero_static"] = {{x, 7}, {x, 100, 5}, {mask, 3}, {x, -1}};
  both(c, "masked_fill",
       {{x, mask, 2.5},
        {named, row, 1},
        {x, row, ones_of({}, DType::float32)},
        {x, x, 1},
        {x, mask, ones_of({2}, DType::float32)},
        {x.to(DType::uint8), mask, 300},
        {row.unsqueeze(0).to(DType::int32), mask, 1}});
  both(c, "masked_scatter",
       {{x, mask, varied({24}, DType::float32, 3)},
        {named, row, varied({24}, DType::float32, 4)},
        {x, mask, varied({24}, DType::int32, 3)}});
}

inline void add_slices(Calls& c) {
  const Tensor x = varied({2, 3, 4}, DType::float32);
  Tensor named = x.clone();
  named.rename_({"n", "h", "c"});
  const Tensor i = varied_indices({5}, -3, 3);
  const Tensor v = varied({2, 5, 4}, DType::float32, 9);
  const Tensor wrong = varied({2, 4, 4}, DType::float32, 9);
  both(c, "index_add",
       {{x, 1, i, v},
        {named, "h", i, v, 2},
        {x, 1, i, wrong},
        {x, 1, i, v.to(DType::int32)},
        {x.to(DType::int32), 1, i, v.to(DType::int32), 1.5}});
  both(c, "index_copy", {{x, 1, i, v}, {named, "h", i, v}, {x, 1, i, wrong}});
  both(c, "index_fill",
       {{x, 1, i, 3}, {named, "h", i, ones_of({}, DType::float32)}, {x, 1, i, v}, {x, 1, v, 3}});
  both(c, "index_reduce",
       {{x, 1, i, v, "mean"}, {named, "h", i, v, "amax", false}, {x, 1, i, v, "sum"}});
}

inline void add_scatters(Calls& c) {
  const Tensor x = varied({2, 3, 4}, DType::float32);
  Tensor named = x.clone();
  named.rename_({"n", "h", "c"});
  const Tensor i = varied_indices({2, 5, 4}, -3, 3);
  const Tensor v = varied({2, 6, 4}, DType::float32, 9);
  both(c, "scatter",
       {{x, 1, i, v},
        {named, "h", i, 2},
        {x, 1, i, v, "add"},
        {x, 1, i, v, "multiply"},
        {x, 1, i, v, "sum"},
        {x, 2, i, v}});
  both(c, "scatter_add", {{x, 1, i, v}, {named, "h", i, v}, {x, 1, i, v.to(DType::float64)}});
  both(c, "scatter_reduce",
       {{x, 1, i, v, "sum"},
        {named, "h", i, v, "prod", false},
        {x, 1, i, v, "mean"},
        {x, 1, i, v, "amin"},
        {x, 1, i, v, "median"}});
  const Tensor rows = varied_indices({4, 2}, -2, 2);
  both(c, "index_put",
       {{x, Tensors{rows, rows}, varied({4, 2, 4}, DType::float32, 2)},
        {x, Tensors{rows}, varied({2, 3, 4}, DType::float32, 2), true},
        {named, Tensors{rows}, ones_of({}, DType::float32)},
        {x, Tensors{rows}, varied({5}, DType::float32, 2)},
        {x, Tensors{rows}, ones_of({}, DType::int32)}});
  both(c, "put",
       {{x, rows, varied({8}, DType::float32, 2)},
        {named, rows, varied({2, 4}, DType::float32, 2), true},
        {x, rows, varied({7}, DType::float32, 2)}});
}

}  // namespace indexing_calls

inline void add_indexing_calls(Calls& c) {
  indexing_calls::add_reads(c);
  indexing_calls::add_masks(c);
  indexing_calls::add_slices(c);
  indexing_calls::add_scatters(c);
}

inline void add_indexing_long_calls(Calls& c) {
  using indexing_calls::both;
  using indexing_calls::Tensors;
  const Tensor x = varied({400, 500}, DType::float32, 1, true);
  const Tensor half = varied({400, 500}, DType::float16, 2);
  const Tensor many = varied_indices({200000}, -400, 400);
  const Tensor rows = varied_indices({700}, -400, 400, 2);
  const Tensor along = varied_indices({600, 500}, -400, 400, 3);
  const Tensor across = varied_indices({400, 600}, -500, 500, 4);
  const Tensor source = varied({600, 500}, DType::float32, 5);
  const Tensor wide = varied({400, 600}, DType::float32, 6);
  c["index"] = {{x, Tensors{many, varied_indices({200000}, -500, 500)}},
                {x.t(), Tensors{Tensor(), rows}},
                {half, Tensors{rows}},
                {x, Tensors{gt(x, 0)}}};
  c["index_select"] = {{x, 0, rows}, {x, 1, rows}, {x.t(), 0, varied_indices({900}, 0, 500)}};
  c["gather"] = {{x, 0, along}, {x, 1, across}, {half, 0, along}};
  c["take"] = {{x, varied_indices({300000}, -200000, 200000)}};
  c["take_along_dim"] = {{x, across, 1}};
  c["masked_select"] = {{x, gt(x, 0)}, {half, gt(varied({500}, DType::float32, 8), 0)}};
  c["nonzero"] = {{x}, {gt(varied({60, 70, 80}, DType::float32, 9), 10)}};
  c["argwhere"] = {{half}};
  c["nonzero_static"] = {{x, 150000}, {x, 250000, -7}};
  both(c, "masked_fill", {{x, gt(x, 0), 1.5}});
  both(c, "masked_scatter", {{x, gt(x, 0), varied({200000}, DType::float32, 10)}});
  both(c, "index_add",
       {{x, 0, rows, varied({700, 500}, DType::float32, 11), 0.5},
        {half, 0, rows, varied({700, 500}, DType::float16, 11)},
        {varied({50}, DType::float32), 0, varied_indices({200000}, 0, 50),
         varied({200000}, DType::float32, 12)}});
  both(c, "index_copy", {{x, 0, rows, varied({700, 500}, DType::float32, 11)}});
  both(c, "index_fill", {{x, 1, varied_indices({300}, 0, 500), 4}});
  both(c, "index_reduce",
       {{x, 0, rows, varied({700, 500}, DType::float32, 11), "prod"},
        {half, 0, rows, varied({700, 500}, DType::float16, 11), "mean", false}});
  both(c, "scatter", {{x, 0, along, source}, {x, 1, across, wide}, {x, 1, across, 3}});
  both(c, "scatter_add",
       {{x, 0, along, source},
        {x, 1, across, wide},
        {half, 0, along, source.to(DType::float16)},
        {varied({50}, DType::bfloat16), 0, varied_indices({200000}, 0, 50),
         varied({200000}, DType::bfloat16, 12)}});
  both(c, "scatter_reduce",
       {{x, 0, along, source, "mean"},
        {x, 1, across, wide, "amax", false},
        {x, 1, across, wide, "sum", false},
        {x.to(DType::int16), 0, along, source.to(DType::int16), "mean"}});
  both(c, "index_put",
       {{x, Tensors{many, varied_indices({200000}, -500, 500)},
         varied({200000}, DType::float32, 13)},
        {x, Tensors{many, varied_indices({200000}, -500, 500)},
         varied({200000}, DType::float32, 13), true}});
  both(c, "put",
       {{x, varied_indices({200000}, -1000, 1000), varied({200000}, DType::float32, 13)},
        {half, varied_indices({200000}, -1000, 1000), varied({200000}, DType::float16, 13), true}});
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_indexing_launches(Launches& known) {
  known["index"] = 3;           // places an array, the read
  known["masked_select"] = 3;   // count, scan, select
  known["nonzero"] = 4;         // not 0, count, scan, coordinates
  known["argwhere"] = 4;        // the same
  known["nonzero_static"] = 5;  // and the fill
  known["masked_scatter"] = 4;  // a copy of x, count, scan, scatter
  known["masked_scatter_"] = 3;
  known["index_put"] = 4;  // a copy of x, places of two arrays, the write; the sort is CUB's
  known["index_put_"] = 3;
  for (const char* name : {"index_add", "index_copy", "index_fill", "index_reduce", "scatter",
                           "scatter_add", "scatter_reduce", "put"}) {
    known[name] = 3;
    known[std::string(name) + "_"] = 2;
  }
}

}  // namespace tandem::test
