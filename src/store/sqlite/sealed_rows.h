// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/sqlite/database.h"
#include "store/store.h"

namespace writ::store {

std::unique_ptr<SealedStore> create_sealed_rows(std::shared_ptr<Database>);

} // namespace writ::store
