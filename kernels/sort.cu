// Sorts rows on the device: elements become keys, CUB sorts keys with positions, and what is wanted
// of the sorted rows is gathered. Rows are told apart by the upper bits of the keys; where an
// element's key fills 64 bits, a second stable sort by the row's number follows.
#include "kernels/cuda/bind_sorting.h"
#include "kernels/cuda/cub.h"
#include "kernels/cuda/sorting.h"

namespace tandem::cuda {

namespace {

struct KeysParams {
  const char* in;
  WideOffsets<1> rows;  // byte offset of a row
  std::int64_t stride;  // bytes along a row
  std::int64_t total;
  FastDiv64 by_n;
  std::uint8_t bytes;
  fn::KeyRule rule;
  std::uint64_t flip;
  int row_shift;  // where the row's number begins in the key; 64: it is not there
  void* keys;
  void* values;  // positions in the row; in all rows, where the row's number is not in the key
};

// Occupancy: 8 blocks of 256 threads.
template <class K, class V>
__global__ void __launch_bounds__(kSortThreads)
    sort_keys_kernel(const __grid_constant__ KeysParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.total;
       e += step) {
    const auto row = static_cast<std::int64_t>(p.by_n.div(static_cast<std::uint64_t>(e)));
    const std::int64_t i = e - row * static_cast<std::int64_t>(p.by_n.divisor);
    std::int64_t at[1];
    p.rows.get(static_cast<std::uint64_t>(row), at);
    const std::uint64_t bits = element_bits(p.in + at[0] + i * p.stride, p.bytes);
    const std::uint64_t key = fn::sort_key(bits, p.rule) ^ p.flip;
    const bool has_row = p.row_shift < 64;
    const std::uint64_t upper = has_row ? static_cast<std::uint64_t>(row) << (p.row_shift & 63) : 0;
    static_cast<K*>(p.keys)[e] = static_cast<K>(key | upper);
    static_cast<V*>(p.values)[e] = static_cast<V>(has_row ? i : e);
  }
}

struct RowsParams {
  const void* values;
  std::uint64_t* keys;
  std::int64_t total;
  FastDiv64 by_n;
};

/// The row of each position, as the key of the second sort.
// Occupancy: 8 blocks of 256 threads.
template <class V>
__global__ void __launch_bounds__(kSortThreads)
    sort_rows_kernel(const __grid_constant__ RowsParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.total;
       e += step) {
    p.keys[e] = p.by_n.div(static_cast<std::uint64_t>(static_cast<const V*>(p.values)[e]));
  }
}

struct WriteParams {
  const char* in;
  char* values;         // null: not wanted
  char* indices;        // the same
  WideOffsets<3> rows;  // in, values, indices
  std::int64_t in_stride, values_stride, indices_stride;
  std::int64_t n, first, total;
  FastDiv64 by_count;
  std::uint8_t bytes;
  fn::KeyRule rule;
  SortLaunch::Pick pick;
  bool global;  // positions count through all rows
  const void* sorted;
};

/// The position in a row that median or nanmedian asks for: NaNs are at its end.
template <class V>
__device__ __forceinline__ std::int64_t middle_of(const WriteParams& p, const V* sorted,
                                                  std::int64_t base, std::int64_t row_start) {
  const auto key_at = [&](std::int64_t j) {
    const std::int64_t i = static_cast<std::int64_t>(sorted[j]) - base;
    return fn::sort_key(element_bits(p.in + row_start + i * p.in_stride, p.bytes), p.rule);
  };
  const std::int64_t numbers =
      p.rule.inf != 0 ? fn::search_keys(p.n, p.rule.mask, false, key_at) : p.n;
  if (p.pick == SortLaunch::Pick::Median) return numbers < p.n ? numbers : (p.n - 1) / 2;
  return numbers > 0 ? (numbers - 1) / 2 : 0;
}

// Occupancy: 6 blocks of 256 threads.
template <class V>
__global__ void __launch_bounds__(kSortThreads)
    sort_write_kernel(const __grid_constant__ WriteParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.total;
       e += step) {
    const auto row = static_cast<std::int64_t>(p.by_count.div(static_cast<std::uint64_t>(e)));
    const std::int64_t k = e - row * static_cast<std::int64_t>(p.by_count.divisor);
    std::int64_t at[3];
    p.rows.get(static_cast<std::uint64_t>(row), at);
    const V* sorted = static_cast<const V*>(p.sorted) + row * p.n;
    const std::int64_t base = p.global ? row * p.n : 0;
    const std::int64_t from =
        p.pick == SortLaunch::Pick::Range ? p.first + k : middle_of(p, sorted, base, at[0]);
    const std::int64_t i = static_cast<std::int64_t>(sorted[from]) - base;
    if (p.values != nullptr) {
      store_element(p.values + at[1] + k * p.values_stride,
                    element_bits(p.in + at[0] + i * p.in_stride, p.bytes), p.bytes);
    }
    if (p.indices != nullptr) {
      *reinterpret_cast<std::int64_t*>(p.indices + at[2] + k * p.indices_stride) = i;
    }
  }
}

struct Sort {
  const SortLaunch& l;
  fn::KeyRule rule;
  int key_bits;
  std::int64_t total;

  CubCall call() const { return {l.device, l.stream, l.row->name}; }

  template <class P>
  bool launched(void (*kernel)(P), std::int64_t elements, const P& params) const {
    const cudaError_t e =
        launch(kernel, blocks_for(elements), kSortThreads, params, l.device, l.stream);
    check(e, l.row->name);
    return e == cudaSuccess;
  }

  template <int N>
  void fill(WideOffsets<N>& rows, const OperandDesc* const (&operands)[N]) const {
    for (int d = l.rank - 1; d >= 0; --d) {
      for (int k = 0; k < N; ++k) {
        rows.strides[rows.rank][k] = operands[k]->data != nullptr ? operands[k]->strides[d] : 0;
      }
      rows.push(l.shape[d]);
    }
  }

  template <class K, class V>
  bool make_keys(PairBuffers<K, V>& pairs, bool row_in_key) const {
    KeysParams p{};
    p.in = static_cast<const char*>(l.in.data);
    fill(p.rows, {&l.in});
    p.stride = l.in_stride;
    p.total = total;
    p.by_n = FastDiv64(static_cast<std::uint64_t>(l.n));
    p.bytes = static_cast<std::uint8_t>(element_size(l.dtype));
    p.rule = rule;
    p.flip = l.descending ? rule.mask : 0;
    p.row_shift = row_in_key ? key_bits : 64;
    p.keys = pairs.keys[0];
    p.values = pairs.values[0];
    return launched(&sort_keys_kernel<K, V>, total, p);
  }

  template <class K, class V>
  void write(const PairBuffers<K, V>& pairs, bool global) const {
    WriteParams p{};
    p.in = static_cast<const char*>(l.in.data);
    p.values = static_cast<char*>(l.values.data);
    p.indices = static_cast<char*>(l.indices.data);
    fill(p.rows, {&l.in, &l.values, &l.indices});
    p.in_stride = l.in_stride;
    p.values_stride = l.values_stride;
    p.indices_stride = l.indices_stride;
    p.n = l.n;
    p.first = l.first;
    p.total = l.rows * l.count;
    p.by_count = FastDiv64(static_cast<std::uint64_t>(l.count));
    p.bytes = static_cast<std::uint8_t>(element_size(l.dtype));
    p.rule = rule;
    p.pick = l.pick;
    p.global = global;
    p.sorted = pairs.values[0];
    static_cast<void>(launched(&sort_write_kernel<V>, p.total, p));
  }

  template <class K, class V>
  void run() const {
    const auto n = static_cast<std::size_t>(total);
    const std::size_t keys = (n * sizeof(K) + 255) / 256 * 256;
    const std::size_t values = (n * sizeof(V) + 255) / 256 * 256;
    const Workspace memory(l.device, 2 * (keys + values), l.stream, l.row->name);
    if (memory.data() == nullptr) return;
    char* at = static_cast<char*>(memory.data());
    PairBuffers<K, V> pairs{
        {reinterpret_cast<K*>(at), reinterpret_cast<K*>(at + keys)},
        {reinterpret_cast<V*>(at + 2 * keys), reinterpret_cast<V*>(at + 2 * keys + values)}};
    const int row_bits = bits_below(l.rows);
    const bool row_in_key = key_bits + row_bits <= static_cast<int>(8 * sizeof(K));
    if (!make_keys(pairs, row_in_key)) return;
    if (!sort_pairs(pairs, total, 0, row_in_key ? key_bits + row_bits : key_bits, call())) return;
    if constexpr (sizeof(K) == 8) {
      if (!row_in_key) {
        const RowsParams p{pairs.values[0], pairs.keys[0], total,
                           FastDiv64(static_cast<std::uint64_t>(l.n))};
        if (!launched(&sort_rows_kernel<V>, total, p)) return;
        if (!sort_pairs(pairs, total, 0, row_bits, call())) return;
      }
    }
    write(pairs, !row_in_key);
  }
};

void launch_sort(const void* desc, const void*) {
  const auto& l = *static_cast<const SortLaunch*>(desc);
  if (l.rows == 0 || l.n == 0 || l.count == 0) return;
  const int key_bits = 8 * static_cast<int>(element_size(l.dtype));
  const Sort s{l, key_rule_of(l.dtype), key_bits, l.rows * l.n};
  if (s.total >> 32 != 0) return s.run<std::uint64_t, std::uint64_t>();
  if (key_bits + bits_below(l.rows) <= 32) return s.run<std::uint32_t, std::uint32_t>();
  s.run<std::uint64_t, std::uint32_t>();
}

}  // namespace

int bind_sorting() {
  return host().bind("sort", DeviceKind::CUDA, Kernel{&launch_sort, nullptr}) + bind_sets();
}

}  // namespace tandem::cuda
