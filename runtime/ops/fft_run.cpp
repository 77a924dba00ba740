// Launches of the built-in Fourier transform: passes of a plan, Bluestein's two transforms, real
// rows.
#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/fft.h"
#include "runtime/ops/fft_plan.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

/// Rows along an axis of a tensor, of elements of `size` bytes.
struct Rows {
  const Tensor* tensor;
  char* data;
  std::int64_t n, stride;
  Dims shape, strides;  // of the other dimensions
};

Rows rows_of(const Tensor& t, std::int64_t axis) {
  const auto size = static_cast<std::int64_t>(t.element_size());
  Rows r{&t, static_cast<char*>(t.data_ptr()), 1, size, {}, {}};
  for (std::size_t d = 0; d < t.shape().size(); ++d) {
    if (static_cast<std::int64_t>(d) == axis) {
      r.n = t.shape()[d];
      r.stride = t.strides()[d] * size;
    } else {
      r.shape.push_back(t.shape()[d]);
      r.strides.push_back(t.strides()[d] * size);
    }
  }
  return r;
}

/// Pairs of neighbours of real rows that lie densely, as complex elements.
Rows paired(Rows r) {
  r.n /= 2;
  r.stride *= 2;
  return r;
}

/// Dense complex memory for rows of n elements.
Tensor memory_for(const Rows& rows, std::int64_t n, DType dtype, Device device) {
  Dims shape(rows.shape);
  shape.push_back(n);
  return empty(shape, {.dtype = dtype, .device = device});
}

struct End {
  Rows rows;
  bool conjugate = false;
  const Tensor* table = nullptr;
  FftSide side() const {
    return {rows.data, rows.stride, rows.strides.data(),
            rows.n,    conjugate,   table == nullptr ? nullptr : table->data_ptr()};
  }
};

std::int64_t count_of(IntSpan shape) {
  std::int64_t n = 1;
  for (const std::int64_t size : shape) n *= size;
  return n;
}

struct Job {
  DType dtype;
  Device device;
  double scale = 1;
};

void run_pass(const Job& job, const FftPass& pass, const End& in, const End& out, double scale) {
  FftPassLaunch l{};
  const OpRow& row = op::fft_fft;
  l.row = &row;
  l.dtype = job.dtype;
  l.device = job.device;
  l.m = pass.m;
  l.p = pass.p;
  l.s = pass.s;
  for (const int r : pass.radices) l.radices[l.n_radices++] = r;
  l.stages = pass.stages.data_ptr();
  l.twiddles = pass.twiddles.defined() ? pass.twiddles.data_ptr() : nullptr;
  l.shape = in.rows.shape.data();
  l.rank = static_cast<int>(in.rows.shape.size());
  l.rows = count_of(in.rows.shape);
  l.in = in.side();
  l.out = out.side();
  l.real_in = !is_complex(in.rows.tensor->dtype());
  l.scale = scale;
  l.stream = launch_stream(job.device, {out.rows.tensor},
                           {in.rows.tensor, in.table, out.table, &pass.stages, &pass.twiddles});
  launch(row, l.device, &l);
}

/// A forward transform of a smooth length; `spare` is memory for the rows, or none yet.
void run_passes(const Job& job, const FftPlan& plan, const End& in, const End& out,
                Tensor (&spare)[2]) {
  End from = in;
  for (std::size_t i = 0; i + 1 < plan.passes.size(); ++i) {
    Tensor& next = spare[from.rows.tensor == &spare[0] ? 1 : 0];
    if (!next.defined()) next = memory_for(in.rows, plan.n, job.dtype, job.device);
    const End to{rows_of(next, next.dim() - 1)};
    run_pass(job, plan.passes[i], from, to, 1);
    from = to;
  }
  run_pass(job, plan.passes.back(), from, out, job.scale);
}

void transform(const Job& job, std::int64_t n, bool inverse, const Rows& in, const Rows& out) {
  if (out.tensor->numel() == 0) return;
  const auto plan = fft_plan(n, job.dtype, job.device);
  Tensor spare[2];
  if (!plan->inner) return run_passes(job, *plan, {in, inverse}, {out, inverse}, spare);
  // The inverse transform of the product is the conjugate of a forward one.
  const Job plain{job.dtype, job.device};
  const FftPlan& inner = *plan->inner;
  spare[0] = memory_for(in, inner.n, job.dtype, job.device);
  const Rows middle = rows_of(spare[0], spare[0].dim() - 1);
  End first{in, inverse, &plan->chirp};
  first.rows.n = std::min(in.n, n);
  run_passes(plain, inner, first, {middle, true, &plan->kernel}, spare);
  run_passes(job, inner, {middle}, {out, !inverse, &plan->chirp_conjugate}, spare);
}

void run_half(const Job& job, std::int64_t h, bool pack, const End& in, const End& out) {
  const Tensor table = fft_half_table(h, job.dtype, job.device);
  FftHalfLaunch l{};
  const OpRow& row = pack ? op::fft_irfft : op::fft_rfft;
  l.row = &row;
  l.dtype = job.dtype;
  l.device = job.device;
  l.h = h;
  l.pack = pack;
  l.twiddles = table.data_ptr();
  l.shape = in.rows.shape.data();
  l.rank = static_cast<int>(in.rows.shape.size());
  l.rows = count_of(in.rows.shape);
  l.in = in.side();
  l.out = out.side();
  l.scale = job.scale;
  l.stream = launch_stream(job.device, {out.rows.tensor}, {in.rows.tensor, &table});
  launch(row, l.device, &l);
}

/// x cut or filled with zeros to n along an axis, its rows dense there and on even elements.
Tensor dense_rows(const Tensor& x, std::int64_t axis, std::int64_t n) {
  Tensor t = x.has_names() ? x.rename(std::nullopt) : x;
  t = t.movedim(Axis(axis), Axis(-1));
  if (t.shape().back() > n) t = t.narrow(-1, 0, n);
  if (t.shape().back() < n) return pad(t, Dims{0, n - t.shape().back()});
  bool pairs = t.strides().back() == 1 && t.storage_offset() % 2 == 0 &&
               reinterpret_cast<std::uintptr_t>(t.data_ptr()) % (2 * t.element_size()) == 0;
  for (std::size_t i = 0; i + 1 < t.shape().size(); ++i)
    pairs = pairs && (t.shape()[i] == 1 || t.strides()[i] % 2 == 0);
  return pairs ? t : t.is_contiguous() ? t.clone() : t.contiguous();
}

}  // namespace

void fft_complex(const FftCall& c, const Tensor& x, const Tensor& out) {
  const Rows in = rows_of(x, c.axis);
  transform({out.dtype(), out.device(), c.scale}, c.n, c.inverse, in, rows_of(out, c.axis));
}

void fft_real_to_bins(const FftCall& c, const Tensor& x, const Tensor& out) {
  if (out.numel() == 0) return;
  const Job job{out.dtype(), out.device(), c.scale};
  const Rows to = rows_of(out, c.axis);
  if (c.n % 2 != 0) {  // all bins, of which those beyond the middle are not written
    const Rows in = rows_of(x, c.axis);
    return transform(job, c.n, c.conjugate, in, to);
  }
  const std::int64_t h = c.n / 2;
  const Tensor real = dense_rows(x, c.axis, c.n);
  const Rows in = paired(rows_of(real, real.dim() - 1));
  const Tensor bins = memory_for(in, h, job.dtype, job.device);
  const Rows middle = rows_of(bins, bins.dim() - 1);
  // Rows of real elements that are read as complex ones.
  const Tensor pairs = real.view_as(job.dtype);
  Rows from = in;
  from.tensor = &pairs;
  transform({job.dtype, job.device}, h, false, from, middle);
  run_half(job, h, false, {middle}, {to, c.conjugate});
}

void fft_bins_to_real(const FftCall& c, const Tensor& x, const Tensor& out) {
  if (out.numel() == 0) return;
  const DType dtype = x.dtype();
  const Rows in = rows_of(x, c.axis);
  if (c.n % 2 != 0) {
    Tensor half = x.has_names() ? x.rename(std::nullopt) : x;
    const std::int64_t bins = c.n / 2 + 1;
    half = half.movedim(Axis(c.axis), Axis(-1));
    if (half.shape().back() > bins) half = half.narrow(-1, 0, bins);
    if (half.shape().back() < bins) half = pad(half, Dims{0, bins - half.shape().back()});
    const Tensor rest = conj(flip(half.narrow(-1, 1, bins - 1), Axes{-1}));
    const Tensor whole = cat({half, rest}, -1);
    const FftCall complex{c.row, whole.dim() - 1, c.n, c.inverse, c.scale};
    fft_complex(complex, whole, whole);
    const Tensor plain = out.has_names() ? out.rename(std::nullopt) : out;
    const Tensor real = whole.view_as(real_part(dtype)).slice(-1, {}, {}, 2);
    copy_elements(plain, real.movedim(Axis(-1), Axis(c.axis)));
    return;
  }
  const std::int64_t h = c.n / 2;
  const Tensor bins = memory_for(in, h, dtype, x.device());
  const Rows middle = rows_of(bins, bins.dim() - 1);
  // irfft is an inverse transform; hfft a forward one of the conjugates, which is the same.
  run_half({dtype, x.device()}, h, true, {in, c.conjugate}, {middle});
  transform({dtype, x.device(), c.scale}, h, true, middle, paired(rows_of(out, c.axis)));
}

}  // namespace tandem::detail
