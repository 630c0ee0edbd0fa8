// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <algorithm>
#include <openssl/x509v3.h>

namespace writ::crypto {

namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;

bool is_dns_label(std::string_view label)
{
    constexpr std::size_t label_bytes_max = 63; // RFC 1035 §2.3.4
    return !label.empty() && label.size() <= label_bytes_max && std::ranges::all_of(label, [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9')
            || character == '-' || character == '_';
    });
}

bool is_dns_name(std::string_view name)
{
    if (name.starts_with("*."))
        name.remove_prefix(2);
    for (;;) {
        auto const dot = name.find('.');
        if (!is_dns_label(name.substr(0, dot)))
            return false;
        if (dot == std::string_view::npos)
            return true;
        name.remove_prefix(dot + 1);
    }
}

// SPEC: RFC 5280 §4.2.1.6: DNS names are in preferred name syntax; `.example.com` would slip through a name constraint.
bool has_bad_dns_name(X509 const* x509)
{
    GeneralNamesPtr const names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        auto const* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS)
            continue;
        std::string_view const text(reinterpret_cast<char const*>(ASN1_STRING_get0_data(name->d.dNSName)),
            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        if (!is_dns_name(text))
            return true;
    }
    return false;
}

// SPEC: RFC 5280 §4.2.1.10: name constraints "MUST be used only in a CA certificate" and are critical.
bool has_bad_name_constraints(X509* x509)
{
    auto const index = X509_get_ext_by_NID(x509, NID_name_constraints, -1);
    return index >= 0 && (X509_check_ca(x509) == 0 || X509_EXTENSION_get_critical(X509_get_ext(x509, index)) == 0);
}

// SPEC: RFC 5280 §4.2.1.1: only a certificate that signs itself may lack the authority key identifier.
bool lacks_authority(X509* x509)
{
    auto const is_self_issued = X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
    return !is_self_issued && X509_get0_authority_key_id(x509) == nullptr;
}

} // namespace

Result<> check_profile(X509* x509)
{
    auto const* serial = X509_get0_serialNumber(x509);
    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        return unauthenticated("serial number is negative");
    if (has_bad_name_constraints(x509))
        return unauthenticated("name constraints are not critical, or not of a CA");
    if (has_bad_dns_name(x509))
        return unauthenticated("alternative name is not a DNS name");
    if (lacks_authority(x509))
        return unauthenticated("no authority key identifier");
    ERR_clear_error();
    return {};
}

} // namespace writ::crypto
