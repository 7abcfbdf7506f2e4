// Figures and reports as JSON, for the control protocol.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mutstream/engine.h"

namespace mut::session {

std::string cells_json(const std::vector<CellVerdict>& cells);
std::string cuts_json(const std::vector<SourceCut>& cuts);
std::string texts_json(const std::vector<std::string>& texts);
// Members of a reply, each with its comma before.
enum class Taken : uint8_t { NotYet, Yes };
std::string report_json(const SwapReport& report, Taken taken);
enum class RecordText : uint8_t { Without, With };  // scripts
std::string records_json(const std::vector<VersionRecord>& records, RecordText text);
// Members, without braces.
std::string shadow_json(const ShadowReport& report);
std::string canary_json(const CanaryReport& report);
std::string figures_json(const EngineFigures& figures);  // members, without braces
std::string_view kind_text(Failure::Kind kind);
std::string failure_json(const Failure& failure);

}  // namespace mut::session
