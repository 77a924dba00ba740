// The settings of who computes Fourier transforms, and the launch of a library's rows.
#include "runtime/ops/fft_provider.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>

#include "runtime/dispatch/funnel.h"
#include "runtime/stream/capture.h"
#include "tandem/exact.h"
#include "tandem/op_table.h"

namespace tandem {

namespace {

constexpr const char* kNames[] = {"auto", "built-in", "fftw", "cufft"};
constexpr const char* kEfforts[] = {"estimate", "measure", "patient"};
enum Provider : int { kUnset = -1, kAuto, kBuiltIn, kFftw, kCufft };

template <std::size_t N>
int number_of(const char* const (&names)[N], const std::string& name, const std::string& what) {
  std::string all;
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<int>(i);
    all += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == N ? " or " : ", ", names[i]);
  }
  throw ValueError(fmt::format("{} expected {}, got '{}'", what, all, name));
}

/// A setting that an environment variable has at the start. A wrong one raises at each use.
template <std::size_t N>
class Setting {
 public:
  Setting(const char* variable, const char* const (&names)[N])
      : variable_(variable), names_(names) {}
  int get() {
    const int value = value_.load(std::memory_order_relaxed);
    if (value != kUnset) return value;
    const char* said = std::getenv(variable_);
    const int first = said == nullptr ? 0 : number_of(names_, said, fmt::format("[{}]", variable_));
    int unset = kUnset;
    value_.compare_exchange_strong(unset, first);
    return value_.load();
  }
  void set(int value) { value_.store(value); }

 private:
  std::atomic<int> value_{kUnset};
  const char* variable_;
  const char* const (&names_)[N];
};

Setting<4>& process_provider() {
  static auto& s = *new Setting<4>("TANDEM_FFT_PROVIDER", kNames);
  return s;
}
Setting<3>& effort() {
  static auto& s = *new Setting<3>("TANDEM_FFTW_PLANNING", kEfforts);
  return s;
}
constinit thread_local int t_provider = kUnset;

int asked() { return t_provider != kUnset ? t_provider : process_provider().get(); }

int library_of(Device device) { return device.is_cpu() ? kFftw : kCufft; }

/// Whether the library of the device is there, and its version or why not.
FftAnswer library_answer(Device device) {
  FftAnswer answer;
  const auto say = [&](const std::string& text) {
    text.copy(answer.text, sizeof answer.text - 1);
    answer.text[std::min(text.size(), sizeof answer.text - 1)] = '\0';
  };
  if (device.is_meta()) {
    say("nothing is computed on the meta device");
    return answer;
  }
  if (!is_available(device.kind)) {
    say(device_status(device.kind));
    return answer;
  }
  FftRowsLaunch l{};
  l.row = &op::fft_ifft;
  l.device = device;
  l.answer = &answer;
  try {
    detail::launch(*l.row, device, &l);
  } catch (const NotImplemented&) {
    say("the backend has no transforms of a library");
  }
  return answer;
}

/// Raises where a provider that is asked for by name cannot be used; `by`: by what, if not by this
/// call.
void need(int which, const char* what, const char* by = "") {
  if (which != kFftw && which != kCufft) return;
  const FftAnswer answer = library_answer(which == kFftw ? kCPU : kCUDA);
  TANDEM_EXPECTS(answer.usable, DeviceError,
                 fmt::format("[{}] expected a provider that can be used, got '{}'{}: {}", what,
                             kNames[which], by, answer.text));
}

int checked(const std::string& name, const char* what) {
  const int which = number_of(kNames, name, fmt::format("[{}] argument 'name':", what));
  need(which, what);
  return which;
}

}  // namespace

namespace fft {

std::string provider(Device device) {
  const int which = asked();
  if (is_exact() || which == kBuiltIn) return kNames[kBuiltIn];
  if (which == library_of(device)) return kNames[which];
  return kNames[library_answer(device).usable ? library_of(device) : kBuiltIn];
}

std::string provider_reason(Device device) {
  const int which = asked();
  if (is_exact()) return "exact mode";
  if (which == kBuiltIn) return "it was asked for";
  const FftAnswer answer = library_answer(device);
  const char* library = kNames[library_of(device)];
  const bool by_name = which == library_of(device);
  if (!answer.usable && by_name) {
    return fmt::format("it was asked for, but transforms raise a DeviceError: {}", answer.text);
  }
  if (!answer.usable) return fmt::format("no {}: {}", library, answer.text);
  return fmt::format("{}{}{}", by_name ? "it was asked for: " : "", answer.text,
                     by_name || !device.is_cpu() ? "" : "; the built-in one where that is faster");
}

void set_provider(const std::string& name) {
  process_provider().set(checked(name, "fft.set_provider"));
}

ProviderGuard::ProviderGuard(const std::string& name) : before_(t_provider) {
  t_provider = checked(name, "fft.use_provider");
}
ProviderGuard::~ProviderGuard() { t_provider = before_; }

void set_planning(const std::string& name) {
  effort().set(number_of(kEfforts, name, "[fft.set_planning] argument 'effort':"));
}
std::string planning() { return kEfforts[effort().get()]; }

}  // namespace fft

namespace detail {

int fft_effort() { return effort().get(); }

FftAnswer fft_launch_rows(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out) {
  FftAnswer answer;
  FftRowsLaunch l{};
  l.row = &op::fft_ifft;
  l.dtype = is_complex(out.dtype()) ? out.dtype() : x.dtype();
  l.device = out.device();
  l.ends = ends;
  l.inverse = c.inverse;
  l.real_in = ends == FftEnds::Complex && !is_complex(x.dtype());
  l.n = c.n;
  l.scale = c.scale;
  l.answer = &answer;
  Dims shape, in, to;
  l.rows = 1;
  const auto axis = static_cast<std::size_t>(c.axis);
  const auto in_size = static_cast<std::int64_t>(x.element_size());
  const auto out_size = static_cast<std::int64_t>(out.element_size());
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    if (d == axis) continue;
    shape.push_back(x.shape()[d]);
    in.push_back(x.strides()[d] * in_size);
    to.push_back(out.strides()[d] * out_size);
    l.rows *= x.shape()[d];
  }
  l.shape = shape.data();
  l.rank = static_cast<int>(shape.size());
  l.in = {x.data_ptr(),
          x.strides()[axis] * in_size,
          in.data(),
          x.shape()[axis],
          ends == FftEnds::RealOut && c.conjugate,
          nullptr};
  l.out = {out.data_ptr(),    out.strides()[axis] * out_size,         to.data(),
           out.shape()[axis], ends == FftEnds::RealIn && c.conjugate, nullptr};
  l.stream = launch_stream(l.device, {&out}, {&x});
  if (!l.device.is_cpu()) l.captured = recording_of(current_stream(l.device)) != nullptr;
  launch(*l.row, l.device, &l);
  return answer;
}

bool fft_by_library(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out) {
  const int which = asked();
  if (is_exact() || which == kBuiltIn || out.numel() == 0) return false;
  const Device device = out.device();
  const bool by_name = which == library_of(device);
  if (!by_name && !fft_prefers_library(ends, c, x, out)) return false;
  FftAnswer answer;
  try {
    answer = device.is_cpu() ? fft_launch_rows(ends, c, x, out) : fft_on_device(ends, c, x, out);
  } catch (const NotImplemented&) {  // a backend without
  }
  if (answer.done || !by_name) return answer.done;
  need(which, c.row->name, ", which TANDEM_FFT_PROVIDER, fft.set_provider or a scope asks for");
  TANDEM_EXPECTS(
      !answer.unplanned, DeviceError,
      fmt::format("[{}] expected a transform that ran once before its stream is captured, "
                  "as '{}' was asked for: {}",
                  c.row->name, kNames[which], answer.text));
  return false;
}

}  // namespace detail

}  // namespace tandem
