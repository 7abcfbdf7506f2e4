// The kinds of stages that random programs are made of, and which of them can stand behind which.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mut::random_test {

// In a fixed order: the seed of a program says which pair it has for certain.
const std::vector<std::string>& stage_kinds();
// Why no program can have `second` behind `first` in a stream or the next; empty when one can.
std::string why_not(const std::string& first, const std::string& second);
std::vector<std::pair<std::string, std::string>> possible_pairs();
// The pair that a program has for certain. Seeds that differ by the number of possible pairs have the same.
std::pair<std::string, std::string> pair_of_seed(uint64_t seed);

bool is_join(const std::string& kind);
bool is_aggregate(const std::string& kind);
// Its rows come with a later event, or with the end of the input.
bool gives_later(const std::string& kind);
// Stands at the head of a stream of its own: route, merge, table.
bool is_head(const std::string& kind);

}  // namespace mut::random_test
