// A record type prepared for reading JSON: where each field goes, and which key is expected next.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/type_desc.h"
#include "runtime/abi/value.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/json/layout.h"
#include "runtime/codec/text/time.h"

namespace mut::json {

struct RecordPlan;

// How one value is read.
struct Node {
  abi::TypeKind kind = abi::TypeKind::Bool;  // of T for a T?
  bool optional = false;
  bool secret = false;                 // nothing of the text is told
  bool store = true;                   // false: checked, but its texts and lists are not kept
  uint32_t size = 0;                   // bytes of T, also the stride of a column
  uint32_t present_offset = 0;         // optional, outside of columns
  uint32_t full_size = 0;              // bytes with the `present` byte
  std::unique_ptr<Node> element;       // List; Map: of the values
  std::unique_ptr<Node> key;           // Map
  const abi::TypeDesc* map = nullptr;  // Map
  std::unique_ptr<RecordPlan> record;  // Record
  std::vector<MutStr> names;           // Enum; views into the type
  int scale = 0;                       // Decimal
  std::vector<char> scratch;           // List, Map: the elements or entries read so far
};

struct Field {
  Node node;
  const abi::FieldDesc* desc = nullptr;
  uint32_t offset = 0;
  // Top level only, set for each stretch of text.
  char* column = nullptr;
  uint8_t* valid = nullptr;
  uint32_t column_stride = 0;
  uint32_t valid_stride = 0;
  // The default, once it was read; only of types without texts and lists, whose memory is the batch's.
  std::vector<char> default_value;
};

// A key as it was seen in the input, and what came after it the last times. Comparing the expected text
// at the place is all that a record of the usual order costs.
struct Key {
  static constexpr size_t text_bytes = 32;
  alignas(32) char text[text_bytes] = {};  // `"name":`, zero padded
  uint32_t mask = 0;                       // one bit for each byte of text that counts
  uint32_t size = 0;
  int32_t field = -1;  // -1: not declared
  uint32_t next = 0;
  uint8_t trust = 0;  // misses until `next` is given up
};

struct RecordPlan {
  std::vector<Field> fields;
  std::vector<Key> keys;  // never empty; the first is never matched until learned
  uint32_t first = 0;
  uint64_t all_low = 0;            // a bit for each of the first 64 fields
  std::vector<uint8_t> seen_high;  // fields from 64 on, of the record being read
  Layouts layouts;                 // of the top level
  int field_of(std::string_view name) const;
};

// Enough learned keys for any sane input; a hostile one must not make us remember all of its keys.
constexpr size_t learned_keys_max = 512;

// `type` must outlive the plan. `needed` is empty (all) or says which fields of the top level are stored.
std::unique_ptr<RecordPlan> make_plan(const abi::TypeDesc& type, const batch::NeededColumns& needed);
Node make_node(const abi::TypeDesc& type, bool store);

// Gives `field` the value it has when the input has none: `to` and `present` as for any value. Returns
// why there is none.
std::optional<std::string> read_absent(Field& field, text::TimeUnit unit, batch::Arena& arena, char* to,
                                       uint8_t* present);

}  // namespace mut::json
