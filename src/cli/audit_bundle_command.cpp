// SPDX-License-Identifier: Apache-2.0
//
// writ audit bundle: one file that an auditor can keep; writ audit bundle verify: what it proves, with the log's public key alone.
#include "audit/bundle/archive.h"
#include "audit/bundle/bundle.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "vocabulary/schema.h"

#include <memory>
#include <set>

namespace writ::cli {

namespace {

constexpr std::size_t page_records = 1000;
// LIMIT: of administration records that are looked through for the versions that decisions name.
constexpr std::size_t administration_pages_max = 100;

struct Options {
    std::string run, trace, resource, output;
    std::string file, key;
};

struct Found {
    std::uint64_t sequence;
    JsonObject record;
};

Result<std::vector<Found>> page_of(Session const& session, net::Parameters query)
{
    query.add("limit", std::to_string(page_records));
    auto const answer = TRY(object_of(call_authority(session, get_request("/v1/audit/records", std::move(query)))));
    std::vector<Found> page;
    for (auto const& item : *TRY(array_member(answer, "records"))) {
        auto const& entry = item.as_object();
        page.push_back({ static_cast<std::uint64_t>(TRY(integer_member(entry, "sequence"))), *TRY(object_member(entry, "record")) });
    }
    return page;
}

// Gathers what a bundle holds, page by page and record by record.
class Gatherer {
public:
    explicit Gatherer(Session const& session)
        : session_(session)
    {
    }

    Result<audit::Bundle> gather(net::Parameters const& question)
    {
        for (auto const& [name, value] : question)
            bundle_.question.emplace(name, value);
        TRY(find_records(question));
        if (wanted_.empty())
            return not_found("no record answers that question");
        TRY(find_declarations());
        TRY(find_starts());
        TRY(find_schemas());
        for (auto const sequence : wanted_)
            TRY(add_record(sequence));
        return std::move(bundle_);
    }

private:
    Result<> find_records(net::Parameters const& question)
    {
        for (std::optional<std::uint64_t> before;;) {
            auto query = question;
            if (before)
                query.add("before", std::to_string(*before));
            auto const page = TRY(page_of(session_, std::move(query)));
            for (auto const& found : page)
                want(found);
            if (wanted_.size() > audit::bundle_records_max)
                return resource_exhausted("more than " + std::to_string(audit::bundle_records_max) + " records; ask for a run or a trace");
            if (page.size() < page_records)
                return {};
            before = page.back().sequence;
        }
    }

    // A record, the decision it stands on, and the version of the declarations that it names.
    void want(Found const& found)
    {
        wanted_.insert(found.sequence);
        if (auto const decision = integer_member(found.record, "decision_record"); decision.is_ok())
            wanted_.insert(static_cast<std::uint64_t>(*decision));
        if (auto const version = integer_member(found.record, "policy_version"); version.is_ok()) {
            versions_.insert(static_cast<std::uint64_t>(*version));
            decided_.insert(found.sequence);
        }
    }

    // The records that say which declarations were put in force, newest first, until all versions have theirs.
    Result<> find_declarations()
    {
        auto missing = versions_;
        std::optional<std::uint64_t> before;
        for (std::size_t pages = 0; !missing.empty() && pages < administration_pages_max; ++pages) {
            net::Parameters query { { "type", "administration" } };
            if (before)
                query.add("before", std::to_string(*before));
            auto const page = TRY(page_of(session_, std::move(query)));
            for (auto const& found : page)
                if (auto const* declared = found.record.if_contains("declarations"); declared != nullptr && declared->is_object()) {
                    auto const version = TRY(integer_member(declared->as_object(), "version"));
                    if (missing.erase(static_cast<std::uint64_t>(version)) > 0)
                        want_grounds(found);
                }
            if (page.size() < page_records)
                break;
            before = page.back().sequence;
        }
        if (!missing.empty())
            return not_found("no record says that declarations version " + std::to_string(*missing.begin()) + " was put in force");
        for (auto const version : versions_) {
            auto const answer = TRY(object_of(call_authority(session_, get_request("/v1/declarations/versions/" + std::to_string(version)))));
            bundle_.declarations.emplace(version, TRY(string_member(answer, "text")));
        }
        return {};
    }

    void want_grounds(Found const& found)
    {
        wanted_.insert(found.sequence);
        auto const* const declared = found.record.if_contains("declarations");
        auto const digest = declared != nullptr && declared->is_object() ? string_or(declared->as_object(), "schema", "") : std::string_view();
        if (!digest.empty())
            schemas_.emplace(digest);
    }

    // The start before each record: a newer program holds the same policies to its own schema. As far back as records are that need one.
    Result<> find_starts()
    {
        auto left = decided_;
        std::optional<std::uint64_t> before;
        while (!left.empty()) {
            net::Parameters query { { "type", "startup" } };
            if (before)
                query.add("before", std::to_string(*before));
            auto const page = TRY(page_of(session_, std::move(query)));
            for (auto const& found : page) {
                auto const first = left.upper_bound(found.sequence);
                if (first != left.end())
                    want_grounds(found);
                left.erase(first, left.end());
            }
            if (page.size() < page_records)
                return {};
            before = page.back().sequence;
        }
        return {};
    }

    Result<> find_schemas()
    {
        for (auto const& digest : schemas_) {
            auto const answer = TRY(object_of(call_authority(session_, get_request("/v1/declarations/schemas/" + digest))));
            bundle_.schemas.emplace(digest, TRY(string_member(answer, "text")));
        }
        return {};
    }

    Result<> add_record(std::uint64_t sequence)
    {
        auto const answer = TRY(object_of(call_authority(session_, get_request("/v1/audit/proofs/" + std::to_string(sequence)))));
        audit::BundledRecord record { .text = std::string(TRY(string_member(answer, "text"))),
            .proof = {},
            .checkpoint = std::string(TRY(string_member(answer, "checkpoint"))) };
        for (auto const& text : TRY(strings_member(answer, "proof"))) {
            auto const bytes = TRY(parse_base64(text));
            tlog::Hash hash {};
            if (bytes.size() != hash.size())
                return corruption("the authority's proof has what is no hash");
            std::ranges::copy(bytes, hash.begin());
            record.proof.push_back(hash);
        }
        bundle_.records.emplace(sequence, std::move(record));
        return {};
    }

    Session const& session_;
    audit::Bundle bundle_;
    std::set<std::uint64_t> wanted_, versions_;
    std::set<std::uint64_t> decided_; // records that name a version
    std::set<std::string> schemas_;
};

int make(Session const& session, Options const& options)
{
    net::Parameters question;
    for (auto const& [name, value] :
        { std::pair("run", &options.run), std::pair("trace", &options.trace), std::pair("resource", &options.resource) })
        if (!value->empty())
            question.add(name, *value);
    if (question.is_empty() || options.output.empty()) {
        (void)fail(invalid_argument("a bundle is of a --run, a --trace or a --resource, and goes to a file: -o FILE"));
        return static_cast<int>(Exit::usage);
    }
    auto const bundle = Gatherer(session).gather(question);
    if (bundle.is_error())
        return fail(bundle.error());
    auto const written = create_file(options.output, as_bytes(audit::to_file(*bundle)));
    if (written.is_error())
        return fail(written.error());
    if (session.json)
        print_json(JsonObject { { "file", options.output }, { "records", bundle->records.size() }, { "declarations", bundle->declarations.size() } });
    else
        print_line(std::to_string(bundle->records.size()) + " records and " + std::to_string(bundle->declarations.size())
            + (bundle->declarations.size() == 1 ? " version" : " versions") + " of the declarations in " + options.output);
    return 0;
}

void print_report(audit::BundleReport const& report)
{
    print_line(paint(Colour::green, "verified") + ": " + std::to_string(report.records) + " records of " + printable(report.origin)
        + ", each in a signed tree, the largest of " + std::to_string(report.tree_size) + " records");
    for (auto const& [type, count] : report.types)
        print_line("  " + std::to_string(count) + " " + type);
    for (auto const& [name, value] : report.question)
        print_line("asked for: " + std::string(name) + " " + cell(value));
    for (auto const version : report.declarations)
        print_line("declarations version " + std::to_string(version) + ": as a record in the bundle says they were put in force");
    for (auto const& [digest, text] : report.schemas)
        print_line("schema " + digest + ": as a record in the bundle says its policies were held to"
            + (text == vocabulary::schema_text() ? ", and this program's own" : ""));
    if (report.is_schema_unknown)
        print_line("a schema is not proven: some version was put in force by an older program, which did not record its digest");
    if (report.asserted > 0)
        print_line("not proven: what " + std::to_string(report.asserted) + " records list as `asserted`; nobody but their `caller` says it");
    print_line("not proven: that the log has no other records that answer the question (`writ audit never` and the log itself do)");
}

int verify(Session const& session, Options const& options)
{
    auto key = tlog::NoteVerifier::parse(options.key);
    if (key.is_error())
        return fail(std::move(key).error().in("--key"));
    auto const bytes = read_regular_file(options.file, audit::archive_bytes_max);
    if (bytes.is_error())
        return fail(bytes.error());
    auto const report = audit::verify_bundle(as_text(*bytes), *key);
    if (report.is_error())
        return fail(Error(report.error()).in("`" + options.file + "`"));
    if (!session.json) {
        print_report(*report);
        return 0;
    }
    JsonArray versions, schemas;
    for (auto const& [digest, text] : report->schemas)
        schemas.emplace_back(digest);
    for (auto const version : report->declarations)
        versions.emplace_back(version);
    print_json(JsonObject { { "verified", true }, { "origin", report->origin }, { "records", report->records }, { "asserted_records", report->asserted }, { "tree_size", report->tree_size },
        { "question", report->question }, { "declarations", std::move(versions) },
        { "schemas", std::move(schemas) }, { "schemas_are_proven", !report->is_schema_unknown } });
    return 0;
}

} // namespace

void add_audit_bundle_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("bundle", "Records, their proofs and the declarations they name, as one file to keep");
    auto const options = std::make_shared<Options>();
    command->add_option("--run", options->run, "Of one run");
    command->add_option("--trace", options->trace, "Of one request");
    command->add_option("--resource", options->resource, "Of a resource: its id, or Type::id");
    command->add_option("-o,--output", options->output, "The file; it must not be there yet")->type_name("FILE");
    add_json_flag(*command, session);
    command->footer("A tar archive: docs/formats/audit-bundle.md.\n\nExample:\n  writ audit bundle --resource oncology/biopsies -o biopsies.tar\n  "
                    "writ audit bundle verify biopsies.tar --key oncology.example/log+…");
    command->callback([&session, options] {
        if (!session.action)
            session.action = [&session, options] { return make(session, *options); };
    });

    auto* verification = command->add_subcommand("verify", "Check a bundle with nothing but the log's public key");
    verification->add_option("file", options->file, "The bundle")->required()->type_name("FILE");
    verification->add_option("--key", options->key, "The log's verifier key (C2SP signed-note), as in its file `verifier`")->required()->type_name("VKEY");
    add_json_flag(*verification, session);
    verification->footer("Exit code 1 if a byte is not as it was written.\n\nExample:\n  writ audit bundle verify biopsies.tar --key "
                         "\"$(cat /var/lib/writ/log/verifier)\"");
    verification->callback([&session, options] { session.action = [&session, options] { return verify(session, *options); }; });
}

} // namespace writ::cli
