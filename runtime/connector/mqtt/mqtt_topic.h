// What topics of MQTT look like, as scripts write them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mut::connector {

enum class TopicUse : uint8_t { Filter, Exact };

// What is wrong with a topic, "plant/1/temp"; of a filter levels may be `+`, and the last one `#`. Empty:
// nothing.
inline std::string problem_of_topic(std::string_view topic, TopicUse use) {
  constexpr size_t bytes_max = 65535;
  if (topic.empty() || topic.size() > bytes_max || topic.find('\0') != std::string_view::npos)
    return "a topic is levels with slashes between them: plant/1/temp";
  if (use == TopicUse::Exact && topic.find_first_of("+#") != std::string_view::npos)
    return "rows are sent to one topic, without `+` and `#`";
  size_t from = 0;
  for (size_t end = 0; end != std::string_view::npos; from = end + 1) {
    end = topic.find('/', from);
    std::string_view level = topic.substr(from, end == std::string_view::npos ? end : end - from);
    if (level == "#" && end != std::string_view::npos) return "`#` stands at the end";
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos)
      return "`+` and `#` stand for whole levels";
  }
  return "";
}

}  // namespace mut::connector
