// SPDX-License-Identifier: Apache-2.0
#include "tlog/witness_request.h"

#include "tlog/note_format.h"

namespace writ::tlog {

namespace {

constexpr std::string_view old_mark = "old ";

Result<AddCheckpoint> parse(std::string_view text)
{
    auto first = TRY(take_until(text, '\n'));
    if (!first.starts_with(old_mark))
        return corruption("the first line is `old` and a size");
    first.remove_prefix(old_mark.size());
    AddCheckpoint request { .old_size = TRY(parse_tree_size(first)), .proof = {}, .note = {} };
    for (auto line = TRY(take_until(text, '\n')); !line.empty(); line = TRY(take_until(text, '\n'))) {
        if (request.proof.size() == proof_lines_max)
            return corruption("more than " + std::to_string(proof_lines_max) + " lines of proof");
        request.proof.push_back(TRY(parse_hash_line(line)));
    }
    request.note = text;
    return request;
}

} // namespace

std::string to_text(AddCheckpoint const& request)
{
    auto text = std::string(old_mark) + std::to_string(request.old_size) + "\n";
    for (auto const& hash : request.proof)
        text += to_base64(hash) + "\n";
    return text + "\n" + request.note;
}

Result<AddCheckpoint> parse_add_checkpoint(std::string_view text)
{
    auto request = parse(text);
    if (request.is_error())
        return invalid_argument("add-checkpoint: " + request.error().message);
    return request;
}

} // namespace writ::tlog
