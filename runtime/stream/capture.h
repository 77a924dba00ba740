// What is being recorded into graphs: which streams, from which pool they allocate, what the graph
// has to keep alive. Internal; tandem/graph.h is the public face.
//
// Note [Captures]
// A captured stream is another stream than the one whose handle it has: its work runs when a graph
// is replayed, in the order that the capture recorded, and the stream's own work goes on without
// it. So it has an identity of its own (Order::captured_stream), and memory that is allocated on it
// comes from a private pool and is freed, taken again and ordered under that identity.
//
// Memory from outside that captured work uses is kept alive by the graph: no event can say when the
// last replay is done, until the graph is destroyed; then the replays' streams are noted as its
// users, and it is released as any other.
//
// While nothing is captured all this costs one load of `captures_under_way`.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "runtime/memory/blocks.h"
#include "runtime/memory/driver.h"
#include "tandem/storage.h"
#include "tandem/stream.h"

namespace tandem::detail {

/// One capture and what its graph holds. Guarded by the captures' lock while it is under way.
struct Recording {
  struct Member {
    Stream stream;
    StreamId captured;
  };
  Device device;
  PoolId pool = PoolId::Shared;
  std::vector<Member> members;  // the first began the capture
  std::unordered_set<StorageBody*> known;
  std::vector<Storage> kept;
  std::string spoilt;                        // why it cannot become a graph; empty: it can
  std::vector<std::function<void()>> later;  // what waits for its end
  bool over = false;

  /// Opens the pool and joins the stream. Nothing is registered yet.
  static std::shared_ptr<Recording> open(const Stream& origin);
  /// What it held goes back when the work that these streams have by now is done.
  void close(const std::vector<Stream>& replays) noexcept;
};

extern constinit std::atomic<int> captures_under_way;
inline bool may_capture() noexcept {
  return captures_under_way.load(std::memory_order_relaxed) != 0;
}

/// From here to leave_capture the hooks below know the streams of the recording.
void enter_capture(const std::shared_ptr<Recording>& recording);
void leave_capture(const std::shared_ptr<Recording>& recording) noexcept;

/// Where a stream of the device is being captured, calls f when that is over, else does nothing and
/// is false. Without memory to remember it by, f is never called.
bool run_after_capture(Device device, const std::function<void()>& f) noexcept;

/// In the child of a fork: what was being captured is not any more.
void forget_captures() noexcept;

/// The capture that a stream is recorded into; null where there is none.
std::shared_ptr<Recording> recording_of(const Stream& stream);

/// Whose order and which pool an allocation for the stream is of.
struct Place {
  StreamId stream;
  PoolId pool = PoolId::Shared;
};
Place captured_place(StreamId stream);
inline Place place_of(StreamId stream) {
  if (may_capture()) [[unlikely]]
    return captured_place(stream);
  return {stream};
}

/// Notes that recorded work uses a storage, which may be the host's. False where the stream is not
/// being captured.
bool captured_use(StorageBody* storage, const Stream& stream);

/// Makes a stream one of the capture, after it was made to wait for the capture's work. Its
/// identity there.
StreamId join_capture(Recording& recording, const Stream& stream);

// Before a wait of the host: raise DeviceError, naming the op, where it would wait for work that is
// being recorded. The capture is spoilt then.
void refuse_wait(const Stream& stream);
void refuse_wait(Device device);
/// The same for a copy with the host that is to wait, or whose host memory is not pinned.
void refuse_copy(const Stream& stream, bool waits, bool pageable);

/// Notes that work with the error flags of the recording's streams runs on another stream, and the
/// streams whose flags are to be read after a wait for a stream.
void note_replay(const Recording& recording, const Stream& on);
std::vector<Stream> flags_behind(const Stream& stream);

}  // namespace tandem::detail
