// The same bits at every SIMD level and with any number of threads: one program hashes what every
// row of the table gives, and runs once a level. Rows with a front-end of their own by their calls
// of row_calls.h, the others by rule.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <map>
#include <random>
#include <tuple>

#include "runtime/dispatch/host_backend.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/value.h"
#include "tests/support/elements.h"
#include "tests/support/outcome.h"
#include "tests/support/row_calls.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// FNV-1a of the elements in row-major order, any NaN as one.
std::uint64_t hash_of(const Tensor& any, std::uint64_t h = 14695981039346656037ull) {
  const Tensor t = any.contiguous();
  const auto take = [&h](std::uint64_t word) { h = (h ^ word) * 1099511628211ull; };
  visit(t.dtype(), [&]<class T>() {
    const auto canonical = [](auto v) -> std::uint64_t {
      if (v != v) return 0x7ff8dead;
      return fn::to_bits(v);
    };
    for (std::int64_t i = 0; i < t.numel(); ++i) {
      const T v = t.data<T>()[i];
      if constexpr (fn::is_complex_v<T>) {
        take(canonical(v.re));
        take(canonical(v.im));
      } else if constexpr (fn::is_half_v<T>) {
        take(std::isnan(from_few_bits(v.bits, t.dtype())) ? 0xdead : v.bits);
      } else if constexpr (fn::is_real_float_v<T>) {
        take(canonical(v));
      } else {
        take(static_cast<std::uint64_t>(v));
      }
    }
  });
  return h;
}

constexpr std::int64_t kPool = 8192;

/// Half of the elements from the row's domain, half of random bits; repeated from kPool on.
const std::vector<char>& random_elements(const OpRow& row, DType t, std::uint64_t seed) {
  static std::map<std::tuple<DType, std::uint64_t, double, double>, std::vector<char>> made;
  auto& pool = made[{t, seed, row.lo, row.hi}];
  if (!pool.empty()) return pool;
  std::mt19937_64 rng(seed);
  const bool given = row.lo < row.hi;
  std::uniform_real_distribution<double> domain(given ? row.lo : -3, given ? row.hi : 3);
  const std::size_t size = element_size(t);
  pool.resize(static_cast<std::size_t>(kPool) * size);
  for (std::size_t i = 0; i < static_cast<std::size_t>(kPool); ++i) {
    const std::uint64_t bits[2] = {rng(), rng()};
    char* at = pool.data() + i * size;
    if (t == DType::bool_) {
      *at = static_cast<char>(bits[0] & 1);
    } else if (is_integer(t)) {
      write_element(at, t, {.i = Int(bits[0] % 2 == 0 ? bits[1] : bits[1] % 16)});
    } else if (bits[0] % 2 == 0) {
      std::memcpy(at, bits + (is_complex(t) ? 0 : 1), size);
    } else {
      write_element(at, t, {.re = domain(rng), .im = domain(rng)});
    }
  }
  return pool;
}

Tensor random_tensor(const OpRow& row, IntSpan shape, DType t, Layout layout, std::uint64_t seed) {
  const std::vector<char>& pool = random_elements(row, t, seed);
  const auto size = static_cast<std::int64_t>(element_size(t));
  Tensor x = in_layout(shape, t, layout);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    std::memcpy(address(x, i), pool.data() + i % kPool * size, static_cast<std::size_t>(size));
  }
  return x;
}

struct Case {
  Dims shape;
  Layout layout;
};

/// Sizes about the ends of vectors, blocks and tiles; layouts of two dimensions.
std::vector<Case> cases() {
  std::vector<Case> list;
  for (const std::int64_t n : {1, 3, 31, 32, 33, 1023, 1025, 4096 + 7})
    list.push_back({{n}, Layout::Dense});
  for (const Layout l : kLayouts) list.push_back({{19, 65}, l});
  list.push_back({{3, 5, 0}, Layout::Dense});
  list.push_back({{}, Layout::Dense});
  return list;
}

/// Reductions, and the rows of their own front-end that work along an axis and have no small calls.
bool reduces(const OpRow& row) {
  static const Calls own = irregular_calls();
  const auto& params = schema_of(row).params;
  return row.family == Family::Reduction ||
         (row.family == Family::Irregular && (row.flags & kView) == 0 && !own.contains(row.name) &&
          params.size() > 1 && params[0].type == "Tensor" && params[1].name == "dim");
}

bool walks(const OpRow& row) {
  return row.family == Family::Elementwise || row.family == Family::Generator || reduces(row);
}

bool accepts(const OpRow& row, DType t) {
  if (row.family == Family::Irregular) {  // its front-end knows
    try {
      (void)call_boxed(row, std::vector<Value>{ones({2}, {.dtype = t}), 0});
      return true;
    } catch (const TypeError&) {
      return false;
    }
  }
  const bool widens = row.result == Result::Float || row.result == Result::Wide;
  return row.dtypes.has(t) || (widens && category(t) < Category::Float);
}

/// Arguments of the row for one case, by the names and types of its schema.
std::vector<Value> arguments(const OpRow& row, DType t, const Case& c, bool broadcast) {
  std::vector<Value> args;
  std::uint64_t seed = 1;
  std::size_t k = 0;
  for (const Param& p : schema_of(row).params) {
    const bool input =
        reduces(row) ? k == 0 : row.family == Family::Elementwise && k < std::size_t(row.arity);
    const DType own = k == 0 && (row.flags & kFirstIsBool) != 0 ? DType::bool_ : t;
    ++k;
    if (input && p.type == "Scalar") {
      args.push_back(3);
    } else if (input) {
      Dims shape = c.shape;
      if (broadcast && k % 2 == 0) shape[0] = 1;
      if (broadcast && k % 2 == 1) shape = {shape.back()};
      args.push_back(random_tensor(row, shape, own, c.layout, seed++));
    } else if (p.name == "size") {
      args.push_back(c.shape);
    } else if (p.name == "dtype" && row.family == Family::Generator) {
      args.push_back(t);
    } else if (p.name == "n") {  // of n x n elements
      args.push_back(c.shape.empty() ? 1 : std::min<std::int64_t>(c.shape[0], 500));
    } else if (p.name == "end" || p.name == "steps") {
      args.push_back(c.shape.empty() ? 1 : c.shape[0]);
    } else if (p.name == "start") {
      args.push_back(0);
    } else if (p.name == "fill_value") {
      args.push_back(1);
    } else if (row.family == Family::Generator && p.required()) {  // rows and columns, bounds
      args.push_back(c.shape.empty() ? 1 : std::min<std::int64_t>(c.shape[0], 500));
    } else {
      args.push_back(Value());
    }
  }
  return args;
}

std::uint64_t hash_of_call(const OpRow& row, const std::vector<Value>& args) {
  manual_seed(99);
  std::uint64_t h = 1469598103934665603ull;
  for (const Value& v : call_boxed(row, args)) h = hash_of(v.as<Tensor>(), h);
  return h;
}

using Hashes = std::map<std::string, std::uint64_t>;

/// Of what a call gave, or of the error; of a vendor's float product shape and dtype alone.
std::uint64_t hash_of(const OpRow& row, const Outcome& o) {
  std::uint64_t h = 14695981039346656037ull;
  const auto take = [&h](const std::string& s) {
    for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  };
  take(o.rest);
  for (const Tensor& t : o.tensors) {
    take(std::string(name(t.dtype())) + str(t.names()));
    for (const std::int64_t n : t.shape()) take(std::to_string(n) + ",");
    if ((row.flags & kVendor) == 0 || category(t.dtype()) < Category::Float) h = hash_of(t, h);
  }
  return h;
}

void add(Hashes& hashes, const std::string& key, const OpRow& row, const std::vector<Value>& args) {
  auto& h = hashes.try_emplace(key, 0).first->second;
  h = h * 31 + hash_of_call(row, args);
}

/// The reduced axes: none given, each one, both.
std::vector<Value> axes_of(const OpRow& row, std::size_t rank) {
  const Param& p = schema_of(row).params[1];
  const bool one = p.type.starts_with("axis");
  std::vector<Value> list;
  if (!p.required()) list.emplace_back();
  for (std::size_t d = 0; d < rank; ++d) list.emplace_back(static_cast<std::int64_t>(d));
  if (!one && rank > 1) list.emplace_back(Dims{0, 1});
  return list;
}

void hash_row(Hashes& hashes, const OpRow& row, DType t) {
  for (const Case& c : cases()) {
    const std::string key =
        std::string(row.name) + " " + std::string(name(t)) + " " + text(c.layout);
    auto args = arguments(row, t, c, false);
    if (reduces(row)) {
      for (const Value& axes : axes_of(row, c.shape.size())) {
        args[1] = axes;
        std::int64_t numel = 1;
        for (const std::int64_t n : c.shape) numel *= n;
        if (numel > 0) add(hashes, key, row, args);
      }
      continue;
    }
    add(hashes, key, row, args);
    if (row.family == Family::Elementwise && row.arity > 1 && c.shape.size() == 2)
      add(hashes, key + " broadcast", row, arguments(row, t, c, true));
  }
}

/// Casts are the work of copy_: every pair of dtypes.
void hash_casts(Hashes& hashes) {
  for (int from = 0; from < kNumDTypes; ++from) {
    for (int to = 0; to < kNumDTypes; ++to) {
      const auto a = static_cast<DType>(from);
      const auto b = static_cast<DType>(to);
      for (const Case& c : cases()) {
        const Tensor x = random_tensor(op::add, c.shape, a, c.layout, 5);
        const std::string key =
            "cast " + std::string(name(a)) + " " + std::string(name(b)) + " " + text(c.layout);
        auto& h = hashes.try_emplace(key, 0).first->second;
        h = h * 31 + hash_of(x.to(std::nullopt, b, false, true));
      }
    }
  }
}

/// Of each call of row_calls.h.
void hash_calls(Hashes& hashes) {
  for (const auto& [what, calls] :
       {std::pair("call ", irregular_calls()), std::pair("long call ", long_calls())}) {
    for (const auto& [name, list] : calls) {
      const OpRow& row = *find_op(name);
      for (std::size_t i = 0; i < list.size(); ++i)
        hashes[name + " " + what + std::to_string(i)] = hash_of(row, outcome(row, list[i]));
    }
  }
}

Hashes all_hashes() {
  Hashes hashes;
  hash_calls(hashes);
  for (const OpRow* row : op_rows()) {
    if (!walks(*row)) continue;
    for (int i = 0; i < kNumDTypes; ++i) {
      if (accepts(*row, static_cast<DType>(i))) hash_row(hashes, *row, static_cast<DType>(i));
    }
  }
  hash_casts(hashes);
  return hashes;
}

/// Run by the test below in a process of its own at each level.
TEST(Levels, DISABLED_Print) {
  std::printf("level %s\n", std::string(detail::simd_level()).c_str());
  for (const auto& [key, h] : all_hashes())
    std::printf("hash %016llx %s\n", static_cast<unsigned long long>(h), key.c_str());
}

struct Printed {
  std::string level;
  Hashes hashes;
};

Printed run_at(const std::string& level) {
  const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_also_run_disabled_tests "
                              "--gtest_filter=Levels.DISABLED_Print 2>&1";
  Printed run;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    std::string s(line);
    s.pop_back();
    if (s.starts_with("level ")) run.level = s.substr(6);
    if (s.starts_with("hash "))
      run.hashes[s.substr(22)] = std::stoull(s.substr(5, 16), nullptr, 16);
  }
  EXPECT_EQ(pclose(pipe), 0) << "at level " << level;
  return run;
}

TEST(Levels, SameBits) {
  const Printed base = run_at("baseline");
  ASSERT_EQ(base.level, "baseline");
  for (const OpRow* row : op_rows()) {
    const auto found = base.hashes.lower_bound(std::string(row->name) + " ");
    EXPECT_TRUE(found != base.hashes.end() && found->first.starts_with(row->name)) << row->name;
  }
  for (const std::string level : {"v3", "v4"}) {
    const Printed run = run_at(level);
    if (run.level != level) {
      std::printf("this machine has no level %s: it ran %s\n", level.c_str(), run.level.c_str());
      continue;
    }
    ASSERT_EQ(run.hashes.size(), base.hashes.size());
    for (const auto& [key, h] : base.hashes)
      EXPECT_EQ(run.hashes.at(key), h) << key << " at " << level;
  }
}

/// Numbers of threads that share the work unequally too.
constexpr int kThreads[] = {2, 3, 4};

/// Puts the number of threads back.
struct Threads {
  int before = get_num_threads();
  ~Threads() { set_num_threads(before); }
};

/// Long enough that the threads each get parts.
TEST(Levels, Threads) {
  const Threads restore;
  const Case large[] = {{{150'001}, Layout::Dense}, {{331, 401}, Layout::Transposed}};
  for (const OpRow* row : op_rows()) {
    if (!walks(*row)) continue;
    const DType t = accepts(*row, DType::float32) ? DType::float32 : DType::int32;
    for (const Case& c : large) {
      auto args = arguments(*row, t, c, false);
      std::vector<Value> axes = {Value()};
      if (reduces(*row)) axes = axes_of(*row, c.shape.size());
      for (const Value& axis : axes) {
        if (reduces(*row)) args[1] = axis;
        set_num_threads(1);
        const std::uint64_t one = hash_of_call(*row, args);
        for (const int threads : kThreads) {
          set_num_threads(threads);
          EXPECT_EQ(hash_of_call(*row, args), one) << row->name << " on " << threads << " threads";
        }
      }
    }
  }
}

/// The calls of row_calls.h: those that raise do so on any number of threads.
TEST(Levels, ThreadsOfCalls) {
  const Threads restore;
  for (const auto& calls : {irregular_calls(), long_calls()}) {
    for (const auto& [name, list] : calls) {
      const OpRow* row = find_op(name);
      ASSERT_NE(row, nullptr) << name;
      for (std::size_t i = 0; i < list.size(); ++i) {
        set_num_threads(1);
        const Outcome one = outcome(*row, list[i]);
        for (const int threads : kThreads) {
          set_num_threads(threads);
          EXPECT_EQ(difference(*row, list[i], outcome(*row, list[i]), one), "")
              << name << ", call " << i << " on " << threads << " threads";
        }
      }
    }
  }
}

/// Every row that has a kernel to share among threads, has calls for that; and they succeed.
TEST(Levels, EveryRowHasLongCalls) {
  const Calls calls = long_calls();
  for (const OpRow* row : op_rows()) {
    if (!needs_long_calls(*row)) continue;
    const auto found = calls.find(row->name);
    if (found == calls.end() || found->second.empty()) {
      ADD_FAILURE() << row->name << " has no long call: add one in tests/support/calls_*.h";
      continue;
    }
    for (const Args& args : found->second) {
      const Outcome got = outcome(*row, args);
      EXPECT_FALSE(got.raised) << row->name << ": " << got.rest;
      std::int64_t elements = 0;
      for (const Tensor& t : got.tensors) elements += t.numel();
      for (const Value& v : args) {
        if (v.is<Tensor>()) elements += v.as<Tensor>().numel();
        if (!v.is<std::vector<Tensor>>()) continue;
        for (const Tensor& t : v.as<std::vector<Tensor>>())
          if (t.defined()) elements += t.numel();
      }
      EXPECT_GE(elements, 50'000) << row->name << ": the calls are to be long";
    }
  }
}

}  // namespace
