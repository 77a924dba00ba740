// Opening the CUDA backend where it cannot be used: a sentence, no exception, and the CPU goes on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tandem/ops/hash.h"
#include "tandem/tandem.h"

namespace {

struct Answer {
  int count = -1;
  std::string status;
};

/// What a fresh process says with a library and a mode of the fake backend: the loader looks once a
/// process, so each case needs its own. The child is this program with a filter.
Answer ask(const std::string& library, const std::string& mode = "") {
  const std::string command = "TANDEM_CUDA_LIBRARY='" + library + "' TANDEM_FAKE_BACKEND='" + mode +
                              "' TANDEM_LOADER_CHILD=1 /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_filter=Child.Reports --gtest_brief=1 2>&1";
  Answer a;
  FILE* out = popen(command.c_str(), "r");
  if (out == nullptr) return a;
  char line[1024];
  while (std::fgets(line, sizeof line, out) != nullptr) {
    int count = 0;
    int at = 0;
    if (std::sscanf(line, "answer %d: %n", &count, &at) == 1) {
      a.count = count;
      a.status = line + at;
    }
  }
  EXPECT_EQ(pclose(out), 0) << mode;
  return a;
}

const char* fake() { return TANDEM_FAKE_BACKEND_PATH; }

bool says(const Answer& a, const std::string& what) {
  return a.count == 0 && a.status.find(what) != std::string::npos;
}

}  // namespace

TEST(Child, Reports) {
  if (std::getenv("TANDEM_LOADER_CHILD") == nullptr) GTEST_SKIP() << "only as a child process";
  // Asked by many threads at once, every one gets the same answer.
  std::vector<std::thread> threads;
  std::vector<int> counts(8);
  for (int& c : counts) {
    threads.emplace_back([&c] { c = tandem::device_count(tandem::DeviceKind::CUDA); });
  }
  for (auto& t : threads) t.join();
  for (const int c : counts) EXPECT_EQ(c, counts[0]);
  EXPECT_EQ(tandem::is_available(tandem::DeviceKind::CUDA), counts[0] > 0);
  std::printf("answer %d: %s\n", counts[0],
              tandem::device_status(tandem::DeviceKind::CUDA).c_str());
  const tandem::Tensor t = tandem::ones({4}) + 1;  // the CPU works whatever the answer
  EXPECT_EQ(t.sum().item<float>(), 8.0f);
}

TEST(Loader, TellsWhyThereIsNoBackend) {
  EXPECT_TRUE(says(ask("/nowhere/libtandem_cuda.so"), "could not be opened"));
  EXPECT_TRUE(says(ask(""), "switched off"));
  EXPECT_TRUE(says(ask("libm.so.6"), "no entry point"));
}

TEST(Loader, RefusesOtherInterfacesAndTables) {
  EXPECT_TRUE(says(ask(fake(), "other abi"), "another interface version"));
  EXPECT_TRUE(says(ask(fake(), "other table"), "built for another op table"));
  EXPECT_TRUE(says(ask(fake(), "unknown op"), "no such op"));
  EXPECT_TRUE(says(ask(fake(), "silent"), "refused without a reason"));
  EXPECT_TRUE(says(ask(fake(), "no device"), "no device"));
}

TEST(Loader, HashOfTheTableIsTheCompiledOne) {
  EXPECT_EQ(tandem::op_table_hash(), tandem::detail::compiled_op_table_hash());
}

TEST(Loader, UnusableDevicesRaiseWithTheStatus) {
  if (tandem::is_available(tandem::DeviceKind::CUDA)) GTEST_SKIP() << "there is a GPU";
  EXPECT_FALSE(tandem::device_status(tandem::DeviceKind::CUDA).empty());
  try {
    tandem::Stream::create(tandem::kCUDA);
    FAIL() << "expected a DeviceError";
  } catch (const tandem::DeviceError& e) {
    EXPECT_NE(std::string(e.what()).find(tandem::device_status(tandem::DeviceKind::CUDA)),
              std::string::npos);
  }
}

TEST(Stream, TheHostIsAlwaysIdle) {
  const tandem::Stream s = tandem::current_stream(tandem::kCPU);
  EXPECT_TRUE(s.query());
  EXPECT_EQ(s, tandem::Stream::create(tandem::kCPU));
  tandem::Event e;
  e.record(s);
  EXPECT_TRUE(e.query());
  e.wait(s);
  e.synchronize();
  s.synchronize();
  tandem::synchronize(tandem::kCPU);
  const tandem::StreamGuard guard(s);
  EXPECT_EQ(tandem::current_stream(tandem::kCPU), s);
}
