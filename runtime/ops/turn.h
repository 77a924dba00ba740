// Turn: one call's place in the count of a generator. Internal.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/memory/fork.h"
#include "tandem/generator.h"

namespace tandem::detail {

struct GeneratorState {
  ForkMutex mutex;
  std::uint64_t seed = 0;
  std::uint64_t offset = 0;
  std::uint64_t stream = 0;
};

/// Takes the generator's next offset, and gives it back unless keep() is called: a call that raises
/// after all takes none. (Where another thread has drawn in between it stays taken.)
class Turn {
 public:
  /// Raises ValueError where the generator has no call left, naming `op`.
  Turn(const Generator& generator, const char* op);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  void keep() { kept_ = true; }

  std::uint64_t seed() const { return seed_; }
  /// The upper half of Philox's counter: offset | stream << 40.
  std::uint64_t counter() const { return offset_ | stream_ << 40; }

 private:
  std::shared_ptr<GeneratorState> state_;
  std::uint64_t seed_, offset_, stream_;
  bool kept_ = false;
};

}  // namespace tandem::detail
