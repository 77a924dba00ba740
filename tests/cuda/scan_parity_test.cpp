// Scans on the device against the host, bit for bit: every dtype, layout and boundary of segments,
// groups and tiles, and the frozen vectors of scan order 1. Where there is no GPU the backend is
// the simulated one (tests/cuda/sim).
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/call_data.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"

using namespace tandem;
using test::same_bits;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// A row's results on host and device. `axis` is that of x, whose elements lie as `layout` says:
/// dense, transposed, spread by 2, beginning at odd addresses.
constexpr int kLayouts = 4;
Tensor laid_out(const Tensor& x, int layout, Device device) {
  const std::int64_t rows = x.size(0), columns = x.size(1);
  const Options options{.dtype = x.dtype(), .device = device};
  Tensor room;
  switch (layout) {
    case 1:
      room = empty({columns, rows}, options).t();
      break;
    case 2:
      room = empty({rows, 2 * columns}, options).slice(1, 1, {}, 2);
      break;
    case 3:
      room = empty({rows * columns + 1}, options).slice(0, 1).view({rows, columns});
      break;
    default:
      room = empty({rows, columns}, options);
  }
  room.copy_(x.to(device));
  return room;
}

void expect_parity(const char* op, const Tensor& x, int axis, int layout) {
  const OpRow& row = *find_op(op);
  const std::vector<Value> here{laid_out(x, layout, kCPU), axis};
  const std::vector<Value> there{laid_out(x, layout, kDevice), axis};
  const auto host = call_boxed(row, here);
  const auto device = call_boxed(row, there);
  for (std::size_t k = 0; k < host.size(); ++k) {
    EXPECT_TRUE(same_bits(host[k].as<Tensor>(), device[k].as<Tensor>().cpu()))
        << op << " " << name(x.dtype()) << " " << x.size(0) << "x" << x.size(1) << " axis " << axis
        << " layout " << layout << " result " << k;
  }
}

TEST(ScanParity, EveryDTypeInEveryLayout) {
  TANDEM_NEEDS_GPU();
  int calls = 0;
  for (const char* op : {"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "cumsum_"}) {
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto t = static_cast<DType>(d);
      const Tensor x = test::varied({20, 37}, t, 3, true);
      try {
        call_boxed(*find_op(op), std::vector<Value>{x.clone(), 0});
      } catch (const TypeError&) {
        continue;
      }
      for (int layout = 0; layout < kLayouts; ++layout) {
        expect_parity(op, x, 0, layout);
        expect_parity(op, x, 1, layout);
        calls += 2;
      }
    }
  }
  EXPECT_GT(calls, 200);
}

TEST(ScanParity, AroundTheBoundariesOfSegmentsGroupsAndTiles) {
  TANDEM_NEEDS_GPU();
  for (const std::int64_t n :
       {1, 15, 16, 17, 255, 256, 257, 511, 2047, 2048, 2049, 4095, 4096, 4097, 8193}) {
    const Tensor x = test::varied({n, 3}, DType::float32, 5);
    for (const char* op : {"cumsum", "cummax"}) {
      for (int layout = 0; layout < 2; ++layout) expect_parity(op, x, 0, layout);
    }
    const Tensor wide = test::varied({n, 33}, DType::float32, 6);
    if (n < 300) expect_parity("cummin", wide, 0, 0);
    expect_parity("cumsum", wide, 0, 0);
  }
  // Elements of 16 bytes take two parts of shared memory a tile.
  for (const std::int64_t n : {2048, 2049, 4097}) {
    expect_parity("cumprod", test::varied({n, 2}, DType::complex128, 7), 0, 1);
  }
}

/// More tiles than a tile has elements: totals of totals.
TEST(ScanParity, TotalsOfTotals) {
  TANDEM_NEEDS_GPU();
  const std::int64_t n = (std::int64_t(1) << 24) + 70001;
  Tensor x = empty({n}, {.dtype = DType::bfloat16});
  for (std::int64_t i = 0; i < n; ++i) {
    x.data<BFloat16>()[i] = fn::narrow<BFloat16>(static_cast<float>(i * 7919 % 10007) / 4096 - 1);
  }
  EXPECT_TRUE(same_bits(cumsum(x, 0), cumsum(x.to(kDevice), 0).cpu()));
}

/// The calls of the reductions that take several passes, and norms of every order.
TEST(ScanParity, ReductionsOfSeveralPasses) {
  TANDEM_NEEDS_GPU();
  const auto expect = [](const char* op, const std::vector<Value>& args) {
    std::vector<Value> there = args;
    there[0] = args[0].as<Tensor>().to(kDevice);
    const auto host = call_boxed(*find_op(op), args);
    const auto device = call_boxed(*find_op(op), there);
    for (std::size_t k = 0; k < host.size(); ++k) {
      EXPECT_TRUE(same_bits(host[k].as<Tensor>(), device[k].as<Tensor>().cpu()))
          << op << " " << name(args[0].as<Tensor>().dtype()) << " result " << k;
    }
  };
  for (const DType t : {DType::float32, DType::float16, DType::float64, DType::complex64}) {
    const Tensor x = test::varied({70, 130}, t, 9);
    const Tensor edges = test::varied({70, 130}, t, 10, true);
    for (const auto& y : {x, edges}) {
      for (const double order : {1.0, 2.0, double(INFINITY), -double(INFINITY), 0.0}) {
        for (const int axis : {0, 1}) expect("vector_norm", {y, order, axis});
      }
      for (const int axis : {0, 1}) {
        expect("count_nonzero", {y, axis});
        expect("var_mean", {y, axis});
        if (is_complex(t)) continue;
        expect("logsumexp", {y, axis});
        expect("nansum", {y, axis});
      }
    }
    expect("norm", {test::varied({9000}, t, 11)});
  }
}

/// docs/numerics.md, "Scans".
TEST(ScanParity, TheVectorsOfScanOrderOne) {
  TANDEM_NEEDS_GPU();
  constexpr std::int64_t n = 10000;
  Tensor x = empty({n});
  for (std::int64_t i = 0; i < n; ++i) {
    x.data<float>()[i] = static_cast<float>(i * 7919 % 10007) / 10007 - 0.5f;
  }
  const std::pair<int, std::uint32_t> vectors[] = {
      {2, 0xBE00FC24}, {99, 0x3E26E5D4}, {999, 0x3EB63226}, {9999, 0x3E217A70}};
  const Tensor rows = cumsum(x.to(kDevice), 0).cpu();
  const Tensor columns =
      cumsum(x.unsqueeze(1).expand({n, 16}).contiguous().to(kDevice), 0).cpu().select(1, 5);
  for (const Tensor& y : {rows, columns.contiguous()}) {
    for (const auto& [i, bits] : vectors) {
      std::uint32_t got = 0;
      std::memcpy(&got, y.data<float>() + i, sizeof got);
      EXPECT_EQ(got, bits) << i;
    }
  }
}

}  // namespace
