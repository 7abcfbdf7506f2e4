#include "compiler/graph/pattern_program.h"

namespace mut::graph {
namespace {

using state::PatternStep;
using typed::PatternNode;

uint64_t mask_of(const std::vector<int>& names) {
  uint64_t out = 0;
  for (int name : names) out |= uint64_t{1} << name;
  return out;
}

// After Thompson, "Regular Expression Search Algorithm" (1968); what is written first is tried first.
class Writer {
 public:
  explicit Writer(state::PatternRule& out) : out_(out) {}

  void write(const PatternNode& node) {
    switch (node.kind) {
      case PatternNode::Kind::Name:
        add({PatternStep::Kind::Bind, static_cast<uint32_t>(node.name), 0, 0});
        return;
      case PatternNode::Kind::Sequence:
        for (size_t i = 0; i < node.parts.size(); ++i) {
          if (i > 0 && node.gaps[i - 1].relaxed)
            add({PatternStep::Kind::Gap, 0, 0, mask_of(node.gaps[i - 1].forbidden)});
          write(node.parts[i]);
        }
        return;
      case PatternNode::Kind::Choice:
        choice(node);
        return;
      case PatternNode::Kind::Repeat:
        repeat(node);
    }
  }

  void end() { add({PatternStep::Kind::End, 0, 0, 0}); }

 private:
  uint32_t here() const { return static_cast<uint32_t>(out_.steps.size()); }
  uint32_t add(PatternStep step) {
    out_.steps.push_back(step);
    return here() - 1;
  }
  // A split between what follows it and, later, elsewhere; `reluctant`: elsewhere first.
  uint32_t split() { return add({PatternStep::Kind::Split, 0, 0, 0}); }
  void join(uint32_t split, uint32_t inside, uint32_t outside, bool reluctant) {
    out_.steps[split].a = reluctant ? outside : inside;
    out_.steps[split].b = reluctant ? inside : outside;
  }

  void choice(const PatternNode& node) {
    std::vector<uint32_t> ends;
    for (size_t i = 0; i < node.parts.size(); ++i) {
      bool last = i + 1 == node.parts.size();
      uint32_t fork = last ? 0 : split();
      uint32_t begin = here();
      write(node.parts[i]);
      if (last) break;
      ends.push_back(add({PatternStep::Kind::Jump, 0, 0, 0}));
      join(fork, begin, here(), false);
    }
    for (uint32_t end : ends) out_.steps[end].a = here();
  }

  // A turn beyond the least number, which has to bind something.
  void turn(const PatternNode& body) {
    uint32_t loop = out_.loop_count++;
    add({PatternStep::Kind::Turn, loop, 0, 0});
    write(body);
    add({PatternStep::Kind::Turned, loop, 0, 0});
  }

  void repeat(const PatternNode& node) {
    const PatternNode& body = node.parts[0];
    for (uint32_t i = 0; i < node.least; ++i) write(body);
    if (node.most == PatternNode::no_limit) {
      uint32_t fork = split();
      turn(body);
      add({PatternStep::Kind::Jump, fork, 0, 0});
      join(fork, fork + 1, here(), node.reluctant);
      return;
    }
    std::vector<uint32_t> forks;
    for (uint32_t i = node.least; i < node.most; ++i) {
      forks.push_back(split());
      turn(body);
    }
    for (uint32_t fork : forks) join(fork, fork + 1, here(), node.reluctant);
  }

  state::PatternRule& out_;
};

// Names of the first events that a path from a step on can bind.
uint64_t first_names(const state::PatternRule& rule, uint32_t from) {
  std::vector<char> seen(rule.steps.size(), 0);
  std::vector<uint32_t> open{from};
  uint64_t out = 0;
  while (!open.empty()) {
    uint32_t at = open.back();
    open.pop_back();
    if (seen[at] != 0) continue;
    seen[at] = 1;
    const PatternStep& step = rule.steps[at];
    switch (step.kind) {
      case PatternStep::Kind::Bind:
        out |= uint64_t{1} << step.a;
        break;
      case PatternStep::Kind::Split:
        open.push_back(step.a);
        open.push_back(step.b);
        break;
      case PatternStep::Kind::Jump:
        open.push_back(step.a);
        break;
      case PatternStep::Kind::End:
        break;
      default:
        open.push_back(at + 1);
    }
  }
  return out;
}

}  // namespace

state::PatternRule pattern_program(const typed::Match& match) {
  state::PatternRule out;
  Writer writer(out);
  writer.write(match.root);
  writer.end();
  out.first_names.assign(out.steps.size(), 0);
  out.first_names[0] = first_names(out, 0);
  for (uint32_t i = 0; i < out.steps.size(); ++i) {
    if (out.steps[i].kind == PatternStep::Kind::Gap) out.first_names[i + 1] = first_names(out, i + 1);
  }
  out.absent = mask_of(match.absent);
  for (size_t i = 0; i < match.names.size(); ++i) {
    if (match.names[i].looks_back) out.looks_back |= uint64_t{1} << i;
  }
  out.within = match.within;
  out.next_event = match.next_event;
  out.limit = match.limit;
  return out;
}

}  // namespace mut::graph
