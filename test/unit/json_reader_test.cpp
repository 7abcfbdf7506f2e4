#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "runtime/codec/json/reader.h"
#include "runtime/codec/json/validate.h"
#include "test/unit/data_files.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;
using Rows = std::vector<std::string>;

Decoded read(abi::TypeDescRef type, std::string_view text, codec::DecodeOptions options = {},
             size_t piece = SIZE_MAX, json::InstructionSet instructions = json::InstructionSet::Fastest) {
  auto reader = json::make_reader(type, options, instructions);
  return decode(*reader, type, text, piece);
}

// The only row of `{"x": VALUE}` for a field of this type.
std::string value_of(abi::TypeDescRef type, std::string_view json) {
  Decoded out = read(record({field("x", std::move(type))}), "{\"x\":" + std::string(json) + "}\n");
  return out.rows.size() == 1 ? out.rows[0] : "rows: " + std::to_string(out.rows.size());
}

TEST(JsonReader, TakesFieldsInAnyOrderAndIgnoresUnknownOnes) {
  auto type = record({field("a", scalar(TypeKind::I64)), field("b", scalar(TypeKind::String))});
  Decoded out = read(type,
                     "{\"a\":1,\"b\":\"x\"}\n"
                     "{\"b\":\"y\",\"other\":{\"deep\":[1,{\"}\":\"]\\\"\"}]},\"a\":2}\n"
                     "\n  { \"a\" : 3 , \"b\" : \"z\" } \r\n"
                     "{\"a\":4,\"b\":\"last\"}");
  EXPECT_EQ(out.rows, (Rows{R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})", R"({"a":3,"b":"z"})",
                            R"({"a":4,"b":"last"})"}));
  EXPECT_EQ(out.lines, (std::vector<uint32_t>{1, 2, 4, 5}));
  EXPECT_EQ(out.raw[0], "{\"a\":1,\"b\":\"x\"}");
  EXPECT_EQ(out.times[0], 77);
}

TEST(JsonReader, TheLastOfDuplicateKeysWins) {
  auto type = record({field("a", scalar(TypeKind::I64))});
  EXPECT_EQ(read(type, "{\"a\":1,\"a\":2}\n{\"a\":\"text\",\"a\":3}\n{\"a\":4,\"a\":\"text\"}").rows,
            (Rows{R"({"a":2})", R"({"a":3})", "! field `a`: expected an integer, found text"}));
}

TEST(JsonReader, AbsentAndNullAreNoneOrTheDefaultOrAnError) {
  auto type = record({field("a", optional(scalar(TypeKind::I64))), field_or("b", scalar(TypeKind::I64), "7"),
                      field("c", scalar(TypeKind::String))});
  EXPECT_EQ(read(type, R"({"c":"x"}
{"a":null,"b":null,"c":"x"}
{"a":1,"b":2}
{"a":1,"b":2,"c":null})")
                .rows,
            (Rows{R"({"a":null,"b":7,"c":"x"})", R"({"a":null,"b":7,"c":"x"})", "! field `c`: missing",
                  "! field `c`: missing"}));
}

TEST(JsonReader, IntegersTakeWhatIsWholeAndInRange) {
  auto type = scalar(TypeKind::I64);
  EXPECT_EQ(value_of(type, "3.0"), R"({"x":3})");
  EXPECT_EQ(value_of(type, "3e0"), R"({"x":3})");
  EXPECT_EQ(value_of(type, "-9223372036854775808"), R"({"x":-9223372036854775808})");
  EXPECT_EQ(value_of(type, "123456789012345"), R"({"x":123456789012345})");
  EXPECT_EQ(value_of(type, "1234567890123456"), R"({"x":1234567890123456})");
  for (const char* bad :
       {"3.5", "9223372036854775808", "\"3\"", "01", "-", "1.", "true", "1x", "--1", "+1", "[1]"}) {
    EXPECT_EQ(value_of(type, bad).substr(0, 12), "! field `x`:") << bad;
  }
  EXPECT_EQ(value_of(scalar(TypeKind::U8), "255"), R"({"x":255})");
  EXPECT_EQ(value_of(scalar(TypeKind::U8), "256")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::U8), "-1")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::I8), "-128"), R"({"x":-128})");
  EXPECT_EQ(value_of(scalar(TypeKind::U64), "18446744073709551615"), R"({"x":18446744073709551615})");
}

TEST(JsonReader, FloatsTakeNumbersInRangeAndThreeTexts) {
  auto type = scalar(TypeKind::F64);
  EXPECT_EQ(value_of(type, "1"), R"({"x":1.0})");
  EXPECT_EQ(value_of(type, "-0.5"), R"({"x":-0.5})");
  EXPECT_EQ(value_of(type, "-0"), R"({"x":-0.0})");
  EXPECT_EQ(value_of(type, "123456789.123456"), R"({"x":123456789.123456})");
  EXPECT_EQ(value_of(type, "0.1234567890123456789"), R"({"x":0.12345678901234568})");
  EXPECT_EQ(value_of(type, "1e-400"), R"({"x":0.0})");
  EXPECT_EQ(value_of(type, "\"NaN\""), R"({"x":"NaN"})");
  EXPECT_EQ(value_of(type, "\"-Infinity\""), R"({"x":"-Infinity"})");
  EXPECT_EQ(value_of(scalar(TypeKind::F32), "0.1"), R"({"x":0.1})");
  for (const char* bad : {"1e400", "\"1\"", "1.", ".5", "01.5", "NaN", "1e", "\"nan\"", "1.5.5"}) {
    EXPECT_EQ(value_of(type, bad)[0], '!') << bad;
  }
}

TEST(JsonReader, TextIsDecodedAndCheckedForSurrogatesAndUtf8) {
  auto type = scalar(TypeKind::String);
  EXPECT_EQ(value_of(type, R"("a\n\"\\\/\u0041\ud83d\ude00\t")"),
            "{\"x\":\"a\\n\\\"\\\\/A\xf0\x9f\x98\x80\\t\"}");
  EXPECT_EQ(value_of(type, R"("\u0000")"), R"({"x":"\u0000"})");
  EXPECT_EQ(value_of(type, std::string("\"") + std::string(100, 'q') + "\\n\"").size(), 110u);
  for (const char* bad :
       {R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\x")", R"("\u12")", "\"a\tb\"", "\"open"}) {
    EXPECT_EQ(value_of(type, bad)[0], '!') << bad;
  }
  EXPECT_EQ(value_of(type, "\"\xff\""), "! not UTF-8");
  EXPECT_EQ(value_of(type, "\"\xed\xa0\x80\""), "! not UTF-8");
}

TEST(JsonReader, OneBadTextSpoilsItsOwnRecordOnly) {
  auto type = record({field("x", scalar(TypeKind::String))});
  EXPECT_EQ(read(type, "{\"x\":\"a\"}\n{\"x\":\"\xff\"}\n{\"x\":\"c\"}\n").rows,
            (Rows{R"({"x":"a"})", "! not UTF-8", R"({"x":"c"})"}));
}

TEST(JsonReader, MapsKeepTheFirstPlaceAndTheLastValueOfAKey) {
  auto counts = abi::make_map(scalar(TypeKind::String), scalar(TypeKind::I64));
  EXPECT_EQ(value_of(counts, R"({ "b" : 1 , "a":2,"b":3,"\u0061":4})"), R"({"x":{"b":3,"a":4}})");
  EXPECT_EQ(value_of(counts, "{}"), R"({"x":{}})");
  EXPECT_EQ(value_of(abi::make_map(scalar(TypeKind::U8), optional(scalar(TypeKind::String))),
                     R"({"255":null,"7":"x","07":"y"})"),
            R"({"x":{"255":null,"7":"y"}})");
  EXPECT_EQ(value_of(abi::make_map(scalar(TypeKind::Bool), counts), R"({"true":{"a":1},"false":{}})"),
            R"({"x":{"true":{"a":1},"false":{}}})");
  EXPECT_EQ(value_of(abi::make_map(abi::make_decimal(2), scalar(TypeKind::I64)), R"({"1.5":1,"-0":2})"),
            R"({"x":{"1.50":1,"0.00":2}})");
  EXPECT_EQ(value_of(counts, "[]"), "! field `x`: expected an object, found a list");
  EXPECT_EQ(value_of(counts, R"({"a":"1"})"), "! field `x.[\"a\"]`: expected an integer, found text");
  EXPECT_EQ(value_of(abi::make_map(scalar(TypeKind::I8), scalar(TypeKind::I64)), R"({"128":1})"),
            "! field `x`: `128` is no key of its type");
  for (const char* bad : {"{", "{1:2}", R"({"a"})", R"({"a":1,})", R"({"a":1 "b":2})", R"({"\ud800":1})"})
    EXPECT_EQ(value_of(counts, bad)[0], '!') << bad;
}

TEST(JsonReader, MapsOfManyEntriesAreUnitedToo) {
  auto type = record({field("x", abi::make_map(scalar(TypeKind::I64), scalar(TypeKind::I64)))});
  constexpr int keys = 1000;
  std::string text = "{\"x\":{";
  std::string wanted = "{\"x\":{";
  // Each key three times, in an order in which equal ones are far from each other.
  for (int i = 0; i < 3 * keys; ++i)
    text += (i > 0 ? ",\"" : "\"") + std::to_string(i * 7 % keys) + "\":" + std::to_string(i);
  for (int i = 0; i < keys; ++i)
    wanted += (i > 0 ? ",\"" : "\"") + std::to_string(i * 7 % keys) + "\":" + std::to_string(i + 2 * keys);
  EXPECT_EQ(read(type, text + "}}\n").rows, (Rows{wanted + "}}"}));
}

TEST(JsonReader, OfASecretNothingIsToldWhenItDoesNotFit) {
  auto level = abi::make_secret(*abi::make_enum({"low", "high"}));
  EXPECT_EQ(value_of(level, "\"low\""), R"({"x":"***"})");
  EXPECT_EQ(value_of(level, "\"hunter2\""), "! field `x`: the value does not fit its type");
  EXPECT_EQ(value_of(abi::make_map(scalar(TypeKind::String), level), R"({"a":"hunter2"})"),
            "! field `x.[\"a\"]`: the value does not fit its type");
  EXPECT_EQ(value_of(abi::make_list(optional(level)), R"(["high","hunter2"])"),
            "! field `x.[1]`: the value does not fit its type");
}

TEST(JsonReader, TimesDurationsEnumsBytes) {
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "\"2015-07-15 00:00:01.001\""),
            R"({"x":"2015-07-15T00:00:01.001Z"})");
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "1700000000000"), R"({"x":"2023-11-14T22:13:20Z"})");
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "\"1500\""), R"({"x":"1970-01-01T00:00:01.500Z"})");
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "\"2016-12-31T23:59:60Z\""),
            "! field `x`: expected a time in range");
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "99999999999999999999")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::Duration), "\"1h30m\""), R"({"x":"1h30m"})");
  EXPECT_EQ(value_of(scalar(TypeKind::Duration), "-250"), R"({"x":"-250ms"})");
  auto level = abi::make_enum({"info", "warn", "critical"});
  EXPECT_EQ(value_of(level, "\"warn\""), R"({"x":"warn"})");
  EXPECT_EQ(value_of(level, "\"Warn\""), "! field `x`: `Warn` is none of its values");
  EXPECT_EQ(value_of(scalar(TypeKind::Bytes), "\"Zm9v\""), R"({"x":"Zm9v"})");
  EXPECT_EQ(value_of(scalar(TypeKind::Bytes), "\"Zm9\"")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::Bool), "true"), R"({"x":true})");
  EXPECT_EQ(value_of(scalar(TypeKind::Bool), "1")[0], '!');
}

TEST(JsonReader, NestedRecordsAndListsNameTheInnerField) {
  auto bid = record(
      {field("price", scalar(TypeKind::I64)), field("tags", abi::make_list(scalar(TypeKind::String)))});
  auto type = record({field("bid", optional(bid)), field("n", scalar(TypeKind::I64))});
  EXPECT_EQ(
      read(type, R"({"bid":{"price":5,"tags":["a","b\n"]},"n":1}
{"n":2}
{"bid":{"price":"x","tags":[]},"n":3}
{"bid":{"price":1,"tags":["a",2]},"n":4}
{"bid":{"price":1},"n":5}
{"bid":5,"n":6}
{"bid":{"price":1,"tags":[]},"n":7})")
          .rows,
      (Rows{R"({"bid":{"price":5,"tags":["a","b\n"]},"n":1})", R"({"bid":null,"n":2})",
            "! field `bid.price`: expected an integer, found text",
            "! field `bid.tags.[1]`: expected text, found a number", "! field `bid.tags`: missing",
            "! field `bid`: expected an object, found a number", R"({"bid":{"price":1,"tags":[]},"n":7})"}));
  EXPECT_EQ(value_of(abi::make_list(optional(scalar(TypeKind::F64))), "[1,null,2.5]"),
            R"({"x":[1.0,null,2.5]})");
  EXPECT_EQ(value_of(abi::make_list(abi::make_list(scalar(TypeKind::I64))), "[[1,2],[],[3]]"),
            R"({"x":[[1,2],[],[3]]})");
}

TEST(JsonReader, ElementsOfOneArray) {
  auto type = record({field("a", scalar(TypeKind::I64))});
  std::string text = "\xef\xbb\xbf [\n {\"a\":1},\n {\"a\":\n 2}, {\"a\":\"x\"},7 ,{\"a\":4}\n]\n";
  Rows expected{R"({"a":1})", R"({"a":2})", "! field `a`: expected an integer, found text",
                "! expected an object, found a number", R"({"a":4})"};
  for (size_t piece = 1; piece < text.size() + 1; ++piece) {
    Decoded out = read(type, text, {}, piece);
    ASSERT_EQ(out.rows, expected) << piece;
    ASSERT_EQ(out.lines, (std::vector<uint32_t>{2, 3, 4, 4, 4})) << piece;
  }
  EXPECT_EQ(read(type, "[]").rows, Rows{});
  EXPECT_EQ(read(type, "[{\"a\":1}").rows, (Rows{R"({"a":1})", "! the input ends inside of its array"}));
  EXPECT_EQ(read(type, "[{\"a\":1").rows, (Rows{"! the input ends inside of a record"}));
  EXPECT_EQ(read(type, "[{\"a\":1} {\"a\":2}]").rows,
            (Rows{R"({"a":1})", "! expected `,` or `]`; the rest is not read"}));
}

TEST(JsonReader, TheSameRowsWhereverTheTextIsCut) {
  auto type =
      record({field("id", scalar(TypeKind::I64)), field("text", scalar(TypeKind::String)),
              field("f", optional(scalar(TypeKind::F64))), field("j", optional(scalar(TypeKind::Json)))});
  std::string text =
      "\xef\xbb\xbf{\"id\":1,\"text\":\"plain\",\"f\":1.5}\r\n\n"
      "{\"id\":2,\"text\":\"esc\\u00e9\\n\",\"j\":{\"a\":[1,2,{}]}}\n"
      "{\"id\":3,\"text\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"skip\":[[[\"]\"]]]}\n"
      "garbage\n{\"id\":}\n{\"id\":4\n{\"id\":5,\"text\":\"\xc3\"}\n"
      "{\"f\":2e3,\"text\":\"\",\"id\":6,\"x\":null,\"y\":true}";
  Decoded whole = read(type, text);
  ASSERT_EQ(whole.rows.size(), 8u);
  EXPECT_EQ(whole.rows[1], R"({"id":2,"text":"esc)"
                           "\xc3\xa9"
                           R"(\n","f":null,"j":{"a":[1,2,{}]}})");
  for (auto instructions :
       {json::InstructionSet::Fastest, json::InstructionSet::Avx2, json::InstructionSet::Portable}) {
    for (size_t piece = 1; piece <= text.size(); ++piece) {
      Decoded out = read(type, text, {}, piece, instructions);
      ASSERT_EQ(out.rows, whole.rows) << piece;
      ASSERT_EQ(out.raw, whole.raw) << piece;
      ASSERT_EQ(out.lines, whole.lines) << piece;
    }
  }
}

TEST(JsonReader, DepthAndLengthAreBounded) {
  auto type = record({field("a", scalar(TypeKind::I64))});
  auto nested = [](int depth) {
    auto count = static_cast<size_t>(depth);
    return "{\"skip\":" + std::string(count, '[') + std::string(count, ']') + ",\"a\":1}\n";
  };
  EXPECT_EQ(read(type, nested(255) + nested(256) + nested(100'000)).rows,
            (Rows{R"({"a":1})", "! nested too deep", "! nested too deep"}));
  std::string filler(codec::record_bytes_max, 'x');
  EXPECT_EQ(read(type, "{\"a\":1}\n{\"s\":\"" + filler + "\",\"a\":2}\n{\"a\":3}\n", {}, 1 << 20).rows,
            (Rows{R"({"a":1})", "! record longer than 16 MiB", R"({"a":3})"}));
}

TEST(JsonReader, EventTimeComesFromTheNamedField) {
  auto type = record({field("at", optional(scalar(TypeKind::Time)))});
  codec::DecodeOptions options;
  options.time_field = 0;
  options.time_unit = text::TimeUnit::Second;
  Decoded out = read(type, "{\"at\":5}\n{}\n", options);
  EXPECT_EQ(out.times[0], 5'000'000'000);
  EXPECT_EQ(out.rows[1], "! field `at`: the event time is none");
}

TEST(JsonReader, FieldsNobodyNeedsAreCheckedAllTheSame) {
  auto type = record({field("a", scalar(TypeKind::I64)), field("s", scalar(TypeKind::String))});
  auto reader = json::make_reader(type, {});
  batch::Batch batch(type, {1, 0}, 8);
  std::string text = "{\"a\":1,\"s\":\"\\n\"}\n{\"a\":2,\"s\":3}\n" + std::string(64, '#');
  auto step = reader->decode(std::string_view(text).substr(0, text.size() - 64), true, 0, batch);
  ASSERT_TRUE(step.ok());
  const MutBatch& view = batch.view();
  ASSERT_EQ(view.row_count, 2u);
  EXPECT_EQ(view.columns[1].values, nullptr);
  EXPECT_EQ(view.bad[0], 0);
  EXPECT_EQ(view.bad[1], 1);
}

TEST(JsonReader, ManyFieldsAndLongKeys) {
  std::vector<abi::FieldDesc> fields;
  std::string line = "{", reversed = "}";
  for (int i = 0; i < 130; ++i) {
    std::string name = "a_rather_long_name_of_a_field_number_" + std::to_string(i);
    fields.push_back(field(name, optional(scalar(TypeKind::I64))));
    line += (i ? ",\"" : "\"") + name + "\":" + std::to_string(i);
    reversed = (i ? "\"" + name + "\":" + std::to_string(i) + "," : "\"" + name + "\":0") + reversed;
  }
  auto type = record(std::move(fields));
  Decoded out = read(type, line + "}\n{" + reversed + "\n{\"" + type->fields[129].name + "\":1}\n");
  ASSERT_EQ(out.rows.size(), 3u);
  EXPECT_EQ(out.rows[0], line + "}");
  EXPECT_EQ(out.rows[1], line + "}");
  EXPECT_NE(out.rows[2].find("_128\":null"), std::string::npos);
}

// Origin of the expectations: other program (names of the suite's files).
TEST(JsonReader, AgreesWithTheConformanceSuite) {
  MUT_NEED_DATA(folder, "json-conformance/parsing");
  auto type = record({field("v", scalar(TypeKind::Json))});
  size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name[0] == 'i') continue;
    std::string text = read_all(entry.path().string());
    bool accept = name[0] == 'y';
    EXPECT_EQ(json::is_json(text), accept) << name;
    if (accept || text.find('\n') == std::string::npos) {
      std::string line = "{\"v\":" + text + "}";
      std::replace(line.begin(), line.end(), '\n', ' ');
      Decoded out = read(type, line);
      ASSERT_GE(out.rows.size(), 1u) << name;
      // Within a member, some of the refused texts become part of a legal record: `]` closes nothing,
      // a comma begins the next member.
      if (accept) {
        EXPECT_NE(out.rows[0][0], '!') << name << " " << out.rows[0];
      }
      if (!accept && !json::is_json(line)) {
        EXPECT_EQ(out.rows[0][0], '!') << name;
      }
    }
    ++checked;
  }
  EXPECT_GT(checked, 250u);
}

// Origin of the expectations: other program (the data set itself, unchanged by reading and writing).
TEST(JsonReader, KeepsNaughtyStrings) {
  MUT_NEED_DATA(path, "strings/blns.json");
  std::string text = read_all(path);
  auto type = record({field("s", abi::make_list(scalar(TypeKind::String)))});
  std::replace(text.begin(), text.end(), '\n', ' ');
  Decoded first = read(type, "{\"s\":" + text + "}");
  ASSERT_EQ(first.rows.size(), 1u);
  ASSERT_NE(first.rows[0][0], '!') << first.rows[0];
  EXPECT_GT(first.rows[0].size(), 10'000u);
  EXPECT_EQ(read(type, first.rows[0]).rows, first.rows);
}

}  // namespace
}  // namespace mut::test
