// Launches of one kernel in the interpreter, with the operands' memory guarded.
#include "tests/cuda/ptx/checker.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "tandem/fn.h"

namespace tandem::ptx {

namespace {

/// Memory with room around it that nobody may touch.
class Guarded {
 public:
  Guarded(std::int64_t count, std::size_t size, std::size_t skip, unsigned char fill)
      : bytes_(static_cast<std::size_t>(count) * size),
        begin_(kRoom + skip),
        memory_(begin_ + bytes_ + kRoom + kAlign, static_cast<char>(fill)),
        fill_(static_cast<char>(fill)) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    begin_ += (kAlign - at % kAlign) % kAlign;
  }
  char* data() { return memory_.data() + begin_; }
  std::size_t bytes() const { return bytes_; }
  bool intact() const {
    const auto is_fill = [&](char c) { return c == fill_; };
    return std::all_of(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(begin_),
                       is_fill) &&
           std::all_of(memory_.begin() + static_cast<std::ptrdiff_t>(begin_ + bytes_),
                       memory_.end(), is_fill);
  }

 private:
  static constexpr std::size_t kRoom = 128, kAlign = 64;
  std::size_t bytes_, begin_;
  std::vector<char> memory_;
  char fill_;
};

/// What the host backend computes of the inputs.
std::vector<char> reference(const KernelCase& c, const Inputs& in) {
  std::vector<char> out(static_cast<std::size_t>(in.count) * element_size(c.storage[0]) + 16);
  std::int64_t strides[5];
  ElementwiseLaunch l{};
  l.row = c.row;
  l.numel = in.count;
  l.shape = &in.count;
  l.rank = 1;
  l.n_out = 1;
  l.n_in = c.arity;
  l.dtype = c.dtype;
  l.contiguous = true;
  for (int k = 0; k <= c.arity; ++k) {
    strides[k] = static_cast<std::int64_t>(element_size(c.storage[k]));
    char* data = k == 0 ? out.data()
                        : const_cast<char*>(in.elements[static_cast<std::size_t>(k) - 1].data());
    l.operands[k] = {data, &strides[k], {}, c.storage[k], c.storage[k]};
  }
  const Kernel* kernel = c.row->kernels[static_cast<int>(DeviceKind::CPU)].load();
  if (kernel == nullptr) throw std::runtime_error("no host kernel");
  kernel->launch(&l, kernel->self);
  return out;
}

/// Equal bits, or NaN in both.
template <class T>
bool same(const char* a, const char* b) {
  if (std::memcmp(a, b, sizeof(T)) == 0) return true;
  if constexpr (fn::is_complex_v<T>) {
    using R = fn::real_t<T>;
    return same<R>(a, b) && same<R>(a + sizeof(R), b + sizeof(R));
  } else if constexpr (fn::is_half_v<T> || fn::is_real_float_v<T>) {
    T x, y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    return fn::isnan_(fn::load(x)) && fn::isnan_(fn::load(y));
  }
  return false;
}

std::string hex(const char* p, std::size_t size) {
  std::string text;
  char two[3];
  for (std::size_t i = size; i > 0; --i) {
    std::snprintf(two, sizeof two, "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(p[i - 1])));
    text += two;
  }
  return text;
}

ScalarBits number_of(const char* element, DType t) {
  ScalarBits bits{};
  visit(t, [&]<class T>() {
    T v;
    std::memcpy(&v, element, sizeof v);
    if constexpr (fn::is_int_v<T> || fn::is_bool_v<T>) {
      bits.i64 = static_cast<std::int64_t>(v);
    } else {
      const auto wide = fn::load(v);
      std::memcpy(static_cast<void*>(&bits), &wide, sizeof wide);
    }
  });
  return bits;
}

}  // namespace

Checker::Checker(const KernelCase& c, const Module& module, const std::string& symbol,
                 std::int64_t random, std::uint32_t seeds)
    : c_(c),
      program_(module, symbol,
               {.contract = true, .estimates = seeds > 0}),  // the worst that the assembler may do
      inputs_(make_inputs(c, random, 7)),
      expected_(reference(c, inputs_)),
      seeds_(seeds) {}

void Checker::run() {
  const std::int64_t chunk = c_.chunk();
  Shape s{0, inputs_.count, 1, {}};
  s.blocks = static_cast<unsigned>(std::max<std::int64_t>(1, inputs_.count / chunk / 2));
  for (std::uint32_t seed = 1; seed <= std::max(seeds_, 1u); ++seed) {
    set_estimate_seed(seed);
    launch(s);  // aligned and dense, each block in more turns than one
  }
  run_paths();
}

/// Short launches: tails, and operands that are not dense.
void Checker::run_paths() {
  const std::int64_t chunk = c_.chunk();
  for (const std::int64_t n :
       {std::int64_t(1), c_.vector - std::int64_t(1), c_.vector + std::int64_t(1), chunk / 2 + 1,
        chunk - 1, chunk, chunk + 1, 2 * chunk + 3}) {
    if (n > 0) launch(part(n, 2));
  }
  for (int k = 0; k <= c_.arity; ++k) {
    for (const How how : {How::Elements, How::Broadcast, How::Number}) {
      if (k == 0 && how != How::Elements) continue;
      Shape other = part(chunk + c_.vector + 1, 1);
      other.how[k] = how;
      launch(other);
    }
  }
  Shape none = part(2 * chunk - 1, 3);  // a block without elements
  std::fill(std::begin(none.how), std::end(none.how), How::Elements);
  launch(none);
}

/// n elements from somewhere in the inputs.
Checker::Shape Checker::part(std::int64_t n, unsigned blocks) {
  n = std::min(n, inputs_.count);
  next_ = (next_ * 25 + 7919) % (inputs_.count - n + 1);
  return {next_, n, blocks, {}};
}

/// A number or a broadcast element of the inputs makes another launch of the host necessary.
std::vector<char> Checker::expected_of(const Shape& s, const Elements& in) const {
  const std::size_t size = element_size(c_.storage[0]);
  const bool plain = std::none_of(s.how, s.how + 5, [](How h) { return h >= How::Broadcast; });
  if (plain)
    return {expected_.begin() + s.first * static_cast<std::int64_t>(size),
            expected_.begin() + (s.first + s.count) * static_cast<std::int64_t>(size)};
  Inputs all{s.count, in};
  for (int k = 1; k <= c_.arity; ++k) {
    if (s.how[k] < How::Broadcast) continue;
    auto& bytes = all.elements[static_cast<std::size_t>(k) - 1];
    const std::size_t one = element_size(c_.storage[k]);
    for (std::size_t i = one; i < bytes.size(); ++i) bytes[i] = bytes[i - one];
  }
  return reference(c_, all);
}

void Checker::launch(const Shape& s) {
  std::vector<std::unique_ptr<Guarded>> memory;
  Elements in;
  std::vector<Range> ranges;
  FlatOperand operands[5] = {};
  for (int k = 0; k <= c_.arity; ++k) {
    const std::size_t size = element_size(c_.storage[k]);
    const std::size_t skip = s.how[k] == How::Elements ? size : 0;
    const std::int64_t n = s.how[k] == How::Broadcast ? 1 : (s.how[k] == How::Number ? 0 : s.count);
    memory.push_back(std::make_unique<Guarded>(n, size, skip, 0xa5));
    operands[k].data = memory.back()->data();
    operands[k].how = s.how[k];
    if (k > 0) {
      const char* from = inputs_.elements[static_cast<std::size_t>(k) - 1].data() +
                         static_cast<std::size_t>(s.first) * size;
      in.emplace_back(from, from + static_cast<std::size_t>(s.count) * size);
      std::memcpy(operands[k].data, from, memory.back()->bytes());
      operands[k].number = number_of(from, c_.storage[k]);
    }
    ranges.push_back({operands[k].data, memory.back()->bytes(), k == 0});
  }
  const std::vector<std::byte> params = c_.params(s.count, operands);
  program_.run({.blocks = s.blocks, .params = params, .memory = ranges});
  elements_ += s.count;
  for (const auto& m : memory) {
    if (!m->intact()) report("bytes around an operand were changed");
  }
  compare(s, operands[0].data, expected_of(s, in), in);
}

void Checker::compare(const Shape& s, const char* got, const std::vector<char>& expected,
                      const Elements& in) {
  const std::size_t size = element_size(c_.storage[0]);
  if (std::memcmp(got, expected.data(), static_cast<std::size_t>(s.count) * size) == 0) return;
  visit(c_.storage[0], [&]<class T>() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(s.count); ++i) {
      if (same<T>(got + i * size, expected.data() + i * size)) continue;
      std::string text = "element " + std::to_string(i) + " of " + std::to_string(s.count) + ": f(";
      for (int k = 1; k <= c_.arity; ++k) {
        const std::size_t one = element_size(c_.storage[k]);
        const std::size_t at = s.how[k] >= How::Broadcast ? 0 : i;
        text +=
            (k > 1 ? ", " : "") + hex(in[static_cast<std::size_t>(k) - 1].data() + at * one, one);
      }
      report(text + ") expected " + hex(expected.data() + i * size, size) + ", got " +
             hex(got + i * size, size));
    }
  });
}

void Checker::report(const std::string& what) {
  if (++wrong_ <= 3) std::printf("%s: %s\n", c_.kernel.c_str(), what.c_str());
}

}  // namespace tandem::ptx
