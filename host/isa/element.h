// How loops over elements read and write memory at one SIMD level.
#pragma once

#include "host/registry.h"
#include "tandem/dtype.h"
#include "tandem/stored.h"

namespace TANDEM_ISA_NAMESPACE {

/// The type through which loops read and write elements of T: also, g++ 12 does not vectorise loops
/// that load or store bool itself.
template <class T>
using Element = fn::stored_t<T>;
using fn::value_of;

}  // namespace TANDEM_ISA_NAMESPACE
