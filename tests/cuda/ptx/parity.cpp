// The PTX of every flat kernel of the op table against the host backend, bit for bit (a NaN equals
// any NaN).
//
//   ptx_parity LIBRARY... [--full] [--random N] [--only TEXT] [--list] [--plant FROM=TO]...
//
// LIBRARY is libtandem_cuda configured with -DTANDEM_CUDA_COMPRESS=OFF, or objects or PTX texts
// that hold its kernels together. Every kernel runs over all special values crossed and over random
// ones, and over short launches that take each of its paths: tails, operands that are not aligned,
// broadcast, or a number. --only takes the kernels whose name holds a text (the counts of the
// families are not checked then). --plant changes a text in the PTX: for tests of this test.
#include <cxxabi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "tandem/ops.h"
#include "tests/cuda/ptx/cases.h"
#include "tests/cuda/ptx/checker.h"
#include "tests/cuda/ptx/library.h"
#include "tests/cuda/ptx/machine.h"

namespace tandem::ptx {

namespace {

struct Settings {
  std::vector<std::string> libraries;
  std::string only;
  std::int64_t random = 50'000;
  bool list = false;
  std::vector<std::pair<std::string, std::string>> planted;
};

/// What is allowed to a kernel whose name holds one of the texts, and why. An entry that excuses
/// nothing is a problem.
struct Excuse {
  std::vector<const char*> kernels;
  const char* why;
  bool used = false;

  bool covers(const KernelCase& c) const {
    return std::any_of(kernels.begin(), kernels.end(),
                       [&](const char* k) { return c.kernel.find(k) != std::string::npos; });
  }
};

/// Approximate instructions; they run with errors as large as the manual allows.
Excuse g_estimates[] = {
    {{"Fmod, float", "Fmod, tandem::Half", "Fmod, tandem::BFloat16", "Remainder, float",
      "Remainder, tandem::Half", "Remainder, tandem::BFloat16", "FloorDivide, float",
      "FloorDivide, tandem::Half", "FloorDivide, tandem::BFloat16"},
     "CUDA's fmodf estimates quotients and corrects them: any estimate gives the same bits"},
};
constexpr std::uint32_t kSeeds = 3;  // of their errors

/// Basic blocks that no input reaches.
Excuse g_unreached[] = {
    {{"Fmod, ", "Remainder, ", "FloorDivide, "},
     "fmodf's last correction, for estimates worse than those of any device"},
    {{"Sin, tandem::Half", "Cos, tandem::Half", "Tan, tandem::Half", "Polar, tandem::Half"},
     "the slow part: no half is that large"},
    {{"Sin, double", "Cos, double", "Tan, double", "Sin, tandem::Complex", "Cos, tandem::Complex",
      "Tan, tandem::Complex", "Lgamma, ", "Digamma, "},
     "the fast part inside the slow one, which is called for nothing that it serves"},
    {{"Sigmoid, tandem::Complex"}, "a division by zero, for a divisor of 2 or more"},
    {{"Igamma, ", "Igammac, "},
     "pairs of ends of the domain, which not every lane draws; the part for great arguments, which "
     "halves are not"},
    {{"DigammaDerivative, double"}, "digamma's branch near 1, for an order of 0 alone"},
    {{"LogAddExp, tandem::BFloat16", "LogAddExp2, tandem::BFloat16", "LogAddExp, tandem::Half",
      "LogAddExp2, tandem::Half"},
     "terms near 1/2 that cancel: so few numbers of 11 bits do that not every lane draws some"},
};

std::string demangled(const std::string& symbol) {
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, nullptr);
  std::string name = text == nullptr ? symbol : text;
  std::free(text);
  return name;
}

struct Found {
  const Module* module;
  std::string symbol;
};

/// The flat kernels of the modules by readable name.
std::map<std::string, Found> flat_kernels(const std::vector<std::unique_ptr<Module>>& modules) {
  std::map<std::string, Found> found;
  for (const auto& m : modules) {
    for (const std::string& symbol : m->entries()) {
      if (symbol.find("flat_kernel") == std::string::npos) continue;
      const std::string name = demangled(symbol);  // "void NAME(PARAMS)"
      const std::size_t begin = name.find("tandem::cuda::flat_kernel<");
      const std::size_t end = name.find(">(", begin);
      if (begin == std::string::npos || end == std::string::npos) continue;
      found[name.substr(begin, end + 1 - begin)] = {m.get(), symbol};
    }
  }
  return found;
}

template <std::size_t N>
bool excuse(Excuse (&list)[N], const KernelCase& c) {
  Excuse* e =
      std::find_if(std::begin(list), std::end(list), [&](const Excuse& x) { return x.covers(c); });
  if (e == std::end(list)) return false;
  e->used = true;
  return true;
}

struct Totals {
  int kernels = 0, asked = 0;
  std::int64_t elements = 0, wrong = 0;
  std::uint64_t instructions = 0;
  std::size_t blocks = 0, blocks_run = 0;
  double seconds = 0;
};

void run_case(const KernelCase& c, const Found& found, const Settings& settings, Totals& totals,
              int& problems) {
  const std::clock_t start = std::clock();
  try {
    Checker checker(c, *found.module, found.symbol, settings.random,
                    excuse(g_estimates, c) ? kSeeds : 0);
    checker.run();
    ++totals.kernels;
    totals.elements += checker.elements();
    totals.wrong += checker.wrong();
    totals.instructions += checker.program().executed();
    totals.blocks += checker.program().blocks();
    totals.blocks_run += checker.program().blocks_run();
    const Program& p = checker.program();
    if (checker.wrong() == 0 && p.blocks_run() < p.blocks() && !excuse(g_unreached, c)) {
      ++problems;
      std::printf("%s: basic blocks that were not run, at lines", c.kernel.c_str());
      for (const int line : p.lines_not_run()) std::printf(" %d", line);
      std::printf("\n");
    }
    if (checker.wrong() > 0) {
      ++problems;
      std::printf("%s: %lld of %lld elements differ\n", c.kernel.c_str(),
                  static_cast<long long>(checker.wrong()),
                  static_cast<long long>(checker.elements()));
    }
  } catch (const std::exception& e) {
    ++problems;
    std::printf("%s: %s\n", c.kernel.c_str(), e.what());
  }
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  totals.seconds += seconds;
  if (settings.list) std::printf("%7.3f s  %s\n", seconds, c.kernel.c_str());
}

template <std::size_t N>
int unused(const Excuse (&list)[N]) {
  int n = 0;
  for (const Excuse& e : list) {
    if (e.used) continue;
    ++n;
    std::printf("nothing needs the excuse '%s'\n", e.why);
  }
  return n;
}

/// Flat kernels of launchers that have no row of their own: copies by width, and the last pass of
/// softmax. The host's side of these is in cuda.parity_test.
bool is_of_no_row(const std::string& name) {
  for (const char* functor : {"Identity", "SoftmaxOut", "LogSoftmaxOut"}) {
    if (name.find(std::string("(anonymous namespace)::") + functor + ", ") != std::string::npos) {
      return true;
    }
  }
  return false;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::vector<std::unique_ptr<Module>> read_modules(const Settings& settings) {
  std::vector<std::unique_ptr<Module>> modules;
  for (const std::string& path : settings.libraries) {
    for (std::string& text : read_ptx(path)) {
      for (const auto& [from, to] : settings.planted) replace_all(text, from, to);
      modules.push_back(std::make_unique<Module>(std::move(text)));
    }
  }
  return modules;
}

int check(const Settings& settings) {
  const std::vector<std::unique_ptr<Module>> modules = read_modules(settings);
  std::map<std::string, Found> found = flat_kernels(modules);
  set_num_threads(1);
  (void)neg(ones({1}));  // binds the host's kernels
  const char* const kFamilies[] = {"", "unary", "binary", "ternary", "quaternary"};
  Totals totals[5];
  int problems = 0;
  std::set<std::string> claimed;
  for (const KernelCase& c : all_cases()) {
    claimed.insert(c.kernel);
    if (c.kernel.find(settings.only) == std::string::npos) continue;
    ++totals[c.arity].asked;
    const auto kernel = found.find(c.kernel);
    if (kernel == found.end()) {
      ++problems;
      std::printf("%s: not in the library\n", c.kernel.c_str());
      continue;
    }
    run_case(c, kernel->second, settings, totals[c.arity], problems);
  }
  for (const auto& [name, _] : found) {
    if (claimed.count(name) == 0 && !is_of_no_row(name)) {
      ++problems;
      std::printf("%s: of no row of the table\n", name.c_str());
    }
  }
  if (settings.only.empty()) problems += unused(g_estimates) + unused(g_unreached);
  for (int k = 1; k <= 4; ++k) {
    const Totals& t = totals[k];
    std::printf(
        "%-10s %4d of %4d kernels, %11lld elements, %lld differ, %6.1f s, %5.1f million "
        "instructions, %zu of %zu basic blocks ran\n",
        kFamilies[k], t.kernels, t.asked, static_cast<long long>(t.elements),
        static_cast<long long>(t.wrong), t.seconds, static_cast<double>(t.instructions) / 1e6,
        t.blocks_run, t.blocks);
    if (t.kernels != t.asked) ++problems;
  }
  std::printf("%d problems\n", problems);
  return problems == 0 ? 0 : 1;
}

std::pair<std::string, std::string> parse_planted(const std::string& arg) {
  const std::size_t at = arg.find('=');
  if (at == std::string::npos || at == 0) throw std::runtime_error("expected --plant FROM=TO");
  return {arg.substr(0, at), arg.substr(at + 1)};
}

Settings parse(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--full")
      s.random = 2'000'000;
    else if (arg == "--random" && more)
      s.random = std::atoll(argv[++i]);
    else if (arg == "--only" && more)
      s.only = argv[++i];
    else if (arg == "--list")
      s.list = true;
    else if (arg == "--plant" && more)
      s.planted.push_back(parse_planted(argv[++i]));
    else if (arg.starts_with("--"))
      throw std::runtime_error("unknown option " + arg);
    else
      s.libraries.push_back(arg);
  }
  if (s.libraries.empty()) throw std::runtime_error("expected a library");
  return s;
}

}  // namespace

}  // namespace tandem::ptx

int main(int argc, char** argv) {
#ifdef __x86_64__
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::printf("ptx_parity: skipped, this processor has no AVX2\n");
    return 77;
  }
#endif
  try {
    return tandem::ptx::check(tandem::ptx::parse(argc, argv));
  } catch (const std::exception& e) {
    std::printf("ptx_parity: %s\n", e.what());
    return 2;
  }
}
