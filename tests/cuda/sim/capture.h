// Stream capture and graphs of the stand-in runtime.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "cuda_runtime_api.h"

namespace sim {

struct Capture;

/// What a captured event stands for: the nodes that its stream's work came to.
struct CapturedPoint {
  std::weak_ptr<Capture> capture;
  std::vector<std::size_t> tails;
  bool captured = false;
};

/// What must be the same for an executable to take another graph's arguments.
struct NodeKind {
  int call = 0;
  const void* function = nullptr;
  friend bool operator==(const NodeKind&, const NodeKind&) = default;
};

/// Whether the stream is being captured; then `record` takes its work, which runs when the graph is
/// launched. Nodes of a graph run in any order that their edges allow.
bool capturing(cudaStream_t stream);
cudaError_t record(cudaStream_t stream, NodeKind kind, std::function<cudaError_t()> work);

/// Calls that are not allowed while a stream, or any of the current device's (null: of any), is
/// being captured: those captures are invalid from there on. cudaSuccess where there is none.
cudaError_t forbid_of(cudaStream_t stream);
cudaError_t forbid_of_device(int device);

/// cudaEventRecord and cudaStreamWaitEvent where a capture is concerned.
bool record_event(cudaStream_t stream, CapturedPoint* event);
cudaError_t wait_event(cudaStream_t stream, const CapturedPoint& event);

}  // namespace sim
