// SPDX-License-Identifier: Apache-2.0
//
// Policies parsed from Cedar text, ready to decide with. Immutable once built; shared by reference count; read by many threads.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace writ::cedar {

// LIMIT: far above any policy written by hand; bounds the stack on hostile input.
inline constexpr int expression_depth_max = 256;
// LIMIT: one source text.
inline constexpr std::size_t source_bytes_max = 16U << 20U;

struct SourceSpan {
    std::uint32_t begin = 0, end = 0; // bytes; enough for source_bytes_max
    int line = 1, column = 1;         // of begin, from 1
};

struct PolicySource {
    std::string path; // for messages
    std::string text;
};

struct SyntaxProblem {
    std::string path;
    SourceSpan span;
    std::string message;
};

struct Policy; // ast.h

class PolicySet {
public:
    PolicySet();
    // A policy's id is its @id annotation, else `policyN`, counted over all sources from 0. Two policies of one id are a problem. All problems are found that can be:
    // after one, parsing goes on behind the next `;`. With any problem the set is empty.
    static PolicySet parse(std::vector<PolicySource> const&, std::vector<SyntaxProblem>& problems);
    // As above, but @id does not matter: `policy0`, `policy1`…, as the reference's corpus has them.
    static PolicySet parse_numbered(std::vector<PolicySource> const&, std::vector<SyntaxProblem>& problems);

    // Of policies and templates made elsewhere, with ids that differ.
    static PolicySet of(std::vector<std::shared_ptr<Policy const>>);

    [[nodiscard]] std::size_t size() const; // without templates, which decide nothing until they are linked
    [[nodiscard]] std::vector<std::shared_ptr<Policy const>> const& policies() const;
    [[nodiscard]] std::vector<std::shared_ptr<Policy const>> const& templates() const;

    struct State;
    [[nodiscard]] State const& state() const { return *state_; }

private:
    std::shared_ptr<State const> state_;
};

} // namespace writ::cedar
