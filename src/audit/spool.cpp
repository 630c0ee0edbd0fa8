// SPDX-License-Identifier: Apache-2.0
#include "audit/spool.h"

#include "base/held_folder.h"
#include "base/limits.h"
#include "crypto/digest.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace writ::audit {

namespace {

constexpr std::string_view magic = "writ spool 1\n\n\n\n"; // 16 bytes
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t head_bytes = 16 + 8 + checksum_bytes;
constexpr std::size_t record_head_bytes = 4 + checksum_bytes;
constexpr std::uint32_t seal_bit = 0x8000'0000U;
// LIMIT: records that wait for the spool's disk; beyond it they are refused.
constexpr std::size_t waiting_max = 65'536;

void append_number(Bytes& bytes, std::uint64_t number, int size)
{
    for (auto shift = (size - 1) * 8; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
}

std::uint64_t read_number(BytesView bytes)
{
    std::uint64_t number = 0;
    for (auto const byte : bytes)
        number = number << 8U | byte;
    return number;
}

void append_checksum(Bytes& bytes, BytesView what)
{
    auto const digest = crypto::sha256(what);
    bytes.insert(bytes.end(), digest.begin(), digest.begin() + checksum_bytes);
}

bool is_checksum(BytesView checksum, BytesView what)
{
    auto const digest = crypto::sha256(what);
    return std::ranges::equal(checksum, BytesView(digest).first(checksum_bytes));
}

Bytes head_of(std::uint64_t log_size)
{
    auto bytes = to_bytes(magic);
    append_number(bytes, log_size, 8);
    append_checksum(bytes, Bytes(bytes));
    return bytes;
}

// The length, with the seal's bit, and a checksum of that and of the text.
Bytes record_of(std::string_view text, bool seals)
{
    Bytes head;
    append_number(head, static_cast<std::uint32_t>(text.size()) | (seals ? seal_bit : 0), 4);
    auto covered = head;
    covered.insert(covered.end(), text.begin(), text.end());
    append_checksum(head, covered);
    head.insert(head.end(), text.begin(), text.end());
    return head;
}

bool is_zero(BytesView bytes)
{
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// One record off the front; false at a torn end.
Result<bool> take_record(BytesView& rest, SpoolContents& contents)
{
    if (rest.size() < record_head_bytes || is_zero(rest))
        return false;
    auto const first = static_cast<std::uint32_t>(read_number(rest.first(4)));
    auto const length = first & ~seal_bit;
    auto const place = "record " + std::to_string(contents.texts.size());
    if (contents.is_sealed || length == 0 || length > limits::record_bytes_max)
        return corruption(place + " is not what was written");
    if (rest.size() < record_head_bytes + length)
        return false;
    auto covered = Bytes(rest.begin(), rest.begin() + 4);
    auto const text = rest.subspan(record_head_bytes, length);
    covered.insert(covered.end(), text.begin(), text.end());
    if (!is_checksum(rest.subspan(4, checksum_bytes), covered)) {
        // The last one may have been cut off in the middle of being written, with its length in place and not all of its bytes.
        if (rest.size() == record_head_bytes + length)
            return false;
        return corruption(place + " is not what was written");
    }
    contents.texts.emplace_back(as_text(text));
    contents.is_sealed = (first & seal_bit) != 0;
    contents.bytes += record_head_bytes + length;
    rest = rest.subspan(record_head_bytes + length);
    return true;
}

} // namespace

Result<SpoolContents> parse_spool(BytesView bytes)
{
    SpoolContents contents;
    if (bytes.size() < head_bytes || is_zero(bytes))
        return contents;
    if (as_text(bytes.first(magic.size())) != magic || !is_checksum(bytes.subspan(24, checksum_bytes), bytes.first(24)))
        return corruption("not the head of a spool");
    contents.log_size = read_number(bytes.subspan(16, 8));
    contents.bytes = head_bytes;
    auto rest = bytes.subspan(head_bytes);
    while (TRY(take_record(rest, contents))) { }
    return contents;
}

Spool::Spool(SpoolOptions options, UniqueFd lock, SpoolContents contents)
    : options_(std::move(options))
    , lock_(std::move(lock))
    , contents_(std::move(contents))
    , thread_([this] { work(); })
{
}

Spool::~Spool()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    given_.notify_all();
    thread_.join();
}

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options)
{
    TRY(create_folder(options.folder));
    auto lock = TRY(lock_folder(options.folder));
    auto const path = options.folder / "records";
    auto const bytes = read_file(path, options.bytes_max + limits::record_bytes_max + head_bytes);
    SpoolContents contents;
    if (bytes.is_ok())
        contents = TRY(parse_spool(*bytes).in("`" + path.string() + "`"));
    else if (bytes.error().code != ErrorCode::not_found)
        return bytes.error();
    auto spool = std::unique_ptr<Spool>(new Spool(std::move(options), std::move(lock), std::move(contents))); // NOLINT: private constructor
    if (spool->contents_.bytes != 0)
        spool->appender_ = std::make_unique<DurableAppender>(TRY(DurableAppender::open(path, spool->contents_.bytes)));
    return spool;
}

void Spool::append(std::string text, std::uint64_t log_size, std::function<void(Result<>)> done)
{
    enqueue({ [text = std::move(text)](SpoolContents const&) { return text; }, log_size, false, std::move(done) });
}

void Spool::seal(std::function<std::string(SpoolContents const&)> make, std::function<void(Result<>)> done)
{
    enqueue({ std::move(make), 0, true, std::move(done) });
}

void Spool::enqueue(Waiting waiting)
{
    {
        std::scoped_lock const lock(mutex_);
        if (waiting_.size() < waiting_max || waiting.seals) {
            waiting_.push_back(std::move(waiting));
            given_.notify_one();
            return;
        }
    }
    waiting.done(resource_exhausted("more than " + std::to_string(waiting_max) + " records wait for the spool's disk"));
}

void Spool::work()
{
    for (;;) {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        auto const waiting = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        waiting.done(write(waiting));
    }
}

Result<> Spool::begin(std::uint64_t log_size)
{
    auto appender = std::make_unique<DurableAppender>(TRY(DurableAppender::open(file(), 0)));
    TRY(appender->append(head_of(log_size)));
    appender_ = std::move(appender);
    std::scoped_lock const lock(mutex_);
    contents_ = { .log_size = log_size, .texts = {}, .is_sealed = false, .bytes = head_bytes };
    return {};
}

Result<> Spool::write(Waiting const& waiting)
{
    std::scoped_lock const writing(writing_);
    if (!appender_)
        TRY(begin(waiting.log_size));
    if (is_sealed())
        return conflict("the spool is being emptied");
    auto const text = waiting.make(contents_);
    if (text.empty() || text.size() > limits::record_bytes_max)
        return invalid_argument("a record of " + std::to_string(text.size()) + " bytes is not for the log");
    auto const record = record_of(text, waiting.seals);
    if (!waiting.seals && contents_.bytes + record.size() > options_.bytes_max)
        return resource_exhausted("the spool has its " + std::to_string(options_.bytes_max) + " bytes");
    TRY(appender_->append(record));
    std::scoped_lock const lock(mutex_);
    contents_.texts.push_back(text);
    contents_.is_sealed = waiting.seals;
    contents_.bytes += record.size();
    return {};
}

Result<> Spool::clear()
{
    std::scoped_lock const writing(writing_);
    std::scoped_lock const lock(mutex_);
    ASSERT(contents_.is_sealed);
    if (::unlink(file().c_str()) != 0 && errno != ENOENT)
        return errno_error("remove `" + file().string() + "`", errno);
    TRY(sync_folder(options_.folder));
    appender_.reset();
    contents_ = {};
    return {};
}

bool Spool::is_empty() const
{
    std::scoped_lock const lock(mutex_);
    return contents_.texts.empty();
}

bool Spool::is_sealed() const
{
    std::scoped_lock const lock(mutex_);
    return contents_.is_sealed;
}

std::size_t Spool::count() const
{
    std::scoped_lock const lock(mutex_);
    return contents_.texts.size();
}

std::uint64_t Spool::log_size() const
{
    std::scoped_lock const lock(mutex_);
    return contents_.log_size;
}

std::string Spool::text(std::size_t place) const
{
    std::scoped_lock const lock(mutex_);
    return contents_.texts.at(place);
}

} // namespace writ::audit
