// Rows of a query, and what is said to a channel.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/message/subscription.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/postgres/connection.h"

namespace mut::connector {

struct PostgresQueryOptions {
  std::string name;  // of the source
  PostgresServer server;
  std::string query;
  std::optional<int64_t> every_ns;  // from one begin to the next; nothing: once, then it ends
  std::string cursor;  // column that rises: rows above its greatest value so far; empty: all rows
};

// Connects, and asks whether the server knows the query. Rows are JSON. A cursor that comes twice, or a
// server that does not take the query any more, ends the source. `env` and `wake` (may be null) outlive it.
Result<std::unique_ptr<Subscription>> open_postgres_query(env::Env& env, PostgresQueryOptions options,
                                                          env::EventCount* wake,
                                                          std::shared_ptr<Notices> notices);

struct PostgresListenOptions {
  std::string name;  // of the source
  PostgresServer server;
  std::string channel;
};

// Connects and listens. What is said while there is no connection is lost: at most once.
Result<std::unique_ptr<Subscription>> open_postgres_channel(env::Env& env, PostgresListenOptions options,
                                                            env::EventCount* wake,
                                                            std::shared_ptr<Notices> notices);

}  // namespace mut::connector
