// What the host's sorting, searching and counting share. Internal to host/.
#pragma once

#include <cstdint>

#include "host/parallel.h"
#include "host/registry.h"
#include "kernels/functors/sorting.h"
#include "tandem/backend/sorting.h"
#include "tandem/backend/units.h"

namespace tandem::host {

inline fn::KeyRule key_rule_of(DType t) {
  return visit(t, []<class T>() {
    if constexpr (fn::is_complex_v<T>) {
      return fn::KeyRule{};  // the front-ends refuse complex numbers
    } else {
      return fn::key_rule<T>();
    }
  });
}

/// Calls f.operator()<U>() with the unsigned type of an element's width.
template <class F>
decltype(auto) by_width(DType t, F&& f) {
  return with_unit<std::uint64_t>(element_size(t), f);
}

/// Elements below which a part is not worth a thread.
inline constexpr std::int64_t kSortGrain = 16384;

void launch_sort(const void* desc, const void* self);
void launch_unique(const void* desc, const void* self);
void launch_search(const void* desc, const void* self);
void launch_count(const void* desc, const void* self);
void launch_quantile(const void* desc, const void* self);
void launch_mode(const void* desc, const void* self);

/// Binds the rows of sorting.def that have kernels.
void register_sorting(HostRegistry& r);

}  // namespace tandem::host
