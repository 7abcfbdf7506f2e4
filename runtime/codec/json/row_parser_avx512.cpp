#include "runtime/codec/json/row_parser_headers.h"

#ifdef __x86_64__
#include <immintrin.h>

// Not before the processors that keep their clock at these instructions: those with VBMI2.
#define MUT_JSON_AVX2 1
#define MUT_JSON_AVX512 1
#pragma clang attribute push(__attribute__((target("avx2,bmi,avx512f,avx512bw,avx512vl,avx512vbmi2"))), \
                             apply_to = function)
namespace mut::json {
namespace {
#include "runtime/codec/json/row_parser.inl"
}  // namespace
}  // namespace mut::json
#pragma clang attribute pop

namespace mut::json {
std::unique_ptr<RowParser> make_avx512_row_parser() { return std::make_unique<Parser>(); }
}  // namespace mut::json
#endif
