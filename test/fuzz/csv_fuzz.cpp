// Any text: no crash, and the same rows wherever the text is cut.
#include "runtime/codec/csv/reader.h"
#include "test/fuzz/decode_twice.h"

using namespace mut;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::decode_twice(
      [](const abi::TypeDescRef& type, int) {
        codec::DecodeOptions options;
        options.none = {"NA"};
        return csv::make_reader(type, options);
      },
      text);
  return 0;
}
