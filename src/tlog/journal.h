// SPDX-License-Identifier: Apache-2.0
//
// What makes a record durable: segments `journal/<index of the first record, 20 digits>` of groups, one group a sync.
// docs/formats/audit-log.md has the bytes. Private to tlog. Thread-compatible, but for Journal::retire(),
// is_retirable() and check_in_place().
#pragma once

#include "tlog/group.h"
#include "tlog/segment_file.h"

#include <mutex>

namespace writ::tlog {

// LIMIT: a segment that has reached it is followed by another; bounds what an open reads and what the disk holds twice.
inline constexpr std::size_t segment_bytes_max = 16U << 20U;

struct ParsedSegment {
    std::vector<GroupPtr> groups;
    std::uint64_t end = 0; // the index that comes next
    std::size_t whole = 0; // bytes that hold them; what follows are zeros, or was torn off by a crash and never acknowledged
    bool is_first_version = false;
};
// corruption names the record. A torn end is corruption too, but in the last segment.
Result<ParsedSegment> parse_segment(BytesView, std::uint64_t first, bool is_last);

Bytes encode_segment_head(std::uint64_t first);

struct JournalSegment {
    std::uint64_t first = 0, end = 0;
    std::size_t whole = 0;
    bool is_first_version = false;
};
struct JournalContents {
    std::vector<JournalSegment> segments; // in order, without gaps
    std::vector<GroupPtr> groups;         // of all of them

    [[nodiscard]] std::uint64_t first() const { return segments.empty() ? 0 : segments.front().first; }
    [[nodiscard]] std::uint64_t end() const { return segments.empty() ? 0 : segments.back().end; }
    // The group that holds a record. REQUIRES: first() <= index < end().
    [[nodiscard]] Group const& holding(std::uint64_t index) const;
    // Whether a log without `head` may have written it: before there was one.
    [[nodiscard]] bool is_of_first_version() const;
};
// Changes nothing. A folder without segments is an empty journal. Segments all of whose records are before `from` are left out.
Result<JournalContents> read_journal(Path const& folder, std::uint64_t from = 0);

class Journal {
public:
    // Goes on where `contents`, just read, end; cuts a torn end off.
    static Result<std::unique_ptr<Journal>> open(
        Path folder, JournalContents const& contents, OpenAppender, std::size_t segment_bytes = segment_bytes_max);

    // Durable on success; after an error nothing of it will be read back unless is_refusing(): then it may be. REQUIRES: the group begins
    // with size().
    Result<> append(Group const&);
    [[nodiscard]] std::uint64_t size() const { return state_.size; } // records ever
    [[nodiscard]] bool is_refusing() const { return state_.appender->is_refusing(); }

    // Whether retire() would remove something.
    [[nodiscard]] bool is_retirable(std::uint64_t settled) { return oldest_before(settled).has_value(); }
    // Removes segments all of whose records are before `settled`. The one that is written to stays. Another thread than the one that
    // appends may call it.
    Result<> retire(std::uint64_t settled);
    // The first record that it still has. Another thread may call it.
    [[nodiscard]] std::uint64_t first()
    {
        std::scoped_lock const lock(mutex_);
        return state_.segments.front();
    }
    // corruption: a segment was removed by somebody else. Another thread may call it.
    Result<> check_in_place();

    // For open().
    struct State {
        Path folder;
        OpenAppender open_appender;
        std::size_t segment_bytes;
        std::vector<std::uint64_t> segments; // first records, in order
        std::uint64_t size;                  // records ever
        std::unique_ptr<Appender> appender;  // of the last segment
        bool is_rotation_due;                // it is of the first version
    };
    explicit Journal(State state)
        : state_(std::move(state))
    {
    }

private:
    Result<> rotate();
    std::optional<std::uint64_t> oldest_before(std::uint64_t settled);

    std::mutex mutex_; // state_.segments is under it
    State state_;
};

} // namespace writ::tlog
