// SPDX-License-Identifier: Apache-2.0
//
// Which policies can apply to a request at all. Each policy lies under one key: of those its scope offers (an entity or a type of principal or resource, or none)
// the one that fewest policies share; there they are sorted by action. A request looks under the keys of its principal and resource and of all their ancestors.
#include "cedar/program.h"

#include <algorithm>
#include <map>

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
    explicit ScopeIndexBuilder(Program& program)
        : program_(program)
    {
    }

    void run()
    {
        for (auto const& policy : program_.policies)
            for (auto const& key : keys_of(policy))
                ++shared_[key];
        std::map<Key, std::vector<std::uint32_t>> chosen;
        for (std::uint32_t i = 0; i < program_.policies.size(); ++i)
            chosen[best_of(keys_of(program_.policies[i]))].push_back(i);

        program_.principal_type_buckets.assign(program_.names.size(), {});
        program_.resource_type_buckets.assign(program_.names.size(), {});
        for (auto const& [key, policies] : chosen)
            place(key, add_bucket(policies));
    }

private:
    using Kind = ScopeConstraint::Kind;

    void add_keys(ScopeTest const& test, Key::Kind entity, Key::Kind type, std::vector<Key>& keys) const
    {
        if (test.kind == Kind::equal || test.kind == Kind::in || test.kind == Kind::is_in)
            keys.push_back({ entity, test.first });
        else if (test.kind == Kind::is)
            keys.push_back({ type, test.type });
    }

    [[nodiscard]] std::vector<Key> keys_of(CompiledPolicy const& policy) const
    {
        std::vector<Key> keys;
        add_keys(policy.principal, Key::Kind::principal, Key::Kind::principal_type, keys);
        add_keys(policy.resource, Key::Kind::resource, Key::Kind::resource_type, keys);
        return keys;
    }

    [[nodiscard]] Key best_of(std::vector<Key> const& keys) const
    {
        Key best;
        std::size_t fewest = program_.policies.size() + 1;
        for (auto const& key : keys)
            if (auto const count = shared_.at(key); count < fewest) {
                best = key;
                fewest = count;
            }
        return best;
    }

    Bucket add_bucket(std::vector<std::uint32_t> const& policies)
    {
        auto const first = program_.candidates.size();
        for (auto const policy : policies) {
            auto const& test = program_.policies[policy].action;
            if (test.kind == Kind::any)
                program_.candidates.push_back({ no_index, policy });
            for (std::uint32_t i = 0; i < test.count; ++i)
                program_.candidates.push_back({ test.count == 1 ? test.first : program_.scope_entities[test.first + i], policy });
            program_.policies[policy].is_repeated = test.count > 1;
        }
        std::sort(program_.candidates.begin() + static_cast<std::ptrdiff_t>(first), program_.candidates.end());
        return { static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(program_.candidates.size() - first) };
    }

    void place(Key const& key, Bucket bucket)
    {
        switch (key.kind) {
        case Key::Kind::any: program_.any_bucket = bucket; break;
        case Key::Kind::principal: program_.entities[key.index].principal_bucket = bucket; break;
        case Key::Kind::resource: program_.entities[key.index].resource_bucket = bucket; break;
        case Key::Kind::principal_type: program_.principal_type_buckets[key.index] = bucket; break;
        case Key::Kind::resource_type: program_.resource_type_buckets[key.index] = bucket; break;
        }
        program_.has_type_buckets = program_.has_type_buckets || key.kind == Key::Kind::principal_type || key.kind == Key::Kind::resource_type;
    }

    Program& program_;
    std::map<Key, std::size_t> shared_;
};

} // namespace

void build_scope_index(Program& program) { ScopeIndexBuilder(program).run(); }

} // namespace writ::cedar
