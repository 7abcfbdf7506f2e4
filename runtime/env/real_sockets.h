// Unix sockets. Private to the folder.
#pragma once
#include "runtime/env/sockets.h"

namespace mut::env {

Result<std::unique_ptr<SocketListener>> listen_on_path(const std::string& path);

}  // namespace mut::env
