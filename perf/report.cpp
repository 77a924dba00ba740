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

nlohmann::ordered_json machine_json() {
  nlohmann::ordered_json out{{"processor", processor()},
                             {"threads", get_num_threads()},
                             {"transforms", fft::provider(place().device)}};
  const Place& p = place();
  if (!p.on_device()) return out;
  out["device"] = {{"name", p.device.str()},
                   {"model", model_of(p.device)},
                   {"status", device_status(p.device.kind)},
                   {"driver", driver_version()},
                   {"batch", p.batch}};
  return out;
}

nlohmann::ordered_json rates_json(const Yardstick& all) {
  if (place().on_device()) {
    const DeviceRates& r = all.device;
    return {{"write", r.write}, {"copy", r.copy}, {"launch_ns", r.launch_ns}};
  }
  const Rates& rates = all.host;
  nlohmann::ordered_json out{{"one", rate_json(rates.one)}, {"all", rate_json(rates.all)}};
  out["copy"] = rates.copy();
  out["read"] = rates.read();
  out["streaming"] = rates.streaming();
  if (all.pool.mixed > 0) out["pool_overhead"] = all.pool.mixed;
  if (all.pool.small > 0) out["pool_overhead_small"] = all.pool.small;
  return out;
}

void print_device_rates(const DeviceRates& r) {
  const Place& p = place();
  fmt::print("{}: {} ({})\n", p.device.str(), model_of(p.device), device_status(p.device.kind));
  fmt::print("memory by the driver's own commands, GB/s (bytes read + written)\n");
  fmt::print("  {:<42} {:>10.1f}\n", "write", r.write);
  fmt::print("  {:<42} {:>10.1f}\n", "copy", r.copy);
  fmt::print("  {:<42} {:>10}\n", "queueing the smallest of them", time_text(r.launch_ns));
  std::fflush(stdout);
}

}  // namespace

Report::Report(const std::vector<Case>& cases, const Yardstick& rates, bool progress)
    : cases_(cases), rates_(rates), progress_(progress) {}

bool Report::ReportContext(const Context&) {
  fmt::print("\n{:<44} {:>12} {:>10} {:>8}{}\n", "benchmark", "time", "GB/s", "of copy",
             place().on_device() ? "    queueing" : "");
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
  std::vector<double> times, queued;
  for (const Run& run : runs) {
    if (run.iterations == 0) continue;
    const auto counter = run.counters.find(kQueued);
    if (counter != run.counters.end()) queued.push_back(counter->second.value);
    times.push_back(run.real_accumulated_time / static_cast<double>(run.iterations) * 1e9);
  }
  Measured m{.what = &cases_[rows_.size()], .error = error_};
  error_.clear();
  if (m.error.empty() && times.empty()) m.error = "no run";
  if (m.error.empty()) {
    std::sort(times.begin(), times.end());
    m.best_ns = times.front();
    m.ns = times[times.size() / 2];
    std::sort(queued.begin(), queued.end());
    if (!queued.empty()) m.queued_ns = queued[queued.size() / 2];
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
  const std::string queued = m.queued_ns > 0 ? fmt::format(" {:>11}", time_text(m.queued_ns)) : "";
  if (!m.error.empty()) {
    fmt::print("{:<44} failed: {}\n", name, m.error);
  } else if (m.what->flops > 0) {
    fmt::print("{:<44} {:>12} {:>10} {:>8}  {:.1f} GFLOP/s\n", name, time_text(m.ns), "", queued,
               m.what->flops / m.ns);
  } else if (m.what->bytes < kWorthARate) {
    fmt::print("{:<44} {:>12}{:{}}{}\n", name, time_text(m.ns), "", queued.empty() ? 0 : 20,
               queued);
  } else {
    fmt::print("{:<44} {:>12} {:>10.1f} {:>7.0f}%{}\n", name, time_text(m.ns), m.gbps(),
               100 * m.gbps() / rates_.copy(), queued);
  }
  std::fflush(stdout);
}

void Report::Finalize() {
  if (progress_) fmt::print(stderr, "\r\033[K");
}

void print_rates(const Yardstick& all) {
  if (place().on_device()) return print_device_rates(all.device);
  const Rates& rates = all.host;
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

void print_overhead(const Overhead& o) {
  if (o.mixed <= 0) return;
  fmt::print("resident beside the blocks of the host's pool\n");
  fmt::print("  {:<42} {:>9.1f}%\n", "blocks of 64 bytes to 4 MiB", 100 * o.mixed);
  fmt::print("  {:<42} {:>9.1f}%\n", "blocks of 1 KiB", 100 * o.small);
  std::fflush(stdout);
}

void write_json(const std::string& path, const Yardstick& rates,
                const std::vector<Measured>& rows) {
  nlohmann::ordered_json out;
  out["machine"] = machine_json();
  out["rates"] = rates_json(rates);
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
      if (m.queued_ns > 0) row["queued_ns"] = m.queued_ns;
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
