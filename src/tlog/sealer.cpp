// SPDX-License-Identifier: Apache-2.0
#include "tlog/sealer.h"

#include "base/logger.h"

#include <algorithm>

namespace writ::tlog {

namespace {

// Between two signatures, however many wait: a signature costs as much as a hundred records.
constexpr std::chrono::milliseconds pace { 2 };
// Until somebody asks, or so many records have come that a proof would have to hash for long.
constexpr std::chrono::milliseconds patience { 10 };
constexpr std::uint64_t unsealed_max = 2048;
// After a failure of the store.
constexpr std::chrono::milliseconds retry_pause { 250 };

} // namespace

Result<Growth> grow(TiledTree tree, std::vector<GroupPtr> const& groups, NoteSigner const& signer)
{
    Growth growth;
    for (auto const& group : groups)
        for (auto index = std::max(tree.size(), group->first()); index < group->end(); ++index)
            tree.append(group->leaf(index), growth.filled);
    Checkpoint checkpoint { .origin = signer.name, .size = tree.size(), .root = tree.root(), .extension = "" };
    auto note = TRY(sign_checkpoint(checkpoint, signer));
    growth.sealed
        = std::make_shared<Sealed const>(Sealed { .checkpoint = std::move(checkpoint), .note = std::move(note), .tree = std::move(tree) });
    return growth;
}

Sealer::Sealer(NoteSigner signer, std::unique_ptr<CheckpointStore> store, Tail const& tail, SealedPtr latest, Callbacks callbacks)
    : signer_(std::move(signer))
    , store_(std::move(store))
    , tail_(tail)
    , callbacks_(std::move(callbacks))
    , stored_(latest->note)
    , latest_(std::move(latest))
    , size_(tail.size())
    , thread_([this] { work(); })
{
}

Sealer::~Sealer() { end(); }

void Sealer::end()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    grown_.notify_one();
    if (thread_.joinable())
        thread_.join();
    for (auto const& awaiting : std::exchange(awaiting_, {}))
        awaiting.done(unavailable("the log has ended"));
}

SealedPtr Sealer::latest() const
{
    std::scoped_lock const lock(mutex_);
    return latest_;
}

// Whether somebody waits for what is there. Under mutex_.
bool Sealer::is_wanted() const
{
    return std::ranges::any_of(awaiting_, [this](Awaiting const& awaiting) { return awaiting.size <= size_; });
}

void Sealer::grown(std::uint64_t size)
{
    std::scoped_lock const lock(mutex_);
    auto const unsealed_before = size_ - latest_->checkpoint.size;
    auto const unsealed = size - latest_->checkpoint.size;
    size_ = size;
    if (unsealed_before == 0 || (unsealed_before < unsealed_max && unsealed >= unsealed_max) || is_wanted())
        grown_.notify_one();
}

void Sealer::when_sealed(std::uint64_t size, std::function<void(Result<>)> done)
{
    {
        std::scoped_lock const lock(mutex_);
        if (latest_->checkpoint.size < size && !is_broken_) {
            awaiting_.push_back({ .size = size, .done = std::move(done) });
            if (size <= size_)
                grown_.notify_one();
            return;
        }
    }
    done(latest()->checkpoint.size >= size ? Result<>() : unavailable("the log does not sign checkpoints any more"));
}

bool Sealer::is_ending() const
{
    std::scoped_lock const lock(mutex_);
    return is_ending_;
}

// False at the end.
bool Sealer::wait_for_work()
{
    std::unique_lock lock(mutex_);
    grown_.wait(lock, [this] { return is_ending_ || size_ > latest_->checkpoint.size; });
    grown_.wait_for(
        lock, patience, [this] { return is_ending_ || is_wanted() || size_ - latest_->checkpoint.size >= unsealed_max; });
    return size_ > latest_->checkpoint.size;
}

void Sealer::work()
{
    auto is_failing = false;
    while (wait_for_work()) {
        auto const is_last = is_ending();
        auto const sealed = seal();
        if (sealed.is_error() && (sealed.error().code == ErrorCode::conflict || sealed.error().code == ErrorCode::corruption))
            return give_up(sealed.error());
        if (sealed.is_error() && !is_failing)
            log_error("the audit log cannot store a checkpoint; it tries again", { { "error", sealed.error().message } });
        is_failing = sealed.is_error();
        if (is_failing && is_last)
            return; // the next open signs what the journal has
        std::unique_lock lock(mutex_);
        grown_.wait_for(lock, is_failing ? retry_pause : pace, [this] { return is_ending_; });
    }
}

Result<> Sealer::seal()
{
    auto const before = latest();
    auto growth = TRY(grow(before->tree, tail_.groups_from(before->checkpoint.size), signer_));
    TRY(store(growth.sealed->note));
    publish(std::move(growth));
    return {};
}

// SECURITY: in the strict store before anybody sees it. What a failed write left there is ours too.
Result<> Sealer::store(std::string const& note)
{
    auto replaced = store_->replace(stored_, note);
    if (replaced.is_error() && replaced.error().code == ErrorCode::conflict && !attempted_.empty()) {
        auto const there = store_->load();
        if (there.is_ok() && *there == attempted_) {
            stored_ = attempted_;
            replaced = store_->replace(stored_, note);
        }
    }
    attempted_ = replaced.is_error() ? note : "";
    TRY(replaced);
    stored_ = note;
    return {};
}

void Sealer::publish(Growth growth)
{
    std::vector<Awaiting> satisfied;
    {
        std::scoped_lock const lock(mutex_);
        for (auto& tile : growth.filled)
            recent_.insert_or_assign(tile.name, std::move(tile.bytes));
        latest_ = std::move(growth.sealed);
        auto const rest = std::partition(
            awaiting_.begin(), awaiting_.end(), [this](Awaiting const& awaiting) { return awaiting.size > latest_->checkpoint.size; });
        satisfied.assign(std::move_iterator(rest), std::move_iterator(awaiting_.end()));
        awaiting_.erase(rest, awaiting_.end());
    }
    callbacks_.sealed();
    for (auto const& awaiting : satisfied)
        awaiting.done({});
}

void Sealer::give_up(Error const& error)
{
    callbacks_.broken(error);
    std::vector<Awaiting> awaiting;
    {
        std::scoped_lock const lock(mutex_);
        is_broken_ = true;
        awaiting = std::exchange(awaiting_, {});
    }
    for (auto const& each : awaiting)
        each.done(error);
}

std::optional<Bytes> Sealer::recent_tile(TileName const& name) const
{
    std::scoped_lock const lock(mutex_);
    auto const found = recent_.find(name);
    return found == recent_.end() ? std::nullopt : std::optional(found->second);
}

void Sealer::forget_before(std::uint64_t size)
{
    std::scoped_lock const lock(mutex_);
    std::erase_if(recent_, [size](auto const& tile) {
        auto const& [level, index, width] = tile.first;
        return index < size >> static_cast<unsigned>((*level + 1) * 8);
    });
}

} // namespace writ::tlog
