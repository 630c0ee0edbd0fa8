// SPDX-License-Identifier: Apache-2.0
#include "cedar/engine.h"

#include "cedar/ast.h"
#include "cedar/random_world.h"
#include "cedar/value_json.h"

#include <atomic>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

namespace writ::cedar {
namespace {

std::string text_of(Decision const& decision, bool has_messages = true)
{
    std::string text = decision.allowed ? "allow:" : "deny:";
    for (auto const& id : decision.determining)
        text += " " + id;
    for (auto const& error : decision.errors)
        text += " " + error.policy + (has_messages ? " (" + error.message + ")" : " errs");
    return text;
}

std::string text_of(Verdict const& verdict, PolicySet const& policies)
{
    Decision decision { .allowed = verdict.allowed, .determining = {}, .errors = {} };
    for (auto const index : verdict.determining)
        decision.determining.push_back(policies.policies()[index]->id);
    for (auto const index : verdict.errors)
        decision.errors.push_back({ policies.policies()[index]->id, "" });
    return text_of(decision, false);
}

TEST(Engine, always_agrees_with_the_plain_evaluator)
{
    std::size_t allowed = 0;
    std::size_t erred = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        WorldGenerator make(seed);
        RandomWorld const world(make);
        ASSERT_TRUE(world.problems.empty()) << world.source << world.problems[0].message;
        Engine const engine(world.policies, world.store);
        for (int i = 0; i < 10; ++i) {
            EntityStore front(&world.store);
            for (auto count = make.below(3); count > 0; --count)
                front.add(make.entity(make.uid()));
            Request const request { make.uid(), make.action(), make.uid(), make.record(2) };
            auto const plain = decide(request, world.policies, front);
            ASSERT_EQ(text_of(engine.decide(request, &front)), text_of(plain)) << "seed " << seed << "\n" << world.source;
            ASSERT_EQ(text_of(engine.decide(request)), text_of(decide(request, world.policies, world.store))) << "seed " << seed << "\n" << world.source;
            // One question after another of the same subject, with and without what stands in front.
            Decider decider(engine);
            for (auto const* before : { static_cast<EntityStore const*>(nullptr), static_cast<EntityStore const*>(&front) }) {
                decider.decide(request, before);
                for (int next = 0; next < 3; ++next) {
                    auto const resource = make.uid();
                    auto const again = decide({ request.principal, request.action, resource, request.context }, world.policies, before == nullptr ? world.store : front);
                    auto const next_verdict = decider.decide_next(resource);
                    ASSERT_EQ(text_of(next_verdict, world.policies), text_of(again, false)) << "seed " << seed << "\n" << world.source;
                    ASSERT_EQ(next_verdict.knows_resource, world.store.find(resource) != nullptr);
                }
            }
            allowed += plain.allowed ? 1 : 0;
            erred += plain.errors.empty() ? 0 : 1;
        }
    }
    // The generator must not have drifted to where nothing happens.
    EXPECT_GT(allowed, 1000U);
    EXPECT_GT(erred, 1000U);
}

TEST(Engine, one_decider_serves_request_after_request)
{
    WorldGenerator make(7);
    RandomWorld const world(make);
    Engine const engine(world.policies, world.store);
    Decider decider(engine);
    for (int i = 0; i < 500; ++i) {
        Request const request { make.uid(), make.action(), make.uid(), make.record(2) };
        auto const verdict = decider.decide(request);
        auto const plain = decide(request, world.policies, world.store);
        ASSERT_EQ(verdict.allowed, plain.allowed);
        ASSERT_EQ(verdict.errors.size(), plain.errors.size());
        ASSERT_EQ(verdict.determining.size(), plain.determining.size());
        for (std::size_t j = 0; j < plain.determining.size(); ++j)
            ASSERT_EQ(world.policies.policies()[verdict.determining[j]]->id, plain.determining[j]);
    }
}

// A set with its entities, as a snapshot holds them.
struct Installed {
    explicit Installed(std::int64_t generation)
    {
        std::vector<SyntaxProblem> problems;
        auto const text = "@id(\"" + std::to_string(generation) + R"(") permit (principal in G::"g", action, resource) when { context.generation == )" + std::to_string(generation) + " };";
        store.add({ { "U", "u" }, {}, {}, { { "G", "g" } } });
        engine = std::make_unique<Engine const>(PolicySet::parse({ { "test", text } }, problems), store);
        EXPECT_TRUE(problems.empty());
    }
    EntityStore store;
    std::unique_ptr<Engine const> engine;
};

TEST(Engine, is_swapped_while_others_decide)
{
    static constexpr std::int64_t generations = 200;
    std::mutex mutex;
    auto current = std::make_shared<Installed const>(0);
    std::atomic<std::int64_t> newest = 0;
    std::atomic<std::size_t> decided = 0;
    std::atomic<std::size_t> wrong = 0;
    auto const read = [&] {
        for (std::int64_t seen = 0; seen < generations;) {
            auto const before = newest.load();
            std::shared_ptr<Installed const> held;
            {
                std::lock_guard const lock(mutex);
                held = current;
            }
            Decider decider(*held->engine);
            seen = std::stoll(held->engine->policies().policies()[0]->id);
            Request const request { { "U", "u" }, { "Action", "a" }, { "R", "r" }, { { "generation", seen } } };
            // Whole, whichever it is, and none older than what was there before it was asked for.
            for (int i = 0; i < 10; ++i)
                wrong += decider.decide(request).allowed && seen >= before ? 0 : 1;
            ++decided;
        }
    };
    std::thread first(read), second(read);
    for (std::int64_t generation = 1; generation <= generations; ++generation) {
        auto next = std::make_shared<Installed const>(generation);
        std::lock_guard const lock(mutex);
        current = std::move(next);
        newest = generation;
    }
    first.join();
    second.join();
    EXPECT_EQ(wrong, 0U);
    EXPECT_GE(decided, 2U);
}

TEST(Engine, tells_what_memory_entities_and_policies_take)
{
    auto const memory = [](std::size_t policies, std::size_t entities) {
        std::string text;
        for (std::size_t i = 0; i < policies; ++i)
            text += "permit (principal, action, resource in P::\"p" + std::to_string(i % 10) + "\") when { context.n == " + std::to_string(i) + " };";
        EntityStore store;
        for (std::size_t i = 0; i < entities; ++i)
            store.add({ { "E", std::to_string(i) }, {}, {}, { { "P", "p" + std::to_string(i % 10) } } });
        std::vector<SyntaxProblem> problems;
        return Engine(PolicySet::parse({ { "test", text } }, problems), store).memory();
    };
    auto const small = memory(100, 100);
    EXPECT_GE(small.policies, 100 * sizeof(void*));
    EXPECT_GE(small.entities, 100 * sizeof(void*));
    auto const many_entities = memory(100, 10'000);
    EXPECT_EQ(many_entities.policies, small.policies);
    EXPECT_GT(many_entities.entities, 50 * small.entities);
    auto const many_policies = memory(10'000, 100);
    EXPECT_EQ(many_policies.entities, small.entities);
    EXPECT_GT(many_policies.policies, 50 * small.policies);
}

TEST(ValueJson, round_trips)
{
    WorldGenerator make(11);
    for (int i = 0; i < 2000; ++i) {
        auto const value = make.value(3);
        auto const back = parse_value(to_json(value));
        ASSERT_TRUE(back.is_ok());
        ASSERT_EQ(*back, value) << to_string(value);
    }
    Value const far = Datetime { INT64_MAX };
    EXPECT_EQ(parse_value(to_json(far)).value(), far);
}

} // namespace
} // namespace writ::cedar
