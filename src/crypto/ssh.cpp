// SPDX-License-Identifier: Apache-2.0
#include "crypto/ssh.h"

#include "crypto/signature.h"

namespace writ::crypto {

namespace {

constexpr std::string_view key_type = "ssh-ed25519";
constexpr std::string_view certificate_type = "ssh-ed25519-cert-v01@openssh.com";
constexpr std::size_t raw_bytes = 32; // of an Ed25519 key, public or private
constexpr std::size_t nonce_bytes = 32;
constexpr std::uint32_t user_certificate = 1;
constexpr std::size_t pem_line_characters = 70;
constexpr std::size_t private_block_bytes = 8; // of cipher `none`

// SPEC: RFC 4251 §5.
void put_uint32(std::string& out, std::uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>((number >> shift) & 0xFFU);
}

void put_uint64(std::string& out, std::uint64_t number)
{
    put_uint32(out, static_cast<std::uint32_t>(number >> 32U));
    put_uint32(out, static_cast<std::uint32_t>(number));
}

void put_string(std::string& out, std::string_view text)
{
    put_uint32(out, static_cast<std::uint32_t>(text.size()));
    out += text;
}

std::string in_string(std::string_view text)
{
    std::string out;
    put_string(out, text);
    return out;
}

// SPEC: RFC 8410 §4: the key is what a SubjectPublicKeyInfo ends with.
std::string raw_public(PublicKey const& key)
{
    ASSERT(key.type() == KeyType::ed25519);
    auto const spki = key.to_spki();
    return std::string(as_text(spki).substr(spki.size() - raw_bytes));
}

std::string public_blob(PublicKey const& key) { return in_string(key_type) + in_string(raw_public(key)); }

std::uint64_t seconds_of(Timestamp time) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_unix_seconds(time))); }

std::string signed_part(SshCertificate const& certificate, PublicKey const& subject, PublicKey const& authority, RandomSource& random)
{
    std::string principals, options, extensions, out;
    for (auto const& principal : certificate.principals)
        put_string(principals, principal);
    for (auto const& [name, value] : certificate.critical_options)
        options += in_string(name) + in_string(in_string(value));
    for (auto const& name : certificate.extensions)
        extensions += in_string(name) + in_string("");
    put_string(out, certificate_type);
    put_string(out, as_text(random.bytes(nonce_bytes)));
    put_string(out, raw_public(subject));
    put_uint64(out, certificate.serial);
    put_uint32(out, user_certificate);
    put_string(out, certificate.key_id);
    put_string(out, principals);
    put_uint64(out, seconds_of(certificate.valid_after));
    put_uint64(out, seconds_of(certificate.valid_before));
    put_string(out, options);
    put_string(out, extensions);
    put_string(out, ""); // reserved
    put_string(out, public_blob(authority));
    return out;
}

// SPEC: PROTOCOL.key §3, of an unencrypted key. `checkint` detects a wrong passphrase; there is none.
SecretText private_section(PrivateKey const& key)
{
    auto const pkcs8 = key.to_pkcs8();
    auto const seed = as_text(pkcs8.reveal()).substr(pkcs8.reveal().size() - raw_bytes); // SPEC: RFC 8410 §7
    auto const open = raw_public(key.public_key());
    std::string out;
    out.reserve(512); // no copy of the seed is left behind by growing
    put_uint32(out, 0);
    put_uint32(out, 0);
    put_string(out, key_type);
    put_string(out, open);
    put_uint32(out, 2 * raw_bytes);
    out += seed;
    out += open;
    put_string(out, ""); // comment
    for (char padding = 1; out.size() % private_block_bytes != 0; ++padding)
        out += padding;
    return SecretText(std::move(out));
}

} // namespace

std::string ssh_public_key(PublicKey const& key, std::string_view comment)
{
    auto line = std::string(key_type) + " " + to_base64(as_bytes(public_blob(key)));
    return comment.empty() ? line : line + " " + std::string(comment);
}

Result<std::string> certify_ssh(SshCertificate const& certificate, PublicKey const& subject, PrivateKey const& authority, RandomSource& random)
{
    if (subject.type() != KeyType::ed25519 || authority.type() != KeyType::ed25519)
        return invalid_argument("an SSH certificate is of an Ed25519 key, by an Ed25519 key");
    if (certificate.principals.empty())
        return invalid_argument("an SSH certificate is for somebody");
    if (seconds_of(certificate.valid_after) >= seconds_of(certificate.valid_before))
        return invalid_argument("an SSH certificate is good for some time");
    auto out = signed_part(certificate, subject, authority.public_key(), random);
    auto const signature = TRY(sign(authority, Algorithm::eddsa, as_bytes(out)));
    put_string(out, in_string(key_type) + in_string(as_text(signature)));
    return std::string(certificate_type) + " " + to_base64(as_bytes(out));
}

SecretText ssh_private_key(PrivateKey const& key)
{
    auto const section = private_section(key);
    std::string blob;
    blob.reserve(1024);
    blob.append("openssh-key-v1\0", 15);
    put_string(blob, "none"); // cipher
    put_string(blob, "none"); // derivation of its key
    put_string(blob, ""); // its options
    put_uint32(blob, 1);
    put_string(blob, public_blob(key.public_key()));
    put_string(blob, section.reveal());
    SecretText const whole(std::move(blob));
    SecretText const encoded(to_base64(as_bytes(whole.reveal())));
    std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    pem.reserve(1024);
    for (std::string_view rest = encoded.reveal(); !rest.empty(); rest.remove_prefix(std::min(rest.size(), pem_line_characters))) {
        pem += rest.substr(0, pem_line_characters);
        pem += '\n';
    }
    return SecretText(pem + "-----END OPENSSH PRIVATE KEY-----\n");
}

} // namespace writ::crypto
