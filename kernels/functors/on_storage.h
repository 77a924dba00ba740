// Functors whose result depends on how elements are stored, not only on what they are computed in.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

/// The functor that computes F on elements stored as T; F itself unless a specialisation beside F
/// says otherwise.
template <class F, class T>
struct OnStorage {
  using type = F;
};
template <class F, class T>
using on_storage_t = typename OnStorage<F, T>::type;

}  // namespace tandem::fn
