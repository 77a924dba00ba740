// Dimension names: interned, compared by number, absent (and free) on unnamed tensors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tandem/export.h"
#include "tandem/small_vector.h"

namespace tandem {

/// An interned name of a dimension; the default one is "no name" (Python's None).
class Name {
 public:
  constexpr Name() = default;
  /// Interns the text. Expects an identifier ([A-Za-z_][A-Za-z0-9_]*); raises ValueError.
  TANDEM_API Name(std::string_view text);
  Name(const char* text) : Name(std::string_view(text)) {}

  constexpr bool is_none() const { return id_ == 0; }
  constexpr explicit operator bool() const { return id_ != 0; }
  constexpr bool operator==(const Name&) const = default;
  /// The text; "None" for no name.
  TANDEM_API std::string_view str() const;

 private:
  std::uint32_t id_ = 0;
};

/// One name a dimension, or empty: "no dimension is named".
using Names = SmallVector<Name, 6>;

/// "['N', None]": as messages show names.
TANDEM_API std::string str(const Names& names);

/// A dimension by position (negative counts from the end) or by name, wherever an axis is accepted.
class Axis {
 public:
  constexpr Axis() = default;
  template <class I>
  requires std::is_integral_v<I>
  constexpr Axis(I i) : index_(static_cast<std::int64_t>(i)) {}
  constexpr Axis(Name n) : name_(n) {}
  Axis(const char* n) : name_(n) {}
  Axis(std::string_view n) : name_(n) {}
  Axis(const std::string& n) : name_(std::string_view(n)) {}
  constexpr bool is_named() const { return !name_.is_none(); }
  constexpr std::int64_t index() const { return index_; }
  constexpr Name name() const { return name_; }

 private:
  std::int64_t index_ = 0;
  Name name_;
};

/// A list of axes; the default one means "every dimension".
class Axes {
 public:
  Axes() = default;
  Axes(std::initializer_list<Axis> v) : list_(v), all_(v.size() == 0) {}
  Axes(const SmallVector<Axis, 6>& v) : list_(v), all_(v.empty()), none_(v.empty()) {}  // NOLINT
  template <class T>
  requires std::is_constructible_v<Axis, T> Axes(T one) : list_({Axis(one)}), all_(false) {}
  bool all() const { return all_; }
  /// An empty list was given: none for views of dimensions, all for reductions, as in PyTorch.
  bool none() const { return none_; }
  const SmallVector<Axis, 6>& list() const { return list_; }

 private:
  SmallVector<Axis, 6> list_;
  bool all_ = true;
  bool none_ = false;
};

}  // namespace tandem
