// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/diagnosis.h"
#include "cli/output.h"
#include "cli/python_environment.h"

#include "base/utf8.h"
#include "net/http_client.h"

#include <algorithm>
#include <memory>

namespace writ::cli {

namespace {

// LIMIT: what answers clients late is no better for them than what does not answer; some of them wait for two seconds.
constexpr Duration answer_deadline = std::chrono::seconds(10);

struct Probe {
    std::string family;
    net::Request request;
    std::string url; // `http://127.0.0.1:8471/…`
};

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

// As the family's own clients ask.
std::vector<Probe> probes_of(Variables const& variables)
{
    std::vector<Probe> probes;
    if (auto const url = text_of(variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI"); !url.empty()) {
        probes.push_back({ "AWS", {}, url });
        probes.back().request.headers.set("authorization", text_of(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    }
    if (auto const host = text_of(variables, "GCE_METADATA_HOST"); !host.empty()) {
        probes.push_back({ "Google Cloud", {}, "http://" + host + "/computeMetadata/v1/instance/service-accounts/default/email" });
        probes.back().request.headers.set("metadata-flavor", "Google");
    }
    if (auto const url = text_of(variables, "IDENTITY_ENDPOINT"); !url.empty()) {
        probes.push_back({ "Azure", {}, url });
        probes.back().request.query = { { "api-version", "2019-08-01" }, { "resource", "https://storage.azure.com" } };
        probes.back().request.headers.set("x-identity-header", text_of(variables, "IDENTITY_HEADER"));
    }
    if (auto const url = text_of(variables, "DATABRICKS_METADATA_SERVICE_URL"); !url.empty()) {
        probes.push_back({ "Databricks", {}, url });
        probes.back().request.headers.set("x-databricks-metadata-version", "1");
        probes.back().request.headers.set("x-databricks-host", text_of(variables, "DATABRICKS_HOST"));
    }
    return probes;
}

Result<net::Response> send(Probe const& probe)
{
    constexpr std::string_view scheme = "http://";
    auto const rest = std::string_view(probe.url).substr(std::min(probe.url.size(), scheme.size()));
    auto const slash = std::min(rest.find('/'), rest.size());
    auto const address = TRY(net::parse_address(rest.substr(0, slash)));
    auto request = probe.request;
    request.path = slash == rest.size() ? "/" : std::string(rest.substr(slash));
    request.headers.set("host", std::string(rest.substr(0, slash)));
    net::EventLoop loop;
    net::HttpClient client(address);
    return loop.run(client.send(std::move(request), answer_deadline));
}

// Why clients get nothing; empty: they do. SECURITY: the answer is a secret, and is looked at no further than its status.
std::string problem_of(Probe const& probe)
{
    auto response = send(probe);
    if (response.is_error())
        return "the agent's endpoint for " + probe.family + " does not answer: " + response.error().message + "; is the agent running?";
    wipe(response->body.data(), response->body.size());
    // Azure's says 400 of a resource that the run has no token for, which others may have.
    if (response->status == 200 || (probe.family == "Azure" && response->status == 400))
        return "";
    return "the agent's endpoint for " + probe.family + " answers with status " + std::to_string(response->status)
        + (response->status == 403 ? ": policy says no; `writ audit list` shows the decision" : response->status == 401 ? ": this process is of no run" : ": the cloud refuses; the authority's log says why");
}

// Absent: the agent, or the authority behind it, does not say.
std::optional<std::set<std::string>> declared_channels(Session const& session)
{
    auto const answer = object_of(call_agent(session, get_request("/v1/channels")));
    auto const listed = answer.is_ok() ? strings_member(*answer, "channels") : Result<std::vector<std::string>>(answer.error());
    return listed.is_ok() ? std::optional(std::set<std::string>(listed->begin(), listed->end())) : std::nullopt;
}

Reachable find_out(Session const& session, Variables const& variables)
{
    Reachable reachable;
    auto const status = call_agent(session, get_request("/v1/status"));
    reachable.agent = status.is_ok();
    reachable.agent_error = status.is_error() ? status.error().message : "";
    if (reachable.agent)
        reachable.declared = declared_channels(session);
    for (auto const& probe : probes_of(variables))
        reachable.endpoints.emplace(probe.family, problem_of(probe));
    return reachable;
}

void print_people(std::optional<FoundPython> const& python, Session const& session, Reachable const& reachable, std::vector<Diagnosed> const& all, std::vector<StaticCredential> const& secrets)
{
    print_line("agent   " + (reachable.agent ? "answers at " + printable(session.run_folder().string()) : paint(Colour::red, printable(reachable.agent_error))));
    print_line("python  " + (python ? printable(python->path.string()) + (python->note.empty() ? "" : ", " + printable(python->note)) : "none on PATH"));
    print_line("");
    Table table({ "CLIENT", "VERSION", "FOR", "CHANNEL", "STATE" });
    for (auto const& one : all)
        table.add({ one.client.name, printable(one.client.version), one.client.family, one.channel, one.state });
    table.print("no client that is known here");
    std::set<std::string> said;
    for (auto const& one : all) {
        if (!one.mend.empty() && said.insert(one.client.family + one.mend).second)
            print_line((said.size() == 1 ? "\nTo mend:\n  " : "  ") + one.client.family + ": " + printable(one.mend));
    }
    // What no client here would read is still good for whoever copies it.
    for (auto const& secret : secrets) {
        bool const is_said = std::any_of(all.begin(), all.end(), [&secret](auto const& one) { return one.client.family == secret.family; });
        if (!is_said)
            print_line("long-lived secret: " + describe(secret));
    }
}

void print_machine(std::optional<FoundPython> const& python, Reachable const& reachable, std::vector<Diagnosed> const& all, std::vector<StaticCredential> const& secrets)
{
    JsonArray clients, found;
    for (auto const& one : all)
        clients.push_back(to_json(one));
    for (auto const& secret : secrets)
        found.push_back(JsonObject { { "name", repaired_utf8(secret.name) }, { "key", repaired_utf8(secret.key) }, { "family", secret.family }, { "is_file", secret.is_file } });
    print_json(JsonObject { { "agent", JsonObject { { "reachable", reachable.agent }, { "error", reachable.agent_error } } },
        { "python", python ? JsonValue(repaired_utf8(python->path.string())) : JsonValue() }, { "python_note", python ? python->note : "" }, { "clients", std::move(clients) }, { "secrets", std::move(found) } });
}

int doctor(Session const& session, std::vector<std::string> const& command)
{
    auto const variables = own_environment();
    std::error_code error;
    auto const folder = std::filesystem::current_path(error);
    auto const secrets = find_static_credentials(variables, Path(text_of(variables, "HOME")), folder);
    auto const python = python_of(command, variables, folder);
    auto clients = python ? find_packages(package_folders(python->path, variables)) : std::vector<FoundClient>();
    auto programs = find_programs(variables);
    std::move(programs.begin(), programs.end(), std::back_inserter(clients));
    auto const reachable = find_out(session, variables);
    auto const all = diagnose(clients, secrets, variables, reachable);
    if (session.json)
        print_machine(python, reachable, all, secrets);
    else
        print_people(python, session, reachable, all, secrets);
    auto const is_in_state = [](std::string_view state) { return [state](Diagnosed const& one) { return one.state == state; }; };
    if (!reachable.agent || std::any_of(all.begin(), all.end(), is_in_state("unreachable")))
        return static_cast<int>(Exit::unreachable);
    return std::any_of(all.begin(), all.end(), is_in_state("shadowed")) ? static_cast<int>(Exit::static_secret) : 0;
}

} // namespace

void add_doctor_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("doctor", "Which client libraries a job has, how each gets its credentials, and what is in the way");
    auto const words = std::make_shared<std::vector<std::string>>();
    command->add_option("command", *words, "Program and arguments, behind `--`: its Python is looked at; otherwise the one on PATH");
    command->positionals_at_end();
    command->prefix_command();
    add_json_flag(*command, session);
    add_run_dir_option(*command, session);
    command->footer("Looks at packages, variables, and the files that clients read, names what has a secret in it, tells none, and runs nothing. Inside a run (`writ run -- writ doctor`) it asks the "
                    "local endpoints as the clients would.\n\n"
                    "States: in use; by writ run (a provider for it is declared, and the workload is given it if it uses it); shadowed (a static secret would win); unreachable; none.\n\n"
                    "Exit code: 0: nothing is in the way; 78: a static secret shadows a channel; 69: agent or endpoint do not answer.\n\n"
                    "Examples:\n  writ doctor\n  writ doctor -- .venv/bin/python train.py\n  writ doctor --json | jq '.clients[] | select(.state == \"shadowed\")'");
    command->callback([&session, words] {
        if (!session.take_words(*words))
            return;
        session.action = [&session, words] { return doctor(session, *words); };
    });
}

} // namespace writ::cli
