// tandem::map's way through the funnel: what an elementwise op does, with the user's functor in
// place of a bound kernel.
#include "tandem/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/map.h"
#include "runtime/dispatch/plan.h"
#include "runtime/dispatch/promote.h"

namespace tandem::detail {

Tensor map_call(const OpRow& row, const Tensor* const* inputs, int n, DType (*result)(DType),
                MapRun run, const void* f) {
  return map_with(row, inputs, n, result, [&](const ElementwiseLaunch& l) { run(l, f); });
}

Tensor map_with(const OpRow& row, const Tensor* const* inputs, int n,
                const std::function<DType(DType)>& result,
                const std::function<void(const ElementwiseLaunch&)>& run) {
  constexpr int kMaxInputs = kMaxOperands - 1;
  const std::span<const Tensor* const> in(inputs, static_cast<std::size_t>(n));
  DType promoted = DType::kCount;
  const auto infer = [&] {
    std::vector<Arg> args;
    Names names;
    std::size_t rank = 0;
    for (const Tensor* t : in) {
      args.emplace_back(*t);
      names = unify_names(names, rank, t->body_ptr()->names, t->shape().size(), row.name);
      rank = std::max(rank, t->shape().size());
    }
    promoted = promote_args(args);
    const DType stored = result(promoted);
    TANDEM_EXPECTS(stored != DType::kCount, TypeError,
                   fmt::format("[{}] expected a function that takes elements of {} and returns an "
                               "element, got one that does not",
                               row.name, name(promoted)));
    Dims shape = broadcast_shape(in, row.name);
    Dims strides = output_strides(shape, in);
    return OutSpec{std::move(shape), stored, common_device(row, in), std::move(names),
                   std::move(strides)};
  };
  const auto go = [&](const Tensor& out) {
    if (out.numel() == 0) return;
    const Tensor* all[kMaxInputs + 1] = {&out};
    ElementwiseLaunch launch{};
    PlanStorage storage;
    launch.row = &row;
    launch.n_out = 1;
    launch.n_in = n;
    launch.dtype = promoted;
    launch.device = out.device();
    launch.operands[0].dtype = launch.operands[0].kernel = out.dtype();
    for (int i = 0; i < n; ++i) {
      all[i + 1] = inputs[i];
      launch.operands[i + 1].dtype = inputs[i]->dtype();
      launch.operands[i + 1].kernel = promoted;
    }
    launch.stream =
        launch_stream(launch.device, {&out}, std::span(all + 1, static_cast<std::size_t>(n)));
    plan_elementwise(launch, storage, out.shape(), {all, static_cast<std::size_t>(n) + 1});
    run(launch);
  };
  return run_one(row, nullptr, infer, go);
}

}  // namespace tandem::detail
