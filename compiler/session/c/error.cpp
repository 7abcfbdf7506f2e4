#include "compiler/session/c/handles.h"

namespace mut::c {

mut_status status_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::Script:
      return MUT_SCRIPT;
    case Failure::Kind::Usage:
      return MUT_USAGE;
    case Failure::Kind::Io:
      return MUT_IO;
    case Failure::Kind::Refused:
      return MUT_REFUSED;
    case Failure::Kind::NeedsDecision:
      return MUT_NEEDS_DECISION;
    case Failure::Kind::NoChange:
      return MUT_NO_CHANGE;
    case Failure::Kind::Superseded:
      return MUT_SUPERSEDED;
    case Failure::Kind::Internal:
      return MUT_INTERNAL;
  }
  return MUT_INTERNAL;
}

void reset(mut_error* error) {
  // One that says no size is not initialised: what it points to is not ours.
  if (error == nullptr || error->struct_size < sizeof(mut_error)) return;
  delete static_cast<ErrorTexts*>(error->owned);
  error->owned = nullptr;
  error->status = MUT_OK;
  error->text = error->codes = "";
}

mut_status fail(mut_error* error, const Failure& failure) {
  mut_status status = status_of(failure.kind);
  if (error == nullptr || error->struct_size < sizeof(mut_error)) return status;
  reset(error);
  auto texts = std::make_unique<ErrorTexts>();
  texts->text = failure.text;
  for (const std::string& code : failure.codes) texts->codes += (texts->codes.empty() ? "" : " ") + code;
  error->status = status;
  error->text = texts->text.c_str();
  error->codes = texts->codes.c_str();
  error->owned = texts.release();
  return status;
}

mut_status usage(mut_error* error, const char* text) { return fail(error, {Failure::Kind::Usage, text}); }

}  // namespace mut::c

extern "C" void mut_error_clear(mut_error* error) { mut::c::reset(error); }
