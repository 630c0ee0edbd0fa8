// SPDX-License-Identifier: Apache-2.0
#include "tlog/note.h"

#include "base/utf8.h"
#include "crypto/signature.h"

#include <algorithm>
#include <charconv>

namespace writ::tlog {

namespace {

// LIMIT: sixteen post-quantum signatures of 5 kB, which everybody must accept, and a text, with room.
constexpr std::size_t note_bytes_max = 256U << 10U;
// LIMIT: bounds the signatures that one note makes us verify.
constexpr std::size_t signatures_max = 64;

constexpr std::uint8_t ed25519_type = 0x01;
constexpr std::size_t ed25519_key_bytes = 32;
constexpr std::size_t key_hash_bytes = 4;
constexpr std::string_view signature_mark = "\xE2\x80\x94 "; // em dash, space

// SPEC: RFC 8410 §4: an Ed25519 SubjectPublicKeyInfo is these bytes and the key.
constexpr std::array<std::uint8_t, 12> spki_head = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

struct Signature {
    std::string_view name;
    std::uint32_t key_hash;
    Bytes bytes;
};

struct Note {
    std::string_view text;
    std::vector<Signature> signatures;
};

bool is_space(char32_t code)
{
    return code == ' ' || (code >= 0x09 && code <= 0x0d) || code == 0x85 || code == 0xa0 || code == 0x1680
        || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

// SPEC: C2SP signed-note: valid UTF-8 without control characters below U+0020 other than newline.
Result<> check_characters(std::string_view text)
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

Result<> check_name(std::string_view name)
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
Bytes encoded_key(crypto::PublicKey const& key)
{
    auto const spki = key.to_spki();
    ASSERT(key.type() == crypto::KeyType::ed25519 && spki.size() == spki_head.size() + ed25519_key_bytes);
    Bytes encoded { ed25519_type };
    encoded.insert(encoded.end(), spki.begin() + spki_head.size(), spki.end());
    return encoded;
}

std::uint32_t key_hash_of(std::string_view name, BytesView encoded)
{
    return read_key_hash(crypto::sha256(std::array { as_bytes(name), as_bytes("\n"), encoded }));
}

// Takes the text up to `end` (which is taken too) off the front.
Result<std::string_view> take_until(std::string_view& text, char end)
{
    auto const length = text.find(end);
    if (length == std::string_view::npos)
        return corruption("cut short");
    auto const taken = text.substr(0, length);
    text.remove_prefix(length + 1);
    return taken;
}

Result<Signature> parse_signature(std::string_view line)
{
    if (!line.starts_with(signature_mark))
        return corruption("not a signature line");
    line.remove_prefix(signature_mark.size());
    auto const name = TRY(take_until(line, ' '));
    TRY(check_name(name));
    auto bytes = parse_base64(line);
    if (bytes.is_error() || bytes->size() <= key_hash_bytes)
        return corruption("not a signature");
    auto const hash = read_key_hash(*bytes);
    bytes->erase(bytes->begin(), bytes->begin() + key_hash_bytes);
    return Signature { .name = name, .key_hash = hash, .bytes = std::move(*bytes) };
}

Result<Note> parse_note(std::string_view note)
{
    if (note.size() > note_bytes_max)
        return corruption("longer than " + std::to_string(note_bytes_max) + " bytes");
    TRY(check_characters(note));
    auto const end = note.rfind("\n\n");
    if (end == std::string_view::npos)
        return corruption("no signatures");
    Note parsed { .text = note.substr(0, end + 1), .signatures = {} };
    auto rest = note.substr(end + 2);
    while (!rest.empty()) {
        if (parsed.signatures.size() == signatures_max)
            return corruption("more than " + std::to_string(signatures_max) + " signatures");
        parsed.signatures.push_back(TRY(parse_signature(TRY(take_until(rest, '\n')))));
    }
    if (parsed.signatures.empty())
        return corruption("no signatures");
    return parsed;
}

Result<> verify_note(Note const& note, NoteVerifier const& verifier)
{
    auto is_signed = false;
    for (auto const& signature : note.signatures) {
        if (signature.name != verifier.name || signature.key_hash != verifier.key_hash)
            continue;
        if (crypto::verify(verifier.key, crypto::Algorithm::eddsa, as_bytes(note.text), signature.bytes).is_error())
            return corruption("the signature of `" + verifier.name + "` does not verify");
        is_signed = true;
    }
    if (!is_signed)
        return corruption("not signed by `" + verifier.name + "`");
    return {};
}

Result<std::uint64_t> parse_size(std::string_view text)
{
    std::uint64_t size = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0') || size > tree_size_max)
        return corruption("not a tree size");
    return size;
}

// SPEC: C2SP tlog-checkpoint: origin, size, root, then lines of extension, none of them empty.
Result<Checkpoint> parse_body(std::string_view text)
{
    Checkpoint checkpoint;
    checkpoint.origin = TRY(take_until(text, '\n'));
    if (checkpoint.origin.empty())
        return corruption("no origin");
    checkpoint.size = TRY(parse_size(TRY(take_until(text, '\n'))));
    auto const root = parse_base64(TRY(take_until(text, '\n')));
    if (root.is_error() || root->size() != checkpoint.root.size())
        return corruption("not a root hash");
    std::ranges::copy(*root, checkpoint.root.begin());
    if (text.starts_with('\n') || text.find("\n\n") != std::string_view::npos)
        return corruption("an empty extension line");
    checkpoint.extension = text;
    return checkpoint;
}

std::string body_of(Checkpoint const& checkpoint)
{
    return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + to_base64(checkpoint.root) + "\n" + checkpoint.extension;
}

// What is signed must read back as what was meant: a line break in the origin would move everything.
Result<> check_body(Checkpoint const& checkpoint, std::string_view body)
{
    TRY(check_characters(body));
    if (!checkpoint.extension.empty() && !checkpoint.extension.ends_with('\n'))
        return corruption("an extension without its line's end");
    auto const read = TRY(parse_body(body));
    if (read.origin != checkpoint.origin || read.size != checkpoint.size || read.root != checkpoint.root
        || read.extension != checkpoint.extension)
        return corruption("an origin of more than one line");
    return {};
}

Result<NoteVerifier> parse_verifier(std::string_view text)
{
    auto const name = TRY(take_until(text, '+'));
    TRY(check_name(name));
    auto const hash = TRY(parse_hex(TRY(take_until(text, '+'))));
    auto const encoded = TRY(parse_base64(text));
    if (encoded.size() != 1 + ed25519_key_bytes || encoded[0] != ed25519_type)
        return invalid_argument("not an Ed25519 key");
    if (hash.size() != key_hash_bytes || read_key_hash(hash) != key_hash_of(name, encoded))
        return invalid_argument("its hash is not the key's");
    Bytes spki(spki_head.begin(), spki_head.end());
    spki.insert(spki.end(), encoded.begin() + 1, encoded.end());
    return NoteVerifier { .name = std::string(name), .key_hash = read_key_hash(hash), .key = TRY(crypto::PublicKey::parse_spki(spki)) };
}

} // namespace

Result<NoteVerifier> NoteVerifier::parse(std::string_view text)
{
    auto verifier = parse_verifier(text);
    if (verifier.is_error())
        return invalid_argument("verifier key: " + verifier.error().message);
    return verifier;
}

NoteVerifier NoteVerifier::of(std::string name, crypto::PublicKey key)
{
    auto const hash = key_hash_of(name, encoded_key(key));
    return { .name = std::move(name), .key_hash = hash, .key = std::move(key) };
}

std::string NoteVerifier::to_text() const { return name + "+" + to_hex(key_hash_to_bytes(key_hash)) + "+" + to_base64(encoded_key(key)); }

NoteVerifier NoteSigner::verifier() const { return NoteVerifier::of(name, key.public_key()); }

Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, NoteSigner const& signer)
{
    if (auto const named = check_name(signer.name); named.is_error())
        return invalid_argument("signer's name: " + named.error().message);
    auto note = body_of(checkpoint);
    if (auto const body = check_body(checkpoint, note); body.is_error())
        return invalid_argument("checkpoint: " + body.error().message);
    auto signature = key_hash_to_bytes(signer.verifier().key_hash);
    auto const signed_bytes = TRY(crypto::sign(signer.key, crypto::Algorithm::eddsa, as_bytes(note)));
    signature.insert(signature.end(), signed_bytes.begin(), signed_bytes.end());
    note += "\n" + std::string(signature_mark) + signer.name + " " + to_base64(signature) + "\n";
    return note;
}

Result<Checkpoint> verify_checkpoint(std::string_view note, NoteVerifier const& verifier)
{
    auto const parsed = TRY(parse_note(note).in("checkpoint"));
    TRY(verify_note(parsed, verifier).in("checkpoint"));
    return parse_body(parsed.text).in("checkpoint");
}

Result<Checkpoint> parse_checkpoint_without_verifying(std::string_view note)
{
    auto const parsed = TRY(parse_note(note).in("checkpoint"));
    return parse_body(parsed.text).in("checkpoint");
}

} // namespace writ::tlog
