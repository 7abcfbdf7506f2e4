#include "runtime/state/store_desc.h"

#include <algorithm>

#include "runtime/state/narrow_panes.h"
#include "runtime/state/own_cells.h"

namespace mut::state {

WordKind word_kind(const abi::TypeDesc& scalar) {
  switch (scalar.kind) {
    case abi::TypeKind::F32:
    case abi::TypeKind::F64:
      return WordKind::Float;
    case abi::TypeKind::U64:
      return WordKind::Unsigned;
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json:
      return WordKind::Text;
    case abi::TypeKind::Decimal:
      return WordKind::Decimal;
    case abi::TypeKind::Optional:
      return word_kind(*scalar.element);
    default:
      return WordKind::Signed;
  }
}

bool has_top_gate(const StoreDesc& desc) {
  const HoldRule& rule = desc.hold;
  if (desc.kind != StoreKind::Held || rule.kind != HoldKind::Top || rule.window != HoldWindow::Time)
    return false;
  if (!desc.keys.empty() || (!rule.whole && (desc.every != desc.size || !desc.zone.empty()))) return false;
  switch (rule.record->fields[0].type->kind) {
    case abi::TypeKind::I64:
    case abi::TypeKind::Time:
    case abi::TypeKind::Duration:
    case abi::TypeKind::F64:
      return true;
    default:
      return false;
  }
}

bool gives_unmatched(JoinKind kind, JoinSide side) {
  if (kind == JoinKind::Full) return true;
  if (side == JoinSide::Right) return kind == JoinKind::Right;
  return kind == JoinKind::Left || kind == JoinKind::Anti || kind == JoinKind::LeftAsof;
}

bool is_asof(JoinKind kind) { return kind == JoinKind::Asof || kind == JoinKind::LeftAsof; }

bool waits(JoinKind kind, JoinSide side) {
  return gives_unmatched(kind, side) || (is_asof(kind) && side == JoinSide::Left);
}

int64_t delay_of(const JoinRule& rule) {
  int64_t out = 0;
  if (gives_unmatched(rule.kind, JoinSide::Left)) out = std::max(out, rule.high);
  if (gives_unmatched(rule.kind, JoinSide::Right)) out = std::max(out, -rule.low);
  return out;
}

namespace {

// Of the offset of windows what is no whole day: their days begin that much after midnight.
int64_t day_begins(int64_t offset) {
  int64_t rest = offset % calendar::day_ns;
  return rest < 0 ? rest + calendar::day_ns : rest;
}

}  // namespace

calendar::ZoneLine line_of(const StoreDesc& desc) { return {desc.zone, day_begins(desc.offset)}; }

int64_t offset_on_line(const StoreDesc& desc) {
  return desc.zone.empty() ? desc.offset : desc.offset - day_begins(desc.offset);
}

int64_t delay_of(const StoreDesc& desc) {
  if (desc.kind == StoreKind::Match) return desc.pattern.within;
  return desc.kind == StoreKind::Join ? delay_of(desc.join) : 0;
}

bool adds_in_any_order(const CellDesc& desc) {
  switch (desc.fn) {
    case CellFn::Count:
    case CellFn::IntSum:
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
    case CellFn::Any:
    case CellFn::All:
      return true;
    case CellFn::Min:  // of floats that are equal, 0 and -0, the first
    case CellFn::Max:
      return desc.kind == WordKind::Signed || desc.kind == WordKind::Unsigned ||
             desc.kind == WordKind::Decimal;
    default:
      return false;
  }
}

bool merges_in_any_order(CellFn fn) {
  switch (fn) {
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous:
    case CellFn::ArgMin:  // of equals the first
    case CellFn::ArgMax:
    case CellFn::Collect:
    case CellFn::StringAgg:
    case CellFn::Own:
      return false;
    case CellFn::Count:
    case CellFn::IntSum:
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
    case CellFn::FloatSum:
    case CellFn::Avg:
    case CellFn::Min:
    case CellFn::Max:
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample:
    case CellFn::Distinct:
    case CellFn::Any:
    case CellFn::All:
    case CellFn::Quantile:
    case CellFn::Top:
    case CellFn::Rank:
    case CellFn::ApproxDistinct:
      return true;
  }
  return false;
}

bool waits_for_end(const StoreDesc& desc) {
  if (desc.kind == StoreKind::Follow) return desc.follow.at_end;
  return desc.kind == StoreKind::Whole || (desc.kind == StoreKind::Held && desc.hold.whole);
}

bool has_results(const StoreDesc& desc) {
  switch (desc.kind) {
    case StoreKind::Panes:
    case StoreKind::Sessions:
    case StoreKind::Whole:
    case StoreKind::Held:
    case StoreKind::Match:
    case StoreKind::Overlaps:
    case StoreKind::Counts:
    case StoreKind::Follow:
      return true;
    case StoreKind::Groups:
      return desc.gives == Gives::AtTicks;
    case StoreKind::Process:
      return !desc.timers.empty();
    case StoreKind::Join:
      return waits(desc.join.kind, JoinSide::Left) || waits(desc.join.kind, JoinSide::Right);
    default:
      return false;
  }
}

bool keeps_values(CellFn fn) {
  return fn == CellFn::Quantile || fn == CellFn::ApproxDistinct || keeps_list(fn);
}

bool keeps_list(CellFn fn) { return fn == CellFn::Rank || gives_list(fn); }

bool gives_list(CellFn fn) { return fn == CellFn::Collect || fn == CellFn::Top || fn == CellFn::StringAgg; }

bool owns_memory(const CellDesc& cell) {
  if (keeps_values(cell.fn)) return true;
  switch (cell.fn) {
    case CellFn::Min:
    case CellFn::Max:
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous:
      return cell.kind == WordKind::Text;
    case CellFn::Own: {
      bool piece = false;
      for_each_own_piece(*cell.result, [&](const OwnPiece&) { piece = true; });
      return piece;
    }
    case CellFn::ArgMin:
    case CellFn::ArgMax:
      return cell.kind == WordKind::Text || cell.order_kind == WordKind::Text;
    default:
      return false;
  }
}

bool keeps_windows_apart(const StoreDesc& desc) {
  return std::any_of(desc.cells.begin(), desc.cells.end(), [](const CellDesc& cell) {
    return cell.fn == CellFn::Own || cell.fn == CellFn::Distinct;
  });
}

uint32_t cell_size(CellFn fn, WordKind kind) {
  switch (fn) {
    case CellFn::Count:
    case CellFn::Distinct:
      return 8;
    case CellFn::IntSum:
      return 16;
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
      return 32;
    case CellFn::FloatSum:
    case CellFn::Avg:
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample:
    case CellFn::Any:
    case CellFn::All:
      return 24;
    case CellFn::Min:
    case CellFn::Max:
      return word_count(kind) == 2 ? 32 : 16;
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous:
      return 32;
    case CellFn::ArgMin:
    case CellFn::ArgMax:
      return 48;
    case CellFn::Quantile:
      return 32;
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::StringAgg:
    case CellFn::Rank:
    case CellFn::ApproxDistinct:
      return 16;
    case CellFn::Own:
      return 0;  // by its result: own_size()
  }
  return 0;
}

void lay_out(StoreDesc& desc) {
  uint32_t word = 0;
  desc.text_mask = 0;
  for (KeyDesc& key : desc.keys) {
    key.kind = word_kind(*key.type);
    key.optional = key.type->kind == abi::TypeKind::Optional;
    key.word = word;
    if (key.kind == WordKind::Text) desc.text_mask |= uint64_t{1} << word;
    word += word_count(key.kind) + (key.optional ? 1 : 0);
  }
  desc.key_words = word;
  uint32_t offset = 8 + word * 8;
  desc.has_distinct = false;
  for (const CellDesc& cell : desc.cells)
    desc.has_distinct = desc.has_distinct || cell.fn == CellFn::Distinct;
  desc.group_offset = 0;
  if (desc.has_distinct && desc.kind != StoreKind::Ring) {
    desc.group_offset = offset;
    offset += 8;
  }
  if (desc.kind == StoreKind::Ring || desc.kind == StoreKind::Dedupe) {
    offset += 24;  // RingRef
    uint32_t sample_word = 3;
    for (ColumnDesc& column : desc.columns) {
      column.word = sample_word;
      sample_word += word_count(column.kind);
    }
    desc.sample_words = sample_word;
  } else if (desc.kind == StoreKind::Table) {
    offset += 24;  // TableStore::Versions
  } else if (desc.kind == StoreKind::Join) {
    offset += 48;  // a JoinStore::Samples for each side
  } else if (desc.kind == StoreKind::Held) {
    offset += 8;  // number of the key
  } else if (desc.kind == StoreKind::Match || desc.kind == StoreKind::Follow) {
    offset += 8;  // number of the group
    // See PatternStore::add and FollowStore::arrive.
    uint32_t sample_word = desc.kind == StoreKind::Match ? 4 : 3;
    for (ColumnDesc& column : desc.columns) {
      column.word = sample_word;
      sample_word += word_count(column.kind);
    }
    desc.sample_words = sample_word;
  } else {
    for (CellDesc& cell : desc.cells) {
      cell.offset = offset;
      cell.ranked = cell.fn == CellFn::Quantile && desc.kind == StoreKind::Groups;
      cell.size = cell.fn == CellFn::Own ? own_size(*cell.result) : cell_size(cell.fn, cell.kind);
      offset += cell.size;
    }
    desc.changed_offset = 0;
    if (desc.gives == Gives::AtTicks) {
      desc.changed_offset = offset;
      offset += 8;
    }
    desc.session_offset = 0;
    if (desc.kind == StoreKind::Sessions) {
      desc.session_offset = offset;
      offset += sizeof(MutSession);
    }
    // ApartCountStore: number of the key
    if (slides(desc)) offset += keeps_windows_apart(desc) ? 8 : count_queue_bytes(desc);
    if (desc.kind == StoreKind::Counts) offset += 16;
    if (is_aged(desc)) offset += 8;
  }
  desc.row_size = offset;
}

bool can_return(const StoreDesc& desc) {
  switch (desc.kind) {
    case StoreKind::Groups:
    case StoreKind::Whole:
    case StoreKind::Panes:
    case StoreKind::Sessions:
    case StoreKind::Ring:
    case StoreKind::Process:
      return true;
    case StoreKind::Dedupe:
    case StoreKind::Join:
    case StoreKind::Overlaps:
    case StoreKind::Held:
    case StoreKind::Match:
    case StoreKind::Table:
    case StoreKind::Counts:
    case StoreKind::Follow:
      return false;
  }
  return false;
}

}  // namespace mut::state
