// SPDX-License-Identifier: Apache-2.0
#include "programs/witness_options.h"

namespace writ::programs {

namespace {

constexpr auto system_roots = "/etc/ssl/certs/ca-certificates.crt";
// LIMIT: Debian's file has 140 certificates in 220 kB.
constexpr std::size_t roots_bytes_max = 8U << 20U;

// The certificates of a PEM file; what is between them is left out (RFC 7468 §2).
Result<std::vector<Bytes>> read_certificates(Path const& file)
{
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----";
    auto const text = writ::to_text(TRY(read_file(file, roots_bytes_max)));
    std::vector<Bytes> certificates;
    for (auto from = text.find(begin); from != std::string::npos; from = text.find(begin, from)) {
        auto const until = text.find(end, from);
        if (until == std::string::npos)
            return invalid_argument("`" + file.string() + "` ends within a certificate");
        auto base64 = text.substr(from + begin.size(), until - from - begin.size());
        std::erase_if(base64, [](char character) { return character == '\n' || character == '\r' || character == ' '; });
        certificates.push_back(TRY(parse_base64(base64).in("`" + file.string() + "`")));
        from = until;
    }
    if (certificates.empty())
        return invalid_argument("`" + file.string() + "` has no certificate");
    return certificates;
}

} // namespace

Result<authority::WitnessingOptions> witnessing_of(RoleOptions const& options)
{
    authority::WitnessingOptions witnessing;
    auto is_tls = false;
    for (auto const& text : options.witnesses) {
        witnessing.witnesses.push_back(TRY(authority::parse_witness_address(text).in("--witness")));
        is_tls = is_tls || witnessing.witnesses.back().url.starts_with("https:");
    }
    witnessing.quorum = options.witness_quorum;
    if (witnessing.quorum == 0 && !witnessing.witnesses.empty())
        witnessing.quorum = witnessing.witnesses.size() / 2 + 1;
    if (is_tls)
        witnessing.roots = TRY(read_certificates(options.witness_roots.empty() ? system_roots : options.witness_roots).in("--witness-roots"));
    witnessing.accepts_rollback = options.accepts_rollback;
    return witnessing;
}

} // namespace writ::programs
