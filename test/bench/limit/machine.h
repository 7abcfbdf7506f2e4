// What this machine gives right now, so that figures of different machines and hours can be compared.
#pragma once

namespace mut::bench {

struct MachineLimits {
  double add_chain_ghz;  // dependent additions: the clock that a busy core really has
  double read_gb_per_s;  // one core, sequential, from memory
  double copy_gb_per_s;  // bytes read plus bytes written
};

// About two seconds; the best of several rounds, in processor time, so that others on the core do not count.
// (What they do to caches and memory does.)
MachineLimits measure_machine();

// A fixed number of dependent additions, about 50 ms: longer when the core is slow or shared just now.
double spin_seconds();

}  // namespace mut::bench
