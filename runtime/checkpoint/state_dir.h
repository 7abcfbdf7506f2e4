// A directory of checkpoints: `lock`, `manifest-N` and `data-N`. Two checkpoints are kept, so that one which
// is damaged has another behind it. One process has it at a time.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/block_lines.h"
#include "runtime/checkpoint/input_mark.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::checkpoint {

// Bytes under a name, in blocks.
struct Section {
  std::string name;
  std::vector<std::string_view> blocks;
};

// All that one checkpoint holds. What it names stays where it is until it was written.
struct Contents {
  uint64_t number = 0;
  std::vector<Section> sections;
  // Outputs that have to be durable as far as the checkpoint says they go.
  std::vector<connector::SinkPlace> sinks;
  // Places of sources, whose marks become the section `marks`, in this order.
  std::vector<InputPlace> places;
};

// A checkpoint in memory, each bit of it checked.
class Loaded {
 public:
  uint64_t number() const { return manifest_.number; }
  // Empty: there is none of that name.
  std::vector<std::string_view> blocks(std::string_view section) const;

 private:
  friend class StateDir;
  // Puts the blocks together.
  Status assemble(const std::shared_ptr<state::Spill>& spill);
  Result<std::string_view> part(BlockKind kind, const BlockPlace& place) const;

  Manifest manifest_;
  std::map<uint64_t, state::SpilledBytes> files_;                             // by number
  std::list<state::SpilledBytes> assembled_;                                  // of lines that changed
  std::map<std::string, std::vector<std::string_view>, std::less<>> blocks_;  // by section
};

// Threads: one at a time.
class StateDir {
 public:
  // Makes it where it is not there, and locks it. Fails where another run has it, or where it holds something
  // else.
  // `lines_bytes`: how much memory is for what tells which lines of blocks changed, an eighth of as many
  // blocks; of the others whole blocks are written. Twice that while one is written.
  static Result<std::unique_ptr<StateDir>> open(env::Env& env, std::string path,
                                                size_t lines_bytes = size_t{64} << 20U);

  struct Newest {
    std::unique_ptr<Loaded> checkpoint;  // null: there is none yet
    std::vector<std::string> refused;    // newer ones that are damaged, and why
  };
  // Fails where there are checkpoints and none can be read: to begin anew would lose all of them.
  // What is read lies in `spill`, which may be null, as long as it lives.
  Result<Newest> load_newest(std::shared_ptr<state::Spill> spill = nullptr);
  // Of the next one: no file of the directory has it.
  uint64_t next_number() const { return next_number_; }

  // Durable once it returns. Blocks that are as they were in the last one that was written are named, not
  // written again; of others the lines that changed are written, where they are few. On failure the
  // checkpoints before are what they were.
  Status write(const Contents& contents);
  const std::string& path() const { return path_; }
  // Of the last write(): what was written, and all that it names.
  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t named_bytes() const { return named_bytes_; }
  // An output could not be synced: nobody knows what the disk has of it, so nothing is written any more.
  bool is_broken() const { return broken_; }

 private:
  StateDir(env::Env& env, std::string path, size_t lines_bytes)
      : env_(env), path_(std::move(path)), lines_bytes_max_(lines_bytes) {}
  std::string file(const std::string& kind, uint64_t number) const;
  Result<std::unique_ptr<Loaded>> load(uint64_t number, const std::shared_ptr<state::Spill>& spill) const;
  Status sync_sinks(const Contents& contents);
  // What is known of the blocks of the last one, as far as this run has written them.
  struct Known {
    std::map<BlockDigest, Manifest::Block> places;
    std::map<std::string, std::vector<BlockLines>> lines;  // by section; of some blocks the digest alone
    size_t lines_bytes = 0;
  };
  // Blocks of those files are written anew, so that the files can go.
  std::set<uint64_t> sparse_files() const;
  Status write_data(const Contents& contents, Manifest& manifest, Known& known);
  Status add_section(const Section& section, const std::set<uint64_t>& sparse, DataFileWriter& data,
                     Manifest& manifest, Known& known);
  // The block of that number of the section in the last checkpoint, where its lines can go on; null: it
  // cannot.
  const Manifest::Block* goes_on(const std::string& section, size_t number,
                                 const std::set<uint64_t>& sparse) const;
  Status write_manifest(const Manifest& manifest);
  void remove_old();

  env::Env& env_;
  std::string path_;
  size_t lines_bytes_max_;
  std::unique_ptr<env::OutputFile> lock_;
  uint64_t next_number_ = 1;
  Manifest last_;      // of the newest that is whole; number 0: none
  Manifest previous_;  // the one before
  DigestKey key_{};
  Known known_;
  std::set<std::string> named_sinks_;  // whose names are durable
  uint64_t written_bytes_ = 0;
  uint64_t named_bytes_ = 0;
  bool broken_ = false;
};

}  // namespace mut::checkpoint
