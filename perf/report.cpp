// Table and JSON file of the benchmark's results.
#include "perf/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tandem::perf {
namespace {

constexpr double kWorthARate = 1e6;  // bytes from which GB/s says something

std::string time_text(double ns) {
  if (ns < 1e4) return fmt::format("{:.1f} ns", ns);
  if (ns < 1e7) return fmt::format("{:.1f} us", ns / 1e3);
  return fmt::format("{:.2f} ms", ns / 1e6);
}

nlohmann::ordered_json rate_json(const Rate& r) {
  return {{"threads", r.threads}, {"write", r.write}, {"copy", r.copy},
          {"add", r.add},         {"read", r.read},   {"streaming", r.streaming()}};
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace

Report::Report(const std::vector<Case>& cases, const Rates& rates, bool progress)
    : cases_(cases), rates_(rates), progress_(progress) {}

bool Report::ReportContext(const Context&) {
  fmt::print("\n{:<44} {:>12} {:>10} {:>8}\n", "benchmark", "time", "GB/s", "of copy");
  std::fflush(stdout);
  show_progress();
  return true;
}

void Report::show_progress() const {
  const std::size_t done = rows_.size();
  if (!progress_ || done == cases_.size()) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
  std::string left;
  if (done >= 10) {
    const double rest = static_cast<double>(cases_.size() - done) / static_cast<double>(done);
    left = fmt::format(", about {:.0f} s left", took.count() * rest);
  }
  fmt::print(stderr, "\r\033[K[{}/{}{}] {}", done, cases_.size(), left, cases_[done].name());
  std::fflush(stderr);
}

void Report::ReportRuns(const std::vector<Run>& runs) {
  // A second call brings Google Benchmark's own aggregates.
  if (runs.empty() || runs.front().run_type != Run::RT_Iteration) return;
  std::vector<double> times;
  for (const Run& run : runs) {
    if (run.iterations == 0) continue;
    times.push_back(run.real_accumulated_time / static_cast<double>(run.iterations) * 1e9);
  }
  Measured m{.what = &cases_[rows_.size()], .error = error_};
  error_.clear();
  if (m.error.empty() && times.empty()) m.error = "no run";
  if (m.error.empty()) {
    std::sort(times.begin(), times.end());
    m.best_ns = times.front();
    m.ns = times[times.size() / 2];
  }
  failed_ = failed_ || !m.error.empty();
  rows_.push_back(m);
  print(m);
  show_progress();
}

void Report::print(const Measured& m) const {
  if (progress_) fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  const std::string name = m.what->name();
  if (!m.error.empty()) {
    fmt::print("{:<44} failed: {}\n", name, m.error);
  } else if (m.what->flops > 0) {
    fmt::print("{:<44} {:>12} {:>10} {:>8}  {:.1f} GFLOP/s\n", name, time_text(m.ns), "", "",
               m.what->flops / m.ns);
  } else if (m.what->bytes < kWorthARate) {
    fmt::print("{:<44} {:>12}\n", name, time_text(m.ns));
  } else {
    fmt::print("{:<44} {:>12} {:>10.1f} {:>7.0f}%\n", name, time_text(m.ns), m.gbps(),
               100 * m.gbps() / rates_.copy());
  }
  std::fflush(stdout);
}

void Report::Finalize() {
  if (progress_) fmt::print(stderr, "\r\033[K");
}

void print_rates(const Rates& rates) {
  fmt::print("{:<44} {:>10} {:>10}\n", "memory, GB/s (bytes read + written)",
             fmt::format("{} thread", rates.one.threads),
             fmt::format("{} threads", rates.all.threads));
  const auto line = [&](const char* what, double Rate::*rate) {
    fmt::print("  {:<42} {:>10.1f} {:>10.1f}\n", what, rates.one.*rate, rates.all.*rate);
  };
  line("write, streaming stores", &Rate::write);
  line("copy", &Rate::copy);
  line("c = a + b, streaming stores", &Rate::add);
  line("read", &Rate::read);
  std::fflush(stdout);
}

void write_json(const std::string& path, const Rates& rates, const std::vector<Measured>& rows) {
  nlohmann::ordered_json out;
  out["machine"] = {{"processor", processor()}, {"threads", get_num_threads()}};
  out["rates"] = {{"one", rate_json(rates.one)}, {"all", rate_json(rates.all)}};
  out["rates"]["copy"] = rates.copy();
  out["rates"]["read"] = rates.read();
  out["rates"]["streaming"] = rates.streaming();
  out["rows"] = nlohmann::ordered_json::array();
  for (const Measured& m : rows) {
    const Case& c = *m.what;
    nlohmann::ordered_json row{{"name", c.name()},
                               {"op", c.op},
                               {"form", c.form},
                               {"dtype", std::string(tandem::name(c.dtype))},
                               {"shape", std::vector<std::int64_t>(c.shape.begin(), c.shape.end())},
                               {"inputs", c.inputs},
                               {"domain", {c.domain.lo, c.domain.hi}}};
    if (!c.extra.empty()) row["extra"] = c.extra;
    if (m.error.empty()) {
      row["ns"] = m.ns;
      row["best_ns"] = m.best_ns;
      row["bytes"] = c.bytes;
      if (c.bytes >= kWorthARate) row["gbps"] = m.gbps();
      if (c.bytes >= kWorthARate) row["of_copy"] = m.gbps() / rates.copy();
      if (c.flops > 0) row["gflops"] = c.flops / m.ns;
    } else {
      row["error"] = m.error;
    }
    out["rows"].push_back(std::move(row));
  }
  const std::string part = path + ".part";
  std::ofstream file(part);
  file << out.dump(1) << '\n';
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(part, path, error);
  if (!file || error) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    throw FileError(fmt::format("expected to write {}, got: {}", path,
                                error ? error.message() : "no such folder, or no space"));
  }
}

}  // namespace tandem::perf
