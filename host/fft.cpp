// Runs the passes of the built-in Fourier transform on the host: blocks of neighbouring transforms,
// spread over threads. The arithmetic is in isa/fft.cpp.
#include "host/fft.h"

#include <cstdlib>
#include <memory>
#include <new>

#include "host/parallel.h"
#include "host/registry.h"

namespace tandem::host {

namespace {

/// Memory of the thread for one block, which grows to the largest that it had.
void* block_memory(std::size_t bytes) {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  thread_local std::unique_ptr<void, Free> memory;
  thread_local std::size_t size = 0;
  if (size < bytes) {
    memory.reset();
    size = 0;
    memory.reset(std::aligned_alloc(64, bytes));
    if (!memory) throw std::bad_alloc();
    size = bytes;
  }
  return memory.get();
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

int index_of(DType dtype) { return dtype == DType::complex64 ? 0 : 1; }

/// Elements that are worth a thread.
constexpr std::int64_t kPerThread = 8192;

}  // namespace

void launch_fft_pass(const void* desc, const void* self) {
  const auto& l = *static_cast<const FftPassLaunch*>(desc);
  const auto& level = *static_cast<const FftLevel*>(self);
  const auto run = level.pass[index_of(l.dtype)];
  const auto run_short = level.short_rows->run[index_of(l.dtype)];
  const std::int64_t lanes = fft_lanes(l.dtype);
  const std::int64_t in_row = fft_of_row(l);
  const std::int64_t of_row = ceil_div(in_row, lanes);
  const std::int64_t blocks = in_row == 1 ? ceil_div(l.rows, lanes) : l.rows * of_row;
  const auto part = static_cast<std::int64_t>(element_size(l.dtype)) / 2;
  const auto bytes = static_cast<std::size_t>(4 * fft_plane_size(l, lanes, part) * part);
  const std::int64_t grain = ceil_div(kPerThread, l.m * lanes);
  parallel_for(blocks, grain, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t whole = in_row == 1 ? std::min(last, l.rows / lanes) : first;
    if (first < whole && run_short(l, first, whole)) first = whole;
    void* scratch = first < last ? block_memory(bytes) : nullptr;
    for (std::int64_t i = first; i < last; ++i) {
      FftBlock b{i * lanes, 0, std::min(lanes, l.rows - i * lanes)};
      if (in_row > 1) {
        b.row = i / of_row;
        b.u = i % of_row * lanes;
        b.count = std::min(lanes, in_row - b.u);
      }
      run(l, b, scratch);
    }
  });
}

void launch_fft_half(const void* desc, const void* self) {
  const auto& l = *static_cast<const FftHalfLaunch*>(desc);
  const auto run = static_cast<const FftLevel*>(self)->half[index_of(l.dtype)];
  const std::int64_t bins = l.pack ? l.h : l.h + 1;
  const std::int64_t grain = ceil_div(kPerThread, bins);
  if (l.columns > 1) {
    return parallel_for(l.rows * bins, ceil_div(kPerThread, l.columns),
                        [&](std::int64_t first, std::int64_t last) {
                          while (first < last) {
                            const std::int64_t row = first / bins, k = first % bins;
                            const std::int64_t end = std::min(bins, k + last - first);
                            run(l, row, k, end);
                            first += end - k;
                          }
                        });
  }
  if (l.rows > 1) {
    return parallel_for(l.rows, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) run(l, row, 0, bins);
    });
  }
  parallel_for(bins, kPerThread,
               [&](std::int64_t first, std::int64_t last) { run(l, 0, first, last); });
}

}  // namespace tandem::host
