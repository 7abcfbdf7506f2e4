#include "runtime/connector/kafka/shared_source.h"

#include <deque>
#include <utility>

#include "runtime/connector/kafka/group_member.h"

namespace mut::connector {
namespace {

class SharedKafkaSource final : public Subscription {
 public:
  SharedKafkaSource(env::Env& env, KafkaSourceOptions options, const KafkaApi& api, env::EventCount* wake,
                    std::shared_ptr<Notices> notices)
      : api_(api), member_(env, std::move(options), api_, wake, std::move(notices)) {}

  Status open() { return member_.open(); }

  Poll take(MessageGroup& to) override {
    if (member_.failure() != nullptr) return Poll::Failed;
    if (stopped_.load()) return Poll::End;
    member_.join();
    auto taken = member_.partitions().take(to);
    if (!taken) return Poll::Wait;
    messages_ += to.size();
    taken_.push_back({messages_, *taken});
    member_.note_progress();
    return Poll::Ready;
  }

  const Error& error() const override { return member_.failure() != nullptr ? *member_.failure() : none_; }
  // What was received and not taken is left to the group.
  void stop() override {
    stopped_.store(true);
    member_.stop();
  }
  size_t waiting_bytes() const override { return member_.partitions().bytes(); }

  bool is_given_again() const override { return true; }
  bool is_waited_for() const override { return member_.is_handing_over(); }
  void acknowledge(uint64_t messages) override {
    while (!taken_.empty() && taken_.front().messages <= messages) {
      member_.partitions().note_run(taken_.front().of);
      taken_.pop_front();
    }
    member_.note_progress();
  }

 private:
  struct Taken {
    uint64_t messages = 0;  // up to and with these
    GroupPartitions::Taken of;
  };

  const KafkaApi api_;
  GroupMember member_;
  std::atomic<bool> stopped_{false};
  uint64_t messages_ = 0;
  std::deque<Taken> taken_;  // and not acknowledged
  const Error none_;
};

}  // namespace

Result<std::unique_ptr<Subscription>> open_shared_kafka_source(env::Env& env, KafkaSourceOptions options,
                                                               env::EventCount* wake,
                                                               std::shared_ptr<Notices> notices) {
  auto api = load_kafka(env);
  if (!api) return api.error();
  auto source =
      std::make_unique<SharedKafkaSource>(env, std::move(options), api.value(), wake, std::move(notices));
  Status opened = source->open();
  if (!opened) return opened.error();
  return std::unique_ptr<Subscription>(std::move(source));
}

}  // namespace mut::connector
