#include "compiler/sema/expr_names.h"

namespace mut::sema {
namespace {

struct Collector {
  std::set<std::string>& names;

  void each(const ast::ExprPtr& expr) const {
    if (expr) collect_names(*expr, names);
  }
  void each(const std::vector<ast::ExprPtr>& list) const {
    for (const ast::ExprPtr& expr : list) each(expr);
  }

  void operator()(const ast::NameRef& node) const { names.insert(node.name.text); }
  void operator()(const ast::Interpolation& node) const {
    for (const ast::InterpolationPart& part : node.parts) each(part.expr);
  }
  void operator()(const ast::ListLit& node) const { each(node.items); }
  void operator()(const ast::RecordLit& node) const {
    for (const ast::RecordItem& item : node.items) each(item.value);
  }
  void operator()(const ast::MapLit& node) const {
    for (const ast::MapItem& item : node.items) {
      each(item.key);
      each(item.value);
    }
  }
  void operator()(const ast::MemberAccess& node) const { each(node.object); }
  void operator()(const ast::IndexAccess& node) const {
    each(node.object);
    each(node.index);
  }
  void operator()(const ast::Call& node) const {
    each(node.receiver);
    for (const ast::Argument& arg : node.args) each(arg.value);
    each(node.filter);
    if (!node.history) return;
    each(node.history->amount);
    each(node.history->ttl);
    for (const ast::ExprPtr& key : node.history->by) each(key);
  }
  void operator()(const ast::Unary& node) const { each(node.operand); }
  void operator()(const ast::Binary& node) const {
    each(node.left);
    each(node.right);
  }
  void operator()(const ast::RangeExpr& node) const {
    each(node.low);
    each(node.high);
  }
  void operator()(const ast::IsNone& node) const { each(node.value); }
  void operator()(const ast::IsSome& node) const { each(node.value); }
  void operator()(const ast::Cast& node) const { each(node.value); }
  void operator()(const ast::If& node) const {
    each(node.condition);
    each(node.then_value);
    each(node.else_value);
  }
  void operator()(const ast::Match& node) const {
    each(node.subject);
    for (const ast::MatchArm& arm : node.arms) each(arm.value);  // patterns name no fields
  }
  void operator()(const ast::Block& node) const {
    for (const ast::LetBinding& let : node.lets) each(let.value);
    each(node.result);
  }
  void operator()(const ast::Lambda& node) const { each(node.body); }
  void operator()(const ast::Try& node) const {
    each(node.value);
    each(node.otherwise);
  }
  void operator()(const ast::Paren& node) const { each(node.inner); }
  template <typename Literal>
  void operator()(const Literal&) const {}
};

}  // namespace

void collect_names(const ast::Expr& expr, std::set<std::string>& names) {
  std::visit(Collector{names}, expr.node);
}

}  // namespace mut::sema
