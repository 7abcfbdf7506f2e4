// Writes one program: streams one after the other, each of stages that fit what came before.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "test/random/random_program.h"

namespace mut::random_test {

struct Stream {
  std::string name;
  std::vector<Field> fields;
  bool repeats = false;  // an update stream: may not be aggregated, joined or searched for patterns
  bool source = false;
  // The table whose current rows it follows; "*": of several, which may not be aggregated; empty: facts.
  std::string follows;
  bool follows_one() const { return !follows.empty() && follows != "*"; }
  bool nested = false;                 // may still have the whole record of the other side of a join
  bool waited = false;                 // has rows that came with a later event, or with the end of the input
  std::vector<std::string> kinds;      // of its own stages, in order
  std::vector<std::string> kinds_fed;  // of the stages of the streams that it reads directly
};

struct Table {
  Stream rows;
  std::vector<Field> keys;
  bool versioned = false;
};

struct AggregateText {
  std::string text;
  Field field;
};

class ProgramWriter {
 public:
  explicit ProgramWriter(const ProgramOptions& options)
      : options_(options), dice_(options.seed), record_dice_(~options.seed) {}
  GeneratedProgram write();

 private:
  // programs.cpp
  void write_declarations();
  void write_sources(GeneratedProgram& program);
  void write_sinks();
  void write_at_random();
  void write_target(const std::string& first, const std::string& second);
  // A stream headed by `from` alone with that kind of stage, which is forced.
  Stream write_forced(const Stream& from, const std::vector<std::string>& kinds);
  Stream write_head(const std::string& kind, const Stream& from);
  Stream write_route(const Stream& from, bool all);
  Stream write_merge(const Stream& from, bool alike);
  void write_stream();
  std::string fresh(const char* prefix) { return prefix + std::to_string(next_name_++); }
  bool is_branch(const std::string& name) const { return name[0] == 'r' || name[0] == 'l'; }
  // Notes that the stage `kind` of `stream` stands behind all that came before.
  void note(Stream& stream, const std::string& kind);

  // stages.cpp: each returns the text, and changes the fields of `stream` to what comes out; empty when the
  // stage cannot stand there.
  std::string write_stage(Stream& stream, std::vector<Stream>& late);
  std::string write_kind(const std::string& kind, Stream& stream, std::vector<Stream>& late);
  // Fields that the stage cannot do without.
  std::string write_preparation(const std::string& kind, Stream& stream);
  std::string write_where(Stream& stream);
  std::string write_use(Stream& stream);
  std::string write_with(Stream& stream);
  std::string write_history_with(Stream& stream);
  std::string write_select(Stream& stream);
  std::string write_without(Stream& stream);
  std::string write_rename(Stream& stream);
  std::string write_flatten(Stream& stream);
  std::string write_choosing(const std::string& kind, Stream& stream);
  std::string write_held(const std::string& kind, Stream& stream);
  AggregateText write_number(const std::vector<Field>& fields);
  std::string write_best(Stream& stream);
  std::string write_whole_match(const std::string& pattern, const std::string& key, const std::string& number,
                                Stream& stream);
  std::string write_match(Stream& stream);

  // processes.cpp
  std::string write_process(Stream& stream);

  // aggregates.cpp
  AggregateText write_call(const std::vector<Field>& fields, const std::string& over, bool may_be_empty,
                           bool with_order);
  AggregateText write_history(const std::vector<Field>& fields);
  std::string write_aggregate(const std::string& kind, Stream& stream, std::vector<Stream>& late);
  std::string age() { return dice_.pick<std::string>({"", " ttl none", " ttl 1s", " ttl 4s", " ttl 20s"}); }

  // joins.cpp
  std::string write_pair(const Stream& left, const Stream& right, const std::string& name);
  std::string write_join(const std::string& kind, Stream& stream);
  std::string write_lookup(const std::string& kind, Stream& stream);
  Stream write_table(const Stream& from, bool versioned);
  const Table* find_table(const std::string& kind);

  ProgramOptions options_;
  Dice dice_;
  Dice record_dice_;  // its own, so that the script does not hang on the number of rows
  std::string out_;
  std::vector<Stream> streams_;
  std::vector<Table> tables_;
  std::set<SeenPair> seen_;
  std::vector<Type> types_ = {Type::Int,      Type::Int,   Type::Float,    Type::Bool,       Type::Text,
                              Type::MaybeInt, Type::Ints,  Type::Duration, Type::MaybeFloat, Type::Time,
                              Type::Money,    Type::Money, Type::Counts};
  int next_name_ = 0;
  bool window_closes_ = false;
  bool own_fine_ = true;  // aggregates of the script may be used here
  int joins_left_ = 2;    // pairs multiply
};

}  // namespace mut::random_test
