// Softmax and log_softmax: their element loops at one SIMD level. Maxima and sums are reductions.
#include "host/isa/reduce_level.h"
#include "host/reduce_launch.h"
#include "kernels/functors/elementary.h"
#include "tandem/fn.h"

namespace tandem::host::TANDEM_ISA {

struct Softmax {
  template <class C>
  static TANDEM_FN C prepare(C sum) {
    return sum;
  }
  template <class C>
  static TANDEM_FN C out(C x, C max, C sum) {
    return fn::exp(x - max) / sum;
  }
};

struct LogSoftmax {
  template <class C>
  static TANDEM_FN C prepare(C sum) {
    return fn::log(sum);
  }
  template <class C>
  static TANDEM_FN C out(C x, C max, C log_sum) {
    return (x - max) - log_sum;
  }
};

template <class S>
void exp_tile(void* e, const void* a, const void* max, std::int64_t m) {
  using C = compute_t<S>;
  auto* __restrict__ to = static_cast<C*>(e);
  const auto* __restrict__ x = static_cast<const S*>(a);
  const C top = *static_cast<const C*>(max);
  for (std::int64_t i = 0; i < m; ++i) to[i] = fn::exp(fn::load(x[i]) - top);
}

template <class S>
void exp_row(void* e, const void* a, const void* max, std::int64_t w) {
  using C = compute_t<S>;
  auto* __restrict__ to = static_cast<C*>(e);
  const auto* __restrict__ x = static_cast<const S*>(a);
  const auto* __restrict__ top = static_cast<const C*>(max);
  for (std::int64_t c = 0; c < w; ++c) to[c] = fn::exp(fn::load(x[c]) - top[c]);
}

template <class F, class S>
void prepare(void* sum, std::int64_t w) {
  auto* s = static_cast<compute_t<S>*>(sum);
  for (std::int64_t c = 0; c < w; ++c) s[c] = F::prepare(s[c]);
}

template <class F, class S>
void out_tile(void* out, const void* a, const void* max, const void* sum, std::int64_t m) {
  using C = compute_t<S>;
  auto* __restrict__ to = static_cast<S*>(out);
  const auto* __restrict__ x = static_cast<const S*>(a);
  const C top = *static_cast<const C*>(max), s = *static_cast<const C*>(sum);
  for (std::int64_t i = 0; i < m; ++i) to[i] = fn::cast<S>(F::out(fn::load(x[i]), top, s));
}

template <class F, class S>
void out_row(void* out, const void* a, const void* max, const void* sum, std::int64_t w) {
  using C = compute_t<S>;
  auto* __restrict__ to = static_cast<S*>(out);
  const auto* __restrict__ x = static_cast<const S*>(a);
  const auto* __restrict__ top = static_cast<const C*>(max);
  const auto* __restrict__ s = static_cast<const C*>(sum);
  for (std::int64_t c = 0; c < w; ++c) to[c] = fn::cast<S>(F::out(fn::load(x[c]), top[c], s[c]));
}

template <class S>
void divide(void* out, const void* e, const void* sum, std::int64_t m) {
  using C = compute_t<S>;
  auto* __restrict__ to = static_cast<S*>(out);
  const auto* __restrict__ x = static_cast<const C*>(e);
  const C s = *static_cast<const C*>(sum);
  for (std::int64_t i = 0; i < m; ++i) to[i] = fn::cast<S>(x[i] / s);
}

template <class F, class S>
inline constexpr RowBlocks kRowBlocks = {exp_tile<S>,    exp_row<S>,    prepare<F, S>,
                                         out_tile<F, S>, out_row<F, S>, nullptr};
template <class S>
inline constexpr RowBlocks kRowBlocks<Softmax, S> = {exp_tile<S>,         exp_row<S>,
                                                     prepare<Softmax, S>, out_tile<Softmax, S>,
                                                     out_row<Softmax, S>, divide<S>};

template <class F>
struct RowLookup {
  template <class S>
  const RowBlocks* operator()() const {
    if constexpr (dtypes::Floats.has(dtype_of<S>))
      return &kRowBlocks<F, S>;
    else
      return nullptr;
  }
};

const RowBlocks* softmax_blocks(DType t) { return visit(t, RowLookup<Softmax>{}); }
const RowBlocks* log_softmax_blocks(DType t) { return visit(t, RowLookup<LogSoftmax>{}); }

void bind_softmax(HostRegistry& r, const ReduceLevel& level) {
  r.bind("softmax", {launch_softmax, &level});
  r.bind("log_softmax", {launch_log_softmax, &level});
}

}  // namespace tandem::host::TANDEM_ISA
