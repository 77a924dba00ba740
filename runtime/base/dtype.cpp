// Dtype look-up, promotion and the process's default dtype.
#include "tandem/dtype.h"

#include <fmt/format.h>

#include <atomic>

#include "tandem/error.h"

namespace tandem {

namespace {
std::atomic<DType> g_default_dtype{DType::float32};

/// The dtype of a category with the least bits that are enough, among dtypes that `ok` accepts.
template <class F>
DType smallest(Category c, int bits, F&& ok) {
  DType best = DType::kCount;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (category(t) != c || info(t).bits < bits || !ok(t)) continue;
    if (best == DType::kCount || info(t).bits < info(best).bits) best = t;
  }
  return best;
}

DType promote_integers(DType a, DType b) {
  const DTypeInfo& x = info(a);
  const DTypeInfo& y = info(b);
  if (x.is_signed == y.is_signed) return x.bits >= y.bits ? a : b;
  const DTypeInfo& s = x.is_signed ? x : y;
  const DTypeInfo& u = x.is_signed ? y : x;
  const DType r = smallest(Category::Integer, std::max(s.bits, u.bits + 1),
                           [](DType t) { return info(t).is_signed; });
  TANDEM_EXPECTS(
      r != DType::kCount, TypeError,
      fmt::format("[promote_types] no integer dtype holds both {} and {}; cast one of them", x.name,
                  y.name));
  return r;
}

/// Whether every value of b is one of a.
bool holds(DType a, DType b) {
  return info(a).bits >= info(b).bits && exponent_bits(a) >= exponent_bits(b);
}

DType promote_floats(DType a, DType b) {
  if (holds(a, b)) return a;
  if (holds(b, a)) return b;
  // As float16 and bfloat16: each has what the other lacks, float32 holds both.
  return smallest(Category::Float, std::max(info(a).bits, info(b).bits),
                  [a, b](DType t) { return holds(t, a) && holds(t, b); });
}
}  // namespace

DType dtype_by_name(std::string_view text) {
  if (text.empty()) return DType::kCount;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (info(t).name == text || info(t).alias == text) return t;
  }
  return DType::kCount;
}

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  const Category ca = category(a);
  const Category cb = category(b);
  if (ca < cb) return promote_types(b, a);
  if (ca == Category::Complex && cb == Category::Complex)
    return info(a).bits >= info(b).bits ? a : b;
  if (ca == Category::Complex) {
    // A float64 needs complex128's parts; smaller floats and all integers do not.
    const bool wide = cb == Category::Float && info(b).bits > info(a).bits;
    return wide ? DType::complex128 : a;
  }
  if (ca != cb) return a;
  return ca == Category::Float ? promote_floats(a, b) : promote_integers(a, b);
}

bool can_cast(DType from, DType to) { return category(from) <= category(to); }

DType default_dtype() { return g_default_dtype.load(std::memory_order_relaxed); }

void set_default_dtype(DType t) {
  TANDEM_EXPECTS(is_float(t), TypeError,
                 fmt::format("[set_default_dtype] expected a float dtype, got {}", name(t)));
  g_default_dtype.store(t, std::memory_order_relaxed);
}

}  // namespace tandem
