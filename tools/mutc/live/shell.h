// What a person types at a running program, done: commands that begin with a colon, and declarations, which
// take the place of those of their name.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mutc/live/link.h"

namespace mut::tools {

class Shell {
 public:
  // Asks a person a question and gives the answer; empty where nobody is there to be asked.
  using AskPerson = std::function<std::optional<std::string>(const std::string& question)>;
  Shell(Link& link, AskPerson ask_person);

  enum class Then : uint8_t { GoOn, Quit };
  // A whole command or declarations.
  Then enter(const std::string& text);
  // Rows of taps, and what became of them, printed.
  void show_events();
  uint64_t version() const { return version_; }
  size_t limited_taps() const;  // that will end by themselves
  // That of the first thing that went wrong.
  int exit_code() const { return exit_code_; }
  // The words that `text`, up to the cursor, may end with, and what each is.
  std::vector<std::pair<std::string, std::string>> complete(std::string_view text);

 private:
  using Run = Then (Shell::*)(const std::string& arguments);
  struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view summary;
    Run run;
  };
  static const std::vector<Command>& commands();
  Then help(const std::string&);
  Then plan(const std::string& what);
  Then swap(const std::string& file);
  Then accept(const std::string& consents);
  Then refuse(const std::string&);
  Then drop(const std::string& names);
  Then tap(const std::string& what);
  Then untap(const std::string& number);
  Then set(const std::string& what);
  Then undo(const std::string& consents);
  Then redo(const std::string& consents);
  Then shadow(const std::string& what);
  Then canary(const std::string& what);
  Then promote(const std::string& what);
  Then bench(const std::string& what);
  Then history(const std::string&);
  Then diff(const std::string& versions);
  Then why(const std::string& stream);
  Then state(const std::string& what);
  Then stats(const std::string&);
  Then streams(const std::string&);
  Then script(const std::string&);
  Then warnings(const std::string&);
  Then wait(const std::string& duration);
  Then quit(const std::string&);

  // An edit in the making: what it is made of, and what was consented to.
  struct Edit {
    Link::Members members;
    std::vector<std::string> accepted;
    int64_t base = 0;  // the version that its plan was made against; 0: any
  };
  // The members that name what is to run; empty after a message.
  std::optional<Link::Members> script_or_declaration(const std::string& what);
  void offer(Edit edit);
  // True when every cell that needs it has a decision.
  bool decide(Edit& edit, const JsonValue& plan);
  void take(const Edit& edit);
  static Link::Members members_of(const Edit& edit);
  void step(std::string_view op, const std::string& consents);
  void told_taken(const JsonValue& reply);
  bool fine(const JsonValue& reply);  // prints what is wrong
  void wrong(const std::string& text);
  void look_again();  // version and names; those of an edit that was only noted come a moment later

  Link& link_;
  AskPerson ask_person_;
  uint64_t version_ = 1;
  int exit_code_ = 0;
  std::optional<Edit> undecided_;
  std::string warnings_;
  struct ShownTap {
    std::string stream;
    bool limited = false;
    int64_t version = 0;  // of its last row
  };
  std::map<int64_t, ShownTap> taps_;
  std::map<std::string, std::string> names_;  // of streams, fields, params: what each is
  enum class Names : uint8_t { Known, Old } names_are_ = Names::Old;
};

}  // namespace mut::tools
