#include "runtime/connector/postgres/libpq.h"

#include <utility>

namespace mut::connector {
namespace {

// Binds one after the other, until one is missing.
class Binder {
 public:
  explicit Binder(const env::Library& library) : library_(library) {}
  template <typename Function>
  Binder& operator()(const char* name, Function& to) {
    if (bound_) bound_ = env::bind(library_, name, to);
    return *this;
  }
  const Status& status() const { return bound_; }

 private:
  const env::Library& library_;
  Status bound_ = Unit{};
};

}  // namespace

Result<std::shared_ptr<const Libpq>> Libpq::load(env::Env& env) {
  auto library = env.open_library("libpq.so.5");
  if (!library) return Error{"libpq.so.5 is not there: apt install libpq5"};
  auto out = std::make_shared<Libpq>();
  out->library = std::move(library).value();
  Binder bind(*out->library);
  bind("PQconnectStartParams", out->connect_start)("PQconnectPoll", out->connect_poll);
  bind("PQfinish", out->finish)("PQstatus", out->status)("PQsocket", out->socket);
  bind("PQerrorMessage", out->error_message)("PQsetErrorVerbosity", out->set_verbosity);
  bind("PQsetNoticeProcessor", out->set_notices)("PQsetnonblocking", out->set_nonblocking);
  bind("PQsendQuery", out->send_query)("PQsendQueryParams", out->send_query_params);
  bind("PQsendPrepare", out->send_prepare)("PQsetSingleRowMode", out->set_single_rows);
  bind("PQflush", out->flush)("PQconsumeInput", out->consume_input)("PQisBusy", out->is_busy);
  bind("PQgetResult", out->get_result)("PQresultStatus", out->result_status);
  bind("PQresultErrorField", out->error_field)("PQresultErrorMessage", out->result_error);
  bind("PQclear", out->clear)("PQntuples", out->row_count)("PQgetisnull", out->is_null);
  bind("PQgetvalue", out->value)("PQgetlength", out->length)("PQcmdStatus", out->command_status);
  bind("PQputCopyData", out->put_copy_data)("PQputCopyEnd", out->put_copy_end);
  bind("PQnotifies", out->notifies)("PQfreemem", out->free_memory);
  if (!bind.status()) return bind.status().error();
  return std::shared_ptr<const Libpq>(std::move(out));
}

}  // namespace mut::connector
