// Passes of the built-in Fourier transform over many short rows at one SIMD level: lengths are
// known to the compiler, and what is the same for all blocks is found once.
#include "host/fft.h"
#include "host/isa/fft_stages.h"

namespace tandem::host::TANDEM_ISA {

namespace {

constexpr std::int64_t kLongest = 64;  // rows that are short
template <class T>
constexpr std::int64_t kLeast = NarrowTile<T>::kSide / 2;  // elements that tiles can be of

enum class Bins { None, Unpack, Pack };

template <class T>
struct Call {
  const char* in;
  char* out;
  std::int64_t in_across, out_across;  // bytes from row to row
  T in_sign, scale, out_sign, pack_sign;
  const Complex<T>* stages;
  const Complex<T>* half;
};

/// The bytes from row to row, where that is one number.
bool one_stride(const FftPassLaunch& l, const FftSide& side, std::int64_t& across) {
  if (l.rank == 0) return false;
  across = side.strides[l.rank - 1];
  for (int d = l.rank - 1; d > 0; --d) {
    if (side.strides[d - 1] != l.shape[d] * side.strides[d]) return false;
  }
  return true;
}

template <Bins B, int... R, class T>
void run_blocks(const Call<T>& c, std::int64_t first, std::int64_t last) {
  constexpr auto kM = (std::int64_t(1) * ... * R);
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Complex<T>));
  constexpr std::int64_t kPlane = (kM + 1) * kLanes<T>;
  alignas(64) T memory[4 * kPlane];
  const Planes<T> planes[2] = {{memory, memory + kPlane},
                               {memory + 2 * kPlane, memory + 3 * kPlane}};
  for (std::int64_t block = first; block < last; ++block) {
    const char* const in = c.in + block * kLanes<T> * c.in_across;
    char* const out = c.out + block * kLanes<T> * c.out_across;
    for_tiles<T>(Known < B == Bins::Pack ? kM + 1 : kM > (), [&]<class Tile>(Tile, std::int64_t j) {
      gather<Tile>(planes[0], j, kLanes<T>, in + j * kSize, c.in_across, c.in_sign);
    });
    int now = 0;
    if constexpr (B == Bins::Pack) {
      whole_pack(Known<kM>(), planes[1], planes[0], c.half, c.pack_sign);
      now = 1;
    }
    now = short_stages<1, R...>(planes, now, c.stages);
    if constexpr (B == Bins::Unpack) {
      whole_unpack(Known<kM>(), planes[1 - now], planes[now], c.half);
      now = 1 - now;
    }
    for_tiles<T>(Known < B == Bins::Unpack ? kM + 1 : kM > (), [&]<class Tile>(Tile,
                                                                               std::int64_t j) {
      scatter<Tile>(planes[now], j, kLanes<T>, out + j * kSize, c.out_across, c.scale, c.out_sign);
    });
  }
}

/// Elements [0, count) of the rows of a block into the planes, by tiles where they are enough.
template <class T, class Stored>
void load_block(const Call<T>& c, const char* in, std::int64_t count, const Planes<T>& x) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Stored));
  if constexpr (fn::is_complex_v<Stored>) {
    if (count >= kLeast<T>) {
      return for_tiles<T>(count, [&]<class Tile>(Tile, std::int64_t j) {
        gather<Tile>(x, j, kLanes<T>, in + j * kSize, c.in_across, c.in_sign);
      });
    }
  }
  for (std::int64_t i = 0; i < kLanes<T>; ++i) {
    const auto* row = reinterpret_cast<const Stored*>(in + i * c.in_across);
    for (std::int64_t j = 0; j < count; ++j) {
      if constexpr (fn::is_complex_v<Stored>) {
        x.put(j * kLanes<T> + i, {row[j].re, c.in_sign * row[j].im});
      } else {
        x.put(j * kLanes<T> + i, {row[j], c.in_sign * T(0)});
      }
    }
  }
}

template <class T>
void store_block(const Call<T>& c, char* out, std::int64_t count, const Planes<T>& x) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Complex<T>));
  if (count >= kLeast<T>) {
    return for_tiles<T>(count, [&]<class Tile>(Tile, std::int64_t j) {
      scatter<Tile>(x, j, kLanes<T>, out + j * kSize, c.out_across, c.scale, c.out_sign);
    });
  }
  for (std::int64_t i = 0; i < kLanes<T>; ++i) {
    auto* row = reinterpret_cast<Complex<T>*>(out + i * c.out_across);
    for (std::int64_t j = 0; j < count; ++j) {
      const Complex<T> z = x.at(j * kLanes<T> + i);
      row[j] = {z.re * c.scale, z.im * c.out_sign};
    }
  }
}

/// Blocks of rows of any length up to kLongest.
template <class T>
void run_others(const FftPassLaunch& l, const Call<T>& c, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kPlane = (kLongest + 1) * kLanes<T>;
  alignas(64) T memory[4 * kPlane];
  const Planes<T> planes[2] = {{memory, memory + kPlane},
                               {memory + 2 * kPlane, memory + 3 * kPlane}};
  const bool packs = l.half != nullptr && l.pack;
  const bool unpacks = l.half != nullptr && !l.pack;
  const std::int64_t count = unpacks ? l.m + 1 : l.out.n < l.m ? l.out.n : l.m;
  for (std::int64_t block = first; block < last; ++block) {
    const char* const in = c.in + block * kLanes<T> * c.in_across;
    int now = 0;
    if (l.real_in) {
      load_block<T, T>(c, in, l.m, planes[0]);
    } else {
      load_block<T, Complex<T>>(c, in, packs ? l.m + 1 : l.m, planes[0]);
    }
    if (packs) {
      whole_pack(l.m, planes[1], planes[0], c.half, c.pack_sign);
      now = 1;
    }
    now = all_stages(l, planes, now, kLanes<T>, WholeStage());
    if (unpacks) {
      whole_unpack(l.m, planes[1 - now], planes[now], c.half);
      now = 1 - now;
    }
    store_block(c, c.out + block * kLanes<T> * c.out_across, count, planes[now]);
  }
}

/// Whether the plan has these radices: then the blocks are done.
template <int... R, class T>
bool try_radices(const FftPassLaunch& l, const Call<T>& c, std::int64_t first, std::int64_t last) {
  constexpr int kRadices[] = {R...};
  if (l.n_radices != sizeof...(R)) return false;
  for (std::size_t i = 0; i < sizeof...(R); ++i) {
    if (l.radices[i] != kRadices[i]) return false;
  }
  if (l.half == nullptr) {
    run_blocks<Bins::None, R...>(c, first, last);
  } else if (l.pack) {
    run_blocks<Bins::Pack, R...>(c, first, last);
  } else {
    run_blocks<Bins::Unpack, R...>(c, first, last);
  }
  return true;
}

template <class T>
bool run_powers(const FftPassLaunch& l, const Call<T>& c, std::int64_t first, std::int64_t last) {
  if (l.real_in || l.out.n < l.m) return false;
  switch (l.m) {
    case 4:
      return try_radices<4>(l, c, first, last);
    case 8:
      return try_radices<8>(l, c, first, last);
    case 16:
      return try_radices<4, 4>(l, c, first, last);
    case 32:
      return try_radices<8, 4>(l, c, first, last);
    case 64:
      return try_radices<8, 8>(l, c, first, last);
    default:
      return false;
  }
}

template <class T>
bool short_rows(const FftPassLaunch& l, std::int64_t first, std::int64_t last) {
  if (l.m > kLongest || l.p * l.s != 1) return false;
  if (l.in.table != nullptr || l.out.table != nullptr || l.twiddles != nullptr) return false;
  const bool packs = l.half != nullptr && l.pack;
  const bool unpacks = l.half != nullptr && !l.pack;
  if (l.in.n < (packs ? l.m + 1 : l.m) || (unpacks && l.out.n <= l.m)) return false;
  const std::size_t in_size = l.real_in ? sizeof(T) : sizeof(Complex<T>);
  if (l.in.stride != std::int64_t(in_size) || l.out.stride != sizeof(Complex<T>)) return false;
  Call<T> c{};
  if (!one_stride(l, l.in, c.in_across) || !one_stride(l, l.out, c.out_across)) return false;
  c.in = static_cast<const char*>(l.in.data);
  c.out = static_cast<char*>(l.out.data);
  c.in_sign = l.in.conjugate ? T(-1) : T(1);
  c.scale = static_cast<T>(l.scale);
  c.out_sign = l.out.conjugate ? -c.scale : c.scale;
  c.pack_sign = l.out.conjugate ? T(-1) : T(1);
  c.stages = static_cast<const Complex<T>*>(l.stages);
  c.half = static_cast<const Complex<T>*>(l.half);
  if (!run_powers(l, c, first, last)) run_others(l, c, first, last);
  return true;
}

}  // namespace

const FftShortRows kFftShortRows = {{&short_rows<float>, &short_rows<double>}};

}  // namespace tandem::host::TANDEM_ISA
