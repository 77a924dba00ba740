// Captures of the simulated streams: work is recorded instead of queued, and checked by an order of
// its own, because a replay runs it in that order and no other.
#include <fmt/format.h>

#include <utility>

#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

SimMachine::Local& SimMachine::local(Capture& c, std::uint32_t slot) {
  for (Local& l : c.streams) {
    if (l.slot == slot) return l;
  }
  c.streams.push_back({slot, 0, {}});
  return c.streams.back();
}

void SimMachine::capture_uses(std::uint32_t slot, std::span<const Access> uses) {
  Capture& c = captures_.at(streams_[slot].capture);
  Local& l = local(c, slot);
  l.clock[slot] = ++l.count;
  static constexpr Clock kNothing{};
  for (const Access& a : uses) {
    const auto from = reinterpret_cast<std::uint64_t>(a.at);
    const Use now{a.owner, slot, l.count};
    Shadow::Conflict conflict;
    if (!present(a)) {
      fault(fmt::format("use of memory that is not there: {} captures [{:#x}, +{})", describe(now),
                        from, a.bytes));
    } else if (!c.shadow.use({from, from + a.bytes}, now, l.clock, kNothing, &conflict)) {
      fault(fmt::format("use before ordered: {} captures [{:#x}, +{}), which is used by {}",
                        describe(now), from, a.bytes, describe(conflict.earlier)));
    }
    c.uses.push_back(a);
  }
}

/// A user's wait with a capturing stream, a captured event or both.
void SimMachine::capture_wait(std::uint32_t slot, const Event& e) {
  const std::uint32_t mine = streams_[slot].capture;
  const auto at = captures_.find(e.point.capture);
  if (e.point.position == 0 && e.point.capture == 0) return;  // never recorded
  if (at == captures_.end() || (mine != 0 && mine != e.point.capture))
    return fault("stream_wait_event: of an event from outside of the capture (by the user)");
  streams_[slot].capture = e.point.capture;
  Local& l = local(at->second, slot);
  join(l.clock, e.clock);
  l.clock[slot] = ++l.count;
}

void SimMachine::begin_capture(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "begin_capture", true);
  if (slot >= streams_.size()) return;
  if (streams_[slot].capture != 0) return fault("begin_capture: the stream is being captured");
  Capture& c = captures_[++last_capture_];
  c.origin = slot;
  c.device = stream.device();
  local(c, slot);
  streams_[slot].capture = last_capture_;
}

/// Ends the capture that a stream began.
bool SimMachine::leave(std::uint32_t slot, const char* call, Capture* out) {
  const std::uint32_t id = slot < streams_.size() ? streams_[slot].capture : 0;
  const auto at = captures_.find(id);
  if (id == 0 || at == captures_.end() || at->second.origin != slot) {
    fault(fmt::format("{}: the stream did not begin a capture (by the user)", call));
    return false;
  }
  *out = std::move(at->second);
  captures_.erase(at);
  for (const Local& l : out->streams) streams_[l.slot].capture = 0;
  return true;
}

GraphId SimMachine::end_capture(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "end_capture", true);
  Capture c;
  if (!leave(slot, "end_capture", &c)) return 0;
  const Local& origin = local(c, slot);
  for (const Local& l : c.streams) {
    if (origin.clock[l.slot] < l.count) return 0;  // not joined again
  }
  graphs_[++last_graph_].uses = std::move(c.uses);
  return last_graph_;
}

void SimMachine::abort_capture(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  Capture c;
  leave(find(stream, "abort_capture", true), "abort_capture", &c);
}

std::uint32_t SimMachine::capture_of(StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "capture_of", true);
  return slot < streams_.size() ? streams_[slot].capture : 0;
}

bool SimMachine::capturing() {
  const std::lock_guard<std::mutex> hold(mutex_);
  return !captures_.empty();
}

bool SimMachine::captured(EventHandle event) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const Event* e = find(event, "captured");
  return e != nullptr && e->point.capture != 0;
}

std::vector<StreamId> SimMachine::streams_of(std::uint32_t capture) {
  const std::lock_guard<std::mutex> hold(mutex_);
  std::vector<StreamId> streams;
  const auto at = captures_.find(capture);
  if (at == captures_.end()) return streams;
  for (const Local& l : at->second.streams) streams.push_back(streams_[l.slot].id);
  return streams;
}

/// All of a graph is one item of the stream. Launches of one graph come one after the other.
void SimMachine::replay(GraphId graph, StreamId stream) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const std::uint32_t slot = find(stream, "replay", true);
  const auto at = graphs_.find(graph);
  if (slot >= streams_.size()) return;
  if (at == graphs_.end()) return fault("replay: no such graph (by the user)");
  if (streams_[slot].capture != 0) return fault("replay: in a capture (by the user)");
  Graph& g = at->second;
  ++kernels_;
  enqueue_wait(slot, g.last, g.clock);
  for (const Access& a : g.uses) use(slot, a);
  g.last = {slot, streams_[slot].count, 0};
  g.clock = streams_[slot].clock;
}

Point SimMachine::last_replay(GraphId graph) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const auto at = graphs_.find(graph);
  return at == graphs_.end() ? Point{} : at->second.last;
}

void SimMachine::user_graph_wait(GraphId graph) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const auto at = graphs_.find(graph);
  if (at == graphs_.end()) return fault("user_graph_wait: no such graph");
  finish(at->second.last.slot, at->second.last.position);
  join(host_, at->second.clock);
}

void SimMachine::destroy_graph(GraphId graph) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (graphs_.erase(graph) != 1) fault("destroy_graph: no such graph (by the user)");
}

}  // namespace tandem::test
