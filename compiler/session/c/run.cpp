// The C interface: load, bind, push, run.
#include "compiler/session/c/handles.h"
#include "mutstream/tooling.h"

using namespace mut;     // NOLINT: the functions of C stand outside of it
using namespace mut::c;  // NOLINT

namespace {

constexpr const char* no_engine = "the engine is NULL";

// For what belongs before mut_start().
template <typename Body>
mut_status before_start(mut_engine* engine, mut_error* error, Body&& body) {
  return guarded(error, [&]() -> mut_status {
    if (engine == nullptr) return usage(error, no_engine);
    if (engine->started) return usage(error, "the engine was started already: bind before mut_start()");
    return body(*engine->engine);
  });
}

template <typename Body>
mut_status with_engine(mut_engine* engine, mut_error* error, Body&& body) {
  return guarded(error, [&]() -> mut_status {
    if (engine == nullptr) return usage(error, no_engine);
    return body(*engine->engine);
  });
}

bool read_options(const mut_options* given, EngineOptions& out) {
  mut_options options = MUT_OPTIONS_INIT;
  if (!read_struct(given, options)) return false;
  switch (options.tier) {
    case MUT_TIER_AUTO:
      break;
    case MUT_TIER_QUICK:
      out.tier = TierChoice::Quick;
      break;
    case MUT_TIER_OPTIMISED:
      out.tier = TierChoice::Optimised;
      break;
    default:
      return false;
  }
  switch (options.policy) {
    case MUT_POLICY_ASK:
      break;
    case MUT_POLICY_STRICT:
      out.policy = SwapPolicy::Strict;
      break;
    case MUT_POLICY_LIVE:
      out.policy = SwapPolicy::Live;
      break;
    default:
      return false;
  }
  out.batch_rows = options.batch_rows;
  if (options.memory_bytes != 0) out.memory_bytes = options.memory_bytes;
  if (options.spill_dir != nullptr) out.spill_dir = options.spill_dir;
  if (options.spill_bytes != 0) out.spill_bytes = options.spill_bytes;
  if (options.stamp != 0) out.stamp = EngineOptions::Stamp::Yes;
  if (options.closed_world != 0) out.world = EngineOptions::World::Closed;
  if (options.virtual_clock != 0) out.clock = EngineOptions::Clock::Virtual;
  if (options.history_path != nullptr) out.history_path = options.history_path;
  if (options.kernel_cache != nullptr) out.kernel_cache = options.kernel_cache;
  if (options.shards > EngineOptions::shards_max) return false;
  if (options.shards != 0) out.shards = options.shards;
  if (options.decode_threads > EngineOptions::decode_threads_max) return false;
  out.decode_threads = options.decode_threads;
  return true;
}

}  // namespace

extern "C" {

uint32_t mut_abi_version(void) { return MUT_ABI_VERSION; }

const char* mut_version_text(void) { return version_text().data(); }

mut_status mut_load(const char* text, size_t text_bytes, const char* name, const mut_options* options,
                    mut_engine** engine, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (engine == nullptr) return usage(error, "no place for the engine");
    *engine = nullptr;
    if (text == nullptr && text_bytes > 0) return usage(error, "the text is NULL");
    EngineOptions chosen;
    if (options != nullptr && !read_options(options, chosen))
      return usage(error, "mut_options: `struct_size` is not set, or a value is not known");
    auto made = std::make_unique<mut_engine>();
    std::string_view script = text == nullptr ? std::string_view() : std::string_view(text, text_bytes);
    auto loaded = Engine::load(script, name == nullptr ? "script.mut" : name, chosen);
    if (!loaded) return fail(error, loaded.failure());
    made->engine = std::move(loaded).value();
    *engine = made.release();
    return MUT_OK;
  });
}

void mut_free(mut_engine* engine) { delete engine; }

const char* mut_warnings(const mut_engine* engine) {
  return engine == nullptr ? "" : engine->engine->warnings().c_str();
}

mut_status mut_bind(mut_engine* engine, const char* name, const char* target, mut_error* error) {
  return before_start(engine, error, [&](Engine& to) -> mut_status {
    if (name == nullptr || target == nullptr) return usage(error, "name or target is NULL");
    return status(error, to.bind(name, target));
  });
}

mut_status mut_bind_json_source(mut_engine* engine, const char* source, mut_error* error) {
  return before_start(engine, error, [&](Engine& to) -> mut_status {
    if (source == nullptr) return usage(error, "the source is NULL");
    auto bound = to.bind_host_source(source);
    // The first push says that it takes text.
    if (bound) bound = to.push_text(source, "");
    return status(error, bound);
  });
}

mut_status mut_bind_arrow_source(mut_engine* engine, const char* source, mut_error* error) {
  return before_start(engine, error, [&](Engine& to) -> mut_status {
    if (source == nullptr) return usage(error, "the source is NULL");
    return status(error, to.bind_host_source(source));
  });
}

mut_status mut_bind_json_sink(mut_engine* engine, const char* sink, mut_lines_function receive, void* user,
                              mut_error* error) {
  return before_start(engine, error, [&](Engine& to) -> mut_status {
    if (sink == nullptr || receive == nullptr) return usage(error, "sink or function is NULL");
    return status(error, to.bind_text_sink(sink, [receive, user](std::string_view lines) {
      receive(user, lines.data(), lines.size());
    }));
  });
}

mut_status mut_bind_arrow_sink(mut_engine* engine, const char* sink, mut_arrow_function receive, void* user,
                               mut_error* error) {
  return before_start(engine, error, [&](Engine& to) -> mut_status {
    if (sink == nullptr || receive == nullptr) return usage(error, "sink or function is NULL");
    return status(error, to.bind_arrow_sink(sink, [receive, user](ArrowArray& rows, ArrowSchema& schema) {
      receive(user, &rows, &schema);
    }));
  });
}

mut_status mut_push_json(mut_engine* engine, const char* source, const char* lines, size_t bytes,
                         mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) -> mut_status {
    if (source == nullptr || (lines == nullptr && bytes > 0)) return usage(error, "source or lines are NULL");
    if (bytes == 0) return MUT_OK;
    return status(error, to.push_text(source, std::string_view(lines, bytes)));
  });
}

mut_status mut_push_arrow(mut_engine* engine, const char* source, ArrowArray* rows, const ArrowSchema* schema,
                          mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) -> mut_status {
    if (source == nullptr || rows == nullptr || schema == nullptr)
      return usage(error, "source, rows or schema is NULL");
    return status(error, to.push_arrow(source, rows, schema));
  });
}

mut_status mut_finish(mut_engine* engine, const char* source, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) -> mut_status {
    if (source == nullptr) return usage(error, "the source is NULL");
    return status(error, to.finish(source));
  });
}

mut_status mut_start(mut_engine* engine, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) -> mut_status {
    auto started = to.start();
    if (started) engine->started = true;
    return status(error, started);
  });
}

mut_status mut_run(mut_engine* engine, mut_run_state* state, mut_error* error) {
  if (state != nullptr) *state = MUT_RUN_FAILED;
  return with_engine(engine, error, [&](Engine& to) -> mut_status {
    RunState ran = to.run();
    if (ran == RunState::Failed) return fail(error, to.failure());
    if (state != nullptr) {
      *state = ran == RunState::More ? MUT_RUN_MORE : ran == RunState::Idle ? MUT_RUN_IDLE : MUT_RUN_DONE;
    }
    return MUT_OK;
  });
}

mut_status mut_run_to_end(mut_engine* engine, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) { return status(error, to.run_to_end()); });
}

void mut_wait(mut_engine* engine, int64_t limit_ns) {
  if (engine != nullptr) engine->engine->wait(limit_ns);
}

mut_status mut_advance(mut_engine* engine, int64_t time_ns, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) { return status(error, to.advance(time_ns)); });
}

void mut_stop(mut_engine* engine) {
  if (engine != nullptr) engine->engine->stop();
}

mut_status mut_flush(mut_engine* engine, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) { return status(error, to.flush()); });
}

mut_status mut_close(mut_engine* engine, mut_error* error) {
  return with_engine(engine, error, [&](Engine& to) { return status(error, to.close()); });
}

mut_status mut_get_stats(const mut_engine* engine, mut_stats* stats, mut_error* error) {
  return guarded(error, [&]() -> mut_status {
    if (engine == nullptr || stats == nullptr) return usage(error, "engine or stats is NULL");
    if (stats->struct_size < sizeof(size_t)) return usage(error, "mut_stats: `struct_size` is not set");
    EngineStats known = engine->engine->stats();
    mut_stats out = MUT_STATS_INIT;
    out.version = known.version;
    out.records_in = known.records_in;
    out.rows_out = known.rows_out;
    out.event_errors = known.event_errors;
    out.late = known.late;
    out.swaps = known.swaps;
    out.kernels_compiled = known.kernels_compiled;
    out.kernels_reused = known.kernels_reused;
    out.compile_ns = known.compile_ns;
    out.state_bytes = known.state_bytes;
    out.parked_bytes = known.parked_bytes;
    out.spilled_bytes = known.spilled_bytes;
    write_struct(out, stats);
    return MUT_OK;
  });
}

}  // extern "C"
