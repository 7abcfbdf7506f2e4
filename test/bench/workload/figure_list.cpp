#include "test/bench/workload/figure_list.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

extern char** environ;

namespace mut::bench {

double now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

double cold_ms(const char* program) {
  std::string path = program;
  std::string word = "w8cold";
  char* arguments[] = {path.data(), word.data(), nullptr};
  pid_t child = 0;
  const double begin = now_ms();
  if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? now_ms() - begin : -1;
}

FigureList::FigureList(const char* workload) {
  std::printf(R"({"workload":"%s","side":"engine","figures":{)", workload);
}

void FigureList::add(const std::string& name, double value) {
  std::printf(R"(%s"%s":%.6f)", first_ ? "" : ",", name.c_str(), value);
  first_ = false;
}

int FigureList::end(const std::string& check) {
  std::printf("},\"check\":\"%s\"}\n", check.c_str());
  return 0;
}

}  // namespace mut::bench
