// Chooses the SIMD level and binds its kernels.
#include "host/registry.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "host/fft_library.h"
#include "host/launchers.h"
#include "host/sorting.h"
#include "runtime/dispatch/host_backend.h"
#include "runtime/dispatch/registry.h"
#include "runtime/memory/fork.h"
#include "tandem/op_table.h"

namespace tandem::host {

// The registration functions of a level, one a file of host/isa that is not another's part.
// clang-format off
#define TANDEM_REGISTERED(X) \
  X(elementwise) \
  X(cast) \
  X(places) \
  X(generator) \
  X(reduce) \
  X(weighted) \
  X(vector_product) \
  X(random) \
  X(scan) \
  X(fft) \
  X(gemm) \
  X(small_product) \
  X(small) \
  X(small_qr) \
  X(lu) \
  X(small_spectral) \
  X(secular) \
  X(reflectors)
// clang-format on
#define TANDEM_DECLARE(name) void register_##name(HostRegistry&);
#define TANDEM_CALL(name) register_##name(r);
#define TANDEM_REGISTRATIONS(level)                                            \
  namespace level {                                                            \
  TANDEM_REGISTERED(TANDEM_DECLARE)                                            \
  inline void register_all(HostRegistry& r) { TANDEM_REGISTERED(TANDEM_CALL) } \
  }
TANDEM_REGISTRATIONS(baseline)
#if defined(TANDEM_HAS_V3)
TANDEM_REGISTRATIONS(v3)
#endif
#if defined(TANDEM_HAS_V4)
TANDEM_REGISTRATIONS(v4)
#endif
#undef TANDEM_REGISTRATIONS
#undef TANDEM_REGISTERED
#undef TANDEM_DECLARE
#undef TANDEM_CALL

namespace {

struct Level {
  const char* name;
  bool usable;
  void (*register_all)(HostRegistry&);
};

/// From the highest down; the first usable one that TANDEM_SIMD does not forbid is taken.
Level choose_level() {
#if defined(TANDEM_HAS_V3) || defined(TANDEM_HAS_V4)
  __builtin_cpu_init();
#endif
  const Level levels[] = {
#if defined(TANDEM_HAS_V4)
    {"v4", __builtin_cpu_supports("x86-64-v4") != 0, &v4::register_all},
#endif
#if defined(TANDEM_HAS_V3)
    {"v3", __builtin_cpu_supports("x86-64-v3") != 0, &v3::register_all},
#endif
    {"baseline", true, &baseline::register_all}
  };
  const char* asked = std::getenv("TANDEM_SIMD");
  const std::string_view wanted = asked == nullptr ? "" : asked;
  const bool known = wanted == "v4" || wanted == "v3" || wanted == "baseline";
  if (!known && !wanted.empty()) {
    fmt::print(
        stderr,
        "[tandem] TANDEM_SIMD: expected v4, v3 or baseline, got '{}'; the best level of this "
        "processor is used\n",
        wanted);
  }
  bool allowed = !known;
  for (const Level& l : levels) {
    allowed = allowed || wanted == l.name;
    if (allowed && l.usable) return l;
  }
  return levels[std::size(levels) - 1];
}

struct State {
  HostRegistry registry;
  std::string_view name;
  std::unordered_map<std::string_view, ElementwiseLoops> elementwise;
  std::unordered_map<std::string_view, GenerateLoops> generators;
};

State& state() {
  static constinit std::atomic<State*> s{nullptr};
  return made_once(s);
}

}  // namespace

void HostRegistry::elementwise(const char* op, DType dtype, Loop loop) {
  auto& loops = state().elementwise[op];
  loops.by_dtype[static_cast<int>(dtype)] = loop;
  for (int t = 0; t < kNumDTypes; ++t) {  // those that compute in it and have none of their own
    const bool computes = info(static_cast<DType>(t)).compute == dtype;
    if (computes && loops.by_dtype[t] == nullptr) loops.by_dtype[t] = loop;
  }
}

void HostRegistry::generator(const char* op, DType dtype, int block, GenerateLoop loop) {
  auto& loops = state().generators[op];
  loops.by_dtype[static_cast<int>(dtype)] = loop;
  loops.block[static_cast<int>(dtype)] = block;
}

void HostRegistry::bind(const char* op, Kernel kernel) {
  tandem::detail::bind_kernel(op, DeviceKind::CPU, kernel);
}

const LevelTable& level() { return state().registry.level(); }

}  // namespace tandem::host

namespace tandem::detail {

void register_host_kernels() {
  // A fork waits until all are bound: the child of one in between would have half of them.
  struct Binding {
    ForkMutex mutex;
    bool done = false;
  };
  static constinit std::atomic<Binding*> there{nullptr};
  Binding& binding = made_once(there);
  const std::lock_guard lock(binding.mutex);
  if (binding.done) return;
  {
    host::State& s = host::state();
    const host::Level chosen = host::choose_level();
    s.name = chosen.name;
    chosen.register_all(s.registry);
    for (const auto& [row, loops] : s.elementwise) {
      s.registry.bind(row.data(), Kernel{&host::launch_elementwise, &loops});
    }
    for (const auto& [row, loops] : s.generators) {
      s.registry.bind(row.data(), Kernel{&host::launch_generator, &loops});
    }
    s.registry.bind("copy_", Kernel{&host::launch_copy, nullptr});
    s.registry.bind("matmul", Kernel{&host::launch_gemm, nullptr});
    host::register_indexing(s.registry);
    host::register_sorting(s.registry);
    host::register_linalg(s.registry);
    host::register_fft_rows(s.registry);
    s.registry.bind("pad", Kernel{&host::launch_border, nullptr});
    s.registry.bind("tril", Kernel{&host::launch_triangle, nullptr});
    s.registry.bind("repeat_interleave", Kernel{&host::launch_repeat, nullptr});
    s.registry.bind("combinations", Kernel{&host::launch_choices, nullptr});
    // Row by row instead of element by element: exact integers, so the same ones.
    s.registry.bind("tril_indices", Kernel{&host::launch_tril_indices, nullptr});
    s.registry.bind("triu_indices", Kernel{&host::launch_triu_indices, nullptr});
  }
  binding.done = true;
}

std::string_view simd_level() {
  register_host_kernels();
  return host::state().name;
}

}  // namespace tandem::detail
