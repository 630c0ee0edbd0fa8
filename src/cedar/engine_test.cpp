// SPDX-License-Identifier: Apache-2.0
#include "cedar/engine.h"

#include "cedar/ast.h"
#include "cedar/random_world.h"
#include "cedar/value_json.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

std::string text_of(Decision const& decision)
{
    std::string text = decision.allowed ? "allow:" : "deny:";
    for (auto const& id : decision.determining)
        text += " " + id;
    for (auto const& error : decision.errors)
        text += " " + error.policy + " (" + error.message + ")";
    return text;
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
