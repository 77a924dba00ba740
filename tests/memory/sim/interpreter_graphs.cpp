// Captures and graphs of a program.
#include <algorithm>
#include <iterator>

#include "tests/memory/sim/interpreter.h"

namespace tandem::test {

bool Interpreter::begin(const std::optional<StreamId>& s) {
  if (!world_.captures || capture_.id != 0 || !s) return false;
  const auto* const spare = std::find_if(std::begin(graphs_), std::end(graphs_),
                                         [](const Graph& g) { return g.id == 0; });
  if (spare == std::end(graphs_)) return false;
  for (const Live& b : blocks_) {
    if (b.block != nullptr && b.graph == spare - graphs_) return false;  // of an aborted one
  }
  capture_ = {0, *s, subject_->open_private(s->device()), static_cast<int>(spare - graphs_)};
  machine_.begin_capture(*s);
  capture_.id = machine_.capture_of(*s);
  ++counters_.captures;
  return true;
}

bool Interpreter::end() {
  if (capture_.id == 0) return false;
  for (const StreamId s : machine_.streams_of(capture_.id)) {
    if (!(s == capture_.origin)) order(s, capture_.origin);
  }
  const GraphId id = machine_.end_capture(capture_.origin);
  subject_->end_private(capture_.origin.device(), capture_.pool);
  if (id == 0) fail("the program's capture could not be ended");
  graphs_[capture_.graph] = {id, capture_.pool, capture_.origin.device(), {}, {}};
  for (Live& b : blocks_) {
    if (b.capture == capture_.id) b.capture = 0;
  }
  capture_ = {};
  return true;
}

bool Interpreter::abort() {
  if (capture_.id == 0) return false;
  machine_.abort_capture(capture_.origin);
  for (Live& b : blocks_) {
    if (b.block == nullptr || b.capture != capture_.id) continue;
    b.capture = 0;
    b.graph = kNoGraph;
    b.unusable = true;
  }
  subject_->end_private(capture_.origin.device(), capture_.pool);
  subject_->close_private(capture_.origin.device(), capture_.pool, {});
  capture_ = {};
  return true;
}

bool Interpreter::replay(int i, const std::optional<StreamId>& s) {
  Graph& g = graphs_[i];
  if (g.id == 0 || !s || s->device() != g.device || machine_.capture_of(*s) != 0) return false;
  for (const auto& [user, point] : g.users) {
    if (machine_.after(*s, point)) continue;
    if (alive(user) && machine_.capture_of(user) == 0) {
      order(user, *s);
    } else if (!synchronize_device(user.device())) {
      return false;
    }
  }
  g.users.clear();
  subject_->replayed(*s);
  machine_.replay(g.id, *s);
  ranges_.replayed();
  if (std::find(g.replays.begin(), g.replays.end(), *s) == g.replays.end()) g.replays.push_back(*s);
  ++counters_.replays;
  return true;
}

/// Without a wait, replays and what others do with the graph's memory may still be under way.
bool Interpreter::destroy(int i, bool wait) {
  Graph& g = graphs_[i];
  if (g.id == 0) return false;
  const bool lives_on = std::any_of(blocks_.begin(), blocks_.end(), [&](const Live& b) {
    return b.block != nullptr && b.graph == i && b.capture == 0;
  });
  // Blocks that live on are used without an order after this, as if the user had waited.
  if (lives_on || !subject_->has(Feature::Capture)) wait = true;
  if (wait) machine_.user_graph_wait(g.id);
  machine_.destroy_graph(g.id);
  for (Live& b : blocks_) {
    if (b.block == nullptr || b.graph != i || b.capture != 0) continue;
    b.graph = kNoGraph;  // an ordinary block from here on
    b.born = {};
  }
  subject_->close_private(g.device, g.pool, wait ? std::vector<StreamId>() : g.replays);
  counters_.unwaited += wait ? 0 : 1;
  g = {};
  return true;
}

}  // namespace tandem::test
