// The functions of libpq that are used: its library is loaded when the first connection is made.
#pragma once
#include <postgresql/libpq-fe.h>

#include <memory>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct Libpq {
  // "libpq.so.5"; fails with the package that brings it.
  static Result<std::shared_ptr<const Libpq>> load(env::Env& env);

  std::unique_ptr<env::Library> library;
  decltype(&::PQconnectStartParams) connect_start = nullptr;
  decltype(&::PQconnectPoll) connect_poll = nullptr;
  decltype(&::PQfinish) finish = nullptr;
  decltype(&::PQstatus) status = nullptr;
  decltype(&::PQsocket) socket = nullptr;
  decltype(&::PQerrorMessage) error_message = nullptr;
  decltype(&::PQsetErrorVerbosity) set_verbosity = nullptr;
  decltype(&::PQsetNoticeProcessor) set_notices = nullptr;
  decltype(&::PQsetnonblocking) set_nonblocking = nullptr;
  decltype(&::PQsendQuery) send_query = nullptr;
  decltype(&::PQsendQueryParams) send_query_params = nullptr;
  decltype(&::PQsendPrepare) send_prepare = nullptr;
  decltype(&::PQsetSingleRowMode) set_single_rows = nullptr;
  decltype(&::PQflush) flush = nullptr;
  decltype(&::PQconsumeInput) consume_input = nullptr;
  decltype(&::PQisBusy) is_busy = nullptr;
  decltype(&::PQgetResult) get_result = nullptr;
  decltype(&::PQresultStatus) result_status = nullptr;
  decltype(&::PQresultErrorField) error_field = nullptr;
  decltype(&::PQresultErrorMessage) result_error = nullptr;
  decltype(&::PQclear) clear = nullptr;
  decltype(&::PQntuples) row_count = nullptr;
  decltype(&::PQgetisnull) is_null = nullptr;
  decltype(&::PQgetvalue) value = nullptr;
  decltype(&::PQgetlength) length = nullptr;
  decltype(&::PQcmdStatus) command_status = nullptr;
  decltype(&::PQputCopyData) put_copy_data = nullptr;
  decltype(&::PQputCopyEnd) put_copy_end = nullptr;
  decltype(&::PQnotifies) notifies = nullptr;
  decltype(&::PQfreemem) free_memory = nullptr;
};

}  // namespace mut::connector
