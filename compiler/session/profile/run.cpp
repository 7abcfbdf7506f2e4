#include "compiler/session/profile/run.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include "compiler/graph/places.h"
#include "runtime/env/does.h"

namespace mut::session {
namespace {

// Between two looks at the samples: a ring holds ten times as much.
constexpr int64_t look_ns = 20'000'000;
constexpr const char* running_thread = "mut-run";

// Whose time is counted as a whole: it runs rows, or waits to.
bool runs_rows(std::string_view thread) {
  return thread == running_thread || thread.starts_with("mut-shard-");
}

}  // namespace

ProfileRun::ProfileRun(env::Env& env, std::shared_ptr<env::Sampler> sampler, uint32_t row_threads)
    : env_(env),
      sampler_(std::move(sampler)),
      row_threads_(row_threads),
      over_(env.make_event_count()),
      watcher_(env.start_thread("mut-profile", [this] { watch(); })) {}

ProfileRun::~ProfileRun() {
  life_ = ProfileReport::Life::Ended;
  over_->notify();
  watcher_->join();
}

void ProfileRun::watch() {
  while (true) {
    uint64_t seen = over_->current();
    if (life_ == ProfileReport::Life::Ended) return;
    over_->wait(seen, look_ns);
    std::lock_guard lock(mutex_);
    take();
  }
}

void ProfileRun::enrol() {
  if (life_ == ProfileReport::Life::Ended) return;
  std::lock_guard lock(mutex_);
  if (sampler_) sampler_->enrol(running_thread);
}

void ProfileRun::take() {
  if (!sampler_) return;
  bool counts = life_ == ProfileReport::Life::Runs;
  sampler_->take([&](uint64_t thread, const env::ThreadSample& sample) {
    if (counts) count(thread, sample);
  });
}

Work ProfileRun::work_of(const env::ThreadSample& sample, Place& place, bool& of_place) const {
  of_place = false;
  if (auto found = loaded_->find(sample.pc)) {
    auto known = version_of_code_.find(found->number);
    if (known == version_of_code_.end()) return Work::Beside;
    if (found->place < 0) return Work::Engine;
    place = {known->second, found->place};
    of_place = true;
    return found->kind == jit::CodeKind::State ? Work::State : Work::Lines;
  }
  auto kind = static_cast<uint8_t>(sample.where & 0xFFU);
  if (kind == 0 || kind > work_count) return Work::Host;
  if (uint32_t line = sample.where >> 8U; line > 0) {
    place = {versions_.size() - 1, static_cast<int>(line) - 1};
    of_place = true;
  }
  return static_cast<Work>(kind - 1);
}

void ProfileRun::count(uint64_t number, const env::ThreadSample& sample) {
  Place place;
  bool of_place = false;
  Work work = work_of(sample, place, of_place);
  Thread& thread = threads_[number];
  ++thread.samples;
  if (of_place && place.place >= graph::place_count(*versions_[place.version].program->graph)) {
    of_place = false;
    work = Work::Engine;
  }
  ++thread.works[static_cast<size_t>(work)];
  if (!of_place) return;
  Samples& counted = thread.places[place];
  bool io = work == Work::Decode || work == Work::Sink;
  ++(work == Work::State ? counted.state : io ? counted.io : counted.lines);
}

void ProfileRun::runs(uint64_t version, const std::shared_ptr<const Program>& program, const void* code,
                      const jit::LoadedCode& loaded, std::vector<RowCount> rows) {
  std::lock_guard lock(mutex_);
  if (life_ == ProfileReport::Life::Ended) return;
  take();  // of what ran until now
  loaded_ = &loaded;
  if (versions_.empty() || versions_.back().program != program) versions_.push_back({version, program});
  version_of_code_[loaded.number_of(code)] = versions_.size() - 1;
  if (life_ == ProfileReport::Life::Runs) return;
  begin_ns_ = env_.monotonic_ns();
  for (const env::ThreadTime& time : sampler_->times()) {
    threads_[time.thread].cpu_before_ns = time.cpu_ns;
    threads_[time.thread].waits_before_ns = time.waits_ns;
  }
  rows_before_ = std::move(rows);
  life_ = ProfileReport::Life::Runs;
}

ProfileReport ProfileRun::report(const std::vector<RowCount>& rows) const {
  std::lock_guard lock(mutex_);
  return life_ == ProfileReport::Life::Ended ? last_ : report_now(rows);
}

void ProfileRun::end(const std::vector<RowCount>& rows) {
  std::shared_ptr<env::Sampler> gone;
  {
    std::lock_guard lock(mutex_);
    if (life_ == ProfileReport::Life::Ended) return;
    take();
    last_ = report_now(rows);
    last_.life = ProfileReport::Life::Ended;
    life_ = ProfileReport::Life::Ended;
    gone = std::exchange(sampler_, nullptr);
  }
  over_->notify();
}

// Samples of a thread share what it has used of a processor, which is known to the nanosecond.
ProfileReport ProfileRun::report_now(const std::vector<RowCount>& rows) const {
  ProfileReport out;
  out.life = life_;
  out.row_threads = row_threads_;
  if (life_ == ProfileReport::Life::Waits) return out;
  out.elapsed_ns = env_.monotonic_ns() - begin_ns_;
  out.lost = sampler_->lost();
  auto spent = [&](Work work) -> double& { return out.work_ns[static_cast<size_t>(work)]; };
  std::map<Place, ProfilePlace> places;  // without what is known of the script
  double of_rows = 0;
  for (const env::ThreadTime& time : sampler_->times()) {
    auto known = threads_.find(time.thread);
    Thread none;
    const Thread& thread = known == threads_.end() ? none : known->second;
    auto cpu = static_cast<double>(std::max<int64_t>(0, time.cpu_ns - thread.cpu_before_ns));
    auto waits = static_cast<double>(std::max<int64_t>(0, time.waits_ns - thread.waits_before_ns));
    bool of_shard = runs_rows(time.name);
    if (of_shard) of_rows += cpu + waits;
    if (of_shard) spent(Work::Waits) += waits;
    out.samples += thread.samples;
    if (thread.samples == 0) {
      spent(Work::Unseen) += cpu;
      continue;
    }
    double each = cpu / static_cast<double>(thread.samples);
    for (size_t i = 0; i < work_count; ++i) {
      // Threads of the engine's own are nobody's host.
      bool own = static_cast<Work>(i) == Work::Host && time.name != running_thread;
      spent(own ? Work::Engine : static_cast<Work>(i)) += each * static_cast<double>(thread.works[i]);
    }
    for (const auto& [place, samples] : thread.places) {
      ProfilePlace& sum = places[place];
      sum.samples += samples.lines + samples.state + samples.io;
      sum.lines_ns += each * static_cast<double>(samples.lines);
      sum.state_ns += each * static_cast<double>(samples.state);
      sum.io_ns += each * static_cast<double>(samples.io);
    }
  }
  double whole = static_cast<double>(out.elapsed_ns) * row_threads_;
  spent(Work::Idle) = std::max(0.0, whole - of_rows);
  for (const Version& version : versions_) {
    bool told = !out.versions.empty() && out.versions.back().version == version.number;
    if (!told) out.versions.push_back({version.number, version.program->name(), version.program->text});
  }
  add_places(places, out);
  const Program& now = *versions_.back().program;
  for (const RowCount& count : rows) {
    uint64_t before = 0;
    for (const RowCount& earlier : rows_before_) {
      if (earlier.key == count.key) before = earlier.rows;
    }
    if (count.rows < before) before = 0;  // another of that name
    if (count.rows == before) continue;
    source::Span span = graph::describe_place(*now.graph, count.place).span;
    out.counts.push_back(
        {now.sources->file(span.file).name(), now.sources->locate(span).line, count.of, count.rows - before});
  }
  return out;
}

void ProfileRun::add_places(const std::map<Place, ProfilePlace>& places, ProfileReport& out) const {
  for (const auto& [at, sum] : places) {
    const Version& version = versions_[at.version];
    graph::Place place = graph::describe_place(*version.program->graph, at.place);
    const source::SourceSet& sources = *version.program->sources;
    ProfilePlace told = sum;
    told.version = version.number;
    told.name = place.name;
    told.file = sources.file(place.span.file).name();
    told.line = sources.locate(place.span).line;
    // Two of a stage, or of one version with other taps: they are written in one place.
    auto same = std::find_if(out.places.begin(), out.places.end(), [&](const ProfilePlace& other) {
      return std::tie(other.version, other.name, other.file, other.line) ==
             std::tie(told.version, told.name, told.file, told.line);
    });
    if (same == out.places.end()) {
      out.places.push_back(std::move(told));
      continue;
    }
    same->samples += told.samples;
    same->lines_ns += told.lines_ns;
    same->state_ns += told.state_ns;
    same->io_ns += told.io_ns;
  }
  std::stable_sort(out.places.begin(), out.places.end(), [](const ProfilePlace& a, const ProfilePlace& b) {
    return std::tie(a.version, a.file, a.line) < std::tie(b.version, b.file, b.line);
  });
}

}  // namespace mut::session
