// SPDX-License-Identifier: Apache-2.0
#include "replay/version_record.h"

#include "replay/record_view.h"
#include "tlog/tile.h"

namespace writ::replay {

namespace {

std::optional<VersionRecord> look_at(std::string_view entry, std::uint64_t sequence, std::uint64_t version)
{
    auto const view = view_record(entry);
    if (!view || view->type != R"("administration")")
        return std::nullopt;
    auto const record = audit::parse_record(entry);
    return record.is_ok() ? version_record_of(sequence, *record, version) : std::nullopt;
}

} // namespace

Result<std::string> read_entry(EntrySource const& source, std::uint64_t sequence)
{
    if (sequence >= source.size())
        return not_found("the log's checkpoint covers " + std::to_string(source.size()) + " records; there is no record "
            + std::to_string(sequence) + " among them");
    auto const bundle = TRY(read_bundle(source, sequence / tlog::tile_width));
    return std::string(bundle.entries[sequence % tlog::tile_width]);
}

Result<std::optional<VersionRecord>> find_version_record(EntrySource const& source, std::uint64_t version, std::uint64_t before)
{
    auto left = std::min(before, source.size());
    auto const kept = TRY(first_kept(source));
    while (left > kept) {
        auto const bundle = TRY(read_bundle(source, (left - 1) / tlog::tile_width));
        for (; left > bundle.first; --left)
            if (auto const found = look_at(bundle.entries[left - 1 - bundle.first], left - 1, version))
                return std::optional(*found);
    }
    return std::optional<VersionRecord>();
}

} // namespace writ::replay
