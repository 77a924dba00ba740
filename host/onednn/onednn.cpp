// libtandem_onednn: matrix products by oneDNN. The only file that knows the library, whose
// interface changed between versions 2 and 3: only calls common to both are used.
#include "host/onednn.h"

#include <pthread.h>

#include <array>
#include <cstdio>
#include <list>
#include <mutex>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>

namespace tandem::host {

namespace {

using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;

/// Creating a primitive costs microseconds: the last ones are kept, by shape and strides.
class MatmulCache {
 public:
  using Key = std::array<std::int64_t, 21>;

  /// A primitive and the memory that each of its calls needs: left to the library, calls of several
  /// threads at once would write to the same.
  struct Kept {
    dnnl::matmul primitive;
    Desc scratch;
  };

  /// None where the library has no such product.
  std::optional<Kept> get(const Key& key, const Desc& a, const Desc& b, const Desc& c) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != key) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return entries_.front().second;
    }
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    try {
#if DNNL_VERSION_MAJOR >= 3
      const dnnl::matmul::primitive_desc pd(engine(), a, b, c, attributes);
#else
      const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(a, b, c), attributes, engine());
#endif
      entries_.emplace_front(key, Kept{dnnl::matmul(pd), pd.scratchpad_desc()});
    } catch (const dnnl::error& e) {
      if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
      return std::nullopt;
    }
    if (entries_.size() > kCapacity) entries_.pop_back();
    return entries_.front().second;
  }

  static const dnnl::engine& engine() {
    static const auto* e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return *e;
  }

 private:
  static constexpr std::size_t kCapacity = 64;
  friend MatmulCache& cache();
  std::mutex mutex_;
  std::list<std::pair<Key, Kept>> entries_;
};

/// A fork finds its lock free, and with it those that the library takes to make a primitive.
MatmulCache& cache() {
  static MatmulCache& c = *[] {
    pthread_atfork([] { cache().mutex_.lock(); }, [] { cache().mutex_.unlock(); },
                   [] { cache().mutex_.unlock(); });
    return new MatmulCache;
  }();
  return c;
}

/// Shapes first, in which products differ.
MatmulCache::Key key_of(const OnednnProduct& p) {
  MatmulCache::Key key{};
  auto at = key.begin();
  for (const OnednnOperand* o : {&p.a, &p.b, &p.c}) {
    for (std::int64_t i = 3 - p.rank; i < 3; ++i) *at++ = o->shape[i];
  }
  for (const OnednnOperand* o : {&p.a, &p.b, &p.c}) {
    for (std::int64_t i = 3 - p.rank; i < 3; ++i) *at++ = o->strides[i];
  }
  at = key.end() - 3;
  *at++ = p.rank;
  *at++ = p.type;
  *at++ = p.threads;
  return key;
}

Desc desc_of(const OnednnProduct& p, const OnednnOperand& o, Type type) {
  return Desc(dnnl::memory::dims(o.shape + 3 - p.rank, o.shape + 3), type,
              dnnl::memory::dims(o.strides + 3 - p.rank, o.strides + 3));
}

void run(const OnednnProduct& p, const void* a, const void* b, void* c,
         const OnednnScratch& scratch, bool* done) {
  const Type type = p.type == OnednnProduct::Int8ToInt32 ? Type::s8
                    : p.type == OnednnProduct::BFloat16  ? Type::bf16
                                                         : Type::f32;
  const Desc da = desc_of(p, p.a, type);
  const Desc db = desc_of(p, p.b, type);
  const Desc dc = desc_of(p, p.c, p.type == OnednnProduct::Int8ToInt32 ? Type::s32 : type);
  const auto kept = cache().get(key_of(p), da, db, dc);
  if (!kept) return;
  void* memory = scratch.get(scratch.context, kept->scratch.get_size());
  const dnnl::engine& engine = MatmulCache::engine();
  thread_local dnnl::stream stream(engine);
  dnnl::matmul primitive = kept->primitive;
  primitive.execute(stream, {{DNNL_ARG_SRC, dnnl::memory(da, engine, const_cast<void*>(a))},
                             {DNNL_ARG_WEIGHTS, dnnl::memory(db, engine, const_cast<void*>(b))},
                             {DNNL_ARG_DST, dnnl::memory(dc, engine, c)},
                             {DNNL_ARG_SCRATCHPAD, dnnl::memory(kept->scratch, engine, memory)}});
  stream.wait();
  *done = true;
}

OnednnStatus multiply(const OnednnProduct& p, const void* a, const void* b, void* c,
                      const OnednnScratch& scratch) {
  bool done = false;
  try {
    run(p, a, b, c, scratch, &done);
  } catch (const dnnl::error& e) {
    if (e.status != dnnl_out_of_memory) throw;
    return OnednnStatus::OutOfMemory;
  }
  return done ? OnednnStatus::Done : OnednnStatus::None;
}

}  // namespace

}  // namespace tandem::host

extern "C" __attribute__((visibility("default"))) int tandem_onednn_open(
    tandem::host::OnednnTable* table, int abi) {
  using namespace tandem::host;
  if (abi != kOnednnAbi) return 1;
  (void)cache();
  (void)MatmulCache::engine();
  table->multiply = &multiply;
  const dnnl_version_t* version = dnnl_version();
  std::snprintf(table->version, sizeof table->version, "oneDNN %d.%d.%d", version->major,
                version->minor, version->patch);
  return 0;
}
