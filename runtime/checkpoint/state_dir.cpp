#include "runtime/checkpoint/state_dir.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "runtime/state/saved.h"

namespace mut::checkpoint {
namespace {

constexpr size_t digits = 10;
// A run that was killed a moment ago has the lock until the system has taken its memory back.
constexpr int64_t lock_wait_ns = 2'000'000'000;
constexpr int64_t lock_look_ns = 20'000'000;
constexpr size_t files_max = 64;
// A block is written as a whole again when so many checkpoints have changed lines of it; of some, of twice as
// many.
constexpr size_t lines_most = 8;

// The number of a file `KIND-0000000012`.
std::optional<uint64_t> number_of(std::string_view name, std::string_view kind) {
  if (!name.starts_with(kind) || name.size() <= kind.size() + 1 || name[kind.size()] != '-')
    return std::nullopt;
  uint64_t out = 0;
  auto parsed = std::from_chars(name.data() + kind.size() + 1, name.data() + name.size(), out);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return out;
}

struct Listing {
  std::set<uint64_t> manifests;
  std::set<uint64_t> data;
  std::vector<std::string> unfinished;  // paths
  std::string foreign;                  // a name; empty: none
};

Result<Listing> list(env::Env& env, const std::string& path) {
  auto files = env.list_directory(path);
  if (!files) return files.error();
  Listing out;
  for (const std::string& each : files.value()) {
    std::string_view name(each);
    name.remove_prefix(name.rfind('/') + 1);
    if (auto manifest = number_of(name, "manifest")) {
      out.manifests.insert(*manifest);
    } else if (auto data = number_of(name, "data")) {
      out.data.insert(*data);
    } else if (number_of(name.substr(0, name.rfind('.')), "manifest") && name.ends_with(".new")) {
      out.unfinished.push_back(each);
    } else if (name != "lock") {
      out.foreign = name;
    }
  }
  return out;
}

// Bytes of a Spill that a start has to have: files, blocks that are put together, and the state beside them,
// which is rounded up too.
uint64_t room_to_load(const Manifest& manifest) {
  uint64_t out = 0;
  for (const Manifest::DataFile& of : manifest.files) out += std::bit_ceil(of.bytes);
  for (const Manifest::Section& section : manifest.sections) {
    for (const Manifest::Block& block : section.blocks) out += 3 * block.front().bytes;
  }
  return out;
}

std::set<uint64_t> files_of(const Manifest& manifest) {
  std::set<uint64_t> out;
  for (const Manifest::DataFile& file : manifest.files) out.insert(file.number);
  return out;
}

}  // namespace

std::vector<std::string_view> Loaded::blocks(std::string_view section) const {
  auto found = blocks_.find(section);
  return found == blocks_.end() ? std::vector<std::string_view>() : found->second;
}

Result<std::string_view> Loaded::part(BlockKind kind, const BlockPlace& place) const {
  auto file = files_.find(place.file);
  if (file == files_.end()) return Error{"it names a file that it does not have"};
  auto out = block_in(file->second.view(), kind, place);
  if (!out) return out.error().within("data-" + std::to_string(place.file));
  return out;
}

Status Loaded::assemble(const std::shared_ptr<state::Spill>& spill) {
  for (const Manifest::Section& section : manifest_.sections) {
    std::vector<std::string_view>& blocks = blocks_[section.name];
    for (const Manifest::Block& block : section.blocks) {
      auto whole = part(BlockKind::Whole, block.front());
      if (!whole) return whole.error();
      blocks.push_back(whole.value());
      if (block.size() == 1) continue;
      state::SpilledBytes& text = assembled_.emplace_back(spill, whole.value().size());
      memcpy(text.data(), whole.value().data(), text.size());
      for (size_t i = 1; i < block.size(); ++i) {
        auto lines = part(BlockKind::Lines, block[i]);
        if (!lines) return lines.error();
        Status put = put_lines(lines.value(), text.data(), text.size());
        if (!put) return put;
      }
      blocks.back() = text.view();
    }
  }
  return Unit{};
}

std::string StateDir::file(const std::string& kind, uint64_t number) const {
  std::string text = std::to_string(number);
  return path_ + "/" + kind + "-" + std::string(digits - std::min(digits, text.size()), '0') + text;
}

Result<std::unique_ptr<StateDir>> StateDir::open(env::Env& env, std::string path, size_t lines_bytes) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  Status made = env.create_directories(path);
  if (made) made = env.sync_directory_of(path);
  if (!made) return made.error();
  auto listed = list(env, path);
  if (!listed) return listed.error();
  if (!listed.value().foreign.empty()) {
    return Error{path + ": it is no directory of state: it holds `" + listed.value().foreign +
                 "`; name one that is empty or not there"};
  }
  std::unique_ptr<StateDir> out(new StateDir(env, std::move(path), lines_bytes));
  auto lock = env.open_output(out->path_ + "/lock", env::OpenMode::Append);
  if (!lock) return lock.error();
  out->lock_ = std::move(lock).value();
  Status locked = out->lock_->lock();
  for (int64_t waited_ns = 0; !locked && waited_ns < lock_wait_ns; waited_ns += lock_look_ns) {
    env.sleep(lock_look_ns);
    locked = out->lock_->lock();
  }
  if (!locked) return Error{out->path_ + ": another run has it"};
  for (uint64_t& word : out->key_) word = env.random_seed() | 1;
  return out;
}

Result<std::unique_ptr<Loaded>> StateDir::load(uint64_t number,
                                               const std::shared_ptr<state::Spill>& spill) const {
  std::string path = file("manifest", number);
  auto bytes = read_whole_file(env_, path, manifest_bytes_max);
  if (!bytes) return bytes.error();
  auto parsed = parse_manifest(bytes.value());
  if (!parsed) return parsed.error().within(path);
  auto out = std::make_unique<Loaded>();
  out->manifest_ = std::move(parsed).value();
  if (out->number() != number) return Error{path + ": it is checkpoint " + std::to_string(out->number())};
  // Else the state that is made of it would find none.
  bool has_room = spill && room_to_load(out->manifest_) <= spill->bytes_max() - spill->used_bytes();
  const std::shared_ptr<state::Spill> to = has_room ? spill : nullptr;
  for (const Manifest::DataFile& of : out->manifest_.files) {
    auto data = read_data_file(env_, file("data", of.number), of.bytes, of.digest, to);
    if (!data) return data.error();
    out->files_.emplace(of.number, std::move(data).value());
  }
  Status assembled = out->assemble(to);
  if (!assembled) return assembled.error().within(path);
  return out;
}

Result<StateDir::Newest> StateDir::load_newest(std::shared_ptr<state::Spill> spill) {
  auto listed = list(env_, path_);
  if (!listed) return listed.error();
  const Listing& files = listed.value();
  if (!files.manifests.empty()) next_number_ = *files.manifests.rbegin() + 1;
  if (!files.data.empty()) next_number_ = std::max(next_number_, *files.data.rbegin() + 1);
  Newest out;
  for (auto number = files.manifests.rbegin(); number != files.manifests.rend(); ++number) {
    auto loaded = load(*number, spill);
    if (!loaded) {
      out.refused.push_back(loaded.error().message);
      continue;
    }
    out.checkpoint = std::move(loaded).value();
    last_ = out.checkpoint->manifest_;
    return out;
  }
  if (out.refused.empty()) return out;
  std::string why;
  for (const std::string& each : out.refused) why += "\n  " + each;
  return Error{path_ + ": no checkpoint of it can be read:" + why};
}

Status StateDir::sync_sinks(const Contents& contents) {
  for (const connector::SinkPlace& sink : contents.sinks) {
    auto found = env_.identify(sink.path);
    if (!found) return found.error();
    if (found.value().size_bytes < sink.bytes)
      return Error{sink.path + ": it is shorter than what was written to it"};
    auto output = env_.open_output(sink.path, env::OpenMode::Append);
    if (!output) return output.error();
    bool is_named = named_sinks_.contains(sink.path);
    Status synced = is_named ? Status(Unit{}) : env_.sync_directory_of(sink.path);
    if (synced) named_sinks_.insert(sink.path);
    if (synced)
      synced = env_.fail_points().at("checkpoint.sink_sync") == env::Fault::Error
                   ? Status(Error{"injected failure of checkpoint.sink_sync"})
                   : output.value()->sync();
    if (!synced) {
      broken_ = true;
      return synced.error().within("no checkpoint is written any more");
    }
  }
  return Unit{};
}

std::set<uint64_t> StateDir::sparse_files() const {
  std::map<uint64_t, uint64_t> used;
  std::set<std::pair<uint64_t, uint64_t>> seen;  // several blocks may be the same
  uint64_t named = 0;
  for (const Manifest::Section& section : last_.sections) {
    for (const Manifest::Block& block : section.blocks) {
      for (const BlockPlace& place : block) {
        if (!seen.emplace(place.file, place.offset).second) continue;
        used[place.file] += place.bytes;
        named += place.bytes;
      }
    }
  }
  uint64_t all = 0;
  for (const Manifest::DataFile& of : last_.files) all += of.bytes;
  std::set<uint64_t> out;
  size_t many = last_.files.size() - std::min(last_.files.size(), files_max);
  // The oldest come first. They are let be while all of them have no more than twice what is named.
  for (const Manifest::DataFile& of : last_.files) {
    bool sparse = all > 2 * named && used[of.number] < of.bytes / 2;
    if (out.size() >= many && !sparse) continue;
    out.insert(of.number);
    all -= of.bytes;
  }
  return out;
}

const Manifest::Block* StateDir::goes_on(const std::string& section, size_t number,
                                         const std::set<uint64_t>& sparse) const {
  auto lines = known_.lines.find(section);
  if (lines == known_.lines.end() || number >= lines->second.size()) return nullptr;
  auto found = known_.places.find(lines->second[number].digest);
  if (found == known_.places.end()) return nullptr;
  const Manifest::Block& block = found->second;
  // Blocks are written as a whole again at different times, so that no checkpoint has all of them.
  if (block.size() > lines_most + number % lines_most) return nullptr;
  uint64_t of_lines = 0;
  for (size_t i = 1; i < block.size(); ++i) of_lines += block[i].bytes;
  if (of_lines > block.front().bytes) return nullptr;
  bool stays = std::none_of(block.begin(), block.end(),
                            [&](const BlockPlace& place) { return sparse.contains(place.file); });
  return stays ? &block : nullptr;
}

Status StateDir::add_section(const Section& section, const std::set<uint64_t>& sparse, DataFileWriter& data,
                             Manifest& manifest, Known& known) {
  Manifest::Section& made = manifest.sections.emplace_back();
  made.name = section.name;
  std::vector<BlockLines>& lines = known.lines[section.name];
  lines.reserve(section.blocks.size());
  for (size_t i = 0; i < section.blocks.size(); ++i) {
    std::string_view block = section.blocks[i];
    const BlockLines& now = lines.emplace_back(lines_of(block, key_));
    auto same = known_.places.find(now.digest);
    bool stays = same != known_.places.end() && same->second.front().bytes == block.size() &&
                 std::none_of(same->second.begin(), same->second.end(),
                              [&](const BlockPlace& place) { return sparse.contains(place.file); });
    const Manifest::Block* before = stays ? nullptr : goes_on(section.name, i, sparse);
    auto changed =
        before != nullptr ? changed_lines(block, now, known_.lines.at(section.name)[i]) : std::nullopt;
    Manifest::Block places;
    if (stays) places = same->second;
    if (changed) places = *before;
    if (!stays) {
      auto added = changed ? data.add(BlockKind::Lines, *changed) : data.add(BlockKind::Whole, block);
      if (!added) return added.error();
      written_bytes_ += added.value().bytes;
      places.push_back(added.value());
    }
    size_t lines_bytes = now.lines.size() * sizeof(uint64_t);
    if (known.lines_bytes + lines_bytes > lines_bytes_max_) {
      lines.back().lines = std::vector<uint64_t>();  // with its memory
    } else {
      known.lines_bytes += lines_bytes;
    }
    named_bytes_ += block.size();
    known.places.emplace(lines.back().digest, places);
    made.blocks.push_back(std::move(places));
  }
  return Unit{};
}

Status StateDir::write_data(const Contents& contents, Manifest& manifest, Known& known) {
  auto created = DataFileWriter::create(env_, file("data", contents.number), contents.number);
  if (!created) return created.error();
  DataFileWriter& data = *created.value();
  std::set<uint64_t> sparse = sparse_files();
  written_bytes_ = named_bytes_ = 0;
  for (const Section& section : contents.sections) {
    Status added = add_section(section, sparse, data, manifest, known);
    if (!added) return added;
  }
  state::SavedMemory memory;
  state::Saver marks(memory);
  marks.value(static_cast<uint64_t>(contents.places.size()));
  for (const InputPlace& input : contents.places) {
    Result<InputMark> mark = input.known ? Result<InputMark>(*input.known) : mark_of(env_, input.place);
    if (!mark && input.use == InputPlace::Use::Needed) return mark.error();
    InputMark made = mark ? mark.value() : InputMark{};
    state::pass_values(marks, made.bytes, made.crc);
  }
  Status added = add_section({"marks", marks.finish()}, sparse, data, manifest, known);
  if (!added) return added;
  (void)env_.fail_points().at("checkpoint.data_written");
  Status finished = data.finish();
  if (!finished) return finished;
  std::set<uint64_t> named;
  for (const Manifest::Section& section : manifest.sections) {
    for (const Manifest::Block& block : section.blocks) {
      for (const BlockPlace& place : block) named.insert(place.file);
    }
  }
  for (const Manifest::DataFile& of : last_.files) {
    if (named.contains(of.number)) manifest.files.push_back(of);
  }
  manifest.files.push_back({data.number(), data.bytes(), data.digest()});
  (void)env_.fail_points().at("checkpoint.data_synced");
  return env_.sync_directory_of(file("data", contents.number));
}

Status StateDir::write_manifest(const Manifest& manifest) {
  std::string path = file("manifest", manifest.number);
  auto output = env_.open_output(path + ".new", env::OpenMode::Replace);
  if (!output) return output.error();
  Status written = output.value()->write(to_bytes(manifest));
  (void)env_.fail_points().at("checkpoint.manifest_written");
  if (written && env_.fail_points().at("checkpoint.manifest_sync") == env::Fault::Error)
    written = Error{"injected failure of checkpoint.manifest_sync"};
  if (written) written = output.value()->sync();
  Status closed = output.value()->close();
  if (!written) return written;
  if (!closed) return closed;
  Status renamed = env_.rename(path + ".new", path);
  (void)env_.fail_points().at("checkpoint.renamed");
  return renamed;
}

// What does not go now goes with a later one.
void StateDir::remove_old() {
  auto listed = list(env_, path_);
  if (!listed) return;
  for (uint64_t number : listed.value().manifests) {
    if (number != last_.number && number != previous_.number)
      (void)env_.remove_file(file("manifest", number));
  }
  std::set<uint64_t> named = files_of(last_);
  named.merge(files_of(previous_));
  for (uint64_t number : listed.value().data) {
    if (!named.contains(number)) (void)env_.remove_file(file("data", number));
  }
  for (const std::string& unfinished : listed.value().unfinished) (void)env_.remove_file(unfinished);
}

Status StateDir::write(const Contents& contents) {
  if (broken_) return Error{"an output could not be synced before"};
  next_number_ = contents.number + 1;
  Known known;
  Manifest manifest;
  manifest.number = contents.number;
  Status done = sync_sinks(contents);
  (void)env_.fail_points().at("checkpoint.sinks_synced");
  if (done) done = write_data(contents, manifest, known);
  if (done) done = write_manifest(manifest);
  if (!done) {
    // Nothing names it; what was synced in vain is not synced again. A manifest that had its name may have it
    // again after a crash: its data goes with a later one.
    (void)env_.remove_file(file("manifest", contents.number) + ".new");
    bool was_named = env_.identify(file("manifest", contents.number)).ok();
    if (was_named) {
      (void)env_.remove_file(file("manifest", contents.number));
    } else {
      (void)env_.remove_file(file("data", contents.number));
    }
    return done.error().within("checkpoint " + std::to_string(contents.number));
  }
  previous_ = std::exchange(last_, std::move(manifest));
  known_ = std::move(known);
  remove_old();
  (void)env_.fail_points().at("checkpoint.removed");
  return Unit{};
}

}  // namespace mut::checkpoint
