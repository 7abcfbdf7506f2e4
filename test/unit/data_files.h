// Data sets shared by test programs: the folder MUT_DATA, else ../shared/data beside the checkout.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace mut::test {

inline std::string data_path(const std::string& relative) {
  const char* folder = std::getenv("MUT_DATA");
  std::filesystem::path root = folder ? folder : MUT_SOURCE_DIR "/../shared/data";
  return (root / relative).string();
}

inline bool data_is_required() { return std::getenv("MUT_REQUIRE_DATA") != nullptr; }

inline std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace mut::test

// Names the path of a data file, or leaves the test: skipped, or failed where data is required.
#define MUT_NEED_DATA(path, relative)                                      \
  const std::string path = mut::test::data_path(relative);                 \
  if (!std::filesystem::exists(path)) {                                    \
    if (mut::test::data_is_required()) FAIL() << "missing data: " << path; \
    GTEST_SKIP() << "no data at " << path;                                 \
  }
