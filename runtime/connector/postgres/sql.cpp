#include "runtime/connector/postgres/sql.h"

#include <algorithm>
#include <cctype>

#include "runtime/connector/http/record_ends.h"

namespace mut::connector {
namespace {

constexpr size_t message_bytes_max = 1000;
constexpr size_t state_bytes = 5;

// "28P01"; FATAL is none.
bool is_state(std::string_view text) {
  auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  auto fits = [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; };
  return text.size() == state_bytes && std::all_of(text.begin(), text.end(), fits) &&
         std::any_of(text.begin(), text.end(), digit);
}

}  // namespace

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string quoted_table(std::string_view name) {
  size_t dot = name.find('.');
  if (dot == std::string_view::npos) return quoted_name(name);
  return quoted_name(name.substr(0, dot)) + "." + quoted_name(name.substr(dot + 1));
}

std::string quoted_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quoted_name(name);
  return out;
}

std::vector<std::string> names_of_header(std::string_view header) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (size_t i = 0; i < header.size(); ++i) {
    char c = header[i];
    if (c == '"' && quoted && i + 1 < header.size() && header[i + 1] == '"') {
      out.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (quoted || (c != '\n' && c != '\r')) {
      out.back() += c;
    }
  }
  return out;
}

std::string_view without_end_marks(std::string_view rows, std::string& changed) {
  constexpr std::string_view mark = "\\.\n";
  if (rows.find(mark) == std::string_view::npos) return rows;
  changed.clear();
  for (size_t at = 0; at < rows.size();) {
    std::string_view row = rows.substr(at, whole_records(rows.substr(at), 1, LineEnds::Unquoted));
    changed += row == mark ? std::string_view("\"\\.\"\n") : row;
    at += row.size();
  }
  return changed;
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!out.empty()) out += "; ";
    out += line;
  }
  if (out.size() <= message_bytes_max) return out;
  size_t end = message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
  return out.substr(0, end) + "…";
}

std::string take_state(std::string& message) {
  for (size_t at = message.find(": "); at != std::string::npos; at = message.find(": ", at + 1)) {
    size_t begin = message.find_first_not_of(' ', at + 1);
    if (begin == std::string::npos || begin + state_bytes >= message.size()) break;
    std::string state = message.substr(begin, state_bytes);
    if (!is_state(state) || message[begin + state_bytes] != ':') continue;
    message.erase(begin, std::min(message.size(), begin + state_bytes + 2) - begin);
    return state;
  }
  return "";
}

}  // namespace mut::connector
