#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "runtime/codec/text/base64.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "test/unit/data_files.h"

namespace mut::text {
namespace {

template <typename Value>
std::string formatted(char* (*format)(Value, char*), Value value) {
  char text[64];
  return {text, format(value, text)};
}
std::string time_text(int64_t ns) { return formatted(format_time, ns); }
std::string duration_text(int64_t ns) { return formatted(format_duration, ns); }
std::string float_text(double value) { return formatted(format_float, value); }

TEST(Int, TakesSignAndLeadingZerosAndNothingElse) {
  EXPECT_EQ(parse_int("0042"), 42);
  EXPECT_EQ(parse_int("+7"), 7);
  EXPECT_EQ(parse_int("-9223372036854775808"), INT64_MIN);
  for (const char* bad : {"", "+", "-", "+-1", "1_000", " 1", "1 ", "0x1", "1.0", "9223372036854775808"}) {
    EXPECT_FALSE(parse_int(bad)) << bad;
  }
  EXPECT_EQ(parse_uint("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(parse_uint("-1"));
}

TEST(WholeNumber, TakesFractionsAndExponentsThatVanish) {
  EXPECT_EQ(whole_number("3.0"), 3);
  EXPECT_EQ(whole_number("3e0"), 3);
  EXPECT_EQ(whole_number("30e-1"), 3);
  EXPECT_EQ(whole_number("-1.5e1"), -15);
  EXPECT_EQ(whole_number("0e999999999999999999999"), 0);
  EXPECT_EQ(whole_number("9.223372036854775807e18"), INT64_MAX);
  EXPECT_EQ(whole_number("-9223372036854775808.000"), INT64_MIN);
  for (const char* bad : {"3.5", "1e-1", "1e19", "9223372036854775808", "1e999999999999999999999"}) {
    EXPECT_FALSE(whole_number(bad)) << bad;
  }
  EXPECT_EQ(whole_number_unsigned("18446744073709551615.0"), UINT64_MAX);
  EXPECT_FALSE(whole_number_unsigned("-1"));
}

TEST(Float, ReadsTheLanguageFormsOnly) {
  EXPECT_EQ(parse_float("2.5e-3"), 2.5e-3);
  EXPECT_EQ(parse_float("+007"), 7.0);
  EXPECT_TRUE(std::isnan(*parse_float("NaN")));
  EXPECT_EQ(parse_float("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_float("1e-400"), 0.0);
  for (const char* bad : {"", ".5", "1.", "1e", "inf", "nan", "1e400", " 1", "0x1p3", "--1"}) {
    EXPECT_FALSE(parse_float(bad)) << bad;
  }
}

TEST(Float, WritesTheShortestThatReadsBackWithPointOrExponent) {
  EXPECT_EQ(float_text(1.0), "1.0");
  EXPECT_EQ(float_text(-0.0), "-0.0");
  EXPECT_EQ(float_text(0.1), "0.1");
  EXPECT_EQ(float_text(100000), "100000.0");
  EXPECT_EQ(float_text(1e15), "1000000000000000.0");
  EXPECT_EQ(float_text(1e20), "1e+20");
  EXPECT_EQ(float_text(1.5e-7), "1.5e-07");
  EXPECT_EQ(float_text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(float_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(float_text(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(formatted(format_float32, 0.1f), "0.1");
  EXPECT_EQ(float_text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
}

// Origin of the expectations: other program (the data set's own hexadecimal columns).
TEST(Float, AgreesWithTheNumberFilesBitForBit) {
  for (const char* name : {"lemire-fast-float.txt", "more-test-cases.txt", "tencent-rapidjson.txt"}) {
    MUT_NEED_DATA(path, std::string("numbers/") + name);
    std::ifstream file(path);
    size_t checked = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.size() < 32) continue;
      uint32_t bits32 = static_cast<uint32_t>(std::stoul(line.substr(5, 8), nullptr, 16));
      uint64_t bits64 = std::stoull(line.substr(14, 16), nullptr, 16);
      std::string text = line.substr(31);
      double expected = std::bit_cast<double>(bits64);
      float expected32 = std::bit_cast<float>(bits32);
      bool ours =
          text.find_first_not_of("+-") != std::string::npos && text[text.find_first_not_of("+-")] != '.';
      auto point = text.find('.');
      if (point != std::string::npos && (point + 1 == text.size() || !isdigit(text[point + 1]))) ours = false;
      if (!ours) continue;  // `.5` and `1.` are no numbers of the language
      auto value = parse_float(text);
      if (std::isinf(expected)) {
        EXPECT_FALSE(value) << text;
      } else {
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(std::bit_cast<uint64_t>(*value), bits64) << text;
        EXPECT_EQ(parse_float(float_text(*value)), *value);
      }
      auto value32 = parse_float32(text);
      ASSERT_EQ(value32.has_value(), !std::isinf(expected32)) << text;
      if (value32) {
        EXPECT_EQ(std::bit_cast<uint32_t>(*value32), bits32) << text;
      }
      ++checked;
    }
    EXPECT_GT(checked, 50u) << name;
  }
}

TEST(Time, ReadsIsoWithBlankZoneAndFraction) {
  constexpr int64_t base = 1'291'191'960'000'000'000;  // 2010-12-01 08:26:00 UTC
  EXPECT_EQ(parse_time("2010-12-01 08:26:00"), base);
  EXPECT_EQ(parse_time("2010-12-01T08:26"), base);
  EXPECT_EQ(parse_time("2010-12-01T08:26:00.5Z"), base + 500'000'000);
  EXPECT_EQ(parse_time("2010-12-01T10:26:00+02:00"), base);
  EXPECT_EQ(parse_time("2010-12-01T06:56:00-0130"), base);
  EXPECT_EQ(parse_time("2010-12-01T08:26:00.123456789000Z"), base + 123'456'789);
  EXPECT_EQ(parse_time("1970-01-01"), 0);
  EXPECT_EQ(parse_time("1969-12-31T23:59:59.999999999Z"), -1);
  EXPECT_EQ(parse_time("2000-02-29"), 951'782'400'000'000'000);
  for (const char* bad :
       {"", "2010-12", "2010-13-01", "2010-02-29", "1900-02-29", "2010-12-01T24:00", "2010-12-01T08:60",
        "2010-12-01T08:26:60Z", "2010-12-01T08:26:00.", "2010-12-01T08:26:00.1234567891Z", "2010-12-01T08",
        "2300-01-01", "1600-01-01", "2010-12-01T08:26:00 Z", "2010-12-01x08:26", "2010-12-01T08:26:00+24:00",
        "2010-1-1", "20101201", "2010-12-01T08:26:00Zx"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Time, NumbersCountInTheUnit) {
  EXPECT_EQ(parse_input_time("1500", TimeUnit::Milli), 1'500'000'000);
  EXPECT_EQ(parse_input_time("-1.5", TimeUnit::Second), -1'500'000'000);
  EXPECT_EQ(parse_input_time("1700000000.123456789", TimeUnit::Second), 1'700'000'000'123'456'789);
  EXPECT_FALSE(parse_input_time("0.5", TimeUnit::Nano));
  EXPECT_FALSE(parse_input_time("1e3", TimeUnit::Milli));
  EXPECT_FALSE(parse_input_time("99999999999999999", TimeUnit::Second));
  EXPECT_EQ(parse_input_time("2020", TimeUnit::Second), 2'020'000'000'000);
}

TEST(Time, WritesNoThreeSixOrNineDigits) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(1'500'000'000), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(time_text(1'000), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(time_text(-1), "1969-12-31T23:59:59.999999999Z");
  for (int64_t ns : {INT64_MIN, INT64_MAX, int64_t{951'782'400'000'000'000}}) {
    EXPECT_EQ(parse_time(time_text(ns)), ns) << time_text(ns);
  }
}

TEST(Duration, ReadsLiteralsLargestUnitFirst) {
  constexpr int64_t minute = 60'000'000'000;
  EXPECT_EQ(parse_duration("1h30m"), 90 * minute);
  EXPECT_EQ(parse_duration("1.5h"), 90 * minute);
  EXPECT_EQ(parse_duration("-250ms"), -250'000'000);
  EXPECT_EQ(parse_duration("1w"), 7 * 1440 * minute);
  EXPECT_EQ(parse_duration("1s1ms1us1ns"), 1'001'001'001);
  for (const char* bad :
       {"", "-", "5", "m5", "30m1h", "1m1m", "1x", "0.1ns", "1h 30m", "1..5h", "20000000d", "+1s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(parse_input_duration("250", TimeUnit::Milli), 250'000'000);
}

TEST(Duration, WritesWhatItReads) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(5'400'000'000'000), "1h30m");
  EXPECT_EQ(duration_text(-250'000'000), "-250ms");
  EXPECT_EQ(duration_text(8 * 86'400'000'000'000), "8d");
  for (int64_t ns : {INT64_MIN, INT64_MAX, int64_t{1}, int64_t{-1'000'000'001}}) {
    EXPECT_EQ(parse_duration(duration_text(ns)), ns);
  }
}

TEST(Base64, GoesThereAndBackAndTakesOneTextPerValue) {
  for (std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\x00x"}) {
    std::string encoded(base64_size(bytes.size()), 0);
    format_base64(bytes, encoded.data());
    std::string decoded(base64_bytes_max(encoded.size()), 0);
    auto size = parse_base64(encoded, decoded.data());
    ASSERT_TRUE(size);
    EXPECT_EQ(decoded.substr(0, *size), bytes);
  }
  char room[16];
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v=", "Zm 9"}) {
    EXPECT_FALSE(parse_base64(bad, room)) << bad;
  }
}

}  // namespace
}  // namespace mut::text
