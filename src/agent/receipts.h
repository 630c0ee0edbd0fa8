// SPDX-License-Identifier: Apache-2.0
//
// Puts the receipts of a run's credentials into its folder once the log can prove them: a job does not wait for that. One loop.
#pragma once

#include "agent/authority_client.h"
#include "agent/run_folder.h"

namespace writ::agent {

struct ReceiptOrder {
    std::string run;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<std::uint64_t> records; // of the issuances, in order
};

// The receipt of one record, as the authority gives it to the agent that asked for the credential.
net::Task<Result<SecretText>> fetch_receipt(AuthorityClient& authority, std::uint64_t record);

// `receipt`, `receipt-2`, … in the folder of the run. Gives up when the folder is gone, or after some minutes.
net::Task<> deliver_receipts(AuthorityClient& authority, Path run_folders, ReceiptOrder order);

// The name of the receipt of the run's first, second, … credential.
std::string receipt_name(std::size_t place);

} // namespace writ::agent
