// lint: oracle table. Random numbers on a device against the host backend, bit for bit: every call
// of calls_random.h, dense and strided outputs, the numbers of one generator from call to call.
#include <gtest/gtest.h>

#include <cstring>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/row_calls.h"

using namespace tandem;
using test::Args;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

#define TANDEM_NEEDS_DEVICE() \
  if (!is_available(DeviceKind::CUDA)) GTEST_SKIP() << device_status(DeviceKind::CUDA)

/// A copy on the device, with the same strides.
Tensor on(Device device, const Tensor& t) {
  if (t.is_contiguous()) return t.to(device, std::nullopt, false, true);
  Tensor out = empty_strided(t.shape(), t.strides(), {t.dtype(), device});
  out.copy_(t);
  return out;
}

Args on(Device device, const Args& args) {
  Args moved;
  for (const Value& v : args) {
    if (v.is<Tensor>())
      moved.emplace_back(on(device, v.as<Tensor>()));
    else if (v.is<Device>())
      moved.emplace_back(device);
    else
      moved.push_back(v);
  }
  return moved;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.cpu().contiguous();
  const Tensor y = b.cpu().contiguous();
  return x.dtype() == y.dtype() && x.nbytes() == y.nbytes() &&
         std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

void compare(const test::Calls& calls, bool all_succeed) {
  for (const auto& [name, list] : calls) {
    const OpRow& row = *find_op(name);
    for (std::size_t i = 0; i < list.size(); ++i) {
      manual_seed(17 + i);
      std::vector<Value> right;
      try {
        right = call_boxed(row, on(kCPU, list[i]));
      } catch (const Error&) {
        EXPECT_FALSE(all_succeed || i == 0) << name;
        EXPECT_THROW(call_boxed(row, on(kDevice, list[i])), Error) << name << " " << i;
        EXPECT_EQ(default_generator().offset(), 0u);
        continue;
      }
      manual_seed(17 + i);
      const std::vector<Value> got = call_boxed(row, on(kDevice, list[i]));
      ASSERT_EQ(got.size(), right.size());
      for (std::size_t k = 0; k < got.size(); ++k) {
        EXPECT_TRUE(got[k].as<Tensor>().device() == kDevice);
        EXPECT_TRUE(same_bits(got[k].as<Tensor>(), right[k].as<Tensor>())) << name << " call " << i;
      }
    }
  }
}

TEST(RandomParity, Calls) {
  TANDEM_NEEDS_DEVICE();
  test::Calls calls;
  test::add_random_calls(calls);
  compare(calls, false);
}

TEST(RandomParity, LongCalls) {
  TANDEM_NEEDS_DEVICE();
  test::Calls calls;
  test::add_random_long_calls(calls);
  compare(calls, true);
}

TEST(RandomParity, OneGeneratorServesBoth) {
  TANDEM_NEEDS_DEVICE();
  const Generator g = Generator(3).stream(9);
  const Tensor a = rand({77}, g);
  const Tensor b = rand({77}, g, {.device = kDevice});
  const Generator twin = Generator(3).stream(9);
  EXPECT_TRUE(same_bits(rand({77}, twin, {.device = kDevice}), a));
  EXPECT_TRUE(same_bits(rand({77}, twin), b));
}

}  // namespace
