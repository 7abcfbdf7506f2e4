#include "compiler/sema/names.h"

#include <set>

#include "compiler/sema/check.h"

namespace mut::sema {

using typed::Kind;
using typed::TypeRef;

namespace {

struct ScalarName {
  std::string_view name;
  Kind kind;
};
constexpr ScalarName scalar_names[] = {
    {"bool", Kind::Bool},         {"int", Kind::Int},       {"i64", Kind::Int},     {"i8", Kind::I8},
    {"i16", Kind::I16},           {"i32", Kind::I32},       {"u8", Kind::U8},       {"u16", Kind::U16},
    {"u32", Kind::U32},           {"u64", Kind::U64},       {"float", Kind::Float}, {"f64", Kind::Float},
    {"f32", Kind::F32},           {"string", Kind::String}, {"bytes", Kind::Bytes}, {"time", Kind::Time},
    {"duration", Kind::Duration}, {"json", Kind::Json},
};

}  // namespace

TypeRef TypeResolver::resolve(const ast::TypeExpr& type) {
  if (const auto* named = std::get_if<ast::NamedType>(&type.node)) return resolve_named(*named, type.span);
  if (const auto* optional = std::get_if<ast::OptionalType>(&type.node)) {
    return optional->inner ? types_.optional(resolve(*optional->inner)) : types_.scalar(Kind::Error);
  }
  if (const auto* list = std::get_if<ast::ListType>(&type.node)) {
    return list->element ? types_.list(resolve(*list->element)) : types_.scalar(Kind::Error);
  }
  if (const auto* record = std::get_if<ast::RecordType>(&type.node)) return resolve_record(*record);
  return resolve_decimal(std::get<ast::DecimalType>(type.node), type.span);
}

TypeRef TypeResolver::resolve_decimal(const ast::DecimalType& decimal, source::Span span) {
  const auto* scale = decimal.scale ? std::get_if<ast::IntLit>(&decimal.scale->node) : nullptr;
  if (scale == nullptr) {
    diags_.report(diag::Code::NotConstant, decimal.scale ? decimal.scale->span : span)
        .note("write how many digits stand behind the point: `decimal(2)`");
    return types_.scalar(Kind::Error);
  }
  if (scale->value > typed::scale_max) {
    diags_.report(diag::Code::DecimalScale, decimal.scale->span, scale->text);
    return types_.scalar(Kind::Error);
  }
  return types_.decimal(static_cast<int>(scale->value));
}

TypeRef TypeResolver::resolve_named(const ast::NamedType& named, source::Span span) {
  if (named.name.parts.size() == 1) {
    const std::string& name = named.name.parts[0].text;
    if (name == "decimal") {
      diags_.report(diag::Code::UnknownType, span, name)
          .note("write how many digits stand behind the point: `decimal(2)`")
          .fix(span, "decimal(2)");
      return types_.scalar(Kind::Error);
    }
    if (name == "map") return resolve_map(named, span);
    if (name == "secret") return resolve_secret(named, span);
    if (name == "stream" || name == "table") {
      diags_.report(diag::Code::NotExecutable, span, "type `" + name + "`");
      return types_.scalar(Kind::Error);
    }
    if (auto found = names_.types.find(name); found != names_.types.end()) {
      return found->second != nullptr ? found->second : types_.scalar(Kind::Error);
    }
    for (const ScalarName& scalar : scalar_names) {
      if (scalar.name == name) return types_.scalar(scalar.kind);
    }
    std::vector<std::string> candidates = keys_of(names_.types);
    for (const ScalarName& scalar : scalar_names) candidates.emplace_back(scalar.name);
    auto report = diags_.report(diag::Code::UnknownType, span, name);
    if (auto near = diag::did_you_mean(name, candidates)) {
      report.note("did you mean `" + *near + "`?").fix(span, *near);
    }
    return types_.scalar(Kind::Error);
  }
  auto module = names_.modules.find(named.name.parts[0].text);
  if (named.name.parts.size() == 2 && module != names_.modules.end()) {
    if (module->second->broken) return types_.scalar(Kind::Error);
    auto found = module->second->types.find(named.name.parts[1].text);
    if (found != module->second->types.end() && found->second != nullptr) return found->second;
    auto report = diags_.report(diag::Code::NotInThatModule, span, module->first, named.name.parts[1].text);
    if (auto near = diag::did_you_mean(named.name.parts[1].text, keys_of(module->second->types)))
      report.note("did you mean `" + *near + "`?").fix(named.name.parts[1].span, *near);
    return types_.scalar(Kind::Error);
  }
  diags_.report(diag::Code::UnknownModule, named.name.parts[0].span, named.name.parts[0].text);
  return types_.scalar(Kind::Error);
}

TypeRef TypeResolver::resolve_map(const ast::NamedType& named, source::Span span) {
  if (named.args.size() != 2) {
    diags_.report(diag::Code::UnknownType, span, "map")
        .note("write what its keys and values are: `map<string, int>`");
    return types_.scalar(Kind::Error);
  }
  TypeRef key = resolve(*named.args[0]);
  TypeRef value = resolve(*named.args[1]);
  if (key->kind == Kind::Error || value->kind == Kind::Error) return types_.scalar(Kind::Error);
  if (!typed::is_map_key(key)) {
    diags_.report(diag::Code::MapKey, named.args[0]->span, "`" + key->text + "`");
    return types_.scalar(Kind::Error);
  }
  return types_.map(key, value);
}

TypeRef TypeResolver::resolve_secret(const ast::NamedType& named, source::Span span) {
  if (named.args.size() != 1) {
    diags_.report(diag::Code::UnknownType, span, "secret")
        .note("write what is kept secret: `secret<string>`");
    return types_.scalar(Kind::Error);
  }
  return types_.secret(resolve(*named.args[0]));
}

TypeRef TypeResolver::resolve_record(const ast::RecordType& record) {
  std::vector<typed::Field> fields;
  std::set<std::string> seen;
  for (const ast::FieldDecl& decl : record.fields) {
    if (!seen.insert(decl.name.text).second) {
      diags_.report(diag::Code::FieldTwice, decl.name.span, decl.name.text);
      continue;
    }
    typed::Field field;
    field.name = decl.name.text;
    field.type = decl.type ? resolve(*decl.type) : types_.scalar(Kind::Error);
    if (decl.from) field.input_name = *decl.from;
    if (decl.was) field.was = decl.was->text;
    if (decl.default_value) field.default_value = check_literal(*decl.default_value, field.type, diags_);
    fields.push_back(std::move(field));
  }
  if (fields.size() > fields_max) {
    diags_.report(diag::Code::TooMany, record.fields.back().name.span,
                  std::to_string(fields.size()) + " fields", std::to_string(fields_max));
  }
  return types_.record(std::move(fields));
}

}  // namespace mut::sema
