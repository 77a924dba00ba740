// Captures and graphs of the CUDA runtime, for the backend's table.
//
// Captures are relaxed: the pool may take memory from the driver while one is under way, which
// CUDA allows in that mode alone. What must not happen (a wait, a release of memory) the core keeps
// from happening.
#include <cuda_runtime_api.h>

#include "kernels/cuda/context.h"
#include "kernels/cuda/runtime_calls.h"

namespace tandem::cuda {

namespace {

cudaGraph_t as_graph(void* g) { return static_cast<cudaGraph_t>(g); }
cudaGraphExec_t as_executable(void* e) { return static_cast<cudaGraphExec_t>(e); }

int capture_begin(int device, void* stream) {
  return on_device(device, [&] {
    return cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeRelaxed);
  });
}
int capture_end(int device, void* stream, void** out) {
  *out = nullptr;
  return on_device(device, [&] {
    cudaGraph_t graph = nullptr;
    const cudaError_t e = cudaStreamEndCapture(as_stream(stream), &graph);
    if (e == cudaSuccess) {
      *out = graph;
    } else if (graph != nullptr) {
      static_cast<void>(cudaGraphDestroy(graph));
    }
    return e;
  });
}
int graph_nodes(void* graph, std::size_t* out) {
  return checked(cudaGraphGetNodes(as_graph(graph), nullptr, out));
}
int graph_destroy(void* graph) { return checked(cudaGraphDestroy(as_graph(graph))); }
int graph_instantiate(int device, void* graph, void** out) {
  *out = nullptr;
  return on_device(device, [&] {
    cudaGraphExec_t executable = nullptr;
    const cudaError_t e = cudaGraphInstantiate(&executable, as_graph(graph), 0);
    *out = executable;
    return e;
  });
}
int graph_update(int device, void* executable, void* graph, int* updated) {
  *updated = 0;
  return on_device(device, [&] {
    cudaGraphExecUpdateResultInfo info{};
    const cudaError_t e = cudaGraphExecUpdate(as_executable(executable), as_graph(graph), &info);
    *updated = e == cudaSuccess ? 1 : 0;
    // Another shape, or another function where only arguments may change: not an error, and not to
    // be found by the next launch.
    if (e != cudaErrorGraphExecUpdateFailure) return e;
    static_cast<void>(cudaGetLastError());
    return cudaSuccess;
  });
}
int graph_launch(int device, void* executable, void* stream) {
  return on_device(device,
                   [&] { return cudaGraphLaunch(as_executable(executable), as_stream(stream)); });
}
int executable_destroy(void* executable) {
  return checked(cudaGraphExecDestroy(as_executable(executable)));
}

}  // namespace

void add_graphs(BackendDriver& d) {
  d.capture_begin = capture_begin;
  d.capture_end = capture_end;
  d.graph_nodes = graph_nodes;
  d.graph_destroy = graph_destroy;
  d.graph_instantiate = graph_instantiate;
  d.graph_update = graph_update;
  d.graph_launch = graph_launch;
  d.executable_destroy = executable_destroy;
}

}  // namespace tandem::cuda
