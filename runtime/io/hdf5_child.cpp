// Reads HDF5 inside a child process. Files are not trusted: nothing is allocated before its size
// was compared with what the file holds, and nothing outside the file (external links, external or
// virtual data) is followed.
#include "runtime/io/hdf5_child.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "runtime/io/hdf5.h"
#include "tandem/backend.h"

namespace tandem::io::h5 {
namespace {

// deflate packs at most 1032 bytes into one; a little more for the headers of chunks.
constexpr std::uint64_t kMostExpansion = 1040;
// Values that are not stored (never written, so they read as the fill value) are given up to here.
constexpr std::uint64_t kMostUnstored = std::uint64_t(256) << 20;
constexpr std::size_t kLongestLabel = 1 << 16;

/// Reading errors name the dataset.
struct Place {
  const Session& session;
  std::string dataset;
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const {
    session.fail("dataset '" + dataset + "' of '" + session.path() + "' to " + expected, got);
  }
  Id expect(Id id) const {
    if (!id.ok()) fail("be intact", "an error");
    return id;
  }
};

herr_t refuse_external(const char*, const char*, const char*, const char*, unsigned*, hid_t,
                       void*) {
  return -1;
}

Id open_file(const Session& s) {
  struct stat st;
  const std::string quoted = "'" + s.path() + "'";
  if (s.path().find('\0') != std::string::npos || ::stat(s.path().c_str(), &st) != 0) {
    s.fail("path to be a file that can be read", quoted + ": " + std::strerror(errno));
  }
  if (!S_ISREG(st.st_mode)) {
    s.fail("path to be a file that can be read", quoted + ": it is not a regular file");
  }
  const Id access = s.expect(h5::plist(H5Pcreate(H5P_FILE_ACCESS)));
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  Id file = h5::file(H5Fopen(s.path().c_str(), H5F_ACC_RDONLY, access));
  if (!file.ok()) s.fail("path to be an HDF5 file", quoted);
  return file;
}

Id open_dataset(hid_t file, const Place& at) {
  const Id links = at.expect(h5::plist(H5Pcreate(H5P_DATASET_ACCESS)));
  H5Pset_elink_cb(links, refuse_external, nullptr);
  Id set = h5::dataset(H5Dopen2(file, at.dataset.c_str(), links));
  if (!set.ok()) at.fail("exist", "no such dataset");
  return set;
}

// ---- names
// ---------------------------------------------------------------------------------------

Id open_attribute(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return {};
  return h5::attribute(H5Aopen(object, name, H5P_DEFAULT));
}

bool has_extent(hid_t attribute, hsize_t count) {
  const Id space = h5::space(H5Aget_space(attribute));
  return space.ok() && H5Sget_simple_extent_npoints(space) == static_cast<hssize_t>(count);
}

/// The strings of an attribute of `count` elements; empty where it is no such thing.
std::vector<std::string> strings(hid_t object, const char* name, std::size_t count) {
  const Id a = open_attribute(object, name);
  if (!a.ok() || count == 0 || !has_extent(a, count)) return {};
  const Id type = h5::type(H5Aget_type(a));
  if (!type.ok() || H5Tget_class(type) != H5T_STRING) return {};
  std::vector<std::string> out;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> list(count, nullptr);
    if (H5Aread(a, type, reinterpret_cast<void*>(list.data())) < 0) return {};
    for (const char* s : list) out.emplace_back(s == nullptr ? "" : s);
    const Id space = h5::space(H5Aget_space(a));
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, reinterpret_cast<void*>(list.data()));
    return out;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > kLongestLabel) return {};
  std::vector<char> raw(size * count);
  if (H5Aread(a, type, raw.data()) < 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(&raw[i * size], ::strnlen(&raw[i * size], size));
  }
  return out;
}

std::string own_name(hid_t object) {
  char path[1024];
  const ssize_t n = H5Iget_name(object, path, sizeof(path));
  if (n <= 0 || n >= static_cast<ssize_t>(sizeof(path))) return {};
  const std::string full = path;
  return full.substr(full.rfind('/') + 1);
}

/// The names of the first scale of every dimension: what netCDF writes instead of labels.
std::vector<std::string> scale_names(hid_t set, std::size_t rank) {
  const Id a = open_attribute(set, "DIMENSION_LIST");
  if (!a.ok() || !has_extent(a, rank)) return {};
  const Id stored = h5::type(H5Aget_type(a));
  if (!stored.ok() || H5Tget_class(stored) != H5T_VLEN) return {};
  const Id item = h5::type(H5Tget_super(stored));
  if (!item.ok() || H5Tequal(item, H5T_STD_REF_OBJ) <= 0) return {};
  const Id type = h5::type(H5Tvlen_create(H5T_STD_REF_OBJ));
  std::vector<hvl_t> lists(rank, hvl_t{0, nullptr});
  if (H5Aread(a, type, lists.data()) < 0) return {};
  std::vector<std::string> out(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    if (lists[d].len == 0) continue;
    const Id scale = h5::object(H5Rdereference2(set, H5P_DEFAULT, H5R_OBJECT, lists[d].p));
    if (scale.ok()) out[d] = own_name(scale);
  }
  const Id space = h5::space(H5Aget_space(a));
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists.data());
  return out;
}

bool is_name(const std::string& s) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !s.empty() && letter(s[0]) &&
         std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || digit(c); });
}

bool is_scale(hid_t set) {
  const auto text = strings(set, "CLASS", 1);
  return text.size() == 1 && text[0] == "DIMENSION_SCALE";
}

bool is_bare_scale(hid_t set) {
  const auto title = strings(set, "NAME", 1);
  return is_scale(set) && title.size() == 1 &&
         title[0].starts_with("This is a netCDF dimension but not a netCDF variable");
}

/// Labels or, without those, the names of scales. What cannot be a name is left out.
std::vector<std::string> labels_of(hid_t set, std::size_t rank) {
  if (rank == 0) return {};
  std::vector<std::string> labels = strings(set, "DIMENSION_LABELS", rank);
  if (labels.empty()) labels = scale_names(set, rank);
  if (labels.empty() && rank == 1 && is_scale(set)) labels = {own_name(set)};
  for (auto at = labels.begin(); at != labels.end(); ++at) {
    if (!is_name(*at) || std::find(labels.begin(), at, *at) != at) at->clear();
  }
  const bool any =
      std::any_of(labels.begin(), labels.end(), [](const auto& s) { return !s.empty(); });
  return any ? labels : std::vector<std::string>();
}

// ---- layout
// --------------------------------------------------------------------------------------

/// Raises where reading would run code or follow names beyond the file itself.
void check_properties(hid_t properties, const Place& at) {
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL) at.fail("hold its own values", "a view of other files");
  if (layout < 0) at.fail("have a layout", "an unknown one");
  if (H5Pget_external_count(properties) > 0) at.fail("hold its own values", "some in other files");
  const int filters = H5Pget_nfilters(properties);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    char name[64] = "";
    const H5Z_filter_t id = H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values,
                                           nullptr, sizeof(name), name, &config);
    if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32) {
      at.fail("be stored plain or by gzip, shuffle or fletcher32",
              "filter " + std::to_string(id) + " '" + name + "'");
    }
  }
}

struct Open {
  Id set;
  ElementType type;
  DatasetInfo info;
  std::vector<std::string> labels;
};

Open inspect(hid_t file, const Place& at) {
  Open o;
  o.set = open_dataset(file, at);
  o.info.name = at.dataset;
  const Id type = at.expect(h5::type(H5Dget_type(o.set)));
  o.type = element_type(type);
  o.info.type = o.type.words;
  o.info.dtype = o.type.dtype;
  o.info.loadable = o.type.dtype != DType::kCount;
  const Id space = at.expect(h5::space(H5Dget_space(o.set)));
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind != H5S_SCALAR && kind != H5S_SIMPLE) {
    o.info.loadable = false;
    o.info.type = "no value";
  }
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > kMaxRank) {
    at.fail("have at most " + std::to_string(kMaxRank) + " dimensions", std::to_string(rank));
  }
  SmallVector<hsize_t, 6> sizes(static_cast<std::size_t>(rank), 0);
  if (rank > 0) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  for (const hsize_t n : sizes) {
    if (n > INT64_MAX) at.fail("have sizes below 2^63", std::to_string(n));
    o.info.shape.push_back(static_cast<std::int64_t>(n));
  }
  o.labels = labels_of(o.set, sizes.size());
  const Id properties = at.expect(h5::plist(H5Dget_create_plist(o.set)));
  if (H5Pget_layout(properties) == H5D_CHUNKED && rank > 0) {
    SmallVector<hsize_t, 6> chunks(sizes.size(), 0);
    H5Pget_chunk(properties, rank, chunks.data());
    for (const hsize_t n : chunks) o.info.chunks.push_back(static_cast<std::int64_t>(n));
  }
  o.info.stored_bytes = H5Dget_storage_size(o.set);
  return o;
}

std::uint64_t bytes_of(const Dims& shape, std::size_t element, const Place& at) {
  std::uint64_t bytes = element;
  bool overflow = false;
  for (const std::int64_t n : shape) {
    overflow = overflow || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes);
  }
  // A size of 0 makes the product right whatever came before it.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  if (overflow || bytes > PTRDIFF_MAX) at.fail("fit in memory", "2^63 bytes or more");
  return bytes;
}

/// Compares what the headers say with what the file holds.
void check_size(hid_t file, const Open& o, std::uint64_t wanted, const Place& at) {
  hsize_t length = 0;
  H5Fget_filesize(file, &length);
  const std::uint64_t stored = o.info.stored_bytes;
  if (stored > length) {
    at.fail("lie within the file's " + std::to_string(length) + " bytes",
            std::to_string(stored) + " bytes");
  }
  const std::uint64_t element = element_size(o.info.dtype);
  const bool chunked = !o.info.chunks.empty();
  const std::uint64_t most =
      (chunked ? stored * kMostExpansion : stored) + (stored == 0 || chunked ? kMostUnstored : 0);
  const auto too_large = [&](const std::string& what, std::uint64_t bytes) {
    at.fail("hold the " + what + " its header tells of",
            std::to_string(stored) + " stored bytes for " + std::to_string(bytes) +
                "; read a part of it by an index");
  };
  if (wanted > most) too_large("values", wanted);
  if (chunked && wanted > 0) {
    const std::uint64_t chunk = bytes_of(o.info.chunks, element, at);
    if (chunk > most) too_large("chunks", chunk);
  }
}

// ---- values
// --------------------------------------------------------------------------------------

void read_values(const Open& o, const Part& part, std::uint64_t bytes, void* out, const Place& at) {
  const int rank = static_cast<int>(part.count.size());
  SmallVector<hsize_t, 6> count;
  for (const std::int64_t n : part.count) count.push_back(static_cast<hsize_t>(n));
  const Id from = at.expect(h5::space(H5Dget_space(o.set)));
  if (rank > 0 && H5Sselect_hyperslab(from, H5S_SELECT_SET, part.start.data(), part.step.data(),
                                      count.data(), nullptr) < 0) {
    at.fail("have the selected part", "an error");
  }
  const Id to = at.expect(
      space(rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, count.data(), nullptr)));
  if (H5Dread(o.set, o.type.memory, to, from, H5P_DEFAULT, out) < 0) {
    at.fail("be readable", "an error");
  }
  if (o.info.dtype == DType::bool_) {
    auto* values = static_cast<unsigned char*>(out);
    for (std::uint64_t i = 0; i < bytes; ++i) values[i] = values[i] != 0;
  }
}

#if H5_VERSION_GE(1, 12, 0)
using ObjectInfo = H5O_info1_t;
#else
using ObjectInfo = H5O_info_t;
#endif

herr_t collect(hid_t, const char* name, const ObjectInfo* object, void* out) {
  try {
    if (object->type == H5O_TYPE_DATASET) {
      static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    }
    return 0;
  } catch (...) {
    return -1;
  }
}

std::vector<Found> find_all(hid_t file, const Session& s) {
  std::vector<std::string> names;
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, collect, &names, H5O_INFO_BASIC) < 0) {
    s.fail("the table of contents of '" + s.path() + "' to be intact", "an error");
  }
  std::vector<Found> out;
  for (const std::string& name : names) {
    Open o = inspect(file, {s, name});
    if (!is_bare_scale(o.set)) out.push_back({std::move(o.info), std::move(o.labels)});
  }
  return out;
}

std::string only_dataset(hid_t file, const Session& s) {
  const auto all = find_all(file, s);
  if (all.size() == 1) return all[0].info.name;
  std::string names;
  for (const auto& f : all) names += (names.empty() ? ": " : ", ") + f.info.name;
  s.fail("the name of a dataset of '" + s.path() + "'",
         "none, and it holds " + std::to_string(all.size()) + names);
}

}  // namespace

void put(Parcel& out, const Found& f) {
  const auto put_sizes = [&](const Dims& list) {
    out.put(static_cast<std::int64_t>(list.size()));
    for (const std::int64_t n : list) out.put(n);
  };
  out.put(f.info.name);
  out.put(f.info.type);
  out.put(f.info.loadable);
  out.put(static_cast<std::int64_t>(f.info.dtype));
  put_sizes(f.info.shape);
  put_sizes(f.info.chunks);
  out.put(static_cast<std::int64_t>(f.info.stored_bytes));
  out.put(static_cast<std::int64_t>(f.labels.size()));
  for (const auto& s : f.labels) out.put(s);
}

Found get_found(Parcel& in) {
  Found f;
  const auto get_sizes = [&](Dims& list) {
    for (std::int64_t n = in.number(); n > 0; --n) list.push_back(in.number());
  };
  f.info.name = in.text();
  f.info.type = in.text();
  f.info.loadable = in.number() != 0;
  f.info.dtype = static_cast<DType>(in.number());
  get_sizes(f.info.shape);
  get_sizes(f.info.chunks);
  f.info.stored_bytes = static_cast<std::uint64_t>(in.number());
  for (std::int64_t n = in.number(); n > 0; --n) f.labels.push_back(in.text());
  return f;
}

void list(const char* op, const std::string& path, Child& child) {
  const Session session(op, path);
  const Id file = open_file(session);
  const std::vector<Found> all = find_all(file, session);
  child.answer.put(static_cast<std::int64_t>(all.size()));
  for (const Found& f : all) put(child.answer, f);
}

void load(const char* op, const std::string& path, const std::string& dataset,
          const std::vector<Index>& index, Child& child) {
  const Session session(op, path);
  const Id file = open_file(session);
  const Place at{session, dataset.empty() ? only_dataset(file, session) : dataset};
  const Open o = inspect(file, at);
  if (!o.info.loadable) at.fail("hold integers, floats, complex numbers or bools", o.info.type);
  check_properties(at.expect(h5::plist(H5Dget_create_plist(o.set))), at);
  bytes_of(o.info.shape, element_size(o.info.dtype), at);
  const bool fits = index_fits(index, o.info.shape);
  child.answer.put(fits);
  put(child.answer, {o.info, o.labels});
  if (!fits) return;
  const Part part = part_of(index, o.info.shape);
  const std::uint64_t wanted = bytes_of(part.count, element_size(o.info.dtype), at);
  check_size(file, o, wanted, at);
  if (wanted == 0) return;
  Child::expect_bytes(wanted + kMostUnstored);
  read_values(o, part, wanted, child.allocate(wanted), at);
}

}  // namespace tandem::io::h5
