#include "compiler/session/params.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "compiler/sema/check.h"
#include "compiler/session/engine_state.h"
#include "compiler/syntax/parse.h"

namespace mut {
namespace session {
namespace {

// Of `texts` those that values of params point into, also by way of a list. Not all: each version would hold
// what every version before it held.
void take_texts(const std::vector<std::shared_ptr<std::string>>& texts, runtime::Plan& plan) {
  std::vector<char> taken(texts.size(), 0);
  auto scan = [&](const char* bytes, size_t size, auto&& again) -> void {
    for (size_t at = 0; at + sizeof(uintptr_t) <= size; at += sizeof(uintptr_t)) {
      uintptr_t word;
      memcpy(&word, bytes + at, sizeof(word));
      for (size_t i = 0; i < texts.size(); ++i) {
        auto begin = reinterpret_cast<uintptr_t>(texts[i]->data());
        if (taken[i] || word < begin || word >= begin + std::max<size_t>(texts[i]->size(), 1)) continue;
        taken[i] = 1;
        again(texts[i]->data(), texts[i]->size(), again);
      }
    }
  };
  scan(plan.param_values.data(), plan.param_values.size(), scan);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (taken[i]) plan.texts.push_back(texts[i]);
  }
}

}  // namespace

Outcome<std::shared_ptr<Program>> with_param(const Program& base, const std::string& name,
                                             const std::string& value) {
  const auto& params = base.typed->params;
  auto param = std::find_if(params.begin(), params.end(),
                            [&](const typed::Param& other) { return other.name == name; });
  if (param == params.end()) return Failure{Failure::Kind::Usage, "no param is called `" + name + "`"};
  source::SourceSet sources;
  diag::Engine diags;
  source::FileId file = sources.add("value", "const value = " + value);
  ast::Program tree = syntax::parse(sources, file, diags);
  const auto* constant =
      tree.declarations.size() == 1 ? std::get_if<ast::ConstDecl>(&tree.declarations[0].node) : nullptr;
  std::optional<typed::Const> parsed;
  if (!diags.has_errors() && constant != nullptr && constant->value)
    parsed = sema::check_literal(*constant->value, param->type, diags);
  if (!parsed)
    return Failure{Failure::Kind::Usage,
                   "`" + value + "` is no value of param `" + name + ": " + param->type->text + "`"};
  auto index = static_cast<size_t>(param - params.begin());
  auto plan = std::make_shared<runtime::Plan>(*base.plan);
  const abi::FieldDesc& field = plan->param_record->fields[index];
  write_const(*parsed, param->type, *field.type, plan->param_values.data() + field.offset, plan->texts);
  const runtime::ParamPlan& of = plan->params[index];
  if (of.accepts && !of.accepts(plan->param_values.data() + field.offset)) {
    return Failure{Failure::Kind::Usage, "`" + value + "` is outside the range of param `" + name + "`"};
  }
  auto made = std::make_shared<Program>(base);
  made->plan = plan;
  made->params[index].second = typed::to_text(*parsed, param->type);
  return made;
}

std::shared_ptr<Program> with_params_of(const Program& base, const std::shared_ptr<Program>& edited,
                                        const std::vector<int>& from) {
  if (std::all_of(from.begin(), from.end(), [](int index) { return index < 0; })) return edited;
  auto plan = std::make_shared<runtime::Plan>(*edited->plan);
  auto made = std::make_shared<Program>(*edited);
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] < 0) continue;
    auto old = static_cast<size_t>(from[i]);
    const abi::FieldDesc& is = plan->param_record->fields[i];
    const abi::FieldDesc& was = base.plan->param_record->fields[old];
    memcpy(plan->param_values.data() + is.offset, base.plan->param_values.data() + was.offset, is.type->size);
    made->params[i].second = base.params[old].second;
  }
  take_texts(base.plan->texts, *plan);
  made->plan = std::move(plan);
  return made;
}

std::shared_ptr<Program> with_params_from(const Program& other, const std::shared_ptr<Program>& base) {
  std::vector<int> all(base->params.size());
  std::iota(all.begin(), all.end(), 0);
  if (all.empty()) return std::make_shared<Program>(*base);
  return with_params_of(other, base, all);
}

}  // namespace session

Outcome<Engine::State::Prepared> Engine::State::prepare_params(const std::vector<SourceCut>& at,
                                                               const Base& base,
                                                               const std::shared_ptr<session::Program>& made,
                                                               SwapReport& report) {
  const runtime::Plan& plan = *made->plan;
  Prepared ready;
  ready.origin = Prepared::Origin::Param;
  ready.program = made;
  ready.base = base.program;
  ready.swap.version = report.version;
  for (const SourceCut& cut : at) ready.swap.at.push_back({cut.source, cut.records});
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    runtime::StoreMigration store;
    store.transfer = runtime::StoreTransfer::Move;
    store.old_store = static_cast<int>(i);
    ready.swap.migration.stores.push_back(std::move(store));
  }
  report.plan = "v" + std::to_string(base.version) + " → v" + std::to_string(report.version) + "   ";
  for (size_t i = 0; i < plan.params.size(); ++i) {
    const auto& [of, value] = made->params[i];
    bool changed = value != base.program->params[i].second;
    ready.swap.migration.params.push_back(changed ? -1 : static_cast<int>(i));
    if (changed) report.plan += "param `" + of + "`: " + base.program->params[i].second + " → " + value;
  }
  report.plan += "\n";
  auto kernels = kernels_for(*made, report, &ready.optimised, notes);
  if (!kernels) return kernels.failure();
  ready.kernels = std::move(kernels).value();
  ready.swap.next = runner->make_instances(made->plan, ready.kernels);
  ready.report = report;
  return ready;
}

}  // namespace mut
