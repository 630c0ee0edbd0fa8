// SPDX-License-Identifier: Apache-2.0
//
// writ audit digest: what to look for in the log in place of a sensitive value.
#include "cli/audit_question.h"

#include "audit/redaction.h"

#include <iostream>
#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string value, data;
};

// From standard input a value stands in no list of processes.
std::string given_value(Options const& options)
{
    if (options.value != "-")
        return options.value;
    std::string line;
    std::getline(std::cin, line);
    return line;
}

Result<JsonObject> digest_of(Session const& session, Options const& options)
{
    auto const value = given_value(options);
    if (options.data.empty())
        return object_of(call_authority(session, post_request("/v1/audit/digest", JsonObject { { "value", value } })));
    auto const salt = TRY(audit::Salt::read(Path(options.data) / "audit-salt"));
    return JsonObject { { "digest", salt.digest_of(value) }, { "salt_digest", salt.digest() } };
}

int digest(Session const& session, Options const& options)
{
    auto const answer = digest_of(session, options);
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line(cell(*answer, "digest"));
    return 0;
}

} // namespace

void add_audit_digest_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("digest", "The digest that stands in the log in place of a value that was declared sensitive");
    auto const options = std::make_shared<Options>();
    command->add_option("value", options->value, "A text, or the JSON of any other value; `-`: a line of standard input")->required();
    command->add_option("--data", options->data, "Take the salt from this data folder, and ask no authority")->type_name("DIR");
    add_json_flag(*command, session);
    command->footer("Example:\n  writ audit digest - < patient-id\n  writ audit list --json | grep \"$(writ audit digest p-17)\"");
    command->callback([&session, options] { session.action = [&session, options] { return digest(session, *options); }; });
}

} // namespace writ::cli
