// Column batches by the Arrow C data interface, in and out. The arrays are laid out by hand, as its
// specification says.
#include <cstring>
#include <deque>

#include "test/unit/embed_fixture.h"

namespace mut::embed_test {
namespace {

// An array and its schema whose memory belongs to the test; counts how often it was released.
struct Batch {
  ArrowArray array{};
  ArrowSchema schema{};
  int released = 0;
  std::deque<ArrowArray> arrays;
  std::deque<ArrowSchema> schemas;
  std::deque<std::vector<const void*>> buffers;
  std::vector<ArrowArray*> array_pointers;
  std::vector<ArrowSchema*> schema_pointers;
  std::vector<const void*> no_validity{nullptr};

  void add(const char* name, const char* format, std::vector<const void*> column, int64_t length,
           int64_t offset = 0) {
    buffers.push_back(std::move(column));
    ArrowArray& child = arrays.emplace_back();
    child = {};
    child.length = length;
    child.offset = offset;
    child.null_count = -1;
    child.n_buffers = static_cast<int64_t>(buffers.back().size());
    child.buffers = buffers.back().data();
    ArrowSchema& of = schemas.emplace_back();
    of = {};
    of.name = name;
    of.format = format;
    array_pointers.push_back(&child);
    schema_pointers.push_back(&of);
  }
  void finish(int64_t length, int64_t offset = 0) {
    array.length = length;
    array.offset = offset;
    array.n_buffers = 1;
    array.buffers = no_validity.data();
    array.n_children = static_cast<int64_t>(array_pointers.size());
    array.children = array_pointers.data();
    array.private_data = this;
    array.release = [](ArrowArray* of) {
      ++static_cast<Batch*>(of->private_data)->released;
      of->release = nullptr;
    };
    schema.format = "+s";
    schema.n_children = array.n_children;
    schema.children = schema_pointers.data();
  }
};

constexpr const char* script = R"(
enum Level = { low, high }
type Row = { id: int, ok: bool, level: Level, price: float, note: string?, part: u8, at: time }
source rows: Row = host() time at
stream out = rows | select id, ok, level, price, note, part, at
emit out to host()
)";

// Three rows, before which each column has one that is not meant.
void fill(Batch& batch) {
  static const int32_t id[] = {99, 1, 2, 3};
  static const uint8_t ok[] = {0b1010};  // rows: false, true, false, true
  static const int32_t level_offsets[] = {0, 0, 4, 7, 11};
  static const double price[] = {0, 1.5, 2.5, 3.5};
  static const int64_t note_offsets[] = {0, 0, 1, 1, 3};
  static const uint8_t note_valid[] = {0b1010};
  static const uint64_t part[] = {1, 0, 255, 7};
  static const int64_t at[] = {0, 1, 2, 3};
  batch.add("extra", "l", {nullptr, at}, 4);
  batch.add("at", "tss:", {nullptr, at}, 4);
  batch.add("id", "i", {nullptr, id}, 4);
  batch.add("ok", "b", {nullptr, ok}, 4);
  batch.add("level", "u", {nullptr, level_offsets, "highlowhigh"}, 4);
  batch.add("price", "g", {nullptr, price}, 4);
  batch.add("note", "U", {note_valid, note_offsets, "xyz"}, 4);
  batch.add("part", "L", {nullptr, part}, 4);
  batch.finish(3, 1);
}

TEST(Arrow, AStructArrayIsPushedByNameWithItsOffset) {
  auto engine = load(script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  Rows out;
  out.bind(*engine, "out");
  EXPECT_DONE(engine->start());
  Batch batch;
  fill(batch);
  EXPECT_DONE(engine->push_arrow("rows", &batch.array, &batch.schema));
  EXPECT_EQ(batch.released, 1);
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(out.rows,
            (std::vector<std::string>{"id=1 ok=true level=high price=1.5 note=x part=0 at=1000000000",
                                      "id=2 ok=false level=low price=2.5 note=none part=255 at=2000000000",
                                      "id=3 ok=true level=high price=3.5 note=yz part=7 at=3000000000"}));
}

TEST(Arrow, ABatchThatDoesNotFitIsReleasedAndNothingOfItIsPushed) {
  auto engine = load(script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  Rows out;
  out.bind(*engine, "out");
  EXPECT_DONE(engine->start());
  auto refusal = [&](auto change) {
    Batch batch;
    fill(batch);
    change(batch);
    std::string text = failure_of(engine->push_arrow("rows", &batch.array, &batch.schema)).text;
    EXPECT_EQ(batch.released, 1);
    return text;
  };
  EXPECT_EQ(refusal([](Batch& batch) { batch.schemas[2].name = "idd"; }),
            "source `rows`: column `id` is missing");
  EXPECT_EQ(refusal([](Batch& batch) { batch.schemas[2].format = "u"; }),
            "source `rows`: column `id`: format `u` is not taken");
  EXPECT_EQ(refusal([](Batch& batch) { batch.arrays[2].length = 3; }),
            "source `rows`: column `id` is too short");
  static const uint64_t large[] = {0, 0, 0, 256};
  EXPECT_EQ(refusal([](Batch& batch) { batch.buffers[7][1] = large; }),
            "source `rows`: row 2, column `part`: the value does not fit");
  static const uint8_t valid[] = {0b0111};
  EXPECT_EQ(refusal([](Batch& batch) { batch.buffers[2][0] = valid; }),
            "source `rows`: row 2, column `id`: null, and the field is not optional");
  EXPECT_EQ(refusal([](Batch& batch) { batch.buffers[4][2] = "highlowhigX"; }),
            "source `rows`: row 2, column `level`: the value does not fit");
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_TRUE(out.rows.empty());
}

template <typename T>
T element(const ArrowArray& array, size_t buffer, int64_t at) {
  T out;
  memcpy(&out, static_cast<const char*>(array.buffers[buffer]) + static_cast<size_t>(at) * sizeof(T),
         sizeof(T));
  return out;
}
std::string text_at(const ArrowArray& array, int64_t at) {
  auto begin = element<int64_t>(array, 1, at);
  auto end = element<int64_t>(array, 1, at + 1);
  return {static_cast<const char*>(array.buffers[2]) + begin, static_cast<size_t>(end - begin)};
}
bool valid_at(const ArrowArray& array, int64_t at) {
  if (array.buffers[0] == nullptr) return true;
  return (element<uint8_t>(array, 0, at / 8) >> (at % 8) & 1) != 0;
}

TEST(Arrow, ASinkReceivesColumnsThatItMayKeep) {
  auto engine = load(R"(
    enum Level = { low, high }
    type Place = { city: string, zip: int? }
    type Row = { id: int, ok: bool, level: Level, note: string?, place: Place?, tags: [string], part: i16, at: time }
    source rows: Row = host() time at
    emit rows to host()
  )");
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  EXPECT_DONE(engine->push_text(
      "rows",
      R"({"id":1,"ok":true,"level":"high","place":{"city":"Bonn","zip":53111},"tags":["a","bc"],"part":-2,"at":"1970-01-01T00:00:01Z"}
{"id":2,"ok":false,"level":"low","note":"hi","tags":[],"part":3,"at":"1970-01-01T00:00:02Z"}
)"));
  std::vector<std::pair<ArrowArray, ArrowSchema>> kept;
  EXPECT_DONE(engine->bind_arrow_sink("rows", [&](ArrowArray& array, ArrowSchema& schema) {
    kept.emplace_back(array, schema);
    array.release = nullptr;
    schema.release = nullptr;
  }));
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  engine.reset();  // what was moved out does not need it
  ASSERT_EQ(kept.size(), 1u);
  auto& [array, schema] = kept[0];
  EXPECT_STREQ(schema.format, "+s");
  EXPECT_EQ(array.length, 2);
  ASSERT_EQ(array.n_children, 8);
  ASSERT_EQ(schema.n_children, 8);
  const char* names[] = {"id", "ok", "level", "note", "place", "tags", "part", "at"};
  const char* formats[] = {"l", "b", "U", "U", "+s", "+L", "s", "tsn:UTC"};
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_STREQ(schema.children[i]->name, names[i]);
    EXPECT_STREQ(schema.children[i]->format, formats[i]);
    EXPECT_EQ(schema.children[i]->flags, i == 3 || i == 4 ? 2 : 0);
    EXPECT_EQ(array.children[i]->length, 2);
  }
  EXPECT_EQ(element<int64_t>(*array.children[0], 1, 1), 2);
  EXPECT_EQ(element<uint8_t>(*array.children[1], 1, 0) & 3, 1);
  EXPECT_EQ(text_at(*array.children[2], 0) + text_at(*array.children[2], 1), "highlow");
  EXPECT_FALSE(valid_at(*array.children[3], 0));
  EXPECT_EQ(text_at(*array.children[3], 1), "hi");
  EXPECT_EQ(array.children[3]->null_count, 1);
  const ArrowArray& place = *array.children[4];
  EXPECT_TRUE(valid_at(place, 0));
  EXPECT_FALSE(valid_at(place, 1));
  EXPECT_EQ(text_at(*place.children[0], 0), "Bonn");
  EXPECT_EQ(element<int64_t>(*place.children[1], 1, 0), 53111);
  const ArrowArray& tags = *array.children[5];
  EXPECT_EQ(element<int64_t>(tags, 1, 1), 2);
  EXPECT_EQ(element<int64_t>(tags, 1, 2), 2);
  EXPECT_EQ(text_at(*tags.children[0], 1), "bc");
  EXPECT_EQ(element<int16_t>(*array.children[6], 1, 0), -2);
  EXPECT_EQ(element<int64_t>(*array.children[7], 1, 1), 2'000'000'000);
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
  schema.release(&schema);
}

TEST(Arrow, MapsGoOutAsMaps) {
  auto engine = load(R"(
    type Row = { id: int, counts: map<string, int>, notes: map<int, string?>?, at: time }
    source rows: Row = host() time at
    emit rows to host()
  )");
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  EXPECT_DONE(engine->push_text("rows", R"({"id":1,"counts":{"b":1,"a":2},"notes":{"7":null,"8":"x"},"at":1}
{"id":2,"counts":{},"at":2}
{"id":3,"counts":{"c":3},"notes":{},"at":3}
)"));
  std::vector<std::pair<ArrowArray, ArrowSchema>> kept;
  EXPECT_DONE(engine->bind_arrow_sink("rows", [&](ArrowArray& array, ArrowSchema& schema) {
    kept.emplace_back(array, schema);
    array.release = nullptr;
    schema.release = nullptr;
  }));
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  ASSERT_EQ(kept.size(), 1u);
  auto& [array, schema] = kept[0];
  const ArrowSchema& of_counts = *schema.children[1];
  EXPECT_STREQ(of_counts.format, "+m");
  ASSERT_EQ(of_counts.n_children, 1);
  EXPECT_STREQ(of_counts.children[0]->format, "+s");
  EXPECT_STREQ(of_counts.children[0]->children[0]->name, "key");
  EXPECT_STREQ(of_counts.children[0]->children[0]->format, "U");
  EXPECT_STREQ(of_counts.children[0]->children[1]->format, "l");
  const ArrowArray& counts = *array.children[1];
  EXPECT_EQ(counts.n_buffers, 2);
  EXPECT_EQ(element<int32_t>(counts, 1, 1), 2);
  EXPECT_EQ(element<int32_t>(counts, 1, 2), 2);
  EXPECT_EQ(element<int32_t>(counts, 1, 3), 3);
  const ArrowArray& entries = *counts.children[0];
  EXPECT_EQ(entries.length, 3);
  EXPECT_EQ(text_at(*entries.children[0], 0) + text_at(*entries.children[0], 2), "bc");
  EXPECT_EQ(element<int64_t>(*entries.children[1], 1, 1), 2);
  const ArrowArray& notes = *array.children[2];
  EXPECT_FALSE(valid_at(notes, 1));
  EXPECT_EQ(element<int32_t>(notes, 1, 2), 2);
  EXPECT_FALSE(valid_at(*notes.children[0]->children[1], 0));
  EXPECT_EQ(text_at(*notes.children[0]->children[1], 1), "x");
  array.release(&array);
  schema.release(&schema);
}

TEST(Arrow, WhatOneEngineGivesAnotherTakes) {
  auto first = load(script);
  auto second = load(script);
  ASSERT_TRUE(first && second);
  EXPECT_DONE(first->bind_host_source("rows"));
  EXPECT_DONE(second->bind_host_source("rows"));
  Rows out;
  out.bind(*second, "out");
  EXPECT_DONE(first->bind_arrow_sink("out", [&](ArrowArray& array, ArrowSchema& schema) {
    EXPECT_DONE(second->push_arrow("rows", &array, &schema));
  }));
  EXPECT_DONE(second->start());
  EXPECT_DONE(first->start());
  Batch batch;
  fill(batch);
  EXPECT_DONE(first->push_arrow("rows", &batch.array, &batch.schema));
  EXPECT_DONE(first->finish("rows"));
  EXPECT_DONE(first->run_to_end());
  EXPECT_DONE(second->finish("rows"));
  EXPECT_DONE(second->run_to_end());
  ASSERT_EQ(out.rows.size(), 3u);
  EXPECT_EQ(out.rows[1], "id=2 ok=false level=low price=2.5 note=none part=255 at=2000000000");
}

// Units of a decimal, in two words as they lie in a column.
struct Units {
  int64_t low;
  int64_t high;
};

constexpr const char* priced = R"(
type Row = { a: decimal(2), b: decimal(4)?, c: decimal(2), at: time }
source rows: Row = host() time at
stream out = rows | select a, b, c, d = a * c
emit out to host()
)";

TEST(Arrow, DecimalsComeInWhereTheirDigitsFit) {
  static const Units cents[] = {{1250, 0}, {-5, -1}};
  static const Units tenths[] = {{15, 0}, {0, 0}};
  static const uint8_t first_valid[] = {0b01};
  static const int32_t whole[] = {3, -2};
  static const int64_t at[] = {1, 2};
  static const Units beyond[] = {{1250, 0}, {-1, INT64_MAX}};
  auto push = [&](const char* format, const Units* column) {
    auto engine = load(priced);
    EXPECT_DONE(engine->bind_host_source("rows"));
    Rows out;
    out.bind(*engine, "out");
    EXPECT_DONE(engine->start());
    Batch batch;
    batch.add("a", format, {nullptr, column}, 2);
    batch.add("b", "d:3,1", {first_valid, tenths}, 2);
    batch.add("c", "i", {nullptr, whole}, 2);
    batch.add("at", "tss:", {nullptr, at}, 2);
    batch.finish(2);
    auto pushed = engine->push_arrow("rows", &batch.array, &batch.schema);
    EXPECT_DONE(engine->finish("rows"));
    EXPECT_DONE(engine->run_to_end());
    if (!pushed) out.rows.push_back(pushed.failure().text);
    return out.rows;
  };
  EXPECT_EQ(push("d:38,2", cents), (std::vector<std::string>{"a=12.50 b=1.5000 c=3.00 d=37.5000",
                                                             "a=-0.05 b=none c=-2.00 d=0.1000"}));
  EXPECT_EQ(push("d:38,0,128", cents)[0], "a=1250.00 b=1.5000 c=3.00 d=3750.0000");
  EXPECT_EQ(push("d:38,3", cents),
            (std::vector<std::string>{"source `rows`: row 1, column `a`: the value does not fit"}));
  EXPECT_EQ(push("d:38,2", beyond),
            (std::vector<std::string>{"source `rows`: row 1, column `a`: the value does not fit"}));
  EXPECT_EQ(push("d:76,2,256", cents),
            (std::vector<std::string>{"source `rows`: column `a`: format `d:76,2,256` is not taken"}));
}

TEST(Arrow, DecimalsGoOutWithAllTheirDigits) {
  auto engine = load(priced);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  std::vector<std::pair<ArrowArray, ArrowSchema>> kept;
  EXPECT_DONE(engine->bind_arrow_sink("out", [&](ArrowArray& array, ArrowSchema& schema) {
    kept.emplace_back(array, schema);
    array.release = nullptr;
    schema.release = nullptr;
  }));
  EXPECT_DONE(engine->start());
  // A host gives a decimal as its text, or a whole number.
  EXPECT_DONE(engine->push_row("rows", {std::string("12.5"), std::monostate{}, int64_t{2}, int64_t{1}}));
  EXPECT_DONE(
      engine->push_row("rows", {std::string("-0.01"), std::string("1e-4"), std::string("3"), int64_t{2}}));
  EXPECT_EQ(
      failure_of(engine->push_row("rows", {std::string("1.005"), std::monostate{}, int64_t{2}, int64_t{1}}))
          .text,
      "field `a` of `rows`: the value does not fit");
  EXPECT_EQ(failure_of(engine->push_row("rows", {12.5, std::monostate{}, int64_t{2}, int64_t{1}})).text,
            "field `a` of `rows`: the value does not fit");
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  ASSERT_EQ(kept.size(), 1u);
  auto& [array, schema] = kept[0];
  EXPECT_STREQ(schema.children[0]->format, "d:38,2");
  EXPECT_STREQ(schema.children[1]->format, "d:38,4");
  EXPECT_STREQ(schema.children[3]->format, "d:38,4");
  auto units = [&](int64_t column, int64_t row) {
    auto value = element<Units>(*array.children[column], 1, row);
    return std::pair(value.low, value.high);
  };
  EXPECT_EQ(units(0, 0), std::pair(int64_t{1250}, int64_t{0}));
  EXPECT_EQ(units(0, 1), std::pair(int64_t{-1}, int64_t{-1}));
  EXPECT_FALSE(valid_at(*array.children[1], 0));
  EXPECT_EQ(units(1, 1), std::pair(int64_t{1}, int64_t{0}));
  EXPECT_EQ(units(3, 0), std::pair(int64_t{250'000}, int64_t{0}));
  EXPECT_EQ(units(3, 1), std::pair(int64_t{-300}, int64_t{-1}));
  array.release(&array);
  schema.release(&schema);
}

}  // namespace
}  // namespace mut::embed_test
