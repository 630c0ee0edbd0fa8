// SPDX-License-Identifier: Apache-2.0
#include "cli/witness_options.h"

#include "cli/number_option.h"

namespace writ::cli {

void add_witness_options(CLI::App& command, WitnessOptions& options)
{
    command.add_option("--witness", options.keys, "A witness's verifier key (C2SP tlog-cosignature); may be given again")->type_name("KEY");
    command.add_option("--witness-quorum", options.quorum, "How many of these witnesses must have cosigned (default: all)")->type_name("N")->check(number_from(1));
    command.add_option("--policy", options.policy, "A file that says which logs and witnesses are trusted (C2SP tlog-policy), instead of keys here")
        ->type_name("FILE");
}

Result<tlog::LogPolicy> policy_of(WitnessOptions const& options)
{
    if (!options.policy.empty() && (!options.keys.empty() || options.quorum != 0))
        return invalid_argument("--policy says which witnesses there are; --witness and --witness-quorum go without it");
    if (!options.policy.empty())
        return tlog::parse_log_policy(as_text(TRY(read_file(options.policy, tlog::policy_bytes_max)))).in("--policy: `" + options.policy + "`");
    tlog::LogPolicy policy;
    auto& quorum = policy.quorum;
    for (auto const& key : options.keys)
        quorum.witnesses.push_back(TRY(tlog::WitnessVerifier::parse(key).in("--witness")));
    quorum.needed = options.quorum == 0 ? quorum.witnesses.size() : options.quorum;
    TRY(tlog::check_quorum_is_sound(quorum).in("--witness-quorum"));
    return policy;
}

} // namespace writ::cli
