// How elements are read from memory. Where fn.h has what a functor computes with, this has what
// hands it its arguments.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

// Note [Bytes of bool]
// Memory of bool may come from elsewhere (another library, a view of uint8) and hold any byte.
// Every byte but 0 is true, as in PyTorch: elements are read through these, because a compiler
// takes it that a bool is 0 or 1. What computes gives 0 or 1; what moves elements may keep their
// bytes.
template <class T>
struct Stored {
  using type = T;
};
template <>
struct Stored<bool> {
  using type = std::uint8_t;
};
/// The type in which elements of T lie in memory.
template <class T>
using stored_t = typename Stored<T>::type;

template <class T>
TANDEM_FN T value_of(stored_t<T> x) {
  if constexpr (is_bool_v<T>) {
    return x != 0;
  } else {
    return x;
  }
}

/// The element at p, and the same widened to its compute type.
template <class T>
TANDEM_FN T element_at(const T* p) {
  return value_of<T>(*reinterpret_cast<const stored_t<T>*>(p));
}
template <class T>
TANDEM_FN compute_t<T> load_at(const T* p) {
  return load(element_at(p));
}

}  // namespace tandem::fn
