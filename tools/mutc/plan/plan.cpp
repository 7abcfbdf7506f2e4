#include "tools/mutc/plan/plan.h"

#include <cstdio>
#include <memory>

namespace mut::tools {

void add_plan(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  struct Options {
    std::string before;
    std::string after;
    bool json = false;
    bool bounds = false;
    std::string policy = "ask";
    std::vector<std::string> accepts;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("plan", "Show what an edit would do to the state of a running script");
  command->add_option("OLD", options->before, "The running script")->required();
  command->add_option("NEW", options->after, "The edited script")->required();
  CLI::Option* json = command->add_flag("--json", options->json, "The same as JSON");
  command->add_flag("--bounds", options->bounds, "Also show what bounds the state of each stage of NEW")
      ->excludes(json);
  command->add_option("--policy", options->policy, "strict, ask or live")
      ->check(CLI::IsMember({"strict", "ask", "live"}));
  command->add_option("--accept", options->accepts, "VERDICT:CELL")->allow_extra_args(false);
  command->callback([&console, &exit_code, options] {
    auto before = read_script(options->before);
    auto after = read_script(options->after);
    if (!before || !after) {
      exit_code = exit_io;
      return;
    }
    PlanOptions plan;
    plan.policy = options->policy == "strict" ? SwapPolicy::Strict
                  : options->policy == "live" ? SwapPolicy::Live
                                              : SwapPolicy::Ask;
    plan.format = options->json ? PlanOptions::Format::Json : PlanOptions::Format::Text;
    plan.bounds = options->bounds ? PlanOptions::Bounds::Show : PlanOptions::Bounds::No;
    plan.color = use_color(console);
    for (const std::string& accept : options->accepts) {
      auto consent = parse_accept(accept);
      if (!consent) {
        exit_code = exit_usage;
        return;
      }
      plan.accept.push_back(std::move(*consent));
    }
    PlanResult result = plan_change(*before, options->before, *after, options->after, plan);
    std::fputs(result.text.c_str(), result.exit_code == exit_script ? stderr : stdout);
    exit_code = result.exit_code;
  });
}

}  // namespace mut::tools
