// Where elements come from: borders and choices. Integers only.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

/// The place in an input of n of place i of the output, whose element `before` is the input's
/// first; -1 for the value. Modes are those of BorderMode in tandem/backend/movement.h.
TANDEM_FN std::int64_t border_source(std::int64_t i, std::int64_t before, std::int64_t n,
                                     std::int32_t mode) {
  const std::int64_t j = i - before;
  if (j >= 0 && j < n) return j;
  if (mode == 1) return j < 0 ? -j : 2 * (n - 1) - j;
  if (mode == 2) return j < 0 ? 0 : n - 1;
  if (mode == 3) return j < 0 ? j + n : j - n;
  return -1;
}

// Note [Numbers of choices]
// Choices of r of n places are numbered in lexicographic order. Of those that share their first
// places, C(n - 1 - c, j) have c as the next one, where j more follow. From one count follows the
// next by one product and one exact division: C(m - 1, j) = C(m, j) (m - j) / m, and
// C(m - 1, j - 1) = C(m, j) j / m. Choices with replacement are those of n + r - 1 places, place k
// less k.

/// The places of one choice, one after the other; its number is what is left of `q`.
class ChoiceWalk {
 public:
  /// `choices` is C(n, r), and n times it is below 2^63.
  TANDEM_FN ChoiceWalk(std::int64_t n, std::int64_t r, std::int64_t choices)
      : left_(n), follow_(r), count_(choices) {}

  TANDEM_FN std::int64_t next(std::int64_t& q) {
    // Of `left_` places from here on, `follow_` are to be chosen in `count_` ways.
    count_ = count_ * follow_ / left_;
    --left_;
    --follow_;
    if (follow_ == 0) {  // one way each
      const std::int64_t place = place_ + q;
      q = 0;
      return place;
    }
    while (q >= count_) {
      q -= count_;
      count_ = count_ * (left_ - follow_) / left_;
      --left_;
      ++place_;
    }
    return place_++;
  }

 private:
  std::int64_t left_, follow_, count_;
  std::int64_t place_ = 0;
};

}  // namespace tandem::fn
