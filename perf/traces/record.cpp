// Records what programs allocate, without running them: their shapes go through the meta device.
//
//   record_traces FOLDER           writes the traces
//   record_traces FOLDER --check   whether the files there are what would be written
//
// A trace is lines of text, one an event; allocations count from the first line's on:
//   a BYTES        an allocation on the current stream
//   f BACK         the end of the allocation so many before the newest (0: the newest)
//   s STREAM       the current stream from here on; 0 at first
//   u BACK         work of the current stream uses an allocation of another
//   w LATER EARLIER   a stream waits for what another has queued
//   h              the host waits for the device
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <unordered_map>

#include "perf/traces/programs.h"
#include "runtime/tensor/storage_observer.h"

namespace tandem::traces {
namespace {

/// The trace that is being recorded; on one thread.
struct Recording {
  std::string text;
  std::unordered_map<const void*, std::size_t> live;  // their numbers
  std::size_t allocations = 0;
  unsigned stream = 0;

  std::size_t back(const void* storage) const { return allocations - 1 - live.at(storage); }
};
Recording* t_recording = nullptr;

constexpr detail::StorageObserver kObserver{[](const void* storage, std::size_t bytes) {
                                              if (bytes == 0) return;  // takes no memory
                                              Recording& r = *t_recording;
                                              r.live[storage] = r.allocations++;
                                              r.text += fmt::format("a {}\n", bytes);
                                            },
                                            [](const void* storage) {
                                              Recording& r = *t_recording;
                                              if (r.live.count(storage) == 0) return;
                                              r.text += fmt::format("f {}\n", r.back(storage));
                                              r.live.erase(storage);
                                            }};

std::string record(const Program& program) {
  Recording recording;
  recording.text = fmt::format("# {}: {}\n", program.name, program.about);
  t_recording = &recording;
  detail::observe_meta_storages(&kObserver);
  try {
    program.run();
  } catch (...) {
    detail::observe_meta_storages(nullptr);
    throw;
  }
  detail::observe_meta_storages(nullptr);
  if (!recording.live.empty())
    throw ValueError(fmt::format("[record_traces] expected {} to drop its tensors, got {} left",
                                 program.name, recording.live.size()));
  return recording.text;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run(const std::string& folder, bool check) {
  int wrong = 0;
  for (const Program& p : programs()) {
    const std::string path = folder + "/" + p.name + ".trace", text = record(p);
    if (check) {
      if (contents(path) == text) continue;
      fmt::print(stderr, "{}: not what record_traces writes\n", path);
      ++wrong;
      continue;
    }
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw FileError(fmt::format("[record_traces] cannot write {}", path));
    fmt::print("{}: {} bytes\n", path, text.size());
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

void on_stream(unsigned stream) {
  if (stream == t_recording->stream) return;
  t_recording->stream = stream;
  t_recording->text += fmt::format("s {}\n", stream);
}

void uses(const Tensor& x) {
  t_recording->text += fmt::format("u {}\n", t_recording->back(x.storage().id()));
}

void waits(unsigned later, unsigned earlier) {
  t_recording->text += fmt::format("w {} {}\n", later, earlier);
}

void host_waits() { t_recording->text += "h\n"; }

std::span<const Program> programs() {
  static constexpr Program kAll[] = {
      {"transformer_training", "two steps of a decoder of 12 layers, with saved activations",
       transformer_training},
      {"transformer_inference", "tokens one by one, with a cache of keys and values that grows",
       transformer_inference},
      {"cnn_training", "a residual network of 50 layers: two training steps and a validation batch",
       cnn_training},
      {"dataframe", "filters, group-bys, joins and sorts of frames of some million rows",
       dataframe},
      {"variable_batches", "requests of varying number and length, inputs on a stream of their own",
       variable_batches},
      {"library_workspaces", "solvers, transforms, sorts and products with their workspaces",
       library_workspaces},
      {"pictures", "pictures of many sizes through three streams", pictures},
  };
  return kAll;
}

}  // namespace tandem::traces

int main(int argc, char** argv) {
  try {
    const bool check = argc == 3 && std::strcmp(argv[2], "--check") == 0;
    if (argc == 2 || check) return tandem::traces::run(argv[1], check);
    std::fprintf(stderr, "usage: record_traces FOLDER [--check]\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "record_traces: %s\n", e.what());
  }
  return 2;
}
