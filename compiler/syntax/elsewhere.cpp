#include "compiler/syntax/elsewhere.h"

#include <algorithm>
#include <array>

namespace mut::syntax {
namespace {

struct Advice {
  std::string_view word, note;
};

constexpr std::array advices = {
    Advice{"select", "a query is a pipeline: `stream name = payments | where … | select …`"},
    Advice{"create", "a `source` says where rows come from, a `type` what is in them"},
    Advice{"var", "`const` or `param` name a value for the whole script"},
    Advice{"let", "`const` or `param` name a value for the whole script"},
    Advice{"group", "keys stand behind `by` alone"},
    Advice{"having", "groups are chosen in the next stage: `| where …`"},
    Advice{"between", "write `x in lo..hi`; both ends are in it"},
    Advice{"like", "write `s.starts_with(\"…\")`, `s.contains(\"…\")` or `s ~ re\"…\"`"},
    Advice{"?", "write `if … then … else …`"},
    Advice{"if", "write `if … then … else …`"},
    Advice{"case", "write `if … then … else …`, or `match x { … -> …, else -> … }`"},
    Advice{"when", "write `if … then … else …`, or `match x { … -> …, else -> … }`"},
    Advice{"every", "write `window tumbling 1h`"},
    Advice{"outer", "did you mean `left join`?"},
    Advice{"inner", "`join` alone is the inner one"},
    Advice{"using", "write `on a == other.b`"},
    Advice{"distinct", "write `dedupe by k within 1h`; the number of different values is `distinct(x)`"},
    Advice{"order", "did you mean `sort by amount`? It needs a window"},
    Advice{"union", "a stream begins with `merge(a, b)`"},
    Advice{"window", "a window stands behind the keys: `aggregate … by … window tumbling 1h`"},
    Advice{";", "no `;` ends a line"},
    Advice{"for", "write `xs.map(x => e)`, `xs.filter(x => c)`"},
    Advice{"lambda", "a lambda is written `x => e`"},
    Advice{"followed", "`a b` is the next event, `a then b` a later one"},
};

}  // namespace

std::optional<std::string_view> said_here(std::string_view word) {
  auto found = std::ranges::find(advices, word, &Advice::word);
  if (found == advices.end()) return std::nullopt;
  return found->note;
}

}  // namespace mut::syntax
