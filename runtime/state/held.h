// Whole rows that wait: `delay` and `debounce` until a moment of their own, `sort` and `top` until their
// window closes. A row is kept as it came, its order keys before it, in a piece of memory of its own.
#pragma once
#include <map>
#include <memory>

#include "runtime/state/store.h"

namespace mut::state {

class HeldStore : public Store {
 public:
  HeldStore(StoreDesc desc, uint64_t seed, Budget& budget);
  ~HeldStore() override;
  void* view() override { return has_top_gate(desc_) ? static_cast<void*>(&gate_) : table_.view(); }
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  // Time of the newest event of the stage; the least there is before the first.
  int64_t newest() const { return gate_.newest; }
  void note_newest(int64_t time) { gate_.newest = std::max(gate_.newest, time); }
  void finish(ResultRows& rows) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return row_count_; }
  uint64_t let_go_count() const override { return gate_.let_go; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // A row in the layout of HoldRule::record, with its event time. `watermark`: at the event. Gives what need
  // not wait, until the next call; `texts` as for ResultRows. Null, and nothing changed, when the budget is
  // spent.
  const ResultRows* add(const uint64_t* key, int64_t time, const char* record, int64_t watermark,
                        batch::Arena& texts);

 protected:
  // Lives as long as a window or the queue names it; counts in the budget.
  struct Row {
    Row(HeldStore& of, uint64_t key_number, uint64_t size);
    ~Row();
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    HeldStore& store;
    int64_t time = 0;
    uint64_t arrival = 0;
    uint64_t number;                 // of its key
    uint64_t bytes;                  // packed
    std::unique_ptr<char[]> memory;  // HoldRule::record in memory layout, with what it refers to behind it
  };
  using RowPtr = std::shared_ptr<Row>;
  // Rows as bytes: each once, however many windows name it.
  class SavedRows;
  class LoadedRows;
  // What a further kind of window keeps.
  virtual void save_rest(SavedRows&, Saver&) const {}
  virtual void load_rest(LoadedRows&, Loader&) {}
  using Edges = std::pair<int64_t, int64_t>;  // end and start of a window
  // What add() does with a row of a key; it releases the key where it keeps none.
  virtual void take(uint64_t number, int64_t time, const char* record, int64_t watermark, ResultRows& given);
  void release_key(uint64_t number);  // when no row has it any more
  RowPtr make_row(uint64_t number, int64_t time, const char* record);
  RowPtr copy_row(const HeldStore& old, const Row& from);
  // By the keys of those numbers.
  bool key_before(uint64_t a, uint64_t b) const;
  // How many of the best of a key, in order, are asked for.
  size_t asked_of(const std::vector<RowPtr>& best) const;
  // Adds a row among the best of its key, no more than are asked for: its place there.
  size_t rank(std::vector<RowPtr>& best, const RowPtr& row);
  // Fewer are asked for than when they came.
  void let_go_of_rest(std::vector<RowPtr>& best);
  // Rows of one window and, of `top`, of one key: in order, no more than are asked for.
  void give_rows(std::vector<RowPtr>& window, const Edges& edges, int64_t time, ResultRows& rows);
  // Closed by the watermark or by what has fired.
  bool is_closed(int64_t end, int64_t watermark) const { return end <= std::max(closed_, watermark); }

  Budget& budget_;
  uint64_t arrivals_ = 0;
  int64_t closed_ = std::numeric_limits<int64_t>::min();

 private:
  // Rows of a window in order of arrival; of `top` by key, the best first, no more than asked for. Without
  // a window there is one.
  struct Window {
    std::vector<RowPtr> rows;
    std::map<uint64_t, std::vector<RowPtr>> best;  // by number of the key
  };

  uint64_t number_of(const uint64_t* key);  // 0 when the budget is spent
  uint64_t bytes_of(const char* record) const;
  void take_at_window(uint64_t number, int64_t time, const char* record, int64_t watermark);
  // Whether a row, not kept yet, may be among the best of a window and key.
  bool is_asked(const std::vector<RowPtr>& best, const char* record, int64_t time) const;
  // Of two rows of HoldRule::record, by the order keys alone: below 0 when `a` comes first, 0 when they are
  // equal.
  int order_of(const char* a, const char* b) const;
  bool before(const Row& a, const Row& b) const;
  void put(Window& window, const RowPtr& row);
  // What else comes to that window, where it is `last_` or the only one.
  void set_gate(const Edges& edges, const std::vector<RowPtr>& best);
  void leave_window();  // last_: it is looked for anew
  void give(const Row& row, int64_t rank, const Edges& edges, int64_t time, ResultRows& rows) const;
  void give_window(Window& window, const Edges& edges, int64_t time, ResultRows& rows);
  bool by_window() const { return desc_.hold.kind == HoldKind::Sort || desc_.hold.kind == HoldKind::Top; }

  calendar::ZoneLine line_;
  KeyedTable table_;  // key → number
  struct Key {
    std::vector<uint64_t> words;  // texts lie in the heap of the table
    uint64_t rows = 0;
  };
  std::vector<Key> keys_;  // by number
  std::vector<uint64_t> free_numbers_;
  std::map<std::pair<int64_t, uint64_t>, RowPtr> queue_;  // delay, debounce: by due time and arrival
  std::map<uint64_t, std::pair<int64_t, uint64_t>>
      waiting_;  // debounce: by number of the key, its place in the queue
  std::map<Edges, Window> windows_;
  // The tumbling window that the last event fell into; nothing: looked for anew.
  std::map<Edges, Window>::iterator last_ = windows_.end();
  bool is_plain_;  // HoldRule::record refers to nothing
  std::optional<ResultRows> given_;
  const batch::Arena* given_texts_ = nullptr;
  uint64_t row_count_ = 0;
  MutTopGate gate_{0, 0, 0, 0, std::numeric_limits<int64_t>::min()};
};

}  // namespace mut::state
