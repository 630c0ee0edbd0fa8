// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/number_option.h"
#include "cli/output.h"

#include "audit/verification.h"
#include "cli/witness_options.h"
#include "tlog/folder_root.h"
#include "tlog/log.h"

#include <cstdio>
#include <memory>
#include <unistd.h>

namespace writ::cli {

namespace {

struct Options {
    std::uint64_t sequence = 0;
    std::string data;
    std::string key;
    WitnessOptions witnesses;
};

int show(Session const& session, Options const& options)
{
    auto const answer = object_of(call_authority(session, get_request("/v1/audit/records/" + std::to_string(options.sequence))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    for (auto const& member : answer->at("record").as_object())
        print_line(paint(Colour::dim, member.key()) + std::string(member.key().size() < 18 ? 18 - member.key().size() : 1, ' ')
            + cell(member.value()));
    print_line("");
    print_line(paint(Colour::dim, "leaf hash") + "         " + cell(*answer, "hash"));
    print_line(paint(Colour::dim, "inclusion proof") + "   " + std::to_string(answer->at("proof").as_array().size())
        + " hashes, to this checkpoint:");
    print_line(answer->at("checkpoint").as_string());
    return 0;
}

// What the witnesses have cosigned must be what the folder holds: a log that was verified alone may have been replaced as a whole.
// `final` was read before the rest: an authority that runs only moves on from there.
Result<std::uint64_t> verify_final(
    Path const& folder, Result<Bytes> const& final, tlog::FolderReport const& report, tlog::WitnessQuorum const& quorum)
{
    if (final.is_error() && final.error().code == ErrorCode::not_found)
        return corruption("no checkpoint in it was ever final: there is no file `final`");
    auto const note = writ::to_text(TRY(final));
    auto const verifier_text = writ::to_text(TRY(read_regular_file(folder / "verifier", 4096)));
    auto const verifier = TRY(tlog::NoteVerifier::parse(verifier_text.substr(0, verifier_text.find('\n'))));
    auto const checkpoint = TRY(tlog::verify_checkpoint(note, verifier).in("`final`"));
    TRY(tlog::verify_quorum(note, quorum).in("`final`"));
    auto const published = report.size - report.unpublished;
    if (checkpoint.origin != report.origin || checkpoint.size > published)
        return corruption("the witnesses have cosigned " + std::to_string(checkpoint.size) + " records, and the folder's checkpoint covers "
            + std::to_string(published));
    if (TRY(tlog::root_at(folder, checkpoint.size, published)) != checkpoint.root)
        return corruption("the witnesses have cosigned other records than these");
    return checkpoint.size;
}

int verify(Session const& session, Options const& options)
{
    auto const folder = (options.data.empty() ? default_data_folder() : Path(options.data)) / "log";
    std::error_code missing;
    if (!std::filesystem::is_directory(folder, missing))
        return fail(not_found("no log at `" + folder.string() + "`; --data names the authority's data folder, or a copy of it"));
    std::optional<tlog::NoteVerifier> key;
    if (!options.key.empty()) {
        auto parsed = tlog::NoteVerifier::parse(options.key);
        if (parsed.is_error())
            return fail(std::move(parsed).error().in("--key"));
        key = std::move(parsed).value();
    }
    auto const policy = policy_of(options.witnesses);
    if (policy.is_error())
        return fail(policy.error());
    auto const* const quorum = &policy->quorum;
    auto const final = read_regular_file(folder / "final", std::size_t(256) << 10U);
    bool const shows_progress = ::isatty(STDERR_FILENO) == 1;
    auto const report = audit::verify_audit_log(folder, std::move(key), [shows_progress](std::uint64_t done, std::uint64_t total) {
        if (shows_progress)
            std::fprintf(stderr, "\r%llu of %llu entries", static_cast<unsigned long long>(done), static_cast<unsigned long long>(total));
    });
    if (shows_progress)
        std::fprintf(stderr, "\r\033[K");
    if (report.is_error())
        return fail(report.error());
    auto const final_size = quorum->witnesses.empty() ? Result<std::uint64_t>(0) : verify_final(folder, final, *report, *quorum);
    if (final_size.is_error())
        return fail(final_size.error());
    if (session.json) {
        JsonObject object { { "size", report->size }, { "unpublished", report->unpublished },
            { "dropped", report->dropped }, { "origin", report->origin },
            { "root", to_base64(report->root) } };
        if (!quorum->witnesses.empty())
            object.emplace("final", *final_size);
        print_json(object);
        return 0;
    }
    print_line(paint(Colour::green, "verified") + ": " + std::to_string(report->size) + " records of " + report->origin + ", root "
        + to_base64(report->root)
        + (report->unpublished > 0 ? ", " + std::to_string(report->unpublished) + " of them not in a checkpoint yet" : "")
        + (quorum->witnesses.empty() ? "" : ", " + std::to_string(*final_size) + " cosigned by the witnesses"));
    if (report->dropped > 0)
        print_line("entries 0 to " + std::to_string(report->dropped - 1) + " dropped by retention, as a record says; their hashes verified");
    return 0;
}

} // namespace

void add_audit_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("audit", "Ask the audit log, and verify it");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();

    add_audit_list_command(*command, session);
    auto* showing = command->add_subcommand("show", "One record, with the proof that it is in the log");
    showing->add_option("record", options->sequence, "Its sequence number")->required()->check(number_from(0));
    add_json_flag(*showing, session);
    showing->footer("Examples:\n  writ audit show 42\n  writ audit show 42 --json");
    showing->callback([&session, options] { session.action = [&session, options] { return show(session, *options); }; });

    add_audit_explain_command(*command, session);
    auto* verification = command->add_subcommand("verify", "Check the whole log from its files alone; no authority is asked");
    verification->add_option("--data", options->data, "The authority's data folder, or a copy; the log is in its folder `log`")
        ->type_name("DIR");
    verification->add_option(
        "--key", options->key, "The log's verifier key (C2SP signed-note), kept elsewhere; otherwise the one beside the log");
    add_witness_options(*verification, options->witnesses);
    add_json_flag(*verification, session);
    verification->footer("Exit code 1 if a byte is not as it was written; the message names the entry.\n\nExample:\n  writ audit verify "
                         "--data /var/lib/writ");
    verification->callback([&session, options] { session.action = [&session, options] { return verify(session, *options); }; });

    for (auto* const add : { add_audit_who_used_command, add_audit_what_used_command, add_audit_trace_command, add_audit_never_command,
             add_audit_digest_command, add_audit_reindex_command })
        add(*command, session);
    add_audit_bundle_command(*command, session);
    add_audit_export_command(*command, session);
    add_audit_receipt_command(*command, session);
    add_audit_status_command(*command, session);
    add_audit_exports_command(*command, session);
}

} // namespace writ::cli
