// Prints a row a benchmark while they run, and writes everything to a JSON file at the end.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "perf/cases.h"
#include "perf/device.h"
#include "perf/overhead.h"
#include "perf/rates.h"

namespace tandem::perf {

struct Measured {
  const Case* what;
  double ns = 0;         // a call: median of the repetitions
  double best_ns = 0;    // the fastest repetition
  double queued_ns = 0;  // on a device: until the call has queued its work, likewise the median
  std::string error;     // empty, or why there is no time

  double gbps() const { return ns > 0 ? what->bytes / ns : 0; }
};

/// What rows are held against: plain loops in the host's memory, or the device's driver.
struct Yardstick {
  Rates host{};
  DeviceRates device{};
  Overhead pool{};  // of the host; zeros where it was not measured
  double copy() const { return place().on_device() ? device.copy : host.copy(); }
};

class Report : public benchmark::BenchmarkReporter {
 public:
  /// The cases are run in this order; `progress` shows the next one on stderr.
  Report(const std::vector<Case>& cases, const Yardstick& rates, bool progress);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

  /// The error of the case that is running: its time is not reported.
  void note_error(const std::string& what) { error_ = what; }
  bool failed() const { return failed_; }
  const std::vector<Measured>& rows() const { return rows_; }

 private:
  void show_progress() const;
  void print(const Measured& m) const;

  const std::vector<Case>& cases_;
  Yardstick rates_;
  bool progress_;
  bool failed_ = false;
  std::string error_;
  std::vector<Measured> rows_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void print_rates(const Yardstick& rates);
void print_overhead(const Overhead& overhead);

/// Rates and rows as JSON; a failed write leaves the old file. Raises FileError.
void write_json(const std::string& path, const Yardstick& rates, const std::vector<Measured>& rows);

}  // namespace tandem::perf
