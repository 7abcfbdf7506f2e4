#include "compiler/jit/object_cache.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <llvm/ADT/ScopeExit.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/xxhash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

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

// Empty: the linker was not asked to name it.
const std::string& this_build() {
  static const std::string id = build_id_at(reinterpret_cast<Place>(&build_id_at));
  return id;
}

// LLVM's code generator, which may lie in a library: its objects know their class, which lies beside it.
std::string llvm_build(const llvm::TargetMachine& machine) {
  Place vtable;
  memcpy(&vtable, static_cast<const void*>(&machine), sizeof vtable);
  return build_id_at(vtable);
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

// With those above it, each for its user alone.
void make_folder(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
    ::mkdir(path.substr(0, end).c_str(), 0700);
  ::mkdir(path.c_str(), 0700);
}

std::string name_of(const std::string& key) { return "kernel-" + key; }

bool is_ours(const struct stat& found) {
  return found.st_uid == ::geteuid() && (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

constexpr std::chrono::minutes prune_every{20};
constexpr std::chrono::hours unused_at_most{30 * 24};
constexpr uint64_t bytes_at_most = uint64_t{256} << 20;

}  // namespace

ObjectCache::ObjectCache(const std::string& folder) {
  if (folder.empty() || this_build().empty()) return;
  make_folder(folder);
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat found{};
  if (folder_ < 0 || (::fstat(folder_, &found) == 0 && is_ours(found))) return;
  problem_ = "compiled code is not kept in " + folder +
             (found.st_uid == ::geteuid() ? ": others may write there" : ": it belongs to another user");
  ::close(std::exchange(folder_, -1));
}

ObjectCache::~ObjectCache() {
  if (folder_ >= 0) ::close(folder_);
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
  add(llvm_build(machine));
  add(machine.getTargetCPU());
  add(machine.getTargetFeatureString());
  add(llvm::StringRef(&variant, 1));
  add(llvm::StringRef(bitcode.data(), bitcode.size()));
  return llvm::toHex(hash.final(), true);
}

std::optional<Object> ObjectCache::find(const std::string& key) const {
  if (!keeps()) return std::nullopt;
  // A pipe of that name is not waited for.
  int descriptor = ::openat(folder_, name_of(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return std::nullopt;
  auto close_it = llvm::make_scope_exit([&] { ::close(descriptor); });
  Header expected, header;
  struct stat found{};
  if (::fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode) || !is_ours(found)) return std::nullopt;
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
  std::string name = name_of(key);
  std::string made =
      name + "." + std::to_string(::getpid()) + "." + std::to_string(reinterpret_cast<uintptr_t>(&object));
  int descriptor = ::openat(folder_, made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  Header header;
  header.bytes = object.size();
  header.checksum = checksum_of(object);
  bool written =
      write_all(descriptor, &header, sizeof header) && write_all(descriptor, object.data(), object.size());
  written = ::close(descriptor) == 0 && written;
  // Never half an object under its name; after a crash of the machine the checksum tells.
  if (!written || ::renameat(folder_, made.c_str(), folder_, name.c_str()) != 0)
    ::unlinkat(folder_, made.c_str(), 0);
  prune();
}

void ObjectCache::prune() const {
  struct stat found{};
  auto now = std::chrono::system_clock::now();
  auto age = [&] { return now - std::chrono::system_clock::from_time_t(found.st_mtime); };
  // A mark of times to come was made before the clock was set back.
  bool marked = ::fstatat(folder_, "pruned", &found, AT_SYMLINK_NOFOLLOW) == 0;
  if (marked && age() > -prune_every && age() < prune_every) return;
  int mark = ::openat(folder_, "pruned", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (mark < 0) return;
  ::futimens(mark, nullptr);
  ::close(mark);
  int again = ::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = again < 0 ? nullptr : ::fdopendir(again);
  if (entries == nullptr) {
    if (again >= 0) ::close(again);
    return;
  }
  struct Kept {
    time_t used;
    uint64_t bytes;
    std::string name;
  };
  std::vector<Kept> all;
  uint64_t total = 0;
  while (const dirent* entry = ::readdir(entries)) {
    std::string name = entry->d_name;
    if (!name.starts_with("kernel-") || ::fstatat(folder_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (age() > unused_at_most) {
      ::unlinkat(folder_, name.c_str(), 0);
      continue;
    }
    all.push_back({found.st_mtime, static_cast<uint64_t>(found.st_size), std::move(name)});
    total += all.back().bytes;
  }
  ::closedir(entries);
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& each : all) {
    if (total <= bytes_at_most) break;
    total -= each.bytes;
    ::unlinkat(folder_, each.name.c_str(), 0);
  }
}

}  // namespace mut::jit
