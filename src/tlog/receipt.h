// SPDX-License-Identifier: Apache-2.0
//
// A receipt: a record, and the proof that it is in a checkpoint of the log, checked with the log's key alone and no server asked (C2SP
// tlog-proof). The record is its `extra` line; what it proves is of the record's bytes, so the line needs no trust.
#pragma once

#include "tlog/cosignature.h"

namespace writ::tlog {

struct Receipt {
    std::optional<Bytes> record; // none: whoever verifies has it from elsewhere
    std::uint64_t index = 0;
    std::vector<Hash> proof;
    std::string note; // the checkpoint, with the cosignatures that it has
};

std::string to_text(Receipt const&);
// invalid_argument: not what to_text() writes; the note is not looked into.
Result<Receipt> parse_receipt(std::string_view);

struct VerifiedReceipt {
    Checkpoint checkpoint;
    std::vector<Cosignature> cosignatures;
};
// corruption: the record is not in the checkpoint, the checkpoint is not of this log, or fewer witnesses have cosigned it than are needed.
Result<VerifiedReceipt> verify_receipt(Receipt const&, Hash const& leaf, NoteVerifier const& log, WitnessQuorum const&);

} // namespace writ::tlog
