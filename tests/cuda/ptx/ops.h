// The instructions of PTX that work on registers alone: each is a loop over the lanes of a block.
#pragma once

#include <cstdint>
#include <string>

#include "tests/cuda/ptx/parser.h"

namespace tandem::ptx {

inline constexpr int kMaxLanes = 1024;  // threads that run in lock-step: one block

/// d[i] = op(a[i], b[i], c[i]) for n lanes; registers are arrays of unsigned integers of their
/// width, predicates of bytes that are 0 or 1. Defined for every value.
using Loop = void (*)(int n, void* d, const void* a, const void* b, const void* c);

/// What the assembler may make of an operation that has no rounding in its name.
enum class Contraction : std::uint8_t { None, Product, Sum, Difference };

struct Op {
  Loop loop = nullptr;
  int sources = 0;
  int bytes[4] = {};  // of the registers: destination, then sources
  Contraction contraction = Contraction::None;
  bool is_estimate = false;
};

/// By name and modifiers ("setp.lt.s64"); null for one that is not known.
const Op* find_op(const std::string& opcode);

/// A conversion: the loop takes and gives arrays of 64-bit integers, the value (or the bits of a
/// float) extended to 64 bits as its type says. Registers may be wider than the types.
struct Conversion {
  Loop loop = nullptr;
  Type to, from;
};
const Conversion* find_conversion(const std::string& opcode);

/// The product and the sum as one operation: what a contraction makes of them.
/// Negated factors and addends: of a difference.
Loop fused_loop(int bytes, bool negate_product, bool negate_addend);

/// Estimates (div.approx and its like) are off by as much as the manual allows them, at random from
/// this seed: a result that depends on more than that is wrong for some seed.
void set_estimate_seed(std::uint32_t seed);

}  // namespace tandem::ptx
