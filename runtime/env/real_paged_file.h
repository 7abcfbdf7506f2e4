// Private to the folder.
#pragma once
#include <memory>
#include <string>

#include "runtime/env/paged_file.h"

namespace mut::env {

Result<std::unique_ptr<PagedFile>> open_real_paged_file(const std::string& directory, size_t bytes_max);

}  // namespace mut::env
