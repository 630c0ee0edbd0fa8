// SPDX-License-Identifier: Apache-2.0
#include "tlog/journal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <unistd.h>

namespace writ::tlog {

namespace {

constexpr std::string_view segment_magic = "writ journal 2\n\n";
// As it was before `head` stood beside it; the same otherwise.
constexpr std::string_view first_segment_magic = "writ journal 1\n\n";
constexpr std::size_t segment_head_bytes = 16 + 8 + journal_checksum_bytes;
constexpr std::size_t name_digits = 20;

// The unit in which disks write: all of it or none.
constexpr std::size_t sector_bytes = 512;

// LIMIT: the largest segment that append() makes: one byte short of rotating, and then a group.
constexpr std::size_t segment_file_max = segment_bytes_max + 2 * group_bytes_max;

bool is_zero(BytesView bytes)
{
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// Whether some sector of the range is as it was before anything was written there. The file was filled with zeros: after power loss a sector that
// did not get to the disk is zero from the old end on. A byte that somebody changed does not look like that, so it is not mistaken for a
// write that never was.
bool has_unwritten_sector(BytesView segment, std::size_t begin, std::size_t end)
{
    while (begin < end) {
        auto const next = std::min(end, (begin / sector_bytes + 1) * sector_bytes);
        if (is_zero(segment.subspan(begin, next - begin)))
            return true;
        begin = next;
    }
    return false;
}

class SegmentParser {
public:
    SegmentParser(BytesView segment, std::uint64_t first, bool is_last)
        : segment_(segment)
        , next_(first)
        , is_last_(is_last)
    {
    }

    Result<ParsedSegment> parse()
    {
        if (TRY(parse_head()))
            while (parsed_.whole < segment_.size() && TRY(parse_group())) { }
        parsed_.end = next_;
        return std::move(parsed_);
    }

private:
    // Each of these: true if it was whole, false if nothing follows, or only what is torn.
    Result<bool> parse_head()
    {
        auto const size = std::min(segment_.size(), segment_head_bytes);
        auto const head = segment_.first(size);
        auto const magic = as_text(head).substr(0, segment_magic.size());
        parsed_.is_first_version = magic == first_segment_magic;
        if (size == segment_head_bytes && (magic == segment_magic || parsed_.is_first_version) && is_head_whole(head)) {
            if (number_of(head.subspan(segment_magic.size(), 8)) != next_)
                return corruption("begins with another record than its name says");
            parsed_.whole = size;
            return true;
        }
        return torn(size, "its head", is_cut_short(segment_magic, segment_head_bytes) || is_cut_short(first_segment_magic, segment_head_bytes));
    }

    Result<bool> parse_group()
    {
        auto const rest = segment_.subspan(parsed_.whole);
        if (is_zero(rest.first(std::min(rest.size(), group_head_bytes))) && is_zero(rest))
            return false; // written ahead
        if (rest.size() < group_head_bytes)
            return torn(segment_.size(), "a group's head", is_cut_short(group_magic, group_head_bytes));
        auto const head = parse_group_head(rest);
        if (!head)
            return torn(parsed_.whole + group_head_bytes, "a group's head", false);
        if (head->first != next_)
            return corruption("entry " + std::to_string(next_) + " is not where it should be");
        if (rest.size() - group_head_bytes < head->bytes)
            return torn(segment_.size(), "a group", true);
        auto group = Group::parse(*head, rest);
        if (group.is_error())
            return is_last_group_torn(parsed_.whole + group_head_bytes, head->bytes) ? Result<bool>(false) : group.error();
        next_ = (*group)->end();
        parsed_.whole += (*group)->bytes().size();
        parsed_.groups.push_back(std::move(*group));
        return true;
    }

    // Some sector of its body is as it was before, and behind it nothing was written.
    [[nodiscard]] bool is_last_group_torn(std::size_t body, std::size_t bytes) const
    {
        return is_last_ && is_zero(segment_.subspan(body + bytes)) && has_unwritten_sector(segment_, body, body + bytes);
    }

    // What stands behind the last whole group is torn off, or altered: `what` ends at `end` and may be cut short by the file's end.
    [[nodiscard]] Result<bool> torn(std::size_t end, std::string_view what, bool is_beginning) const
    {
        auto const last = std::find_if(segment_.rbegin(), segment_.rend(), [](std::uint8_t byte) { return byte != 0; });
        auto const written = static_cast<std::size_t>(segment_.rend() - last); // up to the zeros ahead
        auto const is_one_group = written <= parsed_.whole + 2 * group_bytes_max;
        if (is_last_ && is_one_group && (is_beginning || has_unwritten_sector(segment_, parsed_.whole, end)))
            return false;
        return corruption("entry " + std::to_string(next_) + ": " + std::string(what) + " is not what was written");
    }

    // Whether the file ends within a head that begins with `magic`: a head altered at the very end of the file is not a head cut short.
    [[nodiscard]] bool is_cut_short(std::string_view magic, std::size_t head_bytes) const
    {
        auto const there = segment_.subspan(parsed_.whole);
        return there.size() < head_bytes && magic.starts_with(as_text(there).substr(0, magic.size()));
    }

    BytesView segment_;
    std::uint64_t next_;
    bool is_last_;
    ParsedSegment parsed_;
};

std::string segment_name(std::uint64_t first)
{
    auto const digits = std::to_string(first);
    return std::string(name_digits - digits.size(), '0') + digits;
}

Result<std::uint64_t> parse_segment_name(std::string const& name)
{
    std::uint64_t first = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), first);
    if (error != std::errc() || end != name.data() + name.size() || segment_name(first) != name)
        return corruption("`journal/" + name + "` is not a segment");
    return first;
}

Result<std::vector<std::uint64_t>> list_segments(Path const& folder)
{
    std::vector<std::uint64_t> segments;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        segments.push_back(TRY(parse_segment_name(entry->path().filename().string())));
    if (error && error != std::errc::no_such_file_or_directory)
        return errno_error("list `" + folder.string() + "`", error.value());
    std::ranges::sort(segments);
    return segments;
}

} // namespace

Result<ParsedSegment> parse_segment(BytesView bytes, std::uint64_t first, bool is_last)
{
    return SegmentParser(bytes, first, is_last).parse();
}

Bytes encode_segment_head(std::uint64_t first)
{
    Bytes head = to_bytes(segment_magic);
    put_number(head, first, 8);
    put_checksum(head, 0);
    return head;
}

Group const& JournalContents::holding(std::uint64_t index) const
{
    return **std::ranges::prev(std::ranges::upper_bound(groups, index, {}, [](GroupPtr const& group) { return group->first(); }));
}

bool JournalContents::is_of_first_version() const
{
    return std::ranges::all_of(segments, [](JournalSegment const& segment) { return segment.is_first_version; });
}

Result<JournalContents> read_journal(Path const& folder, std::uint64_t from)
{
    JournalContents contents;
    auto segments = TRY(list_segments(folder));
    while (segments.size() > 1 && segments[1] <= from)
        segments.erase(segments.begin());
    for (auto const first : segments) {
        auto const name = "journal/" + segment_name(first);
        if (!contents.segments.empty() && first != contents.end())
            return corruption(name + ": begins with entry " + std::to_string(first) + ", but the one before it ends with "
                + std::to_string(contents.end()));
        auto const bytes = TRY(read_regular_file(folder / segment_name(first), segment_file_max));
        auto const parsed = TRY(parse_segment(bytes, first, first == segments.back()).in(name));
        contents.segments.push_back(
            { .first = first, .end = parsed.end, .whole = parsed.whole, .is_first_version = parsed.is_first_version });
        contents.groups.insert(contents.groups.end(), parsed.groups.begin(), parsed.groups.end());
    }
    return contents;
}

Result<std::unique_ptr<Journal>> Journal::open(Path folder, JournalContents const& contents, OpenAppender open_appender, std::size_t segment_bytes)
{
    std::vector<std::uint64_t> segments;
    for (auto const& segment : contents.segments)
        segments.push_back(segment.first);
    if (segments.empty())
        segments.push_back(0);
    auto const last = contents.segments.empty() ? JournalSegment() : contents.segments.back();
    auto const is_first_version = last.is_first_version && last.end > last.first; // without records it is begun anew
    auto const whole = last.is_first_version && !is_first_version ? 0 : last.whole;
    auto appender = TRY(open_appender(folder / segment_name(segments.back()), whole));
    return std::make_unique<Journal>(State { .folder = std::move(folder),
        .open_appender = std::move(open_appender),
        .segment_bytes = segment_bytes,
        .segments = std::move(segments),
        .size = contents.end(),
        .appender = std::move(appender),
        .is_rotation_due = is_first_version });
}

Result<> Journal::rotate()
{
    auto appender = TRY(state_.open_appender(state_.folder / segment_name(state_.size), 0));
    state_.appender = std::move(appender);
    state_.is_rotation_due = false;
    std::scoped_lock const lock(mutex_);
    state_.segments.push_back(state_.size);
    return {};
}

Result<> Journal::append(Group const& group)
{
    ASSERT(group.first() == state_.size);
    if ((state_.appender->size() >= state_.segment_bytes || state_.is_rotation_due) && !state_.appender->is_refusing())
        TRY(rotate());
    if (state_.appender->size() == 0) {
        auto bytes = encode_segment_head(state_.size);
        bytes.insert(bytes.end(), group.bytes().begin(), group.bytes().end());
        TRY(state_.appender->append(bytes));
    } else {
        TRY(state_.appender->append(group.bytes()));
    }
    state_.size = group.end();
    return {};
}

Result<> Journal::check_in_place()
{
    std::scoped_lock const lock(mutex_);
    for (auto const first : state_.segments)
        if (auto const path = state_.folder / segment_name(first); ::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
            return corruption("`" + path.string() + "` was removed beneath us");
    return {};
}

std::optional<std::uint64_t> Journal::oldest_before(std::uint64_t settled)
{
    std::scoped_lock const lock(mutex_);
    if (state_.segments.size() < 2 || state_.segments[1] > settled)
        return std::nullopt;
    return state_.segments.front();
}

Result<> Journal::retire(std::uint64_t settled)
{
    // Oldest first: what is left after a crash in between still has no gaps.
    while (auto const oldest = oldest_before(settled)) {
        auto const path = state_.folder / segment_name(*oldest);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return errno_error("remove `" + path.string() + "`", errno);
        std::scoped_lock const lock(mutex_);
        state_.segments.erase(state_.segments.begin());
    }
    return {};
}

} // namespace writ::tlog
