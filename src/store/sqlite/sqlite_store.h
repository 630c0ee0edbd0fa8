// SPDX-License-Identifier: Apache-2.0
//
// Every store of the authority in one SQLite file.
#pragma once

#include "base/durable_file.h"
#include "store/store.h"

namespace writ::store {

// corruption: the file is no database, or of a newer version of Writ.
Result<Store> open_sqlite_store(Path const& file);

// What was declared, from the file of an authority that runs or does not. Saving fails.
Result<std::unique_ptr<DeclarationStore>> read_sqlite_declarations(Path const& file);

} // namespace writ::store
