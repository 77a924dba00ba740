// The elementwise kernels' three ways, run on the CPU by hand-made launches: every layout and tail
// gives what one loop over the elements gives, and nothing outside the output is written.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernels/functors/binary.h"
#include "kernels/functors/ternary.h"
#include "tandem/cuda/plan.h"

using namespace tandem;

namespace tandem::cuda {
template <class T>
struct InputType<fn::Where, T, 0> {
  using type = bool;
};
}  // namespace tandem::cuda

namespace {

constexpr char kGuard = 0x5b;
constexpr std::size_t kMargin = 64;

/// One operand in memory: a strided region inside a guarded buffer.
struct Operand {
  std::vector<char> memory;
  std::vector<std::int64_t> strides;  // bytes
  std::int64_t start = 0;
  DType dtype = DType::float32;

  char* at(std::int64_t offset) { return memory.data() + start + offset; }
};

/// Layouts: 0 dense, 1 dense but misaligned, 2 gaps along the inner dimension, 3 reversed, 4
/// broadcast along the inner dimension, 5 broadcast along the outer ones, 6 transposed.
Operand make(const std::vector<std::int64_t>& shape, DType dtype, int layout, unsigned seed) {
  Operand o;
  o.dtype = dtype;
  const auto item = static_cast<std::int64_t>(element_size(dtype));
  const int rank = static_cast<int>(shape.size());
  o.strides.resize(shape.size());
  std::int64_t step = layout == 2 ? 3 * item : item;
  for (int i = 0; i < rank; ++i) {
    const int d = layout == 6 ? i : rank - 1 - i;
    const bool fixed = (layout == 4 && d == rank - 1) || (layout == 5 && d < rank - 1);
    o.strides[static_cast<std::size_t>(d)] = fixed ? 0 : step;
    if (!fixed) step *= shape[static_cast<std::size_t>(d)];
  }
  o.memory.assign(static_cast<std::size_t>(step) + 2 * kMargin + 16, kGuard);
  const auto base = reinterpret_cast<std::uintptr_t>(o.memory.data());
  o.start = static_cast<std::int64_t>(kMargin + (16 - (base + kMargin) % 16) % 16);
  if (layout == 1) o.start += item;
  if (layout == 3 && rank > 0) {
    const auto d = static_cast<std::size_t>(rank - 1);
    o.start += (shape[d] - 1) * o.strides[d];
    o.strides[d] = -o.strides[d];
  }
  std::mt19937 random(seed);
  for (std::size_t i = kMargin; i + kMargin < o.memory.size(); ++i) {
    o.memory[i] =
        dtype == DType::bool_ ? static_cast<char>(random() % 2) : static_cast<char>(random());
  }
  return o;
}

std::int64_t offset_of(std::int64_t i, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
  std::int64_t at = 0;
  for (std::size_t d = shape.size(); d-- > 0;) {
    at += i % shape[d] * strides[d];
    i /= shape[d];
  }
  return at;
}

/// Runs F in dtype T on operands in the given layouts; `storage` may differ from T for the general
/// way.
template <class F, class T, int A>
void check(const std::vector<std::int64_t>& shape, const int (&layouts)[A + 1], DType storage,
           bool number) {
  using Sig = cuda::signature_t<F, T, A>;
  const auto entry =
      cuda::make_entry<F, T, A, cuda::wide_t<T>>(std::make_integer_sequence<int, A>());
  std::int64_t numel = 1;
  for (const std::int64_t s : shape) numel *= s;
  std::vector<Operand> operands;
  ElementwiseLaunch l{};
  l.numel = numel;
  l.shape = shape.data();
  l.rank = static_cast<int>(shape.size());
  l.n_out = 1;
  l.n_in = A;
  l.dtype = dtype_of<T>;
  l.device = Device(DeviceKind::CUDA, 0);
  for (int k = 0; k <= A; ++k) {
    const bool casts = k > 0 && entry.storage[k] == dtype_of<T> && storage != dtype_of<T>;
    operands.push_back(
        make(shape, casts ? storage : entry.storage[k], layouts[k], static_cast<unsigned>(k + 7)));
  }
  bool dense = storage == dtype_of<T>;
  for (int k = 0; k <= A; ++k) {
    Operand& o = operands[static_cast<std::size_t>(k)];
    const bool scalar = number && k == A;
    l.operands[k] = {scalar ? nullptr : o.at(0), o.strides.data(), {}, o.dtype, entry.storage[k]};
    dense = dense && l.rank == 1 && (scalar || layouts[k] < 2);
  }
  const compute_t<T> last = fn::cast<compute_t<T>>(3.0f);
  std::memcpy(&l.operands[A].scalar, &last, sizeof last);
  l.contiguous = dense;

  Operand expected = operands[0];
  for (std::int64_t i = 0; i < numel; ++i) {
    const auto result = [&]<int... K>(std::integer_sequence<int, K...>) {
      const auto load = [&]<class S>(int k, S*) -> compute_t<S> {
        if (number && k == A) return fn::cast<compute_t<S>>(3.0f);
        Operand& o = operands[static_cast<std::size_t>(k)];
        const char* p = o.at(offset_of(i, shape, o.strides));
        return visit(o.dtype, [&]<class From>() {
          From x;
          std::memcpy(&x, p, sizeof x);
          return fn::load(fn::cast<S>(x));
        });
      };
      return F()(load(K + 1, static_cast<cuda::input_t<F, T, K>*>(nullptr))...);
    }
    (std::make_integer_sequence<int, A>());
    const auto stored = fn::cast<typename Sig::output>(result);
    std::memcpy(expected.at(offset_of(i, shape, expected.strides)), &stored, sizeof stored);
  }
  ASSERT_EQ(cuda::run_elementwise<A>(l, entry), cudaSuccess);
  EXPECT_EQ(operands[0].memory, expected.memory)
      << "layouts " << layouts[0] << layouts[1] << " rank " << l.rank << " of " << numel;
}

const std::vector<std::vector<std::int64_t>> kShapes = {{1},     {7},        {4099},       {3, 5},
                                                        {2, 64}, {5, 3, 33}, {2, 3, 2, 17}};

template <class F, class T, int A>
void check_all(DType storage) {
  for (const auto& shape : kShapes) {
    for (int out = 0; out <= 3; ++out) {
      for (int in = 0; in <= 6; ++in) {
        int layouts[A + 1] = {out, in};
        for (int k = 2; k <= A; ++k) layouts[k] = (in + k) % 2;
        check<F, T, A>(shape, layouts, storage, false);
        check<F, T, A>(shape, layouts, storage, true);
      }
    }
  }
}

}  // namespace

TEST(Kernels, FastDivisionIsExact) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    const std::uint32_t d = 1 + random() % (i % 2 == 0 ? 1000u : 0x7fffffffu);
    const std::uint32_t n = random() & 0x7fffffffu;
    ASSERT_EQ(cuda::FastDiv(d).div(n), n / d) << n << " / " << d;
    const std::uint64_t low = random();
    const std::uint64_t wide = (std::uint64_t(n) << 32 | low) >> random() % 33;
    const std::uint64_t by = 1 + (std::uint64_t(d) << random() % 31);
    ASSERT_EQ(cuda::FastDiv64(by).div(wide), wide / by) << wide << " / " << by;
    ASSERT_EQ(cuda::FastDiv64(d).div(wide), wide / d) << wide << " / " << d;
    ASSERT_EQ(cuda::FastDiv64(wide | 1).div(wide), wide / (wide | 1)) << wide;
  }
}

TEST(Kernels, OneDType) {
  check_all<fn::Sub, std::int32_t, 2>(DType::int32);
  check_all<fn::Add, std::uint8_t, 2>(DType::uint8);
  check_all<fn::Neg, Complex128, 1>(DType::complex128);
}

TEST(Kernels, ResultsAndConditionsOfOtherDTypes) {
  check_all<fn::Lt, std::int64_t, 2>(DType::int64);
  check_all<fn::Where, std::int16_t, 3>(DType::int16);
}

TEST(Kernels, Casts) {
  check_all<fn::Sub, std::int32_t, 2>(DType::uint8);
  check_all<fn::BitwiseXor, std::uint16_t, 2>(DType::int64);
  check_all<fn::Sub, std::int8_t, 2>(DType::float64);
  check_all<fn::Mul, std::uint8_t, 2>(DType::float32);
  check_all<fn::Sub, Half, 2>(DType::float64);
  check_all<fn::LogicalXor, bool, 2>(DType::complex128);
}

TEST(Kernels, TailsAroundTheBoundariesOfVectorsAndBlocks) {
  const auto check_sizes = []<class F, class T, int A>(std::integral_constant<int, A>, F, T) {
    using Sig = cuda::signature_t<F, T, A>;
    const std::int64_t chunk = std::int64_t(cuda::kThreads) * Sig::U * Sig::V;
    const std::int64_t wave = chunk * sim::kMostBlocks;
    for (const std::int64_t boundary : {std::int64_t(Sig::V), chunk, 2 * chunk, wave, 2 * wave}) {
      for (const std::int64_t n : {boundary - 1, boundary, boundary + 1}) {
        if (n > 0) check<F, T, A>({n}, {0, 0}, dtype_of<T>, false);
        if (n > 0) check<F, T, A>({3, n}, {2, 0}, dtype_of<T>, false);  // by rows or one by one
      }
    }
  };
  constexpr std::integral_constant<int, 1> kOne;
  check_sizes(kOne, fn::Neg(), float());
  check_sizes(kOne, fn::Neg(), Complex128());
  check_sizes(kOne, fn::BitwiseNot(), std::uint8_t());
  check_sizes(kOne, fn::LogicalNot(), double());
}

TEST(Kernels, ManyDimensionsAreLooped) {
  // 18 dimensions that do not merge, more than a kernel's parameters hold.
  const std::vector<std::int64_t> shape(18, 2);
  check<fn::Sub, std::int32_t, 2>(shape, {0, 2, 0}, DType::int32, false);
  check<fn::Sub, std::int32_t, 2>(shape, {0, 6, 0}, DType::uint8, false);
}
