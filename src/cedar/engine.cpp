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
        + bytes(p.scope_entities) + bytes(p.entities) + bytes(p.attributes) + bytes(p.ancestors) + bytes(p.candidates)
        + p.index.memory() + p.constant_values.size() * sizeof(Value);
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
        auto const& compiled = program.policies[policy];
        // A policy for several actions of one hierarchy is met several times.
        if (compiled.is_repeated && std::exchange(visited[policy], round) == round)
            return;
        if (!machine.matches(compiled))
            return;
        bool holds = true;
        if (!machine.conditions_hold(compiled, holds))
            errors.push_back(policy);
        else if (holds)
            (compiled.effect == Effect::permit ? permits : forbids).push_back(policy);
    }

    void look_in(Bucket bucket)
    {
        // LIMIT: up to this many candidates looking at each beats searching.
        static constexpr std::uint32_t few = 16;
        std::span<Candidate const> const candidates(program.candidates.data() + bucket.first, bucket.count);
        if (bucket.count > few) {
            look_for(candidates, no_index);
            if (machine.action().index != no_index)
                look_for(candidates, machine.action().index);
            for (auto const ancestor : machine.action().ancestors)
                look_for(candidates, ancestor);
            return;
        }
        for (auto const& candidate : candidates)
            if (candidate.action == no_index || applies(candidate.action))
                consider(candidate.policy);
    }

    [[nodiscard]] bool applies(std::uint32_t action) const
    {
        auto const& asked = machine.action();
        return asked.index == action || std::find(asked.ancestors.begin(), asked.ancestors.end(), action) != asked.ancestors.end();
    }

    void look_for(std::span<Candidate const> candidates, std::uint32_t action)
    {
        auto found = std::lower_bound(candidates.begin(), candidates.end(), action, [](Candidate const& candidate, std::uint32_t wanted) { return candidate.action < wanted; });
        for (; found != candidates.end() && found->action == action; ++found)
            consider(found->policy);
    }

    void look_around(KnownEntity const& entity, Bucket EntityRow::*bucket, std::vector<Bucket> const& by_type)
    {
        if (entity.index != no_index)
            look_in(program.entities[entity.index].*bucket);
        for (auto const ancestor : entity.ancestors)
            look_in(program.entities[ancestor].*bucket);
        if (entity.type != no_index && program.has_type_buckets)
            look_in(by_type[entity.type]);
    }

    // Whether an entity in front changes what was flattened: by standing in for one of the engine's, or by giving parents to one that was only mentioned as a parent.
    [[nodiscard]] bool is_changed_by(EntityStore const& front) const
    {
        return std::any_of(front.begin(), front.end(), [&](auto const& entry) {
            auto const index = program.index.find(entry.first);
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
        look_around(machine.principal(), &EntityRow::principal_bucket, program.principal_type_buckets);
        look_around(machine.resource(), &EntityRow::resource_bucket, program.resource_type_buckets);
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
