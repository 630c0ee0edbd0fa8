// SPDX-License-Identifier: Apache-2.0
//
// Cosignatures of witnesses over checkpoints (C2SP tlog-cosignature, `cosignature/v1` with Ed25519): a statement that, at a time, nothing
// larger of this log was seen, and everything smaller is in it. Thread-safe.
#pragma once

#include "base/clock.h"
#include "tlog/note.h"

#include <span>
#include <string>
#include <vector>

namespace writ::tlog {

// A witness's verifier key, `name+hash+key` with signature type 4.
struct WitnessVerifier {
    std::string name;
    std::uint32_t key_hash = 0;
    crypto::PublicKey key;
    static Result<WitnessVerifier> parse(std::string_view text);
    static WitnessVerifier of(std::string name, crypto::PublicKey);
    [[nodiscard]] std::string to_text() const;
};

struct WitnessSigner {
    std::string name;
    crypto::PrivateKey key; // Ed25519, and no log's: the name is not in what is signed
    [[nodiscard]] WitnessVerifier verifier() const;
};

struct Cosignature {
    std::size_t witness = 0; // its place among those asked about
    Timestamp time;
    std::string line; // as it stands in the note, with its line's end
};

// So many of these witnesses, and of groups named before, make one of it.
struct WitnessGroup {
    std::size_t needed = 0;
    std::vector<std::size_t> witnesses, groups; // places
};

// Whose cosignatures count, and which of them make a checkpoint final.
struct WitnessQuorum {
    std::vector<WitnessVerifier> witnesses;
    std::size_t needed = 0;               // of all of them, where there are no groups
    std::vector<WitnessGroup> groups {}; // the last one decides

    [[nodiscard]] bool is_met(std::span<Cosignature const>) const;
    [[nodiscard]] std::size_t least() const; // the fewest witnesses that meet it
};
// LIMIT: of one log; C2SP tlog-policy asks for 32.
inline constexpr std::size_t witnesses_max = 32;
// invalid_argument: the same key twice, more than there are, none at all needed of some.
Result<> check_quorum_is_sound(WitnessQuorum const&);

// The line to be put below the note.
Result<std::string> cosign(std::string_view note, WitnessSigner const&, Timestamp);

// Of each witness the first. Lines of unknown keys are ignored. corruption: one of a known key does not verify; the note is malformed.
Result<std::vector<Cosignature>> verify_cosignatures(std::string_view note, std::span<WitnessVerifier const>);
// The same of lines that came apart from their note, as a witness answers.
Result<std::vector<Cosignature>> verify_cosignature_lines(
    std::string_view note, std::string_view lines, std::span<WitnessVerifier const>);
// corruption: those who have cosigned are no quorum.
Result<std::vector<Cosignature>> verify_quorum(std::string_view note, WitnessQuorum const&);

} // namespace writ::tlog
