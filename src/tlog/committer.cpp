// SPDX-License-Identifier: Apache-2.0
#include "tlog/committer.h"

#include "base/limits.h"
#include "base/logger.h"

namespace writ::tlog {

Committer::Committer(std::unique_ptr<Journal> journal, std::size_t waiting_records_max, std::function<void(GroupPtr)> durable)
    : journal_(std::move(journal))
    , waiting_records_max_(waiting_records_max)
    , durable_(std::move(durable))
    , thread_([this] { work(); })
{
}

Committer::~Committer() { end(); }

void Committer::end()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    appended_.notify_one();
    if (thread_.joinable())
        thread_.join();
}

void Committer::append(Bytes record, Appended done)
{
    if (record.size() > limits::record_bytes_max)
        return done(resource_exhausted(
            "a record of " + std::to_string(record.size()) + " bytes is longer than " + std::to_string(limits::record_bytes_max)));
    Waiting waiting { .record = std::move(record), .done = std::move(done) };
    if (auto const refusal = enqueue(waiting))
        waiting.done(*refusal);
}

std::optional<Error> Committer::enqueue(Waiting& waiting)
{
    std::scoped_lock const lock(mutex_);
    if (is_refusing_)
        return unavailable("the log refuses records: " + refusal_);
    if (waiting_.size() + committing_ >= waiting_records_max_)
        return resource_exhausted("more than " + std::to_string(waiting_records_max_) + " records wait for the disk");
    waiting_.push_back(std::move(waiting));
    if (std::exchange(is_idle_, false))
        appended_.notify_one();
    return std::nullopt;
}

void Committer::refuse(Error const& error)
{
    std::scoped_lock const lock(mutex_);
    if (is_refusing_)
        return;
    log_error("the audit log refuses records from now on", { { "error", error.message } });
    refusal_ = error.message;
    is_refusing_ = true;
}

// Whatever has gathered; empty at the end.
std::vector<Committer::Waiting> Committer::take_waiting()
{
    std::unique_lock lock(mutex_);
    committing_ = 0;
    is_idle_ = waiting_.empty();
    appended_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
    is_idle_ = false;
    committing_ = waiting_.size();
    return std::exchange(waiting_, {});
}

void Committer::work()
{
    for (auto waiting = take_waiting(); !waiting.empty(); waiting = take_waiting())
        for (auto rest = std::span(waiting); !rest.empty();)
            rest = commit(rest);
}

// The first group's worth; returns the rest.
std::span<Committer::Waiting> Committer::commit(std::span<Waiting> waiting)
{
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < waiting.size() && count < group_records_max; ++count) {
        bytes += waiting[count].record.size();
        if (count > 0 && bytes > group_bytes_max)
            break;
    }
    auto const group = waiting.first(count);
    auto first = write(group);
    for (auto const& each : group)
        each.done(first.is_ok() ? Result<std::uint64_t>((*first)++) : first);
    return waiting.subspan(count);
}

// The index of the first one, once they are durable.
Result<std::uint64_t> Committer::write(std::span<Waiting const> waiting)
{
    if (is_refusing_)
        return unavailable("the log refuses records: an earlier one failed");
    std::vector<BytesView> records;
    records.reserve(waiting.size());
    for (auto const& each : waiting)
        records.emplace_back(each.record);
    auto group = Group::encode(journal_->size(), records);
    auto const appended = journal_->append(*group);
    if (journal_->is_refusing())
        refuse(appended.is_error() ? appended.error() : unavailable("a write failed with an unknown outcome"));
    TRY(appended);
    auto const first = group->first();
    durable_(std::move(group));
    return first;
}

} // namespace writ::tlog
