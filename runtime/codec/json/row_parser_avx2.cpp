#include "runtime/codec/json/row_parser_headers.h"

#ifdef __x86_64__
#include <immintrin.h>

#define MUT_JSON_AVX2 1
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
namespace mut::json {
namespace {
#include "runtime/codec/json/row_parser.inl"
}  // namespace
}  // namespace mut::json
#pragma clang attribute pop

namespace mut::json {
std::unique_ptr<RowParser> make_avx2_row_parser() { return std::make_unique<Parser>(); }
}  // namespace mut::json
#endif
