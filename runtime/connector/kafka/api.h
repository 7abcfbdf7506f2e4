// The functions of librdkafka that are used, found when a script needs them.
#pragma once
#include <librdkafka/rdkafka.h>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

// X(name): each is a function rd_kafka_NAME, but for rd_kafka_new.
#define MUT_KAFKA_FUNCTIONS(X)                                                                               \
  X(destroy)                                                                                                 \
  X(conf_new)                                                                                                \
  X(conf_destroy)                                                                                            \
  X(conf_set) X(conf_set_opaque) X(conf_set_log_cb) X(conf_set_error_cb) X(conf_set_dr_msg_cb) X(err2str)    \
      X(err2name) X(fatal_error) X(poll) X(flush) X(produceva) X(topic_new) X(topic_destroy) X(metadata)     \
          X(metadata_destroy) X(message_destroy) X(message_headers) X(header_get_all) X(message_timestamp)   \
              X(topic_name) X(query_watermark_offsets) X(committed) X(commit) X(assign) X(poll_set_consumer) \
                  X(consumer_close) X(queue_get_consumer) X(queue_destroy) X(queue_cb_event_enable)          \
                      X(consume_batch_queue) X(topic_partition_list_new) X(topic_partition_list_add)         \
                          X(topic_partition_list_destroy) X(init_transactions) X(begin_transaction)          \
                              X(commit_transaction) X(abort_transaction) X(send_offsets_to_transaction)      \
                                  X(consumer_group_metadata_new) X(consumer_group_metadata_destroy)          \
                                      X(error_string) X(error_destroy) X(error_is_retriable)                 \
                                          X(error_is_fatal) X(error_txn_requires_abort) X(error_code)

struct KafkaApi {
#define MUT_FUNCTION(name) decltype(&::rd_kafka_##name) name = nullptr;
  MUT_KAFKA_FUNCTIONS(MUT_FUNCTION)
#undef MUT_FUNCTION
  decltype(&::rd_kafka_new) new_ = nullptr;
};

// Loads the library. The functions stay valid until the process ends.
Result<KafkaApi> load_kafka(env::Env& env);

}  // namespace mut::connector
