// SPDX-License-Identifier: Apache-2.0
//
// Decisions over policies from any bytes: both engines must say the same, and an explanation must not fall over.
#include "base/assert.h"
#include "base/bytes.h"
#include "cedar/engine.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ::cedar;
    std::vector<SyntaxProblem> problems;
    auto const set = PolicySet::parse_numbered({ { "fuzz", std::string(writ::as_text({ bytes, size })) } }, problems);
    if (set.size() == 0)
        return 0;
    EntityStore store;
    Record const attributes { { "a", 1 }, { "b", Value::set({ Value(EntityUid { "User", "a" }), Value("x") }) }, { "c", Value::record({ { "a", EntityUid { "User", "b" } } }) } };
    store.add({ { "User", "a" }, attributes, { { "t", "x" } }, { { "User", "b" } } });
    store.add({ { "User", "b" }, attributes, {}, { { "User", "a" }, { "Action", "all" } } });
    Request const request { { "User", "a" }, { "Action", "read" }, { "User", "b" }, attributes };
    auto const plain = decide(request, set, store);
    Engine const engine(set, store);
    auto const fast = engine.decide(request);
    ASSERT(plain.allowed == fast.allowed && plain.determining == fast.determining && plain.errors.size() == fast.errors.size());
    Decider decider(engine);
    Request const other { request.principal, request.action, { "User", "c" }, request.context };
    decider.decide(other);
    auto const next = decider.decide_next(request.resource);
    ASSERT(plain.allowed == next.allowed && plain.determining.size() == next.determining.size() && plain.errors.size() == next.errors.size());
    auto const facts = explain_denial(request, set, store, 3);
    ASSERT(!plain.allowed || facts.empty());
    return 0;
}
