#include "runtime/codec/json/plan.h"

#include <cstring>

#include "runtime/abi/map_value.h"
#include "runtime/codec/json/value.h"

namespace mut::json {
namespace {

std::unique_ptr<RecordPlan> make_record(const abi::TypeDesc& type, const batch::NeededColumns& needed,
                                        bool store) {
  auto plan = std::make_unique<RecordPlan>();
  plan->fields.resize(type.fields.size());
  for (size_t i = 0; i < type.fields.size(); ++i) {
    Field& field = plan->fields[i];
    field.desc = &type.fields[i];
    field.offset = type.fields[i].offset;
    field.node = make_node(*type.fields[i].type, store && (needed.empty() || needed[i]));
    if (i < 64) plan->all_low |= uint64_t{1} << i;
  }
  if (type.fields.size() > 64) plan->seen_high.resize(type.fields.size() - 64);
  plan->keys.emplace_back();
  // Matches a blank only, and no blank is left where a key is looked for.
  plan->keys[0].text[0] = ' ';
  plan->keys[0].mask = 1;
  return plan;
}

}  // namespace

int RecordPlan::field_of(std::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].desc->input_name.empty() ? fields[i].desc->name == name
                                           : fields[i].desc->input_name == name) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

Node make_node(const abi::TypeDesc& type, bool store) {
  Node node;
  const abi::TypeDesc* value = &type;
  if (type.kind == abi::TypeKind::Optional) {
    node.optional = true;
    node.present_offset = type.present_offset;
    value = type.element.get();
  }
  node.full_size = type.size;
  node.kind = value->kind;
  node.size = value->size;
  node.store = store;
  node.secret = type.secret || value->secret;
  node.scale = static_cast<int>(value->scale);
  if (value->kind == abi::TypeKind::List)
    node.element = std::make_unique<Node>(make_node(*value->element, store));
  if (value->kind == abi::TypeKind::Map) {
    node.map = value;
    node.key = std::make_unique<Node>(make_node(abi::key_type(*value), store));
    node.element = std::make_unique<Node>(make_node(*abi::value_field(*value).type, store));
  }
  if (value->kind == abi::TypeKind::Record) node.record = make_record(*value, {}, store);
  for (const std::string& name : value->values) node.names.push_back(abi::make_str(name));
  return node;
}

std::unique_ptr<RecordPlan> make_plan(const abi::TypeDesc& type, const batch::NeededColumns& needed) {
  return make_record(type, needed, true);
}

std::optional<std::string> read_absent(Field& field, text::TimeUnit unit, batch::Arena& arena, char* to,
                                       uint8_t* present) {
  if (!field.desc->has_default) {
    if (!field.node.optional) return "missing";
    if (field.node.store) memset(to, 0, field.node.size);
    *present = 0;
    return std::nullopt;
  }
  std::vector<char> value = std::move(field.default_value);
  if (value.empty()) {
    value.assign(field.node.full_size, 0);
    auto reason = read_value(field.desc->default_json, *field.desc->type, unit, arena, value.data());
    if (reason) return "its default: " + *reason;
  }
  memcpy(to, value.data(), field.node.size);
  if (field.node.optional) *present = static_cast<uint8_t>(value[field.node.present_offset]);
  if (!abi::has_references(*field.desc->type)) field.default_value = std::move(value);
  return std::nullopt;
}

}  // namespace mut::json
