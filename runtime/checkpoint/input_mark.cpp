#include "runtime/checkpoint/input_mark.h"

#include <algorithm>

#include "runtime/checkpoint/crc32c.h"
#include "runtime/connector/file/packing.h"

namespace mut::checkpoint {
namespace {

constexpr uint64_t looked_bytes = 4096;

// The last of the first `end` bytes.
Result<uint32_t> crc_before(env::InputFile& file, const std::string& path, uint64_t end) {
  uint64_t begin = end - std::min(end, looked_bytes);
  Status sought = begin > 0 ? file.seek(begin) : Status(Unit{});
  if (!sought) return sought.error();
  std::string text(end - begin, '\0');
  for (size_t at = 0; at < text.size();) {
    auto got = file.read(text.data() + at, text.size() - at);
    if (!got) return got.error();
    if (got.value() == 0) return Error{path + ": it is shorter than what was read of it"};
    at += got.value();
  }
  return crc32c(text);
}

}  // namespace

Result<InputMark> mark_of(env::Env& env, const connector::SourcePlace& place) {
  InputMark out;
  if (place.input.empty()) return out;
  auto file = env.open_input(place.input);
  if (!file) return file.error();
  auto identity = file.value()->identity();
  if (!identity) return identity.error();
  const bool same = identity.value().device == place.device && identity.value().inode == place.inode;
  if (place.inode != 0 && !same)
    return Error{place.input +
                 ": it is another file than the one that is read: that has been renamed or removed"};
  bool packed = connector::make_packer_of(place.input) != nullptr || place.offset == 0;
  out.bytes = packed ? std::min(identity.value().size_bytes, looked_bytes) : place.offset;
  auto crc = crc_before(*file.value(), place.input, out.bytes);
  if (!crc) return crc.error();
  out.crc = crc.value();
  return out;
}

Status check_mark(env::Env& env, const connector::SourcePlace& place, const InputMark& mark) {
  if (mark.bytes == 0) return Unit{};
  auto file = env.open_input(place.input);
  if (!file) return file.error();
  auto crc = crc_before(*file.value(), place.input, mark.bytes);
  if (!crc) return crc.error();
  if (crc.value() == mark.crc) return Unit{};
  return Error{place.input + ": it is not the file any more that was read up to record " +
               std::to_string(place.record)};
}

}  // namespace mut::checkpoint
