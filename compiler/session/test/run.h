// One `test` block from its first step to its last.
#pragma once
#include <string>

#include "compiler/sema/test_version.h"
#include "compiler/session/test/recorder.h"
#include "compiler/source/source_set.h"
#include "mutstream/testing.h"

namespace mut::session {

struct TestScript {
  source::SourceSet* sources = nullptr;  // files of later versions are added
  sema::Declarations declarations;
  std::string name;
  std::string folder;  // of files that tests name; "" or with a `/` at its end
};

// `recorder`: takes rows that differ from what is expected, which is then no failure. May be null.
TestResult run_test(const TestScript& script, const ast::TestDecl& test, TestOptions::Runner runner,
                    Recorder* recorder);

}  // namespace mut::session
