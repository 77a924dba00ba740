// Libraries that libtandem opens while it runs: where they are looked for. Internal.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace tandem::detail {

/// Opens the library `name` that the environment variable `variable` may name by another path: that
/// path alone where it is set, else next to libtandem, else as the system's loader finds it. Null,
/// and a sentence in `why`, where it cannot be opened or the variable is empty. It is never closed.
void* open_beside(const char* variable, const char* name, std::string* why);

/// Held while a library is opened, by one thread at a time. In the child of a fork during which a
/// thread of the parent had it, libraries and the system's loader are half done: it is not given.
class Opening {
 public:
  static constexpr const char* kForked = "a library was being opened while this process forked";

  Opening() noexcept;
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  bool given() const { return given_; }

 private:
  bool given_ = false;
};

/// The library kept at `kept`, opened by T() at its first use; T(why) where it cannot be.
template <class T>
const T& opened_once(std::atomic<const T*>& kept) {
  const T* there = kept.load(std::memory_order_acquire);
  if (there != nullptr) [[likely]]
    return *there;
  const Opening opening;
  there = kept.load(std::memory_order_acquire);
  if (there != nullptr) return *there;
  auto made = opening.given() ? std::make_unique<T>() : std::make_unique<T>(Opening::kForked);
  if (!kept.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *there;
  return *made.release();
}

}  // namespace tandem::detail
