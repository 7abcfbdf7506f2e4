#include <algorithm>

#include "compiler/sema/connectors/rule.h"
#include "runtime/env/tcp_address.h"

namespace mut::sema {

using diag::Code;
using typed::Connector;
using typed::Kind;
using typed::Option;

namespace {

// A server cuts longer names.
constexpr size_t name_bytes_max = 63;

// A name that SQL can have, when it stands in quotes.
bool check_name(const Option* option, const std::string& text, diag::Engine& diags) {
  if (text.empty()) return report_option(*option, "a name is needed", diags);
  if (text.size() > name_bytes_max) return report_option(*option, "a name has 63 bytes at most", diags);
  if (text.find('\0') == std::string::npos) return true;
  return report_option(*option, "a name has no zero byte", diags);
}
bool check_name(const Connector& postgres, std::string_view name, diag::Engine& diags) {
  const Option* option = postgres.find(name);
  return option == nullptr || check_name(option, option->value.as_text(), diags);
}

bool check_server(const Connector& postgres, diag::Engine& diags) {
  if (!need_option(postgres, "host", "`host: \"host:port\"`", diags)) return false;
  if (!need_option(postgres, "database", "`database: \"name\"`", diags)) return false;
  if (!need_option(postgres, "user", "`user: \"name\"`", diags)) return false;
  const Option& host = *postgres.find("host");
  auto address = env::parse_tcp_address(host.value.as_text());
  if (!address) return report_option(host, address.error().message, diags);
  if (address.value().port == 0) return report_option(host, "a port is a number from 1 to 65535", diags);
  return check_tls(postgres, diags) && check_name(postgres, "database", diags) &&
         check_name(postgres, "user", diags);
}

// "alerts", "sales.alerts"
bool check_table(const Option& table, diag::Engine& diags) {
  const std::string& text = table.value.as_text();
  size_t dot = text.find('.');
  if (dot == std::string::npos) return check_name(&table, text, diags);
  return check_name(&table, text.substr(0, dot), diags) && check_name(&table, text.substr(dot + 1), diags);
}

bool check_sink(const Connector& postgres, diag::Engine& diags) {
  if (!refuse_options(postgres, {"query", "every", "cursor", "listen", "time_unit"}, Direction::In, diags))
    return false;
  if (const Option* format = postgres.find("format"))
    return report_option(*format, "fields become columns: there is no format", diags);
  if (!need_option(postgres, "table", "`table: \"name\"`", diags)) return false;
  const Option* key = postgres.find("key");
  const Option* keys = postgres.find("keys");
  if (key != nullptr && keys != nullptr)
    return report_option(*keys, "`key` is of one column, `keys` of several: one of them", diags);
  if (keys != nullptr && keys->value.parts().empty())
    return report_option(*keys, "at least one column is needed", diags);
  if (keys != nullptr) {
    for (const typed::Const& column : keys->value.parts()) {
      if (!check_name(keys, column.as_text(), diags)) return false;
    }
  }
  return check_table(*postgres.find("table"), diags) && check_name(postgres, "key", diags) &&
         check_not_negative(postgres, "give_up", diags);
}

bool check_source(const Connector& postgres, diag::Engine& diags) {
  if (!refuse_options(postgres, {"table", "key", "keys", "give_up"}, Direction::Out, diags)) return false;
  const Option* query = postgres.find("query");
  const Option* channel = postgres.find("listen");
  if (query == nullptr && channel == nullptr) {
    diags.report(Code::MissingOption, postgres.span, postgres.name,
                 "`query: \"select …\"` or `listen: \"channel\"`");
    return false;
  }
  if (query != nullptr && channel != nullptr)
    return report_option(*channel, "it asks or listens, not both", diags);
  for (std::string_view name : {"every", "cursor"}) {
    const Option* option = postgres.find(name);
    if (option != nullptr && query == nullptr) return report_option(*option, "it is of a `query`", diags);
  }
  const Option* format = postgres.find("format");
  if (format != nullptr && query != nullptr)
    return report_option(*format, "columns become fields: there is no format", diags);
  if (!check_one_of(postgres, "format", {"json", "lines"}, diags)) return false;
  const Option* every = postgres.find("every");
  if (every != nullptr && every->value.as_int() <= 0)
    return report_option(*every, "a duration of more than nothing is needed", diags);
  if (query != nullptr && query->value.as_text().find_first_not_of(" \t\r\n;") == std::string::npos)
    return report_option(*query, "a statement is needed that gives rows", diags);
  return check_name(postgres, "listen", diags) && check_name(postgres, "cursor", diags);
}

bool check_postgres(const Connector& postgres, Direction direction, diag::Engine& diags) {
  if (!check_server(postgres, diags)) return false;
  return direction == Direction::In ? check_source(postgres, diags) : check_sink(postgres, diags);
}

}  // namespace

const ConnectorRule& postgres_rule() {
  static const ConnectorRule rule = {"postgres",
                                     true,
                                     true,
                                     0,
                                     tls_options({{"host", Kind::String},
                                                  {"database", Kind::String},
                                                  {"user", Kind::String},
                                                  {"password", Kind::Secret},
                                                  {"table", Kind::String},
                                                  {"key", Kind::String},
                                                  {"keys", Kind::List},
                                                  {"give_up", Kind::Duration},
                                                  {"query", Kind::String},
                                                  {"every", Kind::Duration},
                                                  {"cursor", Kind::String},
                                                  {"listen", Kind::String},
                                                  {"format", Kind::String},
                                                  {"time_unit", Kind::String}}),
                                     check_postgres};
  return rule;
}

}  // namespace mut::sema
