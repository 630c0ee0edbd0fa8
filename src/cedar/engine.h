// SPDX-License-Identifier: Apache-2.0
//
// The fast way to the same decisions: policies compiled against entities, an index over scopes so that only policies that can apply are looked at, and a Decider
// that allocates nothing. An Engine is immutable and shared by threads; a Decider belongs to one thread.
// How it works: docs/cedar.md.
#pragma once

#include "cedar/authorizer.h"

#include <span>

namespace writ::cedar {

class Decider;
struct Program; // program.h

class Engine {
public:
    // `entities` must outlive the engine, and not change.
    Engine(PolicySet, EntityStore const& entities);
    ~Engine();
    Engine(Engine const&) = delete;
    Engine& operator=(Engine const&) = delete;

    // What decide(request, policies, *front) would say, where `front` (if given) stands before the engine's entities. For callers without a Decider.
    [[nodiscard]] Decision decide(Request const&, EntityStore const* front = nullptr) const;
    // The same with a decider of this engine.
    [[nodiscard]] Decision decide(Decider&, Request const&, EntityStore const* front = nullptr) const;

    [[nodiscard]] PolicySet const& policies() const { return policies_; }
    [[nodiscard]] EntityStore const& entities() const { return entities_; }
    [[nodiscard]] Program const& program() const { return *program_; }
    // Bytes that they take compiled, beside policies() and entities() themselves.
    struct Memory {
        std::size_t policies = 0;
        std::size_t entities = 0; // with those that policies only mention
    };
    [[nodiscard]] Memory memory() const;

private:
    PolicySet policies_;
    EntityStore const& entities_;
    std::unique_ptr<Program const> program_;
};

// Indices are into policies().policies(), in its order; good until the next decision.
struct Verdict {
    bool allowed = false;
    std::span<std::uint32_t const> determining;
    std::span<std::uint32_t const> errors;
    bool knows_resource = false; // it is one of the engine's own entities
};

class Decider {
public:
    explicit Decider(Engine const&);
    ~Decider();
    Decider(Decider const&) = delete;
    Decider& operator=(Decider const&) = delete;

    // Allocates nothing once it is warm. `front` must stand before the engine's own entities. LIMIT: if an entity of `front` replaces one of the engine's,
    // the plain evaluator decides.
    Verdict decide(Request const&, EntityStore const* front = nullptr);
    // The last request of decide() asked of another resource: what was looked up of principal and action is not looked up again.
    // REQUIRES: that request and its front still live, unchanged, and the resource outlives the use of the verdict.
    Verdict decide_next(EntityUid const& resource);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace writ::cedar
