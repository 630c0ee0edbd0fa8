// SPDX-License-Identifier: Apache-2.0
#include "net/tls_verification.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace writ::net {

namespace {

constexpr std::string_view spiffe_scheme = "spiffe://";
// LIMIT: SPIFFE-ID §2.
constexpr std::size_t spiffe_id_length_max = 2048;

using X509Stack = std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;

int verification_index()
{
    static int const index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    ASSERT(index >= 0);
    return index;
}

bool has_sha256(X509* certificate, Bytes const& expected)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest {};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1)
        return false;
    return constant_time_equal(BytesView(digest.data(), size), expected);
}

// The roots, and of what the other side sent the one that is pinned. The certificates stay their owners'.
X509Stack trusted_of(PeerVerification const& verification, STACK_OF(X509) const* sent)
{
    X509Stack trusted(sk_X509_new_null());
    for (auto const& root : *verification.roots)
        sk_X509_push(trusted.get(), root.get());
    if (verification.expected.pinned_root_sha256)
        for (int i = 0; i < sk_X509_num(sent); ++i)
            if (has_sha256(sk_X509_value(sent, i), *verification.expected.pinned_root_sha256))
                sk_X509_push(trusted.get(), sk_X509_value(sent, i));
    return trusted;
}

std::string path_of(std::string const& spiffe_id)
{
    auto const slash = spiffe_id.find('/', spiffe_scheme.size());
    return spiffe_id.empty() || slash == std::string::npos ? "" : spiffe_id.substr(slash);
}

bool has_name(X509* leaf, std::string const& name)
{
    auto const is_ip = X509_check_ip_asc(leaf, name.c_str(), 0);
    ERR_clear_error(); // -2: it is no IP address, which leaves an error behind
    if (is_ip != -2)
        return is_ip == 1;
    constexpr unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return X509_check_host(leaf, name.data(), name.size(), flags, nullptr) == 1;
}

// What is wrong with who the leaf says it is; empty: nothing.
std::string identity_problem(X509* leaf, ExpectedPeer const& expected)
{
    auto const spiffe_id = spiffe_id_of(leaf);
    if (!expected.spiffe_id.empty() && spiffe_id != expected.spiffe_id)
        return "the peer is `" + spiffe_id + "` and not `" + expected.spiffe_id + "`";
    if (!expected.spiffe_id_path.empty() && path_of(spiffe_id) != expected.spiffe_id_path)
        return "the peer is `" + spiffe_id + "`, whose path is not `" + expected.spiffe_id_path + "`";
    if (!expected.name.empty() && !has_name(leaf, expected.name))
        return "the peer's certificate is not for `" + expected.name + "`";
    return "";
}

// OpenSSL's question whether to go on: 1 is yes.
int verify_peer(X509_STORE_CTX* context, void*)
{
    auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* const verification = static_cast<PeerVerification*>(SSL_get_ex_data(ssl, verification_index()));
    ASSERT(verification);
    auto* const parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, to_unix_seconds(verification->now));
    // A root is what the bundle says, whether or not it signed itself.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);

    auto const trusted = trusted_of(*verification, X509_STORE_CTX_get0_untrusted(context));
    X509_STORE_CTX_set0_trusted_stack(context, trusted.get());
    auto const is_valid = X509_verify_cert(context) == 1;
    X509_STORE_CTX_set0_trusted_stack(context, nullptr);
    if (!is_valid) {
        verification->problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
        return 0;
    }
    verification->problem = identity_problem(X509_STORE_CTX_get0_cert(context), verification->expected);
    if (verification->problem.empty())
        return 1;
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

bool is_spiffe_id(std::string_view text)
{
    if (!text.starts_with(spiffe_scheme) || text.size() > spiffe_id_length_max)
        return false;
    text.remove_prefix(spiffe_scheme.size());
    auto const slash = std::min(text.find('/'), text.size());
    auto const is_domain_character
        = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; };
    auto const is_path_character = [&](char c) { return is_domain_character(c) || (c >= 'A' && c <= 'Z') || c == '/'; };
    return slash > 0 && std::ranges::all_of(text.substr(0, slash), is_domain_character)
        && std::ranges::all_of(text.substr(slash), is_path_character);
}

// All URIs among the alternative names; more than the one that is allowed if there are more.
std::vector<std::string> uris_of(X509* certificate)
{
    std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>> const names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> uris;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        auto const* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_URI)
            continue;
        auto const* const uri = name->d.uniformResourceIdentifier;
        auto const size = static_cast<std::size_t>(ASN1_STRING_length(uri));
        uris.emplace_back(reinterpret_cast<char const*>(ASN1_STRING_get0_data(uri)), size);
    }
    return uris;
}

bool may_sign_certificates(X509* certificate)
{
    auto const flags = X509_get_extension_flags(certificate);
    auto const has_usage = (flags & EXFLAG_KUSAGE) != 0;
    return (flags & (EXFLAG_CA | EXFLAG_INVALID)) != 0
        || (has_usage && (X509_get_key_usage(certificate) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0);
}

} // namespace

void require_peer_verification(SSL_CTX* context) { SSL_CTX_set_cert_verify_callback(context, verify_peer, nullptr); }

void set_peer_verification(SSL* ssl, PeerVerification* verification) { SSL_set_ex_data(ssl, verification_index(), verification); }

std::string spiffe_id_of(X509* leaf)
{
    auto const uris = uris_of(leaf);
    // SECURITY: SPIFFE X509-SVID §4.3 and §4.4: a signing certificate's ID is not a workload's, and of two URIs neither can be believed.
    if (uris.size() != 1 || !is_spiffe_id(uris[0]) || may_sign_certificates(leaf))
        return "";
    return uris[0];
}

} // namespace writ::net
