// Small matrices: one launch for the whole batch. Eigenvalues and singular values of real ones.
#include <algorithm>

#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

/// Small matrices of any kind: what all of their launches say, and the way to the backend's kernel,
/// which finds the launch in `place`.
template <class Launch>
void run_step(const OpRow& kernel, FactorLaunch::Step step, const Launch* FactorLaunch::*place,
              const OpRow& row, const Matrices& a, Launch l,
              std::initializer_list<const Tensor*> written,
              std::initializer_list<const Tensor*> read) {
  l.row = &row;
  l.batch = a.count();
  l.dtype = a.x.dtype();
  l.device = a.x.device();
  l.stream = launch_stream(l.device, written, read);
  FactorLaunch f{};
  f.row = &row;
  f.step = step;
  f.*place = &l;
  f.device = l.device;
  f.stream = l.stream;
  launch(kernel, l.device, &f);
}

/// Runs the step, which writes to `out`.
void run_spectral(const OpRow& row, SmallSpectralLaunch l, const Matrices& a, const Tensor& x,
                  const Tensor& info, const SmallSpectrum& out) {
  l.values = out.values.data_ptr();
  l.info = info.data<std::int32_t>();
  const Tensor& left = out.left.defined() ? out.left : out.values;
  const Tensor& right = out.right.defined() ? out.right : out.values;
  run_step(op::linalg_svd, FactorLaunch::Step::SmallSpectral, &FactorLaunch::spectral, row, a, l,
           {&info, &out.values, &left, &right}, {&x});
}

Tensor fresh_values(const Matrices& a, std::int64_t n) {
  return empty(a.shape(Dims{n}), {.dtype = a.x.dtype(), .device = a.x.device()});
}

}  // namespace

void run_small(const OpRow& row, SmallLaunch::Step step, const Matrices& a, SmallLaunch l,
               std::initializer_list<const Tensor*> written,
               std::initializer_list<const Tensor*> read) {
  l.step = step;
  l.n = a.n;
  run_step(op::linalg_lu_factor_ex, FactorLaunch::Step::Small, &FactorLaunch::small, row, a, l,
           written, read);
}

void run_small_qr(const OpRow& row, SmallQrLaunch::Step step, const Matrices& a, const Tensor& x,
                  SmallQrLaunch l, std::initializer_list<const Tensor*> written,
                  std::initializer_list<const Tensor*> read) {
  l.step = step;
  l.m = a.m;
  l.n = a.n;
  l.a = small_matrices(x);
  run_step(op::linalg_qr, FactorLaunch::Step::SmallQr, &FactorLaunch::small_qr, row, a, l, written,
           read);
}

bool is_small_spectral(const Matrices& a) {
  return !is_complex(a.x.dtype()) && std::min(a.m, a.n) > 0 &&
         std::max(a.m, a.n) <= SmallSpectralLaunch::kMost;
}

SmallSpectrum small_eigh(const OpRow& row, const Matrices& a, bool upper, bool vectors) {
  const Tensor x = small_operand(a.x);
  SmallSpectrum out;
  out.values = fresh_values(a, a.n);
  if (vectors) out.left = fresh_columns(a.x, a.batch, a.n, a.n);
  out.info = with_info(row, a, false, [&](const Tensor& to) {
    SmallSpectralLaunch l{};
    l.step = SmallSpectralLaunch::Step::Eigh;
    l.m = l.n = a.n;
    l.upper = upper;
    l.a = small_matrices(x);
    if (vectors) l.left = small_matrices(out.left);
    run_spectral(row, l, a, x, to, out);
  });
  return out;
}

SmallSpectrum small_svd(const OpRow& row, const Matrices& a, bool vectors, bool full) {
  const Tensor x = small_operand(a.x);
  const std::int64_t k = std::min(a.m, a.n);
  SmallSpectrum out;
  out.values = fresh_values(a, k);
  if (vectors) {
    out.left = fresh_columns(a.x, a.batch, a.m, full ? a.m : k);
    out.right = fresh_columns(a.x, a.batch, full ? a.n : k, a.n);
  }
  out.info = with_info(row, a, false, [&](const Tensor& to) {
    const bool turned = a.m < a.n;  // the transposed matrix, whose vectors change sides
    SmallSpectralLaunch l{};
    l.step = SmallSpectralLaunch::Step::Svd;
    l.m = std::max(a.m, a.n);
    l.n = k;
    l.full = full;
    l.a = small_matrices(x, turned);
    if (vectors) {
      l.left = small_matrices(out.left);
      l.right = small_matrices(out.right, true);
      if (turned) std::swap(l.left, l.right);
    }
    run_spectral(row, l, a, x, to, out);
  });
  return out;
}

}  // namespace tandem::detail
