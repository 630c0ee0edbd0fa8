// SPDX-License-Identifier: Apache-2.0
//
// What of a request's circumstances policies ask for. Two requests that differ in nothing that is asked for are decided alike: that is how a
// replay decides each kind of request once, and how it knows that a value which the log keeps only as a digest would have mattered.
#pragma once

#include "cedar/ast.h"

#include <set>
#include <string>

namespace writ::replay {

struct AskedFor {
    using Names = std::set<std::string, std::less<>>;
    Names context; // members of the context
    Names tags;    // of any entity
    bool all_context = false, all_tags = false; // asked for in a way that does not say which

    [[nodiscard]] bool has_context(std::string_view name) const { return all_context || context.contains(name); }
    [[nodiscard]] bool has_tag(std::string_view name) const { return all_tags || tags.contains(name); }
    [[nodiscard]] bool has_any_tag() const { return all_tags || !tags.empty(); }
};

void add_asked_for(AskedFor&, cedar::Expression const&);
void add_asked_for(AskedFor&, cedar::Policy const&);
AskedFor asked_for(cedar::PolicySet const&);

} // namespace writ::replay
