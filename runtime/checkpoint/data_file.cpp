#include "runtime/checkpoint/data_file.h"

#include <cstring>
#include <utility>

#include "runtime/checkpoint/crc32c.h"

namespace mut::checkpoint {
namespace {

constexpr char file_mark[8] = {'M', 'U', 'T', 'S', 'T', 'A', 'T', 'E'};

struct FileHead {
  char mark[8];
  uint32_t format;
  uint32_t crc;  // of what is before
};
struct BlockHead {
  uint64_t bytes;
  uint64_t epoch;  // the checkpoint that wrote it
  uint32_t kind;
  uint32_t unused;
  uint32_t unused_too;
  uint32_t crc;  // of what is before, and of the payload
};
static_assert(sizeof(FileHead) == 16 && sizeof(BlockHead) == 32);

template <typename Head>
std::string_view bytes_of(const Head& head) {
  return {reinterpret_cast<const char*>(&head), sizeof(head)};
}
template <typename Head>
uint32_t crc_of_head(const Head& head) {
  return crc32c(bytes_of(head).substr(0, offsetof(Head, crc)));
}

FileHead file_head() {
  FileHead out{};
  memcpy(out.mark, file_mark, sizeof(file_mark));
  out.format = data_format;
  out.crc = crc_of_head(out);
  return out;
}

}  // namespace

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::create(env::Env& env, std::string path,
                                                               uint64_t number) {
  auto file = env.open_output(path, env::OpenMode::CreateNew);
  if (!file) return file.error();
  std::unique_ptr<DataFileWriter> out(new DataFileWriter(env, std::move(file).value(), number));
  FileHead head = file_head();
  Status begun = out->put(bytes_of(head), crc32c(bytes_of(head)));
  if (!begun) return begun.error();
  return out;
}

Status DataFileWriter::put(std::string_view bytes, uint32_t crc) {
  if (env_.fail_points().at("checkpoint.write") == env::Fault::Error)
    return Error{"injected failure of checkpoint.write"};
  Status written = file_->write(bytes);
  digest_ = crc32c_of_both(digest_, crc, bytes.size());
  bytes_ += bytes.size();
  return written;
}

Result<BlockPlace> DataFileWriter::add(BlockKind kind, std::string_view payload) {
  BlockPlace place{number_, bytes_, payload.size()};
  BlockHead head{payload.size(), number_, static_cast<uint32_t>(kind), 0, 0, 0};
  uint32_t crc = crc32c(payload);
  head.crc = crc32c_of_both(crc_of_head(head), crc, payload.size());
  Status written = put(bytes_of(head), crc32c(bytes_of(head)));
  if (written) written = put(payload, crc);
  if (!written) return written.error();
  return place;
}

Status DataFileWriter::finish() {
  if (env_.fail_points().at("checkpoint.data_sync") == env::Fault::Error)
    return Error{"injected failure of checkpoint.data_sync"};
  Status synced = file_->sync();
  Status closed = file_->close();
  return synced ? closed : synced;
}

namespace {

// So many bytes of a plain file, which has as many.
Status read_into(env::InputFile& file, const std::string& path, char* to, size_t bytes) {
  for (size_t at = 0; at < bytes;) {
    auto got = file.read(to + at, bytes - at);
    if (!got) return got.error();
    if (got.value() == 0) return Error{path + ": it became shorter while it was read"};
    at += got.value();
  }
  return Unit{};
}

// Its length. Fails where it is no plain file.
Result<uint64_t> length_of(env::InputFile& file, const std::string& path) {
  auto identity = file.identity();
  if (!identity) return identity.error();
  if (!identity.value().regular) return Error{path + ": it is no plain file"};
  return identity.value().size_bytes;
}

}  // namespace

Result<std::string> read_whole_file(env::Env& env, const std::string& path, uint64_t most) {
  auto file = env.open_input(path);
  if (!file) return file.error();
  auto length = length_of(*file.value(), path);
  if (!length) return length.error();
  if (length.value() > most) return Error{path + ": it is longer than it was written"};
  std::string out(length.value(), '\0');
  Status read = read_into(*file.value(), path, out.data(), out.size());
  if (!read) return read.error();
  return out;
}

Result<state::SpilledBytes> read_data_file(env::Env& env, const std::string& path, uint64_t bytes,
                                           uint32_t digest, const std::shared_ptr<state::Spill>& spill) {
  auto file = env.open_input(path);
  if (!file) return file.error();
  auto length = length_of(*file.value(), path);
  if (!length) return length.error();
  if (length.value() > bytes) return Error{path + ": it is longer than it was written"};
  if (length.value() < bytes) {
    return Error{path + ": it is cut off: it has " + std::to_string(length.value()) + " bytes of " +
                 std::to_string(bytes)};
  }
  state::SpilledBytes out(spill, bytes);
  Status read = read_into(*file.value(), path, out.data(), out.size());
  if (!read) return read.error();
  if (crc32c(out.view()) != digest) return Error{path + ": it is damaged: its digest is another one"};
  FileHead head{};
  if (out.size() < sizeof(head)) return Error{path + ": it is no file of state"};
  memcpy(&head, out.data(), sizeof(head));
  if (memcmp(head.mark, file_mark, sizeof(file_mark)) != 0 || head.crc != crc_of_head(head))
    return Error{path + ": it is no file of state"};
  if (head.format != data_format) {
    return Error{path + ": it has format " + std::to_string(head.format) + ", this mutc reads format " +
                 std::to_string(data_format)};
  }
  return out;
}

Result<std::string_view> block_in(std::string_view file, BlockKind kind, const BlockPlace& place) {
  BlockHead head{};
  bool fits = place.offset <= file.size() && file.size() - place.offset >= sizeof(head) &&
              file.size() - place.offset - sizeof(head) >= place.bytes;
  if (!fits) return Error{"a block lies outside of its file"};
  memcpy(&head, file.data() + place.offset, sizeof(head));
  std::string_view payload = file.substr(place.offset + sizeof(head), place.bytes);
  if (head.kind != static_cast<uint32_t>(kind) || head.bytes != place.bytes || head.epoch != place.file)
    return Error{"a block is not the one that was written"};
  if (crc32c(payload, crc_of_head(head)) != head.crc) return Error{"a block is damaged"};
  return payload;
}

}  // namespace mut::checkpoint
