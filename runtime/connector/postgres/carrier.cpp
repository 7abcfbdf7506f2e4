#include "runtime/connector/postgres/carrier.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/connector/postgres/sql.h"

namespace mut::connector {
namespace {

using Failed = PostgresConnection::Failed;

// Beside carrier_wait_ns, for each byte of a delivery; nanoseconds. 4 s for a mebibyte.
constexpr int64_t byte_wait_ns = 4'000;

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL READ COMMITTED";
constexpr const char* make_numbers_sql =
    "CREATE TABLE IF NOT EXISTS mutstream_deliveries (name text PRIMARY KEY, number bigint NOT NULL)";
// Waits for whoever writes that number now, and changes nothing where it is there: a delivery whose answer
// was lost may still be on its way.
constexpr const char* number_sql =
    "INSERT INTO mutstream_deliveries AS d VALUES ($1, $2) ON CONFLICT (name) DO UPDATE "
    "SET number = excluded.number WHERE d.number < excluded.number";

class PostgresCarrier final : public Carrier {
 public:
  PostgresCarrier(env::Env& env, PostgresSinkOptions options)
      : options_(std::move(options)),
        connection_(env, options_.server),
        table_(quoted_table(options_.table)),
        keys_(quoted_names(options_.keys)) {}

  std::optional<Trouble> connect() override {
    auto trouble = told(connection_.connect());
    // Where it has been let in once, a new password may be on its way.
    if (trouble && met_) trouble->kind = Trouble::Kind::Passes;
    if (!trouble) trouble = told(check_table());
    if (!trouble) met_ = true;
    return trouble;
  }
  void disconnect() noexcept override {
    connection_.close();
    prepared_ = false;
  }

  std::optional<Trouble> deliver(const Delivery& delivery) override {
    if (!prepared_ || header_ != delivery.header) {
      if (auto trouble = prepare(delivery.header)) return trouble;
    }
    int64_t wait_ns = carrier_wait_ns + static_cast<int64_t>(delivery.rows.size()) * byte_wait_ns;
    std::string changed;
    std::string_view rows = columns_.size() == 1 ? without_end_marks(delivery.rows, changed) : delivery.rows;
    if (delivery.number == 0 && options_.keys.empty())
      return told(connection_.copy_in(copy_into(table_), rows, wait_ns));
    return told(transact(delivery.number, rows, wait_ns));
  }

  bool keeps_numbers() const override { return true; }
  void name_deliveries(const std::string& name) override { name_ = name + " " + options_.table; }
  Result<uint64_t> newest_number() override {
    if (name_.empty()) return uint64_t{0};
    PostgresConnection::Reply reply;
    Failed failed = connection_.run("SELECT to_regclass('mutstream_deliveries')", carrier_wait_ns, &reply);
    if (!failed && !connection_.value(reply)) return uint64_t{0};
    if (!failed) {
      reply = nullptr;
      failed = connection_.run("SELECT number FROM mutstream_deliveries WHERE name = $1", {name_},
                               carrier_wait_ns, &reply);
    }
    if (failed) return Error{failed->message};
    std::string text = connection_.value(reply).value_or("0");
    uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  size_t delivery_bytes_max() const override { return size_t{1024} * 1024; }
  std::string target() const override { return "postgres " + options_.server.text() + " " + options_.table; }

 private:
  static std::optional<Trouble> told(const Failed& failed) {
    return failed ? std::optional(failed->trouble()) : std::nullopt;
  }

  // That rows may be written to it, and by that key; of the columns that a header has named too. Changes
  // nothing.
  Failed check_table() {
    std::string sql = "EXPLAIN INSERT INTO " + table_;
    std::vector<std::string> known = columns_.empty() ? options_.keys : columns_;
    if (known.empty()) return connection_.run(sql + " DEFAULT VALUES");
    return connection_.run(sql + " (" + quoted_names(known) + ") SELECT " + quoted_names(known) + " FROM " +
                           table_ + " LIMIT 0" + on_conflict("DO NOTHING"));
  }

  std::string on_conflict(const std::string& what) const {
    return keys_.empty() ? "" : " ON CONFLICT (" + keys_ + ") " + what;
  }
  std::string copy_into(const std::string& table) const {
    return "COPY " + table + " (" + quoted_names(columns_) + ") FROM STDIN (FORMAT csv)";
  }

  // For rows with these columns; of a sink with keys a place where the rows of one delivery gather.
  std::optional<Trouble> prepare(std::string_view header) {
    header_ = header;
    columns_ = names_of_header(header);
    for (const std::string& key : options_.keys) {
      if (std::find(columns_.begin(), columns_.end(), key) == columns_.end())
        return Trouble{{"key `" + key + "` is no field of the rows"}, Trouble::Kind::ForGood};
    }
    Failed failed = check_table();
    if (!failed && !options_.keys.empty()) failed = connection_.run(gathering_sql());
    prepared_ = !failed;
    return told(failed);
  }

  // A row without its key would be added by each delivery anew, and is refused.
  std::string gathering_sql() const {
    std::string sql =
        "DROP TABLE IF EXISTS pg_temp.mutstream_rows; CREATE TEMPORARY TABLE mutstream_rows ON "
        "COMMIT DELETE ROWS AS SELECT " +
        quoted_names(columns_) + " FROM " + table_ +
        " WITH NO DATA; ALTER TABLE pg_temp.mutstream_rows ADD mutstream_order bigint GENERATED "
        "ALWAYS AS IDENTITY";
    for (const std::string& key : options_.keys) sql += ", ALTER " + quoted_name(key) + " SET NOT NULL";
    return sql;
  }

  // The last row of a key is the one that counts.
  std::string upsert_sql() const {
    std::string names = quoted_names(columns_);
    std::string set;
    for (const std::string& column : columns_) {
      if (std::find(options_.keys.begin(), options_.keys.end(), column) != options_.keys.end()) continue;
      set += (set.empty() ? "" : ", ") + quoted_name(column) + " = excluded." + quoted_name(column);
    }
    return "INSERT INTO " + table_ + " (" + names + ") SELECT " + names + " FROM (SELECT DISTINCT ON (" +
           keys_ + ") * FROM pg_temp.mutstream_rows ORDER BY " + keys_ + ", mutstream_order DESC) AS newest" +
           on_conflict(set.empty() ? "DO NOTHING" : "DO UPDATE SET " + set);
  }

  Failed transact(uint64_t number, std::string_view rows, int64_t wait_ns) {
    if (number != 0 && !numbers_made_) {
      if (Failed failed = make_numbers()) return failed;
    }
    if (Failed failed = connection_.run(begin_sql)) return failed;
    if (number != 0) {
      PostgresConnection::Reply reply;
      Failed failed = connection_.run(number_sql, {name_, std::to_string(number)}, wait_ns, &reply);
      if (failed) return failed;
      if (connection_.command_of(reply) == "INSERT 0 0") return connection_.run("ROLLBACK");  // it is there
    }
    Failed failed;
    if (options_.keys.empty()) {
      failed = connection_.copy_in(copy_into(table_), rows, wait_ns);
    } else {
      failed = connection_.copy_in(copy_into("pg_temp.mutstream_rows"), rows, wait_ns);
      if (!failed) failed = connection_.run(upsert_sql(), wait_ns);
    }
    if (failed) return failed;
    PostgresConnection::Reply reply;
    failed = connection_.run("COMMIT", wait_ns, &reply);
    if (failed || connection_.command_of(reply) == "COMMIT") return failed;
    return PostgresTrouble{"the transaction was rolled back"};
  }

  // Two that make it at once: one fails, and finds it the next time.
  Failed make_numbers() {
    PostgresConnection::Reply reply;
    Failed failed = connection_.run("SELECT to_regclass('mutstream_deliveries')", carrier_wait_ns, &reply);
    bool there = !failed && connection_.value(reply).has_value();
    if (!failed && !there) failed = connection_.run(make_numbers_sql);
    if (failed && (failed->state == "23505" || failed->state == "42P07")) failed = std::nullopt;
    if (failed) failed->message = "making the table mutstream_deliveries: " + failed->message;
    numbers_made_ = !failed;
    return failed;
  }

  PostgresSinkOptions options_;
  PostgresConnection connection_;
  std::string table_;  // with quotes
  std::string keys_;
  std::string name_;  // of its deliveries; empty: they have no numbers
  std::string header_;
  std::vector<std::string> columns_;  // of that header
  bool prepared_ = false;             // this connection is, for that header
  bool numbers_made_ = false;
  bool met_ = false;  // it has been connected
};

}  // namespace

std::unique_ptr<Carrier> make_postgres_carrier(env::Env& env, PostgresSinkOptions options) {
  return std::make_unique<PostgresCarrier>(env, std::move(options));
}

}  // namespace mut::connector
