// Options of connectors: which exist, which types they take.
#pragma once
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

enum class Direction : uint8_t { In, Out };

// Reports unknown connectors and options; `generated` gets the expressions of `generate(…) { … }`.
std::optional<typed::Connector> check_connector(const ast::ConnectorExpr& connector, Direction direction,
                                                ExprChecker& exprs);

// Whether rows of that type can be written so; reports what cannot.
bool check_sink_rows(const typed::Connector& connector, typed::TypeRef row, diag::Engine& diags);

}  // namespace mut::sema
