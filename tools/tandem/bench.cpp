// `tandem bench`: runs the benchmark program that is built beside the command; beside PyTorch where
// a Python that has it is found.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> rest;  // filters, and options of the benchmark
  std::string device, python;
  bool alone = false;
};

fs::path folder_of_command() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::string find_program() {
  constexpr const char* kName = "tandem_bench";
  const fs::path here = folder_of_command();
  for (const fs::path& folder : {here, here / "../libexec/tandem", here / "../perf"}) {
    const fs::path at = folder / kName;
    if (::access(at.c_str(), X_OK) == 0) return at.lexically_normal();
  }
  throw BadInput(fmt::format(
      "expected the benchmark {} beside the command or in libexec/tandem, got neither in {}; it "
      "is built where Google Benchmark is installed (TANDEM_BENCH=ON)",
      kName, here.string()));
}

/// The script that times the peers: beside the benchmark program, or in the source tree it was
/// built from.
std::optional<std::string> find_script() {
  const fs::path here = folder_of_command();
  for (const char* folder : {"../libexec/tandem/perf", "../../../perf"}) {
    const fs::path at = here / folder / "peers.py";
    if (::access(at.c_str(), R_OK) == 0) return at.lexically_normal();
  }
  return std::nullopt;
}

/// Replaces this process; returns only if that fails.
void execute(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
}

/// Whether the interpreter starts and finds PyTorch. It is not imported: that takes seconds.
bool has_pytorch(const std::string& python) {
  const pid_t child = ::fork();
  if (child == 0) {
    execute({python, "-c",
             "import importlib.util as u, sys; sys.exit(0 if u.find_spec('torch') else 9)"});
    ::_exit(10);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The Python to run the peers with; none where rows are measured alone. Says why.
std::optional<std::string> find_python(const Options& o) {
  if (o.alone) return std::nullopt;
  const char* variable = std::getenv("TANDEM_PEERS");
  std::string named = !o.python.empty() ? o.python : variable == nullptr ? "" : variable;
  if (!named.empty()) {
    if (has_pytorch(named)) return named;
    throw BadInput(fmt::format("expected {} to name a Python that has PyTorch, got {}",
                               o.python.empty() ? "TANDEM_PEERS" : "--peers", named));
  }
  if (has_pytorch("python3")) return "python3";
  fmt::print(
      "python3 has no PyTorch: times of Tandem alone. --peers PYTHON, or the variable "
      "TANDEM_PEERS, names a Python that has it, for the ratios.\n");
  std::fflush(stdout);
  return std::nullopt;
}

void run(const Options& o) {
  const std::string program = find_program();
  std::vector<std::string> words{program};
  const std::optional<std::string> script = find_script();
  if (!script && !o.python.empty())
    throw BadInput("expected perf/peers.py beside the benchmark, for --peers, got none");
  if (const auto python = script ? find_python(o) : std::nullopt)
    words = {*python, *script, "--bench", program};
  if (!o.device.empty()) words.push_back("--device=" + o.device);
  words.insert(words.end(), o.rest.begin(), o.rest.end());
  const std::string first = words[0];
  execute(std::move(words));
  throw BadInput(fmt::format("expected to run {}, got: {}", first, std::strerror(errno)));
}

}  // namespace

void add_bench(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "bench",
      "Measure ops: time, GB/s and share of the copy rate measured in the same run; beside PyTorch "
      "where python3 has it, with the ratios");
  sub->add_option("--device", o->device, "cpu (the default), cuda or cuda:INDEX");
  sub->add_option("--peers", o->python, "A Python that has PyTorch (the variable TANDEM_PEERS)");
  sub->add_flag("--alone", o->alone, "Tandem's times alone")->excludes("--peers");
  sub->allow_extras();
  sub->callback([o, sub] {
    o->rest = sub->remaining();
    run(*o);
  });
  sub->footer(
      "tandem bench matmul fft linalg: words that are no options are regular expressions, for the "
      "rows\nwhose names match one of them. Further options go to the benchmark: --threads N, "
      "--json "
      "FILE,\n--dtypes all, --min-time S, --repetitions N, --list (with --alone), --benchmark_...");
}

}  // namespace tandem::command
