// Happens-before between streams, as far as Tandem knows it.
//
// Note [Order of streams]
// A stream's events are numbered: event n of a stream passes when all work queued before it is
// done. Work that is queued on a stream by now is done when the stream's next event has passed; the
// number of that event is the work's fence. Nothing is recorded for a fence: an event comes into
// being when a user records one, or when a pool wants to know (mark). So the memory that a stream
// frees and takes again itself costs no event at all.
//
// A fence of stream S is passed when the host saw an event of S with its number or a later one
// pass, and ordered for stream T when T waited for such an event, or for an event of a third stream
// that had waited for it before: each stream has a vector clock (Fidge 1988, Mattern 1989) of the
// events that it has waited for, an event takes the clock of its stream along, and a wait joins it
// into the waiting stream's.
//
// Two threads may use one stream. The number of an event is taken before the driver records it, and
// what a wait teaches is noted after the driver queued it: whoever reads a fence, or relies on a
// clock, then has an event or a wait behind its own work. If the driver's call fails the number
// stays unused; a later event serves.
//
// Of a stream that is gone nothing is kept once its work is done but that its id is one of those.
//
// Waits that a user makes with CUDA's own calls are not known here. That is safe: less is reused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/memory/driver.h"
#include "tandem/export.h"

namespace tandem::memory {

/// A number of devices' worth of streams (StreamId::device).
inline constexpr unsigned kMostDevices = 1024;

/// An event's place in the order: number `number` of stream `stream`.
struct Point {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
};

/// An event that someone records, with what its stream had waited for then.
struct Mark {
  StreamId stream;
  std::uint64_t number = 0;
  std::vector<Point> known;
};

/// The order of all streams of the process (or of a test). Thread-safe; calls drivers with its lock
/// held, so a driver must not call back.
class TANDEM_API Order {
 public:
  /// The order that the devices' pools share.
  static Order& process();

  /// Names the driver of the events on the streams of a device.
  void attach(unsigned device, Driver* driver);
  /// Forgets a device's streams and destroys the pools' events on them.
  void detach(unsigned device) noexcept;

  /// Makes a stream one that a wait for its device covers. To be called before its first fence.
  void know(StreamId stream);
  /// Whether any stream of a device is known.
  bool knows_device(unsigned device) noexcept;
  /// The fence of the work queued on a stream by now.
  std::uint64_t fence(StreamId stream) noexcept;
  bool passed(StreamId stream, std::uint64_t fence) noexcept;
  bool ordered(StreamId by, StreamId stream, std::uint64_t fence) noexcept;
  /// For debug mode: whether `by`, or the host (kHostStream), waited for the fence or saw it pass
  /// as far as the program said so. What the pools find out by asking is left out: luck is no
  /// order.
  bool told(StreamId by, StreamId stream, std::uint64_t fence) noexcept;

  // What others than the pools do. Take the mark before the driver's call, hand it in after it.
  Mark recording(StreamId stream);
  void waited(StreamId by, const Mark& mark);
  void seen(const Mark& mark) noexcept;
  /// Around a wait of the host for a stream: what that stream had waited for before is done as
  /// well.
  Point waiting(StreamId stream);
  void waited_for(Point point) noexcept;
  /// Around a wait of the host for a whole device; likewise.
  std::vector<Point> waiting_for_device(unsigned device);
  void waited_for(std::span<const Point> points) noexcept;

  /// A stream of what is recorded into a graph: a stream that is being captured is another one as
  /// long as that lasts, since its own work goes on without what is captured. No event of a pool is
  /// ever recorded on it. Raises std::bad_alloc.
  StreamId captured_stream(unsigned device);
  /// The graph is gone: all that was captured is done when these points, of its replays, have
  /// passed. Null: there were none.
  using Replays = std::shared_ptr<const std::vector<Point>>;
  void finish(StreamId captured, Replays replays) noexcept;

  // The pools' own events. None of these waits on the host.
  /// Makes sure that the fence is passed, or an event recorded that covers it. False where there
  /// can be none: the stream is being captured or destroyed, or the driver refused.
  bool mark(StreamId stream, std::uint64_t fence) noexcept;
  /// Asks how far a stream has come, where an event of the pools is on its way.
  void poll(StreamId stream) noexcept;
  /// Makes `by` wait for a fence of another stream. False where that cannot be.
  bool wait(StreamId by, StreamId stream, std::uint64_t fence) noexcept;
  /// The stream's handle dies: what it has done by now gets its last event.
  void destroyed(StreamId stream) noexcept;

  struct Counts {
    std::uint64_t events = 0;  // recorded for pools
    std::uint64_t waits = 0;   // of streams, inserted for pools
  };
  /// Of a device's streams.
  Counts counts(unsigned device) noexcept;
  /// How many streams it keeps something of: those that live, and of the dead those with work.
  std::size_t streams() noexcept;

  // For a fork.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Outstanding {
    EventHandle event = 0;
    Mark mark;
  };
  struct Stream {
    StreamId id;
    std::uint64_t epoch = 0;  // the last number given out
    std::uint64_t done = 0;   // the greatest that the host saw pass
    std::uint64_t told = 0;   // the same, without what the pools asked for
    bool alive = true;        // events may be recorded on it
    bool finished = false;    // a captured one that no graph replays any more, but for `replays`
    Replays replays;
    std::vector<Point> known;              // by stream: the greatest number waited for
    std::vector<Outstanding> outstanding;  // the pools' events, oldest first
    std::vector<Mark> awaited;  // what it had waited for when the host began to wait for it
  };
  /// Ids, both ends included.
  struct Ids {
    std::uint64_t first = 0, last = 0;
  };
  struct Device {
    Driver* driver = nullptr;
    std::vector<EventHandle> spare;
    Counts counts;
  };

  Stream& state(StreamId stream);
  Stream* find(std::uint64_t stream) noexcept;
  bool is_passed(std::uint64_t stream, std::uint64_t number) noexcept;
  bool is_ordered(const Stream& by, std::uint64_t stream, std::uint64_t number) noexcept;
  void learn(Stream& by, const Mark& mark);
  void raise_done(Stream& stream, std::uint64_t number) noexcept;
  void raise_told(const Point& point) noexcept;
  void prune(Stream& stream);
  Mark next(Stream& stream);
  bool idle(Stream& stream) noexcept;
  std::span<const Point> replays_of(std::uint64_t stream) noexcept;
  bool mark_or_pass(Stream& stream, std::uint64_t fence) noexcept;
  bool wait_locked(Stream& by, std::uint64_t stream, std::uint64_t fence);
  Outstanding* mark_locked(Stream& stream, std::uint64_t fence) noexcept;
  void poll_locked(Stream& stream) noexcept;
  void give_event(unsigned device, EventHandle event) noexcept;
  Driver* driver(StreamId stream) const noexcept;
  bool released(std::uint64_t stream) const noexcept;
  void release(std::uint64_t stream);
  void release_dead() noexcept;
  void bury(std::uint64_t stream) noexcept;
  Point await(Stream& stream);

  std::mutex mutex_;
  std::vector<Device> devices_;
  std::unordered_map<std::uint64_t, Stream> streams_;
  std::vector<std::uint64_t>
      dead_;                    // streams that are destroyed or finished, and are not forgotten
  std::vector<Ids> released_;   // that are, in order: ids come in sequence, so these are few
  std::uint64_t captured_ = 0;  // streams, ever
};

}  // namespace tandem::memory
