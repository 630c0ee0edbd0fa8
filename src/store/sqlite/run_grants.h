// SPDX-License-Identifier: Apache-2.0
//
// Promised runs as rows of the database.
#pragma once

#include "store/sqlite/database.h"
#include "store/store.h"

namespace writ::store {

std::unique_ptr<RunGrantStore> create_run_grants(std::shared_ptr<Database>);

} // namespace writ::store
