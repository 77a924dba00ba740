// Prints tensors as PyTorch 2.x does. The rules are those that its documentation and its behaviour
// show; tests/data/print_cases.json holds recorded texts.
#include "tandem/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>
#include <ostream>
#include <vector>
#include "tandem/check.h"

#include "runtime/base/trace.h"
#include "runtime/memory/fork.h"
#include "tandem/ops.h"
#include "tandem/stored.h"

namespace tandem {
namespace {

ForkMutex options_mutex;
PrintOptions& process_options() {
  static PrintOptions options;
  return options;
}

void check(const PrintOptions& o) {
  const auto fail = [](const char* what, const std::string& got) {
    throw ValueError(std::string("[print_options] expected ") + what + ", got " + got);
  };
  if (o.precision < 0 || o.precision > 1000) {
    fail("precision from 0 to 1000", std::to_string(o.precision));
  }
  if (o.edgeitems < 0) fail("edgeitems of 0 or more", std::to_string(o.edgeitems));
  if (o.linewidth < 1) fail("linewidth of 1 or more", std::to_string(o.linewidth));
  if (std::isnan(o.threshold)) fail("a threshold", "nan");
}

/// The elements that are shown, in row-major order of the shown shape.
struct Shown {
  Dims shape;
  SmallVector<bool, 6> cut;        // whether the middle of the dimension is left out
  std::vector<double> re, im;      // floats; `im` for complex only
  std::vector<std::int64_t> ints;  // integers and bool; uint64 by its bits
};

void take(Shown& s, const char* p, DType dtype) {
  visit(dtype, [&]<class T>() {
    const T v = fn::element_at(reinterpret_cast<const T*>(p));
    if constexpr (fn::is_complex_v<T>) {
      s.re.push_back(v.re);
      s.im.push_back(v.im);
    } else if constexpr (fn::is_half_v<T>) {
      s.re.push_back(fn::widen(v));
    } else if constexpr (fn::is_real_float_v<T>) {
      s.re.push_back(v);
    } else {
      s.ints.push_back(static_cast<std::int64_t>(v));
    }
  });
}

/// Walks host memory; the middle of a cut dimension is stepped over.
void gather(Shown& s, const Tensor& t, const Dims& skipped, std::size_t d, const char* p) {
  if (d == s.shape.size()) {
    take(s, p, t.dtype());
    return;
  }
  const auto stride = t.strides()[d] * static_cast<std::int64_t>(t.element_size());
  for (std::int64_t i = 0; i < s.shape[d]; ++i) {
    const bool tail = skipped[d] != 0 && i >= s.shape[d] / 2;
    gather(s, t, skipped, d + 1, p + (i + (tail ? skipped[d] : 0)) * stride);
  }
}

/// One copy from a device, of the shown elements alone: the ends are joined there.
Tensor to_host(const Tensor& t, Dims& skipped, int edgeitems) {
  if (t.device().is_cpu()) return t;
  Tensor ends = t.rename(std::nullopt);
  for (std::size_t d = 0; d < skipped.size(); ++d) {
    if (skipped[d] == 0) continue;
    skipped[d] = 0;
    const auto axis = static_cast<std::int64_t>(d);
    if (edgeitems == 0) {
      ends = ends.narrow(axis, 0, 0);
      continue;
    }
    ends = cat({ends.narrow(axis, 0, edgeitems),
                ends.narrow(axis, ends.shape()[d] - edgeitems, edgeitems)},
               axis);
  }
  return ends.cpu();
}

Shown shown_elements(const Tensor& t, const PrintOptions& o) {
  Shown s;
  s.shape = Dims(std::span<const std::int64_t>(t.shape()));
  const bool summarise = static_cast<double>(t.numel()) > o.threshold;
  Dims skipped(s.shape.size(), 0);
  for (std::size_t d = 0; d < s.shape.size(); ++d) {
    const std::int64_t ends = 2 * std::int64_t(o.edgeitems);
    const bool cut = summarise && s.shape[d] > ends;
    s.cut.push_back(cut);
    if (!cut) continue;
    skipped[d] = s.shape[d] - ends;
    s.shape[d] = ends;
  }
  const Tensor host = to_host(t, skipped, o.edgeitems);
  check_host_use(host);
  gather(s, host, skipped, 0, static_cast<const char*>(host.data_ptr()));
  return s;
}

/// As Python's f"{value:.{precision}f}" or "e"; not the locale's.
std::string digits(double value, std::chars_format format, int precision) {
  if (std::isnan(value)) return "nan";
  std::string out(static_cast<std::size_t>(precision) + 330, '\0');
  const auto end = std::to_chars(out.data(), out.data() + out.size(), value, format, precision);
  out.resize(static_cast<std::size_t>(end.ptr - out.data()));
  return out;
}

/// One format for all numbers of a tensor (or for all real or imaginary parts).
class FloatFormat {
 public:
  FloatFormat(const std::vector<double>& values, const PrintOptions& o) : precision_(o.precision) {
    double least = INFINITY, greatest = 0;
    for (const double v : values) {
      if (!counts(v)) continue;
      least = std::min(least, std::fabs(v));
      greatest = std::max(greatest, std::fabs(v));
      if (v != std::ceil(v)) whole_ = false;
    }
    if (greatest == 0) return;
    scientific_ =
        o.sci_mode.value_or(greatest / least > 1000.0 || greatest > 1.0e8 || least < 1.0e-4);
    for (const double v : values) {
      if (counts(v)) width_ = std::max(width_, text(v).size());
    }
  }

  std::size_t width() const { return width_; }
  std::string operator()(double v) const {
    std::string s = text(v);
    if (s.size() < width_) s.insert(0, width_ - s.size(), ' ');
    return s;
  }

 private:
  static bool counts(double v) { return std::isfinite(v) && v != 0; }
  std::string text(double v) const {
    if (scientific_) return digits(v, std::chars_format::scientific, precision_);
    if (!whole_) return digits(v, std::chars_format::fixed, precision_);
    return digits(v, std::chars_format::fixed, 0) + (std::isfinite(v) ? "." : "");
  }

  int precision_;
  bool whole_ = true;
  bool scientific_ = false;
  std::size_t width_ = 1;
};

/// The text of every shown element, padded, and the columns that one takes in a line.
struct Cells {
  std::vector<std::string> text;
  std::int64_t columns = 0;  // with comma and space
};

std::string integer_text(std::int64_t v, DType dtype) {
  if (dtype == DType::bool_) return v != 0 ? "True" : "False";
  return info(dtype).is_signed ? std::to_string(v) : std::to_string(static_cast<std::uint64_t>(v));
}

Cells cells_of(const Shown& s, DType dtype, const PrintOptions& o) {
  Cells cells;
  if (!s.ints.empty()) {
    std::size_t width = 1;
    for (const std::int64_t v : s.ints) {
      cells.text.push_back(integer_text(v, dtype));
      width = std::max(width, cells.text.back().size());
    }
    for (auto& text : cells.text) text.insert(0, width - text.size(), ' ');
    cells.columns = static_cast<std::int64_t>(width) + 2;
    return cells;
  }
  const FloatFormat re(s.re, o);
  cells.columns = static_cast<std::int64_t>(re.width()) + 2;
  for (const double v : s.re) cells.text.push_back(re(v));
  if (!is_complex(dtype)) return cells;
  const FloatFormat im(s.im, o);
  cells.columns += static_cast<std::int64_t>(im.width()) + 1;
  for (std::size_t i = 0; i < s.im.size(); ++i) {
    std::string text = im(s.im[i]) + "j";
    text.erase(0, text.find_first_not_of(' '));
    if (text[0] != '-') cells.text[i] += '+';
    cells.text[i] += text;
  }
  return cells;
}

/// Writes the nested lists.
class Writer {
 public:
  Writer(const Shown& s, const Cells& cells, const PrintOptions& o)
      : shown_(s), cells_(cells), options_(o) {}

  std::string write(std::int64_t indent) {
    if (shown_.shape.empty()) return cells_.text[0];
    list(0, indent);
    return std::move(out_);
  }

 private:
  void list(std::size_t d, std::int64_t indent) {
    if (d + 1 == shown_.shape.size()) {
      row(d, indent);
      return;
    }
    const std::size_t left = shown_.shape.size() - d;
    const std::string separator = "," + std::string(left - 1, '\n') + spaces(indent + 1);
    bool first = true;
    const auto separate = [&] {
      if (!first) out_ += separator;
      first = false;
    };
    out_ += '[';
    for (std::int64_t i = 0; i < shown_.shape[d]; ++i) {
      if (shown_.cut[d] && i == options_.edgeitems) {
        separate();
        out_ += "...";
      }
      separate();
      list(d + 1, indent + 1);
    }
    if (shown_.cut[d] && shown_.shape[d] == 0) out_ += "...";
    out_ += ']';
  }

  void row(std::size_t d, std::int64_t indent) {
    const std::int64_t n = shown_.shape[d];
    std::vector<std::string_view> items;
    for (std::int64_t i = 0; i < n; ++i) {
      if (shown_.cut[d] && i == options_.edgeitems) items.emplace_back(" ...");
      items.emplace_back(cells_.text[next_++]);
    }
    if (shown_.cut[d] && n == 0) items.emplace_back("...");
    const std::int64_t a_line =
        std::max<std::int64_t>(1, (options_.linewidth - indent) / cells_.columns);
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) {
        out_ += static_cast<std::int64_t>(i) % a_line == 0 ? ",\n" + spaces(indent + 1) : ", ";
      }
      out_ += items[i];
    }
    out_ += ']';
  }

  static std::string spaces(std::int64_t n) {
    return std::string(static_cast<std::size_t>(n), ' ');
  }

  const Shown& shown_;
  const Cells& cells_;
  const PrintOptions& options_;
  std::size_t next_ = 0;
  std::string out_;
};

/// As Python prints a tuple: "(2, 3)", "(2,)", "()".
template <class List, class Text>
std::string tuple_text(const List& list, Text&& text) {
  std::string out = "(";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i != 0) out += ", ";
    out += text(list[i]);
  }
  return out + (list.size() == 1 ? ",)" : ")");
}

std::vector<std::string> suffixes(const Tensor& t, const PrintOptions& o) {
  std::vector<std::string> all;
  const DType plain = default_dtype();
  const DType plain_complex = plain == DType::float64 ? DType::complex128 : DType::complex64;
  const bool no_values = t.is_meta() || t.numel() == 0;
  if (!t.device().is_cpu()) all.push_back("device='" + t.device().str() + "'");
  if (t.is_meta() || (t.numel() == 0 && t.dim() != 1) || (t.numel() != 0 && o.edgeitems == 0)) {
    all.push_back("size=" +
                  tuple_text(t.shape(), [](std::int64_t n) { return std::to_string(n); }));
  }
  // Without elements to tell an integer or a bool from a float, only the default dtype is hidden.
  const bool hidden = t.dtype() == plain ||
                      (!no_values && (t.dtype() == plain_complex || t.dtype() == DType::int64 ||
                                      t.dtype() == DType::bool_));
  if (!hidden) all.push_back("dtype=" + o.module + std::string(name(t.dtype())));
  if (t.has_names()) {
    all.push_back("names=" + tuple_text(t.names(), [](Name n) {
                    return n.is_none() ? std::string("None") : "'" + std::string(n.str()) + "'";
                  }));
  }
  return all;
}

constexpr std::string_view kPrefix = "tensor(";

}  // namespace

PrintOptions print_profile(std::string_view name) {
  PrintOptions o;
  if (name == "short") {
    o.precision = 2;
    o.edgeitems = 2;
  } else if (name == "full") {
    o.threshold = INFINITY;
  } else if (name != "default") {
    throw ValueError("[print_profile] expected name to be 'default', 'short' or 'full', got '" +
                     std::string(name) + "'");
  }
  return o;
}

PrintOptions print_options() {
  const std::lock_guard lock(options_mutex);
  return process_options();
}

void set_print_options(const PrintOptions& options) {
  check(options);
  const std::lock_guard lock(options_mutex);
  process_options() = options;
}

std::string str(const Tensor& t, const PrintOptions& o) {
  check(o);
  const trace::OpScope scope("print");
  std::string out(kPrefix);
  if (t.is_meta()) {
    out += "...";
  } else if (t.numel() == 0) {
    out += "[]";
  } else {
    const Shown shown = shown_elements(t, o);
    const Cells cells = cells_of(shown, t.dtype(), o);
    out += Writer(shown, cells, o).write(static_cast<std::int64_t>(kPrefix.size()));
  }
  // A suffix that would pass the end of the line starts a new one. The count of columns starts two
  // too high and is exact after a break, as in PyTorch.
  std::size_t line = out.size() - (out.rfind('\n') + 1) + 2;
  for (const std::string& suffix : suffixes(t, o)) {
    if (line + suffix.size() + 2 > static_cast<std::size_t>(o.linewidth)) {
      out += ",\n" + std::string(kPrefix.size(), ' ') + suffix;
      line = kPrefix.size() + suffix.size();
    } else {
      out += ", " + suffix;
      line += suffix.size() + 2;
    }
  }
  return out + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) { return out << t.str(); }

std::string Tensor::str() const { return tandem::str(*this, print_options()); }

}  // namespace tandem
