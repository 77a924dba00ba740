// Reads PTX out of the "fatbins" of an ELF file; the layout is described in
// tools/lint/device_code.py.
#include "tests/cuda/ptx/library.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace tandem::ptx {

namespace {

constexpr std::uint32_t kFatbinMagic = 0xba55ed50;
constexpr std::uint16_t kPtxEntry = 1;

struct FatbinHeader {
  std::uint32_t magic;
  std::uint16_t version, header_bytes;
  std::uint64_t bytes;  // of the entries behind it
};
struct EntryHeader {
  std::uint16_t kind, unknown;
  std::uint32_t header_bytes;
  std::uint64_t bytes;
};

template <class T>
T read_at(std::string_view data, std::size_t at) {
  if (at > data.size() || data.size() - at < sizeof(T))
    throw std::runtime_error("a truncated file");
  T value;
  std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}

std::string_view part(std::string_view data, std::size_t at, std::size_t bytes) {
  if (at > data.size() || data.size() - at < bytes) throw std::runtime_error("a truncated file");
  return data.substr(at, bytes);
}

void read_fatbins(std::string_view data, std::vector<std::string>& texts) {
  std::size_t at = 0;
  while (at + sizeof(FatbinHeader) <= data.size()) {
    const auto header = read_at<FatbinHeader>(data, at);
    if (header.magic != kFatbinMagic) {  // padding
      at += 8;
      continue;
    }
    std::size_t inner = at + header.header_bytes;
    const std::size_t end = inner + header.bytes;
    while (inner < end) {
      const auto entry = read_at<EntryHeader>(data, inner);
      std::string_view payload = part(data, inner + entry.header_bytes, entry.bytes);
      if (entry.kind == kPtxEntry) {
        if (payload.substr(0, 400).find(".version") == std::string_view::npos)
          throw std::runtime_error(
              "its PTX is compressed: configure with -DTANDEM_CUDA_COMPRESS=OFF");
        texts.emplace_back(payload.substr(0, payload.find('\0')));
      }
      inner += entry.header_bytes + entry.bytes;
    }
    at = (end + 7) / 8 * 8;
  }
}

}  // namespace

std::vector<std::string> read_ptx(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be opened");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> texts;
  if (!content.starts_with(ELFMAG)) {
    texts.push_back(content);
    return texts;
  }
  const std::string_view data = content;
  const auto elf = read_at<Elf64_Ehdr>(data, 0);
  const auto section = [&](std::size_t i) {
    return read_at<Elf64_Shdr>(data, elf.e_shoff + i * elf.e_shentsize);
  };
  const auto names = section(elf.e_shstrndx);
  for (std::size_t i = 0; i < elf.e_shnum; ++i) {
    const auto s = section(i);
    const std::string name(data.data() + names.sh_offset + s.sh_name);
    if (name == ".nv_fatbin") read_fatbins(part(data, s.sh_offset, s.sh_size), texts);
  }
  if (texts.empty()) throw std::runtime_error(path + " holds no PTX");
  return texts;
}

}  // namespace tandem::ptx
