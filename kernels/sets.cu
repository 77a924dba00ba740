// Runs of equal items, binary searches, quantiles and modes of sorted rows on the device.
#include "kernels/cuda/cub.h"
#include "kernels/cuda/masks.h"
#include "kernels/cuda/sorting.h"

namespace tandem::cuda {

namespace {

template <class P>
bool launched(const char* op, void (*kernel)(P), std::int64_t elements, const P& params,
              Device device, void* stream) {
  const cudaError_t e = launch(kernel, blocks_for(elements), kSortThreads, params, device, stream);
  check(e, op);
  return e == cudaSuccess;
}

// ---- unique

struct UniqueParams {
  KeyReader in;
  std::int64_t items, width, runs;
  const std::int64_t* order;
  bool sorted_in;
  std::int64_t* ranks;
  std::int64_t* starts;
  std::int64_t* inverse;
  std::int64_t* first;
  std::int64_t* counts;
  char* out;

  __device__ __forceinline__ std::int64_t item(std::int64_t i) const {
    return sorted_in || order == nullptr ? i : order[i];
  }
};

/// 1 where a run begins, but for the first: summed up, the number of each item's run.
// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    unique_heads_kernel(const __grid_constant__ UniqueParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; i < p.items;
       i += step) {
    bool same = true;
    if (i > 0) {
      const std::int64_t a = p.item(i) * p.width;
      const std::int64_t b = p.item(i - 1) * p.width;
      for (std::int64_t k = 0; k < p.width && same; ++k) {
        const std::uint64_t key = p.in(a + k);
        same = key == p.in(b + k) && !p.in.is_nan(key);
      }
    }
    p.ranks[i] = same ? 0 : 1;
  }
}

// Occupancy: 8 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    unique_fill_kernel(const __grid_constant__ UniqueParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; i < p.items;
       i += step) {
    const std::int64_t rank = p.ranks[i];
    if (i == 0 || p.ranks[i - 1] != rank) p.starts[rank] = i;
    if (p.inverse != nullptr) p.inverse[p.order != nullptr ? p.order[i] : i] = rank;
  }
}

/// A thread an element of the items that begin runs; the first of an item writes its count.
// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    unique_take_kernel(const __grid_constant__ UniqueParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  const std::int64_t width = p.width > 0 ? p.width : 1;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.runs * width;
       e += step) {
    const std::int64_t j = e / width;
    const std::int64_t k = e - j * width;
    const std::int64_t start = p.starts[j];
    if (p.width > 0) {
      const std::int64_t from = p.item(start) * p.width + k;
      store_element(p.out + e * p.in.bytes, element_bits(p.in.data + from * p.in.bytes, p.in.bytes),
                    p.in.bytes);
    }
    if (k != 0) continue;
    if (p.counts != nullptr) {
      p.counts[j] = (j + 1 < p.runs ? p.starts[j + 1] : p.items) - start;
    }
    if (p.first != nullptr) p.first[j] = p.order != nullptr ? p.order[start] : start;
  }
}

void launch_unique(const void* desc, const void*) {
  const auto& l = *static_cast<const UniqueLaunch*>(desc);
  if (l.items == 0) return;
  const char* op = l.row->name;
  const CubCall call{l.device, l.stream, op};
  const UniqueParams p{key_reader(l.in, l.dtype),
                       l.items,
                       l.width,
                       l.runs,
                       l.order,
                       l.sorted_in,
                       l.ranks,
                       l.starts,
                       l.inverse,
                       l.first,
                       l.counts,
                       static_cast<char*>(l.out)};
  switch (l.step) {
    case UniqueLaunch::Step::Order:
      static_cast<void>(
          sort_items({p.in.data, l.width, p.in.bytes, p.in.rule}, l.order, l.items, call));
      return;
    case UniqueLaunch::Step::Runs:
      if (launched(op, &unique_heads_kernel, l.items, p, l.device, l.stream)) {
        static_cast<void>(scan_sums(l.ranks, l.items, call));
      }
      return;
    case UniqueLaunch::Step::Fill:
      launched(op, &unique_fill_kernel, l.items, p, l.device, l.stream);
      return;
    case UniqueLaunch::Step::Take:
      launched(op, &unique_take_kernel, l.runs * (l.width > 0 ? l.width : 1), p, l.device,
               l.stream);
      return;
  }
}

// ---- searches

struct SearchParams {
  KeyReader sequence, values;
  const std::int64_t* sorter;
  std::int64_t n, total;
  bool one_row;
  FastDiv64 by_queries;
  SearchLaunch::Find find;
  bool invert, narrow;
  void* out;
};

// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    search_kernel(const __grid_constant__ SearchParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t q = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; q < p.total;
       q += step) {
    const auto row =
        static_cast<std::int64_t>(p.one_row ? 0 : p.by_queries.div(static_cast<std::uint64_t>(q)));
    const std::int64_t base = row * p.n;
    const std::uint64_t key = p.values(q);
    const auto key_at = [&](std::int64_t i) {
      if (p.sorter == nullptr) return p.sequence(base + i);
      const std::int64_t at = p.sorter[base + i];
      return p.sequence(base + (at < 0 ? 0 : (at < p.n ? at : p.n - 1)));
    };
    const std::int64_t at = fn::search_keys(p.n, key, p.find == SearchLaunch::Find::Right, key_at);
    if (p.find == SearchLaunch::Find::Contains) {
      const bool found = at < p.n && key_at(at) == key && !p.values.is_nan(key);
      static_cast<std::uint8_t*>(p.out)[q] = found != p.invert ? 1 : 0;
    } else if (p.narrow) {
      static_cast<std::int32_t*>(p.out)[q] = static_cast<std::int32_t>(at);
    } else {
      static_cast<std::int64_t*>(p.out)[q] = at;
    }
  }
}

void launch_search(const void* desc, const void*) {
  const auto& l = *static_cast<const SearchLaunch*>(desc);
  SearchParams p{};
  p.sequence = key_reader(l.sequence, l.dtype);
  p.values = key_reader(l.values, l.dtype);
  p.sorter = l.sorter;
  p.n = l.n;
  p.total = l.rows * l.queries;
  p.one_row = l.rows == 1;
  p.by_queries = FastDiv64(static_cast<std::uint64_t>(l.queries > 0 ? l.queries : 1));
  p.find = l.find;
  p.invert = l.invert;
  p.narrow = l.out_dtype == DType::int32;
  p.out = l.out;
  launched(l.row->name, &search_kernel, p.total, p, l.device, l.stream);
}

// ---- quantiles

struct QuantileParams {
  KeyReader sorted;
  const double* q;
  void* out;
  std::int64_t n, total;
  FastDiv64 by_rows;
  fn::Interpolation how;
  bool ignore_nan;
};

// Occupancy: 5 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kSortThreads)
    quantile_kernel(const __grid_constant__ QuantileParams p) {
  using C = compute_t<T>;
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.total;
       e += step) {
    const auto k = static_cast<std::int64_t>(p.by_rows.div(static_cast<std::uint64_t>(e)));
    const double q = p.q[k];
    const std::int64_t base = (e - k * static_cast<std::int64_t>(p.by_rows.divisor)) * p.n;
    const auto key_at = [&](std::int64_t i) { return p.sorted(base + i); };
    const std::int64_t numbers = fn::search_keys(p.n, p.sorted.rule.mask, false, key_at);
    C r = fn::cast<C>(fn::from_bits(std::uint64_t(0x7ff8000000000000)));
    if (q >= 0 && q <= 1 && numbers > 0 && (p.ignore_nan || numbers == p.n)) {
      const fn::QuantilePlace at = fn::quantile_place(q, numbers, p.how);
      const T* row = reinterpret_cast<const T*>(p.sorted.data) + base;
      r = fn::quantile_between(fn::cast<C>(row[at.low]), fn::cast<C>(row[at.high]), at.weight);
    }
    static_cast<T*>(p.out)[e] = fn::cast<T>(r);
  }
}

struct QuantileTable {
  void (*by_dtype[kNumDTypes])(QuantileParams) = {};
};

void launch_quantile(const void* desc, const void* self) {
  const auto& l = *static_cast<const QuantileLaunch*>(desc);
  const auto kernel = static_cast<const QuantileTable*>(self)->by_dtype[static_cast<int>(l.dtype)];
  if (kernel == nullptr) return check(cudaErrorInvalidValue, l.row->name);
  const QuantileParams p{key_reader(l.sorted, l.dtype),
                         l.q,
                         l.out,
                         l.n,
                         l.rows * l.count,
                         FastDiv64(static_cast<std::uint64_t>(l.rows)),
                         static_cast<fn::Interpolation>(l.interpolation),
                         l.ignore_nan};
  launched(l.row->name, kernel, p.total, p, l.device, l.stream);
}

// ---- modes

struct ModeParams {
  KeyReader sorted;
  const std::int64_t* order;
  std::int64_t* lengths;
  const std::int64_t* at;
  char* values;
  std::int64_t* indices;
  std::int64_t n, total;
  FastDiv64 by_n;
};

/// The end of a run finds its start among the sorted elements.
// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    mode_lengths_kernel(const __grid_constant__ ModeParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t e = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; e < p.total;
       e += step) {
    const std::int64_t base =
        static_cast<std::int64_t>(p.by_n.div(static_cast<std::uint64_t>(e))) * p.n;
    const std::int64_t i = e - base;
    const std::uint64_t key = p.sorted(e);
    const bool nan = p.sorted.is_nan(key);
    std::int64_t length = 0;
    if (nan) {
      length = 1;
    } else if (i + 1 == p.n || p.sorted(e + 1) != key) {
      const auto key_at = [&](std::int64_t k) { return p.sorted(base + k); };
      length = i + 1 - fn::search_keys(i, key, false, key_at);
    }
    p.lengths[e] = length;
  }
}

// Occupancy: 8 blocks of 256 threads.
__global__ void __launch_bounds__(kSortThreads)
    mode_pick_kernel(const __grid_constant__ ModeParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t r = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; r < p.total;
       r += step) {
    const std::int64_t at = r * p.n + p.at[r];
    const std::uint8_t bytes = p.sorted.bytes;
    store_element(p.values + r * bytes, element_bits(p.sorted.data + at * bytes, bytes), bytes);
    p.indices[r] = p.order[at];
  }
}

void launch_mode(const void* desc, const void*) {
  const auto& l = *static_cast<const ModeLaunch*>(desc);
  const bool picks = l.step == ModeLaunch::Step::Pick;
  const ModeParams p{key_reader(l.sorted, l.dtype),
                     l.order,
                     l.lengths,
                     l.at,
                     static_cast<char*>(l.values),
                     l.indices,
                     l.n,
                     picks ? l.rows : l.rows * l.n,
                     FastDiv64(static_cast<std::uint64_t>(l.n))};
  launched(l.row->name, picks ? &mode_pick_kernel : &mode_lengths_kernel, p.total, p, l.device,
           l.stream);
}

}  // namespace

int bind_sets() {
  static const QuantileTable quantiles = [] {
    QuantileTable t;
    for_each_dtype<mask(dtypes::Floats)>(
        [&]<class T>(int d) { t.by_dtype[d] = &quantile_kernel<T>; });
    return t;
  }();
  const auto bind = [](const char* op, void (*f)(const void*, const void*), const void* self) {
    return host().bind(op, DeviceKind::CUDA, Kernel{f, self});
  };
  return bind("unique", &launch_unique, nullptr) + bind("searchsorted", &launch_search, nullptr) +
         bind("quantile", &launch_quantile, &quantiles) + bind("mode", &launch_mode, nullptr);
}

}  // namespace tandem::cuda
