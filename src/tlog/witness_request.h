// SPDX-License-Identifier: Apache-2.0
//
// What a log sends to a witness (C2SP tlog-witness, add-checkpoint): the size that the witness knows, a proof that its tree is in the new
// one, and the new checkpoint.
#pragma once

#include "tlog/merkle_tree.h"

#include <string>
#include <vector>

namespace writ::tlog {

// SPEC: C2SP tlog-witness: "The client MUST NOT send more than 63 consistency proof lines."
inline constexpr std::size_t proof_lines_max = 63;

struct AddCheckpoint {
    std::uint64_t old_size = 0;
    std::vector<Hash> proof;
    std::string note; // the checkpoint
};

std::string to_text(AddCheckpoint const&);
// invalid_argument for anything that to_text() would not write; the note is not looked into.
Result<AddCheckpoint> parse_add_checkpoint(std::string_view);

} // namespace writ::tlog
