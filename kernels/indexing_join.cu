// Values that meet in one element are joined from the left, in the order of their positions: runs
// of sorted words, a thread for each run and each inner element. Loads of a run's values are in
// flight together; the joins are in order.
#include "kernels/cuda/indexing.h"
#include "kernels/functors/accumulate.h"
#include "tandem/cuda/access.h"

namespace tandem::cuda {

namespace {

struct JoinParams {
  char* x;
  const char* values;  // null: one number
  const std::uint64_t* words;
  std::int64_t elements, positions;
  WordFormat format;
  WideOffsets<3> at;         // x, values, word: over outer, words and inner elements
  WideOffsets<1> of_values;  // over the positions
  ElementCast cast;
  IndexMode mode;
  bool include_self, scaled;
  ScalarBits alpha, number;
};

template <class C>
__device__ __forceinline__ C join(IndexMode mode, C a, C b) {
  if (mode == IndexMode::Times) return fn::Mul()(a, b);
  if constexpr (!fn::is_complex_v<C>) {
    if (mode == IndexMode::Greatest) return fn::Maximum()(a, b);
    if (mode == IndexMode::Least) return fn::Minimum()(a, b);
  }
  return fn::Add()(a, b);
}

// Occupancy: 2 blocks of 256 threads.
template <class C>
__global__ void __launch_bounds__(kThreads) join_kernel(const __grid_constant__ JoinParams p) {
  constexpr int E = 4;
  const C alpha = scalar_value<C>(p.alpha);
  const C number = scalar_value<C>(p.number);
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t u = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; u < p.elements;
       u += step) {
    std::int64_t at[3];
    p.at.get(static_cast<std::uint64_t>(u), at);
    const std::int64_t first = at[2];
    const std::uint64_t run = p.format.number(p.words[first]);
    if (run > p.format.most) continue;
    if (first > 0 && p.format.number(p.words[first - 1]) == run) continue;  // not a run's first
    char* target = p.x + p.format.place(run) + at[0];
    const std::int64_t none[1] = {0};
    C acc[1];
    load_cast<C, 1>(acc, target, none, p.cast);
    bool begun = p.include_self;
    std::int64_t k = first;
    for (bool more = true; more; k += more ? E : 0) {
      std::int64_t from[E];
      bool valid[E];
      int count = 0;
#pragma unroll
      for (int e = 0; e < E; ++e) {
        valid[e] = more && k + e < p.positions && p.format.number(p.words[k + e]) == run;
        more = valid[e];
        count += valid[e] ? 1 : 0;
        std::int64_t of[1] = {0};
        if (valid[e]) p.of_values.get(p.format.position(p.words[k + e]), of);
        from[e] = valid[e] ? at[1] + of[0] : at[1];
      }
      C v[E];
      if (p.values == nullptr) {
#pragma unroll
        for (int e = 0; e < E; ++e) v[e] = number;
      } else {
        load_cast<C, E>(v, p.values, from, p.cast);
      }
#pragma unroll
      for (int e = 0; e < E; ++e) {
        if (!valid[e]) continue;
        const C value = p.scaled ? fn::Mul()(v[e], alpha) : v[e];
        acc[0] = begun ? join(p.mode, acc[0], value) : value;
        begun = true;
      }
      if (!more) k += count;
    }
    if (p.mode == IndexMode::Average) {
      acc[0] = fn::mean_of(acc[0], k - first + (p.include_self ? 1 : 0));
    }
    const bool yes[1] = {true};
    store_cast<C, 1>(acc, target, none, yes, p.cast);
  }
}

/// The dtypes of IndexLaunch::computed.
template <class S>
inline constexpr bool is_computed_v = fn::is_int_v<S> ? sizeof(S) == 8
                                                      : !fn::is_bool_v<S> && !fn::is_half_v<S>;

template <class F>
cudaError_t by_computed(DType t, const F& f) {
  return visit(t, [&]<class S>() {
    if constexpr (is_computed_v<S>) return f.template operator()<S>();
    return cudaErrorInvalidValue;
  });
}

/// The launch's number in the compute type.
ScalarBits number_of(const IndexLaunch& l) {
  ScalarBits bits{};
  visit(l.x.dtype, [&]<class T>() {
    T v;
    __builtin_memcpy(&v, l.value, sizeof v);
    visit(l.computed, [&]<class S>() {
      const auto c = fn::cast<compute_t<S>>(v);
      __builtin_memcpy(&bits, &c, sizeof c);
    });
  });
  return bits;
}

}  // namespace

void launch_join(const IndexLaunch& l, const Places& places) {
  JoinParams p;
  p.x = static_cast<char*>(l.x.data);
  p.values = static_cast<const char*>(l.other.data);
  p.words = places.data();
  p.positions = l.positions;
  p.elements = l.outer * l.positions * l.inner;
  p.format = places.format();
  // Half types are stored as they are, and not rounded in between.
  p.cast = element_cast(l.x.dtype, l.computed);
  p.mode = l.mode;
  p.include_self = l.include_self;
  p.scaled = l.scaled;
  p.alpha = l.alpha;
  p.number = number_of(l);
  const int begin = l.rank_outer;
  const int end = begin + l.rank_positions;
  const auto both = [&](int d, std::int64_t(&s)[3]) {
    s[0] = l.x.strides[d];
    s[1] = l.other.strides[d];
    s[2] = 0;
  };
  push_dims(p.at, l.shape, end, l.rank(), both);
  p.at.strides[p.at.rank][0] = p.at.strides[p.at.rank][1] = 0;
  p.at.strides[p.at.rank][2] = 1;
  p.at.push(l.positions);
  push_dims(p.at, l.shape, 0, begin, both);
  push_dims(p.of_values, l.shape, begin, end,
            [&](int d, std::int64_t(&s)[1]) { s[0] = l.other.strides[d]; });
  check(by_computed(l.computed,
                    [&]<class C>() {
                      return launch(&join_kernel<C>,
                                    grid_for((p.elements + kThreads - 1) / kThreads), kThreads, p,
                                    l.device, l.stream);
                    }),
        l.row->name);
}

}  // namespace tandem::cuda
