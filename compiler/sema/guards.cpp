// `guard`: what an edit must hold to.
#include "compiler/sema/names.h"
#include "compiler/sema/program_checker.h"

namespace mut::sema {

using diag::Code;

namespace {

// Behind the cut, where a guard does not say.
constexpr uint64_t records_unless_said = 10'000;

double number_of(const ast::Expr& literal) {
  if (const auto* whole = std::get_if<ast::IntLit>(&literal.node)) return static_cast<double>(whole->value);
  if (const auto* real = std::get_if<ast::FloatLit>(&literal.node)) return real->value;
  return -1;  // a duration
}

}  // namespace

void ProgramChecker::check_guard(const ast::GuardDecl& decl, source::Span span) {
  typed::Guard guard;
  guard.span = span;
  guard.records = records_unless_said;
  if (decl.what.text != "errors") {
    diags_.report(Code::BadGuard, decl.what.span,
                  "a guard is about `errors`, not about `" + decl.what.text + "`");
    return;
  }
  if (decl.stream) {
    guard.stream = stream_index(*decl.stream);
    if (guard.stream < 0) return;
  }
  double percent = number_of(*decl.percent);
  if (!(percent > 0 && percent <= 100)) {
    diags_.report(Code::BadGuard, decl.percent->span, "a guard has more than 0 and at most 100 percent");
    return;
  }
  guard.error_share = percent / 100;
  if (decl.count) {
    const auto* whole = std::get_if<ast::IntLit>(&decl.count->node);
    if (whole == nullptr || whole->value == 0) {
      diags_.report(Code::BadGuard, decl.count->span,
                    "a guard looks at a whole number of records, one at least");
      return;
    }
    if (decl.unit.text != "records") {
      diags_.report(Code::BadGuard, decl.unit.span, "a guard looks at so many `records`");
      return;
    }
    guard.records = whole->value;
  }
  for (const typed::Guard& other : out_.guards) {
    if (other.stream != guard.stream) continue;
    diags_.report(Code::BadGuard, span, "two guards are about the same errors")
        .note(other.span, "the other is here");
    return;
  }
  out_.guards.push_back(guard);
}

}  // namespace mut::sema
