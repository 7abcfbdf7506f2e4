// Types of two versions compared.
#pragma once
#include "compiler/typed/type.h"

namespace mut::change {

// Whether every value of `from` is one of `to`, stored as the same words.
bool widens(typed::TypeRef from, typed::TypeRef to);
bool same_type(typed::TypeRef a, typed::TypeRef b);

}  // namespace mut::change
