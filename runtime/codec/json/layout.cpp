#include "runtime/codec/json/layout.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/codec/json/plan.h"

namespace mut::json {

// Enough for any sane input; a hostile one must not make us remember all of it.
constexpr size_t steps_max = 512;
constexpr size_t others_max = 8;
constexpr size_t effects_max = 4096;
constexpr size_t record_bytes_learned = 16 * 1024;

// Walks a record that the general parser has taken: where values begin and end is all that it looks for.
class LayoutLearner {
 public:
  LayoutLearner(Layouts& layouts, RecordPlan& plan, std::string_view record)
      : layouts_(layouts), plan_(plan), at_(record.data()), end_(record.data() + record.size()) {}

  // False: it cannot be learned, or there is no room.
  bool run() {
    if (!walk(plan_, nullptr, 0, 0, 1)) return false;
    Step last;
    last.slot = Slot::End;
    add(last);
    return keep();
  }

 private:
  // A step before it has its place in the tree.
  struct Step {
    std::string text;
    Slot slot = Slot::Nothing;
    uint32_t field = 0;
    uint32_t offset = 0;
    int depth = 0;
    Node* node = nullptr;
  };

  void add(Step step) {
    while (text_.size() > LayoutStep::text_bytes) {
      steps_.push_back({text_.substr(0, LayoutStep::text_bytes)});
      text_.erase(0, LayoutStep::text_bytes);
    }
    step.text = std::move(text_);
    text_.clear();
    steps_.push_back(std::move(step));
  }

  void take(size_t bytes) {
    text_.append(at_, bytes);
    at_ += bytes;
  }
  void take_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) take(1);
  }

  // `top`: the field of the top level in which the record lies, null for the top level itself.
  bool walk(RecordPlan& plan, const Field* top, uint32_t field, uint32_t offset, int depth) {
    if (!plan.seen_high.empty() || at_ == end_ || *at_ != '{') return false;
    uint64_t seen = 0;
    take(1);
    take_space();
    bool empty = at_ != end_ && *at_ == '}';
    while (!empty) {
      if (steps_.size() > steps_max) return false;
      int32_t known = key(plan);
      if (at_ == end_ || known == bad_key) return false;
      if (known >= 0) {
        uint64_t bit = uint64_t{1} << known;
        if ((seen & bit) != 0) return false;
        seen |= bit;
        auto number = static_cast<uint32_t>(known);
        Field& of = plan.fields[number];
        uint32_t place = top == nullptr ? 0 : offset + of.offset;
        if (!declared(of, top == nullptr ? number : field, place, top != nullptr, depth)) return false;
      } else if (!undeclared(depth)) {
        return false;
      }
      take_space();
      if (at_ == end_) return false;
      bool more = *at_ == ',';
      if (!more && *at_ != '}') return false;
      take(1);
      if (!more) break;
      take_space();
    }
    if (empty) take(1);
    for (uint64_t left = plan.all_low & ~seen; left != 0; left &= left - 1) {
      auto number = static_cast<uint32_t>(__builtin_ctzll(left));
      Field& of = plan.fields[number];
      effects_.push_back({&of, top == nullptr ? number : field, top == nullptr ? 0 : offset + of.offset,
                          top != nullptr, true});
    }
    return true;
  }

  static constexpr int32_t bad_key = -2;

  int32_t key(const RecordPlan& plan) {
    const char* begin = at_ + 1;
    const char* close = static_cast<const char*>(memchr(begin, '"', static_cast<size_t>(end_ - begin)));
    if (*at_ != '"' || close == nullptr) return bad_key;
    std::string_view name(begin, static_cast<size_t>(close - begin));
    if (name.find('\\') != std::string_view::npos) return bad_key;
    take(name.size() + 2);
    take_space();
    if (at_ == end_ || *at_ != ':') return bad_key;
    take(1);
    take_space();
    return plan.field_of(name);
  }

  static bool ends_value(char c) {
    return c == ',' || c == '}' || c == ']' || static_cast<unsigned char>(c) <= ' ';
  }
  bool is_null() const { return end_ - at_ >= 4 && memcmp(at_, "null", 4) == 0; }

  bool declared(Field& of, uint32_t field, uint32_t place, bool nested, int depth) {
    Node& node = of.node;
    bool reads_null = node.kind == abi::TypeKind::Json && !node.optional && !of.desc->has_default;
    if (is_null() && !reads_null) {
      take(4);
      effects_.push_back({&of, field, place, nested, true});
      return true;
    }
    if (node.optional) effects_.push_back({&of, field, place, nested, false});
    if (node.kind == abi::TypeKind::Record) return walk(*node.record, &of, field, place, depth + 1);
    Step step;
    step.field = field;
    step.offset = place;
    step.depth = depth;
    step.node = &node;
    step.slot = slot_of(node);
    if (step.slot == Slot::Text) {
      if (at_ == end_ || *at_ != '"') return false;  // refused, and a later one has won
      take(1);
    }
    add(step);
    return skip(step.slot == Slot::Text);
  }

  static Slot slot_of(const Node& node) {
    if (node.kind == abi::TypeKind::I64) return Slot::Int;
    if (node.kind == abi::TypeKind::String) return Slot::Text;
    bool is_time = node.kind == abi::TypeKind::Time || node.kind == abi::TypeKind::Duration;
    return is_time ? Slot::Time : Slot::Value;
  }

  bool undeclared(int depth) {
    // As a whole: what only begins so is taken for a value. Where it is none, another step has the value.
    if (is_null() && (end_ - at_ == 4 || ends_value(at_[4]))) {
      take(4);
      return true;
    }
    Step step;
    step.depth = depth;
    step.slot = *at_ == '"' ? Slot::AnyText : Slot::AnyValue;
    if (step.slot == Slot::AnyText) take(1);
    add(step);
    return skip(step.slot == Slot::AnyText);
  }

  bool skip_text() {  // behind its opening quote
    for (; at_ != end_; ++at_) {
      if (*at_ == '"') return ++at_, true;
      if (*at_ == '\\' && ++at_ == end_) return false;
    }
    return false;
  }

  bool skip(bool inside_text) {
    if (inside_text) return skip_text();
    int depth = 0;
    do {
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        if (!skip_text()) return false;
      } else if (*at_ == '{' || *at_ == '[') {
        ++depth, ++at_;
      } else if (*at_ == '}' || *at_ == ']') {
        if (--depth < 0) return false;
        ++at_;
      } else if (depth > 0) {
        ++at_;
      } else {
        while (at_ != end_ && static_cast<unsigned char>(*at_) > ' ' && *at_ != ',' && *at_ != '}' &&
               *at_ != ']')
          ++at_;
      }
    } while (depth > 0);
    return true;
  }

  static uint64_t bits(size_t count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

  static bool same(const LayoutStep& known, const Step& step) {
    return std::string_view(known.text, known.size) == step.text && known.slot == step.slot &&
           known.field == step.field && known.offset == step.offset && known.depth == step.depth &&
           known.node == step.node;
  }

  // Puts the path into the tree. The longer text of two is tried first: the other may be its begin.
  bool keep() {
    std::vector<LayoutStep>& all = layouts_.steps_;
    if (all.empty()) all.emplace_back();
    if (all.size() + steps_.size() > steps_max || layouts_.effects_.size() + effects_.size() > effects_max)
      return false;
    uint32_t parent = 0;  // none: the path begins
    auto link = [&]() -> uint32_t& { return parent == 0 ? layouts_.first_ : all[parent].next; };
    for (const Step& step : steps_) {
      uint32_t before = 0;
      uint32_t found = 0;
      size_t count = 0;
      for (uint32_t i = link(); i != 0; i = all[i].other, ++count) {
        if (same(all[i], step)) found = i;
        if (all[i].size >= step.text.size()) before = i;
      }
      if (found != 0) {
        parent = found;
        continue;
      }
      if (count >= others_max) return false;
      LayoutStep fresh;
      memcpy(fresh.text, step.text.data(), step.text.size());
      fresh.size = static_cast<uint8_t>(step.text.size());
      fresh.mask = bits(step.text.size());
      fresh.depth = static_cast<uint8_t>(step.depth);
      fresh.slot = step.slot;
      fresh.field = step.field;
      fresh.offset = step.offset;
      fresh.node = step.node;
      if (step.slot == Slot::End) {
        fresh.effects = static_cast<uint32_t>(layouts_.effects_.size());
        layouts_.effects_.insert(layouts_.effects_.end(), effects_.begin(), effects_.end());
        fresh.effects_end = static_cast<uint32_t>(layouts_.effects_.size());
      }
      auto index = static_cast<uint32_t>(all.size());
      uint32_t& place = before == 0 ? link() : all[before].other;
      fresh.other = place;
      place = index;
      all.push_back(fresh);
      parent = index;
    }
    return true;
  }

  Layouts& layouts_;
  RecordPlan& plan_;
  const char* at_;
  const char* end_;
  std::string text_;  // since the last value
  std::vector<Step> steps_;
  std::vector<LayoutEffect> effects_;
};

void Layouts::forget() {
  steps_.clear();
  effects_.clear();
  first_ = 0;
}

void Layouts::learn(RecordPlan& plan, std::string_view record) {
  if (steps_.size() >= steps_max || record.size() > record_bytes_learned ||
      memchr(record.data(), '\n', record.size()) != nullptr)
    return;
  LayoutLearner(*this, plan, record).run();
}

void Layouts::miss(RecordPlan& plan, std::string_view record) {
  ++misses_;
  // Nothing came of it: to try costs too, so nothing is tried until the period is over.
  if (misses_ == judged_after && hits_ < misses_) {
    forget();
    attempts_ = 0;
  }
  if (misses_ >= period_) {
    bool useful = hits_ > 2 * misses_;
    if (!useful) forget();
    period_ = useful ? period_least : std::min(period_ * 2, period_most);
    hits_ = misses_ = 0;
    attempts_ = attempts_most;
  }
  if (attempts_ == 0) return;
  --attempts_;
  learn(plan, record);
}

}  // namespace mut::json
