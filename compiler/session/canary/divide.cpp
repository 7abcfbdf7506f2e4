// Which edits can be made for some keys.
#include <cstdlib>

#include "compiler/session/canary/run.h"
#include "runtime/state/store_desc.h"

namespace mut {
namespace {

bool same_windows(const state::StoreDesc& a, const state::StoreDesc& b) {
  return a.kind == b.kind && a.size == b.size && a.every == b.every && a.offset == b.offset &&
         a.zone == b.zone && a.late_within == b.late_within && a.gives == b.gives;
}

// The key of the old store that is the new one's `key`.
int key_before(const runtime::StorePart& part, int key) {
  return part.keys.empty() ? key : part.keys[static_cast<size_t>(key)];
}

bool is_number(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

namespace session {

std::string divide_migration(runtime::Migration& migration, const Program& before, const Program& after,
                             const std::vector<int>& before_keys, const std::vector<int>& after_keys) {
  std::string out;
  for (size_t i = 0; i < migration.stores.size(); ++i) {
    runtime::StoreMigration& store = migration.stores[i];
    store.returned.clear();
    store.returns_whole = false;
    if (store.transfer == runtime::StoreTransfer::Fresh) continue;
    const state::StoreDesc& now = after.plan->stores[i].desc;
    const state::StoreDesc& was = before.plan->stores[static_cast<size_t>(store.old_store)].desc;
    const std::string of = "state of `" + now.path + "` ";
    if (!store.joined.empty()) {
      out += of + "would be made of several\n";
    } else if (store.conversion >= 0) {
      out += of + "would have keys or variables that are made anew\n";
    } else if (key_before(store, after_keys[i]) != before_keys[static_cast<size_t>(store.old_store)]) {
      out += of + "would be kept by another key\n";
    } else if (!same_windows(was, now)) {
      out += of + "would have other windows, which begin for all keys at once\n";
    } else if (store.transfer == runtime::StoreTransfer::Retune ||
               store.transfer == runtime::StoreTransfer::Branch) {
      out += of + "would have other rules\n";
    }
    for (size_t cell = store.cells.size();
         store.transfer == runtime::StoreTransfer::Move && cell < now.cells.size(); ++cell)
      store.cells.push_back(static_cast<int>(cell));
    store.transfer = runtime::StoreTransfer::Convert;
  }
  migration.old = runtime::Migration::Old::Stays;
  migration.parks.clear();
  return out;
}

}  // namespace session

std::optional<CanaryPart> CanaryPart::parse(std::string_view text, std::string& problem) {
  problem = "`" + std::string(text) +
            "`: write `5% by card`: a part of more than 0% and less than 100%, with two "
            "digits behind the point at most, and a field of the sources";
  size_t percent = text.find("% by ");
  if (percent == std::string_view::npos) return std::nullopt;
  std::string_view number = text.substr(0, percent);
  size_t point = std::min(number.find('.'), number.size());
  std::string_view whole = number.substr(0, point);
  std::string_view rest = point < number.size() ? number.substr(point + 1) : std::string_view("0");
  if (!is_number(whole, 1, 2) || !is_number(rest, 1, 2)) return std::nullopt;
  CanaryPart out;
  std::string hundredths = std::string(whole) + std::string(rest) + (rest.size() == 1 ? "0" : "");
  out.share = static_cast<uint32_t>(std::strtoul(hundredths.c_str(), nullptr, 10));
  out.field = text.substr(percent + 5);
  if (out.share == 0 || out.field.empty() || out.field.find_first_of(" \t") != std::string::npos)
    return std::nullopt;
  problem.clear();
  return out;
}

std::string CanaryPart::text() const {
  std::string rest = std::to_string(share % 100);
  if (rest.size() == 1) rest.insert(0, "0");
  while (rest.ends_with('0')) rest.pop_back();
  return std::to_string(share / 100) + (rest.empty() ? "" : "." + rest) + "% by " + field;
}

}  // namespace mut
