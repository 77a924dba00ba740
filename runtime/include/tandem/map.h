// tandem::map: a function of the user, applied element by element like any op of the table: inputs
// broadcast and promote, any strides, any dtype. For the host; in a .cu file tandem/cuda.h runs the
// same functor on the device.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "tandem/backend.h"
#include "tandem/stored.h"
#include "tandem/tensor.h"

namespace tandem {

namespace detail {

/// The row of a user's functor: one a functor type. Its name is seen in messages and traces.
template <class F>
const OpRow& map_row(int arity) {
  static const OpRow row{"map",
                         Family::Elementwise,
                         static_cast<std::int8_t>(arity),
                         dtypes::All,
                         Result::Same,
                         0,
                         0,
                         0,
                         "",
                         "a user's function",
                         kNoInPlace};
  return row;
}

/// What runs a launch of the functor on a kind of device, with the functor behind `f`.
using MapRun = void (*)(const ElementwiseLaunch& launch, const void* f);

/// Checks, promotes and broadcasts the inputs like an elementwise op, allocates the result in the
/// dtype that `result` names for the promoted one, and calls `run`. Raises as any op does.
TANDEM_API Tensor map_call(const OpRow& row, const Tensor* const* inputs, int n,
                           DType (*result)(DType), MapRun run, const void* f);

/// How an element of the promoted dtype reaches the functor: in its compute type.
template <class F, class T, std::size_t... K>
auto map_result_of(std::index_sequence<K...>)
    -> decltype(std::declval<const F&>()((static_cast<void>(K), std::declval<compute_t<T>>())...));
/// The element type that holds a result: int64_t for long long, and so on.
template <class R>
struct MapElement {
  using type = R;
};
template <class R>
requires(std::is_integral_v<R> && !std::is_same_v<R, bool>) struct MapElement<R> {
  using wrap = fn::unsigned_t<R>;
  using type = std::conditional_t<
      std::is_unsigned_v<R>, wrap,
      std::conditional_t<
          sizeof(R) == 1, std::int8_t,
          std::conditional_t<sizeof(R) == 2, std::int16_t,
                             std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>>>>;
};

template <class F, class T, int A>
struct MapResult {
  using type =
      typename MapElement<decltype(map_result_of<F, T>(std::make_index_sequence<A>()))>::type;
};

/// Whether the functor takes A elements of T's compute type. Complex elements have no operators of
/// their own: only a functor that says kTakesComplex is asked.
template <class F, class T, std::size_t... K>
constexpr bool map_takes(std::index_sequence<K...>) {
  if constexpr (fn::is_complex_v<T> && !requires { requires F::kTakesComplex; }) {
    return false;
  } else {
    return std::is_invocable_v<const F&, decltype(static_cast<void>(K), compute_t<T>{})...>;
  }
}

/// The dtype of the result for promoted dtype `t`; kCount where the functor does not take it. A
/// functor that gives the compute type of a 16-bit float gives that dtype.
template <class F, int A>
DType map_result(DType t) {
  return visit(t, []<class T>() {
    if constexpr (map_takes<F, T>(std::make_index_sequence<A>())) {
      using R = typename MapResult<F, T, A>::type;
      return fn::same_v<R, compute_t<T>> ? dtype_of<T> : dtype_of<R>;
    } else {
      return DType::kCount;
    }
  });
}

/// Element at a byte offset of an operand, from its storage dtype to T, widened.
template <class T>
compute_t<T> map_load(const OperandDesc& o, std::int64_t at) {
  const char* p = static_cast<const char*>(o.data) + at;
  if (o.dtype == dtype_of<T>) return fn::load_at(reinterpret_cast<const T*>(p));
  return visit(o.dtype, [&]<class S>() {
    return fn::load(fn::cast<T>(fn::element_at(reinterpret_cast<const S*>(p))));
  });
}

template <class F, class T, std::size_t... K>
void map_rows(const ElementwiseLaunch& l, const F& f, std::index_sequence<K...>) {
  using R = typename MapResult<F, T, sizeof...(K)>::type;
  using Out = std::conditional_t<fn::same_v<R, compute_t<T>>, T, R>;
  constexpr std::size_t kAll = sizeof...(K) + 1;
  const bool direct = ((l.operands[K + 1].dtype == dtype_of<T>)&&...);
  const int inner = l.rank - 1;
  const std::int64_t columns = inner < 0 ? 1 : l.shape[inner];
  std::array<std::int64_t, kAll> step{};
  for (std::size_t k = 0; k < kAll && inner >= 0; ++k) step[k] = l.operands[k].strides[inner];
  for (std::int64_t row = 0; row < l.numel / columns; ++row) {
    std::array<std::int64_t, kAll> at{};
    std::int64_t rest = row;
    for (int d = inner - 1; d >= 0; --d) {
      for (std::size_t k = 0; k < kAll; ++k) {
        at[k] += rest % l.shape[d] * l.operands[k].strides[d];
      }
      rest /= l.shape[d];
    }
    char* out = static_cast<char*>(l.operands[0].data) + at[0];
    const char* in[] = {static_cast<const char*>(l.operands[K + 1].data) + at[K + 1]...};
    if (direct) {
      for (std::int64_t i = 0; i < columns; ++i) {
        *reinterpret_cast<Out*>(out + i * step[0]) =
            fn::cast<Out>(f(fn::load_at(reinterpret_cast<const T*>(in[K] + i * step[K + 1]))...));
      }
    } else {
      for (std::int64_t i = 0; i < columns; ++i) {
        *reinterpret_cast<Out*>(out + i * step[0]) =
            fn::cast<Out>(f(map_load<T>(l.operands[K + 1], at[K + 1] + i * step[K + 1])...));
      }
    }
  }
}

template <class F, int A>
void map_host(const ElementwiseLaunch& l, const void* f) {
  visit(l.dtype, [&]<class T>() {
    if constexpr (map_takes<F, T>(std::make_index_sequence<A>())) {
      map_rows<F, T>(l, *static_cast<const F*>(f), std::make_index_sequence<A>());
    }
  });
}

/// The device's run for functor F: tandem/cuda.h supplies it in a file compiled by nvcc.
#if defined(TANDEM_MAP_ON_DEVICE)
template <class F, int A>
struct MapDevice;
#else
template <class F, int A>
struct MapDevice {
  static constexpr MapRun run = nullptr;
};
#endif

template <class F, int A>
void map_any(const ElementwiseLaunch& l, const void* f) {
  if (l.device.is_cpu()) return map_host<F, A>(l, f);
  if constexpr (MapDevice<F, A>::run != nullptr) return MapDevice<F, A>::run(l, f);
  fail<NotImplemented>(
      "[map] expected a function compiled for the device (include tandem/cuda.h in a "
      ".cu file), got tensors on " +
      l.device.str());
}

}  // namespace detail

/// f(x, ...) element by element. `f` is called with elements of the promoted dtype of the inputs
/// (16-bit floats as float; see compute_t; complex ones only where F::kTakesComplex is true) and
/// must be callable as const; the result's dtype is that of what it returns. Raises TypeError where
/// it does not take the promoted dtype. The bits are those of the caller's own compiler flags.
template <class F, class... Tensors>
Tensor map(const F& f, const Tensors&... inputs) {
  constexpr int kArity = static_cast<int>(sizeof...(Tensors));
  static_assert(kArity >= 1 && kArity <= 4, "map takes one to four tensors");
  const Tensor* const all[] = {&inputs...};
  return detail::map_call(detail::map_row<F>(kArity), all, kArity, &detail::map_result<F, kArity>,
                          &detail::map_any<F, kArity>, &f);
}

}  // namespace tandem
