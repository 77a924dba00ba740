// Methods that give, take and match dimension names; their arguments are names, "...", lists and
// keywords.
#include <algorithm>
#include <string>
#include <vector>

#include "convert.h"
#include "errors.h"
#include "function.h"

namespace tandem::python {
namespace {

using Self = const Tensor&;
using Texts = std::vector<std::string>;

/// Names given one by one or as one list.
Texts texts_of(const nb::args& args, const char* op) {
  nb::handle list = args;
  if (args.size() == 1 && (PyList_Check(args[0].ptr()) || PyTuple_Check(args[0].ptr())))
    list = args[0];
  const nb::tuple tuple(nb::borrow(list));
  const auto texts = to_names(tuple.ptr());
  if (!texts)
    detail::fail<TypeError>(std::string("[") + op + "] expected names (str, None or ...)");
  return *texts;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const nb::kwargs& map, const char* op) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto [from, to] : map) {
    if (!to.is_none() && !PyUnicode_Check(to.ptr())) {
      detail::fail<TypeError>(std::string("[") + op +
                              "] expected names that are str or None, got " + type_name(to.ptr()));
    }
    pairs.emplace_back(text_of(from.ptr()), to.is_none() ? "" : text_of(to.ptr()));
  }
  return pairs;
}

/// rename(None), rename('N', ...), rename(a='b')
Tensor renamed(Self t, const nb::args& args, const nb::kwargs& map, const char* op) {
  if (!map.empty()) {
    if (!args.empty()) {
      detail::fail<TypeError>(std::string("[") + op + "] expected names or keywords, got both");
    }
    return t.rename_map(pairs_of(map, op));
  }
  if (args.size() == 1 && args[0].is_none()) return t.rename({});
  return t.rename(texts_of(args, op));
}

/// The position of an axis given by number or name.
std::int64_t position(Self t, nb::handle axis, const char* op) {
  const auto a = to_axis(axis.ptr());
  if (!a) {
    detail::fail<TypeError>(std::string("[") + op +
                            "] expected an axis (an integer or a name), got " +
                            type_name(axis.ptr()));
  }
  if (!a->is_named())
    return a->index() < 0 ? a->index() + std::max<std::int64_t>(t.dim(), 1) : a->index();
  const Names names = t.names();
  const auto* at = std::find(names.begin(), names.end(), a->name());
  if (at == names.end()) {
    detail::fail<ShapeError>(std::string("[") + op + "] Name '" + std::string(a->name().str()) +
                             "' not found in Tensor" + str(names) + ".");
  }
  return at - names.begin();
}

std::optional<Name> name_of(nb::handle o, const char* op) {
  if (o.is_none()) return std::nullopt;
  if (!PyUnicode_Check(o.ptr())) {
    detail::fail<TypeError>(std::string("[") + op + "] expected a name (str), got " +
                            type_name(o.ptr()));
  }
  return Name(text_of(o.ptr()));
}

/// flatten(start, end), flatten(start, end, name), flatten(dims, name)
Tensor flatten(Self t, nb::handle start, nb::handle end, nb::handle out_dim) {
  if (!PyList_Check(start.ptr()) && !PyTuple_Check(start.ptr())) {
    return t.flatten(position(t, start, "flatten"), position(t, end, "flatten"),
                     name_of(out_dim, "flatten"));
  }
  // With a list of dimensions the name may come second.
  const nb::handle name = out_dim.is_none() ? end : out_dim;
  std::vector<std::int64_t> dims;
  for (const nb::handle d : start) dims.push_back(position(t, d, "flatten"));
  TANDEM_EXPECTS(!dims.empty(), ValueError, "[flatten] expected at least one dimension, got none");
  for (std::size_t i = 1; i < dims.size(); ++i) {
    TANDEM_EXPECTS(dims[i] == dims[0] + static_cast<std::int64_t>(i), ShapeError,
                   "[flatten] expected dimensions that follow one another in Tensor" +
                       str(t.names()) + ", got " + nb::repr(start).c_str());
  }
  return t.flatten(dims.front(), dims.back(), name_of(name, "flatten"));
}

/// unflatten(dim, sizes), unflatten(dim, sizes, names), unflatten(dim, [(name, size), ...])
Tensor unflatten(Self t, nb::handle dim, nb::handle sizes, nb::handle names) {
  const std::int64_t at = position(t, dim, "unflatten");
  if (const auto plain = to_ints(sizes.ptr())) {
    Names given;
    if (!names.is_none()) {
      const auto texts = to_names(names.ptr());
      TANDEM_EXPECTS(texts.has_value(), TypeError,
                     "[unflatten] expected a list of names, got " + type_name(names.ptr()));
      given = names_from(*texts);
    }
    return t.unflatten(at, *plain, given);
  }
  Dims shape;
  Names given;
  const nb::object items = nb::hasattr(sizes, "items") ? sizes.attr("items")() : nb::borrow(sizes);
  for (const nb::handle item : items) {
    const nb::tuple pair(nb::borrow(item));
    TANDEM_EXPECTS(nb::len(pair) == 2, TypeError,
                   "[unflatten] expected sizes, or pairs of a name and a size");
    const auto size = to_int(nb::object(pair[1]).ptr());
    TANDEM_EXPECTS(size.has_value(), TypeError, "[unflatten] expected pairs of a name and a size");
    shape.push_back(*size);
    given.push_back(name_of(nb::object(pair[0]), "unflatten").value_or(Name()));
  }
  return t.unflatten(at, shape, given);
}

}  // namespace

void init_names() {
  auto cls = nb::borrow<nb::class_<Tensor>>(nb::handle(reinterpret_cast<PyObject*>(types.tensor)));
  cls.def(
      "refine_names",
      [](Self t, const nb::args& a) { return t.refine_names(texts_of(a, "refine_names")); },
      R"(A view with names for dimensions that have none; '...' stands for those left as they are. ShapeError
where a dimension has another name already.

>>> tandem.zeros(2, 3).refine_names('row', 'col').names
('row', 'col'))");
  cls.def(
      "rename",
      [](Self t, const nb::args& a, const nb::kwargs& m) { return renamed(t, a, m, "rename"); },
      R"(A view with other names: a name for each dimension, None for none, or old=new. ShapeError for a wrong
number of names.

>>> x = tandem.zeros(2, 3, names=('row', 'col'))
>>> x.rename(row='y').names, x.rename(None).names
(('y', 'col'), (None, None)))");
  cls.def(
      "rename_",
      [](nb::object self, const nb::args& a, const nb::kwargs& m) {
        Tensor& t = as_tensor(self.ptr());
        t.rename_(renamed(t, a, m, "rename_").names());
        return self;
      },
      R"(rename of the tensor itself, which it gives back.

>>> tandem.zeros(2, 3).rename_('row', 'col').names
('row', 'col'))");
  cls.def(
      "align_to", [](Self t, const nb::args& a) { return t.align_to(texts_of(a, "align_to")); },
      R"(A view with the dimensions in the order of the names, of size 1 where the tensor has none of a name;
'...' stands for those not named. ShapeError where a dimension has no name or a name is left out.

>>> x = tandem.zeros(2, 3, names=('row', 'col'))
>>> x.align_to('batch', 'col', 'row').shape
tandem.Size([1, 3, 2]))");
  cls.def(
      "align_as", [](Self t, Self other) { return t.align_as(other); },
      R"(align_to with the names of another tensor.

>>> x = tandem.zeros(2, 3, names=('row', 'col'))
>>> x.align_as(tandem.zeros(4, 3, 2, names=('batch', 'col', 'row'))).shape
tandem.Size([1, 3, 2]))");
  // Over the rows' own forms: nanobind adds no overload to a function of another kind.
  for (const char* name : {"flatten", "unflatten"}) {
    if (nb::hasattr(cls, name)) nb::delattr(cls, name);
  }
  cls.def(
      "flatten", &flatten, nb::arg("start_dim") = 0, nb::arg("end_dim") = -1,
      nb::arg("out_dim") = nb::none(),
      R"(A run of dimensions merged into one, all by default: flatten(start_dim, end_dim, out_dim) by number or
name, flatten(dims, out_dim) with a list of names; out_dim names the result. A view where the strides
allow it, else a copy. ShapeError for dimensions that do not follow one another.

>>> tandem.zeros(2, 3, 4).flatten(1).shape
tandem.Size([2, 12])
>>> tandem.zeros(2, 3, names=('row', 'col')).flatten(['row', 'col'], 'both').names
('both',))");
  cls.def(
      "unflatten", &unflatten, nb::arg("dim"), nb::arg("sizes"), nb::arg("names") = nb::none(),
      R"(A dimension split into several, a view: unflatten(dim, sizes, names), unflatten(dim, [(name, size), ...]).
ShapeError where the product of the sizes is not the dimension's size.

>>> tandem.zeros(2, 6).unflatten(1, (3, 2)).shape
tandem.Size([2, 3, 2]))");
}

}  // namespace tandem::python
