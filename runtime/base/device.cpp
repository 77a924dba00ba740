// Device names. Availability is in dispatch/backend_loader.cpp.
#include "tandem/device.h"

#include <fmt/format.h>

#include <charconv>

#include "tandem/error.h"

namespace tandem {

namespace {
constexpr std::string_view kKindNames[] = {"cpu", "cuda", "meta", "privateuseone"};
}

Device::Device(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind_text = text.substr(0, colon);
  bool known = false;
  for (int k = 0; k < static_cast<int>(DeviceKind::kCount); ++k) {
    if (kKindNames[k] != kind_text) continue;
    kind = static_cast<DeviceKind>(k);
    known = true;
  }
  TANDEM_EXPECTS(
      known, ValueError,
      fmt::format("[device] expected one of cpu, cuda, meta, with :INDEX or without, got '{}'",
                  text));
  if (colon == std::string_view::npos) return;
  const std::string_view number = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  TANDEM_EXPECTS(error == std::errc() && end == number.data() + number.size() && index >= 0,
                 ValueError,
                 fmt::format("[device] expected a device index after ':', got '{}'", text));
}

std::string Device::str() const {
  const std::string_view k = kKindNames[static_cast<int>(kind)];
  return index < 0 ? std::string(k) : fmt::format("{}:{}", k, index);
}

}  // namespace tandem
