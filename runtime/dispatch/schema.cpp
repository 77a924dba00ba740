// Schema strings to parameters.
#include "runtime/dispatch/schema.h"

#include <fmt/format.h>

#include <charconv>

namespace tandem::detail {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

/// Splits at commas outside brackets.
std::vector<std::string_view> split_list(std::string_view s) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= s.size(); ++i) {
    const char c = i < s.size() ? s[i] : ',';
    depth += (c == '[' || c == '(') - (c == ']' || c == ')');
    if (c != ',' || (depth != 0 && i < s.size())) continue;
    const std::string_view part = trim(s.substr(start, i - start));
    if (!part.empty()) parts.push_back(part);
    start = i + 1;
  }
  return parts;
}

Param parse_param(std::string_view text, std::string_view bare_type, bool keyword_only) {
  Param p;
  p.keyword_only = keyword_only;
  const auto equals = text.find('=');
  if (equals != std::string_view::npos) {
    p.fallback = trim(text.substr(equals + 1));
    text = trim(text.substr(0, equals));
  }
  const auto colon = text.find(':');
  p.name = trim(text.substr(0, colon));
  p.type = colon == std::string_view::npos ? bare_type : trim(text.substr(colon + 1));
  return p;
}

std::size_t closing(std::string_view s, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < s.size(); ++i) {
    depth += (s[i] == '(') - (s[i] == ')');
    if (depth == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

Schema parse_schema(std::string_view text, std::string_view bare_type) {
  Schema schema;
  const std::size_t end =
      text.empty() || text[0] != '(' ? std::string_view::npos : closing(text, 0);
  TANDEM_EXPECTS(end != std::string_view::npos, ValueError,
                 fmt::format("[op table] expected a schema '(...)', got '{}'", text));
  bool keyword_only = false;
  for (const std::string_view part : split_list(text.substr(1, end - 1))) {
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    schema.params.push_back(parse_param(part, bare_type, keyword_only));
  }
  std::string_view rest = trim(text.substr(end + 1));
  if (rest.substr(0, 2) == "->") {
    rest = trim(rest.substr(2));
    const std::size_t close = closing(rest, 0);
    for (const std::string_view part : split_list(rest.substr(1, close - 1)))
      schema.results.emplace_back(part);
    rest = trim(rest.substr(close + 1));
  }
  const auto hint = rest.find("hint:");
  if (hint != std::string_view::npos) {
    schema.hint = trim(rest.substr(hint + 5));
    rest = trim(rest.substr(0, hint));
    if (!rest.empty() && rest.back() == ';') rest.remove_suffix(1);
  }
  if (rest.substr(0, 5) == "grad:") schema.grad = trim(rest.substr(5));
  return schema;
}

Value default_value(const Param& param) {
  const std::string& s = param.fallback;
  if (s.empty() || s == "None") return {};
  if (s == "True") return true;
  if (s == "False") return false;
  if (s == "[]") return Dims();
  if (s.front() == '\'') return s.substr(1, s.size() - 2);
  if (s.find_first_of(".e") != std::string::npos) {
    double d = 0;
    std::from_chars(s.data(), s.data() + s.size(), d);
    return d;
  }
  std::int64_t i = 0;
  std::from_chars(s.data(), s.data() + s.size(), i);
  return i;
}

}  // namespace tandem::detail
