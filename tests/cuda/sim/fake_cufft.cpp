// A library in place of cuFFT on the simulated device: sums as the definition has them, in long
// double, through the strides, types and work area that the plan says; and notes of what was asked.
#include <dlfcn.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <numbers>
#include <vector>

#include "cufftXt.h"
#include "fake_cufft.h"

namespace {

using Wide = std::complex<long double>;

struct Plan {
  bool allocates = true, made = false;
  long long n = 0, batch = 0, in_stride = 0, in_distance = 0, out_stride = 0, out_distance = 0;
  cudaDataType in = CUDA_C_32F, out = CUDA_C_32F;
  std::size_t work = 0;
  void* area = nullptr;
  cudaStream_t stream = nullptr;
};

std::mutex mutex;
std::map<cufftHandle, Plan> plans;
cufftHandle last_handle = 0;
FakeCufft notes;

bool complex(cudaDataType t) { return t == CUDA_C_32F || t == CUDA_C_64F; }
bool wide(cudaDataType t) { return t == CUDA_R_64F || t == CUDA_C_64F; }

Wide read(const void* p, cudaDataType t, long long i) {
  const long long at = complex(t) ? 2 * i : i;
  const auto part = [&](long long k) -> long double {
    return wide(t) ? static_cast<const double*>(p)[k] : static_cast<const float*>(p)[k];
  };
  return {part(at), complex(t) ? part(at + 1) : 0};
}
void write(void* p, cudaDataType t, long long i, Wide z) {
  const long long at = complex(t) ? 2 * i : i;
  const auto put = [&](long long k, long double x) {
    if (wide(t)) {
      static_cast<double*>(p)[k] = static_cast<double>(x);
    } else {
      static_cast<float*>(p)[k] = static_cast<float>(x);
    }
  };
  put(at, z.real());
  if (complex(t)) put(at + 1, z.imag());
}

void transform(const Plan& p, void* in, void* out, int direction) {
  // The work area is the plan's alone while it runs.
  if (p.work > 0) std::memset(p.area, 0x5a, p.work);
  const long long bins = p.n / 2 + 1;
  const bool real_out = !complex(p.out);
  std::vector<Wide> row(static_cast<std::size_t>(p.n)), roots(row.size());
  for (long long k = 0; k < p.n; ++k) {
    const long double angle = direction * 2 * std::numbers::pi_v<long double> *
                              static_cast<long double>(k) / static_cast<long double>(p.n);
    roots[static_cast<std::size_t>(k)] = {std::cos(angle), std::sin(angle)};
  }
  for (long long b = 0; b < p.batch; ++b) {
    for (long long j = 0; j < (real_out ? bins : p.n); ++j) {
      const Wide z = read(in, p.in, b * p.in_distance + j * p.in_stride);
      row[static_cast<std::size_t>(j)] = z;
      if (real_out && j > 0) row[static_cast<std::size_t>(p.n - j)] = std::conj(z);
      if (real_out && 2 * j == p.n) row[static_cast<std::size_t>(j)] = z;
    }
    for (long long k = 0; k < (complex(p.in) ? p.n : bins); ++k) {
      Wide sum = 0;
      for (long long j = 0; j < p.n; ++j) {
        sum += row[static_cast<std::size_t>(j)] * roots[static_cast<std::size_t>(j * k % p.n)];
      }
      write(out, p.out, b * p.out_distance + k * p.out_stride, sum);
    }
  }
}

using Queue = int (*)(cudaStream_t, const std::function<void()>&);
Queue queue() {
  static const auto q = reinterpret_cast<Queue>(dlsym(
      dlopen(std::getenv("TANDEM_CUDA_LIBRARY"), RTLD_NOW | RTLD_NOLOAD), "tandem_sim_queue"));
  return q;
}

Plan* find(cufftHandle handle) {
  const auto at = plans.find(handle);
  return at == plans.end() ? nullptr : &at->second;
}

}  // namespace

#define FAKE __attribute__((visibility("default")))

extern "C" {

FAKE void fake_cufft_notes(FakeCufft* out, int reset) {
  const std::lock_guard lock(mutex);
  notes.living = static_cast<int>(plans.size());
  *out = notes;
  if (reset != 0) notes = {};
}

FAKE cufftResult cufftGetVersion(int* out) {
  *out = 11700;
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftCreate(cufftHandle* out) {
  const std::lock_guard lock(mutex);
  plans[*out = ++last_handle] = {};
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftDestroy(cufftHandle handle) {
  const std::lock_guard lock(mutex);
  ++notes.destroyed;
  return plans.erase(handle) == 1 ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}
FAKE cufftResult cufftSetAutoAllocation(cufftHandle handle, int on) {
  const std::lock_guard lock(mutex);
  Plan* p = find(handle);
  if (p == nullptr || p->made) return CUFFT_INVALID_PLAN;
  p->allocates = on != 0;
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftXtMakePlanMany(cufftHandle handle, int rank, long long* n, long long* inembed,
                                     long long istride, long long idist, cudaDataType in,
                                     long long* onembed, long long ostride, long long odist,
                                     cudaDataType out, long long batch, std::size_t* work,
                                     cudaDataType computed) {
  const std::lock_guard lock(mutex);
  Plan* p = find(handle);
  if (p == nullptr || p->made) return CUFFT_INVALID_PLAN;
  const long long in_row = complex(out) || complex(in) ? (complex(out) ? n[0] : n[0] / 2 + 1) : 0;
  const bool right = rank == 1 && n[0] >= 1 && batch >= 1 && istride >= 1 && ostride >= 1 &&
                     idist >= 1 && odist >= 1 && inembed[0] >= in_row && onembed[0] >= 1 &&
                     complex(computed) && wide(computed) == wide(in) && wide(in) == wide(out) &&
                     (complex(in) || complex(out)) && !p->allocates;
  if (!right) return CUFFT_INVALID_VALUE;
  if (n[0] == 13) return CUFFT_ALLOC_FAILED;  // a length that it has no plan for
  *p = {false, true, n[0], batch, istride, idist, ostride, odist, in, out};
  p->work = *work = n[0] == 1 ? 0 : static_cast<std::size_t>(64 * n[0]);
  ++notes.planned;
  notes.n = n[0];
  notes.batch = batch;
  notes.in_stride = istride;
  notes.in_distance = idist;
  notes.out_stride = ostride;
  notes.out_distance = odist;
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftSetWorkArea(cufftHandle handle, void* area) {
  const std::lock_guard lock(mutex);
  Plan* p = find(handle);
  if (p == nullptr || !p->made) return CUFFT_INVALID_PLAN;
  p->area = area;
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  Plan* p = find(handle);
  if (p == nullptr || !p->made) return CUFFT_INVALID_PLAN;
  p->stream = stream;
  return CUFFT_SUCCESS;
}
FAKE cufftResult cufftXtExec(cufftHandle handle, void* in, void* out, int direction) {
  Plan plan;
  {
    const std::lock_guard lock(mutex);
    const Plan* p = find(handle);
    const bool aligned = reinterpret_cast<std::uintptr_t>(in) % 8 == 0;
    const bool right = p != nullptr && p->made && aligned && (p->work == 0 || p->area != nullptr) &&
                       direction == (complex(p->out) && complex(p->in) ? direction
                                     : complex(p->out)                 ? CUFFT_FORWARD
                                                                       : CUFFT_INVERSE);
    if (!right) return CUFFT_EXEC_FAILED;
    plan = *p;
    ++notes.executed;
    notes.stream = plan.stream;
    notes.area = plan.area;
  }
  const int code = queue()(plan.stream, [=] { transform(plan, in, out, direction); });
  return code == 0 ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}
}
