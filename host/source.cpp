// Users' elementwise kernels (runtime/source) on the host's threads.
#include "host/parallel.h"
#include "runtime/dispatch/host_backend.h"

namespace tandem::detail {

void run_source_on_host(void (*f)(const SourceArgs*, std::int64_t, std::int64_t),
                        const SourceArgs& args, std::int64_t n) {
  constexpr std::int64_t kGrain = 8192;  // elements that are worth a thread
  host::parallel_for(n, kGrain,
                     [&](std::int64_t first, std::int64_t last) { f(&args, first, last); });
}

}  // namespace tandem::detail
