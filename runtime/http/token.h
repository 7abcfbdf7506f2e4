// Who knows a token: `Authorization: Bearer TOKEN` (RFC 6750).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/message.h"

namespace mut::http {

// Whether it can stand in that field: visible characters of ASCII, one at least.
bool is_token(std::string_view text);

Field bearer(const std::string& token);

// The answer to a request that does not show that token: 401. How long it takes tells nothing of the token.
std::optional<Response> refuse_unknown(const Request& request, std::string_view token);

}  // namespace mut::http
