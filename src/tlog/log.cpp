// SPDX-License-Identifier: Apache-2.0
#include "tlog/log.h"

#include "base/logger.h"
#include "tlog/log_folder.h"
#include "tlog/settlement.h"
#include "tlog/tile_reader.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

namespace writ::tlog {

namespace {

// LIMIT: records in memory that are not in full tiles yet. Far above what a working disk leaves; below what a full one may cost us.
constexpr std::size_t tail_bytes_max = 256U << 20U;
// LIMIT: entries of one round of publication, so that a checkpoint comes every so often under any load.
constexpr std::size_t round_entries_max = 16'384;
constexpr std::size_t round_bytes_max = 32U << 20U;
// After a failure of publication: a full disk does not get empty sooner by our asking.
constexpr std::chrono::milliseconds retry_pause { 250 };

// Between two rounds of publication. Files made with every group would have every sync wait for them too; a record that comes after a pause
// is published at once.
constexpr std::chrono::milliseconds publication_pause { 3 };
// How long a group waits to be as large as the one before: whoever has just been answered mostly asks again. A fraction of a sync, which it
// saves.
constexpr std::chrono::microseconds gathering_time { 60 };

using Appended = std::function<void(Result<std::uint64_t>)>;

struct Waiting {
    EntryPtr entry;
    Appended done;
};

struct Awaiting {
    std::uint64_t size;
    std::function<void(Result<>)> done;
};

class FolderLog final : public Log {
public:
    FolderLog(LogOptions options, OpenedFolder opened, std::unique_ptr<Journal> journal, Publication publication,
        std::shared_ptr<Published const> published)
        : options_(std::move(options))
        , lock_(std::move(opened.lock))
        , journal_(std::move(journal))
        , publication_(std::move(publication))
        , settlement_(options_.folder)
        , published_(std::move(published))
        , size_(opened.settled)
        , tail_first_(opened.settled)
    {
        auto const skipped = static_cast<std::ptrdiff_t>(opened.settled - opened.journal.first());
        add_to_tail({ opened.journal.entries.begin() + skipped, opened.journal.entries.end() });
        drop_full_bundles();
        hand_over_full_files();
        writer_ = std::thread([this] { write_groups(); });
        publisher_ = std::thread([this] { publish_rounds(); });
        settler_ = std::thread([this] { settle_files(); });
    }

    ~FolderLog() override
    {
        {
            std::scoped_lock const lock(mutex_);
            is_ending_ = true;
        }
        appended_.notify_all();
        durable_.notify_all();
        retirable_.notify_all();
        writer_.join();
        publisher_.join();
        settler_.join();
        for (auto const& awaiting : awaiting_)
            awaiting.done(unavailable("the log has ended"));
    }

    void append(Bytes record, Appended done) override
    {
        if (record.size() > limits::record_bytes_max)
            return done(resource_exhausted(
                "a record of " + std::to_string(record.size()) + " bytes is longer than " + std::to_string(limits::record_bytes_max)));
        auto entry = make_entry(std::move(record)); // hashed here, not on the one thread that everybody waits for
        if (auto const refusal = enqueue(entry, done))
            return done(*refusal);
    }

    [[nodiscard]] std::uint64_t size() const override
    {
        std::scoped_lock const lock(mutex_);
        return size_;
    }

    [[nodiscard]] Result<Bytes> read(std::uint64_t index) const override
    {
        auto records = TRY(read_range(index, 1));
        if (records.empty())
            return not_found("entry " + std::to_string(index) + " is not in the log");
        return std::move(records.front());
    }

    [[nodiscard]] Result<std::vector<Bytes>> read_range(std::uint64_t first, std::size_t count) const override;

    [[nodiscard]] std::string checkpoint() const override { return published()->note; }
    [[nodiscard]] Checkpoint latest() const override { return published()->checkpoint; }

    void when_published(std::uint64_t size, std::function<void(Result<>)> done) override
    {
        {
            std::scoped_lock const lock(mutex_);
            if (published_->checkpoint.size < size) {
                awaiting_.push_back({ .size = size, .done = std::move(done) });
                return;
            }
        }
        done({});
    }

    [[nodiscard]] Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size) const override
    {
        auto const tree = TRY(published_tree(size));
        SubtreeSource source(options_.folder, tree->tree);
        return tlog::inclusion_proof(index, size, source.reader());
    }

    [[nodiscard]] Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const override
    {
        auto const tree = TRY(published_tree(new_size));
        SubtreeSource source(options_.folder, tree->tree);
        return tlog::consistency_proof(old_size, new_size, source.reader());
    }

    [[nodiscard]] bool is_refusing() const override { return is_refusing_; }

private:
    std::optional<Error> enqueue(EntryPtr entry, Appended& done);
    std::vector<Waiting> take_group();
    void write_groups();
    void acknowledge(std::vector<Waiting> const& group, std::vector<EntryPtr> const& entries);

    std::vector<EntryPtr> take_round();
    void publish_rounds();
    bool publish(std::vector<EntryPtr> const& entries);
    void hand_over_full_files();
    void settle_files();
    std::vector<Awaiting> take_satisfied();

    void add_to_tail(std::vector<EntryPtr> const&);
    void drop_full_bundles();

    [[nodiscard]] std::shared_ptr<Published const> published() const
    {
        std::scoped_lock const lock(mutex_);
        return published_;
    }
    [[nodiscard]] Result<std::shared_ptr<Published const>> published_tree(std::uint64_t size) const
    {
        auto latest = published();
        if (size > latest->checkpoint.size)
            return not_found("a tree of " + std::to_string(size) + " entries is not published yet");
        return latest;
    }
    [[nodiscard]] Result<std::vector<Bytes>> read_from_bundle(std::uint64_t first, std::size_t count) const;

    LogOptions const options_;
    UniqueFd const lock_;
    std::unique_ptr<Journal> const journal_; // the writer's, but for what it lets others call
    Publication publication_;                // the publisher's
    Settlement settlement_;
    std::atomic<bool> is_refusing_ = false;
    bool is_failing_ = false; // the publisher's: said once, not four times a second

    mutable std::mutex mutex_;
    std::condition_variable appended_;  // for the writer
    std::condition_variable durable_;   // for the publisher
    std::condition_variable retirable_; // for the settler
    // Under mutex_:
    std::deque<Waiting> waiting_;
    std::size_t wanted_ = 1; // waiting records that wake the writer
    std::size_t last_group_ = 1;
    std::vector<Awaiting> awaiting_;
    std::shared_ptr<Published const> published_;
    std::uint64_t size_;
    std::uint64_t tail_first_;  // a multiple of 256
    std::deque<EntryPtr> tail_; // entries from there on; those before are in full bundles
    std::size_t tail_bytes_ = 0;
    bool is_retirable_ = false;
    bool is_ending_ = false;
    bool has_writer_ended_ = false;

    std::thread writer_, publisher_, settler_; // last: they use all of the above
};

std::optional<Error> FolderLog::enqueue(EntryPtr entry, Appended& done)
{
    if (is_refusing_)
        return unavailable("the log refuses records since a write failed with an unknown outcome");
    std::scoped_lock const lock(mutex_);
    if (waiting_.size() >= options_.waiting_records_max)
        return resource_exhausted("more than " + std::to_string(options_.waiting_records_max) + " records wait for the disk");
    if (tail_bytes_ > tail_bytes_max)
        return resource_exhausted("more than " + std::to_string(tail_bytes_max) + " bytes of records wait for publication");
    waiting_.push_back({ .entry = std::move(entry), .done = std::move(done) });
    if (waiting_.size() >= wanted_)
        appended_.notify_one();
    return std::nullopt;
}

// Whatever has gathered while the last group was written, and a moment longer if that was larger; empty at the end.
std::vector<Waiting> FolderLog::take_group()
{
    std::unique_lock lock(mutex_);
    appended_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
    wanted_ = last_group_;
    appended_.wait_for(lock, gathering_time, [this] { return is_ending_ || waiting_.size() >= wanted_; });
    wanted_ = 1;
    std::vector<Waiting> group;
    for (std::size_t bytes = 0; !waiting_.empty() && group.size() < group_records_max; waiting_.pop_front()) {
        bytes += waiting_.front().entry->bytes.size();
        if (!group.empty() && bytes > group_bytes_max)
            break;
        group.push_back(std::move(waiting_.front()));
    }
    last_group_ = group.size();
    return group;
}

void FolderLog::write_groups()
{
    for (auto group = take_group(); !group.empty(); group = take_group()) {
        std::vector<EntryPtr> entries;
        entries.reserve(group.size());
        for (auto const& waiting : group)
            entries.push_back(waiting.entry);
        auto const appended = journal_->append(entries);
        if (appended.is_ok()) {
            acknowledge(group, entries);
            continue;
        }
        is_refusing_ = journal_->is_refusing();
        for (auto const& waiting : group)
            waiting.done(appended.error());
    }
    std::scoped_lock const lock(mutex_);
    has_writer_ended_ = true;
    durable_.notify_all();
}

void FolderLog::acknowledge(std::vector<Waiting> const& group, std::vector<EntryPtr> const& entries)
{
    std::uint64_t index = 0;
    {
        std::scoped_lock const lock(mutex_);
        index = size_;
        add_to_tail(entries);
    }
    durable_.notify_one();
    for (auto const& waiting : group)
        waiting.done(index++);
}

void FolderLog::add_to_tail(std::vector<EntryPtr> const& entries)
{
    for (auto const& entry : entries)
        tail_bytes_ += entry->bytes.size();
    tail_.insert(tail_.end(), entries.begin(), entries.end());
    size_ += entries.size();
}

void FolderLog::drop_full_bundles()
{
    auto const kept_first = publication_.size() / tile_width * tile_width;
    for (; tail_first_ < kept_first; ++tail_first_) {
        tail_bytes_ -= tail_.front()->bytes.size();
        tail_.pop_front();
    }
}

// The oldest entries that are not published; empty at the end.
std::vector<EntryPtr> FolderLog::take_round()
{
    std::unique_lock lock(mutex_);
    durable_.wait(lock, [this] { return publication_.size() != size_ || has_writer_ended_; });
    std::vector<EntryPtr> entries;
    std::size_t bytes = 0;
    for (auto i = publication_.size() - tail_first_; i < tail_.size() && entries.size() < round_entries_max && bytes < round_bytes_max;
         ++i) {
        entries.push_back(tail_[i]);
        bytes += tail_[i]->bytes.size();
    }
    return entries;
}

void FolderLog::publish_rounds()
{
    for (auto entries = take_round(); !entries.empty(); entries = take_round()) {
        auto const is_published = publish(entries);
        std::unique_lock lock(mutex_);
        auto const has_ended
            = durable_.wait_for(lock, is_published ? publication_pause : retry_pause, [this] { return has_writer_ended_; });
        if (has_ended && !is_published)
            return; // the journal has what is not published; the next open goes on
    }
}

bool FolderLog::publish(std::vector<EntryPtr> const& entries)
{
    auto published = publication_.publish(entries);
    if (published.is_error()) {
        if (!is_failing_)
            log_error("the audit log cannot publish; it tries again", { { "error", published.error().message } });
        is_failing_ = true;
        return false;
    }
    is_failing_ = false;
    std::vector<Awaiting> satisfied;
    {
        std::scoped_lock const lock(mutex_);
        published_ = std::move(*published);
        drop_full_bundles();
        satisfied = take_satisfied();
    }
    hand_over_full_files();
    for (auto const& awaiting : satisfied)
        awaiting.done({});
    return true;
}

std::vector<Awaiting> FolderLog::take_satisfied()
{
    std::vector<Awaiting> satisfied, rest;
    for (auto& awaiting : awaiting_)
        (awaiting.size <= published_->checkpoint.size ? satisfied : rest).push_back(std::move(awaiting));
    awaiting_ = std::move(rest);
    return satisfied;
}

void FolderLog::hand_over_full_files()
{
    auto const full = publication_.size() / tile_width * tile_width;
    settlement_.add(publication_.take_full_files(), full);
    if (!journal_->is_retirable(full))
        return;
    std::scoped_lock const lock(mutex_);
    is_retirable_ = true;
    retirable_.notify_one();
}

// Syncing is left until it lets a segment of the journal go, and to a thread of its own: nobody waits for it.
void FolderLog::settle_files()
{
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            retirable_.wait(lock, [this] { return is_ending_ || is_retirable_; });
            if (!is_retirable_)
                return;
            is_retirable_ = false;
        }
        auto const settled = settlement_.settle();
        auto const retired = settled.is_ok() ? journal_->retire(*settled) : Result<>(settled.error());
        if (retired.is_error()) {
            log_error("the audit log keeps all of its journal from now on", { { "error", retired.error().message } });
            return;
        }
    }
}

Result<std::vector<Bytes>> FolderLog::read_from_bundle(std::uint64_t first, std::size_t count) const
{
    auto const index = first / tile_width, offset = first % tile_width;
    TileName const name { .level = std::nullopt, .index = index };
    auto const bundle = TRY(read_bundle(options_.folder, index));
    auto const entries = TRY(parse_bundle(bundle, tile_width).in("`" + name.path() + "`"));
    auto const leaves = TRY(read_tile(options_.folder, { .level = 0, .index = index }));
    std::vector<Bytes> records;
    for (auto i = offset; i < tile_width && records.size() < count; ++i) {
        if (leaf_hash(entries[i]) != leaves[i])
            return corruption("`" + name.path() + "`: entry " + std::to_string(index * tile_width + i) + " is not what was written");
        records.emplace_back(entries[i].begin(), entries[i].end());
    }
    return records;
}

Result<std::vector<Bytes>> FolderLog::read_range(std::uint64_t first, std::size_t count) const
{
    std::vector<Bytes> records;
    while (records.size() < count) {
        {
            std::scoped_lock const lock(mutex_);
            if (first >= size_)
                return records;
            for (; first >= tail_first_ && first < size_ && records.size() < count; ++first)
                records.push_back(tail_[first - tail_first_]->bytes);
            if (first >= tail_first_)
                return records;
        }
        auto read = TRY(read_from_bundle(first, count - records.size()));
        first += read.size();
        std::ranges::move(read, std::back_inserter(records));
    }
    return records;
}

// Everything the journal holds, as files. A disk that is full stops nobody from opening what is already published.
Result<std::shared_ptr<Published const>> publish_all(Publication& publication, OpenedFolder const& opened)
{
    auto const unsettled = std::span<EntryPtr const>(opened.journal.entries).subspan(opened.settled - opened.journal.first());
    auto published = publication.publish(unsettled);
    if (published.is_error() && published.error().code == ErrorCode::resource_exhausted && opened.published)
        return opened.published;
    return published;
}

} // namespace

Result<std::unique_ptr<Log>> open_log(LogOptions options, OpenAppender open_appender)
{
    auto opened = TRY(open_folder(options.folder, options.signer));
    Publication publication(options.folder, options.signer, opened.tree);
    auto journal = TRY(Journal::open(options.folder / "journal", opened.journal, std::move(open_appender)));
    auto published = TRY(publish_all(publication, opened));
    TRY(write_verifier(options.folder, options.signer));
    return std::unique_ptr<Log>(std::make_unique<FolderLog>(
        std::move(options), std::move(opened), std::move(journal), std::move(publication), std::move(published)));
}

Result<std::unique_ptr<Log>> Log::open(LogOptions options, Clock const&)
{
    auto const context = "open log `" + options.folder.string() + "`";
    return open_log(std::move(options), open_durable_appender).in(context);
}

} // namespace writ::tlog
