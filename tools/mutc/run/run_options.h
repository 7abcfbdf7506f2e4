#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace mut::tools {

struct RunOptions {
  std::string file;
  std::vector<std::string> binds;
  std::vector<std::string> swaps;
  std::vector<std::string> undos;
  std::vector<std::string> shadows;
  std::vector<std::string> promotes;
  std::vector<std::string> adopts;
  std::vector<std::string> canaries;
  std::vector<std::string> completes;
  std::vector<std::string> ends;
  std::string part;
  std::string expect;
  std::vector<std::string> accepts;
  std::vector<std::string> sets;
  bool watch = false;
  std::string policy = "ask";
  std::string engine = "jit";
  std::string tier = "auto";
  uint32_t batch = 0;  // as the engine has it
  int shards = 1;
  std::optional<uint32_t> decode_threads;  // none: as many as processors are left
  std::string disturb;
  std::string guard;
  std::string stats;
  std::string log = "text";
  std::string history;
  std::string state;
  std::string checkpoint_every;
  bool stamp = false;
  std::string control;
  std::optional<std::string> http;
  std::string http_certificate;
  std::string http_key;
  std::string http_token_file;
  uint64_t memory = uint64_t{256} * 1024 * 1024;
  std::string spill;
  uint64_t spill_limit = 0;  // 0: as the engine has it
  std::string fail_on;
  std::string perf;
  // Of `mutc profile`: what the run prints when it is over, and where; empty: on standard error.
  enum class Profile : uint8_t { No, Text, Json } profile = Profile::No;
  std::string profile_to;

  enum class Edit : uint8_t { Swap, Undo, Shadow, Promote, Adopt, Canary, Complete, End };
  std::vector<Edit> edits;     // in the order of the command line
  std::vector<int> accept_of;  // by accept: the index of the edit it stands behind, or -1
  void read_order(const std::vector<CLI::Option*>& order) {
    for (const CLI::Option* option : order) {
      if (option->check_name("--swap")) edits.push_back(Edit::Swap);
      if (option->check_name("--undo")) edits.push_back(Edit::Undo);
      if (option->check_name("--shadow")) edits.push_back(Edit::Shadow);
      if (option->check_name("--promote")) edits.push_back(Edit::Promote);
      if (option->check_name("--adopt")) edits.push_back(Edit::Adopt);
      if (option->check_name("--canary")) edits.push_back(Edit::Canary);
      if (option->check_name("--complete")) edits.push_back(Edit::Complete);
      if (option->check_name("--end-canary")) edits.push_back(Edit::End);
      if (option->check_name("--accept")) accept_of.push_back(static_cast<int>(edits.size()) - 1);
    }
  }
};

// FILE and all options of `mutc run`.
void add_run_options(CLI::App& command, RunOptions& options);

}  // namespace mut::tools
