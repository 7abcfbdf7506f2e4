// Verdicts over cells, and the table that says which difference gets which: one row per kind of edit.
#pragma once
#include <cstdint>
#include <string_view>

namespace mut::change {

// From mild to grave: of several differences the gravest verdict counts.
enum class Verdict : uint8_t {
  Same,
  New,
  Keep,
  KeepMixed,
  Convert,
  ConvertChecked,
  HandOver,
  RestoreGap,
  Drop,
  Reset,
  Choice,
  Refuse,
};
std::string_view verdict_name(Verdict verdict);  // "keep-mixed"

// One way in which a cell differs from the one it continues.
enum class Difference : uint8_t {
  RenamedByWas,
  RenamedInferred,
  Copied,
  Merged,
  MergedInOrder,
  Admission,
  InputAdded,
  InputRemoved,
  InputReplaced,
  ParamValue,
  Filter,
  Value,
  Function,
  Numbers,
  MoreValues,
  ValueWidened,
  ValueNarrowed,
  ValueType,
  KeyOrder,
  KeyWidened,
  KeyType,
  KeyRefined,
  KeyMerged,
  KeyCoarsened,
  KeyReplaced,
  KeyMigrated,
  KeyNarrowed,
  KeyComputed,
  KeyComputedChecked,
  WindowLength,
  WindowKind,
  WindowKindOther,
  WindowGrid,
  WindowZone,
  OwnWindow,
  SessionGap,
  WindowCount,
  WindowCountOverlaps,
  LatePolicy,
  Watermark,
  TimeField,
  DedupeHorizon,
  HistoryLonger,
  HistoryShorter,
  HistoryKind,
  HistoryCurrent,
  TimeToLive,
  Trigger,
  JoinWider,
  JoinNarrower,
  JoinKind,
  JoinOther,
  JoinCondition,
  JoinValue,
  JoinRow,
  JoinRowFewer,
  JoinRowWidened,
  JoinRowFilled,
  JoinRowNarrowed,
  JoinKey,
  JoinKeyChecked,
  TableKey,
  TableKeyChecked,
  TableVersions,
  TableNewest,
  PatternConditions,
  PatternBounds,
  PatternOther,
  FollowOther,
  FollowRule,
  HoldNumbers,
  HoldOther,
  ProcessStatements,
  ProcessInitial,
  ProcessMade,
  ProcessMigrated,
  Fresh,
};

struct VerdictRow {
  Difference difference;
  Verdict verdict;
  bool carry;  // a choice may also keep the old values as they are
  std::string_view reason;
};

const VerdictRow& verdict_of(Difference difference);

}  // namespace mut::change
