// Runs a program: does what an op says where it is legal, and checks the subject against what must
// be true.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "tandem/error.h"
#include "tests/memory/sim/program.h"
#include "tests/memory/sim/ranges.h"

namespace tandem::test {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr int kNoGraph = -1;

class Interpreter {
 public:
  Interpreter(const Program& program, const MakeSubject& make, Counters* counters)
      : world_(program.world),
        machine_(world_.machine),
        subject_(make(machine_)),
        counters_(*counters),
        streams_(std::max(world_.streams, world_.machine.devices)),
        blocks_(world_.blocks),
        limits_(world_.machine.devices + 1, kNoLimit) {
    world_.peers &= subject_->has(Feature::PeerUse);
    world_.captures &= subject_->has(Feature::Capture);
    for (unsigned i = 0; i < streams_.size(); ++i) {
      if (i < devices()) {
        streams_[i] = SimMachine::default_stream(i + 1);
      } else {
        create_stream(i);
      }
    }
  }

  std::string run(const std::vector<Op>& ops, std::size_t* at) {
    for (*at = 0; *at < ops.size() && error_.empty(); ++*at) {
      counters_.steps += perform(ops[*at]);
      if (error_.empty()) error_ = machine_.broken();
      if (error_.empty() && *at % world_.verify_every == 0) verify();
      if (!error_.empty()) break;
    }
    if (error_.empty()) finish();
    sum_up();
    return error_;
  }

 private:
  struct Live {
    Block* block = nullptr;  // null: the number is free
    std::uint64_t owner = 0;
    StreamId own;
    Point born;                   // other streams may use it after this
    std::vector<StreamId> users;  // others than its own
    std::uint32_t capture = 0;    // the one that is going on
    int graph = kNoGraph;         // whose capture it was allocated in
    bool unusable = false;        // its capture was aborted
  };
  struct Event {
    EventHandle handle = 0;
    unsigned device = 0;
    bool recorded = false;
    std::uint32_t capture = 0;
  };
  struct Graph {
    GraphId id = 0;
    PoolId pool{};
    unsigned device = 0;
    std::vector<std::pair<StreamId, Point>> users;  // of its memory since the last replay
  };
  struct Capture {
    std::uint32_t id = 0;  // 0: none
    StreamId origin;
    PoolId pool{};
    int graph = kNoGraph;
  };

  unsigned devices() const { return world_.machine.devices; }
  unsigned device(const Op& op) const { return op.b % devices() + 1; }
  std::optional<StreamId>& stream(std::uint8_t i) { return streams_[i % streams_.size()]; }
  Live& block(std::uint8_t i) { return blocks_[i % blocks_.size()]; }
  bool captures_on(unsigned d) const { return capture_.id != 0 && capture_.origin.device() == d; }
  void fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  bool perform(const Op& op);
  bool create_stream(unsigned i);
  bool destroy_stream(unsigned i);
  bool allocate(Live& b, const std::optional<StreamId>& s, std::size_t bytes);
  void grown(const Block& b, std::uint64_t growths, bool captured);
  bool enter(Live& b, StreamId s, std::size_t bytes);
  void out_of_memory(unsigned d, std::size_t bytes);
  bool free(Live& b, const std::optional<StreamId>& s);
  bool use(Live& b, const std::optional<StreamId>& s, bool note_first);
  bool may_use(Live& b, StreamId s);
  void kernel(const Live& b, StreamId s);
  void order(StreamId earlier, StreamId later);
  bool alive(StreamId s) const {
    return std::any_of(streams_.begin(), streams_.end(), [&](const auto& x) { return x == s; });
  }
  bool record(Event& e, const std::optional<StreamId>& s);
  bool wait(Event& e, const std::optional<StreamId>& s);
  bool host(Event& e, bool wait);
  bool synchronize(StreamId s);
  bool synchronize_device(unsigned d);
  bool begin(const std::optional<StreamId>& s);
  bool end();
  bool abort();
  bool replay(int i, const std::optional<StreamId>& s);
  bool destroy(int i);
  bool give_back(const Op& op);
  void verify();
  void finish();
  void sum_up();

  World world_;
  SimMachine machine_;
  std::unique_ptr<Subject> subject_;
  Counters& counters_;
  std::string error_;
  std::vector<std::optional<StreamId>> streams_;
  std::vector<Live> blocks_;
  Ranges ranges_;
  bool limited_ = false;  // ever
  Event events_[kEvents];
  Graph graphs_[kGraphs];
  Capture capture_;
  std::vector<std::size_t> limits_;
  std::uint64_t last_owner_ = 0;
};

bool Interpreter::perform(const Op& op) {
  Event& e = events_[op.a % kEvents];
  std::optional<StreamId>& s = stream(op.b);
  switch (op.kind) {
    case OpKind::Allocate:
      return allocate(block(op.a), s, op.n);
    case OpKind::Free:
      return free(block(op.a), std::nullopt);
    case OpKind::FreeOn:
      return s && free(block(op.a), s);
    case OpKind::Use:
      return use(block(op.a), s, op.n % 2 == 0);
    case OpKind::Record:
      return record(e, s);
    case OpKind::Wait:
      return wait(e, s);
    case OpKind::HostWait:
      return host(e, true);
    case OpKind::Query:
      return host(e, false);
    case OpKind::SyncStream:
      return s && synchronize(*s);
    case OpKind::SyncDevice:
      return synchronize_device(device(op));
    case OpKind::CreateStream:
      return create_stream(op.b % streams_.size());
    case OpKind::DestroyStream:
      return destroy_stream(op.b % streams_.size());
    case OpKind::EmptyCache:
    case OpKind::Trim:
    case OpKind::SetLimit:
      return give_back(op);
    case OpKind::Run: {
      std::mt19937_64 rng(op.n);
      for (unsigned i = 0; i < op.b && machine_.step(rng);) ++i;
      return true;
    }
    case OpKind::Begin:
      return begin(s);
    case OpKind::End:
      return end();
    case OpKind::Abort:
      return abort();
    case OpKind::Replay:
      return replay(op.a % kGraphs, s);
    case OpKind::DestroyGraph:
      return destroy(op.a % kGraphs);
    case OpKind::Fault:
      if (!world_.faults) return false;
      machine_.set_faults(
          {op.n, 0, op.a % 2 == 0 ? DriverStatus::Failed : DriverStatus::OutOfMemory});
      return true;
    case OpKind::kCount:
      break;
  }
  return false;
}

// ---- Streams and events. ----

bool Interpreter::create_stream(unsigned i) {
  StreamId s;
  if (streams_[i] || !machine_.create_stream(i % devices() + 1, &s)) return false;
  streams_[i] = s;
  ++counters_.streams;
  return true;
}

bool Interpreter::destroy_stream(unsigned i) {
  if (i < devices() || !streams_[i]) return false;
  const StreamId s = *streams_[i];
  if (machine_.capture_of(s) != 0) return false;
  const bool used = std::any_of(blocks_.begin(), blocks_.end(), [&](const Live& b) {
    return b.block != nullptr &&
           (b.own == s || std::find(b.users.begin(), b.users.end(), s) != b.users.end());
  });
  if (used && !subject_->has(Feature::StreamDestroyed)) return false;
  subject_->stream_destroyed(s);
  machine_.destroy_stream(s);
  streams_[i].reset();
  return true;
}

/// As users do it: an event behind one stream's work, and the other waits for it.
void Interpreter::order(StreamId earlier, StreamId later) {
  const EventHandle e = machine_.user_event_create(earlier.device());
  subject_->event_recorded(e, earlier);
  machine_.user_event_record(e, earlier);
  machine_.user_stream_wait_event(later, e);
  subject_->event_waited(e, later);
  machine_.user_event_destroy(e);
  ++counters_.waits;
}

bool Interpreter::record(Event& e, const std::optional<StreamId>& s) {
  if (!s) return false;
  if (e.handle == 0 || e.device != s->device()) {
    if (e.handle != 0) machine_.user_event_destroy(e.handle);
    e = {machine_.user_event_create(s->device()), s->device()};
  }
  subject_->event_recorded(e.handle, *s);
  machine_.user_event_record(e.handle, *s);
  e.recorded = true;
  e.capture = machine_.capture_of(*s);
  ++counters_.events;
  return true;
}

bool Interpreter::wait(Event& e, const std::optional<StreamId>& s) {
  if (!s || !e.recorded) return false;
  const std::uint32_t mine = machine_.capture_of(*s);
  if (e.capture != mine) {  // only a stream that is not in a capture may join one
    if (e.capture != capture_.id || mine != 0 || s->device() != capture_.origin.device())
      return false;
  }
  machine_.user_stream_wait_event(*s, e.handle);
  subject_->event_waited(e.handle, *s);
  ++counters_.waits;
  return true;
}

bool Interpreter::host(Event& e, bool wait) {
  if (!e.recorded || e.capture != 0) return false;
  if (wait) {
    machine_.user_event_wait(e.handle);
    ++counters_.host_waits;
  } else if (!machine_.user_event_query(e.handle)) {
    return true;
  }
  subject_->event_seen(e.handle);
  return true;
}

bool Interpreter::synchronize(StreamId s) {
  if (machine_.capture_of(s) != 0) return false;
  subject_->before_wait();
  machine_.user_stream_synchronize(s);
  subject_->stream_synchronized(s);
  ++counters_.host_waits;
  return true;
}

bool Interpreter::synchronize_device(unsigned d) {
  if (captures_on(d)) return false;
  subject_->before_wait();
  machine_.user_synchronize(d);
  subject_->device_synchronized(d);
  ++counters_.host_waits;
  return true;
}

// ---- Blocks. ----

bool Interpreter::allocate(Live& b, const std::optional<StreamId>& s, std::size_t bytes) {
  if (b.block != nullptr || !s) return false;
  const std::uint64_t faults = machine_.faults();
  const bool captured = machine_.capture_of(*s) != 0;
  const std::uint64_t growths = machine_.growths();
  try {
    b.block = subject_->allocate(bytes, *s, captured ? capture_.pool : PoolId::Shared);
  } catch (const OutOfMemory&) {
    ++counters_.out_of_memory;
    if (machine_.faults() == faults) out_of_memory(s->device(), bytes);
    return true;
  } catch (const DeviceError& e) {
    ++counters_.out_of_memory;
    if (machine_.faults() == faults) fail(e.what());
    return true;
  }
  ++counters_.allocations;
  grown(*b.block, growths, captured);
  if (captured) {
    b.capture = capture_.id;
    b.graph = capture_.graph;
  }
  return enter(b, *s, bytes);
}

/// The device is asked for more only where no idle block fits. Large ones only: a small one's slab
/// may have been dissolved. While memory was never short, too: then blocks are taken from anywhere.
void Interpreter::grown(const Block& b, std::uint64_t growths, bool captured) {
  if (machine_.growths() == growths || captured || b.size <= memory::kLargeLimit || limited_ ||
      machine_.refusals() != 0 || !subject_->has(Feature::Reuse))
    return;
  if (ranges_.idle_fits(b.stream, b.size))
    fail(fmt::format("the pool grew for {} bytes, though an idle block fits", b.size));
}

/// A new block, and the first work on it.
bool Interpreter::enter(Live& b, StreamId s, std::size_t bytes) {
  b.owner = ++last_owner_;
  b.own = s;
  b.born = machine_.now(s);
  if (bytes == 0) {
    if (b.block->data != nullptr) fail("zero bytes have an address");
    return true;
  }
  const auto from = reinterpret_cast<std::uintptr_t>(b.block->data);
  if (b.block->size < bytes || b.block->requested != bytes || !(b.block->stream == s))
    fail("the block is not what was asked for");
  if (from % world_.machine.block_alignment != 0) fail("the block is not aligned");
  if (!ranges_.add(from, from + b.block->size))
    fail(fmt::format("two live blocks overlap at [{:#x}, +{})", from, b.block->size));
  kernel(b, s);
  return true;
}

/// An allocation may fail only if too little would be left with all idle pieces given back.
void Interpreter::out_of_memory(unsigned d, std::size_t bytes) {
  const bool waits =
      std::any_of(std::begin(graphs_), std::end(graphs_), [](const Graph& g) { return g.id != 0; });
  if (capture_.id != 0 || waits || world_.peers) return;  // memory that cannot be given back now
  std::size_t busy = 0;
  for (const Bytes& piece : machine_.pieces(d)) {
    if (ranges_.live_in(piece.from, piece.to)) busy += piece.to - piece.from;
  }
  const std::size_t most = std::min(limits_[d], world_.machine.capacity);
  const std::size_t need = subject_->footprint(bytes);
  if (busy <= most && need <= most - busy) {
    fail(
        fmt::format("out of memory for {} bytes, though of {} only {} are in pieces with live "
                    "blocks",
                    bytes, most, busy));
  }
}

void Interpreter::kernel(const Live& b, StreamId s) {
  if (b.block->data == nullptr) return;
  machine_.kernel(s, {b.block->data, b.block->requested, b.owner, true});
}

/// Whether work of the stream on the block can be made legal, which is then done: it must come
/// after the allocation.
bool Interpreter::may_use(Live& b, StreamId s) {
  if (b.block == nullptr || b.unusable) return false;
  if (s.device() != b.own.device() && (!world_.peers || b.graph != kNoGraph || b.capture != 0))
    return false;
  const std::uint32_t capture = machine_.capture_of(s);
  if (capture != b.capture && capture != 0) return false;
  if (b.capture == 0 && b.graph != kNoGraph) {  // what it holds comes from a replay
    const Point last = machine_.last_replay(graphs_[b.graph].id);
    return last.position != 0 && machine_.after(s, last);
  }
  if (machine_.after(s, b.born)) return true;
  if (!alive(b.own) || machine_.capture_of(b.own) != b.capture) return false;
  order(b.own, s);
  return true;
}

bool Interpreter::use(Live& b, const std::optional<StreamId>& s, bool note_first) {
  if (!s || !may_use(b, *s)) return false;
  if (note_first) subject_->record_use(b.block, *s);
  kernel(b, *s);
  if (!note_first) subject_->record_use(b.block, *s);
  ++counters_.uses;
  counters_.cross_stream += !(*s == b.own);
  counters_.peer_uses += s->device() != b.own.device();
  if (!(*s == b.own) && std::find(b.users.begin(), b.users.end(), *s) == b.users.end())
    b.users.push_back(*s);
  if (b.capture == 0 && b.graph != kNoGraph)
    graphs_[b.graph].users.emplace_back(*s, machine_.now(*s));
  return true;
}

bool Interpreter::free(Live& b, const std::optional<StreamId>& s) {
  if (b.block == nullptr) return false;
  if (s) {
    if (!may_use(b, *s)) return false;
    kernel(b, *s);
    ++counters_.cross_stream;
    if (b.capture == 0 && b.graph != kNoGraph)
      graphs_[b.graph].users.emplace_back(*s, machine_.now(*s));
  }
  const auto from = reinterpret_cast<std::uintptr_t>(b.block->data);
  const std::size_t size = b.block->size;
  ranges_.remove(from);
  if (size > memory::kLargeLimit && !s && b.users.empty() && b.graph == kNoGraph && !b.unusable)
    ranges_.idle(from, from + size, b.own);
  if (s) {
    subject_->free(b.block, *s);
  } else {
    subject_->free(b.block);
  }
  b = Live{};
  ++counters_.frees;
  return true;
}

bool Interpreter::give_back(const Op& op) {
  const unsigned d = device(op);
  if (op.kind == OpKind::SetLimit) {
    limits_[d] = op.n == 0 ? kNoLimit : op.n;
    subject_->set_limit(d, limits_[d]);
    limited_ = true;
    return true;
  }
  if (captures_on(d)) return false;
  ++counters_.trims;
  ranges_.forget_idle();
  if (op.kind == OpKind::EmptyCache) {
    subject_->empty_cache(d);
    return true;
  }
  if (!subject_->has(Feature::Trim)) return false;
  subject_->trim(d, op.n);
  return true;
}

// ---- Captures and graphs. ----

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
  if (id == 0) fail("the program's capture could not be ended");
  graphs_[capture_.graph] = {id, capture_.pool, capture_.origin.device(), {}};
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
  subject_->close_private(capture_.origin.device(), capture_.pool);
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
  machine_.replay(g.id, *s);
  ++counters_.replays;
  return true;
}

bool Interpreter::destroy(int i) {
  Graph& g = graphs_[i];
  if (g.id == 0) return false;
  machine_.user_graph_wait(g.id);
  machine_.destroy_graph(g.id);
  for (Live& b : blocks_) {
    if (b.block == nullptr || b.graph != i || b.capture != 0) continue;
    b.graph = kNoGraph;  // an ordinary block from here on
    b.born = {};
  }
  subject_->close_private(g.device, g.pool);
  g = {};
  return true;
}

// ---- Checks. ----

void Interpreter::verify() {
  for (unsigned d = 1; d <= devices(); ++d) {
    if (std::string wrong = subject_->verify(d); !wrong.empty()) fail(std::move(wrong));
    if (const std::size_t held = machine_.held(d), said = subject_->reserved(d); held != said)
      fail(fmt::format("the driver holds {} bytes, the pool says {}", held, said));
  }
}

void Interpreter::finish() {
  machine_.set_faults({});
  abort();
  for (Live& b : blocks_) free(b, std::nullopt);
  for (unsigned i = 0; i < kGraphs; ++i) destroy(static_cast<int>(i));
  verify();
  for (unsigned d = 1; d <= devices(); ++d) synchronize_device(d);
  for (unsigned d = 1; d <= devices(); ++d) subject_->empty_cache(d);
  verify();
  for (unsigned d = 1; d <= devices(); ++d) {
    if (const std::size_t n = subject_->reserved(d); n != 0)
      fail(fmt::format("{} bytes are reserved with nothing live", n));
  }
  subject_.reset();
  if (std::string broken = machine_.broken(); !broken.empty()) fail(std::move(broken));
  if (std::string leaks = machine_.leaks(); !leaks.empty()) fail(std::move(leaks));
}

void Interpreter::sum_up() {
  ++counters_.programs;
  counters_.kernels += machine_.kernels();
  counters_.faults += machine_.faults();
  counters_.growths += machine_.growths();
  counters_.returns += machine_.calls(Call::Free) + machine_.calls(Call::Unmap);
  counters_.driver_events += machine_.calls(Call::EventRecord);
  counters_.driver_queries += machine_.calls(Call::EventQuery);
  counters_.driver_waits += machine_.calls(Call::StreamWaitEvent);
}

}  // namespace

std::string run(const Program& program, const MakeSubject& make, Counters* counters,
                std::size_t* at) {
  Counters unused;
  std::size_t where = 0;
  Interpreter it(program, make, counters != nullptr ? counters : &unused);
  return it.run(program.ops, at != nullptr ? at : &where);
}

}  // namespace tandem::test
