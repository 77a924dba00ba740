// The threads' front caches: made at a thread's first allocation, given back at its end, held still
// during a fork.
#include "runtime/memory/front_cache.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <new>

#include "runtime/memory/pool.h"
#include "runtime/memory/tags.h"

namespace tandem::memory {

void SpinLock::wait() noexcept {
  for (int i = 0; taken_.load(std::memory_order_relaxed); ++i) {
    if (i >= 64) sched_yield();  // the holder may have been descheduled
  }
}

constinit thread_local ThreadCaches* t_caches = nullptr;

namespace {

// A fork copies only the calling thread. With every lock held across it, the child finds consistent
// pools; the blocks in the caches of threads that it does not have are reached by draining, as on
// this side.
void before_fork() {
  Registry& all = Registry::get();
  all.mutex.lock();
  for (Pool* p : all.pools) p->lock_growth();
  for (FrontCache* c : all.caches) c->lock.lock();
  for (Pool* p : all.pools) p->lock();
  debug::mutex().lock();
  Order::process().lock();
  lock_labels();
}

void after_fork() {
  Registry& all = Registry::get();
  unlock_labels();
  Order::process().unlock();
  debug::mutex().unlock();
  for (Pool* p : all.pools) p->unlock();
  for (FrontCache* c : all.caches) c->lock.unlock();
  for (Pool* p : all.pools) p->unlock_growth();
  all.mutex.unlock();
}

thread_local bool t_ended = false;

struct AtThreadEnd {
  ~AtThreadEnd() {
    ThreadCaches* mine = t_caches;
    t_caches = nullptr;
    t_ended = true;
    if (mine == nullptr) return;
    Registry& all = Registry::get();
    const std::lock_guard<std::mutex> hold(all.mutex);
    for (FrontCache* c : mine->slot) {
      if (c == nullptr) continue;
      {
        const std::lock_guard<SpinLock> hold_cache(c->lock);
        if (c->pool != nullptr) c->pool->drain(*c);
      }
      std::erase(all.caches, c);
      delete c;
    }
    delete mine;
  }
};

}  // namespace

Registry& Registry::get() {
  static Registry* all = [] {
    auto* made = new Registry;
    pthread_atfork(before_fork, after_fork, after_fork);
    return made;
  }();
  return *all;
}

FrontCache* make_cache(unsigned slot) noexcept try {
  if (t_ended) return nullptr;
  thread_local AtThreadEnd at_end;
  (void)at_end;
  if (t_caches == nullptr) t_caches = new ThreadCaches;
  auto made = std::make_unique<FrontCache>();
  Registry& all = Registry::get();
  const std::lock_guard<std::mutex> hold(all.mutex);
  all.caches.push_back(made.get());
  return t_caches->slot[slot] = made.release();
} catch (const std::bad_alloc&) {
  return nullptr;  // the pool works without
}

}  // namespace tandem::memory
