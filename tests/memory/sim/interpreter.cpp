// Runs a program: does what an op says where it is legal, and checks the subject against what must
// be true.
#include "tests/memory/sim/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "tandem/error.h"

namespace tandem::test {

static constexpr auto kFallible = static_cast<unsigned>(Call::kFallible);

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
      return destroy(op.a % kGraphs, op.b % 2 == 0);
    case OpKind::Fault:
      if (!world_.faults) return false;
      machine_.set_faults({op.n, 0,
                           op.a % 2 == 0 ? DriverStatus::Failed : DriverStatus::OutOfMemory,
                           op.b < kFallible ? static_cast<Call>(op.b) : Call::kCount});
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
  ranges_.waited();
  subject_->stream_synchronized(s);
  ++counters_.host_waits;
  return true;
}

bool Interpreter::synchronize_device(unsigned d) {
  if (captures_on(d)) return false;
  subject_->before_wait();
  machine_.user_synchronize(d);
  ranges_.waited();
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
  const bool fits = idle_fits(*s, bytes);
  const std::size_t held = machine_.held(s->device());
  ranges_.touch(*s);
  try {
    b.block = subject_->allocate(bytes, *s, captured ? capture_.pool : PoolId::Shared);
  } catch (const OutOfMemory&) {
    ++counters_.out_of_memory;
    limited_ = true;  // memory was short, also where nothing was asked of the device
    if (machine_.faults() == faults) out_of_memory(s->device(), bytes);
    return true;
  } catch (const DeviceError& e) {
    ++counters_.out_of_memory;
    if (machine_.faults() == faults) fail(e.what());
    return true;
  }
  ++counters_.allocations;
  if (subject_->has(Feature::Reuse) &&
      machine_.held(s->device()) > std::max(held, limits_[s->device()]))
    fail(fmt::format("the pool grew beyond its limit of {} bytes", limits_[s->device()]));
  if (fits && machine_.growths() != growths)
    fail(fmt::format("the pool grew for {} bytes, though an idle block fits", bytes));
  forget_taken(*s);
  if (captured) {
    b.captured = true;
    b.capture = capture_.id;
    b.graph = capture_.graph;
  }
  return enter(b, *s, bytes);
}

/// Where a subject does not keep to its own: what other streams are done with may have become the
/// stream's, when it took or freed memory beside it.
void Interpreter::forget_taken(StreamId s) {
  if (subject_->has(Feature::KeepsOwn)) return;
  ranges_.forget_idle([&](const auto& idle) {
    const Ranges::Idle& i = idle.second;
    return !(i.stream == s) && i.stream.device() == s.device() &&
           (!alive(s) || machine_.capture_of(s) != 0 || machine_.after(s, i.freed));
  });
}

/// Whether memory lies idle that the stream may have and the pool knows of: then the device is not
/// asked for more. Large blocks only: a small one's slab may have been dissolved. And only while
/// memory was never short: then blocks are taken from anywhere.
bool Interpreter::idle_fits(StreamId s, std::size_t bytes) {
  if (bytes <= memory::kLargeLimit || limited_ || machine_.refusals() != 0 ||
      machine_.capture_of(s) != 0 || !subject_->has(Feature::Reuse))
    return false;
  return ranges_.any_idle([&](const auto& idle) {
    const auto& [from, i] = idle;
    // Of another stream if an event recorded after the free was waited for. Joined with what was
    // freed later it would have to wait for that too.
    const auto ordered = [&](const Point& p) {
      return machine_.after(s, {p.slot, p.position + 1, 0});
    };
    return i.stream.device() == s.device() && i.to - from >= memory::range_bytes(bytes) &&
           (i.stream == s || (i.untouched && ordered(i.freed))) &&
           std::all_of(i.uses.begin(), i.uses.end(), ordered) && machine_.is_there(from, i.to);
  });
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
  // In a capture the stream is another one to the pool.
  const bool own = b.block->stream == s || machine_.capture_of(s) != 0;
  if (b.block->size < bytes || b.block->requested != bytes || !own)
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

/// Where a freed block lies idle.
void Interpreter::remember(const Live& b) {
  const auto told = [&](StreamId s) { return alive(s) && machine_.capture_of(s) == 0; };
  if (!told(b.own) || !std::all_of(b.users.begin(), b.users.end(), told)) return;
  Ranges::Idle idle{0, b.own, machine_.now(b.own), {}, crossed_.count(b.own.id) == 0};
  for (const StreamId s : b.users) {
    if (!(s == b.own)) idle.uses.push_back(machine_.now(s));
  }
  const auto from = reinterpret_cast<std::uintptr_t>(b.block->data);
  idle.to = from + b.block->size;
  ranges_.idle(from, idle);
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
  if (s) b.users.push_back(*s);
  ranges_.touch(b.own);
  forget_taken(b.own);
  if (!b.users.empty()) crossed_.insert(b.own.id);
  if (size > memory::kLargeLimit && b.graph == kNoGraph && !b.unusable && !b.captured) remember(b);
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
  ranges_.forget_idle([](const auto&) { return true; });
  if (op.kind == OpKind::EmptyCache) {
    subject_->empty_cache(d);
    return true;
  }
  if (!subject_->has(Feature::Trim)) return false;
  subject_->trim(d, op.n);
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
  for (unsigned i = 0; i < kGraphs; ++i) destroy(static_cast<int>(i), true);
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
  for (unsigned i = 0; i < kFallible; ++i)
    counters_.faults_of[i] += machine_.faults(static_cast<Call>(i));
  counters_.growths += machine_.growths();
  counters_.moves += machine_.aliases();
  counters_.returns += machine_.calls(Call::Free) + machine_.calls(Call::Unmap);
  counters_.driver_events += machine_.calls(Call::EventRecord);
  counters_.driver_queries += machine_.calls(Call::EventQuery);
  counters_.driver_waits += machine_.calls(Call::StreamWaitEvent);
}

std::string run(const Program& program, const MakeSubject& make, Counters* counters,
                std::size_t* at) {
  Counters unused;
  std::size_t where = 0;
  Interpreter it(program, make, counters != nullptr ? counters : &unused);
  return it.run(program.ops, at != nullptr ? at : &where);
}

}  // namespace tandem::test
