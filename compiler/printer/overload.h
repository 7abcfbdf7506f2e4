// Several lambdas as one visitor of a variant.
#pragma once

namespace mut::printer {

template <typename... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overload(Cases...) -> Overload<Cases...>;

}  // namespace mut::printer
