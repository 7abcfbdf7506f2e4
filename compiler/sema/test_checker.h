// Steps of a `test` block against the version of the script that runs them.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"
#include "compiler/sema/test_version.h"

namespace mut::sema {

// A value as a test writes it.
struct TestValue {
  enum class Form : uint8_t {
    Unnamed,  // a field that the record does not name
    Scalar,   // `value`, none included
    List,     // `parts`
    Record,   // `parts`, one per field of `type`
    Json,     // any `value`; `type` is its own
  } form = Form::Unnamed;
  typed::TypeRef type = nullptr;
  typed::Const value;
  std::vector<TestValue> parts;
  source::Span span;
};

struct TestStep {
  const ast::TestStep* syntax = nullptr;
  std::string name;               // given: the source; expect: the stream
  typed::TypeRef type = nullptr;  // its record
  std::vector<TestValue> rows;
  int64_t time = 0;  // at: nanoseconds since the epoch
};

// Steps that one version runs.
struct TestPart {
  std::shared_ptr<typed::TypeTable> types;  // owns the types of the steps
  std::vector<TestStep> steps;
  size_t next = 0;                      // index of the step behind them
  const ast::SwapStep* swap = nullptr;  // that ends the part, as its last step; null at the end of the test
};

// What the steps before have done; goes from part to part.
struct TestProgress {
  std::optional<int64_t> clock;
  source::Span clock_span;
  bool ended = false;
  bool swapped = false;
  std::set<std::pair<std::string, std::string>> begun;  // source and file of `first N`
};

class TestChecker {
 public:
  // Type of the stream of that name; null after a report.
  using FindStream = std::function<typed::TypeRef(const std::string& name, source::Span span)>;
  TestChecker(const std::vector<typed::Source>& sources, FindStream find_stream, ExprChecker& exprs,
              diag::Engine& diags)
      : sources_(sources), find_stream_(std::move(find_stream)), exprs_(exprs), diags_(diags) {}

  // Steps from `first` on, up to and with the swap that ends the version.
  TestPart check(const ast::TestDecl& test, size_t first, TestProgress& progress);

 private:
  void check_given(const ast::GivenStep& node, TestStep& out, TestProgress& progress);
  void check_expect(const ast::ExpectRowsStep& node, TestStep& out);
  void check_at(const ast::AtStep& node, TestStep& out, TestProgress& progress);
  void check_judging(const ast::TestStep& step, const TestProgress& progress);
  void check_rows(const ast::Expr& list, TestStep& out, bool complete);
  TestValue value_of(const ast::Expr& expr, typed::TypeRef type, bool complete);
  TestValue record_of(const ast::RecordLit& node, const ast::Expr& expr, typed::TypeRef type, bool complete);

  const std::vector<typed::Source>& sources_;
  FindStream find_stream_;
  ExprChecker& exprs_;
  diag::Engine& diags_;
  bool expecting_ = false;   // in what an `expect` says
  std::string record_name_;  // for messages: "stream `spend`"
};

// Checks the declarations of a version, and the steps of `test` from `first` on that run in it. Empty when
// the version is wrong; also after errors of steps those behind them are there, to be checked.
std::optional<TestPart> check_test_part(const Declarations& version, const ast::TestDecl& test, size_t first,
                                        TestProgress& progress, diag::Engine& diags, ModuleReader* modules);

// All tests of a script, each as far as its versions stand in the script itself.
void check_tests(const Declarations& script, diag::Engine& diags, ModuleReader* modules);

}  // namespace mut::sema
