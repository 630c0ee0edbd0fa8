// SPDX-License-Identifier: Apache-2.0
#include "tlog/head_file.h"

#include "base/logger.h"
#include "crypto/digest.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace writ::tlog {

namespace {

constexpr std::string_view slot_magic = "writ head 1\n";
constexpr std::size_t number_bytes = 8, length_bytes = 4, checksum_bytes = 8;
constexpr std::size_t slot_head_bytes = slot_magic.size() + number_bytes + length_bytes;
static_assert(slot_head_bytes + checkpoint_bytes_max + checksum_bytes <= head_slot_bytes);

void put_number(Bytes& out, std::uint64_t number, std::size_t width)
{
    for (auto shift = width * 8; shift > 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
}

std::uint64_t number_of(BytesView bytes)
{
    std::uint64_t number = 0;
    for (auto const byte : bytes)
        number = number << 8U | byte;
    return number;
}

Error removed(Path const& path) { return conflict("`" + path.string() + "` was removed or replaced beneath us"); }

} // namespace

Bytes encode_head_slot(HeadSlot const& slot)
{
    ASSERT(slot.checkpoint.size() <= checkpoint_bytes_max);
    Bytes bytes = to_bytes(slot_magic);
    put_number(bytes, slot.number, number_bytes);
    put_number(bytes, slot.checkpoint.size(), length_bytes);
    auto const text = as_bytes(slot.checkpoint);
    bytes.insert(bytes.end(), text.begin(), text.end());
    auto const digest = crypto::sha256(bytes);
    bytes.insert(bytes.end(), digest.begin(), digest.begin() + checksum_bytes);
    bytes.resize(head_slot_bytes);
    return bytes;
}

std::optional<HeadSlot> parse_head_slot(BytesView bytes)
{
    if (bytes.size() != head_slot_bytes || !as_text(bytes).starts_with(slot_magic))
        return std::nullopt;
    auto const length = number_of(bytes.subspan(slot_magic.size() + number_bytes, length_bytes));
    if (length > checkpoint_bytes_max)
        return std::nullopt;
    HeadSlot slot { .number = number_of(bytes.subspan(slot_magic.size(), number_bytes)),
        .checkpoint = to_text(bytes.subspan(slot_head_bytes, length)) };
    // One slot has one form: this compares the checksum and the zeros behind it too.
    if (!std::ranges::equal(bytes, encode_head_slot(slot)))
        return std::nullopt;
    return slot;
}

HeadSlot const* Head::newest() const
{
    auto const& [first, second] = slots;
    if (first && (!second || first->number > second->number))
        return &*first;
    return second ? &*second : nullptr;
}

namespace {

Result<Head> parse_head(BytesView bytes)
{
    if (bytes.size() != 2 * head_slot_bytes)
        return corruption("`head` has " + std::to_string(bytes.size()) + " bytes and should have " + std::to_string(2 * head_slot_bytes));
    Head head { .slots = { parse_head_slot(bytes.first(head_slot_bytes)), parse_head_slot(bytes.last(head_slot_bytes)) } };
    if (head.newest() == nullptr)
        return corruption("`head` is not what was written");
    return head;
}

} // namespace

Result<Head> read_head(Path const& folder) { return parse_head(TRY(read_regular_file(folder / "head", 2 * head_slot_bytes + 1))); }

Result<std::unique_ptr<HeadFile>> HeadFile::open(Path const& folder, bool may_create)
{
    auto const path = folder / "head";
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.is_open() && errno == ENOENT && !may_create)
        return corruption("`head` is missing");
    if (!fd.is_open() && errno == ENOENT) {
        auto const empty = encode_head_slot({});
        Bytes both = empty;
        both.insert(both.end(), empty.begin(), empty.end());
        TRY(replace_file(path, both));
        fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    }
    if (!fd.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    return std::make_unique<HeadFile>(path, std::move(fd));
}

Result<Head> HeadFile::read() const
{
    Bytes bytes(2 * head_slot_bytes + 1);
    auto const got = ::pread(fd_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0)
        return errno_error("read `" + path_.string() + "`", errno);
    return parse_head(BytesView(bytes).first(static_cast<std::size_t>(got)));
}

Result<std::string> HeadFile::load()
{
    auto const head = TRY(read());
    if (!head.slots[0] || !head.slots[1])
        log_warning("a slot of the audit log's `head` is torn, as after power loss; the other one is used");
    return head.newest()->checkpoint;
}

// SECURITY: whoever removes or replaces the file under a running authority is noticed with the next checkpoint.
Result<> HeadFile::check_in_place() const
{
    struct stat named { }, held { };
    if (::fstat(fd_.get(), &held) != 0)
        return errno_error("look at `" + path_.string() + "`", errno);
    if (::stat(path_.c_str(), &named) != 0)
        return errno == ENOENT ? removed(path_) : errno_error("look at `" + path_.string() + "`", errno);
    return named.st_ino == held.st_ino && named.st_dev == held.st_dev ? Result<>() : removed(path_);
}

Result<> HeadFile::replace(std::string_view expected, std::string_view next)
{
    if (next.size() > checkpoint_bytes_max)
        return invalid_argument("a checkpoint of " + std::to_string(next.size()) + " bytes");
    TRY(check_in_place());
    auto const head = TRY(read());
    auto const* const newest = head.newest();
    if (newest->checkpoint != expected)
        return conflict("`" + path_.string() + "` holds another checkpoint than was written last");
    auto const bytes = encode_head_slot({ .number = newest->number + 1, .checkpoint = std::string(next) });
    // The slot that is not the newest: a torn write leaves that one.
    auto const slot = head.slots[0] && newest == &*head.slots[0] ? 1U : 0U;
    auto const written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(slot * head_slot_bytes));
    if (written != static_cast<ssize_t>(bytes.size()))
        return errno_error("write `" + path_.string() + "`", written < 0 ? errno : EIO);
    return {};
}

} // namespace writ::tlog
