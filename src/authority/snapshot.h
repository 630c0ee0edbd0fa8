// SPDX-License-Identifier: Apache-2.0
//
// One version of all that is declared, checked and compiled: what a decision reads. Immutable; shared by reference count, so that a new
// version is swapped in while requests still use the old one.
#pragma once

#include "audit/record.h"
#include "audit/redaction.h"
#include "authority/document_set.h"
#include "cedar/engine.h"
#include "cedar/entity.h"
#include "cedar/policy_set.h"

#include <memory>
#include <set>

namespace writ::authority {

struct Snapshot {
    std::uint64_t version = 0;
    DocumentSet documents;
    Declarations declarations;
    cedar::PolicySet policies;
    std::set<std::string, std::less<>> spooling; // ids of the policies whose decisions may be spooled (vocabulary/outage.h)
    bool has_versions = false;                   // any of a data set or model is declared
    cedar::EntityStore entities;                 // teams, pipelines and every declared resource
    std::unique_ptr<cedar::Engine const> engine; // of these policies and entities
    audit::RedactionRules redaction;             // all that is declared of it
};

// Checks that references between declarations hold, parses the policies and builds the entities. All problems are reported; with any,
// there is no snapshot.
std::shared_ptr<Snapshot const> compile_snapshot(
    std::uint64_t version, DocumentSet, std::string_view trust_domain, std::vector<Problem>& problems);
// The same, whether references hold or not.
std::shared_ptr<Snapshot const> compile_snapshot_as_it_is(std::uint64_t version, DocumentSet, std::vector<Problem>& problems);

// What a record says that puts a version in force: its text as the store has it, and the schema that its policies are held to.
audit::RecordedDeclarations recorded_declarations(std::uint64_t version, std::string_view text);
// SHA-256 of this program's schema, hexadecimal.
std::string const& schema_digest();

// Where a dataset is, for people and records: as declared, or from its database and table.
std::string location_of(Dataset const&, Declarations const&);

} // namespace writ::authority
