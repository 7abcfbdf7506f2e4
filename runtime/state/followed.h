// Aggregates over the current rows of a table. For each row of the table it knows what that row has given to
// which group; when the row is replaced or forgotten, exactly this is taken out again. A group keeps its
// members in order of arrival, and over them a tree of cells, so that a change costs the logarithm of the
// group; what cannot be merged cell by cell (distinct values, lists, texts) is made of all members when it is
// asked for.
#pragma once
#include <memory>
#include <queue>
#include <set>

#include "runtime/state/samples.h"
#include "runtime/state/saved.h"
#include "runtime/state/store.h"

namespace mut::state {

class FollowStore final : public Store {
 public:
  FollowStore(StoreDesc desc, uint64_t seed, Budget& budget);
  ~FollowStore() override;
  void* view() override { return groups_table_.view(); }
  // When a row of the table is forgotten; `never` once its input has ended.
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  void finish(ResultRows& rows) override;
  void end_input() override { ended_ = true; }
  void go_on() { ended_ = false; }  // an edit has given it another input
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return member_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // The row of the table that is changing has come through to the aggregate: its sample has a time, a word
  // for the arrival, the mask of what cells admit, then columns. Nothing is counted before settle(). False,
  // and nothing changed, when the budget is spent.
  bool arrive(const uint64_t* row_key, const uint64_t* key, const uint64_t* sample);
  // The change is over: takes out what the row had given before, adds what has arrived, and gives each group
  // that this has changed, unless all are given at the end, in order of key, until the next call. `texts` as
  // for ResultRows.
  const ResultRows& settle(const uint64_t* row_key, int64_t time, batch::Arena& texts);

  // What has been given to a group, in order of arrival, as long as nothing changes: so many places, and the
  // sample at one of them, until the next call; null where none is, or the measure admits none. Group 0 has
  // no place.
  uint64_t places_of(uint64_t group_number) const;
  const uint64_t* member(uint64_t group_number, uint32_t measure, uint64_t place);

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  struct Entry {  // what a row of the table has given
    uint64_t group = 0;
    uint32_t slot = 0;
  };
  struct Row;
  struct Group;
  struct Arrived {
    uint64_t group;
    Sample sample;
  };
  struct Deadline {
    int64_t time;  // of the row when it was queued: it is forgotten `ttl` later
    uint64_t row;
    bool operator>(const Deadline& other) const { return time > other.time; }
  };

  // One that can be saved in whatever order its memory has.
  struct Deadlines : std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> {
    template <typename Io, typename Self>
    static void pass(Io& io, Self& self) {
      pass_plain(io, self.c);
    }
  };

  // Keys by the numbers that stand in the rows of a table.
  template <typename Numbered>
  static void load_keys(const KeyedTable& table, std::vector<std::unique_ptr<Numbered>>& of, Loader& from);
  uint64_t group_of(const uint64_t* key);  // 0 when the budget is spent
  uint64_t row_of(const uint64_t* row_key);
  Group& group(uint64_t number) const { return *groups_[number - 1]; }
  Sample take_sample(const uint64_t* sample);
  void add_member(uint64_t group, uint64_t row, Sample sample);
  void remove_members(uint64_t row, std::set<uint64_t>& touched);
  void forget_row(uint64_t row);
  void give(const std::set<uint64_t>& touched, int64_t time, ResultRows& rows);
  void add_result(const Group& of, int64_t time, ResultRows& rows) const;
  void release_group(uint64_t number);
  // The members of a group close together, and a tree over so many places.
  void rebuild(uint64_t number, size_t places);
  void build_tree(Group& of, size_t places);
  void fill_place(Group& of, uint32_t slot);
  void climb(Group& of, uint32_t slot);
  char* node(Group& of, size_t index) const;
  CellResult result(const Group& of, size_t measure, batch::Arena& texts) const;
  CellResult made_of_all(const Group& of, size_t measure, batch::Arena& texts) const;
  void lay_out_tree();
  void expect(uint64_t row);
  void drop_first();  // of the deadlines
  // What the budget knows of each, besides samples.
  size_t row_bytes() const;
  size_t group_bytes() const;
  size_t place_bytes() const;
  size_t sample_bytes() const { return desc_.sample_words * size_t{8}; }
  Heap& heap() const { return const_cast<KeyedTable&>(groups_table_).heap(); }

  Budget& budget_;
  StoreDesc rows_desc_;  // of rows_table_: the key of the table
  KeyedTable groups_table_;
  KeyedTable rows_table_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<uint64_t> free_groups_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::vector<uint64_t> free_rows_;
  std::vector<uint64_t> loaded_;  // of the last member()
  std::vector<Arrived> arrived_;  // of the change that is under way
  std::vector<CellDesc> tree_;    // measures, at their places in a node; size 0: not in the tree
  uint32_t node_bytes_ = 0;
  Deadlines deadlines_;
  uint64_t member_count_ = 0;
  bool ended_ = false;
  std::optional<ResultRows> given_;
  const batch::Arena* given_texts_ = nullptr;
};

}  // namespace mut::state
