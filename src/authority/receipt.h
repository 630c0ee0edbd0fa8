// SPDX-License-Identifier: Apache-2.0
//
// Where a record's receipt is fetched. A credential leaves as soon as its record is durable; its receipt waits for a checkpoint, and is
// fetched by the record's number (docs/decisions/0010).
#pragma once

#include "tlog/receipt.h"

#include <string>

namespace writ::authority {

std::string receipt_path(std::uint64_t sequence); // `/v1/receipts/17`

} // namespace writ::authority
