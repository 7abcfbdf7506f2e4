// Rows into a table of PostgreSQL.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/postgres/connection.h"

namespace mut::connector {

struct PostgresSinkOptions {
  PostgresServer server;
  std::string table;  // "alerts", "sales.alerts"
  std::vector<std::string>
      keys;  // columns: a row takes the place of the one with its key; empty: it is added
};

// Rows come as CSV. A delivery is one transaction; of one with a number the table mutstream_deliveries has
// the number, which is written in the same transaction, and the table is made when it is needed first. `env`
// outlives it.
std::unique_ptr<Carrier> make_postgres_carrier(env::Env& env, PostgresSinkOptions options);

}  // namespace mut::connector
