// Records that are read by the layout of those before, against the parser that knows none.
#include <gtest/gtest.h>

#include <random>

#include "runtime/codec/json/reader.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;

abi::TypeDescRef event_type() {
  auto inner = record({field("a", scalar(TypeKind::I64)), field("t", optional(scalar(TypeKind::String))),
                       field_or("d", scalar(TypeKind::I32), "5")});
  return record({field("id", scalar(TypeKind::I64)), field("at", scalar(TypeKind::Time)),
                 field("bid", optional(inner)), field("text", scalar(TypeKind::String)),
                 field("j", optional(scalar(TypeKind::Json))), field("j2", scalar(TypeKind::Json)),
                 field_or("j3", scalar(TypeKind::Json), "[7]"), field("x", optional(scalar(TypeKind::F64))),
                 field("flag", optional(scalar(TypeKind::Bool)))});
}

class Lines {
 public:
  explicit Lines(uint64_t seed) : random_(seed) {}

  // Mostly of a few layouts, some damaged.
  std::string text(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      std::string line = record(pick(10) == 0 ? static_cast<int>(pick(40)) : static_cast<int>(pick(3)));
      if (pick(12) == 0) damage(line);
      out += line + "\n";
    }
    return out;
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  std::string number() {
    static const char* const odd[] = {"0",    "-0",  "3.0", "1e3",  "12345678901234567",
                                      "00",   "1.5", "-",   "null", "9223372036854775808",
                                      "\"7\""};
    if (pick(15) == 0) return odd[pick(std::size(odd))];
    std::string out = pick(4) == 0 ? "-" : "";
    return out + std::to_string(pick(uint64_t{1} << pick(48)));
  }
  std::string quoted() {
    static const char* const pieces[] = {
        "x", "longer text without end ", "\\n", "\\u00e9", "\\\"", "\xc3\xa9", "{", "}", ",", ":"};
    std::string out = "\"";
    for (uint64_t i = pick(7); i > 0; --i) out += pieces[pick(std::size(pieces))];
    return out + "\"";
  }
  std::string any() {
    switch (pick(7)) {
      case 6:
        return pick(20) == 0 ? "nullx" : "null";
      case 0:
        return "null";
      case 1:
        return quoted();
      case 2:
        return "{\"k\":[" + number() + "," + quoted() + "]}";
      case 3:
        return "true";
      case 4:
        return "[]";
      default:
        return number();
    }
  }
  std::string inner(int layout) {
    if (layout == 1) return "null";
    if (layout == 2) return "{\"t\":" + (pick(3) == 0 ? "null" : quoted()) + ", \"a\":" + number() + "}";
    return "{\"a\":" + number() + ",\"t\":" + quoted() + ",\"d\":" + number() + "}";
  }
  std::string record(int layout) {
    std::vector<std::string> parts = {
        "\"id\":" + number(),
        "\"at\":" + (pick(9) == 0 ? "\"2024-01-02T03:04:05Z\"" : number()),
        "\"bid\":" + inner(layout),
        "\"text\":" + quoted(),
        "\"j\":" + any(),
        "\"j2\":" + any(),
        "\"j3\":" + any(),
        "\"skipped\":" + any(),
        "\"a key that is longer than what one comparison of text can take in\":" + any(),
        "\"x\":" + (pick(5) == 0 ? "null" : number()),
        "\"flag\":" + std::string(pick(2) == 0 ? "true" : "false")};
    if (layout == 2) parts.pop_back();
    if (layout > 2) std::shuffle(parts.begin(), parts.end(), std::mt19937(static_cast<unsigned>(layout)));
    // The same key twice, its first value often of a wrong type: the last one wins.
    if (layout > 30) parts.push_back(parts[0]);
    if (layout > 25) parts.insert(parts.begin(), layout % 2 == 0 ? "\"text\":[]" : "\"bid\":5");
    std::string gap = layout == 1 ? " , " : ",";
    std::string out = layout == 1 ? "{ " : "{";
    for (size_t i = 0; i < parts.size(); ++i) out += (i == 0 ? "" : gap) + parts[i];
    return out + "}";
  }
  void damage(std::string& line) {
    auto at = static_cast<std::ptrdiff_t>(pick(line.size()));
    switch (pick(3)) {
      case 0:
        line.erase(line.begin() + at);
        break;
      case 1:
        line.insert(line.begin() + at, "{}[]\",:\\0 n"[pick(11)]);
        break;
      default:
        line[static_cast<size_t>(at)] = static_cast<char>(0x20 + pick(0x5f));
    }
  }

  std::mt19937_64 random_;
};

TEST(JsonLayout, ReadsWhatTheGeneralParserReads) {
  auto type = event_type();
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::string text = Lines(seed).text(400);
    auto plain = json::make_reader(type, {}, json::InstructionSet::Portable);
    Decoded slow = decode(*plain, type, text, SIZE_MAX);
    for (auto instructions : {json::InstructionSet::Fastest, json::InstructionSet::Avx2}) {
      auto learning = json::make_reader(type, {}, instructions);
      Decoded fast = decode(*learning, type, text, SIZE_MAX);
      ASSERT_EQ(fast.rows, slow.rows) << seed;
      ASSERT_EQ(fast.raw, slow.raw) << seed;
      ASSERT_EQ(fast.times, slow.times) << seed;
      ASSERT_EQ(fast.lines, slow.lines) << seed;
    }
  }
}

// A value of a wrong type is no error where the same key comes again; nothing of it is learned.
TEST(JsonLayout, LearnsNothingOfARecordWithAKeyTwice) {
  auto type = record({field("a", scalar(TypeKind::String))});
  std::string twice = "{\"a\":[],\"a\":\"x\"}\n";
  std::string text = twice + twice + twice + "{\"a\":[],\"a\n";
  auto reader = json::make_reader(type, {}, json::InstructionSet::Fastest);
  auto plain = json::make_reader(type, {}, json::InstructionSet::Portable);
  EXPECT_EQ(decode(*reader, type, text, SIZE_MAX).rows, decode(*plain, type, text, SIZE_MAX).rows);
  std::string array = "[{\"a\":[],\"a\":\"x\"},{\"a\":[1]},{\"a\":\"y\"}]";
  reader = json::make_reader(type, {}, json::InstructionSet::Fastest);
  plain = json::make_reader(type, {}, json::InstructionSet::Portable);
  EXPECT_EQ(decode(*reader, type, array, SIZE_MAX).rows, decode(*plain, type, array, SIZE_MAX).rows);
}

TEST(JsonLayout, TakesForNullWhatIsNullAsAWhole) {
  auto type =
      record({field("a", optional(scalar(TypeKind::I64))), field_or("b", scalar(TypeKind::I64), "7")});
  std::string text =
      "{\"u\":nullx,\"a\":1}\n{\"u\":nullx,\"a\":1}\n{\"u\":nullx\n{\"u\":null,\"a\":2}\n{\"u\":nullx}\n";
  auto reader = json::make_reader(type, {}, json::InstructionSet::Fastest);
  auto plain = json::make_reader(type, {}, json::InstructionSet::Portable);
  EXPECT_EQ(decode(*reader, type, text, SIZE_MAX).rows, decode(*plain, type, text, SIZE_MAX).rows);
}

// More layouts than are kept, each of them new: those are given up, and the right ones come back.
TEST(JsonLayout, LearnsAnewWhenRecordsLookOtherwise) {
  auto type = record({field("id", scalar(TypeKind::I64)), field("text", scalar(TypeKind::String))});
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; i < 6000; ++i) {
    std::string id = std::to_string(i);
    bool odd = i < 3000;
    text += "{\"id\":" + id + (odd ? ",\"k" + id + "\":" + id : "") + ",\"text\":\"t" + id + "\"}\n";
    expected.push_back("{\"id\":" + id + ",\"text\":\"t" + id + "\"}");
  }
  auto reader = json::make_reader(type, {}, json::InstructionSet::Fastest);
  EXPECT_EQ(decode(*reader, type, text, SIZE_MAX).rows, expected);
}

}  // namespace
}  // namespace mut::test
