// A vector with room for a few elements inside: shapes, strides and names of usual tensors never
// allocate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <type_traits>

namespace tandem {

/// For trivially copyable T. Grows to the heap above N elements.
template <class T, std::size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  SmallVector() : data_(inline_) {}
  explicit SmallVector(std::size_t n, T fill = T()) : SmallVector() { resize(n, fill); }
  SmallVector(std::initializer_list<T> v) : SmallVector(v.begin(), v.size()) {}
  SmallVector(std::span<const T> v) : SmallVector(v.data(), v.size()) {}  // NOLINT
  SmallVector(const T* p, std::size_t n) : SmallVector() { assign(p, n); }
  SmallVector(const SmallVector& o) : SmallVector() { copy(o); }
  SmallVector(SmallVector&& o) noexcept : SmallVector() { steal(o); }
  SmallVector& operator=(const SmallVector& o) {
    if (this != &o) copy(o);
    return *this;
  }
  SmallVector& operator=(SmallVector&& o) noexcept {
    if (this != &o) {
      release();
      steal(o);
    }
    return *this;
  }
  ~SmallVector() { release(); }

  void assign(const T* p, std::size_t n) {
    if (n > capacity_) grow_discarding(n);
    if (n != 0) std::memmove(data_, p, n * sizeof(T));
    size_ = static_cast<std::uint32_t>(n);
  }
  void resize(std::size_t n, T fill = T()) {
    if (n > capacity_) grow(n);
    for (std::size_t i = size_; i < n; ++i) data_[i] = fill;
    size_ = static_cast<std::uint32_t>(n);
  }
  /// Like resize, but new elements are the caller's to set: a fill of a few is a call of memset.
  void resize_unset(std::size_t n) {
    if (n > capacity_) grow(n);
    size_ = static_cast<std::uint32_t>(n);
  }
  void push_back(T v) {
    if (size_ == capacity_) grow(2 * std::size_t(capacity_));
    data_[size_++] = v;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  void insert(std::size_t at, T v) {
    push_back(v);
    std::rotate(data_ + at, data_ + size_ - 1, data_ + size_);
  }
  void erase(std::size_t at) {
    std::memmove(data_ + at, data_ + at + 1, (size_ - at - 1) * sizeof(T));
    --size_;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  operator std::span<const T>() const { return {data_, size_}; }  // NOLINT

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  void copy(const SmallVector& o) {
    if (data_ == inline_ && o.data_ == o.inline_) {  // a size the compiler knows: no call
      std::memcpy(static_cast<void*>(inline_), o.inline_, sizeof(inline_));
      size_ = o.size_;
    } else {
      assign(o.data_, o.size_);
    }
  }
  void release() {
    if (data_ != inline_) delete[] data_;
  }
  void steal(SmallVector& o) {
    if (o.data_ == o.inline_) {
      data_ = inline_;
      capacity_ = N;
      size_ = o.size_;
      std::memcpy(static_cast<void*>(inline_), o.inline_, sizeof(inline_));
    } else {
      data_ = o.data_;
      size_ = o.size_;
      capacity_ = o.capacity_;
      o.data_ = o.inline_;
      o.capacity_ = N;
    }
    o.size_ = 0;
  }
  void grow_discarding(std::size_t n) {
    T* fresh = new T[n];
    release();
    data_ = fresh;
    capacity_ = static_cast<std::uint32_t>(n);
  }
  void grow(std::size_t n) {
    T* fresh = new T[n];
    std::memcpy(fresh, data_, size_ * sizeof(T));
    release();
    data_ = fresh;
    capacity_ = static_cast<std::uint32_t>(n);
  }

  T* data_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;
  T inline_[N] = {};
};

/// Shape, strides or axes.
using Dims = SmallVector<std::int64_t, 6>;

/// A read-only list of integers: braces, vectors, Dims and spans convert to it.
class IntSpan : public std::span<const std::int64_t> {
 public:
  using std::span<const std::int64_t>::span;
  IntSpan(std::span<const std::int64_t> s) : std::span<const std::int64_t>(s) {}  // NOLINT
  IntSpan(const Dims& d) : std::span<const std::int64_t>(d.data(), d.size()) {}   // NOLINT
  // Valid to the end of the full expression, like any argument.
  IntSpan(std::initializer_list<std::int64_t> v)  // NOLINT
      : std::span<const std::int64_t>(v.begin(), v.size()) {}
};

}  // namespace tandem
