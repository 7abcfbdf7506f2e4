#pragma once
#include "test/bench/workload/named.h"

namespace mut::bench {

NamedWorkloads hand_windows();  // w4

}  // namespace mut::bench
