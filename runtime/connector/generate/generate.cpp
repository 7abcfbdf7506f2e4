#include "runtime/connector/generate/generate.h"

#include <algorithm>
#include <atomic>

namespace mut::connector {
namespace {

class Generator final : public SourceReader {
 public:
  Generator(env::Env& env, const GenerateOptions& options)
      : env_(env), options_(options), paced_rate_(rate()), paced_ns_(env.monotonic_ns()) {}

  Poll poll(batch::Batch& batch) override {
    if (stopped_.load(std::memory_order_relaxed)) return Poll::End;
    uint64_t rows = batch.row_capacity();
    if (options_.count >= 0) {
      auto left = static_cast<uint64_t>(options_.count) - next_;
      if (left == 0) return Poll::End;
      rows = std::min(rows, left);
    }
    if (double wanted = rate(); wanted != paced_rate_) {
      paced_rate_ = wanted;
      paced_ns_ = env_.monotonic_ns();
      paced_from_ = next_;
    }
    if (paced_rate_ > 0) {
      double elapsed = static_cast<double>(env_.monotonic_ns() - paced_ns_) / 1e9;
      auto allowed = paced_from_ + static_cast<uint64_t>(elapsed * paced_rate_) + 1;
      if (allowed <= next_) {
        first_ = next_;
        return Poll::Wait;
      }
      rows = std::min(rows, allowed - next_);
    }
    batch.set_first_position(next_);
    first_ = next_;
    auto* numbers = static_cast<int64_t*>(batch.values(0));
    for (uint64_t i = 0; i < rows; ++i) {
      auto number = static_cast<int64_t>(next_ + i);
      if (numbers != nullptr) numbers[i] = number;
      batch.times()[i] = options_.start_ns + number * options_.step_ns;
      batch.finish_row({nullptr, 0, 0});
    }
    next_ += rows;
    return Poll::Ready;
  }

  const Error& error() const override { return error_; }
  // The kernels compute the fields, so that another record is nothing to it.
  Status redeclare(abi::TypeDescRef, std::optional<size_t>) override { return Unit{}; }
  int64_t retry_after_ns() const override { return paced_rate_ > 0 ? 1'000'000 : -1; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }
  bool replays() const override { return true; }
  SourcePlace place() const override { return {"", 0, 1, first_, 0, 0}; }
  Status resume(const SourcePlace& place) override {
    if (options_.count >= 0 && place.record > static_cast<uint64_t>(options_.count))
      return Error{"it generates fewer rows than were read"};
    next_ = first_ = paced_from_ = place.record;
    return Unit{};
  }

 private:
  double rate() const { return options_.rate ? options_.rate->load(std::memory_order_relaxed) : 0; }
  env::Env& env_;
  GenerateOptions options_;
  double paced_rate_;        // rows per second, since
  int64_t paced_ns_;         // this moment, and from
  uint64_t paced_from_ = 0;  // this row on
  uint64_t next_ = 0;
  uint64_t first_ = 0;  // row of the last batch, of the next one behind Wait
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

std::unique_ptr<SourceReader> make_generator(env::Env& env, const GenerateOptions& options) {
  return std::make_unique<Generator>(env, options);
}

}  // namespace mut::connector
