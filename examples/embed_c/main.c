/* A host in C: pushes rows into a script as JSON, gets rows back, edits the script while it runs and takes
 * the edit back. The counts go on through all of it. */
#include <stdio.h>
#include <string.h>

#include "mutstream/mutstream.h"

static const char script[] =
    "type Reading = { room: string, temp: float, at: time }\n"
    "source readings: Reading = host() time at\n"
    "stream warm = readings | where temp > 20.0\n"
    "  | @counted with n = count() over all by room ttl 1d | select room, temp, n\n"
    "emit warm to host()\n";

static void print_rows(void* user, const char* lines, size_t bytes) {
  (void)user;
  fwrite(lines, 1, bytes, stdout);
}

static int fail(const char* what, mut_error* error) {
  fprintf(stderr, "%s: %s\n", what, error->text);
  mut_error_clear(error);
  return 1;
}

/* Four readings, and all that they bring about. */
static mut_status push(mut_engine* engine, mut_error* error) {
  static const char rows[] =
      "{\"room\":\"hall\",\"temp\":18.0,\"at\":\"2026-01-01T12:00:00Z\"}\n{\"room\":\"attic\",\"temp\":20.5,"
      "\"at\":\"2026-01-01T12:01:00Z\"}\n"
      "{\"room\":\"hall\",\"temp\":22.0,\"at\":\"2026-01-01T12:02:00Z\"}\n{\"room\":\"attic\",\"temp\":24.0,"
      "\"at\":\"2026-01-01T12:03:00Z\"}\n";
  mut_run_state state = MUT_RUN_MORE;
  mut_status status = mut_push_json(engine, "readings", rows, strlen(rows), error);
  while (status == MUT_OK && state == MUT_RUN_MORE) status = mut_run(engine, &state, error);
  if (status == MUT_OK) status = mut_flush(engine, error);
  return status;
}

int main(void) {
  mut_engine* engine = NULL;
  mut_report* report = NULL;
  mut_history* history = NULL;
  mut_error error = MUT_ERROR_INIT;
  mut_stats stats = MUT_STATS_INIT;
  mut_edit edit = MUT_EDIT_INIT;
  char edited[sizeof script];
  size_t i;

  if (mut_abi_version() != MUT_ABI_VERSION) {
    fprintf(stderr, "the library is of another version than its header\n");
    return 1;
  }
  if (mut_load(script, strlen(script), "warm.mut", NULL, &engine, &error) != MUT_OK)
    return fail("load", &error);
  if (mut_bind_json_source(engine, "readings", &error) != MUT_OK ||
      mut_bind_json_sink(engine, "warm", print_rows, NULL, &error) != MUT_OK ||
      mut_start(engine, &error) != MUT_OK || push(engine, &error) != MUT_OK)
    return fail("run", &error);

  /* The edit keeps the counts. */
  memcpy(edited, script, sizeof script);
  memcpy(strstr(edited, "20.0"), "23.0", 4);
  edit.text = edited;
  edit.text_bytes = strlen(edited);
  if (mut_swap(engine, &edit, &report, &error) != MUT_OK) return fail("swap", &error);
  mut_report_info info = MUT_REPORT_INFO_INIT;
  mut_report_get(report, &info);
  for (i = 0; i < info.cell_count; ++i) {
    mut_cell cell = MUT_CELL_INIT;
    mut_report_cell(report, i, &cell);
    printf("v%d %s: %s\n", (int)info.version, cell.cell, cell.verdict);
  }
  mut_report_free(report);
  if (push(engine, &error) != MUT_OK) return fail("run", &error);

  if (mut_undo(engine, NULL, 0, NULL, &error) != MUT_OK) return fail("undo", &error);
  if (push(engine, &error) != MUT_OK) return fail("run", &error);

  if (mut_get_history(engine, &history, &error) != MUT_OK) return fail("history", &error);
  for (i = 0; i < mut_history_count(history); ++i) {
    mut_version version = MUT_VERSION_INIT;
    mut_history_version(history, i, &version);
    printf("v%d after v%d, restores v%d: outcome %d\n", (int)version.version, (int)version.parent,
           (int)version.restores, (int)version.outcome);
  }
  mut_history_free(history);
  if (mut_finish(engine, "readings", &error) != MUT_OK || mut_run_to_end(engine, &error) != MUT_OK ||
      mut_get_stats(engine, &stats, &error) != MUT_OK || mut_close(engine, &error) != MUT_OK)
    return fail("end", &error);
  printf("version %d: %d in, %d out\n", (int)stats.version, (int)stats.records_in, (int)stats.rows_out);
  mut_free(engine);
  mut_error_clear(&error);
  return 0;
}
