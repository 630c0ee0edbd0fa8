// SPDX-License-Identifier: Apache-2.0
//
// Records of a short story that has every type of record in it, allowed and denied, with and without what may be absent: what the
// conformance programs for export formats format.
#pragma once

#include "audit/export/event.h"

namespace writ::conformance {

std::vector<audit::ExportedRecord> export_story();

} // namespace writ::conformance
