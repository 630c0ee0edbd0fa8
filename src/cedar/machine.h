// SPDX-License-Identifier: Apache-2.0
//
// Runs compiled conditions for one request. What it makes lies in an arena that the next request uses again; nothing is freed in between.
#pragma once

#include "cedar/authorizer.h"
#include "cedar/program.h"

#include <memory>

namespace writ::cedar {

// Memory in blocks that grows to what the largest request needed, and is then reused.
class Arena {
public:
    template <typename T>
    T* make(std::size_t count)
    {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
        auto* const made = static_cast<T*>(allocate(count * sizeof(T)));
        for (std::size_t i = 0; i < count; ++i)
            std::construct_at(made + i);
        return made;
    }
    struct Mark {
        std::size_t block = 0;
        std::size_t used = 0;
    };
    [[nodiscard]] Mark mark() const { return end_; }
    void reset() { end_ = Mark(); }
    // What was made since then is gone.
    void reset(Mark const& to) { end_ = to; }

private:
    void* allocate(std::size_t bytes);

    struct Block {
        std::unique_ptr<std::max_align_t[]> memory;
        std::size_t bytes = 0;
    };
    std::vector<Block> blocks_;
    Mark end_;
};

// An entity as far as it is known: by index among the engine's, by what stands in front, or neither.
struct KnownEntity {
    EntityUid const* uid = nullptr;
    std::uint32_t index = no_index;
    std::uint32_t type = no_index; // of the request's own three: index into names, if a policy names it
    Entity const* front = nullptr;
    std::span<std::uint32_t const> ancestors {}; // among the engine's entities, sorted, without itself
};

class Machine {
public:
    explicit Machine(Program const& program)
        : program_(program)
    {
    }

    // REQUIRES: no entity of `front` is one of the engine's.
    void begin(Request const&, EntityStore const* front);
    // The same request of another resource, which must outlive what is asked of it.
    void turn_to(EntityUid const& resource);
    // Whether a policy's conditions hold. False return: it errs.
    bool conditions_hold(Candidate const&, bool& holds);
    [[nodiscard]] bool matches(Candidate const&) const;

    [[nodiscard]] KnownEntity const& principal() const { return variables_[0]; }
    [[nodiscard]] KnownEntity const& action() const { return variables_[1]; }
    [[nodiscard]] KnownEntity const& resource() const { return variables_[2]; }

private:
    // All return false for an error.
    bool spend(Slot const&); // what looking at all of it costs, see work.h
    bool run(std::uint32_t node, Slot& result);
    bool run_bool(std::uint32_t node, bool& result);
    bool every(Node const&, bool stop_at, Slot& result);
    bool conditional(Node const&, Slot& result);
    bool equal(Node const&, Slot& result);
    bool order(Node const&, Slot& result);
    bool arithmetic(Node const&, Slot& result);
    bool membership(Node const&, Slot& result);
    bool is_type(Node const&, Slot& result);
    bool set_method(Node const&, Slot& result);
    bool tag(Node const&, Slot& result);
    bool attribute(Node const&, Slot& result);
    bool has_attribute(Node const&, Slot& result);
    bool like(Node const&, Slot& result);
    bool set(Node const&, Slot& result);
    bool record(Node const&, Slot& result);
    bool call(Node const&, Slot& result);
    bool construct(std::uint8_t function, Slot& argument_and_result);
    bool call_method(std::uint8_t function, Slot& object_and_result, Slot const& argument);

    [[nodiscard]] std::uint32_t child(Node const& node, std::size_t index) const { return program_.children[node.first + index]; }
    [[nodiscard]] Slot variable(Variable) const;
    enum class Found : std::uint8_t { value, absent, wrong_type };
    Found look_up(Slot const& object, std::uint32_t name, Slot& found);
    Found look_up(KnownEntity const&, std::uint32_t name, Slot& found) const;
    bool is_in(Slot const& entity, Slot const& ancestor);
    bool in_any(Slot const& entity, Slot const& ancestors, bool& result);
    [[nodiscard]] bool passes(ScopeTest const&, KnownEntity const&) const;
    KnownEntity known(Slot const& entity);
    KnownEntity know(EntityUid const&);
    void complete(KnownEntity&); // all but its index
    void prefetch_row(std::uint32_t index) const;
    void prefetch_candidates(KnownEntity const&, std::span<Bucket const> (EntityRow::*buckets)() const) const;
    std::span<std::uint32_t const> ancestors_in_front(Entity const&);

    Program const& program_;
    Request const* request_ = nullptr;
    EntityStore const* front_ = nullptr;
    std::array<KnownEntity, 3> variables_;
    Arena arena_;
    Arena::Mark request_end_; // of what was made for principal and action
    std::uint64_t work_ = 0; // of the policy that runs
};

} // namespace writ::cedar
