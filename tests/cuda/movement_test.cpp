// The rows of movement on the device against the host, byte for byte: every call of
// calls_movement.h, every width of an element, tensors that are not aligned, running sums over
// several turns of the block.
#include <gtest/gtest.h>

#include <cstring>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/calls_movement.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"

using namespace tandem;
using test::Args;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// Dtype, names, shape and bytes.
void expect_same(const Tensor& device, const Tensor& host, const std::string& what) {
  ASSERT_EQ(device.dtype(), host.dtype()) << what;
  ASSERT_EQ(str(device.names()), str(host.names())) << what;
  ASSERT_TRUE(std::ranges::equal(device.shape(), host.shape())) << what;
  const Tensor a = device.cpu().contiguous();
  const Tensor b = host.contiguous();
  if (a.numel() == 0) return;
  EXPECT_EQ(std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()), 0) << what;
}

/// 1 where the host takes the call.
int compare(const std::string& name, const Args& args) {
  const OpRow& row = *find_op(name);
  const test::Outcome host = test::outcome(row, args);
  if (host.raised) return 0;
  const test::Outcome device = test::outcome(row, args, kDevice);
  EXPECT_EQ(test::difference(row, args, device, host), "") << name;
  const bool bytes = (row.flags & kVendor) == 0 && device.tensors.size() == host.tensors.size();
  for (std::size_t i = 0; bytes && i < host.tensors.size(); ++i)
    expect_same(device.tensors[i], host.tensors[i], name);
  return 1;
}

TEST(MovementParity, EveryCall) {
  TANDEM_NEEDS_GPU();
  test::Calls calls;
  test::add_movement_calls(calls);
  test::Calls longer;
  test::add_movement_long_calls(longer);
  int made = 0;
  for (const auto& [name, list] : calls) {
    for (const Args& args : list) made += compare(name, args);
  }
  for (const auto& [name, list] : longer) {
    for (const Args& args : list) {
      const int one = compare(name, args);
      EXPECT_EQ(one, 1) << name;
      made += one;
    }
  }
  std::printf("%d calls\n", made);
}

TEST(MovementParity, EveryWidthAndAlignment) {
  TANDEM_NEEDS_GPU();
  std::uint32_t seen = 0;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    const std::uint32_t width = 1u << element_size(t);
    if ((seen & width) != 0) continue;
    seen |= width;
    const Tensor room = test::varied({7 * 31 * 45 + 1}, t, 3);
    for (const std::int64_t skip : {0, 1}) {
      const Tensor x = room.slice(0, skip, skip + 7 * 31 * 45).view({7, 31, 45});
      const Tensor there = room.to(kDevice).slice(0, skip, skip + 7 * 31 * 45).view({7, 31, 45});
      const std::string what = std::string(name(t)) + (skip != 0 ? ", not aligned" : "");
      expect_same(tril(there, 3), tril(x, 3), what);
      expect_same(triu(there, -3), triu(x, -3), what);
      expect_same(triu(there.transpose(1, 2), 2), triu(x.transpose(1, 2), 2), what);
      expect_same(pad(there, {3, 1, 0, 2}), pad(x, {3, 1, 0, 2}), what);
      expect_same(pad(there, {3, -1, 5, 2}, "reflect"), pad(x, {3, -1, 5, 2}, "reflect"), what);
      expect_same(roll(flip(there, 1), {3, 2}, {2, 0}), roll(flip(x, 1), {3, 2}, {2, 0}), what);
      const Tensor counts = test::varied_indices({45}, 0, 4);
      expect_same(repeat_interleave(there, counts.to(kDevice), Axis(2)),
                  repeat_interleave(x, counts, Axis(2)), what);
      const Tensor rows = test::varied_indices({31}, 0, 4).to(DType::int32);
      expect_same(repeat_interleave(there, rows.to(kDevice), Axis(1)),
                  repeat_interleave(x, rows, Axis(1)), what);
      const Tensor line = x.select(0, 1).select(0, 3).slice(0, 0, 12);
      expect_same(combinations(line.to(kDevice), 4), combinations(line, 4), what);
    }
  }
}

TEST(MovementParity, SumsOfManyRepeats) {
  TANDEM_NEEDS_GPU();
  for (const std::int64_t n : {1, 31, 4096, 4097, 13000}) {
    const Tensor x = test::varied({n}, DType::int32, 4);
    const Tensor counts = test::varied_indices({n}, 0, 3, 5);
    const Tensor expected = repeat_interleave(x, counts, Axis(0));
    const Tensor there = x.to(kDevice);
    expect_same(repeat_interleave(there, counts.to(kDevice), Axis(0)), expected, "waits");
    expect_same(repeat_interleave(there, counts.to(kDevice), Axis(0), expected.numel()), expected,
                "does not wait");
    const Tensor one = test::varied_indices({1}, 2, 3);
    expect_same(repeat_interleave(there, one.to(kDevice), Axis(0)),
                repeat_interleave(x, std::int64_t(2), Axis(0)), "one for all");
  }
}

TEST(MovementParity, AnotherOutputSizeTouchesNothingElse) {
  TANDEM_NEEDS_GPU();
  const Tensor x = test::varied({5}, DType::int32, 4);
  const Tensor counts = from_blob(new std::int64_t[5]{2, -3, 0, 1, 2}, {5}, DType::int64, {},
                                  [](void* p) { delete[] static_cast<std::int64_t*>(p); });
  // Negative repeats count as 0; what is missing is 0, what is too much is left out.
  const Tensor all = cat({x.slice(0, 0, 1), x.slice(0, 0, 1), x.slice(0, 3, 5), x.slice(0, 4, 5)});
  const Tensor device = x.to(kDevice);
  for (const std::int64_t size : {0, 3, 5, 9}) {
    Tensor expected = zeros({size}, {.dtype = DType::int32});
    const std::int64_t n = std::min<std::int64_t>(size, 5);
    expected.slice(0, 0, n).copy_(all.slice(0, 0, n));
    expect_same(repeat_interleave(device, counts.to(kDevice), Axis(0), size), expected, "size");
  }
}

}  // namespace
