// What stands between the brackets of t[...]: integers, slices, None, Ellipsis, bools, tensors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tandem/export.h"

namespace tandem {

class Tensor;

/// start:stop:step with Python's meaning; the step may be negative, not zero.
struct Slice {
  std::optional<std::int64_t> start, stop;
  std::int64_t step = 1;
};

struct NoneIndex {};
struct EllipsisIndex {};
/// Inserts a dimension of size 1, as Python's None.
inline constexpr NoneIndex kNone{};
/// Stands for as many full slices as fit.
inline constexpr EllipsisIndex kEllipsis{};

/// One element of an index expression.
class Index {
 public:
  enum class Kind : std::uint8_t { Int, Slice, None, Ellipsis, Bool, Tensor };
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>) Index(I i)
      : kind_(Kind::Int), int_(static_cast<std::int64_t>(i)) {}  // NOLINT
  Index(bool b) : kind_(Kind::Bool), int_(b) {}                  // NOLINT
  Index(tandem::Slice s) : kind_(Kind::Slice), slice_(s) {}      // NOLINT
  Index(NoneIndex) : kind_(Kind::None) {}                        // NOLINT
  Index(EllipsisIndex) : kind_(Kind::Ellipsis) {}                // NOLINT
  /// A mask (bool or uint8) or an array of indices; a 0-d one is read, which waits for its device.
  inline Index(const tandem::Tensor& t);  // NOLINT

  Kind kind() const { return kind_; }
  std::int64_t integer() const { return int_; }
  const tandem::Slice& slice() const { return slice_; }
  const tandem::Tensor& tensor() const { return *tensor_; }

 private:
  Kind kind_;
  std::int64_t int_ = 0;
  tandem::Slice slice_;
  std::shared_ptr<const tandem::Tensor> tensor_;
};

}  // namespace tandem
