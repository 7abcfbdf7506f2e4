#pragma once
#include "test/bench/workload/named.h"

namespace mut::bench {

NamedWorkloads engine_windows();  // w4

}  // namespace mut::bench
