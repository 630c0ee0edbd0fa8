// SPDX-License-Identifier: Apache-2.0
//
// Policies, entities and requests from a seed, for tests alone: what property and differential tests hold engines against each other with.
// Most policies err for most requests; that is the point.
#pragma once

#include "base/random.h"
#include "cedar/authorizer.h"

namespace writ::cedar {

// Small vocabularies, so that generated policies, entities and requests meet.
class WorldGenerator {
public:
    explicit WorldGenerator(std::uint64_t seed, bool may_cycle = true) // with false: only hierarchies that the reference takes
        : random_(seed)
        , may_cycle_(may_cycle)
    {
    }

    std::size_t below(std::size_t limit)
    {
        std::uint8_t bytes[4];
        random_.fill(bytes);
        return (std::size_t { bytes[0] } | std::size_t { bytes[1] } << 8U | std::size_t { bytes[2] } << 16U | std::size_t { bytes[3] } << 24U) % limit;
    }

    template <std::size_t N>
    std::string one_of(char const* const (&words)[N])
    {
        return words[below(N)];
    }

    EntityUid uid() { return { one_of({ "User", "Team", "File" }), one_of({ "a", "b", "c", "d", "e" }) }; }
    EntityUid action() { return { "Action", one_of({ "read", "write", "all", "other" }) }; }

    Value value(int depth)
    {
        switch (below(depth > 0 ? 10 : 7)) {
        case 0: return below(2) == 0;
        case 1: return static_cast<std::int64_t>(below(4));
        case 2: return one_of({ "x", "y", "xyx" });
        case 3: return uid();
        case 4: return parse_decimal(one_of({ "1.0", "0.5" })).value();
        case 5: return parse_ip_address(one_of({ "10.0.0.1", "10.0.0.0/8", "::1" })).value();
        case 6: return Datetime { static_cast<std::int64_t>(below(3)) };
        case 7: return Value::record(record(depth - 1));
        default: {
            std::vector<Value> elements;
            for (auto count = below(4); count > 0; --count)
                elements.push_back(value(depth - 1));
            return Value::set(std::move(elements));
        }
        }
    }

    Record record(int depth)
    {
        Record made;
        for (auto const* name : { "p", "q", "r" })
            if (below(3) > 0)
                made.emplace(name, value(depth));
        return made;
    }

    Entity entity(EntityUid uid)
    {
        Entity made { std::move(uid), record(2), record(0), {} };
        for (auto count = below(3); count > 0; --count)
            if (auto parent = below(5) == 0 || (made.uid.type == "Action" && !may_cycle_) ? action() : this->uid(); may_cycle_ || made.uid < parent)
                made.parents.push_back(std::move(parent));
        return made;
    }

    std::string expression(int depth)
    {
        if (depth == 0 || below(6) == 0)
            return atom();
        auto const sub = [&] { return "(" + expression(depth - 1) + ")"; };
        switch (below(16)) {
        case 0: return sub() + " && " + sub();
        case 1: return sub() + " || " + sub();
        case 2: return "!" + sub();
        case 3: return sub() + one_of({ " == ", " != ", " == " }) + sub();
        case 4: return sub() + one_of({ " < ", " <= ", " > ", " >= " }) + sub();
        case 5: return sub() + one_of({ " + ", " - ", " * " }) + sub();
        case 6: return sub() + " in " + sub();
        case 7: return sub() + one_of({ ".contains(", ".containsAll(", ".containsAny(", ".hasTag(", ".getTag(" }) + sub() + ")";
        case 8: return "if " + sub() + " then " + sub() + " else " + sub();
        case 9: return sub() + one_of({ ".p", ".q", ".r", ".isEmpty()", ".toDate()", ".isLoopback()" });
        case 10: return sub() + one_of({ " has p", " has q.r", " has p.q.r", " like \"*x*\"", " is User", " is User in Team::\"a\"" });
        case 11: return "[" + sub() + ", " + sub() + "]";
        case 12: return "{p: " + sub() + ", q: " + sub() + "}";
        case 13: return sub() + one_of({ ".lessThan(", ".isInRange(", ".durationSince(", ".offset(" }) + sub() + ")";
        case 14: return one_of({ "principal", "resource", "context" }) + one_of({ " has p", " has q.r", ".p", ".q", ".r" });
        default: return "-" + sub();
        }
    }

    std::string policy()
    {
        std::string text = below(3) == 0 ? "forbid (" : "permit (";
        text += scope("principal") + ", " + action_scope() + ", " + scope("resource") + ")";
        for (auto count = below(3); count > 0; --count)
            text += one_of({ " when { ", " unless { ", " when { " }) + expression(1 + static_cast<int>(below(3))) + " }";
        return text + ";\n";
    }

private:
    std::string scope(std::string const& variable)
    {
        switch (below(6)) {
        case 0: return variable + " == " + to_string(uid());
        case 1: return variable + " in " + to_string(uid());
        case 2: return variable + " is " + one_of({ "User", "Team" });
        case 3: return variable + " is " + one_of({ "User", "Team" }) + " in " + to_string(uid());
        default: return variable;
        }
    }

    std::string action_scope()
    {
        switch (below(4)) {
        case 0: return "action == " + to_string(action());
        case 1: return "action in " + to_string(action());
        case 2: return "action in [" + to_string(action()) + ", " + to_string(action()) + "]";
        default: return "action";
        }
    }

    std::string atom()
    {
        switch (below(6)) {
        case 0: return to_string(value(1));
        case 1: return one_of({ "true", "false", "principal", "resource", "context", "action" });
        default: return one_of({ "principal", "resource", "context" }) + one_of({ ".p", ".q", ".r" });
        }
    }

    SeededRandom random_;
    bool may_cycle_;
};

struct RandomWorld {
    std::string source;
    PolicySet policies;
    EntityStore store;
    std::vector<SyntaxProblem> problems; // none, unless the generator or the parser is wrong

    explicit RandomWorld(WorldGenerator& make)
    {
        for (auto count = 1 + make.below(12); count > 0; --count)
            source += make.policy();
        policies = PolicySet::parse({ { "p", source } }, problems);
        for (auto count = make.below(10); count > 0; --count)
            store.add(make.entity(make.below(6) == 0 ? make.action() : make.uid()));
    }
};

} // namespace writ::cedar
