// SPDX-License-Identifier: Apache-2.0
//
// Stored declarations as a replay reads them. Whether references hold is not asked: what was in force was in force, and a draft is held
// against the rest when it is applied.
#pragma once

#include "authority/snapshot.h"
#include "replay/declared.h"

namespace writ::authority {

// Of a version's text as the store has it. corruption: it does not read as declarations any more.
Result<replay::Declared> declared_of(std::uint64_t version, std::string_view text);

// What applying the documents over a stored version would put in force; nothing, with problems.
std::optional<replay::Declared> declared_with(
    std::string_view text, std::vector<Document> const& documents, bool prune, std::vector<Problem>& problems);

} // namespace writ::authority
