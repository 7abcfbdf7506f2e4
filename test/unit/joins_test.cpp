// The store of a join against a plain list of all rows, over events out of order, bounds of all signs,
// watermarks that jump, edits and a budget that is spent.
#include "runtime/state/joins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mut::state {
namespace {

constexpr int64_t earliest = std::numeric_limits<int64_t>::min();
constexpr size_t plenty_bytes = size_t{256} << 20;

// A row of either side: { id: int, name: string }.
struct Record {
  int64_t id;
  MutStr name;
};

std::string name_of(int64_t id) {
  return std::string(static_cast<size_t>(id % 23), 'a') + std::to_string(id);
}
std::string key_text(int64_t key) { return "key " + std::to_string(key); }

// What a condition says of a pair.
bool holds(int64_t left, int64_t right) { return (left * 7 + right * 3) % 4 != 0; }

int64_t added(int64_t time, int64_t duration) {
  __int128 sum = static_cast<__int128>(time) + duration;
  return static_cast<int64_t>(std::clamp<__int128>(sum, earliest, never));
}

enum class Texts : uint8_t { None, InKeysAndRows };

struct Trial {
  JoinRule rule;
  Texts texts;
};

StoreDesc describe(const Trial& trial) {
  StoreDesc desc;
  desc.kind = StoreKind::Join;
  bool texts = trial.texts == Texts::InKeysAndRows;
  KeyDesc key;
  key.name = "key";
  key.type = abi::make_scalar(texts ? abi::TypeKind::String : abi::TypeKind::I64);
  desc.keys.push_back(key);
  for (const char* side : {"left", "right"}) {
    CellDesc cell;
    cell.name = side;
    cell.result = abi::make_scalar(abi::TypeKind::I64);
    desc.cells.push_back(cell);
  }
  desc.join = trial.rule;
  std::vector<abi::FieldDesc> fields{abi::made_field("id", abi::make_scalar(abi::TypeKind::I64))};
  if (texts) fields.push_back(abi::made_field("name", abi::make_scalar(abi::TypeKind::String)));
  desc.join.left = desc.join.right = abi::make_record(std::move(fields));
  lay_out(desc);
  return desc;
}

struct Event {
  JoinSide side;
  int64_t key;  // below zero: it joins nothing
  int64_t time;
  int64_t id;
};

struct Outcome {
  std::vector<std::pair<int64_t, int64_t>> partners;  // id and time
  bool alone = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

using Ids = std::vector<int64_t>;
struct Fired {
  JoinSide side;
  int64_t id;
  int64_t time;
  Ids candidates;  // asof: those whose condition is to be asked
  friend bool operator==(const Fired&, const Fired&) = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  for (const auto& [id, time] : outcome.partners) *out << id << '@' << time << ' ';
  *out << (outcome.alone ? "alone" : "");
}
void PrintTo(const Fired& fired, std::ostream* out) {
  *out << static_cast<int>(fired.side) << ':' << fired.id << '@' << fired.time << '[';
  for (int64_t id : fired.candidates) *out << id << ' ';
  *out << ']';
}

// docs/design/0006-second-inputs.md, word for word, in a list.
class Naive {
 public:
  explicit Naive(const JoinRule& rule) : rule_(rule) {}

  void observe(int64_t watermark) { watermark_ = std::max(watermark_, watermark); }

  Outcome arrive(const Event& event) {
    Outcome out = meet(event);
    if (kept_) rows_.push_back(next_);
    return out;
  }

  int64_t due() const {
    int64_t least = never;
    for (const Row& row : rows_) {
      if (may_be_given(row)) least = std::min(least, leaves(row.side, row.time));
    }
    return least;
  }

  std::vector<Fired> fire(const std::function<bool(int64_t, int64_t)>& key_before) {
    int64_t now = due();
    std::vector<Row*> given;
    for (Row& row : rows_) {
      if (may_be_given(row) && leaves(row.side, row.time) <= now) given.push_back(&row);
    }
    std::sort(given.begin(), given.end(), [&](const Row* a, const Row* b) {
      if (a->key != b->key) return key_before(a->key, b->key);
      if (a->side != b->side) return a->side == JoinSide::Left;
      return a->arrival < b->arrival;
    });
    std::vector<Fired> out;
    for (Row* row : given) {
      row->silent = true;
      out.push_back({row->side, row->id, row->time, {}});
      if (is_asof(rule_.kind)) out.back().candidates = candidates(row->key, row->time, row->time);
    }
    return out;
  }

  Ids candidates(int64_t key, int64_t time, int64_t now) const {
    std::vector<const Row*> rights = in_order(key, JoinSide::Right);
    Ids out;
    for (size_t i = rights.size(); i-- > 0;) {
      const Row& row = *rights[i];
      if (row.time > time) continue;
      bool replaced = i + 1 < rights.size() && rights[i + 1]->time <= now;
      if (!rule_.conditional && replaced) break;
      if (row.time >= added(time, rule_.low) && leaves(JoinSide::Right, row.time) > now)
        out.push_back(row.id);
      if (!rule_.conditional) break;
    }
    return out;
  }

  void retune(const JoinRule& next) {
    bool same_bounds = next.low == rule_.low && next.high == rule_.high;
    for (Row& row : rows_) {
      if (!same_bounds && leaves(row.side, row.time) <= watermark_ && !may_be_given(row)) row.gone = true;
      if (!waits(rule_.kind, row.side)) row.silent = true;
    }
    rule_ = next;
  }

 private:
  struct Row {
    JoinSide side;
    int64_t key;
    int64_t time;
    int64_t arrival;
    int64_t id;
    bool matched;
    bool silent;
    bool gone;
  };

  int64_t leaves(JoinSide side, int64_t time) const {
    return added(side == JoinSide::Left ? added(time, rule_.high) : added(time, -rule_.low), 1);
  }
  bool may_be_given(const Row& row) const {
    return waits(rule_.kind, row.side) && !row.matched && !row.silent && !row.gone;
  }
  std::vector<const Row*> in_order(int64_t key, JoinSide side) const {
    std::vector<const Row*> out;
    for (const Row& row : rows_) {
      if (row.key == key && row.side == side && !row.gone) out.push_back(&row);
    }
    std::stable_sort(out.begin(), out.end(), [](const Row* a, const Row* b) { return a->time < b->time; });
    return out;
  }

  Outcome meet(const Event& event) {
    Outcome out;
    bool left = event.side == JoinSide::Left;
    bool half = rule_.kind == JoinKind::Semi || rule_.kind == JoinKind::Anti;
    bool late = event.time < watermark_;
    bool in_time = event.key >= 0 && leaves(event.side, event.time) > watermark_;
    if (is_asof(rule_.kind)) {
      if (left && event.key >= 0 && !in_time) {
        for (int64_t id : candidates(event.key, event.time, watermark_)) out.partners.push_back({id, 0});
      }
      kept_ = in_time;
      out.alone = rule_.kind == JoinKind::LeftAsof && left && event.key < 0;
      next_ = {event.side, event.key, event.time, ++arrivals_, event.id, false, late, false};
      return out;
    }
    std::vector<Row*> found;
    for (const Row* of : event.key < 0 ? std::vector<const Row*>{} : in_order(event.key, other(event.side))) {
      int64_t low = left ? rule_.low : -rule_.high;
      int64_t high = left ? rule_.high : -rule_.low;
      if (of->time < added(event.time, low) || of->time > added(event.time, high)) continue;
      if (leaves(of->side, of->time) <= watermark_) continue;
      bool pair = left ? holds(event.id, of->id) : holds(of->id, event.id);
      if (rule_.conditional && !pair) continue;
      found.push_back(const_cast<Row*>(of));
    }
    bool settled = half && left && !found.empty();
    kept_ = in_time && !settled;
    out.alone = gives_unmatched(rule_.kind, event.side) && found.empty() && !kept_ && !late;
    if (settled) found.resize(1);
    for (Row* row : found) {
      row->matched = true;
      row->gone = row->gone || (half && !left);
      if (rule_.kind != JoinKind::Anti) out.partners.push_back({row->id, row->time});
    }
    next_ = {event.side, event.key, event.time, ++arrivals_, event.id, !found.empty(), late, false};
    return out;
  }
  static JoinSide other(JoinSide side) { return side == JoinSide::Left ? JoinSide::Right : JoinSide::Left; }

  JoinRule rule_;
  std::vector<Row> rows_;
  Row next_{};
  bool kept_ = false;
  int64_t arrivals_ = 0;
  int64_t watermark_ = earliest;
};

class Real {
 public:
  Real(const Trial& trial, size_t budget_bytes)
      : trial_(trial),
        budget_(std::make_unique<Budget>(budget_bytes)),
        store_(std::make_unique<JoinStore>(describe(trial), 77, *budget_)) {}
  ~Real() {
    store_.reset();
    EXPECT_EQ(budget_->used(), 0U);
  }

  JoinStore& store() { return *store_; }
  Budget& budget() { return *budget_; }

  // Nothing: the budget is spent.
  std::optional<Outcome> arrive(const Event& event) {
    arena_.reset();
    std::string text = key_text(event.key);
    uint64_t words[3] = {static_cast<uint64_t>(event.key), 0, 0};
    if (trial_.texts == Texts::InKeysAndRows) {
      MutStr as_text = abi::make_str(text);
      memcpy(words, &as_text, sizeof(as_text));
    }
    const uint64_t* key = event.key < 0 ? nullptr : words;
    std::string name = name_of(event.id);
    Record record{event.id, abi::make_str(name)};
    MutPartners partners;
    store_->find_partners(event.side, key, event.time, arena_, partners);
    bool asof = is_asof(trial_.rule.kind);
    for (uint64_t i = 0; i < partners.count && trial_.rule.conditional && !asof; ++i) {
      int64_t id = id_of(partners.rows[i]);
      bool pair = event.side == JoinSide::Left ? holds(event.id, id) : holds(id, event.id);
      partners.chosen[i] = pair ? 1 : 0;
    }
    if (!store_->keep(event.side, key, event.time, reinterpret_cast<const char*>(&record), partners))
      return std::nullopt;
    Outcome out;
    out.alone = partners.unmatched != 0;
    for (uint64_t i = 0; i < partners.count; ++i) {
      if (partners.chosen[i] != 0)
        out.partners.push_back({id_of(partners.rows[i]), asof ? 0 : partners.times[i]});
    }
    return out;
  }

  std::vector<Fired> fire() {
    arena_.reset();
    ResultRows rows(store_->desc(), arena_);
    store_->fire(rows);
    std::vector<Fired> out;
    for (size_t i = 0; i < rows.count(); ++i) {
      const char* row = rows.rows() + i * rows.record().size;
      int32_t side = 0;
      memcpy(&side, row + rows.record().fields[0].offset, sizeof(side));
      const char* record = row + rows.record().fields[static_cast<size_t>(side) + 1].offset;
      out.push_back({static_cast<JoinSide>(side), id_of(record), rows.times()[i], {}});
      if (!is_asof(trial_.rule.kind)) continue;
      MutPartners partners;
      store_->find_candidates(i, arena_, partners);
      for (uint64_t c = 0; c < partners.count; ++c) out.back().candidates.push_back(id_of(partners.rows[c]));
    }
    return out;
  }

  void retune(const JoinRule& rule, int64_t watermark) {
    trial_.rule = rule;
    store_->retune(describe(trial_), {0, 1}, watermark);
  }
  void convert(int64_t watermark) {
    auto next = std::make_unique<JoinStore>(describe(trial_), 78, *budget_);
    next->convert_from(*store_, {0, 1}, watermark);
    ASSERT_FALSE(next->misfit());
    store_ = std::move(next);
  }
  // In order of the words of the key.
  bool before(int64_t a, int64_t b) const {
    return trial_.texts == Texts::InKeysAndRows ? key_text(a) < key_text(b) : a < b;
  }

 private:
  int64_t id_of(const char* row) const {
    Record record{};
    memcpy(&record, row, trial_.texts == Texts::InKeysAndRows ? sizeof(Record) : sizeof(int64_t));
    if (trial_.texts == Texts::InKeysAndRows) EXPECT_EQ(abi::view(record.name), name_of(record.id));
    return record.id;
  }

  Trial trial_;
  std::unique_ptr<Budget> budget_;
  batch::Arena arena_;
  std::unique_ptr<JoinStore> store_;
};

// How far events are from the order of time, and how the watermark follows them.
struct Flow {
  int64_t step;      // between two events, about
  int64_t disorder;  // before or after the newest
  int64_t lag;       // of the watermark
  int64_t keys;
};

class Course {
 public:
  Course(const Trial& trial, const Flow& flow, uint64_t seed)
      : trial_(trial), flow_(flow), random_(seed), real_(trial, plenty_bytes), naive_(trial.rule) {}

  void run(int events) {
    for (int i = 0; i < events && !::testing::Test::HasFailure(); ++i) {
      now_ += static_cast<int64_t>(random_() % static_cast<uint64_t>(2 * flow_.step + 1));
      if (random_() % 64 == 0) now_ += 20 * flow_.step;
      if (random_() % 4 == 0) move_watermark(now_ - flow_.lag);
      if (random_() % 200 == 0) edit();
      arrive();
    }
    move_watermark(now_ + 1000);
    real_.store().advance(never);
    move_watermark(never);
  }

 private:
  int64_t any_time() {
    if (random_() % 50 == 0) return now_ + 500;  // and what comes after is behind it
    auto span = static_cast<uint64_t>(2 * flow_.disorder + 1);
    return now_ - flow_.disorder + static_cast<int64_t>(random_() % span);
  }

  void move_watermark(int64_t watermark) {
    watermark_ = std::max(watermark_, watermark);
    naive_.observe(watermark_);
    // Who asks for a partner when its time has come asks before later rows are let go.
    if (!is_asof(trial_.rule.kind) && random_() % 2 == 0) real_.store().observe(watermark_);
    ASSERT_EQ(real_.store().due(), naive_.due());
    while (real_.store().due() <= watermark_ && real_.store().due() != never) {
      ASSERT_EQ(real_.fire(), naive_.fire([&](int64_t a, int64_t b) { return real_.before(a, b); }));
      ASSERT_EQ(real_.store().due(), naive_.due());
    }
    if (random_() % 8 == 0) real_.store().advance(watermark_);
  }

  void arrive() {
    real_.store().observe(watermark_);
    Event event{random_() % 2 == 0 ? JoinSide::Left : JoinSide::Right,
                static_cast<int64_t>(random_() % static_cast<uint64_t>(flow_.keys)) - 1, any_time(), ++ids_};
    std::optional<Outcome> out = real_.arrive(event);
    ASSERT_TRUE(out);
    ASSERT_EQ(*out, naive_.arrive(event)) << "event " << event.id << " at " << event.time;
    ASSERT_EQ(real_.store().due(), naive_.due());
  }

  void edit() {
    if (random_() % 2 == 0) return real_.convert(watermark_);
    JoinRule next = trial_.rule;
    if (next.kind <= JoinKind::Full) next.kind = static_cast<JoinKind>(random_() % 4);
    if (random_() % 2 == 0 && next.low > -1000 && next.high < 1000) {
      if (!is_asof(next.kind)) next.high += static_cast<int64_t>(random_() % 9) - 4;
      next.low = std::min(next.high, next.low + static_cast<int64_t>(random_() % 9) - 4);
    }
    trial_.rule = next;
    naive_.retune(next);
    real_.retune(next, watermark_);
  }

  Trial trial_;
  Flow flow_;
  std::mt19937_64 random_;
  Real real_;
  Naive naive_;
  int64_t now_ = 1000;
  int64_t watermark_ = earliest;
  int64_t ids_ = 0;
};

std::vector<JoinRule> rules(JoinKind kind) {
  std::vector<JoinRule> out;
  auto add = [&](int64_t low, int64_t high) {
    for (bool conditional : {false, true}) {
      JoinRule rule;
      rule.kind = kind;
      rule.low = low;
      rule.high = high;
      rule.conditional = conditional;
      out.push_back(rule);
    }
  };
  if (is_asof(kind)) {
    for (int64_t low : {int64_t{0}, int64_t{-7}, int64_t{-60}, -never}) add(low, 0);
    return out;
  }
  add(0, 0);
  add(-10, 10);
  add(-30, -5);
  add(5, 40);
  add(0, 300);
  add(-never, never);
  add(0, never);
  return out;
}

class JoinsTest : public ::testing::TestWithParam<JoinKind> {};

TEST_P(JoinsTest, FindsWhatAListFinds) {
  const std::vector<Flow> flows = {
      {2, 0, 0, 5}, {3, 12, 12, 4}, {1, 60, 40, 9}, {40, 5, 90, 300}, {0, 3, 2, 3}};
  uint64_t seed = 1;
  for (const JoinRule& rule : rules(GetParam())) {
    for (const Flow& flow : flows) {
      for (Texts texts : {Texts::None, Texts::InKeysAndRows}) {
        SCOPED_TRACE("within " + std::to_string(rule.low) + ".." + std::to_string(rule.high) +
                     (rule.conditional ? " if" : "") + ", disorder " + std::to_string(flow.disorder) +
                     ", seed " + std::to_string(seed));
        Course(Trial{rule, texts}, flow, seed++).run(500);
        if (HasFailure()) return;
      }
    }
  }
}

// A row for which there is no room changes nothing, and there is room again when others have left.
TEST_P(JoinsTest, ASpentBudgetRefusesARowAndChangesNothing) {
  JoinRule rule;
  rule.kind = GetParam();
  rule.low = is_asof(rule.kind) ? -50 : -5;
  rule.high = is_asof(rule.kind) ? 0 : 5;
  constexpr size_t budget_bytes = 40'000;
  Real real({rule, Texts::InKeysAndRows}, budget_bytes);
  std::mt19937_64 random(5);
  int64_t id = 0;
  for (int round = 0; round < 3; ++round) {
    int64_t base = round * 100'000;
    int refused = 0;
    int kept = 0;
    while (refused < 200) {
      Event event{random() % 2 == 0 ? JoinSide::Left : JoinSide::Right,
                  static_cast<int64_t>(random() % 90'000), base + static_cast<int64_t>(random() % 5), ++id};
      uint64_t before = real.store().entry_count();
      int64_t due = real.store().due();
      std::optional<Outcome> out = real.arrive(event);
      if (out) {
        ++kept;
        ASSERT_LT(kept, 5000);
        continue;
      }
      ++refused;
      ASSERT_EQ(real.store().entry_count(), before);
      ASSERT_EQ(real.store().due(), due);
    }
    EXPECT_GT(kept, 20);
    EXPECT_LT(real.budget().used(), budget_bytes + 2 * size_t{64} * 1024);
    int64_t next = base + 50'000;
    while (real.store().due() <= next) (void)real.fire();
    real.store().advance(next);
    EXPECT_EQ(real.store().entry_count(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, JoinsTest,
                         ::testing::Values(JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full,
                                           JoinKind::Semi, JoinKind::Anti, JoinKind::Asof,
                                           JoinKind::LeftAsof));

}  // namespace
}  // namespace mut::state
