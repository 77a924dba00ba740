// The locks that are held across a fork, besides those of the pools (front_cache.cpp).
#include "runtime/memory/fork.h"

#include <pthread.h>

#include <algorithm>
#include <vector>

#include "runtime/memory/front_cache.h"

namespace tandem {
namespace {

struct Held {
  std::mutex mutex;  // guards the list
  std::vector<std::mutex*> list;
};

void before_fork();
void after_fork();

Held& held() {
  static Held& h = []() -> Held& {
    (void)memory::Registry::get();  // whose handlers come later before a fork, being older
    pthread_atfork(before_fork, after_fork, after_fork);
    return *new Held();
  }();
  return h;
}

// Made when the library is loaded: see made_once.
[[maybe_unused]] const Held& g_held = held();

void before_fork() {
  held().mutex.lock();
  // A plain loop: clang 14, which builds the fuzzer, lacks the library's views.
  auto& list = held().list;
  for (auto m = list.rbegin(); m != list.rend(); ++m) (*m)->lock();
}

void after_fork() {
  for (std::mutex* m : held().list) m->unlock();
  held().mutex.unlock();
}

}  // namespace

ForkMutex::ForkMutex() {
  const std::lock_guard lock(held().mutex);
  held().list.push_back(this);
}

ForkMutex::~ForkMutex() {
  const std::lock_guard lock(held().mutex);
  std::erase(held().list, this);
}

}  // namespace tandem
