// Runs generator launches: blocks of elements by index, rounded on the store, scattered where the
// output is strided.
#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "host/tile.h"

namespace tandem::host {

namespace {

/// Writes elements [first, first + n) of the logical row-major order into a strided output.
void scatter_rows(const GeneratorLaunch& l, const char* values, std::int64_t first,
                  std::int64_t n) {
  const auto size = static_cast<std::int64_t>(element_size(l.out.dtype));
  auto* out = static_cast<char*>(l.out.data);
  const MoveLoop scatter = level().scatter[width_index(static_cast<std::size_t>(size))];
  const std::int64_t columns = l.rank > 0 ? l.shape[l.rank - 1] : 1;
  while (n > 0) {
    std::int64_t row = first / columns;
    const std::int64_t column = first % columns;
    const std::int64_t run = std::min(n, columns - column);
    std::int64_t offset = l.rank > 0 ? column * l.out.strides[l.rank - 1] : 0;
    for (int d = l.rank - 2; d >= 0; --d) {
      offset += row % l.shape[d] * l.out.strides[d];
      row /= l.shape[d];
    }
    scatter(const_cast<char*>(values), out + offset, 1, run, 0,
            l.rank > 0 ? l.out.strides[l.rank - 1] : size);
    values += run * size;
    first += run;
    n -= run;
  }
}

}  // namespace

void launch_generator(const void* desc, const void* self) {
  const auto& l = *static_cast<const GeneratorLaunch*>(desc);
  const auto& loops = *static_cast<const GenerateLoops*>(self);
  const GenerateLoop generate = loops.by_dtype[static_cast<int>(l.out.kernel)];
  const int block = loops.block[static_cast<int>(l.out.kernel)];
  const fn::GeneratorArgs args{
      {l.f[0], l.f[1], l.f[2], l.f[3]}, {l.i[0], l.i[1]}, l.numel, l.seed, l.offset, l.value};
  const DType computed = info(l.out.kernel).compute;
  const CastLoop store =
      computed == l.out.dtype
          ? nullptr
          : level().cast[static_cast<int>(l.out.dtype)][static_cast<int>(computed)];
  const auto size = static_cast<std::int64_t>(element_size(l.out.dtype));
  const auto widest = std::max(size, static_cast<std::int64_t>(element_size(computed)));
  const std::int64_t step = kTileBytes / widest / block;
  const bool stream = l.contiguous && store == nullptr && l.numel * size >= kStreamBytes;
  const std::int64_t blocks = (l.numel + block - 1) / block;
  parallel_for(blocks, 8192 / block, [&](std::int64_t first, std::int64_t last) {
    alignas(64) char computed_block[kTileBytes];
    alignas(64) char stored_block[kTileBytes];
    for (std::int64_t b = first; b < last; b += step) {
      const std::int64_t count = std::min(step, last - b);
      const std::int64_t begin = b * block;
      const std::int64_t n = std::min(count * block, l.numel - begin);
      char* target = static_cast<char*>(l.out.data) + begin * size;
      const bool whole = n == count * block;
      const bool direct = l.contiguous && store == nullptr && whole && !stream;
      char* made = direct ? target : computed_block;
      generate(&args, static_cast<std::uint64_t>(b), count, made);
      if (made == target) continue;
      char* stored = made;
      if (store != nullptr) {
        stored = l.contiguous ? target : stored_block;
        store(stored, made, n);
        if (l.contiguous) continue;
      }
      if (stream) {
        level().stream(target, stored, static_cast<std::size_t>(n * size));
      } else if (l.contiguous) {
        __builtin_memcpy(target, stored, static_cast<std::size_t>(n * size));
      } else {
        scatter_rows(l, stored, begin, n);
      }
    }
    if (stream) stream_fence();
  });
}

}  // namespace tandem::host
