// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/standard_input.h"

#include "base/secret.h"

#include <memory>

namespace writ::cli {

namespace {

// LIMIT: as the authority has it, and a line end.
constexpr std::size_t value_bytes_max = (64U << 10U) + 2;

struct Options {
    std::string name, file;
};

Result<SecretText> read_value(std::string const& file)
{
    auto raw = SecretText();
    if (file.empty()) {
        raw = TRY(read_standard_input(value_bytes_max));
    } else {
        SecretBytes const bytes(TRY(read_file(file, value_bytes_max)));
        raw = SecretText(std::string(as_text(bytes.reveal())));
    }
    // What `echo` and editors put behind it is no part of a key.
    std::string_view value = raw.reveal();
    if (value.ends_with('\n'))
        value.remove_suffix(1);
    if (value.ends_with('\r'))
        value.remove_suffix(1);
    if (value.empty())
        return invalid_argument("the secret is empty: it is read from standard input, or from `--file`");
    return SecretText(std::string(value));
}

int keep(Session const& session, Options const& options, std::string const& path, char const* done)
{
    auto const value = read_value(options.file);
    if (value.is_error())
        return fail(value.error());
    auto request = post_request(path, JsonObject { { "name", options.name }, { "value", value->reveal() } });
    auto const answer = object_of(call_authority(session, std::move(request)));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line(done + cell(*answer, "name") + ", version " + cell(*answer, "version") + "; record " + cell(*answer, "record") + " in the audit log");
    return 0;
}

int list(Session const& session)
{
    auto const answer = object_of(call_authority(session, get_request("/v1/secrets")));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    Table table({ "SECRET", "VERSION", "SINCE (UTC)" });
    for (auto const& item : answer->at("secrets").as_array()) {
        auto const& one = item.as_object();
        table.add({ cell(one, "name"), cell(one, "version"), short_time(cell(one, "created")) });
    }
    table.print("no secrets");
    return 0;
}

int rekey(Session const& session)
{
    auto const answer = object_of(call_authority(session, post_request("/v1/secrets/rekey", JsonObject())));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line("everything is sealed with a new key; record " + cell(*answer, "record") + " in the audit log");
    return 0;
}

int remove(Session const& session, Options const& options)
{
    auto request = get_request("/v1/secrets", { { "name", options.name } });
    request.method = "DELETE";
    auto const answer = object_of(call_authority(session, std::move(request)));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line("removed " + cell(*answer, "name") + "; record " + cell(*answer, "record") + " in the audit log");
    return 0;
}

} // namespace

void add_secret_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("secret", "Keys of other systems that have to exist: kept sealed, released by decision alone");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();
    auto const takes_value = [&](CLI::App* sub) {
        sub->add_option("name", options->name, "Letters, digits and -_./")->required();
        sub->add_option("--file", options->file, "Where the value is; otherwise it is read from standard input")->type_name("FILE");
        add_json_flag(*sub, session);
        sub->footer("The value is never an argument, where everybody on the machine could read it; one line end behind it is left out.\n\nExamples:\n  writ secret "
            + sub->get_name() + " openai/research < key.txt\n  pass show openai | writ secret " + sub->get_name() + " openai/research");
    };
    auto* putting = command->add_subcommand("put", "Keep a secret under a new name");
    takes_value(putting);
    putting->callback([&session, options] { session.action = [&session, options] { return keep(session, *options, "/v1/secrets", "sealed "); }; });
    auto* rotation = command->add_subcommand("rotate", "Replace a secret's value; runs that have it in a file get it there");
    takes_value(rotation);
    rotation->callback([&session, options] { session.action = [&session, options] { return keep(session, *options, "/v1/secrets/rotate", "rotated "); }; });
    auto* listing = command->add_subcommand("list", "Names and versions, never a value");
    add_json_flag(*listing, session);
    listing->footer("Example:\n  writ secret list --json");
    listing->callback([&session] { session.action = [&session] { return list(session); }; });
    auto* rekeying = command->add_subcommand("rekey", "Change the key that seals secrets and the authority's own keys; no value changes");
    add_json_flag(*rekeying, session);
    rekeying->footer("A backup of the database opens with the `kek` of its time only: make one of both afterwards.\n\nExample:\n  writ secret rekey");
    rekeying->callback([&session] { session.action = [&session] { return rekey(session); }; });
    auto* removal = command->add_subcommand("remove", "Remove a secret with all of its versions; runs lose its file");
    removal->add_option("name", options->name, "The secret")->required();
    add_json_flag(*removal, session);
    removal->footer("Example:\n  writ secret remove openai/research");
    removal->callback([&session, options] { session.action = [&session, options] { return remove(session, *options); }; });
}

} // namespace writ::cli
