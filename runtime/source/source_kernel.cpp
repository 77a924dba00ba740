#include "tandem/source_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/host_backend.h"
#include "runtime/dispatch/map.h"
#include "runtime/memory/fork.h"
#include "runtime/source/host_compiler.h"
#include "runtime/source/program.h"
#include "runtime/source/store.h"
#include "tandem/backend/source.h"

namespace tandem {

namespace {

static_assert(kSourceRank == kMaxRank && kSourceOperands == kMaxOperands);

/// The row of a function of this name: for messages, traces and the funnel. Kept for ever, since
/// traces keep names.
const OpRow& row_of(const std::string& name, int arity) {
  struct Named {
    std::string name;
    OpRow row;
    Named(const std::string& n, int inputs)
        : name(n),
          row{name.c_str(),
              Family::Elementwise,
              static_cast<std::int8_t>(inputs),
              dtypes::All,
              Result::Same,
              0,
              0,
              0,
              "",
              "a user's function",
              kNoInPlace} {}
  };
  struct Rows {
    ForkMutex mutex;
    std::map<std::pair<std::string, int>, Named> all;
  };
  static constinit std::atomic<Rows*> there{nullptr};
  Rows& rows = made_once(there);
  const std::lock_guard lock(rows.mutex);
  const auto key = std::make_pair(name, arity);
  const auto found = rows.all.find(key);
  if (found != rows.all.end()) return found->second.row;
  return rows.all
      .emplace(std::piecewise_construct, std::forward_as_tuple(key),
               std::forward_as_tuple(name, arity))
      .first->second.row;
}

SourceNumber forms_of(const Scalar& s) {
  SourceNumber n{};
  n.re = s.to_complex().real();
  n.im = s.to_complex().imag();
  if (s.kind() == Scalar::Kind::UInt) {
    n.i = static_cast<std::int64_t>(s.to<std::uint64_t>());
  } else if (s.is_integral()) {
    n.i = s.to_int();
  } else if (n.re >= 0x1p63 && n.re < 0x1p64) {  // of uint64: its bits
    n.i = static_cast<std::int64_t>(static_cast<std::uint64_t>(n.re));
  } else if (std::abs(n.re) < 0x1p63) {
    n.i = static_cast<std::int64_t>(n.re);
  }
  return n;
}

/// Whether an element of the dtype can hold the number's kind.
bool holds(DType t, const Scalar& s) {
  if (is_complex(t)) return true;
  if (s.kind() == Scalar::Kind::Complex) return false;
  if (is_float(t)) return true;
  if (t == DType::bool_) return s.kind() == Scalar::Kind::Bool;
  return s.kind() != Scalar::Kind::Float || std::floor(s.to_double()) == s.to_double();
}

SourceArgs args_of(const ElementwiseLaunch& l, std::span<const Scalar> numbers) {
  SourceArgs a{};
  a.numel = l.numel;
  a.rank = l.rank;
  std::copy_n(l.shape, l.rank, a.shape);
  for (int k = 0; k < l.n_out + l.n_in; ++k) {
    a.operands[k].data = static_cast<char*>(l.operands[k].data);
    std::copy_n(l.operands[k].strides, l.rank, a.operands[k].strides);
  }
  for (std::size_t k = 0; k < numbers.size(); ++k) a.numbers[k] = forms_of(numbers[k]);
  return a;
}

const SourceStore& device_store() {
  using source::Store;
  static constexpr SourceStore store{
      nullptr,
      [](const void*, const char* name, void (*take)(void*, const char*, std::size_t), void* to) {
        if (const auto bytes = Store::process().read_sealed(name))
          take(to, bytes->data(), bytes->size());
      },
      [](const void*, const char* name, const char* bytes, std::size_t size) {
        try {
          Store::process().write_sealed(name, {bytes, size}, "compile");
        } catch (const Error&) {  // it is compiled again next time
        }
      }};
  return store;
}

}  // namespace

struct SourceKernel::State {
  std::string source, function;
  std::vector<Number> numbers;
  std::optional<DType> result;

  /// What runs one combination of dtypes.
  struct Compiled {
    source::Types types;
    bool on_host;
    source::HostFunction host;
    std::string program, key;  // for a device
  };

  std::shared_ptr<const Compiled> compiled(const source::Types& types, bool on_host,
                                           const char* op) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& c : all_) {
        if (c->on_host == on_host && c->types == types) return c;
      }
    }
    Compiled made{types, on_host, nullptr, {}, {}};
    if (on_host) {
      made.host = source::host_function(source::host_program(source, function, types), op);
    } else {
      made.program = source::device_program(source, function, types);
      made.key = source::key_of(made.program);
    }
    const std::lock_guard lock(mutex_);
    all_.push_back(std::make_shared<const Compiled>(std::move(made)));
    return all_.back();
  }

  void run(const ElementwiseLaunch& l, std::span<const Scalar> values);
  std::vector<Scalar> values_of(std::span<const Number> given) const;

 private:
  ForkMutex mutex_;
  std::vector<std::shared_ptr<const Compiled>> all_;
};

void SourceKernel::State::run(const ElementwiseLaunch& l, std::span<const Scalar> values) {
  source::Types types{l.dtype, {}, values.size()};
  for (int k = 0; k < l.n_out + l.n_in; ++k) types.operands.push_back(l.operands[k].dtype);
  const auto c = compiled(types, l.device.is_cpu(), l.row->name);
  const SourceArgs args = args_of(l, values);
  if (c->on_host) {
    return detail::run_source_on_host(c->host, args, l.numel);
  }
  const auto launch = reinterpret_cast<SourceKernelLaunch>(
      backend_function(l.device.kind, "tandem_backend_source_kernel"));
  TANDEM_EXPECTS(launch != nullptr, NotImplemented,
                 fmt::format("[{}] expected a backend that compiles kernels, got that of {}",
                             l.row->name, l.device.str()));
  const std::string headers = source::include_folder(l.row->name);
  const SourceLaunch desc{
      l.row->name, c->program.c_str(), c->key.c_str(), headers.c_str(), &device_store(),
      &args,       l.device,           l.stream};
  const char* wrong = launch(&desc);
  check_launch();
  TANDEM_EXPECTS(wrong == nullptr, ValueError,
                 fmt::format("[{}] argument 'source': expected C++ that compiles for the device, "
                             "got:\n{}",
                             l.row->name, wrong));
}

std::vector<Scalar> SourceKernel::State::values_of(std::span<const Number> given) const {
  std::vector<Scalar> values;
  for (const Number& n : numbers) values.push_back(n.value);
  for (const Number& n : given) {
    const auto at = std::ranges::find(numbers, n.name, &Number::name);
    TANDEM_EXPECTS(
        at != numbers.end(), TypeError,
        fmt::format("[{}] expected a number that the kernel has, got '{}'", function, n.name));
    values[static_cast<std::size_t>(at - numbers.begin())] = n.value;
  }
  return values;
}

SourceKernel::SourceKernel(std::string source, Options options)
    : state_(std::make_shared<State>()) {
  source::check_source(source);
  TANDEM_EXPECTS(options.numbers.size() <= kSourceNumbers, ValueError,
                 fmt::format("[elementwise_kernel] expected at most {} numbers, got {}",
                             kSourceNumbers, options.numbers.size()));
  state_->function = options.function.empty() ? source::function_of(source) : options.function;
  state_->source = std::move(source);
  state_->numbers = std::move(options.numbers);
  state_->result = options.result;
}

Tensor SourceKernel::operator()(std::span<const Tensor> inputs,
                                std::span<const Number> numbers) const {
  const std::string& name = state_->function;
  TANDEM_EXPECTS(
      !inputs.empty() && inputs.size() < kMaxOperands, TypeError,
      fmt::format("[{}] expected 1 to {} tensors, got {}", name, kMaxOperands - 1, inputs.size()));
  const std::vector<Scalar> values = state_->values_of(numbers);
  std::array<const Tensor*, kMaxOperands> all{};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TANDEM_EXPECTS(
        inputs[i].defined(), TypeError,
        fmt::format("[{}] argument {}: expected a tensor, got an undefined one", name, i));
    all[i] = &inputs[i];
  }
  const auto result = [&](DType promoted) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      TANDEM_EXPECTS(
          holds(promoted, values[k]), TypeError,
          fmt::format("[{}] argument '{}': expected a number that {} holds, got {}", name,
                      state_->numbers[k].name, tandem::name(promoted), values[k].str()));
      TANDEM_EXPECTS(
          values[k].fits(promoted), ValueError,
          fmt::format("[{}] argument '{}': value {} cannot be converted to type {} without "
                      "overflow",
                      name, state_->numbers[k].name, values[k].str(), tandem::name(promoted)));
    }
    return state_->result.value_or(promoted);
  };
  const int n = static_cast<int>(inputs.size());
  return detail::map_with(row_of(name, n), all.data(), n, result,
                          [&](const ElementwiseLaunch& l) { state_->run(l, values); });
}

const std::string& SourceKernel::function() const { return state_->function; }
const std::vector<SourceKernel::Number>& SourceKernel::numbers() const { return state_->numbers; }
const std::string& SourceKernel::source() const { return state_->source; }
const std::optional<DType>& SourceKernel::result() const { return state_->result; }

}  // namespace tandem
