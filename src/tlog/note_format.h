// SPDX-License-Identifier: Apache-2.0
//
// The form that signed notes, their signature lines and their keys share (C2SP signed-note), whoever signs. Private to tlog. Thread-safe.
#pragma once

#include "crypto/key.h"
#include "tlog/merkle_tree.h"

#include <string>
#include <string_view>
#include <vector>

namespace writ::tlog {

// SPEC: C2SP signed-note, tlog-cosignature: what a key of the signed note is for.
enum class NoteKeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

struct NoteSignature {
    std::string_view name;
    std::uint32_t key_hash = 0;
    Bytes bytes;
    std::string_view line; // with its line's end
};

// Views into the note.
struct Note {
    std::string_view text; // what is signed
    std::vector<NoteSignature> signatures;
};
Result<Note> parse_note(std::string_view);
// Lines of signatures alone, as a witness answers.
Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view);
std::string signature_line(std::string_view name, std::uint32_t key_hash, BytesView signature);

// SPEC: C2SP signed-note: valid UTF-8 without control characters below U+0020 other than newline.
Result<> check_note_characters(std::string_view);
Result<> check_key_name(std::string_view);
// Takes the text up to `end` (which is taken too) off the front.
Result<std::string_view> take_until(std::string_view& text, char end);

// `17`, with no sign and no leading zero. corruption: not that, or beyond tree_size_max.
Result<std::uint64_t> parse_tree_size(std::string_view);
// One base64 line.
Result<Hash> parse_hash_line(std::string_view);

// A verifier key, `name+hash+key`.
struct NamedKey {
    std::string name;
    std::uint32_t key_hash = 0;
    crypto::PublicKey key;
};
Result<NamedKey> parse_named_key(std::string_view, NoteKeyType);
std::string named_key_text(std::string_view name, crypto::PublicKey const&, NoteKeyType);
std::uint32_t key_hash_of(std::string_view name, crypto::PublicKey const&, NoteKeyType);

} // namespace writ::tlog
