#include "runtime/env/real_sampler.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace mut::env {

thread_local volatile Where thread_where __attribute__((tls_model("initial-exec"))) = 0;

WhereOffset where_offset() {
#if defined(__x86_64__)
  const char* thread = nullptr;
  asm("mov %%fs:0, %0" : "=r"(thread));
  return {true, reinterpret_cast<const volatile char*>(&thread_where) - thread};
#else
  return {};
#endif
}

// Samples that its thread has written and nobody has taken: a quarter of a second of them at the most.
class SampleRing {
 public:
  // By the handler alone.
  void put(const ThreadSample& sample) {
    uint64_t next = next_.load(std::memory_order_relaxed);
    if (next - taken_.load(std::memory_order_acquire) == size) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    samples_[next % size] = sample;
    next_.store(next + 1, std::memory_order_release);
  }
  // By one thread at a time.
  template <typename Each>
  void take(const Each& each) {
    uint64_t end = next_.load(std::memory_order_acquire);
    for (uint64_t at = taken_.load(std::memory_order_relaxed); at != end; ++at) {
      each(samples_[at % size]);
      taken_.store(at + 1, std::memory_order_release);
    }
  }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint64_t size = 512;
  std::array<ThreadSample, size> samples_;
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> taken_{0};
  std::atomic<uint64_t> lost_{0};
};

namespace {

// Processor time between two samples, nanoseconds. Machines tick less often, and give what they have.
constexpr int64_t period_ns = 1'000'000;

// Rings that handlers write into. A signal names a slot and the turn in which it was lent, and not an
// address: one that was under way when its timer went comes to nobody.
struct Slot {
  std::atomic<SampleRing*> ring{nullptr};
  std::atomic<uint32_t> turn{0};
  std::atomic<uint32_t> inside{0};  // handlers
};
constexpr size_t slot_count = 256;
std::array<Slot, slot_count> slots;  // of the process, as its signals are
std::mutex slots_mutex;              // guards who has which

uintptr_t pc_of(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<uintptr_t>(machine.pc);
#else
  (void)machine;
  return 0;
#endif
}

void on_sample(int, siginfo_t* info, void* context) {
  if (info->si_code != SI_TIMER) return;
  int saved = errno;
  auto word = static_cast<uint32_t>(info->si_value.sival_int);
  Slot& slot = slots[word % slot_count];
  slot.inside.fetch_add(1, std::memory_order_seq_cst);
  SampleRing* ring = slot.ring.load(std::memory_order_seq_cst);
  if (ring != nullptr && slot.turn.load(std::memory_order_relaxed) == word / slot_count)
    ring->put({pc_of(context), thread_where});
  slot.inside.fetch_sub(1, std::memory_order_release);
  errno = saved;
}

// For good: a signal may be under way when the last timer goes.
Status take_signal() {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  struct sigaction now{};
  if (sigaction(SIGPROF, nullptr, &now) != 0) return Error{"SIGPROF cannot be asked about"};
  bool ours = (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_sample;
  if (ours) return Unit{};
  bool free = (now.sa_flags & SA_SIGINFO) == 0 && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
  if (!free) return Error{"the process handles SIGPROF itself"};
  struct sigaction next{};
  next.sa_sigaction = on_sample;
  next.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&next.sa_mask);
  if (sigaction(SIGPROF, &next, nullptr) != 0) return Error{"SIGPROF cannot be handled"};
  return Unit{};
}

constexpr uint32_t no_slot = UINT32_MAX;

// A value for the signal, or no_slot where all are lent.
uint32_t lend_slot(SampleRing& ring) {
  std::lock_guard lock(slots_mutex);
  for (uint32_t i = 0; i < slot_count; ++i) {
    if (slots[i].ring.load(std::memory_order_relaxed) != nullptr) continue;
    uint32_t turn = (slots[i].turn.load(std::memory_order_relaxed) + 1) % (1U << 22U);
    slots[i].turn.store(turn, std::memory_order_relaxed);
    slots[i].ring.store(&ring, std::memory_order_seq_cst);
    return turn * slot_count + i;
  }
  return no_slot;
}

// No handler writes into the ring any more when it returns.
void take_slot_back(uint32_t value) {
  Slot& slot = slots[value % slot_count];
  slot.ring.store(nullptr, std::memory_order_seq_cst);
  while (slot.inside.load(std::memory_order_seq_cst) != 0) sched_yield();
}

int64_t read_ns(clockid_t clock) {
  timespec now{};
  if (clock_gettime(clock, &now) != 0) return 0;
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// How long the thread could run and did not, nanoseconds; 0 where the kernel does not count it.
int64_t read_waits_ns(pid_t thread) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", static_cast<int>(thread));
  int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128] = {};
  ssize_t got = ::read(file, text, sizeof text - 1);
  ::close(file);
  const char* second = got > 0 ? std::strchr(text, ' ') : nullptr;
  return second != nullptr ? std::strtoll(second, nullptr, 10) : 0;
}

}  // namespace

// Guarded by the mutex of its roll.
struct WatchedThread {
  std::string name;
  uint64_t number = 0;
  pid_t id = 0;
  clockid_t clock{};
  bool over = false;
  // While it is looked at, and until it is forgotten.
  std::unique_ptr<SampleRing> ring;
  uint32_t slot = no_slot;
  timer_t timer{};
  bool has_timer = false;
  int64_t cpu_begin = 0;
  int64_t waits_begin = 0;
  int64_t cpu_ns = 0;  // once it is over
  int64_t waits_ns = 0;

  void begin() {
    ring = std::make_unique<SampleRing>();
    cpu_begin = read_ns(clock);
    waits_begin = read_waits_ns(id);
    slot = lend_slot(*ring);
    if (slot == no_slot) return;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event.sigev_value.sival_int = static_cast<int>(slot);
    event._sigev_un._tid = id;
    has_timer = timer_create(clock, &event, &timer) == 0;
    itimerspec every{};
    every.it_interval.tv_nsec = period_ns;
    every.it_value.tv_nsec = period_ns;
    if (has_timer) (void)timer_settime(timer, 0, &every, nullptr);
  }
  ThreadTime time() const {
    if (over) return {name, number, cpu_ns, waits_ns};
    return {name, number, read_ns(clock) - cpu_begin, read_waits_ns(id) - waits_begin};
  }
  // What is in the ring stays.
  void stop() {
    if (has_timer) (void)timer_delete(timer);
    has_timer = false;
    if (slot != no_slot) take_slot_back(slot);
    slot = no_slot;
  }
};

struct ThreadRoll::State {
  std::mutex mutex;
  std::vector<std::shared_ptr<WatchedThread>> threads;
  uint64_t numbers = 0;
  bool sampled = false;
};

ThreadRoll::ThreadRoll() : state_(std::make_unique<State>()) {}
ThreadRoll::~ThreadRoll() = default;

ThreadRoll::Entry::Entry(const std::shared_ptr<ThreadRoll>& roll, const char* name)
    : roll_(roll), thread_(std::make_shared<WatchedThread>()) {
  thread_->name = name;
  thread_->id = static_cast<pid_t>(syscall(SYS_gettid));
  if (pthread_getcpuclockid(pthread_self(), &thread_->clock) != 0) thread_->clock = CLOCK_THREAD_CPUTIME_ID;
  std::lock_guard lock(roll->state_->mutex);
  thread_->number = ++roll->state_->numbers;
  if (roll->state_->sampled) thread_->begin();
  roll->state_->threads.push_back(thread_);
}

ThreadRoll::Entry::~Entry() {
  std::shared_ptr<ThreadRoll> roll = roll_.lock();
  if (!roll) return;
  std::lock_guard lock(roll->state_->mutex);
  ThreadTime last = thread_->ring ? thread_->time() : ThreadTime{};
  thread_->cpu_ns = last.cpu_ns;
  thread_->waits_ns = last.waits_ns;
  thread_->over = true;
  thread_->stop();
  // The sampler still wants what it has seen.
  if (!roll->state_->sampled) std::erase(roll->state_->threads, thread_);
}

class RealSampler final : public Sampler {
 public:
  explicit RealSampler(std::shared_ptr<ThreadRoll> roll) : roll_(std::move(roll)) {}

  ~RealSampler() override {
    std::lock_guard lock(state().mutex);
    state().sampled = false;
    for (const auto& thread : state().threads) {
      thread->stop();
      thread->ring.reset();
    }
    std::erase_if(state().threads, [](const auto& thread) { return thread->over; });
  }

  void enrol(const char* name) override {
    // Of the last Env that this thread has run; it ends with the thread.
    thread_local std::unique_ptr<ThreadRoll::Entry> entry;
    if (entry && entry->is_of(roll_.get())) return;
    entry = std::make_unique<ThreadRoll::Entry>(roll_, name);
  }

  void take(const std::function<void(uint64_t, const ThreadSample&)>& each) override {
    std::lock_guard lock(state().mutex);
    for (const auto& thread : state().threads) {
      if (!thread->ring) continue;
      thread->ring->take([&](const ThreadSample& sample) { each(thread->number, sample); });
    }
  }

  uint64_t lost() const override {
    std::lock_guard lock(state().mutex);
    uint64_t out = 0;
    for (const auto& thread : state().threads) out += thread->ring ? thread->ring->lost() : 0;
    return out;
  }

  std::vector<ThreadTime> times() const override {
    std::lock_guard lock(state().mutex);
    std::vector<ThreadTime> out;
    for (const auto& thread : state().threads) {
      if (thread->ring) out.push_back(thread->time());
    }
    return out;
  }

 private:
  ThreadRoll::State& state() const { return *roll_->state_; }
  std::shared_ptr<ThreadRoll> roll_;
};

Result<std::shared_ptr<Sampler>> ThreadRoll::start_sampler() {
  Status taken = take_signal();
  if (!taken) return taken.error();
  std::lock_guard lock(state_->mutex);
  if (state_->sampled) return Error{"somebody looks at the threads already"};
  state_->sampled = true;
  for (const auto& thread : state_->threads) thread->begin();
  return std::shared_ptr<Sampler>(std::make_shared<RealSampler>(shared_from_this()));
}

}  // namespace mut::env
