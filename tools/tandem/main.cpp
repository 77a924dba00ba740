// The `tandem` command: parses the arguments, runs a subcommand, turns errors into one line.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "tandem/error.h"
#include "tools/tandem/commands.h"

namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;

int complain(std::string what, int status) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  std::fprintf(stderr, "tandem: %s\n", what.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tandem;
  // A file that grows over its limit is an error to report, not a signal to die of.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app("Tandem: tensors with the same bits on NVIDIA GPUs and CPUs.", "tandem");
  app.set_version_flag("--version", "tandem " TANDEM_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& e) { return std::string(e.what()); });
  command::add_info(app);
  command::add_show(app);
  command::add_luma(app);
  command::add_ops(app);
  command::add_bench(app);
  command::add_memory(app);
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0) return complain("expected to write to standard output", kFailed);
    return 0;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      return complain(
          "expected a subcommand, got '" + std::string(argv[1]) + "' (see tandem --help)",
          kBadInput);
    }
    return complain(std::string(e.what()) + " (see tandem --help)", kBadInput);
  } catch (const command::BadInput& e) {
    return complain(e.what(), kBadInput);
  } catch (const OutOfMemory& e) {
    return complain(e.what(), kFailed);
  } catch (const DeviceError& e) {
    return complain(e.what(), kFailed);
  } catch (const Error& e) {
    return complain(e.what(), kBadInput);
  } catch (const std::exception& e) {
    return complain(e.what(), kFailed);
  }
}
