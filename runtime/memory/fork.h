// Locks that a fork must find free, and objects that it must not find half made.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "tandem/export.h"

namespace tandem {

/// A lock that is held across every fork, so that the child does not find it taken by a thread that
/// it does not have. Threads take them in any order that suits them among each other, and make new
/// ones with some held; never with a lock of a pool held, which a fork takes last. While a thread
/// waits for a fork, those that hold none of these locks let it pass, so that it does not wait
/// long.
class TANDEM_API ForkMutex {
 public:
  ForkMutex();
  ~ForkMutex();
  ForkMutex(const ForkMutex&) = delete;
  ForkMutex& operator=(const ForkMutex&) = delete;
  void lock();
  bool try_lock();
  void unlock();

 private:
  friend struct ForkLocks;
  std::mutex mutex_;
  int awaited_ = 0;  // threads that are about to fork wait for it; it is not destroyed then
};

/// The object kept at `kept`, made at its first use. Not by a static variable: its guard would stay
/// taken for ever in a child whose parent forked while another thread was making the object, and a
/// thread that makes a ForkMutex or a pool during a fork waits for the end of it. Threads that come
/// at once make one each, of which one is kept.
template <class T, class Make>
T& made_once(std::atomic<T*>& kept, Make&& make) {
  T* there = kept.load(std::memory_order_acquire);
  if (there != nullptr) [[likely]]
    return *there;
  std::unique_ptr<T> made = make();
  if (!kept.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *there;
  return *made.release();
}

template <class T>
T& made_once(std::atomic<T*>& kept) {
  return made_once(kept, [] { return std::make_unique<T>(); });
}

}  // namespace tandem
