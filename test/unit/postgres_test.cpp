// What goes into SQL, and what is read out of what a server says; the rest stands in test/postgres.
#include <gtest/gtest.h>

#include "runtime/connector/postgres/connection.h"
#include "runtime/connector/postgres/sql.h"

namespace mut::test {
namespace {

using Names = std::vector<std::string>;

TEST(PostgresSql, QuotesNames) {
  EXPECT_EQ(connector::quoted_name("select"), "\"select\"");
  EXPECT_EQ(connector::quoted_name("a\"; drop"), "\"a\"\"; drop\"");
  EXPECT_EQ(connector::quoted_table("sales.Order"), "\"sales\".\"Order\"");
  EXPECT_EQ(connector::quoted_names({"a", "b c"}), "\"a\", \"b c\"");
}

TEST(PostgresSql, ReadsNamesOfAHeader) {
  EXPECT_EQ(connector::names_of_header("id,v\n"), (Names{"id", "v"}));
  EXPECT_EQ(connector::names_of_header("\"a,b\",\"c\"\"d\",\"two\nlines\"\n"),
            (Names{"a,b", "c\"d", "two\nlines"}));
  EXPECT_EQ(connector::names_of_header("id\n"), (Names{"id"}));
}

TEST(PostgresSql, PutsEndMarksIntoQuotes) {
  std::string changed;
  std::string_view plain = "a\n\\.b\n";
  EXPECT_EQ(connector::without_end_marks(plain, changed).data(), plain.data()) << "copied for nothing";
  EXPECT_EQ(connector::without_end_marks("a\n\\.\nb\n\\.\n", changed), "a\n\"\\.\"\nb\n\"\\.\"\n");
  EXPECT_EQ(connector::without_end_marks("\"x\n\\.\ny\"\n", changed), "\"x\n\\.\ny\"\n");
}

TEST(PostgresSql, TakesTheStateOutOfAMessage) {
  std::string message = "connection to server at \"x\", port 1 failed: FATAL:  28P01: wrong: XXXXX: password";
  EXPECT_EQ(connector::take_state(message), "28P01");
  EXPECT_EQ(message, "connection to server at \"x\", port 1 failed: FATAL:  wrong: XXXXX: password");
  std::string other = "could not connect: 12345";
  EXPECT_EQ(connector::take_state(other), "");
  EXPECT_EQ(other, "could not connect: 12345");
}

TEST(PostgresSql, TellsInOneLine) {
  EXPECT_EQ(connector::one_line("one\n\ttwo\nLOCATION:  f, x.c:1\n"), "one; two");
  EXPECT_EQ(connector::one_line(""), "");
  EXPECT_LT(connector::one_line(std::string(100'000, 'x')).size(), 2000U);
}

TEST(PostgresTrouble, PassesWhereAnotherAttemptMayHelp) {
  for (const char* state : {"", "08006", "40001", "53300", "57P03", "55P03", "25006"})
    EXPECT_TRUE((connector::PostgresTrouble{"", state}.passes())) << state;
  for (const char* state : {"42P01", "23505", "22P02", "28P01", "3D000", "55000", "XX000"})
    EXPECT_FALSE((connector::PostgresTrouble{"", state}.passes())) << state;
}

}  // namespace
}  // namespace mut::test
