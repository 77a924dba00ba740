// Typed views of a tensor's elements for the caller's own host loops: span for dense tensors,
// mdspan for any strides. Where the standard library (C++23) or libcu++ has mdspan, ours converts
// to it.
#pragma once

#include <array>
#include <span>
#include <string>

#include "tandem/tensor.h"

#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_mdspan)
#include <mdspan>
#elif __has_include(<cuda/std/mdspan>)
#include <cuda/std/mdspan>
#endif

namespace tandem {

/// A strided view of `Rank` dimensions with the member names of std::mdspan. It does not own: the
/// tensor must outlive it.
template <class T, std::size_t Rank>
class mdspan {
 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;
  using index_type = std::int64_t;
  using size_type = std::uint64_t;
  using rank_type = std::size_t;
  using reference = T&;

  constexpr mdspan() = default;
  constexpr mdspan(T* data, std::array<index_type, Rank> extents,
                   std::array<index_type, Rank> strides)
      : data_(data), extents_(extents), strides_(strides) {}

  static constexpr rank_type rank() { return Rank; }
  constexpr index_type extent(rank_type r) const { return extents_[r]; }
  /// In elements.
  constexpr index_type stride(rank_type r) const { return strides_[r]; }
  constexpr T* data_handle() const { return data_; }
  constexpr size_type size() const {
    size_type n = 1;
    for (const index_type e : extents_) n *= static_cast<size_type>(e);
    return n;
  }
  constexpr bool empty() const { return size() == 0; }

  /// Unchecked, like std::mdspan.
  template <class... I>
  requires(sizeof...(I) == Rank && (std::is_convertible_v<I, index_type> && ...)) constexpr T&
  operator()(I... i) const {
    return (*this)[std::array<index_type, Rank>{static_cast<index_type>(i)...}];
  }
  constexpr T& operator[](const std::array<index_type, Rank>& i) const {
    index_type offset = 0;
    for (rank_type r = 0; r < Rank; ++r) offset += i[r] * strides_[r];
    return data_[offset];
  }

#if defined(__cpp_lib_mdspan)
  operator std::mdspan<T, std::dextents<index_type, Rank>, std::layout_stride>() const {  // NOLINT
    return {data_, {std::dextents<index_type, Rank>(extents_), strides_}};
  }
#elif __has_include(<cuda/std/mdspan>)
  operator cuda::std::mdspan<T, cuda::std::dextents<index_type, Rank>,
                             cuda::std::layout_stride>()  // NOLINT
      const {
    cuda::std::array<index_type, Rank> extents{};
    cuda::std::array<index_type, Rank> strides{};
    for (rank_type r = 0; r < Rank; ++r) {
      extents[r] = extents_[r];
      strides[r] = strides_[r];
    }
    return {data_, {cuda::std::dextents<index_type, Rank>(extents), strides}};
  }
#endif

 private:
  T* data_ = nullptr;
  std::array<index_type, Rank> extents_{};
  std::array<index_type, Rank> strides_{};
};

namespace detail {
inline void expects_host(const Tensor& t, const char* what) {
  TANDEM_EXPECTS(
      t.device().is_cpu(), DeviceError,
      std::string("[") + what + "] expected a CPU tensor, got one on " + t.device().str());
}
}  // namespace detail

/// The elements of a CPU tensor of T with `Rank` dimensions. Raises TypeError, ShapeError,
/// DeviceError.
template <class T, std::size_t Rank>
mdspan<T, Rank> as_mdspan(const Tensor& t) {
  detail::expects_host(t, "as_mdspan");
  TANDEM_EXPECTS(t.dim() == static_cast<std::int64_t>(Rank), ShapeError,
                 "[as_mdspan] expected " + std::to_string(Rank) + " dimensions, got " +
                     std::to_string(t.dim()));
  std::array<std::int64_t, Rank> extents{};
  std::array<std::int64_t, Rank> strides{};
  for (std::size_t r = 0; r < Rank; ++r) {
    extents[r] = t.shape()[r];
    strides[r] = t.strides()[r];
  }
  return {t.data<std::remove_cv_t<T>>(), extents, strides};
}

/// The elements of a contiguous CPU tensor of T in row-major order. Raises TypeError, ShapeError,
/// DeviceError.
template <class T>
std::span<T> as_span(const Tensor& t) {
  detail::expects_host(t, "as_span");
  TANDEM_EXPECTS(
      t.is_contiguous(), ShapeError,
      "[as_span] expected a contiguous tensor; call contiguous() first or use as_mdspan");
  return {t.data<std::remove_cv_t<T>>(), static_cast<std::size_t>(t.numel())};
}

}  // namespace tandem
