// Binds the rows of sorting.def.
#include "host/sorting.h"

namespace tandem::host {

void register_sorting(HostRegistry& r) {
  r.bind("sort", {&launch_sort, nullptr});
  r.bind("unique", {&launch_unique, nullptr});
  r.bind("searchsorted", {&launch_search, nullptr});
  r.bind("bincount", {&launch_count, nullptr});
  r.bind("quantile", {&launch_quantile, nullptr});
  r.bind("mode", {&launch_mode, nullptr});
}

}  // namespace tandem::host
