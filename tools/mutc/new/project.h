// What a new project consists of: a script with tests, data for it, and a page that says how to use them.
#pragma once
#include <string>
#include <vector>

namespace mut::tools {

struct ProjectFile {
  std::string name;
  std::string text;
};

// `title`: of the project, as its page shows it.
std::vector<ProjectFile> project_files(const std::string& title);

}  // namespace mut::tools
