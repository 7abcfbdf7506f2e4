// Places where the engine can be made wrong, for test/random/faults: that its programs find each is the
// measure of them. Only mutc_faulty is compiled with MUT_DELIBERATE_FAULTS, where MUT_ENGINE_FAULT=NAME
// switches one on; elsewhere the condition is the constant false, and nothing of it is in the code.
#pragma once

#ifdef MUT_DELIBERATE_FAULTS
namespace mut::abi {
// Whether that is the name in MUT_ENGINE_FAULT.
bool is_deliberate(const char* fault);
}  // namespace mut::abi

#define MUT_DELIBERATE_FAULT(name)                              \
  ([] {                                                         \
    static const bool is_on = ::mut::abi::is_deliberate(#name); \
    return is_on;                                               \
  }())
#else
#define MUT_DELIBERATE_FAULT(name) false
#endif
