// Which cells of the four transaction machines a run of seeds has reached. Implements: RFC 3261
// §17; RFC 6026 (as a check)
#pragma once

#include <cstdint>
#include <string>

#include "transaction/machine_coverage.h"

namespace signalbox::sim {

void add(transaction::MachineCoverage& sum, const transaction::MachineCoverage& one);

/// Each legal cell with its count, one line per machine and state.
std::string coverage_table(const transaction::MachineCoverage& coverage);

/// The legal cells that were never reached, one line each.
std::string cells_missing(const transaction::MachineCoverage& coverage);

}  // namespace signalbox::sim
