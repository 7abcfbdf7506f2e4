#include "runtime/codec/json/row_parser_headers.h"

namespace mut::json {
namespace {
#include "runtime/codec/json/row_parser.inl"
}  // namespace

std::unique_ptr<RowParser> make_portable_row_parser() { return std::make_unique<Parser>(); }

#ifdef __x86_64__
std::unique_ptr<RowParser> make_row_parser() {
  if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    return make_avx512_row_parser();
  return __builtin_cpu_supports("avx2") ? make_avx2_row_parser() : make_portable_row_parser();
}
#else
std::unique_ptr<RowParser> make_row_parser() { return make_portable_row_parser(); }
#endif

}  // namespace mut::json
