// lint: oracle table. A second oracle for sorting and sets: Thrust's OpenMP system. Built where a
// CUDA toolkit is found, whose headers it is.
#include <gtest/gtest.h>
#include <thrust/binary_search.h>
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/iterator/constant_iterator.h>
#include <thrust/reduce.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

/// NaN is the greatest, and all NaNs are equal.
struct Less {
  template <class T>
  bool operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a)) return false;
      if (std::isnan(b)) return true;
    }
    return a < b;
  }
};
struct Greater {
  template <class T>
  bool operator()(T a, T b) const {
    return Less()(b, a);
  }
};

template <class T>
std::vector<T> varied_values(std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<T>(static_cast<double>(random() % 2000) / 4 - 200);
    if constexpr (std::is_floating_point_v<T>) {
      const T special[] = {T(-0.0), T(0.0), T(INFINITY), T(-INFINITY), T(NAN)};
      if (random() % 9 == 0) x[i] = special[random() % 5];
    }
  }
  return x;
}

template <class T>
Tensor tensor_of(std::vector<T>& x) {
  return from_blob(x.data(), {static_cast<std::int64_t>(x.size())}, dtype_of<T>).clone();
}

template <class T, class U>
void expect_same(const Tensor& got, const U& expected) {
  ASSERT_EQ(got.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const T a = got.data<T>()[i];
    const T b = expected[i];
    ASSERT_EQ(std::memcmp(&a, &b, sizeof a), 0) << "at " << i << ": " << a << " and " << b;
  }
}

template <class T>
class Thrust : public testing::Test {};
using Types = testing::Types<float, double, std::int64_t, std::int32_t, std::uint16_t, std::int8_t>;
TYPED_TEST_SUITE(Thrust, Types);

TYPED_TEST(Thrust, SortsStably) {
  using T = TypeParam;
  for (const std::size_t n : {1u, 33u, 2048u, 70'001u}) {
    std::vector<T> x = varied_values<T>(n, static_cast<unsigned>(n));
    for (const bool descending : {false, true}) {
      thrust::device_vector<T> keys(x.begin(), x.end());
      thrust::device_vector<std::int64_t> indices(n);
      thrust::sequence(indices.begin(), indices.end());
      if (descending) {
        thrust::stable_sort_by_key(keys.begin(), keys.end(), indices.begin(), Greater());
      } else {
        thrust::stable_sort_by_key(keys.begin(), keys.end(), indices.begin(), Less());
      }
      const auto [values, order] = tandem::sort(tensor_of(x), 0, descending);
      expect_same<std::int64_t>(order, thrust::host_vector<std::int64_t>(indices));
      expect_same<T>(values, thrust::host_vector<T>(keys));
    }
  }
}

TYPED_TEST(Thrust, FindsDistinctElementsAndTheirCounts) {
  using T = TypeParam;
  std::vector<T> x = varied_values<T>(30'000, 3);
  thrust::device_vector<T> keys(x.begin(), x.end());
  thrust::stable_sort(keys.begin(), keys.end(), Less());
  thrust::device_vector<T> distinct(x.size());
  thrust::device_vector<std::int64_t> counts(x.size());
  const auto ends = thrust::reduce_by_key(keys.begin(), keys.end(),
                                          thrust::make_constant_iterator(std::int64_t(1)),
                                          distinct.begin(), counts.begin());
  distinct.resize(static_cast<std::size_t>(ends.first - distinct.begin()));
  counts.resize(distinct.size());
  const Unique u = unique(tensor_of(x), {}, {.counts = true});
  expect_same<T>(u.values, thrust::host_vector<T>(distinct));
  expect_same<std::int64_t>(u.counts, thrust::host_vector<std::int64_t>(counts));
}

TYPED_TEST(Thrust, SearchesAsItDoes) {
  using T = TypeParam;
  std::vector<T> sequence = varied_values<T>(999, 4);
  std::stable_sort(sequence.begin(), sequence.end(), Less());
  std::vector<T> queries = varied_values<T>(5000, 5);
  thrust::device_vector<T> s(sequence.begin(), sequence.end());
  thrust::device_vector<T> q(queries.begin(), queries.end());
  thrust::device_vector<std::int64_t> at(q.size());
  thrust::lower_bound(s.begin(), s.end(), q.begin(), q.end(), at.begin(), Less());
  expect_same<std::int64_t>(searchsorted(tensor_of(sequence), tensor_of(queries)),
                            thrust::host_vector<std::int64_t>(at));
  thrust::upper_bound(s.begin(), s.end(), q.begin(), q.end(), at.begin(), Less());
  expect_same<std::int64_t>(searchsorted(tensor_of(sequence), tensor_of(queries), false, true),
                            thrust::host_vector<std::int64_t>(at));
}

}  // namespace
