// How a key of a stage becomes one of the stage that continues it: key by key, from what it was. And what
// variables of a process `migrate` makes of its keys and variables.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/meaning.h"
#include "compiler/reference/swap.h"

namespace mut::reference {

// Whether values of one type are values of another, which may hold fewer.
enum class Fit : uint8_t { Always, Perhaps, Never };
Fit fit(typed::TypeRef from, typed::TypeRef to);
// The value as one of the type; throws EventFailure where it is none.
Value fitting_value(const Value& value, typed::TypeRef from, typed::TypeRef to);

// Whether the expression asks for more than fields tell: of an event, or what a stage keeps.
bool looks_beyond(const typed::Expr& expr);

// The keys of one side: what they are called, mean and are.
struct KeysView {
  const typed::Stream* stream = nullptr;
  const typed::Stage* stage = nullptr;
  int stream_index = -1;
  size_t stage_index = 0;
  std::vector<Ways> meanings;
  const std::vector<typed::ExprPtr>* exprs = nullptr;

  std::string name(size_t key) const;
};

class Rekey {
 public:
  // Nothing: the new keys cannot be had from the old ones. `next`: whose keys `now` are.
  static std::optional<Rekey> between(const KeysView& before, const KeysView& now, const Flow& next,
                                      const Consents& consents);
  // Whether several keys become one because the edit says so.
  bool unites() const { return unites_; }
  // Throws EventFailure where a key has no successor.
  Key operator()(const Key& key) const;
  // The old key, as JSON.
  std::string text(const Key& key) const;

  // Variables of the new process that `migrate` makes: their places.
  std::vector<size_t> made_variables() const;
  // Their values, in that order, where the old process had `variables` for that key. Throws EventFailure.
  Value::Parts make_variables(const Key& key, const Value::Parts& variables) const;
  // Whether `migrate` reads that variable of the old process.
  bool reads(size_t variable) const;

 private:
  struct Part {
    std::optional<size_t> old;           // that key, as it is …
    bool checked = false;                // … where it is one of the new type
    const typed::Expr* value = nullptr;  // else of `migrate`, over the record of old keys
    bool computed = false;               // else by the expression of the new key
  };
  Value part_of(const Key& key, size_t index) const;
  bool can_compute_with(size_t old_key, typed::TypeRef type) const;
  // An expression of the new version over what enters a stage, of an event with that old key; nothing where
  // the key does not say it. Null: of no key, to know whether it does.
  std::optional<Value> derive(const typed::Expr& expr, const Key* key, int stream, size_t stage) const;
  std::optional<Value> derive_field(int field, const Key* key, int stream, size_t stage) const;

  KeysView before_;
  KeysView now_;
  const Flow* next_ = nullptr;
  std::vector<Part> parts_;
  bool reads_variables(const typed::Expr& expr) const;
  // The record `old` of a key with these variables.
  Value old_record(const Key& key, const Value::Parts& variables) const;

  std::vector<size_t> said_fields_;                               // of the record `old`: which keys, …
  std::vector<size_t> said_variables_;                            // … then which variables
  std::vector<std::pair<size_t, const typed::Expr*>> variables_;  // by new variable: what makes it
  std::shared_ptr<const typed::Program> said_;
  bool unites_ = false;
};

}  // namespace mut::reference
