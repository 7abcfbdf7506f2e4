// What a kind of join gives, and how late.
#pragma once
#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

bool is_asof(typed::JoinKind kind);
// Whether rows of a side (0 left, 1 right) come out by themselves when no partner came.
bool gives_alone(typed::JoinKind kind, size_t side);
// Whether rows of a side come out when their time has come.
bool waits(typed::JoinKind kind, size_t side);
// Whether a join finds partners by that key: it has no none and no NaN.
bool finds_partners(const Key& key);
bool same_key(const Key& a, const Key& b);
// The watermark that a join passes on is so far behind its own.
int64_t join_delay(const typed::Join& join);
// When no partner can come any more.
int64_t leaves(const typed::Join& join, size_t side, int64_t time);

}  // namespace mut::reference
