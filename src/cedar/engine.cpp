// SPDX-License-Identifier: Apache-2.0
#include "cedar/engine.h"

#include "cedar/evaluator.h"
#include "cedar/machine.h"

#include <algorithm>

namespace writ::cedar {

Engine::Engine(PolicySet policies, EntityStore const& entities)
    : policies_(std::move(policies))
    , entities_(entities)
    , program_(compile(policies_, entities))
{
}

Engine::~Engine() = default;

std::size_t Engine::memory() const
{
    auto const bytes = [](auto const& things) { return things.capacity() * sizeof(things[0]); };
    auto const& p = *program_;
    return bytes(p.nodes) + bytes(p.children) + bytes(p.constants) + bytes(p.names) + bytes(p.name_lists) + bytes(p.patterns) + bytes(p.policies) + bytes(p.conditions)
        + bytes(p.scope_entities) + bytes(p.entities) + bytes(p.attributes) + bytes(p.ancestors) + bytes(p.candidates) + bytes(p.groups) + bytes(p.buckets)
        + bytes(p.principal_buckets) + bytes(p.resource_buckets) + p.index.memory() + p.constant_values.size() * sizeof(Value);
}

Decision Engine::decide(Request const& request, EntityStore const* front) const
{
    Decider decider(*this);
    auto const verdict = decider.decide(request, front);
    Decision decision { .allowed = verdict.allowed, .determining = {}, .errors = {} };
    for (auto const index : verdict.determining)
        decision.determining.push_back(policies_.policies()[index]->id);
    // What went wrong is found out again in words, for the few policies that err.
    Evaluator const evaluator(request, front != nullptr ? *front : entities_);
    for (auto const index : verdict.errors) {
        auto const& policy = *policies_.policies()[index];
        auto const satisfied = evaluator.satisfied(policy);
        decision.errors.push_back({ policy.id, satisfied.is_error() ? satisfied.error().message : "the policy errs" });
    }
    return decision;
}

struct Decider::State {
    explicit State(Engine const& of)
        : engine(of)
        , program(of.program())
        , machine(program)
        , visited(program.policies.size(), 0)
    {
    }

    void consider(std::uint32_t policy)
    {
        // A policy for several actions of one hierarchy lies in several groups.
        if (visited[policy] == round)
            return;
        visited[policy] = round;
        auto const& compiled = program.policies[policy];
        if (!machine.matches(compiled))
            return;
        bool holds = true;
        if (!machine.conditions_hold(compiled, holds))
            errors.push_back(policy);
        else if (holds)
            (compiled.effect == Effect::permit ? permits : forbids).push_back(policy);
    }

    void look_in(std::uint32_t bucket_index)
    {
        if (bucket_index == 0)
            return;
        auto const& bucket = program.buckets[bucket_index];
        auto const* const begin = program.groups.data() + bucket.first;
        // LIMIT: up to this many groups looking at each beats searching.
        static constexpr std::uint32_t few = 8;
        if (bucket.count <= few) {
            for (auto const* group = begin; group != begin + bucket.count; ++group)
                if (group->action == no_index || applies(group->action))
                    look_in(*group);
            return;
        }
        if (begin[bucket.count - 1].action == no_index)
            look_in(begin[bucket.count - 1]);
        if (machine.action().index != no_index)
            look_for(begin, bucket.count, machine.action().index);
        for (auto const ancestor : machine.action().ancestors)
            look_for(begin, bucket.count, ancestor);
    }

    [[nodiscard]] bool applies(std::uint32_t action) const
    {
        auto const& asked = machine.action();
        return asked.index == action || std::find(asked.ancestors.begin(), asked.ancestors.end(), action) != asked.ancestors.end();
    }

    void look_for(ActionGroup const* begin, std::uint32_t count, std::uint32_t action)
    {
        auto const* const found = std::lower_bound(begin, begin + count, action, [](ActionGroup const& group, std::uint32_t wanted) { return group.action < wanted; });
        if (found != begin + count && found->action == action)
            look_in(*found);
    }

    void look_in(ActionGroup const& group)
    {
        for (std::uint32_t i = 0; i < group.count; ++i)
            consider(program.candidates[group.first + i]);
    }

    void look_around(KnownEntity const& entity, std::vector<std::uint32_t> const& by_entity, std::unordered_map<std::string, std::uint32_t> const& by_type)
    {
        if (entity.index != no_index)
            look_in(by_entity[entity.index]);
        for (auto const ancestor : entity.ancestors)
            look_in(by_entity[ancestor]);
        if (by_type.empty())
            return;
        if (auto const found = by_type.find(entity.uid->type); found != by_type.end())
            look_in(found->second);
    }

    // Whether an entity in front changes what was flattened: by standing in for one of the engine's, or by giving parents to one that was only mentioned as a parent.
    [[nodiscard]] bool is_changed_by(EntityStore const& front) const
    {
        return std::any_of(front.begin(), front.end(), [&](auto const& entry) {
            auto const index = program.index.find(entry.first, program.entities);
            if (index == no_index)
                return false;
            auto const& row = program.entities[index];
            return row.entity != nullptr || (row.is_ancestor && !entry.second.parents.empty());
        });
    }

    void run_plainly(Request const& request, EntityStore const& entities)
    {
        Evaluator const evaluator(request, entities);
        auto const& policies = engine.policies().policies();
        for (std::uint32_t i = 0; i < policies.size(); ++i) {
            auto const satisfied = evaluator.satisfied(*policies[i]);
            if (satisfied.is_error())
                errors.push_back(i);
            else if (*satisfied)
                (policies[i]->effect == Effect::permit ? permits : forbids).push_back(i);
        }
    }

    void run(Request const& request, EntityStore const* front)
    {
        permits.clear();
        forbids.clear();
        errors.clear();
        if (front != nullptr && front->size() > 0 && is_changed_by(*front)) {
            run_plainly(request, *front);
            return;
        }
        if (++round == 0) {
            std::fill(visited.begin(), visited.end(), 0);
            round = 1;
        }
        machine.begin(request, front);
        look_in(program.any_bucket);
        look_around(machine.principal(), program.principal_buckets, program.principal_type_buckets);
        look_around(machine.resource(), program.resource_buckets, program.resource_type_buckets);
        for (auto* found : { &permits, &forbids, &errors })
            if (found->size() > 1)
                std::sort(found->begin(), found->end());
    }

    Engine const& engine;
    Program const& program;
    Machine machine;
    std::vector<std::uint32_t> visited; // by policy: the round it was last looked at in
    std::uint32_t round = 0;
    std::vector<std::uint32_t> permits, forbids, errors;
};

Decider::Decider(Engine const& engine)
    : state_(std::make_unique<State>(engine))
{
}

Decider::~Decider() = default;

Verdict Decider::decide(Request const& request, EntityStore const* front)
{
    state_->run(request, front);
    bool const is_forbidden = !state_->forbids.empty();
    return { !is_forbidden && !state_->permits.empty(), is_forbidden ? state_->forbids : state_->permits, state_->errors };
}

} // namespace writ::cedar
