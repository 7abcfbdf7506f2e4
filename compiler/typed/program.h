// A checked program: names resolved, types known, functions inlined, every conversion explicit.
// Immutable after check(). The reference interpreter and the engine both start from here.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/source/span.h"
#include "compiler/typed/hold.h"
#include "compiler/typed/pattern.h"
#include "compiler/typed/process.h"
#include "compiler/typed/type.h"

namespace mut::typed {

using source::Span;

enum class Builtin : uint8_t {
#define MUT_BUILTIN(id, name) id,
#include "runtime/abi/builtins.def"
#undef MUT_BUILTIN
};

enum class Op : uint8_t {
  Negate,
  Not,
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  Remainder,
};

// What can go wrong with one event (section 4). The names are the `code` of `.errors`.
enum class EventError : uint8_t {
  None,
  Overflow,
  DivisionByZero,
  Index,
  Cast,
  Decode,
  Future,
  Memory,
  Range,
  NoValue,
  NoKey,
  Timer
};
const char* event_error_code(EventError error);  // "overflow", "division_by_zero", …

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class ExprKind : uint8_t {
  Literal,         // value
  Field,           // index: field of the record that enters the stage
  Param,           // index into Program::params
  Local,           // index: a let, a bound `some`, a parameter of an inlined fn; unique in the program
  Convert,         // args[0] to `type`: int→float, i32→int, T→T?, records and lists of these, which never
                   // fail; and to a decimal, which fails with `overflow` where widening_can_fail()
  Cast,            // args[0] `as type`: event error `cast` when it fails (rule 3.7)
  CastOptional,    // args[0] `as T?`: none when it fails; `type` is T?
  Unary,           // op, args[0]
  Binary,          // op, args; both sides have one type, but for time and duration arithmetic (3.13)
                   // int against float comparison, which is exact (3.5), and decimals of any scales (3.6)
  Member,          // field `index` of the record args[0]
  OptionalMember,  // the same through `?.`: args[0] is a T?, the result is optional
  Element,         // args[0][args[1]] of a list or map: event error `index`
  Call,            // builtin(args); Round, Trunc, Floor, Ceil of a decimal: to the scale of `type`
  If,              // args: condition, then, else
  Let,             // local `index` = args[0] in args[1]
  Try,             // args[0], on an event error args[1]
  Coalesce,        // args[0] ?? args[1]
  IsNone,          // args[0]
  IsSome,          // args[0] is some local `index`; bool
  Unwrap,          // args[0] is a T? that an earlier `where` showed to be some (rule 3.18)
  MakeRecord,      // args in order of the fields of `type`
  MakeList,        // args
  MakeMap,         // args: key, value, key, value; of a key that comes again the last value
  Text,            // interpolation: args joined; all are string
  Format,          // args[0] as text by `spec` (may be empty)
  History,         // result of Stage::histories[index]
  Key,             // in Stage::outputs of an aggregate: key `index`
  Aggregate,       // in Stage::outputs of an aggregate: result of Stage::aggregates[index]
  WindowStart,
  WindowEnd,  // in Stage::outputs of an aggregate
  // Of each element of the list args[0], which is local `index`:
  MapList,     // the list of args[1]
  FilterList,  // those for which args[1] holds
  AnyOf,       // whether args[1] holds for one; the rest is not looked at
  AllOf,
  Reduce,  // args[1] to begin with, then args[2] of each, where local `index + 1` is what came before
  // The list of the last of args, for lists of one length before it: their elements at one place are local
  // `index` and those after it.
  ZipLists,
};

struct Expr {
  ExprKind kind = ExprKind::Literal;
  TypeRef type = nullptr;
  Span span;
  std::vector<ExprPtr> args;
  Const value;
  int index = -1;
  Op op = Op::Add;
  Builtin builtin = Builtin::Abs;
  std::string spec;
};

ExprPtr clone(const Expr& expr);
// An expression as text: equal texts, equal values of one event. Literals are in it.
std::string identity_text(const Expr& expr);

// Aggregates that run today.
enum class AggregateFn : uint8_t {
  Count,  // count(): events; count(x): values that are not none
  Sum,
  Avg,
  Min,
  Max,
  First,
  Last,
  Variance,
  VarianceSample,
  Stddev,
  StddevSample,
  Distinct,
  Any,
  All,
  ArgMin,
  ArgMax,
  Quantile,  // median(x) is the one of 0.5
  Collect,
  Top,
  StringAgg,
  ApproxDistinct,
  // Only as history:
  Prev,
  Delta,
  Changed,
  Rank,  // 1 + how many values are greater than this one; none where this one does not count
  Own,   // of the script: OwnAggregate
};
const char* aggregate_name(AggregateFn fn);

struct OwnState {
  std::string name;
  TypeRef type = nullptr;  // a scalar, or a T? of one
  ExprPtr initial;
  int local = -1;
};

// An aggregate of the script as one call uses it. Its expressions read locals only.
struct OwnAggregate {
  std::string name;
  std::vector<TypeRef> parameter_types;            // as declared
  std::vector<int> parameters;                     // locals of AggregateCall::arguments
  std::vector<std::pair<int, ExprPtr>> constants;  // parameters that are the same for all events
  std::vector<OwnState> states;
  std::vector<ExprPtr> add;    // by state: what it is after an event; all read the state before it
  std::vector<ExprPtr> merge;  // by state; empty: two states cannot be joined
  int other = -1;              // merge: local, a record of the state that is joined
  TypeRef other_type = nullptr;
  ExprPtr result;  // also of the initial state
};

struct AggregateCall {
  AggregateFn fn = AggregateFn::Count;
  std::vector<ExprPtr> arguments;           // Own; an event counts where those that are T? are some
  std::shared_ptr<const OwnAggregate> own;  // Own
  ExprPtr argument;                         // null for count() and Own
  ExprPtr order;                            // arg_min(x, by), arg_max: the second argument
  ExprPtr filter;                           // `where c`; null: all events
  double share = 0;                         // Quantile: 0 to 1
  int64_t most = 0;                         // Collect, Top, StringAgg: values of the result; 0: all
  std::string separator;                    // StringAgg
  TypeRef result = nullptr;
  std::string cell;  // name of its cell in the stage: "total/sum", "usual/avg", "where/count(x)"
  Span span;
};

enum class OverKind : uint8_t { Previous, LastDuration, LastEvents, All };  // Previous: prev, delta, changed

struct History {
  AggregateCall call;
  OverKind over = OverKind::All;
  int64_t amount = 0;         // nanoseconds or events
  std::vector<ExprPtr> keys;  // none: one history for the stream
  bool excluding_current = false;
  std::optional<int64_t> ttl;  // nanoseconds
};

struct Output {
  std::string name;
  ExprPtr value;
  std::string was;
};

enum class WindowKind : uint8_t { Running, Tumbling, Sliding, Session, Count, All };
struct Window {
  WindowKind kind = WindowKind::Running;
  int64_t size = 0;    // nanoseconds; the gap of a session; of a Count events
  int64_t every = 0;   // nanoseconds; = size for tumbling
  int64_t offset = 0;  // nanoseconds
  std::string zone;    // whose days it follows; empty: UTC
};
enum class LatePolicy : uint8_t { Drop, Update, To };

enum class JoinKind : uint8_t { Inner, Left, Right, Full, Semi, Anti, Asof, LeftAsof, Lookup, LeftLookup };

// The second input of a join, or the table of a look-up. The keys of the left side are Stage::keys, in the
// same order; of a look-up they are those of the table.
struct Join {
  JoinKind kind = JoinKind::Inner;
  int right = -1;    // stream
  std::string name;  // of the field that holds the right record
  TypeRef right_type = nullptr;
  TypeRef pair = nullptr;  // fields of the left record, then `name`: the right record
  int64_t low = 0;         // right time minus left time, nanoseconds, both ends included
  int64_t high = 0;
  std::vector<ExprPtr> right_keys;  // over the right record
  ExprPtr condition;                // over `pair`, what the keys do not say; null: nothing
  ExprPtr as_of;                    // Lookup: a time, over the left record; null: as the table stands
};

// Which of the rows of a key a table keeps.
enum class Newest : uint8_t { ByTime, ByArrival };

enum class StageKind : uint8_t {
  Where,
  Project,
  Flatten,
  Dedupe,
  Aggregate,
  Join,
  Match,
  Hold,
  Table,
  Lookup,
  Process
};

struct Stage {
  StageKind kind = StageKind::Where;
  std::string keyword;  // as written: several keywords share a kind
  std::string name;     // the stage's address in its stream: label, else keyword (numbered "with#2"
                        // when the stream has several stateful ones without label)
  bool labelled = false;
  std::string was;                // `@a was b`
  std::vector<std::string> from;  // `@a from b + c`
  std::optional<uint64_t> fresh;
  Span span;
  TypeRef input = nullptr;  // records
  TypeRef output = nullptr;
  std::vector<History> histories;  // Where, Project
  ExprPtr condition;               // Where
  std::vector<Output> outputs;     // Project, Aggregate: all fields of `output`, in order
  int list_field = -1;             // Flatten: field of the input that is replaced, or -1: appended
  int flatten_output = -1;         // Flatten: field of the output that gets the element
  ExprPtr list;                    // Flatten
  std::vector<ExprPtr> keys;       // Dedupe, Aggregate, Join, Table, Lookup
  std::vector<std::string> key_names;
  int64_t within = 0;  // Dedupe, nanoseconds
  int64_t most = 0;    // Dedupe that throttles: events that pass within the stretch; else 0
  std::vector<AggregateCall> aggregates;   // Aggregate; Match: its measures
  std::shared_ptr<const Match> match;      // Match
  std::shared_ptr<const Hold> hold;        // Hold
  std::shared_ptr<const Process> process;  // Process
  Window window;
  std::string follows;        // Aggregate: over the current rows of the table of that name
  bool on_update = false;     // a row after each event
  bool on_close = false;      // a row when the window closes
  int64_t trigger_every = 0;  // nanoseconds; 0: none
  LatePolicy late = LatePolicy::Drop;
  int64_t late_within = 0;         // nanoseconds, Update
  int late_stream = -1;            // To
  std::optional<int64_t> ttl;      // nanoseconds
  std::unique_ptr<Join> join;      // Join, Lookup
  Newest newest = Newest::ByTime;  // Table
  int64_t versioned = 0;           // Table: nanoseconds for which replaced rows are kept

  // Whether it gives the groups that changed, by the watermark, without a window of time.
  bool ticks() const {
    bool timeless = window.kind == WindowKind::Running || window.kind == WindowKind::Count;
    return kind == StageKind::Aggregate && timeless && trigger_every > 0 && !on_update;
  }
  bool stateful() const {
    return kind == StageKind::Dedupe || kind == StageKind::Aggregate || kind == StageKind::Join ||
           kind == StageKind::Match || kind == StageKind::Hold || kind == StageKind::Table ||
           (kind == StageKind::Process && process->keeps_state()) || !histories.empty();
  }
};

enum class StreamKind : uint8_t { Source, Pipeline, Branch, Errors, Late };

struct Input {
  int stream = -1;
  std::vector<Output> conversion;  // merge: to the union of the inputs; empty when it is the same
};

struct Stream {
  StreamKind kind = StreamKind::Pipeline;
  std::string name;  // "spend", "payments.errors"
  std::string was;
  Span span;
  std::vector<Input> inputs;  // Pipeline: 1, or more for merge; Branch: the routed; Errors: of which
  std::vector<Stage> stages;
  TypeRef type = nullptr;        // record
  bool repeats_results = false;  // an update stream (rule 8.20)
  bool is_table = false;         // its last stage is a Table
  // Headed by a table, through stages that pass each of its rows on at once: its name. Empty: facts.
  std::string follows;
  int source = -1;  // Source: index into Program::sources
};

// A connector with its options read: `file("a.csv", format: csv, header: false)`.
struct Option {
  std::string name;  // empty for a positional one
  Const value;       // text, number (int, float), bool, list of texts; durations as int
  Kind kind = Kind::String;
  Span span;
};
struct Connector {
  std::string name;
  std::vector<Option> options;
  Span span;
  const Option* find(std::string_view name) const;  // null when absent
  bool is_network() const;                          // it reaches another program
  const Option* positional(size_t index) const;
};

// What becomes of records that come faster than they are run.
enum class OnFull : uint8_t { Block, DropOldest, DropNewest, Spill };

// What a source reads while what stands before it is lost.
struct Standby {
  Connector connector;
  int64_t after = 0;  // nanoseconds for which that has to be lost
};

struct Source {
  std::string name;
  std::string was;
  Span span;
  TypeRef type = nullptr;  // record, as declared
  Connector connector;
  // `generate(…) { … }`: its expressions, over one field `n: int`, one per field of `type`.
  std::vector<Output> generated;
  ExprPtr time;          // over the declared fields; null: time of arrival
  int64_t lateness = 0;  // nanoseconds
  // Nanoseconds of wall time: silent for so long, it holds no watermark back.
  std::optional<int64_t> idle;
  // Nanoseconds: a record whose time is further ahead of its arrival cannot be taken.
  std::optional<int64_t> ahead;
  bool preload = false;  // of a table: read to its end before any event
  OnFull on_full = OnFull::Block;
  std::vector<Standby> standbys;  // most wanted first
  int stream = -1;
};

struct RouteBranch {
  ExprPtr condition;  // null: else
  int stream = -1;
};
struct Route {
  int input = -1;
  bool all = false;
  std::vector<RouteBranch> branches;
  Span span;
};

struct Emit {
  int stream = -1;
  std::string name;  // of the sink
  std::string was;
  Connector connector;
  Span span;
};

struct Param {
  std::string name;
  TypeRef type = nullptr;
  Const value;
  std::optional<Const> low, high;  // both ends included
  Span span;
};

struct Set {
  int param = -1;
  int stream = -1;    // has exactly one field
  int64_t every = 0;  // nanoseconds
  Span span;
};

// What an edit that brings a version must hold to for a while, or that version is taken back.
struct Guard {
  int stream = -1;         // whose errors are counted; -1: of all
  double error_share = 0;  // of the records behind the cut: above 0, at most 1
  uint64_t records = 0;    // behind the cut, for which it looks
  Span span;
};

struct Program {
  std::shared_ptr<TypeTable> types;
  std::vector<Stream> streams;  // in order of declaration; a consumer runs after its inputs
  std::vector<Source> sources;
  std::vector<Route> routes;
  std::vector<Emit> emits;
  std::vector<Param> params;
  std::vector<Set> sets;
  std::vector<Guard> guards;
  int local_count = 0;

  int find_stream(std::string_view name) const;  // -1 when absent
};

// Whether windows that overlap keep its state each for itself: what it has seen in parts of a window cannot
// be made one state. Of windows of a number of events only, but for aggregates of the script.
bool overlaps(const AggregateCall& call);
// The argument of a call by number, then `order`; null behind the last.
const Expr* argument_of(const AggregateCall& call, size_t index);
// What is kept of an event for a call, as text: equal texts, equal values.
std::string text_of_kept(const AggregateCall& call);
// What a state is made by, as text: equal texts, equal states of equal events.
std::string text_of_state(const OwnAggregate& own);
std::string text_of_result(const OwnAggregate& own);

// An indented listing, for `mutc explain --emit=typed` and tests.
std::string dump(const Program& program);
std::string to_text(const Const& value, TypeRef type);

}  // namespace mut::typed
