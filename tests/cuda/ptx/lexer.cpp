// Tokens of PTX: names with their dots ("setp.lt.s64", "%tid.x"), integers, floats by their bits.
#include "tests/cuda/ptx/lexer.h"

#include <cctype>
#include <charconv>

namespace tandem::ptx {

namespace {

bool starts_word(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' ||
         c == '.';
}

bool continues_word(char c) {
  return starts_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

void Lexer::skip_space() {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (rest[0] == '\n') {
      ++line_;
      ++at_;
    } else if (std::isspace(static_cast<unsigned char>(rest[0])) != 0 || rest[0] == '\0') {
      ++at_;
    } else if (rest.starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) throw Error(line_, "a comment without its end");
      for (std::size_t i = at_; i < end; ++i) line_ += text_[i] == '\n' ? 1 : 0;
      at_ = end + 2;
    } else {
      return;
    }
  }
}

void Lexer::number() {
  const bool negative = text_[at_] == '-';
  const std::size_t first = at_ + (negative ? 1 : 0);
  std::size_t end = first;
  while (end < text_.size() && std::isalnum(static_cast<unsigned char>(text_[end])) != 0) ++end;
  if (end < text_.size() && text_[end] == '.') {  // a version
    while (end < text_.size() && continues_word(text_[end])) ++end;
    token_.kind = Token::Kind::Text;
    token_.text = text_.substr(at_, end - at_);
    at_ = end;
    return;
  }
  std::string_view digits = text_.substr(first, end - first);
  token_.kind = Token::Kind::Integer;
  token_.text = text_.substr(at_, end - at_);
  int base = 10;
  const bool prefixed = digits.size() > 2 && digits[0] == '0';
  if (prefixed && (digits[1] == 'f' || digits[1] == 'F' || digits[1] == 'd' || digits[1] == 'D')) {
    token_.kind = Token::Kind::Float;
    token_.float_bits = digits[1] == 'f' || digits[1] == 'F' ? 32 : 64;
  }
  if (token_.kind == Token::Kind::Float || (prefixed && (digits[1] == 'x' || digits[1] == 'X'))) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.ends_with('U')) {
    digits.remove_suffix(1);
  }
  const auto [stop, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), token_.bits, base);
  const bool whole = problem == std::errc() && stop == digits.data() + digits.size();
  const bool leading_zero = base == 10 && digits.size() > 1 && digits[0] == '0';  // octal in PTX
  const bool of_width =
      token_.float_bits == 0 || digits.size() * 4 == static_cast<std::size_t>(token_.float_bits);
  if (!whole || leading_zero || !of_width || (negative && token_.float_bits != 0)) {
    throw Error(line_, "not a number: '" + std::string(token_.text) + "'");
  }
  if (negative) token_.bits = 0 - token_.bits;
  at_ = end;
}

void Lexer::advance() {
  skip_space();
  token_ = {};
  token_.line = line_;
  begin_ = at_;
  if (at_ >= text_.size()) {
    token_.text = "the end";
    return;
  }
  const char c = text_[at_];
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (std::isdigit(static_cast<unsigned char>(c)) != 0 ||
      (c == '-' && std::isdigit(static_cast<unsigned char>(after)) != 0)) {
    number();
    return;
  }
  std::size_t end = at_ + 1;
  if (starts_word(c)) {
    token_.kind = Token::Kind::Word;
    while (end < text_.size() &&
           (continues_word(text_[end]) || text_.substr(end).starts_with("::"))) {
      end += text_[end] == ':' ? 2 : 1;
    }
  } else if (c == '"') {
    token_.kind = Token::Kind::Text;
    end = text_.find('"', end);
    if (end == std::string_view::npos) throw Error(line_, "a string without its end");
    ++end;
  } else if (std::string_view("{}()[],;:<>+@!=|").find(c) != std::string_view::npos) {
    token_.kind = Token::Kind::Punctuation;
  } else {
    throw Error(line_, std::string("unexpected character '") + c + "'");
  }
  token_.text = text_.substr(at_, end - at_);
  at_ = end;
}

void Lexer::skip_braces() {
  for (int depth = 1; depth > 0;) {
    const Token t = next();
    if (t.kind == Token::Kind::End) throw Error(t.line, "expected '}', got the end");
    if (t.is('{')) ++depth;
    if (t.is('}')) --depth;
  }
}

}  // namespace tandem::ptx
