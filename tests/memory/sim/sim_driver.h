// A simulation of devices with memory, streams, events and captures, for tests of the memory layer
// without a GPU. Deterministic: nothing runs but when a test says so, in any order that the streams
// and events allow. The first broken rule is kept in words.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/memory/driver.h"
#include "tests/memory/sim/shadow.h"

namespace tandem::test {

struct SimOptions {
  unsigned devices = 1;
  std::size_t capacity = std::size_t{1} << 30;  // of each device
  std::size_t granularity = std::size_t{2} << 20;
  std::size_t block_alignment = 512;
  bool asynchronous = true;  // false: every call returns when its work is done
  bool virtual_memory = true;
  bool any_size = false;
  bool backed = false;  // addresses are real memory, and not numbers only
};

/// The calls that are counted; those before `kFallible` fail when told to.
enum class Call : unsigned {
  Allocate,
  Free,
  MemoryInfo,
  Reserve,
  Release,
  Create,
  Destroy,
  Map,
  Unmap,
  EventCreate,
  EventRecord,
  EventQuery,
  StreamQuery,
  EventWait,
  StreamWaitEvent,
  StreamSynchronize,
  Synchronize,
  kFallible,
  EventDestroy = kFallible,
  Capturing,
  kCount
};

/// Which of the calls that may fail does: the `at`th from now (0: the next), or one in so many.
struct FaultPlan {
  std::int64_t at = -1;
  unsigned one_in = 0;
  DriverStatus status = DriverStatus::Failed;
  Call only = Call::kCount;  // counts and fails calls of this kind; kCount: any that may fail
};

/// What a kernel does to memory of one owner. Owners are the test's: one for each allocation.
struct Access {
  const void* at = nullptr;
  std::size_t bytes = 0;
  std::uint64_t owner = 0;
  bool write = true;
};

/// A place in a stream's work: all that was queued before. In a capture, all that was captured.
struct Point {
  std::uint32_t slot = 0, position = 0, capture = 0;
};

/// Captured work that can be queued again and again.
using GraphId = std::uint32_t;

class SimMachine {
 public:
  explicit SimMachine(const SimOptions& options);
  ~SimMachine();
  SimMachine(const SimMachine&) = delete;
  SimMachine& operator=(const SimMachine&) = delete;

  const SimOptions& options() const { return options_; }
  /// The driver of a device, numbered from 1. The machine must outlive it.
  std::unique_ptr<Driver> driver(unsigned device);

  // ---- What the user of the device does. Streams of all devices, events of all devices. ----
  static StreamId default_stream(unsigned device) {
    return {std::uint64_t{device} << StreamId::kDeviceShift, 0};
  }
  /// False where too many streams have work that nobody waited for.
  bool create_stream(unsigned device, StreamId* out);
  void destroy_stream(StreamId stream);
  void kernel(StreamId stream, std::span<const Access> uses);
  void kernel(StreamId stream, const Access& use) { kernel(stream, std::span(&use, 1)); }

  EventHandle user_event_create(unsigned device);
  void user_event_destroy(EventHandle event);
  void user_event_record(EventHandle event, StreamId stream);
  void user_stream_wait_event(StreamId stream, EventHandle event);
  bool user_event_query(EventHandle event);
  void user_event_wait(EventHandle event);
  void user_stream_synchronize(StreamId stream);
  void user_synchronize(unsigned device);

  /// Streams that wait for an event of the capture join it.
  void begin_capture(StreamId stream);
  /// Zero, with the capture gone as well, where a stream that joined was not waited for.
  GraphId end_capture(StreamId stream);
  void abort_capture(StreamId stream);
  std::uint32_t capture_of(StreamId stream);  // 0: none
  bool capturing();                           // any stream
  bool captured(EventHandle event);           // recorded in a capture, which may have ended
  std::vector<StreamId> streams_of(std::uint32_t capture);
  void replay(GraphId graph, StreamId stream);
  void user_graph_wait(GraphId graph);  // for its last replay
  void destroy_graph(GraphId graph);

  // ---- Order, as the test may ask about it. ----
  Point now(StreamId stream);
  Point last_replay(GraphId graph);
  /// Whether what is queued on the stream from now on comes after the point.
  bool after(StreamId stream, Point point);

  // ---- The scheduler. ----
  /// Executes the next item of some stream that can run; false where none can.
  bool step(std::mt19937_64& rng);
  /// Executes what an event waits for (a stream has), and what that needs, without telling the
  /// host.
  void run_until(EventHandle event);
  void run_until(StreamId stream);

  // ---- What was found. ----
  /// The first broken rule; empty if all were kept.
  std::string broken();
  /// What the drivers' callers did not give back; empty if nothing.
  std::string leaks();
  /// Whether all of it is allocated, or mapped and at no newer address as well.
  bool is_there(std::uint64_t from, std::uint64_t to);
  std::size_t held(unsigned device);            // mapped, or allocated
  std::size_t held_elsewhere(unsigned device);  // created and not mapped
  /// Pieces of a device's memory, each of which can go back as a whole.
  std::vector<Bytes> pieces(unsigned device);
  std::uint64_t calls(Call call) const { return calls_[static_cast<std::size_t>(call)]; }
  std::uint64_t fallible_calls() const { return fallible_; }
  std::uint64_t faults() const { return faults_; }
  std::uint64_t faults(Call call) const { return faults_of_[static_cast<std::size_t>(call)]; }
  std::uint64_t growths() const { return growths_; }    // times that memory was had
  std::uint64_t refusals() const { return refusals_; }  // times that there was none
  std::uint64_t kernels() const { return kernels_; }
  std::uint64_t aliases() const { return aliases_; }  // times that a page got a second address
  void set_faults(FaultPlan plan);

 private:
  friend class SimDriver;
  struct Wait {  // item `position` of a stream runs after item `target` of the stream in `slot`
    std::uint32_t position, slot, target;
  };
  struct Stream {
    StreamId id;
    bool alive = false;
    std::uint32_t count = 0, done = 0, capture = 0;
    Clock clock{};
    std::deque<Wait> waits;
  };
  struct Event {
    bool alive = false, user = false;
    unsigned device = 0;
    std::uint32_t generation = 0;
    Point point;
    Clock clock{};
  };
  struct Local {  // a stream in a capture
    std::uint32_t slot = 0, count = 0;
    Clock clock{};
  };
  struct Capture {
    std::uint32_t origin = 0;
    unsigned device = 0;
    std::vector<Local> streams;
    std::vector<Access> uses;
    Shadow shadow;  // among themselves: replays do not add order
  };
  struct Graph {
    std::vector<Access> uses;
    Point last;
    Clock clock{};
  };
  struct Memory {  // by address
    std::uint64_t to = 0;
    unsigned device = 0;
    PhysicalHandle handle = 0;  // 0: allocated
  };
  struct Physical {
    std::size_t bytes = 0;
    unsigned device = 0;
    std::uint64_t place = 0;   // in the physical memory of the machine, where nothing else is ever
    std::uint64_t mapped = 0;  // the address that it was mapped at last
    unsigned mappings = 0;
  };
  struct DeviceState {
    std::size_t held = 0, unmapped = 0;
  };

  // machine.cpp
  void fault(std::string what);
  bool fails(Call call, DriverStatus* status);
  std::uint32_t find(StreamId stream, const char* call, bool user);
  Event* find(EventHandle event, const char* call);
  void enqueue(std::uint32_t slot);
  void enqueue_wait(std::uint32_t slot, Point point, const Clock& clock);
  void finish(std::uint32_t slot, std::uint32_t position);
  bool runnable(const Stream& s) const;
  void advance(Stream& s);
  void use(std::uint32_t slot, const Access& a);
  bool present(std::uint64_t from, std::uint64_t to) const;
  bool is_newest(std::uint64_t at, const Memory& m) const;
  std::vector<Bytes> places(Bytes where) const;
  bool check_use(Shadow& shadow, Bytes where, const Use& now, const Stream& s, bool write);
  EventHandle create(unsigned device, bool user);
  void destroy(EventHandle event, bool user);
  bool record(EventHandle event, StreamId stream, unsigned device, bool user);
  bool wait(StreamId stream, EventHandle event, bool user);
  bool query(EventHandle event, bool user);
  bool idle(StreamId stream);
  void host_wait(EventHandle event, bool user);
  void synchronize(StreamId stream, bool user);
  void synchronize(unsigned device, bool user);
  bool illegal_in_capture(unsigned device, const char* call);

  // capture.cpp
  Local& local(Capture& c, std::uint32_t slot);
  void capture_uses(std::uint32_t slot, std::span<const Access> uses);
  void capture_wait(std::uint32_t slot, const Event& e);
  bool leave(std::uint32_t slot, const char* call, Capture* out);

  // sim_driver.cpp
  std::uint64_t take_addresses(std::size_t bytes);
  void give_addresses(std::uint64_t at, std::size_t bytes);
  bool quiet(unsigned device, Bytes where, const char* call);
  std::string describe(const Use& use) const;
  bool overlaps(std::uint64_t from, std::uint64_t to) const;

  const SimOptions options_;
  std::mutex mutex_;
  std::string broken_;
  std::uint64_t calls_[static_cast<std::size_t>(Call::kCount)] = {};
  std::uint64_t faults_of_[static_cast<std::size_t>(Call::kCount)] = {};
  std::uint64_t fallible_ = 0, faults_ = 0, kernels_ = 0, growths_ = 0, refusals_ = 0;
  FaultPlan plan_;
  std::mt19937_64 fault_rng_{17};

  std::vector<Stream> streams_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_;  // of the living streams, by id
  std::uint64_t last_stream_ = 0;
  std::vector<std::uint64_t> spare_stream_handles_;
  std::uint64_t last_stream_handle_ = 0x7f00;
  Clock host_{};  // what the host has seen done
  std::vector<Event> events_;
  std::vector<std::uint32_t> spare_events_;
  std::map<std::uint32_t, Capture> captures_;
  std::uint32_t last_capture_ = 0;
  std::map<GraphId, Graph> graphs_;
  GraphId last_graph_ = 0;

  Shadow shadow_;           // by address
  Shadow physical_shadow_;  // of what is mapped, by place: a page may have several addresses
  std::vector<DeviceState> devices_;  // [0] is nobody's
  std::map<std::uint64_t, Memory> memory_;
  std::map<std::uint64_t, Memory> reserved_;
  std::unordered_map<PhysicalHandle, Physical> physical_;
  PhysicalHandle last_physical_ = 0;
  std::uint64_t next_place_ = 0;
  std::uint64_t aliases_ = 0;
  std::uint64_t next_address_ = std::uint64_t{1} << 42;
  std::map<std::size_t, std::vector<std::uint64_t>> spare_addresses_;
};

}  // namespace tandem::test
