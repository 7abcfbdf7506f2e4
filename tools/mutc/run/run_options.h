#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace mut::tools {

struct RunOptions {
  std::string file;
  std::vector<std::string> binds;
  std::vector<std::string> swaps;
  std::vector<std::string> accepts;
  std::vector<std::string> sets;
  bool watch = false;
  std::string policy = "ask";
  std::string engine = "jit";
  std::string tier = "auto";
  uint32_t batch = 4096;
  int shards = 1;
  std::string disturb;
  std::string stats;
  std::string history;
  bool stamp = false;
  std::string control;
  uint64_t memory = uint64_t{256} * 1024 * 1024;
  std::string fail_on;

  // By accept: the index of the swap it stands behind, or -1.
  std::vector<int> accept_of;
  void read_order(const std::vector<CLI::Option*>& order) {
    int swap = -1;
    for (const CLI::Option* option : order) {
      if (option->check_name("--swap")) ++swap;
      if (option->check_name("--accept")) accept_of.push_back(swap);
    }
  }
};

}  // namespace mut::tools
