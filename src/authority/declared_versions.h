// SPDX-License-Identifier: Apache-2.0
//
// Versions of data sets and models, as far as they are declared: an alias becomes its version before a decision, and a record gets the digest.
// Thread-safe.
#pragma once

#include "authority/snapshot.h"

namespace writ::authority {

// `DatasetVersion::"transactions@latest"` as `…@7`, if that is what the alias is declared for; anything else as it is.
cedar::EntityUid resolved(Snapshot const&, cedar::EntityUid);

// The same in place; returns the alias that stood there, empty if there was none.
std::string resolve(Snapshot const&, cedar::EntityUid&);

// As records have it: with the version that was meant, and its declared digest. What is not declared is its own name alone.
audit::RecordedEntity described(Snapshot const&, cedar::EntityUid const&);

// Whether any version is declared: without one, described() knows nothing but the name.
bool have_versions(Declarations const&);

// Adds `DatasetVersion` and `ModelVersion` entities in their data sets and models.
void add_versions(cedar::EntityStore&, Declarations const&);

} // namespace writ::authority
