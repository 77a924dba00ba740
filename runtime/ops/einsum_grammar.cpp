// Equations of einsum from text.
#include "runtime/ops/einsum_grammar.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::detail {

namespace {

[[noreturn]] void bad(const char* op, const std::string& text) {
  fail<ValueError>(fmt::format("[{}] argument 'equation': {}", op, text));
}

/// The label of s[i]. A character of several bytes is shown whole.
std::int32_t label_of(const char* op, std::string_view s, std::size_t i) {
  const char c = s[i];
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  std::size_t end = i + 1;
  while (end < s.size() && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) ++end;
  bad(op, fmt::format("expected letters, '...', ',' and '->', got '{}'", s.substr(i, end - i)));
}

Labels parse_letters(const char* op, std::string_view s) {
  Labels out;
  bool dots = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == ' ') continue;
    if (s[i] != '.') {
      out.push_back(label_of(op, s, i));
      continue;
    }
    if (s.substr(i, 3) != "...") bad(op, fmt::format("expected '...', got a lone '.' in '{}'", s));
    if (dots) bad(op, fmt::format("expected one '...' in '{}', got two", s));
    dots = true;
    out.push_back(kDots);
    i += 2;
  }
  return out;
}

std::vector<std::string_view> split_at_commas(std::string_view s) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const auto comma = s.find(',', start);
    parts.push_back(s.substr(start, comma - start));
    if (comma == std::string_view::npos) return parts;
    start = comma + 1;
  }
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

bool is_word(std::string_view s) {
  const auto fits = [](char c, bool first) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
  };
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!fits(s[i], i == 0)) return false;
  }
  return !s.empty();
}

using Words = std::vector<std::string>;

/// The words of "[a b ...]".
Words parse_words(const char* op, std::string_view part) {
  std::string_view s = trim(part);
  if (s.size() < 2 || s.front() != '[' || s.back() != ']')
    bad(op, fmt::format("expected names in brackets for every operand, got '{}'", part));
  s = s.substr(1, s.size() - 2);
  Words words;
  bool dots = false;
  while (!(s = trim(s)).empty()) {
    const std::string_view word = s.substr(0, s.find(' '));
    s.remove_prefix(word.size());
    if (word == "..." && dots) bad(op, fmt::format("expected one '...' in '{}', got two", part));
    dots = dots || word == "...";
    if (word != "..." && !is_word(word))
      bad(op, fmt::format("expected names or '...' in '{}', got '{}'", part, word));
    words.emplace_back(word);
  }
  return words;
}

/// The names of a tensor's dimensions.
Words own_words(const char* op, const Tensor& t, std::size_t operand) {
  Words words;
  for (const Name& n : t.names()) {
    if (n.is_none()) {
      fail<ValueError>(fmt::format("[{}] operand {}: expected a name for every dimension, got {}",
                                   op, operand, str(t.names())));
    }
    words.emplace_back(n.str());
  }
  return words;
}

/// Words to labels, in the order of the text: no label depends on the order of the operands.
Equation from_words(const char* op, const std::vector<Words>& inputs,
                    const std::optional<Words>& output) {
  Equation e;
  const auto collect = [&](const Words& words) {
    for (const std::string& w : words) {
      if (w != "...") e.words.push_back(w);
    }
  };
  for (const Words& w : inputs) collect(w);
  if (output) collect(*output);
  std::sort(e.words.begin(), e.words.end());
  e.words.erase(std::unique(e.words.begin(), e.words.end()), e.words.end());
  if (e.words.size() > static_cast<std::size_t>(kFirstDot))
    bad(op, fmt::format("expected at most {} different names, got {}", kFirstDot, e.words.size()));
  const auto labels = [&](const Words& words) {
    Labels out;
    for (const std::string& w : words) {
      const auto at = std::lower_bound(e.words.begin(), e.words.end(), w) - e.words.begin();
      out.push_back(w == "..." ? kDots : static_cast<std::int32_t>(at));
    }
    return out;
  };
  for (const Words& w : inputs) e.inputs.push_back(labels(w));
  if (output) e.output = labels(*output);
  return e;
}

}  // namespace

std::string Equation::str(std::int32_t label) const {
  if (label >= kFirstDot || label == kDots) return "...";
  if (by_names()) return words[static_cast<std::size_t>(label)];
  return std::string(1, static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26));
}

std::string Equation::str(const Labels& labels) const {
  std::string s;
  bool dots = false;
  for (const std::int32_t l : labels) {
    const std::string one = str(l);
    if (one == "..." && dots) continue;
    dots = dots || one == "...";
    if (by_names() && !s.empty()) s += ' ';
    s += one;
  }
  return by_names() ? "[" + s + "]" : s;
}

Equation parse_equation(const char* op, const std::string& text,
                        const std::vector<Tensor>& operands) {
  TANDEM_EXPECTS(!operands.empty(), ValueError,
                 fmt::format("[{}] argument 'operands': expected at least one Tensor", op));
  const auto arrow = text.find("->");
  const std::string_view left = std::string_view(text).substr(0, arrow);
  const auto parts = split_at_commas(left);
  const bool names = text.find('[') != std::string::npos;
  const bool own = names && trim(left).empty();
  if (!own && parts.size() != operands.size()) {
    bad(op, fmt::format("expected a subscript for each of {} operands, got {}", operands.size(),
                        parts.size()));
  }
  const bool explicit_output = arrow != std::string::npos;
  const std::string_view right =
      explicit_output ? std::string_view(text).substr(arrow + 2) : std::string_view();
  if (names) {
    std::vector<Words> inputs;
    for (std::size_t i = 0; i < operands.size(); ++i)
      inputs.push_back(own ? own_words(op, operands[i], i) : parse_words(op, parts[i]));
    return from_words(op, inputs,
                      explicit_output ? std::optional(parse_words(op, right)) : std::nullopt);
  }
  Equation e;
  for (const std::string_view part : parts) e.inputs.push_back(parse_letters(op, part));
  if (explicit_output) e.output = parse_letters(op, right);
  return e;
}

std::string letters_of(const std::vector<std::int64_t>& subscripts) {
  std::string s;
  for (const std::int64_t i : subscripts) {
    TANDEM_EXPECTS(i >= -1 && i < kLetters, ValueError,
                   fmt::format("[einsum] expected subscripts from 0 to 51 or ..., got {}", i));
    if (i < 0)
      s += "...";
    else
      s += static_cast<char>(i < 26 ? 'A' + i : 'a' + i - 26);
  }
  return s;
}

}  // namespace tandem::detail
