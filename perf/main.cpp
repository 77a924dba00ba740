// tandem_bench: times every op of the table, beside what memory gives to plain loops in the same
// run.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <regex>

#include "perf/device.h"
#include "perf/report.h"

namespace tandem::perf {
namespace {

struct Options {
  std::vector<std::string> filters;
  std::string json, dtypes = "float32";
  double min_time = 0.02;
  int repetitions = 3;
  int threads = 0;  // 0: as the library has them
  std::string device = "cpu";
  int batch = 32;
  std::size_t rate_mib = 256;
  bool list = false;
};

std::vector<DType> parse_dtypes(const std::string& text) {
  std::vector<DType> found;
  if (text == "all") {
    for (int i = 0; i < kNumDTypes; ++i) found.push_back(static_cast<DType>(i));
    return found;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, comma - at);
    found.push_back(dtype_by_name(one));
    if (found.back() == DType::kCount) {
      throw ValueError(fmt::format("--dtypes: expected all or names of dtypes, got '{}'", one));
    }
    at = comma + 1;
  }
  return found;
}

/// Leaves the rows whose names match one of the regular expressions.
void keep_matching(std::vector<Case>& cases, const std::vector<std::string>& filters) {
  std::vector<std::regex> wanted;
  for (const std::string& f : filters) {
    try {
      wanted.emplace_back(f);
    } catch (const std::regex_error& e) {
      throw ValueError(fmt::format("expected a regular expression, got '{}': {}", f, e.what()));
    }
  }
  std::erase_if(cases, [&](const Case& c) {
    const std::string name = c.name();
    return std::none_of(wanted.begin(), wanted.end(),
                        [&](const std::regex& r) { return std::regex_search(name, r); });
  });
  if (cases.empty()) {
    throw ValueError(
        fmt::format("no benchmark matches '{}'; --list shows them", fmt::join(filters, "', '")));
  }
}

std::vector<Case> chosen_cases(const Options& o) {
  const std::vector<DType> dtypes = parse_dtypes(o.dtypes);
  std::vector<Case> cases = elementwise_cases(dtypes);
  for (Case& c : other_cases(dtypes)) cases.push_back(std::move(c));
  for (Case& c : indexing_cases()) cases.push_back(std::move(c));
  for (Case& c : fft_cases()) cases.push_back(std::move(c));
  for (Case& c : factorisation_cases()) cases.push_back(std::move(c));
  for (Case& c : allocator_cases()) cases.push_back(std::move(c));
  if (!o.filters.empty()) keep_matching(cases, o.filters);
  return cases;
}

void register_cases(const std::vector<Case>& cases, const Options& o, Report& report) {
  for (const Case& c : cases) {
    const auto body = [&c, &report](benchmark::State& state) {
      try {
        c.run(state);
      } catch (const std::exception& e) {
        report.note_error(e.what());
        state.SkipWithError(e.what());
      }
    };
    benchmark::RegisterBenchmark(c.name().c_str(), body)
        ->UseRealTime()
        ->MinTime(o.min_time)
        ->Repetitions(o.repetitions);
  }
}

int run(const Options& o, std::vector<char*>& benchmark_arguments) {
  if (o.threads > 0) set_num_threads(o.threads);
  place() = {.device = parse_device(o.device), .batch = o.batch};
  const std::vector<Case> cases = chosen_cases(o);
  if (o.list) {
    for (const Case& c : cases) fmt::print("{}\n", c.name());
    return 0;
  }
  const bool progress = ::isatty(STDERR_FILENO) == 1;
  constexpr int kPasses = 9;
  Yardstick rates;
  if (place().on_device()) {
    rates.device = measure_device_rates(place().device, o.rate_mib << 20, kPasses);
  } else {
    rates.host = measure_rates(o.rate_mib << 20, get_num_threads(), kPasses);
  }
  print_rates(rates);
  const auto allocates = [](const Case& c) { return c.op == "allocate"; };
  if (!place().on_device() && std::any_of(cases.begin(), cases.end(), allocates)) {
    rates.pool = measure_overhead();
    print_overhead(rates.pool);
  }
  Report report(cases, rates, progress);
  register_cases(cases, o, report);
  int count = static_cast<int>(benchmark_arguments.size());
  benchmark::Initialize(&count, benchmark_arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, benchmark_arguments.data())) return 2;
  benchmark::SetBenchmarkFilter(".");  // chosen above
  benchmark::RunSpecifiedBenchmarks(&report);
  forget_inputs();
  if (!o.json.empty()) write_json(o.json, rates, report.rows());
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace tandem::perf

int main(int argc, char** argv) {
  tandem::perf::Options o;
  CLI::App app(
      "Times Tandem's ops: time of a call, GB/s, and the share of the copy rate of this run");
  app.add_option("FILTER,--benchmark_filter", o.filters,
                 "Regular expressions for the rows' names: those that match one of them");
  app.add_option("--json", o.json, "Write rates and rows to this file");
  app.add_option("--dtypes", o.dtypes, "all, or names with commas between")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads of the library; OpenMP's number by default")
      ->check(CLI::PositiveNumber);
  app.add_option("--device", o.device, "cpu, cuda or cuda:INDEX: where the ops run")
      ->capture_default_str();
  app.add_option("--batch", o.batch, "Calls before a wait, on a device")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--min-time", o.min_time, "Seconds a repetition takes at least")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--repetitions", o.repetitions, "Their median is reported")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate-mib", o.rate_mib, "Size of each array of the memory rates, MiB")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--list", o.list, "List the rows' names");
  app.footer("Other arguments that begin with --benchmark_ go to Google Benchmark.");
  app.allow_extras();
  try {
    app.parse(argc, argv);
    std::vector<std::string> rest = app.remaining();
    std::vector<char*> words{argv[0]};
    for (std::string& word : rest) words.push_back(word.data());
    return tandem::perf::run(o, words);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    fmt::print(stderr, "tandem_bench: {}\n", e.what());
    return 2;
  }
}
