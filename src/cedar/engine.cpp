// SPDX-License-Identifier: Apache-2.0
#include "cedar/engine.h"

#include "base/assert.h"
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

Engine::Memory Engine::memory() const
{
    auto const bytes = [](auto const& things) { return things.capacity() * sizeof(things[0]); };
    auto const& p = *program_;
    return { .policies = bytes(p.nodes) + bytes(p.children) + bytes(p.constants) + bytes(p.names) + bytes(p.name_lists) + bytes(p.patterns) + bytes(p.conditions)
            + bytes(p.scope_entities) + bytes(p.candidates) + bytes(p.candidate_actions) + p.constant_values.size() * sizeof(Value),
        .entities = bytes(p.lines) + p.index.memory() };
}

Decision Engine::decide(Request const& request, EntityStore const* front) const
{
    Decider decider(*this);
    return decide(decider, request, front);
}

Decision Engine::decide(Decider& decider, Request const& request, EntityStore const* front) const
{
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
        , visited(program.policy_count, 0)
    {
    }

    void consider(std::uint32_t index)
    {
        auto const& candidate = program.candidates[index];
        // A policy for several actions of one hierarchy is met several times.
        if (candidate.is_repeated && std::exchange(visited[candidate.policy], round) == round)
            return;
        if (!machine.matches(candidate))
            return;
        bool holds = true;
        if (!machine.conditions_hold(candidate, holds))
            errors.push_back(candidate.policy);
        else if (holds)
            (candidate.effect == Effect::permit ? permits : forbids).push_back(candidate.policy);
    }

    void look_in(Bucket bucket)
    {
        // LIMIT: up to this many candidates looking at each beats searching.
        static constexpr std::uint32_t few = 16;
        if (bucket.count > few) {
            look_for(bucket, no_index);
            if (machine.action().index != no_index)
                look_for(bucket, machine.action().index);
            for (auto const ancestor : machine.action().ancestors)
                look_for(bucket, ancestor);
            return;
        }
        for (auto i = bucket.first; i < bucket.first + bucket.count; ++i)
            if (auto const action = program.candidate_actions[i]; action == no_index || applies(action))
                consider(i);
    }

    [[nodiscard]] bool applies(std::uint32_t action) const
    {
        auto const& asked = machine.action();
        return asked.index == action || std::find(asked.ancestors.begin(), asked.ancestors.end(), action) != asked.ancestors.end();
    }

    void look_for(Bucket bucket, std::uint32_t action)
    {
        auto const begin = program.candidate_actions.begin();
        auto const end = begin + bucket.first + bucket.count;
        for (auto found = std::lower_bound(begin + bucket.first, end, action); found != end && *found == action; ++found)
            consider(static_cast<std::uint32_t>(found - begin));
    }

    // The buckets of an entity and of all its ancestors.
    void look_around(KnownEntity const& entity, std::span<Bucket const> (EntityRow::*buckets)() const, Bucket EntityRow::*own,
        std::vector<Bucket> const& by_type)
    {
        if (entity.front == nullptr && entity.index != no_index) {
            for (auto const& bucket : (program.row(entity.index).*buckets)())
                look_in(bucket);
        } else {
            if (entity.index != no_index)
                look_in(program.row(entity.index).*own);
            for (auto const ancestor : entity.ancestors)
                look_in(program.row(ancestor).*own);
        }
        if (entity.type != no_index && program.has_type_buckets)
            look_in(by_type[entity.type]);
    }

    // Whether an entity in front changes what was flattened: by standing in for one of the engine's, or by giving parents to one that was only mentioned as a parent.
    [[nodiscard]] bool is_changed_by(EntityStore const& front) const
    {
        return std::any_of(front.begin(), front.end(), [&](auto const& entry) {
            auto const index = program.find(entry.first);
            if (index == no_index)
                return false;
            auto const& row = program.row(index);
            return row.entity != nullptr || (row.is_ancestor && !entry.second.parents.empty());
        });
    }

    void run_plainly(Request const& request, EntityStore const& entities)
    {
        knows_resource = engine.entities().find_here(request.resource) != nullptr;
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

    Verdict run(Request const& request, EntityStore const* front)
    {
        begin();
        last = &request;
        changed_front = front != nullptr && front->size() > 0 && is_changed_by(*front) ? front : nullptr;
        if (changed_front != nullptr) {
            run_plainly(request, *changed_front);
        } else {
            machine.begin(request, front);
            run_compiled();
        }
        return verdict();
    }

    Verdict run_next(EntityUid const& resource)
    {
        begin();
        if (changed_front != nullptr) {
            run_plainly({ last->principal, last->action, resource, last->context }, *changed_front);
        } else {
            machine.turn_to(resource);
            run_compiled();
        }
        return verdict();
    }

    void begin()
    {
        permits.clear();
        forbids.clear();
        errors.clear();
        if (++round == 0) {
            std::fill(visited.begin(), visited.end(), 0);
            round = 1;
        }
    }

    void run_compiled()
    {
        auto const resource = machine.resource().index;
        knows_resource = resource != no_index && program.row(resource).entity != nullptr;
        look_in(program.any_bucket);
        look_around(machine.principal(), &EntityRow::principal_buckets, &EntityRow::own_principal_bucket, program.principal_type_buckets);
        look_around(machine.resource(), &EntityRow::resource_buckets, &EntityRow::own_resource_bucket, program.resource_type_buckets);
        for (auto* found : { &permits, &forbids, &errors })
            if (found->size() > 1)
                std::sort(found->begin(), found->end());
    }

    [[nodiscard]] Verdict verdict() const
    {
        bool const is_forbidden = !forbids.empty();
        return { !is_forbidden && !permits.empty(), is_forbidden ? forbids : permits, errors, knows_resource };
    }

    Engine const& engine;
    Program const& program;
    Machine machine;
    std::vector<std::uint32_t> visited; // by policy: the round it was last looked at in
    std::uint32_t round = 0;
    std::vector<std::uint32_t> permits, forbids, errors;
    bool knows_resource = false;
    Request const* last = nullptr;
    EntityStore const* changed_front = nullptr; // of the last request: one that only the plain evaluator can stand
};

Decider::Decider(Engine const& engine)
    : state_(std::make_unique<State>(engine))
{
}

Decider::~Decider() = default;

Verdict Decider::decide(Request const& request, EntityStore const* front) { return state_->run(request, front); }

Verdict Decider::decide_next(EntityUid const& resource)
{
    ASSERT(state_->last != nullptr);
    return state_->run_next(resource);
}

} // namespace writ::cedar
