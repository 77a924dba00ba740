// Softmax and log_softmax: the greatest of a row, the fixed tree's sum of exp(x - max), and one
// elementwise pass with both broadcast along the row.
#include "kernels/cuda/context.h"
#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"
#include "kernels/functors/elementary.h"
#include "tandem/cuda/plan.h"

namespace tandem::cuda {

namespace {

struct SoftmaxOut {
  template <class C>
  TANDEM_FN C operator()(C x, C max, C sum) const {
    return fn::exp(x - max) / sum;
  }
};
struct LogSoftmaxOut {
  template <class C>
  TANDEM_FN C operator()(C x, C max, C sum) const {
    return (x - max) - fn::log(sum);
  }
};

}  // namespace

/// What is kept of a row is not rounded to the dtype.
template <class T>
struct InputType<SoftmaxOut, T, 1> {
  using type = compute_t<T>;
};
template <class T>
struct InputType<SoftmaxOut, T, 2> {
  using type = compute_t<T>;
};
template <class T>
struct InputType<LogSoftmaxOut, T, 1> {
  using type = compute_t<T>;
};
template <class T>
struct InputType<LogSoftmaxOut, T, 2> {
  using type = compute_t<T>;
};

namespace {

struct RowEntry {
  ReduceEntry max, sum;
  ElementwiseEntry<3> out;
};
struct RowKernels {
  RowEntry by_dtype[kNumDTypes];
};

struct Launch {
  const RowLaunch& l;
  const RowEntry& entry;
  std::int64_t shape[kMaxRank + 1];
  std::int64_t in_strides[kMaxRank + 1], out_strides[kMaxRank + 1], work_strides[kMaxRank + 1];

  DType compute() const { return info(l.dtype).compute; }

  /// The outer dimensions, then the row; what is kept of a row is dense over the outer ones.
  void set_strides() {
    auto step = static_cast<std::int64_t>(element_size(compute()));
    for (int d = l.rank - 1; d >= 0; --d) {
      shape[d] = l.shape[d];
      in_strides[d] = l.in.strides[d];
      out_strides[d] = l.out.strides[d];
      work_strides[d] = step;
      step *= shape[d];
    }
    shape[l.rank] = l.n;
    in_strides[l.rank] = l.in_stride;
    out_strides[l.rank] = l.out_stride;
    work_strides[l.rank] = 0;
  }

  OperandDesc work(void* data) const { return {data, work_strides, {}, compute(), compute()}; }
  OperandDesc input() const { return {l.in.data, in_strides, {}, l.in.dtype, l.dtype}; }

  cudaError_t reduce(const ReduceEntry& kernels, void* out, void* second) const {
    ReduceLaunch r{};
    r.row = l.row;
    r.numel = l.numel;
    r.n = l.n;
    r.shape = shape;
    r.rank_outer = l.rank;
    r.rank_reduced = 1;
    r.n_out = 1;
    r.n_in = second == nullptr ? 1 : 2;
    r.dtype = l.dtype;
    r.device = l.device;
    r.stream = l.stream;
    r.operands[0] = work(out);
    r.operands[1] = input();
    r.operands[2] = work(second);
    return run_reduction(r, kernels);
  }

  /// Dimensions in the order of the output's strides, so that neighbours are written together.
  cudaError_t finish(void* max, void* sum) {
    const int rank = l.rank + 1;
    std::int64_t* all[] = {shape, in_strides, out_strides, work_strides};
    for (int i = 1; i < rank; ++i) {
      for (int j = i; j > 0 && std::abs(out_strides[j - 1]) < std::abs(out_strides[j]); --j) {
        for (std::int64_t* s : all) std::swap(s[j - 1], s[j]);
      }
    }
    ElementwiseLaunch e{};
    e.row = l.row;
    e.numel = l.numel * l.n;
    e.shape = shape;
    e.rank = rank;
    e.n_out = 1;
    e.n_in = 3;
    e.dtype = l.dtype;
    e.device = l.device;
    e.stream = l.stream;
    e.operands[0] = {l.out.data, out_strides, {}, l.out.dtype, l.dtype};
    e.operands[1] = input();
    e.operands[2] = work(max);
    e.operands[3] = work(sum);
    return run_elementwise<3>(e, entry.out);
  }

  void run() {
    const char* op = l.row->name;
    if (entry.max.rows == nullptr) return check(cudaErrorInvalidValue, op);
    set_strides();
    const std::size_t bytes =
        (static_cast<std::size_t>(l.numel) * element_size(compute()) + 255) / 256 * 256;
    const Workspace memory(l.device, 2 * bytes, l.stream, op);
    if (memory.data() == nullptr) return;
    void* max = memory.data();
    void* sum = static_cast<char*>(max) + bytes;
    cudaError_t e = reduce(entry.max, max, nullptr);
    if (e == cudaSuccess) e = reduce(entry.sum, sum, max);
    if (e == cudaSuccess) e = finish(max, sum);
    check(e, op);
  }
};

void launch_rows(const void* desc, const void* self) {
  const auto& l = *static_cast<const RowLaunch*>(desc);
  if (l.numel == 0 || l.n == 0) return;
  Launch{l, static_cast<const RowKernels*>(self)->by_dtype[static_cast<int>(l.dtype)], {}, {}, {},
         {}}
      .run();
}

template <class F>
RowKernels make_kernels() {
  RowKernels r;
  for_each_dtype<mask(dtypes::Floats)>([&]<class S>(int d) {
    using C = compute_t<S>;
    RowEntry& e = r.by_dtype[d];
    e.max = one_input_entry<fn::Amax, S>();
    e.sum = general_entry<TwoInputs<fn::ExpSum<C>, PlainFinish<fn::Sum<C>>, C, C>>();
    e.sum.computed_second = true;
    e.out = make_entry<F, S, 3>(std::make_integer_sequence<int, 3>());
  });
  return r;
}

}  // namespace

int bind_rows() {
  static const RowKernels softmax = make_kernels<SoftmaxOut>();
  static const RowKernels log_softmax = make_kernels<LogSoftmaxOut>();
  static const ReduceRow exp_sums = [] {
    ReduceRow r;
    for (int d = 0; d < kNumDTypes; ++d) r.by_dtype[d] = softmax.by_dtype[d].sum;
    return r;
  }();
  return host().bind("logsumexp", DeviceKind::CUDA, Kernel{&launch_reduction, &exp_sums}) +
         host().bind("softmax", DeviceKind::CUDA, Kernel{&launch_rows, &softmax}) +
         host().bind("log_softmax", DeviceKind::CUDA, Kernel{&launch_rows, &log_softmax});
}

}  // namespace tandem::cuda
