// Who may speak to a port of this machine: not a page of a browser that was loaded from elsewhere, although
// the browser runs here and reaches the port.
#pragma once
#include <optional>
#include <string_view>

#include "runtime/http/message.h"

namespace mut::http {

// Of requests to a port that is open to this machine alone: where `Host` names another machine (a name that
// was made to stand for this one) or `Origin` another site, why it is refused.
std::optional<Response> refuse_foreign(const Request& request);

}  // namespace mut::http
