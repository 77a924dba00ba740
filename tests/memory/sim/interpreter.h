// What runs a program, op by op, and checks the subject.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/memory/sim/program.h"
#include "tests/memory/sim/ranges.h"

namespace tandem::test {

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
inline constexpr int kNoGraph = -1;

/// One run of a program.
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
    bool captured = false;        // from a capture: to the pool its stream is none of the user's
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
    std::vector<StreamId> replays;                  // the streams that it was ever replayed on
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
  bool idle_fits(StreamId s, std::size_t bytes);
  bool enter(Live& b, StreamId s, std::size_t bytes);
  void out_of_memory(unsigned d, std::size_t bytes);
  bool free(Live& b, const std::optional<StreamId>& s);
  void remember(const Live& b);
  void forget_taken(StreamId s);
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
  bool destroy(int i, bool wait);
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
  bool limited_ = false;             // memory was ever short, or might have been
  std::set<std::uint64_t> crossed_;  // streams that ever freed what others had used
  Event events_[kEvents];
  Graph graphs_[kGraphs];
  Capture capture_;
  std::vector<std::size_t> limits_;
  std::uint64_t last_owner_ = 0;
};

}  // namespace tandem::test
