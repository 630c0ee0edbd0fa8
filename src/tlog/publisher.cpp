// SPDX-License-Identifier: Apache-2.0
#include "tlog/publisher.h"

#include "base/background.h"
#include "base/logger.h"

#include <algorithm>

namespace writ::tlog {

namespace {

// Between two rounds. Each writes a partial bundle of up to 255 records again; monitors ask less often than this.
constexpr std::chrono::milliseconds pause { 200 };
// A busy log does not wait: so many bytes of records take as much memory until they are in files.
constexpr std::size_t waiting_bytes_max = 8U << 20U;
// After a failure: a full disk does not get empty sooner by our asking.
constexpr std::chrono::milliseconds retry_pause { 250 };

} // namespace

Publisher::Publisher(Parts parts, Publication publication, std::string published, std::function<void(Error const&)> broken)
    : parts_(parts)
    , broken_(std::move(broken))
    , publication_(std::move(publication))
    , published_(std::move(published))
    , published_size_(publication_.size())
    , thread_([this] { work(); })
{
}

Publisher::~Publisher()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Publisher::sealed()
{
    // Not between the look of the thread and its wait: the wake-up would be lost.
    { std::scoped_lock const lock(mutex_); }
    wake_.notify_one();
}

void Publisher::when_published(std::uint64_t size, std::function<void(Result<>)> done)
{
    Result<> over;
    {
        std::scoped_lock const lock(mutex_);
        if (published_size_ < size && !is_over_) {
            awaiting_.push_back({ .size = size, .done = std::move(done) });
            wake_.notify_one();
            return;
        }
        if (published_size_ < size)
            over = unavailable("the log does not publish any more");
    }
    done(over);
}

void Publisher::satisfy()
{
    std::vector<Awaiting> satisfied;
    {
        std::scoped_lock const lock(mutex_);
        auto const rest = std::partition(
            awaiting_.begin(), awaiting_.end(), [this](Awaiting const& awaiting) { return awaiting.size > published_size_; });
        satisfied.assign(std::move_iterator(rest), std::move_iterator(awaiting_.end()));
        awaiting_.erase(rest, awaiting_.end());
    }
    for (auto const& awaiting : satisfied)
        awaiting.done({});
}

std::string Publisher::published() const
{
    std::scoped_lock const lock(mutex_);
    return published_;
}

bool Publisher::is_ending() const
{
    std::scoped_lock const lock(mutex_);
    return is_ending_;
}

// False at the end.
bool Publisher::wait_for_work()
{
    std::unique_lock lock(mutex_);
    auto const is_behind = [this] { return parts_.sealer.latest()->checkpoint.size > published_size_; };
    wake_.wait(lock, [&] { return is_ending_ || is_behind(); });
    wake_.wait_for(lock, pause, [this] { return is_ending_ || !awaiting_.empty() || parts_.tail.bytes() > waiting_bytes_max; });
    return is_behind();
}

void Publisher::work()
{
    // Where records come faster than cores, a commit would wait for its turn behind this thread's.
    run_in_background();
    follow();
    std::vector<Awaiting> unsatisfied;
    {
        std::scoped_lock const lock(mutex_);
        is_over_ = true;
        unsatisfied = std::exchange(awaiting_, {});
    }
    for (auto const& awaiting : unsatisfied)
        awaiting.done(unavailable("the log does not publish any more"));
}

void Publisher::follow()
{
    let_go();
    auto is_failing = false;
    while (wait_for_work()) {
        auto const is_last = is_ending();
        auto const published = publish();
        if (published.is_error() && published.error().code == ErrorCode::corruption)
            return broken_(published.error());
        if (published.is_error() && !is_failing)
            log_error("the audit log cannot publish; it tries again", { { "error", published.error().message } });
        is_failing = published.is_error();
        if (is_failing && is_last)
            return; // the journal has what is not published; the next open goes on
        if (is_failing) {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, retry_pause, [this] { return is_ending_; });
        }
        let_go();
        satisfy();
    }
}

Result<> Publisher::publish()
{
    TRY(check_in_place());
    auto const sealed = parts_.sealer.latest();
    attempted_ = sealed->note;
    TRY(publication_.publish(parts_.tail.groups_from(publication_.size()), *sealed));
    std::scoped_lock const lock(mutex_);
    published_ = sealed->note;
    published_size_ = sealed->checkpoint.size;
    return {};
}

// SECURITY: what is missing now would be missed much later, perhaps by nobody.
Result<> Publisher::check_in_place() const
{
    TRY(parts_.journal.check_in_place());
    auto const there = parts_.tiles.get("checkpoint", public_checkpoint_bytes_max);
    auto const is_ours = there.is_ok() && (as_text(*there) == published() || as_text(*there) == attempted_);
    if (is_ours || (there.is_error() && there.error().code != ErrorCode::not_found))
        return {};
    return corruption(there.is_ok() ? "`checkpoint` was altered beneath us" : "`checkpoint` was removed beneath us");
}

// Of memory, and of the journal, what full files have.
void Publisher::let_go()
{
    auto const full = publication_.size() / tile_width * tile_width;
    parts_.tail.drop_before(full);
    parts_.sealer.forget_before(full);
    auto full_files = publication_.take_full_files();
    if (!is_settling_)
        return;
    std::ranges::move(full_files, std::back_inserter(unsettled_));
    if (!parts_.journal.is_retirable(full))
        return;
    if (auto const settled = settle(full); settled.is_error()) {
        log_error("the audit log keeps all of its journal from now on", { { "error", settled.error().message } });
        is_settling_ = false; // what a failed sync has lost only the journal has, and the next open writes it again
    }
}

Result<> Publisher::settle(std::uint64_t size)
{
    // Without its records in the journal a checkpoint could not be made again.
    unsettled_.emplace_back("checkpoint");
    TRY(parts_.tiles.settle(std::exchange(unsettled_, {})));
    return parts_.journal.retire(size);
}

} // namespace writ::tlog
