// Requests of HTTP from bytes: the same requests come out whatever pieces the bytes come in.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/http/message.h"
#include "runtime/http/origin.h"

namespace {

using mut::http::RequestReader;

// All that was read, as one text; empty: something is wrong.
std::string read(std::string_view bytes, size_t piece) {
  RequestReader reader({512, 64});
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    RequestReader::State state = reader.take(bytes.substr(at, piece));
    for (; state == RequestReader::State::Whole; state = reader.take("")) {
      mut::http::Request request = reader.take_request();
      if (request.body.size() > 64) std::abort();
      out += request.method + " " + request.target + "\n" + request.body + "\n";
      (void)mut::http::refuse_foreign(request, mut::http::Served{});
    }
    if (state == RequestReader::State::Wrong) return "";
    if (state == RequestReader::State::Part) (void)reader.take_expectation();
  }
  return out + "end";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string whole = read(bytes, bytes.size() + 1);
  std::string parts = read(bytes, data[0] % 32 + 1U);
  // What is past a limit may be found sooner in pieces, and what is wrong behind it later.
  if (!whole.empty() && !parts.empty() && whole != parts) std::abort();
  return 0;
}
