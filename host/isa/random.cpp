// Registers the loops of the random rows whose parameters are tensors, at one SIMD level.
#include "host/random.h"

#include "host/isa/philox.h"
#include "host/registry.h"

namespace TANDEM_ISA_NAMESPACE {

namespace {

template <class F, class T>
void sample(const fn::SampleArgs* args, std::uint64_t first, std::int64_t blocks, const void* a,
            std::int64_t a_step, const void* b, std::int64_t b_step, void* out) {
  constexpr int kBlock = F::kBlock;
  const auto* from_a = static_cast<const T*>(a);
  const auto* from_b = static_cast<const T*>(b);
  auto* to = static_cast<T*>(out);
  const fn::SampleArgs copy = *args;
  for (std::int64_t i = 0; i < blocks; ++i) {
    T p[kBlock];
    T q[kBlock];
    for (int k = 0; k < kBlock; ++k) {
      p[k] = from_a[(i * kBlock + k) * a_step];
      q[k] = from_b[(i * kBlock + k) * b_step];
    }
    F()(first + static_cast<std::uint64_t>(i), copy, p, q, to + i * kBlock);
  }
}

template <class T>
void race(const fn::SampleArgs* args, std::uint64_t first, std::int64_t n, const void* weights,
          double* out) {
  const auto* w = static_cast<const T*>(weights);
  const fn::SampleArgs copy = *args;
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = fn::race_time(first + static_cast<std::uint64_t>(i), static_cast<double>(w[i]), copy);
  }
}

template <class F>
const SampleLoops& sample_loops() {
  static const SampleLoops loops{F::kBlock, &sample<F, float>, &sample<F, double>};
  return loops;
}

}  // namespace

void register_random(HostRegistry& r) {
#define TANDEM_SAMPLE(name, fn, functor, ...) \
  r.bind(#name, Kernel{&launch_sample, &sample_loops<functor>()});
#include "tandem/ops/random.def"
  static const RaceLoops races{&race<float>, &race<double>};
  static const WordsLoops words{&philox_blocks};
  r.bind("multinomial", Kernel{&launch_multinomial, &races});
  r.bind("randperm", Kernel{&launch_permutation, &words});
}

}  // namespace TANDEM_ISA_NAMESPACE
