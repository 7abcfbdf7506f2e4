#include "compiler/session/metrics_source/source.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/connector/message/message_source.h"

namespace mut::session {
namespace {

using connector::Poll;

class MetricsRows final : public connector::Subscription {
 public:
  explicit MetricsRows(MetricsSourceOptions options)
      : options_(std::move(options)), next_ns_(options_.steady_ns()) {}

  Poll take(connector::MessageGroup& to) override {
    if (stopped_.load()) return Poll::End;
    int64_t now_ns = options_.steady_ns();
    if (now_ns < next_ns_) return Poll::Wait;
    auto row = options_.row();
    if (!row) return Poll::End;
    next_ns_ += (1 + (now_ns - next_ns_) / options_.every_ns) * options_.every_ns;
    to.begin("metrics");
    to.add(*row);
    return Poll::Ready;
  }
  int64_t retry_after_ns() const override { return std::max<int64_t>(next_ns_ - options_.steady_ns(), 0); }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true); }

 private:
  MetricsSourceOptions options_;
  int64_t next_ns_;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

std::unique_ptr<connector::SourceReader> make_metrics_source(env::Env& env, MetricsSourceOptions options,
                                                             abi::TypeDescRef record,
                                                             const codec::DecodeOptions& decode) {
  return connector::make_message_source(env, std::make_unique<MetricsRows>(std::move(options)),
                                        codec::Format::Json, std::move(record), decode);
}

}  // namespace mut::session
