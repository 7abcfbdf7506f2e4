#pragma once
#include "test/bench/workload/named.h"

namespace mut::bench {

NamedWorkloads hand_sliding();  // w7

}  // namespace mut::bench
