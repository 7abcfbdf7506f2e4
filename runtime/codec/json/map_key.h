// Keys of maps: in JSON every key is text.
#pragma once
#include <string_view>

#include "runtime/codec/json/plan.h"
#include "runtime/codec/text/buffer.h"

namespace mut::json {

// The key that `text` is, by the rules of CSV cells; of text itself there is nothing to read. False: it is
// none.
bool read_key(const Node& key, std::string_view text, text::TimeUnit unit, char* to);
// Between quotes.
void append_key(const void* key, const abi::TypeDesc& type, text::Buffer& out);

}  // namespace mut::json
