// Which function of a user's source the kernel calls.
#include <algorithm>
#include <cctype>

#include "runtime/source/program.h"
#include "tandem/error.h"

namespace tandem::source {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Whether the ' at i stands between digits, as in 1'000.
bool separates_digits(std::string_view s, std::size_t i) {
  std::size_t begin = i;
  while (begin > 0 && (is_word(s[begin - 1]) || s[begin - 1] == '\'')) --begin;
  return begin < i && std::isdigit(static_cast<unsigned char>(s[begin])) != 0;
}

/// Where the text that begins at i ends: a comment, a string, a raw string or a character; i where
/// none begins there.
std::size_t end_of_text(std::string_view s, std::size_t i) {
  const auto after = [&](std::string_view what, std::size_t from) {
    const std::size_t at = s.find(what, from);
    return at == std::string_view::npos ? s.size() : at + what.size();
  };
  if (s.substr(i, 2) == "/*") return after("*/", i + 2);
  std::size_t end = i + 1;
  if (s.substr(i, 2) == "//") {  // goes on where the line ends with a backslash
    while (end < s.size() && (s[end] != '\n' || s[end - 1] == '\\')) ++end;
    return end;
  }
  if (s[i] != '"' && (s[i] != '\'' || separates_digits(s, i))) return i;
  std::size_t word = i;
  while (word > 0 && is_word(s[word - 1])) --word;
  const std::string_view prefix = s.substr(word, i - word);
  if (s[i] == '"' &&
      (prefix == "R" || prefix == "LR" || prefix == "uR" || prefix == "UR" || prefix == "u8R")) {
    const std::size_t open = std::min(s.find('(', i), s.size());
    return after(")" + std::string(s.substr(end, open - end)) + '"', open);
  }
  while (end < s.size() && s[end] != s[i]) end += s[end] == '\\' ? 2 : 1;
  return std::min(end + 1, s.size());
}

/// Comments, strings and characters as blanks: what is left are names and brackets.
std::string without_texts(std::string_view s) {
  std::string out(s);
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t end = end_of_text(s, i);
    for (std::size_t k = i; k < end; ++k)
      if (out[k] != '\n') out[k] = ' ';
    i = std::max(end, i + 1);
  }
  return out;
}

[[noreturn]] void refuse(const std::string& what) {
  detail::fail<ValueError>("[elementwise_kernel] argument 'source': expected " + what);
}

/// The source without texts and without the preprocessor's lines, of which none may be an include.
std::string without_lines_for_the_preprocessor(std::string_view source) {
  std::string text = without_texts(source);
  bool of_line = true;  // only blanks before on this line
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && of_line) {
      std::size_t at = i + 1;
      while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
      if (text.compare(at, 7, "include") == 0)
        refuse("no #include: the ops of the table are there under their names");
      for (char before = '#'; i < text.size() && (text[i] != '\n' || before == '\\'); ++i) {
        before = text[i];
        text[i] = ' ';
      }
    }
    if (i == text.size()) break;
    if (std::isspace(static_cast<unsigned char>(text[i])) == 0) of_line = false;
    if (text[i] == '\n') of_line = true;
  }
  return text;
}

/// Finds functions by the brackets at the top level of a source without texts.
class Declarations {
 public:
  explicit Declarations(const std::string& text) : text_(text) {}

  /// The name of the last function that has a body; empty where none is.
  std::string last_function() {
    std::string found;
    while (at_ < text_.size()) {
      const std::string name = declaration();
      if (!name.empty()) found = name;
    }
    return found;
  }

 private:
  /// The index after the bracket that closes the one at i; () [] {} within it are its own.
  std::size_t after_brackets(std::size_t i) const {
    int depth = 0;
    for (; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '(' || c == '[' || c == '{') ++depth;
      if ((c == ')' || c == ']' || c == '}') && --depth == 0) return i + 1;
    }
    refuse(std::string("brackets that match, got one '") + text_[open_] + "' too many");
  }
  std::size_t brackets() {
    open_ = at_;
    at_ = after_brackets(at_);
    return at_;
  }

  /// The word that ends before index `end`, blanks aside; empty where another sign stands there.
  std::string word_before(std::size_t end) const {
    while (end > begin_ && std::isspace(static_cast<unsigned char>(text_[end - 1])) != 0) --end;
    std::size_t first = end;
    while (first > begin_ && is_word(text_[first - 1])) --first;
    return text_.substr(first, end - first);
  }

  /// Whether the `requires` before index `end` begins an expression (with a body in braces), not a
  /// clause: an expression stands where another begins.
  bool begins_expression(std::size_t end) const {
    std::size_t i = text_.rfind("requires", end);
    while (i > begin_ && std::isspace(static_cast<unsigned char>(text_[i - 1])) != 0) --i;
    const char before = i > begin_ ? text_[i - 1] : ' ';
    return before == '&' || before == '|' || before == '!' || before == '=' ||
           word_before(i) == "requires";
  }

  /// What follows a `requires` and its parameters: the body of an expression is passed over.
  void requirement(std::size_t word_end) {
    const bool expression = begins_expression(word_end);
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (expression && at_ < text_.size() && text_[at_] == '{') brackets();
  }

  bool word_at(std::string_view word) const {
    const std::size_t end = at_ + word.size();
    return text_.compare(at_, word.size(), word) == 0 && (at_ == 0 || !is_word(text_[at_ - 1])) &&
           (end == text_.size() || !is_word(text_[end]));
  }
  /// From the word `operator` to its parameters: signs are its name.
  void operator_name() {
    at_ = std::min(text_.find('(', at_), text_.size());
    const std::size_t next = text_.find_first_not_of(" \t\n", std::min(at_ + 1, text_.size()));
    if (next != std::string::npos && text_[next] == ')') {  // (), or no parameters
      const std::size_t after = text_.find_first_not_of(" \t\n", next + 1);
      if (after != std::string::npos && text_[after] == '(') at_ = after;
    }
  }

  /// Up to the end of one declaration: its name where it is a function with a body.
  std::string declaration() {
    static constexpr std::string_view kNoNames[] = {"requires", "noexcept",      "decltype",
                                                    "alignas",  "__attribute__", "explicit",
                                                    "typeof",   "__declspec",    "catch"};
    begin_ = at_;
    std::string name;
    int angles = 0;
    bool open = true;  // a name may still come
    while (at_ < text_.size()) {
      if (word_at("operator")) {
        operator_name();
        if (at_ < text_.size()) brackets();
        continue;
      }
      const char c = text_[at_];
      const std::size_t here = at_;
      if (c == ')' || c == ']' || c == '}')
        refuse(std::string("brackets that match, got one '") + c + "' too many");
      if (c == '(') {
        const std::string word = word_before(here);
        brackets();
        if (word == "requires") requirement(here);
        if (word == "noexcept") open = false;
        const bool is_name = !word.empty() &&
                             std::isdigit(static_cast<unsigned char>(word[0])) == 0 &&
                             std::ranges::find(kNoNames, word) == std::end(kNoNames);
        if (is_name && open && angles == 0) name = word;
      } else if (c == '[') {
        brackets();
      } else if (c == '{') {
        if (word_before(here) == "requires") {  // without parameters
          brackets();
          continue;
        }
        brackets();
        // What a class is followed by, or a variable's value, goes on to its ';'.
        if (angles == 0 && (open || !name.empty())) return name;
      } else {
        ++at_;
        if (c == ';') return "";
        if (c == '<') ++angles;
        if (c == '>' && text_[here == 0 ? 0 : here - 1] != '-') angles = std::max(angles - 1, 0);
        if (c == '>' && here > 0 && text_[here - 1] == '-') open = false;  // the result's type
        if (c == ':' && !name.empty()) open = false;  // members of a constructor
        if (c == '=' && angles == 0) {                // a value, no function
          name.clear();
          open = false;
        }
      }
    }
    return "";
  }

  const std::string& text_;
  std::size_t at_ = 0, begin_ = 0, open_ = 0;
};

std::string last_function(const std::string& text) { return Declarations(text).last_function(); }

}  // namespace

std::string function_of(std::string_view source) {
  std::string found = last_function(without_lines_for_the_preprocessor(source));
  if (found.empty())
    refuse(
        "a function, such as 'template <class T> T f(T x) { return x * x; }', got none at the top "
        "level of the source; where a macro or a namespace has it, name it by argument 'function'");
  return found;
}

void check_source(std::string_view source) { (void)without_lines_for_the_preprocessor(source); }

}  // namespace tandem::source
