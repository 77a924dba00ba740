// Programs: made from a seed, printed, shrunk.
#include "tests/memory/sim/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>
#include <utility>

namespace tandem::test {

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Weight {
  OpKind kind;
  unsigned weight;
};
constexpr Weight kWeights[] = {
    {OpKind::Allocate, 300}, {OpKind::Free, 230},       {OpKind::FreeOn, 40},
    {OpKind::Use, 130},      {OpKind::Record, 60},      {OpKind::Wait, 60},
    {OpKind::HostWait, 6},   {OpKind::Query, 20},       {OpKind::SyncStream, 8},
    {OpKind::SyncDevice, 3}, {OpKind::CreateStream, 8}, {OpKind::DestroyStream, 8},
    {OpKind::EmptyCache, 2}, {OpKind::Trim, 3},         {OpKind::SetLimit, 2},
    {OpKind::Run, 100},      {OpKind::Begin, 12},       {OpKind::End, 8},
    {OpKind::Abort, 2},      {OpKind::Replay, 40},      {OpKind::DestroyGraph, 6},
    {OpKind::Fault, 3},
};

constexpr unsigned total_weight() {
  unsigned sum = 0;
  for (const Weight& w : kWeights) sum += w.weight;
  return sum;
}

/// Mostly small, sometimes tens of MiB: log-uniform.
std::uint32_t random_size(std::mt19937_64& rng) {
  if (rng() % 256 == 0) return 0;
  const double octaves = std::uniform_real_distribution<double>(0, rng() % 4 == 0 ? 25.3 : 17)(rng);
  return static_cast<std::uint32_t>(std::exp2(octaves));
}

World random_world(std::mt19937_64& rng) {
  static constexpr std::size_t kCapacity[] = {48, 96, 200, 512, 4096};
  static constexpr std::size_t kAlignment[] = {64, 256, 512};
  World w;
  w.machine.devices = rng() % 4 != 0 ? 1 : 2 + rng() % 2;
  w.machine.capacity = kCapacity[rng() % std::size(kCapacity)] * kMiB;
  w.machine.block_alignment = kAlignment[rng() % std::size(kAlignment)];
  w.machine.asynchronous = rng() % 16 != 0;
  w.machine.virtual_memory = rng() % 4 != 0;
  w.streams = w.machine.devices * (2 + rng() % 3);
  w.blocks = 8u << rng() % 5;
  w.faults = rng() % 4 == 0;
  w.peers = rng() % 2 == 0;
  w.captures = w.machine.asynchronous && rng() % 2 == 0;
  return w;
}

/// Knows which numbers probably have blocks, so that most ops do something.
class Generator {
 public:
  Generator(std::uint64_t seed, const World& world, std::mt19937_64& rng)
      : world_(world), rng_(rng), lazy_(seed % 5 == 0) {
    for (unsigned i = 0; i < world.blocks; ++i) dead_.push_back(static_cast<std::uint8_t>(i));
  }

  Op next() {
    unsigned r = static_cast<unsigned>(rng_() % total_weight());
    const Weight* w = kWeights;
    while (r >= w->weight) r -= (w++)->weight;
    Op op{w->kind, static_cast<std::uint8_t>(rng_()), static_cast<std::uint8_t>(rng_()),
          static_cast<std::uint32_t>(rng_())};
    op.b = static_cast<std::uint8_t>(op.b % world_.streams);
    if (op.kind >= OpKind::Begin && op.kind <= OpKind::DestroyGraph && !world_.captures)
      op.kind = OpKind::Run;
    switch (op.kind) {
      case OpKind::Allocate:
        op.n = random_size(rng_);
        if (dead_.empty()) {
          op = {OpKind::Free, move(live_, dead_)};
        } else {
          op.a = move(dead_, live_);
        }
        break;
      case OpKind::Free:
      case OpKind::FreeOn:
        if (!live_.empty()) op.a = move(live_, dead_);
        break;
      case OpKind::Use:
        if (!live_.empty()) op.a = live_[op.a % live_.size()];
        break;
      case OpKind::Record:
      case OpKind::Wait:
      case OpKind::HostWait:
      case OpKind::Query:
        op.a = static_cast<std::uint8_t>(op.a % kEvents);
        break;
      case OpKind::Run:
        op.b = static_cast<std::uint8_t>(lazy_ ? 1 : 1 + rng_() % 32);
        break;
      case OpKind::SetLimit:
        op.n = op.n % 2 == 0 ? 0 : static_cast<std::uint32_t>((8 + op.n % 256) * kMiB);
        break;
      case OpKind::Trim:
        op.n = static_cast<std::uint32_t>(op.n % 256 * kMiB);
        break;
      case OpKind::Fault:
        op.n %= 8;
        op.b = static_cast<std::uint8_t>(rng_() % (2 * static_cast<unsigned>(Call::kFallible)));
        break;
      default:
        break;
    }
    return op;
  }

 private:
  std::uint8_t move(std::vector<std::uint8_t>& from, std::vector<std::uint8_t>& to) {
    const std::size_t i = rng_() % from.size();
    to.push_back(from[i]);
    from[i] = from.back();
    from.pop_back();
    return to.back();
  }

  const World& world_;
  std::mt19937_64& rng_;
  const bool lazy_;  // the device hardly gets on
  std::vector<std::uint8_t> live_, dead_;
};

}  // namespace

std::unique_ptr<Subject> make_pools(SimMachine& machine) {
  return std::make_unique<PoolSubject>(machine);
}

Program generate(std::uint64_t seed, unsigned steps) {
  std::mt19937_64 rng(seed);
  Program p;
  p.seed = seed;
  p.world = random_world(rng);
  Generator g(seed, p.world, rng);
  p.ops.reserve(steps);
  for (unsigned i = 0; i < steps; ++i) p.ops.push_back(g.next());
  return p;
}

// ---- Shrinking: delta debugging (Zeller and Hildebrandt 2002), then smaller numbers. ----

namespace {

class Shrinker {
 public:
  Shrinker(Program program, const Runner& run) : best_(std::move(program)), run_(run) {}

  Program shrink() {
    std::size_t at = 0;
    if (run_(best_, &at).empty()) return best_;
    Program shorter = best_;
    shorter.ops.resize(std::min(shorter.ops.size(), at + 1));
    take(shorter);
    for (std::size_t before = 0; before != best_.ops.size();) {
      before = best_.ops.size();
      for (std::size_t chunk = std::max<std::size_t>(before / 2, 1); chunk > 0; chunk /= 2)
        leave_out(chunk);
    }
    simplify_world();
    for (std::size_t i = 0; i < best_.ops.size(); ++i) simplify(i);
    leave_out(1);
    return best_;
  }

 private:
  bool take(const Program& p) {
    std::size_t at = 0;
    if (run_(p, &at).empty()) return false;
    best_ = p;
    return true;
  }

  void leave_out(std::size_t chunk) {
    for (std::size_t i = best_.ops.size(); i > 0;) {
      i = i > chunk ? i - chunk : 0;
      Program p = best_;
      const auto from = p.ops.begin() + static_cast<std::ptrdiff_t>(i);
      p.ops.erase(from, from + static_cast<std::ptrdiff_t>(std::min(chunk, p.ops.size() - i)));
      take(p);
    }
  }

  void simplify_world() {
    const World w = best_.world;
    const auto attempt = [&](auto change) {
      Program p = best_;
      change(p.world);
      take(p);
    };
    attempt([](World& x) { x.faults = false; });
    attempt([](World& x) { x.captures = false; });
    attempt([](World& x) { x.peers = false; });
    attempt([](World& x) { x.machine.virtual_memory = false; });
    attempt([](World& x) { x.verify_every = 1; });
    attempt([&](World& x) {
      x.streams = std::max(2u, w.streams / w.machine.devices);
      x.machine.devices = 1;
    });
  }

  template <class T>
  void lower(std::size_t i, T Op::*field) {
    for (const std::uint32_t to : {0u, 1u, 2u, 3u, 512u, 1u << 20, 3u << 20, 40u << 20}) {
      if (to >= best_.ops[i].*field) return;
      Program p = best_;
      p.ops[i].*field = static_cast<T>(to);
      if (take(p)) return;
    }
  }

  void simplify(std::size_t i) {
    lower(i, &Op::n);
    lower(i, &Op::b);
    // A block has its number in several ops: change it in all of them.
    for (std::uint8_t to = 0; to < best_.ops[i].a; ++to) {
      Program p = best_;
      const std::uint8_t from = p.ops[i].a;
      for (Op& op : p.ops) {
        if (op.kind <= OpKind::Use && op.a == from) op.a = to;
      }
      if (best_.ops[i].kind > OpKind::Use) p.ops[i].a = to;
      if (take(p)) return;
    }
  }

  Program best_;
  const Runner& run_;
};

const char* name_of(unsigned call) {
  static constexpr const char* kNames[] = {
      "allocate",     "free",         "memory_info",       "reserve",
      "release",      "create",       "destroy",           "map",
      "unmap",        "event_create", "event_record",      "event_query",
      "stream_query", "event_wait",   "stream_wait_event", "stream_synchronize",
      "synchronize"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Call::kFallible));
  return kNames[call];
}

std::string print(const Op& op) {
  const unsigned a = op.a, b = op.b;
  switch (op.kind) {
    case OpKind::Allocate:
      return fmt::format("b{} = allocate({}, s{});", a, op.n, b);
    case OpKind::Free:
      return fmt::format("free(b{});", a);
    case OpKind::FreeOn:
      return fmt::format("free(b{}, s{});", a, b);
    case OpKind::Use:
      return fmt::format("use(b{}, s{});{}", a, b, op.n % 2 == 0 ? "  // noted first" : "");
    case OpKind::Record:
      return fmt::format("e{} = record(s{});", a % kEvents, b);
    case OpKind::Wait:
      return fmt::format("wait(s{}, e{});", b, a % kEvents);
    case OpKind::HostWait:
      return fmt::format("host_wait(e{});", a % kEvents);
    case OpKind::Query:
      return fmt::format("query(e{});", a % kEvents);
    case OpKind::SyncStream:
      return fmt::format("synchronize(s{});", b);
    case OpKind::SyncDevice:
      return fmt::format("synchronize_device({});", b);
    case OpKind::CreateStream:
      return fmt::format("s{} = create_stream();", b);
    case OpKind::DestroyStream:
      return fmt::format("destroy(s{});", b);
    case OpKind::EmptyCache:
      return fmt::format("empty_cache({});", b);
    case OpKind::Trim:
      return fmt::format("trim({}, {});", b, op.n);
    case OpKind::SetLimit:
      return fmt::format("set_limit({}, {});", b, op.n);
    case OpKind::Run:
      return fmt::format("run({});  // order {}", b, op.n);
    case OpKind::Begin:
      return fmt::format("begin_capture(s{});", b);
    case OpKind::End:
      return "end_capture();";
    case OpKind::Abort:
      return "abort_capture();";
    case OpKind::Replay:
      return fmt::format("replay(g{}, s{});", a % kGraphs, b);
    case OpKind::DestroyGraph:
      return fmt::format("destroy(g{});", a % kGraphs);
    case OpKind::Fault:
      return fmt::format("fail_call({}, {}, {});", op.n, a % 2 == 0 ? "Failed" : "OutOfMemory",
                         b < static_cast<unsigned>(Call::kFallible) ? name_of(b) : "any");
    case OpKind::kCount:
      break;
  }
  return "";
}

}  // namespace

Program shrink(const Program& program, const Runner& runner) {
  return Shrinker(program, runner).shrink();
}

Program shrink(const Program& program, const MakeSubject& make) {
  return shrink(program, Runner([&make](const Program& p, std::size_t* at) {
                  return run(p, make, nullptr, at);
                }));
}

std::string print(const Program& p) {
  const SimOptions& m = p.world.machine;
  std::string text = fmt::format(
      "// seed {}: {} device(s) of {} MiB, {} streams (stream i is of device i % {} + 1), blocks "
      "aligned to {}{}{}{}{}{}\n",
      p.seed, m.devices, m.capacity / kMiB, p.world.streams, m.devices, m.block_alignment,
      m.asynchronous ? "" : ", synchronous", m.virtual_memory ? ", virtual memory" : "",
      p.world.faults ? ", faults" : "", p.world.peers ? ", peers" : "",
      p.world.captures ? ", captures" : "");
  for (const Op& op : p.ops) text += print(op) + "\n";
  return text;
}

std::string soak(std::uint64_t seed, std::uint64_t steps, const MakeSubject& make,
                 Counters* counters) {
  for (; counters->steps < steps; ++seed) {
    const Program p = generate(seed, seed % 8 == 0 ? 8000 : 1000);
    const std::string wrong = run(p, make, counters);
    if (wrong.empty()) continue;
    const Program small = shrink(p, make);
    return fmt::format("seed {}: {}\nshrunk to {} ops: {}\n{}", seed, wrong, small.ops.size(),
                       run(small, make), print(small));
  }
  return "";
}

std::string Counters::str() const {
  return fmt::format(
      "{} programs, {} steps, {} allocations, {} frees, {} uses, {} on another stream, {} on "
      "another device, {} events, {} waits of streams, {} of the host, {} streams, {} captures, {} "
      "replays, {} graphs gone while they ran, {} growths, {} returns, {} trims, {} out of memory, "
      "{} faults, {} kernels; the "
      "driver recorded {} events, was asked for {}, had {} streams wait, gave {} pages another "
      "address",
      programs, steps, allocations, frees, uses, cross_stream, peer_uses, events, waits, host_waits,
      streams, captures, replays, unwaited, growths, returns, trims, out_of_memory, faults, kernels,
      driver_events, driver_queries, driver_waits, moves);
}

}  // namespace tandem::test
