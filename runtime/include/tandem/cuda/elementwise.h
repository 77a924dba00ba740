// Elementwise kernels for any functor: dense operands, dense rows with broadcasting, and any
// strides with casts. Used by libtandem_cuda for the op table and by tandem::map for users'
// functors.
//
// Note [Three kernels]
// flat: operands dense in one order and stored as the functor sees them. 16-byte loads and stores,
// 32 bytes of each operand a thread in flight: with 4 blocks of 256 threads 32 KiB a
// multiprocessor, above the 25 KiB that HBM's latency asks for. rows: the innermost dimension is
// dense or broadcast in every operand, outer dimensions are free. The same loads, with one index
// calculation for a vector. general: any strides, any storage dtypes; two elements a thread,
// neighbours in neighbouring lanes. All loops are grid-strided. A launch of more than 2^30 elements
// is cut along its outermost dimension, so that index arithmetic is 32 bits wide and offsets
// are 64.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>
#include <utility>

#include "tandem/backend.h"
#include "tandem/cuda/access.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"
#include "tandem/stored.h"

namespace tandem::cuda {

inline constexpr unsigned kThreads = 256;

/// The storage type of input K of functor F in dtype T: T, unless the functor says otherwise.
template <class F, class T, int K>
struct InputType {
  using type = T;
};
template <class F, class T, int K>
using input_t = typename InputType<F, T, K>::type;
template <class F, class T, int K>
using input_compute_t = compute_t<input_t<F, T, K>>;

/// Out of line: a functor's rare slow part is compiled once a kernel, not once an element.
template <class F, class... C>
__device__ __noinline__ auto apply_slow(C... x) {
  return F()(x...);
}

/// Calls the functor on compute values. One with a fast part (see kernels/functors/unary.h) runs
/// the slow one only where the argument needs it: the bits are the same.
template <class F, class... C>
__device__ __forceinline__ auto apply(const F& f, C... x) {
  if constexpr ((fn::is_real_float_v<C> && ...) && requires { F::fast(x...); }) {
    return F::needs_slow(x...) ? apply_slow<F>(x...) : F::fast(x...);
  } else {
    return f(x...);
  }
}

template <class F, class T, class Ks>
struct Signature;
template <class F, class T, int... K>
struct Signature<F, T, std::integer_sequence<int, K...>> {
  using result = decltype(std::declval<const F&>()(std::declval<input_compute_t<F, T, K>>()...));
  /// How the result is stored when nothing casts it: in T where the functor computes T's own type.
  using output = std::conditional_t<fn::same_v<result, compute_t<T>>, T, result>;
  static constexpr std::size_t widest() {
    std::size_t w = sizeof(output);
    ((w = sizeof(input_t<F, T, K>) > w ? sizeof(input_t<F, T, K>) : w), ...);
    return w;
  }
  /// Elements of a 16-byte vector of the widest operand, and vectors a thread has in flight.
  static constexpr int V = static_cast<int>(16 / widest());
  static constexpr int U = V <= 4 ? 2 : 1;
};
template <class F, class T, int A>
using signature_t = Signature<F, T, std::make_integer_sequence<int, A>>;

/// How a kernel gets V neighbours: one vector, one by one, one element for all, or a number.
enum class Access : std::uint8_t { Vector, Elements, Broadcast, Number };

template <int A>
struct FlatParams {
  std::int64_t count;
  char* data[A + 1];  // output first
  ScalarBits number[A + 1];
  Access access[A + 1];
};

template <int A>
struct RowsParams {
  FlatParams<A> flat;   // count: elements of a row
  std::uint32_t units;  // groups of V in all rows
  FastDiv units_per_row;
  Offsets<A + 1> rows;
};

template <int A>
struct GeneralParams {
  std::uint32_t count;
  char* data[A + 1];
  ScalarBits number[A + 1];
  bool is_number[A + 1];
  ElementCast cast[A + 1];
  Offsets<A + 1> offsets;
};

/// V elements from `p`, of which the first `left` exist.
template <class S, int V>
__device__ __forceinline__ void load_vector(compute_t<S> (&r)[V], const char* p, Access access,
                                            const ScalarBits& number, std::int64_t left) {
  if (access == Access::Vector && left >= V) {
    using M = fn::stored_t<S>;
    const Vec<M, V> v = *reinterpret_cast<const Vec<M, V>*>(p);
#pragma unroll
    for (int k = 0; k < V; ++k) r[k] = fn::load(fn::value_of<S>(v.at[k]));
  } else if (access == Access::Number) {
#pragma unroll
    for (int k = 0; k < V; ++k) r[k] = scalar_value<compute_t<S>>(number);
  } else {
    const S* s = reinterpret_cast<const S*>(p);
    const int step = access == Access::Broadcast ? 0 : 1;
#pragma unroll
    for (int k = 0; k < V; ++k) r[k] = k < left ? fn::load_at(s + k * step) : compute_t<S>{};
  }
}

template <class S, int V, class R>
__device__ __forceinline__ void store_vector(const R (&r)[V], char* p, Access access,
                                             std::int64_t left) {
  if (access == Access::Vector && left >= V) {
    Vec<S, V> v;
#pragma unroll
    for (int k = 0; k < V; ++k) v.at[k] = fn::cast<S>(r[k]);
    *reinterpret_cast<Vec<S, V>*>(p) = v;
  } else {
    S* s = reinterpret_cast<S*>(p);
#pragma unroll
    for (int k = 0; k < V; ++k) {
      if (k < left) s[k] = fn::cast<S>(r[k]);
    }
  }
}

/// The compute values of one input and of all inputs of a thread.
template <class C, int K, int U, int V>
struct InputValues {
  C at[U][V];
};
template <class F, class T, int U, int V, class Ks>
struct AllValues;
template <class F, class T, int U, int V, int... K>
struct AllValues<F, T, U, V, std::integer_sequence<int, K...>>
    : InputValues<input_compute_t<F, T, K>, K, U, V>... {
  template <int J>
  __device__ __forceinline__ auto& input() {
    return static_cast<InputValues<input_compute_t<F, T, J>, J, U, V>&>(*this).at;
  }
};

/// A thread's share: U groups of V elements. Every load stands before the first use, so that they
/// are in flight together; `at` and `left` give each group's offsets and size (0: none).
template <class F, class T, int A, int... K>
__device__ __forceinline__ void compute_groups(
    const FlatParams<A>& p, const std::int64_t (&at)[signature_t<F, T, A>::U][A + 1],
    const std::int64_t (&left)[signature_t<F, T, A>::U], std::integer_sequence<int, K...> ks) {
  using Sig = signature_t<F, T, A>;
  constexpr int U = Sig::U;
  constexpr int V = Sig::V;
  AllValues<F, T, U, V, std::remove_const_t<decltype(ks)>> in;
#pragma unroll
  for (int u = 0; u < U; ++u) {
    (load_vector<input_t<F, T, K>, V>(in.template input<K>()[u], p.data[K + 1] + at[u][K + 1],
                                      p.access[K + 1], p.number[K + 1], left[u]),
     ...);
  }
#pragma unroll
  for (int u = 0; u < U; ++u) {
    typename Sig::result r[V];
#pragma unroll
    for (int k = 0; k < V; ++k) r[k] = apply(F(), in.template input<K>()[u][k]...);
    store_vector<typename Sig::output, V>(r, p.data[0] + at[u][0], p.access[0], left[u]);
  }
}

/// Byte step of element `i` of each operand of a dense launch; 0 for one without memory.
template <class F, class T, int A, int... K>
__device__ __forceinline__ void dense_offsets(std::int64_t (&at)[A + 1], const Access* access,
                                              std::int64_t i, std::integer_sequence<int, K...>) {
  at[0] += i * static_cast<int>(sizeof(typename signature_t<F, T, A>::output));
  ((at[K + 1] +=
    access[K + 1] >= Access::Broadcast ? 0 : i * static_cast<int>(sizeof(input_t<F, T, K>))),
   ...);
}

// Occupancy: 4 blocks of 256 threads; cheap functors get 8.
template <class F, class T, int A>
__global__ void __launch_bounds__(kThreads) flat_kernel(const __grid_constant__ FlatParams<A> p) {
  using Sig = signature_t<F, T, A>;
  constexpr int U = Sig::U;
  constexpr int V = Sig::V;
  constexpr std::int64_t kChunk = std::int64_t(kThreads) * U * V;
  const auto ks = std::make_integer_sequence<int, A>();
  for (std::int64_t base = blockIdx.x * kChunk; base < p.count; base += gridDim.x * kChunk) {
    std::int64_t at[U][A + 1];
    std::int64_t left[U];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      const std::int64_t i = base + (u * kThreads + threadIdx.x) * V;
      left[u] = p.count - i;
#pragma unroll
      for (int k = 0; k <= A; ++k) at[u][k] = 0;
      dense_offsets<F, T, A>(at[u], p.access, i, ks);
    }
    compute_groups<F, T, A>(p, at, left, ks);
  }
}

// Occupancy: 3 blocks of 256 threads.
template <class F, class T, int A>
__global__ void __launch_bounds__(kThreads) rows_kernel(const __grid_constant__ RowsParams<A> p) {
  using Sig = signature_t<F, T, A>;
  constexpr int U = Sig::U;
  const auto ks = std::make_integer_sequence<int, A>();
  const std::uint32_t step = gridDim.x * kThreads * U;
  for (std::uint32_t base = blockIdx.x * kThreads * U; base < p.units; base += step) {
    std::int64_t at[U][A + 1];
    std::int64_t left[U];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      const std::uint32_t unit = base + u * kThreads + threadIdx.x;
      const std::uint32_t row = p.units_per_row.div(unit);
      const std::int64_t i =
          static_cast<std::int64_t>(unit - row * p.units_per_row.divisor) * Sig::V;
      left[u] = unit < p.units ? p.flat.count - i : 0;
      p.rows.get(row, at[u]);
      dense_offsets<F, T, A>(at[u], p.flat.access, i, ks);
    }
    compute_groups<F, T, A>(p.flat, at, left, ks);
  }
}

/// Two elements a thread: `index[e]` is valid below p.count.
template <class F, class T, int A, int... K>
__device__ __forceinline__ void compute_general(const GeneralParams<A>& p, const F& f,
                                                std::uint32_t first, std::uint32_t second,
                                                std::integer_sequence<int, K...> ks) {
  constexpr int E = 2;
  using Sig = signature_t<F, T, A>;
  const bool valid[E] = {first < p.count, second < p.count};
  std::int64_t of_first[A + 1];
  std::int64_t of_second[A + 1];
  p.offsets.get(first, of_first);
  p.offsets.get(valid[1] ? second : first, of_second);
  AllValues<F, T, 1, E, std::remove_const_t<decltype(ks)>> in;
  (
      [&] {
        using C = input_compute_t<F, T, K>;
        C(&r)[E] = in.template input<K>()[0];
        if (p.is_number[K + 1]) {
          r[0] = r[1] = wrap_to(scalar_value<C>(p.number[K + 1]), p.cast[K + 1]);
        } else {
          const std::int64_t at[E] = {of_first[K + 1], of_second[K + 1]};
          load_cast<C, E>(r, p.data[K + 1], at, p.cast[K + 1]);
        }
      }(),
      ...);
  typename Sig::result r[E];
#pragma unroll
  for (int e = 0; e < E; ++e) r[e] = apply(f, in.template input<K>()[0][e]...);
  const std::int64_t at[E] = {of_first[0], of_second[0]};
  store_cast<typename Sig::result, E>(r, p.data[0], at, valid, p.cast[0]);
}

/// T stands for every dtype of one wide type: the kernel dtypes come with the parameters.
// Occupancy: 3 blocks of 256 threads.
template <class F, class T, int A>
__global__ void __launch_bounds__(kThreads)
    general_kernel(const __grid_constant__ GeneralParams<A> p) {
  const auto ks = std::make_integer_sequence<int, A>();
  const std::uint32_t step = gridDim.x * kThreads * 2;
  for (std::uint32_t i = blockIdx.x * kThreads * 2 + threadIdx.x; i < p.count; i += step) {
    compute_general<F, T, A>(p, F(), i, i + kThreads, ks);
  }
}

/// The kernels of a functor in a dtype, and what decides between them.
template <int A>
struct ElementwiseEntry {
  void (*flat)(FlatParams<A>) = nullptr;
  void (*rows)(RowsParams<A>) = nullptr;
  void (*general)(GeneralParams<A>) = nullptr;
  int vector = 0, unroll = 0;
  DType storage[A + 1] = {};  // of flat and rows, output first
};

/// G is the type that the casting kernel computes in: wide_t where F gives the same bits in it.
template <class F, class T, int A, class G = compute_t<T>, int... K>
ElementwiseEntry<A> make_entry(std::integer_sequence<int, K...>) {
  using Sig = signature_t<F, T, A>;
  return {&flat_kernel<F, T, A>,
          &rows_kernel<F, T, A>,
          &general_kernel<F, G, A>,
          Sig::V,
          Sig::U,
          {dtype_of<typename Sig::output>, dtype_of<input_t<F, T, K>>...}};
}

}  // namespace tandem::cuda
