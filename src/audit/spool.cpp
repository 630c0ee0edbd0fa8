// SPDX-License-Identifier: Apache-2.0
#include "audit/spool.h"

#include "base/held_folder.h"
#include "base/limits.h"
#include "tlog/journal.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace writ::audit {

namespace {

// Where the log ended when the outage began: the first record of the file.
constexpr std::size_t log_size_bytes = 8;
constexpr std::size_t record_head_bytes = 2 + tlog::journal_checksum_bytes;
constexpr std::size_t beginning_bytes = 32 + record_head_bytes + log_size_bytes; // with the segment's head
// LIMIT: records that wait for the spool's disk; beyond it they are refused.
constexpr std::size_t waiting_max = 65'536;
// LIMIT: of one sync.
constexpr std::size_t batch_records_max = 4096;
constexpr std::size_t batch_bytes_max = 1U << 20U;
static_assert(batch_records_max < tlog::group_records_max && batch_bytes_max + 2 * limits::record_bytes_max < tlog::group_bytes_max);

Error not_written(std::size_t place) { return corruption("record " + std::to_string(place) + " is not what was written"); }

// An empty record behind the one of the gap seals; there is no other that is empty.
Result<> take(BytesView record, SpoolContents& contents)
{
    if (contents.is_sealed || (record.empty() && contents.texts.empty()))
        return not_written(contents.texts.size());
    contents.is_sealed = record.empty();
    if (!record.empty())
        contents.texts.emplace_back(as_text(record));
    return {};
}

} // namespace

Result<SpoolContents> parse_spool(BytesView bytes)
{
    auto const parsed = TRY(tlog::parse_segment(bytes, 0, true));
    SpoolContents contents;
    if (parsed.groups.empty())
        return contents;
    contents.bytes = parsed.whole;
    auto const first = parsed.groups.front()->record(0);
    if (first.size() != log_size_bytes || parsed.is_first_version)
        return corruption("not the head of a spool");
    contents.log_size = tlog::number_of(first);
    for (auto const& group : parsed.groups)
        for (auto index = std::max<std::uint64_t>(group->first(), 1); index < group->end(); ++index)
            TRY(take(group->record(index), contents));
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
    auto const bytes = read_file(path, options.bytes_max + 2 * tlog::group_bytes_max);
    SpoolContents contents;
    if (bytes.is_ok())
        contents = TRY(parse_spool(*bytes).in("`" + path.string() + "`"));
    else if (bytes.error().code != ErrorCode::not_found)
        return bytes.error();
    auto spool = std::unique_ptr<Spool>(new Spool(std::move(options), std::move(lock), std::move(contents))); // NOLINT: private constructor
    if (spool->contents_.bytes != 0)
        spool->appender_ = TRY(tlog::SegmentFile::open(path, spool->contents_.bytes));
    return spool;
}

void Spool::append(std::string text, std::uint64_t log_size, std::function<void(Result<>)> done)
{
    enqueue({ .text = std::move(text), .log_size = log_size, .seal = {}, .done = std::move(done), .outcome = {} });
}

void Spool::seal(std::function<std::string(SpoolContents const&)> make, std::function<void(Result<>)> done)
{
    enqueue({ .text = {}, .log_size = 0, .seal = std::move(make), .done = std::move(done), .outcome = {} });
}

void Spool::enqueue(Waiting waiting)
{
    {
        std::scoped_lock const lock(mutex_);
        if (waiting_.size() < waiting_max || waiting.seal) {
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
        auto batch = take_waiting();
        lock.unlock();
        write(batch);
        for (auto const& each : batch)
            each.done(each.outcome);
    }
}

// What seals is made of all before it, so it comes alone.
std::vector<Spool::Waiting> Spool::take_waiting()
{
    std::vector<Waiting> batch;
    for (std::size_t bytes = 0; !waiting_.empty() && batch.size() < batch_records_max && bytes < batch_bytes_max;) {
        if (waiting_.front().seal && !batch.empty())
            break;
        bytes += waiting_.front().text.size();
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
        if (batch.back().seal)
            break;
    }
    return batch;
}

void Spool::write(std::vector<Waiting>& batch)
{
    std::scoped_lock const writing(writing_);
    std::vector<Waiting*> admitted;
    auto bytes = (appender_ ? contents_.bytes : beginning_bytes) + tlog::group_head_bytes;
    for (auto& each : batch) {
        if (each.seal)
            each.text = each.seal(contents_);
        each.outcome = admit(each, bytes);
        if (each.outcome.is_error())
            continue;
        admitted.push_back(&each);
        bytes += record_head_bytes + each.text.size();
    }
    if (admitted.empty())
        return;
    auto const appended = append({ admitted.begin(), admitted.end() });
    for (auto* const each : admitted)
        each->outcome = appended;
}

// `bytes`: what the file would have before it.
Result<> Spool::admit(Waiting const& waiting, std::size_t bytes) const
{
    if (is_sealed())
        return conflict("the spool is being emptied");
    if (waiting.text.empty() || waiting.text.size() > limits::record_bytes_max)
        return invalid_argument("a record of " + std::to_string(waiting.text.size()) + " bytes is not for the log");
    if (!waiting.seal && bytes + record_head_bytes + waiting.text.size() > options_.bytes_max)
        return resource_exhausted("the spool has its " + std::to_string(options_.bytes_max) + " bytes");
    return {};
}

Result<> Spool::append(std::vector<Waiting const*> const& admitted)
{
    auto const is_first = !appender_;
    auto const log_size = is_first ? admitted.front()->log_size : contents_.log_size;
    Bytes beginning;
    tlog::put_number(beginning, log_size, log_size_bytes);
    std::vector<BytesView> records;
    if (is_first)
        records.emplace_back(beginning);
    for (auto const* const each : admitted)
        records.push_back(as_bytes(each->text));
    bool const seals = static_cast<bool>(admitted.back()->seal);
    if (seals)
        records.emplace_back();
    auto const group = tlog::Group::encode(is_first ? 0 : contents_.texts.size() + 1, records);
    TRY(write_group(*group));
    std::scoped_lock const lock(mutex_);
    contents_.log_size = log_size;
    for (auto const* const each : admitted)
        contents_.texts.push_back(each->text);
    contents_.is_sealed = seals;
    contents_.bytes = appender_->size();
    return {};
}

Result<> Spool::write_group(tlog::Group const& group)
{
    if (appender_)
        return appender_->append(group.bytes());
    auto appender = TRY(tlog::SegmentFile::open(file(), 0));
    auto bytes = tlog::encode_segment_head(0);
    bytes.insert(bytes.end(), group.bytes().begin(), group.bytes().end());
    TRY(appender->append(bytes));
    appender_ = std::move(appender);
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
