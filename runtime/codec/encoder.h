// From rows to text: what all writers of formats have in common.
#pragma once
#include <memory>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/codec/text/buffer.h"

namespace mut::codec {

// Threads: any, on different buffers.
class Encoder {
 public:
  virtual ~Encoder() = default;
  // What stands before the first row of a new output; nothing for most formats.
  virtual void append_header(text::Buffer&) const {}
  // Appends the row, laid out as the record, with its line end.
  virtual void append(const void* row, text::Buffer& out) const = 0;
};

// `lines` writes the first field, which must be of type string.
std::unique_ptr<Encoder> make_encoder(Format format, abi::TypeDescRef record, char separator = ',');

}  // namespace mut::codec
