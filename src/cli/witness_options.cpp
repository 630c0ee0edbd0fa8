// SPDX-License-Identifier: Apache-2.0
#include "cli/witness_options.h"

namespace writ::cli {

void add_witness_options(CLI::App& command, WitnessOptions& options)
{
    command.add_option("--witness", options.keys, "A witness's verifier key (C2SP tlog-cosignature); may be given again")->type_name("KEY");
    command.add_option("--witness-quorum", options.quorum, "How many of these witnesses must have cosigned (default: all)")->type_name("N");
}

Result<tlog::WitnessQuorum> quorum_of(WitnessOptions const& options)
{
    tlog::WitnessQuorum quorum;
    for (auto const& key : options.keys)
        quorum.witnesses.push_back(TRY(tlog::WitnessVerifier::parse(key).in("--witness")));
    quorum.needed = options.quorum == 0 ? quorum.witnesses.size() : options.quorum;
    TRY(tlog::check_quorum_is_sound(quorum).in("--witness-quorum"));
    return quorum;
}

} // namespace writ::cli
