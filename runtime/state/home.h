// Where the state of a stage is when a program runs on several shards.
#pragma once
#include <cstdint>

namespace mut::state {

enum class Home : uint8_t {
  Everywhere,  // each shard has all of it, and does the same with it
  ByKey,       // in the shard that one of its keys says
  First,       // in the first shard
};

}  // namespace mut::state
