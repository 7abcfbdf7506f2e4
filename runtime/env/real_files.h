// Files by descriptor. Private to the folder.
#pragma once
#include <memory>
#include <string>

#include "runtime/env/files.h"

namespace mut::env {

// "PATH: No such file or directory", from errno.
Error system_error(const std::string& what);

enum class Ownership : uint8_t { Close, Borrow };

std::unique_ptr<InputFile> make_input_file(int descriptor, std::string path, Ownership ownership);
std::unique_ptr<OutputFile> make_output_file(int descriptor, std::string path, Ownership ownership);

}  // namespace mut::env
