// Tensors of chosen elements in chosen layouts, and their elements read back, without any kernel:
// what the tests of ops compare with.
#pragma once

#include <complex>
#include <cstring>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"

namespace tandem::testing {

using Wide = std::complex<long double>;

/// How a tensor lies in memory: which dimension is innermost, gaps, direction, offset.
struct Layout {
  const char* name;
  bool reversed = false;    // first dimension innermost
  std::int64_t gap = 1;     // elements a step of the innermost dimension
  bool negative = false;    // every other stride is negative
  std::int64_t offset = 0;  // elements before the first
};

inline const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"contiguous"},
      {"offset", false, 1, false, 3},
      {"transposed", true},
      {"strided", false, 2},
      {"negative", false, 1, true, 1},
      {"transposed, strided, negative", true, 3, true, 5},
  };
  return all;
}

/// Memory with a pattern before, between and behind the elements, which must outlive the op.
class Block {
 public:
  static constexpr unsigned char kSentinel = 0xA5;

  Block(const Dims& shape, DType dtype, const Layout& layout) : shape_(shape), dtype_(dtype) {
    const std::size_t rank = shape.size();
    strides_.resize(rank);
    std::int64_t step = layout.gap, low = 0, high = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t d = layout.reversed ? i : rank - 1 - i;
      strides_[d] = layout.negative && i % 2 == 0 ? -step : step;
      (strides_[d] < 0 ? low : high) += strides_[d] * std::max<std::int64_t>(shape[d] - 1, 0);
      step *= std::max<std::int64_t>(shape[d], 1);
    }
    first_ = 8 + layout.offset - low;
    bytes_.assign(static_cast<std::size_t>(first_ + high + 9) * element_size(dtype), kSentinel);
  }

  char* at(std::int64_t element) {
    return bytes_.data() + (first_ + element) * static_cast<std::int64_t>(element_size(dtype_));
  }
  /// Element offsets in logical row-major order.
  std::vector<std::int64_t> offsets() const {
    std::vector<std::int64_t> all{0};
    for (std::size_t d = 0; d < shape_.size(); ++d) {
      std::vector<std::int64_t> next;
      for (const std::int64_t o : all) {
        for (std::int64_t i = 0; i < shape_[d]; ++i) next.push_back(o + i * strides_[d]);
      }
      all = std::move(next);
    }
    return all;
  }
  Tensor tensor() { return from_blob(at(0), shape_, dtype_, {}, {}, IntSpan(strides_)); }
  /// Whether every byte that belongs to no element still holds the pattern.
  bool untouched() {
    std::vector<bool> ours(bytes_.size());
    for (const std::int64_t o : offsets()) {
      const std::size_t b = static_cast<std::size_t>(at(o) - bytes_.data());
      for (std::size_t i = 0; i < element_size(dtype_); ++i) ours[b + i] = true;
    }
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (!ours[i] && static_cast<unsigned char>(bytes_[i]) != kSentinel) return false;
    }
    return true;
  }

 private:
  Dims shape_, strides_;
  DType dtype_;
  std::int64_t first_ = 0;
  std::vector<char> bytes_;
};

/// SplitMix64's output function: element i of every test's inputs.
inline std::uint64_t hashed(std::uint64_t i) {
  std::uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
/// In [lo, hi), from element number i.
inline double drawn(std::uint64_t i, double lo, double hi) {
  return lo + (hi - lo) * static_cast<double>(hashed(i) >> 11) * 0x1p-53;
}

/// Writes number i of a test's inputs: floats in [lo, hi), any integer, both bools.
template <class T>
T element(std::uint64_t i, double lo, double hi) {
  if constexpr (fn::is_bool_v<T>) {
    return (hashed(i) & 1) != 0;
  } else if constexpr (fn::is_int_v<T>) {
    return static_cast<T>(hashed(i));
  } else if constexpr (fn::is_complex_v<T>) {
    using R = fn::real_t<T>;
    return {static_cast<R>(drawn(2 * i, lo, hi)), static_cast<R>(drawn(2 * i + 1, lo, hi))};
  } else {
    return fn::cast<T>(drawn(i, lo, hi));
  }
}

inline void fill(Block& b, DType dtype, double lo, double hi) {
  std::uint64_t i = 0;
  for (const std::int64_t o : b.offsets()) {
    visit(dtype, [&]<class T>() {
      const T v = element<T>(i, lo, hi);
      std::memcpy(b.at(o), &v, sizeof v);
    });
    ++i;
  }
}

/// The bytes of a CPU tensor's elements in logical order.
inline std::string bytes_of(const Tensor& t) {
  std::vector<std::int64_t> all{0};
  for (std::size_t d = 0; d < t.shape().size(); ++d) {
    std::vector<std::int64_t> next;
    for (const std::int64_t o : all) {
      for (std::int64_t i = 0; i < t.shape()[d]; ++i) next.push_back(o + i * t.strides()[d]);
    }
    all = std::move(next);
  }
  std::string s;
  const auto size = static_cast<std::int64_t>(t.element_size());
  for (const std::int64_t o : all) {
    s.append(static_cast<const char*>(t.data_ptr()) + o * size, static_cast<std::size_t>(size));
  }
  return s;
}

template <class T>
std::vector<T> elements(const Tensor& t) {
  const std::string s = bytes_of(t);
  std::vector<T> v(s.size() / sizeof(T));
  if (!s.empty()) std::memcpy(static_cast<void*>(v.data()), s.data(), s.size());
  return v;
}

/// Elements as wide complex numbers.
inline std::vector<Wide> wide_elements(const Tensor& t) {
  std::vector<Wide> w;
  visit(t.dtype(), [&]<class T>() {
    const std::string bytes = bytes_of(t);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
      T x;
      std::memcpy(static_cast<void*>(&x), bytes.data() + at, sizeof x);
      if constexpr (fn::is_complex_v<T>)
        w.emplace_back(x.re, x.im);
      else
        w.emplace_back(static_cast<long double>(fn::load(x)));
    }
  });
  return w;
}

}  // namespace tandem::testing
