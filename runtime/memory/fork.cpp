// The locks that are held across a fork, besides those of the pools (front_cache.cpp).
#include "runtime/memory/fork.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "runtime/memory/front_cache.h"

namespace tandem {

/// What a fork does with the locks.
struct ForkLocks {
  std::mutex mutex;  // guards the lists; held across every fork
  std::vector<ForkMutex*> list;
  std::vector<ForkMutex*> awaited;  // by threads that are about to fork; these are not destroyed

  /// Takes every lock but `mine`; where one is not free, none of them, and returns it.
  ForkMutex* take_all_but(const ForkMutex* mine) const {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] == mine || list[i]->mutex_.try_lock()) continue;
      for (std::size_t k = 0; k < i; ++k) {
        if (list[k] != mine) list[k]->mutex_.unlock();
      }
      return list[i];
    }
    return nullptr;
  }

  /// As std::lock does it: a thread that is about to fork waits for one lock at a time and holds no
  /// other meanwhile. Other threads then may take locks in any order of their own, and make new
  /// ones with some held.
  void take() {
    ForkMutex* mine = nullptr;
    while (true) {
      if (mine != nullptr) mine->mutex_.lock();
      mutex.lock();
      if (mine != nullptr) awaited.erase(std::find(awaited.begin(), awaited.end(), mine));
      ForkMutex* busy = take_all_but(mine);
      if (busy == nullptr) return;
      awaited.push_back(busy);
      mutex.unlock();
      if (mine != nullptr) mine->mutex_.unlock();
      mine = busy;
    }
  }

  void give_back() {
    for (ForkMutex* m : list) m->mutex_.unlock();
    mutex.unlock();
  }
};

namespace {

std::atomic<int> g_forks{0};                                     // threads that are about to fork
[[gnu::tls_model("initial-exec")]] thread_local int t_held = 0;  // locks of this thread

void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

ForkLocks& locks() {
  static ForkLocks& all = []() -> ForkLocks& {
    (void)memory::Registry::get();  // whose handlers come later before a fork, being older
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return *new ForkLocks();
  }();
  return all;
}

// Made when the library is loaded: see made_once.
[[maybe_unused]] const ForkLocks& g_locks = locks();

void before_fork() {
  g_forks.fetch_add(1);
  locks().take();
}

void after_fork_in_parent() {
  locks().give_back();
  g_forks.fetch_sub(1);
  g_forks.notify_all();
}

void after_fork_in_child() {
  locks().awaited.clear();
  locks().give_back();
  g_forks.store(0);
}

}  // namespace

ForkMutex::ForkMutex() {
  const std::lock_guard lock(locks().mutex);
  locks().list.push_back(this);
}

ForkMutex::~ForkMutex() {
  ForkLocks& all = locks();
  std::unique_lock lock(all.mutex);
  // Who waits for this lock gets it at once, since nobody holds it any more.
  while (std::find(all.awaited.begin(), all.awaited.end(), this) != all.awaited.end()) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
  std::erase(all.list, this);
}

void ForkMutex::lock() {
  // Who holds a lock goes on, since the fork waits for it.
  while (t_held == 0) {
    const int forks = g_forks.load(std::memory_order_relaxed);
    if (forks == 0) [[likely]]
      break;
    g_forks.wait(forks);
  }
  mutex_.lock();
  ++t_held;
}

bool ForkMutex::try_lock() {
  const bool taken = mutex_.try_lock();
  t_held += taken ? 1 : 0;
  return taken;
}

void ForkMutex::unlock() {
  --t_held;
  mutex_.unlock();
}

}  // namespace tandem
