// FFTW's plug-in: opened at first use, its planner under one lock, its plans kept.
#include "host/fft_library.h"

#include <dlfcn.h>

#include <cstring>
#include <mutex>
#include <new>

#include "host/parallel.h"
#include "runtime/dispatch/library.h"
#include "runtime/memory/fork.h"
#include "runtime/ops/fft_provider.h"
#include "tandem/tensor.h"

namespace tandem::host {

namespace {

/// The jobs of one of FFTW's loops on Tandem's threads: as many as there are in the child of a
/// fork, and on this thread inside another loop.
void parallel_jobs(void* (*work)(char*), char* jobs, std::size_t size, int count, void*) {
  parallel_for(count, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) work(jobs + static_cast<std::size_t>(i) * size);
  });
}

struct Plugin {
  FftwTable table{};
  bool usable = false;
  std::string status;

  explicit Plugin(const char* why) : status(why) {}
  Plugin() {
    void* library = detail::open_beside("TANDEM_FFTW_LIBRARY", "libtandem_fftw.so", &status);
    if (library == nullptr) return;
    const auto open = reinterpret_cast<FftwOpen>(dlsym(library, "tandem_fftw_open"));
    if (open == nullptr) {
      status = "the plug-in has no entry point tandem_fftw_open";
      return;
    }
    static const FftwHost host{&parallel_jobs};
    if (open(&host, &table) != 0 || table.abi != kFftwAbi) {
      status = "the plug-in has another interface version: build it with this libtandem";
      return;
    }
    table.version[sizeof table.version - 1] = '\0';
    status = table.version;
    usable = true;
  }
};

const Plugin& plugin() {
  static constinit std::atomic<const Plugin*> p{nullptr};
  return detail::opened_once(p);
}

/// FFTW's planner, which one thread may use at a time, and what it planned.
struct Planner {
  ForkMutex mutex;
  RecentlyUsed<FftwProblem, std::shared_ptr<const FftwPlan>> plans{detail::kFftLibraryPlans};
};

Planner& planner() {
  static constinit std::atomic<Planner*> p{nullptr};
  return made_once(p);
}

std::size_t extent(const FftwProblem& p, bool in) {
  const std::int64_t bins = p.n / 2 + 1;
  const bool real = p.ends == (in ? FftEnds::RealIn : FftEnds::RealOut);
  const std::int64_t row = p.ends == FftEnds::Complex || real ? p.n : bins;
  const std::int64_t distance = in ? p.in_distance : p.out_distance;
  const auto elements = static_cast<std::size_t>((p.howmany - 1) * distance + row);
  return elements * (real ? 1 : 2) * (p.wide != 0 ? 8 : 4);
}

/// Planning that measures writes to memory of its own, aligned as that of the transform.
void* plan_on_scratch(const FftwProblem& p) {
  const auto room = [](std::size_t bytes) {
    return empty({static_cast<std::int64_t>(bytes + 64)}, {.dtype = DType::uint8});
  };
  const Tensor in = room(extent(p, true));
  const Tensor out = p.in_place != 0 ? in : room(extent(p, false));
  std::memset(in.data_ptr(), 0, in.nbytes());
  std::memset(out.data_ptr(), 0, out.nbytes());
  return plugin().table.plan(&p, static_cast<char*>(in.data_ptr()) + p.align_in,
                             static_cast<char*>(out.data_ptr()) + p.align_out);
}

}  // namespace

const FftwTable* fftw_table() { return plugin().usable ? &plugin().table : nullptr; }
const std::string& fftw_status() { return plugin().status; }

FftwPlan::~FftwPlan() {
  const std::lock_guard lock(planner().mutex);
  plugin().table.destroy(&problem_, plan_);
}

std::shared_ptr<const FftwPlan> fftw_plan(FftwProblem p, void* in, void* out) {
  const FftwTable& f = plugin().table;
  p.align_in = f.alignment(in, p.wide);
  p.align_out = f.alignment(out, p.wide);
  std::list<std::shared_ptr<const FftwPlan>> gone;  // destroyed without the lock, which they take
  Planner& c = planner();
  const std::lock_guard lock(c.mutex);
  if (const auto* found = c.plans.find(p)) return *found;
  void* made = p.effort == 0 ? f.plan(&p, in, out) : plan_on_scratch(p);
  if (made == nullptr) return nullptr;
  auto plan = std::make_shared<const FftwPlan>(p, made);
  c.plans.add(p, plan);
  c.plans.trim([&](const FftwProblem&, auto& last) { gone.push_back(std::move(last)); },
               [](const auto&) { return false; });
  return plan;
}

std::size_t fftw_plans_kept() {
  const std::lock_guard lock(planner().mutex);
  return planner().plans.size();
}

}  // namespace tandem::host
