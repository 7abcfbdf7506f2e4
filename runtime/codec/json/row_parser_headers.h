// What row_parser.inl needs, included before the target of functions is set, so that library code is
// never compiled for a processor that may not be there.
#pragma once
#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/abi/map_value.h"
#include "runtime/codec/decoder.h"
#include "runtime/codec/json/escape.h"
#include "runtime/codec/json/place_value.h"
#include "runtime/codec/json/row_parser.h"
#include "runtime/codec/json/validate.h"
#include "runtime/codec/json/value.h"
#include "runtime/codec/scalar_text.h"
#include "runtime/codec/text/base64.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"
