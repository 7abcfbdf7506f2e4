// Files by descriptor. Private to the folder.
#pragma once
#include <sys/stat.h>

#include <memory>
#include <string>

#include "runtime/env/files.h"

namespace mut::env {

FileIdentity identity_of(const struct stat& info);

// "PATH: No such file or directory", from errno.
Error system_error(const std::string& what);

enum class Ownership : uint8_t { Close, Borrow };

std::unique_ptr<InputFile> make_input_file(int descriptor, std::string path, Ownership ownership);
std::unique_ptr<OutputFile> make_output_file(int descriptor, std::string path, Ownership ownership);

}  // namespace mut::env
