// A message with what it was sent by, as one record of JSON.
#pragma once
#include <string>
#include <string_view>

namespace mut::connector {

// {"topic":"rooms/1","value":PAYLOAD}. `field` is a name; `value` is the payload as it stands, null where it
// is empty. A payload that is not one value of JSON gives text that cannot be decoded, never another record:
// whoever sends it cannot say of what topic it is.
std::string in_envelope(std::string_view field, std::string_view from, std::string_view payload);

// Behind `"value":` of an envelope that is begun: the payload, null where it is empty, and the end. A payload
// that is no value by itself leaves the envelope without an end: it is a bad row, and can claim nothing of
// what stands around it.
void end_envelope(std::string_view payload, std::string& to);

}  // namespace mut::connector
