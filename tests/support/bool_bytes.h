// lint: oracle table. Memory of bool with other bytes than 0 and 1: calls of any row with such
// tensors, and the same calls with the bytes that Tandem itself writes.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/elements.h"
#include "tests/support/outcome.h"
#include "tests/support/row_calls.h"

namespace tandem::test {

/// Two calls that must give the same: `plain` has the bytes 0 and 1 where `odd` has any others.
struct BoolCall {
  Args plain, odd;
};

/// A bool tensor with the shape and the names of x. Of bool x it has the elements, of another dtype
/// zeros and ones in no order. `odd`: with many bytes for true.
inline Tensor bools_like(const Tensor& x, bool odd, Layout layout = Layout::Dense) {
  constexpr unsigned char kTrue[] = {2, 128, 3, 255, 1, 4, 254, 64};
  Tensor y = in_layout(x.shape(), DType::bool_, layout);
  std::uint64_t state = 12345;
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const auto random = static_cast<std::size_t>(state >> 40);
    unsigned char byte = random % 3 != 0 ? 1 : 0;
    if (x.dtype() == DType::bool_) std::memcpy(&byte, address(x, i), 1);
    if (byte != 0) byte = odd ? kTrue[random / 3 % std::size(kTrue)] : 1;
    std::memcpy(address(y, i), &byte, 1);
  }
  if (x.has_names()) y.rename_(x.names());
  return y;
}

/// An argument whose tensors of bool, and with `all` those of other dtypes too, are bools_like
/// them; and whether there is one.
inline std::pair<Value, bool> with_bools(const Value& v, bool all, bool odd, Layout layout) {
  const auto turns = [all](const Tensor& t) {
    return t.defined() && !t.is_meta() && (all || t.dtype() == DType::bool_);
  };
  if (v.is<Tensor>() && turns(v.as<Tensor>()))
    return {Value(bools_like(v.as<Tensor>(), odd, layout)), true};
  if (!v.is<std::vector<Tensor>>()) return {v, false};
  std::vector<Tensor> list = v.as<std::vector<Tensor>>();
  bool any = false;
  for (Tensor& t : list) {
    if (!turns(t)) continue;
    any = true;
    t = bools_like(t, odd, layout);
  }
  return {Value(list), any};
}

/// The calls made of one: with its tensors of bool as they are and, of its first four arguments
/// with tensors, each choice of them turned into bool; with `few` none or all of them.
inline std::vector<BoolCall> bool_calls(const Args& args, bool few, Layout layout) {
  std::vector<std::size_t> with_tensors;
  for (std::size_t k = 0; k < args.size() && with_tensors.size() < 4; ++k)
    if (with_bools(args[k], true, false, Layout::Dense).second) with_tensors.push_back(k);
  std::vector<BoolCall> list;
  const unsigned choices = 1u << with_tensors.size();
  for (unsigned chosen = 0; chosen < choices; chosen += few ? std::max(choices - 1, 1u) : 1) {
    BoolCall call{args, args};
    bool any = false;
    std::size_t bit = 0;
    for (const std::size_t k : with_tensors) {
      const bool all = (chosen >> bit++ & 1u) != 0;
      const auto [odd, has] = with_bools(args[k], all, true, layout);
      any = any || has;
      call.odd[k] = odd;
      call.plain[k] = with_bools(args[k], all, false, layout).first;
    }
    if (any) list.push_back(std::move(call));
  }
  return list;
}

/// Results that were only moved have kept their bytes: 1 in place of all but 0.
inline Outcome with_plain_bytes(Outcome o) {
  for (Tensor& t : o.tensors) {
    if (t.dtype() != DType::bool_ || t.is_meta()) continue;
    const Names names = t.names();
    Tensor copy = in_layout(t.shape(), DType::bool_, Layout::Dense);
    const Tensor on = t.cpu();
    for (std::int64_t i = 0; i < on.numel(); ++i) {
      unsigned char byte;
      std::memcpy(&byte, address(on, i), 1);
      *reinterpret_cast<unsigned char*>(address(copy, i)) = byte != 0 ? 1 : 0;
    }
    if (t.has_names()) copy.rename_(names);
    t = copy;
  }
  return o;
}

/// Calls by rule of the rows without calls of their own: elementwise rows with operands of three
/// dtypes, reductions along each axis and along all.
inline std::vector<Args> calls_by_rule(const OpRow& row) {
  std::vector<Args> list;
  for (const DType t : {DType::int32, DType::float32, DType::complex64}) {
    const Tensor x = varied({19, 67}, t == DType::complex64 ? DType::float32 : t).to(t);
    if (row.family == Family::Elementwise) {
      Args args;
      for (std::size_t a = 0; a < static_cast<std::size_t>(row.arity); ++a) {
        const bool condition = a == 0 && (row.flags & kFirstIsBool) != 0;
        args.push_back(schema_of(row).params[a].type == "Scalar" ? Value(3)
                       : condition                               ? Value(x.to(DType::bool_))
                                                                 : Value(x));
      }
      list.push_back(args);
      if (row.arity == 2 && args[1].is<Tensor>()) list.push_back({x, x.slice(0, 0, 1)});
    } else if (row.family != Family::Generator && t == DType::int32) {
      const Tensor row_of_many = varied({2, 9000}, t);
      for (const Tensor& y : {x, row_of_many})
        for (const Value& axis : {Value(), Value(0), Value(1)}) list.push_back({y, axis});
    }
  }
  return list;
}

/// What the walk over the table has compared.
struct BoolWalk {
  int compared = 0;
  std::set<std::string> rows;
};

/// Each call on the host with plain bytes and on the device with odd ones. `report(what)` gets what
/// differs.
template <class Report>
void walk_calls(BoolWalk& walk, const OpRow& row, const Args& args, bool few, Layout layout,
                Device device, const std::string& what, const Report& report) {
  int variant = 0;
  for (const BoolCall& call : bool_calls(args, few, layout)) {
    ++variant;
    const Outcome plain = outcome(row, call.plain);
    if (plain.raised) continue;
    const Outcome odd = outcome(row, call.odd, device);
    if (odd.unbound || odd.no_library) continue;
    ++walk.compared;
    walk.rows.insert(row.name);
    const std::string found = difference(row, call.plain, with_plain_bytes(odd),
                                         with_plain_bytes(plain), device.is_cpu());
    if (!found.empty())
      report(std::string(row.name) + ", " + what + ", variant " + std::to_string(variant) + ": " +
             found);
  }
}

/// The whole table.
template <class Report>
BoolWalk walk_bool_bytes(Device device, bool long_ones, const Report& report) {
  BoolWalk walk;
  const Calls own = irregular_calls();
  for (const OpRow* row : op_rows()) {
    if (own.contains(row->name)) continue;
    int i = 0;
    for (const Args& args : calls_by_rule(*row)) {
      const std::string what = "call by rule " + std::to_string(i++);
      for (const Layout layout : {Layout::Dense, Layout::Transposed, Layout::Gaps})
        walk_calls(walk, *row, args, false, layout, device, what + " " + text(layout), report);
    }
  }
  const Calls longer = long_ones ? long_calls() : Calls();
  for (const Calls* calls : {&own, &longer}) {
    const bool few = calls == &longer;
    for (const auto& [name, list] : *calls) {
      for (std::size_t i = 0; i < list.size(); ++i)
        walk_calls(walk, *find_op(name), list[i], few, Layout::Dense, device,
                   (few ? "long call " : "call ") + std::to_string(i), report);
    }
  }
  return walk;
}

}  // namespace tandem::test
