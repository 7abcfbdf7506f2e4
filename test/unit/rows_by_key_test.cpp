// Rows in order of key against a sort by comparing, and the records that are made of them against what their
// cells say one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/state/results.h"

namespace mut::state {
namespace {

using abi::TypeKind;

KeyDesc key_of(TypeKind kind, bool optional = false) {
  KeyDesc out;
  out.name = "key";
  out.type = abi::make_scalar(kind);
  if (optional) out.type = abi::make_optional(out.type);
  return out;
}

CellDesc cell_of(CellFn fn, TypeKind kind, abi::TypeDescRef result) {
  CellDesc out;
  out.name = "cell";
  out.fn = fn;
  out.kind = word_kind(*abi::make_scalar(kind));
  out.result = std::move(result);
  return out;
}

StoreDesc description(std::vector<KeyDesc> keys) {
  StoreDesc desc;
  desc.kind = StoreKind::Groups;
  desc.keys = std::move(keys);
  CellDesc count = cell_of(CellFn::Count, TypeKind::I64, abi::make_scalar(TypeKind::I64));
  desc.cells.push_back(count);
  lay_out(desc);
  return desc;
}

// Words that are near each other, far apart, or equal in most bits.
uint64_t some_word(std::mt19937_64& random, uint64_t spread) {
  uint64_t word = random() % spread;
  return random() % 4 == 0 ? word << 40 : random() % 2 == 0 ? word : ~word;
}

void expect_order(const StoreDesc& desc, size_t rows, uint64_t spread) {
  Budget budget{size_t{256} << 20};
  KeyedTable table(desc, 7, budget);
  std::mt19937_64 random(rows + spread);
  std::vector<std::string> texts(rows);
  for (size_t i = 0; i < rows; ++i) {
    std::vector<uint64_t> key(desc.key_words + 1);
    for (const KeyDesc& part : desc.keys) {
      uint64_t word = some_word(random, spread);
      bool present = !part.optional || random() % 3 != 0;
      if (part.optional) key[part.word + word_count(part.kind)] = present ? 1 : 0;
      if (!present) continue;
      key[part.word] = part.kind == WordKind::Float
                           ? inl::key_word(static_cast<double>(static_cast<int64_t>(word)))
                           : word;
      if (part.kind != WordKind::Text) continue;
      texts[i] = std::to_string(word % spread) + std::string(word % 5, 'x');
      MutStr text = abi::make_str(texts[i]);
      memcpy(key.data() + part.word, &text, sizeof(text));
    }
    ASSERT_NE(table.find_or_insert(key.data()), nullptr);
  }
  std::vector<const char*> sorted = rows_by_key(table);
  ASSERT_EQ(sorted.size(), table.row_count());
  std::vector<uint64_t> before(desc.key_words + 1);
  std::vector<uint64_t> key(desc.key_words + 1);
  for (size_t i = 1; i < sorted.size(); ++i) {
    table.load_key(sorted[i - 1], before.data());
    table.load_key(sorted[i], key.data());
    ASSERT_LT(compare_keys(desc, before.data(), key.data()), 0) << i << " of " << sorted.size();
  }
}

TEST(RowsByKey, AreInOrderOfAnyKeysHoweverManyThereAre) {
  const std::vector<StoreDesc> kinds = {
      description({key_of(TypeKind::I64)}),
      description({key_of(TypeKind::U64)}),
      description({key_of(TypeKind::F64)}),
      description({key_of(TypeKind::String)}),
      description({key_of(TypeKind::I64, true)}),
      description({key_of(TypeKind::I64), key_of(TypeKind::U64)}),
      description({key_of(TypeKind::I64), key_of(TypeKind::I64), key_of(TypeKind::U32)}),
      description({key_of(TypeKind::I64), key_of(TypeKind::I64), key_of(TypeKind::String)}),
      description({key_of(TypeKind::I64), key_of(TypeKind::I64, true), key_of(TypeKind::I64)}),
      description({key_of(TypeKind::String), key_of(TypeKind::I64)}),
  };
  for (size_t kind = 0; kind < kinds.size(); ++kind) {
    for (size_t rows :
         {size_t{0}, size_t{1}, size_t{2}, size_t{25}, size_t{400}, size_t{5000}, size_t{40'000}}) {
      SCOPED_TRACE("kind " + std::to_string(kind) + ", rows " + std::to_string(rows));
      expect_order(kinds[kind], rows, uint64_t{1} << 34);
      expect_order(kinds[kind], rows, rows / 50 + 3);
    }
  }
}

// A field of a record by its description alone.
void expect_field(const KeyedTable& table, const char* row, const CellDesc& cell, const abi::FieldDesc& field,
                  const char* record) {
  CellResult result = cell_result(cell, row + cell.offset, const_cast<KeyedTable&>(table).heap());
  if (!result.present && field.type->kind != TypeKind::Optional) return;  // the row is an error
  std::vector<char> wanted(field.type->size);
  write_result(result, *field.type, wanted.data());
  EXPECT_EQ(memcmp(wanted.data(), record + field.offset, wanted.size()), 0) << static_cast<int>(cell.fn);
}

TEST(ResultRows, HaveWhatTheCellsSay) {
  StoreDesc desc;
  desc.kind = StoreKind::Groups;
  desc.keys = {key_of(TypeKind::I64), key_of(TypeKind::U8), key_of(TypeKind::I16, true),
               key_of(TypeKind::F32)};
  for (bool optional : {false, true}) {
    auto scalar = [&](TypeKind kind) {
      abi::TypeDescRef of = abi::make_scalar(kind);
      return optional ? abi::make_optional(of) : of;
    };
    for (CellFn fn : {CellFn::Min, CellFn::Max, CellFn::First, CellFn::Last}) {
      for (TypeKind kind :
           {TypeKind::I64, TypeKind::U8, TypeKind::I32, TypeKind::F64, TypeKind::F32, TypeKind::Time})
        desc.cells.push_back(cell_of(fn, kind, scalar(kind)));
    }
    desc.cells.push_back(cell_of(CellFn::Avg, TypeKind::F64, scalar(TypeKind::F64)));
  }
  desc.cells.push_back(cell_of(CellFn::Count, TypeKind::I64, abi::make_scalar(TypeKind::I64)));
  desc.cells.push_back(cell_of(CellFn::IntSum, TypeKind::I64, abi::make_scalar(TypeKind::I64)));
  lay_out(desc);
  Budget budget{size_t{64} << 20};
  KeyedTable table(desc, 3, budget);
  std::mt19937_64 random(1);
  for (uint64_t i = 0; i < 500; ++i) {
    std::vector<uint64_t> key(desc.key_words + 1);
    key[0] = i;
    key[desc.keys[1].word] = i % 200;
    key[desc.keys[2].word + 1] = i % 2;
    if (i % 2 == 1) key[desc.keys[2].word] = i;
    key[desc.keys[3].word] = inl::as_word(static_cast<double>(i) / 2);
    char* row = table.find_or_insert(key.data());
    for (const CellDesc& cell : desc.cells) {
      for (uint64_t events = random() % 3; events > 0; --events) {
        uint64_t value =
            cell.kind == WordKind::Float ? inl::as_word(static_cast<double>(random() % 100)) : random() % 100;
        if (cell.fn == CellFn::IntSum && i % 5 == 0)
          value = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
        add_value(cell, row + cell.offset, table.heap(), &value, nullptr, static_cast<int64_t>(random() % 9));
      }
    }
  }
  batch::Arena texts;
  ResultRows rows(desc, texts);
  size_t seen = 0;
  std::vector<const char*> sorted = rows_by_key(table);
  auto check = [&](const ResultRows& piece) {
    for (size_t i = 0; i < piece.count(); ++i, ++seen) {
      const char* record = piece.rows() + i * piece.record().size;
      const char* row = sorted[seen];
      EXPECT_EQ(piece.times()[i], static_cast<int64_t>(seen));
      int32_t error;
      memcpy(&error, record, sizeof(error));
      bool lacks = false;
      std::vector<uint64_t> key(desc.key_words + 1);
      table.load_key(row, key.data());
      size_t field = 1;
      for (const KeyDesc& part : desc.keys) {
        const abi::FieldDesc& of = piece.record().fields[field++];
        CellResult value;
        value.words[0] = key[part.word];
        if (part.optional) value.present = key[part.word + 1] != 0;
        std::vector<char> wanted(of.type->size);
        write_result(value, *of.type, wanted.data());
        EXPECT_EQ(memcmp(wanted.data(), record + of.offset, wanted.size()), 0);
      }
      for (const CellDesc& cell : desc.cells) {
        expect_field(table, row, cell, piece.record().fields[field++], record);
        CellResult result = cell_result(cell, row + cell.offset, table.heap());
        lacks = lacks || (!result.present && cell.result->kind != TypeKind::Optional);
      }
      EXPECT_EQ(error, static_cast<int32_t>(lacks ? RowError::NoValue : RowError::None));
      int64_t edge;
      memcpy(&edge, record + piece.record().fields[field].offset, sizeof(edge));
      EXPECT_EQ(edge, 11);
      memcpy(&edge, record + piece.record().fields[field + 1].offset, sizeof(edge));
      EXPECT_EQ(edge, 12);
      bool overflows = cell_result(desc.cells.back(), row + desc.cells.back().offset, table.heap()).overflow;
      EXPECT_EQ(record[piece.record().fields[field + 2].offset] != 0, overflows);
    }
  };
  rows.in_pieces(64, check);
  int64_t time = 0;
  rows.add_rows(table, sorted, 11, 12, [&](const char*) { return time++; });
  check(rows);
  EXPECT_EQ(seen, size_t{500});
}

}  // namespace
}  // namespace mut::state
