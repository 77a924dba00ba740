// Random numbers whose parameters are tensors, permutations and draws by weight.
#include "host/random.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "host/parallel.h"
#include "tandem/backend/random.h"

namespace tandem::host {

namespace {

/// Memory without a value in it yet.
template <class T>
std::unique_ptr<T[]> raw(std::int64_t n) {
  return std::unique_ptr<T[]>(new T[static_cast<std::size_t>(n)]);
}

/// The elements of a part of a block, in a block of their own.
template <class T>
void sample_tail(const SampleLaunch& l, SampleLoop loop, int block, std::int64_t first) {
  T in[2][4] = {};
  T out[4];
  const std::int64_t left = l.numel - first;
  for (int k = 0; k < l.n_in; ++k) {
    const auto* from = static_cast<const T*>(l.in[k]);
    for (std::int64_t i = 0; i < left; ++i) in[k][i] = from[l.single[k] ? 0 : first + i];
  }
  const fn::SampleArgs args{l.seed, l.offset};
  loop(&args, static_cast<std::uint64_t>(first / block), 1, in[0], 1, in[1], 1, out);
  std::copy_n(out, left, static_cast<T*>(l.out) + first);
}

template <class T>
void sample(const SampleLaunch& l, SampleLoop loop, int block) {
  const fn::SampleArgs args{l.seed, l.offset};
  const std::int64_t blocks = l.numel / block;
  const void* second = l.n_in > 1 ? l.in[1] : l.in[0];
  const std::int64_t a_step = l.single[0] ? 0 : 1;
  const std::int64_t b_step = l.n_in > 1 && !l.single[1] ? 1 : 0;
  parallel_for(blocks, 1024 / block, [&](std::int64_t first, std::int64_t last) {
    loop(&args, static_cast<std::uint64_t>(first), last - first,
         static_cast<const T*>(l.in[0]) + first * block * a_step, a_step,
         static_cast<const T*>(second) + first * block * b_step, b_step,
         static_cast<T*>(l.out) + first * block);
  });
  if (blocks * block < l.numel) sample_tail<T>(l, loop, block, blocks * block);
}

struct Drawn {
  std::uint64_t key;
  std::int64_t place;
};

// Note [Permutations]
// The keys are spread evenly, so that their first bits put them into buckets of about 2^10
// elements, and the bits after those nearly where they belong in the bucket: what is left to an
// insertion sort is a step or two an element. Every move keeps the order of equal keys, which is
// that of their places; so neither the buckets nor the parts of the threads show.
class Permutation {
 public:
  Permutation(const PermutationLaunch& l, WordsLoop words) : l_(l), words_(words) {
    while (shift_ > 48 && (l.n >> (64 - shift_)) > 2048) --shift_;
    parts_ = std::clamp<std::int64_t>(l.n >> 14, 1, 64);
    keys_ = raw<std::uint64_t>(l.n + 1);
    drawn_ = raw<Drawn>(l.n);
    starts_.resize(static_cast<std::size_t>(parts_ * buckets() + 1));
  }

  void run() {
    parallel_for(parts_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t p = first; p < last; ++p) draw(p);
    });
    // Bucket after bucket, in each the parts in their order.
    std::int64_t sum = 0;
    for (std::int64_t b = 0; b < buckets(); ++b) {
      for (std::int64_t p = 0; p < parts_; ++p) {
        const std::int64_t n = start(p, b);
        start(p, b) = sum;
        sum += n;
      }
    }
    ends_.resize(static_cast<std::size_t>(buckets()));
    parallel_for(parts_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t p = first; p < last; ++p) spread(p);
    });
    for (std::int64_t b = 0; b < buckets(); ++b) {
      ends_[static_cast<std::size_t>(b)] = start(parts_ - 1, b);
    }
    parallel_for(buckets(), 4, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) sort(b);
    });
  }

 private:
  std::int64_t buckets() const { return std::int64_t(1) << (64 - shift_); }
  std::int64_t bucket(std::uint64_t key) const {
    return shift_ == 64 ? 0 : static_cast<std::int64_t>(key >> shift_);
  }
  std::int64_t& start(std::int64_t part, std::int64_t bucket) {
    return starts_[static_cast<std::size_t>(part * buckets() + bucket)];
  }
  /// Parts begin at even places: a block makes two keys.
  std::int64_t begin(std::int64_t part) const {
    return part == parts_ ? l_.n : l_.n / parts_ / 2 * 2 * part;
  }

  void draw(std::int64_t part) {
    const std::int64_t first = begin(part);
    const std::int64_t last = begin(part + 1);
    std::uint32_t words[1024];
    for (std::int64_t i = first; i < last; i += 512) {
      const std::int64_t n = std::min<std::int64_t>(512, last - i);
      words_(static_cast<std::uint64_t>(i / 2), (n + 1) / 2, l_.offset, l_.seed, words);
      for (std::int64_t k = 0; k < n; ++k) {
        const std::uint64_t key = std::uint64_t(words[2 * k]) << 32 | words[2 * k + 1];
        keys_[static_cast<std::size_t>(i + k)] = key;
        ++start(part, bucket(key));
      }
    }
  }

  void spread(std::int64_t part) {
    for (std::int64_t i = begin(part); i < begin(part + 1); ++i) {
      const std::uint64_t key = keys_[static_cast<std::size_t>(i)];
      drawn_[static_cast<std::size_t>(start(part, bucket(key))++)] = {key, i};
    }
  }

  /// The keys' memory and the output take what is sorted: a bucket has the same place in them.
  void sort(std::int64_t b) {
    const std::int64_t first = b == 0 ? 0 : ends_[static_cast<std::size_t>(b - 1)];
    const std::int64_t last = ends_[static_cast<std::size_t>(b)];
    std::int64_t at[kSlots + 1] = {};
    const auto slot = [this](std::uint64_t key) {
      return static_cast<std::size_t>(key >> (shift_ - kSlotBits)) % kSlots;
    };
    for (std::int64_t i = first; i < last; ++i) {
      ++at[slot(drawn_[static_cast<std::size_t>(i)].key) + 1];
    }
    for (std::size_t s = 0; s < kSlots; ++s) at[s + 1] += at[s];
    std::uint64_t* keys = keys_.get() + first;
    std::int64_t* places = l_.out + first;
    for (std::int64_t i = first; i < last; ++i) {
      const Drawn& d = drawn_[static_cast<std::size_t>(i)];
      const std::int64_t to = at[slot(d.key)]++;
      keys[to] = d.key;
      places[to] = d.place;
    }
    for (std::int64_t i = 1; i < last - first; ++i) {
      const std::uint64_t key = keys[i];
      const std::int64_t place = places[i];
      std::int64_t to = i;
      for (; to > 0 && keys[to - 1] > key; --to) {
        keys[to] = keys[to - 1];
        places[to] = places[to - 1];
      }
      keys[to] = key;
      places[to] = place;
    }
  }

  static constexpr int kSlotBits = 11;
  static constexpr std::size_t kSlots = std::size_t(1) << kSlotBits;
  const PermutationLaunch& l_;
  WordsLoop words_;
  int shift_ = 64;  // a key's bucket is what is above it
  std::int64_t parts_ = 1;
  std::unique_ptr<std::uint64_t[]> keys_;
  std::unique_ptr<Drawn[]> drawn_;
  std::vector<std::int64_t> starts_, ends_;
};

/// The cumulative weights of a row: sums within chunks, and what comes before each chunk.
template <class T>
double accumulate(const T* w, std::int64_t n, double* sums, double* starts) {
  double before = 0;
  for (std::int64_t first = 0; first < n; first += fn::kWeightChunk) {
    starts[first / fn::kWeightChunk] = before;
    double sum = 0;
    for (std::int64_t i = first; i < std::min(n, first + fn::kWeightChunk); ++i) {
      sum += fn::weight_of(static_cast<double>(w[i]));
      sums[i] = sum;
    }
    before += sum;
  }
  return before;
}

template <class T>
void draw_with_replacement(const MultinomialLaunch& l) {
  const std::int64_t n = l.categories;
  const fn::SampleArgs args{l.seed, l.offset};
  parallel_for(l.rows, std::max<std::int64_t>(1, 4096 / (n + l.samples)),
               [&](std::int64_t first, std::int64_t last) {
                 const auto sums = raw<double>(n);
                 const auto starts = raw<double>(n / fn::kWeightChunk + 1);
                 for (std::int64_t r = first; r < last; ++r) {
                   const double total = accumulate(static_cast<const T*>(l.weights) + r * n, n,
                                                   sums.get(), starts.get());
                   parallel_for(l.samples, 4096, [&](std::int64_t from, std::int64_t to) {
                     for (std::int64_t s = r * l.samples + from; s < r * l.samples + to; ++s) {
                       const fn::WordPair w = fn::word_pair(static_cast<std::uint64_t>(s), args);
                       const double share = fn::share_of(total, w.first, w.second);
                       l.out[s] = fn::category_of(share, sums.get(), starts.get(), n);
                     }
                   });
                 }
               });
}

struct Runner {
  double time;
  std::int64_t place;
  bool operator<(const Runner& o) const { return time != o.time ? time < o.time : place < o.place; }
};

void draw_without_replacement(const MultinomialLaunch& l, RaceLoop race) {
  const std::int64_t n = l.categories;
  const fn::SampleArgs args{l.seed, l.offset};
  const auto size = static_cast<std::int64_t>(element_size(l.dtype));
  parallel_for(l.rows, std::max<std::int64_t>(1, 4096 / n),
               [&](std::int64_t first, std::int64_t last) {
                 const auto times = raw<double>(n);
                 const auto runners = raw<Runner>(n);
                 for (std::int64_t r = first; r < last; ++r) {
                   race(&args, static_cast<std::uint64_t>(r * n), n,
                        static_cast<const char*>(l.weights) + r * n * size, times.get());
                   for (std::int64_t i = 0; i < n; ++i) {
                     runners[static_cast<std::size_t>(i)] = {times[static_cast<std::size_t>(i)], i};
                   }
                   std::partial_sort(runners.get(), runners.get() + l.samples, runners.get() + n);
                   for (std::int64_t s = 0; s < l.samples; ++s) {
                     l.out[r * l.samples + s] = runners[static_cast<std::size_t>(s)].place;
                   }
                 }
               });
}

}  // namespace

void launch_sample(const void* desc, const void* self) {
  const auto& l = *static_cast<const SampleLaunch*>(desc);
  const auto& loops = *static_cast<const SampleLoops*>(self);
  if (l.dtype == DType::float64) {
    sample<double>(l, loops.of_double, loops.block);
  } else {
    sample<float>(l, loops.of_float, loops.block);
  }
}

void launch_permutation(const void* desc, const void* self) {
  const auto& l = *static_cast<const PermutationLaunch*>(desc);
  Permutation(l, static_cast<const WordsLoops*>(self)->words).run();
}

void launch_multinomial(const void* desc, const void* self) {
  const auto& l = *static_cast<const MultinomialLaunch*>(desc);
  const auto& races = *static_cast<const RaceLoops*>(self);
  const bool wide = l.dtype == DType::float64;
  if (!l.replacement) {
    draw_without_replacement(l, wide ? races.of_double : races.of_float);
  } else if (wide) {
    draw_with_replacement<double>(l);
  } else {
    draw_with_replacement<float>(l);
  }
}

}  // namespace tandem::host
