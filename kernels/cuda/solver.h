// The vendor libraries of factorisations, and the kernels beside them.
#pragma once

#include <initializer_list>

#include "tandem/backend/linalg.h"

namespace tandem::cuda {

/// Queues the step for the whole batch on a batched form of cuSOLVER or cuBLAS, where there is one
/// that serves: false where there is none. What fails is reported by raise().
bool batched_factor(const FactorLaunch& l);
/// Queues a step on cuSOLVER or cuBLAS, which are opened at the first one. What cannot be done is
/// reported by raise().
void vendor_factor(const FactorLaunch& l);

// From kernels/linalg.cu: between the pivots of cuSOLVER (int64) and those of FactorLaunch, `count`
// numbers that lie densely.
void launch_widen_pivots(const FactorLaunch& l, const std::int32_t* from, std::int64_t* to,
                         std::int64_t count);
void launch_narrow_pivots(const FactorLaunch& l, const std::int64_t* from, std::int32_t* to,
                          std::int64_t count);

/// The same of int32, for those of a whole batch in one array: `count` numbers from the `period`
/// that repeat.
void launch_copy_pivots(const FactorLaunch& l, const std::int32_t* from, std::int32_t* to,
                        std::int64_t count, std::int64_t period);

/// From kernels/small_qr.cu.
void launch_small_qr(const SmallQrLaunch& l);

// From kernels/linalg_batches.cu.

/// Where the matrices of up to three batches begin: l.batch pointers each, one batch after the
/// other. False where the failure was reported.
bool launch_addresses(const FactorLaunch& l, std::initializer_list<MatrixBatch> of, void** to);
/// Zeros in the triangle of a that a Cholesky factor leaves, which a batched form overwrites.
void launch_clear_triangle(const FactorLaunch& l);
/// info of Cholesky factors whose diagonal is not above 0 though the library saw no fault: it goes
/// on where a pivot is NaN.
void launch_check_definite(const FactorLaunch& l);
/// From square U [m, m] and V [n, n] of each matrix to l.u's columns and l.v = V^H.
void launch_take_vectors(const FactorLaunch& l, const void* u, const void* v);

// From kernels/linalg_spectral.cu.
void launch_small_spectral(const SmallSpectralLaunch& l);

int bind_linalg();  // as in context.h

}  // namespace tandem::cuda
