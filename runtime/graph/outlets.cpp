#include "runtime/graph/outlets.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/env/does.h"

namespace mut::runtime {
namespace {

// `--stamp`: every row says which event of which source it comes from, and which version made it.
abi::TypeDescRef stamped_record(const abi::TypeDesc& record) {
  std::vector<abi::FieldDesc> fields;
  auto add = [&](const char* name, abi::TypeKind kind) {
    fields.push_back(abi::made_field(name, abi::make_scalar(kind)));
  };
  add("$source", abi::TypeKind::String);
  add("$position", abi::TypeKind::U64);
  add("$version", abi::TypeKind::U64);
  for (const abi::FieldDesc& field : record.fields) fields.push_back(field);
  return abi::make_record(std::move(fields));
}

}  // namespace

const OutletBinding* Outlets::find(const std::string& sink) const {
  for (const OutletBinding& binding : bindings_) {
    if (binding.sink == sink) return &binding;
  }
  return nullptr;
}

OutletBinding* Outlets::find(const std::string& sink) {
  return const_cast<OutletBinding*>(std::as_const(*this).find(sink));
}

Status Outlets::add(OutletBinding binding) {
  Status begun = binding.writer ? binding.writer->begin(binding.start) : Status(Unit{});
  if (!begun) begun = begun.error().within("sink `" + binding.sink + "`");
  binding.hold = nullptr;
  bindings_.push_back(std::move(binding));
  return begun;
}

Status Outlets::replace(OutletBinding binding) {
  Status worst = Unit{};
  for (OutletBinding& old : bindings_) {
    if (old.sink != binding.sink) continue;
    bool shared = std::any_of(bindings_.begin(), bindings_.end(), [&](const OutletBinding& other) {
      return &other != &old && other.writer == old.writer;
    });
    if (old.writer) worst = shared ? old.writer->flush() : old.writer->close();
    std::erase_if(bindings_, [&](const OutletBinding& other) { return &other == &old; });
    break;
  }
  Status added = add(std::move(binding));
  return worst ? added : worst;
}

Status Outlets::retain(const Plan& plan, const std::vector<std::pair<std::string, std::string>>& renamed) {
  for (OutletBinding& binding : bindings_) {
    for (const auto& [from, to] : renamed) {
      if (binding.sink == from) binding.sink = to;
    }
  }
  Status worst = Unit{};
  std::erase_if(bindings_, [&](const OutletBinding& binding) {
    bool used = std::any_of(plan.emits.begin(), plan.emits.end(),
                            [&](const EmitPlan& emit) { return emit.name == binding.sink; });
    if (used || !binding.writer) return !used;
    bool shared = std::any_of(bindings_.begin(), bindings_.end(), [&](const OutletBinding& other) {
      return &other != &binding && other.writer == binding.writer;
    });
    Status status = shared ? binding.writer->flush() : binding.writer->close();
    if (!status) worst = status.error().within(binding.target);
    return true;
  });
  return worst;
}

void Outlets::connect(const Plan& plan) { connect(plan, connected_); }

void Outlets::connect(const Plan& plan, std::vector<Connected>& connected) {
  connected.clear();
  connected.resize(plan.emits.size());
  for (size_t i = 0; i < plan.emits.size(); ++i) {
    connected[i].binding = find(plan.emits[i].name);
    if (connected[i].binding == nullptr || !connected[i].binding->writer) continue;
    connected[i].stamped = stamp_ ? stamped_record(*plan.emits[i].record) : plan.emits[i].record;
    connected[i].encoder = codec::make_encoder(connected[i].binding->format, connected[i].stamped);
    text_.clear();
    connected[i].encoder->append_header(text_);
    connected[i].binding->writer->set_header(text_.view());
    const std::string& target = connected[i].binding->target;
    connected[i].header_written =
        !connected[i].binding->writer->wants_header() ||
        std::find(headers_.begin(), headers_.end(), std::pair(target, connected[i].binding->format)) !=
            headers_.end();
    for (size_t j = 0; j < plan.emits.size(); ++j) {
      const OutletBinding* other = find(plan.emits[j].name);
      if (other != nullptr && other->writer == connected[i].binding->writer)
        connected[i].sharing.push_back(j);
    }
    if (connected[i].sharing.size() == 1) connected[i].sharing.clear();
  }
}

void Outlets::append_row(Connected& to, const Plan& plan, size_t sink, const char* row, uint64_t version) {
  if (!to.header_written) {
    to.header_written = true;
    std::pair header(to.binding->target, to.binding->format);
    // Another version may have written it since.
    if (std::find(headers_.begin(), headers_.end(), header) == headers_.end()) {
      to.encoder->append_header(text_);
      headers_.push_back(std::move(header));
    }
  }
  const char* record = row + sizeof(MutOutHead);
  if (!stamp_) {
    to.encoder->append(record, text_);
    return;
  }
  MutOutHead head;
  memcpy(&head, row, sizeof(head));
  std::vector<char> stamped(to.stamped->size);
  MutStr source = abi::make_str(plan.sources[head.source].name);
  memcpy(stamped.data() + to.stamped->fields[0].offset, &source, sizeof(source));
  memcpy(stamped.data() + to.stamped->fields[1].offset, &head.position, 8);
  memcpy(stamped.data() + to.stamped->fields[2].offset, &version, 8);
  const abi::TypeDesc& plain = *plan.emits[sink].record;
  for (size_t i = 0; i < plain.fields.size(); ++i) {
    memcpy(stamped.data() + to.stamped->fields[i + 3].offset, record + plain.fields[i].offset,
           plain.fields[i].type->size);
  }
  to.encoder->append(stamped.data(), text_);
}

Status Outlets::write(const Plan& plan, std::span<const MutSink> sinks, uint64_t version) {
  env::Does writes(Work::Sink);
  for (size_t i = 0; i < connected_.size(); ++i) {
    Connected& to = connected_[i];
    const MutSink& sink = sinks[i];
    if (to.binding == nullptr) continue;
    env::Does one(Work::Sink, plan.emits[i].place);
    to.binding->rows += sink.count;
    if (to.binding->use == OutletBinding::Use::Look) looked_rows_ += sink.count;
    if (to.binding->host && sink.count > 0) {
      to.binding->host(*plan.emits[i].record, sink.rows + sizeof(MutOutHead), sink.count, sink.row_size);
    }
    if (!to.encoder) continue;
    text_.clear();
    if (to.sharing.empty()) {
      for (uint64_t row = 0; row < sink.count; ++row)
        append_row(to, plan, i, sink.rows + row * sink.row_size, version);
    } else if (to.sharing[0] == i) {
      // Several sinks, one writer: merged by the order in which the rows were made.
      std::vector<uint64_t> next(to.sharing.size(), 0);
      while (true) {
        size_t best = to.sharing.size();
        uint32_t best_order = 0;
        for (size_t k = 0; k < to.sharing.size(); ++k) {
          const MutSink& other = sinks[to.sharing[k]];
          if (next[k] == other.count) continue;
          MutOutHead head;
          memcpy(&head, other.rows + next[k] * other.row_size, sizeof(head));
          if (best == to.sharing.size() || head.order < best_order) {
            best = k;
            best_order = head.order;
          }
        }
        if (best == to.sharing.size()) break;
        size_t which = to.sharing[best];
        const MutSink& from = sinks[which];
        append_row(connected_[which], plan, which, from.rows + next[best] * from.row_size, version);
        ++next[best];
      }
    }
    if (text_.empty()) continue;
    Status status = to.binding->writer->write(text_.view());
    if (!status) return status.error().within("sink `" + to.binding->sink + "`");
  }
  return Unit{};
}

bool Outlets::hold_up(env::Env& env) {
  bool out = false;
  for (OutletBinding& binding : bindings_) {
    bool full = binding.writer && binding.writer->full();
    out = out || full;
    if (full == binding.full_since_ns.has_value()) continue;
    int64_t now_ns = env.monotonic_ns();
    if (full) {
      binding.full_since_ns = now_ns;
    } else {
      binding.held_up_ns += now_ns - *std::exchange(binding.full_since_ns, std::nullopt);
    }
  }
  return out;
}

void Outlets::hurry() {
  for (OutletBinding& binding : bindings_) {
    if (binding.writer) binding.writer->hurry();
  }
}

Status Outlets::flush() {
  env::Does writes(Work::Sink);
  for (OutletBinding& binding : bindings_) {
    if (!binding.writer) continue;
    Status status = binding.writer->flush();
    if (!status) return status.error().within("sink `" + binding.sink + "`");
  }
  return Unit{};
}

Status Outlets::close() {
  Status worst = Unit{};
  std::vector<connector::SinkWriter*> closed;
  for (OutletBinding& binding : bindings_) {
    if (!binding.writer || std::find(closed.begin(), closed.end(), binding.writer.get()) != closed.end())
      continue;
    closed.push_back(binding.writer.get());
    Status status = binding.writer->close();
    if (!status) worst = status.error().within("sink `" + binding.sink + "`");
  }
  bindings_.clear();
  connected_.clear();
  beside_.clear();
  return worst;
}

}  // namespace mut::runtime
