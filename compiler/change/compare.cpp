#include "compiler/change/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/change/borders.h"
#include "compiler/change/differences.h"
#include "compiler/change/meaning.h"
#include "compiler/change/parked.h"
#include "compiler/change/row_key_rule.h"
#include "compiler/change/transfers.h"

namespace mut::change {
namespace {

using diag::Code;
using Outcome = SwapPlan::Outcome;

// There for somebody who looks, not for the script.
bool is_of_tap(const std::string& stream) { return stream.starts_with("tap:"); }

class Comparison {
 public:
  Comparison(const graph::Graph& before, const graph::Graph& after, const CompareOptions& options)
      : before_(before), after_(after), options_(options) {}

  SwapPlan run() {
    const typed::Program& old_program = *before_.program;
    const typed::Program& new_program = *after_.program;
    Meaning old_meaning = meaning_of(before_);
    Meaning new_meaning = meaning_of(after_);
    bool no_change = old_meaning.program == new_meaning.program;
    count_streams(old_meaning, new_meaning);
    plan_.recompiles = before_.shape != after_.shape;

    FormerNames names = options_.direction == FormerNames::Direction::Back
                            ? names_back(old_program, new_program)
                            : former_names(old_program, new_program, matches_);
    old_ = describe_state(before_, {});
    new_ = describe_state(after_, names);
    if (no_change && old_.cells.size() == new_.cells.size()) {
      // The same program, so the same cells in the same order: also where labels are missing.
      for (size_t i = 0; i < new_.cells.size(); ++i)
        matches_.cells.push_back({static_cast<int>(i), Identity::Same});
      for (size_t i = 0; i < new_.stages.size(); ++i) matches_.stages.push_back(static_cast<int>(i));
    } else {
      match_cells(old_program, old_, new_program, new_, names, matches_);
    }
    after_lineage_names_ = &names;
    replaced_ = replaced_sources(old_program, new_program, names);
    judge_new_cells();
    no_change = no_change && rules_.empty() && replaced_ == 0;
    judge_old_cells();
    offer_parked();
    hint_renames();
    compare_borders(old_program, new_program, names, options_.old_params, feeds_state_changed_, plan_,
                    matches_.refusals);
    decide();
    plan_sources();
    plan_.migration.stores = plan_transfers(before_, old_, after_, new_, sources_, options_.force_convert);
    if (options_.version != 0) park(options_.version, old_, sources_, plan_);
    bring_back(came_back_, after_, new_, plan_);
    refuse_mixed_samples();
    if (!matches_.inferred.empty()) {
      std::string list;
      for (const std::string& stage : matches_.inferred) list += (list.empty() ? "" : ", ") + stage;
      plan_.notes.push_back("inferred: " + list + " without label; write a label: `| @name …`");
    }
    plan_.notes.insert(plan_.notes.begin(), matches_.notes.begin(), matches_.notes.end());
    for (const Refusal& refusal : matches_.refusals) print_refusal(refusal);
    plan_.outcome = outcome(no_change);
    return std::move(plan_);
  }

 private:
  void count_streams(const Meaning& was, const Meaning& is) {
    for (const auto& [name, hash] : is.streams) {
      if (is_of_tap(name)) continue;
      auto known = was.streams.find(name);
      if (known == was.streams.end() || known->second != hash) ++plan_.streams_changed;
    }
    for (const auto& [name, hash] : was.streams) {
      if (!is.streams.contains(name) && !is_of_tap(name)) ++plan_.streams_changed;
    }
  }

  std::optional<uint64_t> entries_of(int old_store) const {
    auto index = static_cast<size_t>(old_store);
    if (index >= options_.old_entries.size()) return std::nullopt;
    return options_.old_entries[index];
  }

  void judge_new_cells() {
    continues_.assign(new_.cells.size(), -1);
    made_beside_.assign(new_.cells.size(), -1);
    for (size_t n = 0; n < new_.cells.size(); ++n) {
      const Cell& cell = new_.cells[n];
      const CellMatch& match = matches_.cells[n];
      CellPlan made;
      made.path = cell.path;
      made.new_span = cell.span;
      if (matches_.refused_new_cells.contains(static_cast<int>(n))) {
        made.verdict = Verdict::Refuse;
        made.reason = "ambiguous";
      } else if (match.old_cell < 0 && judge_made(n, made)) {
      } else if (match.old_cell < 0) {
        made.verdict = Verdict::New;
        bool follows = cell.node->desc.kind == state::StoreKind::Follow;
        made.reason = follows ? "starts empty: each row of the table counts from its next change on"
                              : "starts at the cut";
      } else {
        const Cell& old_cell = old_.cells[static_cast<size_t>(match.old_cell)];
        made.old_path = old_cell.path;
        made.entries = entries_of(old_cell.store);
        continues_[n] = match.old_cell;
        for (int other : match.merged) {
          if (made.entries && entries_of(old_.cells[static_cast<size_t>(other)].store))
            *made.entries += *entries_of(old_.cells[static_cast<size_t>(other)].store);
        }
        judge(old_cell, cell, match, made);
      }
      plan_.cells.push_back(std::move(made));
    }
  }

  // A variable that is new, and that `migrate` makes of what the process has. False: it does not.
  bool judge_made(size_t n, CellPlan& out) {
    const Cell& cell = new_.cells[n];
    int beside = beside_of(n);
    if (beside < 0) return false;
    const Cell& from = old_.cells[static_cast<size_t>(beside)];
    if (cell.of->fresh.value_or(0) > from.of->fresh.value_or(0)) return false;
    const KeyRule* rule = rule_of(from, cell);
    if (rule == nullptr) return false;
    if (!rule->problem.empty()) {
      refuse_migrate(cell, *rule, out);
      return true;
    }
    if (!rule->makes(cell.index) || rule->unites) return false;
    const VerdictRow& row =
        verdict_of(rule->can_fail ? Difference::ProcessMigrated : Difference::ProcessMade);
    out.verdict = row.verdict;
    out.reason = row.reason;
    out.entries = entries_of(from.store);
    made_beside_[n] = beside;
    return true;
  }

  // A cell of the process before, where that variable had none; -1: there was no such process.
  int beside_of(size_t n) const {
    if (!new_.cells[n].of->process || new_.cells[n].type == nullptr) return -1;
    for (size_t i = 0; i < new_.stages.size() && i < matches_.stages.size(); ++i) {
      const std::vector<int>& cells = new_.stages[i].cells;
      if (matches_.stages[i] < 0 || std::find(cells.begin(), cells.end(), static_cast<int>(n)) == cells.end())
        continue;
      const StatefulStage& was = old_.stages[static_cast<size_t>(matches_.stages[i])];
      return was.of->process && !was.cells.empty() ? was.cells[0] : -1;
    }
    return -1;
  }

  void refuse_migrate(const Cell& cell, const KeyRule& rule, CellPlan& out) {
    out.verdict = Verdict::Refuse;
    out.reason = rule.problem.substr(0, rule.problem.find('\n'));
    bool told = std::any_of(matches_.refusals.begin(), matches_.refusals.end(), [&](const Refusal& known) {
      return known.code == Code::MigrateFails && known.arguments[1] == rule.problem;
    });
    if (told) return;
    matches_.refusals.push_back(
        {.code = Code::MigrateFails, .span = cell.span, .arguments = {cell.node->desc.path, rule.problem}});
  }

  void judge(const Cell& old_cell, const Cell& cell, const CellMatch& match, CellPlan& out) {
    std::vector<Found> found;
    Identity identity = match.identity;
    if (identity == Identity::Was)
      found.push_back({Difference::RenamedByWas, old_cell.path + " → " + cell.path});
    if (identity == Identity::Inferred)
      found.push_back({Difference::RenamedInferred, old_cell.name + " → " + cell.name});
    if (identity == Identity::Copy) {
      std::string from = old_cell.path;
      for (int other : match.merged) from += " + " + old_.cells[static_cast<size_t>(other)].path;
      found.push_back({Difference::Copied, "from " + from});
    }
    std::vector<int> olds{match.old_cell};
    olds.insert(olds.end(), match.merged.begin(), match.merged.end());
    for (int old_index : olds) {
      const Cell& from = old_.cells[static_cast<size_t>(old_index)];
      const KeyRule* keys = rule_of(from, cell);
      if (keys != nullptr && !keys->problem.empty()) return refuse_migrate(cell, *keys, out);
      for (Found& difference : differences(from, cell, keys)) {
        bool told = std::any_of(found.begin(), found.end(), [&](const Found& known) {
          return known.difference == difference.difference;
        });
        if (!told) found.push_back(std::move(difference));
      }
    }
    if (reads_replaced(cell)) found.push_back({Difference::InputReplaced, ""});
    if (!match.merged.empty())
      found.push_back({merges(cell) ? Difference::Merged : Difference::MergedInOrder, ""});
    bool carry = true;
    for (const Found& difference : found) {
      const VerdictRow& row = verdict_of(difference.difference);
      out.verdict = std::max(out.verdict, row.verdict);
      if (row.verdict == Verdict::Choice) carry = carry && row.carry;
    }
    // The gravest first: it is what the verdict is about.
    std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      return verdict_of(a.difference).verdict > verdict_of(b.difference).verdict;
    });
    for (const Found& difference : found) {
      const VerdictRow& row = verdict_of(difference.difference);
      if (!out.reason.empty()) out.reason += "; ";
      if (difference.difference == Difference::Value) out.reason += value_texts(old_cell, cell);
      out.reason += row.reason;
      if (!difference.detail.empty()) out.reason += ": " + difference.detail;
    }
    if (out.verdict == Verdict::Choice) {
      if (carry) out.choices.push_back("carry");
      out.choices.push_back("reset");
      feeds_state_changed_ = true;
    }
    if (out.verdict == Verdict::Refuse) {
      matches_.refusals.push_back({.code = Code::UnclassifiedEdit,
                                   .span = cell.span,
                                   .arguments = {out.path, out.reason},
                                   .old_spans = {old_cell.span},
                                   .hint = "under another name it starts empty and the old is dropped"});
    }
  }

  bool reads_replaced(const Cell& cell) const {
    return (after_.source_mask[static_cast<size_t>(cell.stream)] & replaced_) != 0;
  }

  // How its keys are converted; null: they stay, or cannot be.
  const KeyRule* rule_of(const Cell& old_cell, const Cell& cell) {
    auto [known, fresh] = rules_.try_emplace({old_cell.store, cell.store});
    if (fresh && !asks_for_rule(old_cell, cell)) {
      rules_.erase(known);
      return nullptr;
    }
    if (!fresh) return known->second.get();
    std::optional<KeyRule> rule = keeps_rows(cell.node->desc.kind) ? rule_of_rows(old_cell.store, cell.store)
                                                                   : rule_of_keys(old_cell, cell);
    if (!rule) {
      rules_.erase(known);
      return nullptr;
    }
    known->second = std::make_shared<const KeyRule>(std::move(*rule));
    return known->second.get();
  }

  std::optional<KeyRule> rule_of_keys(const Cell& old_cell, const Cell& cell) {
    if (!lineage_) lineage_.emplace(after_, Detail::Params, *after_lineage_names_);
    bool forward = options_.direction == FormerNames::Direction::Forward;
    const MigrateChecker* migrate = forward && options_.migrate ? &options_.migrate : nullptr;
    return key_rule(old_cell, cell, {&before_, &after_, &*lineage_, migrate});
  }

  // Both sides of a join have one rule.
  std::optional<KeyRule> rule_of_rows(int old_store, int store) const {
    std::vector<RowCells> cells(after_.stores[static_cast<size_t>(store)].desc.cells.size());
    for (const Cell& cell : new_.cells) {
      if (cell.store == store) cells[static_cast<size_t>(cell.index)].after = &cell;
    }
    for (const Cell& cell : old_.cells) {
      if (cell.store == old_store) cells[static_cast<size_t>(cell.index)].before = &cell;
    }
    return row_key_rule(cells, {&before_, &after_, nullptr, nullptr});
  }

  bool asks_for_rule(const Cell& old_cell, const Cell& cell) const {
    if (keeps_rows(cell.node->desc.kind)) return old_cell.node->desc.kind == cell.node->desc.kind;
    bool variables = cell.of->process && cell.keys.empty() && old_cell.keys.empty();
    return old_cell.node->desc.kind == cell.node->desc.kind && converts_keys(cell.node->desc.kind) &&
           (variables || (!cell.keys.empty() && !old_cell.keys.empty()));
  }

  // What each new cell is filled from. A conversion is one for each pair of stores whose keys it makes.
  void plan_sources() {
    sources_.assign(new_.cells.size(), {});
    std::map<std::pair<int, int>, int> known;
    for (size_t n = 0; n < new_.cells.size(); ++n) {
      if (continues_[n] < 0 && made_beside_[n] < 0) continue;
      std::vector<int> olds{continues_[n] < 0 ? made_beside_[n] : continues_[n]};
      olds.insert(olds.end(), matches_.cells[n].merged.begin(), matches_.cells[n].merged.end());
      for (int old_cell : olds) {
        std::pair<int, int> stores{old_.cells[static_cast<size_t>(old_cell)].store, new_.cells[n].store};
        sources_[n].push_back({old_cell});
        auto rule = rules_.find(stores);
        if (rule == rules_.end() || !rule->second->problem.empty()) continue;
        auto [at, fresh] = known.try_emplace(stores, static_cast<int>(plan_.conversions.size()));
        if (fresh) plan_.conversions.push_back({new_.cells[n].node->desc.path, rule->second, true});
        KeyConversion& made = plan_.conversions[static_cast<size_t>(at->second)];
        made.merges = made.merges && merges(new_.cells[n]);
        sources_[n].back().conversion = at->second;
        if (rule->second->makes(new_.cells[n].index)) sources_[n].back().gives = CellSource::Gives::Entry;
      }
    }
  }

  // "sum(amount) → sum(amount_usd): ", when the texts are at hand and differ.
  std::string value_texts(const Cell& old_cell, const Cell& cell) const {
    if (options_.old_sources == nullptr || options_.new_sources == nullptr) return "";
    std::string from(options_.old_sources->text(old_cell.span));
    std::string to(options_.new_sources->text(cell.span));
    if (from == to || from.find('\n') != std::string::npos || to.find('\n') != std::string::npos) return "";
    return from + " → " + to + ": ";
  }

  void judge_old_cells() {
    std::vector<char> continued(old_.cells.size(), 0);
    for (const CellMatch& match : matches_.cells) {
      if (match.old_cell >= 0) continued[static_cast<size_t>(match.old_cell)] = 1;
      for (int other : match.merged) continued[static_cast<size_t>(other)] = 1;
    }
    for (size_t o = 0; o < old_.cells.size(); ++o) {
      if (continued[o]) continue;
      const Cell& cell = old_.cells[o];
      CellPlan made;
      made.path = cell.path;
      made.old_path = cell.path;
      made.new_span = cell.span;
      made.entries = entries_of(cell.store);
      if (matches_.refused_old_cells.contains(static_cast<int>(o))) {
        made.verdict = Verdict::Refuse;
        made.reason = "ambiguous";
      } else {
        made.verdict = Verdict::Drop;
        made.reason = "not in the new version";
        made.choices.push_back("drop");
        if (is_read_by_migrate(cell)) {
          made.reason += "; `migrate` reads it";
          made.decision = "drop";
        }
        feeds_state_changed_ = true;
      }
      plan_.cells.push_back(std::move(made));
    }
  }

  bool is_read_by_migrate(const Cell& old_cell) const {
    return std::any_of(rules_.begin(), rules_.end(), [&](const auto& rule) {
      const std::vector<int>& read = rule.second->read;
      return rule.first.first == old_cell.store &&
             std::find(read.begin(), read.end(), old_cell.index) != read.end();
    });
  }

  // What an edit dropped and the new version has again.
  void offer_parked() {
    if (options_.policy == Policy::Strict) return;
    came_back_ = find_parked(options_.parked, after_, new_, continues_, plan_.cells);
    for (size_t n = 0; n < came_back_.size(); ++n) {
      if (!came_back(n)) continue;
      CellPlan& plan = plan_.cells[n];
      plan.choices.insert(plan.choices.begin(), "restore-gap");
      if (plan.verdict != Verdict::New) continue;
      plan.hint = fmt::format("--accept restore-gap:{} gives back what v{} dropped", plan.path,
                              came_back_[n].parked->id.version);
    }
  }

  void hint_renames() {
    for (auto [o, n] : matches_.likely_renames) {
      const StatefulStage& was = old_.stages[static_cast<size_t>(o)];
      const StatefulStage& is = new_.stages[static_cast<size_t>(n)];
      std::string hint = fmt::format("rename? write `@{} was {}`", is.of->name, was.of->name);
      for (CellPlan& cell : plan_.cells) {
        for (int index : was.cells) {
          if (cell.verdict == Verdict::Drop && cell.path == old_.cells[static_cast<size_t>(index)].path)
            cell.hint = hint;
        }
        for (int index : is.cells) {
          if (cell.verdict == Verdict::New && cell.path == new_.cells[static_cast<size_t>(index)].path)
            cell.hint = hint;
        }
      }
    }
  }

  static bool covers(const std::string& consent, const std::string& path) {
    if (consent.empty()) return false;
    if (consent == path) return true;
    if (path.size() <= consent.size() || !path.starts_with(consent)) return false;
    // The last part of a path is the function: "total" names "total/sum".
    return consent.back() == '/' || (path[consent.size()] == '/' && path.rfind('/') == consent.size());
  }

  std::optional<std::string> consent_for(const CellPlan& cell) {
    for (size_t i = 0; i < options_.consents.size(); ++i) {
      const Consent& consent = options_.consents[i];
      if (std::find(cell.choices.begin(), cell.choices.end(), consent.verdict) == cell.choices.end())
        continue;
      if (!covers(consent.path, cell.path) && !covers(consent.path, cell.old_path)) continue;
      used_consents_.insert(i);
      return consent.verdict;
    }
    return std::nullopt;
  }

  void decide() {
    for (size_t i = 0; i < plan_.cells.size(); ++i) {
      CellPlan& cell = plan_.cells[i];
      if (options_.policy == Policy::Strict) refuse_unless_strict(cell);
      if (!cell.decision.empty()) continue;         // by the script
      bool reset = cell.verdict == Verdict::Reset;  // `fresh N` is itself the consent
      if (cell.verdict == Verdict::New && !cell.choices.empty()) {
        if (consent_for(cell) || options_.policy == Policy::Back) come_back(i);
      } else if (cell.verdict == Verdict::Drop || cell.verdict == Verdict::Choice) {
        if (auto consent = consent_for(cell)) {
          cell.decision = *consent;
        } else if (options_.policy == Policy::Live || options_.policy == Policy::Back) {
          bool back = options_.policy == Policy::Back && came_back(i);
          cell.decision = cell.verdict == Verdict::Drop ? "drop" : back ? "restore-gap" : "reset";
        } else if (cell.entries && *cell.entries == 0) {
          cell.decision = cell.choices.back();  // nothing is lost
        } else {
          cell.needs_consent = true;
        }
        reset = cell.decision == "reset" || cell.decision == "restore-gap" || cell.needs_consent;
        if (cell.decision == "restore-gap") come_back(i);
      }
      if (i < continues_.size() && reset) continues_[i] = -1;
    }
    for (size_t i = 0; i < options_.consents.size(); ++i) {
      if (used_consents_.contains(i)) continue;
      plan_.notes.push_back(fmt::format("accept `{}:{}` fits no cell that asks for it",
                                        options_.consents[i].verdict, options_.consents[i].path));
    }
  }

  bool came_back(size_t cell) const { return cell < came_back_.size() && came_back_[cell].parked != nullptr; }

  void come_back(size_t n) {
    const ParkedStore& from = *came_back_[n].parked;
    for (size_t other = 0; other < new_.cells.size(); ++other) {
      // Stores without cells of their own, both sides of a join, come back as one.
      bool with_it =
          other == n || (new_.cells[n].index < 0 && new_.cells[other].store == new_.cells[n].store);
      if (!with_it || came_back_[other].parked != &from) continue;
      CellPlan& cell = plan_.cells[other];
      cell.verdict = Verdict::RestoreGap;
      cell.decision = "restore-gap";
      cell.reason = fmt::format("as it was when v{} dropped it; it missed the events since", from.id.version);
      cell.entries = from.entries;
      cell.hint.clear();
      cell.needs_consent = false;
    }
  }

  void refuse_unless_strict(const CellPlan& cell) {
    switch (cell.verdict) {
      case Verdict::KeepMixed:
      case Verdict::ConvertChecked:
      case Verdict::HandOver:
      case Verdict::Drop:
      case Verdict::Reset:
      case Verdict::Choice:
        matches_.refusals.push_back({.code = Code::NotStrict,
                                     .span = cell.new_span,
                                     .arguments = {cell.path, std::string(verdict_name(cell.verdict))}});
        break;
      default:
        break;
    }
  }

  // Equal arguments of histories share their samples: a carried cell would mix its old values with
  // those of the others.
  void refuse_mixed_samples() {
    for (size_t n = 0; n < new_.cells.size(); ++n) {
      const Cell& cell = new_.cells[n];
      if (plan_.cells[n].decision != "carry" || cell.node->desc.kind != state::StoreKind::Ring) continue;
      for (size_t other = 0; other < new_.cells.size(); ++other) {
        if (other == n || continues_[other] < 0 || new_.cells[other].store != cell.store) continue;
        if (column_of(new_.cells[other]) != column_of(cell)) continue;
        const Cell& mine = old_.cells[static_cast<size_t>(continues_[n])];
        const Cell& theirs = old_.cells[static_cast<size_t>(continues_[other])];
        if (mine.value.named == theirs.value.named) continue;
        matches_.refusals.push_back({.code = Code::UnclassifiedEdit,
                                     .span = cell.span,
                                     .arguments = {cell.path, "its samples are those of `" +
                                                                  new_.cells[other].path + "` from now on"},
                                     .hint = "accept reset instead of carry"});
        break;
      }
    }
  }

  static uint32_t column_of(const Cell& cell) {
    return cell.node->desc.cells[static_cast<size_t>(cell.index)].column;
  }

  std::string place(const source::SourceSet* sources, source::Span span, std::string_view otherwise) const {
    if (sources == nullptr) return std::string(otherwise);
    return fmt::format("{}:{}", sources->file(span.file).name(), sources->locate(span).line);
  }

  void print_refusal(const Refusal& refusal) {
    std::string text;
    if (options_.new_sources != nullptr) text += place(options_.new_sources, refusal.span, "") + ": ";
    text += fmt::format("error[{}]: {}", diag::code_text(refusal.code), refusal.message());
    for (source::Span span : refusal.old_spans) {
      if (options_.old_sources != nullptr) text += "\n  before: " + place(options_.old_sources, span, "");
    }
    for (source::Span span : refusal.others) {
      if (options_.new_sources != nullptr) text += "\n  now: " + place(options_.new_sources, span, "");
    }
    if (!refusal.hint.empty()) text += "\n  " + refusal.hint;
    plan_.refusals.push_back(std::move(text));
    plan_.refusal_codes.push_back(refusal.code);
  }

  Outcome outcome(bool no_change) const {
    if (!plan_.refusals.empty()) return Outcome::Refused;
    bool asks = std::any_of(plan_.cells.begin(), plan_.cells.end(),
                            [](const CellPlan& cell) { return cell.needs_consent; });
    if (asks) return Outcome::NeedsDecision;
    return no_change ? Outcome::NoChange : Outcome::Applicable;
  }

  const graph::Graph& before_;
  const graph::Graph& after_;
  const CompareOptions& options_;
  State old_;
  State new_;
  Matches matches_;
  SwapPlan plan_;
  std::set<size_t> used_consents_;
  std::vector<CameBack> came_back_;  // by new cell: where it could come back from
  std::vector<int> continues_;       // by new cell: the old cell whose value it takes, or -1
  std::vector<int> made_beside_;  // by new cell: one of the store of whose entries `migrate` makes it, or -1
  std::vector<CellSources> sources_;  // by new cell: the same with all that it takes in
  uint64_t replaced_ = 0;             // sources of `after` that read something else, by bit
  const FormerNames* after_lineage_names_ = nullptr;
  std::optional<Lineage> lineage_;                                       // of `after`, when it is needed
  std::map<std::pair<int, int>, std::shared_ptr<const KeyRule>> rules_;  // by old and new store
  bool feeds_state_changed_ = false;
};

}  // namespace

SwapPlan compare(const graph::Graph& before, const graph::Graph& after, const CompareOptions& options) {
  return Comparison(before, after, options).run();
}

std::optional<Consent> parse_consent(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return std::nullopt;
  std::string_view verdict = text.substr(0, colon);
  constexpr std::string_view known[] = {"drop", "reset", "carry", "rebuild", "lossy", "restore-gap"};
  if (std::find(std::begin(known), std::end(known), verdict) == std::end(known)) return std::nullopt;
  return Consent{std::string(verdict), std::string(text.substr(colon + 1))};
}

int exit_code(SwapPlan::Outcome outcome) {
  switch (outcome) {
    case Outcome::NoChange:
      return 11;
    case Outcome::Applicable:
      return 0;
    case Outcome::NeedsDecision:
      return 10;
    case Outcome::Refused:
      return 20;
  }
  return 20;
}

}  // namespace mut::change
