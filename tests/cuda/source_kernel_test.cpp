// Elementwise kernels from source: the device's bits beside the host's.
#include "tandem/source_kernel.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tandem/graph.h"
#include "tests/support/expect_error.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"
#include "tests/support/source_kernels.h"

using namespace tandem;
using namespace tandem::test;

namespace {

[[maybe_unused]] auto* const g_folder = ::testing::AddGlobalTestEnvironment(new KernelFolder);

/// Leaves the test where NVRTC is not installed.
#define TANDEM_NEEDS_NVRTC()                                                                   \
  TANDEM_NEEDS_GPU();                                                                          \
  try {                                                                                        \
    SourceKernel("int f(int x) { return x; }")({ones({1}, {.device = kCUDA})});                \
  } catch (const DeviceError& e) {                                                             \
    if (std::string(e.what()).find("libnvrtc") != std::string::npos) GTEST_SKIP() << e.what(); \
  }                                                                                            \
  static_assert(true)

void expect_parity(const SourceKernel& f, const std::vector<Tensor>& inputs,
                   std::span<const SourceKernel::Number> numbers = {}) {
  Mover to_device(kCUDA);
  std::vector<Tensor> moved;
  for (const Tensor& t : inputs) moved.push_back(to_device(t));
  const Tensor host = f(inputs, numbers), device = f(moved, numbers).cpu();
  EXPECT_EQ(host.dtype(), device.dtype());
  EXPECT_TRUE(same_bits(host, device)) << f.function();
}

}  // namespace

TEST(SourceKernels, EveryOpOfTheTableByItsName) {
  TANDEM_NEEDS_NVRTC();
  const SourceKernel f(source_of_all_rows(), {.numbers = {{"which", 0}}});
  manual_seed(3);
  const Tensor x = (rand({700}) - 0.3) * 8, y = (rand({700}) - 0.3) * 6;
  for (std::size_t i = 0; i < callable_rows().size(); ++i) {
    SCOPED_TRACE(callable_rows()[i]->name);
    const SourceKernel::Number which[] = {{"which", static_cast<std::int64_t>(i)}};
    expect_parity(f, {x, y}, which);
  }
}

TEST(SourceKernels, DTypesAndLayouts) {
  TANDEM_NEEDS_NVRTC();
  for (const SourceCase& c : source_cases()) {
    const SourceKernel f(c.source, {.numbers = c.numbers, .result = c.result});
    for (const auto& inputs : source_inputs(c)) expect_parity(f, inputs);
  }
}

TEST(SourceKernels, LongLaunches) {
  TANDEM_NEEDS_NVRTC();
  const SourceKernel f("template <class T> T f(T x, T y) { return x * y + 1; }");
  expect_parity(f, {rand({60'000}), rand({60'000})});
  expect_parity(f, {rand({300, 200}).t(), rand({200, 1})});
}

TEST(SourceKernels, InAGraph) {
  TANDEM_NEEDS_NVRTC();
  const SourceKernel f("template <class T> T f(T x) { return x * 3; }");
  const Tensor x = ones({100}, {.device = kCUDA});
  Tensor out;
  const Graph graph = Graph::capture(Stream::create(kCUDA), [&] { out = f({x}); });
  graph.replay();
  synchronize(kCUDA);
  EXPECT_EQ(out.sum().item<float>(), 300);
}

TEST(SourceKernels, WhatDoesNotCompileSaysWhere) {
  TANDEM_NEEDS_NVRTC();
  const SourceKernel wrong("template <class T> T g(T x) {\n  return x +;\n}");
  tandem::testing::expect_error<ValueError>([&] { (void)wrong({ones({2}, {.device = kCUDA})}); },
                                            "g(2)");
}
