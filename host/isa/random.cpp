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

/// The same where the first word settles nearly every element: the words of many blocks at once.
template <class F, class T>
void sample_settled(const fn::SampleArgs* args, std::uint64_t first, std::int64_t blocks,
                    const void* a, std::int64_t a_step, const void* b, std::int64_t b_step,
                    void* out) {
  constexpr std::int64_t kWordBlocks = 64;
  alignas(64) std::uint32_t words[4 * kWordBlocks];
  alignas(64) T p[4 * kWordBlocks];
  for (std::int64_t begin = 0; begin < blocks; begin += kWordBlocks) {
    const std::int64_t count = begin + kWordBlocks < blocks ? kWordBlocks : blocks - begin;
    const std::int64_t n = count * F::kBlock;
    const T* from = static_cast<const T*>(a) + begin * F::kBlock * a_step;
    T* to = static_cast<T*>(out) + begin * F::kBlock;
    philox_blocks(first + static_cast<std::uint64_t>(begin), count, args->offset, args->seed,
                  words);
    for (std::int64_t i = 0; i < n; ++i) p[i] = from[i * a_step];
    int ties = 0;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
      to[i] = F::first(words[i], p[i]);
      ties += F::ties(words[i], p[i]) ? 1 : 0;
    }
    if (ties > 0) {
      sample<F, T>(args, first + static_cast<std::uint64_t>(begin), count, from, a_step, b, b_step,
                   to);
    }
  }
}

template <class F, class T>
constexpr SampleLoop sample_loop() {
  if constexpr (requires { F::first(std::uint32_t(), T()); })
    return &sample_settled<F, T>;
  else
    return &sample<F, T>;
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
  static const SampleLoops loops{F::kBlock, sample_loop<F, float>(), sample_loop<F, double>()};
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
