#include "runtime/checkpoint/manifest.h"

#include <cstring>

#include "runtime/checkpoint/crc32c.h"
#include "runtime/state/saved.h"

namespace mut::checkpoint {
namespace {

constexpr char manifest_mark[8] = {'M', 'U', 'T', 'C', 'K', 'P', 'T', '\n'};

struct Head {
  char mark[8];
  uint64_t bytes;  // behind the head
  uint64_t unused;
  uint32_t format;
  uint32_t crc;  // of what is before, and of all behind
};
static_assert(sizeof(Head) == 32);

uint32_t crc_of(const Head& head, std::string_view body) {
  return crc32c(body, crc32c({reinterpret_cast<const char*>(&head), offsetof(Head, crc)}));
}

template <typename Io, typename Self>
void pass(Io& io, Self& manifest) {
  io.value(manifest.number);
  state::pass_each(io, manifest.files, 20,
                   [](Io& of, auto& file) { state::pass_values(of, file.number, file.bytes, file.digest); });
  state::pass_each(io, manifest.sections, 16, [](Io& of, auto& section) {
    of.text(section.name);
    state::pass_each(of, section.blocks, 8, [](Io& io, auto& block) { state::pass_plain(io, block); });
  });
}

}  // namespace

std::string to_bytes(const Manifest& manifest) {
  state::SavedMemory memory;
  state::Saver saver(memory);
  pass(saver, manifest);
  std::string body;
  for (std::string_view block : saver.finish()) body += block;
  Head head{};
  memcpy(head.mark, manifest_mark, sizeof(manifest_mark));
  head.bytes = body.size();
  head.format = manifest_format;
  head.crc = crc_of(head, body);
  return std::string(reinterpret_cast<const char*>(&head), sizeof(head)) + body;
}

Result<Manifest> parse_manifest(std::string_view bytes) {
  Head head{};
  if (bytes.size() < sizeof(head)) return Error{"it is cut off"};
  memcpy(&head, bytes.data(), sizeof(head));
  std::string_view body = bytes.substr(sizeof(head));
  if (memcmp(head.mark, manifest_mark, sizeof(manifest_mark)) != 0) return Error{"it is no checkpoint"};
  if (head.bytes != body.size()) return Error{"it is cut off, or longer than it was written"};
  if (head.crc != crc_of(head, body)) return Error{"it is damaged"};
  if (head.format != manifest_format) {
    return Error{"it has format " + std::to_string(head.format) + ", this mutc reads format " +
                 std::to_string(manifest_format)};
  }
  state::Loader loader({body});
  Manifest out;
  pass(loader, out);
  bool whole = loader.fine() && loader.left() == 0;
  for (const Manifest::Section& section : out.sections) {
    for (const Manifest::Block& block : section.blocks) whole = whole && !block.empty();
  }
  if (!whole) return Error{"it is no whole checkpoint"};
  return out;
}

}  // namespace mut::checkpoint
