// SPDX-License-Identifier: Apache-2.0
#include "tlog/witness.h"

#include "base/held_folder.h"
#include "crypto/signature.h"
#include "tlog/note_format.h"

#include <algorithm>

namespace writ::tlog {

namespace {

// LIMIT: a checkpoint with its signatures, as parse_note() takes it.
constexpr std::size_t stored_bytes_max = 256U << 10U;
constexpr std::string_view plain = "text/plain; charset=utf-8";

WitnessAnswer refusal(int status, std::string reason)
{
    return { .status = status, .content_type = std::string(plain), .body = reason + "\n", .reason = reason };
}

// SPEC: C2SP tlog-witness: "The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed by a
// newline (U+000A). The response MUST have a Content-Type of text/x.tlog.size."
WitnessAnswer conflict_at(std::uint64_t size)
{
    auto const text = std::to_string(size);
    return { .status = 409, .content_type = "text/x.tlog.size", .body = text + "\n", .reason = "the old size is not " + text };
}

// The note with no signatures but those of its log: what others have put below is not ours to keep. corruption: none of the keys has
// signed it, or one of them badly.
Result<std::string> verified_part(std::string_view note, std::vector<NoteVerifier> const& keys)
{
    auto const parsed = TRY(parse_note(note));
    auto kept = std::string(parsed.text) + "\n";
    auto const bare = kept.size();
    for (auto const& signature : parsed.signatures)
        for (auto const& key : keys) {
            if (signature.name != key.name || signature.key_hash != key.key_hash)
                continue;
            if (crypto::verify(key.key, crypto::Algorithm::eddsa, as_bytes(parsed.text), signature.bytes).is_error())
                return corruption("the signature of `" + key.name + "` does not verify");
            kept += signature.line;
        }
    if (kept.size() == bare)
        return corruption("not signed by a key of its log");
    return kept;
}

// SPEC: C2SP tlog-witness: the checks that end in 422.
Result<> check_growth(AddCheckpoint const& request, Checkpoint const& known, Checkpoint const& offered)
{
    if (offered.size == 0 && offered.root != empty_root())
        return corruption("the root of size 0 is not the empty tree's");
    if (request.old_size == 0)
        return request.proof.empty() ? Result<>() : Result<>(corruption("a proof from size 0 is empty"));
    return verify_consistency(request.old_size, known.root, offered.size, offered.root, request.proof);
}

} // namespace

std::string origin_hash(std::string_view origin) { return to_hex(crypto::sha256(as_bytes(origin))); }

Path Witness::file_of(std::string const& origin) const { return options_.folder / origin_hash(origin); }

Result<> Witness::read_back(std::string const& origin, Known& known) const
{
    auto const bytes = read_file(file_of(origin), stored_bytes_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return {};
    auto note = writ::to_text(TRY(bytes));
    std::array const own { options_.signer.verifier() };
    auto const cosignatures = TRY(verify_cosignatures(note, own));
    TRY(verified_part(note, known.keys));
    known.checkpoint = TRY(parse_checkpoint_without_verifying(note)); // verified above, by whichever of the log's keys it was
    if (known.checkpoint.origin != origin || cosignatures.empty())
        return corruption("`" + file_of(origin).string() + "` is no checkpoint of `" + origin + "` that this witness has cosigned");
    known.note = std::move(note);
    return {};
}

Result<std::unique_ptr<Witness>> Witness::open(WitnessOptions options)
{
    TRY(create_folder(options.folder));
    auto lock = TRY(lock_folder(options.folder));
    TRY(remove_unfinished(options.folder));
    auto witness = std::unique_ptr<Witness>(new Witness(std::move(options), std::move(lock))); // NOLINT: the constructor is private
    for (auto const& log : witness->options_.logs)
        witness->logs_[log.name].keys.push_back(log);
    for (auto& [origin, known] : witness->logs_)
        TRY(witness->read_back(origin, known).in("what was cosigned of `" + origin + "`"));
    return witness;
}

WitnessAnswer Witness::add_checkpoint(std::string_view text, Timestamp now)
{
    auto const request = parse_add_checkpoint(text);
    if (request.is_error())
        return refusal(400, request.error().message);
    auto const offered = parse_checkpoint_without_verifying(request->note);
    if (offered.is_error())
        return refusal(400, offered.error().message);
    auto const found = logs_.find(offered->origin);
    if (found == logs_.end())
        return refusal(404, "log `" + offered->origin + "` is not known here");
    auto signed_note = verified_part(request->note, found->second.keys);
    if (signed_note.is_error())
        return refusal(403, signed_note.error().message);
    if (request->old_size > offered->size)
        return refusal(400, "the old size is beyond the checkpoint's");
    std::scoped_lock const lock(mutex_);
    return advance(found->second, *request, *offered, std::move(*signed_note), now);
}

// Under mutex_: between the look at what is known and its replacement nothing else may come.
WitnessAnswer Witness::advance(Known& known, AddCheckpoint const& request, Checkpoint checkpoint, std::string signed_note, Timestamp now)
{
    if (request.old_size != known.checkpoint.size)
        return conflict_at(known.checkpoint.size);
    if (auto const grown = check_growth(request, known.checkpoint, checkpoint); grown.is_error())
        return refusal(422, grown.error().message);
    auto const line = cosign(signed_note, options_.signer, now);
    if (line.is_error())
        return refusal(500, line.error().message);
    auto note = std::move(signed_note) + *line;
    // SPEC: C2SP tlog-witness: "The witness MUST persist the new checkpoint before responding." A cosignature that could not be kept is
    // never shown.
    if (auto const kept = replace_file(file_of(checkpoint.origin), as_bytes(note)); kept.is_error())
        return refusal(503, kept.error().message);
    known.checkpoint = std::move(checkpoint);
    known.note = std::move(note);
    return { .status = 200, .content_type = std::string(plain), .body = *line, .reason = {} };
}

WitnessAnswer Witness::latest(std::string_view hash) const
{
    std::scoped_lock const lock(mutex_);
    for (auto const& [origin, known] : logs_)
        if (!known.note.empty() && origin_hash(origin) == hash)
            return { .status = 200, .content_type = std::string(plain), .body = known.note, .reason = {} };
    return refusal(404, "no checkpoint of that log was cosigned here");
}

} // namespace writ::tlog
