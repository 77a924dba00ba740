// The text of PTX (NVIDIA's assembly for a virtual machine) as functions of instructions whose
// names are resolved. What it does not know is an error that names the line.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::ptx {

/// A text that is not understood, or an instruction that may not be executed.
struct Error : std::runtime_error {
  Error(int at, const std::string& what)
      : std::runtime_error("line " + std::to_string(at) + ": " + what), line(at) {}
  int line;
};

enum class Space : std::uint8_t { Param, Local, Shared };

/// A fundamental type: letter (b, u, s, f or p for .pred) and width.
struct Type {
  char kind = 'b';
  int bits = 0;  // of a predicate: 1
  int bytes() const { return bits == 1 ? 1 : bits / 8; }
  bool operator==(const Type&) const = default;
};

struct Register {
  std::string name;
  Type type;
};

/// A variable of a state space: a parameter, shared or local memory.
struct Variable {
  std::string name;
  Space space = Space::Param;
  std::uint64_t bytes = 0, align = 1;
};

struct Operand {
  enum class Kind : std::uint8_t {
    Register,   // index: of the function's registers
    Special,    // name: %tid.x and its like
    Integer,    // bits
    Float,      // bits of `float_bits` width
    Variable,   // index: of the function's variables
    Label,      // index: of the instruction it stands before
    Predicate,  // a negated predicate: index
    Vector,     // parts
    Pair,       // a register and a predicate: parts
    Address     // parts[0] (Register, Variable or Integer) + offset
  };
  Kind kind = Kind::Integer;
  int index = 0;
  int float_bits = 0;
  std::uint64_t bits = 0;
  std::int64_t offset = 0;
  std::string name;
  std::vector<Operand> parts;
};

struct Instruction {
  int line = 0;
  int guard = -1;  // a predicate register; -1: none
  bool guard_not = false;
  std::string opcode;  // with its modifiers: "setp.lt.s64"
  std::vector<Operand> operands;
  std::string callee;               // of a call
  std::vector<int> results, given;  // of a call: variables
};

struct Function {
  std::string name;
  bool is_entry = false;
  int line = 0;
  int threads = 0;                   // of a block at most; 0: not said
  std::vector<int> results, params;  // variables
  std::vector<Variable> variables;
  std::vector<Register> registers;
  std::vector<Instruction> body;
};

/// A translation unit: its functions, of which the bodies are parsed when they are asked for.
class Module {
 public:
  explicit Module(std::string text);

  /// Names of the entries (kernels) in the order of the text.
  std::vector<std::string> entries() const;
  bool has(std::string_view name) const;
  Function parse(std::string_view name) const;

 private:
  struct Outline {
    std::string name;
    bool is_entry;
    std::size_t begin;  // of the text: the signature
    int line;
  };
  const Outline* find(std::string_view name) const;
  struct Shared {
    std::size_t begin;
    int line;
  };

  std::string text_;
  std::vector<Outline> outlines_;
  std::vector<Shared> shared_;
};

}  // namespace tandem::ptx
