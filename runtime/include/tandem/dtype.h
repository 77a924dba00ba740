// Element types: the enum, its properties, sets of them, and `visit`, the only switch over dtypes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tandem/export.h"
#include "tandem/fn.h"

namespace tandem {

enum class DType : std::uint8_t {
#define TANDEM_DTYPE(id, ...) id,
#include "tandem/dtypes.def"
  kCount
};
inline constexpr int kNumDTypes = static_cast<int>(DType::kCount);

/// Promotion category: bool < integers < floats < complex.
enum class Category : std::uint8_t { Bool, Integer, Float, Complex };

template <class T>
struct DTypeOf;
template <DType D>
struct CTypeOf;
#define TANDEM_DTYPE(id, ctype, ...)          \
  template <>                                 \
  struct DTypeOf<ctype> {                     \
    static constexpr DType value = DType::id; \
  };                                          \
  template <>                                 \
  struct CTypeOf<DType::id> {                 \
    using type = ctype;                       \
  };
#include "tandem/dtypes.def"

/// The DType of a C++ element type, as in dtype_of<float> == DType::float32.
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

struct DTypeInfo {
  std::string_view name;   // "float32"
  std::string_view alias;  // "float", or ""
  std::string_view numpy;  // "<f4", or "" where NumPy has no such type
  std::string_view title;  // "Float": PyTorch's name in messages
  std::size_t size;        // bytes an element
  Category category;
  int bits;    // value bits (integers) or significand bits (floats)
  double max;  // greatest finite value of a float or of a complex one's parts
  bool is_signed;
  DType compute;  // dtype of compute_t: float32 for the half types
};

namespace detail {
inline constexpr std::string_view trim_underscore(std::string_view s) {
  return s.back() == '_' ? s.substr(0, s.size() - 1) : s;
}
inline constexpr DTypeInfo kDTypeInfo[] = {
#define TANDEM_DTYPE(id, ctype, cat, bits, max, alias, numpy, title)    \
  {trim_underscore(#id),                                                \
   alias,                                                               \
   numpy,                                                               \
   title,                                                               \
   sizeof(ctype),                                                       \
   Category::cat,                                                       \
   bits,                                                                \
   max,                                                                 \
   Category::cat != Category::Integer ? Category::cat != Category::Bool \
                                      : fn::is_signed_int_v<ctype>,     \
   dtype_of<compute_t<ctype>>},
#include "tandem/dtypes.def"
};
}  // namespace detail

inline constexpr const DTypeInfo& info(DType t) {
  return detail::kDTypeInfo[static_cast<std::size_t>(t)];
}
inline constexpr std::string_view name(DType t) { return info(t).name; }
inline constexpr std::size_t element_size(DType t) { return info(t).size; }
inline constexpr Category category(DType t) { return info(t).category; }
inline constexpr bool is_float(DType t) { return category(t) == Category::Float; }
inline constexpr bool is_complex(DType t) { return category(t) == Category::Complex; }
/// The dtype of the parts of complex numbers; any other dtype is its own.
inline constexpr DType real_part(DType t) {
  return t == DType::complex64 ? DType::float32 : t == DType::complex128 ? DType::float64 : t;
}
inline constexpr bool is_integer(DType t) { return category(t) == Category::Integer; }
/// Exponent bits of a float, or of a complex one's parts; the sign and the significand take the
/// rest.
inline constexpr int exponent_bits(DType t) {
  return 8 * static_cast<int>(info(t).size) / (is_complex(t) ? 2 : 1) - info(t).bits;
}
/// Whether arithmetic is done in another dtype: true of every float below 32 bits.
inline constexpr bool is_half(DType t) { return info(t).compute != t; }

static_assert(kNumDTypes <= 32, "a set of dtypes is 32 bits");

/// A set of dtypes, one bit each: the `dtypes` column of the op table.
class DTypeSet {
 public:
  constexpr DTypeSet() = default;
  constexpr DTypeSet(DType t) : bits_(1u << static_cast<int>(t)) {}
  constexpr bool has(DType t) const { return (bits_ >> static_cast<int>(t)) & 1u; }
  constexpr DTypeSet operator|(DTypeSet o) const { return DTypeSet(bits_ | o.bits_, 0); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const DTypeSet&) const = default;
  /// Every dtype of a category.
  static constexpr DTypeSet of(Category c) {
    std::uint32_t b = 0;
    for (int i = 0; i < kNumDTypes; ++i) {
      if (detail::kDTypeInfo[i].category == c) b |= 1u << i;
    }
    return DTypeSet(b, 0);
  }

  /// Public, so that a set can be a template argument; use has().
  std::uint32_t bits_ = 0;

 private:
  constexpr DTypeSet(std::uint32_t b, int) : bits_(b) {}
};

/// The named sets that rows use.
namespace dtypes {
inline constexpr DTypeSet Bool = DTypeSet::of(Category::Bool);
inline constexpr DTypeSet Integers = DTypeSet::of(Category::Integer);
inline constexpr DTypeSet Floats = DTypeSet::of(Category::Float);
inline constexpr DTypeSet Complexes = DTypeSet::of(Category::Complex);
inline constexpr DTypeSet BoolInts = Bool | Integers;
inline constexpr DTypeSet Reals = Integers | Floats;
inline constexpr DTypeSet BoolReals = Bool | Reals;
inline constexpr DTypeSet Inexact = Floats | Complexes;
inline constexpr DTypeSet Numbers = Reals | Complexes;
inline constexpr DTypeSet All = Bool | Numbers;
}  // namespace dtypes

/// Calls f.template operator()<T>() with the element type of `t`; the only switch over dtypes.
template <class F>
decltype(auto) visit(DType t, F&& f) {
  switch (t) {
#define TANDEM_DTYPE(id, ctype, ...) \
  case DType::id:                    \
    return std::forward<F>(f).template operator()<ctype>();
#include "tandem/dtypes.def"
    case DType::kCount:
      break;
  }
  __builtin_unreachable();
}

/// Looks a dtype up by name or alias ("float32", "float"); DType::kCount where there is none.
TANDEM_API DType dtype_by_name(std::string_view name);

/// PyTorch 2.x's promotion of two dtypes of equal priority.
/// Raises TypeError for uint64 with a signed integer: no integer dtype holds both.
TANDEM_API DType promote_types(DType a, DType b);

/// False only where a cast would lower the category (complex to float, float to integer, number to
/// bool).
TANDEM_API bool can_cast(DType from, DType to);

/// The dtype of Python floats and of results of float functions of integers; float32 unless set.
TANDEM_API DType default_dtype();
/// Sets the default dtype of the process. Expects a float dtype; raises TypeError.
TANDEM_API void set_default_dtype(DType t);

}  // namespace tandem
