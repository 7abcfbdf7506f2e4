#include "compiler/session/history/file.h"

#include <algorithm>

#include "compiler/session/history/chain.h"
#include "compiler/session/history/record_json.h"
#include "mutstream/tooling.h"
#include "runtime/env/real_env.h"

namespace mut::session {
namespace {

using Is = VersionRecord::Outcome;

// A version holds a script, whose size is bounded, and its plan.
constexpr size_t line_bytes_max = size_t{64} * 1024 * 1024;
constexpr size_t piece_bytes = size_t{64} * 1024;

// From events to records.
class Replay {
 public:
  Replay(HistoryContent& content, size_t limit) : content_(content), limit_(limit) {}

  void apply(Event event) {
    switch (event.kind) {
      case Event::Kind::Run:
      case Event::Kind::End:
        settle_ended(content_);
        return;
      case Event::Kind::Lost:
        content_.last_version = std::max(content_.last_version, event.record.version);
        return;
      case Event::Kind::Version:
        add(std::move(event.record));
        return;
      case Event::Kind::Outcome:
        change(std::move(event.record));
        return;
    }
  }

 private:
  VersionRecord* find(uint64_t version) {
    for (auto record = content_.newest.rbegin(); record != content_.newest.rend(); ++record) {
      if (record->version == version) return &*record;
    }
    return nullptr;
  }

  void begin_to_run(uint64_t version) {
    if (VersionRecord* before = find(content_.last_ran); before && before->outcome == Is::Running)
      before->outcome = Is::Retired;
    content_.last_ran = version;
  }

  void add(VersionRecord record) {
    if (record.outcome == Is::Running) begin_to_run(record.version);
    content_.last_version = std::max(content_.last_version, record.version);
    if (VersionRecord* known = find(record.version)) {
      *known = std::move(record);
      return;
    }
    auto place = content_.newest.end();
    while (place != content_.newest.begin() && std::prev(place)->version > record.version) --place;
    content_.newest.insert(place, std::move(record));
    if (content_.newest.size() > limit_) content_.newest.pop_front();
  }

  void change(VersionRecord record) {
    if (record.outcome == Is::Running) begin_to_run(record.version);
    VersionRecord* known = find(record.version);
    if (known == nullptr) return;  // older than what is kept
    known->outcome = record.outcome;
    known->reason = std::move(record.reason);
    known->cut = std::move(record.cut);
    known->pause_ns = record.pause_ns;
    known->entries_converted = record.entries_converted;
    known->shadow = record.shadow;
  }

  HistoryContent& content_;
  size_t limit_;
};

}  // namespace

void settle_ended(HistoryContent& content) {
  for (VersionRecord& record : content.newest) {
    if (record.outcome == Is::Running) record.outcome = Is::Retired;
    if (record.outcome != Is::Waiting) continue;
    record.outcome = Is::Aborted;
    record.reason = "the run ended before its cut was recorded";
  }
}

Result<HistoryContent> read_history_file(env::Env& env, const std::string& path, size_t limit) {
  auto file = env.open_input(path);
  if (!file) return file.error();
  HistoryContent content;
  content.last_sum = chain_begin();
  Replay replay(content, limit);
  std::string rest;  // of a line whose end has not been read
  std::string piece(piece_bytes, '\0');
  while (true) {
    auto got = file.value()->read(piece.data(), piece.size());
    if (!got) return got.error();
    if (got.value() == 0) break;
    size_t seen = rest.size();
    rest.append(piece, 0, got.value());
    size_t begin = 0;
    for (size_t end = rest.find('\n', seen); end != std::string::npos; end = rest.find('\n', begin)) {
      ++content.lines;
      std::string where = path + ": line " + std::to_string(content.lines);
      auto opened = unseal(content.last_sum, std::string_view(rest).substr(begin, end - begin));
      if (!opened) return Error{where + " " + opened.error().message + ": the chain is broken"};
      auto event = read_event(opened.value().body);
      if (!event) return event.error().within(where);
      replay.apply(std::move(event).value());
      content.last_sum = std::move(opened).value().sum;
      content.whole_bytes += end + 1 - begin;
      begin = end + 1;
    }
    rest.erase(0, begin);
    if (rest.size() > line_bytes_max) return Error{path + ": a line is longer than 64 MiB"};
  }
  // A line that was not written to its end begins like one.
  std::string_view begin = chain_line_begin().substr(0, rest.size());
  if (!rest.starts_with(begin)) return Error{path + ": is no history"};
  content.torn_bytes = rest.size();
  return content;
}

Result<std::unique_ptr<HistoryFile>> HistoryFile::open(env::Env& env, const std::string& path, size_t limit,
                                                       HistoryContent& content) {
  auto output = env.open_output(path, env::OpenMode::Append);
  if (!output) return output.error();
  Status locked = output.value()->lock();
  if (!locked) return locked.error();
  auto identity = env.identify(path);
  if (!identity) return identity.error();
  if (!identity.value().regular) return Error{path + ": is no plain file"};
  auto read = read_history_file(env, path, limit);
  if (!read) return read.error();
  content = std::move(read).value();
  if (content.torn_bytes > 0) {
    Status cut = output.value()->truncate(content.whole_bytes);
    if (!cut) return cut.error();
  }
  // Of a file that was made just now the name has to be durable too.
  Status named = env.sync_directory_of(path);
  if (!named) return named.error();
  std::unique_ptr<HistoryFile> made(new HistoryFile(env, path, std::move(output).value()));
  made->size_bytes_ = content.whole_bytes;
  made->last_sum_ = content.last_sum;
  return made;
}

Status HistoryFile::append(const std::vector<std::string>& bodies) {
  if (!broken_.empty()) return Error{broken_};
  std::string lines;
  std::string sum = last_sum_;
  for (const std::string& body : bodies) {
    Sealed sealed = seal(sum, body);
    lines += sealed.line;
    sum = std::move(sealed.sum);
  }
  Status written = env_.fail_points().at("history.write") == env::Fault::Error
                       ? Status(Error{path_ + ": the write was made to fail"})
                       : file_->write(lines);
  if (!written) {
    Status back = file_->truncate(size_bytes_);
    if (!back) broken_ = written.error().message + ", and cannot be cut: " + back.error().message;
    return written;
  }
  Status synced = env_.fail_points().at("history.sync") == env::Fault::Error
                      ? Status(Error{path_ + ": the sync was made to fail"})
                      : file_->sync();
  if (!synced) {
    // The system may have dropped the pages and would report success the next time.
    broken_ = synced.error().message + "; nothing is written there any more in this run";
    return Error{broken_};
  }
  size_bytes_ += lines.size();
  last_sum_ = std::move(sum);
  return Unit{};
}

}  // namespace mut::session

namespace mut {

Outcome<HistoryFile> read_history(const std::string& path) {
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  auto read = session::read_history_file(*machine.value(), path, SIZE_MAX);
  if (!read) return Failure{Failure::Kind::Io, read.error().message};
  session::HistoryContent& content = read.value();
  HistoryFile out;
  out.versions.assign(std::make_move_iterator(content.newest.begin()),
                      std::make_move_iterator(content.newest.end()));
  out.lines = content.lines;
  out.last_hash = content.last_sum;
  out.torn_bytes = content.torn_bytes;
  return out;
}

}  // namespace mut
