// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate_der.h"

#include "crypto/der.h"
#include "crypto/digest.h"
#include "crypto/signature.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace writ::crypto {

namespace {

// LIMIT: of a SPIFFE ID (SPIFFE-ID §2.3).
constexpr std::size_t uri_bytes_max = 2048;
// LIMIT: RFC 1035 §2.3.4.
constexpr std::size_t dns_name_bytes_max = 253;
// LIMIT: RFC 5280 §4.1.2.2.
constexpr std::size_t serial_bytes_max = 20;

constexpr std::array<std::uint8_t, 12> ecdsa_sha256 = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
constexpr std::array<std::uint8_t, 12> ecdsa_sha384 = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
constexpr std::array<std::uint8_t, 12> ecdsa_sha512 = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 };
constexpr std::array<std::uint8_t, 7> ed25519 = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };
constexpr std::array<std::uint8_t, 15> rsa_sha256
    = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };

// Extensions whose every byte is known: SEQUENCE { id-ce-…, [critical TRUE], OCTET STRING }.
constexpr std::array<std::uint8_t, 20> ca_constraints
    = { 0x30, 0x12, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x08, 0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00 };
constexpr std::array<std::uint8_t, 16> ca_key_usage // keyCertSign and cRLSign
    = { 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x01, 0x06 };
constexpr std::array<std::uint8_t, 14> leaf_constraints
    = { 0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30, 0x00 };
constexpr std::array<std::uint8_t, 16> leaf_key_usage // digitalSignature
    = { 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80 };

// The last byte of id-ce (2.5.29.n).
constexpr std::uint8_t subject_key_identifier = 14;
constexpr std::uint8_t subject_alternative_name = 17;
constexpr std::uint8_t authority_key_identifier = 35;
constexpr std::uint8_t extended_key_usage = 37;

// Context-specific tags of GeneralName and of others.
constexpr std::uint8_t dns_name_tag = 0x82;
constexpr std::uint8_t uri_tag = 0x86;
constexpr std::uint8_t ip_address_tag = 0x87;
constexpr std::uint8_t key_identifier_tag = 0x80;
constexpr std::uint8_t version_tag = 0xa0;
constexpr std::uint8_t extensions_tag = 0xa3;

struct SignatureForm {
    Algorithm algorithm;
    BytesView identifier;
};

SignatureForm form_of(KeyType type)
{
    switch (type) {
    case KeyType::p256: return { Algorithm::es256, ecdsa_sha256 };
    case KeyType::p384: return { Algorithm::es384, ecdsa_sha384 };
    case KeyType::p521: return { Algorithm::es512, ecdsa_sha512 };
    case KeyType::ed25519: return { Algorithm::eddsa, ed25519 };
    case KeyType::rsa: return { Algorithm::rs256, rsa_sha256 };
    }
    ASSERT(false);
}

void append_extension(Bytes& extensions, std::uint8_t id, bool is_critical, BytesView value)
{
    Bytes contents = { 0x06, 0x03, 0x55, 0x1d, id };
    if (is_critical)
        append_bytes(contents, std::array<std::uint8_t, 3> { 0x01, 0x01, 0xff });
    append_element(contents, DerTag::octet_string, value);
    append_element(extensions, DerTag::sequence, contents);
}

void append_digits(Bytes& out, unsigned number, unsigned count)
{
    unsigned divisor = 1;
    for (unsigned i = 1; i < count; ++i)
        divisor *= 10;
    for (; divisor != 0; divisor /= 10)
        out.push_back(static_cast<std::uint8_t>('0' + number / divisor % 10));
}

// SPEC: RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; whole seconds.
Result<> append_time(Bytes& out, Timestamp time)
{
    auto const seconds = std::chrono::floor<std::chrono::seconds>(time);
    auto const day = std::chrono::floor<std::chrono::days>(seconds);
    std::chrono::year_month_day const date(day);
    std::chrono::hh_mm_ss const clock(seconds - day);
    auto const year = static_cast<int>(date.year());
    if (year < 1950 || year > 9999)
        return invalid_argument("certificate time is outside of the years 1950 to 9999");
    Bytes text;
    append_digits(text, static_cast<unsigned>(year) % (year < 2050 ? 100U : 10'000U), year < 2050 ? 2 : 4);
    append_digits(text, static_cast<unsigned>(date.month()), 2);
    append_digits(text, static_cast<unsigned>(date.day()), 2);
    append_digits(text, static_cast<unsigned>(clock.hours().count()), 2);
    append_digits(text, static_cast<unsigned>(clock.minutes().count()), 2);
    append_digits(text, static_cast<unsigned>(clock.seconds().count()), 2);
    text.push_back('Z');
    append_element(out, year < 2050 ? DerTag::utc_time : DerTag::generalized_time, text);
    return {};
}

Result<Bytes> encode_to_be_signed(CertificateFields const& fields, BytesView signature_algorithm)
{
    Bytes contents;
    contents.reserve(fields.issuer.size() + fields.subject.size() + fields.spki.size() + fields.extensions.size() + 128);
    append_element(contents, version_tag, std::array<std::uint8_t, 3> { 0x02, 0x01, 0x02 }); // v3
    append_unsigned(contents, fields.serial);
    append_bytes(contents, signature_algorithm);
    append_bytes(contents, fields.issuer);
    Bytes validity;
    TRY(append_time(validity, fields.not_before));
    TRY(append_time(validity, fields.not_after));
    append_element(contents, DerTag::sequence, validity);
    append_bytes(contents, fields.subject);
    append_bytes(contents, fields.spki);
    Bytes extensions;
    append_element(extensions, DerTag::sequence, fields.extensions);
    append_element(contents, extensions_tag, extensions);
    Bytes to_be_signed;
    to_be_signed.reserve(contents.size() + 4);
    append_element(to_be_signed, DerTag::sequence, contents);
    return to_be_signed;
}

bool is_visible_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char character) { return character > ' ' && character < '\x7f'; });
}

bool is_dns_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9')
        || character == '-' || character == '.';
}

} // namespace

Result<Bytes> sign_certificate(CertificateFields const& fields, PrivateKey const& key)
{
    auto const [algorithm, identifier] = form_of(key.type());
    auto contents = TRY(encode_to_be_signed(fields, identifier));
    auto const signature = TRY(sign(key, algorithm, contents, EcdsaForm::der));
    append_bytes(contents, identifier);
    Bytes bits = { 0 };
    append_bytes(bits, signature);
    append_element(contents, DerTag::bit_string, bits);
    Bytes certificate;
    certificate.reserve(contents.size() + 4);
    append_element(certificate, DerTag::sequence, contents);
    return certificate;
}

Bytes encode_common_name(std::string_view utf8)
{
    Bytes attribute = { 0x06, 0x03, 0x55, 0x04, 0x03 }; // id-at-commonName
    append_element(attribute, DerTag::utf8_string, as_bytes(utf8));
    Bytes single, set, name;
    append_element(single, DerTag::sequence, attribute);
    append_element(set, DerTag::set, single);
    append_element(name, DerTag::sequence, set);
    return name;
}

Bytes encode_ca_extensions()
{
    Bytes extensions(ca_constraints.begin(), ca_constraints.end());
    append_bytes(extensions, ca_key_usage);
    return extensions;
}

Bytes encode_leaf_extensions(bool server_auth, bool client_auth)
{
    Bytes extensions(leaf_constraints.begin(), leaf_constraints.end());
    append_bytes(extensions, leaf_key_usage);
    Bytes purposes;
    for (auto const& [wanted, last] : { std::pair(server_auth, std::uint8_t(1)), std::pair(client_auth, std::uint8_t(2)) })
        if (wanted)
            append_element(
                purposes, DerTag::object_identifier, std::array<std::uint8_t, 8> { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last });
    if (purposes.empty())
        return extensions;
    Bytes value;
    append_element(value, DerTag::sequence, purposes);
    append_extension(extensions, extended_key_usage, false, value);
    return extensions;
}

void append_subject_alternative_name(Bytes& extensions, BytesView general_names, bool is_critical)
{
    Bytes value;
    append_element(value, DerTag::sequence, general_names);
    append_extension(extensions, subject_alternative_name, is_critical, value);
}

void append_subject_key_identifier(Bytes& extensions, BytesView identifier)
{
    Bytes value;
    append_element(value, DerTag::octet_string, identifier);
    append_extension(extensions, subject_key_identifier, false, value);
}

void append_authority_key_identifier(Bytes& extensions, BytesView identifier)
{
    Bytes contents, value;
    append_element(contents, key_identifier_tag, identifier);
    append_element(value, DerTag::sequence, contents);
    append_extension(extensions, authority_key_identifier, false, value);
}

// SPEC: RFC 7093 §2 (4): the SHA-256 of the whole SubjectPublicKeyInfo; its first 160 bits, as (1) has it.
Bytes key_identifier(BytesView spki)
{
    auto const digest = sha256(spki);
    return { digest.begin(), digest.begin() + 20 };
}

Result<> append_uri(Bytes& general_names, std::string_view uri)
{
    if (uri.empty() || uri.size() > uri_bytes_max || !is_visible_ascii(uri) || uri.find(':') == std::string_view::npos)
        return invalid_argument("certificate name is not a URI");
    append_element(general_names, uri_tag, as_bytes(uri));
    return {};
}

Result<> append_dns_name(Bytes& general_names, std::string_view name)
{
    if (name.empty() || name.size() > dns_name_bytes_max || !std::ranges::all_of(name, is_dns_character) || name.front() == '.'
        || name.back() == '.' || name.find("..") != std::string_view::npos)
        return invalid_argument("certificate name is not a DNS name");
    append_element(general_names, dns_name_tag, as_bytes(name));
    return {};
}

Result<> append_ip_address(Bytes& general_names, std::string_view address)
{
    std::array<std::uint8_t, 16> octets {};
    std::string const text(address);
    std::size_t size = 0;
    if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1)
        size = 4;
    else if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1)
        size = 16;
    if (size == 0 || text.find('\0') != std::string::npos)
        return invalid_argument("certificate name is not an IP address");
    append_element(general_names, ip_address_tag, BytesView(octets).first(size));
    return {};
}

Result<Bytes> checked_serial(BytesView serial)
{
    if (serial.empty() || serial.size() > serial_bytes_max)
        return invalid_argument("certificate serial must have 1 to " + std::to_string(serial_bytes_max) + " bytes");
    Bytes checked(serial.begin(), serial.end());
    checked[0] &= 0x7f;
    if (std::ranges::all_of(checked, [](std::uint8_t byte) { return byte == 0; }))
        return invalid_argument("certificate serial must not be zero");
    return checked;
}

} // namespace writ::crypto
