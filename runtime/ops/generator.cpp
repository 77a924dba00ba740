// Generators: their state, and turns at them.
#include "tandem/generator.h"

#include <fmt/format.h>

#include <cstring>
#include <random>

#include "runtime/ops/turn.h"
#include "tandem/check.h"
#include "tandem/ops.h"
#include "tandem/random.h"

namespace tandem {

namespace {

/// A state as bytes, in the machine's order (as everything else in memory).
struct Saved {
  char magic[8];
  std::uint64_t seed, offset, stream;
};
constexpr char kMagic[] = "tandemG1";

Saved saved(detail::GeneratorState& s) {
  const std::lock_guard lock(s.mutex);
  Saved out{{}, s.seed, s.offset, s.stream};
  std::memcpy(out.magic, kMagic, sizeof out.magic);
  return out;
}

void restore(detail::GeneratorState& s, const Saved& from) {
  const std::lock_guard lock(s.mutex);
  s.seed = from.seed;
  s.offset = from.offset;
  s.stream = from.stream;
}

void check_offset(std::uint64_t offset, const char* op) {
  TANDEM_EXPECTS(offset <= Generator::kMaxCalls, ValueError,
                 fmt::format("[{}] argument 'offset': expected at most {}, got {}", op,
                             Generator::kMaxCalls, offset));
}

void check_stream(std::uint64_t stream, const char* op) {
  TANDEM_EXPECTS(stream < Generator::kMaxStreams, ValueError,
                 fmt::format("[{}] argument 'stream': expected less than {}, got {}", op,
                             Generator::kMaxStreams, stream));
}

}  // namespace

namespace detail {

Turn::Turn(const Generator& generator, const char* op) : state_(generator.state_) {
  const std::lock_guard lock(state_->mutex);
  TANDEM_EXPECTS(state_->offset < Generator::kMaxCalls, ValueError,
                 fmt::format("[{}] expected a generator with calls left, got one that has made {}: "
                             "seed it again, or take another stream of it",
                             op, state_->offset));
  seed_ = state_->seed;
  stream_ = state_->stream;
  offset_ = state_->offset++;
}

Turn::~Turn() {
  if (kept_) return;
  const std::lock_guard lock(state_->mutex);
  if (state_->seed == seed_ && state_->offset == offset_ + 1) state_->offset = offset_;
}

}  // namespace detail

Generator::Generator(std::uint64_t seed) : state_(std::make_shared<detail::GeneratorState>()) {
  state_->seed = seed;
}

Generator& Generator::manual_seed(std::uint64_t seed) {
  const std::lock_guard lock(state_->mutex);
  state_->seed = seed;
  state_->offset = 0;
  return *this;
}

std::uint64_t Generator::seed() {
  std::random_device system;
  const std::uint64_t high = system();
  const std::uint64_t seed = high << 32 | system();
  manual_seed(seed);
  return seed;
}

std::uint64_t Generator::initial_seed() const { return saved(*state_).seed; }
std::uint64_t Generator::offset() const { return saved(*state_).offset; }
std::uint64_t Generator::stream_index() const { return saved(*state_).stream; }

void Generator::set_offset(std::uint64_t offset) {
  check_offset(offset, "set_offset");
  const std::lock_guard lock(state_->mutex);
  state_->offset = offset;
}

Generator Generator::stream(std::uint64_t i) const {
  check_stream(i, "stream");
  Generator g(initial_seed());
  g.state_->stream = i;
  return g;
}

Generator Generator::clone() const {
  Generator g;
  restore(*g.state_, saved(*state_));
  return g;
}

Tensor Generator::get_state() const {
  const Saved s = saved(*state_);
  Tensor t = empty({static_cast<std::int64_t>(sizeof s)}, {.dtype = DType::uint8, .device = kCPU});
  std::memcpy(t.data_ptr(), &s, sizeof s);
  return t;
}

void Generator::set_state(const Tensor& state) {
  TANDEM_EXPECTS(state.dtype() == DType::uint8 && state.device().is_cpu(), TypeError,
                 fmt::format("[set_state] argument 'state': expected uint8 on cpu, got {} on {}",
                             name(state.dtype()), state.device().str()));
  Saved s{};
  TANDEM_EXPECTS(
      state.dim() == 1 && state.numel() == static_cast<std::int64_t>(sizeof s), ValueError,
      fmt::format("[set_state] argument 'state': expected {} bytes in one dimension, got "
                  "{} in {}",
                  sizeof s, state.numel(), state.dim()));
  const Tensor bytes = state.contiguous();
  check_host_use(bytes);
  std::memcpy(&s, bytes.data_ptr(), sizeof s);
  TANDEM_EXPECTS(std::memcmp(s.magic, kMagic, sizeof s.magic) == 0, ValueError,
                 "[set_state] argument 'state': expected bytes that get_state gave, got others");
  check_offset(s.offset, "set_state");
  check_stream(s.stream, "set_state");
  restore(*state_, s);
}

Generator& default_generator() {
  static constinit std::atomic<Generator*> g{nullptr};
  return made_once(g);
}

void manual_seed(std::uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace tandem
