// SPDX-License-Identifier: Apache-2.0
#include "tlog/cosignature.h"

#include "crypto/signature.h"
#include "tlog/note_format.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace writ::tlog {

namespace {

constexpr std::size_t time_bytes = 8;

// SPEC: C2SP tlog-cosignature: "The signed message MUST be two newline terminated lines (one header line and one timestamp line) followed
// by the whole note body of the cosigned checkpoint".
std::string message_of(std::string_view text, std::uint64_t time)
{
    return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

Bytes to_big_endian(std::uint64_t number)
{
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
    return bytes;
}

std::uint64_t from_big_endian(BytesView bytes)
{
    std::uint64_t number = 0;
    for (auto const byte : bytes)
        number = number << 8U | byte;
    return number;
}

Result<Timestamp> verify_signature(std::string_view text, NoteSignature const& signature, WitnessVerifier const& verifier)
{
    auto const refused = corruption("the cosignature of `" + verifier.name + "` does not verify");
    if (signature.bytes.size() <= time_bytes)
        return refused;
    auto const bytes = BytesView(signature.bytes);
    auto const time = from_big_endian(bytes.first(time_bytes));
    // A zero says nothing of when; and what does not fit a clock is none.
    if (time == 0 || time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / Duration::period::den))
        return refused;
    auto const message = message_of(text, time);
    if (crypto::verify(verifier.key, crypto::Algorithm::eddsa, as_bytes(message), bytes.subspan(time_bytes)).is_error())
        return refused;
    return from_unix_seconds(static_cast<std::int64_t>(time));
}

Result<std::vector<Cosignature>> verify_among(
    std::string_view text, std::span<NoteSignature const> signatures, std::span<WitnessVerifier const> verifiers)
{
    std::vector<Cosignature> found;
    for (std::size_t i = 0; i < verifiers.size(); ++i) {
        auto is_found = false;
        for (auto const& signature : signatures) {
            if (signature.name != verifiers[i].name || signature.key_hash != verifiers[i].key_hash)
                continue;
            auto const time = TRY(verify_signature(text, signature, verifiers[i]));
            if (!std::exchange(is_found, true))
                found.push_back({ .witness = i, .time = time, .line = std::string(signature.line) });
        }
    }
    return found;
}

} // namespace

Result<WitnessVerifier> WitnessVerifier::parse(std::string_view text)
{
    auto parsed = parse_named_key(text, NoteKeyType::cosignature_v1);
    if (parsed.is_error())
        return invalid_argument("witness key: " + parsed.error().message);
    return WitnessVerifier { .name = std::move(parsed->name), .key_hash = parsed->key_hash, .key = std::move(parsed->key) };
}

WitnessVerifier WitnessVerifier::of(std::string name, crypto::PublicKey key)
{
    auto const hash = key_hash_of(name, key, NoteKeyType::cosignature_v1);
    return { .name = std::move(name), .key_hash = hash, .key = std::move(key) };
}

std::string WitnessVerifier::to_text() const { return named_key_text(name, key, NoteKeyType::cosignature_v1); }

WitnessVerifier WitnessSigner::verifier() const { return WitnessVerifier::of(name, key.public_key()); }

bool WitnessQuorum::is_met(std::span<Cosignature const> cosignatures) const
{
    std::vector<bool> has_cosigned(witnesses.size()), is_group_met;
    for (auto const& cosignature : cosignatures)
        has_cosigned.at(cosignature.witness) = true;
    auto const count_of = [](std::vector<std::size_t> const& places, std::vector<bool> const& met) {
        return static_cast<std::size_t>(std::ranges::count_if(places, [&met](auto place) { return met.at(place); }));
    };
    for (auto const& group : groups)
        is_group_met.push_back(count_of(group.witnesses, has_cosigned) + count_of(group.groups, is_group_met) >= group.needed);
    if (!groups.empty())
        return is_group_met.back();
    return static_cast<std::size_t>(std::ranges::count(has_cosigned, true)) >= needed;
}

std::size_t WitnessQuorum::least() const
{
    std::vector<std::size_t> least_of;
    for (auto const& group : groups) {
        std::vector<std::size_t> members(group.witnesses.size(), 1);
        for (auto const place : group.groups)
            members.push_back(least_of.at(place));
        std::ranges::sort(members);
        least_of.push_back(std::accumulate(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(group.needed), std::size_t(0)));
    }
    return groups.empty() ? needed : least_of.back();
}

Result<> check_quorum_is_sound(WitnessQuorum const& quorum)
{
    auto const& witnesses = quorum.witnesses;
    if (witnesses.size() > witnesses_max)
        return invalid_argument("a log has " + std::to_string(witnesses_max) + " witnesses at most");
    for (std::size_t i = 0; i < witnesses.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            // SECURITY: one key under two names would count twice.
            if (witnesses[i].key.to_spki() == witnesses[j].key.to_spki())
                return invalid_argument("witnesses `" + witnesses[j].name + "` and `" + witnesses[i].name + "` have the same key");
    if (quorum.needed > witnesses.size())
        return invalid_argument("a quorum of " + std::to_string(quorum.needed) + " cannot come from " + std::to_string(witnesses.size())
            + " witnesses");
    if (quorum.needed == 0 && !witnesses.empty())
        return invalid_argument("witnesses without a quorum make nothing final; the quorum is from 1 to their number");
    return {};
}

Result<std::string> cosign(std::string_view note, WitnessSigner const& signer, Timestamp time)
{
    if (check_key_name(signer.name).is_error())
        return invalid_argument("a witness's name has no white space and no `+`");
    auto const parsed = TRY(parse_note(note));
    auto const seconds = to_unix_seconds(time);
    if (seconds <= 0)
        return invalid_argument("a cosignature has a time after 1970");
    auto bytes = to_big_endian(static_cast<std::uint64_t>(seconds));
    auto const message = message_of(parsed.text, static_cast<std::uint64_t>(seconds));
    auto const signature = TRY(crypto::sign(signer.key, crypto::Algorithm::eddsa, as_bytes(message)));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return signature_line(signer.name, signer.verifier().key_hash, bytes);
}

Result<std::vector<Cosignature>> verify_cosignatures(std::string_view note, std::span<WitnessVerifier const> verifiers)
{
    auto const parsed = TRY(parse_note(note));
    return verify_among(parsed.text, parsed.signatures, verifiers);
}

Result<std::vector<Cosignature>> verify_cosignature_lines(
    std::string_view note, std::string_view lines, std::span<WitnessVerifier const> verifiers)
{
    auto const parsed = TRY(parse_note(note));
    auto const signatures = TRY(parse_signature_lines(lines));
    return verify_among(parsed.text, signatures, verifiers);
}

Result<std::vector<Cosignature>> verify_quorum(std::string_view note, WitnessQuorum const& quorum)
{
    auto found = TRY(verify_cosignatures(note, quorum.witnesses));
    if (!quorum.is_met(found))
        return corruption("cosigned by " + std::to_string(found.size()) + " of the witnesses, and at least " + std::to_string(quorum.least())
            + " are needed" + (quorum.groups.empty() ? "" : ", as the policy's groups say"));
    return found;
}

} // namespace writ::tlog
