// Splits PTX into tokens.
#pragma once

#include <string_view>

#include "tests/cuda/ptx/parser.h"

namespace tandem::ptx {

struct Token {
  enum class Kind : std::uint8_t { Word, Integer, Float, Text, Punctuation, End };
  Kind kind = Kind::End;
  std::string_view text;
  std::uint64_t bits = 0;
  int float_bits = 0;
  int line = 0;

  bool is(char c) const { return kind == Kind::Punctuation && text[0] == c; }
  bool is(std::string_view word) const { return kind == Kind::Word && text == word; }
};

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t at, int line) : text_(text), at_(at), line_(line) {
    advance();
  }

  const Token& peek() const { return token_; }
  /// Offset of the next token in the text.
  std::size_t offset() const { return begin_; }
  Token next() {
    const Token t = token_;
    advance();
    return t;
  }
  bool accept(char c) {
    if (!token_.is(c)) return false;
    advance();
    return true;
  }
  bool accept(std::string_view word) {
    if (!token_.is(word)) return false;
    advance();
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }
  std::string word(const char* what) {
    if (token_.kind != Token::Kind::Word) fail(std::string("expected ") + what);
    return std::string(next().text);
  }
  std::uint64_t integer(const char* what) {
    if (token_.kind != Token::Kind::Integer) fail(std::string("expected ") + what);
    return next().bits;
  }
  /// Goes past the brace that closes the one before.
  void skip_braces();
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(token_.line, what + ", got '" + std::string(token_.text) + "'");
  }

 private:
  void advance();
  void skip_space();
  void number();

  std::string_view text_;
  std::size_t at_;
  std::size_t begin_ = 0;
  int line_;
  Token token_;
};

}  // namespace tandem::ptx
