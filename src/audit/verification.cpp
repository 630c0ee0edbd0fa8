// SPDX-License-Identifier: Apache-2.0
#include "audit/verification.h"

#include "audit/record.h"

#include <algorithm>

namespace writ::audit {

Result<tlog::FolderReport> verify_audit_log(
    Path const& folder, std::optional<tlog::NoteVerifier> key, std::function<void(std::uint64_t, std::uint64_t)> const& progress)
{
    std::uint64_t recorded = 0;
    auto const look = [&recorded](std::uint64_t, BytesView entry) {
        // Most are not: a look at the text is enough to know.
        if (as_text(entry).find("\"dropped_before\"") == std::string_view::npos)
            return;
        auto const record = parse_record(as_text(entry));
        if (record.is_ok() && record->type == RecordType::retention && record->dropped_before)
            recorded = std::max(recorded, *record->dropped_before);
    };
    auto report = TRY(tlog::verify_folder(folder, std::move(key), progress, look));
    if (report.dropped > recorded)
        return corruption("entries before " + std::to_string(report.dropped) + " were dropped, but the log's records say so of those before "
            + std::to_string(recorded) + " alone");
    return report;
}

} // namespace writ::audit
