// SPDX-License-Identifier: Apache-2.0
//
// What is told of the log's witnesses.
#pragma once

#include "authority/witnessing.h"
#include "base/json.h"

namespace writ::authority {

JsonObject witnesses_to_json(Witnessing const&, tlog::Log const&);
std::string witnesses_to_prometheus(Witnessing const&, std::uint64_t tree_size);

} // namespace writ::authority
