// HDF5: the lock, the errors and the mapping of element types.
#include "runtime/io/hdf5.h"

#include <atomic>
#include <vector>

namespace tandem::io::h5 {
namespace {

herr_t keep_first(unsigned n, const H5E_error2_t* error, void* out) {
  if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
  return 0;
}

}  // namespace

ForkMutex& process_mutex() {
  static constinit std::atomic<ForkMutex*> there{nullptr};
  return made_once(there);
}

Session::Session(const char* op, const std::string& path) : op_(op), path_(path) {
  H5Eget_auto2(H5E_DEFAULT, &printer_, &printer_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Session::~Session() {
  H5Eclear2(H5E_DEFAULT);
  H5Eset_auto2(H5E_DEFAULT, printer_, printer_data_);
}

std::string Session::message() {
  std::string first;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &first);
  return first;
}

void Session::fail(const std::string& expected, const std::string& got) const {
  const std::string why = message();
  throw FileError("[" + std::string(op_) + "] expected " + expected + ", got " + got +
                  (why.empty() ? "" : " (HDF5: " + why + ")"));
}

Id Session::expect(Id id) const {
  if (!id.ok()) fail("'" + path_ + "' to be intact", "an error");
  return id;
}

// ---- types
// ----------------------------------------------------------------------------------------

namespace {

/// Fields of a float type: where sign, exponent and mantissa stand.
struct FloatLayout {
  std::size_t size, sign, exponent, exponent_size, mantissa, mantissa_size, bias;
  bool operator==(const FloatLayout&) const = default;
};

FloatLayout float_layout(hid_t t) {
  FloatLayout f{};
  f.size = H5Tget_size(t);
  H5Tget_fields(t, &f.sign, &f.exponent, &f.exponent_size, &f.mantissa, &f.mantissa_size);
  f.bias = H5Tget_ebias(t);
  return f;
}

Id copy(hid_t t) { return type(H5Tcopy(t)); }

/// IEEE's layout for a width in bytes and a number of exponent bits. HDF5 converts no such element:
/// the type in memory is that of the file.
Id ieee(std::size_t bytes, std::size_t exponent) {
  if (bytes == 8) return copy(H5T_IEEE_F64LE);
  Id t = copy(H5T_IEEE_F32LE);
  if (bytes == 4) return t;
  const std::size_t sign = 8 * bytes - 1;
  const std::size_t mantissa = sign - exponent;
  H5Tset_fields(t, sign, mantissa, exponent, 0, mantissa);
  H5Tset_size(t, bytes);
  H5Tset_ebias(t, (std::size_t(1) << (exponent - 1)) - 1);
  return t;
}

Id boolean() {
  Id t = type(H5Tenum_create(H5T_STD_I8LE));
  signed char value = 0;
  H5Tenum_insert(t, "FALSE", &value);
  value = 1;
  H5Tenum_insert(t, "TRUE", &value);
  return t;
}

Id pair_of(hid_t part, const char* re, const char* im) {
  const std::size_t size = H5Tget_size(part);
  Id t = type(H5Tcreate(H5T_COMPOUND, 2 * size));
  H5Tinsert(t, re, 0, part);
  H5Tinsert(t, im, size, part);
  return t;
}

std::string member_name(hid_t t, unsigned i) {
  char* raw = H5Tget_member_name(t, i);
  if (raw == nullptr) return {};
  std::string name = raw;
  H5free_memory(raw);
  return name;
}

DType integer_dtype(hid_t t) {
  const std::size_t size = H5Tget_size(t);
  if (H5Tget_precision(t) != 8 * size || H5Tget_offset(t) != 0) return DType::kCount;
  const bool is_signed = H5Tget_sign(t) == H5T_SGN_2;
  for (int i = 0; i < kNumDTypes; ++i) {
    const DType d = static_cast<DType>(i);
    if (is_integer(d) && info(d).size == size && info(d).is_signed == is_signed) return d;
  }
  return DType::kCount;
}

DType float_dtype(hid_t t) {
  if (H5Tget_norm(t) != H5T_NORM_IMPLIED) return DType::kCount;
  const FloatLayout layout = float_layout(t);
  for (int i = 0; i < kNumDTypes; ++i) {
    const DType d = static_cast<DType>(i);
    if (is_float(d) && float_layout(type_of(d)) == layout) return d;
  }
  return DType::kCount;
}

bool is_boolean(hid_t t) {
  const Id base = type(H5Tget_super(t));
  if (!base.ok() || H5Tget_class(base) != H5T_INTEGER || H5Tget_size(base) != 1) return false;
  if (H5Tget_nmembers(t) != 2) return false;
  for (unsigned i = 0; i < 2; ++i) {
    unsigned char value = 255;
    if (H5Tget_member_value(t, i, &value) < 0 || value != i) return false;
    if (member_name(t, i) != (i == 0 ? "FALSE" : "TRUE")) return false;
  }
  return true;
}

/// A record of a real and an imaginary part.
ElementType complex_type(hid_t t) {
  ElementType e;
  if (H5Tget_nmembers(t) != 2) return e;
  const std::string re = member_name(t, 0), im = member_name(t, 1);
  if (!((re == "r" && im == "i") || (re == "real" && im == "imag"))) return e;
  DType part[2];
  for (unsigned i = 0; i < 2; ++i) {
    if (H5Tget_member_class(t, i) != H5T_FLOAT) return e;
    const Id member = type(H5Tget_member_type(t, i));
    part[i] = member.ok() ? float_dtype(member) : DType::kCount;
  }
  if (part[0] != part[1]) return e;
  if (part[0] == DType::float32) e.dtype = DType::complex64;
  if (part[0] == DType::float64) e.dtype = DType::complex128;
  if (e.dtype != DType::kCount) e.memory = pair_of(type_of(part[0]), re.c_str(), im.c_str());
  return e;
}

std::string describe(hid_t t) {
  const std::string size = std::to_string(H5Tget_size(t));
  switch (H5Tget_class(t)) {
    case H5T_STRING:
      return "strings";
    case H5T_COMPOUND:
      return "records of " + std::to_string(H5Tget_nmembers(t)) + " members";
    case H5T_ENUM:
      return "an enumeration";
    case H5T_VLEN:
      return "lists of variable length";
    case H5T_ARRAY:
      return "arrays";
    case H5T_REFERENCE:
      return "references";
    case H5T_OPAQUE:
      return "opaque data of " + size + " bytes";
    case H5T_BITFIELD:
      return "a bit field of " + size + " bytes";
    case H5T_TIME:
      return "times";
    case H5T_INTEGER:
      return "integers of " + size + " bytes, not all of them value bits";
    case H5T_FLOAT:
      return "floats of " + size + " bytes that are not IEEE's";
    default:
      return "an unknown type";
  }
}

}  // namespace

Id type_of(DType t) {
  const DTypeInfo& i = info(t);
  switch (i.category) {
    case Category::Bool:
      return boolean();
    case Category::Integer: {
      Id id = copy(i.is_signed ? H5T_STD_I64LE : H5T_STD_U64LE);
      H5Tset_size(id, i.size);
      return id;
    }
    case Category::Float:
      return ieee(i.size, static_cast<std::size_t>(exponent_bits(t)));
    case Category::Complex:
      return pair_of(ieee(i.size / 2, 0), "r", "i");
  }
  return {};
}

ElementType element_type(hid_t file_type) {
  ElementType e;
  switch (H5Tget_class(file_type)) {
    case H5T_INTEGER:
      e.dtype = integer_dtype(file_type);
      break;
    case H5T_FLOAT:
      e.dtype = float_dtype(file_type);
      break;
    case H5T_ENUM:
      // Read as bytes; the reader turns what is not 0 into true.
      if (is_boolean(file_type)) {
        e.dtype = DType::bool_;
        e.memory = copy(file_type);
      }
      break;
    case H5T_COMPOUND:
      e = complex_type(file_type);
      break;
    default:
      break;
  }
  if (e.dtype == DType::kCount) {
    e.words = describe(file_type);
    return e;
  }
  if (!e.memory.ok()) e.memory = type_of(e.dtype);
  e.words = std::string(name(e.dtype));
  return e;
}

}  // namespace tandem::io::h5
