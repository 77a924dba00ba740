// Graphs: work of a device recorded once and launched as a whole, many times.
//
// While a stream is being captured, ops on it are recorded instead of run, and so is the work of
// streams that wait for its events (Event::record, Event::wait). A replay runs all of it again on
// the same memory: copy new inputs into the tensors that the capture read, replay, read the tensors
// that it wrote.
//
// A graph holds the memory of what was allocated in its capture, in a pool of its own, and keeps
// the tensors that its work reads and writes alive; it gives them up, in the order of the streams
// that it was replayed on, when it is destroyed. Nothing that a capture records may wait for the
// device: such a call (item(), a blocking copy, nonzero, synchronize, ...) raises DeviceError that
// names the op, and the capture is spoilt: end() raises the same. Copies from and to the host need
// pinned memory and non_blocking. Random numbers are those of the capture in every replay.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "tandem/export.h"
#include "tandem/stream.h"

namespace tandem {

struct GraphOptions {
  /// The most that the capture's pool may take from the device, in bytes.
  std::size_t memory_limit = std::numeric_limits<std::size_t>::max();
};

/// Recorded work that can be replayed. Movable, not copyable; an empty one has nothing to replay.
class TANDEM_API Graph {
 public:
  Graph() noexcept;
  Graph(Graph&& o) noexcept;
  Graph& operator=(Graph&& o) noexcept;
  /// Does not wait; memory goes back when the replays are done with it.
  ~Graph();

  /// Records the ops that `f()` calls on the stream, which is current for the time. If `f` throws
  /// nothing is left behind. Raises as GraphCapture does.
  template <class F>
  static Graph capture(const Stream& stream, F&& f, const GraphOptions& options = {});
  /// Records again and takes the new work over, with its arguments and memory; the old work's goes
  /// back. True where the executable was kept, which is cheap: the work has the same shape, only
  /// with other arguments. If anything raises the graph is as before.
  template <class F>
  bool update(const Stream& stream, F&& f, const GraphOptions& options = {});

  /// Runs the work on the current stream of its device, or on a given one. Does not wait. Raises
  /// ValueError for an empty graph, DeviceError for a stream of another device or one that is being
  /// captured.
  void replay() const;
  void replay(const Stream& stream) const;

  bool defined() const { return state_ != nullptr; }
  /// The device of the work. Raises ValueError for an empty graph, as nodes() does.
  Device device() const;
  /// Kernels, copies and fills in it.
  std::size_t nodes() const;

  struct State;

 private:
  friend class GraphCapture;
  std::unique_ptr<State> state_;
};

/// A capture, from the constructor to end(). Destroyed before that, it is given up and leaves
/// nothing behind. To be ended on the thread that began it.
class TANDEM_API GraphCapture {
 public:
  /// Begins to record the stream and makes it current on this thread. Raises ValueError for the
  /// default stream, DeviceError where the device cannot record or the stream is being captured
  /// already.
  explicit GraphCapture(const Stream& stream, const GraphOptions& options = {});
  ~GraphCapture();
  GraphCapture(const GraphCapture&) = delete;
  GraphCapture& operator=(const GraphCapture&) = delete;

  /// Ends it; streams that joined it are joined again first. Raises DeviceError where something
  /// that was recorded was not allowed: then nothing is left behind.
  Graph end();
  /// The same into an existing graph: see Graph::update.
  bool end_into(Graph& graph);

  struct State;

 private:
  std::unique_ptr<State> state_;
  std::optional<StreamGuard> guard_;
};

template <class F>
Graph Graph::capture(const Stream& stream, F&& f, const GraphOptions& options) {
  GraphCapture capture(stream, options);
  std::forward<F>(f)();
  return capture.end();
}

template <class F>
bool Graph::update(const Stream& stream, F&& f, const GraphOptions& options) {
  GraphCapture capture(stream, options);
  std::forward<F>(f)();
  return capture.end_into(*this);
}

}  // namespace tandem
