// Random programs on a pool: lists of ops on numbered streams, blocks and events, generated from a
// seed, run against a model of what is live and in what order work runs, and shrunk when they fail.
// Every list is a legal program: an op that is not possible where it stands does nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/memory/sim/sim_driver.h"
#include "tests/memory/sim/subject.h"

namespace tandem::test {

enum class OpKind : std::uint8_t {
  Allocate,      // block a, on stream b, n bytes
  Free,          // block a
  FreeOn,        // block a, after a last use on stream b
  Use,           // block a, on stream b; n: whether the use is noted before it is queued
  Record,        // event a, on stream b
  Wait,          // for event a, by stream b
  HostWait,      // for event a
  Query,         // event a
  SyncStream,    // stream b
  SyncDevice,    // device b
  CreateStream,  // stream b, if it is not there
  DestroyStream,
  EmptyCache,  // device b
  Trim,        // device b, to n bytes
  SetLimit,    // device b, n bytes; 0: none
  Run,         // b items, in the order that n says
  Begin,       // a capture, on stream b
  End,         // of the capture
  Abort,
  Replay,        // graph a, on stream b
  DestroyGraph,  // graph a
  Fault,         // the nth next call of the driver fails; a: with which status, b: of one kind
  kCount
};

struct Op {
  OpKind kind = OpKind::Run;
  std::uint8_t a = 0, b = 0;
  std::uint32_t n = 0;
  friend bool operator==(const Op&, const Op&) = default;
};

inline constexpr unsigned kEvents = 8, kGraphs = 2;

/// What surrounds the ops.
struct World {
  SimOptions machine;
  unsigned streams = 4;  // the first of each device is its default stream
  unsigned blocks = 64;
  unsigned verify_every = 256;
  bool faults = false;
  bool peers = false, captures = false;
};

struct Program {
  std::uint64_t seed = 0;
  World world;
  std::vector<Op> ops;
};

/// What happened, summed up over programs.
struct Counters {
  std::uint64_t programs = 0, steps = 0, allocations = 0, frees = 0, uses = 0, cross_stream = 0,
                peer_uses = 0, events = 0, waits = 0, host_waits = 0, streams = 0, growths = 0,
                returns = 0, trims = 0, captures = 0, replays = 0, unwaited = 0, out_of_memory = 0,
                faults = 0, kernels = 0, moves = 0, driver_events = 0, driver_queries = 0,
                driver_waits = 0;
  std::uint64_t faults_of[static_cast<std::size_t>(Call::kFallible)] = {};
  std::string str() const;
};

using MakeSubject = std::function<std::unique_ptr<Subject>(SimMachine&)>;

/// The pools of the product.
std::unique_ptr<Subject> make_pools(SimMachine& machine);

/// A program of about `steps` ops. The seed also chooses the world: memory, streams, devices.
Program generate(std::uint64_t seed, unsigned steps);

/// Runs it; empty, or what went wrong. `at`, where given, becomes the index of the op in question.
std::string run(const Program& program, const MakeSubject& make, Counters* counters = nullptr,
                std::size_t* at = nullptr);

/// Runs a program in some way; empty, or what went wrong, at which op.
using Runner = std::function<std::string(const Program& program, std::size_t* at)>;

/// A failing program with all ops left out that the failure does not need, and small numbers.
Program shrink(const Program& program, const Runner& runner);
Program shrink(const Program& program, const MakeSubject& make);

/// As lines of C++, with what it takes to run it again.
std::string print(const Program& program);

/// Runs the programs of a seed and those after it. At the first failure: its shrunk program.
std::string soak(std::uint64_t seed, std::uint64_t steps, const MakeSubject& make,
                 Counters* counters);

}  // namespace tandem::test
