// How a shadow gets its state, and how it ends.
#include <utility>

#include "runtime/graph/runner.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

std::string carry_over(const std::vector<ShardMigration>& shards, const Migration& migration,
                       SwapResult& result) {
  Conversion conversion = convert(shards, migration);
  if (!conversion.problem.empty()) return conversion.problem;
  MigrationCount moved = migrate(shards, migration, conversion);
  result.entries_converted += moved.entries;
  result.cells_converted += moved.cells;
  // What would be taken over bit by bit is taken here.
  for (const ShardMigration& shard : shards) {
    for (size_t i = 0; i < shard.next->store_count(); ++i) {
      shard.next->store(i).take_rest();
      (void)shard.next->store(i).take_emptied();
    }
  }
  return "";
}

}  // namespace

std::unique_ptr<Shadow> Runner::make_shadow(std::shared_ptr<ShadowRows> rows) {
  auto budget = std::make_shared<state::Budget>(options_.memory_bytes, options_.spill);
  Fleet::Makeup makeup{options_.shards, fleet_.seed(), std::move(budget), Shard::Of::Beside,
                       fleet_.part_rows()};
  return std::make_unique<Shadow>(crew_, std::move(makeup), std::move(rows));
}

Runner::Cost Runner::shadow_cost() const {
  Cost out = shadow_cost_;
  if (!shadow_) return out;
  out.errors = shadow_->fleet().errors().total();
  out.state_bytes = shadow_->fleet().budget().used();
  return out;
}

void Runner::fire_shadow() {
  if (!shadow_) return;
  shadow_->fleet().set_arrival(feeds_.now_ns());
  shadow_->fire_due();
  shadow_->rows().settle();
}

// The state of the live version is copied, and the copy goes over to the candidate as it would at an edit.
void Runner::begin_shadow(PreparedSwap swap) {
  int64_t begin = env_.thread_cpu_ns();
  end_shadow();
  SwapResult result;
  result.version = swap.version;
  result.cut = feeds_.positions();
  Fleet& candidate = swap.begins->fleet();
  std::shared_ptr<state::Budget> counted = candidate.shared_budget();  // outlives the copies
  Instance& live = fleet_.instance(0);
  Instances copies = candidate.make_instances(live.shared_plan(), live.kernels());
  std::vector<ShardMigration> copied;
  std::vector<ShardMigration> edited;
  std::vector<Parked> nothing(fleet_.size());
  for (size_t i = 0; i < fleet_.size(); ++i) {
    copied.push_back({&fleet_.instance(i), copies[i].get(), &nothing[i]});
    edited.push_back({copies[i].get(), swap.next[i].get(), &nothing[i]});
  }
  std::string problem = carry_over(copied, copy_of(plan()), result);
  if (problem.empty()) problem = carry_over(edited, swap.migration, result);
  if (!problem.empty()) return refuse(std::move(swap), std::move(problem));
  retire_conversions(swap.migration);
  (void)candidate.set_instances(std::move(swap.next));
  candidate.set_arrival(live.context().arrival);
  for (size_t i = 0; i < fleet_.size(); ++i) candidate.shards()[i]->stand_where(*fleet_.shards()[i]);
  shadow_ = std::move(swap.begins);
  shadow_cost_ = {};
  std::vector<batch::NeededColumns> columns;
  for (const SourcePlan& source : candidate.plan().sources) columns.push_back(source.needed);
  feeds_.read_also(readers(), std::move(columns));
  shadow_->fire_due();  // what the edit made due
  shadow_->rows().settle();
  retire(std::move(copies), candidate);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
}

void Runner::end_shadow() {
  if (!shadow_) return;
  feeds_.read_also(readers(), {});
  shadow_cost_ = shadow_cost();
  std::shared_ptr<Shadow> ended = std::move(shadow_);
  std::vector<Kernels> code;
  for (const auto& shard : ended->fleet().shards()) code.push_back(shard->instance().set_kernels({}));
  retired_.retire_state(std::move(ended));
  for (const Kernels& each : code) retire(each);  // behind what ran on it
}

}  // namespace mut::runtime
