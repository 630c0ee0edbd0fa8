// SPDX-License-Identifier: Apache-2.0
//
// What a record can be found by, as terms: hashes of a kind and a text. Different texts may have one term, seldom; who finds a record by terms
// looks at it. Private to audit.
#pragma once

#include "audit/record_scanner.h"

#include <cstdint>

namespace writ::audit {

using Term = std::uint64_t;
// As many as an index keeps.
inline constexpr int term_bits = 39;

enum class TermKind : std::uint8_t {
    record, // every record
    type,
    decision,
    workload, // SPIFFE ID or declared name
    run,
    purpose,
    classification,
    policy,
    resource, // by id, name or name@version, with its type and without
    trace,
    request,
    lease,
    use, // of what was used, or by what; `qualifier` is the type, `run` or `workload`
    attested, // records in which nothing is asserted
};
Term term_of(TermKind, std::string_view text, std::string_view qualifier = "");

// A thing under all of its names: `fraud@7` is ModelVersion `fraud@7`, Model `fraud` of version `7`, and the version of a Model `fraud`.
struct EntityName {
    std::string_view type; // without `Version`
    std::string_view name; // without `@version`
    std::string_view version;
};
EntityName name_of(ScannedEntity const&);

void add_terms(ScannedRecord const&, std::vector<Term>& terms);

// What an allowed use says of a model.
enum class ModelEdge : std::uint8_t {
    none,
    made,   // run → model version
    loaded, // model version → endpoint
    called, // endpoint → caller, with the model in play
};
ModelEdge edge_of_resource(std::string_view action);                              // of the model that is the resource
ModelEdge edge_in_play(std::string_view resource_type, std::string_view action); // of the model in play beside it
bool is_call(std::string_view resource_type, std::string_view action);
// Terms of kind `use` for those edges alone; a call that names no model is found by its endpoint.
Term edge_term(ModelEdge, std::string_view model);
Term unnamed_call_term(std::string_view endpoint);

// Whether the record says that something was used: allowed, or a credential issued.
bool is_use(ScannedRecord const&);
// Uses that differ in nothing but time are one: of the same thing, by the same run, for the same end. What is asserted, and by whom, tells them apart.
// SECURITY: names come from outside, and of records with one hash one is told for all of them: nobody must be able to make two that have one.
std::uint64_t use_hash(ScannedRecord const&);

// What nobody but whoever asked says of a use (`asserted`), as bits.
using Asserted = std::uint16_t;
inline constexpr Asserted asserted_workload = 1, asserted_resource = 2, asserted_model = 4, asserted_datasets = 8, asserted_endpoint = 16;
template <typename Texts> Asserted asserted_of(Texts const& members)
{
    constexpr std::pair<std::string_view, Asserted> bits[] = { { "workload", asserted_workload }, { "resource", asserted_resource },
        { "model", asserted_model }, { "datasets", asserted_datasets }, { "endpoint", asserted_endpoint } };
    Asserted asserted = 0;
    for (auto const& member : members) {
        for (auto const& [name, bit] : bits)
            asserted |= member == name ? bit : Asserted(0);
    }
    return asserted;
}
void add_use_terms(ScannedRecord const&, std::vector<Term>& terms);

} // namespace writ::audit
