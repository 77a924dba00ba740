// Names: interning, and the ops that give, take and match them.
#include "tandem/names.h"

#include <fmt/format.h>

#include <deque>
#include <mutex>
#include <unordered_map>

#include "runtime/memory/fork.h"
#include "runtime/tensor/body.h"
#include "runtime/tensor/names.h"

namespace tandem {

namespace {

struct Interned {
  ForkMutex mutex;
  std::deque<std::string> texts{"None"};
  std::unordered_map<std::string_view, std::uint32_t> ids;
};

Interned& interned() {
  static constinit std::atomic<Interned*> table{nullptr};  // leaked: names outlive the rest
  return made_once(table);
}

bool is_identifier(std::string_view s) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (s.empty() || !letter(s[0])) return false;
  return std::all_of(s.begin(), s.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

Name::Name(std::string_view text) {
  Interned& table = interned();
  const std::lock_guard lock(table.mutex);
  const auto found = table.ids.find(text);
  if (found != table.ids.end()) {
    id_ = found->second;
    return;
  }
  TANDEM_EXPECTS(
      is_identifier(text), ValueError,
      fmt::format("Invalid name: a valid identifier contains only digits, alphabetical "
                  "characters, and/or underscore and starts with a non-digit. got: '{}'.",
                  text));
  id_ = static_cast<std::uint32_t>(table.texts.size());
  table.texts.emplace_back(text);
  table.ids.emplace(table.texts.back(), id_);
}

std::string_view Name::str() const {
  Interned& table = interned();
  const std::lock_guard lock(table.mutex);
  return table.texts[id_];
}

std::string str(const Names& names) {
  std::string s = "[";
  for (const Name n : names) {
    if (s.size() > 1) s += ", ";
    s += n.is_none() ? "None" : fmt::format("'{}'", n.str());
  }
  return s + "]";
}

namespace detail {

Names simplified(Names names) {
  const bool any = std::any_of(names.begin(), names.end(), [](Name n) { return !n.is_none(); });
  if (!any) names.clear();
  return names;
}

void check_unique(const Names& names, const char* op) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      TANDEM_EXPECTS(
          names[i].is_none() || names[i] != names[j], ShapeError,
          fmt::format("[{}] Cannot construct a tensor with duplicate names. Got names: {}.", op,
                      str(names)));
    }
  }
}

Names checked_names(const Names& names, std::size_t rank, const char* op) {
  if (names.empty()) return {};
  TANDEM_EXPECTS(
      names.size() == rank, ShapeError,
      fmt::format("[{}] Number of names ({}) and number of dimensions in tensor ({}) do not "
                  "match.",
                  op, names.size(), rank));
  check_unique(names, op);
  return simplified(names);
}

Names unify_names(const Names& a, std::size_t rank_a, const Names& b, std::size_t rank_b,
                  const char* op) {
  if (a.empty() && b.empty()) return {};
  const std::size_t rank = std::max(rank_a, rank_b);
  Names out(rank);
  const auto shown = [](const Names& n, std::size_t r) { return str(n.empty() ? Names(r) : n); };
  for (std::size_t k = 0; k < rank; ++k) {  // from the right
    const Name x = k < rank_a && !a.empty() ? a[rank_a - 1 - k] : Name();
    const Name y = k < rank_b && !b.empty() ? b[rank_b - 1 - k] : Name();
    TANDEM_EXPECTS(
        x == y || x.is_none() || y.is_none(), ShapeError,
        fmt::format(
            "Error when attempting to broadcast dims {} and dims {}: dim '{}' and dim '{}' are at "
            "the same position from the right but do not match. (in {})",
            shown(a, rank_a), shown(b, rank_b), x.str(), y.str(), op));
    out[rank - 1 - k] = x.is_none() ? y : x;
  }
  check_unique(out, op);
  return simplified(out);
}

std::int64_t resolve_axis(const Axis& axis, std::int64_t rank, const Names& names, const char* op) {
  if (axis.is_named()) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == axis.name()) return static_cast<std::int64_t>(i);
    }
    fail<ShapeError>(
        fmt::format("[{}] Name '{}' not found in tensor dims {}.", op, axis.name().str(),
                    str(names.empty() ? Names(static_cast<std::size_t>(rank)) : names)));
  }
  return wrap_axis(axis.index(), rank, op);
}

std::int64_t wrap_axis(std::int64_t axis, std::int64_t rank, const char* op) {
  const std::int64_t limit = std::max<std::int64_t>(rank, 1);  // a 0-d tensor takes 0 and -1
  TANDEM_EXPECTS(
      axis >= -limit && axis < limit, IndexError,
      fmt::format("[{}] Dimension out of range (expected to be in range of [{}, {}], but got {})",
                  op, -limit, limit - 1, axis));
  return axis < 0 ? axis + limit : axis;
}

std::uint64_t resolve_axes(const Axes& axes, const Tensor& t, const char* op) {
  const std::int64_t rank = t.dim();
  if (axes.all()) return rank == 0 ? 0 : (~std::uint64_t(0) >> (64 - rank));
  std::uint64_t mask = 0;
  bool named = false;
  bool numbered = false;
  for (const Axis& a : axes.list()) {
    named = named || a.is_named();
    numbered = numbered || !a.is_named();
    const std::int64_t i = resolve_axis(a, t, op);
    if (rank == 0) continue;
    TANDEM_EXPECTS((mask & (std::uint64_t(1) << i)) == 0, ShapeError,
                   fmt::format("[{}] dim {} appears multiple times in the list of dims", op, i));
    mask |= std::uint64_t(1) << i;
  }
  TANDEM_EXPECTS(!(named && numbered), TypeError,
                 fmt::format("[{}] expected axes all by name or all by number, got both", op));
  return mask;
}

Names names_without(const Names& names, std::uint64_t removed, bool keepdim) {
  if (names.empty() || keepdim) return names;
  Names out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (((removed >> i) & 1u) == 0) out.push_back(names[i]);
  }
  return simplified(out);
}

}  // namespace detail

namespace {

/// Expands "..." in a list of names to the tensor's names it stands for.
Names expand_ellipsis(const Tensor& t, const std::vector<std::string>& list, const char* op) {
  const Names own = t.names();
  const auto dots = std::count(list.begin(), list.end(), "...");
  TANDEM_EXPECTS(dots <= 1, ValueError,
                 fmt::format("[{}] expected at most one '...' in names", op));
  const std::size_t given = list.size() - static_cast<std::size_t>(dots);
  TANDEM_EXPECTS(
      dots == 1 ? given <= own.size() : given == own.size(), ShapeError,
      fmt::format("[{}] Number of names ({}) and number of dimensions in tensor ({}) do not match.",
                  op, given, own.size()));
  Names out;
  for (const std::string& text : list) {
    if (text == "...") {
      for (std::size_t k = 0; k < own.size() - given; ++k) out.push_back(own[out.size()]);
    } else {
      out.push_back(text == "None" || text.empty() ? Name() : Name(text));
    }
  }
  return out;
}

Tensor with_names(const Tensor& t, const Names& names) {
  const auto* b = t.body_ptr();
  return detail::make_view(t, b->offset, b->shape, b->strides, names);
}

}  // namespace

Names Tensor::names() const {
  const Names& n = body().names;
  return n.empty() ? Names(body().shape.size()) : n;
}

Tensor Tensor::refine_names(const std::vector<std::string>& list) const {
  const Names wanted = expand_ellipsis(*this, list, "refine_names");
  const Names own = names();
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i] == wanted[i] || own[i].is_none()) continue;
    TANDEM_EXPECTS(
        !wanted[i].is_none(), ShapeError,
        fmt::format("refine_names: cannot coerce Tensor{} to Tensor{} because dim {} has name "
                    "'{}', which cannot be refined to None",
                    tandem::str(own), tandem::str(wanted), i, own[i].str()));
    detail::fail<ShapeError>(
        fmt::format("refine_names: cannot coerce Tensor{} to Tensor{} because '{}' is "
                    "different from '{}' at index {}",
                    tandem::str(own), tandem::str(wanted), own[i].str(), wanted[i].str(), i));
  }
  return with_names(*this, detail::checked_names(wanted, own.size(), "refine_names"));
}

Tensor Tensor::rename(const std::optional<std::vector<std::string>>& list) const {
  if (!list) return with_names(*this, {});
  return with_names(*this, detail::checked_names(expand_ellipsis(*this, *list, "rename"),
                                                 body().shape.size(), "rename"));
}

Tensor Tensor::rename_map(const std::vector<std::pair<std::string, std::string>>& map) const {
  const Names own = names();
  Names out = own;
  for (const auto& [from, to] : map) {
    const std::int64_t i = detail::resolve_axis(Axis(from), dim(), own, "rename");
    out[static_cast<std::size_t>(i)] = to == "None" || to.empty() ? Name() : Name(to);
  }
  return with_names(*this, detail::checked_names(out, own.size(), "rename"));
}

Tensor& Tensor::rename_(const Names& list) {
  Names checked = detail::checked_names(list, body().shape.size(), "rename_");
  body_->names = std::move(checked);
  return *this;
}

Tensor Tensor::align_to(const std::vector<std::string>& order) const {
  const Names own = names();
  std::uint64_t placed = 0;
  Names wanted;
  for (const std::string& text : order) {
    if (text == "...") {  // the dimensions that are not mentioned, in their order
      for (const Name n : own) {
        if (std::find(order.begin(), order.end(), n.str()) == order.end()) wanted.push_back(n);
      }
    } else {
      wanted.push_back(Name(text));
    }
  }
  detail::check_unique(wanted, "align_to");
  Dims shape;
  Dims strides;
  for (const Name n : wanted) {
    const auto* at = std::find(own.begin(), own.end(), n);
    if (at == own.end()) {
      shape.push_back(1);
      strides.push_back(0);
      continue;
    }
    const auto i = static_cast<std::size_t>(at - own.begin());
    placed |= std::uint64_t(1) << i;
    shape.push_back(body().shape[i]);
    strides.push_back(body().strides[i]);
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    TANDEM_EXPECTS(
        ((placed >> i) & 1u) != 0, ShapeError,
        fmt::format("[align_to] expected all dims of {} to be in the desired alignment {}, but "
                    "'{}' is not",
                    tandem::str(own), tandem::str(wanted), own[i].str()));
  }
  for (std::size_t k = 0; k < shape.size();
       ++k) {  // size-1 dimensions get the strides of a dense tensor
    if (shape[k] == 1 && strides[k] == 0) {
      strides[k] = k + 1 < shape.size() ? shape[k + 1] * strides[k + 1] : 1;
    }
  }
  return detail::make_view(*this, body().offset, shape, strides, detail::simplified(wanted));
}

Tensor Tensor::align_as(const Tensor& other) const {
  std::vector<std::string> order;
  for (const Name n : other.names()) {
    TANDEM_EXPECTS(!n.is_none(), ShapeError,
                   fmt::format("[align_as] expected every dim of other to be named, got names {}",
                               tandem::str(other.names())));
    order.emplace_back(n.str());
  }
  return align_to(order);
}

}  // namespace tandem
