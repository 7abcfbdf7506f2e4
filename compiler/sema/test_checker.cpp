#include "compiler/sema/test_checker.h"

#include <map>

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::TypeRef;

namespace {

const ast::Expr& without_parentheses(const ast::Expr& expr) {
  const ast::Expr* out = &expr;
  while (const auto* paren = std::get_if<ast::Paren>(&out->node)) out = paren->inner.get();
  return *out;
}

}  // namespace

TestPart TestChecker::check(const ast::TestDecl& test, size_t first, TestProgress& progress) {
  TestPart part;
  part.next = test.steps.size();
  for (size_t i = first; i < test.steps.size(); ++i) {
    const ast::TestStep& step = test.steps[i];
    TestStep out;
    out.syntax = &step;
    if (const auto* given = std::get_if<ast::GivenStep>(&step.node)) {
      if (progress.ended)
        diags_.report(Code::TestStep, step.span, "the input has ended: nothing can be given behind `end`");
      check_given(*given, out, progress);
    } else if (const auto* at = std::get_if<ast::AtStep>(&step.node)) {
      check_at(*at, out, progress);
    } else if (std::holds_alternative<ast::EndStep>(step.node)) {
      progress.ended = true;
    } else if (const auto* expect = std::get_if<ast::ExpectRowsStep>(&step.node)) {
      check_expect(*expect, out);
    } else if (const auto* swap = std::get_if<ast::SwapStep>(&step.node)) {
      if (progress.ended)
        diags_.report(Code::TestStep, step.span, "the input has ended: nothing can be swapped behind `end`");
      progress.swapped = true;
      part.steps.push_back(std::move(out));
      if (!expects_swap(test, i)) continue;
      part.swap = swap;
      part.next = i + 1;
      return part;
    } else {
      check_judging(step, progress);
    }
    part.steps.push_back(std::move(out));
  }
  return part;
}

void TestChecker::check_given(const ast::GivenStep& node, TestStep& out, TestProgress& progress) {
  out.name = node.source.text;
  std::vector<std::string> candidates;
  for (const typed::Source& source : sources_) {
    candidates.push_back(source.name);
    if (source.name == node.source.text) out.type = source.type;
  }
  if (out.type == nullptr) {
    auto report = diags_.report(Code::UnknownSource, node.source.span, node.source.text);
    if (auto near = diag::did_you_mean(node.source.text, candidates))
      report.note("did you mean `" + *near + "`?").fix(node.source.span, *near);
    return;
  }
  record_name_ = "source `" + out.name + "`";
  if (node.rows) check_rows(*node.rows, out, false);
  if (!node.file) return;
  if (node.rest && !progress.begun.contains({out.name, *node.file})) {
    diags_.report(Code::TestStep, node.source.span,
                  "`rest` follows an earlier `given " + out.name + " from \"" + *node.file + "\" first …`");
  }
  if (node.first) progress.begun.emplace(out.name, *node.file);
}

void TestChecker::check_expect(const ast::ExpectRowsStep& node, TestStep& out) {
  out.name = path_text(node.stream);
  out.type = find_stream_(out.name, node.stream.span);
  if (out.type == nullptr || !node.rows) return;
  record_name_ = "stream `" + out.name + "`";
  expecting_ = true;
  check_rows(*node.rows, out, node.mode == ast::ExpectMode::Exactly);
  expecting_ = false;
}

void TestChecker::check_at(const ast::AtStep& node, TestStep& out, TestProgress& progress) {
  auto time = exprs_.check_constant(*node.time, exprs_.type(Kind::Time));
  if (!time) return;
  out.time = time->value.as_int();
  if (progress.clock && out.time < *progress.clock) {
    diags_.report(Code::TestStep, node.time->span, "the clock cannot go back")
        .note(progress.clock_span, "it stands where this put it");
    return;
  }
  progress.clock = out.time;
  progress.clock_span = node.time->span;
}

void TestChecker::check_judging(const ast::TestStep& step, const TestProgress& progress) {
  if (std::holds_alternative<ast::UndoStep>(step.node)) {
    diags_.report(Code::NotExecutable, step.span, "`undo`");
  } else if (!progress.swapped) {
    diags_.report(Code::TestStep, step.span, "there is no `swap` before this that could be judged");
  }
}

void TestChecker::check_rows(const ast::Expr& list, TestStep& out, bool complete) {
  const auto* rows = std::get_if<ast::ListLit>(&list.node);
  if (rows == nullptr) return;
  for (const ast::ExprPtr& row : rows->items) {
    const ast::Expr& plain = without_parentheses(*row);
    if (const auto* record = std::get_if<ast::RecordLit>(&plain.node)) {
      out.rows.push_back(record_of(*record, plain, out.type, complete));
    } else {
      diags_.report(Code::TypeMismatch, row->span, "a row `{ field: value, … }`", "another expression");
    }
  }
}

TestValue TestChecker::record_of(const ast::RecordLit& node, const ast::Expr& expr, TypeRef type,
                                 bool complete) {
  TestValue out;
  out.form = TestValue::Form::Record;
  out.type = type;
  out.span = expr.span;
  out.parts.resize(type->fields.size());
  bool fine = true;
  for (const ast::RecordItem& item : node.items) {
    int index = type->field_index(item.name.text);
    if (index < 0) {
      fine = false;
      std::vector<std::string> candidates;
      for (const typed::Field& field : type->fields) candidates.push_back(field.name);
      auto report = diags_.report(Code::UnknownField, item.name.span, record_name_, item.name.text);
      if (auto near = diag::did_you_mean(item.name.text, candidates))
        report.note("did you mean `" + *near + "`?").fix(item.name.span, *near);
      continue;
    }
    TestValue& part = out.parts[static_cast<size_t>(index)];
    if (part.form != TestValue::Form::Unnamed) {
      fine = false;
      diags_.report(Code::FieldTwice, item.name.span, item.name.text);
      continue;
    }
    part = value_of(*item.value, type->fields[static_cast<size_t>(index)].type, complete);
  }
  for (size_t i = 0; complete && fine && i < out.parts.size(); ++i) {
    if (out.parts[i].form != TestValue::Form::Unnamed || typed::has_secret(type->fields[i].type)) continue;
    diags_.report(Code::TestStep, expr.span,
                  "`exactly` names every field; `" + type->fields[i].name + "` is missing");
  }
  return out;
}

TestValue TestChecker::value_of(const ast::Expr& expr, TypeRef type, bool complete) {
  const ast::Expr& plain = without_parentheses(expr);
  TestValue out;
  out.form = TestValue::Form::Scalar;
  out.span = expr.span;
  out.type = type;
  TypeRef inner = type->kind == Kind::Optional ? type->element : type;
  if (expecting_ && inner->kind == Kind::Secret) {
    diags_.report(Code::SecretShown, expr.span, quoted(type), "no test looks at")
        .note("a stream can `reveal` it");
    return out;
  }
  if (type->kind == Kind::Optional && std::holds_alternative<ast::NoneLit>(plain.node)) return out;
  if (inner->kind == Kind::Secret) return value_of(expr, inner->element, complete);
  if (const auto* record = std::get_if<ast::RecordLit>(&plain.node);
      record != nullptr && inner->kind == Kind::Record) {
    std::string around = std::exchange(record_name_, "the record");
    out = record_of(*record, plain, inner, complete);
    record_name_ = std::move(around);
    return out;
  }
  if (const auto* list = std::get_if<ast::ListLit>(&plain.node);
      list != nullptr && inner->kind == Kind::List) {
    out.form = TestValue::Form::List;
    out.type = inner;
    for (const ast::ExprPtr& item : list->items)
      out.parts.push_back(value_of(*item, inner->element, complete));
    return out;
  }
  if (inner->kind == Kind::Json) {
    out.form = TestValue::Form::Json;
    if (auto value = exprs_.check_constant(plain)) {
      out.type = value->type;
      out.value = std::move(value->value);
    }
    return out;
  }
  if (auto value = exprs_.check_constant(plain, inner)) out.value = std::move(value->value);
  return out;
}

void check_tests(const Declarations& script, diag::Engine& diags, ModuleReader* modules) {
  std::map<std::string, source::Span> names;
  for (const ast::Declaration* declaration : script) {
    const auto* test = std::get_if<ast::TestDecl>(&declaration->node);
    if (test == nullptr) continue;
    auto [known, fresh] = names.emplace(test->name, declaration->span);
    if (!fresh) {
      diags.report(Code::DeclaredTwice, declaration->span, test->name)
          .note(known->second, "first declared here");
    }
    Declarations version = script;
    TestProgress progress;
    for (size_t next = 0;;) {
      auto part = check_test_part(version, *test, next, progress, diags, modules);
      // A version in another file is read, and the rest is checked, when the test runs.
      if (!part || part->swap == nullptr || part->swap->to_file) break;
      auto after = next_version(version, *part->swap, diags);
      if (!after) break;
      version = std::move(*after);
      next = part->next;
    }
  }
}

}  // namespace mut::sema
