// The subcommands of `tandem`: each adds itself to the parser with the function it runs.
#pragma once

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>

#include "tandem/device.h"

namespace tandem::command {

/// What the user asked for cannot be: printed in one line, exit status 2.
class BadInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void add_info(CLI::App& app);
void add_show(CLI::App& app);
void add_luma(CLI::App& app);
void add_ops(CLI::App& app);
void add_bench(CLI::App& app);
void add_memory(CLI::App& app);

/// "1.50 GB": powers of 1000, three digits.
std::string bytes_text(double bytes);

/// A bar on standard error where that is a terminal, else nothing.
class Progress {
 public:
  explicit Progress(int steps);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Begins the next step.
  void next(const std::string& what);
  /// Takes the bar away, before something else is printed.
  void clear();

 private:
  int steps_;
  int at_ = 0;
  bool shown_;
};

}  // namespace tandem::command
