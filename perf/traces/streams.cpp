// Programs of several streams, and of many small workspaces.
#include <deque>

#include "perf/traces/layers.h"

namespace tandem::traces {

/// A server: inputs arrive on stream 1, the network runs on stream 0.
void variable_batches() {
  constexpr std::int64_t kWidth = 1536;
  Draw draw(5);
  std::deque<Weight> weights;
  for (int i = 0; i < 6; ++i) {
    weights.emplace_back(Dims{kWidth, 4 * kWidth});
    weights.emplace_back(Dims{4 * kWidth, kWidth});
  }
  std::deque<Tensor> arrived;
  const auto arrive = [&] {
    on_stream(1);
    const std::int64_t batch = draw.between(1, 64), length = draw.between(16, 768);
    arrived.push_back(meta({batch, length, kWidth}, kHalf));
    on_stream(0);
  };
  arrive();
  for (int request = 0; request < 90; ++request) {
    arrive();  // the next one, while this one is worked on
    waits(0, 1);
    uses(arrived.front());
    Tensor x = arrived.front() * 2;
    arrived.pop_front();
    for (std::size_t i = 0; i < weights.size(); i += 2) {
      const Tensor up = gelu(nullptr, x.matmul(weights[i].value));
      x = up.matmul(weights[i + 1].value) + x;
    }
    const Tensor answer = x.mean({1}).to(kFloat);
    if (request % 4 == 3) host_waits();
  }
}

/// The mix that dominates where libraries ask for their workspaces call by call: each is wanted
/// for a moment, of a size of its own, between results that live longer.
void library_workspaces() {
  constexpr std::int64_t kKiB = 1024, kMiB = 1024 * kKiB;
  Draw draw(7);
  std::deque<Tensor> results;
  std::int64_t kept = 0;
  std::vector<Tensor> sticky;  // of the libraries' handles
  for (const std::int64_t mib : {32, 8, 4}) sticky.push_back(workspace(mib * kMiB));
  for (int call = 0; call < 1500; ++call) {
    const std::int64_t n = draw.between(256, 3072);
    Tensor out;
    switch (draw.between(0, 5)) {
      case 0: {  // a product
        out = meta({n, draw.between(64, 4096)}, kFloat);
        const Tensor space = workspace(draw.between(1, 128) * 32 * kKiB);
        break;
      }
      case 1: {  // a factorisation: buffer, pivots, a flag, the matrix itself
        const Tensor matrix = meta({n, n}, kFloat), pivots = meta({n}, dtype_of<std::int32_t>),
                     flag = meta({1}, dtype_of<std::int32_t>);
        const Tensor space = workspace(n * 4 * draw.between(16, 64));
        out = meta({n, draw.between(1, 64)}, kFloat);
        break;
      }
      case 2: {  // a transform
        out = meta({draw.between(1, 64), n}, dtype_of<double>);
        const Tensor space = workspace(out.numel() * 8);
        break;
      }
      case 3: {  // a sort, and a scan of its result
        out = meta({n * 1024}, kFloat);
        const Tensor again = meta({n * 1024}, kFloat);
        const Tensor space = workspace(draw.between(256, 64 * kKiB));
        const Tensor state = workspace(draw.between(1, 16) * 767);
        break;
      }
      case 4: {  // a reduction: partial results
        const Tensor space = workspace(draw.between(1, 4096));
        out = meta({draw.between(1, 512)}, kFloat);
        break;
      }
      default: {  // a sparse product
        const Tensor space = workspace(draw.between(kKiB, 2 * kMiB));
        out = meta({n, draw.between(1, 128)}, kFloat);
        break;
      }
    }
    results.push_back(out);
    for (kept = draw.between(20, 120); static_cast<std::int64_t>(results.size()) > kept;)
      results.erase(results.begin() +
                    draw.between(0, 7) % static_cast<std::int64_t>(results.size()));
    if (call % 100 == 99) host_waits();
  }
}

/// Pictures: read on stream 1, worked on on stream 0, written on stream 2.
void pictures() {
  Draw draw(11);
  std::deque<Tensor> read, written;
  for (int i = 0; i < 220; ++i) {
    on_stream(1);
    const std::int64_t h = draw.between(720, 4320), w = draw.between(1280, 7680);
    read.push_back(meta({h, w, 3}, dtype_of<std::uint8_t>));
    on_stream(0);
    if (read.size() < 3) continue;
    const Tensor bytes = read.front();
    read.pop_front();
    waits(0, 1);
    uses(bytes);
    const Tensor x = (bytes.to(kFloat) * (1.0 / 255)).permute({2, 0, 1}).contiguous();
    const Tensor grey = x.mean({0});
    const Tensor edges =
        (grey.narrow(0, 1, grey.size(0) - 1) - grey.narrow(0, 0, grey.size(0) - 1)).abs();
    const Tensor histogram = meta({256}, kLong);
    const Tensor small = x.slice(1, {}, {}, 2).slice(2, {}, {}, 2).contiguous();
    const Tensor out = (small * 255).to(dtype_of<std::uint8_t>);
    waits(2, 0);
    on_stream(2);
    uses(out);
    written.push_back(out);
    const Tensor code = workspace(out.numel() / 4 + 4096);  // of the encoder
    if (written.size() > 4) written.pop_front();
    on_stream(0);
    if (i % 16 == 15) host_waits();
  }
}

}  // namespace tandem::traces
