// Tensors to and from DLPack's structs.
#include "tandem/dlpack.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "runtime/exchange/dlpack_abi.h"
#include "runtime/tensor/body.h"
#include "tandem/foreign.h"

namespace tandem {
namespace {

// ---- dtypes

struct SmallFloat {
  std::string_view name;
  std::uint8_t code;
};
/// Formats of 8 bits by the names that Tandem and ml_dtypes give them. The standard's list.
constexpr SmallFloat kSmallFloats[] = {
    {"float8_e3m4", 7},      {"float8_e4m3", 8},  {"float8_e4m3b11fnuz", 9}, {"float8_e4m3fn", 10},
    {"float8_e4m3fnuz", 11}, {"float8_e5m2", 12}, {"float8_e5m2fnuz", 13},   {"float8_e8m0fnu", 14},
};

std::uint8_t float_code(const DTypeInfo& row) {
  if (!row.numpy.empty()) return dl::kFloat;
  const auto* const small = std::ranges::find(kSmallFloats, row.name, &SmallFloat::name);
  return small != std::end(kSmallFloats) ? small->code : dl::kBfloat;
}

DLDataType dl_type(DType t) {
  const DTypeInfo& row = info(t);
  DLDataType out{dl::kBool, static_cast<std::uint8_t>(8 * row.size), 1};
  if (row.category == Category::Integer) out.code = row.is_signed ? dl::kInt : dl::kUInt;
  if (row.category == Category::Float) out.code = float_code(row);
  if (row.category == Category::Complex) out.code = dl::kComplex;
  return out;
}

std::string type_text(const DLDataType& t) {
  constexpr std::string_view kNames[] = {"int",    "uint",    "float", "an opaque handle",
                                         "bfloat", "complex", "bool"};
  const auto* const small = std::ranges::find(kSmallFloats, t.code, &SmallFloat::code);
  if (small != std::end(kSmallFloats)) return std::string(small->name);
  if (t.code < std::size(kNames)) return fmt::format("{}{}", kNames[t.code], t.bits);
  return fmt::format("type code {} of {} bits", t.code, t.bits);
}

DType own_type(const DLDataType& t) {
  TANDEM_EXPECTS(t.lanes == 1, TypeError,
                 fmt::format("[from_dlpack] expected elements of one lane, got {}", t.lanes));
  for (int i = 0; i < kNumDTypes; ++i) {
    const DLDataType known = dl_type(static_cast<DType>(i));
    if (known.code == t.code && known.bits == t.bits) return static_cast<DType>(i);
  }
  detail::fail<TypeError>("[from_dlpack] expected a dtype that Tandem has, got " + type_text(t));
}

// ---- devices

Device own_device(const DLDevice& d) {
  if (d.device_type == dl::kCpu || d.device_type == dl::kCudaHost) return kCPU;
  if (d.device_type == dl::kCuda || d.device_type == dl::kCudaManaged) {
    const int n = device_count(DeviceKind::CUDA);
    TANDEM_EXPECTS(
        d.device_id >= 0 && d.device_id < n, DeviceError,
        fmt::format("[from_dlpack] expected one of {} usable CUDA devices, got number {}{}", n,
                    d.device_id, n == 0 ? ": " + device_status(DeviceKind::CUDA) : ""));
    return {DeviceKind::CUDA, d.device_id};
  }
  detail::fail<DeviceError>(
      fmt::format("[from_dlpack] expected memory of the CPU (1), CUDA (2), pinned (3) or managed "
                  "(13), got DLPack's device type {}",
                  d.device_type));
}

// ---- export

template <class Managed>
struct Export {
  Managed managed{};
  Tensor tensor;
  Dims shape, strides;
};

template <class Managed>
Managed* make_export(const Tensor& t) {
  const auto [type, id] = dlpack_device(t);
  auto e = std::make_unique<Export<Managed>>();
  e->tensor = t;
  e->shape = Dims(t.shape());
  e->strides = Dims(t.strides());
  DLTensor& d = e->managed.dl_tensor;
  d.data = t.numel() == 0 ? nullptr : t.data_ptr();
  d.device = {type, id};
  d.ndim = static_cast<std::int32_t>(t.dim());
  d.dtype = dl_type(t.dtype());
  d.shape = e->shape.data();
  d.strides = e->strides.data();
  e->managed.deleter = [](Managed* m) { delete static_cast<Export<Managed>*>(m->manager_ctx); };
  e->managed.manager_ctx = e.get();
  return &e.release()->managed;
}

// ---- import

ForeignMemoryView view_of(const DLTensor& d) {
  ForeignMemoryView m;
  m.dtype = own_type(d.dtype);
  m.device = own_device(d.device);
  TANDEM_EXPECTS(d.ndim >= 0, ValueError,
                 fmt::format("[from_dlpack] expected 0 dimensions or more, got {}", d.ndim));
  detail::check_rank(static_cast<std::size_t>(d.ndim), "from_dlpack");
  const auto n = static_cast<std::size_t>(d.ndim);
  TANDEM_EXPECTS(d.shape != nullptr || n == 0, ValueError,
                 "[from_dlpack] expected a shape, got null");
  m.shape = Dims(IntSpan(d.shape, n));
  const std::int64_t elements =
      detail::checked_numel(m.shape, element_size(m.dtype), "from_dlpack");
  if (d.strides != nullptr) m.strides = Dims(IntSpan(d.strides, n));
  const auto address = reinterpret_cast<std::uintptr_t>(d.data);
  TANDEM_EXPECTS(d.byte_offset <= std::numeric_limits<std::uintptr_t>::max() - address, ValueError,
                 fmt::format("[from_dlpack] expected an offset inside the address space, got {}",
                             d.byte_offset));
  TANDEM_EXPECTS(d.data != nullptr || elements == 0, ValueError,
                 "[from_dlpack] expected memory, got null");
  // Without elements the address means nothing; it may be misaligned.
  if (elements != 0) m.data = static_cast<char*>(d.data) + d.byte_offset;
  return m;
}

template <class Managed>
Tensor take(Managed* managed, ForeignMemoryView m) {
  m.release = [managed] { free_dlpack(managed); };
  return from_foreign(std::move(m));
}

template <class Managed>
void give_back(Managed* managed) noexcept {
  if (managed != nullptr && managed->deleter != nullptr) managed->deleter(managed);
}

}  // namespace

DLManagedTensorVersioned* to_dlpack(const Tensor& t, bool is_copy) {
  auto* m = make_export<DLManagedTensorVersioned>(t);
  m->version = {static_cast<std::uint32_t>(kDLPackVersion.first),
                static_cast<std::uint32_t>(kDLPackVersion.second)};
  m->flags = (is_read_only(t) ? dl::kReadOnly : 0) | (is_copy ? dl::kIsCopied : 0);
  return m;
}

DLManagedTensor* to_dlpack_unversioned(const Tensor& t) {
  TANDEM_EXPECTS(
      !is_read_only(t), ValueError,
      "[to_dlpack] expected max_version to be (1, 0) or more for a tensor over read-only "
      "memory: older versions can't say so");
  return make_export<DLManagedTensor>(t);
}

Tensor from_dlpack(DLManagedTensorVersioned* managed) {
  TANDEM_EXPECTS(managed != nullptr, ValueError, "[from_dlpack] expected a tensor, got null");
  TANDEM_EXPECTS(managed->version.major == static_cast<std::uint32_t>(kDLPackVersion.first),
                 ValueError,
                 fmt::format("[from_dlpack] expected DLPack's version {}, got {}.{}",
                             kDLPackVersion.first, managed->version.major, managed->version.minor));
  ForeignMemoryView m = view_of(managed->dl_tensor);
  m.read_only = (managed->flags & dl::kReadOnly) != 0;
  return take(managed, std::move(m));
}

Tensor from_dlpack(DLManagedTensor* managed) {
  TANDEM_EXPECTS(managed != nullptr, ValueError, "[from_dlpack] expected a tensor, got null");
  return take(managed, view_of(managed->dl_tensor));
}

void free_dlpack(DLManagedTensorVersioned* managed) noexcept { give_back(managed); }
void free_dlpack(DLManagedTensor* managed) noexcept { give_back(managed); }

std::pair<int, int> dlpack_device(const Tensor& t) {
  const Device d = t.device();
  if (d.is_cpu()) return {dl::kCpu, 0};
  TANDEM_EXPECTS(
      d.is_cuda(), ValueError,
      "[to_dlpack] expected a tensor on the CPU or a CUDA device, got one on " + d.str());
  return {dl::kCuda, d.index};
}

}  // namespace tandem
