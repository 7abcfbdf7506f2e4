/* Running Mut programs from C (C99): the C++ interface of engine.h, with opaque handles. docs/embedding-c.md
 * is a walk through it, examples/embed_c a whole host.
 *
 *   mut_engine *engine = NULL;
 *   mut_error error = MUT_ERROR_INIT;
 *   if (mut_load(text, strlen(text), "limits.mut", NULL, &engine, &error) != MUT_OK) …error.text…
 *   mut_bind(engine, "payments", "payments.jsonl", &error);
 *   mut_start(engine, &error);
 *   mut_run_to_end(engine, &error);
 *   mut_close(engine, &error);
 *   mut_free(engine);
 *
 * Status: every function that can fail returns MUT_OK or what went wrong, and leaves the engine as it was.
 * Errors: `error` may be NULL. Its texts belong to it, until it is given to another call or
 * mut_error_clear(). One mut_error serves one thread at a time. Strings that go in are copied; they are UTF-8
 * and end with a zero byte where no size stands beside them. Strings that come out belong to the object they
 * come from and live as long as it, unless said otherwise. Versions: a struct begins with `struct_size`,
 * which the caller sets (the MUT_…_INIT do): a program that was compiled with an older or newer header goes
 * on working. New functions may come; none changes its meaning while mut_abi_version() is what it was.
 * Threads: one thread at a time calls an engine. From any other, beside it: mut_push_json(),
 * mut_push_arrow(), mut_finish(), and after mut_start() mut_swap(), mut_undo(), mut_redo(), mut_set_param(),
 * mut_get_history() and mut_stop(). Two engines never meet. Functions that the host binds are called on the
 * thread that runs; nothing may be thrown out of them.
 */
#ifndef MUTSTREAM_MUTSTREAM_H
#define MUTSTREAM_MUTSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "mutstream/arrow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MUT_ABI_VERSION 1

/* Of the library, to be compared with MUT_ABI_VERSION of the header. */
uint32_t mut_abi_version(void);
/* "mutc 0.1.0, edition 1, LLVM 19"; never goes away. */
const char* mut_version_text(void);

typedef enum mut_status {
  MUT_OK = 0,
  MUT_SCRIPT = 1, /* the script is wrong; the text has the diagnostics */
  MUT_USAGE = 2,  /* the call is wrong */
  MUT_IO = 3,     /* a file could not be read or written */
  MUT_NEEDS_DECISION = 10,
  MUT_NO_CHANGE = 11,  /* the edit says what runs already */
  MUT_SUPERSEDED = 12, /* a newer edit was ready first */
  MUT_REFUSED = 20,
  MUT_INTERNAL = 70
} mut_status;

typedef struct mut_error {
  size_t struct_size;
  mut_status status;
  const char* text;  /* never NULL behind a call */
  const char* codes; /* "MUT5003 MUT5004": of the errors of a script, of the refusals of an edit */
  void* owned;       /* of the library */
} mut_error;
#define MUT_ERROR_INIT {sizeof(mut_error), MUT_OK, "", "", NULL}
/* Frees what the texts are in; they are empty then. */
void mut_error_clear(mut_error* error);

typedef struct mut_engine mut_engine;
typedef struct mut_report mut_report;
typedef struct mut_history mut_history;

typedef enum mut_tier { MUT_TIER_AUTO = 0, MUT_TIER_QUICK = 1, MUT_TIER_OPTIMISED = 2 } mut_tier;
typedef enum mut_policy { MUT_POLICY_ASK = 0, MUT_POLICY_STRICT = 1, MUT_POLICY_LIVE = 2 } mut_policy;

/* Zero is the default of each field. */
typedef struct mut_options {
  size_t struct_size;
  int32_t tier;             /* mut_tier */
  int32_t policy;           /* mut_policy */
  uint32_t batch_rows;      /* 0: 4,096, of several shards up to 32,768 */
  uint32_t stamp;           /* 1: rows carry $source, $position and $version */
  uint64_t memory_bytes;    /* of state; 0: 256 MiB */
  uint32_t closed_world;    /* 1: nothing outside is opened; every source gives what the host pushes */
  uint32_t virtual_clock;   /* 1: time goes by mut_advance() */
  const char* history_path; /* a file that records every version; NULL: none */
  uint32_t shards;          /* threads among which events are spread by their keys, up to 64; 0: 1 */
  const char* kernel_cache; /* a folder for compiled code, made for its user alone; NULL: none is kept */
  uint32_t decode_threads;  /* threads that decode text of files and standard input, up to 64 */
  const char* spill_dir;    /* a directory where state goes on that memory has no room for; NULL: none */
  uint64_t spill_bytes;     /* there at most; 0: 64 GiB */
} mut_options;
#define MUT_OPTIONS_INIT \
  {sizeof(mut_options), MUT_TIER_AUTO, MUT_POLICY_ASK, 0, 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0}

/* Checks and plans a script. `name` is what diagnostics call it; `options` may be NULL. On failure *engine is
 * NULL. The caller owns the engine: mut_free(). */
mut_status mut_load(const char* text, size_t text_bytes, const char* name, const mut_options* options,
                    mut_engine** engine, mut_error* error);
/* Stops what runs and frees everything; reports and histories live on. NULL is let be. No other call may be
 * under way. */
void mut_free(mut_engine* engine);

/* Warnings of mut_load(), and what mut_start() said. Until the next call of either, or mut_free(). */
const char* mut_warnings(const mut_engine* engine);

/* ---- before mut_start() ---- */

/* Where a source or sink really goes: a path, "-", "csv:path"; "source:NAME", "sink:NAME" where a name means
 * both. */
mut_status mut_bind(mut_engine* engine, const char* name, const char* target, mut_error* error);
/* The source gives what mut_push_json() pushes. */
mut_status mut_bind_json_source(mut_engine* engine, const char* source, mut_error* error);
/* The source gives what mut_push_arrow() pushes. */
mut_status mut_bind_arrow_source(mut_engine* engine, const char* source, mut_error* error);

/* Whole JSON lines, about one call a batch; they do not end with a zero byte and are gone when the function
 * returns. */
typedef void (*mut_lines_function)(void* user, const char* lines, size_t bytes);
/* Rows as a struct array. Who wants to keep them moves both structs out and sets their `release` to NULL;
 * else they are released behind the call. */
typedef void (*mut_arrow_function)(void* user, struct ArrowArray* rows, struct ArrowSchema* schema);
/* `user` is handed to the function as it is; it has to live as long as the engine. */
mut_status mut_bind_json_sink(mut_engine* engine, const char* sink, mut_lines_function receive, void* user,
                              mut_error* error);
mut_status mut_bind_arrow_sink(mut_engine* engine, const char* sink, mut_arrow_function receive, void* user,
                               mut_error* error);

/* ---- rows ---- */

/* Whole JSON lines; they are copied. Also before mut_start(). Lines that are no rows of the source go to its
 * errors. */
mut_status mut_push_json(mut_engine* engine, const char* source, const char* lines, size_t bytes,
                         mut_error* error);
/* A struct array with a column for each declared field, found by name; after mut_start(). The array is
 * released before the call returns, also on failure, unless `engine` or `source` is NULL; the schema stays
 * the caller's. On failure no row of it was pushed. */
mut_status mut_push_arrow(mut_engine* engine, const char* source, struct ArrowArray* rows,
                          const struct ArrowSchema* schema, mut_error* error);
/* Nothing will be pushed any more. */
mut_status mut_finish(mut_engine* engine, const char* source, mut_error* error);

/* ---- run ---- */

typedef enum mut_run_state {
  MUT_RUN_MORE = 0,
  MUT_RUN_IDLE = 1, /* nothing to read now: mut_wait() */
  MUT_RUN_DONE = 2,
  MUT_RUN_FAILED = 3
} mut_run_state;

/* Compiles and opens everything. On failure nothing runs; the call may be repeated. */
mut_status mut_start(mut_engine* engine, mut_error* error);
/* About one batch. *state is MUT_RUN_FAILED where the status is not MUT_OK. */
mut_status mut_run(mut_engine* engine, mut_run_state* state, mut_error* error);
/* Until the input has ended, asleep while there is nothing; what was written is flushed. */
mut_status mut_run_to_end(mut_engine* engine, mut_error* error);
/* Sleeps until a source may have something, at most `limit_ns`. */
void mut_wait(mut_engine* engine, int64_t limit_ns);
/* Raises the virtual clock and every watermark to `time_ns` since 1970. */
mut_status mut_advance(mut_engine* engine, int64_t time_ns, mut_error* error);
/* What is decoded is still processed; then the input counts as ended. */
void mut_stop(mut_engine* engine);
mut_status mut_flush(mut_engine* engine, mut_error* error);
/* Flushes and closes the sinks, and says what mut_free() cannot: whether the last rows arrived. */
mut_status mut_close(mut_engine* engine, mut_error* error);

/* ---- live change ---- */

/* A version begins where each source that is named has given exactly so many records. */
typedef struct mut_cut {
  const char* source;
  uint64_t records;
} mut_cut;

typedef struct mut_edit {
  size_t struct_size;
  const char* text; /* the whole new script */
  size_t text_bytes;
  const char* name;    /* NULL: as before */
  const mut_cut* cuts; /* none: at the next boundary */
  size_t cut_count;
  const char* const* accept; /* "drop:stream/stage/cell" */
  size_t accept_count;
  /* Above 0: the edit is taken back when that share of 100 or more records behind its cut failed. */
  double guard_error_share;
  uint64_t guard_records; /* so many records the guard looks at; 0: 10,000 */
} mut_edit;
#define MUT_EDIT_INIT {sizeof(mut_edit), NULL, 0, NULL, NULL, 0, NULL, 0, 0.0, 0}

/* Plans, compiles and schedules an edit; blocks meanwhile, rows flow on. On failure nothing has changed;
 * where the edit was planned, the report has the plan too. `report` may be NULL; else *report is the
 * caller's, or NULL: mut_report_free(). It is complete once mut_swap_done() gives it. */
mut_status mut_swap(mut_engine* engine, const mut_edit* edit, mut_report** report, mut_error* error);
/* The report of an edit that was taken or superseded, one a call, in that order; *report is NULL when there
 * is none. */
mut_status mut_swap_done(mut_engine* engine, mut_report** report, mut_error* error);
/* Another value of a param, as a script writes it. */
mut_status mut_set_param(mut_engine* engine, const char* param, const char* value, const mut_cut* cuts,
                         size_t cut_count, mut_error* error);
/* An edit back to the version before the newest; the next goes further back. MUT_USAGE where nothing is
 * before. */
mut_status mut_undo(mut_engine* engine, const char* const* accept, size_t accept_count, mut_report** report,
                    mut_error* error);
/* Takes the last mut_undo() back. */
mut_status mut_redo(mut_engine* engine, const char* const* accept, size_t accept_count, mut_report** report,
                    mut_error* error);

/* Strings belong to the report. */
typedef struct mut_report_info {
  size_t struct_size;
  uint64_t version;
  uint64_t superseded_by; /* 0: it was taken, or is to be */
  const char* plan;       /* as `mutc plan` prints it */
  const char* warnings;
  int64_t check_ns;
  int64_t compile_ns;
  int64_t pause_ns;
  uint64_t entries_converted;
  size_t cell_count;
  size_t cut_count;
  const char* cause;   /* why a guard had it made; "": someone asked for it */
  const char* refused; /* why it was not taken at its cut: an entry of state could not go over; "": it was */
} mut_report_info;
#define MUT_REPORT_INFO_INIT {sizeof(mut_report_info), 0, 0, "", "", 0, 0, 0, 0, 0, 0, "", ""}
typedef struct mut_cell {
  size_t struct_size;
  const char* cell;    /* "stream/stage/cell" */
  const char* before;  /* what it continues; "": nothing */
  const char* verdict; /* same, new, keep, … */
  const char* reason;
  const char* choices;  /* "carry reset": what would be accepted, when it needs a decision */
  const char* decision; /* what was accepted */
  uint32_t undecided;
} mut_cell;
#define MUT_CELL_INIT {sizeof(mut_cell), "", "", "", "", "", "", 0}
void mut_report_get(const mut_report* report, mut_report_info* info);
/* Empty where there is no such cell. */
void mut_report_cell(const mut_report* report, size_t index, mut_cell* cell);
mut_cut mut_report_cut(const mut_report* report, size_t index);
void mut_report_free(mut_report* report);

/* ---- what has been ---- */

/* Numbers of mut_version.outcome. */
typedef enum mut_outcome {
  MUT_OUTCOME_WAITING = 0,
  MUT_OUTCOME_RUNNING = 1,
  MUT_OUTCOME_RETIRED = 2,
  MUT_OUTCOME_EQUIVALENT = 3,
  MUT_OUTCOME_FAILED = 4,
  MUT_OUTCOME_REFUSED = 5,
  MUT_OUTCOME_NEEDS_DECISION = 6,
  MUT_OUTCOME_SUPERSEDED = 7,
  MUT_OUTCOME_ABORTED = 8,
  MUT_OUTCOME_ROLLED_BACK = 9
} mut_outcome;

/* Strings belong to the history. */
typedef struct mut_version {
  size_t struct_size;
  uint64_t version;
  uint64_t parent;   /* 0: none */
  uint64_t restores; /* of an undo or redo: whose script runs again */
  int64_t time_ns;   /* since 1970 */
  int32_t outcome;   /* mut_outcome */
  const char* hash;  /* SHA-256, hex */
  const char* name;
  const char* text;
  const char* plan;
  const char* reason;
  const char* json; /* all that is known of it, as one JSON object */
} mut_version;
#define MUT_VERSION_INIT {sizeof(mut_version), 0, 0, 0, 0, 0, "", "", "", "", "", ""}

/* A copy, which does not change any more: mut_history_free(). */
mut_status mut_get_history(const mut_engine* engine, mut_history** history, mut_error* error);
size_t mut_history_count(const mut_history* history);
/* In order of versions. Empty where there is no such one. */
void mut_history_version(const mut_history* history, size_t index, mut_version* version);
void mut_history_free(mut_history* history);

typedef struct mut_stats {
  size_t struct_size;
  uint64_t version;
  uint64_t records_in;
  uint64_t rows_out;
  uint64_t event_errors;
  uint64_t late;
  uint64_t swaps;
  uint64_t kernels_compiled;
  uint64_t kernels_reused;
  int64_t compile_ns;
  uint64_t state_bytes;
  uint64_t parked_bytes;  /* of those: what edits dropped, kept for an undo */
  uint64_t spilled_bytes; /* of those: what lies in the file of `spill_dir` */
} mut_stats;
#define MUT_STATS_INIT {sizeof(mut_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
mut_status mut_get_stats(const mut_engine* engine, mut_stats* stats, mut_error* error);

#ifdef __cplusplus
}
#endif
#endif
