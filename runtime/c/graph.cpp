// Captures and graphs of the C interface.
#include "tandem/graph.h"

#include <memory>

#include "runtime/c/boundary.h"

using namespace tandem;

struct tandem_capture {
  GraphCapture capture;
};
struct tandem_graph {
  Graph graph;
};

int tandem_capture_begin(const tandem_stream* stream, tandem_capture** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_capture_begin";
    tandem_capture*& to = c::given(out, {kFunction, "out"});
    to = new tandem_capture{GraphCapture(c::stream(stream, kFunction))};
  });
}

int tandem_capture_end(tandem_capture* capture, tandem_graph** out, int* kept) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_capture_end";
    c::given(capture, {kFunction, "capture"});
    const std::unique_ptr<tandem_capture> ended(capture);
    tandem_graph*& to = c::given(out, {kFunction, "out"});
    bool same = false;
    if (to != nullptr) {
      same = ended->capture.end_into(to->graph);
    } else {
      auto made = std::make_unique<tandem_graph>();
      made->graph = ended->capture.end();
      to = made.release();
    }
    if (kept != nullptr) *kept = same ? 1 : 0;
  });
}

int tandem_capture_abandon(tandem_capture* capture) {
  delete capture;
  return TANDEM_OK;
}

int tandem_graph_replay(const tandem_graph* graph, const tandem_stream* stream) {
  return c::guarded([&] {
    const Graph& g = c::given(graph, {"tandem_graph_replay", "graph"}).graph;
    if (stream == nullptr) return g.replay();
    g.replay(stream->stream);
  });
}

int tandem_graph_nodes(const tandem_graph* graph, size_t* nodes) {
  return c::guarded([&] {
    size_t& to = c::given(nodes, {"tandem_graph_nodes", "nodes"});
    to = c::given(graph, {"tandem_graph_nodes", "graph"}).graph.nodes();
  });
}

int tandem_graph_release(tandem_graph* graph) {
  delete graph;
  return TANDEM_OK;
}
