// Figures by name, as one JSON line, and what they are made of.
#pragma once
#include <string>
#include <vector>

namespace mut::bench {

double now_ms();
double quantile(std::vector<double> values, double share);  // 0 of none
// A process that compiles ten operators, runs one event and ends: from its start to its end; -1: it failed.
double cold_ms(const char* program);

class FigureList {
 public:
  explicit FigureList(const char* workload);
  void add(const std::string& name, double value);
  int end(const std::string& check);

 private:
  bool first_ = true;
};

}  // namespace mut::bench
