#pragma once
#include "test/bench/workload/named.h"

namespace mut::bench {

NamedWorkloads hand_joins();  // w5

}  // namespace mut::bench
