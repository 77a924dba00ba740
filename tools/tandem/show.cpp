// `tandem show`: what a file of tensors or a picture holds.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tandem/io.h"
#include "tandem/ops.h"
#include "tandem/print.h"
#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

struct Options {
  std::string target;
  std::string index;
  bool full = false;
  int precision = 4;
};

constexpr std::int64_t kCorner = 6;  // rows and columns of the corner that is shown

std::string shape_text(const Dims& shape) {
  std::string out;
  for (const std::int64_t n : shape) out += (out.empty() ? "" : ", ") + std::to_string(n);
  return "(" + out + (shape.size() == 1 ? ",)" : ")");
}

std::string names_text(const Names& names) { return names.empty() ? "" : "  names " + str(names); }

std::int64_t integer(const std::string& text, const std::string& whole) {
  try {
    std::size_t used = 0;
    const std::int64_t v = std::stoll(text, &used);
    if (used == text.size()) return v;
  } catch (const std::exception&) {
    // falls through to the message
  }
  throw BadInput("expected --index to be integers, slices, None or ... with commas between, got '" +
                 whole + "'");
}

/// "1, ::-2, ..." as between the brackets of t[...].
std::vector<Index> parse_index(const std::string& text) {
  std::vector<Index> out;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    std::erase(item, ' ');
    if (item == "None") {
      out.emplace_back(kNone);
    } else if (item == "...") {
      out.emplace_back(kEllipsis);
    } else if (item.find(':') == std::string::npos) {
      out.emplace_back(integer(item, text));
    } else {
      std::vector<std::string> part;
      std::istringstream pieces(item + ":");
      for (std::string p; std::getline(pieces, p, ':');) part.push_back(p);
      if (part.size() > 3) integer("", text);
      Slice s;
      if (!part[0].empty()) s.start = integer(part[0], text);
      if (part.size() > 1 && !part[1].empty()) s.stop = integer(part[1], text);
      if (part.size() > 2 && !part[2].empty()) s.step = integer(part[2], text);
      out.emplace_back(s);
    }
  }
  return out;
}

void print_statistics(const Tensor& t) {
  if (t.numel() == 0) return;
  if (t.dtype() == DType::bool_) {
    fmt::print("true: {} of {}\n", t.sum().item<std::int64_t>(), t.numel());
    return;
  }
  const bool inexact = is_float(t.dtype()) || is_complex(t.dtype());
  const auto odd = inexact ? t.numel() - t.isfinite().sum().item<std::int64_t>() : 0;
  if (odd != 0) fmt::print("not finite: {} of {}\n", odd, t.numel());
  if (is_complex(t.dtype())) return;
  const Tensor wide = t.to(DType::float64);
  fmt::print("min {:.6g}  max {:.6g}  mean {:.6g}  std {:.6g}\n", wide.amin().item<double>(),
             wide.amax().item<double>(), wide.mean().item<double>(),
             std(wide, {}, 0).item<double>());
}

/// The first rows and columns of the first matrix; names stay on what is left.
Tensor corner(Tensor t) {
  while (t.dim() > 2 && !(t.dim() == 3 && t.shape()[2] <= 4)) {
    if (t.shape()[0] == 0) return t;
    t = t.select(0, 0);
  }
  for (std::int64_t d = 0; d < t.dim(); ++d) t = t.slice(d, 0, kCorner);
  return t;
}

void print_tensor(const Tensor& t, const Options& o) {
  print_statistics(t);
  PrintOptions p = o.full ? print_profile("full") : print_options();
  p.precision = o.precision;
  p.module.clear();
  const Tensor shown = o.full ? t : corner(t);
  if (shown.numel() != t.numel()) {
    fmt::print("corner of {}:\n", shape_text(Dims(std::span<const std::int64_t>(shown.shape()))));
  }
  fmt::print("{}\n", str(shown, p));
}

void print_info(const io::DatasetInfo& d, std::size_t width) {
  fmt::print("{:<{}}  {}  {}{}  {}{}\n", d.name, width, d.type, shape_text(d.shape),
             names_text(d.names),
             d.chunks.empty() ? std::string() : "chunks " + shape_text(d.chunks) + "  ",
             bytes_text(static_cast<double>(d.stored_bytes)));
}

void show_hdf5(const std::string& path, const std::string& dataset, const Options& o) {
  const auto all = io::list_hdf5(path);
  std::size_t width = 0, loadable = 0;
  for (const auto& d : all) {
    width = std::max(width, d.name.size());
    loadable += d.loadable;
  }
  std::string wanted = dataset;
  if (dataset.empty()) {
    fmt::print("{}: HDF5, {} dataset{}\n", path, all.size(), all.size() == 1 ? "" : "s");
    for (const auto& d : all) print_info(d, width);
    if (all.size() != 1 || loadable != 1) {
      if (!o.index.empty() || o.full) {
        throw BadInput("expected FILE:DATASET with --index or --full, got '" + o.target + "'");
      }
      return;
    }
    wanted = all[0].name;
  } else {
    for (const auto& d : all) {
      if (d.name == dataset) print_info(d, width);
    }
  }
  print_tensor(io::load_hdf5(path, wanted, parse_index(o.index)), o);
}

void show_picture(const std::string& path, const Options& o) {
  const Tensor t = io::read_image(path);
  constexpr const char* kKind[] = {"", "grey", "grey and alpha", "RGB", "RGB and alpha"};
  fmt::print("{}: picture, {}, {}  {}{}\n", path, kKind[t.shape()[2]], name(t.dtype()),
             shape_text(Dims(std::span<const std::int64_t>(t.shape()))), names_text(t.names()));
  const Tensor part = t.index(parse_index(o.index));
  // A grey picture is a matrix to look at.
  print_tensor(o.index.empty() && t.size("channels") == 1 ? part.squeeze("channels") : part, o);
}

bool is_picture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[3] = "";
  file.read(head, sizeof(head));
  return std::string_view(head, 3) == "\x89PN" || std::string_view(head, 3) == "\xff\xd8\xff";
}

void run(const Options& o) {
  std::error_code error;
  std::string path = o.target, dataset;
  const auto colon = o.target.rfind(':');
  if (!std::filesystem::exists(path, error) && colon != std::string::npos) {
    path = o.target.substr(0, colon);
    dataset = o.target.substr(colon + 1);
    dataset.erase(0, dataset.find_first_not_of('/'));
  }
  if (std::filesystem::is_regular_file(path, error) && is_picture(path)) {
    if (!dataset.empty())
      throw BadInput("expected a picture without a dataset, got '" + o.target + "'");
    show_picture(path, o);
  } else {
    show_hdf5(path, dataset, o);
  }
}

}  // namespace

void add_show(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "show", "Show shape, dtype, names, statistics and a corner of a tensor or picture");
  sub->add_option("FILE[:DATASET]", o->target, "An HDF5 file, PNG or JPEG")->required();
  sub->add_option("--index", o->index, "Part to read, as in t[...]: \"0, ::-2, ...\"");
  sub->add_flag("--full", o->full, "Print every value");
  sub->add_option("--precision", o->precision, "Digits after the point")->check(CLI::Range(0, 100));
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
