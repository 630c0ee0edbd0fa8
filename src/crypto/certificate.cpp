// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include "crypto/key_state.h"

#include <openssl/x509v3.h>

namespace writ::crypto {

namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;

// LIMIT: a certificate of a workload has under 2 KiB; one with hundreds of names some ten.
constexpr std::size_t certificate_bytes_max = 64U << 10U;

Result<std::string> text_of(ASN1_STRING const* string)
{
    std::string text(reinterpret_cast<char const*>(ASN1_STRING_get0_data(string)), static_cast<std::size_t>(ASN1_STRING_length(string)));
    // SECURITY: a name that goes on after a NUL reads differently in C (CVE-2009-2408).
    if (text.find('\0') != std::string::npos)
        return invalid_argument("certificate has a name with a NUL in it");
    return text;
}

Result<Timestamp> time_of(ASN1_TIME const* time)
{
    std::tm parts {};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        ERR_clear_error();
        return invalid_argument("certificate has a time that is none");
    }
    using namespace std::chrono;
    sys_days const date = year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
    return Timestamp(date + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec));
}

Result<> read_names(X509* x509, Certificate& certificate)
{
    int is_critical = 0;
    GeneralNamesPtr const names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, &is_critical, nullptr)));
    if (names == nullptr) {
        ERR_clear_error();
        if (is_critical != -1)
            return invalid_argument("certificate has alternative names that cannot be read");
        return {};
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        auto const* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_URI)
            certificate.uris.push_back(TRY(text_of(name->d.uniformResourceIdentifier)));
        else if (name->type == GEN_DNS)
            certificate.dns_names.push_back(TRY(text_of(name->d.dNSName)));
    }
    return {};
}

Result<std::string> common_name_of(X509 const* x509)
{
    auto const* subject = X509_get_subject_name(x509);
    auto const index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0)
        return std::string();
    unsigned char* utf8 = nullptr;
    auto const size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) {
        ERR_clear_error();
        return invalid_argument("certificate has a common name that is no text");
    }
    std::string text(reinterpret_cast<char const*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    if (text.find('\0') != std::string::npos)
        return invalid_argument("certificate has a name with a NUL in it");
    return text;
}

Bytes serial_of(X509 const* x509)
{
    auto const* serial = X509_get0_serialNumber(x509);
    auto const* bytes = ASN1_STRING_get0_data(serial);
    return { bytes, bytes + ASN1_STRING_length(serial) };
}

Bytes spki_of(X509 const* x509)
{
    auto const* spki = X509_get_X509_PUBKEY(x509);
    Bytes der(static_cast<std::size_t>(i2d_X509_PUBKEY(spki, nullptr)));
    auto* cursor = der.data();
    ASSERT(i2d_X509_PUBKEY(spki, &cursor) == static_cast<int>(der.size()));
    return der;
}

// What the certificate says it may be used for. One without key usage says nothing, so it may do nothing.
Result<> read_usages(X509* x509, Certificate& certificate)
{
    auto const flags = X509_get_extension_flags(x509);
    if ((flags & EXFLAG_INVALID) != 0) {
        ERR_clear_error();
        return invalid_argument("certificate has extensions that cannot be read");
    }
    certificate.is_ca = (flags & EXFLAG_CA) != 0;
    if ((flags & EXFLAG_KUSAGE) == 0)
        return {};
    auto const usage = X509_get_key_usage(x509);
    certificate.may_sign_certificates = (usage & KU_KEY_CERT_SIGN) != 0;
    certificate.may_sign_crls = (usage & KU_CRL_SIGN) != 0;
    certificate.may_sign = (usage & KU_DIGITAL_SIGNATURE) != 0;
    return {};
}

} // namespace

Result<X509Ptr> parse_x509(BytesView der)
{
    if (der.size() > certificate_bytes_max)
        return invalid_argument("certificate of " + std::to_string(der.size()) + " bytes is over the limit");
    auto const* cursor = der.data();
    X509Ptr x509(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    if (x509 == nullptr || cursor != der.data() + der.size()) {
        ERR_clear_error();
        return invalid_argument("certificate is not DER of one");
    }
    return x509;
}

Result<Certificate> parse_certificate(BytesView der)
{
    auto const x509 = TRY(parse_x509(der));
    Certificate certificate;
    TRY(read_names(x509.get(), certificate));
    TRY(read_usages(x509.get(), certificate));
    certificate.common_name = TRY(common_name_of(x509.get()));
    certificate.serial = serial_of(x509.get());
    certificate.spki = spki_of(x509.get());
    certificate.not_before = TRY(time_of(X509_get0_notBefore(x509.get())));
    certificate.not_after = TRY(time_of(X509_get0_notAfter(x509.get())));
    return certificate;
}

std::string to_pem(BytesView certificate_der)
{
    // SPEC: RFC 7468 §2: 64 characters a line.
    constexpr std::size_t line = 64;
    auto const base64 = to_base64(certificate_der);
    std::string pem = "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < base64.size(); at += line)
        pem += base64.substr(at, line) + "\n";
    return pem + "-----END CERTIFICATE-----\n";
}

} // namespace writ::crypto
