// Parses the schema strings of the op table; the grammar is in tandem/value.h.
#pragma once

#include "tandem/value.h"

namespace tandem::detail {

/// `bare_type` is the type of parameters that name none: "Arg", or "Tensor" for ops of one input.
/// Raises ValueError where the text does not follow the grammar.
Schema parse_schema(std::string_view text, std::string_view bare_type);

/// The value a default's text stands for: None, True, 1, 0.5, [], 'text'.
Value default_value(const Param& param);

}  // namespace tandem::detail
