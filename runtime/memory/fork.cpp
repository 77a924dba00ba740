// The locks that are held across a fork, besides those of the pools (front_cache.cpp).
#include "runtime/memory/fork.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "runtime/memory/front_cache.h"

namespace tandem {

/// What a fork does with the locks.
struct ForkLocks {
  std::mutex mutex;  // guards the list and what is awaited; held across every fork
  std::vector<ForkMutex*> list;

  void add(ForkMutex* m) {
    const std::lock_guard lock(mutex);
    list.push_back(m);
  }

  void remove(ForkMutex* m) {
    std::unique_lock lock(mutex);
    // Who waits for it gets it at once, since nobody holds it any more.
    while (m->awaited_ > 0) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
    std::erase(list, m);
  }

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
      if (mine != nullptr) --mine->awaited_;
      ForkMutex* busy = take_all_but(mine);
      if (busy == nullptr) return;
      ++busy->awaited_;
      if (mine != nullptr) mine->mutex_.unlock();  // after the list's, it may have been destroyed
      mutex.unlock();
      mine = busy;
    }
  }

  /// Of the threads that wait the child has none.
  void forget_others() {
    for (ForkMutex* m : list) m->awaited_ = 0;
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
}

void after_fork_in_child() {
  locks().forget_others();
  locks().give_back();
  g_forks.store(0);
}

/// Who holds a lock goes on, since the fork waits for it. Others wait a while, not without end: one
/// that holds a lock may wait for them.
void let_forks_pass() {
  constexpr int kTimes = 200;
  for (int i = 0; i < kTimes && t_held == 0 && g_forks.load(std::memory_order_relaxed) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::microseconds(50));
}

}  // namespace

ForkMutex::ForkMutex() { locks().add(this); }

ForkMutex::~ForkMutex() { locks().remove(this); }

void ForkMutex::lock() {
  if (g_forks.load(std::memory_order_relaxed) != 0) [[unlikely]]
    let_forks_pass();
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
