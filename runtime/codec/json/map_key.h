// Keys of maps: in JSON every key is text.
#pragma once

#include "runtime/abi/type_desc.h"
#include "runtime/codec/text/buffer.h"

namespace mut::json {

// Between quotes; codec/scalar_text reads it again.
void append_key(const void* key, const abi::TypeDesc& type, text::Buffer& out);

}  // namespace mut::json
