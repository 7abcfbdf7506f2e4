#include "compiler/change/differences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "compiler/change/aggregate_calls.h"
#include "compiler/change/window_kinds.h"
#include "runtime/state/narrowing.h"
#include "runtime/state/row_change.h"

namespace mut::change {
namespace {

using state::CellFn;
using state::StoreKind;
using typed::Kind;

enum class Change : uint8_t { None, Grown, Shrunk, Other };

Change change_of(const HashSet& before, const HashSet& after) {
  if (before == after) return Change::None;
  if (std::includes(after.begin(), after.end(), before.begin(), before.end())) return Change::Grown;
  if (std::includes(before.begin(), before.end(), after.begin(), after.end())) return Change::Shrunk;
  return Change::Other;
}

typed::TypeRef scalar_of(typed::TypeRef type) { return type->kind == Kind::Optional ? type->element : type; }

enum class TypeChange : uint8_t { None, Widened, Other };
TypeChange type_change(typed::TypeRef from, typed::TypeRef to) {
  if (same_type(from, to)) return TypeChange::None;
  return widens(from, to) ? TypeChange::Widened : TypeChange::Other;
}

// Whether entries of several groups can become those of one.
bool can_merge(StoreKind kind) {
  return kind == StoreKind::Groups || kind == StoreKind::Whole || kind == StoreKind::Panes;
}

class Finder {
 public:
  Finder(const Cell& before, const Cell& after, const KeyRule* rule)
      : before_(before), after_(after), rule_(rule) {}

  std::vector<Found> run() {
    if (!find_kind()) return std::move(out_);
    if (rule_ != nullptr && rule_->of == KeyRule::Of::Rows) {
      find_keys_of_rows();
    } else if (rule_ != nullptr && !rule_->keeps_keys()) {
      find_converted_keys();
    } else {
      find_keys();
    }
    if (after_.call != nullptr && before_.call != nullptr) find_call();
    find_admission();
    if (after_.node->desc.kind == StoreKind::Join) find_join();
    if (after_.node->desc.kind == StoreKind::Table) find_table();
    if (after_.node->desc.kind == StoreKind::Follow) find_follow();
    if (after_.of->match && before_.of->match) find_match();
    if (after_.of->hold && before_.of->hold) find_hold();
    if (after_.of->process && before_.of->process) find_process();
    find_windows();
    if (after_.by_event_time()) {
      if (change_of(before_.time, after_.time) == Change::Other) add(Difference::TimeField);
      if (change_of(before_.watermark, after_.watermark) == Change::Other) add(Difference::Watermark);
    }
    if (after_.of->fresh && *after_.of->fresh > before_.of->fresh.value_or(0)) add(Difference::Fresh);
    return std::move(out_);
  }

 private:
  void add(Difference difference, std::string detail = "") {
    for (const Found& found : out_) {
      if (found.difference == difference) return;
    }
    out_.push_back({difference, std::move(detail)});
  }

  bool find_kind() {
    const state::StoreDesc& was = before_.node->desc;
    const state::StoreDesc& is = after_.node->desc;
    bool history = before_.history != nullptr && after_.history != nullptr;
    bool fine = was.kind == is.kind;
    if (is.kind == StoreKind::Ring) fine = fine && (was.span == 0) == (is.span == 0);
    if (fine) return true;
    Difference kind = history ? Difference::HistoryKind : window_kind_difference(before_, after_);
    add(kind, history || kind == Difference::OwnWindow ? "" : window_kinds_text(before_, after_));
    return kind == Difference::WindowKind;
  }

  void find_converted_keys() {
    if (rule_->unites && !merges(after_))
      return add(Difference::KeyCoarsened, "it depends on the order of events");
    if (rule_->migrated) add(Difference::KeyMigrated);
    if (!rule_->widened.empty()) add(Difference::KeyWidened, rule_->widened);
    if (!rule_->narrowed.empty()) add(Difference::KeyNarrowed, rule_->narrowed);
    if (rule_->computed) add(rule_->can_fail ? Difference::KeyComputedChecked : Difference::KeyComputed);
  }

  void find_keys_of_rows() {
    const RowSide& side = rule_->sides[static_cast<size_t>(after_.index)];
    if (!side.keyed) return find_keys();
    if (after_.node->desc.kind == StoreKind::Table)
      return add(side.can_fail ? Difference::TableKeyChecked : Difference::TableKey);
    add(side.can_fail ? Difference::JoinKeyChecked : Difference::JoinKey);
  }

  // The gravest change of the types of keys; `places` as key_places() gives them.
  TypeChange type_change_of(const std::vector<int>& places) const {
    auto out = TypeChange::None;
    for (size_t i = 0; i < places.size(); ++i) {
      TypeChange change = type_change(before_.key_types[static_cast<size_t>(places[i])], after_.key_types[i]);
      if (change != TypeChange::None) out = change;
    }
    return out;
  }

  void find_keys() {
    const auto& was = before_.keys;
    const auto& is = after_.keys;
    auto known_in = [](const Sets& key, const std::vector<Sets>& others) {
      return std::any_of(others.begin(), others.end(),
                         [&](const Sets& other) { return same_lineage(other.named, key.named); });
    };
    std::vector<int> places = key_places(before_, after_);
    if (was.size() == is.size() && places.size() == is.size()) {
      if (!std::is_sorted(places.begin(), places.end())) add(Difference::KeyOrder);
      for (size_t i = 0; i < is.size(); ++i) {
        auto from = static_cast<size_t>(places[i]);
        switch (type_change(before_.key_types[from], after_.key_types[i])) {
          case TypeChange::None:
            break;
          case TypeChange::Widened:
            add(Difference::KeyWidened, before_.key_types[from]->text + " → " + after_.key_types[i]->text);
            break;
          case TypeChange::Other:
            add(Difference::KeyType, before_.key_types[from]->text + " → " + after_.key_types[i]->text);
            break;
        }
        if (was[from].named == is[i].named && was[from].valued != is[i].valued) add(Difference::ParamValue);
      }
      return;
    }
    if (is.size() < was.size() && places.size() == is.size()) {
      if (can_merge(after_.node->desc.kind) && type_change_of(places) == TypeChange::None) {
        bool alone = merges(after_);
        return add(alone ? Difference::KeyMerged : Difference::KeyCoarsened,
                   alone ? "" : "it depends on the order of events");
      }
      return add(Difference::KeyCoarsened);
    }
    bool refined = std::all_of(was.begin(), was.end(), [&](const Sets& key) { return known_in(key, is); });
    bool coarsened = std::all_of(is.begin(), is.end(), [&](const Sets& key) { return known_in(key, was); });
    add(refined ? Difference::KeyRefined : coarsened ? Difference::KeyCoarsened : Difference::KeyReplaced);
  }

  void find_call() {
    const state::CellDesc& was = before_.node->desc.cells[static_cast<size_t>(before_.index)];
    const state::CellDesc& is = after_.node->desc.cells[static_cast<size_t>(after_.index)];
    if (!same_function(before_, after_)) {
      add(Difference::Function,
          fmt::format("{} → {}", function_name(*before_.call), function_name(*after_.call)));
      return;
    }
    if (!same_lineage(before_.value.named, after_.value.named)) {
      add(Difference::Value);
    } else if (before_.value.named == after_.value.named && before_.value.valued != after_.value.valued) {
      add(Difference::ParamValue);
    }
    if (before_.filter.named != after_.filter.named) {
      bool input = !before_.filter.named.empty() && !after_.filter.named.empty() &&
                   same_lineage(before_.filter.named, after_.filter.named);
      if (!input) add(Difference::Filter);
    } else if (before_.filter.valued != after_.filter.valued) {
      add(Difference::ParamValue);
    }
    if (was.fn == CellFn::Count && is.fn == CellFn::Count) return;
    if (is.fn == CellFn::Own) {
      auto optional = [](const Cell& cell) {
        std::string out;
        for (typed::TypeRef type : cell.call->own->parameter_types)
          out += type->kind == typed::Kind::Optional ? '?' : '.';
        return out;
      };
      bool other_columns = after_.node->desc.kind == StoreKind::Ring && optional(before_) != optional(after_);
      if (before_.call->arguments.size() != after_.call->arguments.size() || other_columns)
        add(Difference::ValueType, "other arguments");
      for (size_t i = 0; const typed::Expr* to = typed::argument_of(*after_.call, i); ++i) {
        const typed::Expr* from = typed::argument_of(*before_.call, i);
        if (from != nullptr && type_change(scalar_of(from->type), scalar_of(to->type)) != TypeChange::None)
          add(Difference::ValueType, scalar_of(from->type)->text + " → " + scalar_of(to->type)->text);
      }
      return;
    }
    find_numbers(was, is);
    typed::TypeRef from = scalar_of(before_.call->argument->type);
    typed::TypeRef to = scalar_of(after_.call->argument->type);
    TypeChange change = type_change(from, to);
    if (before_.call->order && after_.call->order && change != TypeChange::Other) {
      TypeChange order = type_change(before_.call->order->type, after_.call->order->type);
      change = std::max(change, order);
    }
    bool other_words = was.fn != is.fn || was.kind != is.kind || was.order_kind != is.order_kind;
    bool fewer = change == TypeChange::Other && typed::is_integer(from->kind) &&
                 typed::is_integer(to->kind) && !other_words;
    // What a sum or a mean makes of whole numbers is the same, however large they may be.
    if (fewer && !keeps_arguments(is.fn)) return;
    if (fewer && is_checked(was, is)) return add(Difference::ValueNarrowed, from->text + " → " + to->text);
    if (change == TypeChange::Other || other_words) {
      add(Difference::ValueType, from->text + " → " + to->text);
    } else if (change == TypeChange::Widened && keeps_arguments(is.fn)) {
      add(Difference::ValueWidened, from->text + " → " + to->text);
    }
  }

  // Whether each value that such a cell keeps is looked at when it goes over.
  bool is_checked(const state::CellDesc& was, const state::CellDesc& is) const {
    const abi::TypeDesc* from = state::kept_type(was);
    const abi::TypeDesc* to = state::kept_type(is);
    return after_.node->desc.kind == StoreKind::Groups && from != nullptr && to != nullptr &&
           state::is_narrower(*from, *to);
  }

  void find_numbers(const state::CellDesc& was, const state::CellDesc& is) {
    if (was.share != is.share) {
      add(Difference::Numbers, fmt::format("{} → {}", was.share, is.share));
    } else if (was.most != is.most) {
      auto text = [](uint64_t most) { return most == 0 ? std::string("all") : std::to_string(most); };
      // The events of a stretch are kept themselves, whatever is asked of them.
      bool kept =
          after_.node->desc.kind == StoreKind::Ring || (is.most != 0 && is.most < was.most) || was.most == 0;
      // Parts of them have let go of theirs, whatever the others hold.
      bool in_parts = state::slides(after_.node->desc) && state::slides(before_.node->desc);
      add(kept       ? Difference::Numbers
          : in_parts ? Difference::WindowCountOverlaps
                     : Difference::MoreValues,
          fmt::format("{} → {}", text(was.most), text(is.most)));
    } else if (was.separator != is.separator) {
      add(Difference::Numbers);
    }
  }

  void find_admission() {
    switch (change_of(before_.admission.named, after_.admission.named)) {
      case Change::None:
        if (before_.admission.valued != after_.admission.valued) add(Difference::ParamValue);
        break;
      case Change::Grown:
        add(Difference::InputAdded);
        break;
      case Change::Shrunk:
        add(Difference::InputRemoved);
        break;
      case Change::Other:
        add(Difference::Admission);
        break;
    }
  }

  void find_windows() {
    const state::StoreDesc& was = before_.node->desc;
    const state::StoreDesc& is = after_.node->desc;
    auto lengths = [](int64_t from, int64_t to) { return duration_text(from) + " → " + duration_text(to); };
    bool same_kind = was.kind == is.kind;
    bool fixed = same_kind && (is.kind == StoreKind::Panes || is.kind == StoreKind::Overlaps);
    bool gaps = same_kind && is.kind == StoreKind::Sessions && was.size != is.size;
    bool same_days =
        was.zone == is.zone && (is.zone.empty() || (was.offset - is.offset) % calendar::day_ns == 0);
    if (fixed && !same_days) {
      add(Difference::WindowZone);
    } else if (fixed && (was.size != is.size || was.every != is.every || was.offset != is.offset)) {
      if (is.kind == StoreKind::Overlaps || (after_.call != nullptr && after_.call->own != nullptr))
        add(Difference::OwnWindow);
      if ((was.offset - is.offset) % std::gcd(was.every, is.every) != 0) add(Difference::WindowGrid);
      add(Difference::WindowLength, was.size != is.size     ? lengths(was.size, is.size)
                                    : was.every != is.every ? "every " + lengths(was.every, is.every)
                                                            : "offset " + lengths(was.offset, is.offset));
    }
    if (gaps && after_.call != nullptr && after_.call->own != nullptr) add(Difference::OwnWindow);
    if (is.kind == StoreKind::Counts) find_counts(was, is);
    if (gaps)
      add(Difference::SessionGap,
          lengths(was.size, is.size) + (is.size > was.size ? "; open sessions may join" : ""));
    if (is.kind == StoreKind::Dedupe && was.span != is.span)
      add(Difference::DedupeHorizon, lengths(was.span, is.span));
    if (is.kind == StoreKind::Ring) find_history(was, is, lengths(was.span, is.span));
    if (after_.history != nullptr && before_.history != nullptr &&
        after_.history->excluding_current != before_.history->excluding_current)
      add(Difference::HistoryCurrent);
    if (was.ttl != is.ttl) add(Difference::TimeToLive);
    if (after_.of->kind != typed::StageKind::Aggregate) return;
    const typed::Stage& old_stage = *before_.of;
    const typed::Stage& stage = *after_.of;
    if (old_stage.late != stage.late || old_stage.late_within != stage.late_within)
      add(Difference::LatePolicy);
    if (old_stage.on_update != stage.on_update || old_stage.on_close != stage.on_close ||
        old_stage.trigger_every != stage.trigger_every)
      add(Difference::Trigger);
  }

  void find_counts(const state::StoreDesc& was, const state::StoreDesc& is) {
    if (was.size == is.size && was.every == is.every) {
      if (state::slides(is) && state::keeps_windows_apart(was) != state::keeps_windows_apart(is))
        add(Difference::WindowCountOverlaps, "`distinct` or an aggregate of the script came or went");
      return;
    }
    std::string change = std::to_string(was.size) + " → " + std::to_string(is.size);
    if (!state::slides(was) && !state::slides(is)) return add(Difference::WindowCount, change);
    if (was.every != is.every) change += fmt::format(", every {} → {}", was.every, is.every);
    add(Difference::WindowCountOverlaps, change);
  }

  void find_hold() {
    const state::StoreDesc& was = before_.node->desc;
    const state::StoreDesc& is = after_.node->desc;
    bool alike = was.hold.kind == is.hold.kind && was.hold.window == is.hold.window && was.size == is.size &&
                 was.every == is.every && was.offset == is.offset && was.zone == is.zone &&
                 was.hold.whole == is.hold.whole && was.hold.descending == is.hold.descending &&
                 before_.row == after_.row && abi::same_layout(*was.hold.record, *is.hold.record);
    if (!alike) {
      add(Difference::HoldOther);
    } else if (was.hold.span != is.hold.span || was.hold.count != is.hold.count ||
               was.hold.ties != is.hold.ties) {
      add(Difference::HoldNumbers);
    }
  }

  void find_process() {
    bool made = rule_ != nullptr && rule_->makes(after_.index);
    if (made) {
      add(rule_->can_fail ? Difference::ProcessMigrated : Difference::ProcessMade);
    } else if (before_.type != nullptr && after_.type != nullptr) {
      TypeChange change = type_change(before_.type, after_.type);
      std::string texts = before_.type->text + " → " + after_.type->text;
      bool fewer = typed::is_integer(before_.type->kind) && typed::is_integer(after_.type->kind);
      if (change == TypeChange::Other) add(fewer ? Difference::ValueNarrowed : Difference::ValueType, texts);
      if (change == TypeChange::Widened) add(Difference::ValueWidened, texts);
    }
    if (!made && before_.initial.named != after_.initial.named) add(Difference::ProcessInitial);
    if (!same_lineage(before_.statements.named, after_.statements.named)) {
      add(Difference::ProcessStatements);
    } else if (before_.statements.named == after_.statements.named &&
               before_.statements.valued != after_.statements.valued) {
      add(Difference::ParamValue);
    }
  }

  void find_follow() {
    const state::StoreDesc& was = before_.node->desc;
    const state::StoreDesc& is = after_.node->desc;
    auto same = [](const std::vector<Sets>& a, const std::vector<Sets>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                        [](const Sets& x, const Sets& y) { return x.valued == y.valued; });
    };
    auto same_measure = [](const state::CellDesc& a, const state::CellDesc& b) {
      return a.fn == b.fn && a.kind == b.kind && a.order_kind == b.order_kind && a.column == b.column;
    };
    auto same_key = [](const state::KeyDesc& a, const state::KeyDesc& b) {
      return a.kind == b.kind && abi::same_layout(*a.type, *b.type);
    };
    const auto& calls_before = before_.of->aggregates;
    const auto& calls_after = after_.of->aggregates;
    bool alike = same(before_.row, after_.row) && same(before_.measures, after_.measures) &&
                 std::equal(calls_before.begin(), calls_before.end(), calls_after.begin(), calls_after.end(),
                            same_digits) &&
                 std::equal(calls_before.begin(), calls_before.end(), calls_after.begin(), calls_after.end(),
                            same_parameters) &&
                 std::equal(was.measures.begin(), was.measures.end(), is.measures.begin(), is.measures.end(),
                            same_measure) &&
                 std::equal(was.follow.keys.begin(), was.follow.keys.end(), is.follow.keys.begin(),
                            is.follow.keys.end(), same_key);
    if (!alike) {
      add(Difference::FollowOther);
      return;
    }
    if (before_.statements.valued != after_.statements.valued) add(Difference::FollowRule);
    for (size_t i = 0; i < is.measures.size(); ++i) {  // the values themselves are kept
      const state::CellDesc& from = was.measures[i];
      const state::CellDesc& to = is.measures[i];
      if (from.share != to.share || from.most != to.most || from.separator != to.separator)
        add(Difference::Numbers);
    }
  }

  void find_match() {
    const state::StoreDesc& was = before_.node->desc;
    const state::StoreDesc& is = after_.node->desc;
    auto same = [](const std::vector<Sets>& a, const std::vector<Sets>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                        [](const Sets& x, const Sets& y) { return x.valued == y.valued; });
    };
    auto same_measure = [](const state::CellDesc& a, const state::CellDesc& b) {
      return a.fn == b.fn && a.kind == b.kind && a.order_kind == b.order_kind && a.column == b.column &&
             abi::same_layout(*a.result, *b.result);
    };
    auto same_column = [](const state::ColumnDesc& a, const state::ColumnDesc& b) {
      return a.kind == b.kind && a.word == b.word;
    };
    bool alike = was.pattern.looks_like(is.pattern) && same(before_.measures, after_.measures) &&
                 before_.row.size() == after_.row.size() &&
                 std::equal(was.measures.begin(), was.measures.end(), is.measures.begin(), is.measures.end(),
                            same_measure) &&
                 std::equal(was.columns.begin(), was.columns.end(), is.columns.begin(), is.columns.end(),
                            same_column) &&
                 read_alike();
    if (!alike) {
      add(Difference::PatternOther);
      return;
    }
    if (!same(before_.row, after_.row)) add(Difference::PatternConditions);
    if (was.pattern.within != is.pattern.within || was.pattern.limit != is.pattern.limit ||
        was.pattern.next_event != is.pattern.next_event)
      add(Difference::PatternBounds);
    // The events themselves are kept.
    for (size_t i = 0; i < is.measures.size(); ++i) {
      const state::CellDesc& from = was.measures[i];
      const state::CellDesc& to = is.measures[i];
      if (from.share != to.share || from.most != to.most || from.separator != to.separator)
        add(Difference::Numbers);
    }
  }

  // Whether what is kept of an event for conditions that look back lies alike, and the order of `arg_max`.
  bool read_alike() const {
    auto same_type = [](typed::TypeRef a, typed::TypeRef b) {
      return abi::same_layout(*graph::describe(a), *graph::describe(b));
    };
    auto type_of = [](const Cell& cell, size_t field) {
      return cell.of->input->fields[static_cast<size_t>(cell.node->fields[field])].type;
    };
    size_t count = after_.node->fields.size();
    if (before_.node->fields.size() != count) return false;
    for (size_t i = 0; i < count; ++i) {
      if (!same_type(type_of(before_, i), type_of(after_, i))) return false;
    }
    for (size_t i = 0; i < after_.of->aggregates.size(); ++i) {
      const typed::ExprPtr& was = before_.of->aggregates[i].order;
      const typed::ExprPtr& is = after_.of->aggregates[i].order;
      if (is && !same_type(was->type, is->type)) return false;
    }
    return true;
  }

  void find_join() {
    const state::JoinRule& was = before_.node->desc.join;
    const state::JoinRule& is = after_.node->desc.join;
    auto bounds = [](const state::JoinRule& rule) {
      return duration_text(rule.low) + ".." + duration_text(rule.high);
    };
    std::string change = bounds(was) + " → " + bounds(is);
    if (is.low > was.low || is.high < was.high) add(Difference::JoinNarrower, change);
    if (is.low < was.low || is.high > was.high) add(Difference::JoinWider, change);
    if (was.kind != is.kind) {
      // What they keep: all rows, those that had no partner, or those that wait with the newest.
      auto keeps = [](state::JoinKind kind) {
        bool half = kind == state::JoinKind::Semi || kind == state::JoinKind::Anti;
        return half ? static_cast<int>(kind) : state::is_asof(kind) ? -1 : -2;
      };
      add(keeps(was.kind) == keeps(is.kind) ? Difference::JoinKind : Difference::JoinOther);
    }
    if (before_.filter.named != after_.filter.named) {
      bool input = !before_.filter.named.empty() && !after_.filter.named.empty() &&
                   same_lineage(before_.filter.named, after_.filter.named);
      if (!input) add(Difference::JoinCondition);
    } else if (before_.filter.valued != after_.filter.valued) {
      add(Difference::ParamValue);
    }
    bool right = after_.index == 1;
    find_row(right ? was.right : was.left, right ? is.right : is.left);
  }

  void find_table() {
    const state::TableRule& was = before_.node->desc.table;
    const state::TableRule& is = after_.node->desc.table;
    if (was.versioned != is.versioned)
      add(Difference::TableVersions, duration_text(was.versioned) + " → " + duration_text(is.versioned));
    if (was.by_arrival != is.by_arrival) add(Difference::TableNewest);
    find_row(was.record, is.record);
  }

  void find_row(const abi::TypeDescRef& was, const abi::TypeDescRef& is) {
    auto change = state::RowChange::between(was, is);
    if (!change) return add(Difference::JoinRow);
    std::vector<std::string> filled;
    for (size_t i = 0; i < is->fields.size(); ++i) {
      const std::string& name = is->fields[i].name;
      int from = change->source_of(i);
      if (from < 0) {
        filled.push_back(name);
      } else if (!same_lineage(before_.row[static_cast<size_t>(from)].named, after_.row[i].named)) {
        add(Difference::JoinValue, name);
      }
    }
    switch (change->fit()) {
      case state::RowFit::Alike:
        break;
      case state::RowFit::Fewer:
        return add(Difference::JoinRowFewer);
      case state::RowFit::Widened:
        return add(Difference::JoinRowWidened);
      case state::RowFit::Narrowed:
        return add(Difference::JoinRowNarrowed, narrowed_fields(*change, was, is));
      case state::RowFit::Filled:
        return add(Difference::JoinRowFilled, fmt::format("{}", fmt::join(filled, ", ")));
    }
  }

  static std::string narrowed_fields(const state::RowChange& change, const abi::TypeDescRef& was,
                                     const abi::TypeDescRef& is) {
    std::vector<std::string> names;
    for (size_t i = 0; i < is->fields.size(); ++i) {
      int from = change.source_of(i);
      if (from < 0) continue;
      abi::TypeDescRef before = abi::make_record({was->fields[static_cast<size_t>(from)]});
      abi::TypeDescRef after = abi::make_record({is->fields[i]});
      auto one = state::RowChange::between(before, after);
      if (one && one->fit() == state::RowFit::Narrowed) names.push_back(is->fields[i].name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void find_history(const state::StoreDesc& was, const state::StoreDesc& is, const std::string& lengths) {
    if (is.span > was.span) {
      add(Difference::HistoryLonger,
          fmt::format("{}; complete for events from {} after the watermark of the cut", lengths,
                      duration_text(is.span - was.span)));
    } else if (is.span < was.span) {
      add(Difference::HistoryShorter, lengths);
    } else if (is.count > was.count) {
      add(Difference::HistoryLonger,
          fmt::format("{} → {} events; complete after {} more", was.count, is.count, is.count - was.count));
    } else if (is.count < was.count) {
      add(Difference::HistoryShorter, fmt::format("{} → {} events", was.count, is.count));
    }
  }

  const Cell& before_;
  const Cell& after_;
  const KeyRule* rule_;
  std::vector<Found> out_;
};

}  // namespace

bool same_lineage(const HashSet& before, const HashSet& after) {
  return change_of(before, after) != Change::Other;
}

std::vector<int> key_places(const Cell& before, const Cell& after) {
  std::vector<int> out;
  if (before.keys.size() < after.keys.size()) return out;
  std::vector<char> taken(before.keys.size(), 0);
  for (size_t i = 0; i < after.keys.size(); ++i) {
    // Its own place first: two keys may have one lineage.
    auto fits = [&](size_t place) {
      return !taken[place] && same_lineage(before.keys[place].named, after.keys[i].named);
    };
    size_t place = i;
    if (place >= taken.size() || !fits(place)) {
      place = 0;
      while (place < taken.size() && !fits(place)) ++place;
    }
    if (place == taken.size()) return {};
    taken[place] = 1;
    out.push_back(static_cast<int>(place));
  }
  return out;
}

bool same_content(const Cell& a, const Cell& b) {
  return same_function(a, b) && a.value.named == b.value.named && a.filter.named == b.filter.named;
}

bool merges(const Cell& cell) {
  const state::StoreDesc& desc = cell.node->desc;
  return can_merge(desc.kind) && cell.index >= 0 &&
         state::merges_in_any_order(desc.cells[static_cast<size_t>(cell.index)].fn);
}

std::vector<Found> differences(const Cell& before, const Cell& after, const KeyRule* keys) {
  return Finder(before, after, keys).run();
}

}  // namespace mut::change
