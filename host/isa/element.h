// How loops over elements read and write memory at one SIMD level.
#pragma once

#include "host/registry.h"
#include "tandem/dtype.h"

namespace TANDEM_ISA_NAMESPACE {

template <class T>
struct InMemory {
  using type = T;
};
/// g++ 12 does not vectorise loops that load or store bool itself.
template <>
struct InMemory<bool> {
  using type = std::uint8_t;
};

/// The type through which loops read and write elements of T.
template <class T>
using Element = typename InMemory<T>::type;

template <class T>
TANDEM_FN T value_of(Element<T> x) {
  if constexpr (fn::same_v<T, bool>)
    return x != 0;
  else
    return x;
}

}  // namespace TANDEM_ISA_NAMESPACE
