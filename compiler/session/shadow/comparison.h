// Rows of two versions that run the same events, paired and counted.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mutstream/json.h"
#include "mutstream/shadow.h"
#include "runtime/codec/encoder.h"
#include "runtime/codec/text/buffer.h"
#include "runtime/graph/shadow.h"

namespace mut::session {

// Threads: the running one; others between two batches.
class Comparison : public runtime::ShadowRows {
 public:
  // `renamed`: sinks of the live version by the names that the candidate has for them.
  explicit Comparison(std::map<std::string, std::string> renamed) : renamed_(std::move(renamed)) {}

  void take(Side side, const runtime::Plan& plan, std::span<const MutSink> sinks) override;
  void settle() override;
  // By name.
  std::vector<SinkComparison> sinks() const;

 private:
  struct Row {
    uint32_t source = 0;
    uint64_t position = 0;
    std::string json;
  };
  struct Sink {
    std::vector<Row> live, candidate;  // since the last settle()
    SinkComparison found;
    std::map<std::string, size_t> fields;  // name → index in found.fields
  };
  // Rows of one event, or of what it made fire.
  using Rows = std::span<const Row>;
  void compare(Sink& sink, Rows live, Rows candidate);
  void pair_by_keys(Sink& sink, const std::vector<const Row*>& live,
                    const std::vector<const Row*>& candidate);
  std::string keys_of(const JsonValue& row) const;
  static void count_changed(Sink& sink, const JsonValue& live, const JsonValue& candidate);
  static void note(Sink& sink, const std::string& field, const JsonValue* live, const JsonValue* candidate);
  void add_sample(Sink& sink, RowDifference::Kind kind, const Row* live, const Row* candidate) const;
  const codec::Encoder& encoder_of(const abi::TypeDescRef& record);

  std::map<std::string, std::string> renamed_;
  std::map<std::string, Sink> sinks_;
  std::map<const abi::TypeDesc*, std::pair<abi::TypeDescRef, std::unique_ptr<codec::Encoder>>> encoders_;
  std::set<const runtime::Plan*> known_plans_;
  std::set<std::string> keys_;  // names of keys of stages, in either version
  std::vector<std::string> sources_;
  text::Buffer text_;
};

}  // namespace mut::session
