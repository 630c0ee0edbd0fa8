// SPDX-License-Identifier: Apache-2.0
//
// The transparency log: records appended durably in groups, published as tlog-tiles files with a signed checkpoint
// (https://c2sp.org/tlog-tiles). docs/formats/audit-log.md has the files. One process holds a folder at a time (flock).
#pragma once

#include "base/clock.h"
#include "base/durable_file.h"
#include "base/limits.h"
#include "tlog/note.h"

#include <functional>
#include <memory>

namespace writ::tlog {

struct LogOptions {
    Path folder;
    NoteSigner signer; // its name is the log's origin
    // LIMIT: records that wait for the disk; beyond it append() answers resource_exhausted at once.
    std::size_t waiting_records_max = 65'536;
};

// Thread-safe. Callbacks run on the log's own thread and must be short (post to your loop).
class Log {
public:
    // Reads back what is there: cuts a torn tail of the journal off (it was never acknowledged), finishes what was durable and not yet published;
    // corruption, naming file and entry, if acknowledged bytes are not what was written.
    static Result<std::unique_ptr<Log>> open(LogOptions, Clock const&);
    virtual ~Log() = default; // publishes what was acknowledged, then ends its thread

    // Calls back with the record's index once it is durable: journal written and synced, many records a sync (whatever has gathered while the last sync ran;
    // a lone record never waits for others). A checkpoint that covers it is signed as soon as somebody waits for one. resource_exhausted: disk full (nothing was kept; works again when there is space), record too
    // long, or too many waiting. unavailable: an earlier write failed ambiguously; reopen.
    virtual void append(Bytes record, std::function<void(Result<std::uint64_t>)> done) = 0;

    // Acknowledged records, published or not.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // not_found beyond size().
    [[nodiscard]] virtual Result<Bytes> read(std::uint64_t index) const = 0;
    // [first, first + count), fewer at the end. For the index.
    [[nodiscard]] virtual Result<std::vector<Bytes>> read_range(std::uint64_t first, std::size_t count) const = 0;

    [[nodiscard]] virtual std::string checkpoint() const = 0; // the newest signed note
    [[nodiscard]] virtual Checkpoint latest() const = 0;
    // The newest one all of whose tiles are in the folder, as the file `checkpoint` has it: a fraction of a second behind.
    [[nodiscard]] virtual std::string public_checkpoint() const = 0;
    // Calls back once latest().size is at least `size`; unavailable if the log ends before.
    virtual void when_published(std::uint64_t size, std::function<void(Result<>)> done) = 0;
    // Calls back once public_checkpoint() covers `size` records: then their tiles are in the folder. Sees to it at once.
    virtual void when_in_folder(std::uint64_t size, std::function<void(Result<>)> done) = 0;
    // In the tree of the published size; not_found if the index is not in it yet.
    [[nodiscard]] virtual Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size) const = 0;
    [[nodiscard]] virtual Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const = 0;

    // How many of the entries before `first` can be dropped: whole bundles, and none that the journal still has.
    [[nodiscard]] virtual std::uint64_t droppable_before(std::uint64_t first) const = 0;
    // Removes them; the tree stays as verifiable as it was. Returns first_kept(). By one caller at a time.
    virtual Result<std::uint64_t> drop_before(std::uint64_t first) = 0;
    // Entries before it were dropped: reading them is not_found.
    [[nodiscard]] virtual std::uint64_t first_kept() const = 0;

    // Whether appends are refused after an ambiguous failure (for readiness).
    [[nodiscard]] virtual bool is_refusing() const = 0;
};

struct FolderReport {
    std::uint64_t size = 0;       // entries checked
    std::uint64_t unpublished = 0; // acknowledged in the journal, beyond the checkpoint; checked as well
    std::uint64_t dropped = 0;     // entries before it were dropped: of those that are gone the hashes were checked alone
    std::string origin;
    Hash root {};
};
// The whole log from its files alone: every entry against its leaf hash, every tile against the tiles below, the root against the signed checkpoint, journal checksums.
// `progress(done, total)` is called now and then. corruption: names the file and, where it can be known, the entry (`entry 17 …`).
// The verifier key is read from the folder (`verifier`) if none is given.
// `visit` is called with each entry that is there, in order.
Result<FolderReport> verify_folder(Path const& folder, std::optional<NoteVerifier>, std::function<void(std::uint64_t, std::uint64_t)> const& progress,
    std::function<void(std::uint64_t index, BytesView entry)> const& visit = {});

} // namespace writ::tlog
