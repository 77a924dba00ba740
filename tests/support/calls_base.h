// lint: oracle table. Long calls of the rows of irregular.def, product.def and view.def: see
// row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_base_long_calls(Calls& c) {
  const Tensor f = varied({401, 407}, DType::float32, 1, true);
  const Tensor d = varied({401, 407}, DType::float64, 2);
  const Tensor h = varied({401, 407}, DType::bfloat16, 3);
  const Tensor i = varied({407, 401}, DType::int32, 4);
  const Tensor z = varied({201, 407}, DType::complex64, 5);
  const Tensor cube = varied({7, 150, 160}, DType::float32, 6);
  c["copy_"] = {{f.clone(), d}, {f.clone(), i.t()}, {z.clone(), varied({407}, DType::float32)}};
  for (const char* extreme : {"max", "min", "argmax", "argmin"}) {
    c[extreme] = {{f}, {f, 0}, {f, 1}, {i.t(), 1}, {cube, 1, true}, {h, 0}};
  }
  for (const char* spread : {"var", "std"}) {
    c[spread] = {{d}, {d, 0}, {d.t(), 0}, {cube, Dims{0, 2}, 0}, {z, 1}, {h, 1}};
  }
  for (const char* softmax : {"softmax", "log_softmax"}) {
    c[softmax] = {{d, 0}, {d, 1}, {cube, 1}, {h, 1}, {d.to(DType::float32).t(), 0}};
  }
  c["cat"] = {{std::vector<Tensor>{f, d, h}}, {std::vector<Tensor>{f, i.t(), f}, 1}};
  c["stack"] = {{std::vector<Tensor>{f, i.t(), d}, 2}, {std::vector<Tensor>{h, h}}};
  // Integers by kernels of Tandem's own: every bit counts.
  const Tensor m = varied({401, 130}, DType::int32, 7);
  const Tensor n = varied({130, 407}, DType::int32, 8);
  c["matmul"] = {{m, n},
                 {n.t(), m.t()},
                 {m.to(DType::uint8), n.to(DType::uint8)},
                 {m.to(DType::float32), n.to(DType::float32)},
                 {cube, varied({160, 150}, DType::float32, 9)},
                 {varied({300, 700}, DType::float32, 12), varied({700}, DType::float32, 13)},
                 {varied({700}, DType::bfloat16, 14), varied({700, 300}, DType::bfloat16, 15)},
                 {varied({2, 40, 9000}, DType::float64, 16), varied({9000}, DType::float64, 17)}};
  c["einsum"] = {{"ij,jk->ik", std::vector<Tensor>{m, n}},
                 {"ij,ij->j", std::vector<Tensor>{d, d}},
                 {"bij->ji", std::vector<Tensor>{cube}},
                 {"ij,jk,ki->i", std::vector<Tensor>{m, n, i}},
                 {"bqhd,bkhd->bhqk", std::vector<Tensor>{varied({3, 96, 2, 64}, DType::int32, 10),
                                                         varied({3, 97, 2, 64}, DType::int32, 11)}},
                 {"[a b], [b c], [c a] -> [c]", std::vector<Tensor>{m, n, i}, "greedy", 1000}};
  c["einsum_path"] = {{"ij,jk,ki->i", std::vector<Tensor>{m, n, i}}};
  c["reshape"] = {{f.t(), Dims{407 * 401}}};
  c["flatten"] = {{i.t()}};
  c["contiguous"] = {{f.t()}, {z.t()}};
  c["clone"] = {{f.t()}, {cube.permute({2, 0, 1})}};
}

}  // namespace tandem::test
