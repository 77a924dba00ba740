// Generator: where random numbers come from. A handle; copies share one state.
#pragma once

#include <cstdint>
#include <memory>

#include "tandem/export.h"

namespace tandem {

class Tensor;

namespace detail {
struct GeneratorState;
class Turn;
}  // namespace detail

/// A seed, a number of calls and a stream. The numbers of a call depend on these three and on the
/// place of each element alone, so they are the same on every device, for any launch and any number
/// of threads; docs/numerics.md has the bits. Threads may share a generator: each call takes one
/// number of the count, in no promised order. A call that raises takes none, nor does one on meta.
class TANDEM_API Generator {
 public:
  static constexpr std::uint64_t kDefaultSeed = 0x5eed5eed;
  static constexpr std::uint64_t kMaxCalls = std::uint64_t(1) << 40;
  static constexpr std::uint64_t kMaxStreams = std::uint64_t(1) << 24;

  explicit Generator(std::uint64_t seed = kDefaultSeed);

  /// Sets the seed and starts the count of calls again; the stream stays.
  Generator& manual_seed(std::uint64_t seed);
  /// A seed from the system, which is set and given back.
  std::uint64_t seed();
  /// The seed in use.
  std::uint64_t initial_seed() const;

  /// Calls since the seed was set; all the generator knows besides seed and stream.
  std::uint64_t offset() const;
  /// Raises ValueError beyond kMaxCalls.
  void set_offset(std::uint64_t offset);

  /// The i-th stream of the same seed, from its start: numbers of its own, whatever else is drawn.
  /// Two streams of a seed never meet: the stream is a part of Philox's counter. A new generator is
  /// stream 0. Raises ValueError from kMaxStreams on.
  Generator stream(std::uint64_t i) const;
  std::uint64_t stream_index() const;

  /// 32 bytes, as a uint8 tensor on the CPU.
  Tensor get_state() const;
  /// Raises TypeError, ValueError and changes nothing where the tensor is no state.
  void set_state(const Tensor& state);
  /// The same state, from here on for itself.
  Generator clone() const;

  bool operator==(const Generator& o) const { return state_ == o.state_; }

 private:
  friend class detail::Turn;
  std::shared_ptr<detail::GeneratorState> state_;
};

/// The generator of calls that name none; one for all devices.
TANDEM_API Generator& default_generator();

}  // namespace tandem
