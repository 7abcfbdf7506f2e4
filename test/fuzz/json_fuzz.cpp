// Any text: no crash, and the same rows from both builds of the parser, wherever the text is cut.

#include "runtime/codec/json/reader.h"
#include "test/fuzz/decode_twice.h"

using namespace mut;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::decode_twice(
      [](const abi::TypeDescRef& type, int turn) {
        return json::make_reader(type, {},
                                 turn ? json::InstructionSet::Portable : json::InstructionSet::Fastest);
      },
      text);
  return 0;
}
