// SPDX-License-Identifier: Apache-2.0
#include "authority/refusal_meter.h"

#include <algorithm>

namespace writ::authority {

struct RefusalMeter::Rate {
    double burst;    // records
    double a_second; // records
};

namespace {

// LIMIT: far above what a user who mistypes something does, and some 20 MB a day.
constexpr double user_burst = 100, user_a_second = 0.1;
// LIMIT: of a node whose processes have many users; 200 MB a day.
constexpr double node_burst = 1000, node_a_second = 1;
// LIMIT: users that are told apart; beyond it there are nodes only.
constexpr std::size_t buckets_max = 10'000;

} // namespace

void RefusalMeter::fill(Bucket& bucket, Rate const& rate, Monotonic now)
{
    auto const seconds = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.left = std::min(rate.burst, bucket.left + seconds * rate.a_second);
    bucket.filled = now;
}

RefusalMeter::Bucket* RefusalMeter::bucket_of(std::string const& agent, std::string const& uid, Rate const& rate, Monotonic now)
{
    auto found = buckets_.find({ agent, uid });
    if (found == buckets_.end()) {
        if (!uid.empty() && buckets_.size() >= buckets_max)
            return nullptr;
        found = buckets_.try_emplace({ agent, uid }, Bucket { .left = rate.burst, .filled = now }).first;
    }
    fill(found->second, rate, now);
    return &found->second;
}

RefusalMeter::Verdict RefusalMeter::count(Bucket& bucket, Monotonic now)
{
    if (!bucket.is_counting) {
        bucket.is_counting = true;
        bucket.since = now;
        return Verdict::announce;
    }
    ++bucket.counted;
    return Verdict::count;
}

RefusalMeter::Verdict RefusalMeter::note(std::string const& agent, std::string const& uid, Monotonic now)
{
    auto* const user = bucket_of(agent, uid.empty() ? "unknown" : uid, { user_burst, user_a_second }, now);
    if (user != nullptr && user->left < 1)
        return count(*user, now);
    auto* const node = bucket_of(agent, "", { node_burst, node_a_second }, now);
    if (node->left < 1)
        return count(*node, now);
    node->left -= 1;
    if (user != nullptr)
        user->left -= 1;
    return Verdict::record;
}

std::vector<RefusalMeter::Count> RefusalMeter::take(Monotonic now)
{
    std::vector<Count> counts;
    for (auto& [of, bucket] : buckets_) {
        if (bucket.counted > 0)
            counts.push_back({ of.first, of.second, bucket.counted, now - bucket.since });
        bucket.is_counting = bucket.counted > 0;
        bucket.counted = 0;
        bucket.since = now;
        fill(bucket, of.second.empty() ? Rate { node_burst, node_a_second } : Rate { user_burst, user_a_second }, now);
    }
    std::erase_if(buckets_, [](auto const& entry) {
        return !entry.second.is_counting && entry.second.left >= (entry.first.second.empty() ? node_burst : user_burst);
    });
    return counts;
}

} // namespace writ::authority
