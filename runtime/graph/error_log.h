// Event errors: counted per stream and stage, the newest kept for inspection. Outlives versions.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace mut::runtime {

struct ErrorRecord {
  std::string stream;
  std::string stage;
  int line = 0;
  std::string input;  // "file:line", may be empty
  std::string code;
  std::string message;
  std::string event;  // JSON, or the raw record
};

class ErrorLog {
 public:
  static constexpr size_t kept_max = 64;
  void add(ErrorRecord record) {
    if (record.stream.starts_with("tap:"))
      return;  // a condition of who looks: no event of the program failed
    ++counts_[record.stream];
    ++total_;
    if (kept_.size() == kept_max) kept_.pop_front();
    kept_.push_back(std::move(record));
  }
  // All that is in the other one, which is empty then.
  void take(ErrorLog& other) {
    for (const auto& [stream, count] : other.counts_) counts_[stream] += count;
    total_ += other.total_;
    for (ErrorRecord& record : other.kept_) kept_.push_back(std::move(record));
    while (kept_.size() > kept_max) kept_.pop_front();
    other = ErrorLog();
  }
  // Counts of an earlier run, which has told of each: nothing is kept of them.
  template <typename Io, typename Self>
  static void pass_counts(Io& io, Self& self) {
    if constexpr (Io::loads) {
      uint64_t streams = io.count(8);
      for (uint64_t i = 0; i < streams && io.fine(); ++i) {
        std::string stream;
        io.text(stream);
        io.value(self.counts_[stream]);
      }
    } else {
      io.value(static_cast<uint64_t>(self.counts_.size()));
      for (const auto& [stream, count] : self.counts_) {
        io.text(stream);
        io.value(count);
      }
    }
    io.value(self.total_);
  }
  uint64_t total() const { return total_; }
  const std::map<std::string, uint64_t>& counts() const { return counts_; }
  const std::deque<ErrorRecord>& kept() const { return kept_; }

 private:
  std::map<std::string, uint64_t> counts_;
  std::deque<ErrorRecord> kept_;
  uint64_t total_ = 0;
};

}  // namespace mut::runtime
