// What memory is for: the calling thread's tag (MemoryTag), and the op that allocates.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::memory {

/// A tag and an op, as a number of the process: it stands for the two as long as that runs. 0:
/// neither.
using Label = std::uint32_t;

struct LabelName {
  std::string tag;  // "encoder/attention"; empty: none was set
  std::string op;   // empty: outside of an op, or a block of a front cache, where no one asks
};

/// The calling thread's tag. In the static block of thread-local storage, as front caches read it
/// at every allocation.
extern constinit thread_local Label t_tag __attribute__((tls_model("initial-exec")));

/// Makes "<the thread's tag>/name" the thread's tag and returns what was before. Raises ValueError.
Label push_tag(std::string_view name);
inline void restore_tag(Label before) noexcept { t_tag = before; }

/// The labels that a thread asked for last, by tag and the address of the op's name.
struct RecentLabels {
  struct One {
    const char* op = nullptr;
    Label tag = 0, label = 0;
  };
  One& of(const char* op, Label tag) {
    return all[(reinterpret_cast<std::uintptr_t>(op) >> 3 ^ tag) % std::size(all)];
  }
  One all[16];
};

/// The thread's tag and op. Without the op where there is no memory to note it.
Label label_of_op() noexcept;

/// The names of all labels so far, by label.
std::vector<LabelName> label_names();

// For a fork.
void lock_labels();
void unlock_labels();

}  // namespace tandem::memory
