// lint: oracle table. Indexing on the device against the host, bit for bit, in layouts and sizes
// that the walks over the rows do not have; and errors that only the device finds. Without a GPU
// the backend is the simulated one.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/call_data.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::varied;
using test::varied_indices;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// The same elements in another layout on the device.
Tensor laid_out(const Tensor& x, int layout) {
  const Tensor d = x.to(kDevice);
  if (x.dim() == 0 || x.numel() == 0) return d;
  switch (layout) {
    case 1: {  // the last dimension spread
      Dims shape(x.shape());
      shape.back() *= 2;
      Tensor room = zeros(shape, {.dtype = x.dtype(), .device = kDevice}).slice(-1, 1, {}, 2);
      return room.copy_(d);
    }
    case 2: {  // the first dimension fastest
      Dims shape(x.shape());
      std::reverse(shape.begin(), shape.end());
      Dims order;
      for (std::int64_t k = x.dim(); k-- > 0;) order.push_back(k);
      SmallVector<Axis, 6> axes;
      for (const std::int64_t k : order) axes.push_back(Axis(k));
      Tensor room = zeros(shape, {.dtype = x.dtype(), .device = kDevice}).permute(axes);
      return room.copy_(d);
    }
    case 3: {  // misaligned
      Tensor room = zeros({x.numel() + 1}, {.dtype = x.dtype(), .device = kDevice});
      Tensor view = room.slice(0, 1).view(x.shape());
      return view.copy_(d);
    }
    default:
      return d;
  }
}

Value on_device(const Value& v, int layout) {
  if (v.is<Tensor>()) return laid_out(v.as<Tensor>(), layout);
  if (!v.is<std::vector<Tensor>>()) return v;
  std::vector<Tensor> list;
  for (const Tensor& t : v.as<std::vector<Tensor>>()) {
    list.push_back(t.defined() ? laid_out(t, layout) : t);
  }
  return list;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !std::ranges::equal(a.shape(), b.shape())) return false;
  const Tensor x = a.contiguous();
  const Tensor y = b.contiguous();
  return x.numel() == 0 || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

void expect_same(const char* op, const std::vector<Value>& args) {
  const OpRow& row = *find_op(op);
  const Tensor host = call_boxed(row, args)[0].as<Tensor>();
  for (int layout = 0; layout < 4; ++layout) {
    std::vector<Value> moved;
    for (const Value& v : args) moved.push_back(on_device(v, layout));
    const Tensor device = call_boxed(row, moved)[0].as<Tensor>();
    EXPECT_TRUE(same_bits(host, device.cpu()))
        << op << " of " << name(host.dtype()) << ", layout " << layout;
  }
}

const DType kWidths[] = {DType::uint8, DType::float16, DType::float32, DType::int64,
                         DType::complex128};

TEST(DeviceIndexing, ReadsOfEveryWidth) {
  TANDEM_NEEDS_GPU();
  for (const DType t : kWidths) {
    const Tensor x = varied({7, 6, 33}, t);
    expect_same("index_select", {x, 0, varied_indices({20}, -7, 7)});
    expect_same("index_select", {x, 1, varied_indices({5}, -6, 6)});
    expect_same("index_select", {x, 2, varied_indices({40}, -33, 33)});
    expect_same("gather", {x, 1, varied_indices({7, 9, 33}, -6, 6)});
    expect_same("gather", {x, 2, varied_indices({5, 6, 3}, -33, 33)});
    expect_same("take", {x, varied_indices({3, 50}, -1386, 1386)});
    expect_same("index", {x, std::vector<Tensor>{varied_indices({4, 1}, -6, 6),
                                                 varied_indices({1, 5}, -6, 6)}});
    expect_same("index", {x, std::vector<Tensor>{varied_indices({8}, -7, 7), Tensor(),
                                                 varied_indices({8}, -33, 33)}});
    expect_same("index", {x, std::vector<Tensor>{gt(varied({7, 6}, DType::float32, 3), 0)}});
    expect_same("masked_select", {x, gt(varied({7, 6, 33}, DType::float32, 3), 0)});
  }
}

TEST(DeviceIndexing, WritesOfEveryWidth) {
  TANDEM_NEEDS_GPU();
  for (const DType t : kWidths) {
    const Tensor x = varied({7, 6, 33}, t);
    const Tensor rows = varied_indices({20}, -7, 7);
    expect_same("index_copy", {x, 0, rows, varied({20, 6, 33}, t, 4)});
    expect_same("index_copy", {x, 2, varied_indices({50}, -33, 33), varied({7, 6, 50}, t, 4)});
    expect_same("index_fill", {x, 1, varied_indices({3}, -6, 6), 3});
    expect_same("scatter", {x, 1, varied_indices({7, 9, 33}, -6, 6), varied({7, 9, 33}, t, 5)});
    expect_same("scatter", {x, 2, varied_indices({5, 6, 60}, -33, 33), 2});
    expect_same("put", {x, varied_indices({3000}, -1386, 1386), varied({3000}, t, 6)});
    expect_same("index_put",
                {x, std::vector<Tensor>{varied_indices({40}, -7, 7), varied_indices({40}, -6, 6)},
                 varied({40, 1}, t, 7)});
    expect_same("masked_scatter",
                {x, gt(varied({7, 6, 33}, DType::float32, 3), 0), varied({1400}, t, 8)});
  }
}

TEST(DeviceIndexing, JoinsOfEveryDtype) {
  TANDEM_NEEDS_GPU();
  const Tensor rows = varied_indices({40}, -7, 7);
  const Tensor along = varied_indices({7, 50, 9}, -6, 6);
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto t = static_cast<DType>(d);
    const Tensor x = varied({7, 6, 9}, t);
    const Tensor v = varied({40, 6, 9}, t, 2);
    const Tensor w = varied({7, 50, 9}, t, 3);
    expect_same("index_add", {x, 0, rows, v});
    if (t != DType::bool_) expect_same("index_add", {x, 0, rows, v, 3});
    for (const char* reduce : {"sum", "prod", "mean", "amax", "amin"}) {
      const std::string word = reduce;
      if (is_complex(t) && word[0] == 'a') continue;
      if (t == DType::bool_ && word == "mean") continue;
      for (const bool include : {true, false}) {
        expect_same("scatter_reduce", {x, 1, along, w, word, include});
      }
    }
    if (category(t) >= Category::Float || is_integer(t)) {
      expect_same("put", {x, varied_indices({999}, 0, 5), varied({999}, t, 6), true});
    }
  }
}

TEST(DeviceIndexing, MasksAroundTheTiles) {
  TANDEM_NEEDS_GPU();
  for (const std::int64_t n : {1, 15, 16, 17, 4095, 4096, 4097, 40000}) {
    const Tensor x = varied({n}, DType::float32);
    for (const double limit : {-20.0, -3.0, 15.0, 20.0}) {
      const Tensor mask = gt(x, limit);
      expect_same("masked_select", {x, mask});
      expect_same("nonzero", {mask});
      expect_same("nonzero_static", {mask, n / 2 + 1, -4});
    }
  }
  expect_same("nonzero", {gt(varied({3, 50, 7, 11}, DType::float32), 4)});
  expect_same("nonzero", {varied({30, 50}, DType::int16)});
}

/// Of bytes, with nothing but the masks' own kernels: what the watch for races runs.
TEST(DeviceIndexing, MasksThemselves) {
  TANDEM_NEEDS_GPU();
  const Tensor x = varied({9000}, DType::uint8);
  const Tensor mask = gt(varied({9000}, DType::float32, 2), 1);
  const Tensor there = mask.to(kDevice);
  EXPECT_TRUE(same_bits(masked_select(x, mask), masked_select(x.to(kDevice), there).cpu()));
  EXPECT_TRUE(same_bits(nonzero(mask), nonzero(there).cpu()));
  const Tensor out = x.to(kDevice);
  masked_scatter_(out, there, varied({9000}, DType::uint8, 3).to(kDevice));
  EXPECT_TRUE(same_bits(masked_scatter(x, mask, varied({9000}, DType::uint8, 3)), out.cpu()));
}

TEST(DeviceIndexing, BroadcastAndEmpty) {
  TANDEM_NEEDS_GPU();
  const Tensor x = varied({40, 30}, DType::float32);
  expect_same("index", {x, std::vector<Tensor>{varied_indices({300, 1}, -40, 40),
                                               varied_indices({200}, -30, 30)}});
  const Tensor wide = varied_indices({50, 1}, -40, 40).expand({50, 30});
  expect_same("gather", {x, 0, wide});
  expect_same("scatter_add", {x, 0, wide, varied({50, 30}, DType::float32, 2)});
  expect_same("index_select", {x, 0, varied_indices({0}, 0, 1)});
  expect_same("index_put",
              {x, std::vector<Tensor>{varied_indices({0}, 0, 1)}, varied({0, 30}, DType::float32)});
  const Tensor zero_d = varied({}, DType::float32);
  expect_same("gather", {zero_d, 0, varied_indices({3}, 0, 1)});
  expect_same("scatter_add", {zero_d, 0, varied_indices({3}, 0, 1), varied({3}, DType::float32)});
}

// ---- what only the device finds

/// Calls f and the synchronisation after it; the error's text, or none.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
    synchronize(kDevice);
    return "";
  } catch (const IndexError& e) {
    return e.what();
  }
}

/// 1, `index`, 2 on the device.
Tensor indices_with(std::int64_t index) {
  Tensor i = arange(1, 4, 1, {.dtype = DType::int64});
  i.data<std::int64_t>()[1] = index;
  return i.to(kDevice);
}

TEST(DeviceIndexing, AnIndexOutOfRangeIsToldByTheNextWait) {
  TANDEM_NEEDS_GPU();
  const Tensor host = varied({5, 4}, DType::float32);
  const Tensor x = host.to(kDevice);
  const Tensor v = ones({3, 4}, {.dtype = DType::float32, .device = kDevice});
  for (const std::int64_t wrong : {5, -6, 1000000}) {
    const Tensor i = indices_with(wrong);
    const std::string shown = "index " + std::to_string(wrong) + " is out of bounds";
    // A read gives 0 there, and nothing waits.
    Tensor read;
    EXPECT_NE(error_of([&] { read = index_select(x, 0, i); }).find("[index_select] " + shown),
              std::string::npos);
    EXPECT_EQ(error_of([&] {}), "");  // told once
    EXPECT_TRUE(equal(read.cpu().select(0, 0), host.select(0, 1)));
    EXPECT_TRUE(equal(read.cpu().select(0, 1), zeros({4})));
    EXPECT_TRUE(equal(read.cpu().select(0, 2), host.select(0, 3)));
    // A write leaves it out.
    const Tensor target = x.clone();
    EXPECT_NE(error_of([&] { index_add_(target, 0, i, v); }).find("[index_add_] " + shown),
              std::string::npos);
    EXPECT_TRUE(
        equal(target.cpu(),
              index_add(host, 0, tandem::index(arange(1, 4), {arange(0, 3, 2)}), ones({2, 4}))));
    // Of two arrays either may be wrong.
    const Tensor fine = arange(3, {.device = kDevice});
    EXPECT_NE(error_of([&] { read = x(fine, i); }).find("[index] index"), std::string::npos);
    EXPECT_EQ(read.cpu().data<float>()[1], 0.0f);
    EXPECT_NE(error_of([&] {
                set_index(target, {i, fine}, 7);
              }).find("[index_put_] index"),
              std::string::npos);
  }
}

TEST(DeviceIndexing, EveryWaitTellsIt) {
  TANDEM_NEEDS_GPU();
  const Tensor x = ones({3}, {.dtype = DType::float32, .device = kDevice});
  const Tensor bad = indices_with(9);
  const auto spoil = [&] { take(x, bad); };
  spoil();
  EXPECT_THROW(x.cpu(), IndexError);
  spoil();
  EXPECT_THROW(x.select(0, 0).item(), IndexError);
  spoil();
  EXPECT_THROW(current_stream(kDevice).synchronize(), IndexError);
  Event event;
  spoil();
  event.record(current_stream(kDevice));
  EXPECT_THROW(event.synchronize(), IndexError);
  spoil();
  EXPECT_THROW(nonzero(x), IndexError);
  // The context is as it was.
  EXPECT_EQ(x.add(1).cpu().data<float>()[0], 2.0f);
}

TEST(DeviceIndexing, AStreamTellsItsOwn) {
  TANDEM_NEEDS_GPU();
  const Tensor x = ones({3}, {.dtype = DType::float32, .device = kDevice});
  const Tensor bad = indices_with(-8);
  const Stream other = Stream::create(kDevice);
  synchronize(kDevice);
  {
    const StreamGuard guard(other);
    take(x, bad);
  }
  EXPECT_NO_THROW(current_stream(kDevice).synchronize());
  EXPECT_NO_THROW(x.cpu());
  EXPECT_THROW(other.synchronize(), IndexError);
  EXPECT_NO_THROW(other.synchronize());
}

TEST(DeviceIndexing, ASourceThatIsTooShort) {
  TANDEM_NEEDS_GPU();
  const Tensor x = zeros({5}, {.dtype = DType::float32, .device = kDevice});
  const Tensor mask = ones({5}, {.dtype = DType::bool_, .device = kDevice});
  const Tensor source = ones({3}, {.dtype = DType::float32, .device = kDevice});
  Tensor out;
  EXPECT_NE(error_of([&] {
              out = masked_scatter(x, mask, source);
            }).find("[masked_scatter] Number of elements of source < number of ones in mask"),
            std::string::npos);
  EXPECT_EQ(out.cpu().sum().item<float>(), 3.0f);
  EXPECT_THROW(masked_scatter(x.cpu(), mask.cpu(), source.cpu()), ShapeError);
}

TEST(DeviceIndexing, IndicesOnTheHostMayIndexTheDevice) {
  TANDEM_NEEDS_GPU();
  const Tensor host = varied({5, 4}, DType::float32);
  const Tensor x = host.to(kDevice);
  const Tensor i = varied_indices({6}, -5, 5);
  EXPECT_TRUE(equal(x(i).cpu(), host(i)));
  EXPECT_TRUE(equal(x(gt(host, 0)).cpu(), host(gt(host, 0))));
  EXPECT_THROW(index_select(x, 0, i), DeviceError);
  EXPECT_THROW(host(i.to(kDevice)), DeviceError);
}

}  // namespace
