// SPDX-License-Identifier: Apache-2.0
//
// Where a log's entries are read from in bulk: an authority's folder, or the authority itself.
#pragma once

#include "base/clock.h"
#include "base/durable_file.h"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace writ::replay {

// Thread-safe.
class EntrySource {
public:
    virtual ~EntrySource() = default;
    // Entries that the checkpoint covers; what came later is not looked at.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // A file of the log by its path: `tile/entries/x001/234`, `dropped`.
    [[nodiscard]] virtual Result<Bytes> file(std::string const& path) const = 0;
};

// `folder` is the log's. SECURITY: the entries are taken as they lie; `writ audit verify` holds them against the checkpoint.
Result<std::unique_ptr<EntrySource>> open_log_files(Path const& folder);

// The size that a checkpoint's text names. SECURITY: its signature is not looked at.
Result<std::uint64_t> size_of_checkpoint(std::string_view note);

// Entries of one bundle: 256 that follow one another, fewer at the end of the log.
struct Bundle {
    std::uint64_t first = 0;
    Bytes bytes;
    std::vector<std::string_view> entries; // into bytes
};
Result<Bundle> read_bundle(EntrySource const&, std::uint64_t index);
std::uint64_t bundle_count(EntrySource const&);

// Retention has dropped the entries before it.
Result<std::uint64_t> first_kept(EntrySource const&);

// The first bundle that is kept and may have records of that time or later. Records are nearly in the order of their times.
Result<std::uint64_t> first_bundle_since(EntrySource const&, std::optional<Timestamp> since);

// Calls with each bundle from `first` on, on several threads at once: `visit(worker, bundle)`. One that retention drops meanwhile is left out. The first error ends it.
using VisitBundle = std::function<Result<>(std::size_t worker, Bundle const&)>;
Result<> visit_bundles(EntrySource const&, std::uint64_t first, std::size_t workers, VisitBundle const&);

} // namespace writ::replay
