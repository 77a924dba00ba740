// lint: oracle table. Calls of the rows of movement.def and of movement.h's views: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

/// x is 2 x 3 x 4 with names, m is 3 x 5, v is 5 long; all of varied data.
inline void add_movement_views(Calls& c) {
  Tensor x = varied({2, 3, 4}, DType::float32, 1);
  x.rename_({"n", "h", "c"});
  const Tensor m = varied({3, 5}, DType::int16, 2);
  const Tensor v = varied({5}, DType::float64, 3);
  const Tensor s = varied({}, DType::float64, 4);
  const std::vector<Tensor> mixed{m, v.unsqueeze(1).slice(0, 0, 3), s};
  c["flip"] = {{x, 1}, {x}, {x, Strings{"n", "c"}}, {x, Dims{1, 1}}, {x, 3}, {s}};
  c["fliplr"] = {{x}, {v}};
  c["flipud"] = {{x}, {v}, {s}};
  c["rot90"] = {{x},
                {x, 2, Dims{1, 2}},
                {x, -1, Strings{"c", "n"}},
                {x, 1, Dims{1, 1}},
                {x, 1, Dims{0, 1, 2}},
                {v}};
  c["tensor_split"] = {{x, 3, 2}, {x, Dims{1, -1, 7}, "c"}, {x, 0, 1}, {s, 2}, {x, 5, 3}};
  c["hsplit"] = {{x, 3}, {x, 2}, {v, Dims{2, 4}}, {s, 1}};
  c["vsplit"] = {{x, 2}, {x, Dims{1}}, {x, 3}, {v, 1}};
  c["dsplit"] = {{x, 2}, {x, 3}, {m, 1}};
  c["split_with_sizes"] = {{x, Dims{1, 2}, 1}, {x, Dims{1, 1}, 1}};
  c["broadcast_tensors"] = {
      {std::vector<Tensor>{x, varied({3, 1}, DType::int8)}}, {mixed}, {std::vector<Tensor>{x, m}}};
  c["atleast_1d"] = {{std::vector<Tensor>{s}}, {mixed}, {std::vector<Tensor>{x}}};
  c["atleast_2d"] = {{std::vector<Tensor>{v}}, {mixed}, {std::vector<Tensor>{x}}};
  c["atleast_3d"] = {{std::vector<Tensor>{m}}, {mixed}, {std::vector<Tensor>{x}}};
  c["meshgrid"] = {{std::vector<Tensor>{v, v, s}},
                   {std::vector<Tensor>{v, s, v}, "xy"},
                   {std::vector<Tensor>{v}, "xyz"},
                   {std::vector<Tensor>{v, varied({2}, DType::int8)}},
                   {std::vector<Tensor>{x}}};
  c["matrix_transpose"] = {{x}, {v}};
  c["adjoint"] = {{x}, {varied({2, 3}, DType::complex64)}, {v}};
  c["expand_dims"] = {{x}, {x, -1}, {x, 5}};
}

inline void add_movement_copies(Calls& c) {
  Tensor x = varied({2, 3, 4}, DType::float32, 1);
  x.rename_({"n", "h", "c"});
  const Tensor m = varied({3, 5}, DType::int16, 2);
  const Tensor v = varied({5}, DType::float64, 3);
  const Tensor s = varied({}, DType::float64, 4);
  c["roll"] = {{x, 2},
               {x, Dims{1, -7}, Strings{"c", "n"}},
               {x, Dims{1, 2}, Dims{1, 1}},
               {m.t(), 1, 0},
               {x, Dims{1, 2}, 0},
               {x, 1, 3},
               {s, 3, 0}};
  c["repeat"] = {{x, Dims{2, 1, 3}},  {m.t(), Dims{2, 1, 2}}, {x, Dims{2, 2}},
                 {x, Dims{1, -1, 1}}, {s, Dims{3, 2}},        {x, Dims{0, 1, 1}}};
  c["tile"] = {{x, 2}, {m.t(), Dims{2, 3, 1}}, {s, 2}, {x, -1}};
  c["repeat_interleave"] = {{x, 3, "h"}, {x, 2}, {m.t(), 2, -1}, {x, -1}, {x, 2, 5}, {x, "a"}};
  c["tril"] = {{x}, {m.t(), -1}, {m, 9}, {v}};
  c["triu"] = {{x}, {m.t(), 2}, {m, -9}, {v}};
  c["diag"] = {{v}, {m}, {m, -2}, {v, 3}, {x}};
  c["diag_embed"] = {{x}, {x, 1, 0, 2}, {x, 0, 1, 1}, {s}};
  c["diagflat"] = {{m}, {s, -1}};
  c["pad"] = {{x, Dims{1, 2}},
              {x, Dims{1, -1, 0, 2}, "constant", 7.5},
              {x, Dims{3, 2, 2, 1}, "reflect"},
              {x, Dims{5, 0, 0, 0, 1, 1}, "replicate"},
              {m.t(), Dims{3, -1}, "circular"},
              {x, Dims{4, 0}, "reflect"},
              {x, Dims{1}},
              {v, Dims{1, 1, 1, 1}},
              {x, Dims{1, 1}, "mirror"},
              {m, Dims{1, 1}, "constant", 1e9},
              {m, Dims{1, 1}, "circular", 1},
              {v, Dims{-3, -3}}};
  c["narrow_copy"] = {{x, "h", 1, 2}, {x, 1, 2, 2}};
  c["select_scatter"] = {{x, varied({2, 4}, DType::int32), "h", 1}, {x, m, 1, 1}, {x, m, 1, 4}};
  c["slice_scatter"] = {{x, varied({2, 2, 4}, DType::float32, 9), 1, 0, 3, 2}, {x, x, 1, 1}};
  c["diagonal_scatter"] = {{x, varied({4, 2}, DType::float32), 0, 0, 1}, {x, v}};
  c["vander"] = {{v, 4}, {m.select(0, 0)}, {v, 3, true}, {v, -1}, {m}};
}

inline void add_movement_joins(Calls& c) {
  const Tensor m = varied({3, 5}, DType::int16, 2);
  const Tensor v = varied({5}, DType::float64, 3);
  const Tensor s = varied({}, DType::float64, 4);
  const std::vector<Tensor> vectors{v, v.slice(0, 1, 4)};
  c["hstack"] = {{std::vector<Tensor>{m, m.slice(1, 1, 3)}},
                 {vectors},
                 {std::vector<Tensor>{s, v}},
                 {std::vector<Tensor>{v, m}}};
  c["vstack"] = {{std::vector<Tensor>{m, v}}, {std::vector<Tensor>{v, s}}};
  c["dstack"] = {{std::vector<Tensor>{m, m}}, {std::vector<Tensor>{v, v}}};
  c["column_stack"] = {{std::vector<Tensor>{v, m.t(), v}}, {std::vector<Tensor>{s, s}}, {vectors}};
  c["block_diag"] = {{std::vector<Tensor>{m, v, s}}, {std::vector<Tensor>{m.unsqueeze(0)}}};
  c["cartesian_prod"] = {{vectors},
                         {std::vector<Tensor>{v}},
                         {std::vector<Tensor>{m, v}},
                         {std::vector<Tensor>{v, m.select(0, 0)}}};
  c["combinations"] = {{v, 3}, {v, 2, true}, {v, 6}, {v, 0}, {v, -1}, {m, 2}};
}

inline void add_difference_calls(Calls& c) {
  Tensor x = varied({2, 3, 4}, DType::float32, 1);
  x.rename_({"n", "h", "c"});
  const Tensor m = varied({3, 5}, DType::float64, 2);
  const Tensor v = varied({5}, DType::float64, 3);
  const Tensor f = varied_indices({5}, 1, 4, 3);
  const Tensor s = varied({}, DType::float64, 4);
  c["diff"] = {{x},
               {x, 2, "h"},
               {m, 7},
               {m, 1, 0, m, m.slice(0, 0, 1)},
               {m, 1, 0, v},
               {m, -1},
               {m.to(DType::bool_), 1, 0},
               {s},
               {m, 0}};
  c["gradient"] = {{x},
                   {m, 2.0, 1, 2},
                   {m, std::vector<Tensor>{v.slice(0, 0, 3), v}},
                   {m, std::vector<Tensor>{v, v}},
                   {x, 1, 0, 2},
                   {m, 1, 0, 3},
                   {m.to(DType::int8)}};
  c["cumulative_trapezoid"] = {{x}, {m, v}, {m, Value(), 0.5, 0}, {x, v}, {m, v, 2.0}, {s}};
  c["trapezoid"] = {{x}, {m, v}, {m, Value(), 0.5, 0}, {x, v}, {m, v, 2.0}, {s}};
  c["cov"] = {{m},       {v},
              {m, 0, f}, {m, 1, f, abs(v)},
              {m, 1, v}, {m.to(DType::int32)},
              {x},       {varied({2, 4}, DType::complex128)}};
  c["corrcoef"] = {{m}, {v}, {x}};
  c["cross"] = {{x.slice(2, 0, 3), x.slice(0, 0, 1).slice(2, 1, 4), -1},
                {x, x},
                {m, x},
                {m.t().slice(1, 0, 3), m.t()},
                {m, m, 1}};
}

inline void add_product_calls(Calls& c) {
  Tensor x = varied({2, 3, 4}, DType::float32, 1);
  x.rename_({"n", "h", "c"});
  const Tensor y = varied({2, 4, 3}, DType::float32, 2);
  const Tensor m = varied({3, 5}, DType::float64, 2);
  const Tensor v = varied({5}, DType::float64, 3);
  const Tensor i = varied({5, 3}, DType::int64, 5);
  const Tensor z = varied({5}, DType::complex128, 6);
  c["mm"] = {{m, m.t()}, {m, m}, {m, v}, {m, i}, {i, i.t()}};
  c["mv"] = {{m, v}, {m.t(), v}, {v, v}};
  c["bmm"] = {{x, y}, {x, x}, {x, y.slice(0, 0, 1)}, {m, m}};
  c["dot"] = {{v, v}, {v, v.slice(0, 1)}, {m, v}};
  c["vdot"] = {{v, v}, {z, z}, {v, z}};
  c["vecdot"] = {
      {x, y.transpose(1, 2), "c"}, {m, v}, {z, v}, {m, v, 0}, {v, varied({4}, DType::int8)}};
  c["outer"] = {{v, varied({3}, DType::int8)}, {m, v}};
  c["inner"] = {{m, m}, {v, m}, {m, varied({}, DType::int8)}, {m, m.t()}};
  c["kron"] = {{m, m.t()}, {v, x}, {varied({}, DType::int8), v}};
  c["tensordot"] = {{m, i, 1},      {x, y, Dims{0, 2, 0, 1}}, {x, y, 0},
                    {x, y, 4},      {x, y, Dims{0, 0, 0, 1}}, {x, y, Dims{1, 1}},
                    {x, y, Dims{1}}};
  const Tensor square = varied({3, 3}, DType::float64, 7);
  c["addmm"] = {{square, m, m.t()}, {v.slice(0, 0, 3), m, m.t(), 0.5, 2.0}, {v, m, m.t()},
                {v, m, m},          {v.slice(0, 0, 3), m, m.t(), 0},        {i, i, i.t(), 2.5}};
  c["addmv"] = {{v.slice(0, 0, 3), m, v}, {v, m, v}, {v, m, m}};
  c["baddbmm"] = {{varied({3}, DType::float32), x, y}, {x, x, y}, {m, m, m}};
  c["addbmm"] = {{varied({3}, DType::float32), x, y, 2}, {x, x, y}, {m, m, m}};
  c["addr"] = {{m, v.slice(0, 0, 3), v, 2}, {v, v, m}, {m.t(), v, v.slice(0, 1, 4), 0, 3}};
  c["linear"] = {
      {m, m},   {m, m, v.slice(0, 0, 3)}, {x, y.select(0, 0).t(), v}, {v, m}, {m, v, m}, {m, m, m},
      {m, i, v}};
  const Tensor b = varied({3, 5}, DType::int8, 7);
  c["int_mm"] = {{b, b.t()}, {b.to(DType::uint8), b.to(DType::uint8).t()}, {b, b}, {b, i}, {i, i}};
  c["linalg_multi_dot"] = {
      {std::vector<Tensor>{m, m.t(), m}}, {std::vector<Tensor>{v, m.t(), m, v}},
      {std::vector<Tensor>{m}},           {std::vector<Tensor>{m, m}},
      {std::vector<Tensor>{m, v, m}},     {std::vector<Tensor>{m, i}}};
  const Tensor squares = varied({2, 3, 3}, DType::float64, 8);
  c["linalg_matrix_power"] = {{squares, 3}, {squares, 0}, {squares, 1}, {m, 2}, {i, 0}};
  c["chain_matmul"] = {{std::vector<Tensor>{m, m.t(), m}},
                       {std::vector<Tensor>{m}},
                       {std::vector<Tensor>{m, m}},
                       {std::vector<Tensor>{v}}};
}

inline void add_movement_calls(Calls& c) {
  add_movement_views(c);
  add_movement_copies(c);
  add_movement_joins(c);
  add_difference_calls(c);
  add_product_calls(c);
}

inline void add_product_long_calls(Calls& c);

inline void add_movement_long_calls(Calls& c) {
  add_product_long_calls(c);
  const Tensor x = varied({3, 251, 401}, DType::float32, 5, true);
  const Tensor m = varied({509, 613}, DType::int8, 6);
  const Tensor v = varied({1201}, DType::float64, 7, true);
  const Tensor z = varied({211, 307}, DType::complex128, 8);
  const Tensor h = varied({701, 503}, DType::float16, 9, true);
  c["roll"] = {{x, Dims{100, -3}, Dims{2, 0}}, {m.t(), 12345}, {z, 5, 1}};
  c["repeat"] = {{m, Dims{2, 3}}, {h.t(), Dims{2, 1}}};
  c["tile"] = {{z, 3}, {x, Dims{2, 1, 1, 2}}};
  c["repeat_interleave"] = {{x, 2, 1},
                            {m.t(), 3},
                            {z, varied_indices({307}, 0, 5, 3), 1},
                            {h, varied_indices({701}, 0, 4, 4), 0},
                            {x, varied_indices({3}, 1, 3), 0}};
  c["tril"] = {{x, 20}, {m, -5}, {h.t()}, {z, 30}};
  c["triu"] = {{x, -20}, {m.t(), 5}, {h}, {z, -30}};
  c["diag"] = {{v, 2}};
  c["diag_embed"] = {{h, -1, 0, 2}};
  c["diagflat"] = {{v, -7}};
  c["pad"] = {{x, Dims{3, 4, 5, 6}, "constant", 2.5},
              {m, Dims{7, 500, 30, 2}, "reflect"},
              {z.t(), Dims{100, 2, 3, 4}, "replicate"},
              {h, Dims{503, 1, 0, 701}, "circular"}};
  c["narrow_copy"] = {{x, 2, 3, 300}};
  c["select_scatter"] = {{x, x.select(0, 1), 0, 2}};
  c["slice_scatter"] = {{m, m.slice(1, 0, 100), 1, 3, 600, 6}};
  c["diagonal_scatter"] = {{m, varied({509}, DType::int32), 3}};
  c["vander"] = {{v, 150}};
  c["adjoint"] = {{z}};
  c["hstack"] = {{std::vector<Tensor>{m, m.slice(1, 5, 90)}}};
  c["vstack"] = {{std::vector<Tensor>{h, h.slice(0, 1, 50)}}};
  c["dstack"] = {{std::vector<Tensor>{m, m, m}}};
  c["column_stack"] = {{std::vector<Tensor>{m, varied({509}, DType::int64), m}}};
  c["block_diag"] = {{std::vector<Tensor>{z, v, m}}};
  c["cartesian_prod"] = {{std::vector<Tensor>{v, v.slice(0, 0, 150)}}};
  c["combinations"] = {{v, 2}, {v.slice(0, 0, 100), 3, true}};
}

inline void add_product_long_calls(Calls& c) {
  const Tensor m = varied({401, 503}, DType::float32, 6);
  const Tensor z = varied({307, 511}, DType::complex64, 8);
  const Tensor v = varied({1201}, DType::float64, 7);
  const Tensor small = varied({60, 90}, DType::float32, 3);
  const Tensor batch = varied({9, 60, 70}, DType::float32, 4);
  c["diff"] = {{m, 2, 0}, {z}};
  c["gradient"] = {{m, 0.5, Value(), 2}, {m, std::vector<Tensor>{arange(503)}, 1}};
  c["trapezoid"] = {{m, Value(), 0.5, 0}, {z}};
  c["cumulative_trapezoid"] = {{m, Value(), 0.5, 0}, {z}};
  c["cov"] = {{m}};
  c["corrcoef"] = {{m}};
  c["cross"] = {{varied({3, 50, 1201}, DType::float32), varied({3, 1, 1201}, DType::float64), 0}};
  c["mm"] = {{m, m.t()}};
  c["mv"] = {{m, m.select(0, 3)}};
  c["bmm"] = {{batch, batch.transpose(1, 2)}};
  c["dot"] = {{varied({200001}, DType::float64), varied({200001}, DType::float64, 2)}};
  c["vdot"] = {{varied({200001}, DType::complex64), varied({200001}, DType::complex64, 2)}};
  c["vecdot"] = {{z, z.select(0, 1)}, {m, m, 0}};
  c["outer"] = {{v, v}};
  c["inner"] = {{m, m}};
  c["kron"] = {{small, varied({7, 8}, DType::int8)}};
  c["tensordot"] = {{batch, batch, Dims{0, 2, 0, 2}}};
  c["addmm"] = {{m, m, varied({503, 503}, DType::float32), 0.5, 2}};
  c["addmv"] = {{m.select(1, 0), m, m.select(0, 3)}};
  c["baddbmm"] = {{varied({60}, DType::float32), batch, batch.transpose(1, 2)}};
  c["addbmm"] = {{varied({60}, DType::float32), batch, batch.transpose(1, 2)}};
  c["addr"] = {{m, m.select(1, 1), m.select(0, 1), 2, 3}};
  c["chain_matmul"] = {{std::vector<Tensor>{m, m.t(), m}}};
  c["linalg_multi_dot"] = {{std::vector<Tensor>{m, m.t(), m}}};
  c["linear"] = {{m, m, varied({401}, DType::float32)}};
  c["int_mm"] = {{varied({130, 250}, DType::int8), varied({250, 140}, DType::int8)}};
  c["linalg_matrix_power"] = {{varied({3, 130, 130}, DType::float64), 3}};
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_movement_launches(Launches& known) {
  known["adjoint"] = 0;  // of a real tensor
  known["hstack"] = known["vstack"] = known["dstack"] = 2;
  known["column_stack"] = 3;
  known["block_diag"] = 4;  // zeros, and one an input
  known["cartesian_prod"] = 2;
  known["diag"] = known["diag_embed"] = known["diagflat"] = 2;
  known["select_scatter"] = known["slice_scatter"] = known["diagonal_scatter"] = 2;
  known["vander"] = 4;     // one a column
  known["gradient"] = 16;  // two for the middle and two for each end, along 2, 3 and 4 elements
  known["cumulative_trapezoid"] = 3;
  known["trapezoid"] = 3;  // sums of neighbours, their sum, times half a step
  known["cov"] = 4;        // mean, differences, product, division
  known["corrcoef"] = 8;   // cov, deviations, two divisions, limits
  known["cross"] = 9;      // two products and a difference a component
  known["addmm"] = known["addmv"] = known["baddbmm"] = 2;
  known["addbmm"] = 4;     // a copy of the batch, product, times beta, sum
  known["tensordot"] = 2;  // a cast, product
  known["addr"] = 3;
  known["chain_matmul"] = known["linalg_multi_dot"] = known["linalg_matrix_power"] = 2;
}

}  // namespace tandem::test
