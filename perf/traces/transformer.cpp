// A decoder: training steps, and tokens one by one with a cache that grows.
#include <deque>

#include "perf/traces/layers.h"

namespace tandem::traces {
namespace {

struct Sizes {
  std::int64_t layers, width, heads, words;
  std::int64_t head() const { return width / heads; }
};

struct Layer {
  explicit Layer(const Sizes& s)
      : qkv({s.width, 3 * s.width}),
        out({s.width, s.width}),
        up({s.width, 4 * s.width}),
        down({4 * s.width, s.width}),
        gain1({s.width}),
        gain2({s.width}) {}
  Weight qkv, out, up, down, gain1, gain2;
};

struct Model {
  explicit Model(const Sizes& s) : sizes(s), words({s.words, s.width}), gain({s.width}) {
    for (std::int64_t i = 0; i < s.layers; ++i) layers.emplace_back(s);
  }
  std::vector<Weight*> weights() {
    std::vector<Weight*> all{&words, &gain};
    for (Layer& l : layers) {
      for (Weight* w : {&l.qkv, &l.out, &l.up, &l.down, &l.gain1, &l.gain2}) all.push_back(w);
    }
    return all;
  }
  Sizes sizes;
  Weight words, gain;
  std::deque<Layer> layers;
};

/// [batch, time, width] as [batch, heads, time, head].
Tensor by_head(const Tensor& x, const Sizes& s) {
  return x.reshape({x.size(0), x.size(1), s.heads, s.head()}).transpose(1, 2);
}
Tensor by_time(const Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

Tensor attention(Tape* tape, const Sizes& s, const Tensor& x) {
  const Tensor q = by_head(x.narrow(-1, 0, s.width), s),
               k = by_head(x.narrow(-1, s.width, s.width), s),
               v = by_head(x.narrow(-1, 2 * s.width, s.width), s);
  const Tensor p = (q.matmul(k.transpose(-2, -1)) * 0.125).softmax(-1);
  tape->push([q, k, v, p](const Tensor& g) {
    const Tensor heads = g.reshape({g.size(0), g.size(1), p.size(1), q.size(3)}).transpose(1, 2);
    const Tensor dv = p.transpose(-2, -1).matmul(heads);
    const Tensor dp = heads.matmul(v.transpose(-2, -1));
    const Tensor ds = (dp - (dp * p).sum({-1}, true)) * p * 0.125;
    return cat({by_time(ds.matmul(k)), by_time(ds.transpose(-2, -1).matmul(q)), by_time(dv)}, -1);
  });
  return by_time(p.matmul(v));
}

Tensor block(Tape* tape, const Sizes& s, Layer& l, const Tensor& x) {
  const Tensor y = residual(tape, x, [&](Tape* t, const Tensor& in) {
    return linear(t, l.out, attention(t, s, linear(t, l.qkv, layer_norm(t, l.gain1, in))));
  });
  return residual(tape, y, [&](Tape* t, const Tensor& in) {
    return linear(t, l.down, gelu(t, linear(t, l.up, layer_norm(t, l.gain2, in))));
  });
}

void train(Model& m, std::int64_t batch, std::int64_t time) {
  const Tensor ids = meta({batch * time}, kLong), wanted = meta({batch * time, 1}, kLong);
  Tape tape;
  Tensor x = index_select(m.words.value, 0, ids).reshape({batch, time, m.sizes.width});
  for (Layer& l : m.layers) x = block(&tape, m.sizes, l, x);
  x = layer_norm(&tape, m.gain, x);
  Tensor g;
  {
    const Tensor logits = rows_of(x).matmul(m.words.value.t()).to(kFloat);
    const Tensor log_p = logits.log_softmax(-1);
    const Tensor loss = gather(log_p, -1, wanted).mean();
    const Tensor dlogits = (log_p.exp() * (1.0 / 8192)).to(kHalf);
    m.words.add(dlogits.t().matmul(rows_of(x)));
    g = dlogits.matmul(m.words.value).reshape({batch, time, m.sizes.width});
    host_waits();  // the loss is printed
  }
  x = Tensor();
  g = tape.backward(std::move(g));
  adam(m.weights());
}

}  // namespace

void transformer_training() {
  Model m({12, 1024, 16, 32000});
  for (int step = 0; step < 2; ++step) train(m, 8, 1024);
}

void transformer_inference() {
  const Sizes s{8, 4096, 32, 32000};
  constexpr std::int64_t kBatch = 16, kPrompt = 500, kTokens = 24;
  Model m(s);
  std::vector<Tensor> keys, values;
  for (std::int64_t i = 0; i < s.layers; ++i) {
    keys.push_back(meta({kBatch, s.heads, kPrompt, s.head()}, kHalf));
    values.push_back(meta({kBatch, s.heads, kPrompt, s.head()}, kHalf));
  }
  Tensor ids = meta({kBatch}, kLong);
  for (std::int64_t token = 0; token < kTokens; ++token) {
    Tensor x = index_select(m.words.value, 0, ids).reshape({kBatch, 1, s.width});
    for (std::size_t i = 0; i < m.layers.size(); ++i) {
      Layer& l = m.layers[i];
      const auto attend = [&](Tape*, const Tensor& in) {
        const Tensor qkv = linear(nullptr, l.qkv, in.to(kHalf) * l.gain1.value);
        keys[i] = cat({keys[i], by_head(qkv.narrow(-1, s.width, s.width), s)}, 2);
        values[i] = cat({values[i], by_head(qkv.narrow(-1, 2 * s.width, s.width), s)}, 2);
        const Tensor q = by_head(qkv.narrow(-1, 0, s.width), s);
        const Tensor p = q.matmul(keys[i].transpose(-2, -1)).softmax(-1);
        return linear(nullptr, l.out, by_time(p.matmul(values[i])));
      };
      x = residual(nullptr, x, attend);
      x = residual(nullptr, x, [&](Tape*, const Tensor& in) {
        return linear(nullptr, l.down, linear(nullptr, l.up, in * l.gain2.value).relu());
      });
    }
    ids = x.reshape({kBatch, s.width}).matmul(m.words.value.t()).argmax(Axis(-1));
    host_waits();  // the token is looked at
  }
}

}  // namespace tandem::traces
