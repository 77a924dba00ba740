// The grammar of einsum: letters, names in brackets, lists of numbers. Internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/ops/einsum_path.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// A label is a letter, A to Z and a to z as 0 to 51, or a name, in the order of the names' text;
/// from kFirstDot on the dimensions that an ellipsis stands for, right-aligned.
using Labels = SmallVector<std::int32_t, 8>;
inline constexpr std::int32_t kLetters = 52;
inline constexpr std::int32_t kFirstDot = 96;
/// An ellipsis as written.
inline constexpr std::int32_t kDots = -1;

/// An equation as written.
struct Equation {
  std::vector<Labels> inputs;
  std::optional<Labels> output;
  std::vector<std::string> words;  // by label; none where labels are letters

  bool by_names() const { return !words.empty(); }
  /// A label as messages show it.
  std::string str(std::int32_t label) const;
  /// A subscript as it would be written; an ellipsis for all of its dimensions in a row.
  std::string str(const Labels& labels) const;
};

/// "ij,jk->ik", or "[row inner], [inner col] -> [row col]" with a word a dimension; "-> [row col]"
/// has the operands' own names. `op`: for messages. Raises ValueError.
Equation parse_equation(const char* op, const std::string& text,
                        const std::vector<Tensor>& operands);

/// Numbers 0 to 51 or -1, the ellipsis, in place of letters: 0 is A, 26 is a, so that an
/// output without a list is in the order of the numbers.
std::string letters_of(const std::vector<std::int64_t>& subscripts);

inline bool has(const Labels& labels, std::int32_t label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

}  // namespace tandem::detail
