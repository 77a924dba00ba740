// The interpreter of PTX by small texts: what every kind of instruction computes, threads that part
// and meet, and what is refused.
#include "tests/cuda/ptx/machine.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

using namespace tandem::ptx;

namespace {

using Word = std::uint64_t;

/// The interpreter is compiled for processors with AVX2 and FMA.
struct Processor : testing::Environment {
  void SetUp() override {
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
      GTEST_SKIP() << "this processor has no AVX2";
#endif
  }
};
const auto* const g_processor = testing::AddGlobalTestEnvironment(new Processor);

/// A kernel of one parameter of 64 bytes, with registers of every type and `%i` as the thread.
std::string kernel(const std::string& body) {
  return ".version 9.0\n.target sm_90\n.address_size 64\n"
         ".visible .entry k(.param .align 8 .b8 p[64])\n{\n"
         ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %d<9>;\n"
         "mov.u32 %r8, %tid.x;\n" +
         body + "\n}\n";
}
constexpr int kLanes = 256;
constexpr int kBodyLine = 8;  // of the text above

struct Params {
  Word at[8] = {};
};

void run(const std::string& text, const Params& params, std::span<const Range> memory,
         Options options = {}, unsigned threads = kLanes, std::size_t shared = 0) {
  Program program(Module(text), "k", options);
  program.run({.blocks = 1,
               .threads = threads,
               .params = std::as_bytes(std::span(params.at)),
               .memory = memory,
               .shared = shared});
}

/// An instruction with registers by the widths in `shape` ("d a b c"; p: predicates; 8: a byte in a
/// register of 16 bits), run on these bits.
Word compute(const std::string& op, const std::string& shape, std::initializer_list<Word> in,
             Options options = {}) {
  Word out = 0;
  Params params;
  params.at[0] = std::bit_cast<Word>(&out);
  const std::map<char, std::pair<std::string, std::string>> kinds = {
      {'p', {"%p", ""}}, {'h', {"%h", "16"}}, {'r', {"%r", "32"}}, {'d', {"%d", "64"}}};
  std::string body = "ld.param.u64 %d8, [p+0];\nsetp.ne.u32 %p8, %r8, 0;\n@%p8 bra END;\n";
  std::string operands;
  int k = 0;
  for (const char c : shape) {
    const auto& [prefix, width] = kinds.at(c);
    const std::string reg = prefix + std::to_string(k);
    operands += (k > 0 ? ", " : " ") + reg;
    if (k > 0) {
      params.at[k] = std::data(in)[k - 1];
      const std::string at = "[p+" + std::to_string(8 * k) + "];\n";
      body += c == 'p' ? "ld.param.u32 %r7, " + at + "setp.ne.u32 " + reg + ", %r7, 0;\n"
                       : "ld.param.u" + width + " " + reg + ", " + at;
    }
    ++k;
  }
  body += op + operands + ";\n";
  body += shape[0] == 'p' ? "selp.u32 %r7, 1, 0, %p0;\nst.global.u32 [%d8], %r7;\n"
                          : "st.global.u" + kinds.at(shape[0]).second + " [%d8], " +
                                kinds.at(shape[0]).first + "0;\n";
  const Range memory[] = {{&out, sizeof out, true}};
  run(kernel(body + "END:\nret;"), params, memory, options);
  return out;
}

Word f(float x) { return std::bit_cast<std::uint32_t>(x); }
Word d(double x) { return std::bit_cast<Word>(x); }
constexpr float kInf = HUGE_VALF;
constexpr Word kNan32 = 0x7fffffff;

TEST(Machine, FloatArithmetic) {
  EXPECT_EQ(compute("add.rn.f32", "rrr", {f(1), f(0x1p-24f)}), f(1));
  EXPECT_EQ(compute("sub.rn.f32", "rrr", {f(-0.0f), f(0)}), f(-0.0f));
  EXPECT_EQ(compute("mul.rn.f32", "rrr", {f(0x1p-126f), f(0.5f)}), f(0x1p-127f))
      << "subnormals stay";
  EXPECT_EQ(compute("mul.rn.f32", "rrr", {f(kInf), f(0)}), kNan32) << "one NaN in single precision";
  EXPECT_EQ(compute("div.rn.f32", "rrr", {f(1), f(3)}), f(1.0f / 3.0f));
  EXPECT_EQ(compute("rcp.rn.f32", "rr", {f(-0.0f)}), f(-kInf));
  EXPECT_EQ(compute("sqrt.rn.f32", "rr", {f(2)}), f(std::sqrt(2.0f)));
  EXPECT_EQ(compute("sqrt.rn.f64", "dd", {d(2)}), d(std::sqrt(2.0)));
  EXPECT_EQ(compute("fma.rn.f32", "rrrr", {f(0x1.000002p0f), f(0x1.000002p0f), f(-0x1.000004p0f)}),
            f(0x1p-46f));
  EXPECT_EQ(compute("fma.rn.f64", "dddd", {d(1 + 0x1p-52), d(1 + 0x1p-52), d(-1 - 0x1p-51)}),
            d(0x1p-104));
  EXPECT_EQ(compute("neg.f32", "rr", {kNan32}), 0xffffffffu);
  EXPECT_EQ(compute("abs.f64", "dd", {d(-0.0)}), d(0));
  EXPECT_EQ(compute("copysign.f32", "rrr", {f(-1), f(5)}), f(-5)) << "the sign of the first";
}

TEST(Machine, FmaTowardsZero) {
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(1), f(1), f(-0x1p-60f)}), f(0x1.fffffep-1f));
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(-1), f(1), f(0x1p-60f)}), f(-0x1.fffffep-1f));
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(1), f(1), f(0x1.8p-24f)}), f(1));
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(0x1p127f), f(2), f(0)}),
            f(std::numeric_limits<float>::max()));
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(0x1p-100f), f(0x1p-60f), f(0)}), f(0));
  EXPECT_EQ(compute("fma.rz.f32", "rrrr", {f(kInf), f(1), f(0)}), f(kInf));
}

TEST(Machine, FloatMinMax) {
  EXPECT_EQ(compute("max.f32", "rrr", {f(-0.0f), f(0)}), f(0));
  EXPECT_EQ(compute("min.f32", "rrr", {f(0), f(-0.0f)}), f(-0.0f));
  EXPECT_EQ(compute("max.f32", "rrr", {kNan32, f(-1)}), f(-1)) << "a number wins over NaN";
  EXPECT_EQ(compute("min.f32", "rrr", {f(3), 0xffc00001u}), f(3));
  EXPECT_EQ(compute("max.f32", "rrr", {0xffc00001u, kNan32}), kNan32);
  EXPECT_EQ(compute("max.f64", "ddd", {d(1), d(2)}), d(2));
}

TEST(Machine, Comparisons) {
  // For a < b, a == b, a > b and unordered.
  const std::pair<const char*, const char*> kTruth[] = {
      {"eq", "0100"},  {"ne", "1010"},  {"lt", "1000"},  {"le", "1100"},  {"gt", "0010"},
      {"ge", "0110"},  {"equ", "0101"}, {"neu", "1011"}, {"ltu", "1001"}, {"leu", "1101"},
      {"gtu", "0011"}, {"geu", "0111"}, {"num", "1110"}, {"nan", "0001"}};
  const float kPairs[][2] = {{1, 2}, {0.0f, -0.0f}, {2, 1}, {NAN, 1}};
  for (const auto& [name, truth] : kTruth) {
    for (int i = 0; i < 4; ++i) {
      const auto [a, b] = kPairs[i];
      const Word expected = truth[i] == '1' ? 1 : 0;
      EXPECT_EQ(compute(std::string("setp.") + name + ".f32", "prr", {f(a), f(b)}), expected)
          << name << i;
      EXPECT_EQ(compute(std::string("setp.") + name + ".f64", "pdd", {d(a), d(b)}), expected)
          << name << i;
    }
  }
  EXPECT_EQ(compute("setp.lt.s32", "prr", {0xffffffffu, 0}), 1u);
  EXPECT_EQ(compute("setp.lt.u32", "prr", {0xffffffffu, 0}), 0u);
  EXPECT_EQ(compute("setp.hi.u64", "pdd", {~Word(0), 0}), 1u);
  EXPECT_EQ(compute("setp.ge.s16", "phh", {0x8000, 0x7fff}), 0u);
  EXPECT_EQ(compute("setp.gt.u16", "phh", {0x8000, 0x7fff}), 1u);
  EXPECT_EQ(compute("selp.b64", "dddp", {7, 9, 0}), 9u);
  EXPECT_EQ(compute("selp.f32", "rrrp", {7, 9, 1}), 7u);
  EXPECT_EQ(compute("xor.pred", "ppp", {1, 1}), 0u);
  EXPECT_EQ(compute("not.pred", "pp", {0}), 1u);
}

TEST(Machine, Integers) {
  EXPECT_EQ(compute("add.s32", "rrr", {0x7fffffff, 1}), 0x80000000u);
  EXPECT_EQ(compute("sub.s16", "hhh", {0, 1}), 0xffffu);
  EXPECT_EQ(compute("mul.lo.s64", "ddd", {Word(1) << 33, Word(1) << 33}), 0u);
  EXPECT_EQ(compute("mul.lo.s16", "hhh", {0xffff, 0xffff}), 1u);
  EXPECT_EQ(compute("mul.hi.u32", "rrr", {0xffffffffu, 0xffffffffu}), 0xfffffffeu);
  EXPECT_EQ(compute("mul.hi.s32", "rrr", {0xffffffffu, 0xffffffffu}), 0u);
  EXPECT_EQ(compute("mul.hi.u64", "ddd", {~Word(0), ~Word(0)}), ~Word(1));
  EXPECT_EQ(compute("mul.wide.s32", "drr", {0xffffffffu, 2}), ~Word(1));
  EXPECT_EQ(compute("mul.wide.u32", "drr", {0xffffffffu, 2}), 0x1fffffffeu);
  EXPECT_EQ(compute("mul.wide.s16", "rhh", {0xffff, 2}), 0xfffffffeu);
  EXPECT_EQ(compute("mad.lo.s32", "rrrr", {3, 4, 5}), 17u);
  EXPECT_EQ(compute("mad.wide.u32", "drrd", {0xffffffffu, 2, 3}), 0x200000001u);
  EXPECT_EQ(compute("div.s32", "rrr", {Word(std::uint32_t(-7)), 2}), std::uint32_t(-3));
  EXPECT_EQ(compute("rem.s32", "rrr", {Word(std::uint32_t(-7)), 2}), std::uint32_t(-1));
  EXPECT_EQ(compute("div.u16", "hhh", {0xfff9, 2}), 0x7ffcu);
  EXPECT_EQ(compute("rem.u64", "ddd", {10, 4}), 2u);
  EXPECT_EQ(compute("min.s16", "hhh", {0x8000, 1}), 0x8000u);
  EXPECT_EQ(compute("max.u64", "ddd", {Word(1) << 63, 1}), Word(1) << 63);
  EXPECT_EQ(compute("abs.s32", "rr", {0x80000000u}), 0x80000000u);
  EXPECT_EQ(compute("neg.s64", "dd", {1}), ~Word(0));
  EXPECT_EQ(compute("and.b16", "hhh", {0xff0f, 0x0fff}), 0x0f0fu);
  EXPECT_EQ(compute("not.b32", "rr", {0}), 0xffffffffu);
  EXPECT_EQ(compute("xor.b64", "ddd", {5, 3}), 6u);
}

TEST(Machine, ShiftsStopAtTheWidth) {
  EXPECT_EQ(compute("shl.b32", "rrr", {1, 31}), 0x80000000u);
  EXPECT_EQ(compute("shl.b32", "rrr", {1, 32}), 0u);
  EXPECT_EQ(compute("shl.b64", "ddr", {1, 64}), 0u);
  EXPECT_EQ(compute("shl.b16", "hhr", {1, 16}), 0u);
  EXPECT_EQ(compute("shr.u32", "rrr", {0x80000000u, 0xffffffffu}), 0u);
  EXPECT_EQ(compute("shr.s32", "rrr", {0x80000000u, 32}), 0xffffffffu);
  EXPECT_EQ(compute("shr.s64", "ddr", {Word(1) << 63, 1000}), ~Word(0));
  EXPECT_EQ(compute("shr.u16", "hhr", {0x8000, 15}), 1u);
  EXPECT_EQ(compute("shf.l.wrap.b32", "rrrr", {0x80000001u, 0x0000000fu, 4}), 0x000000f8u);
  EXPECT_EQ(compute("shf.r.wrap.b32", "rrrr", {0x80000001u, 0x0000000fu, 36}), 0xf8000000u);
}

TEST(Machine, Permutes) {
  EXPECT_EQ(compute("prmt.b32", "rrrr", {0x33221100u, 0x77665544u, 0x7410}), 0x77441100u);
  EXPECT_EQ(compute("prmt.b32", "rrrr", {0x80u, 0x7fu, 0x8c4c}), 0xff007f00u)
      << "the fourth bit spreads the sign";
}

TEST(Machine, Conversions) {
  EXPECT_EQ(compute("cvt.s16.s8", "hh", {0x80}), 0xff80u);
  EXPECT_EQ(compute("cvt.u16.u8", "hh", {0x1280}), 0x80u);
  EXPECT_EQ(compute("cvt.s64.s32", "dr", {0x80000000u}), 0xffffffff80000000u);
  EXPECT_EQ(compute("cvt.u64.u32", "dr", {0x80000000u}), 0x80000000u);
  EXPECT_EQ(compute("cvt.u32.u16", "rh", {0xffff}), 0xffffu);
  EXPECT_EQ(compute("cvt.u8.u32", "hr", {0x1ff}), 0xffu);
  EXPECT_EQ(compute("cvt.rn.f32.s32", "rr", {0x01000001u}), f(16777216.0f));
  EXPECT_EQ(compute("cvt.rn.f32.u64", "rd", {~Word(0)}), f(0x1p64f));
  EXPECT_EQ(compute("cvt.rn.f64.s64", "dd", {~Word(0)}), d(-1));
  EXPECT_EQ(compute("cvt.rn.f32.f64", "rd", {d(1 + 0x1.8p-24)}), f(0x1.000002p0f));
  EXPECT_EQ(compute("cvt.f64.f32", "dr", {f(0x1p-149f)}), d(0x1p-149));
  EXPECT_EQ(compute("cvt.rzi.s32.f32", "rr", {f(-2.9f)}), std::uint32_t(-2));
  EXPECT_EQ(compute("cvt.rzi.s32.f32", "rr", {f(3e9f)}), 0x7fffffffu);
  EXPECT_EQ(compute("cvt.rzi.u32.f32", "rr", {f(-1)}), 0u);
  EXPECT_EQ(compute("cvt.rzi.s32.f32", "rr", {kNan32}), 0u);
  EXPECT_EQ(compute("cvt.rzi.s64.f64", "dd", {d(-1e300)}), Word(1) << 63);
  EXPECT_EQ(compute("cvt.rni.s32.f64", "rd", {d(2.5)}), 2u);
  EXPECT_EQ(compute("cvt.rni.f32.f32", "rr", {f(-0.5f)}), f(-0.0f));
  EXPECT_EQ(compute("cvt.rmi.f32.f32", "rr", {f(-0.5f)}), f(-1));
  EXPECT_EQ(compute("cvt.rpi.f64.f64", "dd", {d(0.25)}), d(1));
  EXPECT_EQ(compute("cvt.rzi.f64.f64", "dd", {d(-1.75)}), d(-1));
}

TEST(Machine, Estimates) {
  EXPECT_THROW(compute("div.approx.f32", "rrr", {f(1), f(3)}), Error);
  std::set<Word> seen;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    set_estimate_seed(seed);
    const Word r = compute("div.approx.f32", "rrr", {f(1), f(3)}, {.estimates = true});
    EXPECT_LE(std::llabs(static_cast<long long>(r) - static_cast<long long>(f(1.0f / 3))), 2);
    seen.insert(r);
    EXPECT_EQ(compute("div.approx.f32", "rrr", {f(1), f(0x1.8p126f)}, {.estimates = true}), f(0));
    EXPECT_EQ(compute("rcp.approx.ftz.f32", "rr", {f(0x1p-127f)}, {.estimates = true}), f(kInf));
  }
  EXPECT_EQ(seen.size(), 5u);
}

/// Runs a body whose result of thread i is %r0, for 256 threads, with `shared` bytes given to them.
std::vector<std::uint32_t> each_thread(const std::string& body, const std::string& before = "",
                                       std::size_t shared = 0) {
  std::vector<std::uint32_t> out(kLanes, 0xdddddddd);
  Params params;
  params.at[0] = std::bit_cast<Word>(out.data());
  const Range memory[] = {{out.data(), 4 * kLanes, true}};
  run(before + kernel(body + "ld.param.u64 %d8, [p];\nmul.wide.u32 %d7, %r8, 4;\n"
                             "add.s64 %d8, %d8, %d7;\nst.global.u32 [%d8], %r0;\nret;"),
      params, memory, {}, kLanes, shared);
  return out;
}

TEST(Machine, ThreadsPartAndMeet) {
  // Steps of the Collatz sequence from i + 1 to 1, counted; the odd and even steps part.
  const auto out = each_thread(
      "add.u32 %r1, %r8, 1;\nmov.u32 %r0, 0;\n"
      "LOOP:\nsetp.eq.u32 %p0, %r1, 1;\n@%p0 bra DONE;\n"
      "add.u32 %r0, %r0, 1;\nand.b32 %r2, %r1, 1;\nsetp.eq.u32 %p1, %r2, 0;\n@%p1 bra EVEN;\n"
      "mad.lo.u32 %r1, %r1, 3, 1;\nbra.uni LOOP;\n"
      "EVEN:\nshr.u32 %r1, %r1, 1;\nbra.uni LOOP;\nDONE:\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    std::uint32_t steps = 0;
    for (std::uint32_t n = i + 1; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) ++steps;
    EXPECT_EQ(out[i], steps) << i;
  }
}

TEST(Machine, PredicatedInstructions) {
  const auto out = each_thread(
      "mov.u32 %r0, 5;\nsetp.lt.u32 %p0, %r8, 10;\n@%p0 mov.u32 %r0, 7;\n"
      "setp.gt.u32 %p1, %r8, 20;\n@!%p1 add.u32 %r0, %r0, 1;\n");
  for (std::uint32_t i = 0; i < kLanes; ++i)
    EXPECT_EQ(out[i], (i < 10 ? 7u : 5u) + (i > 20 ? 0u : 1u));
}

TEST(Machine, Calls) {
  const std::string twice =
      ".func (.param .b32 r) twice(.param .b32 x);\n"
      ".func (.param .b32 r) twice(.param .b32 x)\n{\n.reg .b32 %r<3>;\n"
      "ld.param.u32 %r1, [x];\nadd.u32 %r2, %r1, %r1;\nst.param.b32 [r], %r2;\nret;\n}\n";
  const auto out = each_thread(
      "mov.u32 %r0, %r8;\nsetp.lt.u32 %p0, %r8, 100;\n@%p0 bra SKIP;\n"
      "{ .reg .b32 %t; .param .b32 a; .param .b32 b;\nst.param.b32 [a], %r8;\n"
      "call.uni (b), twice, (a);\nld.param.b32 %r0, [b]; }\nSKIP:\n",
      twice);
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], i < 100 ? i : 2 * i);
}

TEST(Machine, VectorsAndParts) {
  alignas(16) const std::uint32_t in[4] = {1, 2, 3, 4};
  alignas(16) std::uint32_t out[4] = {};
  Params params;
  params.at[0] = std::bit_cast<Word>(&in[0]);
  params.at[1] = std::bit_cast<Word>(&out[0]);
  const Range memory[] = {{in, sizeof in, false}, {out, sizeof out, true}};
  run(kernel("ld.param.v2.u64 {%d0, %d1}, [p];\nld.global.nc.v4.u32 {%r0, %r1, %r2, %r3}, [%d0];\n"
             "mov.b64 %d2, {%r3, %r2};\nmov.b64 {%r4, %r5}, %d2;\n"
             "st.global.v2.u32 [%d1], {%r4, %r5};\nst.global.v2.b32 [%d1+8], {%r1, 9};\nret;"),
      params, memory, {}, 1);
  EXPECT_EQ(std::vector(out, out + 4), (std::vector<std::uint32_t>{4, 3, 2, 9}));
}

/// What is thrown for a body; its line is counted from the body's first.
void expect_error(const std::string& body, int line, const std::string& what,
                  const Params& params = {}, std::span<const Range> memory = {}) {
  try {
    run(kernel(body), params, memory);
    ADD_FAILURE() << "nothing was wrong with: " << body;
  } catch (const Error& e) {
    EXPECT_EQ(e.line, line == 0 ? e.line : kBodyLine + line - 1) << e.what();
    EXPECT_NE(std::string(e.what()).find(what), std::string::npos) << e.what();
  }
}

TEST(Machine, SharedMemoryAndBarriers) {
  // Thread i takes what thread 255 - i wrote before the barrier; the halves come to it apart.
  const auto out = each_thread(
      "mov.u32 %r1, s;\nshl.b32 %r2, %r8, 2;\nadd.u32 %r3, %r1, %r2;\n"
      "setp.lt.u32 %p0, %r8, 100;\n@%p0 bra LOW;\nst.shared.u32 [%r3], %r8;\nbra.uni MEET;\n"
      "LOW:\nst.shared.u32 [%r3], 7;\nMEET:\nbar.sync 0;\n"
      "sub.u32 %r4, %r1, %r2;\nld.shared.u32 %r0, [%r4+1020];\n",
      ".shared .align 4 .b8 unused[64];\n.shared .align 4 .b8 s[1024];\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], 255 - i < 100 ? 7 : 255 - i);
  expect_error(".shared .align 4 .b8 s[64];\nld.shared.u32 %r0, [s+64];\nret;", 2, "outside");
  expect_error("mov.u32 %r0, 0;\nld.shared.u32 %r0, [%r0];\nret;", 2, "outside");
}

TEST(Machine, BarriersOfWarps) {
  // Thread i takes what its neighbour in the warp wrote before, which came there apart.
  const auto out = each_thread(
      "mov.u32 %r1, s;\nshl.b32 %r2, %r8, 2;\nadd.u32 %r3, %r1, %r2;\n"
      "and.b32 %r4, %r8, 1;\nsetp.eq.u32 %p0, %r4, 0;\n@%p0 bra EVEN;\nst.shared.u32 [%r3], %r8;\n"
      "bra.uni MEET;\nEVEN:\nst.shared.u32 [%r3], 7;\nMEET:\nbar.warp.sync -1;\n"
      "xor.b32 %r4, %r8, 1;\nshl.b32 %r4, %r4, 2;\nadd.u32 %r4, %r1, %r4;\n"
      "ld.shared.u32 %r0, [%r4];\n",
      ".shared .align 4 .b8 s[1024];\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], i % 2 == 0 ? i + 1 : 7);
  expect_error("bar.warp.sync 1;", 1, "a barrier");
}

TEST(Machine, SharedMemoryOfTheLaunch) {
  // 1024 bytes behind what the kernel declares: see each_thread.
  const char* body =
      "mov.u32 %r1, given;\nshl.b32 %r2, %r8, 2;\nadd.u32 %r3, %r1, %r2;\n"
      "mov.u32 %r4, s;\nst.shared.u32 [%r4], 99;\nst.shared.u32 [%r3], %r8;\nbar.sync 0;\n"
      "sub.u32 %r4, %r1, %r2;\nld.shared.u32 %r0, [%r4+1020];\n";
  const std::string variables =
      ".shared .align 4 .b8 s[64];\n.extern .shared .align 16 .b8 given[];\n";
  const auto out = each_thread(body, variables, 1024);
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], 255 - i);
  EXPECT_THROW((void)each_thread(body, variables, 1020), Error);
}

TEST(Machine, Shuffles) {
  const auto out =
      each_thread("shfl.sync.down.b32 %r0|%p0, %r8, 4, 31, -1;\n@!%p0 add.u32 %r0, %r0, 1000;\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], i % 32 < 28 ? i + 4 : i + 1000);
  expect_error(
      "setp.lt.u32 %p0, %r8, 40;\n@%p0 bra X;\nshfl.sync.down.b32 %r0, %r8, 1, 31, -1;\nX:\nret;",
      3, "thread 32 takes no part");
}

TEST(Machine, ShufflesUp) {
  const auto out =
      each_thread("shfl.sync.up.b32 %r0|%p0, %r8, 4, 0, -1;\n@!%p0 add.u32 %r0, %r0, 1000;\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], i % 32 >= 4 ? i - 4 : i + 1000);
}

TEST(Machine, Votes) {
  // One thread of the second warp says yes; each thread of the halves of the third asks its own.
  const std::string yes = "setp.eq.u32 %p0, %r8, 40;\n";
  auto out = each_thread(yes + "vote.sync.any.pred %p1, %p0, -1;\nselp.b32 %r0, 1, 0, %p1;\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], i / 32 == 1 ? 1u : 0u) << i;
  out = each_thread(
      "setp.ge.u32 %p0, %r8, 70;\nand.b32 %r1, %r8, 16;\nshl.b32 %r1, 65535, %r1;\n"
      "vote.sync.ballot.b32 %r0, %p0, %r1;\n");
  EXPECT_EQ(out[0], 0u);
  EXPECT_EQ(out[64], 0xffc0u);
  EXPECT_EQ(out[80], 0xffff0000u);
  expect_error(yes + "@%p0 bra X;\nvote.sync.any.pred %p1, %p0, -1;\nX:\nret;", 3,
               "thread 40 takes no part in a vote");
}

TEST(Machine, AddsToSharedWordsInTurn) {
  const auto out = each_thread(
      "mov.u32 %r1, s;\nmov.u32 %r2, 0;\nst.shared.u32 [%r1], %r2;\nbar.sync 0;\n"
      "atom.shared.add.u32 %r0, [%r1], 3;\n",
      ".shared .align 4 .b8 s[4];\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], 3 * i);
}

TEST(Machine, InsertsBitFields) {
  const auto out = each_thread("mov.u32 %r1, 0xffffffff;\nbfi.b32 %r0, %r8, %r1, 8, 4;\n");
  for (std::uint32_t i = 0; i < kLanes; ++i) EXPECT_EQ(out[i], 0xfffff0ffu | (i & 15u) << 8);
}

TEST(Machine, LargeBlocks) {
  std::vector<std::uint32_t> out(1024);
  Params params;
  params.at[0] = std::bit_cast<Word>(out.data());
  const Range memory[] = {{out.data(), 4 * out.size(), true}};
  std::string text = kernel(
      "ld.param.u64 %d8, [p];\nmul.wide.u32 %d7, %r8, 4;\nadd.s64 %d8, %d8, %d7;\nst.global.u32 "
      "[%d8], %r8;\nret;");
  EXPECT_THROW(run(text, params, memory, {}, 1024), Error);
  text.insert(text.find("\n{"), "\n.maxntid 32, 32, 1");
  run(text, params, memory, {}, 1024);
  for (std::uint32_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], i);
}

TEST(Machine, RefusesWhatItDoesNotKnow) {
  expect_error("ret;\nfrobnicate.b32 %r0, %r1;", 2, "unknown instruction in frobnicate.b32");
  expect_error("add.rn.ftz.f32 %r0, %r1, %r2;", 1, "unknown instruction");
  expect_error("add.sat.s32 %r0, %r1, %r2;", 1, "unknown instruction");
  expect_error("add.f16 %h0, %h1, %h2;", 1, "unknown instruction");
  expect_error("ex2.approx.f32 %r0, %r1;", 1, "unknown instruction");
  expect_error("cvt.rzi.sat.s32.f32 %r0, %r1;", 1, "unknown conversion");
  expect_error("ld.volatile.global.u32 %r0, [%d0];", 1, "unknown state space");
  expect_error("ld.global.L1::evict_last.u32 %r0, [%d0];", 1, "unknown modifier");
  expect_error("ld.global.b128 %r0, [%d0];", 1, "unknown type");
  expect_error("mov.u32 %r0, %clock;", 1, "unknown register");
  expect_error("bar.sync 1;", 1, "a barrier");
  expect_error("call.uni nobody;", 1, "unknown function");
  expect_error(".local .align 4 .b8 s[4];\nret;", 0, "local memory is not known");
}

TEST(Machine, RefusesWhatIsMalformed) {
  expect_error("add.s32 %r0, %r1;", 1, "number of operands");
  expect_error("add.s32 %r0, %r1, %d0;", 1, "register of another width: %d0");
  expect_error("add.rn.f32 %r0, %r1, 0d3ff0000000000000;", 1, "number of another width");
  expect_error("add.s32 %r0, %r1, %r9;", 1, "unknown register");
  expect_error("mov.u32 %r0, nothing;", 1, "unknown name 'nothing'");
  expect_error("bra NOWHERE;", 1, "unknown label 'NOWHERE'");
  expect_error("ret\nret;", 2, "unknown name 'ret'");
  expect_error("mov.u32 %r0, 0f3f80;", 1, "not a number");
  expect_error("mov.u32 %r0, 012;", 1, "not a number");
  expect_error("L:\nL:\nret;", 2, "label 'L' again");
  expect_error("@%r0 bra X;\nX:", 1, "no predicate");
  expect_error(".weird 3;", 1, "unknown directive '.weird'");
  expect_error("mov.u32 %r0, #;", 1, "unexpected character");
  expect_error("mov.b64 {%r0, %r1, %r2}, %d0;", 1, "parts of another width");
  EXPECT_THROW(Module("$"), Error);
  EXPECT_THROW(Module(".visible .entry k(.param .b32 x) { ret;"), Error);
  EXPECT_THROW(Module(".global .b32 x"), Error);
  EXPECT_EQ(Module(".global .b32 x;").entries().size(), 0u);  // a library's; nothing can use it
  EXPECT_THROW(Module(".shared .b32 x"), Error);
}

TEST(Machine, RefusesAccessesOutsideTheOperands) {
  alignas(8) std::uint32_t data[4] = {};
  Params params;
  params.at[0] = std::bit_cast<Word>(&data[0]);
  const Range readable[] = {{data, sizeof data, false}};
  const Range writable[] = {{data, sizeof data, true}};
  const std::string load = "ld.param.u64 %d0, [p];\n";
  const std::string each = "mul.wide.u32 %d1, %r8, 4;\nadd.s64 %d0, %d0, %d1;\n";
  expect_error(load + each + "ld.global.u32 %r0, [%d0];\nret;", 4,
               "thread 4: a load of 4 bytes outside", params, readable);
  expect_error(load + "ld.global.u32 %r0, [%d0+-4];\nret;", 2, "outside", params, readable);
  expect_error(load + "st.global.u32 [%d0], %r0;\nret;", 2, "a store", params, readable);
  expect_error(load + "st.global.u64 [%d0+12], %d1;\nret;", 2, "not a multiple of 8", params,
               writable);
  expect_error(load + "ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%d0+8];\nret;", 2, "", params,
               writable);
  expect_error("ld.param.u64 %d0, [p+64];\nret;", 1, "beyond the variable's end");
  expect_error("mov.b64 %d0, p;\nld.param.u64 %d0, [%d0+64];\nret;", 2, "outside", params,
               writable);
  expect_error("X:\nbra X;", 0, "a loop that does not end");
}

TEST(Machine, ContractsOnlyWhereItIsAllowedTo) {
  const auto run_pair = [](const std::string& pair, bool contract) {
    float out = 0;
    Params params;
    params.at[0] = std::bit_cast<Word>(&out);
    params.at[1] = f(0x1.000002p0f);
    params.at[2] = f(-0x1.000004p0f);
    const Range memory[] = {{&out, sizeof out, true}};
    run(kernel("ld.param.u64 %d0, [p];\nld.param.f32 %r1, [p+8];\nld.param.f32 %r2, [p+16];\n" +
               pair + "st.global.f32 [%d0], %r0;\nret;"),
        params, memory, {.contract = contract}, 1);
    return out;
  };
  const float fused = 0x1p-46f;
  EXPECT_EQ(run_pair("mul.f32 %r3, %r1, %r1;\nadd.f32 %r0, %r3, %r2;\n", true), fused);
  EXPECT_EQ(run_pair("mul.f32 %r3, %r1, %r1;\nadd.f32 %r0, %r2, %r3;\n", true), fused);
  EXPECT_EQ(run_pair("neg.f32 %r2, %r2;\nmul.f32 %r3, %r1, %r1;\nsub.f32 %r0, %r3, %r2;\n", true),
            fused);
  EXPECT_EQ(run_pair("neg.f32 %r2, %r2;\nmul.f32 %r3, %r1, %r1;\nsub.f32 %r0, %r2, %r3;\n", true),
            -fused);
  EXPECT_EQ(run_pair("mul.f32 %r3, %r1, %r1;\nadd.f32 %r0, %r3, %r2;\n", false), 0);
  EXPECT_EQ(run_pair("mul.rn.f32 %r3, %r1, %r1;\nadd.f32 %r0, %r3, %r2;\n", true), 0);
  EXPECT_EQ(run_pair("mul.f32 %r3, %r1, %r1;\nadd.rn.f32 %r0, %r3, %r2;\n", true), 0);
  EXPECT_EQ(
      run_pair("mul.f32 %r3, %r1, %r1;\nmov.f32 %r1, 0f00000000;\nadd.f32 %r0, %r3, %r2;\n", true),
      0)
      << "a factor that changed";
}

TEST(Machine, CountsBasicBlocks) {
  const Module module(
      kernel("setp.lt.u32 %p0, %r8, 999;\n@%p0 bra END;\nadd.u32 %r0, %r0, 1;\nEND:\nret;"));
  Program program(module, "k");
  const Params params;
  program.run({.params = std::as_bytes(std::span(params.at)), .memory = {}});
  EXPECT_EQ(program.blocks(), 3u);
  EXPECT_EQ(program.lines_not_run(), std::vector<int>{kBodyLine + 2});
}

}  // namespace
