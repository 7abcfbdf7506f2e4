#include "compiler/change/match.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "compiler/change/differences.h"

namespace mut::change {

std::string Refusal::message() const {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const std::string& argument : arguments) store.push_back(argument);
  std::string_view text = diag::info(code).message;
  return fmt::vformat(fmt::string_view(text.data(), text.size()), store);
}

namespace {

using diag::Code;

// One kind of name with `was`: the old name of `name`, or empty when it is no rename.
template <typename Items>
std::string former(const Items& before, const std::string& name, const std::string& was, source::Span span,
                   std::string_view what, Matches& out) {
  if (was.empty() || was == name) return "";
  auto exists = [&](const std::string& wanted) {
    return std::any_of(before.begin(), before.end(), [&](const auto& item) { return item.name == wanted; });
  };
  if (!exists(was)) {
    out.notes.push_back(fmt::format("`{} was {}`: no {} of that old name; ignored", name, was, what));
    return "";
  }
  if (exists(name)) {
    out.refusals.push_back({.code = Code::RenameOntoExisting,
                            .span = span,
                            .arguments = {name, was},
                            .hint = "remove `was`, or give the new one another name"});
    return "";
  }
  return was;
}

class CellMatcher {
 public:
  CellMatcher(const State& old_state, const State& new_state, FormerNames::Direction direction, Matches& out)
      : old_(old_state), new_(new_state), direction_(direction), out_(out) {}

  void match(const StatefulStage& was, const StatefulStage& is, Identity identity) {
    std::vector<int> old_left = was.cells;
    std::vector<int> new_left = is.cells;
    auto pair_up = [&](auto fits, Identity how) {
      for (size_t n = 0; n < new_left.size();) {
        auto only = only_fit(old_left, new_left, n, fits);
        if (!only) {
          ++n;
          continue;
        }
        out_.cells[static_cast<size_t>(new_left[n])] = {old_left[*only], how};
        old_left.erase(old_left.begin() + static_cast<ptrdiff_t>(*only));
        new_left.erase(new_left.begin() + static_cast<ptrdiff_t>(n));
      }
    };
    // Several calls of one function in a column are told apart by what they compute, then by number.
    auto base = [](const Cell& cell) { return cell.name.substr(0, cell.name.find('#')); };
    auto alike = [&](const Cell& a, const Cell& b) { return base(a) == base(b) && same_content(a, b); };
    bool back = direction_ == FormerNames::Direction::Back;
    auto former_column = [&](const Cell& cell) {
      for (const typed::Output& output : was.of->outputs) {
        if (back && !cell.column().empty() && output.was == cell.column()) return output.name;
      }
      if (back) return std::string();
      for (const typed::Output& output : cell.of->outputs) {
        if (output.name == cell.column()) return output.was;
      }
      return std::string();
    };
    auto renamed_base = [&](const Cell& b) { return former_column(b) + base(b).substr(b.column().size()); };
    auto was_alike = [&](const Cell& a, const Cell& b) {
      return !former_column(b).empty() && base(a) == renamed_base(b) && same_content(a, b);
    };
    auto was_named = [&](const Cell& a, const Cell& b) {
      return !former_column(b).empty() && base(a) == renamed_base(b);
    };
    auto named = [](const Cell& a, const Cell& b) { return a.name == b.name; };
    auto column = [](const Cell& a, const Cell& b) {
      return !b.column().empty() && a.column() == b.column();
    };
    auto was_column = [&](const Cell& a, const Cell& b) {
      return !former_column(b).empty() && a.column() == former_column(b);
    };
    Identity by_name = identity == Identity::Inferred ? Identity::Same : identity;
    Identity by_was = identity == Identity::Copy ? identity : Identity::Was;
    auto was_variable = [&](const Cell& a, const Cell& b) {
      const Cell& says = back ? a : b;
      const Cell& other = back ? b : a;
      if (!says.of->process) return false;
      const auto& states = says.of->process->states;
      return std::any_of(states.begin(), states.end(), [&](const typed::ProcessState& state) {
        return state.name == says.name && !state.was.empty() && state.was == other.name;
      });
    };
    pair_up(was_variable, by_was);
    pair_up(was_alike, by_was);
    pair_up(was_named, by_was);
    pair_up(alike, by_name);
    pair_up(named, by_name);
    pair_up(was_column, by_was);
    pair_up(column, by_name);
    infer_renames(old_left, new_left);
  }

  // After match(): a further stage of `from`, whose cells go into the same ones.
  void merge(const StatefulStage& was, const StatefulStage& is) {
    std::vector<CellMatch> known;
    for (int cell : is.cells) known.push_back(std::exchange(out_.cells[static_cast<size_t>(cell)], {}));
    match(was, is, Identity::Copy);
    for (size_t i = 0; i < known.size(); ++i) {
      CellMatch& made = out_.cells[static_cast<size_t>(is.cells[i])];
      if (known[i].old_cell < 0) continue;
      if (made.old_cell >= 0) known[i].merged.push_back(made.old_cell);
      made = std::move(known[i]);
    }
  }

 private:
  // The old cell that fits this new one, when neither has a second.
  template <typename Fits>
  std::optional<size_t> only_fit(const std::vector<int>& old_left, const std::vector<int>& new_left, size_t n,
                                 Fits fits) const {
    std::optional<size_t> only;
    const Cell& mine = new_.cells[static_cast<size_t>(new_left[n])];
    for (size_t o = 0; o < old_left.size(); ++o) {
      if (!fits(old_.cells[static_cast<size_t>(old_left[o])], mine)) continue;
      if (only) return std::nullopt;
      only = o;
    }
    if (!only) return std::nullopt;
    const Cell& old_cell = old_.cells[static_cast<size_t>(old_left[*only])];
    for (size_t other = 0; other < new_left.size(); ++other) {
      if (other != n && fits(old_cell, new_.cells[static_cast<size_t>(new_left[other])])) return std::nullopt;
    }
    return only;
  }

  // Columns that went and columns that came with equal content: one of each is a rename, more are not
  // to be told apart.
  void infer_renames(const std::vector<int>& old_left, const std::vector<int>& new_left) {
    std::vector<char> done(old_left.size(), 0);
    for (size_t o = 0; o < old_left.size(); ++o) {
      if (done[o]) continue;
      const Cell& gone = old_.cells[static_cast<size_t>(old_left[o])];
      std::vector<int> from;
      std::vector<int> to;
      for (size_t other = o; other < old_left.size(); ++other) {
        if (!same_content(old_.cells[static_cast<size_t>(old_left[other])], gone)) continue;
        from.push_back(old_left[other]);
        done[other] = 1;
      }
      for (int candidate : new_left) {
        if (same_content(gone, new_.cells[static_cast<size_t>(candidate)])) to.push_back(candidate);
      }
      if (to.empty()) continue;
      if (from.size() == 1 && to.size() == 1) {
        out_.cells[static_cast<size_t>(to[0])] = {from[0], Identity::Inferred};
        continue;
      }
      Refusal refusal;
      refusal.code = Code::AmbiguousRename;
      refusal.span = new_.cells[static_cast<size_t>(to[0])].span;
      std::string names[2];
      for (int cell : from) {
        const Cell& of = old_.cells[static_cast<size_t>(cell)];
        names[0] += (names[0].empty() ? "`" : ", `") + display(of) + "`";
        refusal.old_spans.push_back(of.span);
        out_.refused_old_cells.insert(cell);
      }
      for (int cell : to) {
        const Cell& of = new_.cells[static_cast<size_t>(cell)];
        names[1] += (names[1].empty() ? "`" : ", `") + display(of) + "`";
        refusal.others.push_back(of.span);
        out_.refused_new_cells.insert(cell);
      }
      refusal.arguments = {names[0], names[1]};
      refusal.hint = "say which is which: `" + display(new_.cells[static_cast<size_t>(to[0])]) + " was " +
                     display(gone) + " = …`";
      out_.refusals.push_back(std::move(refusal));
    }
  }

  static std::string display(const Cell& cell) { return cell.column().empty() ? cell.name : cell.column(); }

  const State& old_;
  const State& new_;
  FormerNames::Direction direction_;
  Matches& out_;
};

class StageMatcher {
 public:
  StageMatcher(const typed::Program& before, const State& old_state, const typed::Program& after,
               const State& new_state, const FormerNames& names, Matches& out)
      : before_(before), after_(after), old_(old_state), new_(new_state), names_(names), out_(out) {
    old_taken_.assign(old_.stages.size(), 0);
    stage_of_.assign(new_.stages.size(), -1);
    how_.assign(new_.stages.size(), Identity::None);
    merged_.resize(new_.stages.size());
  }

  void run() {
    out_.cells.assign(new_.cells.size(), {});
    std::unordered_map<std::string_view, int> old_streams;
    for (size_t i = 0; i < before_.streams.size(); ++i)
      old_streams.emplace(before_.streams[i].name, static_cast<int>(i));
    for (size_t i = 0; i < after_.streams.size(); ++i) {
      const typed::Stream& stream = after_.streams[i];
      auto former = names_.streams.find(stream.name);
      bool renamed = former != names_.streams.end();
      auto old_stream = old_streams.find(renamed ? former->second : stream.name);
      match_stream(old_stream == old_streams.end() ? -1 : old_stream->second, static_cast<int>(i), renamed);
    }
    for (size_t n = 0; n < new_.stages.size(); ++n) copy(n);
    out_.stages = stage_of_;
    CellMatcher cells(old_, new_, names_.direction, out_);
    for (size_t n = 0; n < new_.stages.size(); ++n) {
      if (stage_of_[n] < 0) continue;
      const StatefulStage& was = old_.stages[static_cast<size_t>(stage_of_[n])];
      cells.match(was, new_.stages[n], how_[n]);
      for (size_t other : merged_[n]) cells.merge(old_.stages[other], new_.stages[n]);
      bool by_name = new_.stages[n].of->labelled && how_[n] != Identity::Inferred;
      if (!by_name)
        out_.inferred.push_back(stream_name(after_, new_.stages[n]) + "/" + new_.stages[n].of->name);
    }
  }

 private:
  static std::string stream_name(const typed::Program& program, const StatefulStage& stage) {
    return program.streams[static_cast<size_t>(stage.stream)].name;
  }

  void take(size_t old_stage, size_t new_stage, Identity how) {
    old_taken_[old_stage] = 1;
    stage_of_[new_stage] = static_cast<int>(old_stage);
    how_[new_stage] = how;
  }

  bool old_free(size_t o) const { return !old_taken_[o]; }
  bool new_free(size_t n) const { return stage_of_[n] < 0 && new_.stages[n].of->from.empty() && !refused(n); }
  bool refused(size_t n) const {
    return std::find(ambiguous_.begin(), ambiguous_.end(), n) != ambiguous_.end();
  }

  void refuse_old(size_t o) {
    old_taken_[o] = 1;
    out_.refused_old_cells.insert(old_.stages[o].cells.begin(), old_.stages[o].cells.end());
  }
  void refuse_new(size_t n) {
    ambiguous_.push_back(n);
    out_.refused_new_cells.insert(new_.stages[n].cells.begin(), new_.stages[n].cells.end());
  }

  void match_stream(int old_stream, int new_stream, bool renamed) {
    std::vector<size_t> olds;
    std::vector<size_t> news;
    for (size_t o = 0; o < old_.stages.size(); ++o) {
      if (old_.stages[o].stream == old_stream) olds.push_back(o);
    }
    for (size_t n = 0; n < new_.stages.size(); ++n) {
      if (new_.stages[n].stream == new_stream) news.push_back(n);
    }
    if (old_stream < 0 || news.empty()) return;
    by_name(olds, news, renamed);
    Identity identity = renamed ? Identity::Was : Identity::Same;
    unique(olds, news, identity,
           [&](size_t o, size_t n) { return old_.stages[o].fingerprint == new_.stages[n].fingerprint; });
    unique(olds, news, identity, [&](size_t o, size_t n) {
      return old_.stages[o].of->kind == new_.stages[n].of->kind && old_.stages[o].keys == new_.stages[n].keys;
    });
    for (typed::StageKind kind :
         {typed::StageKind::Where, typed::StageKind::Project, typed::StageKind::Dedupe,
          typed::StageKind::Aggregate, typed::StageKind::Join, typed::StageKind::Match,
          typed::StageKind::Hold, typed::StageKind::Table, typed::StageKind::Process})
      rest(olds, news, kind, renamed);
  }

  // A label stands for itself; the address of a stage without one may be given to it as a label.
  void by_name(const std::vector<size_t>& olds, const std::vector<size_t>& news, bool renamed) {
    for (size_t n : news) {
      const typed::Stage& stage = *new_.stages[n].of;
      if (!stage.labelled) continue;
      auto find = [&](const std::string& name) -> std::optional<size_t> {
        for (size_t o : olds) {
          if (old_.stages[o].of->name == name) return o;
        }
        return std::nullopt;
      };
      auto same = find(stage.name);
      auto was = stage.was.empty() ? std::nullopt : find(stage.was);
      if (names_.direction == FormerNames::Direction::Back) {
        was = std::nullopt;
        for (size_t o : olds) {
          if (old_.stages[o].of->labelled && old_.stages[o].of->was == stage.name) was = o;
        }
      }
      if (was && same && *was != *same) {
        out_.refusals.push_back({.code = Code::RenameOntoExisting,
                                 .span = stage.span,
                                 .arguments = {"@" + stage.name, "@" + stage.was},
                                 .hint = "remove `was`, or give the new one another label"});
        refuse_new(n);
        continue;
      }
      if (!stage.was.empty() && !was && !same && names_.direction == FormerNames::Direction::Forward) {
        out_.notes.push_back(
            fmt::format("`@{} was {}`: no stage of that old name; ignored", stage.name, stage.was));
      }
      auto chosen = was ? was : same;
      if (!chosen || !old_free(*chosen)) continue;
      if (old_.stages[*chosen].of->kind != stage.kind) {
        out_.refusals.push_back(
            {.code = Code::OtherKindOfStage,
             .span = stage.span,
             .arguments = {"@" + stage.name, old_.stages[*chosen].of->keyword, stage.keyword},
             .old_spans = {old_.stages[*chosen].of->span},
             .hint = "give it another label; the old state is then dropped"});
        refuse_new(n);
        refuse_old(*chosen);
        continue;
      }
      take(*chosen, n, was ? Identity::Was : renamed ? Identity::Was : Identity::Same);
    }
  }

  // Two labels are two names: only a stage without one is found by what it is.
  bool may_pair(size_t o, size_t n) const {
    return !(old_.stages[o].of->labelled && new_.stages[n].of->labelled);
  }

  void unique(const std::vector<size_t>& olds, const std::vector<size_t>& news, Identity identity,
              const std::function<bool(size_t, size_t)>& alike) {
    std::vector<std::pair<size_t, size_t>> found;
    for (size_t n : news) {
      if (!new_free(n)) continue;
      std::vector<size_t> partners;
      for (size_t o : olds) {
        if (old_free(o) && may_pair(o, n) && alike(o, n)) partners.push_back(o);
      }
      if (partners.size() != 1) continue;
      auto rivals = std::count_if(news.begin(), news.end(), [&](size_t other) {
        return new_free(other) && may_pair(partners[0], other) && alike(partners[0], other);
      });
      if (rivals == 1) found.emplace_back(partners[0], n);
    }
    for (auto [o, n] : found) take(o, n, identity);
  }

  // What neither name nor content tells: a single one continues a single one, several are refused.
  void rest(const std::vector<size_t>& olds, const std::vector<size_t>& news, typed::StageKind kind,
            bool renamed) {
    std::vector<size_t> left_old;
    std::vector<size_t> left_new;
    for (size_t o : olds) {
      if (old_free(o) && old_.stages[o].of->kind == kind) left_old.push_back(o);
    }
    for (size_t n : news) {
      if (new_free(n) && new_.stages[n].of->kind == kind) left_new.push_back(n);
    }
    std::vector<size_t> plain_new;
    for (size_t n : left_new) {
      if (!new_.stages[n].of->labelled) plain_new.push_back(n);
    }
    if (plain_new.empty()) {
      // New labels and state that no label continues.
      if (left_old.size() == 1 && left_new.size() == 1) {
        if (may_pair(left_old[0], left_new[0])) {
          take(left_old[0], left_new[0], renamed ? Identity::Was : Identity::Inferred);
        } else {
          out_.likely_renames.emplace_back(static_cast<int>(left_old[0]), static_cast<int>(left_new[0]));
        }
      }
      return;
    }
    if (left_old.empty()) return;
    if (left_old.size() == 1 && plain_new.size() == 1) {
      take(left_old[0], plain_new[0], renamed ? Identity::Was : Identity::Inferred);
      return;
    }
    Refusal refusal;
    refusal.code = Code::AmbiguousStage;
    refusal.span = new_.stages[plain_new[0]].of->span;
    refusal.arguments = {std::string(new_.stages[plain_new[0]].of->keyword), std::to_string(left_old.size()),
                         std::to_string(plain_new.size())};
    for (size_t o : left_old) refusal.old_spans.push_back(old_.stages[o].of->span);
    for (size_t n : plain_new) {
      refusal.others.push_back(new_.stages[n].of->span);
      refuse_new(n);
    }
    refusal.hint =
        "label them, as in `| @first " + std::string(new_.stages[plain_new[0]].of->keyword) + " …`";
    out_.refusals.push_back(std::move(refusal));
    for (size_t o : left_old) refuse_old(o);
  }

  // `@x from y`: taken once, when x is new. Of several stages what they keep becomes one.
  void copy(size_t n) {
    const typed::Stage& stage = *new_.stages[n].of;
    if (stage.from.empty() || stage_of_[n] >= 0) return;
    for (const std::string& name : stage.from) {
      std::optional<size_t> found = find_from(n, name);
      if (!found) {
        out_.notes.push_back(fmt::format("`@{} from {}`: no such state before; {}", stage.name, name,
                                         stage.from.size() == 1 ? "starts empty" : "it is left out"));
        continue;
      }
      if (stage.from.size() > 1 && !(merges_stages(stage) && merges_stages(*old_.stages[*found].of)))
        return refuse_merge(n, *found);
      if (stage_of_[n] >= 0) {
        merged_[n].push_back(*found);
        continue;
      }
      stage_of_[n] = static_cast<int>(*found);
      how_[n] = Identity::Copy;
    }
  }

  std::optional<size_t> find_from(size_t n, const std::string& name) const {
    size_t slash = name.rfind('/');
    std::string from_stream =
        slash == std::string::npos ? stream_name(after_, new_.stages[n]) : name.substr(0, slash);
    std::string from_stage = slash == std::string::npos ? name : name.substr(slash + 1);
    auto former = names_.streams.find(from_stream);
    if (former != names_.streams.end()) from_stream = former->second;
    for (size_t o = 0; o < old_.stages.size(); ++o) {
      if (stream_name(before_, old_.stages[o]) != from_stream || old_.stages[o].of->name != from_stage)
        continue;
      if (old_.stages[o].of->kind == new_.stages[n].of->kind) return o;
    }
    return std::nullopt;
  }

  // Whether groups of several such stages can become those of one: what they hold has no time of its own.
  static bool merges_stages(const typed::Stage& stage) {
    bool timeless =
        stage.window.kind == typed::WindowKind::Running || stage.window.kind == typed::WindowKind::All;
    return stage.kind == typed::StageKind::Aggregate && stage.follows.empty() && timeless && !stage.ticks();
  }

  void refuse_merge(size_t n, size_t old_stage) {
    const typed::Stage& stage = *new_.stages[n].of;
    std::string list;
    for (const std::string& name : stage.from) list += (list.empty() ? "" : " + ") + name;
    out_.refusals.push_back({.code = Code::MergeOfState,
                             .span = stage.span,
                             .arguments = {"@" + stage.name, list},
                             .old_spans = {old_.stages[old_stage].of->span},
                             .hint = "`from` with one name copies its state"});
    stage_of_[n] = -1;
    how_[n] = Identity::None;
    merged_[n].clear();
  }

  const typed::Program& before_;
  const typed::Program& after_;
  const State& old_;
  const State& new_;
  const FormerNames& names_;
  Matches& out_;
  std::vector<char> old_taken_;
  std::vector<int> stage_of_;  // by new stage
  std::vector<Identity> how_;
  std::vector<std::vector<size_t>> merged_;  // by new stage: further old ones, by `from`
  std::vector<size_t> ambiguous_;
};

}  // namespace

FormerNames former_names(const typed::Program& before, const typed::Program& after, Matches& out) {
  FormerNames names;
  for (const typed::Source& source : after.sources) {
    std::string was = former(before.sources, source.name, source.was, source.span, "source", out);
    if (!was.empty()) {
      names.sources[source.name] = was;
      names.streams[source.name] = was;
    }
    const std::string& old_name = was.empty() ? source.name : was;
    for (const typed::Source& other : before.sources) {
      if (other.name != old_name) continue;
      for (const typed::Field& field : source.type->fields) {
        std::string old_field = former(other.type->fields, field.name, field.was, source.span, "field", out);
        if (!old_field.empty()) names.fields[source.name + "/" + field.name] = old_field;
      }
    }
  }
  for (const typed::Stream& stream : after.streams) {
    if (stream.kind == typed::StreamKind::Source) continue;
    std::string was = former(before.streams, stream.name, stream.was, stream.span, "stream", out);
    if (!was.empty()) names.streams[stream.name] = was;
  }
  return names;
}

FormerNames names_back(const typed::Program& before, const typed::Program& after) {
  Matches ignored;  // they were told when the edit was made
  FormerNames forth = former_names(after, before, ignored);
  FormerNames back;
  back.direction = FormerNames::Direction::Back;
  for (const auto& [now, then] : forth.sources) back.sources[then] = now;
  for (const auto& [now, then] : forth.streams) back.streams[then] = now;
  for (const auto& [now, then] : forth.fields) {
    size_t slash = now.find('/');
    auto source = forth.sources.find(now.substr(0, slash));
    const std::string& of = source == forth.sources.end() ? now.substr(0, slash) : source->second;
    back.fields[of + "/" + then] = now.substr(slash + 1);
  }
  return back;
}

void match_cells(const typed::Program& before, const State& old_state, const typed::Program& after,
                 const State& new_state, const FormerNames& names, Matches& out) {
  StageMatcher(before, old_state, after, new_state, names, out).run();
}

}  // namespace mut::change
