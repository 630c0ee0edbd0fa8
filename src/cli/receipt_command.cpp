// SPDX-License-Identifier: Apache-2.0
//
// Receipts: proofs of single records that are checked without a server (C2SP tlog-proof).
#include "cli/commands.h"
#include "cli/number_option.h"
#include "cli/output.h"

#include "cli/witness_options.h"
#include "tlog/receipt.h"

#include <memory>
#include <unistd.h>

namespace writ::cli {

namespace {

// LIMIT: a receipt with the longest record.
constexpr std::size_t receipt_bytes_max = 1U << 20U;

struct Options {
    std::uint64_t sequence = 0;
    std::string output;
    std::string file, key, record;
    WitnessOptions witnesses;
};

int get(Session const& session, Options const& options)
{
    auto const answer = call_authority(session, get_request("/v1/receipts/" + std::to_string(options.sequence)));
    if (answer.is_error())
        return fail(answer.error());
    if (options.output.empty()) {
        std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
        return 0;
    }
    auto const written = replace_file(options.output, as_bytes(answer->body), 0644);
    return written.is_error() ? fail(written.error()) : 0;
}

struct Checked {
    tlog::Receipt receipt;
    tlog::VerifiedReceipt verified;
    Bytes record;
    std::vector<std::string> witnesses;
};

// The one that was given, or the policy's for the receipt's log.
Result<tlog::NoteVerifier> key_of(Options const& options, tlog::LogPolicy const& policy, tlog::Receipt const& receipt)
{
    if (!options.key.empty())
        return tlog::NoteVerifier::parse(options.key).in("--key");
    if (policy.logs.empty())
        return invalid_argument("--key, or a log in the file of --policy, says whose log it must be");
    auto const origin = TRY(tlog::parse_checkpoint_without_verifying(receipt.note)).origin;
    for (auto const& log : policy.logs)
        if (log.name == origin)
            return log;
    return permission_denied("the policy does not name the log `" + origin + "`");
}

Result<Checked> check(Options const& options)
{
    auto const policy = TRY(policy_of(options.witnesses));
    auto const& quorum = policy.quorum;
    Checked checked;
    checked.receipt = TRY(tlog::parse_receipt(as_text(TRY(read_file(options.file, receipt_bytes_max)))));
    auto const key = TRY(key_of(options, policy, checked.receipt));
    if (!options.record.empty())
        checked.record = TRY(read_file(options.record, limits::record_bytes_max));
    else if (checked.receipt.record)
        checked.record = *checked.receipt.record;
    else
        return invalid_argument("the receipt has no record in it; --record names the file that has");
    checked.verified = TRY(tlog::verify_receipt(checked.receipt, tlog::leaf_hash(checked.record), key, quorum));
    for (auto const& cosignature : checked.verified.cosignatures)
        checked.witnesses.push_back(quorum.witnesses[cosignature.witness].name);
    return checked;
}

int verify(Session const& session, Options const& options)
{
    auto const checked = check(options);
    if (checked.is_error())
        return fail(checked.error());
    auto const& checkpoint = checked->verified.checkpoint;
    auto const text = as_text(checked->record);
    if (session.json) {
        JsonArray witnesses;
        for (auto const& name : checked->witnesses)
            witnesses.emplace_back(name);
        auto record = parse_json(text);
        print_json(JsonObject { { "record", checked->receipt.index }, { "origin", checkpoint.origin }, { "size", checkpoint.size },
            { "root", to_base64(checkpoint.root) }, { "witnesses", std::move(witnesses) },
            { "content", record.is_ok() ? std::move(*record) : JsonValue(text) } });
        return 0;
    }
    std::string names;
    for (auto const& name : checked->witnesses)
        names += (names.empty() ? ", cosigned by " : ", ") + printable(name);
    print_line(paint(Colour::green, "verified") + ": record " + std::to_string(checked->receipt.index) + " of " + printable(checkpoint.origin)
        + " is among its first " + std::to_string(checkpoint.size) + names);
    print_line(printable(text));
    return 0;
}

} // namespace

void add_audit_receipt_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("receipt", "Proofs that single records are in the log, for whoever keeps them");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();

    auto* getting = command->add_subcommand("get", "The receipt of one record");
    getting->add_option("record", options->sequence, "Its sequence number")->required()->check(number_from(0));
    getting->add_option("-o,--output", options->output, "File to write (default: standard output)")->type_name("FILE");
    getting->footer("Where the log has witnesses it waits some seconds for a checkpoint that they have cosigned.\n\nExample:\n"
                    "  writ audit receipt get 17 -o 17.tlog-proof");
    getting->callback([&session, options] { session.action = [&session, options] { return get(session, *options); }; });

    auto* verifying = command->add_subcommand("verify", "Check a receipt offline; nobody is asked");
    verifying->add_option("file", options->file, "The receipt (C2SP tlog-proof)")->required()->type_name("FILE");
    verifying->add_option("--key", options->key, "The log's verifier key (C2SP signed-note), from a source that is trusted")->type_name("KEY");
    verifying->add_option("--record", options->record, "The record, if the receipt has none in it")->type_name("FILE");
    add_witness_options(*verifying, options->witnesses);
    add_json_flag(*verifying, session);
    verifying->footer("Exit code 1 if it proves nothing.\n\nExample:\n"
                      "  writ audit receipt verify 17.tlog-proof --key \"$(cat /var/lib/writ/log/verifier)\"");
    verifying->callback([&session, options] { session.action = [&session, options] { return verify(session, *options); }; });
}

} // namespace writ::cli
