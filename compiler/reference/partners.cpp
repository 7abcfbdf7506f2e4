#include "compiler/reference/partners.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace mut::reference {

using typed::Stage;

namespace {

// All that a stage does, but for names.
std::string fingerprint(const StageView& view) {
  const Stage& stage = *view.stage;
  const typed::Window& window = stage.window;
  std::string out = std::to_string(static_cast<int>(stage.kind)) + " in " +
                    std::to_string(static_cast<int>(window.kind)) + window.zone;
  for (int64_t number : {window.size, window.every, window.offset, stage.within})
    out += " " + std::to_string(number);
  if (stage.join)
    out += " join " + std::to_string(static_cast<int>(stage.join->kind)) + " " +
           std::to_string(stage.join->low) + " " + std::to_string(stage.join->high);
  if (stage.hold)
    out += " hold " + std::to_string(stage.hold->span) + " " + std::to_string(stage.hold->count) + " " +
           std::to_string(static_cast<int>(stage.hold->ties));
  for (const typed::History& history : stage.histories)
    out += " over " + std::to_string(static_cast<int>(history.over)) + " " + std::to_string(history.amount);
  for (const Cell& cell : view.cells) {
    out += "; " + cell.function + " " + text_of(cell.meaning) + text_of(cell.filter);
    for (const Ways& key : cell.keys) out += " by " + text_of(key);
  }
  for (const Ways& key : view.keys) out += " by " + text_of(key);
  return out + " of " + text_of(view.arriving);
}

std::string keys_text(const StageView& view) {
  std::string out;
  for (const Ways& key : view.keys) out += text_of(key) + "; ";
  for (const Cell& cell : view.cells) {
    for (const Ways& key : cell.keys) out += text_of(key) + "; ";
    if (view.stage->histories.empty()) break;  // all have the same
  }
  return out;
}

class Matching {
 public:
  Matching(const std::vector<StageView>& before, const std::vector<StageView>& now,
           const typed::Program& old_program, std::vector<std::string>& undecided)
      : before_(before), now_(now), old_program_(old_program), undecided_(undecided), found_(now.size()) {}

  std::vector<const StageView*> run() {
    std::set<const typed::Stream*> streams;
    for (const StageView& view : now_) streams.insert(view.stream);
    for (const typed::Stream* stream : streams) {
      std::vector<size_t> news;
      for (size_t i = 0; i < now_.size(); ++i) {
        if (now_[i].stream == stream) news.push_back(i);
      }
      std::vector<const StageView*> olds;
      for (const StageView& view : before_) {
        if (view.stream->name == former_name(*stream)) olds.push_back(&view);
      }
      by_label(olds, news);
      alone(olds, news, [](const StageView& a, const StageView& b) {
        return a.stage->kind == b.stage->kind && fingerprint(a) == fingerprint(b);
      });
      alone(olds, news, [](const StageView& a, const StageView& b) {
        return a.stage->kind == b.stage->kind && keys_text(a) == keys_text(b);
      });
      rest(olds, news);
    }
    return found_;
  }

 private:
  const std::string& former_name(const typed::Stream& stream) const {
    bool renamed = !stream.was.empty() && old_program_.find_stream(stream.was) >= 0;
    return renamed ? stream.was : stream.name;
  }
  bool is_free(const StageView* view) const {
    return std::find(found_.begin(), found_.end(), view) == found_.end();
  }
  bool is_open(size_t view) const { return found_[view] == nullptr && now_[view].stage->from.empty(); }
  // Two labels are two names.
  bool may_be(const StageView& old, const StageView& view) const {
    return !old.stage->labelled || !view.stage->labelled;
  }

  void by_label(const std::vector<const StageView*>& olds, const std::vector<size_t>& news) {
    for (size_t view : news) {
      const Stage& stage = *now_[view].stage;
      if (!stage.labelled) continue;
      const StageView* found = nullptr;
      for (const std::string* name : {&stage.was, &stage.name}) {
        for (const StageView* old : olds) {
          bool named = old->stage->kind == stage.kind && old->stage->name == *name;
          if (found == nullptr && named && is_free(old)) found = old;
        }
      }
      found_[view] = found;
    }
  }

  // Of those that are alike, where there is one on each side.
  void alone(const std::vector<const StageView*>& olds, const std::vector<size_t>& news,
             const std::function<bool(const StageView&, const StageView&)>& alike) {
    std::map<size_t, const StageView*> pairs;
    for (size_t view : news) {
      if (!is_open(view)) continue;
      std::vector<const StageView*> same;
      for (const StageView* old : olds) {
        if (is_free(old) && may_be(*old, now_[view]) && alike(*old, now_[view])) same.push_back(old);
      }
      if (same.size() != 1) continue;
      auto rivals = std::count_if(news.begin(), news.end(), [&](size_t other) {
        return is_open(other) && may_be(*same[0], now_[other]) && alike(*same[0], now_[other]);
      });
      if (rivals == 1) pairs[view] = same[0];
    }
    for (auto [view, old] : pairs) found_[view] = old;
  }

  // The only one of a kind that is left on both sides; more without label are not to be told apart.
  void rest(const std::vector<const StageView*>& olds, const std::vector<size_t>& news) {
    std::set<typed::StageKind> kinds;
    for (size_t view : news) kinds.insert(now_[view].stage->kind);
    for (typed::StageKind kind : kinds) {
      std::vector<const StageView*> gone;
      std::vector<size_t> come;
      for (const StageView* old : olds) {
        if (is_free(old) && old->stage->kind == kind) gone.push_back(old);
      }
      for (size_t view : news) {
        if (is_open(view) && now_[view].stage->kind == kind) come.push_back(view);
      }
      std::vector<size_t> plain;
      for (size_t view : come) {
        if (!now_[view].stage->labelled) plain.push_back(view);
      }
      if (gone.empty() || come.empty()) continue;
      if (plain.empty()) {
        if (gone.size() == 1 && come.size() == 1 && may_be(*gone[0], now_[come[0]]))
          found_[come[0]] = gone[0];
      } else if (gone.size() == 1 && plain.size() == 1) {
        found_[plain[0]] = gone[0];
      } else {
        undecided_.push_back("refuse:" + now_[plain[0]].path());
      }
    }
  }

  const std::vector<StageView>& before_;
  const std::vector<StageView>& now_;
  const typed::Program& old_program_;
  std::vector<std::string>& undecided_;
  std::vector<const StageView*> found_;
};

class CellMatching {
 public:
  CellMatching(const StageView& before, const StageView& now) : before_(before), now_(now) {
    found_.assign(now.cells.size(), -1);
  }

  std::vector<int> run(std::vector<std::string>& undecided) {
    // By `was` first, then by name; of several calls of one function in a field by what they compute.
    pair_up([&](const Cell& a, const Cell& b) { return !was_of(b).empty() && a.name == was_of(b); });
    pair_up([&](const Cell& a, const Cell& b) {
      return !former_base(b).empty() && a.base() == former_base(b) && a.same_content(b);
    });
    pair_up(
        [&](const Cell& a, const Cell& b) { return !former_base(b).empty() && a.base() == former_base(b); });
    pair_up([](const Cell& a, const Cell& b) { return a.base() == b.base() && a.same_content(b); });
    pair_up([](const Cell& a, const Cell& b) { return a.name == b.name; });
    // Another function under the name of the field is that cell replaced (2.5, row 16).
    pair_up([&](const Cell& a, const Cell& b) {
      std::string column = former_column(b);
      return !column.empty() && a.column() == column;
    });
    pair_up([](const Cell& a, const Cell& b) { return !b.column().empty() && a.column() == b.column(); });
    if (!now_.stage->process) find_renames(undecided);  // variables go by name
    return found_;
  }

 private:
  bool is_free(size_t old) const {
    return std::find(found_.begin(), found_.end(), static_cast<int>(old)) == found_.end();
  }

  void pair_up(const std::function<bool(const Cell&, const Cell&)>& fits) {
    for (size_t i = 0; i < found_.size(); ++i) {
      if (found_[i] >= 0) continue;
      std::vector<size_t> olds;
      for (size_t k = 0; k < before_.cells.size(); ++k) {
        if (is_free(k) && fits(before_.cells[k], now_.cells[i])) olds.push_back(k);
      }
      if (olds.size() != 1) continue;
      bool alone = true;
      for (size_t other = 0; other < found_.size(); ++other)
        alone =
            alone && (other == i || found_[other] >= 0 || !fits(before_.cells[olds[0]], now_.cells[other]));
      if (alone) found_[i] = static_cast<int>(olds[0]);
    }
  }

  // What `was` of the field says.
  std::string former_column(const Cell& cell) const {
    for (const typed::Output& output : now_.stage->outputs) {
      if (output.name == cell.column()) return output.was;
    }
    return "";
  }
  std::string former_base(const Cell& cell) const {
    std::string column = former_column(cell);
    return column.empty() ? "" : column + cell.base().substr(cell.column().size());
  }
  // What `was` of a variable says.
  std::string was_of(const Cell& cell) const {
    if (!now_.stage->process) return "";
    for (const typed::ProcessState& state : now_.stage->process->states) {
      if (state.name == cell.name) return state.was;
    }
    return "";
  }

  // Where one cell went and one of equal content came; more are not to be told apart.
  void find_renames(std::vector<std::string>& undecided) {
    std::vector<size_t> gone;
    for (size_t k = 0; k < before_.cells.size(); ++k) {
      if (is_free(k)) gone.push_back(k);
    }
    for (size_t old : gone) {
      auto same = std::count_if(gone.begin(), gone.end(), [&](size_t other) {
        return before_.cells[other].same_content(before_.cells[old]);
      });
      std::vector<size_t> come;
      for (size_t i = 0; i < found_.size(); ++i) {
        if (found_[i] < 0 && now_.cells[i].same_content(before_.cells[old])) come.push_back(i);
      }
      if (come.empty()) continue;
      if (same == 1 && come.size() == 1) {
        found_[come[0]] = static_cast<int>(old);
      } else {
        undecided.push_back("refuse:" + now_.path() + now_.cells[come[0]].name);
      }
    }
  }

  const StageView& before_;
  const StageView& now_;
  std::vector<int> found_;
};

}  // namespace

std::vector<const StageView*> partners_of(const std::vector<StageView>& before,
                                          const std::vector<StageView>& now,
                                          const typed::Program& old_program,
                                          std::vector<std::string>& undecided) {
  return Matching(before, now, old_program, undecided).run();
}

std::vector<int> old_cells(const StageView& before, const StageView& now,
                           std::vector<std::string>& undecided) {
  return CellMatching(before, now).run(undecided);
}

}  // namespace mut::reference
