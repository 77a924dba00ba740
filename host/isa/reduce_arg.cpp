// Where the greatest and the least elements are: block functions at one SIMD level. Keys
// (kernels/functors/reduction.h) are in a total order, so that any order of comparing gives the
// same.
#include "host/isa/reduce_blocks.h"
#include "host/isa/reduce_level.h"

namespace tandem::host::TANDEM_ISA {

template <class Op, class S>
void arg_tile(const void* a, std::int64_t m, std::int64_t* best_key, std::int64_t* best_index) {
  using Key = typename Op::Key;
  constexpr int group = kGroupBytes / (2 * static_cast<int>(sizeof(Key)));
  constexpr int per_line = kLine / static_cast<int>(sizeof(S));
  const auto* x = static_cast<const S*>(a);
  Key top = fn::IntLimits<Key>::min;
  std::int64_t at = 0;
  const std::int64_t full = m / group * group;
  if (full > 0) {
    Key keys[group], steps[group];
    for (int j = 0; j < group; ++j) {
      keys[j] = Op::key(fn::load_at(x + j));
      steps[j] = 0;
    }
    for (std::int64_t k = group; k < full; k += group) {
      for (int j = 0; j < group; j += per_line) {
        __builtin_prefetch(reinterpret_cast<const char*>(x + k + j) + kAhead);
      }
      const Key step = static_cast<Key>(k);
      for (int j = 0; j < group; ++j) {
        const Key key = Op::key(fn::load_at(x + k + j));
        const bool better = key > keys[j];
        keys[j] = better ? key : keys[j];
        steps[j] = better ? step : steps[j];
      }
    }
    top = keys[0];
    for (int j = 1; j < group; ++j) top = keys[j] > top ? keys[j] : top;
    at = m;
    for (int j = 0; j < group; ++j) {
      const std::int64_t index = static_cast<std::int64_t>(steps[j]) + j;
      at = keys[j] == top && index < at ? index : at;
    }
  }
  for (std::int64_t i = full; i < m; ++i) {
    const Key key = Op::key(fn::load_at(x + i));
    if (key > top) {
      top = key;
      at = i;
    }
  }
  *best_key = static_cast<std::int64_t>(top);
  *best_index = at;
}

template <class Op, class S>
void arg_row(void* key, void* index, const void* a, std::int64_t w, std::int64_t r, bool first,
             const void* next) {
  using Key = typename Op::Key;
  auto* __restrict__ keys = static_cast<Key*>(key);
  auto* __restrict__ at = static_cast<Key*>(index);
  const auto* __restrict__ x = static_cast<const S*>(a);
  if (next != nullptr) {
    const char* p = static_cast<const char*>(next);
    for (std::int64_t i = 0; i < w * static_cast<std::int64_t>(sizeof(S)); i += kLine) {
      __builtin_prefetch(p + i);
    }
  }
  const Key row = static_cast<Key>(r);
  if (first) {
    for (std::int64_t c = 0; c < w; ++c) {
      keys[c] = Op::key(fn::load_at(x + c));
      at[c] = row;
    }
    return;
  }
  for (std::int64_t c = 0; c < w; ++c) {
    const Key k = Op::key(fn::load_at(x + c));
    const bool better = k > keys[c];
    keys[c] = better ? k : keys[c];
    at[c] = better ? row : at[c];
  }
}

template <class Key>
void arg_widen(const void* key, const void* index, std::int64_t w, std::int64_t base,
               std::int64_t* wide_key, std::int64_t* wide_index) {
  const auto* keys = static_cast<const Key*>(key);
  const auto* at = static_cast<const Key*>(index);
  for (std::int64_t c = 0; c < w; ++c) {
    wide_key[c] = static_cast<std::int64_t>(keys[c]);
    wide_index[c] = base + static_cast<std::int64_t>(at[c]);
  }
}

template <class Op, class S>
inline constexpr ArgBlocks kArgBlocks = {sizeof(typename Op::Key), arg_tile<Op, S>, arg_row<Op, S>,
                                         arg_widen<typename Op::Key>};

template <template <class> class F>
struct ArgLookup {
  template <class S>
  const ArgBlocks* operator()() const {
    if constexpr (dtypes::BoolReals.has(dtype_of<S>))
      return &kArgBlocks<F<compute_t<S>>, S>;
    else
      return nullptr;
  }
};

const ArgBlocks* argmax_blocks(DType t) { return visit(t, ArgLookup<fn::ArgMax>{}); }
const ArgBlocks* argmin_blocks(DType t) { return visit(t, ArgLookup<fn::ArgMin>{}); }

}  // namespace tandem::host::TANDEM_ISA
