// Behind the C interface: what its handles are, and how failures and structs cross it.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "mutstream/engine.h"
#include "mutstream/mutstream.h"

struct mut_engine {
  std::unique_ptr<mut::Engine> engine;
  std::atomic<bool> started{false};
};

struct mut_report {
  mut::SwapReport report;
  std::vector<std::string> choices;  // by cell, as one text
};

struct mut_history {
  std::vector<mut::VersionRecord> records;
  std::vector<std::string> json;  // by record
};

namespace mut::c {

// Where the texts of a mut_error are.
struct ErrorTexts {
  std::string text;
  std::string codes;
};

mut_status status_of(Failure::Kind kind);
// Puts a failure into `error` (may be null) and returns its status.
mut_status fail(mut_error* error, const Failure& failure);
mut_status usage(mut_error* error, const char* text);
// At the begin of every call.
void reset(mut_error* error);

// A struct of the caller's, which another header may have made shorter or longer. False when it has no size,
// or says something at its end that is not known here.
template <typename T>
bool read_struct(const T* given, T& out) {
  size_t size = given->struct_size;
  if (size < sizeof(size_t)) return false;
  memcpy(&out, given, std::min(size, sizeof(T)));
  const char* bytes = reinterpret_cast<const char*>(given);
  for (size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

// As much of `value` as the caller has room for; the rest of a larger struct is zeroed.
template <typename T>
void write_struct(const T& value, T* out) {
  size_t size = out->struct_size;
  if (size < sizeof(size_t)) return;
  memset(static_cast<void*>(out), 0, size);
  memcpy(static_cast<void*>(out), &value, std::min(size, sizeof(T)));
  out->struct_size = size;
}

// No exception crosses the border: memory that is not there is the only one left.
template <typename Body>
mut_status guarded(mut_error* error, Body&& body) noexcept {
  try {
    reset(error);
    return body();
  } catch (const std::exception& problem) {
    try {
      return fail(error, {Failure::Kind::Internal, problem.what()});
    } catch (...) {
      return MUT_INTERNAL;
    }
  }
}

template <typename T>
mut_status status(mut_error* error, const Outcome<T>& outcome) {
  return outcome ? MUT_OK : fail(error, outcome.failure());
}

}  // namespace mut::c
