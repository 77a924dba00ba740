// A pipeline in C++: batches of images from the program's own buffer to probabilities in another.
// It runs on a GPU where there is one, captured once as a graph and replayed for every batch, and
// on the CPU where there is none; on a stream of its own, with the host's pool over an allocator of
// its own; and waits for nothing but that stream, once a batch. pipeline.c is the same in C.
#include <tandem/graph.h>
#include <tandem/memory.h>
#include <tandem/tandem.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace td = tandem;

namespace {

constexpr std::int64_t kBatches = 4, kImages = 8, kChannels = 3, kRows = 32, kColumns = 48;
constexpr std::int64_t kClasses = 10;

constexpr float kMean[kChannels] = {123.7F, 116.3F, 103.5F};
constexpr float kScale[kChannels] = {58.4F, 57.1F, 57.4F};
constexpr float kWeight[kChannels] = {0.299F, 0.587F, 0.114F};

/// Where the program wants its host memory to come from; here the C library, counted.
class CountedMemory : public td::MemoryResource {
 public:
  void* allocate(std::size_t bytes, std::size_t align, void*) override {
    void* p = std::aligned_alloc(align, (bytes + align - 1) / align * align);
    if (p != nullptr) ++taken_;
    return p;
  }
  void deallocate(void* p, std::size_t, std::size_t, void*) override {
    std::free(p);
    ++returned_;
  }
  long taken() const { return taken_; }
  long returned() const { return returned_; }

 private:
  long taken_ = 0, returned_ = 0;
};

/// What the program has before Tandem is there.
struct Buffers {
  std::vector<std::uint8_t> frames =
      std::vector<std::uint8_t>(kImages * kChannels * kRows * kColumns);
  std::vector<float> probabilities = std::vector<float>(kImages * kClasses);
  std::vector<float> classes = std::vector<float>(kRows * kClasses);
  int lent = 0;  // to tensors

  Buffers() {
    for (std::size_t i = 0; i < classes.size(); ++i)
      classes[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11) / 8;
  }
  void fill(std::uint32_t batch) {
    std::uint32_t state = batch * 2654435761U + 1;
    for (std::uint8_t& pixel : frames) {
      state = state * 1664525U + 1013904223U;
      pixel = static_cast<std::uint8_t>(state >> 24);
    }
  }
  /// Memory of the program as a tensor, without a copy.
  template <class T>
  td::Tensor lend(const T* data, td::IntSpan shape) {
    ++lent;
    return td::from_blob(const_cast<T*>(data), shape, td::dtype_of<T>, {},
                         [this](void*) { --lent; });
  }
};

class Pipeline {
 public:
  Pipeline(Buffers& buffers, td::Device device)
      : stream_(td::Stream::create(device)),
        in_(buffers.lend(buffers.frames.data(), {kImages, kChannels, kRows, kColumns})),
        out_(buffers.lend(buffers.probabilities.data(), {kImages, kClasses})) {
    const td::StreamGuard guard(stream_);
    const auto constant = [&](const float* data, td::IntSpan shape) {
      return buffers.lend(data, shape).to(stream_.device(), {}, true);
    };
    mean_ = constant(kMean, {kChannels, 1, 1});
    scale_ = constant(kScale, {kChannels, 1, 1});
    weight_ = constant(kWeight, {kChannels, 1, 1});
    classes_ = constant(buffers.classes.data(), {kRows, kClasses});
    pixels_ = td::empty(in_.shape(), {.dtype = td::DType::uint8, .device = stream_.device()});
    if (stream_.device().is_cuda())
      graph_ = td::Graph::capture(stream_, [this] { result_ = scores(pixels_); });
  }

  /// Queues the work of one batch; nothing here waits for the device.
  void queue() {
    const td::StreamGuard guard(stream_);
    pixels_.copy_(in_, true);
    if (graph_.defined()) {
      graph_.replay();  // from the same pixels_ to the same result_
    } else {
      result_ = scores(pixels_);
    }
    out_.copy_(result_, true);
  }
  /// The only wait.
  void finish() const { stream_.synchronize(); }

 private:
  td::Tensor scores(const td::Tensor& pixels) const {
    td::Tensor x = pixels.to(td::DType::float32);
    x.sub_(mean_).div_(scale_);
    td::clamp_out(x, x, -2, 2);
    const td::Tensor plane = (x * weight_).sum(1);
    return plane.mean(-1).matmul(classes_).softmax(-1);
  }

  td::Stream stream_;
  td::Tensor in_, out_;
  td::Tensor pixels_, result_;
  td::Tensor mean_, scale_, weight_, classes_;
  td::Graph graph_;
};

double feature(const Buffers& b, std::int64_t image, std::int64_t row) {
  double sum = 0;
  for (std::int64_t c = 0; c < kChannels; ++c) {
    for (std::int64_t column = 0; column < kColumns; ++column) {
      const std::int64_t i = ((image * kChannels + c) * kRows + row) * kColumns + column;
      const double x = (b.frames[static_cast<std::size_t>(i)] - kMean[c]) / kScale[c];
      sum += std::clamp(x, -2.0, 2.0) * kWeight[c];
    }
  }
  return sum / static_cast<double>(kColumns);
}

/// Against the same arithmetic in loops of doubles.
double worst_difference(const Buffers& b) {
  double worst = 0;
  for (std::int64_t image = 0; image < kImages; ++image) {
    std::vector<double> score(kClasses);
    for (std::int64_t row = 0; row < kRows; ++row) {
      const double f = feature(b, image, row);
      for (std::int64_t c = 0; c < kClasses; ++c)
        score[static_cast<std::size_t>(c)] +=
            f * b.classes[static_cast<std::size_t>(row * kClasses + c)];
    }
    double total = 0;
    for (const double s : score) total += std::exp(s);
    for (std::int64_t c = 0; c < kClasses; ++c) {
      const double got = b.probabilities[static_cast<std::size_t>(image * kClasses + c)];
      worst = std::max(worst, std::abs(std::exp(score[static_cast<std::size_t>(c)]) / total - got));
    }
  }
  return worst;
}

/// Runs the batches; whether every result was right and no batch but the first took memory.
bool run(Buffers& buffers, td::Device device) {
  Pipeline pipeline(buffers, device);
  double worst = 0;
  std::size_t first = 0;
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    buffers.fill(batch);
    pipeline.queue();
    pipeline.finish();
    worst = std::max(worst, worst_difference(buffers));
    if (batch == 0) first = td::memory_stats(device).reserved.current;
  }
  const std::size_t last = td::memory_stats(device).reserved.current;
  std::printf("largest difference %.2g, reserved %zu bytes then %zu\n", worst, first, last);
  return worst < 1e-5 && first == last;
}

}  // namespace

int main() {
  CountedMemory memory;
  td::set_memory_resource(td::kCPU, &memory);
  const bool gpu = td::is_available(td::kCUDA.kind);
  const td::Device device = gpu ? td::kCUDA : td::kCPU;
  std::printf("on %s (%s)\n", device.str().c_str(), td::device_status(td::kCUDA.kind).c_str());
  bool right = false;
  Buffers buffers;
  try {
    right = run(buffers, device);
  } catch (const td::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
  td::empty_cache(td::kCPU);
  td::set_memory_resource(td::kCPU, nullptr);
  std::printf("buffers still lent %d, segments taken %ld, returned %ld\n", buffers.lent,
              memory.taken(), memory.returned());
  const bool whole = memory.taken() == memory.returned() && (gpu || memory.taken() > 0);
  return right && buffers.lent == 0 && whole ? 0 : 1;
}
