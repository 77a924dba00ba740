// Layers of networks on meta, with what they keep for their gradients: enough of autograd to
// allocate as a training step does.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "perf/traces/programs.h"

namespace tandem::traces {

inline constexpr DType kHalf = dtype_of<BFloat16>, kFloat = dtype_of<float>,
                       kLong = dtype_of<std::int64_t>;

/// A weight in the precision of the work; gradient and optimiser's state are made at first use.
struct Weight {
  explicit Weight(IntSpan shape, DType dtype = kHalf) : value(meta(shape, dtype)) {}
  void add(const Tensor& g) {
    if (grad.defined()) {
      grad.add_(g);
    } else {
      grad = g;
    }
  }
  Tensor value, grad, first, second;
};

/// What is to be done backwards, newest first; each step drops what it has saved.
class Tape {
 public:
  using Step = std::function<Tensor(const Tensor& gradient)>;
  void push(Step step) { steps_.push_back(std::move(step)); }
  Tensor backward(Tensor g) {
    while (!steps_.empty()) {
      const Step step = std::move(steps_.back());
      steps_.pop_back();
      g = step(g);
    }
    return g;
  }

 private:
  std::vector<Step> steps_;
};

inline Tensor rows_of(const Tensor& x) { return x.reshape({-1, x.size(-1)}); }

inline Tensor linear(Tape* tape, Weight& w, const Tensor& x) {
  if (tape != nullptr)
    tape->push([x, &w](const Tensor& g) {
      w.add(rows_of(x).t().matmul(rows_of(g)));
      return g.matmul(w.value.t());
    });
  return x.matmul(w.value);
}

/// Over the last axis, in float.
inline Tensor layer_norm(Tape* tape, Weight& gain, const Tensor& x) {
  const Tensor wide = x.to(kFloat);
  const Tensor mean = wide.mean({-1}, true);
  const Tensor centred = wide - mean;
  const Tensor scale = ((centred * centred).mean({-1}, true) + 1e-5).rsqrt();
  const Tensor normal = (centred * scale).to(kHalf);
  if (tape != nullptr)
    tape->push([normal, scale, &gain](const Tensor& g) {
      gain.add(rows_of(g * normal).sum({0}));
      const Tensor wide_g = (g * gain.value).to(kFloat);
      const Tensor along = (wide_g * normal).mean({-1}, true);
      return ((wide_g - wide_g.mean({-1}, true) - normal * along) * scale).to(kHalf);
    });
  return normal * gain.value;
}

inline Tensor gelu(Tape* tape, const Tensor& x) {
  const Tensor phi = ((x * 0.70710678).erf() + 1) * 0.5;
  if (tape != nullptr)
    tape->push(
        [x, phi](const Tensor& g) { return g * (phi + x * (x * x * -0.5).exp() * 0.39894); });
  return x * phi;
}

inline Tensor relu(Tape* tape, const Tensor& x) {
  Tensor y = x.relu();
  if (tape != nullptr) tape->push([y](const Tensor& g) { return g * (y > 0); });
  return y;
}

/// f(x) + x; f gets a tape of its own.
template <class F>
Tensor residual(Tape* tape, const Tensor& x, F f) {
  if (tape == nullptr) return f(nullptr, x) + x;
  Tape inner;
  Tensor y = f(&inner, x) + x;
  tape->push([inner](const Tensor& g) mutable { return inner.backward(g) + g; });
  return y;
}

/// Adam with its state in float; gradients are dropped.
inline void adam(const std::vector<Weight*>& weights) {
  for (Weight* w : weights) {
    if (!w->first.defined()) {
      w->first = zeros(w->value.shape(), {.dtype = kFloat, .device = kMeta});
      w->second = zeros(w->value.shape(), {.dtype = kFloat, .device = kMeta});
    }
    const Tensor g = w->grad.to(kFloat);
    w->first.mul_(0.9).add_(g * 0.1);
    w->second.mul_(0.999).add_(g * g * 0.001);
    w->value.sub_((w->first / (w->second.sqrt() + 1e-8) * 1e-3).to(kHalf));
    w->grad = Tensor();
  }
}

/// Gradient descent with momentum; gradients are dropped.
inline void momentum(const std::vector<Weight*>& weights) {
  for (Weight* w : weights) {
    if (!w->first.defined())
      w->first = zeros(w->value.shape(), {.dtype = w->value.dtype(), .device = kMeta});
    w->first.mul_(0.9).add_(w->grad);
    w->value.sub_(w->first * 0.1);
    w->grad = Tensor();
  }
}

}  // namespace tandem::traces
