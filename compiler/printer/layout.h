// Lays out text in lines: what belongs together stays on one line when it fits, else every break
// of its group becomes a new line.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mut::printer {

constexpr size_t line_columns_max = 100;

class Layout {
 public:
  void text(std::string_view piece);
  void comment(std::string_view piece);  // at the end of a line, which it does not make too long
  void line();                           // a blank, or a new line where the group does not fit
  void soft_line();                      // nothing, or a new line
  void hard_line();                      // always a new line; the groups around it do not fit
  void comma_if_broken();
  void begin(int indent);  // a group whose lines are indented by so much more, or less
  void end();
  void begin_indent(int indent);  // the same without a group
  void end_indent();

  // `columns` is the margin; a hard line breaks whatever it is.
  std::string render(size_t columns = line_columns_max) const;

 private:
  enum class Kind : uint8_t {
    Text,
    Comment,
    Line,
    SoftLine,
    HardLine,
    CommaIfBroken,
    Begin,
    End,
    Indent,
    Outdent
  };
  struct Item {
    Kind kind = Kind::Text;
    std::string text;
    int indent = 0;
    bool broken = false;  // Begin: holds a hard line
  };
  void add(Kind kind, int indent = 0) { items_.push_back({kind, "", indent, false}); }
  bool fits(size_t begin, size_t columns, size_t margin) const;

  std::vector<Item> items_;
  std::vector<size_t> open_;  // indexes of Begin
};

}  // namespace mut::printer
