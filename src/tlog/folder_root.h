// SPDX-License-Identifier: Apache-2.0
//
// The root that a log's folder had at an earlier size, from its tiles of hashes alone.
#pragma once

#include "base/durable_file.h"
#include "tlog/merkle_tree.h"

namespace writ::tlog {

// REQUIRES: verify_folder() has passed: the tiles are those of a checkpoint of `published` entries. invalid_argument: size is beyond that.
Result<Hash> root_at(Path const& folder, std::uint64_t size, std::uint64_t published);

} // namespace writ::tlog
