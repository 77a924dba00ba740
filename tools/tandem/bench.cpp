// `tandem bench`: runs the benchmark program that is built beside the command.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string filter, device;
  std::vector<std::string> rest;
};

std::string find_program() {
  constexpr const char* kName = "tandem_bench";
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& folder : {here, here / "../libexec/tandem", here / "../perf"}) {
    const fs::path at = folder / kName;
    if (::access(at.c_str(), X_OK) == 0) return at.lexically_normal();
  }
  throw BadInput(fmt::format(
      "expected the benchmark {} beside the command or in libexec/tandem, got neither in {}; it "
      "is built where Google Benchmark is installed (TANDEM_BENCH=ON)",
      kName, here.string()));
}

void run(const Options& o) {
  std::vector<std::string> words{find_program()};
  if (!o.filter.empty()) words.push_back("--benchmark_filter=" + o.filter);
  if (!o.device.empty()) words.push_back("--device=" + o.device);
  words.insert(words.end(), o.rest.begin(), o.rest.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  throw BadInput(fmt::format("expected to run {}, got: {}", words[0], std::strerror(errno)));
}

}  // namespace

void add_bench(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "bench", "Measure ops: time, GB/s and share of the copy rate measured in the same run");
  sub->add_option("FILTER", o->filter, "Regular expression for the names of benchmarks");
  sub->add_option("--device", o->device, "cpu (the default), cuda or cuda:INDEX");
  sub->add_option("ARGUMENTS", o->rest, "After --: arguments for Google Benchmark");
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
