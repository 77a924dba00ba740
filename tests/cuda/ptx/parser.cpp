// A recursive-descent parser of the subset of PTX that nvcc makes of Tandem's kernels.
#include "tests/cuda/ptx/parser.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "tests/cuda/ptx/lexer.h"

namespace tandem::ptx {

namespace {

using Kind = Operand::Kind;

bool is_linkage(const Token& t) {
  return t.is(".visible") || t.is(".weak") || t.is(".extern") || t.is(".common");
}

Type type_of(Lexer& in) {
  static const std::map<std::string_view, Type> kTypes = {
      {".pred", {'p', 1}}, {".b8", {'b', 8}},   {".u8", {'u', 8}},   {".s8", {'s', 8}},
      {".b16", {'b', 16}}, {".u16", {'u', 16}}, {".s16", {'s', 16}}, {".b32", {'b', 32}},
      {".u32", {'u', 32}}, {".s32", {'s', 32}}, {".f32", {'f', 32}}, {".b64", {'b', 64}},
      {".u64", {'u', 64}}, {".s64", {'s', 64}}, {".f64", {'f', 64}}};
  const auto found = kTypes.find(in.peek().text);
  if (found == kTypes.end()) in.fail("expected a type");
  in.next();
  return found->second;
}

/// Names of one pair of braces; the innermost that knows a name says what it is.
struct Scope {
  std::unordered_map<std::string, int> registers, variables;
};

class FunctionParser {
 public:
  explicit FunctionParser(Lexer& in) : in_(&in) { scopes_.emplace_back(); }

  /// A variable of the module, before the function.
  void module_variable(Lexer& in) {
    Lexer& own = *in_;
    in_ = &in;
    while (is_linkage(in.peek())) in.next();
    in.next();
    variable(Space::Shared);
    in_ = &own;
  }

  Function parse() {
    while (is_linkage(in_->peek())) in_->next();
    out_.is_entry = in_->accept(std::string_view(".entry"));
    if (!out_.is_entry && !in_->accept(std::string_view(".func")))
      in_->fail("expected .entry or .func");
    if (in_->accept('(')) parameters(out_.results);
    out_.line = in_->peek().line;
    out_.name = in_->word("the function's name");
    if (in_->accept('(')) parameters(out_.params);
    performance_directives();
    in_->expect('{');
    while (!in_->accept('}')) statement();
    if (scopes_.size() != 1) in_->fail("unbalanced braces");
    resolve_labels();
    return std::move(out_);
  }

 private:
  int add_variable(Space space, const std::string& name, std::uint64_t bytes, std::uint64_t align) {
    const int index = static_cast<int>(out_.variables.size());
    if (!scopes_.back().variables.emplace(name, index).second) in_->fail("'" + name + "' again");
    out_.variables.push_back({name, space, bytes, align});
    return index;
  }

  /// `.align 16 .b8 name[80]` or `.b32 name`, after the state space; `name[]`, of no bytes, is the
  /// shared memory that a launch gives.
  int variable(Space space) {
    std::uint64_t align = 0;
    if (in_->accept(std::string_view(".align"))) align = in_->integer("an alignment");
    const Type type = type_of(*in_);
    const std::string name = in_->word("a name");
    std::uint64_t count = 1;
    if (in_->accept('[')) {
      count = space == Space::Shared && in_->peek().is(']') ? 0 : in_->integer("a size");
      in_->expect(']');
    }
    const auto bytes = static_cast<std::uint64_t>(type.bytes());
    return add_variable(space, name, bytes * count, align == 0 ? bytes : align);
  }

  void parameters(std::vector<int>& list) {
    while (!in_->accept(')')) {
      if (!in_->accept(std::string_view(".param"))) in_->fail("expected .param");
      list.push_back(variable(Space::Param));
      if (!in_->peek().is(')')) in_->expect(',');
    }
  }

  /// Those that change how fast a kernel runs, not what it computes.
  void performance_directives() {
    while (in_->peek().kind == Token::Kind::Word) {
      const std::string name = in_->word("a directive");
      if (name != ".maxntid" && name != ".minnctapersm" && name != ".maxnreg" && name != ".reqntid")
        in_->fail("unknown directive " + name + " before");
      std::uint64_t threads = 1;
      do {
        threads *= in_->integer("a number");
      } while (in_->accept(','));
      if (name == ".maxntid" || name == ".reqntid") out_.threads = static_cast<int>(threads);
    }
  }

  void add_register(const std::string& name, Type type) {
    const int index = static_cast<int>(out_.registers.size());
    if (!scopes_.back().registers.emplace(name, index).second) in_->fail("'" + name + "' again");
    out_.registers.push_back({name, type});
  }

  void register_declaration() {
    const Type type = type_of(*in_);
    do {
      const std::string name = in_->word("a register");
      if (!in_->accept('<')) {
        add_register(name, type);
        continue;
      }
      const std::uint64_t count = in_->integer("a number of registers");
      in_->expect('>');
      for (std::uint64_t i = 0; i < count; ++i) add_register(name + std::to_string(i), type);
    } while (in_->accept(','));
    in_->expect(';');
  }

  void statement() {
    const Token& t = in_->peek();
    if (in_->accept('{')) {
      scopes_.emplace_back();
      while (!in_->accept('}')) statement();
      scopes_.pop_back();
    } else if (in_->accept(';')) {
      // an empty statement
    } else if (t.is('@')) {
      instruction();
    } else if (t.kind != Token::Kind::Word) {
      in_->fail("expected a statement");
    } else if (t.text[0] == '.') {
      directive();
    } else {
      const Token name = in_->next();
      if (in_->accept(':')) {
        if (!labels_.emplace(std::string(name.text), static_cast<int>(out_.body.size())).second)
          throw Error(name.line, "label '" + std::string(name.text) + "' again");
      } else {
        Instruction i;
        i.line = name.line;
        i.opcode = name.text;
        rest_of(i);
      }
    }
  }

  void directive() {
    const Token name = in_->next();
    if (name.is(".reg")) return register_declaration();
    if (name.is(".pragma")) {
      // "nounroll" and "used_bytes_mask" are hints.
      if (in_->peek().kind != Token::Kind::Text) in_->fail("expected a string");
      in_->next();
    } else if (name.is(".param")) {
      variable(Space::Param);
    } else if (name.is(".local")) {
      variable(Space::Local);
    } else if (name.is(".shared")) {
      variable(Space::Shared);
    } else {
      throw Error(name.line, "unknown directive '" + std::string(name.text) + "'");
    }
    in_->expect(';');
  }

  void instruction() {
    Instruction i;
    i.line = in_->peek().line;
    in_->expect('@');
    i.guard_not = in_->accept('!');
    const std::string name = in_->word("a predicate");
    i.guard = find_register(name);
    if (i.guard < 0) in_->fail("unknown predicate '" + name + "' before");
    if (out_.registers[static_cast<std::size_t>(i.guard)].type.kind != 'p')
      in_->fail("'" + name + "' is no predicate, before");
    i.opcode = in_->word("an instruction");
    rest_of(i);
  }

  /// Operands and semicolon of an instruction whose name is read.
  void rest_of(Instruction& i) {
    if (i.opcode == "call" || i.opcode.starts_with("call.")) {
      call(i);
    } else if (!in_->peek().is(';')) {
      do {
        i.operands.push_back(operand(i.opcode.starts_with("bra")));
      } while (in_->accept(','));
    }
    in_->expect(';');
    out_.body.push_back(std::move(i));
  }

  std::vector<int> variable_list() {
    std::vector<int> list;
    while (!in_->accept(')')) {
      const std::string name = in_->word("a parameter");
      const int index = find_variable(name);
      if (index < 0) in_->fail("unknown parameter '" + name + "' before");
      list.push_back(index);
      if (!in_->peek().is(')')) in_->expect(',');
    }
    return list;
  }

  void call(Instruction& i) {
    if (in_->accept('(')) {
      i.results = variable_list();
      in_->expect(',');
    }
    i.callee = in_->word("a function");
    if (in_->accept(',')) {
      in_->expect('(');
      i.given = variable_list();
    }
  }

  template <class Pick>
  int find(const std::string& name, Pick pick) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto& names = pick(*scope);
      const auto found = names.find(name);
      if (found != names.end()) return found->second;
    }
    return -1;
  }
  int find_register(const std::string& name) const {
    return find(
        name, [](const Scope& s) -> const auto& { return s.registers; });
  }
  int find_variable(const std::string& name) const {
    return find(
        name, [](const Scope& s) -> const auto& { return s.variables; });
  }

  Operand named(const Token& t, bool label) {
    Operand o;
    o.name = t.text;
    o.kind = Kind::Register;
    o.index = find_register(o.name);
    if (o.index >= 0) return o;
    o.kind = Kind::Variable;
    o.index = find_variable(o.name);
    if (o.index >= 0) return o;
    if (o.name.starts_with('%')) {
      o.kind = Kind::Special;
    } else if (label) {
      o.kind = Kind::Label;
      o.index = t.line;  // until all labels are known
    } else {
      throw Error(t.line, "unknown name '" + o.name + "'");
    }
    return o;
  }

  Operand literal(const Token& t) {
    Operand o;
    o.kind = t.kind == Token::Kind::Float ? Kind::Float : Kind::Integer;
    o.bits = t.bits;
    o.float_bits = t.float_bits;
    return o;
  }

  Operand operand(bool label) {
    Operand o;
    if (in_->accept('{')) {
      o.kind = Kind::Vector;
      do {
        o.parts.push_back(operand(false));
      } while (in_->accept(','));
      in_->expect('}');
      return o;
    }
    if (in_->accept('[')) {
      o.kind = Kind::Address;
      o.parts.push_back(operand(false));
      if (in_->accept('+')) o.offset = static_cast<std::int64_t>(in_->integer("an offset"));
      in_->expect(']');
      return o;
    }
    const bool negated = in_->accept('!');
    const Token t = in_->peek();
    if (t.kind == Token::Kind::Word) {
      in_->next();
      o = named(t, label);
      if (negated) {
        if (o.kind != Kind::Register) throw Error(t.line, "'!' before what is no predicate");
        o.kind = Kind::Predicate;
      }
      if (in_->accept('|')) {
        Operand pair;
        pair.kind = Kind::Pair;
        pair.parts = {o, operand(false)};
        return pair;
      }
      return o;
    }
    if (negated || (t.kind != Token::Kind::Integer && t.kind != Token::Kind::Float))
      in_->fail("expected an operand");
    in_->next();
    return literal(t);
  }

  void resolve_labels() {
    for (Instruction& i : out_.body) {
      for (Operand& o : i.operands) {
        if (o.kind != Kind::Label) continue;
        const auto found = labels_.find(o.name);
        if (found == labels_.end()) throw Error(i.line, "unknown label '" + o.name + "'");
        o.index = found->second;
      }
    }
  }

  Lexer* in_;
  Function out_;
  std::vector<Scope> scopes_;
  std::unordered_map<std::string, int> labels_;
};

}  // namespace

Module::Module(std::string text) : text_(std::move(text)) {
  Lexer in(text_, 0, 1);
  while (in.peek().kind != Token::Kind::End) {
    const std::size_t begin = in.offset();
    const int line = in.peek().line;
    while (is_linkage(in.peek())) in.next();
    const Token head = in.next();
    if (head.is(".version") || head.is(".target") || head.is(".address_size")) {
      do {
        in.next();
      } while (in.accept(','));
      continue;
    }
    // Tables of a library's (CUB); a kernel that is run and refers to one fails with its unknown
    // name.
    const bool other_variable = head.is(".global") || head.is(".const");
    if (head.is(".shared") || other_variable) {
      if (!other_variable) shared_.push_back({begin, line});
      while (!in.accept(';')) {
        if (in.peek().kind == Token::Kind::End) in.fail("expected ';'");
        in.next();
      }
      continue;
    }
    if (!head.is(".entry") && !head.is(".func"))
      throw Error(head.line, "unknown directive '" + std::string(head.text) + "'");
    if (in.accept('(')) {
      while (!in.accept(')')) in.next();
    }
    Outline o{in.word("the function's name"), head.is(".entry"), begin, line};
    while (!in.peek().is('{') && !in.peek().is(';')) {
      if (in.peek().kind == Token::Kind::End) in.fail("expected a body");
      in.next();
    }
    if (in.accept(';')) continue;  // a declaration
    in.expect('{');
    in.skip_braces();
    outlines_.push_back(std::move(o));
  }
}

std::vector<std::string> Module::entries() const {
  std::vector<std::string> names;
  for (const Outline& o : outlines_) {
    if (o.is_entry) names.push_back(o.name);
  }
  return names;
}

const Module::Outline* Module::find(std::string_view name) const {
  const auto found = std::find_if(outlines_.begin(), outlines_.end(),
                                  [&](const Outline& o) { return o.name == name; });
  return found == outlines_.end() ? nullptr : &*found;
}

bool Module::has(std::string_view name) const { return find(name) != nullptr; }

Function Module::parse(std::string_view name) const {
  const Outline* o = find(name);
  if (o == nullptr) throw Error(0, "no function '" + std::string(name) + "'");
  Lexer in(text_, o->begin, o->line);
  FunctionParser parser(in);
  for (const Shared& v : shared_) {
    Lexer of_variable(text_, v.begin, v.line);
    parser.module_variable(of_variable);
  }
  return parser.parse();
}

}  // namespace tandem::ptx
