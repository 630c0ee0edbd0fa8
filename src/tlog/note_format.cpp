// SPDX-License-Identifier: Apache-2.0
#include "tlog/note_format.h"

#include "base/utf8.h"
#include "crypto/digest.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace writ::tlog {

namespace {

// LIMIT: sixteen post-quantum signatures of 5 kB, which everybody must accept, and a text, with room.
constexpr std::size_t note_bytes_max = 256U << 10U;
// LIMIT: bounds the signatures that one note makes us verify.
constexpr std::size_t signatures_max = 64;

constexpr std::size_t ed25519_key_bytes = 32;
constexpr std::size_t key_hash_bytes = 4;
constexpr std::string_view signature_mark = "\xE2\x80\x94 "; // em dash, space

// SPEC: RFC 8410 §4: an Ed25519 SubjectPublicKeyInfo is these bytes and the key.
constexpr std::array<std::uint8_t, 12> spki_head = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

bool is_space(char32_t code)
{
    return code == ' ' || (code >= 0x09 && code <= 0x0d) || code == 0x85 || code == 0xa0 || code == 0x1680
        || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

std::uint32_t read_key_hash(BytesView bytes)
{
    return std::uint32_t(bytes[0]) << 24U | std::uint32_t(bytes[1]) << 16U | std::uint32_t(bytes[2]) << 8U | bytes[3];
}

Bytes key_hash_to_bytes(std::uint32_t hash)
{
    return { static_cast<std::uint8_t>(hash >> 24U), static_cast<std::uint8_t>(hash >> 16U), static_cast<std::uint8_t>(hash >> 8U),
        static_cast<std::uint8_t>(hash) };
}

// The signature type and the key, as a verifier's text has them.
Bytes encoded_key(crypto::PublicKey const& key, NoteKeyType type)
{
    auto const spki = key.to_spki();
    ASSERT(key.type() == crypto::KeyType::ed25519 && spki.size() == spki_head.size() + ed25519_key_bytes);
    Bytes encoded { static_cast<std::uint8_t>(type) };
    encoded.insert(encoded.end(), spki.begin() + spki_head.size(), spki.end());
    return encoded;
}

std::uint32_t hash_of(std::string_view name, BytesView encoded)
{
    return read_key_hash(crypto::sha256(std::array { as_bytes(name), as_bytes("\n"), encoded }));
}

Result<NoteSignature> parse_signature(std::string_view whole)
{
    auto line = whole.substr(0, whole.size() - 1);
    if (!line.starts_with(signature_mark))
        return corruption("not a signature line");
    line.remove_prefix(signature_mark.size());
    auto const name = TRY(take_until(line, ' '));
    TRY(check_key_name(name));
    auto bytes = parse_base64(line);
    if (bytes.is_error() || bytes->size() <= key_hash_bytes)
        return corruption("not a signature");
    auto const hash = read_key_hash(*bytes);
    bytes->erase(bytes->begin(), bytes->begin() + key_hash_bytes);
    return NoteSignature { .name = name, .key_hash = hash, .bytes = std::move(*bytes), .line = whole };
}

} // namespace

// SPEC: C2SP signed-note: valid UTF-8 without control characters below U+0020 other than newline.
Result<> check_note_characters(std::string_view text)
{
    while (!text.empty()) {
        auto const code = take_code_point(text);
        if (!code)
            return corruption("not UTF-8");
        if (*code < 0x20 && *code != '\n')
            return corruption("a control character");
    }
    return {};
}

Result<> check_key_name(std::string_view name)
{
    if (name.empty())
        return corruption("an empty name");
    while (!name.empty()) {
        auto const code = take_code_point(name);
        if (!code || is_space(*code) || *code == '+' || *code < 0x20)
            return corruption("a name with white space or `+`");
    }
    return {};
}

Result<std::string_view> take_until(std::string_view& text, char end)
{
    auto const length = text.find(end);
    if (length == std::string_view::npos)
        return corruption("cut short");
    auto const taken = text.substr(0, length);
    text.remove_prefix(length + 1);
    return taken;
}

Result<std::uint64_t> parse_tree_size(std::string_view text)
{
    std::uint64_t size = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0') || size > tree_size_max)
        return corruption("not a tree size");
    return size;
}

Result<Hash> parse_hash_line(std::string_view line)
{
    Hash hash {};
    auto const bytes = parse_base64(line);
    if (bytes.is_error() || bytes->size() != hash.size())
        return corruption("not a hash");
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view text)
{
    if (text.size() > note_bytes_max)
        return corruption("longer than " + std::to_string(note_bytes_max) + " bytes");
    TRY(check_note_characters(text));
    std::vector<NoteSignature> signatures;
    while (!text.empty()) {
        if (signatures.size() == signatures_max)
            return corruption("more than " + std::to_string(signatures_max) + " signatures");
        auto const rest = text;
        auto const taken = TRY(take_until(text, '\n'));
        signatures.push_back(TRY(parse_signature(rest.substr(0, taken.size() + 1))));
    }
    if (signatures.empty())
        return corruption("no signatures");
    return signatures;
}

Result<Note> parse_note(std::string_view note)
{
    if (note.size() > note_bytes_max)
        return corruption("longer than " + std::to_string(note_bytes_max) + " bytes");
    TRY(check_note_characters(note));
    auto const end = note.rfind("\n\n");
    if (end == std::string_view::npos)
        return corruption("no signatures");
    return Note { .text = note.substr(0, end + 1), .signatures = TRY(parse_signature_lines(note.substr(end + 2))) };
}

std::string signature_line(std::string_view name, std::uint32_t key_hash, BytesView signature)
{
    auto bytes = key_hash_to_bytes(key_hash);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return std::string(signature_mark) + std::string(name) + " " + to_base64(bytes) + "\n";
}

Result<NamedKey> parse_named_key(std::string_view text, NoteKeyType type)
{
    auto const name = TRY(take_until(text, '+'));
    TRY(check_key_name(name));
    auto const hash = TRY(parse_hex(TRY(take_until(text, '+'))));
    auto const encoded = TRY(parse_base64(text));
    if (encoded.size() != 1 + ed25519_key_bytes || encoded[0] != static_cast<std::uint8_t>(type))
        return invalid_argument(
            type == NoteKeyType::ed25519 ? "not an Ed25519 key" : "not an Ed25519 key of a witness (signature type 4)");
    if (hash.size() != key_hash_bytes || read_key_hash(hash) != hash_of(name, encoded))
        return invalid_argument("its hash is not the key's");
    Bytes spki(spki_head.begin(), spki_head.end());
    spki.insert(spki.end(), encoded.begin() + 1, encoded.end());
    return NamedKey { .name = std::string(name), .key_hash = read_key_hash(hash), .key = TRY(crypto::PublicKey::parse_spki(spki)) };
}

std::string named_key_text(std::string_view name, crypto::PublicKey const& key, NoteKeyType type)
{
    auto const encoded = encoded_key(key, type);
    return std::string(name) + "+" + to_hex(key_hash_to_bytes(hash_of(name, encoded))) + "+" + to_base64(encoded);
}

std::uint32_t key_hash_of(std::string_view name, crypto::PublicKey const& key, NoteKeyType type)
{
    return hash_of(name, encoded_key(key, type));
}

} // namespace writ::tlog
