// Makes steps of instructions: looks each up by its full name, checks widths, gives registers and
// constants their memory, and fuses what a contraction may fuse.
#include "tests/cuda/ptx/code.h"

#include <algorithm>

namespace tandem::ptx {

namespace {

using Kind = Operand::Kind;

const char* const kSpecial[] = {"%tid.x",   "%tid.y",    "%tid.z",    "%ntid.x",
                                "%ntid.y",  "%ntid.z",   "%ctaid.x",  "%ctaid.y",
                                "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z"};

std::vector<std::string> split(const std::string& opcode) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at <= opcode.size()) {
    const std::size_t dot = std::min(opcode.find('.', at), opcode.size());
    words.push_back(opcode.substr(at, dot - at));
    at = dot + 1;
  }
  return words;
}

}  // namespace

class Builder {
 public:
  Builder(Code& code, const Module& module, const Options& options, Code::Functions& functions)
      : code_(code),
        f_(code.function_),
        module_(module),
        options_(options),
        functions_(functions) {}

  void build() {
    for (const Register& r : f_.registers)
      code_.registers_.push_back(lanes(static_cast<std::size_t>(r.type.bytes())));
    for (std::size_t i = 0; i < f_.variables.size(); ++i) place_variable(static_cast<int>(i));
    for (const char* name : kSpecial) code_.special_[name] = static_cast<std::uint32_t*>(lanes(4));
    for (const Instruction& i : f_.body) steps_.push_back(step_of(i));
    finish();
    mark_leaders();
    if (options_.contract) contract();
    code_.steps_ = std::move(steps_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(i_->line, what + " in " + i_->opcode);
  }
  void require(bool condition, const char* what) const {
    if (!condition) fail(what);
  }

  std::byte* memory(std::size_t bytes) {
    auto& block = code_.memory_.emplace_back(bytes + 128, std::byte{0xa5});
    const auto at = reinterpret_cast<std::uintptr_t>(block.data());
    return block.data() + (64 - at % 64) % 64;
  }
  void* lanes(std::size_t bytes) { return memory(bytes * static_cast<std::size_t>(code_.lanes_)); }

  void place_variable(int index) {
    const Variable& v = f_.variables[static_cast<std::size_t>(index)];
    const bool kernel_param =
        f_.is_entry && std::find(f_.params.begin(), f_.params.end(), index) != f_.params.end();
    Place p;
    p.bytes = v.bytes;
    if (v.space == Space::Local)
      throw Error(f_.line, "local memory is not known: '" + v.name + "'");
    if (v.space == Space::Shared) {  // placed when an instruction names it
      code_.places_.push_back(p);
      return;
    }
    p.each_lane = !kernel_param;
    p.begin = memory(p.each_lane ? v.bytes * static_cast<std::size_t>(code_.lanes_) : v.bytes);
    code_.places_.push_back(p);
  }

  /// An offset into the block's shared memory; not 0, so that a null pointer shows.
  std::uint64_t shared_address(int index) {
    const Variable& v = f_.variables[static_cast<std::size_t>(index)];
    Place& p = code_.places_[static_cast<std::size_t>(index)];
    require(f_.is_entry, "shared memory of a function that is called");
    if (v.bytes == 0) {  // behind any that a kernel declares
      code_.is_shared_given_ = true;
      p.shared_at = Code::kGivenShared;
    }
    if (p.shared_at == 0) {
      constexpr std::size_t kBegin = 256;
      const std::size_t end = std::max(code_.shared_bytes_, kBegin);
      p.shared_at = (end + v.align - 1) / v.align * v.align;
      code_.shared_bytes_ = p.shared_at + v.bytes;
    }
    return p.shared_at;
  }

  int register_bytes(const Operand& o) const {
    return f_.registers[static_cast<std::size_t>(o.index)].type.bytes();
  }
  void* register_of(const Operand& o, int bytes) const {
    require(o.kind == Kind::Register, "expected a register");
    require(register_bytes(o) == bytes, ("register of another width: " + o.name).c_str());
    return code_.registers_[static_cast<std::size_t>(o.index)];
  }

  /// A value that all lanes have.
  const void* constant(std::uint64_t bits, int bytes) {
    void*& at = constants_[{bits, bytes}];
    if (at == nullptr) {
      at = lanes(static_cast<std::size_t>(bytes));
      for (int i = 0; i < code_.lanes_; ++i)
        std::memcpy(static_cast<std::byte*>(at) + i * bytes, &bits,
                    static_cast<std::size_t>(bytes));
    }
    return at;
  }

  const void* source(const Operand& o, int bytes, bool predicate = false) {
    switch (o.kind) {
      case Kind::Register:
        return register_of(o, bytes);
      case Kind::Integer:
        return constant(predicate ? (o.bits != 0 ? 1 : 0) : o.bits, bytes);
      case Kind::Float:
        require(o.float_bits == 8 * bytes, "number of another width");
        return constant(o.bits, bytes);
      case Kind::Special: {
        const auto found = code_.special_.find(o.name);
        require(found != code_.special_.end() && bytes == 4,
                ("unknown register " + o.name).c_str());
        return found->second;
      }
      case Kind::Variable: {
        const Place& p = code_.place(o.index);
        if (f_.variables[static_cast<std::size_t>(o.index)].space == Space::Shared)
          return constant(shared_address(o.index), bytes);
        require(!p.each_lane && bytes == 8, "address of a variable that each thread has");
        return constant(reinterpret_cast<std::uintptr_t>(p.begin), bytes);
      }
      default:
        fail("operand of a kind that is not known");
    }
  }

  Step step_of(const Instruction& i) {
    i_ = &i;
    words_ = split(i.opcode);
    Step s;
    s.line = i.line;
    s.guard_not = i.guard_not;
    if (i.guard >= 0)
      s.guard =
          static_cast<const std::uint8_t*>(code_.registers_[static_cast<std::size_t>(i.guard)]);
    const bool vector = std::any_of(i.operands.begin(), i.operands.end(),
                                    [](const Operand& o) { return o.kind == Kind::Vector; });
    if (words_[0] == "ld" || words_[0] == "st") {
      memory_access(s);
    } else if (i.opcode == "mov.b32" && vector) {
      pack(s, 4);
    } else if (i.opcode == "mov.b64" && vector) {
      pack(s, 8);
    } else if (words_[0] == "cvt") {
      conversion(s);
    } else if (i.opcode == "bra" || i.opcode == "bra.uni") {
      s.kind = StepKind::Branch;
      require(i.operands.size() == 1 && i.operands[0].kind == Kind::Label, "expected a label");
      s.target = i.operands[0].index;
    } else if (i.opcode == "ret" || i.opcode == "exit") {
      require(i.operands.empty() && (i.opcode == "ret" || f_.is_entry),
              "unexpected operands or place");
      s.kind = StepKind::Return;
    } else if (i.opcode == "call.uni" || i.opcode == "call") {
      call(s);
    } else if (i.opcode == "shfl.sync.down.b32" || i.opcode == "shfl.sync.up.b32") {
      shuffle(s);
    } else if (i.opcode == "vote.sync.any.pred" || i.opcode == "vote.sync.ballot.b32") {
      vote(s);
    } else if (i.opcode == "atom.shared.add.u32" || i.opcode == "atom.global.add.u64") {
      atomic_add(s);
    } else if (words_[0] == "bfi") {
      bit_field(s);
    } else if (i.opcode == "bar.sync" || i.opcode == "barrier.sync") {
      require(i.operands.size() == 1 && i.operands[0].kind == Kind::Integer &&
                  i.operands[0].bits == 0 && f_.is_entry && i.guard < 0,
              "a barrier of a kind that is not known");
      s.kind = StepKind::Barrier;
    } else if (i.opcode == "bar.warp.sync") {
      // Of whole warps alone. All of the block wait, which a kernel that is right does not notice.
      require(i.operands.size() == 1 && i.operands[0].kind == Kind::Integer &&
                  static_cast<std::uint32_t>(i.operands[0].bits) == ~std::uint32_t{0} &&
                  f_.is_entry && i.guard < 0,
              "a barrier of a kind that is not known");
      s.kind = StepKind::Barrier;
    } else {
      arithmetic(s);
    }
    return s;
  }

  /// The lanes add in turn; each gets what was there.
  void atomic_add(Step& s) {
    require(i_->operands.size() == 3, "another number of operands");
    s.kind = StepKind::AtomicAdd;
    s.is_shared = words_[1] == "shared";
    s.n_parts = 1;
    s.dst_bytes = s.element_bytes = words_[3] == "u64" ? 8 : 4;
    s.dst = register_of(i_->operands[0], s.dst_bytes);
    address(s, i_->operands[1]);
    s.src[0] = source(i_->operands[2], s.dst_bytes);
  }

  /// bfi with a place and a length that are known: one operand of the table's instruction.
  void bit_field(Step& s) {
    require(i_->operands.size() == 5 && i_->operands[3].kind == Kind::Integer &&
                i_->operands[4].kind == Kind::Integer,
            "a bit field of a kind that is not known");
    Instruction whole = *i_;
    whole.operands[3].bits |= whole.operands[4].bits << 8;
    whole.operands.pop_back();
    i_ = &whole;
    arithmetic(s);
  }

  /// Along the warp; the predicate tells whether a lane got another one's value.
  void shuffle(Step& s) {
    require(i_->operands.size() == 5 && i_->guard < 0, "another number of operands, or a guard,");
    const Operand& to = i_->operands[0];
    s.kind = StepKind::Shuffle;
    s.up = words_[2] == "up";
    s.dst = register_of(to.kind == Kind::Pair ? to.parts[0] : to, 4);
    if (to.kind == Kind::Pair) s.parts[0] = register_of(to.parts[1], 1);
    for (std::size_t k = 0; k < 3; ++k) s.src[k] = source(i_->operands[k + 1], 4);
    s.members = source(i_->operands[4], 4);
  }

  void vote(Step& s) {
    require(i_->operands.size() == 3 && i_->guard < 0, "another number of operands, or a guard,");
    s.kind = StepKind::Vote;
    s.ballot = words_[2] == "ballot";
    s.dst = register_of(i_->operands[0], s.ballot ? 4 : 1);
    s.src[0] = source(i_->operands[1], 1, true);
    s.members = source(i_->operands[2], 4);
  }

  void arithmetic(Step& s) {
    const Op* op = find_op(i_->opcode);
    require(op != nullptr, "unknown instruction");
    require(!op->is_estimate || options_.estimates, "an approximate instruction");
    require(i_->operands.size() == static_cast<std::size_t>(op->sources) + 1,
            "another number of operands");
    s.loop = op->loop;
    s.dst_bytes = static_cast<std::uint8_t>(op->bytes[0]);
    s.dst = register_of(i_->operands[0], op->bytes[0]);
    for (int k = 0; k < op->sources; ++k)
      s.src[k] = source(i_->operands[static_cast<std::size_t>(k) + 1], op->bytes[k + 1],
                        i_->opcode.ends_with(".pred"));
  }

  void conversion(Step& s) {
    const Conversion* c = find_conversion(i_->opcode);
    require(c != nullptr, "unknown conversion");
    require(i_->operands.size() == 2 && i_->operands[0].kind == Kind::Register,
            "expected two operands");
    const auto width = [&](const Operand& o, const Type& t) {
      const int bytes = o.kind == Kind::Register ? register_bytes(o) : t.bytes();
      require(t.kind == 'f' ? bytes == t.bytes() : bytes >= t.bytes(), "register of another width");
      return bytes;
    };
    s.kind = StepKind::Convert;
    s.loop = c->loop;
    s.dst_bytes = static_cast<std::uint8_t>(width(i_->operands[0], c->to));
    s.src_bytes = static_cast<std::uint8_t>(width(i_->operands[1], c->from));
    s.dst = register_of(i_->operands[0], s.dst_bytes);
    s.src[0] = source(i_->operands[1], s.src_bytes);
  }

  void registers_of_vector(Step& s, const Operand& o, int bytes) {
    const bool vector = o.kind == Kind::Vector;
    s.n_parts = static_cast<std::uint8_t>(vector ? o.parts.size() : 1);
    require(s.n_parts >= 1 && s.n_parts <= 4, "a vector of another length");
    for (std::size_t k = 0; k < s.n_parts; ++k) {
      const Operand& part = vector ? o.parts[k] : o;
      const bool stored = s.kind == StepKind::Store || s.kind == StepKind::Pack;
      const int width = part.kind == Kind::Register ? register_bytes(part) : bytes;
      require(s.part_bytes == 0 || s.part_bytes == width, "registers of several widths");
      s.part_bytes = static_cast<std::uint8_t>(width);
      s.parts[k] = stored ? const_cast<void*>(source(part, width)) : register_of(part, width);
    }
  }

  void pack(Step& s, int bytes) {
    require(i_->operands.size() == 2, "another number of operands");
    const bool packs = i_->operands[1].kind == Kind::Vector;
    const Operand& vector = i_->operands[packs ? 1 : 0];
    const Operand& whole = i_->operands[packs ? 0 : 1];
    s.kind = packs ? StepKind::Pack : StepKind::Unpack;
    registers_of_vector(s, vector,
                        bytes / static_cast<int>(std::max<std::size_t>(vector.parts.size(), 1)));
    require(s.n_parts * s.part_bytes == bytes && s.n_parts > 1, "parts of another width");
    s.dst_bytes = static_cast<std::uint8_t>(bytes);
    if (packs)
      s.dst = register_of(whole, bytes);
    else
      s.src[0] = source(whole, bytes);
  }

  /// ld, st: .global, .global.nc or .param, then .v2 or .v4, then the type.
  void memory_access(Step& s) {
    const bool load = words_[0] == "ld";
    s.kind = load ? StepKind::Load : StepKind::Store;
    std::size_t at = 1;
    const auto accept = [&](const char* word) {
      const bool is = at < words_.size() && words_[at] == word;
      at += is ? 1 : 0;
      return is;
    };
    s.is_param = accept("param");
    s.is_shared = !s.is_param && accept("shared");
    require(s.is_param || s.is_shared || accept("global"), "unknown state space");
    if (load && !s.is_param && !s.is_shared) accept("nc");
    const std::size_t length = accept("v2") ? 2 : (accept("v4") ? 4 : 1);
    require(at + 1 == words_.size() && words_[at].size() >= 2, "unknown modifier");
    const char kind = words_[at][0];
    const std::string width = words_[at].substr(1);
    require(std::string_view("busf").find(kind) != std::string_view::npos &&
                (width == "8" || width == "16" || width == "32" || width == "64") &&
                (kind != 'f' || width.size() == 2) && (kind != 'f' || width != "16"),
            "unknown type");
    s.element_bytes = static_cast<std::uint8_t>(std::stoi(width) / 8);
    s.element_signed = kind == 's';
    require(i_->operands.size() == 2, "another number of operands");
    const Operand& value = i_->operands[load ? 0 : 1];
    registers_of_vector(s, value, s.element_bytes);
    require(s.n_parts == length && (value.kind == Kind::Vector) == (length > 1),
            "a vector of another length");
    require(kind == 'f' ? s.part_bytes == s.element_bytes : s.part_bytes >= s.element_bytes,
            "register of another width");
    address(s, i_->operands[load ? 1 : 0]);
  }

  void address(Step& s, const Operand& o) {
    require(o.kind == Kind::Address, "expected an address");
    const Operand& base = o.parts[0];
    s.offset = o.offset;
    if (base.kind == Kind::Register || s.is_shared) {
      const bool narrow = base.kind != Kind::Register || register_bytes(base) == 4;
      s.address_bytes = s.is_shared && narrow ? 4 : 8;
      s.address = source(base, s.address_bytes);
      return;
    }
    require(base.kind == Kind::Variable && s.is_param, "an address of a kind that is not known");
    s.place = code_.place(base.index);
    const auto bytes = static_cast<std::int64_t>(s.n_parts) * s.element_bytes;
    require(o.offset >= 0 && o.offset + bytes <= static_cast<std::int64_t>(s.place.bytes),
            "beyond the variable's end");
    require(o.offset % bytes == 0, "an address that is not aligned");
    require(s.kind == StepKind::Load || s.place.each_lane, "a store to a kernel's parameter");
  }

  void call(Step& s) {
    s.kind = StepKind::Call;
    require(i_->guard < 0, "a call under a predicate");
    auto found = functions_.find(i_->callee);
    if (found == functions_.end()) {
      require(module_.has(i_->callee), ("unknown function " + i_->callee).c_str());
      found = functions_.emplace(i_->callee, nullptr).first;
      const Instruction* here = i_;
      found->second = std::make_unique<Code>(module_, module_.parse(i_->callee), options_,
                                             functions_, code_.lanes_);
      i_ = here;
    }
    require(found->second != nullptr, "a function that calls itself");
    s.callee = found->second.get();
    const Function& f = s.callee->function();
    const auto match = [&](const std::vector<int>& here, const std::vector<int>& there, auto& list,
                           bool in) {
      require(here.size() == there.size(), "another number of parameters");
      for (std::size_t k = 0; k < here.size(); ++k) {
        const Place mine = code_.place(here[k]);
        const Place its = s.callee->place(there[k]);
        require(mine.bytes == its.bytes && mine.each_lane && its.each_lane,
                "parameters of other sizes");
        list.emplace_back(in ? mine : its, in ? its : mine);
      }
    };
    match(i_->given, f.params, s.given, true);
    match(i_->results, f.results, s.results, false);
  }

  /// The closing brace returns, where something can get there.
  void finish() {
    const auto end = static_cast<int>(steps_.size());
    const bool reached = std::any_of(steps_.begin(), steps_.end(), [&](const Step& s) {
      return s.kind == StepKind::Branch && s.target == end;
    });
    const auto leaves = [](const Step& s) {
      return (s.kind == StepKind::Return || s.kind == StepKind::Branch) && s.guard == nullptr;
    };
    if (!reached && !steps_.empty() && leaves(steps_.back())) return;
    Step s;
    s.kind = StepKind::Return;
    s.line = steps_.empty() ? f_.line : steps_.back().line;
    steps_.push_back(s);
  }

  void mark_leaders() {
    steps_[0].leads = true;
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      const Step& s = steps_[k];
      if (s.kind == StepKind::Branch) steps_[static_cast<std::size_t>(s.target)].leads = true;
      const bool ends =
          s.kind == StepKind::Branch || s.kind == StepKind::Return || s.kind == StepKind::Barrier;
      if (ends && k + 1 < steps_.size()) steps_[k + 1].leads = true;
    }
  }

  Contraction contraction_of(std::size_t k) const {
    const Op* op = find_op(f_.body[k].opcode);
    return op == nullptr ? Contraction::None : op->contraction;
  }

  /// A sum whose operand is an earlier product of its basic block becomes a fused operation.
  void contract() {
    for (std::size_t k = 0; k < f_.body.size(); ++k) {
      Step& sum = steps_[k];
      const Contraction kind = contraction_of(k);
      if (kind != Contraction::Sum && kind != Contraction::Difference) continue;
      for (int side : {0, 1}) {
        const Step* product = product_of(k, sum.src[side]);
        if (product == nullptr) continue;
        const void* addend = sum.src[1 - side];
        sum.loop = fused_loop(sum.dst_bytes, kind == Contraction::Difference && side == 1,
                              kind == Contraction::Difference && side == 0);
        sum.src[0] = product->src[0];
        sum.src[1] = product->src[1];
        sum.src[2] = addend;
        break;
      }
    }
  }

  /// The product that register `value` holds before step k, if its factors are still what they
  /// were.
  const Step* product_of(std::size_t k, const void* value) const {
    std::vector<const void*> changed;
    const auto has_changed = [&](const void* p) {
      return std::find(changed.begin(), changed.end(), p) != changed.end();
    };
    for (std::size_t j = k; j > 0 && !steps_[j].leads; --j) {
      const Step& s = steps_[j - 1];
      if (s.dst == value) {
        const bool whole = s.guard == steps_[k].guard && s.guard_not == steps_[k].guard_not;
        const bool product =
            s.kind == StepKind::Alu && contraction_of(j - 1) == Contraction::Product;
        const bool kept = s.src[0] != value && s.src[1] != value;
        return whole && product && kept && !has_changed(s.src[0]) && !has_changed(s.src[1])
                   ? &s
                   : nullptr;
      }
      if (s.dst != nullptr) changed.push_back(s.dst);
      if (s.kind == StepKind::Load || s.kind == StepKind::Unpack)
        changed.insert(changed.end(), s.parts, s.parts + s.n_parts);
      if (has_changed(value)) return nullptr;
    }
    return nullptr;
  }

  Code& code_;
  const Function& f_;
  const Module& module_;
  const Options& options_;
  Code::Functions& functions_;
  std::vector<Step> steps_;
  std::map<std::pair<std::uint64_t, int>, void*> constants_;
  const Instruction* i_ = nullptr;
  std::vector<std::string> words_;
};

Code::Code(const Module& module, Function function, const Options& options, Functions& functions,
           int lanes)
    : function_(std::move(function)), lanes_(lanes) {
  Builder(*this, module, options, functions).build();
}

void Code::set_special(std::string_view name, const std::uint32_t (&values)[kMaxLanes]) {
  std::copy(values, values + lanes_, special_.find(name)->second);
}

void Code::set_special(std::string_view name, std::uint32_t value) {
  std::uint32_t* at = special_.find(name)->second;
  std::fill(at, at + lanes_, value);
}

}  // namespace tandem::ptx
