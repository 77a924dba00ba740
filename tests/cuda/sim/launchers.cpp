// The bound launchers of copies and products, run on the CPU through a host table of the test's
// own: results against plain loops, and errors through HostTable::raise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kernels/cuda/bind_sorting.h"
#include "kernels/cuda/context.h"
#include "tandem/backend/product.h"
#include "tandem/backend/sorting.h"
#include "tandem/ops/hash.h"

using namespace tandem;

extern "C" void tandem_sim_fail_next(int code);

namespace {

std::map<std::string, Kernel> bound;
std::string raised;

int bind(const char* op, DeviceKind, Kernel kernel) {
  bound[op] = kernel;
  return 0;
}
void* allocate(int, std::size_t bytes, void*) { return std::malloc(bytes); }
void release(int, void* p, void*) { std::free(p); }
void raise(const char* message) { raised = message; }

struct Launchers : testing::Test {
  void SetUp() override {
    HostTable host{kBackendAbi, detail::compiled_op_table_hash(), &bind, &allocate, &release,
                   &raise};
    cuda::set_host(host);
    raised.clear();
    if (!bound.empty()) return;
    cuda::bind_copy();
    cuda::bind_gemm();
    cuda::bind_counting();
  }
  static void run(const char* op, const void* desc) {
    bound.at(op).launch(desc, bound.at(op).self);
  }
};

const Device kDevice(DeviceKind::CUDA, 0);
OpRow count_row{"bincount", Family::Irregular, 0, dtypes::All, Result::Same, 0, 0, 0, "", ""};
OpRow copy_row{"copy_", Family::Irregular, 0, dtypes::All, Result::Same, 0, 0, 0, "", ""};

/// out[i][j][k] = in at any strides, both of `rows` x `columns` x `depth`.
template <class To, class From>
void check_copy(const std::vector<std::int64_t>& shape, std::vector<std::int64_t> in_strides,
                std::vector<std::int64_t> out_strides) {
  std::int64_t numel = 1;
  for (const auto s : shape) numel *= s;
  std::vector<From> in(static_cast<std::size_t>(4 * numel));
  std::vector<To> out(static_cast<std::size_t>(4 * numel)), expected;
  std::mt19937 random(3);
  for (auto& x : in) x = fn::cast<From>(static_cast<std::int32_t>(random() % 200) - 50);
  expected = out;
  for (std::int64_t i = 0; i < numel; ++i) {
    std::int64_t from = 0, to = 0, rest = i;
    for (std::size_t d = shape.size(); d-- > 0;) {
      from += rest % shape[d] * in_strides[d];
      to += rest % shape[d] * out_strides[d];
      rest /= shape[d];
    }
    expected[static_cast<std::size_t>(to)] = fn::cast<To>(in[static_cast<std::size_t>(from)]);
  }
  for (auto& s : in_strides) s *= static_cast<std::int64_t>(sizeof(From));
  for (auto& s : out_strides) s *= static_cast<std::int64_t>(sizeof(To));
  ElementwiseLaunch l{};
  l.row = &copy_row;
  l.numel = numel;
  l.shape = shape.data();
  l.rank = static_cast<int>(shape.size());
  l.n_out = l.n_in = 1;
  l.device = kDevice;
  l.operands[0] = {out.data(), out_strides.data(), {}, dtype_of<To>, dtype_of<To>};
  l.operands[1] = {in.data(), in_strides.data(), {}, dtype_of<From>, dtype_of<To>};
  l.contiguous = shape.size() == 1 && in_strides[0] == sizeof(From) && out_strides[0] == sizeof(To);
  Launchers::run("copy_", &l);
  EXPECT_EQ(raised, "");
  EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(To)), 0);
}

template <class To, class From>
void check_copies() {
  check_copy<To, From>({1000}, {1}, {1});
  check_copy<To, From>({1000}, {3}, {1});
  check_copy<To, From>({70, 90}, {1, 70}, {90, 1});  // transpose
  check_copy<To, From>({3, 40, 65}, {40 * 65, 1, 40}, {40 * 65, 65, 1});
  check_copy<To, From>({33, 5, 31}, {1, 33 * 31, 33}, {5 * 31, 31, 1});
  check_copy<To, From>({9, 100}, {0, 1}, {100, 1});  // broadcast
  check_copy<To, From>({9, 100}, {100, 1}, {1, 9});  // scattered writes
}

/// Both sides of each multiple of a tile's side, of what a tile is cut into, and of the least size
/// that a kernel takes.
std::vector<std::int64_t> around(std::initializer_list<std::int64_t> boundaries) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t b : boundaries) {
    for (const std::int64_t n : {b - 1, b, b + 1}) {
      if (n > 0 && std::find(sizes.begin(), sizes.end(), n) == sizes.end()) sizes.push_back(n);
    }
  }
  return sizes;
}

/// Transposed copies, one plane and two, of every size about the tile's side (kSide in copy.cu).
template <class T>
void check_transposes() {
  const std::int64_t side = sizeof(T) <= 2 ? 64 : 32;
  const auto sizes = around({8, side, 2 * side});
  for (const std::int64_t rows : sizes) {
    for (const std::int64_t columns : sizes) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns));
      check_copy<T, T>({rows, columns}, {1, rows}, {columns, 1});
    }
    const std::int64_t columns = side + 1;
    check_copy<T, T>({2, rows, columns}, {rows * columns, 1, rows}, {rows * columns, columns, 1});
    check_copy<T, T>({2, columns, rows}, {rows * columns, 1, columns}, {rows * columns, rows, 1});
  }
}

template <class T>
void check_product(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed) {
  constexpr std::int64_t kBatch = 2;
  std::vector<T> a(static_cast<std::size_t>(kBatch * m * k)), b(static_cast<std::size_t>(k * n));
  std::vector<T> c(static_cast<std::size_t>(kBatch * m * n) + 1, T(77)), expected = c;
  std::mt19937 random(5);
  for (auto& x : a) x = static_cast<T>(random() % 7);
  for (auto& x : b) x = static_cast<T>(random() % 5);
  ProductLaunch g{{kBatch, m, n, k, a.data(), b.data(), c.data(), m * k, k, 1, 0, n, 1, m * n, n, 1,
                   dtype_of<T>, kDevice, nullptr}};
  if (transposed) {
    g.a_row = 1;
    g.a_col = m;
    g.b_row = 1;
    g.b_col = k;
  }
  for (std::int64_t i = 0; i < kBatch * m * n; ++i) {
    T sum = 0;
    for (std::int64_t x = 0; x < k; ++x) {
      const std::int64_t row = i / n % m, column = i % n;
      sum = static_cast<T>(
          sum + a[static_cast<std::size_t>(i / (m * n) * g.a_batch + row * g.a_row + x * g.a_col)] *
                    b[static_cast<std::size_t>(x * g.b_row + column * g.b_col)]);
    }
    expected[static_cast<std::size_t>(i)] = sum;
  }
  Launchers::run("matmul", &g);
  EXPECT_EQ(raised, "");
  EXPECT_EQ(c, expected) << m << " " << n << " " << k;
}

// Blocks count in shared memory where the bins fit there: 4096 of them.
TEST_F(Launchers, CountsInSharedMemoryAndWithout) {
  for (const std::int64_t bins : {1, 255, 257, 4096, 4097}) {
    std::mt19937 random(static_cast<unsigned>(bins));
    std::vector<std::int32_t> x(20'003);
    for (auto& v : x) v = static_cast<std::int32_t>(random() % static_cast<unsigned>(bins + 2)) - 1;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(bins)), expected = counts;
    for (const std::int32_t v : x) {
      if (v >= 0 && v < bins) ++expected[static_cast<std::size_t>(v)];
    }
    CountLaunch l{};
    l.row = &count_row;
    l.step = CountLaunch::Step::Count;
    l.kind = CountLaunch::Bins::Values;
    l.n = static_cast<std::int64_t>(x.size());
    l.bins = bins;
    l.dtype = DType::int32;
    l.in = x.data();
    l.counts = counts.data();
    l.device = kDevice;
    run("bincount", &l);
    EXPECT_EQ(raised, "");
    EXPECT_EQ(counts, expected) << bins;
  }
}

}  // namespace

TEST_F(Launchers, CopiesOfEveryWidth) {
  check_copies<std::uint8_t, std::uint8_t>();
  check_copies<std::int16_t, std::int16_t>();
  check_copies<float, float>();
  check_copies<double, double>();
  check_copies<Complex128, Complex128>();
}

TEST_F(Launchers, Casts) {
  check_copies<Half, double>();
  check_copies<std::uint8_t, float>();
  check_copies<std::int8_t, std::int64_t>();
  check_copies<Complex64, std::int32_t>();
}

TEST_F(Launchers, Products) {
  for (const bool transposed : {false, true}) {
    check_product<std::int32_t>(1, 1, 1, transposed);
    check_product<std::int64_t>(65, 70, 33, transposed);
    check_product<float>(17, 130, 16, transposed);  // small integers: exact in any order
    check_product<std::uint8_t>(5, 3, 0, transposed);
  }
}

TEST_F(Launchers, TransposesOfEverySizeAroundTheTiles) {
  check_transposes<std::uint8_t>();
  check_transposes<std::int16_t>();
  check_transposes<float>();
  check_transposes<Complex128>();
}

/// A tile of C is 64 x 64 and 16 deep; a thread's share lies 16 apart (kernels/gemm.cu).
TEST_F(Launchers, ProductsOfEverySizeAroundTheTiles) {
  for (const bool transposed : {false, true}) {
    for (const std::int64_t m : around({1, 16, 64, 128})) {
      for (const std::int64_t n : around({1, 16, 64, 128})) {
        check_product<std::uint8_t>(m, n, 17, transposed);
        check_product<double>(m, n, 3, transposed);
      }
    }
    for (const std::int64_t k : around({1, 16, 32, 48})) {
      for (const std::int64_t edge : {63, 65}) {
        check_product<std::int32_t>(edge, 128 - edge, k, transposed);
        check_product<float>(edge, 1, k, transposed);
      }
    }
  }
}

TEST_F(Launchers, AFailedLaunchNamesTheOp) {
  std::vector<float> x(8), y(8);
  const std::int64_t eight = 8, four = 4;
  ElementwiseLaunch l{};
  l.row = &copy_row;
  l.numel = eight;
  l.shape = &eight;
  l.rank = 1;
  l.n_out = l.n_in = 1;
  l.device = kDevice;
  l.operands[0] = {x.data(), &four, {}, DType::float32, DType::float32};
  l.operands[1] = {y.data(), &four, {}, DType::float32, DType::float32};
  tandem_sim_fail_next(719);
  run("copy_", &l);
  EXPECT_NE(raised.find("[copy_] the CUDA launch failed"), std::string::npos) << raised;
}
