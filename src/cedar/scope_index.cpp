// SPDX-License-Identifier: Apache-2.0
//
// Which policies can apply to a request at all. Each policy lies under one key: of those its scope offers (an entity or a type of principal or resource, or none)
// the one that fewest policies share; there they are sorted by action. A request looks under the keys of its principal and resource and of all their ancestors.
#include "cedar/draft.h"

#include <algorithm>
#include <array>

namespace writ::cedar {

namespace {

struct Key {
    enum class Kind : std::uint8_t { any, principal, resource, principal_type, resource_type };
    Kind kind = Kind::any;
    std::uint32_t index = 0; // entity, or name of the type
    auto operator<=>(Key const&) const = default;
};

class ScopeIndexBuilder {
public:
    explicit ScopeIndexBuilder(Draft& draft)
        : draft_(draft)
        , program_(*draft.program)
    {
    }

    void run()
    {
        std::vector<std::array<Key, 2>> offered;
        for (auto const& policy : draft_.policies) {
            offered.push_back({ key_of(policy.principal, Key::Kind::principal, Key::Kind::principal_type),
                key_of(policy.resource, Key::Kind::resource, Key::Kind::resource_type) });
            for (auto const& key : offered.back())
                ++shared_[key];
        }
        std::vector<std::pair<Key, std::uint32_t>> chosen;
        for (auto const& keys : offered)
            chosen.emplace_back(best_of(keys), static_cast<std::uint32_t>(chosen.size()));
        std::sort(chosen.begin(), chosen.end());

        program_.principal_type_buckets.assign(program_.names.size(), {});
        program_.resource_type_buckets.assign(program_.names.size(), {});
        for (auto begin = chosen.begin(); begin != chosen.end();) {
            auto const end = std::find_if(begin, chosen.end(), [&](auto const& next) { return next.first != begin->first; });
            place(begin->first, add_bucket(begin->first, { begin, end }));
            begin = end;
        }
        for (auto const& candidate : candidates_) {
            program_.candidate_actions.push_back(candidate.action);
            program_.candidates.push_back(candidate_of(candidate));
        }
    }

private:
    using Kind = ScopeConstraint::Kind;

    // A policy under its key, for one action.
    struct Choice {
        std::uint32_t action = no_index;
        std::uint32_t policy = 0;
        Key key;
        auto operator<=>(Choice const&) const = default;
    };

    struct KeyHash {
        std::size_t operator()(Key const& key) const { return std::size_t { key.index } * 8 + static_cast<std::size_t>(key.kind); }
    };

    // Any, if the test asks for no entity and no type.
    static Key key_of(ScopeTest const& test, Key::Kind entity, Key::Kind type)
    {
        if (test.kind == Kind::equal || test.kind == Kind::in || test.kind == Kind::is_in)
            return { entity, test.first };
        return test.kind == Kind::is ? Key { type, test.type } : Key {};
    }

    [[nodiscard]] Key best_of(std::array<Key, 2> const& keys) const
    {
        Key best;
        std::size_t fewest = draft_.policies.size() + 1;
        for (auto const& key : keys)
            if (auto const count = shared_.at(key); key.kind != Key::Kind::any && count < fewest) {
                best = key;
                fewest = count;
            }
        return best;
    }

    using Chosen = std::vector<std::pair<Key, std::uint32_t>>::const_iterator;

    Bucket add_bucket(Key const& key, std::pair<Chosen, Chosen> policies)
    {
        auto const first = candidates_.size();
        for (auto at = policies.first; at != policies.second; ++at) {
            auto const policy = at->second;
            auto& compiled = draft_.policies[policy];
            auto const& test = compiled.action;
            if (test.kind == Kind::any)
                candidates_.push_back({ no_index, policy, key });
            for (std::uint32_t i = 0; i < test.count; ++i)
                candidates_.push_back({ test.count == 1 ? test.first : program_.scope_entities[test.first + i], policy, key });
            compiled.is_repeated = test.count > 1;
        }
        std::sort(candidates_.begin() + static_cast<std::ptrdiff_t>(first), candidates_.end());
        return { static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(candidates_.size() - first) };
    }

    [[nodiscard]] Candidate candidate_of(Choice const& choice) const
    {
        auto made = draft_.policies[choice.policy];
        made.policy = choice.policy;
        // Who looks under this key is in it already.
        if (choice.key.kind == Key::Kind::principal)
            drop_what_key_says(made.principal);
        if (choice.key.kind == Key::Kind::resource)
            drop_what_key_says(made.resource);
        return made;
    }

    static void drop_what_key_says(ScopeTest& test)
    {
        if (test.kind == Kind::in)
            test.kind = Kind::any;
        if (test.kind == Kind::is_in)
            test.kind = Kind::is;
    }

    void place(Key const& key, Bucket bucket)
    {
        switch (key.kind) {
        case Key::Kind::any: program_.any_bucket = bucket; break;
        case Key::Kind::principal: draft_.entities[key.index].principal_bucket = bucket; break;
        case Key::Kind::resource: draft_.entities[key.index].resource_bucket = bucket; break;
        case Key::Kind::principal_type: program_.principal_type_buckets[key.index] = bucket; break;
        case Key::Kind::resource_type: program_.resource_type_buckets[key.index] = bucket; break;
        }
        program_.has_type_buckets = program_.has_type_buckets || key.kind == Key::Kind::principal_type || key.kind == Key::Kind::resource_type;
    }

    Draft& draft_;
    Program& program_;
    std::unordered_map<Key, std::size_t, KeyHash> shared_;
    std::vector<Choice> candidates_; // bucket by bucket
};

} // namespace

void build_scope_index(Draft& draft) { ScopeIndexBuilder(draft).run(); }

} // namespace writ::cedar
