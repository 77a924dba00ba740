// What the core asks of a backend: ranges, waits, the order of copies between devices, memory that
// other streams use; and what it says when a device fails. With a backend that writes down its
// calls.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/recording.h"

namespace {

using namespace tandem;

using namespace test::recording;  // NOLINT(google-build-using-namespace)

const bool kChosen = choose();  // before anything asks for a device

/// What a child process that runs one test of this program with TANDEM_LOG writes.
std::string log_of(const std::string& test, const std::string& topics) {
  const std::string command = "TANDEM_BACKEND_CHILD=1 TANDEM_LOG=" + topics + " /proc/" +
                              std::to_string(getpid()) + "/exe --gtest_filter=" + test + " 2>&1";
  FILE* out = popen(command.c_str(), "r");
  std::string text;
  char line[512];
  while (out != nullptr && std::fgets(line, sizeof line, out) != nullptr) text += line;
  EXPECT_EQ(pclose(out), 0) << text;
  return text;
}

class BackendCalls : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kChosen);
    ASSERT_EQ(device_count(DeviceKind::CUDA), 2) << device_status(DeviceKind::CUDA);
    calls();
  }
};

TEST_F(BackendCalls, EveryOpIsARange) {
  const Tensor x = ones({4}, {.device = device(0)});
  EXPECT_EQ(calls(), "push fill;pop;");
  const Tensor y = neg(x);
  EXPECT_EQ(calls(), "push neg;pop;");
  const Tensor host = ones({4});  // ops on the host are ranges too
  EXPECT_EQ(neg(host).sum().item<float>(), -4.0f);
  EXPECT_EQ(calls(), "push fill;pop;push neg;pop;push sum;pop;push item;pop;");
  EXPECT_THROW(neg(x.to(kCPU).to(DType::bool_)), TypeError);
  const std::string failed = calls();
  EXPECT_TRUE(failed.ends_with("push neg;pop;")) << failed;
  EXPECT_THROW(exp(x), NotImplemented);  // the backend has no kernel
  EXPECT_EQ(calls(), "push exp;pop;");
}

TEST_F(BackendCalls, FailedKernelsAreDeviceErrors) {
  const Tensor x = ones({4, 4}, {.device = device(0)});
  EXPECT_THROW(neg(x.slice(1, 0, 2)), DeviceError);
  EXPECT_EQ(neg(x).cpu().sum().item<float>(), -16.0f);  // and the next call is none
}

TEST_F(BackendCalls, ALostDeviceIsNotOutOfMemory) {
  refuse_memory(true, false);
  EXPECT_THROW(empty({1 << 24}, {.device = device(0)}), OutOfMemory);
  refuse_memory(true, true);
  EXPECT_THROW(empty({1 << 24}, {.device = device(0)}), DeviceError);
  refuse_memory(false, false);
  EXPECT_EQ(empty({1 << 24}, {.device = device(0)}).numel(), 1 << 24);
}

TEST_F(BackendCalls, CopiesBetweenDevicesAreOrderedOnBothStreams) {
  const Stream from = Stream::create(device(0));
  const Stream to = Stream::create(device(1));
  const StreamGuard on_source(from);
  const StreamGuard on_target(to);
  const Tensor x = full({3}, 7.0, {.device = device(0)});
  calls();
  const Tensor y = x.to(device(1));
  const std::string seen = calls();
  const auto at = [&](const std::string& part) {
    EXPECT_NE(seen.find(part), std::string::npos) << part << " is not in " << seen;
    return seen.find(part);
  };
  const auto copied = at("peer copy on " + number(to.native()));
  EXPECT_LT(at("device 0 records"), at("device 1 makes " + number(to.native()) + " wait"));
  EXPECT_LT(at("device 1 makes " + number(to.native()) + " wait"), copied);
  EXPECT_LT(copied, at("device 1 records"));
  EXPECT_LT(at("device 1 records"), at("device 0 makes " + number(from.native()) + " wait"));
  EXPECT_EQ(y.cpu().sum().item<float>(), 21.0f);
}

TEST_F(BackendCalls, MemoryThatAnOpUsesOnAnotherStreamIsNotGivenOutAgain) {
  const Stream other = Stream::create(device(0));
  const auto allocate = [] { return empty({100000}, {.device = device(0)}); };
  const void* own = allocate().data_ptr();
  EXPECT_EQ(allocate().data_ptr(), own);  // the same stream: at once
  {
    const Tensor x = full({100000}, 1.0, {.device = device(0)});
    ASSERT_EQ(x.data_ptr(), own);
    const StreamGuard guard(other);
    neg(x);
  }
  const Tensor next = allocate();
  EXPECT_NE(next.data_ptr(), own);
  synchronize(device(0));
  EXPECT_EQ(allocate().data_ptr(), own);
}

TEST_F(BackendCalls, WrapsAStreamOfTheCaller) {
  void* native = reinterpret_cast<void*>(std::uintptr_t(0x5000));
  const Stream mine = Stream::wrap(device(0), native);
  EXPECT_EQ(mine.native(), native);
  EXPECT_EQ(current_stream(device(0)).native(), nullptr);
  {
    const StreamGuard guard(mine);
    EXPECT_EQ(current_stream(device(0)), mine);
    calls();
    (void)ones({2}, {.device = device(0)}).cpu();
    const std::string seen = calls();
    EXPECT_NE(seen.find("copy on " + number(native)), std::string::npos) << seen;
    EXPECT_NE(seen.find(";synchronize " + number(native)), std::string::npos) << seen;
  }
  EXPECT_EQ(current_stream(device(0)).native(), nullptr);
}

TEST_F(BackendCalls, WrapsDeviceMemoryOfTheCaller) {
  alignas(64) static float memory[6] = {1, 2, 3, 4, 5, 6};
  int freed = 0;
  {
    const Tensor t = from_blob(memory, {2, 3}, DType::float32, {.device = device(1)},
                               [&](void* p) { freed += p == memory ? 1 : 100; });
    EXPECT_EQ(t.device(), device(1));
    EXPECT_EQ(neg(t).cpu().sum().item<float>(), -21.0f);
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
}

// The log: what it costs, and the op that caused it.

TEST_F(BackendCalls, ChildThatCopies) {
  if (std::getenv("TANDEM_BACKEND_CHILD") == nullptr) GTEST_SKIP() << "only as a child process";
  const Tensor x = full({2, 3}, 2.0, {.device = device(0)});
  (void)x.cpu();
  (void)full({}, 2.0, {.device = device(0)}).item();
  synchronize(device(0));
  const Tensor host = ones({2, 3}).t();
  (void)host.contiguous();
  (void)host.reshape({6});
  (void)host.to(DType::float64);
  (void)host.contiguous().reshape({6});  // a view: one line less
  empty_cache(device(0));
}

TEST_F(BackendCalls, LogNamesTheOpOfEachCost) {
  const std::string log = log_of("BackendCalls.ChildThatCopies", "sync,copy,alloc");
  std::string lines;  // of the log alone
  for (std::size_t at = log.find("[tandem]"); at != std::string::npos;) {
    const std::size_t end = log.find('\n', at);
    lines += log.substr(at, end - at + 1);
    at = log.find("[tandem]", end);
  }
  const char* parts[] = {"alloc fill: cuda:0 took",
                         "copy to: 24 bytes from cuda:0 to cpu",
                         "sync to: cuda:0: waits for a stream",
                         "copy item: 4 bytes from cuda:0 to cpu",
                         "sync item: cuda:0: waits for a stream",
                         "sync synchronize: cuda:0: waits for all its streams",
                         "copy contiguous: 24 bytes on cpu",
                         "copy reshape: 24 bytes on cpu",
                         "copy to: 24 bytes on cpu",
                         "copy contiguous: 24 bytes on cpu",
                         "sync -: cuda:0: waits for all its streams to give memory back"};
  std::size_t at = 0;
  for (const char* part : parts) {
    const std::size_t found = lines.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " is not behind " << at << " in\n" << lines;
    at = found + 1;
  }
}

TEST_F(BackendCalls, LogOfOps) {
  const std::string log = log_of("BackendCalls.ChildThatCopies", "op");
  EXPECT_NE(log.find("[tandem] op fill\n[tandem] op to\n"), std::string::npos) << log;
  EXPECT_EQ(log_of("BackendCalls.ChildThatCopies", "alloc").find("] op "), std::string::npos);
}

}  // namespace
