#include <algorithm>
#include <utility>

#include "runtime/connector/postgres/reconnecting.h"
#include "runtime/connector/postgres/source.h"
#include "runtime/connector/postgres/sql.h"

namespace mut::connector {
namespace {

using Failed = PostgresConnection::Failed;

// Begins a cursor that has a value.
constexpr char has_value = '=';

class PostgresQuery final : public Subscription {
 public:
  PostgresQuery(env::Env& env, PostgresQueryOptions options, env::EventCount* wake,
                std::shared_ptr<Notices> notices)
      : env_(env),
        options_(std::move(options)),
        link_(env, options_.server, options_.name, std::move(notices)),
        waiting_(env, wake),
        cursor_name_(quoted_name(options_.cursor)) {}
  ~PostgresQuery() override {
    stop();
    thread_ = nullptr;
  }

  Status open() {
    Failed failed = link_.connection().connect();
    if (!failed) failed = link_.connection().try_out(sql());
    if (failed) return Error{failed->message}.within(link_.about());
    link_.note_open();
    return Unit{};
  }

  Poll take(MessageGroup& to) override {
    if (!thread_) thread_ = env_.start_thread("mut-in", [this] { run(); });
    to.begin(link_.about());
    cursor_ = next_;
    return waiting_.take(to, next_);
  }
  const Error& error() const override { return waiting_.error(); }
  void stop() override {
    waiting_.stop();
    link_.connection().interrupt();
  }
  size_t waiting_bytes() const override { return waiting_.bytes(); }

  bool replays() const override { return !options_.cursor.empty(); }
  std::string cursor() const override { return cursor_; }
  Status resume(const std::string& cursor) override {
    if (!replays()) return Subscription::resume(cursor);
    cursor_ = next_ = cursor;
    if (cursor.starts_with(has_value)) last_ = cursor.substr(1);
    return Unit{};
  }

 private:
  // The query, each row as a text of JSON; with a cursor its value before it, and rows above the last one.
  std::string sql() const {
    std::string query = options_.query;
    while (!query.empty() && std::string_view(" \t\r\n;").find(query.back()) != std::string_view::npos)
      query.pop_back();
    std::string from = " FROM (" + query + "\n) AS q";
    if (options_.cursor.empty()) return "SELECT row_to_json(q)::text" + from;
    std::string column = "q." + cursor_name_;
    std::string above = last_ ? column + " > $1" : column + " IS NOT NULL";
    return "SELECT row_to_json(q)::text, " + column + "::text" + from + " WHERE " + above + " ORDER BY " +
           column;
  }

  void run() {
    while (!waiting_.stopped()) {
      int64_t begun_ns = env_.monotonic_ns();
      if (!link_.connection().connected() && !link_.connect_again(waiting_)) continue;
      rows_of_turn_ = 0;
      Failed failed = read_rows();
      if (waiting_.stopped()) return;
      if (failed && !lose(*failed)) return;
      if (!failed) link_.note_lasted();
      if (!failed && !options_.every_ns) return waiting_.end();
      // What had come of a query without a cursor would come twice at once.
      if (failed && (!options_.every_ns || rows_of_turn_ == 0 || replays())) continue;
      rest(begun_ns + *options_.every_ns);
    }
  }

  void rest(int64_t until_ns) {
    while (!waiting_.stopped()) {
      int64_t left_ns = until_ns - env_.monotonic_ns();
      if (left_ns <= 0) return;
      waiting_.rest(left_ns);
    }
  }

  Failed read_rows() {
    PostgresConnection& connection = link_.connection();
    if (Failed failed = connection.send(sql(), last_ ? std::vector{*last_} : std::vector<std::string>()))
      return failed;
    PostgresConnection::Reply row;
    while (true) {
      Failed failed = connection.next_row(row);
      if (failed || !row) return failed;
      std::string text = connection.value(row).value_or("");
      // Text of a column of type json may have lines.
      std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
      std::string place;
      if (replays()) {
        std::string value = connection.value(row, 1).value_or("");
        if (rows_of_turn_ > 0 && last_ == value) {
          return PostgresTrouble{"the cursor `" + options_.cursor + "` is " + value +
                                     " in two rows, and has to be another in each",
                                 "23505"};
        }
        place = has_value + value;
        last_ = std::move(value);
      }
      ++rows_of_turn_;
      if (!waiting_.put(std::move(text), std::move(place))) return std::nullopt;
    }
  }

  // False: for good.
  bool lose(const PostgresTrouble& trouble) {
    std::string why = trouble.message;
    bool again = trouble.passes();
    if (again && !options_.every_ns && !replays() && rows_of_turn_ > 0) {
      why += "; " + std::to_string(rows_of_turn_) + " rows had come, and which come next only a cursor says";
      again = false;
    }
    if (again) {
      link_.lose(why, "");
      waiting_.rest(Backoff::first_ns);
      return true;
    }
    waiting_.fail(Error{why}.within(link_.about()));
    return false;
  }

  env::Env& env_;
  PostgresQueryOptions options_;
  Reconnecting link_;
  WaitingRows waiting_;
  std::string cursor_name_;
  std::string cursor_;               // where the last group begins; of the thread of the rows
  std::string next_;                 // where the next one does
  std::optional<std::string> last_;  // greatest value that was read; of the thread that reads, once it runs
  uint64_t rows_of_turn_ = 0;
  std::unique_ptr<env::Thread> thread_;  // last: it ends before the rest goes
};

}  // namespace

Result<std::unique_ptr<Subscription>> open_postgres_query(env::Env& env, PostgresQueryOptions options,
                                                          env::EventCount* wake,
                                                          std::shared_ptr<Notices> notices) {
  auto out = std::make_unique<PostgresQuery>(env, std::move(options), wake, std::move(notices));
  Status opened = out->open();
  if (!opened) return opened.error();
  return std::unique_ptr<Subscription>(std::move(out));
}

}  // namespace mut::connector
