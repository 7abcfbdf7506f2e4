#include "runtime/graph/decode_again.h"

#include <map>
#include <string>

#include "runtime/abi/value.h"

namespace mut::runtime {
namespace {

// A record that has no end, has not come whole, is too long to be kept, or follows one that has none, is as
// broken as it was, whatever it is read as.
bool is_of_input(std::string_view message) {
  return message.starts_with("record longer than") || message.starts_with("the input ends") ||
         message.starts_with("text after the array") || message.ends_with("the rest is not read") ||
         message.starts_with("the connection ");
}

}  // namespace

std::unique_ptr<batch::Batch> decode_again(codec::Decoder& decoder, batch::Batch& batch, uint32_t first_row,
                                           const abi::TypeDescRef& record) {
  const MutBatch& known = batch.view();
  batch::NeededColumns all(record->fields.size(), 1);
  auto out = std::make_unique<batch::Batch>(record, all, batch.row_capacity());
  out->set_first_position(known.first_position + first_row);
  out->set_arrival(known.arrival);
  out->set_input_name(abi::view(known.input_name));
  std::map<uint32_t, std::string_view> messages;
  for (uint32_t i = 0; i < known.error_count; ++i)
    messages[known.errors[i].row] = abi::view(known.errors[i].message);
  for (uint32_t row = first_row; row < known.row_count; ++row) {
    const MutOrigin& origin = known.origins[row];
    std::string_view text(origin.raw, origin.raw_size);
    auto message = messages.find(row);
    if (message != messages.end() && is_of_input(message->second)) {
      std::string_view kept = abi::view(out->arena().copy(text));
      MutOrigin moved = origin;
      moved.raw = kept.data();
      out->finish_bad_row(moved, "decode", message->second);
      continue;
    }
    decoder.decode_again(text, origin.line, known.times[row] + known.time_shift, *out);
  }
  return out;
}

}  // namespace mut::runtime
