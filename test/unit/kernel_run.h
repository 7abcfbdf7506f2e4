// A kernel called by hand: a script over one column of numbers, without an engine around it.
#pragma once
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "compiler/session/program.h"
#include "runtime/graph/instance.h"

namespace mut::test {

// `y` as an expression over `x: int`.
inline std::shared_ptr<session::Program> program_of(const std::string& y) {
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  return session::make_program(
      "type Row = { x: int, at: time }\nsource rows: Row = host() time at\n"
      "stream out = rows | select y = " +
          y + "\nemit out to host()\n",
      "rows.mut", sources, diags);
}

class KernelRun {
 public:
  explicit KernelRun(const std::shared_ptr<session::Program>& program)
      : budget_(1 << 20), instance_(program->plan, {}, {}, budget_, log_), xs_{20}, times_{0} {
    columns_[0].values = xs_.data();
    columns_[1].values = times_.data();
    batch_.abi = abi::abi_number;
    batch_.row_count = 1;
    batch_.columns = columns_;
    batch_.times = times_.data();
    instance_.batch = &batch_;
  }
  void set_x(int64_t x) { xs_[0] = x; }
  // The value that a kernel gives for x, which is 20 unless it was set. `rows`: how many it is told there
  // are; there is one.
  int64_t run(const runtime::Kernels& kernels, uint32_t rows = 1) {
    MutCursor cursor{0, rows, runtime::no_watermark};
    kernels.sources[0](&instance_.context(), &batch_, &cursor);
    int64_t y = 0;
    if (instance_.sinks()[0].count > 0) memcpy(&y, instance_.sinks()[0].rows + sizeof(MutOutHead), sizeof(y));
    instance_.clear_output();
    return y;
  }

 private:
  state::Budget budget_;
  runtime::ErrorLog log_;
  runtime::Instance instance_;
  std::vector<int64_t> xs_;
  std::vector<int64_t> times_;
  MutColumn columns_[2]{};
  MutBatch batch_{};
};

}  // namespace mut::test
