// A message with what it was sent by, as one record of JSON.
#pragma once
#include <string>
#include <string_view>

namespace mut::connector {

// {"topic":"rooms/1","value":PAYLOAD}. `field` is a name; `value` is the payload as it stands, null where it
// is empty. A payload that is not one value of JSON gives text that cannot be decoded, never another record:
// whoever sends it cannot say of what topic it is.
std::string in_envelope(std::string_view field, std::string_view from, std::string_view payload);

}  // namespace mut::connector
