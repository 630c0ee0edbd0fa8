// SPDX-License-Identifier: Apache-2.0
//
// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint): text, an empty line, and lines of signatures with Ed25519 keys. Thread-safe.
#pragma once

#include "crypto/key.h"
#include "tlog/merkle_tree.h"

#include <optional>
#include <string>

namespace writ::tlog {

// `name+hash+key` as verifiers exchange it (C2SP signed-note).
struct NoteVerifier {
    std::string name;
    std::uint32_t key_hash = 0;
    crypto::PublicKey key;
    static Result<NoteVerifier> parse(std::string_view text);
    static NoteVerifier of(std::string name, crypto::PublicKey);
    [[nodiscard]] std::string to_text() const;
};

struct NoteSigner {
    std::string name; // no white space, no `+`
    crypto::PrivateKey key; // Ed25519
    [[nodiscard]] NoteVerifier verifier() const;
};

struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    Hash root {};
    std::string extension; // further lines, verbatim
};

Result<std::string> sign_checkpoint(Checkpoint const&, NoteSigner const&);
// corruption: not signed by the verifier, or not a checkpoint. Signatures of unknown keys are ignored, as the specification asks.
Result<Checkpoint> verify_checkpoint(std::string_view note, NoteVerifier const&);
Result<Checkpoint> parse_checkpoint_without_verifying(std::string_view note);

} // namespace writ::tlog
