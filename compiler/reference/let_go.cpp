#include "compiler/reference/let_go.h"

#include <numeric>

#include "compiler/reference/zones.h"

namespace mut::reference {

using typed::WindowKind;

namespace {

// Numbers the piece of each entry.
std::vector<int64_t> pieces_of(const std::vector<WindowRule>& rules, const std::vector<Entry>& entries) {
  std::vector<int64_t> out(entries.size(), 0);
  if (rules.empty()) return out;
  if (rules[0].window.kind == WindowKind::Session) {
    std::vector<Stretch> all = sessions(rules, entries, Fired::With);
    for (size_t i = 0; i < entries.size(); ++i) {
      for (size_t k = 0; k < all.size(); ++k) {
        if (entries[i].time >= all[k].start && entries[i].time < all[k].end) out[i] = static_cast<int64_t>(k);
      }
    }
    return out;
  }
  bool fixed = rules[0].window.kind == WindowKind::Tumbling || rules[0].window.kind == WindowKind::Sliding;
  if (!fixed) {  // of a count of events; those that overlap never take more of them
    bool overlap = rules[0].window.kind == WindowKind::Count && rules[0].window.every != rules[0].window.size;
    if (overlap) std::iota(out.begin(), out.end(), 0);
    return out;
  }
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

}  // namespace

void let_go_beyond(const typed::AggregateCall& call, size_t cell, const std::vector<WindowRule>& rules,
                   std::vector<Entry>& entries) {
  if (call.most == 0) return;
  std::vector<int64_t> pieces = pieces_of(rules, entries);
  std::map<int64_t, std::vector<size_t>> by_piece;
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
