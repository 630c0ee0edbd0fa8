// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include "crypto/x509.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::vector<std::string> audience;
    std::string id;
    std::string folder;
};

std::string private_key_pem(std::string_view base64)
{
    std::string pem = "-----BEGIN PRIVATE KEY-----\n";
    for (; !base64.empty(); base64.remove_prefix(std::min<std::size_t>(base64.size(), 64)))
        pem.append(base64.substr(0, 64)).append("\n");
    return pem + "-----END PRIVATE KEY-----\n";
}

Result<> write_files(Path const& folder, JsonObject const& answer)
{
    auto const& svid = answer.at("svids").as_array().front().as_object();
    std::string chain, roots;
    for (auto const& certificate : TRY(strings_member(svid, "certificates")))
        chain += crypto::to_pem(TRY(parse_base64(certificate)));
    for (auto const& key : *TRY(array_member(*TRY(object_member(answer, "bundle")), "keys"))) {
        if (string_or(key.as_object(), "use", "") == "x509-svid")
            roots += crypto::to_pem(TRY(parse_base64(cell(key.as_object().at("x5c").as_array().front()))));
    }
    TRY(create_folder(folder, 0700));
    SecretText const key(private_key_pem(TRY(string_member(svid, "private_key"))));
    TRY(replace_file(folder / "svid.pem", as_bytes(chain), 0644));
    TRY(replace_file(folder / "svid.key", as_bytes(key.reveal()), 0600));
    return replace_file(folder / "bundle.pem", as_bytes(roots), 0644);
}

int x509(Session const& session, Options const& options)
{
    auto const answer = object_of(call_agent(session, post_request("/v1/svids/x509", JsonObject())));
    if (answer.is_error())
        return fail(answer.error());
    if (!options.folder.empty()) {
        auto const written = write_files(options.folder, *answer);
        if (written.is_error())
            return fail(written.error());
        print_line("wrote svid.pem, svid.key and bundle.pem to " + options.folder);
        return 0;
    }
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    Table table({ "SPIFFE ID", "EXPIRES (UTC)" });
    for (auto const& item : answer->at("svids").as_array())
        table.add({ cell(item.as_object(), "id"), short_time(cell(item.as_object(), "expires")) });
    table.print("none");
    return 0;
}

int jwt(Session const& session, Options const& options)
{
    JsonArray audience;
    for (auto const& name : options.audience)
        audience.emplace_back(name);
    JsonObject request { { "audience", std::move(audience) } };
    if (!options.id.empty())
        request.emplace("id", options.id);
    auto const answer = object_of(call_agent(session, post_request("/v1/svids/jwt", std::move(request))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    for (auto const& item : answer->at("svids").as_array())
        print_line(cell(item.as_object(), "token"));
    return 0;
}

} // namespace

void add_svid_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("svid", "The SVIDs of this very process (the `writ` executable, run by you)");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();
    auto* certificates = command->add_subcommand("x509", "X.509-SVIDs from the agent");
    certificates->add_option("--out", options->folder, "Write svid.pem, svid.key (mode 0600) and bundle.pem there")->type_name("DIR");
    add_json_flag(*certificates, session);
    certificates->footer("Example:\n  writ svid x509 --out /run/user/1000/svid");
    certificates->callback([&session, options] { session.action = [&session, options] { return x509(session, *options); }; });
    auto* tokens = command->add_subcommand("jwt", "A JWT-SVID from the agent, for one audience");
    tokens->add_option("--audience", options->audience, "Whom it is for")->required();
    tokens->add_option("--id", options->id, "As which of several workloads");
    add_json_flag(*tokens, session);
    tokens->footer(
        "Example:\n  curl -H \"Authorization: Bearer $(writ svid jwt --audience https://models.internal)\" https://models.internal/");
    tokens->callback([&session, options] { session.action = [&session, options] { return jwt(session, *options); }; });
}

} // namespace writ::cli
