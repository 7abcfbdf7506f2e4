#include "compiler/sema/connectors/rule.h"

namespace mut::sema {

using typed::Kind;

namespace {

bool check_kafka(const typed::Connector& kafka, Direction direction, diag::Engine& diags) {
  bool in = direction == Direction::In;
  bool fine = need_option(kafka, "brokers", "`brokers: \"host:port\"`", diags) &&
              need_option(kafka, "topic", "`topic: \"name\"`", diags);
  if (in) {
    fine = fine && refuse_options(kafka, {"key", "transactions", "give_up"}, Direction::Out, diags) &&
           check_one_of(kafka, "start", {"earliest", "new", "group"}, diags);
    const typed::Option* start = kafka.find("start");
    if (fine && start != nullptr && start->value.as_text() == "group" && kafka.find("group") == nullptr)
      return report_option(*start, "a `group` is needed", diags);
    return fine;
  }
  return fine &&
         refuse_options(kafka, {"group", "start", "envelope", "time_unit", "none", "header", "separator"},
                        Direction::In, diags) &&
         check_one_of(kafka, "format", {"json"}, diags) && check_not_negative(kafka, "give_up", diags);
}

}  // namespace

const ConnectorRule& kafka_rule() {
  static const ConnectorRule rule = {"kafka",
                                     true,
                                     true,
                                     0,
                                     text_options({{"brokers", Kind::String},
                                                   {"topic", Kind::String},
                                                   {"group", Kind::String},
                                                   {"start", Kind::String},
                                                   {"envelope", Kind::Bool},
                                                   {"key", Kind::String},
                                                   {"transactions", Kind::Bool},
                                                   {"give_up", Kind::Duration}}),
                                     check_kafka};
  return rule;
}

}  // namespace mut::sema
