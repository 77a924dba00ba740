// A residual network of 50 layers (He et al. 2016): convolutions as products, with the workspaces
// that libraries ask for.
#include <deque>

#include "perf/traces/layers.h"

namespace tandem::traces {
namespace {

/// A convolution, its normalisation over the batch, and what follows.
struct Unit {
  Unit(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride)
      : weight({out, in * kernel * kernel}, kFloat),
        gain({out, 1, 1}, kFloat),
        size(kernel),
        step(stride) {}
  Weight weight, gain;
  std::int64_t size, step;
};

/// Rows of pictures that a library lays out for one product at a time.
Tensor columns(const Unit& u, const Tensor& x) {
  const std::int64_t pictures = u.size == 1 ? 1 : 4;
  return workspace(4 * pictures * x.size(1) * u.size * u.size * (x.size(2) / u.step) *
                   (x.size(3) / u.step));
}

Tensor convolve(Tape* tape, Unit& u, const Tensor& x) {
  Tensor y =
      meta({x.size(0), u.weight.value.size(0), x.size(2) / u.step, x.size(3) / u.step}, kFloat);
  const Tensor space = columns(u, x);
  if (tape != nullptr)
    tape->push([x, &u](const Tensor&) {
      {
        const Tensor by_weight = columns(u, x);
        u.weight.add(meta(u.weight.value.shape(), kFloat));
      }
      const Tensor by_input = columns(u, x);
      return meta(x.shape(), kFloat);
    });
  return y;
}

Tensor normalise(Tape* tape, Unit& u, const Tensor& x) {
  if (tape == nullptr) return x * u.gain.value;
  const auto [variance, mean] = var_mean(x, {0, 2, 3}, 0, true);
  const Tensor scale = (variance + 1e-5).rsqrt();
  tape->push([x, mean = mean, scale, &u](const Tensor& g) {
    const Tensor normal = (x - mean) * scale;
    u.gain.add((g * normal).sum({0, 2, 3}, true).reshape(u.gain.value.shape()));
    const Tensor along = (g * normal).mean({0, 2, 3}, true);
    return (g - g.mean({0, 2, 3}, true) - normal * along) * (scale * u.gain.value);
  });
  return (x - mean) * (scale * u.gain.value);
}

Tensor unit(Tape* tape, Unit& u, const Tensor& x) {
  return normalise(tape, u, convolve(tape, u, x));
}

/// Three units, and one on the way around them where the shape changes.
struct Bottleneck {
  Bottleneck(std::int64_t in, std::int64_t width, std::int64_t stride)
      : first(in, width, 1, 1), second(width, width, 3, stride), third(width, 4 * width, 1, 1) {
    if (in != 4 * width) around.emplace_back(in, 4 * width, 1, stride);
  }
  Tensor forward(Tape* tape, const Tensor& x) {
    const auto through = [&](Tape* t) {
      return unit(t, third, relu(t, unit(t, second, relu(t, unit(t, first, x)))));
    };
    if (tape == nullptr) {
      const Tensor y = through(nullptr);
      return relu(nullptr, y + (around.empty() ? x : unit(nullptr, around[0], x)));
    }
    Tape main, side;
    const Tensor y = through(&main), z = around.empty() ? x : unit(&side, around[0], x);
    tape->push(
        [main, side](const Tensor& g) mutable { return main.backward(g) + side.backward(g); });
    return relu(tape, y + z);
  }
  Unit first, second, third;
  std::deque<Unit> around;
};

struct Net {
  Net() : stem(3, 64, 7, 2), head({2048, 1000}, kFloat) {
    std::int64_t in = 64, width = 64;
    for (const int count : {3, 4, 6, 3}) {
      for (int i = 0; i < count; ++i, in = 4 * width)
        blocks.emplace_back(in, width, i == 0 && width != 64 ? 2 : 1);
      width *= 2;
    }
  }
  std::vector<Weight*> weights() {
    std::vector<Weight*> all{&head, &stem.weight, &stem.gain};
    for (Bottleneck& b : blocks) {
      for (Unit* u : {&b.first, &b.second, &b.third}) {
        all.push_back(&u->weight);
        all.push_back(&u->gain);
      }
      for (Unit& u : b.around) {
        all.push_back(&u.weight);
        all.push_back(&u.gain);
      }
    }
    return all;
  }
  Tensor features(Tape* tape, const Tensor& x) {
    Tensor y = relu(tape, unit(tape, stem, x));
    const Dims before = y.shape();
    const Dims after{before[0], before[1], before[2] / 2, before[3] / 2};
    if (tape != nullptr)
      tape->push([before](const Tensor&) { return meta(before, kFloat); });  // of the pooling
    y = meta(after, kFloat);
    for (Bottleneck& b : blocks) y = b.forward(tape, y);
    return y;
  }
  Unit stem;
  Weight head;
  std::deque<Bottleneck> blocks;
};

void train(Net& net, std::int64_t batch) {
  Tape tape;
  const Tensor y = net.features(&tape, meta({batch, 3, 224, 224}, kFloat));
  Tensor g;
  {
    const Tensor pooled = y.mean({2, 3});
    const Tensor p = pooled.matmul(net.head.value).softmax(-1);
    net.head.add(pooled.t().matmul(p));
    g = p.matmul(net.head.value.t()).reshape({batch, 2048, 1, 1}).expand(y.shape()) * (1.0 / 49);
  }
  g = tape.backward(std::move(g));
  momentum(net.weights());
}

}  // namespace

void cnn_training() {
  Net net;
  train(net, 64);
  {
    const Tensor y = net.features(nullptr, meta({100, 3, 224, 224}, kFloat));
    const Tensor best = y.mean({2, 3}).matmul(net.head.value).argmax(Axis(-1));
    host_waits();
  }
  train(net, 37);  // the last of an epoch
}

}  // namespace tandem::traces
