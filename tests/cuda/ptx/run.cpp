// Executes the steps of a function for the lanes of a block; see Note [Lock-step] in machine.h.
#include <algorithm>
#include <limits>

#include "tests/cuda/ptx/code.h"

namespace tandem::ptx {

namespace {

constexpr std::uint32_t kDone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kWaiting = kDone - 1;  // at a barrier
// More than any loop of a kernel needs: one that never ends is an error.
constexpr std::uint64_t kMaxTurns = 8'000'000;

template <class U>
void blend(int n, void* to, const void* from, const Mask& mask) {
  auto* d = static_cast<U*>(to);
  const auto* s = static_cast<const U*>(from);
#pragma GCC ivdep
  for (int i = 0; i < n; ++i) d[i] = mask[i] != 0 ? s[i] : d[i];
}

void blend(int n, void* to, const void* from, const Mask& mask, int bytes) {
  switch (bytes) {
    case 1:
      return blend<std::uint8_t>(n, to, from, mask);
    case 2:
      return blend<std::uint16_t>(n, to, from, mask);
    case 4:
      return blend<std::uint32_t>(n, to, from, mask);
    default:
      return blend<std::uint64_t>(n, to, from, mask);
  }
}

template <class U>
void widen_lanes(int n, std::uint64_t* to, const void* from) {
  const auto* s = static_cast<const U*>(from);
  for (int i = 0; i < n; ++i) to[i] = s[i];
}

template <class U>
void narrow_lanes(int n, void* to, const std::uint64_t* from) {
  auto* d = static_cast<U*>(to);
  for (int i = 0; i < n; ++i) d[i] = static_cast<U>(from[i]);
}

bool inside(const Range& r, std::uint64_t address, std::uint64_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(r.begin);
  return address >= begin && bytes <= r.bytes && address - begin <= r.bytes - bytes;
}

std::uint64_t register_at(const void* lanes, int bytes, int i) {
  return bytes == 4 ? static_cast<const std::uint32_t*>(lanes)[i]
                    : static_cast<const std::uint64_t*>(lanes)[i];
}

/// The addresses of an access; throws for a lane that would leave its memory.
void addresses(int n, std::uint64_t (&at)[kMaxLanes], const Machine& machine, const Step& step,
               const Mask& mask) {
  const std::uint64_t bytes = std::uint64_t(step.n_parts) * step.element_bytes;
  if (step.address == nullptr) {
    const auto begin = reinterpret_cast<std::uintptr_t>(step.place.begin);
    for (int i = 0; i < n; ++i) {
      const std::uint64_t lane = step.place.each_lane ? static_cast<std::uint64_t>(i) : 0;
      at[i] = begin + lane * step.place.bytes + static_cast<std::uint64_t>(step.offset);
    }
    return;
  }
  const bool store = step.kind == StepKind::Store || step.kind == StepKind::AtomicAdd;
  const Range shared{machine.shared.data(), machine.shared.size(), true};
  const Range* last = step.is_param ? &machine.params : (step.is_shared ? &shared : nullptr);
  for (int i = 0; i < n; ++i) {
    if (mask[i] == 0) continue;
    at[i] =
        register_at(step.address, step.address_bytes, i) + static_cast<std::uint64_t>(step.offset);
    if (step.address_bytes == 4) at[i] &= 0xffffffffu;
    if (at[i] % bytes != 0) {
      throw Error(step.line, "thread " + std::to_string(i) +
                                 ": an address that is not a multiple of " + std::to_string(bytes));
    }
    if (step.is_shared) at[i] += reinterpret_cast<std::uintptr_t>(machine.shared.data());
    if (last != nullptr && inside(*last, at[i], bytes)) continue;
    const auto found = std::find_if(
        machine.memory.begin(), machine.memory.end(),
        [&](const Range& r) { return inside(r, at[i], bytes) && (!store || r.writable); });
    if (step.is_param || step.is_shared || found == machine.memory.end()) {
      throw Error(step.line, "thread " + std::to_string(i) + (store ? ": a store" : ": a load") +
                                 " of " + std::to_string(bytes) + " bytes outside the operands");
    }
    last = &*found;
  }
}

template <class U>
void load_parts(int n, const Step& step, const std::uint64_t (&at)[kMaxLanes], const Mask& mask) {
  for (std::size_t k = 0; k < step.n_parts; ++k) {
    auto* d = static_cast<std::byte*>(step.parts[k]);
    for (int i = 0; i < n; ++i) {
      if (mask[i] == 0) continue;
      U element;
      std::memcpy(&element, reinterpret_cast<const std::byte*>(at[i]) + k * sizeof(U), sizeof(U));
      std::uint64_t value = element;
      constexpr int kSpare = 64 - 8 * static_cast<int>(sizeof(U));
      if (step.element_signed)
        value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << kSpare) >> kSpare);
      std::memcpy(d + static_cast<std::size_t>(i) * step.part_bytes, &value, step.part_bytes);
    }
  }
}

template <class U>
void store_parts(int n, const Step& step, const std::uint64_t (&at)[kMaxLanes], const Mask& mask) {
  for (std::size_t k = 0; k < step.n_parts; ++k) {
    const auto* s = static_cast<const std::byte*>(step.parts[k]);
    for (int i = 0; i < n; ++i) {
      if (mask[i] == 0) continue;
      std::memcpy(reinterpret_cast<std::byte*>(at[i]) + k * sizeof(U),
                  s + static_cast<std::size_t>(i) * step.part_bytes, sizeof(U));
    }
  }
}

template <class F>
void by_width(int bytes, F f) {
  switch (bytes) {
    case 1:
      return f(std::uint8_t());
    case 2:
      return f(std::uint16_t());
    case 4:
      return f(std::uint32_t());
    default:
      return f(std::uint64_t());
  }
}

/// Moves bytes [from, from + part) of each lane's value between a whole and its part.
void pack_lanes(std::size_t n, const Step& step, const Mask& mask) {
  const bool packs = step.kind == StepKind::Pack;
  for (std::size_t k = 0; k < step.n_parts; ++k) {
    auto* part = static_cast<std::byte*>(step.parts[k]);
    auto* whole =
        const_cast<std::byte*>(static_cast<const std::byte*>(packs ? step.dst : step.src[0])) +
        k * step.part_bytes;
    for (std::size_t i = 0; i < n; ++i) {
      if (mask[i] == 0) continue;
      std::byte* w = whole + i * step.dst_bytes;
      std::byte* p = part + i * step.part_bytes;
      std::memcpy(packs ? w : p, packs ? p : w, step.part_bytes);
    }
  }
}

constexpr std::uint32_t kWarp = 32;

std::uint32_t word(const void* lanes, std::uint32_t i) {
  return static_cast<const std::uint32_t*>(lanes)[i];
}

/// The members that lane i's instruction names; throws where one of them is not there.
std::uint32_t members_of(const Step& step, const Mask& mask, std::uint32_t i) {
  const std::uint32_t members = word(step.members, i), warp = i - i % kWarp;
  for (std::uint32_t k = 0; k < kWarp; ++k) {
    if ((members >> k & 1u) != 0 && mask[warp + k] == 0)
      throw Error(step.line, "thread " + std::to_string(warp + k) + " takes no part in a " +
                                 (step.kind == StepKind::Vote ? "vote" : "shuffle") +
                                 " that names it");
  }
  return members;
}

}  // namespace

void Code::convert(const Step& step, const Mask& mask, bool full) const {
  alignas(64) std::uint64_t in[kMaxLanes];
  alignas(64) std::uint64_t out[kMaxLanes];
  alignas(64) std::byte narrow[kMaxLanes * 8];
  by_width(step.src_bytes, [&]<class U>(U) { widen_lanes<U>(lanes_, in, step.src[0]); });
  step.loop(lanes_, out, in, nullptr, nullptr);
  by_width(step.dst_bytes,
           [&]<class U>(U) { narrow_lanes<U>(lanes_, full ? step.dst : narrow, out); });
  if (!full) blend(lanes_, step.dst, narrow, mask, step.dst_bytes);
}

void Code::load(const Machine& machine, const Step& step, const Mask& mask) {
  std::uint64_t at[kMaxLanes];
  addresses(lanes_, at, machine, step, mask);
  by_width(step.element_bytes, [&]<class U>(U) { load_parts<U>(lanes_, step, at, mask); });
}

void Code::store(const Machine& machine, const Step& step, const Mask& mask) {
  std::uint64_t at[kMaxLanes];
  addresses(lanes_, at, machine, step, mask);
  by_width(step.element_bytes, [&]<class U>(U) { store_parts<U>(lanes_, step, at, mask); });
}

void Code::call(Machine& machine, const Step& step, const Mask& mask) {
  const auto copy = [&](const auto& list) {
    for (const auto& [from, to] : list) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(lanes_); ++i) {
        if (mask[i] != 0)
          std::memcpy(to.begin + i * to.bytes, from.begin + i * from.bytes, from.bytes);
      }
    }
  };
  copy(step.given);
  step.callee->run(machine, mask);
  copy(step.results);
}

void Code::shuffle(const Step& step, const Mask& mask) {
  std::uint32_t value[kMaxLanes];
  std::copy_n(static_cast<const std::uint32_t*>(step.src[0]), lanes_, value);
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(lanes_); ++i) {
    if (mask[i] == 0) continue;
    const std::uint32_t lane = i % kWarp;
    const std::uint32_t warp = i - lane;
    members_of(step, mask, i);
    const std::uint32_t clamp = word(step.src[2], i);
    const std::uint32_t segment = clamp >> 8 & 31u;
    const std::uint32_t last = (lane & segment) | (clamp & ~segment & 31u);
    const std::uint32_t distance = word(step.src[1], i) & 31u;
    // Up: `last` is the first lane of the segment, below which nothing is taken.
    const bool moved = step.up ? lane >= last + distance : lane + distance <= last;
    const std::uint32_t from = step.up ? lane - distance : lane + distance;
    static_cast<std::uint32_t*>(step.dst)[i] = value[warp + (moved ? from : lane)];
    if (step.parts[0] != nullptr) static_cast<std::uint8_t*>(step.parts[0])[i] = moved ? 1 : 0;
  }
}

void Code::vote(const Step& step, const Mask& mask) {
  std::uint8_t holds[kMaxLanes];
  std::copy_n(static_cast<const std::uint8_t*>(step.src[0]), lanes_, holds);
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(lanes_); ++i) {
    if (mask[i] == 0) continue;
    const std::uint32_t members = members_of(step, mask, i), warp = i - i % kWarp;
    std::uint32_t ballot = 0;
    for (std::uint32_t k = 0; k < kWarp; ++k) ballot |= (members >> k & holds[warp + k] & 1u) << k;
    if (step.ballot)
      static_cast<std::uint32_t*>(step.dst)[i] = ballot;
    else
      static_cast<std::uint8_t*>(step.dst)[i] = ballot != 0 ? 1 : 0;
  }
}

void Code::atomic_add(const Machine& machine, const Step& step, const Mask& mask) {
  std::uint64_t at[kMaxLanes];
  addresses(lanes_, at, machine, step, mask);
  for (int i = 0; i < lanes_; ++i) {
    if (mask[i] == 0) continue;
    by_width(step.element_bytes, [&]<class U>(U) {
      auto* word = reinterpret_cast<std::byte*>(at[i]);
      U before;
      std::memcpy(&before, word, sizeof before);
      const U after = static_cast<U>(before + static_cast<const U*>(step.src[0])[i]);
      std::memcpy(word, &after, sizeof after);
      static_cast<U*>(step.dst)[i] = before;
    });
  }
}

void Code::execute(Machine& machine, const Step& step, const Mask& mask, bool full) {
  switch (step.kind) {
    case StepKind::Alu:
      if (full) return step.loop(lanes_, step.dst, step.src[0], step.src[1], step.src[2]);
      {
        alignas(64) std::byte result[kMaxLanes * 8];
        step.loop(lanes_, result, step.src[0], step.src[1], step.src[2]);
        return blend(lanes_, step.dst, result, mask, step.dst_bytes);
      }
    case StepKind::Convert:
      return convert(step, mask, full);
    case StepKind::Pack:
    case StepKind::Unpack:
      return pack_lanes(static_cast<std::size_t>(lanes_), step, mask);
    case StepKind::Load:
      return load(machine, step, mask);
    case StepKind::Store:
      return store(machine, step, mask);
    case StepKind::Shuffle:
      return shuffle(step, mask);
    case StepKind::Vote:
      return vote(step, mask);
    case StepKind::AtomicAdd:
      return atomic_add(machine, step, mask);
    case StepKind::Call:
      return call(machine, step, mask);
    default:
      throw Error(step.line, "no step that can be executed");
  }
}

/// From `first` to the end of its basic block; leaves the counters where the lanes go on.
void Code::run_block(Machine& machine, std::uint32_t first, const Mask& mask, bool full) {
  steps_[first].ran = true;
  for (std::uint32_t at = first;; ++at) {
    if (at != first && steps_[at].leads) {
      for (int i = 0; i < lanes_; ++i) pc_[i] = mask[i] != 0 ? at : pc_[i];
      return;
    }
    const Step& step = steps_[at];
    ++machine.executed;
    alignas(64) Mask guarded;
    const Mask* lanes = &mask;
    if (step.guard != nullptr) {
      const std::uint8_t flip = step.guard_not ? 1 : 0;
      for (int i = 0; i < lanes_; ++i) guarded[i] = mask[i] & (step.guard[i] ^ flip);
      lanes = &guarded;
    }
    const bool ends = step.kind == StepKind::Branch || step.kind == StepKind::Return ||
                      step.kind == StepKind::Barrier;
    if (!ends) {
      execute(machine, step, *lanes, full && step.guard == nullptr);
      continue;
    }
    std::uint32_t target = static_cast<std::uint32_t>(step.target);
    if (step.kind == StepKind::Return) target = kDone;
    if (step.kind == StepKind::Barrier) target = kWaiting;
    for (int i = 0; i < lanes_; ++i) {
      const std::uint32_t next = (*lanes)[i] != 0 ? target : at + 1;
      pc_[i] = mask[i] != 0 ? next : pc_[i];
      resume_[i] = mask[i] != 0 ? at + 1 : resume_[i];
    }
    return;
  }
}

void Code::run(Machine& machine, const Mask& mask) {
  for (int i = 0; i < lanes_; ++i) pc_[i] = mask[i] != 0 ? 0 : kDone;
  for (std::uint64_t turn = 0;; ++turn) {
    std::uint32_t least = kDone;
    for (int i = 0; i < lanes_; ++i) least = pc_[i] < least ? pc_[i] : least;
    if (least == kDone) return;
    if (least == kWaiting) {
      for (int i = 0; i < lanes_; ++i) pc_[i] = pc_[i] == kWaiting ? resume_[i] : pc_[i];
      continue;
    }
    alignas(64) Mask active;
    int count = 0;
    for (int i = 0; i < lanes_; ++i) {
      active[i] = pc_[i] == least ? 1 : 0;
      count += active[i];
    }
    if (turn > kMaxTurns) throw Error(steps_[least].line, "a loop that does not end");
    run_block(machine, least, active, count == lanes_);
  }
}

struct Program::State {
  Options options;
  Code::Functions functions;
  std::unique_ptr<Code> entry;
  Machine machine;

  /// Calls f with the first step of every basic block.
  template <class F>
  void each_block(F f) const {
    const auto of = [&](const Code& code) {
      for (const Step& s : code.steps()) {
        if (s.leads) f(s);
      }
    };
    of(*entry);
    for (const auto& [_, code] : functions) of(*code);
  }
};

Program::Program(const Module& module, std::string_view entry, Options options)
    : state_(std::make_unique<State>()) {
  state_->options = options;
  Function f = module.parse(entry);
  if (!f.is_entry) throw Error(f.line, "no kernel: '" + f.name + "'");
  if (f.params.size() != 1) throw Error(f.line, "expected one parameter");
  const int lanes = f.threads > 256 ? kMaxLanes : 256;
  state_->entry = std::make_unique<Code>(module, std::move(f), options, state_->functions, lanes);
}

Program::~Program() = default;

std::size_t Program::param_bytes() const {
  const Code& c = *state_->entry;
  return c.place(c.function().params[0]).bytes;
}

void Program::run(const Launch& launch) {
  Code& c = *state_->entry;
  const Place& p = c.place(c.function().params[0]);
  if (launch.params.size() != p.bytes)
    throw Error(c.function().line, "parameters of " + std::to_string(launch.params.size()) +
                                       " bytes, expected " + std::to_string(p.bytes));
  if (launch.threads > static_cast<unsigned>(c.lanes()))
    throw Error(c.function().line, "too many threads in a block");
  std::memcpy(p.begin, launch.params.data(), p.bytes);
  Machine& m = state_->machine;
  m.memory.assign(launch.memory.begin(), launch.memory.end());
  m.params = {p.begin, p.bytes, false};
  alignas(64) Mask mask;
  std::uint32_t thread[kMaxLanes];
  for (unsigned i = 0; i < kMaxLanes; ++i) {
    thread[i] = i;
    mask[i] = i < launch.threads ? 1 : 0;
  }
  const auto set = [&](std::string_view name, std::uint32_t value) {
    c.set_special(name, value);
    for (auto& [_, f] : state_->functions) f->set_special(name, value);
  };
  c.set_special("%tid.x", thread);
  for (auto& [_, f] : state_->functions) f->set_special("%tid.x", thread);
  for (const char* zero : {"%tid.y", "%tid.z", "%ctaid.y", "%ctaid.z"}) set(zero, 0);
  for (const char* one : {"%ntid.y", "%ntid.z", "%nctaid.y", "%nctaid.z"}) set(one, 1);
  set("%ntid.x", launch.threads);
  set("%nctaid.x", launch.blocks);
  for (unsigned block = 0; block < launch.blocks; ++block) {
    set("%ctaid.x", block);
    m.shared.assign(c.shared_bytes(launch.shared), std::byte{0xa5});
    c.run(m, mask);
  }
}

std::uint64_t Program::executed() const { return state_->machine.executed; }

std::size_t Program::blocks() const {
  std::size_t n = 0;
  state_->each_block([&](const Step&) { ++n; });
  return n;
}

std::size_t Program::blocks_run() const { return blocks() - lines_not_run().size(); }

std::vector<int> Program::lines_not_run() const {
  std::vector<int> lines;
  state_->each_block([&](const Step& s) {
    if (!s.ran) lines.push_back(s.line);
  });
  return lines;
}

}  // namespace tandem::ptx
