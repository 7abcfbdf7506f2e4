#pragma once
#include "test/bench/workload/named.h"

namespace mut::bench {

NamedWorkloads engine_sliding();  // w7

}  // namespace mut::bench
