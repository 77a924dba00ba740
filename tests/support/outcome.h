// Boxed calls of any row for the tests that walk the table: arguments of one's own on any device,
// results of any kind compared bit for bit, errors as a result.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tandem/testing.h"
#include "tests/support/call_data.h"
#include "tests/support/products.h"

namespace tandem::test {

/// Copies the tensors of one call to a device, layouts and names kept; those that share a storage
/// share one there too.
class Mover {
 public:
  explicit Mover(Device device) : device_(device) {}

  Tensor operator()(const Tensor& x) {
    if (!x.defined()) return x;  // None in a list of tensors
    const Storage s = x.storage();
    const auto bytes = static_cast<std::int64_t>(s.bytes());
    Tensor y;
    if (x.is_meta() || s.data() == nullptr || x.numel() == 0) {
      y = empty(x.shape(), {.dtype = x.dtype(), .device = device_});
    } else {
      Tensor& whole = wholes_[s.data()];
      if (!whole.defined()) {
        whole = from_blob(s.data(), {bytes}, DType::uint8).to(device_, {}, false, true);
      }
      const auto size = static_cast<std::int64_t>(x.element_size());
      y = whole.slice(0, 0, bytes / size * size)
              .view_as(x.dtype())
              .as_strided(x.shape(), x.strides(), x.storage_offset());
    }
    if (x.has_names()) y.rename_(x.names());
    return y;
  }

  Value operator()(const Value& v) {
    if (v.is<Tensor>()) return (*this)(v.as<Tensor>());
    if (v.is<Device>()) return device_;
    if (!v.is<std::vector<Tensor>>()) return v;
    std::vector<Tensor> list;
    for (const Tensor& t : v.as<std::vector<Tensor>>()) list.push_back((*this)(t));
    return list;
  }

 private:
  Device device_;
  std::map<const void*, Tensor> wholes_;
};

/// The call's arguments on the device, copied: what a call writes stays its own. A row that makes a
/// tensor of no tensor is told the device.
inline Args moved(const OpRow& row, const Args& args, Device device) {
  Mover move(device);
  Args list;
  for (const Value& v : args) list.push_back(move(v));
  const auto& params = schema_of(row).params;
  for (std::size_t k = 0; k < params.size(); ++k) {
    if (params[k].name != "device") continue;
    list.resize(std::max(list.size(), k + 1));
    list[k] = device;
  }
  return list;
}

/// What a call gave: its tensors in order (of an in-place row the first argument too), all else as
/// text; or that it raised.
struct Outcome {
  std::vector<Tensor> tensors;
  std::string rest;
  bool raised = false;
  bool unbound = false;     // raised because the backend has no kernel for it
  bool no_library = false;  // raised because its library is not on the machine
};

inline std::string str(const Value& v) {
  return std::visit(
      []<class T>(const T& x) -> std::string {
        if constexpr (std::is_same_v<T, Scalar>) {
          return std::to_string(static_cast<int>(x.category())) + ":" + x.str();
        } else if constexpr (std::is_same_v<T, std::string>) {
          return x;
        } else if constexpr (std::is_same_v<T, Dims>) {
          std::string s;
          for (const std::int64_t n : x) s += std::to_string(n) + ",";
          return s;
        } else if constexpr (std::is_same_v<T, DType>) {
          return std::string(name(x));
        } else {
          return {};
        }
      },
      v.variant());
}

/// Whether the row overwrites its first argument.
inline bool in_place(const OpRow& row) { return std::string_view(row.name).ends_with("_"); }

/// Calls the row with copies of the arguments on the device, and waits for it: an index that only
/// the device finds out of range is raised by then.
inline Outcome outcome(const OpRow& row, const Args& given, Device device = kCPU) {
  const Args args = moved(row, given, device);
  Outcome out;
  manual_seed(99);
  try {
    for (const Value& v : call_boxed(row, args)) {
      if (v.is<Tensor>()) {
        out.tensors.push_back(v.as<Tensor>());
      } else if (v.is<std::vector<Tensor>>()) {
        const auto& list = v.as<std::vector<Tensor>>();
        out.rest += std::to_string(list.size()) + " tensors;";
        out.tensors.insert(out.tensors.end(), list.begin(), list.end());
      } else {
        out.rest += str(v) + ";";
      }
    }
    if (device.is_cuda()) synchronize(device);
    if (in_place(row) && !args.empty() && args[0].is<Tensor>())
      out.tensors.push_back(args[0].as<Tensor>());
  } catch (const NotImplemented& e) {
    out = {.tensors = {}, .rest = e.what(), .raised = true, .unbound = true};
  } catch (const Error& e) {
    const std::string text = e.what();  // a library that the machine has not
    out = {.tensors = {},
           .rest = text,
           .raised = true,
           .no_library = text.find("which was not found") != std::string::npos};
  }
  return out;
}

inline bool same_form(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && std::ranges::equal(a.shape(), b.shape());
}

/// NaN of any payload is one NaN.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (!same_form(a, b)) return false;
  const Tensor x = a.cpu().contiguous();
  const Tensor y = b.cpu().contiguous();
  return visit(x.dtype(), [&]<class T>() {
    using R = fn::real_t<compute_t<T>>;
    const auto* p = static_cast<const T*>(x.data_ptr());
    const auto* q = static_cast<const T*>(y.data_ptr());
    const auto same = [](R u, R v) {
      return std::memcmp(&u, &v, sizeof u) == 0 || (u != u && v != v);
    };
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const compute_t<T> u = fn::load(p[i]);
      const compute_t<T> v = fn::load(q[i]);
      if constexpr (fn::is_complex_v<T>) {
        if (!same(u.re, v.re) || !same(u.im, v.im)) return false;
      } else {
        if (!same(u, v)) return false;
      }
    }
    return true;
  });
}

/// How the outcomes of a call differ; empty where they do not. A vendor's products need only be
/// close. `messages`: errors must read the same; else raising alone counts.
inline std::string difference(const OpRow& row, const Args& args, const Outcome& a,
                              const Outcome& b, bool messages = true) {
  if (a.raised != b.raised) return (a.raised ? a : b).rest + " (raised by one of them)";
  if ((messages || !a.raised) && a.rest != b.rest) return a.rest + " and " + b.rest;
  if (a.tensors.size() != b.tensors.size()) return "another number of tensors";
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const Tensor& x = a.tensors[i];
    const Tensor& y = b.tensors[i];
    if (x.names() != y.names()) return "names " + str(x.names()) + " and " + str(y.names());
    testing::Closeness how{.equal_nan = true, .check_device = false};
    const bool close_will_do = (row.flags & kVendor) != 0 && category(x.dtype()) >= Category::Float;
    if (!close_will_do) how.rtol = how.atol = 0;
    if (close_will_do && is_factorisation(row)) {  // signs and orders are the library's
      if (!same_form(x, y)) return "result " + std::to_string(i) + ": another shape or dtype";
      continue;
    }
    const std::string found = close_will_do && is_plain_product(row) && same_form(x, y)
                                  ? product_error(row, args, x) + product_error(row, args, y)
                                  : testing::mismatch(x, y, how);
    if (!found.empty()) return "result " + std::to_string(i) + ": " + found;
    if (!close_will_do && !same_bits(x, y)) return "the sign of a zero";
  }
  return {};
}

/// Rows with work to share among threads: not views, nor those whose calls the walks make by rule.
inline bool needs_long_calls(const OpRow& row) {
  return row.family == Family::Irregular && (row.flags & kView) == 0;
}

}  // namespace tandem::test
