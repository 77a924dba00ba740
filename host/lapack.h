// OpenBLAS and its LAPACK for the host, in a plug-in that is opened at the first call: a process
// that multiplies and factorises nothing does not load it.
#pragma once

#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>
//
#include <cblas.h>

#include <cstddef>
#include <string>
#include <string_view>

extern "C" {
// Of LAPACK, which LAPACKE has no form of.
#define TANDEM_DIVIDE(p, R)                                                                    \
  void p##laed2_(int* k, const int* n, const int* n1, R* d, R* q, const int* ldq, int* indxq,  \
                 R* rho, R* z, R* dlambda, R* w, R* q2, int* indx, int* indxc, int* indxp,     \
                 int* coltyp, int* info);                                                      \
  void p##lamrg_(const int* n1, const int* n2, const R* a, const int* step1, const int* step2, \
                 int* index);
TANDEM_DIVIDE(s, float)
TANDEM_DIVIDE(d, double)
#undef TANDEM_DIVIDE
}

/// The functions that the host calls, once each: X(name). The _work forms of LAPACKE: no search for
/// NaN, workspaces given.
// clang-format off
#define TANDEM_LAPACK_OF(X, p)                                                          \
  X(LAPACKE_##p##potrf_work) X(LAPACKE_##p##getrs_work)                                 \
  X(LAPACKE_##p##getri_work) X(LAPACKE_##p##geqrf_work) X(LAPACKE_##p##gesdd_work)      \
  X(LAPACKE_##p##geev_work)  X(LAPACKE_##p##gels_work)  X(LAPACKE_##p##gelsy_work)      \
  X(LAPACKE_##p##gelsd_work) X(LAPACKE_##p##gelss_work) X(cblas_##p##gemm)              \
  X(cblas_##p##trsm)         X(cblas_##p##trsv)
#define TANDEM_LAPACK_REAL(X, p)                                                        \
  TANDEM_LAPACK_OF(X, p)                                                                \
  X(LAPACKE_##p##orgqr_work) X(LAPACKE_##p##syevd_work) X(LAPACKE_##p##bdsdc_work)      \
  X(LAPACKE_##p##steqr_work) X(LAPACKE_##p##sterf_work) X(p##laed2_) X(p##lamrg_)
#define TANDEM_LAPACK_COMPLEX(X, p)                                                     \
  TANDEM_LAPACK_OF(X, p)                                                                \
  X(LAPACKE_##p##ungqr_work) X(LAPACKE_##p##heevd_work) X(LAPACKE_##p##hetrd_work)
#define TANDEM_LAPACK_FUNCTIONS(X)                                                      \
  TANDEM_LAPACK_REAL(X, s)                                                              \
  TANDEM_LAPACK_REAL(X, d)                                                              \
  TANDEM_LAPACK_COMPLEX(X, c)                                                           \
  TANDEM_LAPACK_COMPLEX(X, z)                                                           \
  X(openblas_get_config)
// clang-format on

namespace tandem::host {

/// What the plug-in fills in.
struct LapackTable {
#define TANDEM_MEMBER(name) decltype(&::name) name;
  TANDEM_LAPACK_FUNCTIONS(TANDEM_MEMBER)
#undef TANDEM_MEMBER
};

/// The plug-in's entry point, tandem_lapack_open: fills the table, or returns a status other than 0
/// where its own has another size.
using LapackOpen = int (*)(LapackTable* table, std::size_t size);

/// The table, null where the plug-in cannot be opened.
const LapackTable* lapack_or_null();
/// Raises Error "[op] expected the library ..." where the plug-in cannot be opened.
void require_lapack(std::string_view op);
/// The table after one of these.
const LapackTable& lapack();
/// "OpenBLAS 0.3.21", or why there is none.
std::string lapack_version();

/// A function of the table under a name of its own: `static constexpr FromLapack<&LapackTable::f>
/// g{}`.
template <auto Function>
struct FromLapack {
  template <class... A>
  auto operator()(A... arguments) const {
    return (lapack().*Function)(arguments...);
  }
};

}  // namespace tandem::host
