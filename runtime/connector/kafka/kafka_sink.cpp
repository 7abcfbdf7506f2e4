#include "runtime/connector/kafka/kafka_sink.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/codec/json/field_text.h"

namespace mut::connector {
namespace {

// How long the brokers may take for a message or a step of a transaction, milliseconds.
constexpr int deliver_wait_ms = 10'000;

class KafkaCarrier final : public Carrier {
 public:
  KafkaCarrier(env::Env& env, KafkaSinkOptions options, const KafkaApi& api)
      : env_(env), options_(std::move(options)), api_(api) {}
  ~KafkaCarrier() override { disconnect(); }

  bool keeps_numbers() const override { return options_.writes == KafkaSinkOptions::Writes::Transactions; }
  void name_deliveries(const std::string& name) override { name_ = "mutstream/" + name; }
  std::string target() const override {
    return "kafka " + options_.address.brokers + " " + options_.address.topic;
  }
  size_t delivery_bytes_max() const override { return 4 * 1024 * 1024; }

  std::optional<Trouble> connect() override {
    std::vector<std::pair<std::string, std::string>> settings = {
        {"enable.idempotence", "true"},
        {"linger.ms", "2"},
        {"queue.buffering.max.messages", "200000"},
        {"message.timeout.ms", std::to_string(deliver_wait_ms)}};
    if (!name_.empty()) {
      settings.emplace_back("transactional.id", name_);
      settings.emplace_back("transaction.timeout.ms", std::to_string(2 * deliver_wait_ms));
    }
    auto made = make_kafka_client(env_, api_, RD_KAFKA_PRODUCER, options_.address, settings,
                                  {this, nullptr, note_delivered});
    if (!made) return Trouble{made.error()};
    client_ = std::move(made).value();
    auto partitions = kafka_partitions(env_, api_, client_, options_.address);
    if (!partitions) return fail(partitions.error());
    if (name_.empty()) return std::nullopt;
    return judge(api_.init_transactions(client_.get(), deliver_wait_ms));
  }

  void disconnect() noexcept override { client_ = nullptr; }

  std::optional<Trouble> deliver(const Delivery& delivery) override {
    const bool transaction = !name_.empty();
    if (transaction) {
      auto begun = judge(api_.begin_transaction(client_.get()));
      if (begun) return begun;
    }
    refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string_view left = delivery.rows;
    while (!left.empty()) {
      size_t end = left.find('\n');
      std::string_view row = left.substr(0, end);
      auto trouble = produce(row);
      if (trouble) return trouble;
      left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    }
    rd_kafka_resp_err_t flushed = api_.flush(client_.get(), deliver_wait_ms);
    if (flushed != RD_KAFKA_RESP_ERR_NO_ERROR) return trouble_of(flushed);
    if (refused_ != RD_KAFKA_RESP_ERR_NO_ERROR) return trouble_of(refused_);
    if (!transaction) return std::nullopt;
    if (delivery.number != 0) {
      auto noted = note_number(delivery.number);
      if (noted) return noted;
    }
    return judge(api_.commit_transaction(client_.get(), deliver_wait_ms));
  }

  // The offset of a group that has the name of these deliveries.
  Result<uint64_t> newest_number() override {
    if (name_.empty()) return uint64_t{0};
    auto asker = make_kafka_client(env_, api_, RD_KAFKA_CONSUMER, options_.address,
                                   {{"group.id", name_}, {"isolation.level", "read_committed"}}, {});
    if (!asker) return asker.error();
    rd_kafka_topic_partition_list_t* list = number_list(RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t failed = api_.committed(asker.value().get(), list, kafka_wait_ms);
    int64_t number = list->elems[0].offset;
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) failed = list->elems[0].err;
    api_.topic_partition_list_destroy(list);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{api_.err2str(failed)};
    return number < 0 ? uint64_t{0} : static_cast<uint64_t>(number);
  }

 private:
  static void note_delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* carrier) {
    auto* self = static_cast<KafkaCarrier*>(carrier);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) self->refused_ = message->err;
  }

  struct HeadersDeleter {
    const KafkaApi* api = nullptr;
    void operator()(rd_kafka_headers_t* headers) const { api->headers_destroy(headers); }
  };
  using Headers = std::unique_ptr<rd_kafka_headers_t, HeadersDeleter>;

  // Of a map of texts; none: there are none.
  Headers headers_of(std::string_view map) const {
    Headers out(nullptr, {&api_});
    size_t at = 1;
    while (auto member = json::next_member(map, at)) {
      std::string text = json::key_text(member->value).value_or("");
      if (!out) out.reset(api_.headers_new(4));
      (void)api_.header_add(out.get(), member->name.data(), static_cast<ssize_t>(member->name.size()),
                            text.data(), static_cast<ssize_t>(text.size()));
    }
    return out;
  }

  std::optional<Trouble> produce(std::string_view row) {
    std::optional<std::string> key;
    if (!options_.key.empty()) {
      if (auto value = json::field_text(row, options_.key)) key = json::key_text(*value);
    }
    if (options_.headers.empty()) return produce(row, key, Headers(nullptr, {&api_}));
    Headers headers = headers_of(json::field_text(row, options_.headers).value_or(""));
    return produce(json::without_field(row, options_.headers), key, std::move(headers));
  }

  std::optional<Trouble> produce(std::string_view row, std::optional<std::string> key, Headers headers) {
    while (true) {
      std::array<rd_kafka_vu_t, 5> parts{};
      size_t count = 0;
      parts[count].vtype = RD_KAFKA_VTYPE_TOPIC;
      parts[count++].u.cstr = options_.address.topic.c_str();
      parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
      parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
      parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
      parts[count].u.mem.ptr = const_cast<char*>(row.data());
      parts[count++].u.mem.size = row.size();
      if (key) {
        parts[count].vtype = RD_KAFKA_VTYPE_KEY;
        parts[count].u.mem.ptr = key->data();
        parts[count++].u.mem.size = key->size();
      }
      if (headers) {
        parts[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[count++].u.headers = headers.get();
      }
      rd_kafka_error_t* failed = api_.produceva(client_.get(), parts.data(), count);
      if (failed == nullptr) {
        (void)headers.release();  // the message has them
        return std::nullopt;
      }
      rd_kafka_resp_err_t code = api_.error_code(failed);
      if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return judge(failed);
      api_.error_destroy(failed);
      if (refused_ != RD_KAFKA_RESP_ERR_NO_ERROR) return trouble_of(refused_);
      (void)api_.poll(client_.get(), 100);
    }
  }

  std::optional<Trouble> note_number(uint64_t number) {
    rd_kafka_topic_partition_list_t* list = number_list(static_cast<int64_t>(number));
    rd_kafka_consumer_group_metadata_t* group = api_.consumer_group_metadata_new(name_.c_str());
    rd_kafka_error_t* failed = api_.send_offsets_to_transaction(client_.get(), list, group, deliver_wait_ms);
    api_.consumer_group_metadata_destroy(group);
    api_.topic_partition_list_destroy(list);
    return judge(failed);
  }

  rd_kafka_topic_partition_list_t* number_list(int64_t number) const {
    rd_kafka_topic_partition_list_t* out = api_.topic_partition_list_new(1);
    api_.topic_partition_list_add(out, options_.address.topic.c_str(), 0)->offset = number;
    return out;
  }

  Trouble fail(Error why) {
    disconnect();
    return {std::move(why), Trouble::Kind::Passes};
  }

  // Of a step that has returned an error; takes it. Whatever is not known to have happened is done again by a
  // new client, which first asks for the number.
  std::optional<Trouble> judge(rd_kafka_error_t* error) {
    if (error == nullptr) return std::nullopt;
    rd_kafka_resp_err_t code = api_.error_code(error);
    std::string why = api_.error_string(error);
    api_.error_destroy(error);
    return Trouble{Error{why}, kind_of(code)};
  }

  Trouble trouble_of(rd_kafka_resp_err_t code) const { return {Error{api_.err2str(code)}, kind_of(code)}; }

  static Trouble::Kind kind_of(rd_kafka_resp_err_t code) {
    switch (code) {
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return Trouble::Kind::ForGood;
      default:
        return Trouble::Kind::Passes;
    }
  }

  env::Env& env_;
  KafkaSinkOptions options_;
  KafkaApi api_;
  std::string name_;  // of the deliveries; empty: there are no transactions
  KafkaClient client_;
  rd_kafka_resp_err_t refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // a message of this delivery was, and why
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_kafka_carrier(env::Env& env, KafkaSinkOptions options) {
  auto api = load_kafka(env);
  if (!api) return api.error();
  return std::unique_ptr<Carrier>(new KafkaCarrier(env, std::move(options), api.value()));
}

}  // namespace mut::connector
