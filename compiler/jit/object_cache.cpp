#include "compiler/jit/object_cache.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <llvm/ADT/ScopeExit.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Support/CachePruning.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/xxhash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>

namespace mut::jit {
namespace {

struct Header {
  char magic[8] = {'M', 'U', 'T', 'O', 'B', 'J', '0', '1'};
  uint64_t bytes = 0;
  uint64_t checksum = 0;  // XXH3 of the object
};

using Place = const void*;

// What the linker named the program or library that has that address; empty: nothing.
std::string build_id_at(Place address) {
  struct Found {
    uintptr_t address;
    std::string id;
  } found{reinterpret_cast<uintptr_t>(address), {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto& out = *static_cast<Found*>(data);
        bool here = false;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          here =
              here || (part.p_type == PT_LOAD && out.address >= begin && out.address < begin + part.p_memsz);
        }
        if (!here) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          if (part.p_type != PT_NOTE) continue;
          const char* at = reinterpret_cast<const char*>(info->dlpi_addr + part.p_vaddr);
          const char* end = at + part.p_memsz;
          while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            memcpy(&note, at, sizeof note);
            const char* name = at + sizeof note;
            const char* content = name + ((note.n_namesz + 3) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0)
              out.id.assign(content, note.n_descsz);
            at = content + ((note.n_descsz + 3) & ~3u);
          }
        }
        return 1;
      },
      &found);
  return found.id;
}

// Of the compiler's own code and of LLVM's, which may be a library; empty: one of them has no name.
const std::string& this_build() {
  static const std::string id = [] {
    std::string ours = build_id_at(reinterpret_cast<Place>(&build_id_at));
    std::string llvm = build_id_at(reinterpret_cast<Place>(&llvm::WriteBitcodeToFile));
    return ours.empty() || llvm.empty() ? "" : ours + llvm;
  }();
  return id;
}

bool write_all(int descriptor, const void* bytes, size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    ssize_t written = ::write(descriptor, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    count -= static_cast<size_t>(written);
  }
  return true;
}

uint64_t checksum_of(const Object& object) {
  return llvm::xxh3_64bits({reinterpret_cast<const uint8_t*>(object.data()), object.size()});
}

}  // namespace

ObjectCache::ObjectCache(std::string folder) {
  if (folder.empty() || this_build().empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return;
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return;
  if (found.st_uid != ::geteuid() || (found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    problem_ = "compiled code is not kept in " + folder + ": others may write there";
    return;
  }
  folder_ = std::move(folder);
}

std::string ObjectCache::key(const llvm::Module& module, const llvm::TargetMachine& machine, char variant) {
  llvm::SmallVector<char, 0> bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
  llvm::SHA256 hash;
  // Each with its length, so that no two lists of parts read the same.
  auto add = [&](llvm::StringRef part) {
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  };
  add(this_build());
  add(machine.getTargetCPU());
  add(machine.getTargetFeatureString());
  add(llvm::StringRef(&variant, 1));
  add(llvm::StringRef(bitcode.data(), bitcode.size()));
  return llvm::toHex(hash.final(), true);
}

// The name that llvm::pruneCache() looks for.
std::string ObjectCache::path_of(const std::string& key) const { return folder_ + "/llvmcache-" + key; }

std::optional<Object> ObjectCache::find(const std::string& key) const {
  if (!keeps()) return std::nullopt;
  int descriptor = ::open(path_of(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return std::nullopt;
  auto close_it = llvm::make_scope_exit([&] { ::close(descriptor); });
  Header expected, header;
  struct stat found{};
  if (::fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  if (::read(descriptor, &header, sizeof header) != static_cast<ssize_t>(sizeof header)) return std::nullopt;
  auto size = static_cast<uint64_t>(found.st_size);
  if (memcmp(header.magic, expected.magic, sizeof header.magic) != 0 || header.bytes != size - sizeof header)
    return std::nullopt;
  Object object;
  object.resize_for_overwrite(header.bytes);
  for (size_t got = 0; got < object.size();) {
    ssize_t more = ::read(descriptor, object.data() + got, object.size() - got);
    if (more <= 0) return std::nullopt;
    got += static_cast<size_t>(more);
  }
  if (checksum_of(object) != header.checksum) return std::nullopt;
  ::futimens(descriptor, nullptr);  // the least used go first
  return object;
}

void ObjectCache::keep(const std::string& key, const Object& object) const {
  if (!keeps()) return;
  std::string path = path_of(key);
  std::string made = path + ".XXXXXX";
  int descriptor = ::mkostemp(made.data(), O_CLOEXEC);
  if (descriptor < 0) return;
  Header header;
  header.bytes = object.size();
  header.checksum = checksum_of(object);
  bool written =
      write_all(descriptor, &header, sizeof header) && write_all(descriptor, object.data(), object.size());
  written = ::close(descriptor) == 0 && written;
  // Never half an object under its name; after a crash of the machine the checksum tells.
  if (!written || ::rename(made.c_str(), path.c_str()) != 0) ::unlink(made.c_str());
  llvm::CachePruningPolicy policy;
  policy.Expiration = std::chrono::hours(30 * 24);
  policy.MaxSizeBytes = uint64_t{256} << 20;
  policy.MaxSizeFiles = 20000;
  llvm::pruneCache(folder_, policy);
}

}  // namespace mut::jit
