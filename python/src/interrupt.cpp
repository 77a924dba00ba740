// Ctrl-C during long work: Python's own handler only leaves a note for the interpreter, which does
// not run while an op works. So the note is taken here as well, and the op's thread looks at it
// (tandem/interrupt.h).
#include <pthread.h>

#include <atomic>
#include <csignal>

#include "objects.h"
#include "tandem/interrupt.h"

namespace tandem::python {
namespace {

std::atomic<bool> pressed{false};
std::atomic<bool> handling{false};
struct sigaction original {};  // Python's
struct sigaction former {};    // what stood where the handler below was put
pthread_t main_thread;

void pass_on(const struct sigaction& to, int signal, siginfo_t* info, void* context) {
  if ((to.sa_flags & SA_SIGINFO) != 0) {
    to.sa_sigaction(signal, info, context);
  } else if (to.sa_handler != SIG_DFL && to.sa_handler != SIG_IGN) {
    to.sa_handler(signal);
  }
}

void on_interrupt(int signal, siginfo_t* info, void* context) {
  pressed.store(true, std::memory_order_relaxed);
  // Another library's handler may call this one in its turn.
  if (handling.exchange(true)) return pass_on(original, signal, info, context);
  pass_on(former, signal, info, context);
  handling.store(false);
}

bool is_own(const struct sigaction& a) {
  return (a.sa_flags & SA_SIGINFO) != 0 && a.sa_sigaction == on_interrupt;
}

/// Puts the handler before the present one; signal.signal() puts Python's alone back. A process
/// that ignores the signal, or ends by it, stays as it is.
void watch() {
  struct sigaction now {};
  if (sigaction(SIGINT, nullptr, &now) != 0 || is_own(now)) return;
  if ((now.sa_flags & SA_SIGINFO) == 0 &&
      (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN)) {
    return;
  }
  former = now;
  struct sigaction own = now;
  own.sa_flags |= SA_SIGINFO;
  own.sa_sigaction = on_interrupt;
  sigaction(SIGINT, &own, nullptr);
  pressed.store(true);  // perhaps: while the handler was not there
}

/// Python runs its handlers in the main thread alone.
void check() {
  if (pthread_equal(pthread_self(), main_thread) == 0) return;
  watch();
  if (!pressed.exchange(false, std::memory_order_relaxed)) return;
  const nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

}  // namespace

void init_interrupt() {
  const nb::object main = nb::module_::import_("threading").attr("main_thread")();
  main_thread = static_cast<pthread_t>(nb::cast<unsigned long>(main.attr("ident")));
  // The thread that forked is the child's main one.
  pthread_atfork(nullptr, nullptr, [] { main_thread = pthread_self(); });
  sigaction(SIGINT, nullptr, &original);
  watch();
  set_interrupt_check(check);
}

}  // namespace tandem::python
