#include "compiler/change/verdicts.h"

#include <iterator>

namespace mut::change {
namespace {

// In order of Difference. A difference that is missing here does not compile.
constexpr VerdictRow rows[] = {
    {Difference::RenamedByWas, Verdict::Keep, false, "renamed"},
    {Difference::RenamedInferred, Verdict::Keep, false, "inferred rename"},
    {Difference::Copied, Verdict::Keep, false, "copied"},
    {Difference::Merged, Verdict::Convert, false, "what several stages keep becomes one"},
    {Difference::MergedInOrder, Verdict::Choice, false,
     "what several stages keep cannot become one, for it depends on the order of events; only reset is "
     "possible"},
    {Difference::Admission, Verdict::KeepMixed, false,
     "filter changed; events before the cut were admitted under the old rule"},
    {Difference::InputAdded, Verdict::KeepMixed, false, "input added; its events count from the cut on"},
    {Difference::InputRemoved, Verdict::KeepMixed, false, "input removed; what it brought stays counted"},
    {Difference::InputReplaced, Verdict::KeepMixed, false,
     "a source reads something else; what it gave so far is still counted"},
    {Difference::ParamValue, Verdict::KeepMixed, false,
     "param changed; events before the cut were taken with the old value"},
    {Difference::Filter, Verdict::KeepMixed, false,
     "`where` of the aggregate changed; events before the cut were chosen under the old rule"},
    {Difference::Value, Verdict::Choice, true, "value changed"},
    {Difference::Function, Verdict::Choice, false, "function changed"},
    {Difference::Numbers, Verdict::Keep, false,
     "a constant of the aggregate changed; it holds for what was kept too"},
    {Difference::MoreValues, Verdict::KeepMixed, false,
     "more values are kept; those let go before the cut do not come back"},
    {Difference::ValueWidened, Verdict::Convert, false, "value widened"},
    {Difference::ValueNarrowed, Verdict::ConvertChecked, false,
     "type of the value is narrower; a value that does not fit stops the edit"},
    {Difference::ValueType, Verdict::Choice, false,
     "type of the value changed; stored values are not converted, only reset is possible"},
    {Difference::KeyOrder, Verdict::Convert, false, "order of keys changed"},
    {Difference::KeyWidened, Verdict::Convert, false, "key widened"},
    {Difference::KeyType, Verdict::Choice, false,
     "type of a key changed; keys are not converted, only reset is possible"},
    {Difference::KeyRefined, Verdict::Choice, false, "key refined; old groups cannot be split"},
    {Difference::KeyMerged, Verdict::Convert, false, "key coarsened; groups are merged"},
    {Difference::KeyCoarsened, Verdict::Choice, false,
     "key coarsened; its groups cannot be merged, only reset is possible"},
    {Difference::KeyReplaced, Verdict::Choice, false, "key replaced; only reset is possible"},
    {Difference::KeyMigrated, Verdict::ConvertChecked, false,
     "keys are made anew by `migrate`; one that it fails for stops the edit"},
    {Difference::KeyNarrowed, Verdict::ConvertChecked, false,
     "type of a key is narrower; a key that does not fit stops the edit"},
    {Difference::KeyComputed, Verdict::Convert, false,
     "key computed from the old one; groups that become one are merged"},
    {Difference::KeyComputedChecked, Verdict::ConvertChecked, false,
     "key computed from the old one; groups that become one are merged, and a key that it fails for stops "
     "the "
     "edit"},
    {Difference::WindowLength, Verdict::HandOver, false, "window changed"},
    {Difference::WindowKind, Verdict::HandOver, false, "kind of the window changed"},
    {Difference::WindowKindOther, Verdict::Refuse, false,
     "the kind of its window cannot change while it runs: no instant of event time divides the old from the "
     "new"},
    {Difference::WindowGrid, Verdict::Refuse, false,
     "windows of the old and of the new rule never begin at the same time, so none can hand over to the "
     "other"},
    {Difference::WindowZone, Verdict::Refuse, false,
     "days of another zone begin at another time, so no window can hand over to another"},
    {Difference::OwnWindow, Verdict::Refuse, false,
     "the window of an aggregate of the script cannot change while it runs"},
    {Difference::SessionGap, Verdict::Convert, false, "gap changed"},
    {Difference::WindowCount, Verdict::Keep, false,
     "number of events changed; a window that holds as many is full at the next"},
    {Difference::WindowCountOverlaps, Verdict::Choice, false,
     "windows of a number of events that overlap changed; events are not kept one by one, only reset is "
     "possible"},
    {Difference::LatePolicy, Verdict::Keep, false, "late policy changed; closed windows stay closed"},
    {Difference::Watermark, Verdict::Keep, false,
     "lateness or idle time changed; the watermark never goes back"},
    {Difference::TimeField, Verdict::Choice, true, "event time changed"},
    {Difference::DedupeHorizon, Verdict::Keep, false, "horizon changed"},
    {Difference::HistoryLonger, Verdict::Keep, false, "longer history"},
    {Difference::HistoryShorter, Verdict::Convert, false, "shorter history; older events go"},
    {Difference::HistoryKind, Verdict::Refuse, false,
     "the kind of its history (time, events, all) cannot change while it runs"},
    {Difference::HistoryCurrent, Verdict::Keep, false, "`excluding current` changed"},
    {Difference::TimeToLive, Verdict::Keep, false, "`ttl` changed"},
    {Difference::Trigger, Verdict::Keep, false, "trigger changed"},
    {Difference::JoinWider, Verdict::Keep, false, "bounds widened; rows that had left do not come back"},
    {Difference::JoinNarrower, Verdict::Convert, false, "bounds narrowed; rows beyond go"},
    {Difference::JoinKind, Verdict::Keep, false,
     "kind of join changed; rows from before the cut give no new kind of row without partner"},
    {Difference::JoinOther, Verdict::Refuse, false,
     "rows that such a join has let go are missing for the other kind"},
    {Difference::JoinCondition, Verdict::KeepMixed, false,
     "condition changed; pairs from before the cut were chosen under the old rule"},
    {Difference::JoinValue, Verdict::KeepMixed, false,
     "fields computed otherwise; rows from before the cut keep the values they had"},
    {Difference::JoinRow, Verdict::Choice, false,
     "rows from before the cut lack a field that has no default, or have it in a type that does not convert; "
     "only reset is possible"},
    {Difference::JoinRowFewer, Verdict::Convert, false,
     "fields of the rows went, moved or have another name"},
    {Difference::JoinRowWidened, Verdict::Convert, false, "a field of the rows holds more than it did"},
    {Difference::JoinRowFilled, Verdict::Convert, false,
     "rows from before the cut get the default of a field that is new, or none"},
    {Difference::JoinRowNarrowed, Verdict::ConvertChecked, false,
     "a field of the rows holds less than it did; a row that does not fit stops the edit"},
    {Difference::JoinKey, Verdict::Convert, false,
     "key made anew of each row that is kept; two rows from before the cut make no pair by it"},
    {Difference::JoinKeyChecked, Verdict::ConvertChecked, false,
     "key made anew of each row that is kept; two rows from before the cut make no pair by it, and a row "
     "that "
     "it fails for stops the edit"},
    {Difference::TableKey, Verdict::Convert, false,
     "key made anew of each row that is kept; of several that get one key the newest stays, and what the old "
     "key replaced does not come back"},
    {Difference::TableKeyChecked, Verdict::ConvertChecked, false,
     "key made anew of each row that is kept; of several that get one key the newest stays, what the old key "
     "replaced does not come back, and a row that it fails for stops the edit"},
    {Difference::TableVersions, Verdict::Keep, false,
     "`versioned` changed; rows that were let go do not come back"},
    {Difference::TableNewest, Verdict::KeepMixed, false,
     "which row of a key is the newest is decided otherwise; rows from before the cut stay"},
    {Difference::PatternConditions, Verdict::KeepMixed, false,
     "conditions changed; events before the cut were judged by the old ones"},
    {Difference::PatternBounds, Verdict::Keep, false, "bounds of the pattern changed"},
    {Difference::PatternOther, Verdict::Choice, false,
     "pattern or what is selected of its events changed; matches that have begun cannot go on"},
    {Difference::FollowOther, Verdict::Choice, false,
     "aggregates or the key of the table changed; what its rows have given cannot be made anew: only reset "
     "is "
     "possible, and each row then counts from its next change on"},
    {Difference::FollowRule, Verdict::Keep, false,
     "aggregate of the script changed; it is made anew of what the rows of the table have given"},
    {Difference::HoldNumbers, Verdict::Keep, false,
     "a number changed; what waits goes when it would have gone, what was let go does not come back"},
    {Difference::HoldOther, Verdict::Choice, false,
     "window, order or fields of the rows changed; rows that wait cannot be ordered anew, only reset is "
     "possible"},
    {Difference::ProcessStatements, Verdict::KeepMixed, false,
     "statements changed; what the old ones made of events before the cut stays"},
    {Difference::ProcessInitial, Verdict::KeepMixed, false,
     "initial value changed; keys from before the cut began with the old one"},
    {Difference::ProcessMade, Verdict::Convert, false, "made by `migrate`"},
    {Difference::ProcessMigrated, Verdict::ConvertChecked, false,
     "made by `migrate`; a key for which it fails stops the edit"},
    {Difference::Fresh, Verdict::Reset, false, "emptied by `fresh`"},
};

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < std::size(rows); ++i) {
    if (static_cast<size_t>(rows[i].difference) != i) return false;
  }
  return std::size(rows) == static_cast<size_t>(Difference::Fresh) + 1;
}
static_assert(rows_are_in_order());

constexpr std::string_view names[] = {
    "same",      "new",         "keep", "keep-mixed", "convert", "convert-checked",
    "hand-over", "restore-gap", "drop", "reset",      "choice",  "refuse"};

}  // namespace

const VerdictRow& verdict_of(Difference difference) { return rows[static_cast<size_t>(difference)]; }
std::string_view verdict_name(Verdict verdict) { return names[static_cast<size_t>(verdict)]; }

}  // namespace mut::change
