// SPDX-License-Identifier: Apache-2.0
#include "tlog/receipt.h"

#include "tlog/note_format.h"
#include "tlog/witness_request.h"

namespace writ::tlog {

namespace {

constexpr std::string_view head = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_mark = "extra ";
constexpr std::string_view index_mark = "index ";
// LIMIT: a record of the greatest length in base64, a proof, and a note.
constexpr std::size_t receipt_bytes_max = 1U << 20U;

Result<Receipt> parse(std::string_view text)
{
    if (text.size() > receipt_bytes_max)
        return corruption("longer than " + std::to_string(receipt_bytes_max) + " bytes");
    if (TRY(take_until(text, '\n')) != head)
        return corruption("the first line is `" + std::string(head) + "`");
    Receipt receipt;
    auto line = TRY(take_until(text, '\n'));
    if (line.starts_with(extra_mark)) {
        receipt.record = TRY(parse_base64(line.substr(extra_mark.size())));
        line = TRY(take_until(text, '\n'));
    }
    if (!line.starts_with(index_mark))
        return corruption("no line `index`");
    receipt.index = TRY(parse_tree_size(line.substr(index_mark.size())));
    for (line = TRY(take_until(text, '\n')); !line.empty(); line = TRY(take_until(text, '\n'))) {
        if (receipt.proof.size() == proof_lines_max)
            return corruption("more than " + std::to_string(proof_lines_max) + " lines of proof");
        receipt.proof.push_back(TRY(parse_hash_line(line)));
    }
    receipt.note = text;
    return receipt;
}

} // namespace

std::string to_text(Receipt const& receipt)
{
    auto text = std::string(head) + "\n";
    if (receipt.record)
        text += std::string(extra_mark) + to_base64(*receipt.record) + "\n";
    text += std::string(index_mark) + std::to_string(receipt.index) + "\n";
    for (auto const& hash : receipt.proof)
        text += to_base64(hash) + "\n";
    return text + "\n" + receipt.note;
}

Result<Receipt> parse_receipt(std::string_view text)
{
    auto receipt = parse(text);
    if (receipt.is_error())
        return invalid_argument("receipt: " + receipt.error().message);
    return receipt;
}

Result<VerifiedReceipt> verify_receipt(Receipt const& receipt, Hash const& leaf, NoteVerifier const& log, WitnessQuorum const& quorum)
{
    VerifiedReceipt verified { .checkpoint = TRY(verify_checkpoint(receipt.note, log)), .cosignatures = {} };
    // SPEC: C2SP tlog-proof: the origin must be one that is acceptable; ours is the key's name.
    if (verified.checkpoint.origin != log.name)
        return corruption("the checkpoint is of `" + verified.checkpoint.origin + "`, not of `" + log.name + "`");
    verified.cosignatures = TRY(verify_quorum(receipt.note, quorum).in("checkpoint"));
    TRY(verify_inclusion(leaf, receipt.index, verified.checkpoint.size, receipt.proof, verified.checkpoint.root));
    return verified;
}

} // namespace writ::tlog
