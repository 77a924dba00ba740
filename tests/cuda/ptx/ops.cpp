// lint: oracle table. Arithmetic, comparison, selection and logic, after "PTX ISA", chapter
// "Instruction Set".
#include "tests/cuda/ptx/ops.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <unordered_map>

namespace tandem::ptx {

namespace {

using Table = std::unordered_map<std::string, Op>;
using std::bit_cast;

std::uint32_t g_estimate_seed = 0;

template <class T>
using bits_t = std::conditional_t<
    sizeof(T) == 1, std::uint8_t,
    std::conditional_t<sizeof(T) == 2, std::uint16_t,
                       std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// The loop of F over values of types A, B and C (void: no such source) giving D. The result may
/// stand in the place of a source: lanes never meet.
template <class D, class F, class A, class B, class C>
void loop(int n, void* d, const void* a, const void* b, const void* c) {
  auto* out = static_cast<bits_t<D>*>(d);
  const auto* x = static_cast<const bits_t<A>*>(a);
#pragma GCC ivdep
  for (int i = 0; i < n; ++i) {
    if constexpr (std::is_void_v<B>) {
      out[i] = bit_cast<bits_t<D>>(D(F()(bit_cast<A>(x[i]))));
    } else if constexpr (std::is_void_v<C>) {
      const auto* y = static_cast<const bits_t<B>*>(b);
      out[i] = bit_cast<bits_t<D>>(D(F()(bit_cast<A>(x[i]), bit_cast<B>(y[i]))));
    } else {
      const auto* y = static_cast<const bits_t<B>*>(b);
      const auto* z = static_cast<const bits_t<C>*>(c);
      out[i] = bit_cast<bits_t<D>>(D(F()(bit_cast<A>(x[i]), bit_cast<B>(y[i]), bit_cast<C>(z[i]))));
    }
  }
}

template <class T>
constexpr int size_of() {
  if constexpr (std::is_void_v<T>)
    return 0;
  else
    return sizeof(T);
}

template <class D, class A, class B = void, class C = void, class F>
Op make(F) {
  Op op;
  op.loop = &loop<D, F, A, B, C>;
  op.sources = 1 + (std::is_void_v<B> ? 0 : 1) + (std::is_void_v<C> ? 0 : 1);
  op.bytes[0] = sizeof(D);
  op.bytes[1] = sizeof(A);
  op.bytes[2] = size_of<B>();
  op.bytes[3] = size_of<C>();
  return op;
}

/// A predicate: a byte that is 0 or 1.
using Pred = std::uint8_t;

// ---- floats

/// Operations in single precision give one NaN; in double they keep a payload, as the host does.
inline float canonical(float r) { return r != r ? bit_cast<float>(0x7fffffffu) : r; }
inline double canonical(double r) { return r; }

template <class T>
T sign_flipped(T x) {
  using U = bits_t<T>;
  return bit_cast<T>(U(bit_cast<U>(x) ^ (U(1) << (8 * sizeof(T) - 1))));
}

template <class T>
T absolute(T x) {
  using U = bits_t<T>;
  return bit_cast<T>(U(bit_cast<U>(x) & (U(~U(0)) >> 1)));
}

/// A NaN gives way to a number; -0 is below +0.
template <class T>
T float_max(T a, T b) {
  using U = bits_t<T>;
  const T equal = bit_cast<T>(U(bit_cast<U>(a) & bit_cast<U>(b)));
  const T r = a == b ? equal : (a > b ? a : b);
  return canonical(a != a ? b : (b != b ? a : r));
}
template <class T>
T float_min(T a, T b) {
  using U = bits_t<T>;
  const T equal = bit_cast<T>(U(bit_cast<U>(a) | bit_cast<U>(b)));
  const T r = a == b ? equal : (a < b ? a : b);
  return canonical(a != a ? b : (b != b ? a : r));
}

float towards_zero(float f) { return bit_cast<float>(bit_cast<std::uint32_t>(f) - 1); }

/// a * b + c rounded towards zero: the product is exact in double, the sum's error is known.
float fma_rz(float a, float b, float c) {
  const double p = double(a) * double(b);
  const double z = c;
  double s = p + z;
  if (!std::isfinite(s) || s == 0) return canonical(static_cast<float>(s));
  const double t = s - p;
  const double error = (p - (s - t)) + (z - t);
  if (error != 0 && (error < 0) != (s < 0)) s = bit_cast<double>(bit_cast<std::uint64_t>(s) - 1);
  const auto f = static_cast<float>(s);
  return std::fabs(double(f)) > std::fabs(s) ? towards_zero(f) : f;
}

/// x moved by up to `ulps` places, at random.
float disturbed(float x, std::uint32_t a, std::uint32_t b, int ulps) {
  std::uint32_t h = g_estimate_seed * 0x9e3779b9u ^ a * 0x85ebca6bu ^ b * 0xc2b2ae35u;
  h = (h ^ h >> 15) * 0x2c1b3c6du;
  h ^= h >> 13;
  const int by = static_cast<int>(h % static_cast<std::uint32_t>(2 * ulps + 1)) - ulps;
  const auto u = bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = u & 0x7fffffffu;
  const auto near = static_cast<std::uint32_t>(ulps);
  if (magnitude <= near || magnitude + near >= 0x7f800000u) return canonical(x);
  return bit_cast<float>(u + static_cast<std::uint32_t>(by));
}

float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

float div_approx(float a, float b) {
  const float size = std::fabs(b);
  if (size > 0x1p126f && size < HUGE_VALF)
    return std::isinf(a) ? canonical(NAN) : std::copysign(0.0f, a) * std::copysign(1.0f, b);
  return disturbed(a / b, bit_cast<std::uint32_t>(a), bit_cast<std::uint32_t>(b), 2);
}

float rcp_approx_ftz(float a) {
  return flushed(disturbed(1.0f / flushed(a), bit_cast<std::uint32_t>(a), 0, 1));
}

template <class T>
void add_float_comparisons(Table& t, const std::string& type) {
  const auto add = [&](const char* name, auto f) {
    t["setp." + std::string(name) + type] = make<Pred, T, T>(f);
  };
  add("eq", [](T a, T b) { return a == b; });
  add("ne", [](T a, T b) { return a < b || a > b; });
  add("lt", [](T a, T b) { return a < b; });
  add("le", [](T a, T b) { return a <= b; });
  add("gt", [](T a, T b) { return a > b; });
  add("ge", [](T a, T b) { return a >= b; });
  add("equ", [](T a, T b) { return !(a < b || a > b); });
  add("neu", [](T a, T b) { return a != b; });
  add("ltu", [](T a, T b) { return !(a >= b); });
  add("leu", [](T a, T b) { return !(a > b); });
  add("gtu", [](T a, T b) { return !(a <= b); });
  add("geu", [](T a, T b) { return !(a < b); });
  add("num", [](T a, T b) { return a == a && b == b; });
  add("nan", [](T a, T b) { return a != a || b != b; });
}

template <class T>
void add_floats(Table& t, const std::string& type) {
  const auto plus = make<T, T, T>([](T a, T b) { return canonical(a + b); });
  const auto minus = make<T, T, T>([](T a, T b) { return canonical(a - b); });
  const auto times = make<T, T, T>([](T a, T b) { return canonical(a * b); });
  t["add.rn" + type] = t["add" + type] = plus;
  t["sub.rn" + type] = t["sub" + type] = minus;
  t["mul.rn" + type] = t["mul" + type] = times;
  t["add" + type].contraction = Contraction::Sum;
  t["sub" + type].contraction = Contraction::Difference;
  t["mul" + type].contraction = Contraction::Product;
  t["fma.rn" + type] = make<T, T, T, T>([](T a, T b, T c) { return canonical(std::fma(a, b, c)); });
  t["div.rn" + type] = make<T, T, T>([](T a, T b) { return canonical(a / b); });
  t["rcp.rn" + type] = make<T, T>([](T a) { return canonical(T(1) / a); });
  t["sqrt.rn" + type] = make<T, T>([](T a) { return canonical(std::sqrt(a)); });
  t["neg" + type] = make<T, T>([](T a) { return sign_flipped(a); });
  t["abs" + type] = make<T, T>([](T a) { return absolute(a); });
  t["max" + type] = make<T, T, T>([](T a, T b) { return float_max(a, b); });
  t["min" + type] = make<T, T, T>([](T a, T b) { return float_min(a, b); });
  // The sign of the first operand, the magnitude of the second.
  t["copysign" + type] = make<T, T, T>([](T a, T b) {
    using U = bits_t<T>;
    constexpr U kSign = U(1) << (8 * sizeof(T) - 1);
    return bit_cast<T>(U((bit_cast<U>(a) & kSign) | (bit_cast<U>(b) & U(~kSign))));
  });
  add_float_comparisons<T>(t, type);
}

void add_estimates(Table& t) {
  t["fma.rz.f32"] =
      make<float, float, float, float>([](float a, float b, float c) { return fma_rz(a, b, c); });
  t["div.approx.f32"] =
      make<float, float, float>([](float a, float b) { return div_approx(a, b); });
  t["rcp.approx.ftz.f32"] = make<float, float>([](float a) { return rcp_approx_ftz(a); });
  t["div.approx.f32"].is_estimate = t["rcp.approx.ftz.f32"].is_estimate = true;
}

// ---- integers

/// What a division by zero or one that overflows gives is not specified: a value that shows.
template <class T>
constexpr T unspecified() {
  return static_cast<T>(0xdeadbeefdeadbeefull);
}

template <class T>
bool divides(T a, T b) {
  if constexpr (std::is_signed_v<T>)
    return b != 0 && !(a == std::numeric_limits<T>::min() && b == -1);
  else
    return b != 0;
}

template <class T>
T quotient(T a, T b) {
  const bool ok = divides(a, b);
  return ok ? static_cast<T>(a / (ok ? b : T(1))) : unspecified<T>();
}
template <class T>
T remainder(T a, T b) {
  const bool ok = divides(a, b);
  return ok ? static_cast<T>(a % (ok ? b : T(1))) : unspecified<T>();
}

template <class T>
T high_product(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return static_cast<T>(static_cast<Wide>(a) * b >> 64);
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    return static_cast<T>(static_cast<Wide>(a) * b >> (8 * sizeof(T)));
  }
}

/// An amount of the width or more shifts everything out.
template <class T>
T shifted_left(T a, std::uint32_t n) {
  constexpr std::uint32_t kWidth = 8 * sizeof(T);
  return n >= kWidth ? T(0) : static_cast<T>(a << (n & (kWidth - 1)));
}
template <class T>
T shifted_right(T a, std::uint32_t n) {
  constexpr std::uint32_t kWidth = 8 * sizeof(T);
  const T all = std::is_signed_v<T> && a < T(0) ? static_cast<T>(-1) : T(0);
  return n >= kWidth ? all : static_cast<T>(a >> (n & (kWidth - 1)));
}

/// Byte k of the result is byte sel[k] of {b, a}; the fourth bit of sel[k] spreads its sign.
std::uint32_t permuted(std::uint32_t a, std::uint32_t b, std::uint32_t sel) {
  const std::uint64_t both = std::uint64_t(b) << 32 | a;
  std::uint32_t r = 0;
  for (std::uint32_t k = 0; k < 4; ++k) {
    const std::uint32_t s = sel >> (4 * k);
    const auto byte = static_cast<std::uint32_t>(both >> (8 * (s & 7u))) & 0xffu;
    const std::uint32_t sign = (byte >> 7) != 0 ? 0xffu : 0u;
    r |= ((s & 8u) != 0 ? sign : byte) << (8 * k);
  }
  return r;
}

template <class T>
void add_integer_comparisons(Table& t, const std::string& type) {
  const auto add = [&](const char* name, auto f) {
    t["setp." + std::string(name) + type] = make<Pred, T, T>(f);
  };
  add("eq", [](T a, T b) { return a == b; });
  add("ne", [](T a, T b) { return a != b; });
  add("lt", [](T a, T b) { return a < b; });
  add("le", [](T a, T b) { return a <= b; });
  add("gt", [](T a, T b) { return a > b; });
  add("ge", [](T a, T b) { return a >= b; });
  if constexpr (!std::is_signed_v<T>) {
    add("lo", [](T a, T b) { return a < b; });
    add("ls", [](T a, T b) { return a <= b; });
    add("hi", [](T a, T b) { return a > b; });
    add("hs", [](T a, T b) { return a >= b; });
  }
}

template <class T, class Wide>
void add_integers(Table& t, const std::string& type) {
  using U = std::make_unsigned_t<T>;
  using M =
      std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;  // no promotion to int
  t["add" + type] = make<U, U, U>([](U a, U b) { return U(a + b); });
  t["sub" + type] = make<U, U, U>([](U a, U b) { return U(a - b); });
  t["mul.lo" + type] = make<U, U, U>([](U a, U b) { return U(M(a) * M(b)); });
  t["mul.hi" + type] = make<T, T, T>([](T a, T b) { return high_product(a, b); });
  t["mad.lo" + type] = make<U, U, U, U>([](U a, U b, U c) { return U(M(a) * M(b) + M(c)); });
  if constexpr (!std::is_void_v<Wide>) {
    t["mul.wide" + type] = make<Wide, T, T>([](T a, T b) { return Wide(Wide(a) * Wide(b)); });
    t["mad.wide" + type] = make<std::make_unsigned_t<Wide>, T, T, std::make_unsigned_t<Wide>>(
        [](T a, T b, std::make_unsigned_t<Wide> c) {
          using W = std::make_unsigned_t<Wide>;
          return W(W(Wide(Wide(a) * Wide(b))) + c);
        });
  }
  t["div" + type] = make<T, T, T>([](T a, T b) { return quotient(a, b); });
  t["rem" + type] = make<T, T, T>([](T a, T b) { return remainder(a, b); });
  t["min" + type] = make<T, T, T>([](T a, T b) { return a < b ? a : b; });
  t["max" + type] = make<T, T, T>([](T a, T b) { return a > b ? a : b; });
  t["shr" + type] =
      make<T, T, std::uint32_t>([](T a, std::uint32_t n) { return shifted_right(a, n); });
  if constexpr (std::is_signed_v<T>) {
    t["neg" + type] = make<U, U>([](U a) { return U(U(0) - a); });
    t["abs" + type] = make<U, U>([](U a) { return static_cast<T>(a) < 0 ? U(U(0) - a) : a; });
  }
  add_integer_comparisons<T>(t, type);
}

// ---- bits, and what works on any type of a width

template <class U>
void add_bits(Table& t, const std::string& type) {
  t["and" + type] = make<U, U, U>([](U a, U b) { return U(a & b); });
  t["or" + type] = make<U, U, U>([](U a, U b) { return U(a | b); });
  t["xor" + type] = make<U, U, U>([](U a, U b) { return U(a ^ b); });
  t["not" + type] = make<U, U>([](U a) { return U(~a); });
  t["shl" + type] =
      make<U, U, std::uint32_t>([](U a, std::uint32_t n) { return shifted_left(a, n); });
  t["shr" + type] =
      make<U, U, std::uint32_t>([](U a, std::uint32_t n) { return shifted_right(a, n); });
  t["setp.eq" + type] = make<Pred, U, U>([](U a, U b) { return a == b; });
  t["setp.ne" + type] = make<Pred, U, U>([](U a, U b) { return a != b; });
}

template <class U>
void add_untyped(Table& t, const std::string& type) {
  t["mov" + type] = make<U, U>([](U a) { return a; });
  t["selp" + type] = make<U, U, U, Pred>([](U a, U b, Pred p) { return p != 0 ? a : b; });
}

void add_predicates(Table& t) {
  t["and.pred"] = make<Pred, Pred, Pred>([](Pred a, Pred b) { return Pred(a & b); });
  t["or.pred"] = make<Pred, Pred, Pred>([](Pred a, Pred b) { return Pred(a | b); });
  t["xor.pred"] = make<Pred, Pred, Pred>([](Pred a, Pred b) { return Pred(a ^ b); });
  t["not.pred"] = make<Pred, Pred>([](Pred a) { return Pred(a ^ 1); });
  t["mov.pred"] = make<Pred, Pred>([](Pred a) { return a; });
}

/// Two words as one of 64 bits, shifted; the upper half for l, the lower for r.
void add_words(Table& t) {
  using U = std::uint32_t;
  t["prmt.b32"] = make<U, U, U, U>([](U a, U b, U c) { return permuted(a, b, c); });
  t["shf.l.wrap.b32"] = make<U, U, U, U>(
      [](U a, U b, U c) { return U((std::uint64_t(b) << 32 | a) << (c & 31u) >> 32); });
  t["shf.r.wrap.b32"] =
      make<U, U, U, U>([](U a, U b, U c) { return U((std::uint64_t(b) << 32 | a) >> (c & 31u)); });
}

/// The lowest bits of a, put into b. The place is the third operand's lowest byte, the length the
/// next.
template <class U>
U bits_inserted(U a, U b, std::uint32_t field) {
  constexpr std::uint32_t kBits = 8 * sizeof(U);
  const std::uint32_t at = field & 255u;
  const std::uint32_t length = field >> 8 & 255u;
  if (at >= kBits || length == 0) return b;
  const U ones = length >= kBits ? U(~U(0)) : U((U(1) << length) - 1);
  const U mask = U(ones << at);
  return U((b & U(~mask)) | (U(a << at) & mask));
}

void add_bit_fields(Table& t) {
  t["bfi.b32"] = make<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>(
      [](auto a, auto b, std::uint32_t field) {
        return bits_inserted<std::uint32_t>(a, b, field);
      });
  t["bfi.b64"] = make<std::uint64_t, std::uint64_t, std::uint64_t, std::uint32_t>(
      [](auto a, auto b, std::uint32_t field) {
        return bits_inserted<std::uint64_t>(a, b, field);
      });
}

Table make_table() {
  Table t;
  add_floats<float>(t, ".f32");
  add_floats<double>(t, ".f64");
  add_estimates(t);
  add_integers<std::uint16_t, std::uint32_t>(t, ".u16");
  add_integers<std::int16_t, std::int32_t>(t, ".s16");
  add_integers<std::uint32_t, std::uint64_t>(t, ".u32");
  add_integers<std::int32_t, std::int64_t>(t, ".s32");
  add_integers<std::uint64_t, void>(t, ".u64");
  add_integers<std::int64_t, void>(t, ".s64");
  add_bits<std::uint16_t>(t, ".b16");
  add_bits<std::uint32_t>(t, ".b32");
  add_bits<std::uint64_t>(t, ".b64");
  for (const char* letter : {".b", ".u", ".s", ".f"}) {
    if (letter[1] != 'f') add_untyped<std::uint16_t>(t, letter + std::string("16"));
    add_untyped<std::uint32_t>(t, letter + std::string("32"));
    add_untyped<std::uint64_t>(t, letter + std::string("64"));
  }
  add_predicates(t);
  add_words(t);
  add_bit_fields(t);
  t["cvta.to.global.u64"] = t["mov.u64"];  // addresses of global memory are generic ones here
  return t;
}

template <class T, int Product, int Addend>
struct Fused {
  T operator()(T a, T b, T c) const {
    return canonical(
        std::fma(Product < 0 ? sign_flipped(a) : a, b, Addend < 0 ? sign_flipped(c) : c));
  }
};

template <class T>
Loop fused_of(bool negate_product, bool negate_addend) {
  if (negate_product) return &loop<T, Fused<T, -1, 1>, T, T, T>;
  return negate_addend ? &loop<T, Fused<T, 1, -1>, T, T, T> : &loop<T, Fused<T, 1, 1>, T, T, T>;
}

}  // namespace

const Op* find_op(const std::string& opcode) {
  static const Table table = make_table();
  const auto found = table.find(opcode);
  return found == table.end() ? nullptr : &found->second;
}

Loop fused_loop(int bytes, bool negate_product, bool negate_addend) {
  return bytes == 4 ? fused_of<float>(negate_product, negate_addend)
                    : fused_of<double>(negate_product, negate_addend);
}

void set_estimate_seed(std::uint32_t seed) { g_estimate_seed = seed; }

}  // namespace tandem::ptx
