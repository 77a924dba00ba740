// Registers the loops of the generator and random rows at one SIMD level.
#include "host/isa/philox.h"
#include "host/registry.h"
#include "kernels/functors/random.h"
#include "tandem/dtype.h"

namespace TANDEM_ISA_NAMESPACE {

template <class F, class T>
void generate(const fn::GeneratorArgs* args, std::uint64_t first, std::int64_t blocks, void* out) {
  constexpr int kBlock = F::template kBlock<T>;
  auto* o = static_cast<compute_t<T>*>(out);
  const fn::GeneratorArgs a = *args;
  for (std::int64_t b = 0; b < blocks; ++b) {
    F().template operator()<T>(first + static_cast<std::uint64_t>(b), a, o + b * kBlock);
  }
}

/// Blocks whose words are made at a time; they stay in the first-level cache.
constexpr std::int64_t kWordBlocks = 256;

/// Makes again what the first draw did not settle; most often there is nothing.
template <class Unit, class T>
void settle(const fn::GeneratorArgs& a, std::uint64_t first, std::int64_t units,
            const std::uint32_t* words, T* out) {
  constexpr int kWords = Unit::template kWords<T>;
  constexpr std::int64_t kGroup = 64;
  for (std::int64_t begin = 0; begin < units; begin += kGroup) {
    const std::int64_t end = begin + kGroup < units ? begin + kGroup : units;
    int open = 0;
#pragma GCC ivdep
    for (std::int64_t u = begin; u < end; ++u) {
      T made;
      open += Unit::template again<T>(words + u * kWords, a, 0, &made) ? 0 : 1;
    }
    for (std::int64_t u = begin; open > 0 && u < end; ++u) {
      T made;
      if (Unit::template again<T>(words + u * kWords, a, 0, &made)) continue;
      --open;
      const std::int64_t word = u * kWords;
      fn::draw_again<Unit, T>(first + static_cast<std::uint64_t>(word / 4),
                              static_cast<int>(word % 4), a, out + u);
    }
  }
}

/// The same for a distribution: the words of many blocks first, then their units.
template <class Unit, class T>
void generate_units(const fn::GeneratorArgs* args, std::uint64_t first, std::int64_t blocks,
                    void* out) {
  constexpr int kWords = Unit::template kWords<T>;
  constexpr int kMakes = Unit::template kMakes<T>;
  constexpr int kUnits = 4 / kWords;
  auto* o = static_cast<compute_t<T>*>(out);
  const fn::GeneratorArgs a = Unit::template prepared<T>(*args);
  alignas(64) std::uint32_t words[4 * kWordBlocks];
  for (std::int64_t b = 0; b < blocks; b += kWordBlocks) {
    const std::int64_t count = b + kWordBlocks < blocks ? kWordBlocks : blocks - b;
    const std::int64_t units = count * kUnits;
    philox_blocks(first + static_cast<std::uint64_t>(b), count, a.offset, a.seed, words);
#pragma GCC ivdep
    for (std::int64_t u = 0; u < units; ++u) {
      Unit::template unit<T>(words + u * kWords, a, o + u * kMakes);
    }
    if constexpr (Unit::kRejects) {
      settle<Unit, T>(a, first + static_cast<std::uint64_t>(b), units, words, o);
    }
    o += units * kMakes;
  }
}

template <class F, class T>
constexpr GenerateLoop generate_loop() {
  if constexpr (requires { typename F::Unit; })
    return &generate_units<typename F::Unit, T>;
  else
    return &generate<F, T>;
}

template <class F, DTypeSet Set>
void add_generator(HostRegistry& r, const char* op) {
#define TANDEM_DTYPE(id, ctype, ...)                                                  \
  if constexpr (Set.has(DType::id)) {                                                 \
    r.generator(op, DType::id, F::template kBlock<ctype>, generate_loop<F, ctype>()); \
  }
#include "tandem/dtypes.def"
}

/// The dtypes that a distribution is computed in.
template <class F>
constexpr DTypeSet made_by() {
  DTypeSet set;
#define TANDEM_DTYPE(id, ctype, ...) \
  if constexpr (F::template makes<ctype>) set = set | DTypeSet(DType::id);
#include "tandem/dtypes.def"
  return set;
}

void register_generator(HostRegistry& r) {
#define TANDEM_GENERATOR(name, functor, dt, ...) add_generator<functor, dtypes::dt>(r, #name);
#include "tandem/ops/generator.def"
#define TANDEM_DRAW(name, fn, functor, ...) add_generator<functor, made_by<functor>()>(r, #name);
#include "tandem/ops/random.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
