// Passwords and tokens: a script says where they are found, and never what they are.
#include <algorithm>
#include <cctype>

#include "compiler/sema/connectors/rule.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

constexpr std::string_view usage =
    "write `env(\"NAME\")` for a variable of the environment, or `secret_file(\"path\")` for a file";

// The name of a variable that a fix can offer: "POSTGRES_PASSWORD".
std::string offered_name(std::string_view connector, const std::string& option) {
  std::string out = std::string(connector) + "_" + option;
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

bool is_variable_name(const std::string& text) {
  auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::all_of(text.begin(), text.end(), fits);
}

const ast::Call* reference_call(const ast::Expr& value) {
  const auto* call = std::get_if<ast::Call>(&value.node);
  bool plain = call != nullptr && call->receiver == nullptr && call->filter == nullptr && !call->history;
  return plain ? call : nullptr;
}

}  // namespace

std::optional<typed::Const> check_secret(std::string_view connector, const ast::Argument& argument,
                                         ExprChecker& exprs) {
  diag::Engine& diags = exprs.diags();
  const std::string& option = argument.name->text;
  source::Span span = argument.value->span;
  const ast::Call* call = reference_call(*argument.value);
  if (call == nullptr) {
    diags.report(Code::SecretInScript, span, option, "its value does not stand in a script")
        .note("whoever reads the script, its history or a copy would have it; " + std::string(usage))
        .fix(span, "env(\"" + offered_name(connector, option) + "\")");
    return std::nullopt;
  }
  bool variable = call->function.text == "env";
  bool known = variable || call->function.text == "secret_file";
  if (!known || call->args.size() != 1 || call->args[0].name) {
    diags.report(Code::SecretInScript, span, option, std::string(usage));
    return std::nullopt;
  }
  const ast::Expr& named = *call->args[0].value;
  auto name = exprs.check_constant(named, exprs.type(Kind::String));
  if (!name) return std::nullopt;
  const std::string& text = name->value.as_text();
  std::string problem;
  if (variable && !is_variable_name(text))
    problem = "the name of a variable has letters, digits and `_`, and does not begin with a digit";
  if (!variable && text.empty()) problem = "a file has a name";
  if (!problem.empty()) {
    diags.report(Code::SecretInScript, named.span, option, problem);
    return std::nullopt;
  }
  return typed::Const{typed::Const::Parts{{call->function.text}, {text}}};
}

}  // namespace mut::sema
