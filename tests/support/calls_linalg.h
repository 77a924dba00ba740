// lint: oracle table. Calls of the rows of linalg.def: see row_calls.h. Matrices are such that
// every factorisation has a result: which one has none only the elements tell.
#pragma once

#include "tandem/op_table.h"
#include "tests/support/call_data.h"

namespace tandem::test {

/// A row that hands its work to LAPACK and cuSOLVER, but for small matrices: results are unique up
/// to signs and the order of sums at most, and residuals say whether they are right
/// (tests/host/linalg_test.cpp).
inline bool is_factorisation(const OpRow& row) {
#define TANDEM_FUNC(name, ...) \
  if (&row == &op::name) return (row.flags & kVendor) != 0;  // NOLINT
#include "tandem/ops/linalg.def"
#undef TANDEM_FUNC
  return false;
}

/// Diagonally dominant and Hermitian: definite.
inline Tensor definite(std::int64_t n, DType t, std::int64_t batch = 0) {
  const Dims shape = batch > 0 ? Dims{batch, n, n} : Dims{n, n};
  const Tensor m = is_complex(t) ? varied_complex(shape, t, 5) : varied(shape, t, 5);
  const Tensor sum = m + adjoint(m);
  return sum + eye(n, n, {.dtype = t}) * static_cast<double>(64 * n);
}

/// PyTorch's older names, and what reflectors and singular values make.
inline void add_linalg_form_calls(Calls& c) {
  const DType f32 = DType::float32;
  const Tensor d = definite(4, f32, 3).rename(Strings{"n", "h", "c"});
  const Tensor z = definite(3, DType::complex128);
  const Tensor m = varied({2, 5, 3}, DType::float64, 3).rename(Strings{"n", "h", "c"});
  const Tensor none = ones_of({2, 0, 0}, f32);
  const Tensor half = ones_of({3, 3}, DType::float16);
  const Tensor v = ones_of({3}, f32);
  const Tensor b = varied({3, 4, 2}, f32, 6).rename(Strings{"n", {}, "k"});
  const Tensor tau = varied({2, 3}, DType::float64, 2);
  const Tensor pivots = tandem::add(zeros({3, 4}, {.dtype = DType::int32}),
                                    tandem::arange(1, 5, 1, {.dtype = DType::int32}));
  for (const char* name : {"logdet", "linalg_matrix_sqrth"})
    c[name] = {{d}, {z}, {none}, {m}, {half}, {v}};
  for (const char* name : {"cholesky", "cholesky_inverse"})
    c[name] = {{d}, {z, true}, {none}, {m}, {half}, {v}};
  c["linalg_polar"] = {{m}, {z}, {adjoint(m)}, {none}, {half}, {v}};
  c["cholesky_solve"] = {{b, d}, {b, d, true}, {b, z}, {v, d}, {ones_of({2, 2}, f32), d}};
  c["qr"] = {{m}, {m, false}, {none}, {half}, {v}};
  c["svd"] = {{m}, {m, false}, {z, true, false}, {half}, {v}};
  c["pinverse"] = {{m}, {z, 0.5}, {half}, {v}};
  c["lu_solve"] = {{b, d, pivots}, {b, d, pivots.to(DType::int64)}, {v, d, pivots}};
  c["lu_unpack"] = {{d, pivots},
                    {d, pivots, false},
                    {d, pivots, true, false},
                    {d, pivots.to(DType::int64)},
                    {m, pivots}};
  c["geqrf"] = {{m}, {z}, {none}, {half}, {v}};
  c["linalg_householder_product"] = {{m, tau}, {m, tau.narrow(1, 0, 2)}, {m, tau.to(f32)},
                                     {m, v},   {adjoint(m), tau},        {none, v}};
  c["ormqr"] = {{m, tau, varied({2, 5, 4}, DType::float64, 3)},
                {m, tau, varied({2, 4, 5}, DType::float64, 3), false, true},
                {m, tau, b},
                {m, v, m}};
  c["triangular_solve"] = {{b, d}, {b, d, false, true, true}, {b, z}, {v, d}};
}

inline void add_linalg_calls(Calls& c) {
  const DType f32 = DType::float32;
  const Tensor d = definite(4, f32, 3).rename(Strings{"n", "h", "c"});
  const Tensor z = definite(3, DType::complex128);
  const Tensor m = varied({2, 5, 3}, DType::float64, 3).rename(Strings{"n", "h", "c"});
  const Tensor wide = varied({3, 5}, DType::complex64, 4);
  const Tensor none = ones_of({2, 0, 0}, f32);
  const Tensor half = ones_of({3, 3}, DType::float16);
  const Tensor whole = ones_of({3, 3}, DType::int32);
  const Tensor v = ones_of({3}, f32);
  const Value no;
  for (const char* name : {"linalg_cholesky", "linalg_cholesky_ex", "linalg_inv", "linalg_inv_ex",
                           "linalg_det", "linalg_slogdet", "linalg_matrix_exp"}) {
    c[name] = {{d}, {z}, {none}, {m}, {half}, {whole}, {v}};
  }
  for (const char* name : {"linalg_eigh", "linalg_eigvalsh"})
    c[name] = {{d}, {z, "U"}, {d, "X"}, {none}, {m}, {half}, {v}};
  for (const char* name : {"linalg_eig", "linalg_eigvals"})
    c[name] = {{d}, {z}, {none}, {m}, {half}, {v}};
  for (const char* name : {"linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex"})
    c[name] = {{d}, {m}, {wide}, {none}, {d, false}, {half}, {v}};
  c["linalg_qr"] = {{m}, {d}, {wide, "complete"}, {m, "r"}, {none}, {m, "q"}, {half}, {v}};
  c["linalg_svd"] = {{m}, {wide, false}, {none}, {half}, {v}, {m, true, "odd"}};
  c["linalg_svdvals"] = {{m}, {wide}, {none}, {half}, {v}};
  const Tensor b = varied({3, 4, 2}, f32, 6).rename(Strings{"n", {}, "k"});
  for (const char* name : {"linalg_solve", "linalg_solve_ex"}) {
    c[name] = {{d, b},
               {z, varied({3}, DType::complex128, 2)},
               {z, varied({2, 4, 3}, DType::complex128, 2), false},
               {none, ones_of({2, 0, 3}, f32)},
               {d, b.to(DType::float64)},
               {d, v},
               {d, ones_of({3, 2}, f32)},
               {d, ones_of({5, 4, 2}, f32)},
               {half, half}};
  }
  c["linalg_solve_triangular"] = {{d, b, true},
                                  {d, b, false, true, true},
                                  {z, varied({2, 3}, DType::complex128, 2), true, false},
                                  {none, ones_of({2, 0, 3}, f32), true},
                                  {d, ones_of({3, 2}, f32), true},
                                  {half, half, true}};
  const Tensor pivots = tandem::add(zeros({3, 4}, {.dtype = DType::int32}),
                                    tandem::arange(1, 5, 1, {.dtype = DType::int32}));
  c["linalg_lu_solve"] = {{d, pivots, b},
                          {d, pivots, ones_of({2, 4}, f32), false, true},
                          {d, pivots.to(DType::int64), b},
                          {d, pivots.slice(1, 0, 2), b},
                          {d, pivots, ones_of({3, 2}, f32)}};
  c["linalg_tensorsolve"] = {{definite(6, f32).view({2, 3, 6}), ones_of({2, 3}, f32)},
                             {definite(6, f32).view({2, 3, 6}), ones_of({3, 2}, f32)},
                             {d, b}};
  c["linalg_tensorinv"] = {{definite(6, f32).view({2, 3, 6})}, {d, 1}, {d, 4}};
  c["linalg_lstsq"] = {{m, ones_of({2, 5, 2}, DType::float64)},
                       {m, ones_of({5, 2}, DType::float64)},
                       {m, b},
                       {m, ones_of({2, 4, 2}, DType::float64)},
                       {m, ones_of({2, 5, 2}, DType::float64), no, "odd"}};
  for (const char* name : {"linalg_pinv", "linalg_matrix_rank"})
    c[name] = {{m},
               {wide, 0.5},
               {d, 0.1, true},
               {d, no, true, no, ones_of({2, 1}, f32)},
               {m, no, true},
               {none},
               {none, no, false, ones_of({2}, f32)},
               {half},
               {m, 0.1, false, no, 0.1},
               {m, 0.1, false, 0.1},
               {m, no, false, -1.0},
               {m, no, false, wide}};
  c["linalg_matrix_norm"] = {{m},
                             {m, 1},
                             {m, "nuc"},
                             {wide, -2},
                             {m, 3},
                             {m, "odd"},
                             {v},
                             {whole},
                             {half, "nuc"},
                             {m, 2, Strings{"c", "n"}, true},
                             {m, 1, Dims{1, 1}}};
  c["linalg_norm"] = {{m},        {wide, "fro"},    {v, 3},     {m, 2, 1},
                      {m, "nuc"}, {m, no, 1, true}, {v, "fro"}, {m, 1, Strings{"h", "c"}}};
  c["linalg_cond"] = {{m}, {d, 1}, {d, "fro"}, {m, 1}, {none}, {half}, {d, 5}};
  c["linalg_cross"] = {{m, m}, {v, v}, {m, m, "h"}, {v, m}, {v, half}};
  c["linalg_vander"] = {{d}, {v, 5}, {whole, 0}, {ones_of({}, f32)}, {v, -1}};
  c["linalg_diagonal"] = {{d}, {m, 1}, {m, 0, "n", "c"}, {v}};
  c["linalg_trace"] = {{m}, {d, -1}, {whole}, {whole, 0, f32}, {v}};
  add_linalg_form_calls(c);
}

inline void add_linalg_long_calls(Calls& c) {
  const Tensor m = varied({389, 401}, DType::float32, 5);
  const Tensor d = definite(390, DType::float64);
  const Tensor many = definite(4, DType::complex64, 10'000);
  const Tensor small = definite(5, DType::float32, 10'000);
  const Tensor oblong = varied({3'000, 7, 12}, DType::float64, 8);
  const Tensor tall = varied({1500, 100}, DType::float64, 6);
  const Tensor b = varied_complex({10'000, 4, 3}, DType::complex64, 2);
  const Tensor right = varied({390, 390}, DType::float64, 2);
  for (const char* name :
       {"linalg_cholesky", "linalg_cholesky_ex", "linalg_inv", "linalg_inv_ex", "linalg_det",
        "linalg_slogdet", "linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex"}) {
    c[name] = {{d}, {many}};
  }
  for (const char* name :
       {"linalg_eigh", "linalg_eigvalsh", "linalg_eig", "linalg_eigvals", "linalg_matrix_exp"}) {
    c[name] = {{many}};
  }
  for (const char* name : {"linalg_eigh", "linalg_eigvalsh"}) c[name].push_back({small});
  for (const char* name :
       {"linalg_svd", "linalg_svdvals", "linalg_pinv", "linalg_matrix_rank", "linalg_cond"}) {
    c[name] = {{tall}, {many}, {small}, {oblong}};
  }
  const Tensor oblongs = varied({3001, 7, 5}, DType::float64, 6);
  const Tensor smaller = varied({2, 5003, 3, 4}, DType::float32, 6);
  c["linalg_qr"] = {{m}, {many}, {oblongs, "complete"}, {smaller}};
  c["linalg_solve"] = {{d, right}, {many, b}};
  c["linalg_solve_ex"] = {{d, right}, {many, b}};
  c["linalg_solve_triangular"] = {{d, right, true}, {many, b, false}};
  const Tensor pivots = tandem::arange(1, 391, 1, {.dtype = DType::int32});
  c["linalg_lu_solve"] = {{d, pivots, right}};
  c["linalg_tensorsolve"] = {{d, varied({390}, DType::float64, 2)}};
  c["linalg_tensorinv"] = {{d, 1}};
  c["linalg_lstsq"] = {{tall, varied({1500, 2}, DType::float64, 2)}};
  c["linalg_matrix_norm"] = {{m}, {m, 1}, {m, -1}};
  c["linalg_norm"] = {{m}, {m, 1}};
  for (const char* name : {"logdet", "cholesky", "cholesky_inverse"}) c[name] = {{d}, {many}};
  c["linalg_matrix_sqrth"] = {{many}};
  for (const char* name : {"svd", "pinverse"}) c[name] = {{tall}, {many}, {small}, {oblong}};
  c["linalg_polar"] = {{tall}, {many}};
  const Tensor slim = varied({3001, 32, 9}, DType::float32, 6);
  for (const char* name : {"qr", "geqrf"}) c[name] = {{m}, {many}, {slim}};
  const Tensor tau = varied({100}, DType::float64, 2);
  c["linalg_householder_product"] = {{tall, tau}, {slim, varied({3001, 9}, DType::float32, 2)}};
  c["ormqr"] = {{tall, tau, tall}};
  c["cholesky_solve"] = {{right, d}};
  c["triangular_solve"] = {{right, d}};
  c["lu_solve"] = {{right, d, pivots}};
  c["lu_unpack"] = {{d, pivots}};
  c["linalg_vander"] = {{varied({2001}, DType::float32, 1), 40}};
  c["linalg_trace"] = {{varied({5000, 9, 9}, DType::float32, 1)}};
  c["linalg_cross"] = {
      {varied({50'001, 3}, DType::float32, 1), varied({50'001, 3}, DType::float32, 2)}};
}

/// Kernels of the first calls beside those of the libraries: copies in the order that a library
/// reads, pointers to the matrices of a batch, what is composed of them. Calls for cuSOLVER and
/// cuBLAS are left out where these are not.
inline void add_linalg_launches(Launches& known) {
  known["linalg_matrix_norm"] = 1;
  known["linalg_norm"] = 1;
  known["linalg_cross"] = 9;     // as cross
  known["linalg_vander"] = 4;    // as vander
  known["linalg_lu"] = 1;        // small matrices: the three of them at once
  known["lu_unpack"] = 7;        // the order and three matrices
  known["linalg_slogdet"] = 14;  // the factors, signs and logarithms of a diagonal, interchanges
  known["logdet"] = 16;          // and two of it
  // 7 products, sums of 14 terms, a solution, squarings; exponentials of diagonal matrices
  known["linalg_matrix_exp"] = 73;
  known["linalg_lu_solve"] = known["lu_solve"] = 4;  // two copies, pointers, pivots
  known["linalg_solve_triangular"] = 2;              // a copy, pointers
  known["triangular_solve"] = 3;                     // and a copy of A
  known["cholesky_solve"] = 4;                       // two of the kind
  known["cholesky_inverse"] = 4;                     // the identity, a solution, a product
  known["geqrf"] = 1;                                // small matrices: one kernel
  known["linalg_qr"] = known["qr"] = 1;
  known["linalg_householder_product"] = 1;
  known["ormqr"] = 2;  // and a product
  for (const char* name : {"linalg_svd", "svd", "linalg_svdvals", "linalg_eigh", "linalg_eigvalsh"})
    known[name] = 1;  // small matrices
  for (const char* name : {"linalg_eig", "linalg_eigvals"})
    known[name] = 5;                // a copy, vectors in our order; whether elements are finite
  known["linalg_cond"] = 2;         // svdvals and a quotient
  known["linalg_matrix_rank"] = 8;  // svdvals, the bound, a count
  known["linalg_pinv"] = known["pinverse"] = 12;             // svd, the bound, quotients, a product
  known["linalg_matrix_sqrth"] = known["linalg_polar"] = 4;  // eigh or svd, products
  known["linalg_lstsq"] = 9;  // qr, two products, a solution, residuals
}

}  // namespace tandem::test
