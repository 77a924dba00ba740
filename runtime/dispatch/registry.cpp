// Makes the rows of tandem/ops/*.def and keeps what belongs to them.
#include "runtime/dispatch/registry.h"

#include <fmt/format.h>

#include <deque>
#include <mutex>
#include <unordered_map>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/host_backend.h"
#include "runtime/memory/fork.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/indexing.h"
#include "runtime/ops/linalg.h"
#include "runtime/ops/movement.h"
#include "runtime/ops/pointwise.h"
#include "runtime/ops/random.h"
#include "runtime/ops/scan.h"
#include "runtime/ops/sorting.h"
#include "runtime/ops/window.h"
#include "tandem/fft.h"
#include "tandem/op_alias.h"
#include "tandem/op_result.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/products.h"
#include "tandem/signal.h"

namespace tandem {

// ---- the rows
// ------------------------------------------------------------------------------------------
namespace op {
#define TANDEM_ELEMENTWISE(arity, name, dt, result, ulp, lo, hi, flags, schema, doc)           \
  OpRow name{                                                                                  \
      #name, Family::Elementwise, arity, dtypes::dt, Result::result, ulp, lo, hi, schema, doc, \
      flags};
#define TANDEM_UNARY(name, functor, ...) TANDEM_ELEMENTWISE(1, name, __VA_ARGS__)
#define TANDEM_BINARY(name, functor, ...) TANDEM_ELEMENTWISE(2, name, __VA_ARGS__)
#define TANDEM_TERNARY(name, functor, ...) TANDEM_ELEMENTWISE(3, name, __VA_ARGS__)
#define TANDEM_QUATERNARY(name, functor, ...) TANDEM_ELEMENTWISE(4, name, __VA_ARGS__)
#define TANDEM_GENERATOR(name, functor, dt, flags, schema, doc) \
  OpRow name{#name, Family::Generator, 0, dtypes::dt, Result::Same, 0, 0, 0, schema, doc, flags};
#define TANDEM_REDUCTION(name, functor, dt, result, ulp, lo, hi, flags, schema, doc)            \
  OpRow name{#name, Family::Reduction, 1, dtypes::dt, Result::result, ulp, lo, hi, schema, doc, \
             flags};
#define TANDEM_FUNC(name, fn, flags, schema, doc) \
  OpRow name{#name, Family::Irregular, 0, dtypes::All, Result::Same, 0, 0, 0, schema, doc, flags};
#include "tandem/ops/ops.def"
#undef TANDEM_ELEMENTWISE
}  // namespace op

namespace detail {
namespace {

struct Entry {
  const OpRow* row;
  BoxedFn boxed;
  const char* result;
  Schema schema;
};

struct Registry {
  ForkMutex mutex;  // guards additions; entries never move or go
  std::deque<Entry> entries;
  std::unordered_map<std::string_view, Entry*> by_name;
  std::unordered_map<const OpRow*, Entry*> by_row;
  std::deque<Kernel> kernels;

  Registry();
  template <auto F>
  void add(const OpRow& row) {
    add(row, &Boxed<F>::call, Boxed<F>::kResult);
  }
  void add(const OpRow& row, BoxedFn boxed, const char* result) {
    const bool unary = row.family != Family::Generator && row.arity == 1;
    entries.push_back({&row, boxed, result, parse_schema(row.schema, unary ? "Tensor" : "Arg")});
    by_name[row.name] = &entries.back();
    by_row[&row] = &entries.back();
  }
  void replace_boxed(const OpRow& row, BoxedFn boxed) { by_row.at(&row)->boxed = boxed; }
};

Registry::Registry() {
#define TANDEM_UNARY(name, ...) \
  add<static_cast<Tensor (*)(const Tensor&)>(&tandem::name)>(op::name);
#define TANDEM_BINARY(name, ...) \
  add<static_cast<Tensor (*)(const Arg&, const Arg&)>(&tandem::name)>(op::name);
#define TANDEM_TERNARY(name, ...) \
  add<static_cast<Tensor (*)(const Arg&, const Arg&, const Arg&)>(&tandem::name)>(op::name);
#define TANDEM_QUATERNARY(name, ...) add<&ops::name>(op::name);
#define TANDEM_GENERATOR(name, ...) add<&ops::name>(op::name);
#define TANDEM_REDUCTION(name, ...) add(op::name, &ops::reduction, "Tensor");
#define TANDEM_FUNC(name, fn, ...) add<fn>(op::name);
#include "tandem/ops/ops.def"
  for (const OpAlias& a : op_aliases()) by_name[a.name] = by_row.at(a.row);
  // Rows whose full form takes more than the operands.
  replace_boxed(op::add, &Boxed<&ops::add>::call);
  replace_boxed(op::sub, &Boxed<&ops::sub>::call);
  replace_boxed(op::div, &Boxed<&ops::div>::call);
  replace_boxed(op::clamp, &Boxed<&ops::clamp>::call);
  replace_boxed(op::logit, &Boxed<&ops::logit>::call);
  replace_boxed(op::round, &Boxed<&ops::round>::call);
}

Registry& registry() {
  static constinit std::atomic<Registry*> r{nullptr};  // leaked: kernels may run at the very end
  return made_once(r);
}

Entry& entry_of(const OpRow& row) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto found = r.by_row.find(&row);
  TANDEM_EXPECTS(found != r.by_row.end(), Error,
                 fmt::format("[{}] the op is not registered", row.name));
  return *found->second;
}

}  // namespace

BoxedFn boxed_of(const OpRow& row) { return entry_of(row).boxed; }

int bind_kernel(const char* op, DeviceKind kind, Kernel kernel) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto found = r.by_name.find(op);
  if (found == r.by_name.end()) return 1;
  r.kernels.push_back(kernel);
  found->second->row->kernels[static_cast<int>(kind)].store(&r.kernels.back(),
                                                            std::memory_order_release);
  return 0;
}

void register_row(const OpRow& row, BoxedFn boxed) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  TANDEM_EXPECTS(!r.by_name.contains(row.name), ValueError,
                 fmt::format("[register_row] an op named '{}' exists", row.name));
  r.add(row, boxed, "values");
}

const Kernel& kernel_of(const OpRow& row, DeviceKind kind) {
  auto& slot = row.kernels[static_cast<int>(kind)];
  const Kernel* k = slot.load(std::memory_order_acquire);
  if (k == nullptr) [[unlikely]] {
    if (kind == DeviceKind::CPU) {
      register_host_kernels();
    } else {
      (void)backend_for(kind);
    }
    k = slot.load(std::memory_order_acquire);
    TANDEM_EXPECTS(
        k != nullptr, NotImplemented,
        fmt::format("[{}] the op has no kernel for device '{}'", row.name, Device(kind).str()));
  }
  return *k;
}

}  // namespace detail

const char* op_result(const OpRow& row) { return detail::entry_of(row).result; }

std::vector<const OpRow*> op_rows() {
  auto& r = detail::registry();
  const std::lock_guard lock(r.mutex);
  std::vector<const OpRow*> rows;
  for (const auto& e : r.entries) rows.push_back(e.row);
  return rows;
}

const OpRow* find_op(std::string_view name) {
  auto& r = detail::registry();
  const std::lock_guard lock(r.mutex);
  const auto found = r.by_name.find(name);
  return found == r.by_name.end() ? nullptr : found->second->row;
}

std::vector<OpAlias> op_aliases() {
  return {
#define TANDEM_ALIAS(name, row) {#name, &op::row},
#include "tandem/ops/alias.def"
#undef TANDEM_ALIAS
  };
}

const Schema& schema_of(const OpRow& row) { return detail::entry_of(row).schema; }

std::uint64_t op_table_hash() {
  // FNV-1a over what a backend's kernels depend on: names, dtypes and result rules, in order.
  std::uint64_t h = 14695981039346656037ull;
  const auto mix = [&h](const char* s) {
    for (; *s != 0; ++s) h = (h ^ static_cast<unsigned char>(*s)) * 1099511628211ull;
    h = (h ^ 0xffu) * 1099511628211ull;
  };
#define TANDEM_ROW(id) mix(op::id.name);
#include "tandem/ops/ops.def"
#define TANDEM_DTYPE(id, ...) mix(#id);
#include "tandem/dtypes.def"
  return h ^ kBackendAbi;
}

}  // namespace tandem
