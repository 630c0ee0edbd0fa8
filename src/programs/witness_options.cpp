// SPDX-License-Identifier: Apache-2.0
#include "programs/witness_options.h"

#include "crypto/pem.h"
#include "tlog/policy.h"

#include <algorithm>

namespace writ::programs {

namespace {

constexpr auto system_roots = "/etc/ssl/certs/ca-certificates.crt";
// LIMIT: Debian's file has 140 certificates in 220 kB.
constexpr std::size_t roots_bytes_max = 8U << 20U;

Result<std::vector<Bytes>> read_certificates(Path const& file)
{
    auto const text = writ::to_text(TRY(read_file(file, roots_bytes_max)));
    auto certificates = TRY(crypto::parse_pem(text, "CERTIFICATE").in("`" + file.string() + "`"));
    if (certificates.empty())
        return invalid_argument("`" + file.string() + "` has no certificate");
    return certificates;
}

Result<> read_options(RoleOptions const& options, authority::WitnessingOptions& witnessing)
{
    auto& quorum = witnessing.quorum;
    for (auto const& text : options.witnesses) {
        witnessing.witnesses.push_back(TRY(authority::parse_witness_address(text).in("--witness")));
        quorum.witnesses.push_back(witnessing.witnesses.back().key);
    }
    quorum.needed = options.witness_quorum;
    if (quorum.needed == 0 && !quorum.witnesses.empty())
        quorum.needed = quorum.witnesses.size() / 2 + 1;
    return tlog::check_quorum_is_sound(quorum).in("--witness-quorum");
}

Result<> read_policy(RoleOptions const& options, authority::WitnessingOptions& witnessing)
{
    if (!options.witnesses.empty() || options.witness_quorum != 0)
        return invalid_argument("--witness-policy says which witnesses there are; --witness and --witness-quorum go without it");
    auto const bytes = TRY(read_file(options.witness_policy, tlog::policy_bytes_max).in("--witness-policy"));
    auto policy = TRY(tlog::parse_log_policy(as_text(bytes)).in("--witness-policy: `" + options.witness_policy + "`"));
    if (policy.quorum.least() == 0)
        return invalid_argument("--witness-policy: with `quorum none` nothing is ever final");
    witnessing.quorum = std::move(policy.quorum);
    for (std::size_t i = 0; i < witnessing.quorum.witnesses.size(); ++i) {
        auto const key = witnessing.quorum.witnesses[i].to_text();
        witnessing.witnesses.push_back(
            TRY(authority::parse_witness_address(policy.witness_urls[i] + "=" + key).in("--witness-policy: the witness of key `" + key + "`")));
    }
    return {};
}

} // namespace

Result<authority::WitnessingOptions> witnessing_of(RoleOptions const& options)
{
    authority::WitnessingOptions witnessing;
    TRY(options.witness_policy.empty() ? read_options(options, witnessing) : read_policy(options, witnessing));
    auto const is_tls
        = std::ranges::any_of(witnessing.witnesses, [](auto const& witness) { return witness.url.starts_with("https:"); });
    if (is_tls)
        witnessing.roots = TRY(read_certificates(options.witness_roots.empty() ? system_roots : options.witness_roots).in("--witness-roots"));
    witnessing.accepts_rollback = options.accepts_rollback;
    return witnessing;
}

} // namespace writ::programs
