// A disk in memory that remembers what of it is durable, and makes what a crash may leave: of what was not
// synced any part, of names that were not synced any of the changes. One thread.
//
// Stricter than file systems are: a file's sync does not make its name durable, sectors of 512 bytes arrive
// or not each by itself, and what a failed sync was to write may be lost for good.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/env/env.h"

namespace mut::test {

using Chance = std::mt19937_64;

inline bool one_of(Chance& chance, uint64_t n) { return chance() % n == 0; }

struct DiskChange {
  bool cut = false;  // to `offset` bytes
  uint64_t offset = 0;
  std::string bytes;
};

struct DiskFile {
  std::string now;
  std::string durable;
  std::vector<DiskChange> since;     // the last sync
  std::vector<DiskChange> doubtful;  // of a sync that failed
};

struct NameChange {
  std::string from;  // empty: `to` is new
  std::string to;    // empty: `from` went
  uint64_t file = 0;
};

class Disk {
 public:
  std::map<uint64_t, DiskFile> files;
  std::map<std::string, uint64_t> names;
  std::map<std::string, uint64_t> durable_names;
  std::vector<NameChange> name_changes;
  uint64_t next_file = 1;

  static void apply(std::map<std::string, uint64_t>& names, const NameChange& change) {
    if (!change.from.empty()) names.erase(change.from);
    if (!change.to.empty()) names[change.to] = change.file;
  }
  void change_name(NameChange change) {
    apply(names, change);
    name_changes.push_back(std::move(change));
  }
  static std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
  void sync_names(const std::string& directory) {
    std::vector<NameChange> others;
    for (NameChange& change : name_changes) {
      if (directory_of(change.to.empty() ? change.from : change.to) == directory) {
        apply(durable_names, change);
      } else {
        others.push_back(std::move(change));
      }
    }
    name_changes = std::move(others);
  }

  // What a crash now may leave.
  Disk after_crash(Chance& chance) const {
    Disk out;
    out.next_file = next_file;
    out.names = durable_names;
    // None, all, the first ones, or any.
    size_t first = name_changes.empty() ? 0 : chance() % (name_changes.size() + 1);
    bool any = one_of(chance, 2);
    for (size_t i = 0; i < name_changes.size(); ++i) {
      if (any ? one_of(chance, 2) : i < first) apply(out.names, name_changes[i]);
    }
    out.durable_names = out.names;
    for (const auto& [name, number] : out.names) {
      DiskFile& made = out.files[number];
      made.now = made.durable = content_after_crash(files.at(number), chance);
    }
    return out;
  }

 private:
  static constexpr size_t sector_bytes = 512;
  static std::string content_after_crash(const DiskFile& file, Chance& chance) {
    std::vector<DiskChange> changes = file.doubtful;
    changes.insert(changes.end(), file.since.begin(), file.since.end());
    std::string out = file.durable;
    if (changes.empty() || one_of(chance, 4)) return out;
    if (file.doubtful.empty() && one_of(chance, 4)) return file.now;
    char missing = one_of(chance, 2) ? '\0' : static_cast<char>(chance());
    for (const DiskChange& change : changes) {
      if (change.cut) {
        if (one_of(chance, 2)) out.resize(std::min<size_t>(out.size(), change.offset));
        continue;
      }
      bool grows = one_of(chance, 2);
      for (size_t at = 0; at < change.bytes.size();) {
        size_t offset = change.offset + at;
        size_t bytes = std::min(sector_bytes - offset % sector_bytes, change.bytes.size() - at);
        bool arrives = one_of(chance, 2);
        if ((arrives || grows) && out.size() < offset + bytes) out.resize(offset + bytes, missing);
        if (arrives) out.replace(offset, bytes, change.bytes, at, bytes);
        at += bytes;
      }
    }
    return out;
  }
};

// The border to the machine with such a disk. From the `ends_at`-th change of the disk on (from 1) nothing is
// changed any more and everything fails: the machine is gone. The `fails_at`-th fails, and the disk goes on.
class DiskEnv final : public env::Env {
 public:
  // The others say that they have synced what a file has, or its name, and have not.
  enum class Kind : uint8_t { Honest, KeepsNoContent, KeepsNoName };
  DiskEnv(Disk disk, Kind kind, uint64_t seed) : disk(std::move(disk)), kind_(kind), chance_(seed) {}

  Disk disk;
  uint64_t ends_at = 0;
  uint64_t fails_at = 0;
  uint64_t changes = 0;
  uint64_t syncs_again = 0;  // of a file whose sync had failed

  bool is_over() const { return ends_at != 0 && changes >= ends_at; }

  int64_t wall_ns() override { return 0; }
  int64_t monotonic_ns() override { return 0; }
  int64_t thread_cpu_ns() override { return 0; }
  void sleep(int64_t) override {}

  Result<std::unique_ptr<env::InputFile>> open_input(const std::string& path) override {
    auto found = disk.names.find(path);
    if (found == disk.names.end()) return Error{path + ": no such file"};
    return std::unique_ptr<env::InputFile>(new Input(*this, found->second));
  }
  Result<std::unique_ptr<env::OutputFile>> open_output(const std::string& path, env::OpenMode mode) override {
    auto found = disk.names.find(path);
    if (found == disk.names.end()) {
      if (!step()) return Error{path + ": cannot be made"};
      disk.change_name({"", path, disk.next_file});
      disk.files[disk.next_file];
      return std::unique_ptr<env::OutputFile>(new Output(*this, disk.next_file++));
    }
    if (mode == env::OpenMode::CreateNew) return Error{path + ": it is there"};
    auto out = std::make_unique<Output>(*this, found->second);
    if (mode == env::OpenMode::Replace) {
      Status cut = out->truncate(0);
      if (!cut) return cut.error();
    }
    return std::unique_ptr<env::OutputFile>(std::move(out));
  }
  Result<env::FileIdentity> identify(const std::string& path) override {
    auto found = disk.names.find(path);
    if (found == disk.names.end()) return Error{path + ": no such file"};
    return env::FileIdentity{1, found->second, disk.files[found->second].now.size(), true};
  }
  Result<std::vector<std::string>> list_directory(const std::string& path) override {
    std::vector<std::string> out;
    for (const auto& [name, file] : disk.names) {
      if (Disk::directory_of(name) == path) out.push_back(name);
    }
    return out;
  }
  Status create_directories(const std::string&) override { return Unit{}; }
  Status rename(const std::string& from, const std::string& to) override {
    auto found = disk.names.find(from);
    if (found == disk.names.end()) return Error{from + ": no such file"};
    if (!step()) return Error{from + ": cannot be renamed"};
    disk.change_name({from, to, found->second});
    return sync_directory_of(to);
  }
  Status sync_directory_of(const std::string& path) override {
    if (!step()) return Error{path + ": its directory cannot be synced"};
    if (kind_ != Kind::KeepsNoName) disk.sync_names(Disk::directory_of(path));
    return Unit{};
  }
  Status remove_file(const std::string& path) override {
    auto found = disk.names.find(path);
    if (found == disk.names.end()) return Error{path + ": no such file"};
    if (!step()) return Error{path + ": cannot be removed"};
    disk.change_name({path, "", found->second});
    return Unit{};
  }
  uint64_t random_seed() override { return chance_(); }
  std::string variable(const char*) override { return ""; }
  env::FailPoints& fail_points() override { return fail_points_; }
  uint32_t processor_count() override { return 1; }
  bool is_directory(const std::string&) override { return false; }

  std::unique_ptr<env::InputFile> standard_input() override { std::abort(); }
  std::unique_ptr<env::OutputFile> standard_output() override { std::abort(); }
  std::unique_ptr<env::OutputFile> standard_error() override { std::abort(); }
  Result<std::vector<std::string>> glob(const std::string&) override { std::abort(); }
  Result<std::unique_ptr<env::PagedFile>> open_paged_file(const std::string&, size_t) override {
    std::abort();
  }
  Result<std::unique_ptr<env::SocketListener>> listen_local(const std::string&) override { std::abort(); }
  Result<std::unique_ptr<env::SocketListener>> listen_tcp(const env::TcpAddress&) override { std::abort(); }
  Result<std::unique_ptr<env::Socket>> connect_tcp(const env::TcpAddress&, int64_t,
                                                   const std::atomic<bool>&) override {
    std::abort();
  }
  std::unique_ptr<env::SocketSet> make_socket_set() override { std::abort(); }
  std::unique_ptr<env::EventCount> make_event_count() override { std::abort(); }
  std::unique_ptr<env::Thread> start_thread(std::string, std::function<void()>,
                                            env::ThreadPriority) override {
    std::abort();
  }
  Result<std::shared_ptr<env::Sampler>> start_sampler() override { std::abort(); }
  Result<std::unique_ptr<env::Library>> open_library(const std::string&) override { std::abort(); }
  void exit_process(int) override { std::abort(); }

 private:
  // The next change of the disk; false: it fails.
  bool step() {
    if (is_over()) return false;
    ++changes;
    return !is_over() && changes != fails_at;
  }

  class Input final : public env::InputFile {
   public:
    Input(DiskEnv& env, uint64_t file) : env_(env), file_(file) {}
    Result<size_t> read(char* to, size_t bytes) override {
      const std::string& text = env_.disk.files[file_].now;
      size_t got = std::min(bytes, text.size() - at_);
      memcpy(to, text.data() + at_, got);
      at_ += got;
      return got;
    }
    bool ready(int64_t) override { return true; }
    Result<env::FileIdentity> identity() override {
      return env::FileIdentity{1, file_, env_.disk.files[file_].now.size(), true};
    }
    Status seek(uint64_t offset) override {
      at_ = offset;
      return Unit{};
    }

   private:
    DiskEnv& env_;
    uint64_t file_;
    size_t at_ = 0;
  };

  class Output final : public env::OutputFile {
   public:
    Output(DiskEnv& env, uint64_t file) : env_(env), file_(file) {}
    Status write(std::string_view bytes) override {
      // What fails, or is under way when the machine goes, has done a part.
      bool was_over = env_.is_over();
      bool whole = env_.step();
      if (was_over) return Error{"the machine is gone"};
      if (!whole) bytes = bytes.substr(0, env_.chance_() % (bytes.size() + 1));
      DiskFile& file = env_.disk.files[file_];
      file.since.push_back({false, file.now.size(), std::string(bytes)});
      file.now += bytes;
      written_ += bytes.size();
      return whole ? Status(Unit{}) : Status(Error{"cannot be written"});
    }
    uint64_t written_bytes() const override { return written_; }
    Status sync() override {
      DiskFile& file = env_.disk.files[file_];
      if (!file.doubtful.empty()) ++env_.syncs_again;
      bool was_over = env_.is_over();
      if (!env_.step()) {
        // The system forgets what it could not write.
        if (!was_over && !env_.is_over()) {
          file.doubtful.insert(file.doubtful.end(), file.since.begin(), file.since.end());
          file.since.clear();
        }
        return Error{"cannot be synced"};
      }
      if (env_.kind_ != Kind::KeepsNoContent && file.doubtful.empty()) {
        file.durable = file.now;
        file.since.clear();
      }
      return Unit{};
    }
    Status truncate(uint64_t bytes) override {
      if (!env_.step()) return Error{"cannot be cut"};
      DiskFile& file = env_.disk.files[file_];
      file.since.push_back({true, bytes, ""});
      file.now.resize(std::min<size_t>(file.now.size(), bytes));
      return Unit{};
    }
    Status lock() override { return Unit{}; }
    Status close() override { return Unit{}; }

   private:
    DiskEnv& env_;
    uint64_t file_;
    uint64_t written_ = 0;
  };

  Kind kind_;
  Chance chance_;
  env::FailPoints fail_points_;
};

}  // namespace mut::test
