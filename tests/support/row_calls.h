// lint: oracle table. Arguments for calls of the rows that no rule can give them to: those with a
// front-end of their own, and the generators.
#pragma once

#include "tests/support/call_data.h"
#include "tests/support/calls_base.h"
#include "tests/support/calls_fft.h"
#include "tests/support/calls_indexing.h"
#include "tests/support/calls_linalg.h"
#include "tests/support/calls_movement.h"
#include "tests/support/calls_pointwise.h"
#include "tests/support/calls_random.h"
#include "tests/support/calls_scan.h"
#include "tests/support/calls_signal.h"
#include "tests/support/calls_sorting.h"
#include "tests/support/calls_window.h"

namespace tandem::test {

/// A small call of a generator row.
inline Args generator_call(const OpRow& row, DType dtype, Device device) {
  const auto& params = schema_of(row).params;
  Args args(params.size());
  for (std::size_t k = 0; k < params.size(); ++k) {
    const std::string& p = params[k].name;
    if (p == "size") args[k] = Dims{2, 3};
    if (p == "fill_value" || p == "start") args[k] = Value(1);
    if (p == "end" || p == "steps" || p == "n" || p == "row" || p == "col") args[k] = Value(5);
    if (p == "dtype") args[k] = dtype;
    if (p == "device") args[k] = device;
  }
  return args;
}

/// Calls of the rows with a front-end of their own, one or more a row, of which the first succeeds;
/// some are in error. x is 2 x 3 x 4 with names, m is 3 x 3.
inline Calls irregular_calls() {
  const Tensor x = ones_of({2, 3, 4}, DType::float32, {"n", "h", "c"});
  const Tensor m = ones_of({3, 3}, DType::float32);
  const Tensor v = ones_of({3}, DType::float64);
  const std::vector<Tensor> three{m, m.to(DType::int32), v.unsqueeze(0)};
  Calls c;
  c["copy_"] = {{m, v}, {m, ones_of({4}, DType::int8)}};
  c["select"] = {{x, 1, 2}, {x, "h", -1}, {x, 1, 3}, {x, 7, 0}};
  c["slice"] = {{x, 1, 0, 3, 2}, {x, "c", Value(), Value(), -1}, {x, 0, 1, 9, 0}};
  c["narrow"] = {{x, 1, 1, 2}, {x, 1, 2, 2}};
  c["transpose"] = {{x, 0, -1}, {x, "n", "c"}, {x, 0, 3}};
  c["t"] = {{m}, {v}, {x}};
  c["permute"] = {{x, Dims{2, 0, 1}}, {x, Dims{0, 0, 1}}, {x, Dims{0, 1}}};
  c["movedim"] = {{x, 0, 2}, {x, Dims{0, 1}, Dims{1, 2}}, {x, Dims{0, 1}, Dims{1, 1}}};
  c["reshape"] = {{x, Dims{2, 12}}, {x, Dims{-1, 4}}, {x, Dims{5, -1}}, {m, Dims{9}}};
  c["view"] = {{x, Dims{6, 4}}, {x, Dims{-1}}, {x, Dims{7}}};
  c["flatten"] = {{x, 0, 1}, {x, 1, 2, "f"}, {x, 2, 1}};
  c["unflatten"] = {
      {x, 2, Dims{2, 2}}, {x, "c", Dims{2, -1}, Strings{"a", "b"}}, {x, 2, Dims{3, 3}}};
  c["squeeze"] = {{x.unsqueeze(1)}, {x.unsqueeze(1), 1}, {x, 0}};
  c["unsqueeze"] = {{x, 0}, {x, -1}, {x, 5}};
  c["expand"] = {{v, Dims{2, 3}}, {v, Dims{4}}, {x, Dims{5, -1, -1, -1}}};
  c["broadcast_to"] = {{v, Dims{2, 3}}, {v, Dims{2}}};
  c["diagonal"] = {{m}, {x, 1, 0, 2}, {v}};
  c["unfold"] = {{x, 2, 2, 1}, {x, 2, 5, 1}};
  c["split"] = {{x, 2, 1}, {x, Dims{1, 3}, 2}, {x, Dims{1, 1}, 2}};
  c["chunk"] = {{x, 3, 2}, {x, 0, 2}};
  c["unbind"] = {{x, 1}, {ones_of({}, DType::float32), 0}};
  c["as_strided"] = {{m, Dims{2, 2}, Dims{3, 1}}, {m, Dims{9, 9}, Dims{3, 1}}};
  c["contiguous"] = {{m}, {m.t()}};
  c["clone"] = {{x}, {m.t()}};
  c["cat"] = {{three}, {std::vector<Tensor>{m, m}, 1}, {std::vector<Tensor>{m, x}}};
  c["stack"] = {{std::vector<Tensor>{m, m.to(DType::float64)}, 1}, {std::vector<Tensor>{m, v}}};
  c["matmul"] = {{m, m}, {v.to(DType::float32), m}, {x, ones_of({4, 2}, DType::float32)}, {x, m}};
  c["einsum"] = {
      {"ij,jk->ik", std::vector<Tensor>{m, m}},
      {"...c->...", std::vector<Tensor>{x}},
      {"ij,jk", std::vector<Tensor>{m, x}},
      {"-> [c n]", std::vector<Tensor>{x}},
      {"[n h c], [c d] -> [d n]", std::vector<Tensor>{x, ones_of({4, 5}, DType::float32)}},
      {"ij,jk,kl", std::vector<Tensor>{m, m, m}, "(1, 2), (0, 1)"},
      {"ij,jk,kl", std::vector<Tensor>{m, m, m}, "slow"},
      {"ij,jk,kl", std::vector<Tensor>{m, m, m}, "greedy", 4},
      {"-> [c n]", std::vector<Tensor>{m}}};
  c["einsum_path"] = {{"ij,jk,kl", std::vector<Tensor>{m, m, m}},
                      {"-> [c n]", std::vector<Tensor>{x}},
                      {"ij,jk", std::vector<Tensor>{m, x}},
                      {"ij,jk", std::vector<Tensor>{m, m}, "optimal", -1}};
  add_indexing_calls(c);
  add_linalg_calls(c);
  add_movement_calls(c);
  add_scan_calls(c);
  add_fft_calls(c);
  add_sorting_calls(c);
  add_random_calls(c);
  add_pointwise_calls(c);
  add_window_calls(c);
  add_signal_calls(c);
  return c;
}

/// Calls that succeed and are long enough that several threads, blocks and tiles share the work;
/// for rows that are no views.
inline Calls long_calls() {
  Calls c;
  add_base_long_calls(c);
  add_indexing_long_calls(c);
  add_linalg_long_calls(c);
  add_movement_long_calls(c);
  add_scan_long_calls(c);
  add_fft_long_calls(c);
  add_sorting_long_calls(c);
  add_random_long_calls(c);
  add_pointwise_long_calls(c);
  add_window_long_calls(c);
  add_signal_long_calls(c);
  return c;
}

}  // namespace tandem::test
