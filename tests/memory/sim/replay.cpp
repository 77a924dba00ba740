// Reads traces and replays them, on simulated devices and on the host's memory.
#include "tests/memory/sim/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string_view>

#include "runtime/memory/host_driver.h"
#include "tandem/error.h"
#include "tests/memory/sim/subject.h"

namespace tandem::test {

using Kind = TraceEvent::Kind;

namespace {

constexpr std::size_t kMostStreams = 16;

/// The lines of a trace, one after the other.
class Parser {
 public:
  explicit Parser(const std::string& name) { trace_.name = name; }

  void line(std::string_view text) {
    ++line_;
    if (text.empty() || text[0] == '#') return;
    rest_ = text.substr(1);
    TraceEvent e{Kind::HostWaits, stream_};
    switch (text[0]) {
      case 'a':
        e.kind = Kind::Allocate;
        e.bytes = number();
        e.block = trace_.allocations++;
        live_.push_back(true);
        break;
      case 'f':
        e.kind = Kind::Free;
        e.block = block();
        live_[e.block] = false;
        break;
      case 's':
        e.kind = Kind::Stream;
        e.stream = stream_ = stream();
        break;
      case 'u':
        e.kind = Kind::Use;
        e.block = block();
        break;
      case 'w':
        e.kind = Kind::Wait;
        e.stream = stream();
        e.other = stream();
        break;
      case 'h':
        break;
      default:
        wrong("a letter of a, f, s, u, w, h");
    }
    if (!rest_.empty()) wrong("the end of the line");
    trace_.events.push_back(e);
  }
  Trace take() {
    if (std::count(live_.begin(), live_.end(), true) != 0) wrong("all allocations to be freed");
    return std::move(trace_);
  }

 private:
  [[noreturn]] void wrong(const char* expected) const {
    throw FileError(fmt::format("[read_trace] {}, line {}: expected {}, got '{}'", trace_.name,
                                line_, expected, rest_));
  }
  std::size_t number() {
    std::size_t n = 0;
    if (rest_.empty() || rest_[0] != ' ') wrong("a number");
    const auto [end, code] = std::from_chars(rest_.data() + 1, rest_.data() + rest_.size(), n);
    if (code != std::errc()) wrong("a number");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return n;
  }
  std::size_t block() {
    const std::size_t back = number();
    if (back >= trace_.allocations) wrong("an allocation");
    const std::size_t block = trace_.allocations - 1 - back;
    if (!live_[block]) wrong("a live allocation");
    return block;
  }
  std::uint32_t stream() {
    const std::size_t s = number();
    if (s >= kMostStreams) wrong("a stream below 16");
    trace_.streams = std::max(trace_.streams, static_cast<std::uint32_t>(s) + 1);
    return static_cast<std::uint32_t>(s);
  }

  Trace trace_;
  std::vector<bool> live_;
  std::uint32_t stream_ = 0;
  std::size_t line_ = 0;
  std::string_view rest_;
};

SimOptions machine_for(const ReplayOptions& o) {
  SimOptions m;
  m.capacity = std::size_t{80} << 30;
  m.block_alignment = o.device ? 256 : 64;
  m.asynchronous = o.device;
  m.virtual_memory = o.virtual_memory;
  return m;
}

/// A pool on a simulated device, and work on every block.
class Replayer {
 public:
  Replayer(const Trace& trace, const ReplayOptions& options)
      : trace_(trace),
        options_(options),
        machine_(machine_for(options)),
        subject_(std::make_unique<PoolSubject>(machine_)),
        blocks_(trace.allocations) {
    streams_.push_back(SimMachine::default_stream(1));
    if (options.limit != 0) subject_->pool(1).set_limit(options.limit);
    while (streams_.size() < trace.streams) {
      StreamId s;
      machine_.create_stream(1, &s);
      streams_.push_back(s);
    }
  }

  ReplayResult run() {
    for (const TraceEvent& e : trace_.events) {
      play(e);
      reserved_ = std::max(reserved_, machine_.held(1));
      while (queued_ > options_.most_queued && machine_.step(rng_)) --queued_;
    }
    ReplayResult r;
    const MemoryStats s = subject_->pool(1).stats();
    r.requested = s.requested.peak;
    r.allocated = s.allocated.peak;
    r.reserved = reserved_;
    r.growths = s.driver_allocations;
    r.returned = s.driver_frees;
    r.events = s.events;
    r.waits = s.waits;
    r.synchronizations = machine_.calls(Call::Synchronize);
    r.moved = machine_.aliases();
    r.wrong = subject_->verify(1);
    subject_.reset();
    if (r.wrong.empty()) r.wrong = machine_.broken();
    if (r.wrong.empty()) r.wrong = machine_.leaks();
    return r;
  }

 private:
  void play(const TraceEvent& e) {
    Block*& b = blocks_[e.block];
    const StreamId stream = streams_[e.stream];
    switch (e.kind) {
      case Kind::Allocate:
        b = subject_->allocate(e.bytes, stream, PoolId::Shared);
        return work(b, e.block, stream);
      case Kind::Use:
        subject_->record_use(b, stream);
        return work(b, e.block, stream);
      case Kind::Free:
        return subject_->free(b);
      case Kind::Wait:
        return wait(stream, streams_[e.other]);
      case Kind::HostWaits:
        subject_->before_wait();
        machine_.user_synchronize(1);
        subject_->device_synchronized(1);
        queued_ = 0;
        return;
      case Kind::Stream:
        return;
    }
  }
  void work(const Block* b, std::size_t owner, StreamId stream) {
    machine_.kernel(stream, Access{b->data, b->requested, owner + 1, true});
    if (options_.device) ++queued_;
  }
  void wait(StreamId later, StreamId earlier) {
    const EventHandle e = machine_.user_event_create(1);
    subject_->event_recorded(e, earlier);
    machine_.user_event_record(e, earlier);
    machine_.user_stream_wait_event(later, e);
    subject_->event_waited(e, later);
    machine_.user_event_destroy(e);
    if (options_.device) queued_ += 2;
  }

  const Trace& trace_;
  const ReplayOptions options_;
  SimMachine machine_;
  std::unique_ptr<PoolSubject> subject_;
  std::vector<Block*> blocks_;
  std::vector<StreamId> streams_;
  std::mt19937_64 rng_{1};
  std::uint64_t queued_ = 0;
  std::size_t reserved_ = 0;  // at most
};

}  // namespace

Trace parse_trace(const std::string& name, const std::string& text) {
  Parser parser(name);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    parser.line(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return parser.take();
}

Trace read_trace(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(fmt::format("[read_trace] cannot open {}", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) name.resize(dot);
  return parse_trace(name, text);
}

ReplayResult replay(const Trace& trace, const ReplayOptions& options) {
  return Replayer(trace, options).run();
}

double replay_time(const Trace& trace, std::size_t divisor) {
  Pool pool(make_host_driver(true), kCPU, 0);
  std::vector<Block*> blocks(trace.allocations);
  const auto once = [&] {
    std::size_t calls = 0;
    for (const TraceEvent& e : trace.events) {
      if (e.kind == Kind::Allocate) {
        blocks[e.block] = pool.allocate((e.bytes + divisor - 1) / divisor);
      } else if (e.kind == Kind::Free) {
        pool.free(blocks[e.block]);
      } else {
        continue;
      }
      ++calls;
    }
    return calls;
  };
  once();  // the pages are had
  const auto start = std::chrono::steady_clock::now();
  const std::size_t calls = once();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::nano>(end - start).count() /
         static_cast<double>(std::max<std::size_t>(calls, 1));
}

}  // namespace tandem::test
