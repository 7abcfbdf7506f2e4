// Who may speak to a port: not a page of a browser that was loaded from elsewhere, although the browser runs
// here, or knows who its user is, and reaches the port.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/http/message.h"

namespace mut::http {

enum class Served : uint8_t { ThisMachine, Others };

// Where `Origin` names another site, or `Host` of a port for this machine alone another machine (a name that
// was made to stand for this one): why the request is refused.
std::optional<Response> refuse_foreign(const Request& request, Served served);

}  // namespace mut::http
