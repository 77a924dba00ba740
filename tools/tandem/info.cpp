// `tandem info`: backends, devices, threads, libraries.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tandem/about.h"
#include "tandem/fft_provider.h"
#include "tandem/memory.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

void run(bool json) {
  const bool cuda = is_available(DeviceKind::CUDA);
  if (json) {
    fmt::print("{}\n", nlohmann::json{{"version", version()},
                                      {"processor", processor()},
                                      {"threads", get_num_threads()},
                                      {"simd", simd_level()},
                                      {"simd_levels", simd_levels()},
                                      {"cuda", cuda},
                                      {"cuda_devices", device_count(DeviceKind::CUDA)},
                                      {"cuda_status", device_status(DeviceKind::CUDA)},
                                      {"ops", op_rows().size()},
                                      {"fft", fft::provider()},
                                      {"fft_reason", fft::provider_reason()},
                                      {"fft_cuda", cuda ? fft::provider(kCUDA) : ""},
                                      {"fft_cuda_reason", cuda ? fft::provider_reason(kCUDA) : ""},
                                      {"libraries", library_versions()}}
                           .dump(1));
    return;
  }
  const auto line = [](const std::string& what, const std::string& value) {
    fmt::print("{:<10} {}\n", what, value);
  };
  line("tandem", std::string(version()) + ", " + std::to_string(op_rows().size()) + " ops");
  line("cpu", fmt::format("in use: {}, {} threads, SIMD level {} (built: {})", processor(),
                          get_num_threads(), simd_level(), joined(simd_levels())));
  line("cuda", (cuda ? "in use: " : "not in use: ") + device_status(DeviceKind::CUDA));
  for (int i = 0; i < device_count(DeviceKind::CUDA); ++i) {
    const MemoryStats m = memory_stats(Device(DeviceKind::CUDA, i));
    line(fmt::format("cuda:{}", i),
         "pool holds " + bytes_text(static_cast<double>(m.reserved.current)));
  }
  line("default", cuda ? "tandem luma runs on cuda:0" : "tandem luma runs on the cpu");
  line("fft", fmt::format("{}: {}", fft::provider(), fft::provider_reason()));
  if (cuda)
    line("fft cuda", fmt::format("{}: {}", fft::provider(kCUDA), fft::provider_reason(kCUDA)));
  line("libraries", joined(library_versions()));
}

}  // namespace

void add_info(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand(
      "info", "Show backends, devices, why CUDA is or is not in use, threads and libraries");
  sub->add_flag("--json", *json, "As JSON");
  sub->callback([json] { run(*json); });
}

}  // namespace tandem::command
