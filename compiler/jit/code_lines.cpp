#include "compiler/jit/code_lines.h"

#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/Object/ObjectFile.h>

#include <algorithm>

namespace mut::jit {
namespace {

constexpr uint16_t state_column = 1;  // of a location: see mark_state_calls()

Error broken(llvm::Error error) {
  return Error{"lines of code cannot be read: " + llvm::toString(std::move(error))};
}

}  // namespace

uint16_t column_of(CodeKind kind) { return kind == CodeKind::State ? state_column : 0; }

Result<CodeLines> read_code_lines(std::string_view bytes, std::string_view anchor, uint64_t& anchor_offset) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(bytes.data(), bytes.size()), "kernel"));
  if (!object) return broken(object.takeError());
  std::optional<uint64_t> section;
  CodeLines out;
  for (const llvm::object::SymbolRef& symbol : (*object)->symbols()) {
    auto name = symbol.getName();
    if (!name) return broken(name.takeError());
    if (*name != llvm::StringRef(anchor)) continue;
    auto value = symbol.getValue();
    auto in = symbol.getSection();
    if (!value) return broken(value.takeError());
    if (!in) return broken(in.takeError());
    anchor_offset = *value;
    section = (*in)->getIndex();
    out.size = static_cast<uint32_t>((*in)->getSize());
  }
  if (!section) return Error{"lines of code cannot be read: no " + std::string(anchor)};
  auto context = llvm::DWARFContext::create(**object);
  for (const auto& unit : context->compile_units()) {
    const llvm::DWARFDebugLine::LineTable* table = context->getLineTableForUnit(unit.get());
    if (table == nullptr) continue;
    for (const llvm::DWARFDebugLine::Row& row : table->Rows) {
      if (row.Address.SectionIndex != *section) continue;
      int place = row.EndSequence || row.Line == 0 ? -1 : static_cast<int>(row.Line) - 1;
      out.rows.push_back({static_cast<uint32_t>(row.Address.Address), place,
                          row.Column == state_column ? CodeKind::State : CodeKind::Place});
    }
  }
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [](const CodeRow& a, const CodeRow& b) { return a.offset < b.offset; });
  // Of several rows at one address the last is what is there; line 0 goes on with what was before it.
  std::vector<CodeRow> rows;
  for (const CodeRow& row : out.rows) {
    if (!rows.empty() && rows.back().offset == row.offset) rows.pop_back();
    bool same = !rows.empty() && rows.back().place == row.place && rows.back().kind == row.kind;
    if (!same) rows.push_back(row);
  }
  out.rows = std::move(rows);
  return out;
}

void LoadedCode::add(const void* owner, uintptr_t begin, CodeLines lines, Notes notes) {
  std::lock_guard lock(mutex_);
  code_.push_back({owner, ++numbers_, begin, std::move(lines), notes, true});
}

void LoadedCode::unlinked(const void* owner) {
  std::lock_guard lock(mutex_);
  for (Piece& piece : code_) {
    if (piece.owner == owner) piece.linked = false;
  }
  auto gone = [](const Piece& piece) { return !piece.linked; };
  if (std::count_if(code_.begin(), code_.end(), gone) > static_cast<std::ptrdiff_t>(unlinked_most))
    code_.erase(std::find_if(code_.begin(), code_.end(), gone));
}

void LoadedCode::forget_unlinked() {
  std::lock_guard lock(mutex_);
  std::erase_if(code_, [](const Piece& piece) { return !piece.linked; });
}

std::optional<LoadedCode::Found> LoadedCode::find(uintptr_t address) const {
  std::lock_guard lock(mutex_);
  for (size_t i = code_.size(); i-- > 0;) {
    const Piece& piece = code_[i];
    if (address < piece.begin || address >= piece.begin + piece.lines.size) continue;
    uint64_t offset = address - piece.begin;
    auto behind = std::upper_bound(piece.lines.rows.begin(), piece.lines.rows.end(), offset,
                                   [](uint64_t at, const CodeRow& row) { return at < row.offset; });
    if (behind == piece.lines.rows.begin()) return Found{piece.number};
    return Found{piece.number, (behind - 1)->place, (behind - 1)->kind};
  }
  return std::nullopt;
}

const LoadedCode::Piece* LoadedCode::linked(const void* owner) const {
  for (const Piece& piece : code_) {
    if (piece.owner == owner && piece.linked) return &piece;
  }
  return nullptr;
}

Notes LoadedCode::notes_of(const void* owner) const {
  std::lock_guard lock(mutex_);
  const Piece* piece = linked(owner);
  return piece != nullptr ? piece->notes : Notes::None;
}

uint64_t LoadedCode::number_of(const void* owner) const {
  std::lock_guard lock(mutex_);
  const Piece* piece = linked(owner);
  return piece != nullptr ? piece->number : 0;
}

std::vector<CodePiece> LoadedCode::pieces(const void* owner) const {
  std::lock_guard lock(mutex_);
  std::vector<CodePiece> out;
  const Piece* piece = linked(owner);
  if (piece == nullptr) return out;
  const auto& rows = piece->lines.rows;
  for (size_t i = 0; i < rows.size(); ++i) {
    uintptr_t end = piece->begin + (i + 1 < rows.size() ? rows[i + 1].offset : piece->lines.size);
    if (rows[i].place >= 0) out.push_back({piece->begin + rows[i].offset, end, rows[i].place, rows[i].kind});
  }
  return out;
}

}  // namespace mut::jit
