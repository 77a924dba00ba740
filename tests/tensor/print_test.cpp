// Replays tests/data/print_cases.json: texts recorded from PyTorch, and what it no longer prints
// (names).
#include "tandem/print.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tandem/ops.h"
#include "tests/support/needs.h"

using namespace tandem;

namespace {

const nlohmann::json& recorded() {
  static const nlohmann::json all = [] {
    std::ifstream file(test::source_file("tests/data/print_cases.json"));
    return nlohmann::json::parse(file);
  }();
  return all;
}

Dims dims(const nlohmann::json& list) {
  Dims out;
  for (const auto& n : list) out.push_back(n.get<std::int64_t>());
  return out;
}

Tensor stored(const nlohmann::json& c) {
  const DType dtype = dtype_by_name(c["dtype"] == "bool" ? "bool" : c["dtype"].get<std::string>());
  Tensor t = empty(dims(c["shape"]), {.dtype = dtype});
  auto* bytes = static_cast<unsigned char*>(t.data_ptr());
  if (c.contains("arange")) {
    visit(dtype, [&]<class T>() {
      for (std::int64_t i = 0; i < t.numel(); ++i) {
        reinterpret_cast<T*>(bytes)[i] = fn::cast<T>(i);
      }
    });
  } else {
    const auto hex = c["raw"].get<std::string>();
    for (std::size_t i = 0; i < t.nbytes(); ++i) {
      bytes[i] = static_cast<unsigned char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    }
  }
  return t;
}

Tensor shown(const nlohmann::json& c) {
  Tensor t = stored(c);
  if (c.contains("expand")) t = t.expand(dims(c["expand"]));
  if (c.contains("permute")) {
    SmallVector<Axis, 6> order;
    for (const auto& n : c["permute"]) order.push_back(Axis(n.get<std::int64_t>()));
    t = t.permute(order);
  }
  return t;
}

PrintOptions options_of(const nlohmann::json& c) {
  PrintOptions o;
  if (!c.contains("options")) return o;
  const auto& given = c["options"];
  if (given.contains("profile")) o = print_profile(given["profile"].get<std::string>());
  o.precision = given.value("precision", o.precision);
  o.edgeitems = given.value("edgeitems", o.edgeitems);
  o.linewidth = given.value("linewidth", o.linewidth);
  if (given.contains("threshold")) {
    o.threshold = given["threshold"].is_string() ? INFINITY : given["threshold"].get<double>();
  }
  if (given.contains("sci_mode")) o.sci_mode = given["sci_mode"].get<bool>();
  return o;
}

/// Sets the default dtype for the life of the object.
class DefaultDType {
 public:
  explicit DefaultDType(DType t) : previous_(default_dtype()) { set_default_dtype(t); }
  ~DefaultDType() { set_default_dtype(previous_); }

 private:
  DType previous_;
};

TEST(Print, EqualsPyTorch) {
  ASSERT_GT(recorded()["cases"].size(), 500u);
  for (const auto& c : recorded()["cases"]) {
    const DefaultDType guard(
        dtype_by_name(c.contains("default") ? c["default"].get<std::string>() : "float32"));
    EXPECT_EQ(str(shown(c), options_of(c)), c["text"].get<std::string>())
        << c["dtype"] << " " << c["shape"] << " " << c.value("options", nlohmann::json());
  }
}

TEST(Print, FromADeviceEqualsFromTheHost) {
  TANDEM_NEEDS_GPU();
  for (const auto& c : recorded()["cases"]) {
    if (c.contains("default")) continue;
    const Tensor t = stored(c);
    // A line long enough that the device's suffix moves no other one.
    PrintOptions o = options_of(c);
    o.linewidth = 10000;
    const std::string device = "device='cuda:0'";
    std::string text = str(t.cuda(0), o);
    const auto at = text.rfind(", " + device);
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ(text.erase(at, device.size() + 2), str(t, o));
  }
}

TEST(Print, Names) {
  const Tensor t = arange(6, {.dtype = DType::float32}).reshape({2, 3});
  EXPECT_EQ(t.refine_names({"N", "C"}).str(),
            "tensor([[0., 1., 2.],\n        [3., 4., 5.]], names=('N', 'C'))");
  EXPECT_EQ(t.rename_map({}).refine_names({"...", "C"}).str(),
            "tensor([[0., 1., 2.],\n        [3., 4., 5.]], names=(None, 'C'))");
  EXPECT_EQ(t.select(0, 0).refine_names({"x"}).str(), "tensor([0., 1., 2.], names=('x',))");
  EXPECT_EQ(t.to(DType::int16).refine_names({"N", "C"}).str(),
            "tensor([[0, 1, 2],\n        [3, 4, 5]], dtype=torch.int16, names=('N', 'C'))");
}

TEST(Print, Meta) {
  EXPECT_EQ(empty({2, 3}, {.device = kMeta}).str(), "tensor(..., device='meta', size=(2, 3))");
  EXPECT_EQ(empty({2}, {.dtype = DType::int64, .device = kMeta}).str(),
            "tensor(..., device='meta', size=(2,), dtype=torch.int64)");
}

TEST(Print, ReversedView) {
  EXPECT_EQ(arange(4).slice(0, {}, {}, -1).str(), "tensor([3, 2, 1, 0])");
  const Tensor t = arange(3000).slice(0, {}, {}, -2);
  EXPECT_EQ(t.str(), "tensor([2999, 2997, 2995,  ...,    5,    3,    1])");
}

TEST(Print, ModuleAndStream) {
  PrintOptions o;
  o.module = "tandem.";
  const Tensor t = zeros({1}, {.dtype = DType::bfloat16});
  EXPECT_EQ(str(t, o), "tensor([0.], dtype=tandem.bfloat16)");
  std::ostringstream out;
  out << t;
  EXPECT_EQ(out.str(), "tensor([0.], dtype=torch.bfloat16)");
}

TEST(Print, OptionsOfTheProcess) {
  const PrintOptions before = print_options();
  set_print_options(print_profile("short"));
  EXPECT_EQ(full({1}, 1.12345).str(), "tensor([1.12])");
  set_print_options(before);
  EXPECT_EQ(full({1}, 1.12345).str(), "tensor([1.1235])");
}

TEST(Print, RefusesOptions) {
  const PrintOptions before = print_options();
  for (const auto& set : std::vector<void (*)(PrintOptions&)>{
           [](PrintOptions& o) { o.precision = -1; }, [](PrintOptions& o) { o.precision = 1001; },
           [](PrintOptions& o) { o.edgeitems = -1; }, [](PrintOptions& o) { o.linewidth = 0; },
           [](PrintOptions& o) { o.threshold = NAN; }}) {
    PrintOptions o;
    set(o);
    EXPECT_THROW(set_print_options(o), ValueError);
    EXPECT_THROW(str(zeros({1}), o), ValueError);
  }
  EXPECT_EQ(print_options().precision, before.precision);
  EXPECT_THROW(print_profile("long"), ValueError);
  EXPECT_THROW(Tensor().str(), Error);
}

}  // namespace
