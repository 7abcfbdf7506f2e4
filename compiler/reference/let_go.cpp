#include "compiler/reference/let_go.h"

#include <numeric>

#include "compiler/reference/zones.h"

namespace mut::reference {

using typed::WindowKind;

namespace {

bool is_fixed(const WindowRule& rule) {
  return rule.window.kind == WindowKind::Tumbling || rule.window.kind == WindowKind::Sliding;
}

// Each event by its session; those of other rules are in none of them.
std::vector<int64_t> session_pieces(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries) {
  std::vector<int64_t> out(entries.size(), -1);
  std::vector<Stretch> all = sessions(rules, entries, Fired::With);
  for (size_t i = 0; i < entries.size(); ++i) {
    for (size_t k = 0; k < all.size(); ++k) {
      if (in_session(rules, all[k], entries[i].time)) out[i] = static_cast<int64_t>(k);
    }
  }
  return out;
}

// By the panes that all rules of fixed windows have in common.
std::vector<int64_t> fixed_pieces(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries) {
  std::vector<int64_t> out(entries.size(), 0);
  int64_t width = 0;
  int64_t offset = rules[0].window.offset;
  for (const WindowRule& rule : rules) {
    width = std::gcd(width, std::gcd(rule.window.size, rule.window.every));
    width = std::gcd(width, rule.window.offset - offset);
  }
  if (width == 0) return out;
  if (!rules[0].window.zone.empty()) {
    for (size_t i = 0; i < entries.size(); ++i) out[i] = zone_piece(rules[0].window, width, entries[i].time);
    return out;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    int64_t shifted = entries[i].time - offset;
    out[i] = shifted / width - (shifted % width < 0 ? 1 : 0);
  }
  return out;
}

// What is kept together of each entry: rules of one kind that follow each other share their pieces.
using Piece = std::pair<size_t, int64_t>;
std::vector<Piece> pieces_of(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries) {
  std::vector<Piece> out(entries.size());
  if (rules.empty()) return out;
  if (!is_fixed(rules[0]) && rules[0].window.kind != WindowKind::Session) {
    // Of a count of events; those that overlap never take more of them.
    bool overlap = rules[0].window.kind == WindowKind::Count && rules[0].window.every != rules[0].window.size;
    for (size_t i = 0; overlap && i < out.size(); ++i) out[i].second = static_cast<int64_t>(i);
    return out;
  }
  for (size_t first = 0; first < rules.size();) {
    size_t end = first;
    while (end < rules.size() && is_fixed(rules[end]) == is_fixed(rules[first])) ++end;
    std::vector<WindowRule> run(rules.begin() + static_cast<std::ptrdiff_t>(first),
                                rules.begin() + static_cast<std::ptrdiff_t>(end));
    bool fixed = is_fixed(run[0]);
    std::vector<int64_t> pieces = fixed ? fixed_pieces(run, entries) : session_pieces(run, entries);
    for (size_t i = 0; i < entries.size(); ++i) {
      bool of_run = fixed ? !fixed_windows(run, entries[i].time).empty() : in_session(run, entries[i].time);
      if (of_run || run.size() == rules.size()) out[i] = {first, pieces[i]};
    }
    first = end;
  }
  return out;
}

}  // namespace

void let_go_beyond(const typed::AggregateCall& call, size_t cell, const std::vector<WindowRule>& rules,
                   std::vector<Entry>& entries) {
  if (call.most == 0) return;
  std::vector<Piece> pieces = pieces_of(rules, entries);
  std::map<Piece, std::vector<size_t>> by_piece;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (cell < entries[i].cells.size() && entries[i].cells[cell]) by_piece[pieces[i]].push_back(i);
  }
  for (const auto& [piece, members] : by_piece) {
    std::vector<Admitted> list;
    for (size_t member : members) list.push_back(*entries[member].cells[cell]);
    std::set<size_t> kept;
    for (size_t place : chosen_of(call, list)) kept.insert(members[place]);
    for (size_t member : members) {
      if (!kept.contains(member)) entries[member].cells[cell].reset();
    }
  }
}

void let_go_in_windows(const typed::AggregateCall& call, size_t cell, const std::vector<WindowRule>& rules,
                       std::vector<Entry>& entries) {
  if (call.most == 0) return;
  std::map<int64_t, std::vector<size_t>> by_start;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (cell >= entries[i].cells.size() || !entries[i].cells[cell]) continue;
    for (auto [end, start] : fixed_windows(rules, entries[i].time)) {
      if (!entries[i].gone[cell].contains(start)) by_start[start].push_back(i);
    }
  }
  for (const auto& [start, members] : by_start) {
    std::vector<Admitted> list;
    for (size_t member : members) list.push_back(*entries[member].cells[cell]);
    std::set<size_t> kept;
    for (size_t place : chosen_of(call, list)) kept.insert(members[place]);
    for (size_t member : members) {
      if (!kept.contains(member)) entries[member].gone[cell].insert(start);
    }
  }
}

}  // namespace mut::reference
