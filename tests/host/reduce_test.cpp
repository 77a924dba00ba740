// Reductions on the host: every row, dtype and layout against long double; the fixed tree bit for
// bit against its definition; the same bits for any layout, number of threads and SIMD level.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>

#include "tandem/backend.h"
#include "tests/host/layouts.h"

namespace tandem {
namespace {

using testing::Block;
using testing::bytes_of;
using testing::element;
using testing::elements;
using testing::Layout;
using testing::layouts;
using testing::Wide;
using testing::wide_elements;

// ---- the tree by its definition: docs/numerics.md, "Reductions"

template <class T>
T reference_tree(std::vector<T> x, T identity, const std::function<T(T, T)>& join) {
  while (x.size() > 1) {
    std::vector<T> tiles;
    for (std::size_t t = 0; t < x.size(); t += 4096) {
      const std::size_t m = std::min<std::size_t>(4096, x.size() - t);
      std::size_t width = 1;
      while (width < 128 && width < m) width *= 2;
      std::vector<T> lanes(width, identity);
      for (std::size_t i = 0; i < (m + width - 1) / width * width; ++i) {
        lanes[i % width] = join(lanes[i % width], i < m ? x[t + i] : identity);
      }
      for (; width > 1; width /= 2) {
        for (std::size_t l = 0; l < width / 2; ++l) {
          lanes[l] = join(lanes[l], lanes[l + width / 2]);
        }
      }
      tiles.push_back(lanes[0]);
    }
    x = std::move(tiles);
  }
  return x.empty() ? identity : x[0];
}

template <class T>
T reference_sum(const std::vector<T>& x) {
  return reference_tree<T>(x, T(-0.0), [](T a, T b) { return a + b; });
}

// ---- exact results

struct Exact {
  Wide value;
  long double scale;  // what an error is relative to
};

Exact exact_sum(const std::vector<Wide>& x) {
  Exact e{0, 0};
  for (const Wide& v : x) {
    e.value += v;
    e.scale += std::abs(v);
  }
  return e;
}

Exact exact_product(const std::vector<Wide>& x) {
  Exact e{1, 0};
  for (const Wide& v : x) e.value *= v;
  e.scale = std::abs(e.value) * static_cast<long double>(x.size() + 1);
  return e;
}

Exact exact_mean(const std::vector<Wide>& x) {
  Exact e = exact_sum(x);
  const auto n = static_cast<long double>(x.size());
  return {e.value / n, e.scale / n};
}

Exact exact_extremum(const std::vector<Wide>& x, bool greatest) {
  long double best = x[0].real();
  for (const Wide& v : x) best = greatest ? std::max(best, v.real()) : std::min(best, v.real());
  return {best, 0};
}

Exact exact_logic(const std::vector<Wide>& x, bool any) {
  const auto nonzero = [](const Wide& v) { return v != Wide(0); };
  return {any ? std::any_of(x.begin(), x.end(), nonzero) : std::all_of(x.begin(), x.end(), nonzero),
          0};
}

const std::map<std::string, std::function<Exact(const std::vector<Wide>&)>>& oracles() {
  static const std::map<std::string, std::function<Exact(const std::vector<Wide>&)>> all = {
      {"sum", exact_sum},
      {"prod", exact_product},
      {"mean", exact_mean},
      {"amax", [](const auto& x) { return exact_extremum(x, true); }},
      {"amin", [](const auto& x) { return exact_extremum(x, false); }},
      {"any", [](const auto& x) { return exact_logic(x, true); }},
      {"all", [](const auto& x) { return exact_logic(x, false); }},
      {"nansum", exact_sum},
      {"count_nonzero",
       [](const auto& x) {
         const auto zeros = std::count(x.begin(), x.end(), Wide(0));
         return Exact{static_cast<long double>(static_cast<std::ptrdiff_t>(x.size()) - zeros), 0};
       }},
  };
  return all;
}

/// Sums and products of integers wrap.
std::uint64_t wrapped(const std::vector<Wide>& x, bool product) {
  std::uint64_t r = product ? 1 : 0;
  for (const Wide& v : x) {
    const long double f = v.real();
    const std::uint64_t u =
        f < 0 ? 0 - static_cast<std::uint64_t>(-f) : static_cast<std::uint64_t>(f);
    r = product ? r * u : r + u;
  }
  return r;
}

/// The roundings on an element's way through the tree, and the last one.
long double depth(std::size_t n) {
  long double d = 2;
  for (std::size_t m = n; m > 1; m = (m + 4095) / 4096) d += 32 + 7;
  return d;
}

long double unit_of(DType t) { return std::ldexp(1.0L, -info(info(t).compute).bits); }
long double store_unit_of(DType t) { return std::ldexp(1.0L, -info(t).bits); }
/// Between neighbours about 0.
long double least_step_of(DType t) {
  return std::ldexp(1.0L, 3 - (1 << (exponent_bits(t) - 1)) - info(t).bits);
}
/// So that no sum of a case leaves the dtype.
double within(DType t, double x) {
  const double most = is_half(t) ? info(t).max / 60 : HUGE_VAL;
  return std::clamp(x, -most, most);
}

// ---- shapes and axes

struct Case {
  Dims shape;
  std::vector<std::int64_t> axes;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {{}, {}},         {{1}, {0}},           {{7}, {0}},
      {{129}, {0}},     {{5000}, {0}},        {{3, 70}, {0}},
      {{70, 3}, {1}},   {{37, 45}, {1}},      {{37, 45}, {0}},
      {{300, 11}, {0}}, {{11, 300}, {1}},     {{4, 5, 6}, {0, 2}},
      {{4, 5, 6}, {1}}, {{9, 2, 33}, {0, 1}}, {{2, 3, 4, 5}, {3, 1}},
      {{0, 3}, {1}},    {{200, 130}, {0}},
  };
  return all;
}

std::string label(const OpRow& row, DType t, const Case& c, const char* layout) {
  std::string s = std::string(row.name) + " " + std::string(name(t)) + " shape";
  for (const auto d : c.shape) s += " " + std::to_string(d);
  s += " axes";
  for (const auto a : c.axes) s += " " + std::to_string(a);
  return s + " " + layout;
}

SmallVector<Axis, 6> axis_list(const Case& c) {
  SmallVector<Axis, 6> list;
  for (const auto a : c.axes) list.push_back(Axis(a));
  return list;
}

Tensor call(const OpRow& row, const Tensor& x, const Case& c) {
  const Value args[] = {Value(x), Value(axis_list(c))};
  return call_boxed(row, args)[0].as<Tensor>();
}

/// The elements that each result is made of, in the logical order of the reduced dimensions.
std::vector<std::vector<Wide>> groups_of(const Tensor& x, const Case& c) {
  const std::vector<Wide> flat = wide_elements(x);
  std::vector<bool> reduced(c.shape.size(), c.axes.empty());
  for (const auto a : c.axes) reduced[static_cast<std::size_t>(a)] = true;
  std::size_t groups = 1;
  for (std::size_t d = 0; d < c.shape.size(); ++d) {
    if (!reduced[d]) groups *= static_cast<std::size_t>(c.shape[d]);
  }
  std::vector<std::vector<Wide>> all(groups);
  for (std::size_t i = 0; i < flat.size(); ++i) {
    std::size_t rest = i, group = 0, step = 1;
    for (std::size_t d = c.shape.size(); d-- > 0;) {
      const auto size = static_cast<std::size_t>(c.shape[d]);
      if (!reduced[d]) {
        group += rest % size * step;
        step *= size;
      }
      rest /= size;
    }
    all[group].push_back(flat[i]);
  }
  return all;
}

void expect_close(const OpRow& row, const Tensor& x, const Tensor& y, const Case& c,
                  const std::string& where) {
  const auto oracle = oracles().find(row.name);
  ASSERT_NE(oracle, oracles().end()) << row.name << " has no oracle: add one";
  const auto groups = groups_of(x, c);
  const std::vector<Wide> got = wide_elements(y);
  ASSERT_EQ(got.size(), groups.size()) << where;
  const bool integers = category(x.dtype()) < Category::Float && row.result == Result::Wide;
  const auto bits = elements<std::uint64_t>(integers ? y : Tensor(zeros({0}, {DType::int64})));
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (integers) {
      ASSERT_EQ(bits[i], wrapped(groups[i], oracle->first == "prod")) << where << " at " << i;
      continue;
    }
    const Exact e = oracle->second(groups[i]);
    const long double allowed =
        row.max_ulp * (depth(groups[i].size()) * 4 * unit_of(x.dtype()) * e.scale +
                       store_unit_of(y.dtype()) * std::abs(e.value) +
                       (is_half(y.dtype()) ? least_step_of(y.dtype()) : 0));
    ASSERT_LE(std::abs(got[i] - e.value), allowed)
        << where << " at " << i << ": " << got[i] << " instead of " << e.value;
  }
}

class EveryRow : public ::testing::TestWithParam<const OpRow*> {};

TEST_P(EveryRow, AgreesWithLongDoubleInEveryLayoutWithTheSameBits) {
  const OpRow& row = *GetParam();
  for (int t = 0; t < kNumDTypes; ++t) {
    const auto dtype = static_cast<DType>(t);
    const bool wide = row.result == Result::Wide && dtypes::BoolInts.has(dtype);
    if (!row.dtypes.has(dtype) && !wide) continue;
    for (const Case& c : cases()) {
      // Long products of float inputs stay in range where each is nearly 1 in size.
      const bool product = std::string_view(row.name) == "prod";
      const double lo = !product ? row.lo : is_complex(dtype) ? 0.69 : 0.97;
      const double hi = !product ? row.hi : is_complex(dtype) ? 0.725 : 1.03;
      std::string first;
      for (const Layout& layout : layouts()) {
        Block in(c.shape, dtype, layout);
        testing::fill(in, dtype, within(dtype, lo), within(dtype, hi));
        const Tensor x = in.tensor();
        const Tensor y = call(row, x, c);
        const std::string where = label(row, dtype, c, layout.name);
        if (layout.name == layouts()[0].name) {
          expect_close(row, x, y, c, where);
          first = bytes_of(y);
        }
        EXPECT_EQ(bytes_of(y), first) << where;
        EXPECT_TRUE(in.untouched()) << where;
      }
    }
  }
}

std::vector<const OpRow*> reduction_rows() {
  std::vector<const OpRow*> rows;
  for (const OpRow* row : op_rows()) {
    if (row->family == Family::Reduction) rows.push_back(row);
  }
  return rows;
}
INSTANTIATE_TEST_SUITE_P(Table, EveryRow, ::testing::ValuesIn(reduction_rows()),
                         [](const auto& p) { return std::string(p.param->name); });

// ---- the order

template <class T>
Tensor vector_tensor(const std::vector<T>& v) {
  const Tensor t = empty({static_cast<std::int64_t>(v.size())}, {dtype_of<T>});
  if (!v.empty()) std::memcpy(t.data_ptr(), v.data(), v.size() * sizeof(T));
  return t;
}

template <class T>
std::vector<T> numbers(std::size_t n, double lo, double hi) {
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = element<T>(i, lo, hi);
  return v;
}

template <class T>
void expect_tree(std::size_t n) {
  const std::vector<T> x = numbers<T>(n, -1, 1);
  EXPECT_EQ(fn::to_bits(sum(vector_tensor(x)).template item<T>()), fn::to_bits(reference_sum(x)))
      << n;
}

TEST(Tree, SumIsTheDocumentedOrderAtEveryLength) {
  for (std::size_t n = 1; n <= 300; ++n) {
    expect_tree<float>(n);
    expect_tree<double>(n);
  }
  for (const std::size_t n :
       {511, 512, 513, 4095, 4096, 4097, 8192, 12289, 100000, 524288, 700001}) {
    expect_tree<float>(n);
    expect_tree<double>(n);
  }
}

TEST(Tree, TilesOfTilesAreReducedByTheSameRule) { expect_tree<float>(4096 * 4096 + 4097); }

TEST(Tree, ColumnsAndWideRowsFollowTheSameOrder) {
  for (const std::int64_t n :
       {1, 2, 3, 5, 15, 16, 17, 100, 127, 128, 129, 1000, 4096, 4100, 9000}) {
    for (const std::int64_t columns : {1, 2, 3, 9, 40, 200, 600}) {
      if (n * columns > 2000000) continue;
      const std::vector<float> x = numbers<float>(static_cast<std::size_t>(n * columns), -1, 1);
      const Tensor t = vector_tensor(x).reshape({n, columns});
      const auto y = elements<float>(sum(t, 0));
      for (std::int64_t c = 0; c < columns; ++c) {
        std::vector<float> column;
        for (std::int64_t r = 0; r < n; ++r) {
          column.push_back(x[static_cast<std::size_t>(r * columns + c)]);
        }
        ASSERT_EQ(fn::to_bits(y[static_cast<std::size_t>(c)]), fn::to_bits(reference_sum(column)))
            << n << " x " << columns << " column " << c;
      }
    }
  }
}

TEST(Tree, ProductsAndVariancesFollowTheSameOrder) {
  for (const std::size_t n : {2, 9, 130, 300, 5000}) {
    const std::vector<double> x = numbers<double>(n, 0.99, 1.01);
    const double product = reference_tree<double>(x, 1.0, [](double a, double b) { return a * b; });
    EXPECT_EQ(prod(vector_tensor(x)).item<double>(), product) << n;
    const double mean_of = reference_sum(x) / static_cast<double>(n);
    EXPECT_EQ(mean(vector_tensor(x)).item<double>(), mean_of) << n;
    std::vector<double> squares;
    for (const double v : x) squares.push_back((v - mean_of) * (v - mean_of));
    const double variance = reference_sum(squares) / static_cast<double>(n - 1);
    EXPECT_EQ(var(vector_tensor(x)).item<double>(), variance) << n;
    EXPECT_EQ(tandem::std(vector_tensor(x)).item<double>(), std::sqrt(variance)) << n;
  }
}

TEST(Tree, VectorsOfTheDocumentation) {
  // x[i] = (i * 7919 % 10007) / 10007 - 0.5 in float.
  const auto bits = [](std::int64_t n) {
    std::vector<float> x;
    for (std::int64_t i = 0; i < n; ++i) {
      x.push_back(static_cast<float>(i * 7919 % 10007) / 10007.0f - 0.5f);
    }
    return fn::to_bits(sum(vector_tensor(x)).item<float>());
  };
  EXPECT_EQ(bits(3), 0xBE00FC24u);
  EXPECT_EQ(bits(100), 0x3E26E5D8u);
  EXPECT_EQ(bits(1000), 0x3EB6320Cu);
  EXPECT_EQ(bits(10000), 0x3E217900u);
}

// ---- pairs: the launch that einsum uses

TEST(Pair, SumsOfProductsOnTheTreeInEveryLayout) {
  const std::int64_t h = 37, w = 41;
  for (const std::int64_t channels : {3, 20, 200}) {
    const std::vector<float> x =
        numbers<float>(static_cast<std::size_t>(2 * channels * h * w), -1, 1);
    const std::vector<float> weights = numbers<float>(static_cast<std::size_t>(channels), 0, 1);
    const Tensor warm = sum(vector_tensor(weights));  // binds the kernels
    std::vector<float> y(static_cast<std::size_t>(2 * h * w));
    const std::int64_t shape[] = {2, h, w, channels};
    const std::int64_t out_strides[] = {h * w * 4, w * 4, 4};
    const std::int64_t in[] = {channels * h * w * 4, w * 4, 4, h * w * 4}, second[] = {0, 0, 0, 4};
    const auto f = DType::float32;
    ReduceLaunch l{};
    l.row = &op::sum;
    l.numel = 2 * h * w;
    l.n = channels;
    l.shape = shape;
    l.rank_outer = 3;
    l.rank_reduced = 1;
    l.n_out = 1;
    l.n_in = 2;
    l.dtype = f;
    l.operands[0] = {y.data(), out_strides, {}, f, f};
    l.operands[1] = {const_cast<float*>(x.data()), in, {}, f, f};
    l.operands[2] = {const_cast<float*>(weights.data()), second, {}, f, f};
    const Kernel& k = *op::sum.kernels[static_cast<int>(DeviceKind::CPU)].load();
    k.launch(&l, k.self);
    for (std::int64_t i = 0; i < 2 * h * w; ++i) {
      std::vector<float> products;
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t at = i / (h * w) * channels * h * w + c * h * w + i % (h * w);
        products.push_back(x[static_cast<std::size_t>(at)] * weights[static_cast<std::size_t>(c)]);
      }
      ASSERT_EQ(fn::to_bits(y[static_cast<std::size_t>(i)]), fn::to_bits(reference_sum(products)))
          << channels << " at " << i;
    }
  }
}

// ---- the same bits at any number of threads and any SIMD level

/// A digest of reductions of many kinds, sizes and dtypes.
std::uint64_t digest() {
  std::uint64_t h = 1469598103934665603u;
  const auto add = [&h](const Tensor& t) {
    for (const char c : bytes_of(t)) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  };
  for (const DType dtype :
       {DType::float32, DType::float64, DType::float16, DType::int32, DType::complex64}) {
    for (const Dims& shape : {Dims{700, 190}, Dims{190, 700}, Dims{9001, 7}, Dims{3, 40000}}) {
      Block block(shape, dtype, layouts()[0]);
      // Products stay finite: the bits of a NaN are not promised.
      const bool complex = is_complex(dtype);
      testing::fill(block, dtype, complex ? 0.69 : 0.97, complex ? 0.725 : 1.03);
      const Tensor x = block.tensor();
      for (const std::int64_t axis : {0, 1}) {
        for (const OpRow* row : reduction_rows()) {
          const bool widens = row->result == Result::Wide && dtypes::BoolInts.has(dtype);
          if (!widens && !row->dtypes.has(dtype)) continue;
          add(call(*row, x, {shape, {axis}}));
          add(call(*row, x, {shape, {0, 1}}));
        }
        if (!is_complex(dtype)) add(argmax(x, axis));
        if (category(dtype) >= Category::Float) add(var(x, axis));
        if (is_float(dtype)) {
          add(softmax(x, axis));
          add(log_softmax(x, axis));
        }
      }
    }
  }
  return h;
}

TEST(SameBits, AtOneTwoAndThreeThreads) {
  const int before = get_num_threads();
  set_num_threads(1);
  const std::uint64_t one = digest();
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(digest(), one) << threads << " threads";
  }
  set_num_threads(before);
}

TEST(SameBits, Digest) {
  std::printf("digest %016llx\n", static_cast<unsigned long long>(digest()));
}

TEST(SameBits, AtEverySimdLevel) {
  const auto run = [](const std::string& level) {
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    EXPECT_GT(n, 0);
    self[n] = 0;
    FILE* p = popen(
        ("TANDEM_SIMD=" + level + " '" + self + "' --gtest_filter=SameBits.Digest").c_str(), "r");
    std::string found;
    char line[256];
    while (std::fgets(line, sizeof line, p) != nullptr) {
      if (std::string_view(line).substr(0, 7) == "digest ") found = line;
    }
    EXPECT_EQ(pclose(p), 0);
    return found;
  };
  const std::string baseline = run("baseline");
  EXPECT_EQ(baseline.size(), 24u) << baseline;
  EXPECT_EQ(run("v3"), baseline);
  EXPECT_EQ(run("v4"), baseline);
}

}  // namespace
}  // namespace tandem
