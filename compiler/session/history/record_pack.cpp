#include "compiler/session/history/record_pack.h"

#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/abi/check.h"

namespace mut::session {
namespace {

// The fastest that zstd has: an edit waits for it.
constexpr int level = 1;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void number(uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void field(const std::string& text) {
    number(text.size());
    out_ += text;
  }
  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void field(const T& value) {
    number(static_cast<uint64_t>(value));
  }
  template <typename T>
  void field(const std::vector<T>& list) {
    number(list.size());
    for (const T& element : list) fields_of(*this, element);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  uint64_t number() {
    uint64_t value = 0;
    std::string_view bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  void field(std::string& text) { text = take(number()); }
  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void field(T& value) {
    value = static_cast<T>(number());
  }
  template <typename T>
  void field(std::vector<T>& list) {
    list.resize(number());
    for (T& element : list) fields_of(*this, element);
  }
  bool done() const { return in_.empty(); }

 private:
  std::string_view take(size_t bytes) {
    MUT_CHECK(bytes <= in_.size(), "a packed record ends early");
    std::string_view out = in_.substr(0, bytes);
    in_.remove_prefix(bytes);
    return out;
  }
  std::string_view in_;
};

template <typename T, typename Of>
concept Is = std::is_same_v<std::remove_const_t<T>, Of>;

// The bindings name every member: one that is added does not compile until it is here as well.
template <typename Io, Is<std::string> Text>
void fields_of(Io& io, Text& text) {
  io.field(text);
}
template <typename Io, Is<std::pair<std::string, std::string>> Pair>
void fields_of(Io& io, Pair& pair) {
  io.field(pair.first);
  io.field(pair.second);
}
template <typename Io, Is<Consent> Accepted>
void fields_of(Io& io, Accepted& accepted) {
  auto& [verdict, cell] = accepted;
  io.field(verdict);
  io.field(cell);
}
template <typename Io, Is<SourceCut> Cut>
void fields_of(Io& io, Cut& cut) {
  auto& [source, records] = cut;
  io.field(source);
  io.field(records);
}
template <typename Io, Is<CellVerdict> Verdict>
void fields_of(Io& io, Verdict& of) {
  auto& [cell, before, verdict, reason, choices, decision, undecided] = of;
  io.field(cell);
  io.field(before);
  io.field(verdict);
  io.field(reason);
  io.field(choices);
  io.field(decision);
  io.field(undecided);
}
template <typename Io, Is<VersionRecord> Record>
void fields_of(Io& io, Record& record) {
  auto& [version, parent, restores, hash, parent_hash, time_ns, name, text, params, plan, cells, accepted,
         cut, check_ns, compile_ns, pause_ns, entries_converted, outcome, reason, shadow] = record;
  auto all = [&io](auto&... member) { (io.field(member), ...); };
  all(version, parent, restores, hash, parent_hash, time_ns, name, text, params, plan, cells, accepted, cut,
      check_ns, compile_ns, pause_ns, entries_converted, outcome, reason, shadow);
}

}  // namespace

void RecordPacker::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

RecordPacker::RecordPacker() : context_(ZSTD_createCCtx()) {
  MUT_CHECK(context_ != nullptr, "no memory to compress records with");
}
RecordPacker::~RecordPacker() = default;

std::string RecordPacker::pack(const VersionRecord& record) {
  fields_.clear();
  Writer writer(fields_);
  fields_of(writer, record);
  std::string room(ZSTD_compressBound(fields_.size()), '\0');
  size_t bytes =
      ZSTD_compressCCtx(context_.get(), room.data(), room.size(), fields_.data(), fields_.size(), level);
  MUT_CHECK(!ZSTD_isError(bytes), "a record does not fit where it must");
  return {room.data(), bytes};
}

VersionRecord RecordPacker::unpack(std::string_view packed) {
  std::string fields(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  size_t bytes = ZSTD_decompress(fields.data(), fields.size(), packed.data(), packed.size());
  MUT_CHECK(bytes == fields.size(), "a packed record is damaged");
  Reader reader(fields);
  VersionRecord out;
  fields_of(reader, out);
  MUT_CHECK(reader.done(), "a packed record has more than its fields");
  return out;
}

}  // namespace mut::session
