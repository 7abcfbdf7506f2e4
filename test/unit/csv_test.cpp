#include <gtest/gtest.h>

#include "runtime/codec/csv/reader.h"
#include "runtime/codec/csv/writer.h"
#include "runtime/codec/json/reader.h"
#include "test/unit/data_files.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;
using Rows = std::vector<std::string>;

Decoded read(abi::TypeDescRef type, std::string_view text, codec::DecodeOptions options = {},
             size_t piece = SIZE_MAX) {
  auto reader = csv::make_reader(type, options);
  return decode(*reader, type, text, piece);
}

std::string value_of(abi::TypeDescRef type, std::string_view cell, codec::DecodeOptions options = {}) {
  Decoded out = read(record({field("x", std::move(type)), field("y", scalar(TypeKind::I64))}),
                     "x,y\n" + std::string(cell) + ",1\n", std::move(options));
  return out.rows.size() == 1 ? out.rows[0] : "rows: " + std::to_string(out.rows.size());
}

TEST(CsvReader, MatchesColumnsByHeaderAndIgnoresOthers) {
  abi::FieldDesc id = field("id", scalar(TypeKind::I64));
  id.input_name = "Invoice No";
  auto type =
      record({id, field("a", scalar(TypeKind::String)), field("gone", optional(scalar(TypeKind::I64)))});
  Decoded out = read(type, "\xef\xbb\xbf\"a\",other,Invoice No\r\nx,?,1\r\n\"y,\"\"z\"\"\n\",?,0042\n");
  EXPECT_EQ(out.rows, (Rows{R"({"id":1,"a":"x","gone":null})", R"({"id":42,"a":"y,\"z\"\n","gone":null})"}));
  EXPECT_EQ(out.lines, (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(out.raw[0], "x,?,1");
  EXPECT_EQ(read(type, "a,b\n1,2\n").error, "no column `Invoice No` in the header");
}

TEST(CsvReader, WithoutHeaderTheColumnsAreTheFieldsInOrder) {
  auto type = record({field("a", scalar(TypeKind::I64)), field("b", scalar(TypeKind::String))});
  codec::DecodeOptions options;
  options.header = false;
  options.separator = ';';
  EXPECT_EQ(read(type, "1;x\n2;y", options).rows, (Rows{R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})"}));
}

TEST(CsvReader, AWrongNumberOfFieldsIsABadRow) {
  auto type = record({field("a", scalar(TypeKind::I64)), field("b", optional(scalar(TypeKind::String)))});
  EXPECT_EQ(read(type, "a,b\n1\n\n2,x,y\n3,\n4,\"\"\n").rows,
            (Rows{"! expected 2 fields, found 1", "! expected 2 fields, found 3", R"({"a":3,"b":null})",
                  R"({"a":4,"b":""})"}));
}

TEST(CsvReader, EmptyIsNoneAndQuotedEmptyIsText) {
  EXPECT_EQ(value_of(optional(scalar(TypeKind::I64)), ""), R"({"x":null,"y":1})");
  EXPECT_EQ(value_of(optional(scalar(TypeKind::I64)), "\"\"")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::I64), ""), "! field `x`: missing");
  EXPECT_EQ(value_of(scalar(TypeKind::String), "\"\""), R"({"x":"","y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::String), ""), "! field `x`: missing");
  EXPECT_EQ(value_of(optional(scalar(TypeKind::String)), "NA"), R"({"x":"NA","y":1})");
  codec::DecodeOptions options;
  options.none = {"NA"};
  EXPECT_EQ(value_of(optional(scalar(TypeKind::String)), "NA", options), R"({"x":null,"y":1})");
  EXPECT_EQ(value_of(optional(scalar(TypeKind::String)), "\"NA\"", options), R"({"x":"NA","y":1})");
}

TEST(CsvReader, ValuesAreTheWholeCellUntrimmed) {
  EXPECT_EQ(value_of(scalar(TypeKind::String), " a "), R"({"x":" a ","y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::String), "a\"b"), R"({"x":"a\"b","y":1})");
  for (const char* bad : {" 1", "1 ", "1.0", "x", "9223372036854775808", "1_000"}) {
    EXPECT_EQ(value_of(scalar(TypeKind::I64), bad)[0], '!') << bad;
  }
  EXPECT_EQ(value_of(scalar(TypeKind::I64), "+5"), R"({"x":5,"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::I64), "-1234567890123456789"), R"({"x":-1234567890123456789,"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::F64), "2.5e-3"), R"({"x":0.0025,"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::F64), "NaN"), R"({"x":"NaN","y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::Bool), "true"), R"({"x":true,"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::Bool), "TRUE")[0], '!');
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "2010-12-01 08:26:00"), R"({"x":"2010-12-01T08:26:00Z","y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::Time), "1500"), R"({"x":"1970-01-01T00:00:01.500Z","y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::Duration), "1h30m"), R"({"x":"1h30m","y":1})");
  EXPECT_EQ(value_of(abi::make_enum({"info", "warn"}), "warn"), R"({"x":"warn","y":1})");
  EXPECT_EQ(value_of(abi::make_enum({"info", "warn"}), "Warn")[0], '!');
  EXPECT_EQ(value_of(abi::make_list(scalar(TypeKind::I64)), "\"[1,2]\""), R"({"x":[1,2],"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::Json), "\"{\"\"a\"\":1}\""), R"({"x":{"a":1},"y":1})");
  EXPECT_EQ(value_of(scalar(TypeKind::String), "\xff"), "! not UTF-8");
}

TEST(CsvReader, MalformedQuotesSpoilOneRecord) {
  auto type = record({field("a", scalar(TypeKind::String)), field("b", scalar(TypeKind::String))});
  EXPECT_EQ(
      read(type, "a,b\n\"x\"y,2\n3,4\n\"open,5\n6,7").rows,
      (Rows{"! text after a closing quote", R"({"a":"3","b":"4"})", "! the input ends inside of quotes"}));
}

TEST(CsvReader, TheSameRowsWhereverTheTextIsCut) {
  auto type = record({field("a", scalar(TypeKind::String)), field("b", scalar(TypeKind::I64)),
                      field("c", optional(scalar(TypeKind::F64)))});
  std::string text =
      "\xef\xbb\xbf"
      "b,c,\"a\"\r\n1,2.5,plain\r\n\r\n2,,\"quoted, \"\"twice\"\"\r\nover lines\"\r\n"
      "3,x,bad\n4\n5,1e3,\xc3\xa9\xe2\x82\xac\n6,1,\"\"\n7,,\"tail\"";
  Decoded whole = read(type, text);
  ASSERT_EQ(whole.rows.size(), 7u);
  EXPECT_EQ(whole.rows[1], R"({"a":"quoted, \"twice\"\r\nover lines","b":2,"c":null})");
  EXPECT_EQ(whole.lines, (std::vector<uint32_t>{2, 4, 6, 7, 8, 9, 10}));
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    Decoded out = read(type, text, {}, piece);
    ASSERT_EQ(out.rows, whole.rows) << piece;
    ASSERT_EQ(out.raw, whole.raw) << piece;
    ASSERT_EQ(out.lines, whole.lines) << piece;
  }
}

// Origin of the expectations: other program (the JSON beside each CSV file of the suite).
TEST(CsvReader, AgreesWithTheSpectrum) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"comma_in_quotes", "first last address city zip"},
      {"empty", "a b c"},
      {"empty_crlf", "a b c"},
      {"escaped_quotes", "a b"},
      {"json", "key val"},
      {"newlines", "a b c"},
      {"newlines_crlf", "a b c"},
      {"quotes_and_newlines", "a b"},
      {"simple", "a b c"},
      {"simple_crlf", "a b c"},
      {"utf8", "a b c"}};
  for (const auto& [name, names] : cases) {
    MUT_NEED_DATA(path, "csv/" + name + ".csv");
    std::vector<abi::FieldDesc> fields;
    std::istringstream words(names);
    for (std::string word; words >> word;) fields.push_back(field(word, scalar(TypeKind::String)));
    auto type = record(std::move(fields));
    auto expected = json::make_reader(type, {});
    std::string beside = path.substr(0, path.size() - 3) + "json";
    Decoded want = decode(*expected, type, read_all(beside));
    EXPECT_EQ(read(type, read_all(path)).rows, want.rows) << name;
    EXPECT_FALSE(want.rows.empty());
  }
}

TEST(CsvWriter, QuotesWhatNeedsItAndReadsBack) {
  auto type =
      record({field("plain", scalar(TypeKind::String)), field("q", optional(scalar(TypeKind::String))),
              field("f", scalar(TypeKind::F64)), field("l", abi::make_list(scalar(TypeKind::I64)))});
  const char* lines =
      "{\"plain\":\"a\",\"q\":\" "
      "b\",\"f\":1,\"l\":[1,2]}\n{\"plain\":\"\",\"q\":null,\"f\":\"NaN\",\"l\":[]}\n"
      "{\"plain\":\"x,\\\"y\\\"\",\"q\":\"n\\nm\",\"f\":-0.5,\"l\":[3]}\n";
  auto reader = json::make_reader(type, {});
  batch::Batch batch(type, {1, 1, 1, 1}, 8);
  std::string text = lines + std::string(64, '#');
  ASSERT_TRUE(reader->decode(std::string_view(text).substr(0, text.size() - 64), true, 0, batch).ok());
  Decoded first;
  show_rows(batch, first);
  csv::RowWriter writer(*type);
  text::Buffer out;
  writer.append_header(out);
  for (uint32_t row = 0; row < batch.row_count(); ++row) {
    std::vector<uint64_t> memory(type->size / 8 + 1);
    char* base = reinterpret_cast<char*>(memory.data());
    for (size_t i = 0; i < 4; ++i) {
      const abi::TypeDesc& value = i == 1 ? *type->fields[i].type->element : *type->fields[i].type;
      memcpy(base + type->fields[i].offset, static_cast<char*>(batch.values(i)) + row * value.size,
             value.size);
    }
    base[type->fields[1].offset + type->fields[1].type->present_offset] =
        static_cast<char>(batch.valid(1)[row]);
    writer.append(base, out);
  }
  EXPECT_EQ(out.view(),
            "plain,q,f,l\na,\" b\",1.0,\"[1,2]\"\n\"\",,NaN,[]\n\"x,\"\"y\"\"\",\"n\nm\",-0.5,[3]\n");
  EXPECT_EQ(read(type, out.view()).rows, first.rows);
}

TEST(Lines, EveryLineCountsBlankOnesToo) {
  auto type = record({field("line", scalar(TypeKind::String))});
  std::string text = "one\r\n\ntwo\xff\nthree";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    auto reader = codec::make_decoder(codec::Format::Lines, type, {});
    EXPECT_EQ(decode(*reader, type, text, piece).rows,
              (Rows{R"({"line":"one"})", R"({"line":""})", "! not UTF-8", R"({"line":"three"})"}));
  }
}

TEST(Format, IsToldByTheEnding) {
  using codec::Format;
  EXPECT_EQ(codec::format_of_path("a/b.jsonl.gz"), Format::Json);
  EXPECT_EQ(codec::format_of_path("b.tsv"), Format::Tsv);
  EXPECT_EQ(codec::format_of_path("x.log"), Format::Lines);
  EXPECT_FALSE(codec::format_of_path("noending"));
}

}  // namespace
}  // namespace mut::test
