// `tandem luma`: the luma of a photograph three ways, by named dimensions, on either backend.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "tandem/io.h"
#include "tandem/memory.h"
#include "tandem/ops.h"
#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string photo;
  std::vector<std::string> outputs;
  std::string device;
  int stack = -1;
};

constexpr double kStackPixels = 64e6;
constexpr int kRepeats = 3;
constexpr int kMostPictures = 100'000;
// Luma of gamma-encoded R, G, B after Recommendation ITU-R BT.709.
constexpr float kWeights[] = {0.2126f, 0.7152f, 0.0722f};

/// Runs stages on a device, and prints a line for each.
class Stages {
 public:
  Stages(Device device, int steps) : device_(device), progress_(steps) {}

  /// Runs `f` (the best of `repeats` runs counts) on `where`; `bytes` is what it must read and
  /// write at least.
  template <class F>
  auto run(const std::string& what, Device where, double bytes, F&& f, int repeats = 1) {
    progress_.next(what);
    decltype(f()) result;
    double best = 0;
    for (int i = 0; i < repeats; ++i) {
      result = {};  // so that a repeat finds the memory of the run before in the pool
      const auto begin = std::chrono::steady_clock::now();
      result = f();
      if (!device_.is_cpu()) synchronize(device_);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      best = i == 0 ? took.count() : std::min(best, took.count());
    }
    progress_.clear();
    const MemoryStats m = memory_stats(device_);
    const double rate = best > 0 ? bytes / best / 1e9 : 0;
    fmt::print("{:<26} {:<7} {:>9.2f} {:>8.3g}  {:>8} {:>8} {:>8}  {}/{}\n", what, where.str(),
               best * 1e3, rate, bytes_text(static_cast<double>(m.allocated.current)),
               bytes_text(static_cast<double>(m.allocated.peak)),
               bytes_text(static_cast<double>(m.reserved.current)), m.cache_hits, m.allocations);
    std::fflush(stdout);
    return result;
  }

  void heading(const std::string& text) {
    progress_.clear();
    fmt::print("{}\n{:<26} {:<7} {:>9} {:>8}  {:>8} {:>8} {:>8}  {}\n", text, "stage", "device",
               "ms", "GB/s", "live", "peak", "pool", "from cache");
  }
  Device device() const { return device_; }

 private:
  Device device_;
  Progress progress_;
};

struct Lumas {
  Tensor mean, weighted, contracted;
};

double pixels_of(const Tensor& pictures) {
  const std::int64_t n = pictures.numel() / 3;  // channels
  return static_cast<double>(n);
}

/// `batch`: ... x channels x rows x columns. The three ways of the main job.
Lumas luma_three_ways(Stages& s, const Tensor& batch, const Tensor& weights, int repeats) {
  const double n = pixels_of(batch) * sizeof(float);  // bytes of a plane
  Lumas out;
  out.mean = s.run(
      "mean of the channels", s.device(), 4 * n, [&] { return batch.mean("channels"); }, repeats);
  out.weighted = s.run(
      "weights aligned by name", s.device(), 10 * n,
      [&] { return (batch * weights.align_as(batch)).sum("channels"); }, repeats);
  out.contracted = s.run(
      "einsum ...chw,c->...hw", s.device(), 4 * n,
      [&] {
        return einsum("...chw,c->...hw", {batch, weights});
      },
      repeats);
  return out;
}

void report_difference(const Lumas& l) {
  const auto far = [](const Tensor& a, const Tensor& b) {
    return a.sub(b).abs().amax().item<double>();
  };
  fmt::print("largest difference: weights to einsum {:.3g}, weights to mean {:.3g}\n",
             far(l.weighted, l.contracted), far(l.weighted, l.mean));
  if (!allclose(l.weighted, l.contracted, 0, 1e-6)) {
    throw Error(
        "[luma] expected the weighted sum and einsum to agree within 1e-6, got a larger "
        "difference");
  }
}

enum class Kind { Picture, Hdf5 };

Kind kind_of(const std::string& path) {
  std::string end = fs::path(path).extension();
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (end == ".png" || end == ".jpg" || end == ".jpeg") return Kind::Picture;
  if (end == ".h5" || end == ".hdf5") return Kind::Hdf5;
  throw BadInput("expected -o to end in .png, .jpg, .h5 or .hdf5, got '" + path + "'");
}

/// One name for a file, however its path is written.
fs::path place_of(const std::string& path) {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(path, error);
  return error ? fs::path(path) : place;
}

/// What can be known to fail is found before any work.
void check_outputs(const Options& o) {
  for (std::size_t i = 0; i < o.outputs.size(); ++i) {
    const std::string& path = o.outputs[i];
    kind_of(path);
    std::error_code error;
    const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : ".";
    if (!fs::is_directory(folder, error)) {
      throw BadInput("expected -o to be in a folder that exists, got '" + path + "'");
    }
    if (fs::equivalent(path, o.photo, error)) {
      throw BadInput("expected -o to be another file than the photograph, got '" + path + "'");
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (place_of(o.outputs[k]) == place_of(path)) {
        throw BadInput("expected each -o to be another file, got '" + path + "' twice");
      }
    }
  }
}

Device choose_device(const std::string& text) {
  if (text.empty()) return is_available(DeviceKind::CUDA) ? Device(DeviceKind::CUDA, 0) : kCPU;
  Device d(text);
  if (d.is_cpu() && d.index <= 0) return kCPU;
  if (!d.is_cuda()) throw BadInput("expected --device to be cpu or cuda, got '" + text + "'");
  if (d.index < 0) d.index = 0;
  if (d.index >= device_count(DeviceKind::CUDA)) {
    throw BadInput("expected --device to be usable, got '" + text +
                   "': " + device_status(DeviceKind::CUDA));
  }
  return d;
}

Tensor read_photo(Stages& s, const Options& o) {
  std::error_code error;
  const auto bytes = fs::file_size(o.photo, error);
  const Tensor photo = s.run("read the photograph", kCPU, error ? 0 : static_cast<double>(bytes),
                             [&] { return io::read_image(o.photo); });
  const Tensor rgb = photo.slice("channels", 0, 3);
  if (rgb.size("channels") != 3) {
    throw BadInput(fmt::format("expected PHOTO to be in colour, got '{}' with {} channels", o.photo,
                               photo.size("channels")));
  }
  return rgb;
}

/// Planes of float32 from 0 to 1.
Tensor to_planes(Stages& s, const Tensor& photo) {
  const Tensor here =
      s.device().is_cpu()
          ? photo
          : s.run("copy to the device", s.device(), static_cast<double>(photo.nbytes()),
                  [&] { return photo.contiguous().to(s.device()); });
  const double full = photo.dtype() == DType::uint8 ? 255.0 : 65535.0;
  const auto bytes = static_cast<double>(photo.nbytes() + 3 * sizeof(float) * photo.numel());
  return s.run("to planes of float32", s.device(), bytes, [&] {
    Tensor planes = here.align_to({"channels", "rows", "columns"}).to(DType::float32).contiguous();
    planes.div_(full);
    return planes;
  });
}

void write_outputs(Stages& s, const Options& o, const Lumas& l, const Tensor& weights) {
  for (const std::string& path : o.outputs) {
    const bool picture = kind_of(path) == Kind::Picture;
    const double bytes =
        static_cast<double>(l.contracted.numel()) * (picture ? 1 : 2 * sizeof(float));
    s.run("write " + fs::path(path).filename().string(), kCPU, bytes, [&] {
      if (picture) {
        const Tensor grey = l.contracted.mul(255).round().clamp(0, 255).to(DType::uint8);
        io::write_image(path, grey.cpu());
      } else {
        io::save_hdf5(path, {{"luma", l.contracted}, {"mean", l.mean}, {"weights", weights}});
      }
      return 0;
    });
  }
}

void run_stack(Stages& s, const Tensor& planes, const Tensor& weights, const Tensor& expected,
               int count) {
  s.heading(fmt::format("\na stack of {} ({:.1f} megapixels), best of {} runs", count,
                        pixels_of(planes) * count / 1e6, kRepeats));
  const Tensor batch =
      s.run("stack", s.device(), 2.0 * count * static_cast<double>(planes.nbytes()), [&] {
        return stack(std::vector<Tensor>(static_cast<std::size_t>(count), planes))
            .refine_names({"pictures", "..."});
      });
  const Lumas l = luma_three_ways(s, batch, weights, kRepeats);
  report_difference(l);
  for (int i = 0; i < count; ++i) {
    if (!equal(l.contracted.select(0, i).rename(std::nullopt), expected.rename(std::nullopt))) {
      throw Error("[luma] expected every picture of the stack to have the bits of the single one");
    }
  }
  fmt::print("every picture of the stack has the bits of the single one\n");
}

void run(const Options& o) {
  if (o.stack < -1 || o.stack > kMostPictures) {
    throw BadInput(fmt::format("expected --stack from 0 to {}, got {}", kMostPictures, o.stack));
  }
  check_outputs(o);
  const Device device = choose_device(o.device);
  const int steps = 6 + static_cast<int>(o.outputs.size()) + (o.stack == 0 ? 0 : 4);
  Stages s(device, steps);
  s.heading(o.photo);
  const Tensor photo = read_photo(s, o);
  const double pixels = pixels_of(photo);
  const Tensor planes = to_planes(s, photo);
  Tensor weights = empty({3}, {.dtype = DType::float32, .names = {"channels"}});
  std::copy(std::begin(kWeights), std::end(kWeights), weights.data<float>());
  weights = weights.to(device);
  const Lumas l = luma_three_ways(s, planes, weights, 1);
  fmt::print("{:.1f} megapixels, names {} to {}\n", pixels / 1e6, str(planes.names()),
             str(l.weighted.names()));
  report_difference(l);
  write_outputs(s, o, l, weights);
  const int count = o.stack >= 0 ? o.stack : static_cast<int>(std::ceil(kStackPixels / pixels));
  if (count > 0) run_stack(s, planes, weights, l.contracted, count);
}

}  // namespace

void add_luma(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "luma", "Compute a photograph's luma three ways and write it as a grey picture and as HDF5");
  sub->add_option("PHOTO", o->photo, "A colour PNG or JPEG")->required();
  sub->add_option("-o,--output", o->outputs, "OUT.png, OUT.jpg or OUT.h5; may be given again")
      ->required()
      ->allow_extra_args(false);
  sub->add_option("--device", o->device, "cpu, cuda or cuda:1; the GPU where there is one");
  sub->add_option(
      "--stack", o->stack,
      "Pictures in the stack that is timed; at least 64 megapixels unless given, 0: none");
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
