// Captures of the stand-in runtime: work is kept with the work that it has to come after, and run
// by each launch of the graph in an order drawn among those that the edges allow, so that a missing
// edge shows.
#include "capture.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>

namespace sim {

struct Node {
  NodeKind kind;
  std::function<cudaError_t()> work;
  std::vector<std::size_t> after;
};

struct Capture {
  cudaStream_t origin = nullptr;
  int device = 0;
  bool invalid = false;
  std::vector<Node> nodes;
  std::map<cudaStream_t, std::vector<std::size_t>> tails;  // by stream that takes part

  void join(cudaStream_t stream, const std::vector<std::size_t>& points) {
    std::vector<std::size_t>& mine = tails[stream];
    for (const std::size_t p : points) {
      if (std::find(mine.begin(), mine.end(), p) == mine.end()) mine.push_back(p);
    }
  }
  /// Whether all work is behind the origin's end.
  bool joined() const {
    std::set<std::size_t> seen;
    std::vector<std::size_t> open = tails.at(origin);
    while (!open.empty()) {
      const std::size_t n = open.back();
      open.pop_back();
      if (!seen.insert(n).second) continue;
      open.insert(open.end(), nodes[n].after.begin(), nodes[n].after.end());
    }
    return seen.size() == nodes.size();
  }
};

namespace {
std::mutex mutex;
std::vector<std::shared_ptr<Capture>> open_captures;

std::shared_ptr<Capture> capture_of(cudaStream_t s) {
  for (const auto& c : open_captures) {
    if (c->tails.contains(s)) return c;
  }
  return nullptr;
}

bool is_default(cudaStream_t s) {
  return s == nullptr || s == cudaStreamLegacy || s == cudaStreamPerThread;
}
}  // namespace

bool capturing(cudaStream_t stream) {
  if (is_default(stream)) return false;
  const std::lock_guard lock(mutex);
  return capture_of(stream) != nullptr;
}

cudaError_t record(cudaStream_t stream, NodeKind kind, std::function<cudaError_t()> work) {
  const std::lock_guard lock(mutex);
  const auto c = capture_of(stream);
  if (c == nullptr || c->invalid) return cudaErrorStreamCaptureInvalidated;
  std::vector<std::size_t>& tails = c->tails[stream];
  c->nodes.push_back({kind, std::move(work), tails});
  tails = {c->nodes.size() - 1};
  return cudaSuccess;
}

cudaError_t forbid_of(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  const auto c = is_default(stream) ? nullptr : capture_of(stream);
  if (c == nullptr) return cudaSuccess;
  c->invalid = true;
  return cudaErrorStreamCaptureUnsupported;
}

cudaError_t forbid_of_device(int device) {
  const std::lock_guard lock(mutex);
  cudaError_t e = cudaSuccess;
  for (const auto& c : open_captures) {
    if (device >= 0 && c->device != device) continue;
    c->invalid = true;
    e = cudaErrorStreamCaptureUnsupported;
  }
  return e;
}

bool record_event(cudaStream_t stream, CapturedPoint* event) {
  const std::lock_guard lock(mutex);
  const auto c = is_default(stream) ? nullptr : capture_of(stream);
  *event = {};
  if (c == nullptr) return false;
  *event = {c, c->tails[stream], true};
  return true;
}

cudaError_t wait_event(cudaStream_t stream, const CapturedPoint& event) {
  const std::lock_guard lock(mutex);
  const auto mine = is_default(stream) ? nullptr : capture_of(stream);
  const auto theirs = event.capture.lock();
  if (!event.captured && mine == nullptr) return cudaSuccess;
  if (!event.captured || (mine != nullptr && mine != theirs)) {
    mine->invalid = true;
    return cudaErrorStreamCaptureIsolation;
  }
  const bool open =
      std::find(open_captures.begin(), open_captures.end(), theirs) != open_captures.end();
  if (theirs == nullptr || !open || is_default(stream)) return cudaErrorInvalidValue;
  theirs->join(stream, event.tails);
  return cudaSuccess;
}

}  // namespace sim

// ---- the runtime's calls

struct CUgraph_st {
  std::vector<sim::Node> nodes;
};
struct CUgraphExec_st {
  std::vector<sim::Node> nodes;
  std::mt19937_64 draw{20261128};
};

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
  const std::lock_guard lock(sim::mutex);
  if (sim::is_default(s)) return cudaErrorStreamCaptureUnsupported;
  if (sim::capture_of(s) != nullptr) return cudaErrorIllegalState;
  auto c = std::make_shared<sim::Capture>();
  c->origin = s;
  cudaStreamGetDevice(s, &c->device);
  c->tails[s];
  sim::open_captures.push_back(std::move(c));
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* out) {
  const std::lock_guard lock(sim::mutex);
  *out = nullptr;
  const auto c = sim::is_default(s) ? nullptr : sim::capture_of(s);
  if (c == nullptr) return cudaErrorIllegalState;
  if (c->origin != s) return cudaErrorStreamCaptureUnmatched;
  std::erase(sim::open_captures, c);
  if (c->invalid) return cudaErrorStreamCaptureInvalidated;
  if (!c->joined()) return cudaErrorStreamCaptureUnjoined;
  *out = new CUgraph_st{std::move(c->nodes)};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* out) {
  const std::lock_guard lock(sim::mutex);
  const auto c = sim::is_default(s) ? nullptr : sim::capture_of(s);
  *out = c == nullptr ? cudaStreamCaptureStatusNone
         : c->invalid ? cudaStreamCaptureStatusInvalidated
                      : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t g, cudaGraphNode_t*, std::size_t* n) {
  *n = g->nodes.size();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  delete g;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t g, unsigned long long) {
  *out = new CUgraphExec_st{g->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t e, cudaGraph_t g, cudaGraphExecUpdateResultInfo*) {
  const bool same = std::equal(e->nodes.begin(), e->nodes.end(), g->nodes.begin(), g->nodes.end(),
                               [](const sim::Node& a, const sim::Node& b) {
                                 return a.kind == b.kind && a.after == b.after;
                               });
  if (!same) return cudaErrorGraphExecUpdateFailure;
  e->nodes = g->nodes;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) {
  delete e;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s) {
  if (sim::capturing(s)) return cudaErrorStreamCaptureUnsupported;  // child graphs are not here
  std::vector<std::size_t> missing(e->nodes.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < e->nodes.size(); ++i) {
    missing[i] = e->nodes[i].after.size();
    if (missing[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const std::size_t at = e->draw() % ready.size();
    const std::size_t n = std::exchange(ready[at], ready.back());
    ready.pop_back();
    if (const cudaError_t error = e->nodes[n].work(); error != cudaSuccess) return error;
    for (std::size_t i = 0; i < e->nodes.size(); ++i) {
      const auto& after = e->nodes[i].after;
      if (std::find(after.begin(), after.end(), n) != after.end() && --missing[i] == 0)
        ready.push_back(i);
    }
  }
  return cudaSuccess;
}
