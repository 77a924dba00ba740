// Rows of Fourier transforms on cuFFT. The library (a quarter of a gigabyte) is opened at the first
// transform, behind a table of the functions used; nothing links it. Work areas come from the pool
// in the order of the launch's stream.
//
// Note [Plans of cuFFT]
// A plan has one stream and one work area at a time, and must not run on two streams at once: plans
// are kept by stream, which is set once, and the lock is held from setting the work area until the
// transform is queued.
// Planning allocates and copies, which a stream that is being captured does not allow: only plans
// that were made before are used there, and since the graph will use their tables, such a plan is
// kept for ever.
#include <cufftXt.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <optional>

#include "kernels/cuda/context.h"
#include "kernels/cuda/fft.h"
#include "kernels/cuda/library.h"
#include "tandem/backend/fft_library.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

#define TANDEM_CUFFT_CALLS(X) \
  X(cufftCreate)              \
  X(cufftDestroy)             \
  X(cufftGetVersion)          \
  X(cufftSetAutoAllocation)   \
  X(cufftXtMakePlanMany)      \
  X(cufftSetWorkArea)         \
  X(cufftSetStream)           \
  X(cufftXtExec)

TANDEM_VENDOR_TABLE(CufftCalls, "cufft", CUFFT_VER_MAJOR, TANDEM_CUFFT_CALLS)

struct Cufft : CufftCalls {
  char text[100] = {};  // the version, or why it is not used

  Cufft() {
    int version = 0;
    if (!usable) {
      std::snprintf(text, sizeof text, "libcufft.so.%d was not found or lacks functions",
                    CUFFT_VER_MAJOR);
    } else if (cufftGetVersion(&version) != CUFFT_SUCCESS) {
      usable = false;
      std::snprintf(text, sizeof text, "libcufft.so.%d tells no version", CUFFT_VER_MAJOR);
    } else {
      std::snprintf(text, sizeof text, "cuFFT %d.%d", version / 1000, version % 1000 / 100);
    }
  }
};

const Cufft& cufft() {
  static const Cufft& f = *new Cufft();
  return f;
}

constexpr std::size_t kMostPlans = 128;
constexpr std::int64_t kMostCalls = 32;  // of the library for one launch

struct Key {
  std::int32_t device;
  FftEnds ends;
  std::int32_t wide;
  void* stream;
  long long n, batch, in_stride, in_distance, out_stride, out_distance;
  bool operator==(const Key&) const = default;
};

struct Plan {
  cufftHandle handle = 0;
  std::size_t work = 0;
  bool of_graph = false;
};

struct Plans {
  std::mutex mutex;
  RecentlyUsed<Key, Plan> kept{kMostPlans};
};
Plans& plans() {
  static Plans& p = *new Plans();
  return p;
}

/// A launch as cuFFT's strides say it, in elements: one dimension of transforms, and others, each
/// of which is a call.
struct Rows {
  int rank = 0;
  std::int64_t shape[kMaxRank], in[kMaxRank], out[kMaxRank];
  std::int64_t batch = 1, in_distance = 1, out_distance = 1, calls = 1;
};

std::int64_t in_size(const FftRowsLaunch& l) {
  const auto size = static_cast<std::int64_t>(element_size(l.dtype));
  return l.ends == FftEnds::RealIn ? size / 2 : size;
}
std::int64_t out_size(const FftRowsLaunch& l) {
  const auto size = static_cast<std::int64_t>(element_size(l.dtype));
  return l.ends == FftEnds::RealOut ? size / 2 : size;
}

/// None where the strides are none that cuFFT takes, or the real end is not aligned as complex
/// elements.
std::optional<Rows> rows_of(const FftRowsLaunch& l) {
  const auto pair = static_cast<std::int64_t>(element_size(l.dtype));
  const auto aligned = [pair](const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % static_cast<std::uintptr_t>(pair) == 0;
  };
  if (!aligned(l.in.data) || !aligned(l.out.data)) return std::nullopt;
  if (l.n > 1 && (l.in.stride <= 0 || l.out.stride <= 0)) return std::nullopt;
  Rows r;
  for (int d = 0; d < l.rank; ++d) {
    const std::int64_t size = l.shape[d], in = l.in.strides[d], out = l.out.strides[d];
    if (size == 1) continue;
    if (in <= 0 || out <= 0) return std::nullopt;
    const int last = r.rank - 1;
    if (r.rank > 0 && r.in[last] == size * in && r.out[last] == size * out) {
      r.shape[last] *= size;
      r.in[last] = in;
      r.out[last] = out;
      continue;
    }
    r.shape[r.rank] = size;
    r.in[r.rank] = in;
    r.out[r.rank++] = out;
  }
  if (r.rank == 0) return r;
  const int most = static_cast<int>(std::max_element(r.shape, r.shape + r.rank) - r.shape);
  r.batch = r.shape[most];
  r.in_distance = r.in[most] / in_size(l);
  r.out_distance = r.out[most] / out_size(l);
  --r.rank;
  for (int d = most; d < r.rank; ++d) {
    r.shape[d] = r.shape[d + 1];
    r.in[d] = r.in[d + 1];
    r.out[d] = r.out[d + 1];
  }
  for (int d = 0; d < r.rank; ++d) {
    r.calls *= r.shape[d];
    if (r.in[d] % pair != 0 || r.out[d] % pair != 0) return std::nullopt;
  }
  return r.calls > kMostCalls ? std::nullopt : std::optional(r);
}

cudaDataType type_of(bool wide, bool complex) {
  if (wide) return complex ? CUDA_C_64F : CUDA_R_64F;
  return complex ? CUDA_C_32F : CUDA_R_32F;
}

/// The answer's text, where no plan was made.
bool make_plan(const Key& k, Plan* plan, FftAnswer* answer) {
  const Cufft& f = cufft();
  const char* what = "cufftCreate";
  cufftResult status = f.cufftCreate(&plan->handle);
  if (status == CUFFT_SUCCESS) {
    what = "cufftXtMakePlanMany";
    long long n = k.n;
    long long bins = k.n / 2 + 1;
    long long* in = k.ends == FftEnds::RealOut ? &bins : &n;
    long long* out = k.ends == FftEnds::RealIn ? &bins : &n;
    const bool wide = k.wide != 0;
    status = f.cufftSetAutoAllocation(plan->handle, 0);
    if (status == CUFFT_SUCCESS) {
      status = f.cufftXtMakePlanMany(plan->handle, 1, &n, in, k.in_stride, k.in_distance,
                                     type_of(wide, k.ends != FftEnds::RealIn), out, k.out_stride,
                                     k.out_distance, type_of(wide, k.ends != FftEnds::RealOut),
                                     k.batch, &plan->work, type_of(wide, true));
    }
    if (status == CUFFT_SUCCESS)
      status = f.cufftSetStream(plan->handle, static_cast<cudaStream_t>(k.stream));
    if (status != CUFFT_SUCCESS) f.cufftDestroy(plan->handle);
  }
  if (status == CUFFT_SUCCESS) return true;
  static_cast<void>(cudaGetLastError());
  std::snprintf(answer->text, sizeof answer->text, "%s answered status %d", what,
                static_cast<int>(status));
  return false;
}

/// With the lock. Null where there is no plan, which the answer explains.
Plan* plan_of(const Key& key, bool captured, FftAnswer* answer) {
  Plans& p = plans();
  Plan* plan = p.kept.find(key);
  if (plan == nullptr) {
    if (captured) {
      answer->unplanned = true;
      std::snprintf(answer->text, sizeof answer->text,
                    "cuFFT plans nothing while the stream is being captured");
      return nullptr;
    }
    Plan made;
    if (!make_plan(key, &made, answer)) return nullptr;
    plan = &p.kept.add(key, made);
    p.kept.trim([](const Key&, const Plan& last) { cufft().cufftDestroy(last.handle); },
                [](const Plan& last) { return last.of_graph; });
  }
  plan->of_graph = plan->of_graph || captured;
  return plan;
}

/// Queues the calls of a launch. The status of the first that fails.
cufftResult execute(const FftRowsLaunch& l, const Rows& r, const Plan& plan) {
  const bool inverse = l.ends == FftEnds::RealOut || (l.ends == FftEnds::Complex && l.inverse);
  for (std::int64_t call = 0; call < r.calls; ++call) {
    auto* in = static_cast<char*>(l.in.data);
    auto* out = static_cast<char*>(l.out.data);
    std::int64_t rest = call;
    for (int d = r.rank - 1; d >= 0; --d) {
      in += rest % r.shape[d] * r.in[d];
      out += rest % r.shape[d] * r.out[d];
      rest /= r.shape[d];
    }
    const cufftResult status =
        cufft().cufftXtExec(plan.handle, in, out, inverse ? CUFFT_INVERSE : CUFFT_FORWARD);
    if (status != CUFFT_SUCCESS) return status;
  }
  return CUFFT_SUCCESS;
}

}  // namespace

void launch_fft_library(const void* desc, const void*) {
  const auto& l = *static_cast<const FftRowsLaunch*>(desc);
  FftAnswer& answer = *l.answer;
  answer.usable = cufft().usable;
  std::snprintf(answer.text, sizeof answer.text, "%s", cufft().text);
  if (!answer.usable || l.n == 0) return;
  const auto rows = rows_of(l);
  if (!rows) {
    answer.retry = true;
    return;
  }
  const Key key{l.device.index,
                l.ends,
                l.dtype == DType::complex128 ? 1 : 0,
                l.stream,
                l.n,
                rows->batch,
                std::max<std::int64_t>(l.in.stride / in_size(l), 1),
                rows->in_distance,
                std::max<std::int64_t>(l.out.stride / out_size(l), 1),
                rows->out_distance};
  const DeviceGuard guard(l.device.index);
  if (guard.error != cudaSuccess) return check(guard.error, l.row->name);
  const std::lock_guard lock(plans().mutex);
  const Plan* plan = plan_of(key, l.captured, &answer);
  if (plan == nullptr) return;
  answer.done = true;  // from here on what goes wrong is an error
  std::optional<Workspace> memory;
  if (plan->work > 0) {
    memory.emplace(l.device, plan->work, l.stream, l.row->name);
    if (memory->data() == nullptr) return;  // reported
  }
  const Cufft& f = cufft();
  cufftResult status = f.cufftSetWorkArea(plan->handle, memory ? memory->data() : nullptr);
  if (status == CUFFT_SUCCESS) status = execute(l, *rows, *plan);
  if (status == CUFFT_SUCCESS) return;
  char text[64];
  std::snprintf(text, sizeof text, "cufftXtExec answered status %d", static_cast<int>(status));
  raise(l.row->name, text);
}

}  // namespace tandem::cuda
