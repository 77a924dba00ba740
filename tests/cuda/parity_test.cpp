// Every row on the device against the host, bit for bit (NaN payloads aside): elementwise rows and
// reductions in every dtype and in several layouts, those with a front-end of their own by their
// calls of row_calls.h. Where there is no GPU the backend is the simulated
// one, which runs the same sources on the CPU (tests/cuda/sim): launchers and index arithmetic are
// tested, the hardware is not.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"
#include "tests/support/row_calls.h"

using namespace tandem;
using test::same_bits;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// Values with every kind of edge, inside the row's domain and out of it.
Tensor values(IntSpan shape, DType dtype, const OpRow& row, unsigned seed) {
  Tensor t = empty(shape, {.dtype = DType::float64});
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> in(row.lo < row.hi ? row.lo : -100.0,
                                            row.lo < row.hi ? row.hi : 100.0);
  const double edges[] = {0.0,       -0.0, 1.0,  -1.0,  0.5,    INFINITY,
                          -INFINITY, NAN,  3e38, 1e-40, 70000.0};
  double* p = t.data<double>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    p[i] = i % 7 == 3 ? edges[static_cast<std::size_t>(i / 7) % std::size(edges)] : in(random);
  }
  Tensor r = t.to(dtype);
  return is_complex(dtype) ? r + t.to(dtype) * std::complex<double>(0, 0.75) : r;
}

/// The same elements in another layout: dense, misaligned, transposed, spread, reversed, broadcast.
constexpr int kLayouts = 6;
Tensor laid_out(const Tensor& x, int layout) {
  const std::int64_t rows = x.size(0);
  const std::int64_t columns = x.size(1);
  Tensor room;
  switch (layout) {
    case 1:
      room = zeros({rows * columns + 1}, {.dtype = x.dtype()}).slice(0, 1).view({rows, columns});
      break;
    case 2:
      room = zeros({columns, rows}, {.dtype = x.dtype()}).t();
      break;
    case 3:
      room = zeros({rows, 3 * columns}, {.dtype = x.dtype()}).slice(1, 1, {}, 3);
      break;
    case 4:
      room = zeros({rows, columns}, {.dtype = x.dtype()}).slice(0, {}, {}, -1);
      break;
    case 5:
      return x.slice(0, 0, 1).expand({rows, columns});
    default:
      return x;
  }
  room.copy_(x);
  return room;
}

/// The layout on the device: the base moves, the view is made again.
Tensor to_device(const Tensor& x) {
  if (x.numel() == 0) return empty(x.shape(), {.dtype = x.dtype(), .device = kDevice});
  std::vector<std::int64_t> strides(x.strides().begin(), x.strides().end());
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    const std::int64_t reach =
        (x.shape()[static_cast<std::size_t>(d)] - 1) * strides[static_cast<std::size_t>(d)];
    (reach < 0 ? low : high) += reach;
  }
  Tensor whole = empty({high - low + 1}, {.dtype = x.dtype()});
  std::memcpy(
      whole.data_ptr(),
      static_cast<const char*>(x.data_ptr()) + low * static_cast<std::int64_t>(x.element_size()),
      whole.nbytes());
  return whole.to(kDevice).as_strided(x.shape(), IntSpan(strides), -low);
}

struct Counts {
  int rows = 0, calls = 0, skipped = 0;
};

/// Calls the row on both; false where the host itself refuses the arguments.
bool compare(const OpRow& row, const std::vector<Tensor>& inputs, const std::string& what) {
  std::vector<Value> host_args(inputs.begin(), inputs.end());
  std::vector<Value> host;
  try {
    host = call_boxed(row, host_args);
  } catch (const Error&) {
    return false;
  }
  std::vector<Value> device_args;
  for (const Tensor& t : inputs) device_args.emplace_back(to_device(t));
  const std::vector<Value> device = call_boxed(row, device_args);
  EXPECT_EQ(host.size(), device.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    const Tensor& on = device[i].as<Tensor>();
    EXPECT_TRUE(on.device() == kDevice) << row.name;
    EXPECT_TRUE(same_bits(host[i].as<Tensor>(), on.cpu())) << row.name << " " << what;
  }
  return true;
}

}  // namespace

TEST(Parity, ElementwiseRows) {
  TANDEM_NEEDS_GPU();
  Counts counts;
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Elementwise) continue;
    ++counts.rows;
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (!row->dtypes.has(dtype)) continue;
      for (int layout = 0; layout < kLayouts; ++layout) {
        std::vector<Tensor> inputs;
        for (int k = 0; k < row->arity; ++k) {
          const bool condition = k == 0 && (row->flags & kFirstIsBool) != 0;
          const Tensor x = values({13, 37}, dtype, *row, static_cast<unsigned>(k + 1));
          // One operand in the layout, the others dense; then all differ in where they are.
          inputs.push_back(
              laid_out(condition ? x.to(DType::bool_) : x, k == 0 ? layout : (layout + k) % 2));
        }
        const std::string what = std::string(name(dtype)) + " layout " + std::to_string(layout);
        ++(compare(*row, inputs, what) ? counts.calls : counts.skipped);
      }
    }
  }
  std::printf("%d rows, %d calls compared, %d refused by the host\n", counts.rows, counts.calls,
              counts.skipped);
  EXPECT_GT(counts.calls, 0);
}

TEST(Parity, MixedDTypesAndNumbers) {
  TANDEM_NEEDS_GPU();
  for (int a = 0; a < kNumDTypes; ++a) {
    for (int b = 0; b < kNumDTypes; ++b) {
      const Tensor x = values({5, 9}, static_cast<DType>(a), op::add, 1);
      const Tensor y = values({9}, static_cast<DType>(b), op::add, 2);
      compare(op::add, {x, y}, std::string(name(x.dtype())) + " + " + std::string(name(y.dtype())));
      Tensor host = empty({5, 9}, {.dtype = y.dtype()});
      host.copy_(x);
      Tensor device = empty({5, 9}, {.dtype = y.dtype(), .device = kDevice});
      device.copy_(to_device(x));
      EXPECT_TRUE(same_bits(host, device.cpu())) << name(x.dtype()) << " to " << name(y.dtype());
    }
    const Tensor x = values({5, 9}, static_cast<DType>(a), op::mul, 3);
    EXPECT_TRUE(same_bits(mul(x, 3), mul(to_device(x), 3).cpu())) << name(x.dtype());
  }
}

TEST(Parity, CopiesInEveryLayout) {
  TANDEM_NEEDS_GPU();
  for (int d = 0; d < kNumDTypes; ++d) {
    for (int layout = 0; layout < kLayouts; ++layout) {
      const Tensor x = laid_out(values({70, 90}, static_cast<DType>(d), op::add, 4), layout);
      EXPECT_TRUE(same_bits(x, to_device(x).contiguous().cpu())) << name(x.dtype()) << layout;
      EXPECT_TRUE(same_bits(x.t().contiguous(), to_device(x).t().contiguous().cpu()))
          << name(x.dtype()) << layout;
    }
  }
}

TEST(Parity, Generators) {
  TANDEM_NEEDS_GPU();
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    const Options host{.dtype = dtype};
    const Options device{.dtype = dtype, .device = kDevice};
    EXPECT_TRUE(same_bits(full({7, 11}, 1, host), full({7, 11}, 1, device).cpu())) << name(dtype);
    EXPECT_TRUE(same_bits(eye(5, 9, host), eye(5, 9, device).cpu())) << name(dtype);
    if (dtypes::Reals.has(dtype)) {
      EXPECT_TRUE(same_bits(arange(3, 90, 2, host), arange(3, 90, 2, device).cpu())) << name(dtype);
      EXPECT_TRUE(same_bits(linspace(0, 7, 41, host), linspace(0, 7, 41, device).cpu()))
          << name(dtype);
    }
    if (!dtypes::Inexact.has(dtype)) continue;
    manual_seed(42);
    const Tensor a = randn({1001}, host);
    manual_seed(42);
    EXPECT_TRUE(same_bits(a, randn({1001}, device).cpu())) << name(dtype);
    if (!is_float(dtype)) continue;
    manual_seed(43);
    const Tensor u = rand({33, 31}, host);
    manual_seed(43);
    EXPECT_TRUE(same_bits(u, rand({33, 31}, device).cpu())) << name(dtype);
  }
}

TEST(Parity, Reductions) {
  TANDEM_NEEDS_GPU();
  Counts counts;
  const std::vector<std::vector<std::int64_t>> shapes = {{1, 1},    {3, 130}, {70, 5},
                                                         {2, 4200}, {40, 3},  {5, 0}};
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Reduction) continue;
    ++counts.rows;
    for (int d = 0; d < kNumDTypes; ++d) {
      for (const auto& shape : shapes) {
        // Several tiles take long on the CPU, and differ by nothing but the accumulator.
        const auto dtype = static_cast<DType>(d);
        const bool representative = dtype == DType::float32 || dtype == DType::complex64;
        if (shape[0] * shape[1] > 8000 && !representative) continue;
        const Tensor x = values(IntSpan(shape), dtype, *row, 5);
        for (const Tensor& y : {x, x.t()}) {
          for (const int axis : {0, 1}) {
            std::vector<Value> args{Value(y), Value(SmallVector<Axis, 6>{Axis(axis)})};
            std::vector<Value> host;
            try {
              host = call_boxed(*row, args);
            } catch (const Error&) {
              ++counts.skipped;
              continue;
            }
            args[0] = Value(to_device(y));
            const Tensor device = call_boxed(*row, args)[0].as<Tensor>().cpu();
            EXPECT_TRUE(same_bits(host[0].as<Tensor>(), device))
                << row->name << " " << name(x.dtype()) << " " << shape[0] << "x" << shape[1]
                << " axis " << axis;
            ++counts.calls;
          }
        }
      }
    }
  }
  std::printf("%d rows, %d calls compared, %d refused by the host\n", counts.rows, counts.calls,
              counts.skipped);
  EXPECT_GT(counts.calls, 0);
}

TEST(Parity, ReductionsAroundTheBoundariesOfLanesAndTiles) {
  TANDEM_NEEDS_GPU();
  for (const std::int64_t n : {1,   2,   3,   4,   5,   31,   32,   33,   63,   64,   65,  127,
                               128, 129, 131, 255, 257, 4095, 4096, 4097, 8191, 8192, 8193}) {
    const Tensor whole = values(IntSpan({3, n}), DType::float32, op::sum, 8);
    for (const Tensor& x : {whole, whole.t().contiguous().t()}) {  // rows, then columns
      const Tensor y = to_device(x);
      EXPECT_TRUE(same_bits(sum(x, Axes{Axis(1)}), sum(y, Axes{Axis(1)}).cpu())) << n;
      EXPECT_TRUE(same_bits(amin(x, Axes{Axis(1)}), amin(y, Axes{Axis(1)}).cpu())) << n;
      EXPECT_TRUE(same_bits(argmax(x, Axis(1)), argmax(y, Axis(1)).cpu())) << n;
      EXPECT_TRUE(same_bits(var(x, Axes{Axis(1)}, 1), var(y, Axes{Axis(1)}, 1).cpu())) << n;
      EXPECT_TRUE(same_bits(softmax(x, 1), softmax(y, 1).cpu())) << n;
    }
  }
}

/// docs/numerics.md, "Reductions": order 1 is frozen in these bits.
TEST(Parity, TheVectorsOfOrderOne) {
  TANDEM_NEEDS_GPU();
  const std::pair<std::int64_t, std::uint32_t> vectors[] = {
      {3, 0xBE00FC24u}, {100, 0x3E26E5D8u}, {1000, 0x3EB6320Cu}, {10000, 0x3E217900u}};
  for (const auto& [n, bits] : vectors) {
    Tensor rows = empty({20, n});
    for (std::int64_t i = 0; i < 20 * n; ++i) {
      rows.data<float>()[i] = static_cast<float>(i % n * 7919 % 10007) / 10007 - 0.5f;
    }
    for (const Tensor& x : {rows, rows.t().contiguous().t()}) {  // one walk, then the other
      const Tensor sums = sum(to_device(x), Axes{Axis(1)}).cpu();
      for (std::int64_t i = 0; i < 20; ++i) {
        std::uint32_t got = 0;
        std::memcpy(&got, sums.data<float>() + i, sizeof got);
        ASSERT_EQ(got, bits) << "of " << n;
      }
    }
  }
}

TEST(Parity, ColumnsOfSeveralTiles) {
  TANDEM_NEEDS_GPU();
  for (const std::int64_t n : {4095, 4096, 4097, 8193}) {
    const Tensor x = values(IntSpan({n, 17}), DType::float32, op::sum, 9);
    const Tensor y = to_device(x);
    EXPECT_TRUE(same_bits(sum(x, Axes{Axis(0)}), sum(y, Axes{Axis(0)}).cpu())) << n;
    EXPECT_TRUE(same_bits(argmin(x, Axis(0)), argmin(y, Axis(0)).cpu())) << n;
  }
}

TEST(Parity, IrregularReductions) {
  TANDEM_NEEDS_GPU();
  const std::vector<std::vector<std::int64_t>> shapes = {{3, 130}, {70, 5}, {2, 4200}, {40, 3}};
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    for (const auto& shape : shapes) {
      const bool representative = dtype == DType::bfloat16 || dtype == DType::uint8;
      if (shape[0] * shape[1] > 8000 && !representative) continue;
      const Tensor whole = values(IntSpan(shape), dtype, op::amax, 6);
      for (const Tensor& x : {whole, whole.t()}) {
        const Tensor y = to_device(x);
        for (const int axis : {0, 1}) {
          const std::string what = std::string(name(dtype)) + " " + std::to_string(shape[0]) +
                                   " axis " + std::to_string(axis);
          if (!is_complex(dtype)) {
            EXPECT_TRUE(same_bits(argmax(x, Axis(axis)), argmax(y, Axis(axis)).cpu())) << what;
            EXPECT_TRUE(same_bits(argmin(x, Axis(axis)), argmin(y, Axis(axis)).cpu())) << what;
            const auto [value, index] = max(x, Axis(axis));
            const auto [value_on, index_on] = max(y, Axis(axis));
            EXPECT_TRUE(same_bits(value, value_on.cpu()) && same_bits(index, index_on.cpu()))
                << what;
          }
          if (category(dtype) < Category::Float) continue;
          const Axes axes{Axis(axis)};
          EXPECT_TRUE(same_bits(var(x, axes, 1), var(y, axes, 1).cpu())) << what;
          EXPECT_TRUE(same_bits(tandem::std(x, axes, 0), tandem::std(y, axes, 0).cpu())) << what;
          if (is_complex(dtype)) continue;
          EXPECT_TRUE(same_bits(softmax(x, axis), softmax(y, axis).cpu())) << what;
          EXPECT_TRUE(same_bits(log_softmax(x, axis), log_softmax(y, axis).cpu())) << what;
        }
      }
    }
  }
}

namespace {

/// Each call on the host and on the device: the same results, or errors of both. Where the backend
/// is the simulated one without its elementwise kernels, calls that need one are left out.
void compare_calls(const test::Calls& calls) {
  const bool partial = std::getenv("TANDEM_SIM_PARTIAL") != nullptr;
  Counts counts;
  int left_out = 0;
  for (const auto& [name, list] : calls) {
    const OpRow* row = find_op(name);
    ASSERT_NE(row, nullptr) << name;
    ++counts.rows;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const test::Outcome host = test::outcome(*row, list[i]);
      const test::Outcome device = test::outcome(*row, list[i], kDevice);
      if (((partial && device.unbound) || device.no_library) && !host.raised) {
        ++left_out;
        continue;
      }
      for (const Tensor& t : device.tensors) EXPECT_TRUE(t.device() == kDevice) << name;
      // The message of a device is that of the call or of the wait after it.
      EXPECT_EQ(test::difference(*row, list[i], device, host, false), "") << name << ", call " << i;
      ++(host.raised ? counts.skipped : counts.calls);
    }
  }
  std::printf("%d rows, %d calls compared, %d refused by both, %d left out\n", counts.rows,
              counts.calls, counts.skipped, left_out);
  EXPECT_GT(counts.calls, left_out);
}

}  // namespace

TEST(Parity, CallsOfRows) {
  TANDEM_NEEDS_GPU();
  const test::Calls calls = test::irregular_calls();
  const test::Calls long_calls = test::long_calls();
  compare_calls(calls);
  for (const OpRow* row : op_rows()) {
    const bool by_rule = row->family != Family::Irregular || long_calls.contains(row->name);
    EXPECT_TRUE(by_rule || calls.contains(row->name)) << row->name << " has no call";
  }
}

TEST(Parity, LongCallsOfRows) {
  TANDEM_NEEDS_GPU();
  compare_calls(test::long_calls());
}

TEST(Streams, OrderAndIdentity) {
  TANDEM_NEEDS_GPU();
  const Stream a = Stream::create(kDevice);
  const Stream b = Stream::create(kDevice);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(Stream::wrap(kDevice, a.native()), a);
  {
    const StreamGuard guard(a);
    EXPECT_EQ(current_stream(kDevice), a);
    const Tensor x = ones({100}, {.device = kDevice}) + 1;
    Event e;
    e.record(a);
    e.wait(b);
    const StreamGuard inner(b);
    EXPECT_EQ((x * 2).cpu().sum().item<float>(), 400.0f);
    e.synchronize();
    EXPECT_TRUE(e.query());
  }
  EXPECT_FALSE(current_stream(kDevice) == a);
  a.synchronize();
  synchronize(kDevice);
}
