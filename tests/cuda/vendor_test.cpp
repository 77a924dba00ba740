// What the backend asks of cuBLASLt: layouts, leading dimensions, transposes, biases, batches,
// workspaces and kept choices, against a fake library on the simulated device
// (tests/cuda/sim/fake_blas.cpp). Numbers are small integers: every sum is exact, so results are
// those of the CPU bit for bit.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tandem/exact.h"
#include "tandem/tandem.h"
#include "tandem/tf32.h"
#include "tests/cuda/sim/fake_blas.h"

using namespace tandem;

namespace {

const Device kHost(DeviceKind::CPU, 0), kDevice(DeviceKind::CUDA, 0);

FakeBlas* fake() {
  static FakeBlas* const record = []() -> FakeBlas* {
    const char* folder = std::getenv("TANDEM_VENDOR_LIBRARIES");
    if (folder == nullptr) return nullptr;
    void* library = dlopen((std::string(folder) + "/libcublasLt.so.13").c_str(), RTLD_NOW);
    if (library == nullptr) return nullptr;
    const auto get = reinterpret_cast<FakeBlasFn>(dlsym(library, kFakeBlas));
    return get == nullptr ? nullptr : get();
  }();
  return record;
}

class Vendor : public testing::Test {
 protected:
  void SetUp() override {
    if (fake() == nullptr || !is_available(DeviceKind::CUDA)) {
      GTEST_SKIP() << "a test of the fake cuBLASLt on the simulated device";
    }
    before_ = *fake();
  }
  void TearDown() override {
    if (fake() == nullptr) return;
    EXPECT_EQ(fake()->alive, 0) << "descriptions that were not destroyed";
    EXPECT_EQ(fake()->misaligned, 0) << "matrices off the alignment that was promised";
  }
  int products() const { return fake()->products - before_.products; }
  int heuristics() const { return fake()->heuristics - before_.heuristics; }

 private:
  FakeBlas before_{};
};

/// Integers of -3 to 3, complex ones with both parts.
Tensor numbers(Dims shape, DType t, std::int64_t seed) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  const Tensor i = arange(n).add(Scalar(seed)).mul(Scalar(7919));
  Tensor x = i.remainder(Scalar(7)).sub(Scalar(3)).to(t);
  if (is_complex(t)) {
    const Tensor parts = i.remainder(Scalar(5)).sub(Scalar(2)).to(DType::complex128);
    x = x.to(DType::complex128).add(parts.mul(Scalar(std::complex<double>(0, 1)))).to(t);
  }
  return x.reshape(shape);
}

bool same(const Tensor& device, const Tensor& host) {
  const Tensor a = device.to(kHost).contiguous();
  const Tensor b = host.contiguous();
  return a.dtype() == b.dtype() && Dims(a.shape()) == Dims(b.shape()) &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

Tensor on_device(const Tensor& x) { return x.to(kDevice); }

/// The last two dimensions dense the other way, or part of wider memory.
Tensor laid(const Tensor& x, int how) {
  if (how == 0) return x;
  if (how == 1) return x.transpose(-1, -2).contiguous().transpose(-1, -2);
  Dims wide(x.shape());
  wide[wide.size() - 1] += 5;
  Tensor memory = full(wide, Scalar(99), {.dtype = x.dtype(), .device = x.device()});
  Tensor part = memory.slice(-1, 2, wide.back() - 3);
  part.copy_(x);
  return part;
}

TEST_F(Vendor, ProductsOfEveryLayoutSizeAndDtype) {
  int asked = 0;
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto t = static_cast<DType>(d);
    if (!dtypes::Inexact.has(t)) continue;
    for (const Dims& s : {Dims{5, 7, 3}, Dims{1, 6, 4}, Dims{4, 6, 1}, Dims{1, 1, 1}, Dims{8, 1, 9},
                          Dims{17, 33, 20}}) {
      const Tensor a = numbers({s[0], s[1]}, t, 1);
      const Tensor b = numbers({s[1], s[2]}, t, 2);
      const ExactGuard exact;  // on the host: no library of its own
      const Tensor want = matmul(a, b);
      for (int x = 0; x < 3; ++x) {
        for (int y = 0; y < 3; ++y) {
          const Tensor da = laid(on_device(a), x);
          const Tensor db = laid(on_device(b), y);
          const ExactGuard off(false);
          EXPECT_TRUE(same(matmul(da, db), want)) << name(t) << " " << s[0] << " " << x << y;
          ++asked;
        }
      }
    }
  }
  EXPECT_EQ(products(), asked);
}

TEST_F(Vendor, TransposesAndLeadingDimensionsAreTold) {
  const Tensor a = on_device(numbers({6, 10}, DType::float32, 1));
  const Tensor b = on_device(numbers({10, 4}, DType::float32, 2));
  (void)matmul(a, b);
  const FakeBlas plain =
      *fake();  // the result's rows are columns to the library: B A, no transpose
  EXPECT_EQ(plain.m, 4);
  EXPECT_EQ(plain.n, 6);
  EXPECT_EQ(plain.k, 10);
  EXPECT_FALSE(plain.transposed_a || plain.transposed_b);
  EXPECT_EQ(plain.lda, 4);
  EXPECT_EQ(plain.ldb, 10);
  EXPECT_EQ(plain.ldc, 4);
  (void)matmul(laid(a, 1), laid(b, 2));
  EXPECT_TRUE(fake()->transposed_b);
  EXPECT_FALSE(fake()->transposed_a);
  EXPECT_EQ(fake()->lda, 9);
  EXPECT_EQ(fake()->ldb, 6);
  // Rows that run backwards, or a stride of 2 along the dense axis, are no library's layout.
  const int before = fake()->products;
  const Tensor spread = on_device(numbers({6, 20}, DType::float32, 1)).slice(1, 0, 20, 2);
  const Tensor want = matmul(spread.to(kHost), b.to(kHost));
  EXPECT_TRUE(same(matmul(spread, b), want));
  EXPECT_EQ(fake()->products, before);
}

TEST_F(Vendor, Batches) {
  for (const DType t : {DType::float32, DType::float16, DType::complex64}) {
    const Tensor a = numbers({3, 5, 6}, t, 1);
    const Tensor b = numbers({3, 6, 4}, t, 2);
    const Tensor one = numbers({6, 4}, t, 3);
    const ExactGuard exact;
    const Tensor want = matmul(a, b);
    const Tensor shared = matmul(a, one);
    const Tensor first = matmul(a.select(0, 0), b);
    const ExactGuard off(false);
    EXPECT_TRUE(same(matmul(on_device(a), on_device(b)), want));
    EXPECT_EQ(fake()->batch, 3);
    EXPECT_EQ(fake()->stride_a, 24);
    EXPECT_EQ(fake()->stride_b, 30);
    EXPECT_EQ(fake()->stride_c, 20);
    EXPECT_TRUE(same(matmul(laid(on_device(a), 1), laid(on_device(b), 2)), want));
    // One matrix for all: a tall product, or a batch with stride 0.
    EXPECT_TRUE(same(matmul(on_device(a), on_device(one)), shared));
    EXPECT_EQ(fake()->batch, 1);
    EXPECT_EQ(fake()->n, 15);
    EXPECT_TRUE(same(matmul(on_device(a).select(0, 0), on_device(b)), first));
    EXPECT_EQ(fake()->batch, 3);
    EXPECT_EQ(fake()->stride_b, 0);
    EXPECT_TRUE(same(einsum("bij,bjk->bki", {on_device(a), on_device(b)}), want.transpose(1, 2)));
  }
}

/// Broadcast over both sides, permuted, and with odd strides: a pointer a matrix, nothing copied.
TEST_F(Vendor, BatchesThatNoStrideTells) {
  for (const DType t : {DType::float16, DType::float32, DType::float64, DType::complex128}) {
    const Tensor a = numbers({3, 1, 5, 7}, t, 1);
    const Tensor b = numbers({1, 4, 7, 6}, t, 2);
    const Tensor c = numbers({2, 3, 4, 7, 6}, t, 3);
    const ExactGuard exact;
    const Tensor crossed = matmul(a, b);
    const Tensor tall = matmul(a, c);
    const ExactGuard off(false);
    int before = fake()->products;
    EXPECT_TRUE(same(matmul(on_device(a), on_device(b)), crossed)) << name(t);
    EXPECT_EQ(fake()->products, before + 1);
    EXPECT_TRUE(fake()->pointers);
    EXPECT_EQ(fake()->batch, 12);
    EXPECT_TRUE(same(matmul(laid(on_device(a), 1), laid(on_device(b), 2)), crossed)) << name(t);
    EXPECT_TRUE(fake()->pointers);
    EXPECT_TRUE(same(matmul(on_device(a), on_device(c)), tall)) << name(t);
    EXPECT_EQ(fake()->batch, 24);
    EXPECT_EQ(fake()->products, before + 3);
    // One side broadcast over all but one dimension.
    EXPECT_TRUE(same(matmul(on_device(b), on_device(c).transpose(-1, -2).contiguous()),
                     matmul(b, c.transpose(-1, -2).contiguous())));
    // Exact mode, and columns that no library reads: our own kernel, in one launch.
    const ExactGuard again;
    before = fake()->products;
    EXPECT_TRUE(same(matmul(on_device(a), on_device(b)), crossed)) << name(t);
    EXPECT_EQ(fake()->products, before);
  }
  const Tensor x = numbers({3, 1, 5, 14}, DType::float32, 4);
  const Tensor y = numbers({4, 7, 6}, DType::float32, 5);
  EXPECT_TRUE(
      same(matmul(on_device(x).slice(3, 0, 14, 2), on_device(y)), matmul(x.slice(3, 0, 14, 2), y)));
  const Tensor i = numbers({3, 1, 5, 7}, DType::int32, 6);
  const Tensor j = numbers({4, 7, 6}, DType::int32, 7);
  EXPECT_TRUE(same(matmul(on_device(i), on_device(j)), matmul(i, j)));
}

/// The same of einsum: nothing is copied, and the library is called once.
TEST_F(Vendor, EinsumOfBatchesThatNoStrideTells) {
  struct Case {
    const char* equation;
    Dims a, b;
    std::int64_t batch;
  };
  const Case cases[] = {{"bihd,bjhd->bhij", {2, 5, 3, 7}, {2, 6, 3, 7}, 6},
                        {"bhij,bjhd->bihd", {2, 3, 5, 6}, {2, 6, 3, 7}, 6},
                        {"abcij,cabjk->abcik", {2, 3, 4, 5, 7}, {4, 2, 3, 7, 6}, 24}};
  for (const DType t : {DType::float16, DType::float32, DType::complex64}) {
    for (const Case& c : cases) {
      const Tensor a = numbers(c.a, t, 1), b = numbers(c.b, t, 2);
      const Tensor da = on_device(a), db = on_device(b);
      const ExactGuard exact;
      const Tensor want = einsum(c.equation, {a, b});
      const ExactGuard off(false);
      const int before = fake()->products;
      EXPECT_TRUE(same(einsum(c.equation, {da, db}), want)) << c.equation << " " << name(t);
      EXPECT_EQ(fake()->products, before + 1) << c.equation;
      EXPECT_TRUE(fake()->pointers) << c.equation;
      EXPECT_EQ(fake()->batch, c.batch) << c.equation;
    }
  }
}

TEST_F(Vendor, BiasesAreEpilogues) {
  for (const DType t : {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
    const Tensor x = numbers({2, 5, 6}, t, 1);
    const Tensor w = numbers({4, 6}, t, 2);
    const Tensor bias = numbers({4}, t, 3);
    const ExactGuard exact;
    const Tensor want = linear(x, w, bias);
    const Tensor row = linear(x.select(0, 0).slice(0, 0, 1), w, bias);
    const Tensor sum = addmm(bias, x.select(0, 1), w.t());
    const ExactGuard off(false);
    const int before = fake()->products;
    EXPECT_TRUE(same(linear(on_device(x), on_device(w), on_device(bias)), want)) << name(t);
    EXPECT_TRUE(fake()->biased);
    EXPECT_EQ(fake()->products, before + 1);
    EXPECT_TRUE(
        same(linear(on_device(x).select(0, 0).slice(0, 0, 1), on_device(w), on_device(bias)), row));
    EXPECT_TRUE(fake()->biased);
    EXPECT_TRUE(same(addmm(on_device(bias), on_device(x).select(0, 1), on_device(w).t()), sum));
    EXPECT_TRUE(fake()->biased);
    EXPECT_EQ(fake()->products, before + 3);
    // Scaled, broadcast otherwise or strided ones are added apart.
    const Tensor column = numbers({5, 1}, t, 4);
    EXPECT_TRUE(same(addmm(on_device(column), on_device(x).select(0, 1), on_device(w).t()),
                     addmm(column, x.select(0, 1), w.t())));
    EXPECT_FALSE(fake()->biased);
    const Tensor spread = numbers({8}, t, 5).slice(0, 0, 8, 2);
    EXPECT_TRUE(same(linear(on_device(x), on_device(w), on_device(spread).slice(0, 0, 4)),
                     linear(x, w, spread)));
  }
}

TEST_F(Vendor, BiasesOfExactModeAndOfLayoutsWithoutALibrary) {
  const Tensor x = numbers({5, 6}, DType::float32, 1);
  const Tensor w = numbers({4, 12}, DType::float32, 2).slice(1, 0, 12, 2);
  const Tensor bias = numbers({4}, DType::float32, 3);
  const Tensor want = linear(x, w, bias);
  const Tensor dw = on_device(numbers({4, 12}, DType::float32, 2)).slice(1, 0, 12, 2);
  EXPECT_TRUE(same(linear(on_device(x), dw, on_device(bias)), want));
  const ExactGuard exact;
  EXPECT_TRUE(same(linear(on_device(x), on_device(w), on_device(bias)), want));
  EXPECT_EQ(products(), 0);
}

TEST_F(Vendor, SumsOfInt8) {
  const auto integers = [](Dims shape, int seed) {
    std::int64_t n = 1;
    for (const std::int64_t s : shape) n *= s;
    return arange(n)
        .add(Scalar(seed))
        .mul(Scalar(7919))
        .remainder(Scalar(256))
        .sub(Scalar(128))
        .to(DType::int8)
        .reshape(shape);
  };
  for (const Dims& s : {Dims{5, 8, 12}, Dims{1, 4, 4}, Dims{33, 260, 16}}) {
    for (const bool least : {false, true}) {
      Tensor a = integers({s[0], s[1]}, 1);
      Tensor b = integers({s[1], s[2]}, 2);
      if (least) {
        a.fill_(Scalar(-128));
        b.fill_(Scalar(-128));
      }
      const Tensor want = matmul(a.to(DType::int32), b.to(DType::int32));
      for (int x = 0; x < 3; ++x) {
        for (int y = 0; y < 3; ++y) {
          const int before = fake()->products;
          EXPECT_TRUE(same(int_mm(laid(on_device(a), x), laid(on_device(b), y)), want));
          // One row of wider memory is not copied, and begins between multiples of 4 bytes.
          EXPECT_EQ(fake()->products, before + (s[0] == 1 && x == 2 ? 0 : 1));
          EXPECT_TRUE(fake()->transposed_a);
          EXPECT_FALSE(fake()->transposed_b);
        }
      }
    }
  }
  // Sizes and dtypes that the library does not take.
  const int before = fake()->products;
  for (const Dims& s : {Dims{5, 7, 12}, Dims{4, 8, 10}, Dims{1, 1, 1}}) {
    const Tensor a = integers({s[0], s[1]}, 3);
    const Tensor b = integers({s[1], s[2]}, 4);
    const Tensor want = matmul(a.to(DType::int32), b.to(DType::int32));
    EXPECT_TRUE(same(int_mm(on_device(a), on_device(b)), want));
    const Tensor ua = a.to(DType::uint8);
    const Tensor ub = b.to(DType::uint8);
    EXPECT_TRUE(same(int_mm(on_device(ua), on_device(ub)),
                     matmul(ua.to(DType::int32), ub.to(DType::int32))));
  }
  EXPECT_EQ(fake()->products, before);
}

TEST_F(Vendor, ChoicesAreKept) {
  const Tensor a = on_device(numbers({19, 23}, DType::float64, 1));
  const Tensor b = on_device(numbers({23, 21}, DType::float64, 2));
  (void)matmul(a, b);
  const int first = heuristics();
  EXPECT_EQ(first, 1);
  for (int i = 0; i < 5; ++i) (void)matmul(a, b);
  EXPECT_EQ(heuristics(), first);
  EXPECT_EQ(products(), 6);
  (void)matmul(a, laid(b, 2));  // another leading dimension is another problem
  EXPECT_EQ(heuristics(), first + 1);
  // More problems than are kept: the first ones are asked for again, and all answers are right.
  for (std::int64_t n = 1; n <= 4100; ++n) {
    const Tensor wide = on_device(ones({1, 2}, {.dtype = DType::float32}));
    const Tensor tall = on_device(ones({2, n}, {.dtype = DType::float32}));
    const Tensor sums = matmul(wide, tall);
    if (n % 1000 != 0) continue;
    EXPECT_EQ(sums.to(kHost).sum().item().to_double(), 2.0 * static_cast<double>(n));
  }
  const int many = heuristics();
  (void)matmul(a, b);
  EXPECT_EQ(heuristics(), many + 1);
}

TEST_F(Vendor, TensorFloat32IsAsked) {
  constexpr int kPlain = 68, kFast = 77;
  const Tensor a = on_device(numbers({8, 8}, DType::float32, 1));
  (void)matmul(a, a);
  EXPECT_EQ(fake()->compute, kPlain);
  set_allow_tf32(true);
  (void)matmul(a, a);
  EXPECT_EQ(fake()->compute, kFast);
  (void)matmul(a.to(DType::float16), a.to(DType::float16));
  EXPECT_EQ(fake()->compute, kPlain);
  set_allow_tf32(false);
  EXPECT_GT(fake()->workspace, 0u);
}

}  // namespace
