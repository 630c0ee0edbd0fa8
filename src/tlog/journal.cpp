// SPDX-License-Identifier: Apache-2.0
#include "tlog/journal.h"

#include "base/limits.h"

#include <algorithm>
#include <charconv>

namespace writ::tlog {

namespace {

constexpr std::string_view segment_magic = "writ journal 1\n\n";
constexpr std::string_view group_magic = "WGRP";
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t segment_head_bytes = 16 + 8 + checksum_bytes;
constexpr std::size_t group_head_bytes = 4 + 4 + 4 + 8 + checksum_bytes;
constexpr std::size_t record_head_bytes = 2 + checksum_bytes;
constexpr std::size_t name_digits = 20;

// The unit in which disks write: all of it or none.
constexpr std::size_t sector_bytes = 512;

// LIMIT: the largest segment that append() makes: one byte short of rotating, and then a group.
constexpr std::size_t segment_file_max = segment_bytes_max + 2 * group_bytes_max;

void put_number(Bytes& out, std::uint64_t number, std::size_t width)
{
    for (auto shift = width * 8; shift > 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
}

void put(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

std::uint64_t number_of(BytesView bytes)
{
    std::uint64_t number = 0;
    for (auto const byte : bytes)
        number = number << 8U | byte;
    return number;
}

BytesView checksum_of(Hash const& hash) { return BytesView(hash).first(checksum_bytes); }

// Heads end with the checksum of what stands before it in them.
void put_checksum(Bytes& out, std::size_t head_begin) { put(out, checksum_of(crypto::sha256(BytesView(out).subspan(head_begin)))); }

bool is_head_whole(BytesView head)
{
    auto const digest = crypto::sha256(head.first(head.size() - checksum_bytes));
    return std::ranges::equal(head.last(checksum_bytes), checksum_of(digest));
}

// Whether some sector of the range is as it was before anything was written there. The file grew over zeros: after power loss a sector that
// did not get to the disk is zero from the old end on. A byte that somebody changed does not look like that, so it is not mistaken for a
// write that never was.
bool has_unwritten_sector(BytesView segment, std::size_t begin, std::size_t end)
{
    while (begin < end) {
        auto const next = std::min(end, (begin / sector_bytes + 1) * sector_bytes);
        if (std::ranges::all_of(segment.subspan(begin, next - begin), [](std::uint8_t byte) { return byte == 0; }))
            return true;
        begin = next;
    }
    return false;
}

struct GroupHead {
    std::size_t count, bytes;
    std::uint64_t first;
};

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
        return std::move(parsed_);
    }

private:
    // Each of these: true if it was whole, false if it is torn and nothing follows.
    Result<bool> parse_head()
    {
        auto const size = std::min(segment_.size(), segment_head_bytes);
        auto const head = segment_.first(size);
        if (size == segment_head_bytes && as_text(head.first(segment_magic.size())) == segment_magic && is_head_whole(head)) {
            if (number_of(head.subspan(segment_magic.size(), 8)) != next_)
                return corruption("begins with another record than its name says");
            parsed_.whole = size;
            return true;
        }
        return torn(size, "its head", is_cut_short(segment_magic, segment_head_bytes));
    }

    Result<bool> parse_group()
    {
        auto const begin = parsed_.whole;
        if (segment_.size() - begin < group_head_bytes)
            return torn(segment_.size(), "a group's head", is_cut_short(group_magic, group_head_bytes));
        auto const bytes = segment_.subspan(begin, group_head_bytes);
        if (as_text(bytes.first(group_magic.size())) != group_magic || !is_head_whole(bytes))
            return torn(begin + group_head_bytes, "a group's head", false);
        GroupHead const head {
            .count = number_of(bytes.subspan(4, 4)), .bytes = number_of(bytes.subspan(8, 4)), .first = number_of(bytes.subspan(12, 8))
        };
        if (head.first != next_ || head.count == 0 || head.count > head.bytes / record_head_bytes)
            return corruption("entry " + std::to_string(next_) + " is not where it should be");
        auto const body = begin + group_head_bytes;
        if (segment_.size() - body < head.bytes)
            return torn(segment_.size(), "a group", true);
        auto entries = parse_records(segment_.subspan(body, head.bytes), head.count);
        if (entries.is_error())
            return is_last_ && body + head.bytes == segment_.size() && has_unwritten_sector(segment_, body, segment_.size())
                ? Result<bool>(false)
                : entries.error();
        parsed_.entries.insert(parsed_.entries.end(), entries->begin(), entries->end());
        parsed_.whole = body + head.bytes;
        next_ += head.count;
        return true;
    }

    [[nodiscard]] Result<std::vector<EntryPtr>> parse_records(BytesView body, std::size_t count) const
    {
        std::vector<EntryPtr> entries;
        entries.reserve(count);
        while (entries.size() < count) {
            auto const altered = [&] { return corruption("entry " + std::to_string(next_ + entries.size()) + " is not what was written"); };
            if (body.size() < record_head_bytes)
                return altered();
            auto const size = number_of(body.first(2));
            auto const checksum = body.subspan(2, checksum_bytes);
            body = body.subspan(record_head_bytes);
            if (body.size() < size)
                return altered();
            auto entry = make_entry(Bytes(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)));
            if (!std::ranges::equal(checksum, checksum_of(entry->leaf)))
                return altered();
            entries.push_back(std::move(entry));
            body = body.subspan(size);
        }
        if (!body.empty())
            return corruption("bytes behind entry " + std::to_string(next_ + count - 1));
        return entries;
    }

    // What stands behind the last whole group is torn off, or altered: `what` ends at `end` and may be cut short by the file's end.
    [[nodiscard]] Result<bool> torn(std::size_t end, std::string_view what, bool is_beginning) const
    {
        auto const is_one_group = segment_.size() - parsed_.whole <= 2 * group_bytes_max;
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

EntryPtr make_entry(Bytes bytes)
{
    auto const leaf = leaf_hash(bytes);
    return std::make_shared<Entry const>(Entry { .bytes = std::move(bytes), .leaf = leaf });
}

namespace {

class DurableFile final : public Appender {
public:
    explicit DurableFile(DurableAppender appender)
        : appender_(std::move(appender))
    {
    }
    Result<> append(BytesView bytes) override { return appender_.append(bytes); }
    [[nodiscard]] std::uint64_t size() const override { return appender_.size(); }
    [[nodiscard]] bool is_refusing() const override { return appender_.is_refusing(); }

private:
    DurableAppender appender_;
};

} // namespace

Result<std::unique_ptr<Appender>> open_durable_appender(Path const& path, std::uint64_t size)
{
    return std::unique_ptr<Appender>(std::make_unique<DurableFile>(TRY(DurableAppender::open(path, size))));
}

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

void encode_group(Bytes& out, std::uint64_t first, std::span<EntryPtr const> entries)
{
    std::size_t size = 0;
    for (auto const& entry : entries)
        size += record_head_bytes + entry->bytes.size();
    auto const begin = out.size();
    out.reserve(begin + group_head_bytes + size);
    put(out, as_bytes(group_magic));
    put_number(out, entries.size(), 4);
    put_number(out, size, 4);
    put_number(out, first, 8);
    put_checksum(out, begin);
    for (auto const& entry : entries) {
        ASSERT(entry->bytes.size() <= limits::record_bytes_max);
        put_number(out, entry->bytes.size(), 2);
        put(out, checksum_of(entry->leaf));
        put(out, entry->bytes);
    }
}

Result<JournalContents> read_journal(Path const& folder)
{
    JournalContents contents;
    auto const segments = TRY(list_segments(folder));
    for (auto const first : segments) {
        auto const name = "journal/" + segment_name(first);
        if (!contents.segments.empty() && first != contents.end())
            return corruption(name + ": begins with entry " + std::to_string(first) + ", but the one before it ends with "
                + std::to_string(contents.end()));
        auto const bytes = TRY(read_file(folder / segment_name(first), segment_file_max));
        auto const parsed = TRY(parse_segment(bytes, first, first == segments.back()).in(name));
        contents.segments.push_back({ .first = first, .count = parsed.entries.size(), .whole = parsed.whole });
        contents.entries.insert(contents.entries.end(), parsed.entries.begin(), parsed.entries.end());
    }
    return contents;
}

Result<std::unique_ptr<Journal>> Journal::open(Path folder, JournalContents const& contents, OpenAppender open_appender)
{
    std::vector<std::uint64_t> segments;
    for (auto const& segment : contents.segments)
        segments.push_back(segment.first);
    if (segments.empty())
        segments.push_back(0);
    auto const whole = contents.segments.empty() ? 0 : contents.segments.back().whole;
    auto appender = TRY(open_appender(folder / segment_name(segments.back()), whole));
    return std::make_unique<Journal>(std::move(folder), std::move(open_appender), std::move(segments), contents.end(), std::move(appender));
}

Result<> Journal::rotate()
{
    auto appender = TRY(open_appender_(folder_ / segment_name(size_), 0));
    appender_ = std::move(appender);
    std::scoped_lock const lock(mutex_);
    segments_.push_back(size_);
    return {};
}

Result<> Journal::append(std::span<EntryPtr const> entries)
{
    ASSERT(!entries.empty());
    if (appender_->size() >= segment_bytes_max && !appender_->is_refusing())
        TRY(rotate());
    Bytes bytes;
    if (appender_->size() == 0)
        bytes = encode_segment_head(size_);
    encode_group(bytes, size_, entries);
    TRY(appender_->append(bytes));
    size_ += entries.size();
    return {};
}

std::optional<std::uint64_t> Journal::oldest_before(std::uint64_t settled)
{
    std::scoped_lock const lock(mutex_);
    if (segments_.size() < 2 || segments_[1] > settled)
        return std::nullopt;
    return segments_.front();
}

Result<> Journal::retire(std::uint64_t settled)
{
    // Oldest first: what is left after a crash in between still has no gaps.
    while (auto const oldest = oldest_before(settled)) {
        auto const path = folder_ / segment_name(*oldest);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return errno_error("remove `" + path.string() + "`", errno);
        std::scoped_lock const lock(mutex_);
        segments_.erase(segments_.begin());
    }
    return {};
}

} // namespace writ::tlog
