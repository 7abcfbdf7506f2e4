#include "compiler/reference/swap.h"

#include <algorithm>
#include <set>

#include "compiler/reference/aggregates.h"
#include "compiler/reference/edit_rules.h"
#include "compiler/reference/evaluate.h"
#include "compiler/reference/joins.h"
#include "compiler/reference/json.h"
#include "compiler/reference/let_go.h"
#include "compiler/reference/partners.h"
#include "compiler/reference/rekey.h"
#include "compiler/reference/row_keys.h"
#include "compiler/reference/stage_views.h"
#include "compiler/reference/tables.h"

namespace mut::reference {

using typed::AggregateCall;
using typed::OverKind;
using typed::Stage;
using typed::StageKind;
using typed::WindowKind;

namespace {

class Migration {
 public:
  Migration(Flow& old, Flow& next, const Consents& consents)
      : old_(old),
        next_(next),
        consents_(consents),
        old_views_(views_of(old, false)),
        views_(views_of(next, true)) {}

  std::vector<std::string> run() {
    old_.forget();
    next_.continue_from(old_);
    partners_ = partners_of(old_views_, views_, old_.program(), undecided_);
    for (size_t i = 0; i < views_.size(); ++i) {
      if (partners_[i] != nullptr) {
        move(*partners_[i], views_[i]);
      } else {
        copy(views_[i]);
      }
    }
    for (const StageView& view : old_views_) {
      if (is_taken(view) || is_empty(view)) continue;
      for (const Cell& cell : view.cells) need("drop", view.path() + cell.name);
    }
    return undecided_;
  }

 private:
  bool allowed(const std::string& verdict, const std::string& path) const {
    if (consents_.live && verdict != "carry") return true;
    return std::any_of(consents_.given.begin(), consents_.given.end(), [&](const std::string& given) {
      std::string wanted = verdict + ":" + path;
      return given == wanted || wanted.starts_with(given.ends_with('/') ? given : given + "/");
    });
  }
  bool need(const std::string& verdict, const std::string& path) {
    if (allowed(verdict, path)) return true;
    undecided_.push_back(verdict + ":" + path);
    return false;
  }
  bool is_taken(const StageView& view) const {
    return std::find(partners_.begin(), partners_.end(), &view) != partners_.end() || copied_.contains(&view);
  }

  // `@x from y`: what y keeps; of several, what all of them keep.
  void copy(const StageView& view) {
    std::vector<const StageView*> found;
    for (const std::string& name : view.stage->from) {
      size_t slash = name.rfind('/');
      std::string stream = slash == std::string::npos ? view.stream->name : name.substr(0, slash);
      std::string stage = slash == std::string::npos ? name : name.substr(slash + 1);
      for (const StageView& before : old_views_) {
        if (before.stream->name == stream && before.stage->name == stage &&
            before.stage->kind == view.stage->kind)
          found.push_back(&before);
      }
    }
    for (const StageView* before : found) {
      copied_.insert(before);
      move(*before, view, found.size() > 1 ? From::Several : From::One);
    }
  }
  bool is_empty(const StageView& view) {
    const StageState& state = old_.state(view.place);
    return state.log.empty() && state.processes.empty() && state.rows.empty() && state.held.empty() &&
           state.matches.empty() && state.followed.empty() && state.waiting.empty() &&
           state.sides[0].empty() && state.sides[1].empty() &&
           std::all_of(state.histories.begin(), state.histories.end(),
                       [](const Log& log) { return log.empty(); });
  }

  enum class From : uint8_t { One, Several };
  void move(const StageView& before, const StageView& view, From many = From::One) {
    bool fresh = view.stage->fresh.value_or(0) > before.stage->fresh.value_or(0);
    std::vector<int> from(view.cells.size(), -1);
    std::vector<char> used(before.cells.size(), 0);
    std::optional<std::vector<size_t>> order = key_order(before.keys, view.keys);
    std::optional<Rekey> rekey;  // of those that are no rows of a join, a table and the like
    if (is_rekeyed(*view.stage)) {
      rekey = Rekey::between(keys_of(before), keys_of(view), next_, consents_);
      if (rekey && !order) order.emplace();
    }
    std::vector<std::optional<RowKeys>> row_keys(view.cells.size());  // where rows go under another key
    std::set<size_t> made;  // variables that `migrate` makes, of whatever there was
    if (rekey && !fresh && !rekey->unites()) {
      for (size_t variable : rekey->made_variables()) made.insert(variable);
    }
    bool windows_agree = ((view.stage->window.kind == before.stage->window.kind) ||
                          (is_timed(*view.stage) && is_timed(*before.stage))) &&
                         counts_agree(*before.stage, *view.stage);
    std::vector<int> known_cells = old_cells(before, view, undecided_);
    for (size_t i = 0; i < view.cells.size(); ++i) {
      int known = known_cells[i];
      if (known < 0) continue;
      used[static_cast<size_t>(known)] = 1;
      if (made.contains(i)) continue;
      const Cell& now = view.cells[i];
      const Cell& then = before.cells[static_cast<size_t>(known)];
      std::string path = view.path() + now.name;
      bool keys_agree =
          order && key_order(then.keys, now.keys) && keys_hold(before.stage->keys, view.stage->keys, *order);
      if (then.keys.size() > now.keys.size() || before.keys.size() > view.keys.size())
        keys_agree = keys_agree && merges(*view.stage, i);
      if (!view.stage->histories.empty()) {
        auto of_history =
            Rekey::between(keys_of(before, static_cast<size_t>(known)), keys_of(view, i), next_, consents_);
        keys_agree = of_history && (!of_history->unites() || merges(*view.stage, i));
      } else if (is_rekeyed(*view.stage)) {
        keys_agree = rekey && ((many == From::One && !rekey->unites()) || merges(*view.stage, i));
      }
      if (!keys_agree && keeps_rows(*view.stage) && keeps_rows(*before.stage)) {
        row_keys[i] = RowKeys::between(old_, before, next_, view, i);
        keys_agree = row_keys[i].has_value();
      }
      bool variables = view.stage->process && i < view.stage->process->states.size();
      bool same_function = then.function == now.function ||
                           (variables && static_cast<size_t>(known) < before.stage->process->states.size() &&
                            goes_over(before.stage->process->states[static_cast<size_t>(known)].type,
                                      view.stage->process->states[i].type));
      bool replaced =
          !same_function || !keys_agree || !windows_agree || !has_rows_for(*before.stage, *view.stage, i);
      replaced = replaced || holds_less(*before.stage, static_cast<size_t>(known), *view.stage, i);
      replaced = replaced || wants_more(before, static_cast<size_t>(known), view, i);
      if (fresh) continue;
      bool timed = now.by_time && !continues(then.time, now.time);
      if (!replaced && !timed && continues(then.meaning, now.meaning)) {
        from[i] = known;  // also of an empty stage: its windows are handed over
      } else if (is_empty(before)) {
        continue;
      } else if (!replaced && allowed("carry", path)) {
        from[i] = known;
      } else {
        need("reset", path);
      }
    }
    for (size_t i = 0; i < before.cells.size(); ++i) {
      bool asks = !used[i] && !is_empty(before) && !(rekey && rekey->reads(i));
      if (asks) need("drop", before.path() + before.cells[i].name);
    }
    if (!undecided_.empty()) return;
    try {
      carry(before, view, from, order.value_or(std::vector<size_t>()), rekey, row_keys, made);
    } catch (const EventFailure&) {  // a value that its new type does not hold
      undecided_.push_back("refuse:" + view.path());
    }
  }

  // Stages that keep what events of a key gave, by that key alone.
  static bool is_rekeyed(const Stage& stage) {
    return (stage.kind == StageKind::Aggregate && stage.follows.empty()) || stage.kind == StageKind::Dedupe ||
           stage.process != nullptr;
  }

  static bool keeps_rows(const Stage& stage) {
    return stage.kind == StageKind::Join || stage.kind == StageKind::Table;
  }

  static KeysView keys_of(const StageView& view) {
    return {view.stream, view.stage, view.place.first, view.place.second, view.keys, &view.stage->keys};
  }
  static KeysView keys_of(const StageView& view, size_t history) {
    return {view.stream,
            view.stage,
            view.place.first,
            view.place.second,
            view.cells[history].keys,
            &view.stage->histories[history].keys};
  }

  // By the keys of the next version. `merges`: of two keys that become one, what they hold may.
  template <typename Kept, typename Add>
  std::map<Key, Kept, KeyLess> rekeyed(const std::map<Key, Kept, KeyLess>& kept, const Rekey& rekey,
                                       bool merges, const StageView& view, Add add) {
    std::map<Key, Kept, KeyLess> out;
    for (const auto& [key, value] : kept) {
      try {
        Key made = rekey(key);
        if (!merges && out.contains(made)) throw EventFailure{typed::EventError::Cast};
        Kept kept_anew = out.contains(made) ? std::move(out[made]) : Kept();
        add(key, value, kept_anew);
        out[made] = std::move(kept_anew);
      } catch (const EventFailure&) {
        undecided_.push_back("refuse:" + view.path() + " for " + rekey.text(key));
        return out;
      }
    }
    return out;
  }
  Log rekeyed(const Log& log, const Rekey& rekey, bool merges, const StageView& view) {
    return rekeyed<std::vector<Entry>>(
        log, rekey, merges, view, [](const Key&, const std::vector<Entry>& entries, std::vector<Entry>& all) {
          all.insert(all.end(), entries.begin(), entries.end());
        });
  }

  // At their places in another record; none where it has others.
  static Value::Parts fields_by_name(const typed::Type& before, const typed::Type& now,
                                     const Value::Parts& fields) {
    Value::Parts out;
    for (const typed::Field& field : now.fields) {
      int known = before.field_index(field.name);
      out.push_back(known < 0 ? Value() : fields[static_cast<size_t>(known)]);
    }
    return out;
  }

  static Key in_order(const Key& key, const std::vector<size_t>& order) {
    Key out;
    for (size_t at : order) out.push_back(key[at]);
    return out;
  }

  // `watermark`: what has left by then, by the bounds so far, does not come back.
  void carry_rows(const StageView& before, const StageView& view, const StageState& from, size_t side,
                  const std::vector<size_t>& order, const std::optional<RowKeys>& keys, int64_t watermark,
                  StageState& to) {
    const typed::Join& was = *before.stage->join;
    for (size_t i = 0; i < from.sides[side].size(); ++i) {
      JoinRow row = from.sides[side][i];
      row.silent = row.silent || !waits(was.kind, side);
      bool to_come = !row.silent && !row.matched;
      if (!to_come && leaves(was, side, row.time) <= watermark) continue;
      if (is_replaced(*before.stage, from, side, i, watermark)) continue;
      if (keys) {
        if (!put_under_key(before, view, side, *keys, row)) return;
        // By a key that finds nobody it can only come out alone.
        if (!finds_partners(row.key) && !(to_come && waits(view.stage->join->kind, side))) continue;
      } else {
        row.fields = fields_for(*before.stage, *view.stage, row.fields, side);
        row.key = in_order(row.key, order);
      }
      to.sides[side].push_back(std::move(row));
    }
  }
  // A row as the next version has it, under its new key. False: it has none there, which stops the edit.
  bool put_under_key(const StageView& before, const StageView& view, size_t side, const RowKeys& keys,
                     JoinRow& row) {
    Value::Parts fields = row.fields;
    try {
      row.fields = fields_for(*before.stage, *view.stage, fields, side);
      row.key = keys(row.key, row.fields);
      bool none =
          std::any_of(row.key.begin(), row.key.end(), [](const Value& part) { return part.is_none(); });
      if (none && view.stage->kind == StageKind::Table) throw EventFailure{typed::EventError::NoKey};
      return true;
    } catch (const EventFailure&) {
      typed::TypeRef record = side == 0 ? before.stage->input : before.stage->join->right_type;
      undecided_.push_back("refuse:" + view.path() + " for row " + to_json(Value(fields), record));
      return false;
    }
  }
  // Whether a row of the right side of an asof join is let go, because of a newer one with its key.
  static bool is_replaced(const Stage& join, const StageState& state, size_t side, size_t index,
                          int64_t watermark) {
    if (!is_asof(join.join->kind) || join.join->condition || side != 1) return false;
    const std::vector<JoinRow>& rows = state.sides[1];
    return std::any_of(rows.begin() + static_cast<std::ptrdiff_t>(index) + 1, rows.end(),
                       [&](const JoinRow& newer) {
                         return newer.time <= watermark && same_key(newer.key, rows[index].key);
                       });
  }

  static bool is_timed(const Stage& stage) {
    return stage.window.kind != WindowKind::Running && stage.window.kind != WindowKind::Count &&
           stage.window.kind != WindowKind::All;
  }

  // Where each of the new keys stood, when all of them are among the old ones.
  static std::optional<std::vector<size_t>> key_order(const std::vector<Ways>& before,
                                                      const std::vector<Ways>& now) {
    if (before.size() < now.size()) return std::nullopt;
    std::vector<size_t> out;
    // Its own place first: two keys may mean the same.
    std::vector<char> taken(before.size(), 0);
    for (size_t i = 0; i < now.size(); ++i) {
      size_t place = i;
      auto fits = [&](size_t at) { return taken[at] == 0 && continues(before[at], now[i]); };
      if (!fits(place)) {
        place = 0;
        while (place < before.size() && !fits(place)) ++place;
      }
      if (place == before.size()) return std::nullopt;
      taken[place] = 1;
      out.push_back(place);
    }
    return out;
  }

  // What kept its groups for ever knows nothing of their age.
  void begin_ttl(const StageView& before, const StageView& view, Log& log) {
    int64_t cut = std::min(old_.watermark(before.place.first, before.place.second),
                           next_.watermark(view.place.first, view.place.second));
    for (auto& [key, entries] : log) {
      for (Entry& entry : entries) entry.alive_at = cut;
    }
  }

  void carry(const StageView& before, const StageView& view, const std::vector<int>& from,
             const std::vector<size_t>& order, const std::optional<Rekey>& rekey,
             const std::vector<std::optional<RowKeys>>& row_keys, const std::set<size_t>& migrated) {
    const StageState& old_state = old_.state(before.place);
    StageState& state = next_.state(view.place);
    state.late = old_state.late;
    state.dropped = old_state.dropped;
    if (!view.stage->histories.empty()) {
      for (size_t i = 0; i < from.size(); ++i) {
        if (from[i] < 0) continue;
        auto known = static_cast<size_t>(from[i]);
        auto of_history = Rekey::between(keys_of(before, known), keys_of(view, i), next_, consents_);
        state.histories[i] = rekeyed(old_state.histories[known], *of_history, merges(*view.stage, i), view);
        for (const auto& [key, entries] : state.histories[i])
          check_values(*before.stage, known, *view.stage, i, entries, 0);
        const typed::History& history = before.stage->histories[known];
        bool events = history.over == OverKind::LastDuration || history.over == OverKind::LastEvents;
        if (!history.ttl && !events) begin_ttl(before, view, state.histories[i]);
        if (history.over != OverKind::All) continue;  // of a stretch the events are kept themselves
        for (auto& [key, entries] : state.histories[i]) let_go_beyond(history.call, 0, {}, entries);
      }
      return;
    }
    if (view.stage->kind == StageKind::Table) {
      if (from[0] < 0) return;  // begins anew
      state.closed = old_state.closed;
      state.gone_before = old_state.gone_before;
      state.over_upto = old_state.over_upto;
      if (state.closed != no_time) {
        if (before.stage->ttl)
          state.gone_before = std::max(state.gone_before, minus(state.closed, *before.stage->ttl));
        state.over_upto = std::max(state.over_upto, minus(state.closed, before.stage->versioned));
      }
      state.arrivals = old_state.arrivals;
      if (row_keys[0]) {
        for (JoinRow& row : rows_left(*before.stage, old_state)) {
          if (!put_under_key(before, view, 0, *row_keys[0], row)) return;
          std::vector<JoinRow>& rows = state.rows[row.key];
          put_row(*view.stage, std::move(row), rows);
        }
        return;
      }
      for (const auto& [key, rows] : old_state.rows) {
        // What goes by either `ttl` need not fit.
        if (rows.empty() || is_gone(*view.stage, state, rows.back().time)) continue;
        Key moved = in_order(key, order);
        for (JoinRow row : rows) {
          row.key = moved;
          row.fields = fields_for(*before.stage, *view.stage, row.fields, 0);
          state.rows[moved].push_back(std::move(row));
        }
      }
      return;
    }
    if (view.stage->kind == StageKind::Join) {
      if (from[0] < 0 && from[1] < 0) return;  // begins anew
      state.closed = old_state.closed;
      state.arrivals = old_state.arrivals;
      int64_t watermark = std::max(old_state.closed, old_.watermark(before.place.first, before.place.second));
      for (size_t side : {size_t{0}, size_t{1}}) {
        if (from[side] >= 0)
          carry_rows(before, view, old_state, side, order, row_keys[side], watermark, state);
      }
      return;
    }
    if (view.stage->hold) {
      if (from[0] < 0) return;
      state.held = old_state.held;
      for (HeldRow& row : state.held) row.key = in_order(row.key, order);
      if (before.stage->hold->kind == typed::HoldKind::Top) let_go_of_rest(*before.stage, state.held);
      if (before.stage->hold->kind == typed::HoldKind::Ranking) {  // more than are asked for are not kept
        for (const Stage* stage : {before.stage, view.stage}) {
          let_go_of_rest(*stage, state.held);
          std::erase_if(state.held, [](const HeldRow& row) { return !row.let_go.empty(); });
        }
      }
      state.closed = old_state.closed;
      state.arrivals = old_state.arrivals;
      return;
    }
    if (view.stage->process) {
      bool anew = std::all_of(from.begin(), from.end(), [](int cell) { return cell < 0; });
      if (anew && migrated.empty()) return;
      const typed::Process& now = *view.stage->process;
      size_t first_timer = before.stage->process->states.size();
      std::map<Key, ProcessGroup, KeyLess> groups =
          rekeyed<ProcessGroup>(old_state.processes, *rekey, false, view,
                                [&](const Key& key, const ProcessGroup& group, ProcessGroup& to) {
                                  to = group;
                                  if (!migrated.empty()) {
                                    for (Value& value : rekey->make_variables(key, group.states))
                                      to.states.push_back(std::move(value));
                                  }
                                });
      for (const auto& [moved, group] : groups) {
        ProcessGroup made = next_.process_group(view.place, moved);
        made.newest = group.newest;
        size_t next_migrated = 0;
        for (size_t i = 0; i < now.states.size(); ++i) {
          if (migrated.contains(i)) {  // behind the old ones, in order
            made.states[i] = group.states[before.stage->process->states.size() + next_migrated++];
            continue;
          }
          if (from[i] < 0) continue;
          auto was = static_cast<size_t>(from[i]);
          made.states[i] =
              fitting_value(group.states[was], before.stage->process->states[was].type, now.states[i].type);
        }
        for (size_t i = 0; i < now.timers.size(); ++i) {
          int known = from[now.states.size() + i];
          if (known < 0) continue;
          const std::string& name =
              before.stage->process->timers[static_cast<size_t>(known) - first_timer].name;
          auto set = group.timers.find(name);
          if (set != group.timers.end()) made.timers[now.timers[i].name] = set->second;
        }
        state.processes[moved] = std::move(made);
      }
      return;
    }
    if (!view.stage->follows.empty()) {
      state.arrivals = old_state.arrivals;
      if (from[0] < 0) return;
      for (const auto& [row_key, row] : old_state.followed) {
        FollowedRow& moved = state.followed[row_key];
        moved = row;
        for (Given& given : moved.given) given.group = in_order(given.group, order);
      }
      return;
    }
    if (view.stage->match) {  // what has begun goes on when all that is asked of it is the same
      if (std::any_of(from.begin(), from.end(), [](int cell) { return cell < 0; })) return;
      auto rebuild = [&](MatchEvent& event) {
        event.fields = fields_by_name(*before.stage->input, *view.stage->input, event.fields);
      };
      for (const auto& [key, group] : old_state.matches) {
        MatchGroup& moved = state.matches[in_order(key, order)];
        moved = group;
        std::for_each(moved.events.begin(), moved.events.end(), rebuild);
      }
      state.waiting = old_state.waiting;
      for (auto& [place, event] : state.waiting) {
        event.first = in_order(event.first, order);
        rebuild(event.second);
      }
      state.arrivals = old_state.arrivals;
      return;
    }
    // A stage that aggregates nothing keeps which groups there are.
    bool any = (view.cells.empty() && before.cells.empty()) ||
               std::any_of(from.begin(), from.end(), [](int cell) { return cell >= 0; });
    if (!any) return;  // begins anew, with its own windows
    if (is_timed(*view.stage) && is_timed(*before.stage)) {
      state.closed = old_state.closed;
      auto ticks = [](const Stage& stage) { return stage.trigger_every > 0 && !stage.on_update; };
      if (ticks(*before.stage) && ticks(*view.stage)) state.tick = old_state.tick;
      state.rules = old_state.rules;
      // Where a join above gives its rows sooner from now on, those that are overdue are still to come.
      hand_over(state.rules, view.stage->window, old_state,
                std::min(old_.watermark(before.place.first, before.place.second),
                         next_.watermark(view.place.first, view.place.second)));
    }
    bool ticked = before.stage->ticks();
    if (ticked && view.stage->ticks()) state.tick = old_state.tick;
    bool all_merge = true;
    for (size_t i = 0; i < from.size(); ++i)
      all_merge = all_merge && (from[i] < 0 || (!view.stage->aggregates.empty() && merges(*view.stage, i)));
    for (const auto& [key, entries] : old_state.log) {
      for (size_t i = 0; i < from.size(); ++i) {
        if (from[i] < 0 || view.stage->aggregates.empty()) continue;
        check_values(*before.stage, static_cast<size_t>(from[i]), *view.stage, i, entries,
                     static_cast<size_t>(from[i]));
      }
    }
    Log log = rekeyed(old_state.log, *rekey, all_merge, view);
    if (before.stage->window.kind == WindowKind::Running && !before.stage->ttl) begin_ttl(before, view, log);
    if (view.stage->ticks() && before.stage->on_update) {  // all was given with each event
      for (auto& [key, entries] : log) {
        for (Entry& entry : entries) entry.told = true;
      }
    }
    int64_t grace = before.stage->late == typed::LatePolicy::Update ? before.stage->late_within : 0;
    int64_t closed = std::max(old_state.closed, old_.watermark(before.place.first, before.place.second));
    state.sealed = std::max(old_state.sealed, minus(closed, grace));
    if (view.stage->kind == StageKind::Dedupe) {
      state.log = std::move(log);
      return;
    }
    bool own = std::any_of(before.stage->aggregates.begin(), before.stage->aggregates.end(),
                           [](const AggregateCall& call) { return call.own != nullptr; });
    auto let_go =
        own && before.stage->window.kind == typed::WindowKind::Sliding ? let_go_in_windows : let_go_beyond;
    bool sessions =
        before.stage->window.kind == WindowKind::Session &&
        view.stage->window.kind == WindowKind::Session;  // else those that are there stay as they are
    if (sessions && before.stage->window.size != view.stage->window.size) state.sealed = closed;
    if (sessions && (state.sealed == closed || view.stage->late != typed::LatePolicy::Update)) {
      for (auto& [key, entries] : log)
        std::erase_if(entries, [](const Entry& entry) { return entry.session_over; });
      std::erase_if(log, [](const auto& group) { return group.second.empty(); });
    }
    for (auto& [key, entries] : log) {
      for (size_t cell = 0; cell < before.stage->aggregates.size(); ++cell)
        let_go(before.stage->aggregates[cell], cell, old_state.rules, entries);
      if (is_timed(*before.stage)) keep_sessions(old_state.rules, entries);
      for (Entry& entry : entries) {
        std::vector<std::optional<Admitted>> cells(from.size());
        std::map<size_t, std::set<int64_t>> gone;
        for (size_t i = 0; i < from.size(); ++i) {
          if (from[i] < 0) continue;
          auto known = static_cast<size_t>(from[i]);
          cells[i] = entry.cells[known];
          if (entry.gone.contains(known)) gone[i] = entry.gone[known];
        }
        entry.cells = std::move(cells);
        entry.gone = std::move(gone);
      }
    }
    for (auto& [key, entries] : log) {  // of several stages, one behind the other
      std::vector<Entry>& all = state.log[key];
      all.insert(all.end(), entries.begin(), entries.end());
    }
  }

  Flow& old_;
  Flow& next_;
  const Consents& consents_;
  std::vector<StageView> old_views_;
  std::vector<StageView> views_;
  std::vector<const StageView*> partners_;  // by new stage: the old one that it continues
  std::set<const StageView*> copied_;       // old ones that stages took from by `from`
  std::vector<std::string> undecided_;
};

}  // namespace

std::vector<std::string> migrate(Flow& old, Flow& next, const Consents& consents) {
  return Migration(old, next, consents).run();
}

}  // namespace mut::reference
