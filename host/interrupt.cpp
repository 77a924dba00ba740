// Long work in slices, between which the caller of an op may be asked to end it.
#include <atomic>

#include "host/parallel.h"
#include "tandem/interrupt.h"

namespace tandem {

namespace {
constinit std::atomic<InterruptCheck> g_check{nullptr};
}  // namespace

InterruptCheck set_interrupt_check(InterruptCheck check) noexcept {
  return g_check.exchange(check);
}

void check_interrupt() {
  if (const InterruptCheck check = g_check.load(std::memory_order_relaxed)) check();
}

namespace detail {
bool interruptible() noexcept { return g_check.load(std::memory_order_relaxed) != nullptr; }
}  // namespace detail

namespace host {

namespace {
using std::chrono::milliseconds;
/// A slice is made longer below the first, shorter above the second.
constexpr milliseconds kShort{5};
constexpr milliseconds kLong{25};
constexpr milliseconds kBetweenChecks{50};
/// Parts of fewer grains take no time worth a look at the clock, but for items that are long.
constexpr std::int64_t first_step(std::int64_t grain) { return grain == 1 ? 1 : 16 * grain; }
}  // namespace

Slices::Slices(std::int64_t grain, bool is_caller, std::atomic<bool>* ended) noexcept
    : grain_(std::max<std::int64_t>(grain, 1)),
      step_(first_step(grain_)),
      is_caller_(is_caller),
      ended_(ended) {}

std::int64_t Slices::next(std::int64_t first, std::int64_t last) {
  if (!begun_) {
    begun_ = true;
    if (last - first <= step_) return last;
    checked_ = began_ = Clock::now();
    return first + step_;
  }
  const auto now = Clock::now();
  if (ended_ != nullptr && ended_->load(std::memory_order_relaxed)) return first;
  if (is_caller_ && now - checked_ >= kBetweenChecks) {
    check_interrupt();
    checked_ = now;
  }
  if (now - began_ < kShort) step_ *= 2;
  if (now - began_ > kLong && step_ > grain_) step_ = std::max(step_ / 2, grain_);
  began_ = now;
  return last - first <= step_ ? last : first + step_;
}

}  // namespace host
}  // namespace tandem
