// Reads and plain writes at places that arrays of indices tell, by the width of what is moved: a
// row of the inner dimension is cut into units of up to 16 bytes.
#include "kernels/cuda/indexing.h"

#include <cstring>

#include "kernels/cuda/cub.h"
#include "tandem/backend/units.h"
#include "tandem/cuda/access.h"

namespace tandem::cuda {

namespace {

// ---- places

struct PlaceParams {
  const char* index;
  std::uint64_t* places;
  std::int64_t positions, size, step;
  WideOffsets<2> at;  // index, x: over the positions
  bool first, as_words;
  WordFormat format;
  ErrorFlag flag;
};

// Adds one array's part to the places; the last one makes words of them.
// Occupancy: 5 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads) place_kernel(const __grid_constant__ PlaceParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.positions;
       i += step) {
    std::int64_t at[2];
    p.at.get(static_cast<std::uint64_t>(i), at);
    const std::int64_t given = *reinterpret_cast<const std::int64_t*>(p.index + at[0]);
    const std::int64_t wrapped = given < 0 ? given + p.size : given;
    const bool bad = wrapped < 0 || wrapped >= p.size;
    if (bad) report(p.flag, given);
    std::int64_t place = p.first ? at[1] : static_cast<std::int64_t>(p.places[i]);
    place = bad || place == kNoPlace ? kNoPlace : place + wrapped * p.step;
    if (p.as_words) {
      const std::uint64_t number =
          place == kNoPlace ? p.format.most + 1
                            : static_cast<std::uint64_t>((place - p.format.low) / p.format.size);
      const std::uint64_t high =
          p.format.position_bits >= 64 ? 0 : number << p.format.position_bits;
      p.places[i] = high | static_cast<std::uint64_t>(i);
    } else {
      p.places[i] = static_cast<std::uint64_t>(place);
    }
  }
}

int bits_for(std::uint64_t most) {
  int bits = 0;
  while (bits < 64 && most >> bits != 0) ++bits;
  return bits;
}

}  // namespace

Places::Places(const IndexLaunch& l, bool as_words, bool sorted)
    : room_(l.device, static_cast<std::size_t>(l.positions) * 8 * (sorted ? 2 : 1), l.stream,
            l.row->name) {
  data_ = static_cast<std::uint64_t*>(room_.data());
  if (data_ == nullptr) return;
  const IndexExtent extent = index_extent(l);
  format_.low = extent.low;
  format_.size = static_cast<std::int64_t>(element_size(l.x.dtype));
  format_.most = static_cast<std::uint64_t>((extent.high - extent.low) / format_.size);
  format_.position_bits = bits_for(static_cast<std::uint64_t>(l.positions - 1));
  place_bits_ = bits_for(format_.most + 1);
  if (as_words && format_.position_bits + place_bits_ > 64) {
    raise(l.row->name, "more positions and elements than 64 bits count together");
    return;
  }
  const cudaError_t e = fill(l, as_words);
  check(e, l.row->name);
  ok_ = e == cudaSuccess && (!sorted || sort(l));
}

cudaError_t Places::fill(const IndexLaunch& l, bool as_words) {
  for (int k = 0; k < l.n_arrays; ++k) {
    const IndexArray& a = l.arrays[k];
    PlaceParams p;
    p.index = reinterpret_cast<const char*>(a.data);
    p.places = data_;
    p.positions = l.positions;
    p.size = a.size;
    p.step = a.step;
    push_dims(p.at, l.shape, l.rank_outer, l.rank_outer + l.rank_positions,
              [&](int d, std::int64_t(&s)[2]) {
                s[0] = a.strides[d - l.rank_outer];
                s[1] = l.x.strides[d];
              });
    p.first = k == 0;
    p.as_words = as_words && k == l.n_arrays - 1;
    p.format = format_;
    p.flag = error_flag(l.device, l.stream, l.row->name);
    if (p.flag.word == nullptr) return cudaErrorMemoryAllocation;
    const cudaError_t e = launch(&place_kernel, grid_for((l.positions + kThreads - 1) / kThreads),
                                 kThreads, p, l.device, l.stream);
    if (e != cudaSuccess) return e;
  }
  return cudaSuccess;
}

bool Places::sort(const IndexLaunch& l) {
  std::uint64_t* words[2] = {data_, data_ + l.positions};
  const bool sorted =
      sort_words(words, l.positions, format_.position_bits, format_.position_bits + place_bits_,
                 {l.device, l.stream, l.row->name});
  data_ = words[0];
  return sorted;
}

namespace {

// ---- units of bytes

/// The greatest width that divides addresses, strides and rows of a launch; the innermost dimension
/// then counts units of it.
struct Units {
  int width = 16;
  std::int64_t shape[kMaxRank + 1];
  std::int64_t x[kMaxRank + 1], other[kMaxRank + 1];
  int rank_inner;  // dimensions after outer and positions, the units among them

  explicit Units(const IndexLaunch& l) : rank_inner(l.rank_inner) {
    const auto size = static_cast<std::int64_t>(element_size(l.x.dtype));
    const bool number = l.other.data == nullptr;
    const int rank = l.rank();
    for (int d = 0; d < rank; ++d) {
      shape[d] = l.shape[d];
      x[d] = l.x.strides[d];
      other[d] = l.other.strides[d];
    }
    const int last = rank - 1;
    const bool dense = l.rank_inner > 0 && x[last] == size && other[last] == size && !number;
    const int unit = dense ? last : rank;  // the dimension of units
    const std::int64_t bytes = dense ? size * l.shape[last] : size;
    if (!dense) ++rank_inner;
    std::uint64_t all = reinterpret_cast<std::uintptr_t>(l.x.data) |
                        reinterpret_cast<std::uintptr_t>(l.other.data) |
                        static_cast<std::uint64_t>(bytes);
    for (int d = 0; d < unit; ++d) {
      all |= static_cast<std::uint64_t>(x[d]) | static_cast<std::uint64_t>(other[d]);
    }
    for (int k = 0; k < l.n_arrays; ++k) all |= static_cast<std::uint64_t>(l.arrays[k].step);
    while (all % static_cast<std::uint64_t>(width) != 0) width /= 2;
    shape[unit] = bytes / width;
    x[unit] = other[unit] = width;
    if (number) other[unit] = 0;
  }
};

template <class F>
auto by_unit(int width, const F& f) {
  return with_unit<Vec<std::uint64_t, 2>>(static_cast<std::size_t>(width), f);
}

// ---- reads

template <class Div>
struct GetParams {
  const char* x;
  char* out;
  const char* index;  // of the one array, or places
  std::int64_t units, size, step;
  bool is_place;
  Offsets<3, kKernelRank, Div> at;  // out, x, index
  ErrorFlag flag;
};

// Four units in flight a thread, neighbours in neighbouring lanes.
// Occupancy: 4 blocks of 256 threads.
template <class W, class Div>
__global__ void __launch_bounds__(kThreads) get_kernel(const __grid_constant__ GetParams<Div> p) {
  constexpr int E = 4;
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * E;
  for (std::int64_t base = std::int64_t(blockIdx.x) * kThreads * E + threadIdx.x; base < p.units;
       base += step) {
    std::int64_t at[E][3];
    std::int64_t index[E];
#pragma unroll
    for (int e = 0; e < E; ++e) {
      const std::int64_t u = base + e * static_cast<int>(kThreads);
      p.at.get(static_cast<typename Div::Index>(u < p.units ? u : base), at[e]);
      index[e] = *reinterpret_cast<const std::int64_t*>(p.index + at[e][2]);
    }
    W value[E];
#pragma unroll
    for (int e = 0; e < E; ++e) {
      const std::int64_t wrapped = index[e] < 0 ? index[e] + p.size : index[e];
      const bool bad = p.is_place ? index[e] == kNoPlace : wrapped < 0 || wrapped >= p.size;
      const std::int64_t move = p.is_place ? index[e] : wrapped * p.step;
      value[e] = W{};
      if (!bad) value[e] = *reinterpret_cast<const W*>(p.x + at[e][1] + move);
      if (bad && !p.is_place) report(p.flag, index[e]);
    }
#pragma unroll
    for (int e = 0; e < E; ++e) {
      if (base + e * static_cast<int>(kThreads) < p.units) {
        *reinterpret_cast<W*>(p.out + at[e][0]) = value[e];
      }
    }
  }
}

template <class W, class Div>
cudaError_t run_get(const IndexLaunch& l, const Units& u, const Places* places) {
  GetParams<Div> p;
  p.x = static_cast<const char*>(l.x.data);
  p.out = static_cast<char*>(l.other.data);
  p.is_place = places != nullptr;
  const int begin = l.rank_outer;
  const int end = begin + l.rank_positions;
  p.units = l.outer * l.positions;
  push_dims(p.at, u.shape, end, end + u.rank_inner, [&](int d, std::int64_t(&s)[3]) {
    s[0] = u.other[d];
    s[1] = u.x[d];
    s[2] = 0;
    p.units *= u.shape[d];
  });
  std::int64_t listed = 8;  // bytes between places
  push_dims(p.at, u.shape, begin, end, [&](int d, std::int64_t(&s)[3]) {
    s[0] = u.other[d];
    s[1] = p.is_place ? 0 : u.x[d];
    s[2] = p.is_place ? listed : l.arrays[0].strides[d - begin];
    listed *= u.shape[d];
  });
  push_dims(p.at, u.shape, 0, begin, [&](int d, std::int64_t(&s)[3]) {
    s[0] = u.other[d];
    s[1] = u.x[d];
    s[2] = 0;
  });
  if (places != nullptr) {
    p.index = reinterpret_cast<const char*>(places->data());
    p.size = p.step = 0;
  } else {
    p.index = reinterpret_cast<const char*>(l.arrays[0].data);
    p.size = l.arrays[0].size;
    p.step = l.arrays[0].step;
    p.flag = error_flag(l.device, l.stream, l.row->name);
    if (p.flag.word == nullptr) return cudaErrorMemoryAllocation;
  }
  constexpr std::int64_t kChunk = std::int64_t(kThreads) * 4;
  return launch(&get_kernel<W, Div>, grid_for((p.units + kChunk - 1) / kChunk), kThreads, p,
                l.device, l.stream);
}

void get(const IndexLaunch& l) {
  const Units u(l);
  const bool listed = l.n_arrays != 1;
  if (l.rank_outer + l.rank_positions + u.rank_inner > kKernelRank) {
    return raise(l.row->name, "more than 16 dimensions that do not merge");
  }
  const auto run = [&](const Places* places) {
    std::int64_t units = l.outer * l.positions;
    for (int d = l.rank_outer + l.rank_positions;
         d < l.rank_outer + l.rank_positions + u.rank_inner; ++d) {
      units *= u.shape[d];
    }
    check(by_unit(u.width,
                  [&]<class W>() {
                    return units <= kMaxElements ? run_get<W, FastDiv>(l, u, places)
                                                 : run_get<W, FastDiv64>(l, u, places);
                  }),
          l.row->name);
  };
  if (!listed) return run(nullptr);
  const Places places(l, false, false);
  if (places.ok()) run(&places);
}

// ---- plain writes

struct PutParams {
  char* x;
  const char* values;  // null: one number
  const std::uint64_t* words;
  std::int64_t units, positions;
  WordFormat format;
  bool distinct;
  WideOffsets<3> at;         // x, values, word: over outer, words and inner units
  WideOffsets<1> of_values;  // over the positions
  Vec<std::uint64_t, 2> number;
};

// Occupancy: 4 blocks of 256 threads.
template <class W>
__global__ void __launch_bounds__(kThreads) put_kernel(const __grid_constant__ PutParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t u = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; u < p.units; u += step) {
    std::int64_t at[3];
    p.at.get(static_cast<std::uint64_t>(u), at);
    const std::uint64_t word = p.words[at[2]];
    const std::uint64_t number = p.format.number(word);
    if (number > p.format.most) continue;
    // Of a run the last one stays.
    if (!p.distinct && at[2] + 1 < p.positions && p.format.number(p.words[at[2] + 1]) == number) {
      continue;
    }
    W value;
    if (p.values == nullptr) {
      // The units of an element, which lies at the beginning of the 16 bytes.
      const auto shift = static_cast<unsigned>(at[1]) * 8;
      if constexpr (sizeof(W) == 16) {
        value = p.number;
      } else {
        value =
            static_cast<W>(shift >= 64 ? p.number.at[1] >> (shift - 64) : p.number.at[0] >> shift);
      }
    } else {
      std::int64_t of[1];
      p.of_values.get(p.format.position(word), of);
      value = *reinterpret_cast<const W*>(p.values + at[1] + of[0]);
    }
    *reinterpret_cast<W*>(p.x + p.format.place(number) + at[0]) = value;
  }
}

void put(const IndexLaunch& l, const Places& places) {
  const Units u(l);
  PutParams p;
  p.x = static_cast<char*>(l.x.data);
  p.values = static_cast<const char*>(l.other.data);
  p.words = places.data();
  p.positions = l.positions;
  p.format = places.format();
  p.distinct = l.distinct;
  std::memcpy(&p.number, l.value, sizeof p.number);
  const int begin = l.rank_outer;
  const int end = begin + l.rank_positions;
  p.units = l.outer * l.positions;
  push_dims(p.at, u.shape, end, end + u.rank_inner, [&](int d, std::int64_t(&s)[3]) {
    s[0] = u.x[d];
    // Of a number the bytes of an element are walked, and nothing else.
    s[1] = p.values == nullptr ? (d == end + u.rank_inner - 1 ? u.width : 0) : u.other[d];
    s[2] = 0;
    p.units *= u.shape[d];
  });
  p.at.strides[p.at.rank][0] = p.at.strides[p.at.rank][1] = 0;
  p.at.strides[p.at.rank][2] = 1;
  p.at.push(l.positions);
  push_dims(p.at, u.shape, 0, begin, [&](int d, std::int64_t(&s)[3]) {
    s[0] = u.x[d];
    s[1] = u.other[d];
    s[2] = 0;
  });
  push_dims(p.of_values, u.shape, begin, end,
            [&](int d, std::int64_t(&s)[1]) { s[0] = u.other[d]; });
  check(by_unit(u.width,
                [&]<class W>() {
                  return launch(&put_kernel<W>, grid_for((p.units + kThreads - 1) / kThreads),
                                kThreads, p, l.device, l.stream);
                }),
        l.row->name);
}

void launch_index(const void* desc, const void*) {
  const auto& l = *static_cast<const IndexLaunch*>(desc);
  if (l.mode == IndexMode::Read) get(l);
}

void launch_index_put(const void* desc, const void*) {
  const auto& l = *static_cast<const IndexLaunch*>(desc);
  const Places places(l, true, !l.distinct);
  if (!places.ok()) return;
  if (l.mode == IndexMode::Write) {
    put(l, places);
  } else {
    launch_join(l, places);
  }
}

}  // namespace

int bind_indexing() {
  return host().bind("index", DeviceKind::CUDA, Kernel{&launch_index, nullptr}) +
         host().bind("index_put", DeviceKind::CUDA, Kernel{&launch_index_put, nullptr}) +
         bind_masks();
}

}  // namespace tandem::cuda
