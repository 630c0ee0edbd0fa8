// SPDX-License-Identifier: Apache-2.0
//
// What makes a record durable: segments `journal/<index of the first record, 20 digits>` of groups, one group a sync.
// docs/formats/audit-log.md has the bytes. Private to tlog. Thread-compatible, but for Journal::retire() and is_retirable().
#pragma once

#include "base/durable_file.h"
#include "tlog/merkle_tree.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace writ::tlog {

struct Entry {
    Bytes bytes;
    Hash leaf;
};
using EntryPtr = std::shared_ptr<Entry const>;
EntryPtr make_entry(Bytes);

// LIMIT: of one group, so that one sync does not keep a thousand waiting for a megabyte each.
inline constexpr std::size_t group_bytes_max = 4U << 20U;
inline constexpr std::size_t group_records_max = 16'384;
// LIMIT: a segment that has reached it is followed by another; bounds what an open reads and what the disk holds twice.
inline constexpr std::size_t segment_bytes_max = 16U << 20U;

// The seam for faults: a file that is appended to as base's DurableAppender does it.
class Appender {
public:
    virtual ~Appender() = default;
    virtual Result<> append(BytesView) = 0;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    [[nodiscard]] virtual bool is_refusing() const = 0;
};
using OpenAppender = std::function<Result<std::unique_ptr<Appender>>(Path const&, std::uint64_t size)>;
Result<std::unique_ptr<Appender>> open_durable_appender(Path const&, std::uint64_t size);

struct ParsedSegment {
    std::vector<EntryPtr> entries;
    std::size_t whole = 0; // bytes that hold them; what follows in the last segment was torn off by a crash, and never acknowledged
};
// corruption names the record. A torn end is corruption too, but in the last segment.
Result<ParsedSegment> parse_segment(BytesView, std::uint64_t first, bool is_last);

// What encodes a group; for tests and the fuzzer.
Bytes encode_segment_head(std::uint64_t first);
void encode_group(Bytes& out, std::uint64_t first, std::span<EntryPtr const>);

struct JournalSegment {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::size_t whole = 0;
};
struct JournalContents {
    std::vector<JournalSegment> segments; // in order, without gaps
    std::vector<EntryPtr> entries;        // of all of them

    [[nodiscard]] std::uint64_t first() const { return segments.empty() ? 0 : segments.front().first; }
    [[nodiscard]] std::uint64_t end() const { return first() + entries.size(); }
};
// Changes nothing. A folder without segments is an empty journal.
Result<JournalContents> read_journal(Path const& folder);

class Journal {
public:
    // Goes on where `contents`, just read, end; cuts a torn end off.
    static Result<std::unique_ptr<Journal>> open(Path folder, JournalContents const& contents, OpenAppender);

    // Durable on success; after an error nothing of it will be read back unless is_refusing(): then it may be.
    Result<> append(std::span<EntryPtr const>);
    [[nodiscard]] bool is_refusing() const { return appender_->is_refusing(); }

    // Whether retire() would remove something.
    [[nodiscard]] bool is_retirable(std::uint64_t settled) { return oldest_before(settled).has_value(); }
    // Removes segments all of whose records are before `settled`. The one that is written to stays. Another thread than the one that
    // appends may call it.
    Result<> retire(std::uint64_t settled);

    // For open().
    Journal(Path folder, OpenAppender open_appender, std::vector<std::uint64_t> segments, std::uint64_t size,
        std::unique_ptr<Appender> appender)
        : folder_(std::move(folder))
        , open_appender_(std::move(open_appender))
        , segments_(std::move(segments))
        , size_(size)
        , appender_(std::move(appender))
    {
    }

private:
    Result<> rotate();
    std::optional<std::uint64_t> oldest_before(std::uint64_t settled);

    Path folder_;
    OpenAppender open_appender_;
    std::mutex mutex_;
    std::vector<std::uint64_t> segments_; // first records, in order; under mutex_
    std::uint64_t size_;                  // records ever
    std::unique_ptr<Appender> appender_;  // of the last segment
};

} // namespace writ::tlog
