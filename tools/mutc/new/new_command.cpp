#include "tools/mutc/new/new_command.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tools/mutc/new/project.h"

namespace mut::tools {
namespace {

// A message where it cannot be done; nothing is left behind where the folder was not made.
std::string make_project(const std::filesystem::path& folder) {
  std::error_code problem;
  if (std::filesystem::exists(std::filesystem::symlink_status(folder, problem)))
    return folder.string() + " is there already: choose another name";
  if (!std::filesystem::create_directory(folder, problem))
    return folder.string() + ": " + (problem ? problem.message() : "cannot be made");
  for (const ProjectFile& file : project_files(folder.filename().string())) {
    std::ofstream out(folder / file.name, std::ios::binary);
    out << file.text;
    out.flush();
    if (!out) return (folder / file.name).string() + ": cannot be written";
  }
  return "";
}

}  // namespace

void add_new(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("new", "Start a project: a folder with a script, data and tests");
  command->add_option("NAME", *name, "The folder, which must not be there yet")->required();
  command->callback([&console, &exit_code, name] {
    std::filesystem::path folder = *name;
    if (!folder.has_filename()) folder = folder.parent_path();  // `name/`
    std::string problem = make_project(folder);
    if (!problem.empty()) {
      print_error("mutc: " + problem);
      exit_code = exit_io;
      return;
    }
    if (!console.quiet)
      std::printf("%s is ready: cd %s && mutc run main.mut\n", folder.c_str(), folder.c_str());
  });
}

}  // namespace mut::tools
