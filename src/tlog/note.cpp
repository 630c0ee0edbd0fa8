// SPDX-License-Identifier: Apache-2.0
#include "tlog/note.h"

#include "crypto/signature.h"
#include "tlog/note_format.h"

namespace writ::tlog {

namespace {

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

// SPEC: C2SP tlog-checkpoint: origin, size, root, then lines of extension, none of them empty.
Result<Checkpoint> parse_body(std::string_view text)
{
    Checkpoint checkpoint;
    checkpoint.origin = TRY(take_until(text, '\n'));
    if (checkpoint.origin.empty())
        return corruption("no origin");
    checkpoint.size = TRY(parse_tree_size(TRY(take_until(text, '\n'))));
    checkpoint.root = TRY(parse_hash_line(TRY(take_until(text, '\n'))));
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
    TRY(check_note_characters(body));
    if (!checkpoint.extension.empty() && !checkpoint.extension.ends_with('\n'))
        return corruption("an extension without its line's end");
    auto const read = TRY(parse_body(body));
    if (read.origin != checkpoint.origin || read.size != checkpoint.size || read.root != checkpoint.root
        || read.extension != checkpoint.extension)
        return corruption("an origin of more than one line");
    return {};
}

} // namespace

Result<NoteVerifier> NoteVerifier::parse(std::string_view text)
{
    auto parsed = parse_named_key(text, NoteKeyType::ed25519);
    if (parsed.is_error())
        return invalid_argument("verifier key: " + parsed.error().message);
    return NoteVerifier { .name = std::move(parsed->name), .key_hash = parsed->key_hash, .key = std::move(parsed->key) };
}

NoteVerifier NoteVerifier::of(std::string name, crypto::PublicKey key)
{
    auto const hash = key_hash_of(name, key, NoteKeyType::ed25519);
    return { .name = std::move(name), .key_hash = hash, .key = std::move(key) };
}

std::string NoteVerifier::to_text() const { return named_key_text(name, key, NoteKeyType::ed25519); }

NoteVerifier NoteSigner::verifier() const { return NoteVerifier::of(name, key.public_key()); }

Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, NoteSigner const& signer)
{
    if (auto const named = check_key_name(signer.name); named.is_error())
        return invalid_argument("signer's name: " + named.error().message);
    auto note = body_of(checkpoint);
    if (auto const body = check_body(checkpoint, note); body.is_error())
        return invalid_argument("checkpoint: " + body.error().message);
    auto const signature = TRY(crypto::sign(signer.key, crypto::Algorithm::eddsa, as_bytes(note)));
    note += "\n" + signature_line(signer.name, signer.verifier().key_hash, signature);
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
